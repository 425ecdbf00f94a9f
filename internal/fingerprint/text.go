// This file reads texts: eight bytes at a time where no digit stands, by the
// word where one does.

package fingerprint

import (
	"math/bits"
	"strings"
)

// Of a long text the start and the end count: reach bytes besides its numbers
// and ids, and as many words of the rest as make about as much.
const (
	reach     = 1 << 10
	tailWords = 128
	maxTail   = 2 * reach
)

// minHex is the length from which a word of hexadecimal digits, with at least
// one decimal digit among them, is an id.
const minHex = 6

// Text adds s with each number and id made one sign:
//
//   - a run of decimal digits;
//   - a word of six or more hexadecimal digits with a decimal one among them, a
//     word that begins with 0x, and a UUID, as a whole.
//
// An HTTP status stays what it is: three digits from 100 to 599 behind "status",
// "code", "HTTP" or "answered" in any case, as in "answered 503", "statusCode:
// 503", "HTTP/1.1 503". A long text counts with its first 1 KiB and its last 128
// words.
func (h Hash) Text(s string) Hash {
	if len(s) > reach {
		return h.long(s)
	}
	d := nextDigit(s, 0)
	if d < 0 {
		return h.String(s)
	}
	h, _ = h.text(s, d, reach)
	return h
}

// long adds a text that may be longer than what counts of it.
func (h Hash) long(s string) Hash {
	h, end := h.text(s, nextDigit(s[:reach], 0), reach)
	if end == len(s) {
		return h
	}
	h = h.Uint(sign + 1) // two parts of a text aren't two texts
	from := tail(s, end)
	h, _ = h.text(s[from:], nextDigit(s[from:], 0), maxTail)
	return h
}

// tail is where the last words of s begin, not before from.
func tail(s string, from int) int {
	i, words := len(s), 0
	for i > max(from, len(s)-maxTail) && words < tailWords {
		i--
		if class[s[i]] == other && class[s[min(i+1, len(s)-1)]] != other {
			words++
		}
	}
	return i
}

// text adds at most so many bytes of s, whose first digit stands at d, besides
// the signs, and returns where it ended. What stands between two signs is added
// as one string, so that where signs stand is all that splits a text.
func (h Hash) text(s string, d, left int) (_ Hash, end int) {
	from := 0 // of what isn't added yet
	for d >= 0 {
		begin, at := number(s, from, d)
		if begin < at {
			if begin-from >= left {
				break
			}
			left -= begin - from
			h = h.String(s[from:begin]).Uint(sign)
			from = at
		}
		d = nextDigit(s[:min(len(s), from+left+lenUUID)], at)
	}
	end = min(len(s), from+left)
	return h.String(s[from:end]), end
}

// nextDigit is where the first decimal digit of s from i on stands, or -1.
func nextDigit(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		if m := digits(load64(s[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	if len(s) >= 8 { // the rest and what was read, which is shifted out
		i = max(i, len(s)-8)
		if m := digits(load64(s[len(s)-8:]) >> (8 * (8 - (len(s) - i)))); i < len(s) && m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		return -1
	}
	for ; i < len(s); i++ {
		if class[s[i]] == digit {
			return i
		}
	}
	return -1
}

// digits has the high bit of each byte of x that is a decimal digit, as far as
// the first; behind it bits may be set for others.
func digits(x uint64) uint64 {
	const ones = 0x0101010101010101
	x ^= '0' * ones // a digit is less than 10 now
	return (x - 10*ones) &^ x & (0x80 * ones)
}

// number says which part of s counts as one sign because of the digit at d, the
// first behind from: an id as a whole, or a run of digits. Where the digits stay
// what they are the part is empty, and stands behind them.
func number(s string, from, d int) (begin, end int) {
	begin, end = d, d
	for begin > from && class[s[begin-1]] != other {
		begin--
	}
	if begin > from || from == 0 || class[s[from-1]] == other { // or it is of a word that isn't an id
		seen := byte(0)
		for end = begin; end < len(s) && class[s[end]] != other; end++ {
			seen |= class[s[end]]
		}
		n := end - begin
		if n == 4 || n == 8 || n == 12 {
			if id := uuid(s, from, begin); id >= 0 {
				return id, id + lenUUID
			}
		}
		switch {
		case seen == digit:
			if n == 3 && isStatus(s, begin, end) {
				begin = end
			}
			return begin, end
		case n >= minHex && seen&letter == 0, n > 2 && s[begin] == '0' && s[begin+1]|0x20 == 'x':
			return begin, end
		}
	}
	for end = d; end < len(s) && class[s[end]] == digit; {
		end++
	}
	return d, end
}

const lenUUID = 36

// uuid is where the id of the form 8-4-4-4-12 begins that has a word at i, which
// is its first one with a digit; -1 = none does.
func uuid(s string, from, i int) int {
	for _, back := range [...]int{0, 9, 14, 19, 24} {
		if back > 0 && (i == 0 || s[i-1] != '-') {
			return -1
		}
		if i-back >= from && isUUID(s, i-back) {
			return i - back
		}
	}
	return -1
}

// isUUID says whether one stands at i, as words of its own.
func isUUID(s string, i int) bool {
	end := i + lenUUID
	if end > len(s) || s[i+8] != '-' || s[i+13] != '-' || s[i+18] != '-' || s[i+23] != '-' ||
		i > 0 && class[s[i-1]] != other || end < len(s) && class[s[end]] != other {
		return false
	}
	s = s[i:end]
	return isHex(load64(s)) && isHex(load32(s[9:])<<32|load32(s[14:])) && isHex(load32(s[19:])<<32|load32(s[24:])) && isHex(load64(s[28:]))
}

// isHex says whether all eight bytes of x are hexadecimal digits.
func isHex(x uint64) bool {
	const ones, high = 0x0101010101010101, 0x80 * 0x0101010101010101
	isDigit := ^((x ^ '0'*ones) + (0x80-10)*ones)                // less than 10 now
	letter := (x | 0x20*ones) ^ 0x60*ones                        // a is 1 now, in either case
	isLetter := (letter + 0x7F*ones) &^ (letter + (0x80-7)*ones) // 1 to 6
	return x&high == 0 && (isDigit|isLetter)&high == high
}

// isStatus says whether the three digits s[begin:end] are an HTTP status.
func isStatus(s string, begin, end int) bool {
	if s[begin] < '1' || s[begin] > '5' {
		return false
	}
	if end+1 < len(s) && strings.IndexByte(".,:-/", s[end]) >= 0 && class[s[end+1]] == digit {
		return false // an address, a date, an amount
	}
	before := s[max(0, begin-maxBefore):begin]
	named := strings.TrimRight(before, " \t:=\"'([")
	if len(named) == len(before) {
		return false
	}
	for _, name := range [...]string{"status", "code", "http", "answered"} {
		if i := len(named) - len(name); i >= 0 && strings.EqualFold(named[i:], name) && beginsWord(named, i) {
			return true
		}
	}
	version := strings.TrimRight(named, ".0123456789") // HTTP/1.1 503
	i := len(version) - len("http/")
	return i >= 0 && len(version) < len(named) && strings.EqualFold(version[i:], "http/") && beginsWord(version, i)
}

// maxBefore is how far before a number the word that makes it a status begins.
const maxBefore = 16

// beginsWord says whether a word, or one of those in camelCase or in
// snake_case, begins at i.
func beginsWord(s string, i int) bool {
	if i == 0 || class[s[i-1]] == other || s[i-1] == '_' {
		return true
	}
	return isUpper(s[i]) && !isUpper(s[i+1])
}

func isUpper(b byte) bool { return 'A' <= b && b <= 'Z' }

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
