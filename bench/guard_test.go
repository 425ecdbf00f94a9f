// This file counts allocations: what is free stays free.

package bench

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/slackalert/bench/internal/handlers"
	"example.com/slackalert/bench/internal/loopback"
)

// TestAddsNoAllocation holds what the benchmarks promise and no clock is
// needed for: a record that is no alert, one in a scope, an unwanted Debug
// and a repeat allocate nothing that the base doesn't.
func TestAddsNoAllocation(t *testing.T) {
	count := func(c column, logger func(*handlers.Handler) func(int)) float64 {
		h := open(t, c, loopback.Fast)
		defer shut(t, h)
		f := logger(h)
		return testing.AllocsPerRun(2000, func() { f(0) }) // many runs: a delivery meanwhile rounds to nothing
	}
	for _, c := range []struct {
		name   string
		logger func(*handlers.Handler) func(int)
	}{
		{"no attributes", func(h *handlers.Handler) func(int) { return info0(bg, slog.New(h)) }},
		{"5 attributes", func(h *handlers.Handler) func(int) { return info5(bg, slog.New(h)) }},
		{"10 attributes", func(h *handlers.Handler) func(int) { return info10(bg, slog.New(h)) }},
		{"groups", func(h *handlers.Handler) func(int) { return info5(bg, slog.New(h).WithGroup("shop")) }},
		{"after With", func(h *handlers.Handler) func(int) { return info5(bg, slog.New(h).With(five()...)) }},
		{"unwanted", func(h *handlers.Handler) func(int) { return debug5(bg, slog.New(h)) }},
		{"repeat", func(h *handlers.Handler) func(int) {
			l := slog.New(h)
			return func(int) { alert(l, "payment failed") }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			floor := count(column{name: "base", base: noop}, c.logger)
			assert.Equal(t, floor, count(column{name: "wrapped", base: noop}, c.logger))
		})
	}
}
