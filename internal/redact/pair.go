// This file finds keys that name a secret, by what stands between them and
// their values, and hides the values.

package redact

import "strings"

// maxKey is how far back a key is read, and how long one may be that stops a
// value.
const maxKey = 64

// pair hides the value after the ':' or '=' at sep if a key before names a
// secret.
func (t *scan) pair(sep int) int {
	key, quoted := t.keyBefore(sep)
	k := kindOf(key)
	if k == none {
		return sep + 1
	}
	s := t.s
	glued := sep + 1
	for glued < len(s) && (s[glued] == '=' || s[glued] == '>' || s[glued] == '*') {
		glued++ // ":=", "==", "=>", "**key:**"
	}
	at := blanks(s, glued)
	switch {
	case at == len(s), strings.HasPrefix(s[sep:], "::"), nothing(s, at):
		return glued
	case at > glued && s[sep] == '=' && s[sep-1] != ' ' && assigns(s, at):
		return glued // "password= user=bob" has no password
	case at > glued && s[sep] == ':' && !quoted && prose(s, at, k):
		return glued
	}
	from, to := t.value(at, k)
	if at == glued && s[sep] == ':' && !quoted && from == at {
		to = fieldEnd(s, to)
	}
	return t.hide(from, to)
}

// keyBefore returns the key that ends before sep, and whether it is quoted.
func (t *scan) keyBefore(sep int) (key string, quoted bool) {
	s, low := t.s, max(t.seen, sep-maxKey)
	end := sep
	if end > low && !is(s[end-1], alnum) || end-3 >= low && s[end-3] == '%' {
		end = t.keyEnd(sep, low)
	}
	if end > low && is(s[end-1], quote) {
		quoted = true
		for end--; end > low && s[end-1] == '\\'; {
			end--
		}
	}
	from := end
	for from > low && (is(s[from-1], keyPart) || quoted && s[from-1] == ' ') {
		from--
	}
	if !quoted && from-1 > low && s[from-1] == ' ' && tailWord(s[from:end]) {
		for from--; from > low && is(s[from-1], keyPart); {
			from--
		}
	}
	return s[from:end], quoted
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
	if e := end - 3; e >= low && s[e] == '%' && (s[e+1:end] == "22" || equalFold(s[e+1:end], "5d")) {
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

// escapedPair is pair for the %3D or %3A at i of an escaped URL or form.
func (t *scan) escapedPair(i int) int {
	s := t.s
	if i+3 > len(s) || s[i+1] != '3' || s[i+2]|0x20 != 'd' && s[i+2]|0x20 != 'a' {
		return i + 1
	}
	if key, _ := t.keyBefore(i); kindOf(key) == none {
		return i + 3
	}
	from := i + 3
	for strings.HasPrefix(s[from:], "%22") || strings.HasPrefix(s[from:], "%20") {
		from += 3
	}
	to := from
	if strings.HasPrefix(s[from:], Mark) {
		to += len(Mark)
	}
	for to < len(s) && !is(s[to], space|closer|quote|slash) && !escapedStop(s[to:]) {
		to = max(to+1, pemAt(s, to))
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

// element hides the text of an XML element whose name, ending before the '>'
// at i, names a secret.
func (t *scan) element(i int) int {
	s, low := t.s, max(t.seen, i-maxKey)
	from := i
	for from > low && is(s[from-1], keyPart) {
		from--
	}
	if from == low || s[from-1] != '<' || kindOf(s[from:i]) == none {
		return i + 1
	}
	n := strings.IndexByte(s[i+1:], '<')
	if n < 0 || !strings.HasPrefix(s[i+1+n:], "</") {
		return i + 1
	}
	return t.hide(i+1, i+1+n)
}

// flag hides the value after the command-line flag whose dash is at i:
// --password hunter2, also as elements of a printed list.
func (t *scan) flag(i int) int {
	s := t.s
	if i+1 < len(s) && s[i+1] == '-' {
		i++
	}
	end := run(s, i+1, keyPart)
	if end == len(s) || end-i > maxKey {
		return i + 1
	}
	k := kindOf(s[i+1 : end])
	if k == none {
		return i + 1
	}
	at := end
	if is(s[at], quote) {
		at++
	}
	for at < len(s) && (s[at] == ' ' || s[at] == ',') {
		at++
	}
	if at == end || at == len(s) || s[at] == '-' || is(s[end], quote) && !is(s[at], quote) ||
		nothing(s, at) || prose(s, at, k) {
		return i + 1
	}
	if t.scan(i+1, end); t.seen > end {
		return t.seen // the name itself held a secret
	}
	return t.hide(t.value(at, k))
}

// nothing reports whether the value at i says that there is no secret.
func nothing(s string, i int) bool {
	if is(s[i], quote) {
		return false
	}
	switch s[i:run(s, i, alnum)] {
	case "true", "false", "nil", "null", "none":
		return true
	}
	return strings.HasPrefix(s[i:], "<nil>")
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
