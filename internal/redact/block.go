// This file finds values that stand on lines of their own, as in YAML.

package redact

import "strings"

// block returns the lines of the value at i, for the key at from: what follows
// "password: |" and is indented deeper, or the elements under "tokens:". Where
// there are none it returns i twice.
func (t *scan) block(from, i int) (begin, end int) {
	s := t.s
	indent := t.indent(from)
	if indent < 0 || i == len(s) {
		return i, i
	}
	list := s[i] != '|' && s[i] != '>'
	if !list {
		i++
		for i < len(s) && (is(s[i], digit) || s[i] == '-' || s[i] == '+') {
			i++
		}
		i = blanks(s, i)
	}
	n := lineBreak(s, i)
	begin = blanks(s, i+n)
	if n == 0 || list && !(strings.HasPrefix(s[begin:], "- ") && minting(s, begin+2)) {
		return i, i
	}
	if list {
		begin += len("- ")
	}
	for end = i; n > 0; n = lineBreak(s, end) {
		at := end + n
		text := blanks(s, at)
		if text-at <= indent && lineBreak(s, text) == 0 && !(list && text-at == indent && strings.HasPrefix(s[text:], "- ")) {
			break
		}
		if s[at-1] != '\n' {
			end = t.far(text, lineEnd(s, text))
		} else if end = strings.IndexByte(s[text:], '\n'); end < 0 {
			end = len(s)
		} else {
			end = t.far(text, text+end)
		}
	}
	return min(begin, end), end
}

// indent returns how far the key at from is indented, or -1 where more stands
// before it on its line than a dash.
func (t *scan) indent(from int) int {
	s, low := t.s, max(t.seen, from-maxKey)
	i := from
	for i > low && (s[i-1] == ' ' || s[i-1] == '-') {
		i--
	}
	if i > 0 && s[i-1] != '\n' && !strings.HasSuffix(s[:i], `\n`) && i != t.seen && !is(s[i-1], quote) {
		return -1
	}
	return from - i
}

// lineBreak returns how long the line break at i is, plain or escaped; 0 = none.
func lineBreak(s string, i int) int {
	for _, b := range [...]string{"\n", "\r\n", `\n`, `\r\n`} {
		if strings.HasPrefix(s[i:], b) {
			return len(b)
		}
	}
	return 0
}
