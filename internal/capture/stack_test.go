package capture

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHere(t *testing.T) {
	top := func(s Stack) string { return strings.SplitN(s.String(), "\n", 2)[0] }
	within := func(skip int) Stack { return Here(skip) }
	assert.Contains(t, top(within(0)), "TestHere.func")
	assert.True(t, strings.HasSuffix(top(within(1)), "TestHere"), top(within(1)))
	assert.Empty(t, within(1000).String())
}

func deep(n int) Stack {
	if n == 0 {
		return Here(0)
	}
	return deep(n - 1)
}

func TestStackIsCutFromTheBottom(t *testing.T) {
	lines := strings.Split(deep(50).String(), "\n")
	assert.Len(t, lines, 2*maxFrames+1)
	assert.Equal(t, "…", lines[len(lines)-1])
	assert.True(t, strings.HasSuffix(lines[0], "capture.deep"))
	b, err := deep(0).MarshalText()
	require.NoError(t, err)
	assert.Contains(t, string(b), "TestStackIsCutFromTheBottom")
}

// logged returns the PC of its caller's line, and the stack from there.
func logged(pc func() uintptr) (Stack, uintptr) {
	at := pc()
	return At(at), at
}

func TestAt(t *testing.T) {
	top := func(s Stack) string { return strings.SplitN(s.String(), "\n", 2)[0] }
	s, at := logged(func() uintptr {
		var pcs [1]uintptr
		runtime.Callers(3, pcs[:])
		return pcs[0]
	})
	assert.True(t, strings.HasSuffix(top(s), ".TestAt"), "without who logged: %s", s)
	assert.Equal(t, at, s[0])
	assert.Empty(t, At(1), "logged elsewhere")
	assert.True(t, strings.HasSuffix(top(At(0)), ".TestAt"))
	var deferred Stack
	slog.New(handle(func(slog.Record) { deferred = At(0) })).Info("m")
	assert.True(t, strings.HasSuffix(top(deferred), ".TestAt"), "behind slog: %s", deferred)
}

// handle is a handler.
type handle func(slog.Record)

func (handle) Enabled(context.Context, slog.Level) bool        { return true }
func (h handle) Handle(_ context.Context, r slog.Record) error { h(r); return nil }
func (h handle) WithAttrs([]slog.Attr) slog.Handler            { return h }
func (h handle) WithGroup(string) slog.Handler                 { return h }

func TestCodeIsText(t *testing.T) {
	assert.Equal(t, "A-1", fmt.Sprint(Code("A-1")))
	assert.Equal(t, "A-1", Value(slog.AnyValue(Code("A-1"))))
}
