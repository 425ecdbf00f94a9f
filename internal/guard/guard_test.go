package guard

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestCall(t *testing.T) {
	var told []string
	var g *Guard
	g = New(func(msg string, args ...any) { told = append(told, fmt.Sprint(msg, args, g.Here())) })
	assert.Equal(t, 1, Call(g, "Filter", 0, func() int { return 1 }))
	for range 3 {
		assert.Equal(t, 7, Call(g, "Filter", 7, func() int { panic("oh") }))
	}
	assert.Equal(t, 7, Call(g, "Route", 7, func() int { panic("no") }))
	assert.Equal(t, 7, Call(g, "Links", 7, func() int { panic(echo{}) }))
	assert.Equal(t, []string{
		"slackalert: an option's function panicked; its default is used[option Filter panic oh] true",
		"slackalert: an option's function panicked; its default is used[option Route panic no] true",
		"slackalert: an option's function panicked; its default is used[option Links panic !PANIC] true",
	}, told, "once each, and what base logs then comes from here too")
	assert.False(t, g.Here())
}

// echo panics with itself when it is asked for its text.
type echo struct{}

func (e echo) Error() string { panic(e) }

func TestAskSurvivesWhatPanics(t *testing.T) {
	g := New(nil)
	for value, want := range map[any]string{"oh": "the delivery panicked: oh", echo{}: "the delivery panicked: !PANIC"} {
		c := g.Ask(t.Context(), func() error { panic(value) })
		assert.Equal(t, want, c.Text)
	}
}

// Who tells of trouble waits a second, and no longer, for one who doesn't return.
func TestABaseThatDoesNotReturnHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		g, begun := New(func(string, ...any) { <-hang }), time.Now()
		assert.Equal(t, 2, Call(g, "Filter", 2, func() int { panic("oh") }))
		g.First("trouble")
		assert.Equal(t, 2*patience, time.Since(begun))
	})
}

// Foreign code that ends its goroutine takes nothing along but the call it is in.
func TestWhatEndsItsGoroutine(t *testing.T) {
	asked, told := 0, 0
	g := New(func(msg string, args ...any) {
		told++
		assert.Contains(t, msg, "runtime.Goexit")
		assert.Equal(t, []any{"option", "Filter"}, args)
		runtime.Goexit()
	})
	var wg sync.WaitGroup
	ask := func() int { return Call(g, "Filter", 7, func() int { asked++; runtime.Goexit(); return 0 }) }
	over, first := false, false
	wg.Go(func() {
		defer func() { over = true }()
		ask()
		first = true
	})
	wg.Wait()
	assert.True(t, over)
	assert.False(t, first, "nothing holds it up")
	assert.Equal(t, 7, ask(), "it isn't asked again")
	assert.Equal(t, 3, Call(g, "Route", 0, func() int { return 3 }), "others are")
	assert.Equal(t, []int{1, 1}, []int{asked, told}, "and who hears of it may do the same")
	assert.False(t, g.Here())
}

func TestHere(t *testing.T) {
	one, two := New(nil), New(nil)
	assert.False(t, one.Here())
	assert.True(t, Call(one, "Filter", false, one.Here))
	assert.False(t, Call(one, "Filter", false, two.Here), "another's")
	assert.False(t, Call(one, "Filter", true, func() (here bool) {
		var wg sync.WaitGroup
		wg.Go(func() { here = one.Here() })
		wg.Wait()
		return here
	}), "another goroutine")
}

func TestABaseThatPanicsWhenItIsTold(t *testing.T) {
	g := New(func(string, ...any) { panic("base") })
	assert.Equal(t, 2, Call(g, "Filter", 2, func() int { panic("oh") }))
}

func TestCallAllocatesNothing(t *testing.T) {
	g, n := New(nil), 3
	assert.Zero(t, testing.AllocsPerRun(100, func() { n = Call(g, "Filter", 0, func() int { return n + 1 }) }))
}

func BenchmarkCall(b *testing.B) {
	g, n := New(nil), 0
	for b.Loop() {
		n = Call(g, "Filter", 0, func() int { return n + 1 })
	}
}
