// This file knows where a program counter stands in the source.

package fingerprint

import (
	"runtime"
	"sync/atomic"
)

// Sources remembers the hashes of the places that log, so that a repeat needn't
// look one up. Its zero value is ready; it takes no lock, and of two places that
// fall on one slot it forgets one.
type Sources struct {
	slots [1 << sourceBits]atomic.Pointer[source]
}

const sourceBits = 10

type source struct {
	pc   uintptr
	hash Hash
}

// Of is the hash of the function and the line at a record's PC: equal in every
// process of one build, wherever it was loaded. 0 is a place too: the unknown one.
func (s *Sources) Of(pc uintptr) Hash {
	slot := &s.slots[uint64(pc)*0x9e3779b97f4a7c15>>(64-sourceBits)]
	if at := slot.Load(); at != nil && at.pc == pc {
		return at.hash
	}
	f, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	h := New().String(f.Function).Uint(uint64(f.Line))
	slot.Store(&source{pc, h})
	return h
}
