// This file says where the value of a key ends.

package redact

import "strings"

// value returns the secret in the value that begins at i, for a key of kind
// k. For a header it leaves the scheme to be seen.
func (t *scan) value(i int, k kind) (from, to int) {
	s := t.s
	if c, open := sign(s, i); is(c, quote) {
		if s[i] != '%' && s[i] != '&' {
			return open, t.far(i, quotedEnd(s, i, open-1))
		}
		if text, _, ok := strings.Cut(s[open:], s[i:open]); ok {
			return open, t.far(i, open+len(text))
		}
		t.far(i, len(s))
	}
	if k != cookie && k != header || opened(s, i) > i {
		return i, t.bareEnd(i)
	}
	end := t.wordInLine(i)
	switch {
	case k == cookie && strings.Contains(s[i:end], "="):
		return i, t.far(i, lineEnd(s, i))
	case k == cookie:
		return i, end
	}
	return t.headerValue(i, end)
}

// wordInLine returns where the word or the header line ends that goes on at i,
// whichever is first. It looks at little more of s than that.
func (t *scan) wordInLine(i int) int {
	s := t.s
	for size := 2 * maxKey; ; size *= 2 {
		ahead := s[:min(len(s), i+size)]
		end := lineEnd(ahead[:t.far(i, wordEnd(ahead, i))], i)
		if len(ahead) == len(s) || end < len(ahead)-maxKey-2 {
			return end
		}
	}
}

// headerValue is value for the Authorization whose first word is s[i:end].
func (t *scan) headerValue(i, end int) (from, to int) {
	s := t.s
	next := blanks(s, end)
	if next == end {
		return i, end
	}
	switch w := lower(s[i:end]); {
	case listing[w], w == "token" && strings.Contains(s[next:t.wordInLine(next)], "="):
		return next, t.far(next, lineEnd(s, next))
	case schemes[w]:
		return next, t.bareEnd(next)
	}
	second := t.wordInLine(next)
	if rest := blanks(s, second); second > next && lineEnd(s[:min(len(s), rest+2)], rest) == rest {
		return i, second // a scheme unknown here and its credentials
	}
	return i, end
}

// bareEnd returns where the value without quotes that begins at i ends. A
// value whose last word asks for another (Bearer, a further key) goes on.
func (t *scan) bareEnd(i int) int {
	s := t.s
	for {
		end := i
		if c, open := sign(s, i); is(c, quote) && is(s[i], quote|slash) {
			end = quotedEnd(s, i, open-1)
		}
		shut := opened(s, end)
		if s[end:shut] != Mark || prefixed(s[shut:], "]", "}") == 0 { // else a field was hidden to its bracket
			shut = wordEnd(s, shut)
		}
		end = t.far(i, shut)
		next := blanks(s, end)
		if next == end || !asks(s[i:end]) {
			return end
		}
		i = next
	}
}

// asks reports whether the word w announces that a secret follows it.
func asks(w string) bool {
	if hasSuffixFold(w, "bearer") || hasSuffixFold(w, "basic") {
		return true
	}
	n := len(w) - 1
	return n >= 0 && (w[n] == ':' || w[n] == '=') && kindOf(w[max(0, n-maxKey):n]) != none
}

// wordEnd returns where the bare word that begins at i ends: at white space,
// at a quote that ends the string around it, or at a closing sign that
// something follows which isn't part of a word.
func wordEnd(s string, i int) int {
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case strings.HasPrefix(s[i:], Mark):
			i += len(Mark) - 1
		case is(c, space):
			return i
		case is(c, closer):
			if parts(s, i+1) {
				return i
			}
		case is(c, quote) || c == '\\':
			if n := prefixed(s[i:], `\n`, `\r\n`, `\t`, `\u0026`); n > 0 { // as JSON has them
				if at := run(s[:min(len(s), i+n+maxKey)], i+n, keyPart); at > i+n && at < len(s) && (s[at] == ':' || s[at] == '=') {
					return i
				}
			}
			end := run(s, i, slash)
			if end < len(s) && is(s[end], quote) {
				if end++; parts(s, end) || s[end] == ':' || s[end] == '>' {
					return i
				}
			}
			i = end - 1
		}
	}
	return i
}

// parts reports whether the closing sign before i parts a value from what
// comes next: the end, structure, or a further key.
func parts(s string, i int) bool {
	return i == len(s) || is(s[i], space|closer|quote) || strings.IndexByte("\\[{(<", s[i]) >= 0 || assigns(s, i)
}

// quotedEnd returns where the string ends whose opening quote is at open,
// escaped by the backslashes from i on: at the same quote with the same
// escape, followed by neither letter nor digit, or at the end of the line.
func quotedEnd(s string, i, open int) int {
	depth, slashes := open-i, 0
	for j := open + 1; j < len(s); j++ {
		switch {
		case s[j] == '\n':
			return j
		case s[j] == '\\':
			slashes++
			continue
		case s[j] == s[open]:
			// In JSON within JSON a quote is escaped by 1, 3, 7, … backslashes,
			// and a run twice as long plus its own is a backslash and a quote.
			outer := slashes < depth
			closes := outer || slashes%(2*(depth+1)) == depth
			if closes && !goesOn(s[j+1:], s[j]) {
				return j - min(slashes, depth)
			}
		}
		slashes = 0
	}
	return len(s)
}

// goesOn reports whether a string goes on after a quote that rest follows: with a
// letter or digit, also after the same quote again, as in SQL and YAML.
func goesOn(rest string, q byte) bool {
	rest = strings.TrimPrefix(rest, string(q))
	return rest != "" && is(rest[0], alnum)
}

// opened returns where the brackets at i close: [a b], {a b}, map[a:b],
// &T{a b}, []string{"a b"}; at the end of s if they don't. Without brackets
// at i it returns i.
func opened(s string, i int) int {
	for first := true; ; first = false {
		j := i
		if j < len(s) && s[j] == '&' {
			j++
		}
		name := run(s, j, keyPart)
		typed := !first || j > i || s[j:name] == "map"
		if name == len(s) || name > j && !typed || strings.IndexByte("[{(", s[name]) < 0 {
			return i
		}
		i = closing(s, name)
	}
}

// closing returns the place past the bracket that closes the one at i.
func closing(s string, i int) int {
	open, shut := s[i], s[i]+2
	if open == '(' {
		shut = ')'
	}
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case open:
			depth++
		case shut:
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// lineEnd returns where the header line that goes on at i ends: at a line
// break, written out or escaped, or at a quote that isn't a value's own.
func lineEnd(s string, i int) int {
	own := false
	for ; i < len(s); i++ {
		c, after := s[i], byte(0)
		if c == '\\' && i+1 < len(s) {
			after = s[i+1]
		}
		switch {
		case c == '\n', c == '\r', after == 'n', after == 'r':
			return i
		case c == '"' || is(after, quote):
			if !own && (i == 0 || s[i-1] != '=') {
				return i
			}
			own = !own
			if c == '\\' {
				i++
			}
		}
	}
	return i
}

// wordsEnd extends the first word of a value without quotes, which stands at
// s[i:to], over the words after it: of a field as far as the next or the closing
// bracket, {Password:a b User:c}, else of a pass phrase to the end of the line,
// where one that isn't a word is all of it.
func (t *scan) wordsEnd(i, to int, field bool) int {
	s, first := t.s, to
	if !field && !plainWord(s[i:to], false) {
		return to
	}
	for !field || to-first < 2*maxKey {
		next := blanks(s, to)
		if to < len(s) && is(s[to], closer) || next > to && assigns(s, next) {
			return to
		}
		if next == len(s) || strings.IndexByte("|([{<-/#", s[next]) >= 0 {
			break
		}
		end := t.wordInLine(next)
		if n := strings.IndexAny(s[next:end], "]}"); field && n >= 0 {
			return next + n // whatever follows the bracket: {Password:a b}: dial tcp
		}
		if end == next || s[end-1] == ':' {
			break
		}
		to = end
	}
	if field {
		return first
	}
	return to
}
