// This file knows secrets by their own look, whatever key they stand under.

package redact

import (
	"encoding/base64"
	"slices"
	"strings"
)

// token hides the token that begins at i. A body may begin with a dash, but is
// no line of them.
func (t *scan) token(i int) int {
	s := t.s
	for _, row := range prefixes[s[i]] {
		if !strings.HasPrefix(s[i:], row.name) || row.bound && !t.starts(i) {
			continue
		}
		from := i + len(row.name)
		head := s[from:run(s[:min(len(s), from+4)], from, row.body)]
		if strings.Trim(head, "-_.%+/=$") == "" {
			continue // a line, which isn't looked over: there may be more such prefixes in it
		}
		if end := t.far(from, run(s, from, row.body)); end-from >= row.least {
			return t.hideToken(i, end)
		}
	}
	return i
}

// hideToken hides s[from:to] but for the full stops of a sentence after it.
func (t *scan) hideToken(from, to int) int {
	return t.hide(from, from+len(strings.TrimRight(t.s[from:to], ".")))
}

// jwt hides the JSON web token whose "eyJ" ends at i, whole or cut. Ten bytes
// tell it from a name.
func (t *scan) jwt(i int) int {
	if t.s[i-2:i+1] != "eyJ" || !t.starts(i-2) {
		return i
	}
	end := t.far(i, run(t.s, i+1, jwtc))
	if end-i < 8 {
		return i
	}
	return t.hideToken(i-2, end)
}

// pem replaces the PEM private keys in the text, also one that was cut off.
// They are of many lines: before anything else looks at them.
func (t *scan) pem() {
	const begins, ends = "-----BEGIN ", "-----END "
	for i := 0; ; {
		n := strings.Index(t.s[i:], begins)
		if n < 0 {
			break
		}
		begin := i + n
		i = begin + len(begins)
		label, _, _ := strings.Cut(t.s[i:min(len(t.s), i+64)], "\n")
		if !strings.Contains(label, "PRIVATE KEY") {
			continue
		}
		_, rest, _ := strings.Cut(t.s[i:], ends)
		if n := strings.Index(rest[:min(len(rest), 64)], "-----"); n >= 0 {
			rest = rest[n+len("-----"):]
		}
		i = t.hide(begin, t.far(begin, len(t.s)-len(rest)))
	}
	t.redact()
}

// bearer returns the credentials after the Bearer at s[i:end].
func (t *scan) bearer(i, end int) (begin, to int) {
	s, at := t.s, blanks(t.s, end)
	if strings.HasPrefix(s[end:], "%20") {
		at = end + len("%20")
	}
	switch {
	case at == end:
		return t.apart(end, minted)
	case !t.starts(i), end-i > len("bearer"), at == len(s), nothing(s, at), clause(s, at),
		prose(s, at, minted, strict),
		strings.HasPrefix(s[run(s[:min(len(s), at+maxKey)], at, alnum):], `="`): // a challenge: Bearer realm="api"
		return end, end
	}
	return t.value(at, minted)
}

// basic hides the user and password after the Basic that ends at i. Without a
// key the word is prose ("basic authentication") unless what follows decodes
// to user:password.
func (t *scan) basic(i int) int {
	at := blanks(t.s, i+1)
	if at == i+1 || !hasSuffixFold(t.s[:i+1], "basic") {
		return i
	}
	end := t.far(at, run(t.s, at, base64c))
	var plain [96]byte
	coded := strings.TrimRight(t.s[at:min(end, at+len(plain))], "=")
	n, _ := base64.RawStdEncoding.Decode(plain[:], []byte(coded))
	for _, c := range plain[:n] {
		if c == ':' {
			return t.hide(at, end)
		}
		if c < ' ' || c > '~' {
			break
		}
	}
	return i
}

// user hides the password of curl's -u user:password. For other programs the
// flag, which is "-u" or else "--user" and ends at i or goes on there, names a
// group: a word or a number.
func (t *scan) user(i int) int {
	s := t.s
	at := i + len(s[i:]) - len(strings.TrimPrefix(s[i:], "user"))
	at = run(s[:min(len(s), at+2)], at, space|quote)
	from := t.far(at, run(s, at, jwtc)) + 1
	if from >= len(s) || s[from-1] != ':' || is(s[from], space) {
		return i
	}
	_, end := t.value(from, minted)
	if plainWord(s[from:end], false) || run(s, from, digit) == end {
		return i
	}
	return t.hide(from, end)
}

// duplicate hides the entry in what MySQL says of a column that holds secrets,
// "Duplicate entry 'x' for key 'users.token'", whose 'p' is at i.
func (t *scan) duplicate(i int) int {
	const begin = "Duplicate entry '"
	from := i - 2 + len(begin)
	if !strings.HasPrefix(t.s[i-2:], begin) {
		return i
	}
	entry, rest, _ := strings.Cut(t.s[from:min(len(t.s), from+8*maxKey)], "' for key '")
	if key, _, ok := strings.Cut(rest, "'"); !ok || kindOf(key) == none {
		return i
	}
	return t.hide(from, from+len(entry))
}

// maxColumns is how far before its values the columns of an INSERT may begin.
const maxColumns = 16 * maxKey

// inserted hides the values of an INSERT into columns of which one holds secrets,
// INSERT INTO users (name, password) VALUES ('bob', 'x'), whose "VALUES" ends at i.
// Without a quote near their beginning they are places of values: ($1, $2).
func (t *scan) inserted(i int) int {
	s := t.s
	low, from := max(t.seen, i-maxColumns), skipBlanks(s, i+1)
	if !hasSuffixFold(s[low:i+1], "values") || from == len(s) || s[from] != '(' {
		return i
	}
	columns, ok := strings.CutSuffix(strings.TrimRight(s[low:i+1-len("values")], sqlBlanks), ")")
	begin := strings.LastIndexByte(columns, '(') + 1
	if !ok || !slices.ContainsFunc(strings.Split(columns[begin:], ","), Key) {
		return i
	}
	quoted := strings.IndexAny(s[from:min(len(s), from+maxColumns)], `'"`)
	if quoted < 0 {
		return i
	}
	end := t.far(from, tuplesEnd(s, from))
	if end < from+quoted {
		return i
	}
	return t.hide(from+1, end)
}

const sqlBlanks = " \t\r\n\\ntr" // escaped, too

// skipBlanks returns where what stands at i, or behind blanks and a comma, begins.
func skipBlanks(s string, i int) int {
	near := s[i:min(len(s), i+maxKey)]
	return i + len(near) - len(strings.TrimLeft(near, ","+sqlBlanks))
}

// tuplesEnd returns where the last of the tuples closes that begin at i, ('a', 1),
// ('b', 2); at the end of s if it doesn't.
func tuplesEnd(s string, i int) int {
	depth, quoted := 0, byte(0) // by what
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case quoted != 0:
			if c == quoted {
				quoted = 0
			}
		case c == '\'', c == '"':
			quoted = c
		case c == '(':
			depth++
		case c == ')':
			depth--
			next := skipBlanks(s, i+1)
			if depth == 0 && (next == len(s) || s[next] != '(') {
				return i
			}
		}
	}
	return len(s)
}
