// This file finds the few places of a text that are worth a look.

package redact

// A codeSet holds codes: three bytes, the lower five bits of each. The case of
// letters doesn't matter, and some other bytes share a letter's bits; so a
// code only says where to look. It costs a nanosecond a byte, and ordinary
// text seldom has a code of the sets below.
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

func (c *codeSet) add(begin string) {
	code := uint32(0)
	for i := range 3 {
		code = code<<5 | uint32(begin[i]&31)
	}
	c[code>>6&511] |= 1 << (code & 63)
}

// keyCodes are those that a root begins with. No root has a separator there.
var keyCodes = func() (c codeSet) {
	for _, rows := range roots {
		for _, row := range rows {
			c.add(row.name)
		}
	}
	return c
}()

// What may be at a place where a text has a code.
const (
	ofKey   = 1 << iota // a root begins
	ofMaker             // a token begins
	ofSign              // something else that look knows
)

// textCodes are the codes at which a text may hold a secret, or name one.
// textSigns says what is at each, by the three bytes themselves: that spares
// most places a look that only share their bits.
var textCodes, textSigns = func() (c codeSet, what [4096]uint8) {
	add := func(begin string, of uint8) {
		c.add(begin)
		what[signOf(begin[0], begin[1], begin[2])] |= of
	}
	anyCase := func(begin string, of uint8) {
		for bits := range 8 {
			b := []byte(begin[:3])
			for i, c := range b {
				if is(c, alnum) && !is(c, digit) && bits>>i&1 == 1 {
					b[i] ^= 0x20
				}
			}
			add(string(b), of)
		}
	}
	for _, rows := range roots {
		for _, row := range rows {
			anyCase(row.name, ofKey)
		}
	}
	for _, row := range makers {
		for b := range 256 {
			if len(row.prefix) > 2 || is(byte(b), row.body) {
				add(row.prefix+string([]byte{byte(b)}), ofMaker)
			}
		}
	}
	for _, begin := range [...]string{
		"pas", "sig", "pw=", "pw:", "pw\"", "pw'", "pw ", "pw%", "pw*", `pw\`, "pw`", "pw\t", "pw]", "pw)",
	} {
		anyCase(begin, ofKey)
	}
	for _, begin := range [...]string{
		"://", `:\/`, "eyJ", "BEG", "sic", "bea", "ks.", "s/T", `\/T`, "2FT", "cp(", "p6(", "ix(", "ql(",
	} {
		anyCase(begin, ofSign)
	}
	return c, what
}()

func signOf(a, b, c byte) uint32 {
	return (uint32(a)<<16 | uint32(b)<<8 | uint32(c)) * 0x9e3779b1 >> 20
}
