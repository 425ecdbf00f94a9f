package guard

import (
	"fmt"
	"sync"
	"testing"

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
	assert.Equal(t, []string{
		"slackalert: an option's function panicked; its default is used[option Filter panic oh] true",
		"slackalert: an option's function panicked; its default is used[option Route panic no] true",
	}, told, "once each, and what base logs then comes from here too")
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
