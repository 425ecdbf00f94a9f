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
	user := run(s, i, tokenc)
	if user-i >= leastSecret && user < end && s[user] == '@' && strings.ContainsAny(s[i:user], digits) {
		return t.hide(i, user) // a token is the user
	}
	colon := strings.IndexByte(s[i:end], ':') + i
	if colon < i || strings.ContainsAny(s[i:colon], "/?#[") {
		return i
	}
	name := scheme
	for name > t.seen && scheme-name < maxKey && is(s[name-1], keyPart) {
		name--
	}
	t.far(name, scheme)
	web := webs[lower(s[name:scheme])]
	at := lastAt(s[colon+1:end], web)
	if at < 0 && !port(s[colon+1:end]) && name > t.seen && is(s[name-1], quote) { // then it may have blanks
		at = lastAt(s[colon+1:t.far(i, urlEnd(s, i, true))], web)
	}
	if at < 0 {
		return i
	}
	t.scan(i, colon) // the user may be a token
	return t.hide(colon+1, colon+1+at)
}

var webs = words("http https ws wss")

// urlEnd returns where the URL ends whose authority begins at i: at white
// space, or if it is quoted only at the quote or the end of the line.
func urlEnd(s string, i int, quoted bool) int {
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case is(c, space) && (!quoted || c == '\n'), c == ':' && prefixed(s[i:], "://", `:\/`) > 0:
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

// dsn hides the password of the MySQL data source name whose first bracket is
// at i, or its slash: user:password@tcp(host)/db, user:password@/db.
func (t *scan) dsn(i int) int {
	s, low := t.s, max(0, i-2*maxKey)
	at := low + strings.LastIndexByte(s[low:i], '@')
	if at < max(low, t.seen) || run(s, at+1, tokenc) != i {
		return i
	}
	low += strings.LastIndexAny(s[low:at], " \t\r\n\"`") + 1
	_, after, ok := strings.Cut(s[low:at], ":")
	if !ok || strings.HasPrefix(after, "//") {
		return i
	}
	return t.hide(at-len(after), at)
}

// hooks are what stands before the ids in the path of a Slack webhook.
var hooks = words("services workflows triggers actions commands")

// leastOrg is how long an organization's id is at least: EU is none.
const leastOrg = 9

// webhook hides the path of a Slack webhook, workflow or answer to a command,
// behind any host: of a proxy or a test, too. The 'T' of the team,
// or the 'E' of an organization, is at from.
func (t *scan) webhook(from int) int {
	s := t.s
	before := strings.TrimRight(s[max(0, from-len(`workflows\/`)):from], `/\%2Ff`)
	if before = before[strings.LastIndexAny(before, "/F")+1:]; !hooks[before] {
		return from
	}
	team := t.far(from, run(s, from, upnum))
	next := skipSlash(s, team)
	end := t.far(next, run(s, next, upnum))
	last := skipSlash(s, end)
	if last == end || !is(s[next], digit) && s[next] != 'A' && s[next] != 'B' || s[from] == 'E' && team-from < leastOrg ||
		before == "services" && s[next] != 'B' {
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
	if c, next := sign(s, i); c == '/' {
		return next
	}
	return i
}
