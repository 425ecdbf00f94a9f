package spool

import (
	"bytes"
	"sync/atomic"
	"testing"
)

// BenchmarkPut is what the first alert of a group pays, its JSON aside.
func BenchmarkPut(b *testing.B) {
	data := bytes.Repeat([]byte("1"), 1500)
	b.Run("new and dropped", func(b *testing.B) {
		st, _ := open(b, b.TempDir(), "one")
		for b.Loop() {
			st.Put(data, 1, 1).Drop()
		}
	})
	b.Run("another example", func(b *testing.B) {
		st, _ := open(b, b.TempDir(), "one")
		s := st.Put(data, 1, 1)
		for b.Loop() {
			s.Put(data)
		}
	})
	b.Run("new, 1000 of them", func(b *testing.B) {
		st, _ := open(b, b.TempDir(), "one")
		var slots []*Slot
		for b.Loop() {
			if len(slots) == Slots {
				b.StopTimer()
				for _, s := range slots {
					s.Drop()
				}
				slots = slots[:0]
				b.StartTimer()
			}
			slots = append(slots, st.Put(data, 1, 1))
		}
	})
}

// BenchmarkCount is what a repeat pays, in all and where nothing is due.
func BenchmarkCount(b *testing.B) {
	b.Run("asked", func(b *testing.B) {
		n, due := uint64(1<<20), 0
		for b.Loop() {
			n++
			if Due(n) {
				due++
			}
		}
	})
	b.Run("counted", func(b *testing.B) {
		st, _ := open(b, b.TempDir(), "one")
		s, n := st.Put([]byte("1"), 1, 1), uint64(1)
		for b.Loop() {
			if n++; Due(n) {
				s.Count(n, 1, false)
			}
		}
	})
	b.Run("counted by all", func(b *testing.B) {
		st, _ := open(b, b.TempDir(), "one")
		s := st.Put([]byte("1"), 1, 1)
		var count atomic.Uint64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if n := count.Add(1); Due(n) {
					s.Count(n, 1, false)
				}
			}
		})
	})
	b.Run("written", func(b *testing.B) {
		st, _ := open(b, b.TempDir(), "one")
		s, n := st.Put([]byte("1"), 1, 1), uint64(1)
		for b.Loop() {
			n++
			s.Count(n, 1, false)
		}
	})
}
