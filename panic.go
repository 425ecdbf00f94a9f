// This file turns panics, and the errors of jobs, into alerts.

package slackalert

import (
	"context"
	"errors"
	"log/slog"
	"runtime"

	"example.com/slackalert/internal/scope"
	"example.com/slackalert/internal/unhandled"
)

// Repanic is for defer, in main and in goroutines: it alerts a panic with the
// stack of the frame that panicked first, waits up to 5 s for it to be told,
// and panics again with the same value. Go prints the same trace then, with
// "[recovered, repanicked]" behind the value and Repanic's frames on top.
// Without a panic, and on runtime.Goexit, it does nothing.
//
// A panic that another Repanic, [Panicked], [Do] or package slackhttp told on
// its way up is not told again, nor is [net/http.ErrAbortHandler]. Functions in
// between that recover and panic again with the same value, to end a span or to
// roll a transaction back, change nothing.
//
// Deferred above Close, Repanic runs after it. It opens the way to Slack once
// more then, for this alert alone, which the handler's Stats don't count.
func (h *Handler) Repanic() {
	v := recover()
	if v == nil {
		return
	}
	p := unhandled.Recovered(v)
	h.panicked(&p)
	h.crashToo(&p)
	panic(v)
}

// crashToo has a panic that was told not told again by the next start, should it
// go on and end the process.
func (h *Handler) crashToo(p *unhandled.Panic) {
	if p.Told {
		h.core.crash.Told(p.Mark())
	}
}

// panicked alerts a panic and waits until it is told.
func (h *Handler) panicked(p *unhandled.Panic) {
	ctx, cancel := context.WithTimeout(context.Background(), syncWait)
	defer cancel()
	if again := h.reopened(); again != nil {
		p.Log(ctx, again, panicPrefix, "")
		_ = again.Shutdown(ctx) // base hears what it couldn't tell
		return
	}
	p.Log(ctx, h, panicPrefix, "")
	_ = h.Flush(ctx) // base hears of a failure from the lane
}

const panicPrefix = "panic: "

// reopened is h with a new way to Slack when h is shut down, and nil otherwise,
// or when h has nowhere to tell.
func (h *Handler) reopened() *Handler {
	opts := h.core.config.opts
	if !h.core.shut.Load() || h.core.config.nowhere {
		return nil
	}
	opts.CatchCrash, opts.Codes = false, h.core.config.catalogue() // it was set once; they may have been since
	n, err := New(h.base, &opts)
	if err != nil {
		return nil // they were accepted once, so the world has changed; base still gets the record
	}
	again := *h
	again.core = n.core
	return &again
}

// Panicked alerts what recover returned, with the stack of the frame that
// panicked first, at ERROR+4 with the code "unhandled". Call it in the deferred
// function, or in what that calls:
//
//	defer func() {
//		if v := recover(); v != nil {
//			slackalert.Panicked(ctx, logger, v)
//			err = errors.New("internal error") // or panic(v), and the panic goes on
//		}
//	}()
//
// It logs with ctx, whose scope the alert shows, and waits for nothing: the
// program goes on. A nil v is no panic. A nil logger is [slog.Default]; where a
// logger is not over a [Handler], the record is logged and that is all. A panic
// that goes on is told once: see [Handler.Repanic].
func Panicked(ctx context.Context, logger *slog.Logger, v any) {
	if v == nil {
		return
	}
	p := unhandled.Recovered(v)
	to := unhandled.Handler(logger)
	p.Log(ctx, to, panicPrefix, unhandled.Code)
	if h, ok := to.(*Handler); ok {
		h.crashToo(&p)
	}
}

// Do runs f in a scope with "job": name, and returns what f returns. It is for
// what no request carries: cron jobs, queue workers, Lambda functions.
//
// An error is logged at ERROR with the code "unhandled", the source being the
// line that called Do, unless an alert was logged with f's context, or one made
// from it. An error that is [context.Canceled] while ctx is cancelled is no
// failure: f was told to stop, and did. One that ran out of time is. A panic is
// alerted as by [Panicked], and goes on; [runtime.Goexit] passes.
//
// A nil logger is [slog.Default]. A Do inside another tells an error once.
func Do(ctx context.Context, logger *slog.Logger, name string, f func(context.Context) error) error {
	ctx, s := scope.Open(ctx, slog.String("job", name))
	defer func() {
		if v := recover(); v != nil {
			Panicked(ctx, logger, v)
			panic(v)
		}
	}()
	err := f(ctx)
	if err == nil || s.Alerted() || errors.Is(ctx.Err(), context.Canceled) && errors.Is(err, context.Canceled) {
		return err
	}
	var pc [1]uintptr
	runtime.Callers(2, pc[:])
	unhandled.Log(ctx, unhandled.Handler(logger), unhandled.Code, "job "+name+" failed", pc[0], slog.Any("error", err))
	return err
}
