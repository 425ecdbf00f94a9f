// This file finds the few places of a text that are worth a look.

package redact

// What may be at three bytes of a text, without regard to case.
const (
	ofKey   = 1 << iota // a root begins
	ofMaker             // a token begins
	ofSign              // something else that look knows
)

// signs says it, by a hash of them: what it says is to be looked at, and seldom
// wrong. Ordinary text has few.
var signs = func() (t [1 << 14]uint8) {
	add := func(begin string, of uint8) {
		t[hash(uint32(begin[0])<<16|uint32(begin[1])<<8|uint32(begin[2]))] |= of
	}
	for _, rows := range roots {
		for _, row := range rows {
			if len(row.name) > 2 {
				add(row.name, ofKey)
			}
		}
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
		"://", `:\/`, "eyj", "sic", "-u ", "--u", "s/t", "s/e", `\/t`, `\/e`, "2ft", "2fe", "dup", "ues", "cp(", "p6(", "ix(", "ql(",
	} {
		add(begin, ofSign)
	}
	for b := range byte(128) {
		add("@/"+string(b), ofSign)
	}
	return t
}()

// hash is of the lower three bytes of code.
func hash(code uint32) uint32 { return (code<<8 | 0x20202000) * 0x9e3779b1 >> 18 }

// next returns the first place from i on where three bytes end that signs has,
// or len(s), and those; code has the bytes before i.
func next(s string, i int, code uint32) (int, uint32) {
	for ; i < len(s); i++ {
		code = code<<8 | uint32(s[i])
		if signs[hash(code)] != 0 {
			break
		}
	}
	return i, code
}
