// Package stackmark knows whose call a goroutine is in: it marks a stretch of the
// stack as one owner's call of foreign code, and finds the mark again from
// whatever that code calls, contexts or not.
package stackmark

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
)

// Mark is one owner's. Its zero value is no mark: make it with New. It is safe
// for use by many goroutines.
type Mark struct {
	tag     uint32
	running atomic.Int32
}

// A tag is written in signs of three bits. Two owners share one, and may take each
// other's calls for their own, once in 32,768 pairs.
const (
	signs    = 5
	signBits = 3
)

// New returns a mark of its own.
func New() *Mark { return &Mark{tag: rand.Uint32N(1 << (signs * signBits))} }

// Run calls f, whose goroutine is within the mark until f returns or panics. It
// costs about as much as as many calls as a tag has signs, and allocates nothing.
func (m *Mark) Run(f func()) {
	m.running.Add(1)
	defer m.running.Add(-1)
	write(m.tag, signs, f)
}

// Here says whether the calling goroutine is within the mark: not one that f
// started. While no goroutine is, it costs a load; else it reads the stack.
func (m *Mark) Here() bool { return m.running.Load() > 0 && m.onStack() }

// write leaves a tag on the stack, lowest sign first: which of its calls of
// itself a frame stands at is the sign. Behind the last one stands f.
//
//go:noinline
func write(tag uint32, left int, f func()) {
	if left == 0 {
		f()
		return
	}
	rest := tag >> signBits
	switch left--; tag & (1<<signBits - 1) {
	case 0:
		write(rest, left, f)
	case 1:
		write(rest, left, f)
	case 2:
		write(rest, left, f)
	case 3:
		write(rest, left, f)
	case 4:
		write(rest, left, f)
	case 5:
		write(rest, left, f)
	case 6:
		write(rest, left, f)
	case 7:
		write(rest, left, f)
	}
}

// places are where the calls stand: behind the signs' in write, in their order,
// and behind the one of f.
type places struct {
	signs [1 << signBits]uintptr
	f     uintptr
}

// found are the places, as a stack shows them.
var found = func() (p places) {
	for sign := range p.signs {
		write(uint32(sign), 1, func() {
			var pcs [3]uintptr // this function, write with nothing left, write
			runtime.Callers(1, pcs[:])
			p.f, p.signs[sign] = pcs[1], pcs[2]
		})
	}
	return p
}()

// onStack reads the stack from the innermost frame: behind the call of f stands
// the highest sign of a tag.
func (m *Mark) onStack() bool {
	var pcs [128]uintptr
	tag, left := uint32(0), 0
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		for _, pc := range pcs[:n] {
			switch {
			case pc == found.f:
				tag, left = 0, signs
			case left > 0:
				left--
				tag = tag<<signBits | uint32(slices.Index(found.signs[:], pc))
				if left == 0 && tag == m.tag {
					return true
				}
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}
