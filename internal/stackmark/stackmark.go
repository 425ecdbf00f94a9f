// Package stackmark knows whose call a goroutine is in: it marks a stretch of the
// stack as one owner's call of foreign code, and finds the mark again from
// whatever that code calls, contexts or not.
package stackmark

import (
	"math/rand/v2"
	"reflect"
	"runtime"
	"sync/atomic"
)

// Mark is one owner's. Its zero value is no mark: make it with New. It is safe
// for use by many goroutines.
type Mark struct {
	tag     uint32
	running atomic.Int32
}

// tagBits is how long a tag is: two owners share one, and may take each other's
// calls for their own, once in 65,536 pairs.
const tagBits = 16

// New returns a mark of its own.
func New() *Mark { return &Mark{tag: rand.Uint32N(1 << tagBits)} }

// Run calls f, whose goroutine is within the mark until f returns or panics. It
// costs about as much as as many calls as a tag has bits, and allocates nothing.
func (m *Mark) Run(f func()) {
	m.running.Add(1)
	defer m.running.Add(-1)
	zero(m.tag, tagBits, f)
}

// Here says whether the calling goroutine is within the mark: not one that f
// started. While no goroutine is, it costs a load; else it reads the stack.
func (m *Mark) Here() bool { return m.running.Load() > 0 && m.onStack() }

// zero and one write the tag's bits onto the stack, lowest first, as frames that
// are told apart by their function. Behind the last bit stands f.
//
//go:noinline
func zero(tag uint32, left int, f func()) {
	switch {
	case left == 0:
		f()
	case tag&1 == 0:
		zero(tag>>1, left-1, f)
	default:
		one(tag>>1, left-1, f)
	}
}

//go:noinline
func one(tag uint32, left int, f func()) {
	switch {
	case left == 0:
		f()
	case tag&1 == 0:
		zero(tag>>1, left-1, f)
	default:
		one(tag>>1, left-1, f)
	}
}

// Where the two begin.
var zeroAt, oneAt = reflect.ValueOf(zero).Pointer(), reflect.ValueOf(one).Pointer()

// onStack reads the stack from the innermost frame, where the highest bit of a
// tag stands first.
func (m *Mark) onStack() bool {
	var pcs [128]uintptr
	tag, bits := uint32(0), 0
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		for _, pc := range pcs[:n] {
			switch entry(pc) {
			case zeroAt:
				tag, bits = tag<<1, bits+1
			case oneAt:
				tag, bits = tag<<1|1, bits+1
			default:
				bits = 0
				tag = 0
			}
			if bits == tagBits && tag == m.tag {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}

func entry(pc uintptr) uintptr {
	if f := runtime.FuncForPC(pc - 1); f != nil {
		return f.Entry()
	}
	return 0
}
