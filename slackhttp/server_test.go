package slackhttp_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/slackhttp"
)

var errNoFunds = errors.New("no funds")

// shop answers in all the ways there are.
func shop(w *ward) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(rw http.ResponseWriter, r *http.Request) {
		w.log.InfoContext(r.Context(), "order shown")
		_, _ = io.WriteString(rw, "order "+r.PathValue("id"))
	})
	mux.HandleFunc("POST /pay/{id}", func(http.ResponseWriter, *http.Request) {
		panic(fmt.Errorf("charge: %w", errNoFunds))
	})
	mux.HandleFunc("GET /stock", func(rw http.ResponseWriter, r *http.Request) {
		http.Error(rw, "no stock", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("GET /account", func(rw http.ResponseWriter, r *http.Request) {
		slackalert.Add(r.Context(), "user", "41")
		w.log.WarnContext(r.Context(), "token tampered with", "error_code", "AUTH-7")
		http.Error(rw, "who are you", http.StatusUnauthorized)
	})
	return mux
}

// eachServer runs a test with a client of a real server of each protocol.
func eachServer(t *testing.T, test func(t *testing.T, proto string, serve func(http.Handler) *httptest.Server)) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			test(t, proto, func(h http.Handler) *httptest.Server {
				s := httptest.NewUnstartedServer(h)
				s.Config.ErrorLog = log.New(noise{t}, "", 0)
				if proto == "HTTP/2.0" {
					s.EnableHTTP2 = true
					s.StartTLS()
				} else {
					s.Start()
				}
				t.Cleanup(s.Close)
				return s
			})
		})
	}
}

// noise fails a test whose server has something to complain about.
type noise struct{ t *testing.T }

func (n noise) Write(b []byte) (int, error) {
	n.t.Errorf("the server says: %s", b)
	return len(b), nil
}

func get(t *testing.T, s *httptest.Server, method, path string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, s.URL+path, nil)
	require.NoError(t, err)
	req.Header.Set("X-Request-Id", "req-1")
	req.Header.Set("User-Agent", "till/2")
	resp, err := s.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func TestServer(t *testing.T) {
	eachServer(t, func(t *testing.T, proto string, serve func(http.Handler) *httptest.Server) {
		start := func(t *testing.T) (*ward, *httptest.Server) {
			w := newWard(t, slackalert.Options{})
			return w, serve(w.wrap(slackhttp.Options{}, shop(w).ServeHTTP))
		}
		common := func(t *testing.T, g slackalert.Group) {
			assert.Equal(t, "req-1", field(t, g, "request_id"))
			assert.Equal(t, "127.0.0.1", field(t, g, "remote_ip"))
			assert.Equal(t, "till/2", field(t, g, "user_agent"))
			took, err := time.ParseDuration(field(t, g, "duration"))
			require.NoError(t, err)
			assert.Positive(t, took)
			assert.NotContains(t, fmt.Sprint(g), "secret", "the query is shown")
		}
		t.Run("good", func(t *testing.T) {
			w, s := start(t)
			resp, body := get(t, s, "GET", "/orders/7?secret=1")
			assert.Equal(t, proto, resp.Proto)
			assert.Equal(t, "order 7", body)
			assert.Equal(t, []string{"req-1"}, resp.Header["X-Request-Id"])
			assert.Empty(t, w.told())
			require.Len(t, w.lines(), 1)
			line := w.lines()[0]
			delete(line, "time")
			assert.Equal(t, map[string]any{"level": "INFO", "msg": "order shown",
				"method": "GET", "path": "/orders/7", "request_id": "req-1"}, line)
		})
		t.Run("panic", func(t *testing.T) {
			w, s := start(t)
			resp, body := get(t, s, "POST", "/pay/7?secret=1")
			assert.Equal(t, 500, resp.StatusCode)
			assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
			assert.Equal(t, "req-1", resp.Header.Get("X-Request-Id"))
			assert.JSONEq(t, `{"message":"internal server error","code":"unhandled"}`, body)
			g := w.one()
			common(t, g)
			assert.Equal(t, "unhandled", g.Code)
			assert.Equal(t, "ERROR+4", g.Level.String())
			assert.Equal(t, "panic: charge: no funds", g.Message)
			assert.Contains(t, g.Error, "charge: no funds")
			assert.Contains(t, strings.SplitN(g.Stack, "\n", 2)[0], "slackhttp_test.shop.func")
			assert.Contains(t, g.Source.Function, "slackhttp_test.shop.func")
			assert.Equal(t, "POST", field(t, g, "method"))
			assert.Equal(t, "/pay/7", field(t, g, "path"))
			assert.Equal(t, "POST /pay/{id}", field(t, g, "route"))
			assert.Equal(t, "500", field(t, g, "status"))
			line := w.lines()[0]
			assert.Equal(t, "unhandled", line["error_code"])
			assert.Equal(t, "POST /pay/{id}", line["route"], "base has it too")
			assert.Contains(t, line["stack"], "slackhttp_test.shop.func")
		})
		t.Run("5xx", func(t *testing.T) {
			w, s := start(t)
			resp, body := get(t, s, "GET", "/stock?secret=1")
			assert.Equal(t, 503, resp.StatusCode)
			assert.Equal(t, "no stock\n", body)
			g := w.one()
			common(t, g)
			assert.Equal(t, "unhandled", g.Code)
			assert.Equal(t, "ERROR", g.Level.String())
			assert.Equal(t, "503 Service Unavailable at GET /stock", g.Message)
			assert.Equal(t, "503", field(t, g, "status"))
			assert.Contains(t, g.Source.Function, "slackhttp_test.shop.func", "the line that set the status")
			assert.Empty(t, g.Stack)
		})
		t.Run("coded 401", func(t *testing.T) {
			w, s := start(t)
			resp, _ := get(t, s, "GET", "/account?secret=1")
			assert.Equal(t, 401, resp.StatusCode)
			g := w.one()
			common(t, g)
			assert.Equal(t, "AUTH-7", g.Code)
			assert.Equal(t, "41", field(t, g, "user"))
			assert.Equal(t, "GET /account", field(t, g, "route"))
			assert.Empty(t, field(t, g, "status"), "not yet written")
		})
	})
}

// A client must not take half an answer for a whole one.
func TestPanicAfterAnswerBegan(t *testing.T) {
	eachServer(t, func(t *testing.T, _ string, serve func(http.Handler) *httptest.Server) {
		w := newWard(t, slackalert.Options{})
		s := serve(w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(rw, "half")
			_ = http.NewResponseController(rw).Flush()
			panic("lost the rest")
		}))
		resp, err := s.Client().Get(s.URL)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.Error(t, err)
		assert.Equal(t, "half", string(body), "nothing written twice")
		g := w.one()
		assert.Equal(t, "panic: lost the rest", g.Message)
		assert.Equal(t, "200", field(t, g, "status"))
	})
}

func TestAbortAndGoexit(t *testing.T) {
	eachServer(t, func(t *testing.T, _ string, serve func(http.Handler) *httptest.Server) {
		for name, end := range map[string]func(){
			"ErrAbortHandler": func() { panic(http.ErrAbortHandler) },
			"Goexit":          runtime.Goexit,
		} {
			t.Run(name, func(t *testing.T) {
				w := newWard(t, slackalert.Options{})
				s := serve(w.wrap(slackhttp.Options{}, func(http.ResponseWriter, *http.Request) { end() }))
				_, err := s.Client().Post(s.URL, "", nil)
				require.Error(t, err, "no answer")
				assert.Empty(t, w.told())
			})
		}
	})
}

func TestServerSentEvents(t *testing.T) {
	eachServer(t, func(t *testing.T, _ string, serve func(http.Handler) *httptest.Server) {
		w := newWard(t, slackalert.Options{})
		seen := make(chan struct{})
		s := serve(w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, r *http.Request) {
			flusher, ok := rw.(http.Flusher)
			if !assert.True(t, ok) {
				return
			}
			assert.NoError(t, http.NewResponseController(rw).SetWriteDeadline(time.Now().Add(time.Minute)))
			rw.Header().Set("Content-Type", "text/event-stream")
			for i := range 3 {
				_, _ = fmt.Fprintf(rw, "data: %d\n\n", i)
				flusher.Flush()
				<-seen // the client has it before the next is written
			}
		}))
		resp, err := s.Client().Get(s.URL)
		require.NoError(t, err)
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		for i := range 3 {
			require.True(t, lines.Scan())
			assert.Equal(t, fmt.Sprintf("data: %d", i), lines.Text())
			require.True(t, lines.Scan())
			seen <- struct{}{}
		}
		assert.False(t, lines.Scan())
		assert.Empty(t, w.told())
	})
}

func TestFullDuplex(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	s := httptest.NewServer(w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, r *http.Request) {
		assert.NoError(t, http.NewResponseController(rw).EnableFullDuplex())
		_, err := io.Copy(rw, r.Body)
		assert.NoError(t, err)
	}))
	defer s.Close()
	resp, err := http.Post(s.URL, "text/plain", strings.NewReader(strings.Repeat("echo ", 100_000)))
	require.NoError(t, err)
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	assert.EqualValues(t, 500_000, n)
}

func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "list")
	want := strings.Repeat("line\n", 100_000)
	require.NoError(t, os.WriteFile(name, []byte(want), 0o600))
	eachServer(t, func(t *testing.T, _ string, serve func(http.Handler) *httptest.Server) {
		w := newWard(t, slackalert.Options{})
		s := serve(w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, r *http.Request) {
			http.ServeFile(rw, r, name)
		}))
		resp, body := get(t, s, "GET", "/")
		assert.True(t, want == body, "another file arrived")
		assert.EqualValues(t, len(want), resp.ContentLength)
	})
}

// upgrade answers a WebSocket's handshake, as such libraries do.
func upgrade(rw http.ResponseWriter, r *http.Request) (net.Conn, *bufio.ReadWriter, error) {
	if r.Header.Get("Upgrade") != "websocket" {
		return nil, nil, errors.New("no handshake")
	}
	hijacker, ok := rw.(http.Hijacker)
	if !ok {
		return nil, nil, errors.New("no Hijacker")
	}
	conn, buf, err := hijacker.Hijack()
	if err != nil {
		return nil, nil, err
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, _ = fmt.Fprintf(buf, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	return conn, buf, buf.Flush()
}

// dial makes the handshake from the client's side.
func dial(t *testing.T, s *httptest.Server) (net.Conn, *bufio.Reader) {
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
	require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", resp.Header.Get("Sec-WebSocket-Accept"))
	return conn, in
}

func TestWebSocket(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	s := httptest.NewServer(w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, r *http.Request) {
		conn, buf, err := upgrade(rw, r)
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		_, _ = io.CopyN(buf, buf, 11) // a masked text frame of 5 bytes, back as it is
		_ = buf.Flush()
		w.log.ErrorContext(r.Context(), "frame echoed")
	}))
	defer s.Close()
	conn, in := dial(t, s)
	frame := "\x81\x85\x01\x02\x03\x04hello"
	_, err := io.WriteString(conn, frame)
	require.NoError(t, err)
	back, err := io.ReadAll(in)
	require.NoError(t, err)
	assert.Equal(t, frame, string(back), "nothing but the frame")
	assert.Equal(t, "/ws", field(t, w.one(), "path"))
}

func TestPanicAfterHijack(t *testing.T) {
	for name, hijack := range map[string]func(http.ResponseWriter, *http.Request) (net.Conn, *bufio.ReadWriter, error){
		"by assertion": upgrade,
		"by controller": func(rw http.ResponseWriter, r *http.Request) (net.Conn, *bufio.ReadWriter, error) {
			return upgrade(controlled{rw}, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			done := make(chan struct{})
			h := w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, r *http.Request) {
				conn, _, err := hijack(rw, r)
				if assert.NoError(t, err) {
					defer conn.Close()
				}
				panic("after the handshake")
			})
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				defer close(done) // nobody else waits for the owner of a hijacked connection
				h.ServeHTTP(rw, r)
			}))
			s.Config.ErrorLog = log.New(noise{t}, "", 0)
			s.Start()
			defer s.Close()
			_, in := dial(t, s)
			rest, err := io.ReadAll(in)
			require.NoError(t, err)
			assert.Empty(t, rest, "written to a connection that isn't the server's")
			<-done
			g := w.one()
			assert.Equal(t, "panic: after the handshake", g.Message)
			assert.Empty(t, field(t, g, "status"))
		})
	}
}

// controlled hijacks as a wrapper that knows only ResponseController does.
type controlled struct{ http.ResponseWriter }

func (c controlled) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(c.ResponseWriter).Hijack()
}

// A time-out answers from another goroutine, and its handler goes on.
func TestTimeoutHandler(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	answered, done := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /slow/{id}", func(rw http.ResponseWriter, r *http.Request) {
		defer close(done)
		<-answered
		w.log.ErrorContext(r.Context(), "gave up")
	})
	inner := slackhttp.Middleware(nil)(mux)
	s := httptest.NewServer(w.wrap(slackhttp.Options{}, http.TimeoutHandler(inner, time.Millisecond, "late").ServeHTTP))
	defer s.Close()
	resp, body := get(t, s, "GET", "/slow/1")
	assert.Equal(t, 503, resp.StatusCode)
	assert.Equal(t, "late", body)
	close(answered)
	<-done
	groups := w.told()
	require.NotEmpty(t, groups)
	for _, g := range groups {
		assert.Equal(t, "req-1", field(t, g, "request_id"))
	}
}

// A panic behind a time-out is told with the stack of where it began, and also
// when the time-out has answered, once.
func TestPanicBehindATimeout(t *testing.T) {
	for _, late := range []bool{false, true} {
		w := newWard(t, slackalert.Options{})
		over, told := make(chan struct{}), make(chan struct{})
		inner := w.wrap(slackhttp.Options{}, func(_ http.ResponseWriter, r *http.Request) {
			if late {
				<-over
			}
			panic(errors.New("no such order"))
		})
		noting := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			defer close(told)
			inner.ServeHTTP(rw, r)
		})
		limit := time.Minute
		if late {
			limit = time.Millisecond
		}
		rw := serve(w.wrap(slackhttp.Options{}, http.TimeoutHandler(noting, limit, "late").ServeHTTP), request())
		close(over)
		<-told
		groups := w.told()
		g := groups[len(groups)-1]
		assert.Equal(t, "panic: no such order", g.Message)
		assert.Equal(t, 1, g.Count)
		assert.Contains(t, g.Source.Function, "TestPanicBehindATimeout")
		assert.Contains(t, g.Stack, "TestPanicBehindATimeout")
		if late {
			require.Len(t, groups, 2)
			assert.Equal(t, 503, rw.Code)
			continue
		}
		require.Len(t, groups, 1)
		assert.Equal(t, 500, rw.Code)
	}
}

// A time-out may end in the moment in which what is behind it panics, and lose
// the panic, or pass it on though it is late.
func TestAPanicAsTheTimeEnds(t *testing.T) {
	for name, limited := range map[string]func(l *limit, serve func()){
		"lost":               func(l *limit, serve func()) { elsewhere(serve); l.over.Store(true) },
		"late and lost":      func(l *limit, serve func()) { l.over.Store(true); elsewhere(serve) },
		"late and passed on": func(l *limit, serve func()) { l.over.Store(true); panic(elsewhere(serve)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWard(t, slackalert.Options{})
			inner := w.wrap(slackhttp.Options{}, func(http.ResponseWriter, *http.Request) { panic("no such order") })
			serve(w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, r *http.Request) {
				l := &limit{Context: r.Context()}
				limited(l, func() { inner.ServeHTTP(rw, r.WithContext(l)) })
				rw.WriteHeader(http.StatusServiceUnavailable)
			}), request())
			g := w.one()
			assert.Equal(t, "panic: no such order", g.Message)
			assert.Contains(t, g.Source.Function, "TestAPanicAsTheTimeEnds")
		})
	}
}

// elsewhere runs f in another goroutine, and returns what it panics with.
func elsewhere(f func()) any {
	v := make(chan any)
	go func() {
		defer func() { v <- recover() }()
		f()
	}()
	return <-v
}

// limit is a context whose time is over when the test says so.
type limit struct {
	context.Context
	over atomic.Bool
}

func (l *limit) Err() error {
	if l.over.Load() {
		return context.DeadlineExceeded
	}
	return l.Context.Err()
}

// While a part of a request goes on behind a time-out that has answered, its
// router may write into what its User would be asked with.
func TestUserBehindATimeout(t *testing.T) {
	w := newWard(t, slackalert.Options{})
	user := func(name string) func(*http.Request) string { return func(*http.Request) string { return name } }
	over := make(chan struct{})
	inner := w.wrap(slackhttp.Options{User: user("inner")}, func(http.ResponseWriter, *http.Request) { <-over })
	serve(w.wrap(slackhttp.Options{User: user("outer")}, http.TimeoutHandler(inner, time.Millisecond, "late").ServeHTTP), request())
	close(over)
	assert.Equal(t, "outer", field(t, w.one(), "user"))
}

// able is what a handler finds its ResponseWriter able to do.
func able(rw http.ResponseWriter) string {
	_, f := rw.(http.Flusher)
	_, h := rw.(http.Hijacker)
	_, r := rw.(io.ReaderFrom)
	p, push := rw.(http.Pusher)
	c, gone := rw.(interface{ CloseNotify() <-chan bool })
	s := fmt.Sprintln(f, h, r, push, gone && c.CloseNotify() != nil)
	if push {
		s += fmt.Sprint(p.Push("/style.css", nil)) // Go's client takes no push
	}
	return s
}

// What a handler finds is what it finds without the middleware, on real servers
// and behind what stands between.
func TestAbilitiesOfServers(t *testing.T) {
	want := map[string]string{
		"HTTP/1.1": "true true true false true\n", "HTTP/1.1 behind a time-out": "false false false true false\n",
		"HTTP/2.0": "true false false true true\n", "HTTP/2.0 behind a time-out": "false false false true false\n",
	}
	eachServer(t, func(t *testing.T, proto string, serve func(http.Handler) *httptest.Server) {
		w := newWard(t, slackalert.Options{})
		tell := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, able(rw)) })
		for name, around := range map[string]func(http.Handler) http.Handler{
			"":                   func(h http.Handler) http.Handler { return h },
			" behind a time-out": func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Minute, "") },
		} {
			_, without := get(t, serve(around(tell)), "GET", "/")
			_, with := get(t, serve(around(w.wrap(slackhttp.Options{}, tell))), "GET", "/")
			assert.Equal(t, without, with, name)
			assert.Contains(t, with, want[proto+name])
		}
	})
}
