// This file finds a tally without a lock.

package tally

import "sync/atomic"

// probes is how many places an id may stand in. Where all of them are taken the
// last one changes hands: what stood there is then counted under the lock.
const probes = 4

// Book finds tallies by their ID, without a lock. It may miss one that was
// remembered; it never finds another's. Make it with NewBook.
type Book struct{ places []atomic.Pointer[Tally] }

// NewBook returns a book with room for about n tallies; 16,384 at most, which
// are 512 KiB.
func NewBook(n int) *Book {
	size := 256
	for size < 4*n && size < 1<<16 {
		size *= 2
	}
	return &Book{make([]atomic.Pointer[Tally], size)}
}

func (b *Book) place(n uint64) *atomic.Pointer[Tally] { return &b.places[n&uint64(len(b.places)-1)] }

// Again counts one more of id, as [Tally.Again] does; it is false, too, where
// the book doesn't know it.
func (b *Book) Again(id uint64, at int64, user uint64) bool {
	for i := range uint64(probes) {
		if t := b.place(id + i).Load(); t != nil && t.ID == id {
			return t.Again(at, user)
		}
	}
	return false
}

// Remember lets t be found. The lock is held.
func (b *Book) Remember(t *Tally) {
	for i := range uint64(probes) {
		p := b.place(t.ID + i)
		if old := p.Load(); old == nil || old.ID == t.ID || i == probes-1 {
			p.Store(t)
			return
		}
	}
}

// Forget lets t be found no more. Who has found it meanwhile finds it closed,
// as long as it is. The lock is held.
func (b *Book) Forget(t *Tally) {
	for i := range uint64(probes) {
		b.place(t.ID+i).CompareAndSwap(t, nil)
	}
}
