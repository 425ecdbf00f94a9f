// This file knows secrets by their own look, whatever key they stand under.

package redact

import (
	"encoding/base64"
	"strings"
)

// token hides the token that begins at i, and returns where to go on, or i.
func (t *scan) token(i int) int {
	s := t.s
	rows := makersBy[s[i]]
	for m := range rows {
		row := &rows[m]
		if row.prefix[1] != s[i+1] || !strings.HasPrefix(s[i:], row.prefix) {
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
// or i. A body may begin with a dash, but is no line of them.
func (t *scan) made(row *maker, i int) int {
	from := i + len(row.prefix)
	if i < t.seen || row.bound && !t.starts(i) {
		return i
	}
	end := t.far(from, run(t.s, from, row.body))
	if end-from < row.least {
		return i
	}
	for _, c := range []byte(t.s[from:min(end, from+4)]) {
		if is(c, alnum) {
			return t.hideToken(i, end)
		}
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
	end := t.far(i, run(t.s, i+1, jwtc))
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
	if end := t.far(begin, pemAt(t.s, begin)); end > begin {
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
	end := t.far(at, run(t.s, at, base64c))
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
