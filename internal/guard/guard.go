// Package guard calls what isn't ours: the functions that a user set as options,
// whoever delivers, and base when it is told of trouble. What panics there, or
// ends its goroutine, harms nobody: it is told once, and a default is used. What
// is logged there through the handler that the guard serves is known to come
// from there.
package guard

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/cause"
	"example.com/slackalert/internal/stackmark"
)

// Guard is one handler's. It is safe for use by many goroutines.
type Guard struct {
	mark *stackmark.Mark
	tell func(msg string, args ...any)
	said sync.Map    // what was told, once each
	ends atomic.Bool // one of the functions ended its goroutine
}

// New returns a guard that tells what goes wrong.
func New(tell func(msg string, args ...any)) *Guard {
	return &Guard{mark: stackmark.New(), tell: tell}
}

// Here says whether the calling goroutine is in something that the guard called.
// It costs a load while no goroutine is.
func (g *Guard) Here() bool { return g.mark.Here() }

const (
	panics = "slackalert: an option's function panicked; its default is used"
	exits  = "slackalert: an option's function ended its goroutine (runtime.Goexit); it is not called again, its default is used"
)

// Call returns what an option's function returns, or byDefault where it panics.
// Where it ends the goroutine by [runtime.Goexit], the deferred functions of
// Call's caller run, and the option is byDefault from then on.
func Call[T any](g *Guard, option string, byDefault T, f func() T) (out T) {
	if g.ends.Load() {
		if _, ended := g.said.Load(exits + option); ended {
			return byDefault
		}
	}
	g.mark.Run(func() {
		returned := false
		defer func() {
			if v := recover(); v != nil { // what says it is foreign, too, and may log
				out = byDefault
				g.Once(panics, option, "panic", capture.Said(v))
			} else if !returned {
				g.ends.Store(true)
				g.Once(exits, option)
			}
		}()
		out = f()
		returned = true
	})
	return out
}

// Func is an option's function, called as by Call; nil stays nil.
func Func[A, T any](g *Guard, option string, byDefault T, f func(A) T) func(A) T {
	if f == nil {
		return nil
	}
	return func(a A) T { return Call(g, option, byDefault, func() T { return f(a) }) }
}

// Func2 is Func for two arguments.
func Func2[A, B, T any](g *Guard, option string, byDefault T, f func(A, B) T) func(A, B) T {
	if f == nil {
		return nil
	}
	return func(a A, b B) T { return Call(g, option, byDefault, func() T { return f(a, b) }) }
}

// Asked returns what a function of a caller's returns, and nothing where it
// panics: for callers who have no guard, and nobody to tell.
func Asked[T any](f func() T) (answer T) {
	defer func() { _ = recover() }()
	return f()
}

// Ask calls f, and asks the error that it returns what it means. A panic is an
// error, too. What f, its error or the panic's value logs is logged Here. Where
// they end the goroutine by [runtime.Goexit], Ask doesn't return, and its
// caller's deferred functions run.
func (g *Guard) Ask(ctx context.Context, f func() error) (c cause.Cause) {
	g.mark.Run(func() {
		defer func() {
			if v := recover(); v != nil {
				c = cause.Of(errors.New("the delivery panicked: "+capture.Said(v)), false)
			}
		}()
		err := f()
		c = cause.Of(err, ctx.Err() != nil)
	})
	return c
}

// patience is how long Tell waits for who is told.
const patience = time.Second

// Tell tells something, and survives it: also where who is told doesn't return.
func (g *Guard) Tell(msg string, args ...any) {
	select {
	case <-g.Telling(msg, args...):
	case <-time.After(patience):
	}
}

// Telling is Tell for who waits otherwise: the channel is closed when it is told.
// That is on a goroutine of its own, so that one who ends it takes nothing else
// along.
func (g *Guard) Telling(msg string, args ...any) <-chan struct{} {
	told := make(chan struct{})
	go func() {
		defer close(told)
		defer func() { _ = recover() }() // there is nobody left to tell
		g.mark.Run(func() { g.tell(msg, args...) })
	}()
	return told
}

// First tells something the first time it happens, and not again.
func (g *Guard) First(msg string, args ...any) {
	if _, had := g.said.LoadOrStore(msg, true); !had {
		g.Tell(msg, args...)
	}
}

// Once tells something of an option, the first time.
func (g *Guard) Once(msg, option string, args ...any) {
	if _, had := g.said.LoadOrStore(msg+option, true); !had {
		g.Tell(msg, append([]any{"option", option}, args...)...)
	}
}

// ToBase returns what says something of slackalert's own to base, never through
// the handler it serves: as a warning, and as an error where base wants no
// warnings.
func ToBase(base slog.Handler) func(msg string, args ...any) {
	return func(msg string, args ...any) {
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
