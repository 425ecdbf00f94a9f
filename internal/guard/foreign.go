// This file calls what isn't ours on a goroutine of ours: whoever delivers, and
// base when it is told of that.

package guard

import (
	"context"
	"fmt"

	"example.com/slackalert/internal/cause"
)

// Ask calls f, and asks the error that it returns what it means. A panic is an
// error, too. What f, its error or the panic's value logs is logged Here. Where
// they end the goroutine by runtime.Goexit, Ask doesn't return, and its caller's
// deferred functions run.
func (g *Guard) Ask(ctx context.Context, f func() error) (c cause.Cause) {
	g.mark.Run(func() {
		defer func() {
			if v := recover(); v != nil {
				c = cause.Of(fmt.Errorf("the delivery panicked: %v", v), false)
			}
		}()
		err := f()
		c = cause.Of(err, ctx.Err() != nil)
	})
	return c
}

// Tell tells something, and survives it.
func (g *Guard) Tell(msg string, args ...any) {
	defer func() { _ = recover() }() // there is nobody left to tell
	g.mark.Run(func() { g.tell(msg, args...) })
}

// First tells something the first time it happens, and not again.
func (g *Guard) First(msg string, args ...any) {
	if _, had := g.said.LoadOrStore(msg, true); !had {
		g.Tell(msg, args...)
	}
}
