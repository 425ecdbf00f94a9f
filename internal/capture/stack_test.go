package capture

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// panicking runs f and returns the stack of its panic.
func panicking(f func()) (s Stack) {
	defer func() {
		if recover() != nil {
			s = Panicking()
		}
	}()
	f()
	return nil
}

func inlined(n []int) int { return n[5] }

func recovers() {
	defer func() { _ = recover() }()
	panic("swallowed")
}

func TestPanicking(t *testing.T) {
	var p *struct{ n int }
	var m map[string]int
	var e any = 1
	for what, f := range map[string]func(){
		"panic":             func() { panic("x") },
		"error":             func() { panic(errors.New("x")) },
		"nil":               func() { panic(nil) },
		"nil pointer":       func() { p.n++ },
		"index":             func() { _ = inlined(nil) },
		"nil map":           func() { m["a"] = 1 },
		"type":              func() { _ = e.(string) },
		"division":          func() { _ = 1 / len(m) },
		"deferred":          func() { defer func() { panic("y") }() },
		"second":            func() { defer func() { panic("y") }(); panic("x") },
		"after a recovered": func() { recovers(); panic("x") },
	} {
		t.Run(what, func(t *testing.T) {
			s := panicking(f)
			require.NotEmpty(t, s)
			assert.NotContains(t, name(s[0]), "runtime.", "a record's source is the first frame")
			text := s.String()
			top, _, _ := strings.Cut(text, "\n")
			if what == "index" {
				assert.Equal(t, "example.com/slackalert/internal/capture.inlined", top)
			} else {
				assert.Contains(t, top, "capture.TestPanicking.func")
			}
			assert.Contains(t, text, "stack_test.go:")
			assert.NotContains(t, text, "runtime.")
			assert.NotContains(t, text, "swallowed")
		})
	}
}

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

func TestSkippedFrames(t *testing.T) {
	for function, want := range map[string]bool{
		"runtime.goexit":      true,
		"log/slog.(*Logger)x": true,
		"log/slogan.F":        false,
		"example.com/slackalert.(*Handler).Handle":         true,
		"example.com/slackalert.Add":                       false,
		"example.com/slackalert/slackhttp.(*request).end":  true,
		"example.com/slackalert/slackhttp_test.TestServer": false,
		"main.main": false,
	} {
		assert.Equal(t, want, skipped(function), function)
	}
}

func TestCodeIsText(t *testing.T) {
	assert.Equal(t, "A-1", fmt.Sprint(Code("A-1")))
	assert.Equal(t, "A-1", anyText(Code("A-1")))
}
