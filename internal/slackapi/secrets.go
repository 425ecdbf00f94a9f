// This file takes the client's own secrets out of text that others wrote.

package slackapi

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.com/slackalert/internal/redact"
)

// secrets are the strings that no error text may hold, longest first, so that
// the whole is replaced before its parts.
type secrets []string

// newSecrets leaves out what is too short to be a secret: it stands in any
// text by chance.
func newSecrets(all ...string) secrets {
	all = slices.DeleteFunc(all, func(s string) bool { return len(s) < 4 })
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return slices.Compact(all)
}

func secretsOfBot(token, apiURL string) secrets {
	all := []string{token, strings.TrimSpace(token)}
	if u, err := url.Parse(apiURL); err == nil {
		all = append(all, login(u)...)
	}
	return newSecrets(all...)
}

func login(u *url.URL) []string {
	password, _ := u.User.Password()
	return []string{password, u.User.String()}
}

// secretsOfURL takes a webhook's address apart: its host is no secret, and
// whatever follows the host is one, whole and in those parts that are long
// enough to be a key by themselves.
func secretsOfURL(raw string) secrets {
	all := []string{raw}
	u, err := url.Parse(raw)
	if err != nil {
		return newSecrets(all...)
	}
	all = append(all, login(u)...)
	all = append(all, u.RawQuery, u.Fragment, u.RequestURI(), u.EscapedPath(), u.Path)
	first, rest, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	parts := strings.Split(rest, "/")
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	for _, s := range parts {
		if len(s) >= 6 {
			all = append(all, s)
		}
	}
	if len(first) >= 16 { // shorter, it is a word such as "services"
		all = append(all, first)
	}
	return newSecrets(all...)
}

// clean returns s without the secrets. A text in which one hides behind an
// encoding is dropped whole: where it begins and ends can't be told for sure.
func (x secrets) clean(s string) string {
	for _, secret := range x {
		s = strings.ReplaceAll(s, secret, redact.Mark)
	}
	for plain, depth := s, 0; depth < 4; depth++ {
		next := decode(plain)
		if next == plain {
			break
		}
		plain = next
		if slices.ContainsFunc(x, func(secret string) bool { return strings.Contains(plain, secret) }) {
			return redact.Mark
		}
	}
	return s
}

// decode undoes one layer of URL, JSON and Go escapes, and leaves alone what
// is none.
func decode(s string) string {
	if !strings.ContainsAny(s, `%\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		c, n := unescape(s[i:])
		b.WriteByte(c)
		i += n
	}
	return b.String()
}

// unescape returns the first byte that s stands for, and how much of s that is.
func unescape(s string) (c byte, n int) {
	for _, lead := range []string{"%", `\u00`, `\x`} {
		if end := len(lead) + 2; strings.HasPrefix(s, lead) && len(s) >= end {
			if v, err := strconv.ParseUint(s[len(lead):end], 16, 8); err == nil {
				return byte(v), end
			}
		}
	}
	if s[0] == '\\' && len(s) > 1 && !strings.ContainsRune(`abfnrtuvx`, rune(s[1])) {
		return s[1], 2
	}
	return s[0], 1
}
