package slackhttp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/slackhttp"
)

// serve runs one request without a server.
func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	rw := httptest.NewRecorder()
	h.ServeHTTP(rw, r)
	return rw
}

func request() *http.Request { return httptest.NewRequest("GET", "/a", nil) }

func TestNilOptions(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	before := slog.Default()
	defer slog.SetDefault(before)
	h := slackhttp.Middleware(nil)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(1) }))
	slog.SetDefault(w.log) // later than Middleware, before the request
	rw := serve(h, request())
	assert.Equal(t, 500, rw.Code)
	g := w.one()
	assert.Equal(t, "unhandled", g.Code)
	assert.Equal(t, "panic: 1", g.Message)
}

func TestOptionsAreCopied(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	opts := &slackhttp.Options{Logger: w.log, Code: "BUG"}
	h := slackhttp.Middleware(opts)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(1) }))
	opts.Code = "changed"
	assert.JSONEq(t, `{"message":"internal server error","code":"BUG"}`, serve(h, request()).Body.String())
	assert.Equal(t, "BUG", w.one().Code)
}

type stringPanics struct{}

func (stringPanics) String() string { panic("no text") }

type errorPanics struct{}

func (*errorPanics) Error() string { panic("no text") }

func TestPanicValues(t *testing.T) {
	var none *struct{ n int }
	for _, c := range []struct {
		name  string
		panic func()
		msg   string
	}{
		{"text", func() { panic("out of stock") }, "panic: out of stock"},
		{"error", func() { panic(fmt.Errorf("charge: %w", errNoFunds)) }, "panic: charge: no funds"},
		{"nil pointer", func() { none.n++ }, "panic: runtime error: invalid memory address or nil pointer dereference"},
		{"nil", func() { panic(nil) }, "panic: " + new(runtime.PanicNilError).Error()},
		{"String panics", func() { panic(stringPanics{}) }, "panic: !PANIC: no text"},
		{"Error panics", func() { panic(&errorPanics{}) }, "panic: !PANIC: no text"},
		{"nil error of a type", func() { panic((*errorPanics)(nil)) }, "panic: <nil>"},
		{"not comparable", func() { panic([]int{1}) }, "panic: [1]"},
		{"huge", func() { panic(strings.Repeat("x", 1<<20)) }, "panic: " + strings.Repeat("x", 4096-len("panic: "))},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			rw := serve(w.wrap(slackhttp.Options{}, func(http.ResponseWriter, *http.Request) { c.panic() }), request())
			assert.Equal(t, 500, rw.Code)
			g := w.one()
			assert.True(t, strings.HasPrefix(g.Message, c.msg), g.Message[:min(len(g.Message), 200)])
			assert.Equal(t, "unhandled", g.Code)
			top, _, _ := strings.Cut(g.Stack, "\n")
			assert.Contains(t, top, "slackhttp_test.TestPanicValues.func")
			assert.Equal(t, top, g.Source.Function)
			assert.LessOrEqual(t, len(w.lines()[0]["msg"].(string)), 4200, "base is spared, too")
		})
	}
}

func TestOneAlertPerRequest(t *testing.T) {
	fail := func(rw http.ResponseWriter) { rw.WriteHeader(502) }
	for _, c := range []struct {
		name string
		do   func(log *slog.Logger, rw http.ResponseWriter, r *http.Request)
		want []string
	}{
		{"4xx", func(_ *slog.Logger, rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(499) }, nil},
		{"5xx", func(_ *slog.Logger, rw http.ResponseWriter, _ *http.Request) { fail(rw) }, []string{"502 Bad Gateway at GET /a"}},
		{"5xx without a name", func(_ *slog.Logger, rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(599) },
			[]string{"status 599 at GET /a"}},
		{"5xx after 103", func(_ *slog.Logger, rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(103); fail(rw) },
			[]string{"502 Bad Gateway at GET /a"}},
		{"5xx too late", func(_ *slog.Logger, rw http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(rw, "fine")
			fail(rw)
		}, nil},
		{"5xx with its alert", func(log *slog.Logger, rw http.ResponseWriter, r *http.Request) {
			log.ErrorContext(r.Context(), "gateway gone")
			fail(rw)
		}, []string{"gateway gone"}},
		{"5xx with an alert of an inner scope", func(log *slog.Logger, rw http.ResponseWriter, r *http.Request) {
			log.ErrorContext(slackalert.With(r.Context(), "part", "b"), "gateway gone")
			fail(rw)
		}, []string{"gateway gone"}},
		{"5xx with a warning", func(log *slog.Logger, rw http.ResponseWriter, r *http.Request) {
			log.WarnContext(r.Context(), "gateway slow")
			fail(rw)
		}, []string{"502 Bad Gateway at GET /a"}},
		{"panic after an alert", func(log *slog.Logger, rw http.ResponseWriter, r *http.Request) {
			log.ErrorContext(r.Context(), "gateway gone")
			panic("and now")
		}, []string{"gateway gone", "panic: and now"}},
		{"Goexit after a 5xx", func(_ *slog.Logger, rw http.ResponseWriter, _ *http.Request) {
			fail(rw)
			runtime.Goexit()
		}, []string{"502 Bad Gateway at GET /a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			h := w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, r *http.Request) { c.do(w.log, rw, r) })
			var wg sync.WaitGroup
			wg.Go(func() { serve(h, request()) }) // Goexit ends a goroutine
			wg.Wait()
			var got []string
			for _, g := range w.told() {
				got = append(got, g.Message)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestRespond(t *testing.T) {
	json := `{"message":"internal server error","code":"unhandled"}`
	for _, c := range []struct {
		name    string
		respond func(http.ResponseWriter, *http.Request, string)
		status  int
		body    string
		alerts  int
		aborts  bool
	}{
		{"default", nil, 500, json, 1, false},
		{"own", func(w http.ResponseWriter, r *http.Request, code string) {
			http.Error(w, r.URL.Path+" "+code, http.StatusServiceUnavailable)
		}, 503, "/a unhandled\n", 1, false},
		{"says nothing", func(http.ResponseWriter, *http.Request, string) {}, 500, "", 1, false},
		{"panics", func(http.ResponseWriter, *http.Request, string) { panic("again") }, 500, json, 2, false},
		{"panics halfway", func(w http.ResponseWriter, _ *http.Request, _ string) {
			_, _ = io.WriteString(w, "half")
			panic("again")
		}, 200, "half", 2, true},
		{"aborts", func(http.ResponseWriter, *http.Request, string) { panic(http.ErrAbortHandler) }, 200, "", 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			h := w.wrap(slackhttp.Options{Respond: c.respond}, func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Length", "4711")
				rw.Header().Set("Content-Encoding", "gzip")
				rw.Header().Set("Cache-Control", "max-age=3600")
				rw.Header().Set("Set-Cookie", "a=b")
				panic("first")
			})
			rw := httptest.NewRecorder()
			serve := func() { h.ServeHTTP(rw, request()) }
			if c.aborts {
				assert.PanicsWithValue(t, http.ErrAbortHandler, serve)
			} else {
				assert.NotPanics(t, serve)
			}
			assert.Equal(t, c.status, rw.Code)
			assert.Equal(t, c.body, rw.Body.String())
			for _, gone := range []string{"Content-Length", "Content-Encoding", "Cache-Control"} {
				assert.Empty(t, rw.Header().Get(gone))
			}
			assert.Equal(t, "a=b", rw.Header().Get("Set-Cookie"))
			groups := w.told()
			require.Len(t, groups, c.alerts)
			assert.Equal(t, "panic: first", groups[len(groups)-1].Message)
			if c.alerts == 2 {
				assert.Equal(t, "panic in Respond: again", groups[0].Message)
			}
		})
	}
}

// relay is another middleware's wrapper.
type relay struct{ http.ResponseWriter }

func (w relay) WriteHeader(status int) { w.ResponseWriter.WriteHeader(status) }

func fails(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) }

// The source of a status is the line of the program that set it: not the
// standard library's, not a library's, and not a middleware's around it.
func TestSourceOfAStatus(t *testing.T) {
	for _, c := range []struct {
		name, want string
		do         http.HandlerFunc
	}{
		{"set", ".fails", fails},
		{"through a wrapper and the library", "TestSourceOfAStatus.func1", func(rw http.ResponseWriter, _ *http.Request) {
			http.Error(relay{rw}, "x", 500)
		}},
		{"by the library alone", "", timeout(t)},
		{"behind a router of the library", ".fails", func() http.HandlerFunc {
			mux := http.NewServeMux()
			mux.Handle("/", http.StripPrefix("", http.HandlerFunc(fails)))
			return mux.ServeHTTP
		}()},
		{"by a testing library", "TestSourceOfAStatus.func3", func(rw http.ResponseWriter, r *http.Request) {
			assert.HTTPStatusCode(sunk{}, func(_ http.ResponseWriter, r *http.Request) { rw.WriteHeader(500) }, "GET", "/", nil, 500)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			around := w.wrap(slackhttp.Options{}, c.do)
			serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { around.ServeHTTP(rw, r) }), request())
			g := w.one()
			if c.want == "" {
				assert.Nil(t, g.Source)
				return
			}
			require.NotNil(t, g.Source)
			assert.True(t, strings.Contains(g.Source.Function, c.want), g.Source.Function)
		})
	}
}

// timeout answers each request with a 503: what it waits for goes on until the
// test is over.
func timeout(t *testing.T) http.HandlerFunc {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	return http.TimeoutHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }), 0, "").ServeHTTP
}

// sunk is a test that fails unheard.
type sunk struct{}

func (sunk) Errorf(string, ...any) {}

// Where no route is known, another address is another group, and another id isn't.
func TestStatusWithoutARoute(t *testing.T) {
	const uuid = "/orders/0b5e3a2c-7f7a-4a4b-9a53-5a1b0f0a1c2d"
	w := newWard(t, slackalert.Options{})
	h := w.wrap(slackhttp.Options{}, timeout(t))
	for _, r := range []struct{ method, path string }{
		{"GET", "/orders/7"}, {"GET", "/orders/8"}, {"GET", uuid}, {"GET", "/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV"}, {"GET", "/orders/ch_3MmlLrLkdIwHu7ix"},
		{"POST", "/orders/7"}, {"GET", "/orders/7/items"}, {"GET", "/v1/orders/7"}, {"GET", "/v2/orders/7"}, {"GET", "/orders/ann@shop.example"}, {"GET", "/orders"},
	} {
		serve(h, httptest.NewRequest(r.method, r.path, nil))
	}
	got := map[string]int{}
	for _, g := range w.told() {
		got[strings.TrimPrefix(g.Message, "503 Service Unavailable at ")] = g.Count
	}
	assert.Equal(t, map[string]int{"GET /orders/*": 6, "POST /orders/*": 1, "GET /orders/*/items": 1,
		"GET /v1/orders/*": 2, "GET /orders": 1}, got, "v1 and v2 are one sign and a letter")
}

func TestStatusWithARoute(t *testing.T) {
	for _, c := range []struct {
		name string
		add  []any
		want string
	}{
		{"of a router", []any{"route", "/orders/:id"}, "GET /orders/:id"},
		{"with its method", []any{"route", "GET /orders/{id}"}, "GET /orders/{id}"},
		{"a name", []any{"route", slog.AnyValue(named{})}, "orders.show"},
		{"empty", []any{"route", ""}, "GET /orders/*"},
		{"hostile", []any{"route", "/\n" + strings.Repeat("a", 1000)}, "GET /\uFFFD" + strings.Repeat("a", 254) + "… (+746 bytes)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			h := w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, r *http.Request) {
				slackalert.Add(r.Context(), c.add...)
				fails(rw, r)
			})
			serve(h, httptest.NewRequest("GET", "/orders/7", nil))
			assert.Equal(t, "500 Internal Server Error at "+c.want, w.one().Message)
		})
	}
}

type named struct{}

func (named) LogValue() slog.Value { return slog.StringValue("orders.show") }

func TestInvalidStatusIsNoAnswer(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	rw := serve(w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(99) }), request())
	assert.Equal(t, 500, rw.Code)
	g := w.one()
	assert.Contains(t, g.Message, "invalid WriteHeader code 99")
	assert.Contains(t, g.Source.Function, "TestInvalidStatusIsNoAnswer", "not the writer that passed it on")
}

func TestUser(t *testing.T) {
	for _, c := range []struct {
		name  string
		user  func(*http.Request) string
		add   string
		want  string
		asked int
	}{
		{"known", func(r *http.Request) string { return r.Header.Get("X-User") }, "", "ann", 1},
		{"unknown", func(*http.Request) string { return "" }, "", "", 1},
		{"added", func(*http.Request) string { return "ann" }, "41", "41", 0},
		{"panics", func(*http.Request) string { panic("no session") }, "", "!PANIC: no session", 1},
		{"hostile", func(*http.Request) string { return "a\nb\u202e" + strings.Repeat("c", 1000) }, "",
			"a\uFFFDb\uFFFD" + strings.Repeat("c", 250) + "… (+750 bytes)", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			asked := 0
			h := w.wrap(slackhttp.Options{User: func(r *http.Request) string { asked++; return c.user(r) }},
				func(rw http.ResponseWriter, r *http.Request) {
					w.log.InfoContext(r.Context(), "nobody is asked for this")
					assert.Zero(t, asked)
					if c.add != "" {
						slackalert.Add(r.Context(), "user", c.add)
					}
					w.log.ErrorContext(r.Context(), "an alert")
				})
			r := request()
			r.Header.Set("X-User", "ann")
			serve(h, r)
			assert.Equal(t, c.want, field(t, w.one(), "user"))
			assert.Equal(t, c.asked, asked)
			assert.NotContains(t, w.lines()[0], "user")
		})
	}
}

// A request that fails again and again asks who is hit until it is known.
func TestUserIsAskedUntilItIsKnown(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	asked, name := 0, ""
	serve(w.wrap(slackhttp.Options{User: func(*http.Request) string { asked++; return name }}, func(_ http.ResponseWriter, r *http.Request) {
		for range 10 {
			w.log.ErrorContext(r.Context(), "before the session is read")
		}
		assert.Equal(t, 10, asked, "once each")
		name = "ann"
		for range 10 {
			w.log.ErrorContext(r.Context(), "behind it")
		}
		assert.Equal(t, 11, asked)
	}), request())
	users := map[string]string{}
	for _, g := range w.told() {
		users[g.Message] = fmt.Sprint(g.Users, field(t, g, "user"))
	}
	assert.Equal(t, map[string]string{"before the session is read": "0", "behind it": "1ann"}, users)
}

// A User that logs an alert isn't asked again for that one.
func TestUserThatLogs(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	asked := 0
	h := w.wrap(slackhttp.Options{User: func(r *http.Request) string {
		asked++
		w.log.ErrorContext(r.Context(), "session store is gone")
		return ""
	}}, func(http.ResponseWriter, *http.Request) { panic(1) })
	serve(h, request())
	assert.Len(t, w.told(), 2)
	assert.LessOrEqual(t, asked, 2, "for base and for Slack")
}

func TestAddedTakesThePlaceOfOurs(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	serve(w.wrap(slackhttp.Options{}, func(_ http.ResponseWriter, r *http.Request) {
		slackalert.Add(r.Context(), "remote_ip", "198.51.100.7", "route", "own", "path", "/b")
		panic(1)
	}), request())
	g := w.one()
	assert.Equal(t, "198.51.100.7", field(t, g, "remote_ip"))
	assert.Equal(t, "own", field(t, g, "route"))
	assert.Equal(t, "/b", field(t, g, "path"))
}

func TestMountedTwice(t *testing.T) {
	type userKey struct{}
	for _, c := range []struct {
		name  string
		do    http.HandlerFunc
		route string
	}{
		{"panic", func(http.ResponseWriter, *http.Request) { panic("once") }, "GET /a/{id}"},
		{"5xx", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) }, "GET /a/{id}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			mux := http.NewServeMux()
			mux.HandleFunc("GET /a/{id}", c.do)
			inner := w.wrap(slackhttp.Options{Code: "INNER", User: func(r *http.Request) string {
				user, _ := r.Context().Value(userKey{}).(string)
				return user
			}}, mux.ServeHTTP)
			outer := w.wrap(slackhttp.Options{Code: "OUTER", User: func(*http.Request) string { return "outer" }},
				func(rw http.ResponseWriter, r *http.Request) { // an authentication, say
					inner.ServeHTTP(rw, r.WithContext(context.WithValue(r.Context(), userKey{}, "ann")))
				})
			rw := serve(outer, httptest.NewRequest("GET", "/a/1", nil))
			assert.Len(t, rw.Header()["X-Request-Id"], 1)
			g := w.one()
			assert.Equal(t, "OUTER", g.Code)
			assert.Equal(t, "ann", field(t, g, "user"))
			assert.Equal(t, c.route, field(t, g, "route"))
			assert.Equal(t, rw.Header().Get("X-Request-Id"), field(t, g, "request_id"))
		})
	}
}

// A request that a handler makes of its own, with its context, is another one.
func TestARequestWithinARequest(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	mux := http.NewServeMux()
	h := w.wrap(slackhttp.Options{}, mux.ServeHTTP)
	mux.HandleFunc("GET /stock/{id}", func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(503) })
	mux.HandleFunc("POST /batch", func(rw http.ResponseWriter, r *http.Request) {
		one := httptest.NewRequestWithContext(r.Context(), "GET", "/stock/7", nil)
		assert.Equal(t, 503, serve(h, one).Code)
		w.log.WarnContext(r.Context(), "one failed", "error_code", "E1")
	})
	serve(h, httptest.NewRequest("POST", "/batch", nil))
	groups := w.told()
	require.Len(t, groups, 2)
	assert.Equal(t, "503 Service Unavailable at GET /stock/{id}", groups[0].Message)
	assert.Equal(t, "/stock/7", field(t, groups[0], "path"))
	assert.Equal(t, "POST /batch", field(t, groups[1], "route"))
}

// What outlives a request may go on logging, and finds what the request was.
func TestOutlives(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	over, done := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	var late context.Context
	mux.HandleFunc("GET /a", func(rw http.ResponseWriter, r *http.Request) {
		rw.WriteHeader(http.StatusAccepted)
		late = r.Context()
		go func() {
			defer close(done)
			<-over
			r.Pattern = "of another server"
			w.log.ErrorContext(r.Context(), "mail not sent")
		}()
	})
	r := request()
	serve(w.wrap(slackhttp.Options{}, mux.ServeHTTP), r)
	r.Header.Set("User-Agent", "of the next request")
	close(over)
	<-done
	g := w.one()
	assert.Equal(t, "202", field(t, g, "status"))
	assert.Equal(t, "GET /a", field(t, g, "route"))
	assert.Empty(t, field(t, g, "user_agent"))
	// Its context serves a request of its own.
	w2 := newWard(t, slackalert.Options{})
	serve(w2.wrap(slackhttp.Options{}, func(http.ResponseWriter, *http.Request) { panic("inner") }), r.WithContext(late))
	assert.Equal(t, "panic: inner", w2.one().Message)
}

// Goroutines of one request log while its handler writes.
func TestManyGoroutines(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	h := w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, r *http.Request) {
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for j := range 5 {
					slackalert.Add(r.Context(), fmt.Sprint("key", i), j)
					w.log.ErrorContext(r.Context(), "kind "+string(rune('a'+i))+string(rune('a'+j)))
				}
			})
		}
		for range 100 {
			_, _ = io.WriteString(rw, "x")
			r.Header.Set("User-Agent", "changed")
		}
		wg.Wait()
	})
	serve(h, request())
	assert.Len(t, w.told(), 20)
}

// requestWith is one with header lines.
func requestWith(lines ...string) *http.Request {
	r := request()
	for i := 0; i < len(lines); i += 2 {
		r.Header.Add(lines[i], lines[i+1])
	}
	return r
}

func TestRequestID(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	const fresh = ""
	parent := "00-" + trace + "-00f067aa0ba902b7-01"
	for _, c := range []struct {
		name   string
		header []string
		want   string
	}{
		{"none", nil, fresh},
		{"own", []string{"X-Request-Id", "f3:a/b+c=_~.@|;-1", "Traceparent", parent}, "f3:a/b+c=_~.@|;-1"},
		{"longest", []string{"X-Request-Id", strings.Repeat("a", 128)}, strings.Repeat("a", 128)},
		{"too long", []string{"X-Request-Id", strings.Repeat("a", 129)}, fresh},
		{"empty", []string{"X-Request-Id", ""}, fresh},
		{"a space", []string{"X-Request-Id", "a b"}, fresh},
		{"a list", []string{"X-Request-Id", "a,b"}, fresh},
		{"a new line", []string{"X-Request-Id", "a\r\nSet-Cookie: x"}, fresh},
		{"markup", []string{"X-Request-Id", "<!channel>"}, fresh},
		{"not ASCII", []string{"X-Request-Id", "é"}, fresh},
		{"two", []string{"X-Request-Id", "a", "X-Request-Id", "b"}, fresh},
		{"two, and a trace", []string{"X-Request-Id", "a", "X-Request-Id", "b", "Traceparent", parent}, trace},
		{"Amazon's", []string{"X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678", "Traceparent", parent},
			"1-67891233-abcdef012345678912345678"},
		{"Amazon's, with more", []string{"X-Amzn-Trace-Id", "Self=1-1-2; Root=1-67891233-abcdef012345678912345678;Sampled=1"},
			"1-67891233-abcdef012345678912345678"},
		{"Amazon's, without root", []string{"X-Amzn-Trace-Id", "Self=1-1-2"}, fresh},
		{"Amazon's, long", []string{"X-Amzn-Trace-Id", strings.Repeat("Self=1;", 100) + "Root=1-2"}, fresh},
		{"Amazon's, hostile", []string{"X-Amzn-Trace-Id", "Root=<a>", "Traceparent", parent}, trace},
		{"trace", []string{"Traceparent", parent}, trace},
		{"later trace", []string{"Traceparent", "01" + parent[2:] + "-more"}, trace},
		{"trace, too long", []string{"Traceparent", parent + "-more"}, fresh},
		{"trace, cut", []string{"Traceparent", parent[:54]}, fresh},
		{"trace of no version", []string{"Traceparent", "ff" + parent[2:]}, fresh},
		{"trace of zeros", []string{"Traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"}, fresh},
		{"trace of no parent", []string{"Traceparent", "00-" + trace + "-0000000000000000-01"}, fresh},
		{"trace, upper case", []string{"Traceparent", strings.ToUpper(parent)}, fresh},
		{"trace, no hex", []string{"Traceparent", strings.Replace(parent, "4bf", "xyz", 1)}, fresh},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			rw := serve(w.wrap(slackhttp.Options{}, func(_ http.ResponseWriter, r *http.Request) {
				w.log.ErrorContext(r.Context(), "an alert")
			}), requestWith(c.header...))
			require.Len(t, rw.Header()["X-Request-Id"], 1)
			id := rw.Header().Get("X-Request-Id")
			if c.want == fresh {
				assert.Regexp(t, "^[0-9a-f]{32}$", id)
				assert.NotContains(t, fmt.Sprint(c.header), id)
			} else {
				assert.Equal(t, c.want, id)
			}
			assert.Equal(t, id, field(t, w.one(), "request_id"))
			assert.Equal(t, id, w.lines()[0]["request_id"])
		})
	}
}

func TestNewRequestIDsDiffer(t *testing.T) {
	seen := map[string]bool{}
	h := slackhttp.Middleware(nil)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for range 1000 {
		seen[serve(h, request()).Header().Get("X-Request-Id")] = true
	}
	assert.Len(t, seen, 1000)
}

func TestRemoteAddress(t *testing.T) {
	const peer = "192.0.2.1" // httptest's
	for _, c := range []struct {
		name  string
		trust bool
		lines []string
		want  string
	}{
		{"not asked for", false, []string{"198.51.100.7"}, peer},
		{"none", true, nil, peer},
		{"one", true, []string{"198.51.100.7"}, "198.51.100.7"},
		{"spoofed chain", true, []string{"10.0.0.1, 127.0.0.1, 198.51.100.7"}, "198.51.100.7"},
		{"spoofed lines", true, []string{"10.0.0.1", "127.0.0.1,198.51.100.7"}, "198.51.100.7"},
		{"IPv6", true, []string{"2001:db8::1"}, "2001:db8::1"},
		{"with ports", true, []string{"198.51.100.7:4711"}, "198.51.100.7"},
		{"IPv6 with a port", true, []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"a zone", true, []string{"fe80::1%<!channel>"}, "fe80::1"},
		{"a long zone", true, []string{"fe80::1%" + strings.Repeat("a", 10_000)}, peer},
		{"a name", true, []string{"unknown"}, peer},
		{"an end left open", true, []string{"198.51.100.7, "}, peer},
		{"long", true, []string{"198.51.100.7, " + strings.Repeat("1", 10_000)}, peer},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			r := request()
			r.Header["X-Forwarded-For"] = c.lines
			serve(w.wrap(slackhttp.Options{TrustForwarded: c.trust}, func(http.ResponseWriter, *http.Request) { panic(1) }), r)
			assert.Equal(t, c.want, field(t, w.one(), "remote_ip"))
		})
	}
}

func TestHostileRequest(t *testing.T) {
	const secret = "0123456789"
	for _, c := range []struct {
		name   string
		change func(r *http.Request)
		key    string
		want   string
	}{
		{"user agent of 10 kB", func(r *http.Request) { r.Header.Set("User-Agent", strings.Repeat("a", 10_000)) },
			"user_agent", strings.Repeat("a", 256) + "… (+9744 bytes)"},
		{"control characters in the user agent", func(r *http.Request) { r.Header.Set("User-Agent", "a\x00\r\n\x1b[31m\u202eb\u2028") },
			"user_agent", "a\uFFFD\uFFFD\uFFFD\uFFFD[31m\uFFFDb\uFFFD"},
		{"bytes that are no text", func(r *http.Request) { r.Header.Set("User-Agent", "a\xff\xfeb") },
			"user_agent", "a\uFFFDb"},
		{"path of 8 kB", func(r *http.Request) { r.URL.Path = "/" + strings.Repeat("p", 8191) },
			"path", "/" + strings.Repeat("p", 511) + "… (+7680 bytes)"},
		{"control characters in the path", func(r *http.Request) { r.URL.Path = "/a\n{\"level\":\"INFO\"}" },
			"path", "/a\uFFFD{\"level\":\"INFO\"}"},
		{"path in Korean", func(r *http.Request) { r.URL.Path = "/주문" }, "path", "/주문"},
		{"cut within a rune", func(r *http.Request) { r.URL.Path = "/a" + strings.Repeat("주", 200) },
			"path", "/a" + strings.Repeat("주", 170) + "… (+90 bytes)"},
		{"long method", func(r *http.Request) { r.Method = strings.Repeat("M", 1000) },
			"method", strings.Repeat("M", 32) + "… (+968 bytes)"},
		{"no URL", func(r *http.Request) { r.URL = nil }, "path", ""},
		{"no header", func(r *http.Request) { r.Header = nil }, "user_agent", ""},
		{"socket", func(r *http.Request) { r.RemoteAddr = "@" }, "remote_ip", "@"},
		{"headers and body", func(r *http.Request) {
			r.Header.Set("Authorization", secret)
			r.Header.Set("Cookie", secret)
			r.Header.Set("X-Other", secret)
			r.URL.RawQuery = secret
			r.Body = body{t, strings.NewReader(secret)}
		}, "method", "GET"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			r := request()
			c.change(r)
			serve(w.wrap(slackhttp.Options{}, func(http.ResponseWriter, *http.Request) { panic("here") }), r)
			g := w.one()
			assert.Equal(t, c.want, field(t, g, c.key))
			assert.NotContains(t, fmt.Sprint(g.Fields), secret)
			lines := w.lines()
			require.Len(t, lines, 1, "one record is one line")
			for key, v := range lines[0] {
				if s, ok := v.(string); ok && key != "stack" && key != "msg" {
					assert.LessOrEqual(t, len(s), 600)
					assert.NotContains(t, s, secret)
					assert.False(t, strings.ContainsFunc(s, unicode.IsControl), "%q", s)
				}
			}
		})
	}
}

// body fails a test that reads it.
type body struct {
	t *testing.T
	io.Reader
}

func (b body) Read(p []byte) (int, error) {
	b.t.Error("the body was read")
	return b.Reader.Read(p)
}
func (b body) Close() error { return nil }

// off is a handler that wants nothing.
type off struct{ slog.Handler }

func (off) Enabled(context.Context, slog.Level) bool { return false }

// A logger that wants nothing gets nothing, and the answer is still given.
func TestLoggerOff(t *testing.T) {
	var out bytes.Buffer
	h := slackhttp.Middleware(&slackhttp.Options{
		Logger: slog.New(off{slog.NewJSONHandler(&out, nil)}),
		User:   func(*http.Request) string { t.Error("the user was asked for"); return "" },
	})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errors.New("x")) }))
	assert.Equal(t, 500, serve(h, request()).Code)
	assert.Empty(t, out.String())
}

// Any handler may be behind the logger.
func TestForeignLogger(t *testing.T) {
	var out bytes.Buffer
	h := slackhttp.Middleware(&slackhttp.Options{Logger: slog.New(slog.NewJSONHandler(&out, nil))})(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errors.New("x")) }))
	serve(h, request())
	assert.Contains(t, out.String(), `"level":"ERROR+4","msg":"panic: x","error_code":"unhandled","error":"x","stack":"`)
}

func TestDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, slackalert.Options{})
		over := make(chan struct{})
		serve(w.wrap(slackhttp.Options{}, func(_ http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Second)
			w.log.ErrorContext(r.Context(), "within")
			go func() {
				<-over
				w.log.ErrorContext(r.Context(), "behind")
			}()
			time.Sleep(1500 * time.Microsecond)
		}), request())
		time.Sleep(time.Hour)
		close(over)
		synctest.Wait()
		groups := w.told()
		require.Len(t, groups, 2)
		assert.Equal(t, "2s", field(t, groups[0], "duration"))
		assert.Equal(t, "2.0015s", field(t, groups[1], "duration"), "of the whole request")
	})
}
