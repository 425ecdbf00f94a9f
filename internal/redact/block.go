// This file finds values that stand on lines of their own, as in YAML.

package redact

import "strings"

// block returns the lines of the value at i, for the key at from: what follows
// "password: |" and is indented deeper, the elements under "tokens:", or what
// stands alone on the next line. Where there are none it returns i twice.
func (t *scan) block(from, i int) (begin, end int) {
	s := t.s
	indent := t.indent(from)
	if indent < 0 || i == len(s) {
		return i, i
	}
	scalar := s[i] == '|' || s[i] == '>'
	if scalar {
		i = blanks(s, run(s[:min(len(s), i+4)], i+1, tokenc|base64c)) // |2-, >+
	}
	n := lineBreak(s, i)
	begin = blanks(s, i+n)
	list := !scalar && strings.HasPrefix(s[begin:], "- ")
	if list {
		begin += len("- ")
	}
	word := begin
	if begin < len(s) && is(s[begin], quote) {
		word++
	}
	if !scalar && (!minting(s, word) || !t.alone(word)) {
		return i, i
	}
	for end = i; n > 0; n = lineBreak(s, end) {
		at := end + n
		text := blanks(s, at)
		next := !list || text-at < indent || !strings.HasPrefix(s[text:], "- ")
		if text-at <= indent && next && lineBreak(s, text) == 0 {
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

// alone reports whether one word that is no key stands on the line that goes on at
// i, but for a remark.
func (t *scan) alone(i int) bool {
	end := until(t.s, i, space)
	end = min(end, lineEnd(t.s[:end], i))
	rest := blanks(t.s, end)
	return t.s[end-1] != ':' && (rest == len(t.s) || lineBreak(t.s, rest) > 0 || is(t.s[end], quote) || t.s[rest] == '#')
}

// indent returns how far the key at from is indented, or -1 where more stands
// before it on its line than a dash.
func (t *scan) indent(from int) int {
	s, low := t.s, max(t.seen, from-maxKey)
	i := from
	for i > low && (s[i-1] == ' ' || s[i-1] == '-') {
		i--
	}
	if i > 0 && s[i-1] != '\n' && !strings.HasSuffix(s[:i], `\n`) && !is(s[i-1], quote) {
		return -1
	}
	return from - i
}

// lineBreak returns how long the line break at i is, plain or escaped; 0 = none.
func lineBreak(s string, i int) int { return prefixed(s[i:], "\n", "\r\n", `\n`, `\r\n`) }

// prefixed returns how long the one of prefixes is that s begins with; 0 = none.
func prefixed(s string, prefixes ...string) int {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return len(p)
		}
	}
	return 0
}
