// This file reads texts: eight bytes at a time where no digit stands, by the
// word where one does.

package fingerprint

import (
	"math/bits"
	"strings"
)

// Of a long text the start and the end count: reach bytes besides its numbers
// and ids, and as many words of the rest as make about as much. What a number has
// beyond maxNumber counts as other text does.
const (
	reach     = 1 << 10
	tailWords = 128
	maxTail   = 2 * reach
	maxNumber = reach / 4
)

// Text adds s with each number and id made one sign, wherever it stands:
//
//   - a run of decimal digits, with the fraction, the exponent, and the unit of
//     time or size behind it: 7, 1,234.56, 250ms, 1m30.5s, 10.0.0.1:5432;
//   - a word of letters and digits with digits in more than one place, of six or
//     more hexadecimal digits with a decimal one among them, of twelve or more
//     capitals and digits, that begins with 0x, or that Kubernetes made for a pod;
//   - a UUID, an IPv6 or a hardware address, forty or more characters of base64, an
//     address of mail.
//
// An HTTP status stays what it is: three digits from 100 to 599 behind "status",
// "code", "HTTP" or "answered" in any case, as in "answered 503", "statusCode:
// 503", "HTTP/1.1 503", and behind "error", "response", "returned" or "with" where
// no small word goes on, as in "Error 403: Forbidden". A long text counts with its
// first 1 KiB and its last 128 words.
func (h Hash) Text(s string) Hash {
	if len(s) > reach {
		return h.long(s)
	}
	d, mails := nextDigit(s, 0)
	if d < 0 && !mails {
		return h.String(s)
	}
	h, _ = h.text(s, d, mails, reach)
	return h
}

// long adds a text that may be longer than what counts of it.
func (h Hash) long(s string) Hash {
	d, mails := nextDigit(s[:reach], 0)
	h, end := h.text(s, d, mails, reach)
	if end == len(s) {
		return h
	}
	h = h.Uint(sign + 1) // two parts of a text aren't two texts
	from := tail(s, end)
	d, mails = nextDigit(s[from:], 0)
	h, _ = h.text(s[from:], d, mails, maxTail)
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

// text adds at most so many bytes of s, whose first digit stands at d, besides the
// signs, and returns where it ended. What stands between two signs is added as one
// string, so that where signs stand is all that splits a text. Addresses of mail
// begin before what tells them: where there is an @ behind a digit it begins anew.
func (h Hash) text(s string, d int, mails bool, left int) (_ Hash, end int) {
	begun, first, all := h, d, left
	from := 0 // of what isn't added yet
	mail, mailEnd := -1, -1
	if mails {
		mail, mailEnd = nextMail(s, 0)
	}
	for d >= 0 || mail >= 0 {
		begin, at := mail, mailEnd
		if mail < 0 || d >= 0 && d < mail {
			begin, at = number(s[:min(len(s), d+reach)], from, d)
		}
		if begin < at {
			if begin-from >= left {
				break
			}
			left = max(0, left-(begin-from)-max(0, at-begin-maxNumber))
			h = h.String(s[from:begin]).Uint(sign)
			from = at
		}
		if mail >= 0 && at > mail {
			mail, mailEnd = nextMail(s, at)
		}
		var more bool
		if d, more = nextDigit(s[:min(len(s), from+left+maxName+1)], at); more && !mails {
			return begun.text(s, first, true, all)
		}
	}
	end = min(len(s), from+left)
	return h.String(s[from:end]), end
}

// nextDigit is where the first decimal digit of s from i on stands, or -1, and
// whether there is an @ near it or before it.
func nextDigit(s string, i int) (d int, mails bool) {
	at := uint64(0)
	for ; i+8 <= len(s); i += 8 {
		x := load64(s[i:])
		at |= ats(x)
		if m := digits(x); m != 0 {
			return i + bits.TrailingZeros64(m)/8, at != 0
		}
	}
	if len(s) >= 8 { // the rest and what was read, which is shifted out
		if i = max(i, len(s)-8); i < len(s) {
			x := load64(s[len(s)-8:]) >> (8 * (8 - (len(s) - i)))
			at |= ats(x)
			if m := digits(x); m != 0 {
				return i + bits.TrailingZeros64(m)/8, at != 0
			}
		}
		return -1, at != 0
	}
	for ; i < len(s); i++ {
		if class[s[i]]&digit != 0 {
			return i, at != 0
		}
		if s[i] == '@' {
			at = 1
		}
	}
	return -1, at != 0
}

// Numbers of eight bytes that are all 1, or have the high bit alone.
const ones, high = 0x0101010101010101, 0x80 * ones

// digits has the high bit of each byte of x that is a decimal digit, as far as
// the first; behind it bits may be set for others.
func digits(x uint64) uint64 {
	x ^= '0' * ones // a digit is less than 10 now
	return (x - 10*ones) &^ x & high
}

// ats is not 0 where a byte of x is an @.
func ats(x uint64) uint64 {
	x ^= '@' * ones
	return (x - ones) &^ x & high
}

const lenUUID = 36

// uuid is where the id of the form 8-4-4-4-12 begins that has a word at i, which
// is its first one with a digit, and not its first; -1 = none does.
func uuid(s string, from, i int) int {
	if i == 0 || s[i-1] != '-' {
		return -1
	}
	for _, back := range [...]int{9, 14, 19, 24} {
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
	if end+1 < len(s) && strings.IndexByte(".,:-/", s[end]) >= 0 && class[s[end+1]]&digit != 0 {
		return false // an address, a date, an amount
	}
	before := s[max(0, begin-maxBefore):begin]
	named := strings.TrimRight(before, " \t:=\"'([")
	if len(named) == len(before) {
		return false
	}
	small := end+1 < len(s) && s[end] == ' ' && class[s[end+1]]&lower != 0
	for i, name := range [...]string{"status", "code", "http", "answered", "error", "response", "returned", "with"} {
		if small && i >= countable {
			break // "returned 120 rows"
		}
		if i := len(named) - len(name); i >= 0 && strings.EqualFold(named[i:], name) && beginsWord(named, i) {
			return true
		}
	}
	version := strings.TrimRight(named, ".0123456789") // HTTP/1.1 503
	i := len(version) - len("http/")
	return i >= 0 && len(version) < len(named) && strings.EqualFold(version[i:], "http/") && beginsWord(version, i)
}

// countable is the first of the words that a count may follow, too.
const countable = 4

// maxBefore is how far before a number the word that makes it a status begins.
const maxBefore = 16

// beginsWord says whether a word, or one of those in camelCase or in
// snake_case, begins at i.
func beginsWord(s string, i int) bool {
	if i == 0 || class[s[i-1]] == other {
		return true
	}
	return class[s[i]]&lower == 0 && class[s[i+1]]&lower != 0
}

// The classes of a byte within a word. What parts words is of none.
const other = 0
const (
	digit  = 1 << iota
	hexa   // a to f
	letter // and whatever else belongs to a word
	lower
)

var class = func() (t [256]byte) {
	for b := range 256 {
		switch c := byte(b); {
		case c >= '0' && c <= '9':
			t[b] = digit
		case c >= 'a' && c <= 'f':
			t[b] = hexa | lower
		case c >= 'A' && c <= 'F':
			t[b] = hexa
		case c >= 'g' && c <= 'z':
			t[b] = letter | lower
		case c >= 'G' && c <= 'Z', c >= 0x80:
			t[b] = letter
		}
	}
	return t
}()
