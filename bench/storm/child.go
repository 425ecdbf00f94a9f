// This file is the process that logs: one handler, one scenario, one result.

package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"example.com/slackalert/bench/internal/handlers"
	"example.com/slackalert/bench/internal/results"
)

const callers = 8

// logAndReport runs one scenario and writes its result. What the server
// counts is not in it.
func logAndReport(s settings, out io.Writer) error {
	c := scenarioNamed(s.scenario)
	base := slog.Handler(handlers.Noop{})
	if s.base == "json" {
		base = handlers.JSON()
	}
	h, err := handlers.New(s.handler, base, s.childURL)
	if err != nil {
		return err
	}
	r := results.Run{
		Handler: s.handler, Scenario: s.scenario, Slack: string(c.slack), Base: s.base,
		Asked: c.alerts(s.n), Flushes: h.Flushes(),
	}
	g := startGauge(s.memory)
	before := cpuTime()
	idle := runtime.NumGoroutine()

	storm(&r, c, slog.New(h), g, s.timeout)
	r.LiveMiB = mib(int64(live() - g.start))
	leave(&r, c, h, idle, s.exit)

	r.HeapMiB, r.Goroutines = g.end(), g.goroutines
	r.TotalCPUMS, r.RSSMiB = ms(cpuTime()-before), peakResident()
	report(&r, h)
	return json.NewEncoder(out).Encode(r)
}

// storm logs until all is logged, the time is over or the memory is full.
func storm(r *results.Run, c scenario, l *slog.Logger, g *gauge, timeout time.Duration) {
	text := c.texts()
	var all calls
	var mu sync.Mutex
	var wg sync.WaitGroup
	goroutines := callers
	if c.pace > 0 {
		goroutines = 1
	}
	cpu := cpuTime()
	start := time.Now()
	for first := range goroutines {
		wg.Go(func() {
			var own calls
			for i := first; i < r.Asked && time.Since(start) < timeout && !g.full.Load(); i += goroutines {
				if c.pace > 0 && i%burst == 0 {
					time.Sleep(time.Until(start.Add(time.Duration(i/burst) * c.pace)))
				}
				message, err := text(i)
				t := time.Now()
				alert(l, message, err)
				own.add(time.Since(t))
			}
			mu.Lock()
			defer mu.Unlock()
			all.merge(&own)
		})
	}
	wg.Wait()
	wall := time.Since(start)
	r.Logged, r.WallMS, r.CPUMS = all.n, ms(wall), ms(cpuTime()-cpu)
	r.MeanNS = int64(all.sum) / int64(max(all.n, 1))
	r.P50NS, r.P99NS, r.MaxNS = int64(all.quantile(0.5)), int64(all.quantile(0.99)), int64(all.max)
	switch {
	case r.Logged == r.Asked:
	case g.full.Load():
		r.Stopped = "memory"
	default:
		r.Stopped = "time"
	}
}

// leave does what a program does when it ends: it lets the handler deliver
// what waits, if there is a call for that. Where the cost of delivery is
// measured, one without gets the time to finish all the same.
func leave(r *results.Run, c scenario, h *handlers.Handler, idle int, allowed time.Duration) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), allowed)
	defer cancel()
	h.Close(ctx) // what it could not deliver is counted
	for c.pace > 0 && h.PerRecord && runtime.NumGoroutine() > idle+8 && ctx.Err() == nil {
		time.Sleep(sampling)
	}
	r.ExitMS = ms(time.Since(start))
}

func report(r *results.Run, h *handlers.Handler) {
	r.SaidLost, r.Errors = h.Lost(), h.Errors()
	if n := h.Delivered(); n != nil {
		r.Delivered = *n // one message tells many: the server can't know
	}
}
