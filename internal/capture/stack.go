// This file knows call stacks: of a log call, of a panic, of an error.

package capture

import (
	"runtime"
	"strconv"
	"strings"
)

// maxFrames bounds a stack; it is cut from the bottom.
const maxFrames = 32

// Stack is a call stack, innermost first. As a record's attribute it becomes
// the alert's stack; a base writes it as text.
type Stack []uintptr

// Here returns the stack of its caller, skip frames further up.
func Here(skip int) Stack {
	pcs := make([]uintptr, 64)
	return pcs[:runtime.Callers(skip+2, pcs)]
}

// Panicking returns the stack from the frame that panicked. It is called by
// the function that recovered, while the panic's frames still stand.
func Panicking() Stack {
	s := Here(1)
	for i, pc := range s {
		if f := runtime.FuncForPC(pc - 1); f != nil && f.Name() == "runtime.gopanic" {
			s = s[i+1:]
			break
		}
	}
	for len(s) > 1 && strings.HasPrefix(name(s[0]), "runtime.") {
		s = s[1:] // panicmem, sigpanic, goPanicIndex
	}
	return s
}

func name(pc uintptr) string {
	if f := runtime.FuncForPC(pc - 1); f != nil {
		return f.Name()
	}
	return ""
}

// String is a line a frame, "function\n\tfile:line" as in a panic's trace,
// without the frames of the runtime, of slog and of this module's handlers.
func (s Stack) String() string {
	var b strings.Builder
	frames, n := runtime.CallersFrames(s), 0
	for more := len(s) > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if f.Function == "" || skipped(f.Function) {
			continue
		}
		if n++; n > maxFrames {
			b.WriteString("…\n")
			break
		}
		b.WriteString(f.Function + "\n\t" + f.File + ":" + strconv.Itoa(f.Line) + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// MarshalText lets a base write a stack as text.
func (s Stack) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// skipped says which frames tell nothing about the program.
func skipped(function string) bool {
	const module = "example.com/slackalert"
	return strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "log/slog.") ||
		strings.HasPrefix(function, module+".(*Handler).") || strings.HasPrefix(function, module+".(*core).") ||
		strings.HasPrefix(function, module+"/slackhttp.")
}
