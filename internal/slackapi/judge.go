// This file decides what an answer of Slack's means.

package slackapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// answer is what came back of a request, as far as it came.
type answer struct {
	asked  bool // the request was written; without it nothing can have arrived
	trip   *trip
	limit  int64 // of the body, in bytes; 0 = the usual
	status int
	header http.Header
	body   []byte
	err    error // the exchange ended with it, before or within the body
	ended  error // the context's error
}

// said is what the JSON of a body says, as far as it can be read.
type said struct {
	ok, no           bool // "ok" is true, is false
	code             string
	channel, ts      string
	needed, provided string
	messages         []string
	after            string
}

// hear reads the object in body member by member and keeps what came before
// the first fault: an echo that nobody can decode doesn't undo the "ok" and
// the ts before it, and an odd member doesn't hide the code.
func hear(body []byte) (s said) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return s
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return s
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return s
		}
		s.take(key, value)
	}
	return s
}

func (s *said) take(key any, value json.RawMessage) {
	switch key {
	case "ok":
		s.ok, s.no = string(value) == "true", string(value) == "false"
	case "error":
		s.code = text(value)
	case "channel":
		s.channel = text(value)
	case "ts":
		s.ts = text(value)
	case "needed":
		s.needed = text(value)
	case "provided":
		s.provided = text(value)
	case "retry_after":
		s.after = strings.Trim(string(value), `"`)
	case "response_metadata":
		var m struct {
			Messages []string `json:"messages"`
		}
		_ = json.Unmarshal(value, &m) // odd messages are none
		s.messages = m.Messages
	}
}

// text is a JSON string's content; "" for everything else.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}

// judge says what became of the call: a ref, or what went wrong.
func (c *Client) judge(what call, a answer) (ref string, e *Error) {
	s := hear(a.body)
	if s.code == "" && !s.ok {
		s.code = bareCode(a)
	}
	if ref, ok := accepted(what, a, s); ok {
		return ref, nil
	}
	what = what.clean(c.secrets)
	e = &Error{what: what, status: a.status, code: excerpt(c.secrets, short(s.code), 100), reason: c.reason(what, a, s)}
	if a.err != nil {
		e.causes = causesOf(a.err, a.ended)
	}
	e.after = retryAfter(a.header, s.after, time.Now())
	verdict{Error: e, word: s.code, no: s.no, needed: excerpt(c.secrets, short(s.needed), 100)}.decide(a)
	return "", e
}

// accepted says whether Slack took the call.
func accepted(what call, a answer, s said) (ref string, ok bool) {
	good := a.status >= 200 && a.status <= 299
	switch {
	case what.hook && what.verb == "check":
		return "", a.status == http.StatusBadRequest && hookLives[s.code]
	case what.hook:
		return "", good && a.err == nil && (s.ok || string(bytes.TrimSpace(a.body)) == "ok")
	case what.verb == "check", what.verb == verbFind:
		return "", good && s.ok
	case !good || !s.ok || s.ts == "":
		return "", false
	}
	if s.channel == "" {
		s.channel = what.channel
	}
	return s.channel + "/" + s.ts, true
}

// splitRef undoes what accepted joins.
func splitRef(ref string) (channel, ts string, ok bool) {
	i := strings.LastIndexByte(ref, '/')
	if i <= 0 || i == len(ref)-1 {
		return "", "", false
	}
	return ref[:i], ref[i+1:], true
}

// hookLives are the faults that a webhook finds with an empty payload.
var hookLives = map[string]bool{
	"no_text": true, "invalid_payload": true, "missing_text_or_fallback_or_attachments": true,
}

// bareCode is a body that is nothing but a code, as webhooks answer. Where the
// status is good, a word that isn't known is no error of Slack's.
func bareCode(a answer) string {
	if len(a.body) > 200 {
		return ""
	}
	s := string(bytes.TrimSpace(a.body))
	if _, known := codes[s]; known {
		return s
	}
	if a.status < 300 || strings.ContainsAny(s, "<>{}[]\"\r\n") {
		return ""
	}
	return s
}

// short keeps a code that is no code, but a page, out of the error.
func short(code string) string {
	if len(code) > 1000 {
		return "a code of " + strconv.Itoa(len(code)) + " bytes"
	}
	return code
}

// reason tells what the status and the code don't.
func (c *Client) reason(what call, a answer, s said) string {
	switch {
	case a.err != nil:
		return reasonOf(c.secrets, a.err)
	case a.status >= 300 && a.status <= 399:
		return "a redirect, which is not followed"
	case s.needed != "":
		return excerpt(c.secrets, "needed "+short(s.needed)+", provided "+short(s.provided), 300)
	case len(s.messages) > 0:
		return excerpt(c.secrets, short(strings.Join(s.messages, "; ")), 300)
	case s.code != "" || a.status < 200 || a.status > 299:
		return ""
	case what.hook:
		return "neither ok nor an error"
	case s.ok:
		return "ok without a ts"
	}
	return "an answer that says neither ok nor an error"
}

const quotaWait = time.Minute // of a quota that doesn't come back by the second

// retryAfter reads how long Slack asks to wait: the header, or the body's
// member of that name; 0 if neither says. Slack sends whole seconds; what
// stands between may send a fraction or a date.
func retryAfter(h http.Header, inBody string, now time.Time) time.Duration {
	if d, ok := seconds(h.Get("Retry-After")); ok {
		return d
	}
	if date, err := http.ParseTime(strings.TrimSpace(h.Get("Retry-After"))); err == nil {
		if server, err := http.ParseTime(h.Get("Date")); err == nil {
			now = server // whose clock the date is of
		}
		return whole(date.Sub(now).Seconds())
	}
	d, _ := seconds(inBody)
	return d
}

func seconds(s string) (time.Duration, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if math.IsNaN(v) || err != nil && !math.IsInf(v, 0) {
		return 0, false
	}
	return whole(v), true
}

// whole rounds up: a request too early is the worse mistake. What was asked for
// is at least a second, because 0 is "did not say", and at most what a Duration
// holds; what is too long to wait, who waits decides.
func whole(seconds float64) time.Duration {
	const most = math.MaxInt64 / int64(time.Second)
	return time.Duration(min(max(math.Ceil(seconds), 1), float64(most))) * time.Second
}

// verdict draws the consequences of a failure.
type verdict struct {
	*Error
	word   string // the code as Slack sent it
	no     bool   // it said "ok":false
	needed string // the scope it asks for
}

// decide goes by what is most certain: a limit, a redirect, a code that is
// known, and only then the status, which may be a proxy's.
func (v verdict) decide(a answer) {
	class, known := codes[v.word]
	switch {
	case a.err != nil && !a.asked:
		v.unsent(a.err)
	case a.status == http.StatusTooManyRequests:
		if class == quota {
			v.wait()
		}
	case a.status >= 300 && a.status <= 399:
		v.mend = "check the proxy and the address: a redirect came instead of Slack's answer"
	case known:
		v.byCode(class)
	case a.err != nil:
		v.fate = a.fate()
		v.unknown = v.fate == out && (a.status < 400 || a.status >= 500)
	case a.status < 300 && v.word == "":
		v.unknown = !v.no
	case a.status >= 500:
		v.unknown = true
	case a.status >= 400:
		v.byStatus()
	default:
		v.refuse()
	}
}

// unsent is for a request that couldn't be written: the address is at fault, or
// a block that has no JSON.
func (v verdict) unsent(err error) {
	if _, address := errors.AsType[*url.Error](err); address {
		v.fate = never
		v.mend = "check the API URL or the webhook URL: want an https address"
		return
	}
	v.refused, v.mend = true, "check the layout: a block of it can't be written as JSON"
}

func (v verdict) wait() {
	v.quota = true
	if v.after == 0 {
		v.after = quotaWait
	}
}

func (v verdict) byCode(c class) {
	switch c {
	case unsure:
		v.unknown = true
	case quota:
		v.wait()
	case layout:
		v.refuse()
	case vanished:
		v.gone = true
	case access, place, outdated:
		v.mend = v.todo(c)
	}
}

// byStatus judges an answer of 4xx that has no code, or none that is known.
func (v verdict) byStatus() {
	switch v.status {
	case http.StatusRequestTimeout, http.StatusTooEarly:
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		v.mend = "check the API URL and the proxy: nothing of Slack's answers there"
		if v.what.hook {
			v.mend = "make a new webhook: Slack doesn't take this one any more"
		}
	case http.StatusProxyAuthRequired:
		v.mend = "check the proxy: it asks for a password"
	default:
		v.refuse()
	}
}

// refuse is for faults of the message itself, and for codes nobody knows: plain
// text may pass, and if it doesn't, time won't help.
func (v verdict) refuse() {
	v.refused = true
	v.mend = "check the layout and the text: Slack refuses the message"
	if _, known := codes[v.word]; !known && v.code != "" {
		v.mend = "look up Slack's error " + v.code
	}
}
