// Package guard calls the functions that a user set as options. One that panics
// harms nobody: it is told once, and its default is used. What one logs through
// the handler it serves is known to come from there.
package guard

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"example.com/slackalert/internal/stackmark"
)

// Guard is one handler's. It is safe for use by many goroutines.
type Guard struct {
	mark *stackmark.Mark
	tell func(msg string, args ...any)
	said sync.Map // what was told, once each
}

// New returns a guard that tells what goes wrong.
func New(tell func(msg string, args ...any)) *Guard {
	return &Guard{mark: stackmark.New(), tell: tell}
}

// Here says whether the calling goroutine is in a function that the guard called.
// It costs a load while no goroutine is.
func (g *Guard) Here() bool { return g.mark.Here() }

// Call returns what an option's function returns, or byDefault where it panics.
func Call[T any](g *Guard, option string, byDefault T, f func() T) (out T) {
	g.mark.Run(func() {
		defer func() {
			if v := recover(); v != nil { // what says it is foreign, too, and may log
				out = byDefault
				g.Once("slackalert: an option's function panicked; its default is used", option, "panic", fmt.Sprint(v))
			}
		}()
		out = f()
	})
	return out
}

// Asked returns what a function of a caller's returns, and nothing where it
// panics: for callers who have no guard, and nobody to tell.
func Asked[T any](f func() T) (answer T) {
	defer func() { _ = recover() }()
	return f()
}

// Once tells something of an option, the first time. A base that panics when it
// is told has nobody to tell.
func (g *Guard) Once(msg, option string, args ...any) {
	if _, had := g.said.LoadOrStore(msg+option, true); had {
		return
	}
	defer func() { _ = recover() }()
	g.mark.Run(func() { g.tell(msg, append([]any{"option", option}, args...)...) })
}

// ToBase returns what says something of slackalert's own to base, never through
// the handler it serves: as a warning, and as an error where base wants no
// warnings. A base that panics when it hears of trouble makes no more of it.
func ToBase(base slog.Handler) func(msg string, args ...any) {
	return func(msg string, args ...any) {
		defer func() { _ = recover() }() // there is nobody left to tell
		ctx := context.Background()
		for _, level := range []slog.Level{slog.LevelWarn, slog.LevelError} {
			if base.Enabled(ctx, level) {
				r := slog.NewRecord(time.Now(), level, msg, 0)
				r.Add(args...)
				_ = base.Handle(ctx, r) // base failed to hear of a failure: nobody is left to tell
				return
			}
		}
	}
}
