// This file knows secrets by their own look, whatever key they stand under.

package redact

import (
	"encoding/base64"
	"strings"
)

// A maker's tokens begin with prefix and go on with at least least bytes of
// body. Those with bound must begin where a word does.
type maker struct {
	prefix string
	body   class
	least  int
	bound  bool
}

// makers by a byte of their prefix that is rare in text: the last one for '_'
// and '-', else the first.
var (
	underscored = []maker{
		{"ghp_", alnum, 8, false},
		{"gho_", alnum, 8, false},
		{"ghu_", alnum, 8, false},
		{"ghs_", alnum, 8, false},
		{"ghr_", alnum, 8, false},
		{"github_pat_", tokenc, 8, false},
		{"sk_live_", tokenc, 8, true},
		{"rk_live_", tokenc, 8, true},
		{"sk_test_", tokenc, 8, true},
		{"rk_test_", tokenc, 8, true},
		{"whsec_", base64c, 16, true},
		{"npm_", alnum, 30, true},
	}
	dashed = []maker{
		{"glpat-", tokenc, 8, false},
		{"sk-ant-", tokenc, 16, true},
		{"sk-proj-", tokenc, 16, true},
		{"sk-", tokenc, 40, true},
	}
	lettered = []maker{
		{"xoxe.", slackc, 1, false},
		{"xapp-", slackc, 1, true},
		{"xwfp-", slackc, 1, true},
		{"AKIA", upnum, 16, false},
		{"ASIA", upnum, 16, false},
		{"AIza", tokenc, 30, false},
	}
)

// token hides the token whose trigger, 'x', 'A' or '_', is at i.
func (t *scan) token(i int) int {
	s := t.s
	if s[i] == '_' {
		return t.prefixed(i, underscored)
	}
	if len(s)-i > 5 && s[i:i+3] == "xox" && 'a' <= s[i+3] && s[i+3] <= 'z' && s[i+4] == '-' && is(s[i+5], alnum) {
		return t.hideToken(i, run(s, i+5, slackc))
	}
	if len(s)-i < 4 || s[i+3] != 'A' && s[i+3] != 'a' && s[i+3] != 'e' && s[i+3] != 'p' {
		return i + 1
	}
	for m := range lettered {
		row := &lettered[m]
		if strings.HasPrefix(s[i:], row.prefix) {
			return t.made(row, i)
		}
	}
	return i + 1
}

// prefixed hides the token of one of rows whose prefix ends at i.
func (t *scan) prefixed(i int, rows []maker) int {
	before := t.s[t.seen : i+1]
	if len(before) < 3 {
		return i + 1
	}
	for m := range rows {
		row := &rows[m]
		if n := len(row.prefix); row.prefix[n-2] == before[len(before)-2] && strings.HasSuffix(before, row.prefix) {
			return max(t.made(row, i+1-n), i+1)
		}
	}
	return i + 1
}

// made hides the token of row at i if it is one, and returns where to go on.
func (t *scan) made(row *maker, i int) int {
	from := i + len(row.prefix)
	if from == len(t.s) || !is(t.s[from], alnum) || row.bound && !t.starts(i) {
		return i + 1
	}
	if end := run(t.s, from, row.body); end-from >= row.least {
		return t.hideToken(i, end)
	}
	return i + 1
}

// hideToken hides s[from:to] but for the full stops of a sentence after it.
func (t *scan) hideToken(from, to int) int {
	for to > from && t.s[to-1] == '.' {
		to--
	}
	return t.hide(from, to)
}

// jwt hides the JSON web token whose "eyJ" ends at i, whole or cut. Ten bytes
// tell it from a name.
func (t *scan) jwt(i int) int {
	if i < 2 || t.s[i-1] != 'y' || t.s[i-2] != 'e' || !t.starts(i-2) {
		return i + 1
	}
	end := run(t.s, i+1, jwtc)
	if end-i < 8 {
		return i + 1
	}
	return t.hideToken(i-2, end)
}

// dash hides what a '-' at i gives away: a PEM private key, a token, the
// value of a command-line flag.
func (t *scan) dash(i int) int {
	if end := pemAt(t.s, i); end > i {
		return t.hide(i, end)
	}
	if i == t.seen || !is(t.s[i-1], keyPart) {
		return t.flag(i)
	}
	return t.prefixed(i, dashed)
}

const pemBegin, pemEnd = "-----BEGIN ", "-----END "

// pemAt returns where the PEM private key that begins at i ends: behind its
// END line, or at the end of s if that was cut off. Where none begins it
// returns i.
func pemAt(s string, i int) int {
	if !strings.HasPrefix(s[i:], pemBegin) {
		return i
	}
	from := i + len(pemBegin)
	label, _, _ := strings.Cut(s[from:min(len(s), from+64)], "\n")
	if !strings.Contains(label, "PRIVATE KEY") {
		return i
	}
	n := strings.Index(s[from:], pemEnd)
	if n < 0 {
		return len(s)
	}
	from += n + len(pemEnd)
	if n = strings.Index(s[from:min(len(s), from+64)], "-----"); n >= 0 {
		from += n + len("-----")
	}
	return from
}

// pemPast returns to, or the end of a PEM private key that begins in
// s[from:to] and ends beyond.
func pemPast(s string, from, to int) int {
	for from < to {
		n := strings.Index(s[from:min(len(s), to+len(pemBegin)-1)], pemBegin)
		if n < 0 {
			return to
		}
		begin := from + n
		from = begin + len(pemBegin)
		if end := pemAt(s, begin); end > begin {
			from, to = end, max(to, end)
		}
	}
	return to
}

// scheme hides the credentials after the Bearer or Basic that begins at i.
func (t *scan) scheme(i int) int {
	s := t.s
	if len(s)-i < 7 {
		return i + 1
	}
	switch {
	case equalFold(s[i:i+6], "bearer") && t.starts(i):
		return t.bearer(i + 6)
	case equalFold(s[i:i+5], "basic") && s[i+5] == ' ' && t.starts(i):
		return t.basic(i + 6)
	}
	return i + 1
}

// bearer hides the credentials after the Bearer that ends at end.
func (t *scan) bearer(end int) int {
	s := t.s
	at := blanks(s, end)
	if strings.HasPrefix(s[end:], "%20") {
		at = end + 3
	}
	if at == end || at == len(s) || nothing(s, at) || prose(s, at, minted) {
		return end
	}
	switch s[at:run(s, at, alnum)] {
	case "auth", "authentication", "authorization", "scheme", "tokens", "format", "prefix", "type",
		"realm", "error", "scope":
		return end
	}
	return t.hide(t.value(at, minted))
}

// basic hides the user and password at i: without a key the word is prose
// ("basic authentication") unless it decodes to user:password.
func (t *scan) basic(i int) int {
	end := run(t.s, i, base64c)
	var coded, plain [96]byte
	n := copy(coded[:], strings.TrimRight(t.s[i:end], "="))
	for j, c := range coded[:n] {
		switch c {
		case '-':
			coded[j] = '+'
		case '_':
			coded[j] = '/'
		}
	}
	n, _ = base64.RawStdEncoding.Decode(plain[:], coded[:n])
	for _, c := range plain[:n] {
		if c == ':' {
			return t.hide(i, end)
		}
		if c < ' ' || c > '~' {
			break
		}
	}
	return i
}
