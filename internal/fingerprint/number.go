// This file says what in a text is a number or an id.

package fingerprint

import "strings"

// How long at least is an id: of hexadecimal digits with a decimal one among them,
// of capitals and digits, in base64.
const (
	minHex      = 6
	minCapitals = 12
	minBase64   = 40
)

// number says which part of s counts as one sign because of the digit at d, the
// first behind from. Where the digits stay what they are the part is empty, and
// stands behind them.
func number(s string, from, d int) (begin, end int) {
	if isUUID(s, d) { // first, for where its digits end differs from one to the next, and the processor guesses wrong
		begin, end = d, d+lenUUID
	} else if end = digitsEnd(s, d); end-d != 3 && (d == 0 || s[d-1] == ' ') && (end == len(s) || s[end] == ' ') {
		return d, end // the usual, and no status
	} else {
		begin, end = id(s, from, d)
	}
	for begin < end && (begin == 0 || class[s[begin-1]] == other) { // not of "sha256:12"
		next := goesOn(s, end)
		if next == end {
			break
		}
		end = next
	}
	return begin, end
}

// goesOn is where what goes on with the number or id that ends at i ends; i = it
// doesn't.
func goesOn(s string, i int) int {
	if i+1 >= len(s) {
		return i
	}
	switch c := s[i]; {
	case class[s[i+1]]&digit != 0 && (c == '.' || c == ',' || c == ':' || (c == '+' || c == '-') && s[i-1]|0x20 == 'e'):
		end := digitsEnd(s, i+1)
		if end < len(s) && class[s[end]] != other {
			_, end = id(s, i+1, i+1)
		}
		return end
	case c == '-' && i+6 <= len(s):
		if end := i + 6; isPod(s[i+1:end]) && (end == len(s) || class[s[end]] == other) {
			return end
		}
	}
	return i
}

func digitsEnd(s string, i int) int {
	for i < len(s) && class[s[i]]&digit != 0 {
		i++
	}
	return i
}

// A word is s[begin:end].
type word struct {
	begin, end int
	places     int  // that have digits
	some       byte // the classes of its bytes
}

// read returns the word of s that begins at begin, whose first digit stands at d.
func read(s string, begin, d int) word {
	w, last := word{begin: begin, end: begin}, byte(0)
	for ; w.end < d; w.end++ {
		w.some |= class[s[w.end]]
	}
	for ; w.end < len(s) && class[s[w.end]] != other; w.end++ {
		c := class[s[w.end]]
		w.places += int(c &^ last & digit)
		w.some |= c
		last = c
	}
	return w
}

// id is number without what goes on behind it.
func id(s string, from, d int) (begin, end int) {
	for begin = d; begin > from && class[s[begin-1]] != other; {
		begin--
	}
	if isUUID(s, begin) {
		return begin, begin + lenUUID
	}
	w := read(s, begin, d)
	n := w.end - w.begin
	if n == 4 || n == 12 {
		if id := uuid(s, from, w.begin); id >= 0 {
			return id, id + lenUUID
		}
	}
	if w.begin > from && s[w.begin-1] != ' ' || w.end < len(s) && s[w.end] != ' ' { // else it is part of none
		if begin, end = address(s, from, w); begin < end {
			return begin, end
		}
		if begin, end = base64(s, from, w); begin < end {
			return begin, end
		}
	}
	end = digitsEnd(s, d)
	switch {
	case w.some == digit:
		if n == 3 && isStatus(s, w.begin, w.end) {
			return w.end, w.end
		}
	case w.places > 1, n >= minHex && w.some&letter == 0, n >= minCapitals && w.some&lower == 0 && end < w.end,
		n > 2 && s[w.begin] == '0' && s[w.begin+1]|0x20 == 'x',
		w.begin == d && isUnit(s[end:w.end]),
		(n == 5 || n >= 8 && n <= 10) && w.begin > from && s[w.begin-1] == '-' && isPod(s[w.begin:w.end]):
		return w.begin, padded(s, w.end)
	}
	return d, end
}

// isPod says whether Kubernetes makes such names for pods: they have no vowels, nor
// what looks like one.
func isPod(w string) bool {
	for i := range len(w) {
		if strings.IndexByte("bcdfghjklmnpqrstvwxz2456789", w[i]) < 0 {
			return false
		}
	}
	return true
}

// padded steps over base64's padding at i.
func padded(s string, i int) int {
	end := i
	for end < len(s) && s[end] == '=' {
		end++
	}
	if end < len(s) && class[s[end]] != other {
		return i // a value follows
	}
	return end
}

// isUnit says whether w may follow a number: as a unit of time or size, as the zone
// of a time, or before an exponent.
func isUnit(w string) bool {
	switch w {
	case "ns", "us", "µs", "μs", "ms", "s", "m", "h", "d", "Z", "e", "E",
		"k", "K", "M", "G", "b", "B", "kB", "KB", "MB", "GB", "TB", "Ki", "Mi", "Gi", "KiB", "MiB", "GiB", "TiB":
		return true
	}
	return false
}

// maxAddress is how long an address of IPv6 is at the most.
const maxAddress = 39

// address is the address of IPv6 or of hardware that w is a part of: of groups of
// up to four hexadecimal digits, with two colons at least.
func address(s string, from int, w word) (begin, end int) {
	begin, end = w.begin, w.end
	if end-begin > 4 || w.some&letter != 0 || (end == len(s) || s[end] != ':') && (begin == from || s[begin-1] != ':') {
		return 0, 0
	}
	isPart := func(c byte) bool { return c == ':' || class[c]&(digit|hexa) != 0 }
	for begin > from && isPart(s[begin-1]) {
		begin--
	}
	for end < len(s) && end-begin < maxAddress && isPart(s[end]) {
		end++
	}
	within := begin > 0 && class[s[begin-1]] != other || end < len(s) && class[s[end]] != other
	if end-1 > begin && s[end-1] == ':' && s[end-2] != ':' {
		end--
	}
	if within || strings.Count(s[begin:end], ":") < 2 {
		return 0, 0
	}
	return begin, end
}

// base64 is what w is a part of that is written so: long, with a slash or a plus in
// it, and no path, which begins with a slash or goes on from a host.
func base64(s string, from int, w word) (begin, end int) {
	begin, end = w.begin, w.end
	isSign := func(c byte) bool { return c == '/' || c == '+' }
	if !(end < len(s) && isSign(s[end])) && !(begin > from && isSign(s[begin-1])) {
		return 0, 0
	}
	part := func(c byte) bool { return isSign(c) || c < 0x80 && class[c] != other }
	for begin > from && part(s[begin-1]) {
		begin--
	}
	if s[begin] == '/' || begin > 0 && strings.IndexByte(" \t\n\"'=(:,", s[begin-1]) < 0 {
		return 0, 0
	}
	all, capital := byte(0), false
	for ; end < len(s) && part(s[end]); end++ {
		all |= class[s[end]]
		capital = capital || class[s[end]]&(hexa|letter) != 0 && class[s[end]]&lower == 0
	}
	if end-begin < minBase64 || all&lower == 0 || !capital {
		return 0, 0
	}
	return begin, padded(s, end)
}

// How long a name before the @ of an address of mail is at the most, and how far
// into a text such are looked for.
const (
	maxName   = 64
	mailReach = 8 * reach
)

// nextMail is the next address of mail in s from i on; -1 where there is none.
func nextMail(s string, i int) (begin, end int) {
	s = s[:min(len(s), max(i, mailReach))]
	for from := i; ; {
		at := strings.IndexByte(s[i:], '@')
		if at < 0 {
			return -1, -1
		}
		at += i
		begin, end, i = at, at+1, at+1
		for begin > from && at-begin <= maxName && (class[s[begin-1]] != other || strings.IndexByte("._%+-", s[begin-1]) >= 0) {
			begin--
		}
		for end < len(s) && (class[s[end]] != other || s[end] == '.' && end+1 < len(s) && class[s[end+1]] != other || s[end] == '-') {
			end++
		}
		host := s[at+1 : end]
		if at > begin && host != "" && class[host[0]]&digit == 0 && strings.Contains(host, ".") {
			return begin, end
		}
	}
}
