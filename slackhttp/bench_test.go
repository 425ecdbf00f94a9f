package slackhttp_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/slackhttp"
)

// sink is a server's writer that keeps nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) Flush()                      {}

// good is a good request of the usual kind, and a handler for it.
func good() (http.Handler, *http.Request, *sink) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = text
		_, _ = w.Write(hello)
	})
	r := httptest.NewRequest("GET", "/orders/7?a=b", nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	return h, r, &sink{http.Header{}}
}

var (
	text  = []string{"text/plain"}
	hello = []byte("hello")
)

func middleware(tb testing.TB, next http.Handler) http.Handler {
	h, err := slackalert.New(slog.NewJSONHandler(io.Discard, nil), &slackalert.Options{Sender: &ward{}})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, h.Close()) })
	return slackhttp.Middleware(&slackhttp.Options{Logger: slog.New(h)})(next)
}

func BenchmarkGoodRequest(b *testing.B) {
	next, r, w := good()
	given := r.Clone(b.Context())
	given.Header.Set("X-Request-Id", "f3a9c1d2")
	wrapped := middleware(b, next)
	for _, c := range []struct {
		name string
		h    http.Handler
		r    *http.Request
	}{{"h=none", next, r}, {"h=slackhttp/id=new", wrapped, r}, {"h=slackhttp/id=given", wrapped, given}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				c.h.ServeHTTP(w, c.r)
			}
		})
	}
}

func TestGoodRequestAllocates(t *testing.T) {
	next, r, w := good()
	wrapped := middleware(t, next)
	count := func(h http.Handler) float64 {
		return testing.AllocsPerRun(1000, func() {
			clear(w.header)
			h.ServeHTTP(w, r)
		})
	}
	assert.LessOrEqual(t, count(wrapped)-count(next), 4.0)
}
