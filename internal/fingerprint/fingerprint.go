// Package fingerprint says which texts are the same thing happening again: it
// takes runs of digits and hexadecimal ids as one sign and hashes the rest.
package fingerprint

// Hash is FNV-1a over 64 bits: equal in every process.
type Hash uint64

const (
	offset = 14695981039346656037
	prime  = 1099511628211
)

// Reach is how many bytes of a long text count, at its start and at its end.
const Reach = 1 << 10

// minHex is the length from which a word of hexadecimal digits, with at least
// one decimal digit among them, is an id.
const minHex = 6

// sign stands for a number or an id.
const sign = 0x1A

// New returns the hash of nothing.
func New() Hash { return offset }

func (h Hash) byte(b byte) Hash { return (h ^ Hash(b)) * prime }

// String adds s as it is, and an end that no text contains.
func (h Hash) String(s string) Hash {
	for i := range len(s) {
		h = h.byte(s[i])
	}
	return h.byte(0xFF)
}

// Uint adds a number.
func (h Hash) Uint(n uint64) Hash {
	for range 8 {
		h, n = h.byte(byte(n)), n>>8
	}
	return h
}

// Text adds s with its numbers and ids made one sign. Of a text longer than
// twice Reach only the start and the end count.
func (h Hash) Text(s string) Hash {
	if len(s) > 2*Reach {
		return h.text(s[:Reach]).text(s[len(s)-Reach:]).byte(0xFF)
	}
	return h.text(s).byte(0xFF)
}

func (h Hash) text(s string) Hash {
	for i := 0; i < len(s); {
		c := class[s[i]]
		if c == other {
			h = h.byte(s[i])
			i++
			continue
		}
		if isUUID(s[i:]) {
			h = h.byte(sign)
			i += lenUUID
			continue
		}
		end, seen := i, byte(0)
		for end < len(s) && class[s[end]] != other {
			seen |= class[s[end]]
			end++
		}
		h = h.word(s[i:end], seen)
		i = end
	}
	return h
}

// word adds a run of letters and digits.
func (h Hash) word(w string, seen byte) Hash {
	if seen&digit == 0 {
		for i := range len(w) {
			h = h.byte(w[i])
		}
		return h
	}
	if seen&letter == 0 && (len(w) >= minHex || seen == digit) || len(w) > 2 && w[0] == '0' && w[1]|0x20 == 'x' {
		return h.byte(sign)
	}
	for i := 0; i < len(w); {
		if class[w[i]] != digit {
			h = h.byte(w[i])
			i++
			continue
		}
		for i < len(w) && class[w[i]] == digit {
			i++
		}
		h = h.byte(sign)
	}
	return h
}

const lenUUID = 36

// isUUID says whether s begins with an id of the form 8-4-4-4-12.
func isUUID(s string) bool {
	if len(s) < lenUUID || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	for i := range lenUUID {
		if i != 8 && i != 13 && i != 18 && i != 23 && class[s[i]]&(digit|hexa) == 0 {
			return false
		}
	}
	return true
}

// The classes of a byte within a word.
const (
	other  = 0
	digit  = 1
	hexa   = 2 // a to f
	letter = 4 // and whatever else belongs to a word
)

var class = func() (t [256]byte) {
	for b := range 256 {
		switch c := byte(b); {
		case c >= '0' && c <= '9':
			t[b] = digit
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			t[b] = hexa
		case c >= 'g' && c <= 'z', c >= 'G' && c <= 'Z', c == '_', c >= 0x80:
			t[b] = letter
		}
	}
	return t
}()
