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
	return hasSuffixFold(before, "http") || hasSuffixFold(before, "https") ||
		hasSuffixFold(before, "ws") || hasSuffixFold(before, "wss")
}

// dsn hides the password of the MySQL data source name whose first bracket is
// at i: user:password@tcp(host)/db.
func (t *scan) dsn(i int) int {
	s, at := t.s, i-1
	for at > 0 && i-at < 16 && is(s[at], tokenc) {
		at--
	}
	if at < t.seen || s[at] != '@' {
		return i + 1
	}
	colon := -1
	for j := at - 1; j >= 0 && at-j < 2*maxKey && !is(s[j], space) && s[j] != '"' && s[j] != '`'; j-- {
		if s[j] == ':' {
			colon = j
		}
	}
	if colon < 0 || strings.HasPrefix(s[colon:], "://") {
		return i + 1
	}
	t.hide(colon+1, at)
	return i + 1
}

// webhook hides the path after the Slack webhook host whose first dot is at i.
func (t *scan) webhook(i int) int {
	s := t.s
	const before, after, end = "hooks.", "slack", ".com"
	j := i + 1 + len(after)
	if i+1 < len(before) || j > len(s) || !equalFold(s[i+1-len(before):i+1], before) || !equalFold(s[i+1:j], after) {
		return i + 1
	}
	if len(s)-j >= 4 && equalFold(s[j:j+4], "-gov") {
		j += 4
	}
	if len(s)-j < 4 || !equalFold(s[j:j+4], end) {
		return i + 1
	}
	j = skipSlash(s, skipPort(s, j+4))
	for _, name := range [...]string{"services", "triggers", "workflows"} {
		if strings.HasPrefix(s[j:], name) {
			j = skipSlash(s, j+len(name))
		}
	}
	if is(s[j-1], alnum) && s[j-1]|0x20 != 'f' {
		return j // no slash, no secret
	}
	return t.hideToken(j, t.far(j, pathEnd(s, j)))
}

// servicePath hides a webhook's path behind any host, of a proxy or a test.
// The 'T' of the team is at from.
func (t *scan) servicePath(from int) int {
	s := t.s
	before := s[:from]
	switch {
	case strings.HasSuffix(before, "services/"), strings.HasSuffix(before, `services\/`),
		strings.HasSuffix(before, "services%2F"), strings.HasSuffix(before, "services%2f"):
	default:
		return from + 1
	}
	team := t.far(from, run(s, from, upnum))
	bot := skipSlash(s, team)
	hook := t.far(bot, run(s, bot, upnum))
	last := skipSlash(s, hook)
	if bot == team || hook == bot || s[bot] != 'B' || last == hook {
		return from + 1
	}
	return t.hideToken(from, t.far(last, pathEnd(s, last)))
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

// skipPort steps over the port at i.
func skipPort(s string, i int) int {
	if i < len(s) && s[i] == ':' {
		if end := run(s, i+1, digit); end > i+1 {
			return end
		}
	}
	return i
}

// pathEnd returns where the path that goes on at i ends.
func pathEnd(s string, i int) int {
	for {
		end := skipSlash(s, run(s, i, slackc))
		if end == i {
			return end
		}
		i = end
	}
}
