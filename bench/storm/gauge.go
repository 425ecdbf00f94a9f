// This file measures this process: the time of calls, memory, goroutines, CPU.

package main

import (
	"bytes"
	"math/bits"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// calls counts durations in a fixed space, each to an eighth of a power of
// two: a list of a million would be memory that counts as the handler's.
type calls struct {
	counts [64 * 8]int
	n      int
	sum    time.Duration
	max    time.Duration
}

func (c *calls) add(d time.Duration) {
	c.counts[bucket(d)]++
	c.n++
	c.sum += d
	c.max = max(c.max, d)
}

func (c *calls) merge(other *calls) {
	for i, n := range other.counts {
		c.counts[i] += n
	}
	c.n += other.n
	c.sum += other.sum
	c.max = max(c.max, other.max)
}

// quantile returns the upper end of the bucket that holds the q-th part.
func (c *calls) quantile(q float64) time.Duration {
	rank, seen := int(q*float64(c.n)), 0
	for i, n := range c.counts {
		if seen += n; seen > rank {
			return min(upper(i), c.max)
		}
	}
	return c.max
}

func bucket(d time.Duration) int {
	v := uint64(max(d, 8))
	e := bits.Len64(v) - 1 // v is in [2^e, 2^(e+1))
	return e*8 + int(v>>(e-3)&7)
}

func upper(i int) time.Duration {
	e := i / 8
	return time.Duration((uint64(8+i%8+1) << e >> 3) - 1)
}

// gauge samples memory and goroutines until stopped.
type gauge struct {
	start      uint64 // heap bytes at the start
	heap       uint64 // peak
	goroutines int    // peak
	full       atomic.Bool

	limit      uint64 // resident bytes at which full becomes true
	stop, done chan struct{}
}

const sampling = 10 * time.Millisecond

func startGauge(limitMiB int) *gauge {
	g := &gauge{limit: uint64(limitMiB) << 20, stop: make(chan struct{}), done: make(chan struct{})}
	g.start = live()
	go g.run()
	return g
}

func (g *gauge) run() {
	defer close(g.done)
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	tick := time.NewTicker(sampling)
	defer tick.Stop()
	for {
		metrics.Read(samples)
		g.heap = max(g.heap, samples[0].Value.Uint64())
		g.goroutines = max(g.goroutines, int(samples[1].Value.Uint64()))
		if resident() > g.limit {
			g.full.Store(true)
		}
		select {
		case <-tick.C:
		case <-g.stop:
			return
		}
	}
}

// end stops the gauge and returns the peak of the heap over its start in MiB.
func (g *gauge) end() (heapMiB float64) {
	close(g.stop)
	<-g.done
	return mib(int64(g.heap - min(g.heap, g.start)))
}

// live collects garbage and returns the bytes that are held.
func live() uint64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools let go of at the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// resident returns this process's resident memory in bytes, 0 where the
// system doesn't tell.
func resident() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(string(fields[1]), 10, 64)
	return pages * uint64(os.Getpagesize())
}

// peakResident returns the peak of this process's resident memory in MiB, 0
// where the system doesn't tell. It isn't asked of getrusage, whose peak
// holds the parent's from before the exec.
func peakResident() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kib, _ := strconv.ParseInt(string(bytes.Fields(value)[0]), 10, 64)
			return mib(kib << 10)
		}
	}
	return 0
}

// cpuTime returns this process's CPU time.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
