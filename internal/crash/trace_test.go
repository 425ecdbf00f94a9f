package crash

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a test binary can't be brought to, as the runtime of Go 1.26 writes it.
func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, text, cause, function, stack string
	}{
		{
			"a deadlock", "\ngoroutine 1 [select (no cases)]:\nmain.main()\n\t/src/main.go:35 +0x74a\n",
			"fatal error: all goroutines are asleep, a deadlock", "main.main", "main.main\n\t/src/main.go:35",
		},
		{
			"a fault", "[signal SIGSEGV: segmentation violation code=0x1 addr=0xdead pc=0x4a11df]\n\n" +
				"goroutine 1 gp=0x3b8ab96ec1e0 m=0 mp=0x58af60 [running]:\n" +
				"runtime.throw({0x4c7e3d?, 0x4b0700?})\n\t/go/src/runtime/panic.go:1229 +0x48 fp=0x3 sp=0x3 pc=0x4\n" +
				"runtime.sigpanic()\n\t/go/src/runtime/signal_unix.go:945 +0x285 fp=0x3 sp=0x3 pc=0x4\n" +
				"main.(*T[...]).work(0x1, {0x2, 0x3})\n\t/src/main.go:27 +0x27f fp=0x3 sp=0x3 pc=0x4\n",
			"fatal error: SIGSEGV: segmentation violation", "main.(*T[...]).work", "main.(*T[...]).work\n\t/src/main.go:27",
		},
		{
			"of the runtime alone", "\nruntime stack:\nruntime.throw({0x4cb671?})\n\t/go/src/runtime/panic.go:1229 +0x48\n" +
				"runtime.checkmcount()\n\t/go/src/runtime/proc.go:977 +0x8e\n\n" +
				"goroutine 5 [running, locked to thread]:\nruntime.gopark()\n\t/go/src/runtime/proc.go:1 +0x1\n\n" +
				"goroutine 1 [runnable]:\nmain.f(...)\n\t/src/f.go:3\ncreated by main.main in goroutine 1\n\t/src/main.go:4 +0x2\n",
			"fatal error: too many threads", "main.f", "main.f\n\t/src/f.go:3\nmain.main\n\t/src/main.go:4",
		},
		{
			"unknown", "\nruntime stack:\nruntime.throw({0x1})\n\t/go/src/runtime/panic.go:1 +0x1\nruntime.newThing()\n\t/go/src/runtime/thing.go:1 +0x1\n",
			"fatal error: in runtime.newThing", "", "",
		},
		{
			"others' frames first", "panic: boom\n\ngoroutine 1 [running]:\nencoding/json.f(0x1)\n\t/go/src/encoding/json/f.go:1 +0x1\nmain.g()\n\t/src/g.go:2 +0x2\n",
			"panic: boom", "main.g", "encoding/json.f\n\t/go/src/encoding/json/f.go:1\nmain.g\n\t/src/g.go:2",
		},
		{
			"no own frame", "panic: boom\n\ngoroutine 1 [running]:\nexample.org/dep.f(0x1)\n\t/dep/f.go:1 +0x1\n",
			"panic: boom", "example.org/dep.f", "example.org/dep.f\n\t/dep/f.go:1",
		},
		{"no trace", "panic: boom\n", "panic: boom", "", ""},
		{"cut in the middle", "panic: boom\n\ngoroutine 1 [running]:\nmain.f()\n\t/src/f.go:3 +0x1\nmain.g(0x", "panic: boom", "main.f", "main.f\n\t/src/f.go:3"},
		{"nonsense", "some text", "some text", "", ""},
		{"blank", "\n \n", "", "", ""},
		{"nothing after what was told", "told 1 {0x1, 0x2}   \n", "", "", ""},
		{"told, but no panic", "told 1 {0x1, 0x2}   \n\ngoroutine 1 [running]:\nruntime.throw()\n\t/panic.go:1 +0x1\nruntime.newstack()\n\t/stack.go:1 +0x1\n", "fatal error: stack overflow", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, ok := parse(tt.text)
			require.Equal(t, tt.cause != "", ok)
			require.Equal(t, tt.cause, r.Cause)
			if r.Source == nil {
				r.Source = &slog.Source{}
			}
			require.Equal(t, tt.function, r.Source.Function)
			require.Equal(t, tt.stack, r.Stack)
		})
	}
}

// Reading takes no longer than what was said does, however many lines that has.
func TestManyLinesAreReadInOneGo(t *testing.T) {
	text := "panic: " + strings.Repeat("\n\t", maxRead/2)
	require.Less(t, testing.AllocsPerRun(1, func() { parse(text) }), 100.0)
}
