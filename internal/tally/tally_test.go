package tally

import (
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/sketch"
)

func TestAgainCountsWhileOpen(t *testing.T) {
	var n Tally
	assert.False(t, n.Again(0, 0), "closed at first")
	assert.EqualValues(t, 0, n.Count())
	assert.EqualValues(t, 1, n.Add(1, 0, 0))
	assert.False(t, n.Again(0, 0), "Add doesn't open it")
	n.Open()
	assert.True(t, n.Again(0, 0))
	assert.True(t, n.Again(0, 0))
	assert.EqualValues(t, 3, n.Take())
	assert.False(t, n.Again(0, 0), "taken")
	assert.EqualValues(t, 3, n.Count())
	n.Open()
	assert.EqualValues(t, 8, n.Add(5, 0, 0))
	assert.True(t, n.Again(0, 0))
	assert.EqualValues(t, 9, n.Take())
	n.Open()
	assert.True(t, n.Again(0, 0))
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
		assert.True(t, n.Again(Nano(c.at), 0), c.name)
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

func TestUsers(t *testing.T) {
	var n Tally
	users, set := n.Users()
	assert.Zero(t, users)
	assert.Nil(t, set, "none is known")
	n.Add(1, 0, 7)
	n.Open()
	n.Again(0, 8)
	n.Again(0, 7)
	n.Again(0, 0)
	users, set = n.Users()
	assert.Equal(t, 2, users)

	var other Tally
	other.Add(1, 0, 9)
	other.MergeUsers(set)
	users, _ = other.Users()
	assert.Equal(t, 3, users)
	for _, set := range [][]byte{nil, {0xff, 1}, []byte("garbage"), {0x10}} {
		other.MergeUsers(set)
		var none Tally
		none.MergeUsers(set)
		users, _ = none.Users()
		assert.Zero(t, users)
	}
	users, set = other.Users()
	assert.Equal(t, 3, users)
	s, err := sketch.Parse(set)
	require.NoError(t, err)
	assert.Equal(t, 3, s.Count())
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
				if n.Again(0, 0) {
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
				if users, _ := n.Users(); users < counted || counted > 0 && n.Last().IsZero() {
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

func TestABookFindsWhatItRemembers(t *testing.T) {
	b := NewBook(1)
	a, c := &Tally{ID: 7}, &Tally{ID: 7}
	assert.False(t, b.Again(7, 0, 0))
	b.Remember(a)
	assert.False(t, b.Again(7, 0, 0), "closed")
	a.Open()
	assert.True(t, b.Again(7, 0, 0))
	assert.EqualValues(t, 1, a.Count())
	b.Remember(a)
	b.Remember(c)
	c.Open()
	assert.True(t, b.Again(7, 0, 0))
	assert.EqualValues(t, 1, c.Count(), "the later one of an ID")
	b.Forget(a)
	assert.True(t, b.Again(7, 0, 0), "another's place is left alone")
	b.Forget(c)
	assert.False(t, b.Again(7, 0, 0))
}

func TestABookThatIsFullForgets(t *testing.T) {
	b := NewBook(1)
	size := uint64(len(b.places))
	var all []*Tally
	for i := range uint64(probes + 1) {
		all = append(all, &Tally{ID: 3 + i*size}) // all want one place
		all[i].Open()
		b.Remember(all[i])
	}
	found := 0
	for _, n := range all {
		if b.Again(n.ID, 0, 0) {
			found++
			assert.EqualValues(t, 1, n.Count())
		}
	}
	assert.Equal(t, probes, found)
	assert.True(t, b.Again(all[probes].ID, 0, 0), "the latest has its place")
	b.Forget(all[0])
	b.Remember(all[probes-1])
	assert.True(t, b.Again(all[probes-1].ID, 0, 0), "there is room again")
}

func TestABookHasRoom(t *testing.T) {
	for _, c := range []struct{ n, places int }{{0, 256}, {64, 256}, {65, 512}, {1000, 4096}, {1_000_000, 1 << 16}} {
		assert.Len(t, NewBook(c.n).places, c.places)
	}
}

func TestASetOfNames(t *testing.T) {
	var names Names
	var a, b Set
	assert.Zero(t, a.Len())
	assert.Empty(t, a.First())
	for i := range 200 {
		b.Add(&names, "other "+strconv.Itoa(i))
	}
	for i := range 20 {
		a.Add(&names, "web-"+strconv.Itoa(i%7))
	}
	a.Add(&names, "")
	assert.Equal(t, 7, a.Len())
	assert.Equal(t, []string{"web-0", "web-1", "web-2", "web-3", "web-4"}, a.First())
	assert.Equal(t, 200, b.Len())
	a.First()[0] = "scribbled"
	assert.Equal(t, "web-0", a.First()[0])
	for i := range maxNames {
		new(Set).Add(&names, strconv.Itoa(i))
	}
	b.Add(&names, "one too many")
	assert.Equal(t, 200, b.Len())
	b.Add(&names, "web-3")
	assert.Equal(t, 201, b.Len())
}

func TestAgainAllocatesNothing(t *testing.T) {
	b, n := NewBook(1), &Tally{ID: 1}
	b.Remember(n)
	n.Add(1, 0, 1)
	n.Open()
	at := int64(0)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		at += int64(time.Second)
		b.Again(1, at, uint64(at))
	}))
}

func BenchmarkAgain(b *testing.B) {
	book, n := NewBook(1000), &Tally{ID: 1}
	book.Remember(n)
	n.Open()
	b.Run("user=no", func(b *testing.B) {
		for b.Loop() {
			book.Again(1, 1, 0)
		}
	})
	b.Run("user=one", func(b *testing.B) {
		for b.Loop() {
			book.Again(1, 1, 5)
		}
	})
	b.Run("user=many", func(b *testing.B) {
		u := uint64(0)
		for b.Loop() {
			u++
			book.Again(1, 1, u%5000)
		}
	})
	b.Run("goroutines=8", func(b *testing.B) {
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				book.Again(1, 1, 0)
			}
		})
	})
}
