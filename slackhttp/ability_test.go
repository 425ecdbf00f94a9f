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
func (b bare) flush()           { b.note("flush") }
func (b bare) hijack() (net.Conn, *bufio.ReadWriter, error) {
	b.note("hijack")
	return nil, nil, nil
}
func (b bare) read(src io.Reader) (int64, error) {
	b.note("read")
	*b.src = src
	return 7, nil
}

var errNoPush = errors.New("no push")

func (b bare) push() error { b.note("push"); return errNoPush }

// The sixteen sets of what a ResponseWriter may be able to do.
type (
	tF    struct{ bare }
	tH    struct{ bare }
	tFH   struct{ tF }
	tR    struct{ bare }
	tFR   struct{ tF }
	tHR   struct{ tH }
	tFHR  struct{ tFH }
	tP    struct{ bare }
	tFP   struct{ tF }
	tHP   struct{ tH }
	tFHP  struct{ tFH }
	tRP   struct{ tR }
	tFRP  struct{ tFR }
	tHRP  struct{ tHR }
	tFHRP struct{ tFHR }
)

func (t tF) Flush()                                        { t.flush() }
func (t tH) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return t.hijack() }
func (t tFH) Hijack() (net.Conn, *bufio.ReadWriter, error) { return t.hijack() }
func (t tR) ReadFrom(src io.Reader) (int64, error)         { return t.read(src) }
func (t tFR) ReadFrom(src io.Reader) (int64, error)        { return t.read(src) }
func (t tHR) ReadFrom(src io.Reader) (int64, error)        { return t.read(src) }
func (t tFHR) ReadFrom(src io.Reader) (int64, error)       { return t.read(src) }
func (t tP) Push(_ string, _ *http.PushOptions) error      { return t.push() }
func (t tFP) Push(_ string, _ *http.PushOptions) error     { return t.push() }
func (t tHP) Push(_ string, _ *http.PushOptions) error     { return t.push() }
func (t tFHP) Push(_ string, _ *http.PushOptions) error    { return t.push() }
func (t tRP) Push(_ string, _ *http.PushOptions) error     { return t.push() }
func (t tFRP) Push(_ string, _ *http.PushOptions) error    { return t.push() }
func (t tHRP) Push(_ string, _ *http.PushOptions) error    { return t.push() }
func (t tFHRP) Push(_ string, _ *http.PushOptions) error   { return t.push() }

func TestAbilitiesAreTheServers(t *testing.T) {
	var asked []string
	var src io.Reader
	b := bare{httptest.NewRecorder(), &asked, &src}
	f, h := tF{b}, tH{b}
	fh, r := tFH{f}, tR{b}
	for set, under := range map[string]http.ResponseWriter{
		"": b, "f": f, "h": h, "fh": fh,
		"r": r, "fr": tFR{f}, "hr": tHR{h}, "fhr": tFHR{fh},
		"p": tP{b}, "fp": tFP{f}, "hp": tHP{h}, "fhp": tFHP{fh},
		"rp": tRP{r}, "frp": tFRP{tFR{f}}, "hrp": tHRP{tHR{h}}, "fhrp": tFHRP{tFHR{fh}},
	} {
		t.Run("set "+set, func(t *testing.T) {
			asked = nil
			w := newWard(t, slackalert.Options{})
			h := w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, _ *http.Request) {
				use(t, rw, set)
				assert.Equal(t, under, rw.(interface{ Unwrap() http.ResponseWriter }).Unwrap())
			})
			h.ServeHTTP(under, request())
			var want []string
			for _, c := range set {
				want = append(want, map[rune]string{'f': "flush", 'h': "hijack", 'r': "read", 'p': "push"}[c])
			}
			assert.Equal(t, want, asked)
			assert.Empty(t, w.told())
		})
	}
}

// use asserts exactly the abilities of set, and uses them.
func use(t *testing.T, rw http.ResponseWriter, set string) {
	f, ok := rw.(http.Flusher)
	if assert.Equal(t, strings.Contains(set, "f"), ok, "Flusher") && ok {
		f.Flush()
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
	w := newWard(t, slackalert.Options{})
	w.wrap(slackhttp.Options{}, func(rw http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(rw, file)
		assert.NoError(t, err)
	}).ServeHTTP(tR{bare{httptest.NewRecorder(), &asked, &got}}, request())
	assert.Same(t, file, got)
}

// wrapper is another middleware's, which only unwraps.
type wrapper struct{ http.ResponseWriter }

func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Behind a wrapper Flush and Hijack must not reach past the middleware.
func TestAbilitiesBehindAWrapper(t *testing.T) {
	var asked []string
	var src io.Reader
	under := tFH{tF{bare{httptest.NewRecorder(), &asked, &src}}}
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
				h.ServeHTTP(tFR{tF{bare{rec, &asked, &src}}}, request())
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
