// This file knows call stacks: of a log call, of a panic, of an error.

package capture

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// maxFrames bounds a stack's text; it is cut from the bottom.
const maxFrames = 32

// maxPCs bounds a stack. Behind a deep recursion the end is missing.
const maxPCs = 512

// Stack is a call stack, innermost first. As a record's attribute it becomes
// the alert's stack; a base writes it as text.
type Stack []uintptr

// Here returns the stack of its caller, skip frames further up.
func Here(skip int) Stack {
	var pcs [maxPCs]uintptr
	return slices.Clone(pcs[:runtime.Callers(skip+2, pcs[:])])
}

// At returns the part of the caller's stack that begins with a record's PC: the
// handlers above it tell nothing. Where the record was logged elsewhere, say
// through a queue, it returns nothing. A PC of 0 is unknown: the stack begins
// behind the last frame of slog then.
func At(pc uintptr) Stack {
	s := Here(1)
	if pc != 0 {
		return s[index(s, func(at uintptr) bool { return at == pc }):]
	}
	for i, at := range slices.Backward(s) {
		if isSlog(Function(at)) {
			return s[i+1:]
		}
	}
	return s
}

// index is len(s) where there is none.
func index(s Stack, is func(uintptr) bool) int {
	if i := slices.IndexFunc(s, is); i >= 0 {
		return i
	}
	return len(s)
}

// Function is the name of the function that a stack's PC is in.
func Function(pc uintptr) string {
	if f := runtime.FuncForPC(pc - 1); f != nil {
		return f.Name()
	}
	return ""
}

// String is a line a frame, "function\n\tfile:line" as in a panic's trace,
// without the frames of the runtime and of slog.
func (s Stack) String() string {
	var b strings.Builder
	frames, n := runtime.CallersFrames(s), 0
	for more := len(s) > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if f.Function == "" || IsRuntime(f.Function) || isSlog(f.Function) {
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

// IsRuntime says of a function's name whether it is the runtime's.
func IsRuntime(function string) bool { return strings.HasPrefix(function, "runtime.") }

func isSlog(function string) bool { return strings.HasPrefix(function, "log/slog.") }
