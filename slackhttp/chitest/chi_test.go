// Package chitest runs the middleware with what the library itself doesn't
// need: the router chi, and a WebSocket library.
package chitest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/slackhttp"
)

// ward is a logger, and what it told.
type ward struct {
	t      *testing.T
	h      *slackalert.Handler
	log    *slog.Logger
	mu     sync.Mutex
	groups []slackalert.Group
}

func newWard(t *testing.T) *ward {
	w := &ward{t: t}
	h, err := slackalert.New(slog.NewJSONHandler(io.Discard, nil), &slackalert.Options{Sender: w})
	require.NoError(t, err)
	w.h, w.log = h, slog.New(h)
	t.Cleanup(func() { _ = h.Close() })
	return w
}

func (w *ward) Send(_ context.Context, b slackalert.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups = append(w.groups, b.Groups...)
	return nil
}

func (w *ward) one() slackalert.Group {
	w.t.Helper()
	require.NoError(w.t, w.h.Close())
	require.Len(w.t, w.groups, 1)
	return w.groups[0]
}

func field(g slackalert.Group, key string) (value string) {
	for _, f := range g.Fields {
		if f.Key == key {
			value += f.Value
		}
	}
	return value
}

// shop is a chi router with routes that end in every way, and with mw.
func shop(w *ward, mw ...func(http.Handler) http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(mw...)
	r.Route("/orders", func(r chi.Router) {
		r.Post("/{id}/pay", func(http.ResponseWriter, *http.Request) { panic("no till") })
		r.Get("/{id}", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) })
	})
	r.Get("/account", func(rw http.ResponseWriter, r *http.Request) {
		slackalert.Add(r.Context(), "user", "41")
		w.log.WarnContext(r.Context(), "token tampered with", "error_code", "AUTH-7")
		http.Error(rw, "who are you", http.StatusUnauthorized)
	})
	return r
}

// mounts are the ways to bring the two together, and whether the route is known.
var mounts = []struct {
	name  string
	mount func(w *ward, mw func(http.Handler) http.Handler) http.Handler
	route bool
}{
	{"over", func(w *ward, mw func(http.Handler) http.Handler) http.Handler { return mw(shop(w)) }, false},
	{"under", func(w *ward, mw func(http.Handler) http.Handler) http.Handler { return shop(w, mw) }, true},
	{"over and under", func(w *ward, mw func(http.Handler) http.Handler) http.Handler { return mw(shop(w, mw)) }, true},
	{"beside chi's own", func(w *ward, mw func(http.Handler) http.Handler) http.Handler {
		return shop(w, middleware.RequestID, mw, middleware.Compress(5), middleware.WithValue("a", "b"))
	}, false},
	{"outside and inside of chi's own", func(w *ward, mw func(http.Handler) http.Handler) http.Handler {
		return shop(w, mw, middleware.Compress(5), middleware.WithValue("a", "b"), mw)
	}, true},
}

func TestChi(t *testing.T) {
	for _, m := range mounts {
		for _, c := range []struct {
			method, path, route, code, message, user string
			status                                   int
		}{
			{"POST", "/orders/7/pay", "/orders/{id}/pay", "unhandled", "panic: no till", "", 500},
			{"GET", "/orders/7", "/orders/{id}", "unhandled", "502 Bad Gateway", "", 502},
			{"GET", "/account", "/account", "AUTH-7", "token tampered with", "41", 401},
		} {
			t.Run(m.name+" "+c.path, func(t *testing.T) {
				w := newWard(t)
				s := httptest.NewServer(m.mount(w, slackhttp.Middleware(&slackhttp.Options{Logger: w.log})))
				defer s.Close()
				req, err := http.NewRequest(c.method, s.URL+c.path, nil)
				require.NoError(t, err)
				resp, err := s.Client().Do(req)
				require.NoError(t, err)
				defer resp.Body.Close()
				assert.Equal(t, c.status, resp.StatusCode)
				g := w.one()
				assert.Equal(t, 1, g.Count)
				assert.Equal(t, c.code, g.Code)
				assert.True(t, strings.HasPrefix(g.Message, c.message), g.Message)
				assert.Equal(t, c.user, field(g, "user"))
				assert.Equal(t, c.path, field(g, "path"))
				assert.Equal(t, resp.Header.Get("X-Request-Id"), field(g, "request_id"))
				if m.route {
					assert.True(t, strings.HasSuffix(field(g, "route"), c.route), field(g, "route"))
				} else {
					assert.Empty(t, field(g, "route"))
				}
			})
		}
	}
}

func TestWebSocket(t *testing.T) {
	for _, m := range []struct {
		name  string
		mount func(mw func(http.Handler) http.Handler, f http.HandlerFunc) http.Handler
	}{
		{"alone", func(mw func(http.Handler) http.Handler, f http.HandlerFunc) http.Handler { return mw(f) }},
		{"with chi", func(mw func(http.Handler) http.Handler, f http.HandlerFunc) http.Handler {
			r := chi.NewRouter()
			r.Use(middleware.Compress(5), mw, middleware.Logger)
			r.Get("/", f)
			return r
		}},
	} {
		t.Run(m.name, func(t *testing.T) {
			w := newWard(t)
			done := make(chan struct{})
			echo := m.mount(slackhttp.Middleware(&slackhttp.Options{Logger: w.log}), func(rw http.ResponseWriter, r *http.Request) {
				conn, err := websocket.Accept(rw, r, nil)
				if !assert.NoError(t, err) {
					return
				}
				defer conn.CloseNow()
				for range 3 {
					kind, msg, err := conn.Read(r.Context())
					assert.NoError(t, err)
					assert.NoError(t, conn.Write(r.Context(), kind, msg))
				}
				slackalert.Add(r.Context(), "user", "41")
				_ = conn.Close(websocket.StatusNormalClosure, "")
				panic("behind the last frame")
			})
			s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				defer close(done) // nobody else waits for the owner of a hijacked connection
				echo.ServeHTTP(rw, r)
			}))
			defer s.Close()
			ctx := t.Context()
			conn, _, err := websocket.Dial(ctx, s.URL, nil)
			require.NoError(t, err)
			defer conn.CloseNow()
			for _, msg := range []string{"a", "b", strings.Repeat("c", 10_000)} {
				require.NoError(t, conn.Write(ctx, websocket.MessageText, []byte(msg)))
				_, back, err := conn.Read(ctx)
				require.NoError(t, err)
				assert.Equal(t, msg, string(back))
			}
			_, _, err = conn.Read(ctx)
			assert.Equal(t, websocket.StatusNormalClosure, websocket.CloseStatus(err))
			<-done
			g := w.one()
			assert.Equal(t, "panic: behind the last frame", g.Message)
			assert.Equal(t, "101", field(g, "status"))
			assert.Equal(t, "41", field(g, "user"))
		})
	}
}
