package tally

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAgainCountsWhileOpen(t *testing.T) {
	var n Tally
	assert.Zero(t, n.Again(0, 0), "closed at first")
	assert.EqualValues(t, 0, n.Count())
	assert.EqualValues(t, 1, n.Add(1, 0, 0))
	assert.Zero(t, n.Again(0, 0), "Add doesn't open it")
	n.Open()
	assert.NotZero(t, n.Again(0, 0))
	assert.NotZero(t, n.Again(0, 0))
	assert.EqualValues(t, 3, n.Take())
	assert.Zero(t, n.Again(0, 0), "taken")
	assert.EqualValues(t, 3, n.Count())
	n.Open()
	assert.EqualValues(t, 8, n.Add(5, 0, 0))
	assert.NotZero(t, n.Again(0, 0))
	assert.EqualValues(t, 9, n.Take())
	n.Open()
	assert.NotZero(t, n.Again(0, 0))
	assert.EqualValues(t, 10, n.Count())
}

func TestLastIsTheLatestToAMillisecond(t *testing.T) {
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	var n Tally
	assert.Zero(t, n.Last())
	n.Add(1, 0, 0)
	n.Open()
	assert.Zero(t, n.Last(), "unknown")
	for _, c := range []struct {
		name     string
		at, want time.Time
	}{
		{"the first", at, at},
		{"earlier", at.Add(-time.Hour), at},
		{"too little later to be written", at.Add(time.Millisecond), at},
		{"later", at.Add(2 * time.Millisecond), at.Add(2 * time.Millisecond)},
		{"unknown", time.Time{}, at.Add(2 * time.Millisecond)},
	} {
		assert.NotZero(t, n.Again(Nano(c.at), 0), c.name)
		assert.Equal(t, c.want, n.Last(), c.name)
	}
	var old Tally
	old.Add(1, Nano(time.Unix(-5, 0)), 0)
	assert.Equal(t, time.Unix(-5, 0).UTC(), old.Last(), "before 1970")
}

func TestNano(t *testing.T) {
	for _, c := range []struct {
		name  string
		at    time.Time
		known bool
	}{
		{"now", time.Now(), true},
		{"no time", time.Time{}, false},
		{"1677", time.Date(1677, 12, 31, 0, 0, 0, 0, time.UTC), false},
		{"1678", time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{"2261", time.Date(2261, 12, 31, 0, 0, 0, 0, time.UTC), true},
		{"2263", time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC), false},
	} {
		if c.known {
			assert.Equal(t, c.at.UnixNano(), Nano(c.at), c.name)
		} else {
			assert.Zero(t, Nano(c.at), c.name)
		}
	}
}

// hammer calls one from goroutines without pause while teller runs.
func hammer(one, teller func()) {
	var done atomic.Bool
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for i := 0; !done.Load(); i++ {
				one()
				if i%1000 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	teller()
	done.Store(true)
	all.Wait()
}

func TestNothingIsCountedIntoAClosedTally(t *testing.T) {
	var n Tally
	hammer(func() { n.Again(1, 1) }, func() {
		until := time.Now().Add(300 * time.Millisecond)
		for i := 0; time.Now().Before(until) || n.Count() == 0; i++ {
			n.Open()
			for range i % 50 {
				_ = n.Count()
			}
			told := n.Take()
			for range 50 {
				if now := n.Count(); now != told {
					t.Errorf("%d were taken, then there were %d, and nobody had said so", told, now)
					return
				}
			}
			if i%100 == 0 {
				runtime.Gosched()
			}
		}
	})
}

// As the worker does it: who is refused adds under the lock, and tells the
// teller. Nothing is lost, told twice, or left with nobody who looks.
func TestAllThatIsCountedIsTold(t *testing.T) {
	const goroutines, each = 4, 20_000
	var mu sync.Mutex
	var n Tally
	stir := make(chan struct{}, 1)
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for range each {
				if n.Again(0, 0) > 0 {
					continue
				}
				mu.Lock()
				n.Add(1, 0, 0)
				n.Open()
				mu.Unlock()
				select {
				case stir <- struct{}{}:
				default:
				}
			}
		})
	}
	deadline := time.After(time.Minute)
	for told := uint64(0); told < goroutines*each; {
		select {
		case <-stir:
			mu.Lock()
			told = n.Take()
			mu.Unlock()
		case <-deadline:
			t.Fatalf("told %d, counted %d, and nobody says that more waits", told, n.Count())
		}
	}
	all.Wait()
	assert.EqualValues(t, goroutines*each, n.Count())
}

// Who reads a count finds its users and its time, though they are written
// beside it.
func TestTimesAndUsersComeBeforeTheCount(t *testing.T) {
	for i := range 300 {
		n := new(Tally)
		n.Open()
		var next atomic.Uint64
		hammer(func() {
			if u := next.Add(1); u <= 10 {
				n.Again(int64(time.Hour), u)
			} else {
				runtime.Gosched()
			}
		}, func() {
			for counted := 0; counted < 10; {
				counted = int(n.Count())
				if users := n.Users.Count(); users < counted || counted > 0 && n.Last().IsZero() {
					t.Errorf("round %d: %d are counted, known are %d users, and %v as the latest", i, counted, users, n.Last())
					return
				}
			}
		})
		if t.Failed() {
			return
		}
	}
}

func TestAgainAllocatesNothing(t *testing.T) {
	n := new(Tally)
	n.Add(1, 0, 1)
	n.Open()
	at := int64(0)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		at += int64(time.Second)
		n.Again(at, uint64(at))
	}))
}

func BenchmarkAgain(b *testing.B) {
	n := new(Tally)
	n.Open()
	b.Run("user=no", func(b *testing.B) {
		for b.Loop() {
			n.Again(1, 0)
		}
	})
	b.Run("user=one", func(b *testing.B) {
		for b.Loop() {
			n.Again(1, 5)
		}
	})
	b.Run("user=many", func(b *testing.B) {
		u := uint64(0)
		for b.Loop() {
			u++
			n.Again(1, u%5000)
		}
	})
	b.Run("goroutines=8", func(b *testing.B) {
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				n.Again(1, 0)
			}
		})
	})
}
