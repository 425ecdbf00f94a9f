// This file decides what an answer of Slack's means.

package slackapi

import (
	"bytes"
	"cmp"
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
	status int
	header http.Header
	body   []byte
	err    error // the exchange ended with it, before or within the body
	ended  error // the context's error
}

func (a answer) good() bool { return a.status >= 200 && a.status <= 299 }

// said is what the JSON of a body says, as far as it can be read.
type said map[string]json.RawMessage

// hear reads the object in body member by member and keeps what came before
// the first fault: an echo that nobody can decode doesn't undo the "ok" and
// the ts before it, and an odd member doesn't hide the code.
func hear(body []byte) said {
	s, dec := make(said), json.NewDecoder(bytes.NewReader(body))
	open, err := dec.Token()
	for err == nil && open == json.Delim('{') && dec.More() {
		var key json.Token
		var value json.RawMessage
		if key, err = dec.Token(); err == nil {
			err = dec.Decode(&value)
		}
		if name, ok := key.(string); ok && err == nil {
			s[name] = value
		}
	}
	return s
}

// is says whether a member is true or false, as JSON has it.
func (s said) is(name, value string) bool { return string(s[name]) == value }

// text is a member's content if it is a string; "" for everything else.
func (s said) text(name string) (text string) {
	if json.Unmarshal(s[name], &text) != nil {
		return ""
	}
	return text
}

// why is what an answer says of a refusal beside its code.
func (s said) why() string {
	if needed := s.text("needed"); needed != "" {
		return "needed " + needed + ", provided " + s.text("provided")
	}
	var m struct {
		Messages []string `json:"messages"`
	}
	_ = json.Unmarshal(s["response_metadata"], &m) // odd messages are none
	return strings.Join(m.Messages, "; ")
}

// judge says what became of the call: a ref, or what went wrong.
func (c *Client) judge(what call, a answer) (ref string, e *Error) {
	s := hear(a.body)
	code := cmp.Or(s.text("error"), bareCode(a))
	if ref, ok := accepted(what, a, s, code); ok {
		return ref, nil
	}
	e = c.failed(what, c.reason(what, a, s, code))
	e.status, e.code = a.status, c.secrets.excerpt(code, 100)
	if a.err != nil {
		e.causes = causesOf(a.err, a.ended)
	}
	e.after = retryAfter(a.header, strings.Trim(string(s["retry_after"]), `"`), time.Now())
	e.decide(a, code, c.secrets.excerpt(s.text("needed"), 100), s.is("ok", "false"))
	return "", e
}

// accepted says whether Slack took the call.
func accepted(what call, a answer, s said, code string) (ref string, ok bool) {
	took := a.good() && s.is("ok", "true")
	switch {
	case what.hook && what.verb == verbCheck:
		return "", a.status == http.StatusBadRequest && hookLives[code]
	case what.hook:
		return "", a.good() && a.err == nil && (took || string(bytes.TrimSpace(a.body)) == "ok")
	case what.verb == verbCheck, what.verb == verbFind:
		return "", took
	}
	ts := s.text("ts")
	return cmp.Or(s.text("channel"), what.channel) + "/" + ts, took && ts != ""
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

// reason tells what the status and the code don't.
func (c *Client) reason(what call, a answer, s said, code string) string {
	why := s.why()
	switch {
	case a.err != nil:
		return c.secrets.reasonOf(a.err)
	case a.status >= 300 && a.status <= 399:
		return "a redirect, which is not followed"
	case why != "":
		return c.secrets.excerpt(why, 300)
	case code != "" || !a.good():
		return ""
	case !what.hook && s.is("ok", "true"):
		return "ok without a ts"
	}
	return "neither ok nor an error"
}

const quotaWait = time.Minute // of a quota that doesn't come back by the second

// retryAfter reads how long Slack asks to wait: the header, or the body's
// member of that name; 0 if neither says. Slack sends whole seconds; what
// stands between may send a fraction or a date.
func retryAfter(h http.Header, inBody string, now time.Time) time.Duration {
	after := strings.TrimSpace(h.Get("Retry-After"))
	if d := seconds(after); d != 0 {
		return d
	}
	if date, err := http.ParseTime(after); err == nil {
		if server, err := http.ParseTime(h.Get("Date")); err == nil {
			now = server // whose clock the date is of
		}
		return whole(date.Sub(now).Seconds())
	}
	return seconds(inBody)
}

// seconds is 0 for what is no number.
func seconds(s string) time.Duration {
	v, err := strconv.ParseFloat(s, 64)
	if math.IsNaN(v) || err != nil && !math.IsInf(v, 0) {
		return 0
	}
	return whole(v)
}

// whole rounds up: a request too early is the worse mistake. What was asked for
// is at least a second, because 0 is "did not say", and at most what a Duration
// holds; what is too long to wait, who waits decides.
func whole(seconds float64) time.Duration {
	const most = math.MaxInt64 / int64(time.Second)
	return time.Duration(min(max(math.Ceil(seconds), 1), float64(most))) * time.Second
}

// decide draws the consequences of a failure: what Slack's code, its answer's
// "ok":false or else the status asks for. It goes by what is most certain: a
// limit, a redirect, a code that is known, and only then the status, which may be
// a proxy's.
func (e *Error) decide(a answer, code, needed string, no bool) {
	class, known := codes[code]
	switch {
	case a.err != nil && !a.asked:
		e.unwritten(a.err)
	case a.status == http.StatusTooManyRequests:
		if class == quota {
			e.wait()
		}
	case a.status >= 300 && a.status <= 399:
		e.mend = "check the proxy and the address: a redirect came instead of Slack's answer"
	case known:
		e.byCode(class, code, needed)
	case a.err != nil:
		fate := a.fate()
		e.unsent = fate == never
		e.unknown = fate == out && (a.status < 400 || a.status >= 500)
	case a.status < 300 && code == "":
		e.unknown = !no
	case a.status >= 500:
		e.unknown = true
	case a.status >= 400:
		e.byStatus()
	default:
		e.refuse()
	}
}

// unwritten is for a request that couldn't be written: the address is at fault, or
// a block that has no JSON.
func (e *Error) unwritten(err error) {
	if _, address := errors.AsType[*url.Error](err); address {
		e.unsent = true
		e.mend = "check the API URL or the webhook URL: want an https address"
		return
	}
	e.refused, e.mend = true, "check the layout: a block of it can't be written as JSON"
}

func (e *Error) wait() { e.quota, e.after = true, cmp.Or(e.after, quotaWait) }

func (e *Error) byCode(c class, code, needed string) {
	switch c {
	case unsure:
		e.unknown = true
	case quota:
		e.wait()
	case layout:
		e.refused, e.mend = true, "check the layout and the text: Slack refuses the message"
	case vanished:
		e.gone = true
	case token, access, place, outdated:
		e.mend = todo(e.what, code, needed)
	}
}

// byStatus judges an answer of 4xx that has no code, or none that is known.
func (e *Error) byStatus() {
	switch e.status {
	case http.StatusRequestTimeout, http.StatusTooEarly:
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		e.mend = "check the API URL and the proxy: nothing of Slack's answers there"
		if e.what.hook {
			e.mend = "make a new webhook: Slack doesn't take this one any more"
		}
	case http.StatusProxyAuthRequired:
		e.mend = "check the proxy: it asks for a password"
	default:
		e.refuse()
	}
}

// refuse is for codes nobody knows: plain text may pass, and if it doesn't, time
// won't help.
func (e *Error) refuse() {
	e.refused, e.mend = true, "check the layout and the text: Slack refuses the message"
	if e.code != "" {
		e.mend = "look up Slack's error " + e.code
	}
}
