// Package slackhttp tells Slack who, where and what of the requests of a
// net/http server: every alert logged with a request's context shows them, a
// panic becomes an alert, and so does a 5xx about which nothing was logged.
//
//	alerts, err := slackalert.New(slog.NewJSONHandler(os.Stdout, nil), &slackalert.Options{ … })
//	…
//	slog.SetDefault(slog.New(alerts))
//	http.ListenAndServe(addr, slackhttp.Middleware(nil)(mux))
//
// # What a request carries
//
// The middleware opens a scope, as slackalert.With does. Handlers log with
// the request's context, and add to its scope what they find out; everybody who
// holds a context of the request shows it from then on, the middleware too:
//
//	slackalert.Add(r.Context(), "user", claims.Subject)
//	slog.ErrorContext(r.Context(), "payment failed", "error", err)
//
// In the base's lines stand, at the top level, the few that find the others:
//
//	method      of the request
//	path        without the query, up to 512 bytes
//	request_id  see below
//
// An alert shows besides, as they are when it is made:
//
//	user        from Options.User, if it knows
//	route       the pattern that matched, if the request was routed
//	status      if the answer has begun
//	duration    since the request came, or of the whole request when it is over
//	remote_ip   of the connection, or of X-Forwarded-For with Options.TrustForwarded
//	user_agent  up to 256 bytes
//
// What was added to the scope under one of these keys takes its place. Control
// characters become U+FFFD, and what is cut says so. Of the headers only those
// named on this page are read, and of the body nothing.
//
// # What becomes an alert
//
// A panic is answered by Options.Respond, then logged at ERROR+4 with
// Options.Code, its error, and the stack of where it panicked. Where the answer had
// begun, nothing is added to it: the connection is cut with
// [http.ErrAbortHandler], as net/http would have done, so that no client takes
// half an answer for a whole one. A hijacked connection is left alone. [http.ErrAbortHandler] itself passes
// and is no alert; so does [runtime.Goexit].
//
// A status of 500 and above is logged at ERROR with Options.Code, unless an
// alert was logged with the request's context, or one made from it. Its source
// is the line that set the status. Both records carry in the base, too, what an
// alert shows.
//
// # Request id
//
// The first of these that is there exactly once and well-formed: X-Request-Id
// (up to 128 letters, digits and -._~:/+=@|;), the Root of X-Amzn-Trace-Id, the
// trace id of a W3C traceparent. Else it is 32 random hex digits. It is set as
// X-Request-Id of the answer before the handler runs.
//
// # Where to mount it
//
// Outside everything whose panics it should tell. The route is known to the
// request that was routed: if a middleware between this one and the router
// passes on a copy of the request ([http.Request.WithContext]), mount this one
// a second time, right around the router (with chi: r.Use). The outer one does
// the work; the inner one only tells it the route, and its Options.User, which
// sees the request as it is there, is asked first. So, too, behind a
// [http.TimeoutHandler], which keeps the stack of a panic to itself, and one
// that comes too late altogether: the inner one has both.
//
// Flush, Hijack, ReadFrom, Push and CloseNotify of the server's ResponseWriter
// are there where they are without the middleware, by type assertion and by
// [http.ResponseController]: WebSockets, server-sent events and sendfile work.
package slackhttp

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"example.com/slackalert/internal/scope"
	"example.com/slackalert/internal/unhandled"
)

// Options says what the middleware tells and answers. The zero value of a field
// is its default. Its functions may be called from many goroutines.
type Options struct {
	// Logger takes the records of panics and unlogged 5xx. Default
	// slog.Default(), at the time of the request. Only alerts of a
	// slackalert.Handler count as logged: with another one every 5xx is told.
	Logger *slog.Logger

	// Code is that of panics and unlogged 5xx; default "unhandled".
	Code string

	// User says who makes the request; "" = unknown. It is asked when an alert
	// is made, until it is known, in the goroutine that logs it, which may
	// outlive the request, and not if the scope has a "user". Different users
	// are counted by it. A panic in it is shown as the user. What it
	// logs with the request's context is outside the request's scope.
	User func(*http.Request) string

	// TrustForwarded takes the remote address from the right end of
	// X-Forwarded-For: the address that the proxy nearest to this server saw.
	// All left of it is what a client may have made up. Only behind a proxy of
	// yours, or clients choose what they are called; behind two, add your own
	// "remote_ip" to the scope. Without a valid address there it is the
	// connection's.
	TrustForwarded bool

	// Respond is the answer to a panic; default 500
	// {"message":"internal server error","code":"unhandled"}. It isn't called
	// when the answer has begun. If it writes nothing the answer is an empty
	// 500; if it panics that is an alert too, and the answer is the default one.
	// Headers that told of the body that didn't come are gone when it is called.
	Respond func(w http.ResponseWriter, r *http.Request, code string)
}

// Middleware returns what wraps a handler. Nil opts are defaults; opts are
// copied. It may wrap many handlers, and each serves many requests at once.
func Middleware(opts *Options) func(http.Handler) http.Handler {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Code == "" {
		o.Code = unhandled.Code
	}
	if o.Respond == nil {
		o.Respond = respond
	}
	return func(next http.Handler) http.Handler {
		return &handler{&o, next}
	}
}

type handler struct {
	*Options
	next http.Handler
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s := scope.From(r.Context()); s != nil {
		if q := around(s, r); q != nil {
			in := q.enter(r, h.User)
			defer in.leave(q)
			h.next.ServeHTTP(w, r)
			return
		}
	}
	q := begin(h.Options, w, r)
	defer q.end()
	h.next.ServeHTTP(q.shown, q.r)
}

// around returns the request that the scope is part of, if it runs and r is the
// same: routers change its path and copy it, but leave what the client asked for.
// Another one, of a batch that a handler serves in its own process, is its own.
func around(s *scope.Scope, r *http.Request) (q *request) {
	s.Outer(func(l scope.Later) bool {
		q, _ = l.(*request)
		return q != nil
	})
	if q != nil && (q.took.Load() != 0 || q.r.RequestURI != r.RequestURI) {
		return nil
	}
	return q
}

// end is deferred around the handler. On Goexit it finds no panic.
func (q *request) end() {
	v := recover()
	q.stop()
	switch {
	case v == http.ErrAbortHandler:
		panic(v)
	case v != nil:
		q.panicked(v)
		return
	}
	if in := q.ended(); in != nil && in.panicked != nil && errors.Is(in.r.Context().Err(), context.DeadlineExceeded) {
		in.tell(q) // it panicked in time, and the time-out answered all the same
	}
	if q.status.Load() >= http.StatusInternalServerError && !q.scope.Alerted() {
		q.failed()
	}
}

// panicked answers and alerts, in this order, so that the alert knows the
// status. It is called while the panic's frames stand.
func (q *request) panicked(v any) {
	cut := q.status.Load() != 0
	defer func(p unhandled.Panic) {
		q.alertPanic("panic: ", &p)
		if cut && !q.hijacked.Load() {
			panic(http.ErrAbortHandler)
		}
	}(q.recovered(v))
	if !cut && !q.hijacked.Load() {
		cut = !q.answer()
	}
}

// recovered is a panic with the stack of where it began, although http.TimeoutHandler
// carried it here from another goroutine.
func (q *request) recovered(v any) unhandled.Panic {
	p := unhandled.Recovered(v)
	if in := q.ended(); in != nil && in.panicked != nil {
		first := *in.panicked
		first.Told = first.Told || in.told.Load()
		p.Carried(&first)
	}
	return p
}

// answer asks Respond, and reports whether the client has a whole answer.
func (q *request) answer() (whole bool) {
	for _, key := range ofBody {
		q.under.Header().Del(key)
	}
	defer func() {
		v := recover()
		if v == http.ErrAbortHandler {
			return
		}
		if v != nil {
			p := unhandled.Recovered(v)
			q.alertPanic("panic in Respond: ", &p)
		}
		began := q.status.Load() != 0 || q.hijacked.Load()
		whole = v == nil || !began
		switch {
		case began:
		case v != nil:
			respond(q.shown, q.r, q.opts.Code)
		default:
			q.WriteHeader(http.StatusInternalServerError)
		}
	}()
	q.opts.Respond(q.shown, q.r, q.opts.Code)
	return
}

// ofBody are the headers that tell of a body, or how long it may be kept.
var ofBody = []string{"Content-Length", "Content-Encoding", "Content-Range", "Content-Disposition", "Content-Type",
	"Etag", "Last-Modified", "Cache-Control", "Expires", "Trailer", "Transfer-Encoding"}

// respond is the default of Options.Respond.
func respond(w http.ResponseWriter, _ *http.Request, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusInternalServerError)
	body, _ := json.Marshal(struct { // two strings: it can't fail
		Message string `json:"message"`
		Code    string `json:"code"`
	}{"internal server error", code})
	_, _ = w.Write(body) // the client is gone
}

// alertPanic logs a panic.
func (q *request) alertPanic(what string, p *unhandled.Panic) {
	if h := q.logger(unhandled.PanicLevel); h != nil {
		p.Log(q.context(), h, what, q.opts.Code)
	}
}

// failed alerts a status that nobody explained. Without a route the path stands
// for it, its ids made one sign: else all addresses were one group, or each one.
func (q *request) failed() {
	if h := q.logger(slog.LevelError); h != nil {
		unhandled.Log(q.context(), h, q.opts.Code, statusText(int(q.status.Load()))+" at "+q.place(), q.where)
	}
}

// logger is the handler to log with; nil = nobody wants the level. What alerts
// show of the request is added to the scope then, so that the base has it too.
func (q *request) logger(level slog.Level) slog.Handler {
	h := unhandled.Handler(q.opts.Logger)
	if !h.Enabled(q.context(), level) {
		return nil
	}
	q.scope.Add(q.Late(q.scope.Has)...)
	return h
}
