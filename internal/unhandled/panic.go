// Package unhandled logs what nobody else told: panics, and failures about
// which no alert was logged.
package unhandled

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/origin"
	"example.com/slackalert/internal/scope"
)

// PanicLevel is above ERROR: the program, or a part of it, ends.
const PanicLevel = slog.LevelError + 4

// Panic is a panic as the deferred function finds it that recovered it.
type Panic struct {
	Value any
	Stack capture.Stack // from the frame that panicked first

	// Told says that it was told, by Log or by a deferred function that panicked it
	// again, or is nothing to tell: http.ErrAbortHandler.
	Told bool

	here mark
}

// Recovered looks at a panic whose frames still stand: it is called by what
// called recover, or by what that calls. Where no panic is on the stack, the
// stack begins with who called its caller.
func Recovered(v any) Panic {
	p := Panic{Value: v, Told: v == any(http.ErrAbortHandler)}
	full := capture.Here(0)
	var calls []int // of panic, newest first
	for i, pc := range full {
		if capture.Function(pc) == "runtime.gopanic" {
			calls = append(calls, i)
		}
	}
	if len(calls) == 0 {
		p.Stack = full[min(2, len(full)):]
		return p
	}
	goroutine, values := trace(len(calls))
	by := func(i int) mark { // who was deferred, and found that panic
		return mark{goroutine, capture.Function(full[calls[i]-1]), values[0]}
	}
	p.here = by(0)
	first := 0
	for first+1 < len(calls) && same(values[first], values[first+1], v) {
		first++
		p.Told = p.Told || told.has(by(first))
	}
	p.Stack = full[calls[first]+1:]
	for len(p.Stack) > 1 && capture.IsRuntime(capture.Function(p.Stack[0])) {
		p.Stack = p.Stack[1:] // panicmem, sigpanic, goPanicIndex
	}
	return p
}

// Carried takes the stack of the panic that p is again, if it is: of the same
// value, recovered in one goroutine and panicked in this one.
func (p *Panic) Carried(first *Panic) {
	if p.here.value != "" && p.here.value == first.here.value {
		p.Stack, p.Told = first.Stack, p.Told || first.Told
	}
}

// source is the frame that panicked, or, where the standard library did on its
// behalf, the one that called it: not what only passed a status on to it.
func (p *Panic) source() uintptr {
	for i, pc := range p.Stack {
		f := capture.Function(pc)
		if passedOn := i > 0 && strings.HasSuffix(f, ".WriteHeader"); !passedOn && !origin.Standard(f) {
			return pc
		}
	}
	if len(p.Stack) > 0 {
		return p.Stack[0]
	}
	return 0
}

// Log logs the panic, unless it was told, and notes that it is now. what stands
// before the value; code may be empty.
func (p *Panic) Log(ctx context.Context, h slog.Handler, what, code string) {
	if p.Told || !h.Enabled(ctx, PanicLevel) {
		return
	}
	text := capture.Said(p.Value)
	r := slog.NewRecord(time.Now(), PanicLevel, what+capture.Cut(text, capture.MaxValue), p.source())
	if code != "" {
		r.AddAttrs(slog.Any(codeKey, capture.Code(code)))
	}
	if err, ok := p.Value.(error); ok {
		r.AddAttrs(slog.Any("error", err))
	}
	r.AddAttrs(slog.Any("stack", p.Stack))
	ctx, s := scope.Open(ctx)
	_ = h.Handle(ctx, r) // who panics has nobody to tell
	if p.Told = s.Alerted(); p.Told && p.here.value != "" {
		told.add(p.here)
	}
}

// Mark is how the runtime's trace names the panic, should it end the process: its
// goroutine, and the two words of its value. "" = nobody knows.
func (p *Panic) Mark() string {
	if p.here.value == "" {
		return ""
	}
	return p.here.goroutine + " " + p.here.value
}

// mark is a panic's value at the deferred function that found it. A function
// that told it and panics it again still stands on the stack, below the new
// panic: that makes out the same panic from another of the same value.
type mark struct{ goroutine, function, value string }

// marks remembers the last panics that were told: those that may be on their
// way up a stack at this moment.
type marks struct {
	mu   sync.Mutex
	last [256]mark
	next int
}

// told is for all handlers: a panic passes functions that know nothing of each
// other.
var told marks

func (m *marks) add(one mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last[m.next] = one
	m.next = (m.next + 1) % len(m.last)
}

func (m *marks) has(one mark) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Contains(m.last[:], one)
}

// trace is what only the text of a stack tells: the goroutine, and the values of
// the n panics on it, newest first, "" where it doesn't show them.
func trace(n int) (goroutine string, values []string) {
	buf := make([]byte, 64<<10)
	_, text, _ := strings.Cut(string(buf[:runtime.Stack(buf, false)]), " ")
	goroutine, _, _ = strings.Cut(text, " ")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "...") {
			break // frames left out: what follows can't be counted
		}
		if value, ok := strings.CutPrefix(line, "panic("); ok {
			values = append(values, strings.ReplaceAll(strings.TrimRight(value, ")\n"), "?", ""))
		}
	}
	return goroutine, append(values, make([]string, n)...)
}

// same says whether two panics have the same value: the same two words of an
// interface. panic(nil) becomes a value only when it is recovered.
func same(newer, older string, v any) bool {
	_, isNil := v.(*runtime.PanicNilError)
	return newer != "" && newer == older || isNil && older == "{0x0, 0x0}"
}
