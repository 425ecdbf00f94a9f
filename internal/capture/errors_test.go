package capture

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// traced carries a stack as pkg/errors and its kin do.
type traced struct {
	error
	pcs []frame
}

type frame uintptr

func (e traced) StackTrace() []frame { return e.pcs }
func (e traced) Unwrap() error       { return e.error }

func trace(err error) traced {
	t := traced{error: err}
	for _, pc := range Here(1) {
		t.pcs = append(t.pcs, frame(pc))
	}
	return t
}

// callers carries one as go-errors does.
type callers struct {
	error
	pcs []uintptr
}

func (e callers) Callers() []uintptr { return e.pcs }

// The names of the two tell which stack is shown.
func inner() error          { return trace(io.EOF) }
func outer(err error) error { return trace(fmt.Errorf("read: %w", err)) }

// odd has a StackTrace that is none.
type odd struct{ error }

func (odd) StackTrace() string { return "x" }

type wantsMore struct{ error }

func (wantsMore) StackTrace(int) []uintptr { return []uintptr{1} }

type tracePanics struct{ error }

func (tracePanics) StackTrace() []uintptr { panic("x") }
func (tracePanics) Unwrap() error         { panic("x") }

// self wraps itself.
type self struct{}

func (s self) Error() string { return "self" }
func (s self) Unwrap() error { return s }

type mute struct{}

func (*mute) Error() string { panic("no text") }

func TestErrorStack(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		top  string
	}{
		{"none", io.EOF, ""},
		{"nil", nil, ""},
		{"its own", inner(), "capture.inner"},
		{"wrapped", fmt.Errorf("load: %w", inner()), "capture.inner"},
		{"the innermost", outer(inner()), "capture.inner"},
		{"joined", errors.Join(io.EOF, inner()), "capture.inner"},
		{"callers", callers{io.EOF, Here(0)}, "capture.TestErrorStack"},
		{"another method of the name", odd{io.EOF}, ""},
		{"with an argument", wantsMore{io.EOF}, ""},
		{"panics", tracePanics{io.EOF}, ""},
		{"empty", traced{error: io.EOF}, ""},
		{"endless", self{}, ""},
		{"nil pointer", (*mute)(nil), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			top, _, _ := strings.Cut(ErrorStack(c.err), "\n")
			assert.True(t, strings.HasSuffix(top, c.top), top)
			assert.Equal(t, c.top == "", top == "")
		})
	}
}

func TestALongStackIsCut(t *testing.T) {
	assert.Len(t, innermost(traced{error: io.EOF, pcs: make([]frame, maxPCs+1)}), maxPCs)
}

func TestErrorText(t *testing.T) {
	assert.Equal(t, "EOF", ErrorText(io.EOF))
	assert.Equal(t, "!PANIC: no text", ErrorText(&mute{}))
	assert.Equal(t, "<nil>", ErrorText((*mute)(nil)))
}

// hiding says something else than what it wraps.
type hiding struct{ in error }

func (hiding) Error() string   { return "payment failed" }
func (h hiding) Unwrap() error { return h.in }

func TestChain(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"single", io.EOF, "EOF"},
		{"wrapped", fmt.Errorf("load: %w", io.EOF), "load: EOF"},
		{"hidden", hiding{fmt.Errorf("load: %w", io.EOF)}, "payment failed\ncaused by: load: EOF"},
		{"hidden twice", hiding{odd{io.EOF}}, "payment failed\ncaused by: EOF"},
		{"joined", errors.Join(io.EOF, io.ErrClosedPipe), "EOF\nio: read/write on closed pipe"},
		{"hidden join", hiding{errors.Join(hiding{io.EOF}, io.ErrNoProgress)},
			"payment failed\ncaused by: payment failed\nmultiple Read calls return no data or error\ncaused by: EOF"},
		{"endless", self{}, "self"},
		{"panics", hiding{&mute{}}, "payment failed\ncaused by: !PANIC: no text"},
		{"Unwrap panics", tracePanics{io.EOF}, "EOF"},
		{"nil within", hiding{nil}, "payment failed"},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, Chain(c.err, ErrorText(c.err))) })
	}
}

func TestChainIsBounded(t *testing.T) {
	var err error = io.EOF
	for i := range 1000 {
		err = numbered{hiding{err}, i}
	}
	assert.Less(t, strings.Count(Chain(err, "x"), "\n"), maxChain+1)
	assert.Less(t, len(Chain(hiding{errors.New(strings.Repeat("y", 1<<20))}, "x")), 2<<20)
}

type numbered struct {
	hiding
	n int
}

func (e numbered) Error() string { return fmt.Sprint("layer ", e.n, ".") }

// indents writes what it wraps as drivers do whose errors have several lines.
type indents struct{ error }

func (e indents) Error() string {
	return "failed to connect:\n\t" + strings.ReplaceAll(e.error.Error(), "\n", "\n\t")
}
func (e indents) Unwrap() error { return e.error }

type flattens struct{ error }

func (e flattens) Error() string { return "charge: " + strings.ReplaceAll(e.error.Error(), "\n", " ") }
func (e flattens) Unwrap() error { return e.error }

func TestSeveralLinesAreShownOnce(t *testing.T) {
	both := errors.Join(errors.New("[::1]:5432: refused"), errors.New("127.0.0.1:5432: refused"))
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"joined":           {both, "[::1]:5432: refused\n127.0.0.1:5432: refused"},
		"wrapped":          {fmt.Errorf("ping: %w", both), "ping: [::1]:5432: refused\n127.0.0.1:5432: refused"},
		"indented":         {indents{both}, "failed to connect:\n\t[::1]:5432: refused\n\t127.0.0.1:5432: refused"},
		"in one line":      {flattens{both}, "charge: [::1]:5432: refused 127.0.0.1:5432: refused"},
		"another's, shown": {flattens{errors.Join(indents{both}, io.EOF)}, "charge: failed to connect: \t[::1]:5432: refused \t127.0.0.1:5432: refused EOF"},
	} {
		assert.Equal(t, c.want, Chain(c.err, ErrorText(c.err)), name)
	}
}

// What is missing of a long text is counted as of any other.
func TestChainOfALongText(t *testing.T) {
	long := longCause{strings.Repeat("x", 5*MaxValue), io.EOF}
	assert.True(t, strings.HasSuffix((&Alert{Settings: Settings{NoRedact: true}}).Text(Chain(long, long.Error())), "x… (+16384 bytes)"))
	assert.LessOrEqual(t, len(Chain(FreezeError(long), "")), window+1)
}

type longCause struct {
	text string
	in   error
}

func (h longCause) Error() string { return h.text }
func (h longCause) Unwrap() error { return h.in }
