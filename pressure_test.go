// This file measures what a flood of alerts costs in memory and goroutines while
// Slack takes nothing, and holds it to what is promised.

package slackalert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// floods are the ways in which Slack takes nothing.
var floods = []struct {
	name string
	send func(context.Context) error
}{
	{"slack=down", func(context.Context) error { return errDown }},
	{"slack=hangs", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
}

// sendFunc is a Sender and nothing else.
type sendFunc func(context.Context) error

func (f sendFunc) Send(ctx context.Context, _ Batch) error { return f(ctx) }

// peak is the most that was held above what there was at first.
type peak struct {
	heap       uint64
	goroutines int

	heapAtFirst, goroutinesAtFirst int64
}

func newPeak() *peak {
	p := &peak{}
	p.heapAtFirst, p.goroutinesAtFirst = held()
	return p
}

// held is what lives after a collection.
func held() (heap, goroutines int64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(runtime.NumGoroutine())
}

func (p *peak) look() {
	heap, goroutines := held()
	p.heap = max(p.heap, uint64(max(0, heap-p.heapAtFirst)))
	p.goroutines = max(p.goroutines, int(goroutines-p.goroutinesAtFirst))
}

func (p *peak) report(b *testing.B) {
	b.ReportMetric(float64(p.heap)/(1<<20), "MiB-heap")
	b.ReportMetric(float64(p.goroutines), "goroutines")
}

// flood logs n alerts of 100 kB, no two of them the same: a third each is
// message, error and attribute, none of it shared with another alert.
func flood(n int, h *Handler, p *peak) {
	log, third := slog.New(h), strings.Repeat("all work and no play makes Jack a dull boy ", 100_000/3/43)
	ctx := context.Background()
	for i := range n {
		kind := letters(i) + " "
		log.LogAttrs(ctx, slog.LevelError, kind+third, slog.Any("err", errors.New(kind+third)), slog.String("body", kind+third))
		if i%(n/20) == 0 {
			p.look()
		}
	}
	p.look()
}

func TestAFloodOfDifferentAlertsStaysSmall(t *testing.T) {
	for _, f := range floods {
		t.Run(f.name, func(t *testing.T) {
			n := 5_000 // half a gigabyte; the hundred thousand are the benchmark's
			if repeated(t) {
				n = 2_000
			}
			p := newPeak()
			h, err := New(nothing{}, &Options{Sender: sendFunc(f.send), BatchDelay: time.Millisecond})
			require.NoError(t, err)
			flood(n, h, p)
			s := h.Stats()
			assert.EqualValues(t, n, s.Alerts)
			assert.EqualValues(t, n, s.Pending)
			assert.Less(t, p.heap, uint64(32<<20))
			assert.LessOrEqual(t, p.goroutines, 1)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			assert.ErrorContains(t, h.Shutdown(ctx), fmt.Sprintf("%d alerts of 1001 groups are lost", n))
		})
	}
}

// same logs n equal alerts from 8 goroutines.
func same(n int, h *Handler) {
	log, err := slog.New(h), errors.New("connection refused")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range n / 8 {
				log.LogAttrs(context.Background(), slog.LevelError, "payment failed", slog.Int("n", 1), slog.Any("err", err))
			}
		})
	}
	all.Wait()
}

func TestAMillionEqualAlertsAreOneCount(t *testing.T) {
	const n = 200_000 // the million is the benchmark's
	p, d := newPeak(), newDesk()
	h, err := New(nothing{}, &Options{Sender: d})
	require.NoError(t, err)
	same(n, h)
	p.look()
	require.NoError(t, h.Close())
	assert.Equal(t, n, d.told())
	assert.LessOrEqual(t, len(d.all()), 2)
	assert.EqualValues(t, n, h.Stats().Alerts)
	assert.Less(t, p.heap, uint64(1<<20))
	assert.LessOrEqual(t, p.goroutines, 1)
}

// Run these with -benchtime=1x: one round is the whole flood.
func BenchmarkPressureDifferent(b *testing.B) {
	for _, f := range floods {
		b.Run(f.name, func(b *testing.B) {
			const n = 100_000
			p := newPeak()
			for b.Loop() {
				h, err := New(nothing{}, &Options{Sender: sendFunc(f.send)})
				require.NoError(b, err)
				flood(n, h, p)
				if s := h.Stats(); s.Alerts != n || s.Pending != n {
					b.Fatalf("%d alerts are counted as %+v", n, s)
				}
				ctx, cancel := context.WithCancel(b.Context())
				cancel()
				_ = h.Shutdown(ctx)
			}
			p.report(b)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/alert")
		})
	}
}

func BenchmarkPressureEqual(b *testing.B) {
	const n = 1_000_000
	p, messages := newPeak(), 0
	for b.Loop() {
		d := newDesk()
		h, err := New(nothing{}, &Options{Sender: d})
		require.NoError(b, err)
		same(n, h)
		p.look()
		require.NoError(b, h.Close())
		require.Equal(b, n, d.told())
		messages = max(messages, len(d.all()))
	}
	p.report(b)
	b.ReportMetric(float64(messages), "messages")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/alert")
}

// The call of a new kind while others wait by the thousand and attempts fail, and
// while a post in their midst is accepted: the worst and the 99.9th percentile.
func BenchmarkNewKindAmongMany(b *testing.B) {
	for _, waiting := range []int{10_000, 100_000} {
		for _, f := range append(floods, struct {
			name string
			send func(context.Context) error
		}{"slack=fine", func(context.Context) error { return nil }}) {
			b.Run(fmt.Sprintf("waiting=%d/%s", waiting, f.name), func(b *testing.B) {
				const calls = 5_000
				h, err := New(nothing{}, &Options{Sender: sendFunc(f.send), MaxGroups: 1_000_000, BatchDelay: time.Millisecond})
				require.NoError(b, err)
				log, n := slog.New(h), 0
				say := func() { n++; log.Error("kind " + letters(n)) }
				for range waiting {
					say()
				}
				var took []time.Duration
				for b.Loop() {
					for range calls {
						begun := time.Now()
						say()
						took = append(took, time.Since(begun))
						time.Sleep(100 * time.Microsecond)
					}
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)-1].Microseconds()), "µs-worst")
				b.ReportMetric(float64(took[len(took)*999/1000].Microseconds()), "µs-p99.9")
				ctx, cancel := context.WithCancel(b.Context())
				cancel()
				_ = h.Shutdown(ctx)
			})
		}
	}
}
