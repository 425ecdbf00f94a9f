// This file counts one thing from many goroutines for one that tells of it.

// Package tally counts from many goroutines for one teller, so that between
// "told" and "one more" nothing is lost and nothing is counted twice.
//
// A tally is closed or open. While it is closed, only Add counts, under a lock
// that its callers share with the teller, so that the teller learns of it. Once
// the teller knows that there is something to tell, it may open the tally: then
// Again counts too, without a lock. Take closes it, and what is counted behind
// Take's number comes by Add. No addition can fall between telling and closing,
// because Again and Take change one word in one step.
//
// Times and users are noted before the count: who reads a count finds in them
// at least what was counted.
package tally

import (
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/sketch"
)

// Tally counts one thing. Its zero value has counted nothing and is closed. It
// must not be copied.
type Tally struct {
	Users sketch.Sketch // who was hit
	state atomic.Uint64 // count<<1 | open
	last  atomic.Int64  // Unix ns, to a millisecond; 0 = unknown
}

const open = 1

// Again counts one more if the tally is open, and returns how many it has
// counted in all; 0 = it is closed. at is as for [Nano]; user is a hash of who
// was hit, 0 = unknown. It takes no lock, and allocates for few of the users only.
func (t *Tally) Again(at int64, user uint64) uint64 {
	s := t.state.Load()
	if s&open == 0 {
		return 0
	}
	t.note(at, user)
	for !t.state.CompareAndSwap(s, s+2) {
		if s = t.state.Load(); s&open == 0 {
			return 0 // its time stays noted: the caller counts it by Add
		}
	}
	return s>>1 + 1
}

// Add counts n more, open or not, and returns how many it has counted in all.
// The lock is held.
func (t *Tally) Add(n uint64, at int64, user uint64) uint64 {
	t.note(at, user)
	return t.state.Add(n<<1) >> 1
}

// Take closes the tally and returns how many it has counted. The lock is held.
func (t *Tally) Take() uint64 { return t.state.And(^uint64(open)) >> 1 }

// Open lets Again count: the teller knows that there is something to tell. The
// lock is held.
func (t *Tally) Open() { t.state.Or(open) }

// Count is how many were counted. While the tally is open it grows.
func (t *Tally) Count() uint64 { return t.state.Load() >> 1 }

// Last is the latest time of what was counted, to a millisecond; zero where no
// time was known.
func (t *Tally) Last() time.Time {
	ns := t.last.Load()
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// note keeps the latest time, to a millisecond: in a storm every processor
// would want to write it.
func (t *Tally) note(at int64, user uint64) {
	t.Users.Add(user)
	for old := t.last.Load(); at-old > int64(time.Millisecond) || old == 0 && at != 0; old = t.last.Load() {
		if t.last.CompareAndSwap(old, at) {
			return
		}
	}
}

// Nano is a time as a tally takes it: Unix nanoseconds, 0 where it is unknown
// or outside of the years 1678 to 2261, for which an int64 has room.
func Nano(at time.Time) int64 {
	if s := at.Unix(); s < -9214560000 || s > 9214646400 {
		return 0
	}
	return at.UnixNano()
}
