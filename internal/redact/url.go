// This file finds what is secret in addresses: the password before the host,
// and the path of a Slack webhook.

package redact

import "strings"

// url hides the password of the URL whose scheme ends at scheme and whose
// authority begins at i. A password should be escaped there but often isn't,
// so any byte but white space may be part of it.
func (t *scan) url(scheme, i int) int {
	s := t.s
	end := t.far(i, urlEnd(s, i, false))
	if user := run(s, i, tokenc); user-i >= leastSecret && user < end && s[user] == '@' && minting(s, i) {
		return t.hide(i, user) // a token is the user
	}
	colon := strings.IndexByte(s[i:end], ':') + i
	if colon < i || strings.ContainsAny(s[i:colon], "/?#[") {
		return i
	}
	at := lastAt(s[colon+1:end], web(s[:scheme]))
	if at < 0 && !port(s[colon+1:end]) && t.quotedFrom(scheme) {
		at = lastAt(s[colon+1:t.far(i, urlEnd(s, i, true))], web(s[:scheme]))
	}
	if at < 0 {
		return i
	}
	t.scan(i, colon) // the user may be a token
	return t.hide(colon+1, colon+1+at)
}

// quotedFrom reports whether a quote stands before the scheme that ends at end:
// then the password may have blanks.
func (t *scan) quotedFrom(end int) bool {
	s, i := t.s, end
	for i > t.seen && end-i < maxKey && is(s[i-1], keyPart) {
		i--
	}
	return i > t.seen && is(s[i-1], quote)
}

// urlEnd returns where the URL ends whose authority begins at i: at white
// space, or if it is quoted only at the quote or the end of the line.
func urlEnd(s string, i int, quoted bool) int {
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case is(c, space) && (!quoted || c == '\n'), c == ':' && (strings.HasPrefix(s[i:], "://") || strings.HasPrefix(s[i:], `:\/`)):
			return i // also because looking on, from each of many, would take for ever
		case is(c, quote|slash):
			end := run(s, i, slash)
			if end < len(s) && is(s[end], quote) && parts(s, end+1) {
				return i
			}
			i = max(i, end-1)
		}
	}
	return i
}

// lastAt returns the place of the '@' that ends the password in rest, which
// follows "scheme://user:", or -1. On the web an '@' is at home in paths and
// queries too, elsewhere only in the digest of an image.
func lastAt(rest string, web bool) int {
	last := strings.LastIndexByte(rest, '@')
	if last < 0 || port(rest) && strings.HasPrefix(rest[last:], "@sha256:") {
		return -1
	}
	slash := strings.IndexAny(rest, "/?#")
	if slash < 0 || !web {
		return last
	}
	if at := strings.LastIndexByte(rest[:slash], '@'); at >= 0 {
		return at
	}
	if port(rest[:slash]) {
		return -1
	}
	return last
}

// port reports whether s begins with a port: "user:1234/" may still be a
// password, "host:1234/" is more likely.
func port(s string) bool {
	end := run(s, 0, digit)
	return end == len(s) || s[end] == '/'
}

// web reports whether the scheme that ends before is of the web.
func web(before string) bool {
	before = strings.TrimRight(before, "sS")
	return hasSuffixFold(before, "http") || hasSuffixFold(before, "w")
}

// dsn hides the password of the MySQL data source name whose first bracket is
// at i: user:password@tcp(host)/db.
func (t *scan) dsn(i int) int {
	s, at := t.s, i-1
	for at > 0 && i-at < 16 && is(s[at], tokenc) {
		at--
	}
	if at < t.seen || s[at] != '@' {
		return i
	}
	colon := -1
	for j := at - 1; j >= 0 && at-j < 2*maxKey && !is(s[j], space) && s[j] != '"' && s[j] != '`'; j-- {
		if s[j] == ':' {
			colon = j
		}
	}
	if colon < 0 || strings.HasPrefix(s[colon:], "://") {
		return i
	}
	return t.hide(colon+1, at)
}

// webhook hides the path of a Slack webhook or workflow, behind any host: of a
// proxy or a test, too. The 'T' of the team is at from.
func (t *scan) webhook(from int) int {
	s := t.s
	kind := strings.TrimRight(s[max(0, from-len(`workflows\/`)):from], `/\%2Ff`)
	if !strings.HasSuffix(kind, "services") && !strings.HasSuffix(kind, "workflows") && !strings.HasSuffix(kind, "triggers") {
		return from
	}
	team := t.far(from, run(s, from, upnum))
	next := skipSlash(s, team)
	end := t.far(next, run(s, next, upnum))
	last := skipSlash(s, end)
	if next == team || end == next || last == end || !is(s[next], digit) && s[next] != 'A' && s[next] != 'B' {
		return from
	}
	for end = last; end < len(s); {
		if last = skipSlash(s, run(s, end, slackc)); last == end {
			break
		}
		end = last
	}
	return t.hideToken(from, t.far(next, end))
}

// skipSlash steps over the slash at i, plain or escaped: /, \/, %2F.
func skipSlash(s string, i int) int {
	switch {
	case strings.HasPrefix(s[i:], "/"):
		return i + 1
	case strings.HasPrefix(s[i:], `\/`):
		return i + 2
	case len(s)-i >= 3 && s[i] == '%' && s[i+1] == '2' && s[i+2]|0x20 == 'f':
		return i + 3
	}
	return i
}
