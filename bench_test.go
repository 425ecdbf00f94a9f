package slackalert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"
)

// nothing is a base that does nothing, so that only our own cost shows.
type nothing struct{}

func (nothing) Enabled(context.Context, slog.Level) bool  { return true }
func (nothing) Handle(context.Context, slog.Record) error { return nil }
func (n nothing) WithAttrs([]slog.Attr) slog.Handler      { return n }
func (n nothing) WithGroup(string) slog.Handler           { return n }

// handlers runs a benchmark over base alone and over base wrapped.
func handlers(b *testing.B, run func(b *testing.B, h slog.Handler)) {
	for _, base := range []struct {
		name string
		h    slog.Handler
	}{{"nothing", nothing{}}, {"json", slog.NewJSONHandler(io.Discard, nil)}} {
		b.Run("h="+base.name, func(b *testing.B) { b.ReportAllocs(); run(b, base.h) })
		b.Run("h=wrapped_"+base.name, func(b *testing.B) {
			h, err := New(base.h, &Options{Sender: newDesk()})
			if err != nil {
				b.Fatal(err)
			}
			defer h.Close()
			b.ReportAllocs()
			run(b, h)
		})
	}
}

func BenchmarkNoAlert(b *testing.B) {
	handlers(b, func(b *testing.B, h slog.Handler) {
		log, ctx := slog.New(h), context.Background()
		for b.Loop() {
			log.LogAttrs(ctx, slog.LevelInfo, "order placed", slog.String("method", "POST"), slog.String("path", "/pay"), slog.Int("status", 200), slog.String("user", "u-41"), slog.Int("items", 3))
		}
	})
}

func BenchmarkNoAlertInScope(b *testing.B) {
	handlers(b, func(b *testing.B, h slog.Handler) {
		log, ctx := slog.New(h), With(context.Background(), "a", 1, "b", "two", "c", 3, "d", "four", "e", 5)
		for b.Loop() {
			log.LogAttrs(ctx, slog.LevelInfo, "order placed", slog.String("method", "POST"), slog.String("path", "/pay"), slog.Int("status", 200), slog.String("user", "u-41"), slog.Int("items", 3))
		}
	})
}

func BenchmarkDebugNobodyWants(b *testing.B) {
	handlers(b, func(b *testing.B, h slog.Handler) {
		ctx := context.Background()
		for b.Loop() {
			h.Enabled(ctx, slog.LevelDebug)
		}
	})
}

func BenchmarkRepeat(b *testing.B) {
	err := errors.New("connection refused")
	handlers(b, func(b *testing.B, h slog.Handler) {
		log, ctx := slog.New(h), context.Background()
		for b.Loop() {
			log.LogAttrs(ctx, slog.LevelError, "payment failed", slog.String("method", "POST"), slog.String("path", "/pay"), slog.Int("status", 500), slog.String("tenant", "t-41"), slog.Any("err", err))
		}
	})
}

// BenchmarkRepeatUser is a repeat that counts who was hit.
func BenchmarkRepeatUser(b *testing.B) {
	err := errors.New("connection refused")
	handlers(b, func(b *testing.B, h slog.Handler) {
		log, ctx := slog.New(h), context.Background()
		for b.Loop() {
			log.LogAttrs(ctx, slog.LevelError, "payment failed", slog.String("method", "POST"), slog.String("path", "/pay"), slog.Int("status", 500), slog.String("user", "u-41"), slog.Any("err", err))
		}
	})
}

func BenchmarkRepeatParallel(b *testing.B) {
	err := errors.New("connection refused")
	handlers(b, func(b *testing.B, h slog.Handler) {
		log, ctx := slog.New(h), context.Background()
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				log.LogAttrs(ctx, slog.LevelError, "payment failed", slog.String("method", "POST"), slog.String("path", "/pay"), slog.Int("status", 500), slog.String("tenant", "t-41"), slog.Any("err", err))
			}
		})
	})
}

func BenchmarkFirst(b *testing.B) {
	err := errors.New("dial tcp 10.0.0.1:5432: connection refused")
	handlers(b, func(b *testing.B, h slog.Handler) {
		if h, ok := h.(*Handler); ok {
			h.core.batch.maxGroups = 1 << 30
		}
		log, ctx, i := slog.New(h), context.Background(), 0
		for b.Loop() {
			i++
			log.LogAttrs(ctx, slog.LevelError, "payment failed "+letters(i), slog.String("method", "POST"), slog.String("path", "/pay"), slog.Int("status", 500), slog.String("tenant", "t-41"), slog.Any("err", err))
		}
	})
}

// BenchmarkRepeatIDs is a repeat whose texts differ in ids each time.
func BenchmarkRepeatIDs(b *testing.B) {
	messages, errs := make([]string, 1000), make([]error, 1000)
	for i := range messages {
		messages[i] = fmt.Sprintf("payment of order %d failed", 100_000+i)
		errs[i] = fmt.Errorf("charge %08x-e29b-41d4-a716-%012d: connection refused", i*7919, i)
	}
	handlers(b, func(b *testing.B, h slog.Handler) {
		log, ctx, i := slog.New(h), context.Background(), 0
		for b.Loop() {
			i = (i + 1) % len(messages)
			log.LogAttrs(ctx, slog.LevelError, messages[i], slog.String("method", "POST"), slog.String("path", "/pay"), slog.Int("status", 500), slog.String("tenant", "t-41"), slog.Any("err", errs[i]))
		}
	})
}

// BenchmarkStats asks for the sum of many groups. How long others wait for the
// lock meanwhile is in worst-ns.
func BenchmarkStats(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint("groups=", n), func(b *testing.B) {
			h, err := New(nothing{}, &Options{Sender: newDesk(), MaxGroups: n, BatchDelay: time.Hour, BatchSize: 40})
			if err != nil {
				b.Fatal(err)
			}
			defer h.core.batch.giveUp()
			log := slog.New(h)
			for i := range n {
				log.Error("payment failed " + letters(i))
			}
			var over atomic.Bool
			worst := make(chan time.Duration)
			go func() {
				var longest time.Duration
				for !over.Load() {
					begun := time.Now()
					h.core.batch.mu.Lock()
					//lint:ignore SA2001 it is the wait that counts
					h.core.batch.mu.Unlock()
					longest = max(longest, time.Since(begun))
				}
				worst <- longest
			}()
			for b.Loop() {
				h.Stats()
			}
			over.Store(true)
			b.ReportMetric(float64(<-worst), "worst-ns")
		})
	}
}
