// This file finds keys that name a secret, by what stands between them and
// their values, and hides the values.

package redact

import (
	"math"
	"strings"
)

// maxKey is how far a key is followed to either side.
const maxKey = 64

// A due is the end of a key, to be looked at when the scan gets there.
type due struct {
	at  int
	end byte // ':' or '=', '%' of one escaped, '>' of an element, '-' for a flag, 'v' for a value named apart
}

var never = due{at: math.MaxInt}

// key notes what is due after the key whose first three letters begin at i.
func (t *scan) key(i int) {
	s := t.s
	end, ok := named(s, i)
	if t.far(i, end); !ok {
		return
	}
	if end = run(s[:min(len(s), end+maxKey)], end, keyPart); end == len(s) {
		return
	}
	from := i
	for from > t.seen && i-from < maxKey && is(s[from-1], keyPart) {
		from--
	}
	d := never
	switch sep := sepAfter(s, end); {
	case sep >= 0:
		d = due{sep, s[sep]}
	case t.inTag(from):
		if n := strings.IndexAny(s[end:min(len(s), end+256)], "<>"); n >= 0 && s[end+n] == '>' {
			d = due{end + n, '>'}
		}
	case s[from] == '-':
		d = due{end, '-'}
	default:
		if k := kindOf(s[from:end]); k != none {
			d = due{apart(s, end, k), 'v'}
		}
	}
	if d.at < t.due.at {
		t.due = d
	}
}

// take hides the value of the key that ends here, and returns where that
// ends, or where it is due.
func (t *scan) take() int {
	d := t.due
	t.due = never
	switch d.end {
	case '%':
		return t.escapedPair(d.at)
	case '>':
		return t.element(d.at)
	case '-':
		return t.flag(d.at)
	case 'v':
		from, to := t.value(blanks(t.s, d.at+1), chosen)
		return t.hide(from, to)
	}
	return t.pair(d.at)
}

// sepAfter returns the place of the ':' or '=', plain or escaped, that
// follows the key that ends at i, or -1. A quoted key may have blanks.
func sepAfter(s string, i int) int {
	last := min(len(s), i+maxKey)
	end := i
	for end < last && is(s[end], keyPart|space) && s[end] != '\n' {
		end++
	}
	if q := quoteAt(s[:last], end); q >= 0 {
		end = q + 1
	} else if blanks(s, i) != end {
		end = i
	}
	for end < last && (s[end] == '*' || s[end] == ']') {
		end++
	}
	if sep := columnsEnd(s[:last], end); sep > end {
		return sep
	}
	if escaped(s[end:last], "22") || escaped(s[end:last], "5d") {
		end += 3
	}
	end = blanks(s[:last], end)
	switch {
	case end == last:
		return -1
	case s[end] == ':', s[end] == '=', escaped(s[end:], "3d"), escaped(s[end:], "3a"):
		return end
	}
	return -1
}

// columnsEnd returns the place of the '=' in what databases say of a row,
// "Key (email, token)=(…)", where the names go on at i; else i.
func columnsEnd(s string, i int) int {
	n := strings.Index(s[i:], ")=(")
	for end := i; end < i+n; end++ {
		if !is(s[end], keyPart) && strings.IndexByte(", ():\"", s[end]) < 0 {
			return i
		}
	}
	return i + n + 1 // i where there is none
}

// apart returns the place of the ':' before a value that is named apart from
// the key that ends at i, in {"name":"password","value":"hunter2"} or
// {Name:password Value:hunter2}, or of the blank in SQL's PASSWORD 'hunter2'.
// Without one it is never due.
func apart(s string, i int, k kind) int {
	const name = "value"
	if at := blanks(s, i); at > i && k == phrase {
		if q := quoteAt(s, at); q >= 0 && q+1 < len(s) && is(s[q+1], alnum) {
			return at - 1
		}
	}
	if q := quoteAt(s, i); q >= 0 {
		i = q + 1
	}
	i = run(s[:min(len(s), i+4)], i, space|closer|quote|slash)
	if len(s)-i < len(name) || !equalFold(s[i:i+len(name)], name) {
		return never.at
	}
	i += len(name)
	if q := quoteAt(s, i); q >= 0 {
		i = q + 1
	}
	if i == len(s) || s[i] != ':' || blanks(s, i+1) == len(s) {
		return never.at
	}
	return i
}

// escaped reports whether s begins with the percent sign and hex.
func escaped(s, hex string) bool {
	return len(s) >= 3 && s[0] == '%' && s[1] == hex[0] && s[2]|0x20 == hex[1]|0x20
}

// pair hides the value after the ':' or '=' at sep if a key before names a
// secret.
func (t *scan) pair(sep int) int {
	key, from, quoted := t.keyBefore(sep)
	k := kindOf(key)
	s := t.s
	glued := sep + 1
	for glued < len(s) && (s[glued] == '=' || s[glued] == '>' || s[glued] == '*') {
		glued++ // ":=", "==", "=>", "**key:**"
	}
	at := blanks(s, glued)
	first := k != none && s[sep] == ':' && !quoted && t.opens(from)
	if first {
		if begin, end := t.block(from, at); end > begin {
			return t.hide(begin, end)
		}
	}
	switch {
	case k == none, at == len(s), nothing(s, at), counts(key, s, at), strings.HasPrefix(s[sep:], "::"), strings.HasPrefix(s[sep:], "://"):
		return sep
	case s[sep] == ':' && (fileName(key) || t.address(from, sep, quoted)):
		return sep
	case at > glued && s[sep] == '=' && s[sep-1] != ' ' && assigns(s, at):
		return sep // "password= user=bob" has no password
	case at > glued && s[sep] == ':' && (!quoted || is(s[at], word)) && sentence(s, at, k, first):
		return sep
	}
	begin, to := t.value(at, k)
	switch {
	case quoted || begin != at:
	case at == glued && s[sep] == ':':
		to = fieldEnd(s, to)
	case at > glued && k == phrase && (first || t.indent(from) >= 0):
		to = t.clauseEnd(at, to)
	}
	return t.hide(begin, to)
}

// keyBefore returns the key that ends before sep, where it begins, and whether
// it is quoted.
func (t *scan) keyBefore(sep int) (key string, from int, quoted bool) {
	s, low := t.s, max(t.seen, sep-maxKey)
	end := sep
	if end > low && !is(s[end-1], alnum) || end-3 >= low && s[end-3] == '%' {
		end = t.keyEnd(sep, low)
	}
	if end > low && s[end-1] == ')' && strings.HasPrefix(s[sep:], "=(") {
		if n := strings.LastIndexByte(s[low:end], '('); n >= 0 {
			return s[low+n+1 : end-1], low + n + 1, false
		}
	}
	if end > low && is(s[end-1], quote) {
		quoted = true
		for end--; end > low && s[end-1] == '\\'; {
			end--
		}
	}
	from = end
	for from > low && (is(s[from-1], keyPart) || quoted && s[from-1] == ' ') {
		from--
	}
	if !quoted && from-1 > low && s[from-1] == ' ' && tailWord(s[from:end]) {
		for from--; from > low && is(s[from-1], keyPart); {
			from--
		}
	}
	if from > low {
		from = min(end, from+escapeTail(s, from))
	}
	return s[from:end], from, quoted
}

// escapeTail returns how many bytes at i, which is no first byte, belong to an
// escape that began before: \u0026sig=, \npw=, %26sig=.
func escapeTail(s string, i int) int {
	switch {
	case s[i-1] == '%' && run(s[:min(len(s), i+2)], i, alnum) == i+2:
		return 2
	case s[i-1] != '\\' || i == len(s):
		return 0
	case s[i] == 'u' && run(s[:min(len(s), i+5)], i, alnum) == i+5:
		return 5
	case strings.IndexByte("nrtbf", s[i]) >= 0:
		return 1
	}
	return 0
}

// keyEnd steps back from sep over what may stand between it and a key:
// blanks, emphasis, the bracket of form[key] and its escape.
func (t *scan) keyEnd(sep, low int) int {
	s, end := t.s, sep
	for end > low && (s[end-1] == ' ' || s[end-1] == '\t') {
		end--
	}
	for end > low && (s[end-1] == '*' || s[end-1] == ']') {
		end--
	}
	if e := end - 3; e >= low && (escaped(s[e:end], "22") || escaped(s[e:end], "5d")) {
		end = e
	}
	return end
}

// tailWord reports whether w ends names of two words: "Api Key".
func tailWord(w string) bool {
	switch len(w) {
	case 2:
		return equalFold(w, "id")
	case 3:
		return equalFold(w, "key")
	case 4:
		return equalFold(w, "word") || equalFold(w, "code")
	case 6:
		return equalFold(w, "header") || equalFold(w, "phrase")
	}
	return false
}

// escapedPair is pair for the %3D or %3A at sep of an escaped URL or form.
func (t *scan) escapedPair(sep int) int {
	s := t.s
	if key, _, _ := t.keyBefore(sep); kindOf(key) == none {
		return sep
	}
	from := sep + 3
	for escaped(s[from:], "22") || escaped(s[from:], "20") {
		from += 3
	}
	to := from
	if strings.HasPrefix(s[from:], Mark) {
		to += len(Mark)
	}
	for to < len(s) && !is(s[to], space|closer|quote|slash) && !escapedStop(s[to:]) {
		to++
	}
	return t.hide(from, to)
}

// escapedStop reports whether s begins with an escaped sign that ends a value.
func escapedStop(s string) bool {
	if len(s) < 3 || s[0] != '%' {
		return false
	}
	switch strings.ToUpper(s[1:3]) {
	case "26", "22", "20", "2C", "7D", "0A":
		return true
	}
	return false
}

// inTag reports whether the key at from is the name of an XML element.
func (t *scan) inTag(from int) bool {
	s := t.s
	if from > t.seen && s[from-1] == ':' {
		for from--; from > t.seen && is(s[from-1], keyPart); {
			from--
		}
	}
	return from > t.seen && s[from-1] == '<'
}

// element hides the text of the XML element whose tag ends with the '>' at i.
func (t *scan) element(i int) int {
	s := t.s
	n := strings.IndexByte(s[i:], '<')
	if t.far(i, i+n); n < 0 || !strings.HasPrefix(s[i+n:], "</") {
		return i
	}
	return t.hide(i+1, i+n)
}

// flag hides the value after the command-line flag that ends at end:
// --password hunter2, also as elements of a printed list.
func (t *scan) flag(end int) int {
	s, from := t.s, end
	for from > t.seen && end-from < 2*maxKey && is(s[from-1], keyPart) {
		from--
	}
	t.far(from, end)
	k := kindOf(s[from:end])
	at := end
	if is(s[at], quote) {
		at++
	}
	for at < len(s) && (s[at] == ' ' || s[at] == ',') {
		at++
	}
	switch {
	case k == none, at == end, at == len(s), s[at] == '-' && !minting(s, at), is(s[end], quote) && !is(s[at], quote):
		return end
	case nothing(s, at), prose(s, at, k):
		return end
	}
	return t.hide(t.value(at, k))
}

// nothing reports whether the value at i says that there is no secret.
func nothing(s string, i int) bool {
	if is(s[i], quote) {
		return false
	}
	end := run(s[:min(len(s), i+8)], i, alnum)
	switch s[i:end] {
	case "true", "false", "nil", "null", "none":
		return true
	case "":
		if s[i] == '$' || s[i] == '?' { // a place holder
			end = run(s[:min(len(s), i+4)], i+1, digit)
			return (end > i+1) == (s[i] == '$') && (end == len(s) || is(s[end], space|closer|quote))
		}
	}
	return strings.HasPrefix(s[i:], "<nil>")
}

// counts reports whether the value at i is a number of tokens.
func counts(key, s string, i int) bool {
	if !hasSuffixFold(key, "tokens") {
		return false
	}
	end := run(s[:min(len(s), i+9)], i, digit)
	return end > i && (end == len(s) || is(s[end], space|closer|quote))
}

// assigns reports whether a bare key, its '=' or ':' and a value follow at i.
func assigns(s string, i int) bool {
	end := i
	for end < len(s) && end-i < maxKey && is(s[end], keyPart) {
		end++
	}
	if end == i || end+1 >= len(s) || s[end] != '=' && s[end] != ':' {
		return false
	}
	return !is(s[end+1], space) && s[end+1] != s[end]
}
