// This file remembers which hosts counted something, in a bit each.

package tally

import (
	"math/big"
	"slices"
)

const (
	maxNames = 1 << 16 // names that are told apart; the others aren't counted
	named    = 5       // names that a set can say
)

// Names numbers names, so that sets of them are small. Its owner's lock guards
// it, and the sets. The zero value knows none.
type Names struct{ ids map[string]int }

// Set is a set of names. The zero value is empty.
type Set struct {
	bits  big.Int // one for each name's number
	n     int
	first []string
}

// Add puts a name into the set, with the numbers of names. "" is none.
func (s *Set) Add(names *Names, name string) {
	id, known := names.ids[name]
	if !known {
		if name == "" || len(names.ids) >= maxNames {
			return
		}
		if names.ids == nil {
			names.ids = make(map[string]int)
		}
		id = len(names.ids)
		names.ids[name] = id
	}
	if s.bits.Bit(id) == 1 {
		return
	}
	s.bits.SetBit(&s.bits, id, 1)
	s.n++
	if len(s.first) < named {
		s.first = append(s.first, name)
	}
}

// Len is how many names the set has.
func (s *Set) Len() int { return s.n }

// First are up to five of them, in the order they came.
func (s *Set) First() []string { return slices.Clone(s.first) }
