// This file makes requests fail on purpose, and sends what is answered.

package fakeslack

import (
	"cmp"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A Fault is what happens to a request instead of the usual. A fault with a
// Status, RetryAfter, Error or Body answers in place of Slack: the message isn't
// taken, whatever the answer says, unless Drop is set too. A fault with a Delay
// alone takes the message and answers late.
type Fault struct {
	// Status is the HTTP status. Default: 429 with RetryAfter, else what Slack
	// says Error with: 200 for the Web API. A redirect points at the request's
	// own address.
	Status int

	// RetryAfter is the header, verbatim: "3", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT".
	RetryAfter string

	// Error is Slack's code: {"ok":false,"error":…} from the Web API, plain text
	// from a webhook.
	Error string

	// Body is the whole answer, verbatim; Error is not said then.
	Body string

	// Delay is the time from taking the message to answering. A request that
	// ends, or Close, cuts it short.
	Delay time.Duration

	// Drop takes the message and cuts the connection: before the answer, or with
	// a Status or Body in the midst of it.
	Drop bool
}

// FailNext gives the next n requests the fault f, of whatever method. It
// replaces what an earlier call left; n of 0 or less means that nothing fails
// any more.
func (s *Server) FailNext(n int, f Fault) { s.faults.set(n, f) }

// faults is the fault that stands and how often.
type faults struct {
	mu   sync.Mutex
	left int
	next Fault
}

func (q *faults) set(n int, f Fault) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.left, q.next = max(n, 0), f
}

// take is the fault of one request, the zero Fault for none.
func (q *faults) take() Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.left == 0 {
		return Fault{}
	}
	q.left--
	return q.next
}

// answers tells whether f speaks in Slack's place.
func (f Fault) answers() bool {
	return f.Status != 0 || f.RetryAfter != "" || f.Error != "" || f.Body != ""
}

// answer sends what take says, or the fault whose turn it is. errorReply is how
// this door says a fault's Error.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, errorReply func(Fault) reply, take func() reply) {
	f := s.faults.take()
	var rep reply
	if !f.answers() || f.Drop {
		rep = take()
	}
	if f.answers() {
		rep = f.reply(r, errorReply)
	}
	if !wait(r, f.Delay) {
		panic(http.ErrAbortHandler)
	}
	if f.Drop && !f.answers() {
		panic(http.ErrAbortHandler)
	}
	rep.send(w)
	if f.Drop {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// wait sleeps for d and tells whether anyone is still there to be answered.
func wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (f Fault) reply(r *http.Request, errorReply func(Fault) reply) reply {
	rep := textReply(http.StatusOK, f.Body)
	switch {
	case f.Body != "":
		if f.Body[0] == '{' {
			rep.kind = "application/json; charset=utf-8"
		}
	case f.Error != "":
		rep = errorReply(f)
	case f.RetryAfter != "" || f.Status == http.StatusTooManyRequests:
		rep = errorReply(Fault{Error: "ratelimited", Status: http.StatusTooManyRequests})
	default:
		rep.body = []byte(http.StatusText(f.Status))
	}
	rep.retryAfter = f.RetryAfter
	if f.RetryAfter != "" {
		rep.status = http.StatusTooManyRequests
	}
	rep.status = cmp.Or(f.Status, rep.status)
	if rep.status/100 == 3 {
		rep.location = r.URL.Path
	}
	return rep
}

func webFault(f Fault) reply { return refuse(f.Error).webReply() }

func hookFault(f Fault) reply {
	if f.Error == "ratelimited" {
		return busyHookReply(time.Second)
	}
	return refuse(f.Error).hookReply()
}

func (rep reply) send(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", rep.kind)
	if rep.retryAfter != "" {
		h.Set("Retry-After", rep.retryAfter)
	}
	if rep.location != "" {
		h.Set("Location", rep.location)
	}
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body)
}

// busyReply is the Web API's answer to who comes too soon.
func busyReply(wait time.Duration) reply {
	rep := jsonReply(http.StatusTooManyRequests, map[string]any{"ok": false, "error": "ratelimited"})
	rep.retryAfter = strconv.Itoa(seconds(wait))
	return rep
}

// busyHookReply is the same from a webhook.
func busyHookReply(wait time.Duration) reply {
	n := seconds(wait)
	rep := jsonReply(http.StatusTooManyRequests, map[string]any{"retry_after": n, "ok": false, "error": "rate_limited"})
	rep.retryAfter = strconv.Itoa(n)
	return rep
}

// seconds is d in whole seconds, rounded up: Retry-After knows no less.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
