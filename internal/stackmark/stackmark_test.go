package stackmark

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

const tagBits = signs * signBits

func deep(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	deep(n-1, f)
}

func TestHere(t *testing.T) {
	for tag := range uint32(1 << tagBits / 97) {
		m, other := &Mark{tag: tag * 97}, &Mark{tag: tag*97 ^ 1<<(tag%tagBits)}
		other.running.Add(1) // elsewhere, so that it looks
		assert.False(t, m.Here())
		m.Run(func() {
			assert.True(t, m.Here())
			assert.False(t, other.Here(), "%x isn't %x", m.tag, other.tag)
			other.Run(func() { assert.True(t, m.Here() && other.Here()) })
		})
		assert.False(t, m.Here())
	}
}

func TestHereFromFarBelow(t *testing.T) {
	m := New()
	for n := range 300 { // the tag stands at every place of what is read at once
		m.Run(func() { deep(n, func() { assert.True(t, m.Here(), n) }) })
	}
}

func TestElsewhereIsNotHere(t *testing.T) {
	m := New()
	m.Run(func() {
		var wg sync.WaitGroup
		wg.Go(func() { assert.False(t, m.Here()) })
		wg.Wait()
	})
	deep(300, func() { m.Run(func() {}); assert.False(t, m.Here()) })
}

func TestAPanicEndsIt(t *testing.T) {
	m := New()
	assert.Panics(t, func() { m.Run(func() { panic("x") }) })
	assert.Zero(t, m.running.Load())
	var wg sync.WaitGroup
	wg.Go(func() { m.Run(func() { runtime.Goexit() }) })
	wg.Wait()
	assert.Zero(t, m.running.Load())
}

func TestItAllocatesNothing(t *testing.T) {
	m, n := New(), 0
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		m.Run(func() { n++ })
		m.Here()
	}))
}

func BenchmarkMark(b *testing.B) {
	m := New()
	b.Run("run", func(b *testing.B) {
		for b.Loop() {
			m.Run(func() {})
		}
	})
	b.Run("here, nobody is", func(b *testing.B) {
		for b.Loop() {
			m.Here()
		}
	})
	b.Run("here, somebody is elsewhere", func(b *testing.B) {
		m.running.Add(1)
		deep(20, func() {
			for b.Loop() {
				m.Here()
			}
		})
	})
}
