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

// textCodes are those at which a text may hold a secret, or name one.
var textCodes = func() codeSet {
	c := keyCodes
	for _, row := range makers {
		c.add(row.prefix)
	}
	for _, begin := range [...]string{
		"://", `:\/`, "eyJ", "BEG", "sic", "ks.", "s/T", `\/T`, "2FT", "cp(", "p6(", "ix(", "ql(",
		"pas", "sig", "pw=", "pw:", "pw\"", "pw'", "pw ", "pw%", "pw*", `pw\`, "pw`", "pw\t",
	} {
		c.add(begin)
	}
	return c
}()
