// This file remembers which hosts counted something, in a bit each.

package tally

import (
	"math/bits"
	"slices"
)

const (
	maxNames = 1 << 16 // names that are told apart; the others aren't counted
	named    = 5       // names that a set can say
)

// Names numbers names, so that sets of them are small. Its owner's lock guards
// it. The zero value knows none.
type Names struct{ ids map[string]int }

// id is a name's number; -1 where there are too many.
func (n *Names) id(name string) int {
	id, ok := n.ids[name]
	switch {
	case ok:
		return id
	case len(n.ids) >= maxNames:
		return -1
	case n.ids == nil:
		n.ids = make(map[string]int)
	}
	n.ids[name] = len(n.ids)
	return len(n.ids) - 1
}

// Set is a set of names, a bit each. The lock of its Names guards it. The zero
// value is empty.
type Set struct {
	bits  []uint64
	first []string
}

// Add puts a name into the set, with the numbers of names. "" is none.
func (s *Set) Add(names *Names, name string) {
	id := names.id(name)
	if name == "" || id < 0 {
		return
	}
	for id>>6 >= len(s.bits) {
		s.bits = append(s.bits, 0)
	}
	if bit := uint64(1) << (id & 63); s.bits[id>>6]&bit == 0 {
		s.bits[id>>6] |= bit
		if len(s.first) < named {
			s.first = append(s.first, name)
		}
	}
}

// Len is how many names the set has.
func (s *Set) Len() (n int) {
	for _, w := range s.bits {
		n += bits.OnesCount64(w)
	}
	return n
}

// First are up to five of them, in the order they came.
func (s *Set) First() []string { return slices.Clone(s.first) }
