// This file finds keys that name a secret, by what stands between them and
// their values, and hides the values.

package redact

import (
	"encoding/hex"
	"strings"
)

// maxKey is how far a key is followed to either side.
const maxKey = 64

// key hides the value of the key whose first three letters begin at i. Before
// the value it looks for tokens: the key itself may hold one.
func (t *scan) key(i int) int {
	s, from := t.s, i
	for from > t.seen && i-from < maxKey && is(s[from-1], keyPart) {
		from--
	}
	t.far(from, i)
	if from > 0 { // an escape isn't of the key: %26sig=, \u0026sig=, \npw=
		switch {
		case s[from-1] == '%':
			from += 2
		case s[from-1] == '\\' && s[from] == 'u':
			from += 5
		case s[from-1] == '\\':
			from++
		}
		from = min(from, i)
	}
	k, end := kindAt(s[from:], i-from)
	end = t.far(i, from+end)
	if k == none {
		return i
	}
	end = run(s[:min(len(s), end+maxKey)], end, keyPart)
	var v span
	switch sep, quoted := sepAfter(s, end); {
	case sep >= 0:
		v.from, v.to = t.pair(s[from:end], from, sep, quoted, k)
	case t.inTag(from):
		v.from, v.to = t.element(end, len(t.s))
	case k == bearer:
		v.from, v.to = t.bearer(i, end)
	case s[from] == '-':
		v.from, v.to = t.flag(end, k)
	default:
		v.from, v.to = t.apart(end, k)
	}
	if v.from >= v.to {
		return i
	}
	t.scan(i+1, v.from)
	return t.hide(v.from, v.to)
}

// sign returns the byte at i as it was before it was escaped, and where the
// next begins: a quote may be written as ", \", \\\", %22, %2522 or &quot;. At the
// end it returns 0.
func sign(s string, i int) (c byte, next int) {
	if i == len(s) {
		return 0, i
	}
	switch s[i] {
	case '\\':
		if end := run(s, i, slash); end < len(s) {
			return s[end], end + 1
		}
	case '&':
		if strings.HasPrefix(s[i:], "&quot;") {
			return '"', i + len("&quot;")
		}
	case '%':
		at := i + 1
		if strings.HasPrefix(s[at:], "25") {
			at += 2
		}
		var b [1]byte
		if at+2 <= len(s) {
			if _, err := hex.Decode(b[:], []byte(s[at:at+2])); err == nil {
				return b[0], at + 2
			}
		}
	}
	return s[i], i + 1
}

// sepAfter returns the place of the ':' or '=' that follows the key that ends at
// i, or -1, and whether the key is quoted: then it may have blanks. Between them
// may be the bracket of form[key], emphasis, "is", or the further columns of what
// databases say of a row, "Key (token, email)=(…)".
func sepAfter(s string, i int) (sep int, quoted bool) {
	s = s[:min(len(s), i+maxKey)]
	if end := runOf(s, i, ", ():\""); s[end-1] == ')' && strings.HasPrefix(s[end:], "=(") {
		return end, false
	}
	if end := runOf(s, i, " "); end < len(s) && is(s[end], quote|slash) {
		i = end
	} else {
		i = copula(s, i)
	}
	for i < len(s) {
		c, next := sign(s, i)
		switch {
		case c == ':' || c == '=':
			return i, quoted
		case is(c, quote):
			quoted = true
		case c != ' ' && c != '\t' && c != ']' && c != '*':
			return -1, false
		}
		i = next
	}
	return -1, false
}

// runOf returns where the bytes of keys and those of more that begin at i end.
func runOf(s string, i int, more string) int {
	for i < len(s) && (is(s[i], keyPart) || strings.IndexByte(more, s[i]) >= 0) {
		i++
	}
	return i
}

// copula steps over " is" and its like at i.
func copula(s string, i int) int {
	at := blanks(s, i)
	end := run(s[:min(len(s), at+10)], at, alnum)
	switch w := lower(s[at:end]); {
	case at == i:
	case w == "is", w == "was", w == "by", w == "provided", w == "received":
		return end
	}
	return i
}

// pair returns the value after the ':' or '=' at sep, for the key at from.
func (t *scan) pair(key string, from, sep int, quoted bool, k kind) (begin, to int) {
	s := t.s
	c, glued := sign(s, sep)
	if s[sep] == '%' {
		return t.escapedValue(glued, glued-sep, k)
	}
	for glued < len(s) && strings.IndexByte("=>*", s[glued]) >= 0 {
		glued++ // ":=", "==", "=>", "**key:**"
	}
	at := blanks(s, glued)
	after := within
	if c == ':' && !quoted && t.opens(from) {
		after = opening
		if begin, to = t.block(from, at); to > begin {
			return begin, to
		}
	}
	switch {
	case at == len(s), nothing(s, at), t.spoken(key, from, sep, at, quoted), k > chosen && state(s, at):
		return at, at
	case at > glued && c == '=' && s[sep-1] != ' ' && assigns(s, at):
		return at, at // "password= user=bob" has no password
	case c == ':' && (at > glued || from > 0 && s[from-1] == ':') && (!quoted || is(s[at], word)) &&
		prose(s, at, k, after):
		return at, at
	}
	begin, to = t.value(at, k)
	switch {
	case begin != at:
	case at == glued && (c == ':' || t.listed(from)):
		to = t.wordsEnd(at, to, true)
	case k == phrase && (at > glued && after == opening || t.indent(from) >= 0):
		to = t.wordsEnd(at, to, false)
	}
	return begin, to
}

// spoken reports whether the key is no key but spoken of: tokens that are
// counted, tests that pass, token.go:142, Token::Ident, secret://path.
func (t *scan) spoken(key string, from, sep, at int, quoted bool) bool {
	s, most := t.s, 0
	switch {
	case hasSuffixFold(key, "tokens"):
		most = 9
	case strings.EqualFold(key, "pass"), strings.EqualFold(key, "sig"):
		most = 3
		if strings.HasPrefix(s[at:], "SIG") {
			return true
		}
	}
	end := run(s[:min(len(s), at+most)], at, digit)
	name := key[strings.LastIndexByte(key, '.')+1:]
	column, ok := strings.CutSuffix(s[at:run(s[:min(len(s), at+maxKey)], at, keyPart)], name)
	switch {
	case ok && name != "" && strings.HasSuffix(column, "."):
		return true // JOIN a ON a.token = b.token
	case end > at && (end == len(s) || is(s[end], space|closer|quote)):
		return true
	case s[sep] != ':':
		return false
	case quoted && from > 0 && !is(s[at], quote|slash) && causes[wordBefore(s, from-1)]:
		return true // `"Invalid Credentials": 80090308`
	}
	return files[name] || prefixed(s[sep+1:], ":", "//") > 0 || t.address(from, sep, quoted)
}

// escapedValue returns the value at i, after a separator that was escaped to n
// bytes: it ends at a sign escaped alike.
func (t *scan) escapedValue(i, n int, k kind) (from, to int) {
	s, ends := t.s, "& \",}\n"
	if i < len(s) && is(s[i], quote) {
		return t.value(i, k)
	}
	for from = i; from < len(s); {
		c, next := sign(s, from)
		if c != '"' && c != ' ' {
			break
		}
		if from = next; c == '"' {
			ends = "\"\n"
		}
	}
	to = from
	if strings.HasPrefix(s[from:], Mark) {
		to += len(Mark)
	}
	for to < len(s) && !is(s[to], space|closer|quote|slash) {
		c, next := sign(s, to)
		if next-to == n && strings.IndexByte(ends, c) >= 0 {
			if k == header && schemes[lower(s[from:to])] {
				return t.escapedValue(to, n, minted)
			}
			break
		}
		to = next
	}
	return from, to
}

// listed reports whether the key at from stands in a list of them, as in
// {name=bob, password=correct horse}.
func (t *scan) listed(from int) bool {
	if from > t.seen && t.s[from-1] == ' ' {
		from--
	}
	return from > t.seen && strings.IndexByte("{[(,", t.s[from-1]) >= 0
}

// inTag reports whether the key at from is the name of an XML element.
func (t *scan) inTag(from int) bool {
	low := max(t.seen, from-maxKey)
	begin := low + strings.LastIndexByte(t.s[low:from], '<')
	return begin >= low && runOf(t.s[:from], begin+1, ":") == from
}

// element returns the text of the XML element whose name ends at i, if it ends
// within reach.
func (t *scan) element(i, reach int) (from, to int) {
	s := t.s[:min(len(t.s), i+reach)]
	n := strings.IndexAny(s[i:min(len(s), i+256)], "<>")
	if n < 0 || s[i+n] != '>' {
		return i, i
	}
	text := strings.TrimPrefix(s[i+n+1:], "<![CDATA[")
	from = len(s) - len(text)
	text, end, _ := strings.Cut(text, "<")
	if to = t.far(from, from+len(text)); !strings.HasPrefix(end, "/") {
		return i, i
	}
	return from, to
}

// flag returns the value after the command-line flag that ends at end:
// --password hunter2, also as elements of a printed list.
func (t *scan) flag(end int, k kind) (from, to int) {
	s, at := t.s, end
	if at < len(s) && is(s[at], quote) {
		at++
	}
	for at < len(s) && (s[at] == ' ' || s[at] == ',') {
		at++
	}
	switch {
	case at == end, at == len(s), s[at] == '-' && !minting(s, at), is(s[end], quote) && !is(s[at], quote),
		nothing(s, at), prose(s, at, k, strict):
		return end, end
	}
	return t.value(at, k)
}

// apart returns a value that is named apart from the key that ends at i, in
// {"name":"password","value":"hunter2"}, <add key="password" value="hunter2"/>,
// {Name:password Value:hunter2} or a form's part, or that follows without a sign:
// SQL's PASSWORD 'hunter2', WithPassword("hunter2"), and of the kinds made by
// machines what looks it.
func (t *scan) apart(i int, k kind) (from, to int) {
	s := t.s
	at := blanks(s, copula(s, i))
	if strings.HasPrefix(s[i:], "(") {
		at = i + 1
	}
	if at > i {
		c, open := sign(s, at)
		quoted := is(c, quote)
		if !quoted {
			open = at
		}
		if quoted && k == phrase && open < len(s) && !is(s[open], space|closer|quote|slash) || k > phrase && random(s, open) {
			return t.value(at, k)
		}
	}
	if c, next := sign(s, i); is(c, quote) {
		i = next
		if strings.HasPrefix(s[i:], ">") { // <entry key="password">hunter2</entry>
			if from, to = t.element(i, maxColumns); from < to && !strings.ContainsAny(s[from:to], " \n") {
				return from, to
			}
		}
		if n := lineBreak(s, i); n > 0 && lineBreak(s, i+n) == n {
			return i + 2*n, t.far(i, lineEnd(s, i+2*n))
		}
	}
	const name = "value"
	i = run(s[:min(len(s), i+16)], i, space|closer|quote|slash)
	if len(s)-i <= len(name) || !strings.EqualFold(s[i:i+len(name)], name) {
		return i, i
	}
	c, next := sign(s, i+len(name))
	if is(c, quote) {
		c, next = sign(s, next)
	}
	if at = blanks(s, next); c != ':' && c != '=' || nothing(s, at) || at > next && assigns(s, at) {
		return i, i
	}
	return t.value(at, chosen)
}

// nothing reports whether the value at i says that there is no secret, or holds
// the place of one: nil, $1, ?, <token>.
func nothing(s string, i int) bool {
	end := runOf(s[:min(len(s), i+32)], i, "?<>")
	if end < len(s) && !is(s[end], space|closer|quote|slash) {
		return false
	}
	switch w := strings.TrimRight(s[i:end], "."); w {
	case "true", "false", "nil", "null", "NULL", "none", "None", "undefined", "unset", "?":
		return true
	default:
		return len(w) > 1 && (w[0] == '$' && run(w, 1, digit) == len(w) || w[0] == '<' && w[len(w)-1] == '>')
	}
}

// assigns reports whether a bare key, its '=' or ':' and a value follow at i.
func assigns(s string, i int) bool {
	end := run(s[:min(len(s), i+maxKey)], i, keyPart)
	if end == i || end+1 >= len(s) || s[end] != '=' && s[end] != ':' {
		return false
	}
	return !is(s[end+1], space) && s[end+1] != s[end]
}
