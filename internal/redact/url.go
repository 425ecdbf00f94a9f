// This file finds what is secret in addresses: the password before the host,
// and the path of a Slack webhook.

package redact

import "strings"

// url hides the password of the URL whose authority begins at i. A password
// should be escaped there but often isn't, so any byte but white space may be
// part of it.
func (t *scan) url(i int) int {
	s := t.s
	end := urlEnd(s, i)
	colon := strings.IndexByte(s[i:end], ':') + i
	if colon < i || strings.ContainsAny(s[i:colon], "/?#[") {
		return i
	}
	at := lastAt(s[colon+1:end], web(s[:i-len("://")]))
	if at < 0 {
		return i
	}
	t.scan(i, colon) // the user may be a token
	return t.hide(colon+1, colon+1+at)
}

// urlEnd returns where the URL ends whose authority begins at i.
func urlEnd(s string, i int) int {
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case is(c, space), c == ':' && strings.HasPrefix(s[i:], "://"):
			return i
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
// queries too, elsewhere only there.
func lastAt(rest string, web bool) int {
	slash := strings.IndexAny(rest, "/?#")
	if slash < 0 || !web {
		return strings.LastIndexByte(rest, '@')
	}
	if at := strings.LastIndexByte(rest[:slash], '@'); at >= 0 {
		return at
	}
	if len(strings.TrimRight(rest[:slash], "0123456789")) == 0 {
		return -1 // a port
	}
	return strings.LastIndexByte(rest, '@')
}

func web(before string) bool {
	return hasSuffixFold(before, "http") || hasSuffixFold(before, "https") ||
		hasSuffixFold(before, "ws") || hasSuffixFold(before, "wss")
}

// dsn hides the password of the MySQL data source name whose '@' is at i:
// user:password@tcp(host)/db.
func (t *scan) dsn(i int) int {
	s := t.s
	network := run(s, i+1, alnum)
	if network == len(s) || s[network] != '(' || network == i+1 || network > i+16 {
		return i + 1
	}
	colon, spans := -1, len(t.spans)
	for j, far := i, 0; j > 0 && far < 2*maxKey; far++ {
		if spans > 0 && t.spans[spans-1].to == j {
			spans--
			j = t.spans[spans].from
			far += len(Mark) - 1
			continue
		}
		j--
		if is(s[j], space) || s[j] == '"' || s[j] == '`' {
			break
		}
		if s[j] == ':' {
			colon = j
		}
	}
	if colon < 0 || strings.HasPrefix(s[colon:], "://") {
		return i + 1
	}
	return max(t.hide(colon+1, i), i+1)
}

// webhook hides the path after the Slack webhook host whose 'k' is at i.
func (t *scan) webhook(i int) int {
	s := t.s
	const before, after = "hooks.slac", ".com"
	if i < len(before) || !equalFoldASCII(s[i-len(before):i], before) {
		return i + 1
	}
	j := i + 1
	if len(s)-j >= 4 && equalFoldASCII(s[j:j+4], "-gov") {
		j += 4
	}
	if len(s)-j < 4 || !equalFoldASCII(s[j:j+4], after) {
		return i + 1
	}
	j = skipSlash(s, port(s, j+4))
	for _, name := range [...]string{"services", "triggers", "workflows"} {
		if strings.HasPrefix(s[j:], name) {
			j = skipSlash(s, j+len(name))
		}
	}
	if is(s[j-1], alnum) && s[j-1]|0x20 != 'f' {
		return j // no slash, no secret
	}
	return t.hideToken(j, pathEnd(s, j))
}

// servicePath hides a webhook's path behind any host: proxies and tests.
func (t *scan) servicePath(i int) int {
	s := t.s
	if !strings.HasPrefix(s[i+1:], "services") {
		return i + 1
	}
	from := skipSlash(s, i+len("/services"))
	team := run(s, from, upnum)
	bot := skipSlash(s, team)
	hook := run(s, bot, upnum)
	last := skipSlash(s, hook)
	if s[from-1] == 's' || team == from || s[from] != 'T' || bot == team || hook == bot || s[bot] != 'B' || last == hook {
		return i + 1
	}
	return t.hideToken(from, pathEnd(s, last))
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

// port steps over the port at i.
func port(s string, i int) int {
	j := i + 1
	for j < len(s) && isDigit(s[j]) {
		j++
	}
	if j > i+1 && s[i] == ':' {
		return j
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

// equalFoldASCII reports whether s is lower, a string of lower-case letters
// and signs, without regard to the case of s.
func equalFoldASCII(s, lower string) bool {
	for i := range len(s) {
		if c := s[i]; c != lower[i] && (!isUpper(c) || c|0x20 != lower[i]) {
			return false
		}
	}
	return true
}
