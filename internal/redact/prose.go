// This file tells words that go on with a sentence from secrets.

package redact

import "strings"

// A place says how likely a value is: after a flag or a scheme only a word that
// opens a clause is none; where the key opens a clause, a value is likelier than
// a cause.
type place int

const (
	strict place = iota
	opening
	within
)

// prose reports whether what stands at i, where a value without quotes may, goes
// on with a sentence or a chain of causes: "fetch token: dial tcp". A secret has
// a digit, both cases, a sign or 16 letters; a plain word is one only where it
// stands alone, or where a person may have chosen it.
func prose(s string, i int, k kind, at place) bool {
	if k == header && at != strict {
		return proseOfHeader(s, i)
	}
	end := until(s, i, space)
	next := blanks(s, end)
	goesOn := next > end && next < len(s) && lineBreak(s, next) == 0 && s[end-1] != ',' && s[end-1] != ';'
	bare, chain := strings.Trim(s[i:end], ":,.;!?()<>"), s[end-1] == ':'
	switch {
	case is(s[i], quote):
		return k == minted && end-i <= 4 && (i+1 == len(s) || !is(s[i+1], word)) // "unexpected token: ")""
	case len(bare) <= 2 && (bare == "" || !is(bare[0], word) && !is(bare[len(bare)-1], word)):
		return true // "unexpected token: {"
	case run(bare, 0, digit) == len(bare):
		return goesOn && len(bare) < 3 || len(bare) == 3 && '1' <= bare[0] && bare[0] <= '5' && (goesOn || at == within)
	case openers[lower(bare)]:
		return k > chosen || goesOn || causes[lower(bare)]
	case at == strict:
		return k == header && chain && plainWord(bare, true)
	case strings.HasSuffix(bare, "Exception"), strings.HasSuffix(bare, "Error"):
		return true
	case !plainWord(bare, chain && k > chosen) || len(bare) >= leastSecret && !chain:
		return false
	}
	return chain || k > chosen && at == within || goesOn && (k != phrase || at == within)
}

// until returns where the first byte of set is from i on, or maxKey bytes on.
func until(s string, i int, set class) int {
	end := i
	for end < len(s) && end-i < maxKey && !is(s[end], set) {
		end++
	}
	return end
}

// leastSecret is how many letters without a digit may be a secret.
const leastSecret = 16

// proseOfHeader is prose for an Authorization header. Where a scheme stands, the
// word after it tells.
func proseOfHeader(s string, i int) bool {
	end := run(s[:min(len(s), i+maxKey)], i, tokenc)
	next := blanks(s, end)
	if !schemes[lower(s[i:end])] {
		return prose(s, i, header, strict)
	}
	return next == len(s) || next > end && clause(s, next)
}

// clause reports whether a word that opens a clause stands at i, whole: in
// "user:hunter2" it doesn't.
func clause(s string, i int) bool {
	end := run(s[:min(len(s), i+maxKey)], i, alnum)
	if !openers[lower(s[i:end])] {
		return false
	}
	if end < len(s) && (is(s[end], closer) || s[end] == ':') {
		end++
	}
	return end == len(s) || is(s[end], space|closer|quote|slash)
}

// A wordList is a set of words in lower case.
type wordList map[string]bool

func words(of string) wordList {
	w := wordList{}
	for _, word := range strings.Fields(of) {
		w[word] = true
	}
	return w
}

// schemes are what credentials follow.
var schemes = words(`bearer basic token apikey api-key key jwt secret negotiate ntlm dpop digest oauth hawk signature
	aws4-hmac-sha256`)

// listing are those of them that a list follows.
var listing = words("digest oauth hawk signature aws4-hmac-sha256")

// plainWord reports whether w is of letters of one case, but for a capital, and
// of signs that words have. One of a chain, before a colon, may end in digits.
func plainWord(w string, chain bool) bool {
	upper, lowerToo := 0, false
	for i := range len(w) {
		switch c := w[i]; {
		case isUpper(c):
			upper++
			if lowerToo {
				return false
			}
		case is(c, lowerc):
			lowerToo = true
			if upper > 1 {
				return false
			}
		case is(c, digit):
			return chain && i > 0 && len(w)-i < 5 && run(w, i, digit) == len(w)
		case is(c, word) || strings.IndexByte("-_/.'", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// minting reports whether the word at i looks made by a machine: it has a digit.
func minting(s string, i int) bool {
	return strings.ContainsAny(s[i:until(s, i, space|quote|slash)], digits)
}

// random reports whether the word at i can't be a name: it is long, with two
// digits and letters of both cases.
func random(s string, i int) bool {
	w := s[i:run(s[:min(len(s), i+2*maxKey)], i, tokenc)]
	return len(w) >= leastSecret && strings.IndexAny(w, digits) < strings.LastIndexAny(w, digits) &&
		strings.ToLower(w) != w && strings.ToUpper(w) != w
}

// opens reports whether the key that begins at from opens a clause: at the
// start of the text or of a line, after a sign that parts clauses, or after a
// word that a value's name follows.
func (t *scan) opens(from int) bool {
	s, i := t.s, from
	for i > 0 && from-i < maxKey && (s[i-1] == ' ' || s[i-1] == '\t') {
		i--
	}
	if i == 0 || strings.IndexByte("\n\r,;|([{>*-.!?\"'`", s[i-1]) >= 0 || strings.HasSuffix(s[:i], `\n`) {
		return true
	}
	return namers[wordBefore(s, i)]
}

// namers are words that the name of a value follows.
var namers = words(`with using and or the your my new old is default temporary initial current user admin root db
	database`)

// wordBefore returns the word that ends at i, if it is short, in lower case.
func wordBefore(s string, i int) string {
	begin := i
	for begin > 0 && i-begin < maxKey && is(s[begin-1], alnum) {
		begin--
	}
	return lower(s[begin:i])
}

// state reports whether what stands at i is only said of a secret: token=valid.
func state(s string, i int) bool {
	end := run(s[:min(len(s), i+16)], i, lowerc)
	return causes[s[i:end]] && (end == len(s) || is(s[end], space|closer|quote))
}

// causes are words that are a cause by themselves.
var causes = words(`eof timeout expired invalid missing required denied refused forbidden unauthorized empty wrong
	mismatch revoked rejected failed unknown malformed incorrect yes no ok valid set present absent declined
	insufficient`)

// files are what the names of sources and settings end with: what follows the
// colon after one is a line's number, or what went wrong there.
var files = words(`go py js ts tsx jsx mjs java kt rb rs c cc cpp h cs php swift scala ex exs vue sql yaml yml json toml
	xml proto tmpl html txt pem`)

// address reports whether the key at from is the end of a URL, of a path or of
// AWS's name of a thing: what follows its colon is what went wrong there.
func (t *scan) address(from, sep int, quoted bool) bool {
	s, begin := t.s, from
	if from == t.seen || strings.IndexByte("/?&=#:", s[from-1]) < 0 {
		return false
	}
	for begin > t.seen && from-begin < 4*maxKey && !is(s[begin-1], space|quote) {
		begin--
	}
	word, at := s[begin:t.far(begin, from)], blanks(s, sep+1)
	url, path := strings.Contains(word, "://"), word[len(word)-1] == '/'
	switch {
	case word[len(word)-1] == ':':
		return strings.HasPrefix(word, "arn:")
	case quoted:
		return url || path && (at == len(s) || !is(s[at], quote|slash))
	}
	return at > sep+1 && (url || path && word[0] == '/')
}

// lower returns w in lower case if it is a short word, else "".
func lower(w string) string {
	if len(w) > 16 {
		return ""
	}
	return strings.ToLower(w)
}

// openers are words that errors open a clause with.
var openers = words(`
	a an the this that it its your you we user is are was were be been has have had does did do not no cannot can't
	can could couldn't must should may will would failed failure failing error errors unable unexpected expected
	expecting invalid illegal malformed unknown unsupported unauthorized unauthenticated forbidden denied refused
	rejected declined insufficient revoked expired missing empty required mismatch wrong bad too already timeout timed
	context connection connect dial lookup read write open stat parse parsing decode decoding decrypt encode fetch
	fetching get post put request response status server client http https json jwt oauth oauth2 rpc tls x509 sql pq crypto asn1
	base64 strconv net/http eof i/o access permission operation resource token secret signature password key cookie
	header credentials and or but if when while after before because since in on at string length value field min
	max minimum maximum incorrect yes only please got want creating generating of to for from with without by as
	than auth authentication authorization scheme tokens format prefix type realm scope`)
