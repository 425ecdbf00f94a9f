package sketch_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/sketch"
)

// of is a sketch of n hashes, each shown twice.
func of(n int, seed uint64) *sketch.Sketch {
	s, r := new(sketch.Sketch), rand.New(rand.NewPCG(seed, 1))
	for range n {
		h := r.Uint64()
		s.Add(h)
		s.Add(h)
	}
	return s
}

func TestSize(t *testing.T) {
	assert.LessOrEqual(t, unsafe.Sizeof(sketch.Sketch{}), uintptr(256))
	for _, n := range []int{0, 1, 16, 17, 5000, 1_000_000} {
		assert.LessOrEqual(t, len(of(n, 1).Bytes()), 256, n)
	}
}

// Up to 16 no two hashes are taken for one, however alike they are.
func TestExactWhereFew(t *testing.T) {
	for n := range 17 {
		for seed := range uint64(500) {
			require.Equal(t, n, of(n, seed).Count(), "seed %d", seed)
		}
		s := new(sketch.Sketch)
		for i := range n {
			s.Add(uint64(i + 1))
		}
		require.Equal(t, n, s.Count())
	}
	s := new(sketch.Sketch)
	s.Add(0)
	assert.Zero(t, s.Count(), "0 is nobody")
	assert.GreaterOrEqual(t, of(17, 3).Count(), 17, "never fewer than are surely there")
}

// The claim: over 1,000 seeds the standard deviation is at most 2.8 %, nine of
// ten counts are within 5 % and 19 of 20 within 5.5 %: what the package says,
// and the leeway of 1,000 draws. -v prints what was found.
func TestErrorOfMany(t *testing.T) {
	seeds := 1000
	if testing.Short() {
		seeds = 300
	}
	for _, tt := range []struct {
		n                                int
		bias, deviation, p90, p95, worst float64
	}{
		{50, 0.006, 0.03, 0.04, 0.06, 0.12}, // one of 50 is 2 % already
		{200, 0.005, 0.028, 0.05, 0.055, 0.11},
		{1000, 0.005, 0.028, 0.05, 0.055, 0.11},
		{2000, 0.005, 0.028, 0.05, 0.055, 0.11},
		{3000, 0.005, 0.028, 0.05, 0.055, 0.11},
		{5000, 0.005, 0.028, 0.05, 0.055, 0.11},
		{10_000, 0.01, 0.05, 0.08, 0.1, 0.2},
		{100_000, 0.3, 0.7, 1, 2, 4.6},
	} {
		if tt.n > 10_000 {
			seeds = 50
		}
		errs := make([]float64, seeds)
		sum, squares := 0.0, 0.0
		for i := range errs {
			e := float64(of(tt.n, uint64(i)).Count())/float64(tt.n) - 1
			errs[i], sum, squares = math.Abs(e), sum+e, squares+e*e
		}
		slices.Sort(errs)
		bias, deviation := sum/float64(seeds), math.Sqrt(squares/float64(seeds))
		p90, p95, worst := errs[seeds*90/100], errs[seeds*95/100], errs[seeds-1]
		t.Logf("%7d: bias %+.2f %%, deviation %.2f %%, p90 %.2f %%, p95 %.2f %%, worst of %d %.2f %%", tt.n, 100*bias, 100*deviation, 100*p90, 100*p95, seeds, 100*worst)
		const round = 1e-9
		assert.LessOrEqual(t, math.Abs(bias), tt.bias, "bias at %d", tt.n)
		assert.LessOrEqual(t, deviation, tt.deviation, "deviation at %d", tt.n)
		assert.LessOrEqual(t, p90, tt.p90+round, "p90 at %d", tt.n)
		assert.LessOrEqual(t, p95, tt.p95+round, "p95 at %d", tt.n)
		assert.LessOrEqual(t, worst, tt.worst+round, "worst at %d", tt.n)
	}
}

// Merged in any order, any number of times, sketches are what one that saw all
// would be, byte for byte.
func TestMerge(t *testing.T) {
	for name, tt := range map[string]struct{ each, common int }{
		"none": {0, 0}, "few": {3, 2}, "few that are many": {12, 0}, "many": {400, 300}, "thousands": {2500, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			whole := new(sketch.Sketch)
			parts := make([]*sketch.Sketch, 5)
			common := make([]uint64, tt.common)
			for i := range common {
				common[i] = r.Uint64()
			}
			for i := range parts {
				parts[i] = new(sketch.Sketch)
				for _, h := range common {
					parts[i].Add(h)
					whole.Add(h)
				}
				for range tt.each - tt.common {
					h := r.Uint64()
					parts[i].Add(h)
					whole.Add(h)
				}
			}
			want := whole.Bytes()
			for range 10 {
				r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
				merged := new(sketch.Sketch)
				for _, p := range append(parts, parts...) {
					merged.Merge(p)
					merged.Merge(merged)
				}
				assert.Equal(t, want, merged.Bytes())
				assert.Equal(t, whole.Count(), merged.Count())
			}
		})
	}
}

func TestBinary(t *testing.T) {
	for _, n := range []int{0, 1, 16, 17, 5000, 200_000} {
		s := of(n, 5)
		b := s.Bytes()
		got, err := sketch.Parse(b)
		require.NoError(t, err)
		assert.Equal(t, s.Count(), got.Count())
		assert.Equal(t, b, got.Bytes())
		clear(b) // Parse keeps nothing of it
		assert.Equal(t, s.Count(), got.Count())
	}
	none, err := sketch.Parse(nil)
	require.NoError(t, err)
	assert.Zero(t, none.Count())
	assert.Nil(t, none.Bytes())
}

func TestParseRefuses(t *testing.T) {
	good := of(100, 1).Bytes()
	for name, tt := range map[string]struct {
		b    []byte
		says string
	}{
		"newer":           {[]byte{0x20, 1, 2}, "unknown format 0x20"},
		"half a hash":     {[]byte{0x10, 1, 2, 3}, "3 bytes of hashes"},
		"too many hashes": {append([]byte{0x10}, make([]byte, 17*8)...), "136 bytes of hashes"},
		"a torn bitmap":   {good[:100], "a bitmap of 99 bytes; want 248"},
		"and more":        {append(slices.Clone(good), 1), "a bitmap of 249 bytes; want 248"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sketch.Parse(tt.b)
			require.ErrorContains(t, err, tt.says)
			assert.Equal(t, name == "newer", assert.ObjectsAreEqual(sketch.ErrFormat, unwrapped(err)))
		})
	}
}

func unwrapped(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return nil
}

// Whatever parses has a count, and is what it is written as.
func FuzzParse(f *testing.F) {
	for _, n := range []int{0, 5, 50} {
		f.Add(of(n, 1).Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := sketch.Parse(b)
		if err != nil {
			return
		}
		n := s.Count()
		require.GreaterOrEqual(t, n, 0)
		again, err := sketch.Parse(s.Bytes())
		require.NoError(t, err)
		require.Equal(t, n, again.Count())
	})
}

// Many goroutines that add, merge and read at once lose nothing.
func TestAtOnce(t *testing.T) {
	for _, n := range []int{1, 16, 40, 3000} {
		hashes := make([]uint64, n)
		alone := new(sketch.Sketch)
		for i := range hashes {
			hashes[i] = rand.Uint64()
			alone.Add(hashes[i])
		}
		s, other := new(sketch.Sketch), new(sketch.Sketch)
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				r := rand.New(rand.NewPCG(uint64(g), 0))
				for _, i := range r.Perm(n) {
					s.Add(hashes[i])
				}
			})
			all.Go(func() {
				other.Merge(s)
				_ = s.Count()
				_ = s.Bytes()
			})
		}
		all.Wait()
		other.Merge(s)
		want := alone.Bytes()
		assert.Equal(t, want, s.Bytes())
		assert.Equal(t, want, other.Bytes())
	}
}

func TestAllocations(t *testing.T) {
	s := of(5, 1)
	var h uint64
	assert.Zero(t, testing.AllocsPerRun(1000, func() { h += 977; s.Add(h) }))
}

func BenchmarkAdd(b *testing.B) {
	for name, n := range map[string]int{"of=1": 1, "of=16": 16, "of=5000": 5000} {
		hashes := make([]uint64, n)
		for i := range hashes {
			hashes[i] = binary.LittleEndian.Uint64([]byte{1, 2, 3, 4, byte(i), byte(i >> 8), 7, 8})
		}
		b.Run(name, func(b *testing.B) {
			s := new(sketch.Sketch)
			i := 0
			for b.Loop() {
				s.Add(hashes[i])
				if i++; i == n {
					i = 0
				}
			}
		})
		b.Run(name+"/at once", func(b *testing.B) {
			s := new(sketch.Sketch)
			b.RunParallel(func(pb *testing.PB) {
				i := 0
				for pb.Next() {
					s.Add(hashes[i])
					if i++; i == n {
						i = 0
					}
				}
			})
		})
	}
}
