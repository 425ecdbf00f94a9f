package slackhttp_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/slackhttp"
)

// bare is a ResponseWriter that can do nothing besides, and notes what is asked.
type bare struct {
	http.ResponseWriter
	asked *[]string
	src   *io.Reader
}

func (b bare) note(what string) { *b.asked = append(*b.asked, what) }

var errNoPush = errors.New("no push")

// What a ResponseWriter may be able to do besides, to be put together.
type (
	tF struct{ bare }
	tH struct{ bare }
	tR struct{ bare }
	tP struct{ bare }
)

func (t tF) Flush() { t.note("flush") }
func (t tH) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	t.note("hijack")
	return nil, nil, nil
}
func (t tR) ReadFrom(src io.Reader) (int64, error) {
	t.note("read")
	*t.src = src
	return 7, nil
}
func (t tP) Push(string, *http.PushOptions) error { t.note("push"); return errNoPush }

// The sets of them that are used here, and what each is of.
type (
	flusher interface{ Flush() }
	tFR     struct { // of a wrapper's own making
		bare
		flusher
		io.ReaderFrom
	}
	tFP struct { // HTTP/2
		bare
		flusher
		http.Pusher
	}
	tFH struct { // a wrapper over HTTP/1.1
		bare
		flusher
		http.Hijacker
	}
	tFHR struct { // HTTP/1.1
		bare
		flusher
		http.Hijacker
		io.ReaderFrom
	}
	tFHRP struct { // of a wrapper that has it all
		bare
		flusher
		http.Hijacker
		io.ReaderFrom
		http.Pusher
	}
)

// Of what servers have nothing is missing and nothing is made up. Of what they
// don't, what is only faster is missing, and a Flush may be there that says it
// can't.
func TestAbilities(t *testing.T) {
	var asked []string
	var src io.Reader
	b := bare{httptest.NewRecorder(), &asked, &src}
	f, h, r, p := tF{b}, tH{b}, tR{b}, tP{b}
	for name, c := range map[string]struct {
		under http.ResponseWriter
		want  string
	}{
		"bare":               {b, ""},
		"recorder":           {f, "f"},
		"HTTP/1.1":           {tFHR{b, f, h, r}, "fhr"},
		"over HTTP/1.1":      {tFH{b, f, h}, "fh"},
		"HTTP/2":             {tFP{b, f, p}, "fp"},
		"TimeoutHandler":     {p, "p"},
		"reads only":         {r, ""},
		"flushes and reads":  {tFR{b, f, r}, "f"},
		"hijacked only":      {h, "Fh"},
		"whatever there is":  {tFHRP{b, f, h, r, p}, "fhr"},
		"unwraps, over both": {wrapper{tFP{b, f, p}}, "f"},
	} {
		t.Run(name, func(t *testing.T) {
			asked = nil
			w := newWard(t, slackalert.Options{})
			h := w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, _ *http.Request) {
				use(t, rw, c.want)
				assert.Equal(t, c.under, rw.(interface{ Unwrap() http.ResponseWriter }).Unwrap())
			})
			h.ServeHTTP(c.under, request())
			var want []string
			for _, ability := range strings.ReplaceAll(c.want, "F", "") {
				want = append(want, map[rune]string{'f': "flush", 'h': "hijack", 'r': "read", 'p': "push"}[ability])
			}
			assert.Equal(t, want, asked)
			assert.Empty(t, w.told())
		})
	}
}

// use asserts exactly the abilities of set, and uses them. F is a Flush that
// can't.
func use(t *testing.T, rw http.ResponseWriter, set string) {
	f, ok := rw.(interface{ FlushError() error })
	if assert.Equal(t, strings.Contains(strings.ToLower(set), "f"), ok, "Flusher") && ok {
		assert.Equal(t, strings.Contains(set, "f"), f.FlushError() == nil)
		assert.Nil(t, rw.(interface{ CloseNotify() <-chan bool }).CloseNotify(), "a channel that never tells")
	}
	h, ok := rw.(http.Hijacker)
	if assert.Equal(t, strings.Contains(set, "h"), ok, "Hijacker") && ok {
		_, _, err := h.Hijack()
		assert.NoError(t, err)
	}
	r, ok := rw.(io.ReaderFrom)
	if assert.Equal(t, strings.Contains(set, "r"), ok, "ReaderFrom") && ok {
		n, err := r.ReadFrom(nil)
		assert.EqualValues(t, 7, n)
		assert.NoError(t, err)
	}
	p, ok := rw.(http.Pusher)
	if assert.Equal(t, strings.Contains(set, "p"), ok, "Pusher") && ok {
		assert.ErrorIs(t, p.Push("/a", nil), errNoPush)
	}
}

// The server finds a file behind the reader it gets, and sends it without a copy.
func TestReadFromGetsTheSource(t *testing.T) {
	var asked []string
	var got io.Reader
	file := &struct{ io.Reader }{strings.NewReader("x")}
	b := bare{httptest.NewRecorder(), &asked, &got}
	w := newWard(t, slackalert.Options{})
	w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(rw, file)
		assert.NoError(t, err)
	}).ServeHTTP(tFHR{b, tF{b}, tH{b}, tR{b}}, request())
	assert.Same(t, file, got)
}

// wrapper is another middleware's, which only unwraps.
type wrapper struct{ http.ResponseWriter }

func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Behind a wrapper Flush and Hijack must not reach past the middleware.
func TestAbilitiesBehindAWrapper(t *testing.T) {
	var asked []string
	var src io.Reader
	b := bare{httptest.NewRecorder(), &asked, &src}
	under := tFH{b, tF{b}, tH{b}}
	w := newWard(t, slackalert.Options{})
	h := w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, _ *http.Request) {
		_, _, err := http.NewResponseController(wrapper{rw}).Hijack()
		require.NoError(t, err)
		panic("hijacked")
	})
	assert.NotPanics(t, func() { h.ServeHTTP(wrapper{wrapper{under}}, request()) }, "it isn't the server's connection any more")
	assert.Equal(t, []string{"hijack"}, asked)
	assert.Equal(t, 200, under.ResponseWriter.(*httptest.ResponseRecorder).Code)
	assert.Empty(t, under.ResponseWriter.(*httptest.ResponseRecorder).Body.String())
	assert.Equal(t, "panic: hijacked", w.one().Message)
}

// However an answer began, nothing is added to it.
func TestBegan(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"WriteHeader": func(rw http.ResponseWriter) { rw.WriteHeader(202) },
		"Write":       func(rw http.ResponseWriter) { _, _ = rw.Write(nil) },
		"WriteString": func(rw http.ResponseWriter) { _, _ = io.WriteString(rw, "") },
		"ReadFrom":    func(rw http.ResponseWriter) { _, _ = rw.(io.ReaderFrom).ReadFrom(nil) },
		"Flush":       func(rw http.ResponseWriter) { rw.(http.Flusher).Flush() },
		"FlushError":  func(rw http.ResponseWriter) { _ = http.NewResponseController(rw).Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			var src io.Reader
			rec := httptest.NewRecorder()
			w := newWard(t, slackalert.Options{})
			h := w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, _ *http.Request) {
				begin(rw)
				panic("too late")
			})
			assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
				b := bare{rec, &asked, &src}
				h.ServeHTTP(tFHR{b, tF{b}, tH{b}, tR{b}}, request())
			})
			assert.Empty(t, rec.Body.String())
			assert.Equal(t, "panic: too late", w.one().Message)
		})
	}
}

// A switched protocol isn't an answer that can be cut.
func TestPanicAfterSwitching(t *testing.T) {
	var asked []string
	w := newWard(t, slackalert.Options{})
	h := w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusSwitchingProtocols)
		_, _, _ = rw.(http.Hijacker).Hijack()
		panic("hijacked")
	})
	rec := httptest.NewRecorder()
	assert.NotPanics(t, func() { h.ServeHTTP(tH{bare{rec, &asked, nil}}, request()) })
	assert.Empty(t, rec.Body.String())
	assert.Equal(t, "101", field(t, w.one(), "status"))
}

// What can't be flushed says so.
func TestFlushNotSupported(t *testing.T) {
	var asked []string
	w := newWard(t, slackalert.Options{})
	w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, _ *http.Request) {
		assert.ErrorIs(t, http.NewResponseController(rw).Flush(), http.ErrNotSupported)
	}).ServeHTTP(bare{httptest.NewRecorder(), &asked, nil}, request())
}
