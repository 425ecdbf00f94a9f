// This file turns panics, and the errors of jobs, into alerts.

package slackalert

import (
	"context"
	"log/slog"
	"time"

	"example.com/slackalert/internal/capture"
)

// Repanic is for defer, in main and in goroutines: it alerts a panic with the
// stack of the frame that panicked, waits up to 5 s for it to be told, and
// panics again with the same value. Go prints the same trace then, with
// "[recovered, repanicked]" behind the value and Repanic's frames on top.
// Without a panic, and on runtime.Goexit, it does nothing.
func (h *Handler) Repanic() {
	v := recover()
	if v == nil {
		return
	}
	h.panicked(v)
	panic(v)
}

// panicked logs a panic as an alert and waits for it.
func (h *Handler) panicked(v any) {
	st := capture.Panicking()
	r := slog.NewRecord(time.Now(), panicLevel, "panic: "+capture.Value(slog.AnyValue(v)), 0)
	if len(st) > 0 {
		r.PC = st[0]
	}
	if err, ok := v.(error); ok {
		r.AddAttrs(slog.Any("error", err))
	}
	r.AddAttrs(slog.Any("stack", st))
	ctx, cancel := context.WithTimeout(context.Background(), syncWait)
	defer cancel()
	_ = h.Handle(ctx, r)
	_ = h.Flush(ctx) // base hears of a failure from the lane
}

// panicLevel is above ERROR: the program, or a part of it, ends.
const panicLevel = slog.LevelError + 4

// Panicked alerts what recover returned, with the stack of the frame that
// panicked first; call it in the deferred function. It waits for nothing. A nil
// logger is [slog.Default].
func Panicked(ctx context.Context, logger *slog.Logger, v any) {
	panic("not built yet")
}

// Do runs f in a scope with "job": name. An error that f returns is logged at
// ERROR with the code "unhandled", unless an alert was logged with its context;
// a panic is alerted and goes on.
func Do(ctx context.Context, logger *slog.Logger, name string, f func(context.Context) error) error {
	panic("not built yet")
}
