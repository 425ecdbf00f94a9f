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

// makers are told apart by their first three bytes.
var makers = []maker{
	{"xoxe.", slackc, 1, false},
	{"xapp-", slackc, 1, true},
	{"xwfp-", slackc, 1, true},
	{"xox", slackc, 3, false}, // and a letter and a dash
	{"AKIA", upnum, 16, false},
	{"ASIA", upnum, 16, false},
	{"AIza", tokenc, 30, false},
	{"ghp_", alnum, 8, false},
	{"gho_", alnum, 8, false},
	{"ghu_", alnum, 8, false},
	{"ghs_", alnum, 8, false},
	{"ghr_", alnum, 8, false},
	{"github_pat_", tokenc, 8, false},
	{"glpat-", tokenc, 8, false},
	{"sk_live_", tokenc, 8, true},
	{"rk_live_", tokenc, 8, true},
	{"sk_test_", tokenc, 8, true},
	{"rk_test_", tokenc, 8, true},
	{"whsec_", base64c, 16, true},
	{"sk-ant-", tokenc, 16, true},
	{"sk-proj-", tokenc, 16, true},
	{"sk-", tokenc, 40, true},
	{"npm_", alnum, 30, true},
}

// token hides the token that begins at i, and returns where to go on, or i.
func (t *scan) token(i int) int {
	s := t.s
	for m := range makers {
		row := &makers[m]
		if row.prefix[2] != s[i+2] || !strings.HasPrefix(s[i:], row.prefix) {
			continue
		}
		if row.prefix == "xox" && (len(s)-i < 6 || s[i+3]-'a' >= 26 || s[i+4] != '-' || !is(s[i+5], alnum)) {
			continue
		}
		if next := t.made(row, i); next > i {
			return next
		}
	}
	return i
}

// made hides the token of row at i if it is one, and returns where to go on,
// or i.
func (t *scan) made(row *maker, i int) int {
	from := i + len(row.prefix)
	if i < t.seen || from == len(t.s) || !is(t.s[from], alnum) || row.bound && !t.starts(i) {
		return i
	}
	if end := run(t.s, from, row.body); end-from >= row.least {
		return t.hideToken(i, end)
	}
	return i
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

// pem hides the PEM private key whose BEG ends at i.
func (t *scan) pem(i int) int {
	begin := i - len("-----BE")
	if begin < 0 {
		return i + 1
	}
	if end := pemAt(t.s, begin); end > begin {
		return t.hide(begin, end)
	}
	return i + 1
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

// bearer hides the credentials after the Bearer whose third letter is at i,
// and returns where to go on, or i.
func (t *scan) bearer(i int) int {
	s, end := t.s, i+len("arer")
	if end >= len(s) || !equalFold(s[i-2:end], "bearer") || !t.starts(i-2) {
		return i
	}
	at := blanks(s, end)
	if strings.HasPrefix(s[end:], "%20") {
		at = end + 3
	}
	if at == end || at == len(s) || nothing(s, at) || prose(s, at, minted) {
		return i
	}
	switch s[at:run(s, at, alnum)] {
	case "auth", "authentication", "authorization", "scheme", "tokens", "format", "prefix", "type",
		"realm", "error", "scope":
		return i
	}
	return t.hide(t.value(at, minted))
}

// basic hides the user and password after the Basic that ends at i. Without a
// key the word is prose ("basic authentication") unless what follows decodes
// to user:password.
func (t *scan) basic(i int) int {
	begin, at := i-len("basi"), blanks(t.s, i+1)
	if begin < 0 || at == i+1 || !equalFold(t.s[begin:i+1], "basic") || !t.starts(begin) {
		return i + 1
	}
	end := run(t.s, at, base64c)
	var coded, plain [96]byte
	n := copy(coded[:], strings.TrimRight(t.s[at:end], "="))
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
			return t.hide(at, end)
		}
		if c < ' ' || c > '~' {
			break
		}
	}
	return i + 1
}
