// This file finds the few places of a text that are worth a look.

package redact

// A codeSet holds codes: three bytes, the lower five bits of each. The case of
// letters doesn't matter, and some other bytes share a letter's bits; so a
// code only says where to look. It costs a nanosecond a byte, and ordinary
// text seldom has a code of the set below.
type codeSet [512]uint64

func (c *codeSet) has(code uint32) bool { return c[code>>6&511]>>(code&63)&1 != 0 }

// next returns the first place from i on where a code of c ends, or len(s),
// and the code there; code is that of the bytes before i.
func (c *codeSet) next(s string, i int, code uint32) (int, uint32) {
	for ; i < len(s); i++ {
		code = code<<5 | uint32(s[i]&31)
		if c.has(code) {
			break
		}
	}
	return i, code
}

// What may be at a place where a text has a code.
const (
	ofKey   = 1 << iota // a root begins
	ofMaker             // a token begins
	ofSign              // something else that look knows
)

// codes are those at which a text may hold a secret, or name one. signs says
// what is at each, by the three bytes themselves: that spares most places a
// look that only share their bits. None begins with a blank: the code of that is
// 0, as before the text.
var codes, signs = func() (c codeSet, what [4096]uint8) {
	add := func(begin string, of uint8) {
		code := uint32(begin[0]&31)<<10 | uint32(begin[1]&31)<<5 | uint32(begin[2]&31)
		c[code>>6] |= 1 << (code & 63)
		what[signOf(begin[0], begin[1], begin[2])] |= of
	}
	for _, rows := range roots {
		for _, row := range rows {
			add(row.name, ofKey)
		}
	}
	for _, begin := range [...]string{"pas", "sig"} {
		add(begin, ofKey)
	}
	for _, after := range []byte("=:\"' %*\\`\t])&") {
		add("pw"+string(after), ofKey)
	}
	for _, rows := range prefixes {
		for _, row := range rows {
			for b := range byte(128) {
				if len(row.name) > 2 || is(b, row.body) {
					add(row.name+string(b), ofMaker)
				}
			}
		}
	}
	for _, begin := range [...]string{
		"://", `:\/`, "eyj", "sic", "bea", "s/t", `\/t`, "2ft", "-u ", "--u", "cp(", "p6(", "ix(", "ql(",
	} {
		add(begin, ofSign)
	}
	return c, what
}()

// signOf is a hash of three bytes, without regard to case.
func signOf(a, b, c byte) uint32 {
	return ((uint32(a)<<16 | uint32(b)<<8 | uint32(c)) | 0x202020) * 0x9e3779b1 >> 20
}
