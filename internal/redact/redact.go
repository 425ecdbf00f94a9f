// Package redact finds secrets in keys and in text and replaces them with
// [redacted].
//
// It errs on the side of hiding: what stands where a secret stands is taken
// for one, unless it is a word that plainly goes on with a sentence. Log text
// comes cut, quoted, escaped and nested, so nothing here parses a format;
// scanners look at what surrounds a byte that may give a secret away.
package redact

import "strings"

// Mark stands in the place of every secret.
const Mark = "[redacted]"

// Text returns s with every secret in it replaced by [Mark]: the values of
// keys that name one (see [Key]) in JSON, YAML, URLs, headers, connection
// strings, printed Go values and a database's details, passwords in URLs,
// credentials after Bearer and Basic, JSON web tokens, tokens that their
// makers' prefixes give away, Slack's webhook addresses and PEM private keys.
// After "key: " without quotes it tells a secret from a sentence: "fetch token:
// vault sealed" stays. Redacting twice changes nothing. Text without a secret
// is returned as it is, without an allocation; the time is linear in len(s).
func Text(s string) string {
	t := scan{s: s}
	t.all()
	return t.s
}

func (t *scan) all() {
	for range passes {
		t.pem()
		t.scan(0, len(t.s))
		if !t.redact() {
			break
		}
	}
}

// A mark can be part of a value where the secret in its place ended it, and
// what is hidden late may lie before what was seen: a text that has changed is
// looked at again until it doesn't. That takes one look more, seldom two; the
// bound is for the time.
const passes = 8

// A span is s[from:to].
type span struct{ from, to int }

// A scan walks once over a text and gathers the spans to hide.
type scan struct {
	s     string
	spans []span // ascending, with at least a byte between
	seen  int    // the end of the last span: nothing before it is looked at again
	work  int    // how many bytes the scanners that look far ahead went over
}

// far notes that a scanner looked from one place to the other, and returns that.
// Each of them must be stopped by what brings the next of its kind, or hide what
// it went over: else a text of many would take for ever.
func (t *scan) far(from, to int) int {
	t.work += max(0, to-from)
	return to
}

func (t *scan) scan(from, to int) {
	for i, code := from, uint32(0); i < to; {
		i, code = next(t.s[:to], i, code)
		if i == to {
			return
		}
		end := i + 1
		if i >= 2 {
			end = t.look(i, signs[hash(code)])
		}
		if end > i+1 {
			code = 0 // what is hidden begins nothing
		}
		i = end
	}
}

// look looks at the three bytes that end at i and returns where to go on. The
// scanners return i where there is nothing of their kind.
func (t *scan) look(i int, what uint8) int {
	next := i
	if what&ofSign != 0 {
		next = t.shape(i)
	}
	if what&ofMaker != 0 {
		next = max(next, t.token(i-2))
	}
	if next == i && what&ofKey != 0 {
		next = t.key(i - 2)
	}
	return max(next, i+1)
}

// shape looks for what is told by neither a key nor a maker's prefix.
func (t *scan) shape(i int) int {
	s := t.s
	switch string([]byte{lowered(s[i-2]), lowered(s[i-1]), lowered(s[i])}) {
	case "://":
		return t.url(i-2, i+1)
	case `:\/`:
		if next := skipSlash(s, i+1); next > i+1 {
			return t.url(i-2, next)
		}
	case "eyj":
		return t.jwt(i)
	case "sic":
		return t.basic(i)
	case "-u ", "--u":
		return t.user(i)
	case "s/t", "s/e", `\/t`, `\/e`, "2ft", "2fe":
		return t.webhook(i)
	case "dup":
		return t.duplicate(i)
	case "ues":
		return t.inserted(i)
	case "cp(", "p6(", "ix(", "ql(":
		return t.dsn(i)
	}
	if s[i-2:i] == "@/" {
		return t.dsn(i - 1)
	}
	return i
}

// hide notes s[from:to] as a secret and returns where it ends. What overlaps
// or touches an earlier span becomes one with it.
func (t *scan) hide(from, to int) int {
	if from >= to {
		return max(to, t.seen)
	}
	for n := len(t.spans); n > 0 && t.spans[n-1].to >= from; n-- {
		from, to = min(from, t.spans[n-1].from), max(to, t.spans[n-1].to)
		t.spans = t.spans[:n-1]
	}
	if t.spans == nil {
		t.spans = make([]span, 0, 8)
	}
	t.spans = append(t.spans, span{from, to})
	t.seen = to
	return to
}

// redact replaces the spans in the text, begins anew with what it made, and
// reports whether that differs.
func (t *scan) redact() bool {
	size, changed := len(t.s), false
	for _, p := range t.spans {
		size += len(Mark) - (p.to - p.from)
		changed = changed || t.s[p.from:p.to] != Mark
	}
	if !changed {
		return false
	}
	var b strings.Builder
	b.Grow(size)
	done := 0
	for _, p := range t.spans {
		b.WriteString(t.s[done:p.from])
		b.WriteString(Mark)
		done = p.to
	}
	b.WriteString(t.s[done:])
	*t = scan{s: b.String(), spans: t.spans[:0], work: t.work}
	return true
}

// starts reports whether a word may start at i: the byte before is no letter
// or digit, or belongs to an escape such as \n or %22.
func (t *scan) starts(i int) bool {
	switch {
	case i < t.seen:
		return false
	case i == t.seen || !is(t.s[i-1], alnum):
		return true
	}
	return i-2 >= t.seen && t.s[i-2] == '\\' || i-3 >= t.seen && t.s[i-3] == '%'
}
