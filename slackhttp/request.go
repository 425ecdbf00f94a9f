// This file is what is known of one request, and when.

package slackhttp

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/ident"
	"example.com/slackalert/internal/scope"
	"example.com/slackalert/internal/unhandled"
)

// The most of each that is shown, in bytes.
const (
	maxMethod = 32
	maxPath   = 512
	maxRoute  = 256
	maxRemote = 64
	maxAgent  = 256
	maxUser   = 256
)

// request is one request on its way. Goroutines that outlive it may still ask
// for its attributes; they must find nothing that the server uses again.
type request struct {
	writer
	opts  *Options
	r     *http.Request // as the next handler gets it
	scope *scope.Scope
	shown http.ResponseWriter // the writer, able to do what the server's is
	inner atomic.Pointer[inside]
	hit   scope.User

	start         time.Time
	took          atomic.Int64 // duration in ns when it is over; 0 before
	last          string       // the route when it was over; written before took
	remote, agent string       // as they came: a handler may change its request

	id    [1]string    // as the answer's header wants it
	attrs [3]slog.Attr // the scope's own
}

// begin opens the scope, and sets the request id of the answer.
func begin(opts *Options, w http.ResponseWriter, r *http.Request) *request {
	q := &request{opts: opts, start: time.Now(), agent: r.UserAgent()}
	q.under = w
	q.remote = ident.Remote(r.RemoteAddr, nil)
	if opts.TrustForwarded {
		q.remote = ident.Remote(r.RemoteAddr, r.Header["X-Forwarded-For"])
	}
	q.id[0] = ident.RequestID(func(header string) []string { return r.Header[header] })
	w.Header()["X-Request-Id"] = q.id[:]
	path := ""
	if r.URL != nil {
		path = r.URL.Path
	}
	q.attrs = [...]slog.Attr{
		slog.String("method", ident.Clean(r.Method, maxMethod)),
		slog.String("path", ident.Clean(path, maxPath)),
		slog.String("request_id", q.id[0]),
	}
	q.scope = scope.OpenLate(r.Context(), q, q.attrs[:]...)
	q.r = r.WithContext(q.scope)
	q.shown = q.view()
	return q
}

// stop fixes what would change after the request, and what may be read only
// during it.
func (q *request) stop() {
	q.last = q.r.Pattern
	q.took.Store(max(1, int64(time.Since(q.start))))
}

// Late returns what alerts show.
func (q *request) Late(has func(key string) bool) []slog.Attr {
	attrs := make([]slog.Attr, 0, 6)
	text := func(key, s string, most int) {
		if s != "" && !has(key) {
			attrs = append(attrs, slog.String(key, ident.Clean(s, most)))
		}
	}
	if !has("user") { // or nobody need be asked
		text("user", q.hit.Shown(q.user), maxUser)
	}
	text("route", q.route(), maxRoute)
	if status := q.status.Load(); status != 0 && !has("status") {
		attrs = append(attrs, slog.Int("status", int(status)))
	}
	if !has("duration") {
		attrs = append(attrs, slog.Duration("duration", q.duration()))
	}
	text("remote_ip", q.remote, maxRemote)
	text("user_agent", q.agent, maxAgent)
	return attrs
}

func (q *request) duration() time.Duration {
	d := time.Duration(q.took.Load())
	if d == 0 {
		d = time.Since(q.start)
	}
	return d.Round(time.Microsecond)
}

// route is the pattern that matched. The router writes it without a lock, so it
// is read where it was last written only while the request runs, and from the
// copy afterwards. A goroutine started before the routing that logs an alert
// in that instant may still see half of it; no lock of ours could prevent that.
func (q *request) route() string {
	over := q.took.Load() != 0
	if in := q.inner.Load(); in != nil {
		if route := in.route(over); route != "" {
			return route
		}
	}
	if over {
		return q.last
	}
	return q.r.Pattern
}

// user asks nobody of an inner part that outlives the request: its router may
// be writing into what would be copied.
func (q *request) user() string {
	if in := q.inner.Load(); in != nil && (q.took.Load() == 0 || in.left.Load()) {
		if user := ask(in.user, in.r); user != "" {
			return user
		}
	}
	return ask(q.opts.User, q.r)
}

// User is who is counted as hit by an alert that doesn't say it.
func (q *request) User() string {
	return ident.Clean(q.hit.Counted(q.user), maxUser) // as the scope would have it
}

// ask asks without the scope: a User that logs an alert would be asked again
// for that one.
func ask(user func(*http.Request) string, r *http.Request) string {
	if user == nil {
		return ""
	}
	return scope.Ask(func() string { return user(r.WithContext(scope.Hidden(r.Context()))) })
}

// inside is the request as it passed a middleware mounted a second time.
type inside struct {
	r    *http.Request
	user func(*http.Request) string

	last     string           // the route when it came back
	panicked *unhandled.Panic // what ended it, if something did
	left     atomic.Bool      // written after both
	told     atomic.Bool      // that it panicked
}

func (q *request) enter(r *http.Request, user func(*http.Request) string) *inside {
	in := &inside{r: r, user: user}
	q.inner.Store(in)
	q.hit.Forget() // it may know better
	return in
}

// leave is deferred around the inner handler. Where the time for it is over,
// what stands between doesn't pass its panic on: it is told here.
func (in *inside) leave(q *request) {
	v := recover()
	in.last = in.r.Pattern
	if v == nil {
		in.left.Store(true)
		return
	}
	in.panicked = new(unhandled.Recovered(v))
	in.left.Store(true)
	if q.took.Load() != 0 || in.r.Context().Err() != nil {
		in.tell(q)
	}
	panic(v)
}

// tell alerts the panic, unless that was done.
func (in *inside) tell(q *request) {
	if p := *in.panicked; !in.told.Swap(true) {
		q.alertPanic("panic: ", &p)
	}
}

// ended is what is inside, once it has returned or panicked.
func (q *request) ended() *inside {
	if in := q.inner.Load(); in != nil && in.left.Load() {
		return in
	}
	return nil
}

// route is "" when the request is over and this part of it, say behind a
// http.TimeoutHandler, still runs.
func (in *inside) route(over bool) string {
	switch {
	case in.left.Load():
		return in.last
	case over:
		return ""
	}
	return in.r.Pattern
}

// context is the request's, as the router had it where that is known: what
// others put into it on the way shows in the records.
func (q *request) context() context.Context {
	if in := q.ended(); in != nil {
		return in.r.Context()
	}
	return q.r.Context()
}

// place says where the request went: the route that was added to the scope,
// else the one that matched, else the path with its ids made one sign.
func (q *request) place() string {
	route := ""
	for _, a := range scope.From(q.context()).Attrs() {
		if a.Key == "route" {
			route = ident.Clean(capture.Value(capture.Resolve(a.Value)), maxRoute)
		}
	}
	if route == "" {
		route = ident.Clean(q.route(), maxRoute)
	}
	if route == "" {
		route = ident.Clean(withoutIDs(q.attrs[1].Value.String()), maxRoute)
	}
	if strings.HasPrefix(route, "/") {
		return q.attrs[0].Value.String() + " " + route
	}
	return route
}

// statusText is a status as people know it.
func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return strconv.Itoa(status) + " " + text
	}
	return "status " + strconv.Itoa(status)
}

// withoutIDs is a path with "*" for each part that looks like the id of one
// thing: a number, three digits or more, a long word or a hexadecimal one with a
// digit, an address. What is left are as many texts as there are routes.
func withoutIDs(path string) string {
	var b strings.Builder
	for i, part := range strings.Split(path, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		if looksLikeID(part) {
			part = "*"
		}
		b.WriteString(part)
	}
	return b.String()
}

func looksLikeID(s string) bool {
	digits, hex := 0, true
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			digits++
		case c == '@':
			return true
		case c != '-' && (c|0x20 < 'a' || c|0x20 > 'f'):
			hex = false
		}
	}
	return digits > 0 && (digits == len(s) || digits >= 3 || len(s) >= 10 || hex && len(s) >= 6)
}
