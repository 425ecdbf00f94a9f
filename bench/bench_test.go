// This file compares what a record costs its caller: the floors, the library
// and its peers side by side, all delivering to one server.
//
//	go test -run '^$' -bench . -count 10 | go tool benchstat -col /h -

package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"example.com/slackalert/bench/internal/handlers"
	"example.com/slackalert/bench/internal/loopback"
	"example.com/slackalert/bench/internal/words"
)

// server is the one that every handler delivers to. It is a process of its
// own, so that allocs/op and B/op hold nothing of it.
var server *loopback.Process

func TestMain(m *testing.M) {
	loopback.RunIfChild()
	var err error
	if server, err = loopback.Spawn(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	server.Close()
	os.Exit(code)
}

// column is one handler over one base.
type column struct {
	h, name string
	base    func() slog.Handler
}

func noop() slog.Handler { return handlers.Noop{} }

// columns are the values of /h: every handler over JSON, as users have it,
// and the floor and ours over a base that does nothing, so that what ours
// adds is not hidden in JSON's noise.
func columns() []column {
	var all []column
	for _, name := range handlers.Names() {
		all = append(all, column{name, name, handlers.JSON})
		if name == "wrapped" {
			all = append(all, column{"noop", "base", noop}, column{"wrappednoop", "wrapped", noop})
		}
	}
	return all
}

// chunk is after how many alerts a benchmark stops its clock to let go of
// what has piled up. It is the number of groups ours remembers by default.
const chunk = 1000

// BenchmarkInfo is a record that is no alert: what every line of a program
// pays for having the handler installed.
func BenchmarkInfo(b *testing.B) {
	for _, c := range []struct {
		name string
		make func(h *handlers.Handler) func(int)
	}{
		{"attrs0", func(h *handlers.Handler) func(int) { return info0(bg, slog.New(h)) }},
		{"attrs5", func(h *handlers.Handler) func(int) { return info5(bg, slog.New(h)) }},
		{"attrs10", func(h *handlers.Handler) func(int) { return info10(bg, slog.New(h)) }},
		{"scope5attrs5", func(h *handlers.Handler) func(int) { return info5(h.Scope(bg, slog.New(h), five()...)) }},
		{"groups5", func(h *handlers.Handler) func(int) {
			return info5(bg, slog.New(h).WithGroup("shop").WithGroup("order"))
		}},
		{"with5attrs5", func(h *handlers.Handler) func(int) { return info5(bg, slog.New(h).With(five()...)) }},
	} {
		quiet(b, c.name, c.make)
	}
}

// BenchmarkDebug is a record that nobody wants.
func BenchmarkDebug(b *testing.B) {
	quiet(b, "unwanted", func(h *handlers.Handler) func(int) { return debug5(bg, slog.New(h)) })
}

// quiet runs a case in which nothing is delivered.
func quiet(b *testing.B, name string, logger func(*handlers.Handler) func(int)) {
	eachColumn(b, "case="+name, func(b *testing.B, c column, goroutines int) {
		h := open(b, c, loopback.Fast)
		defer shut(b, h)
		f := logger(h)
		b.ReportAllocs()
		b.ResetTimer()
		share(goroutines, 0, b.N, f)
		b.StopTimer()
	})
}

// BenchmarkFirst is the first alert of a group.
func BenchmarkFirst(b *testing.B) {
	messages := different()
	alerts(b, true, func(l *slog.Logger) func(int) {
		return func(i int) { alert(l, messages[i%chunk]) }
	})
}

// BenchmarkRepeat is an alert of a group that was logged before: 5 attributes
// and an error.
func BenchmarkRepeat(b *testing.B) {
	alerts(b, false, func(l *slog.Logger) func(int) {
		alert(l, "payment failed")
		return func(int) { alert(l, "payment failed") }
	})
}

// BenchmarkGroups is 1,000 groups in turn, all logged before.
func BenchmarkGroups(b *testing.B) {
	messages := different()
	alerts(b, false, func(l *slog.Logger) func(int) {
		for _, m := range messages {
			alert(l, m)
		}
		return func(i int) { alert(l, messages[i%chunk]) }
	})
}

// alerts runs a case in which every record is delivered, with Slack fast,
// slow and down. forget makes every alert one of a new group.
func alerts(b *testing.B, forget bool, logger func(*slog.Logger) func(int)) {
	for _, mode := range []loopback.Mode{loopback.Fast, loopback.Slow, loopback.Down} {
		eachColumn(b, "slack="+string(mode), func(b *testing.B, c column, goroutines int) {
			idle := runtime.NumGoroutine()
			h := open(b, c, mode)
			f := logger(slog.New(h))
			if h.PerRecord {
				settle(b, idle, mode)
			}
			step := b.N
			if h.PerRecord || h.Folds && forget {
				step = chunk
			}
			b.ReportAllocs()
			b.ResetTimer()
			for from := 0; from < b.N; from += step {
				share(goroutines, from, min(step, b.N-from), f)
				b.StopTimer()
				if h.PerRecord {
					settle(b, idle, mode)
				}
				if h.Folds && forget {
					shut(b, h)
					h = open(b, c, mode)
					f = logger(slog.New(h))
				}
				b.StartTimer()
			}
			b.StopTimer()
			shut(b, h)
		})
	}
}

// eachColumn names the sub-benchmarks so that benchstat -col /h sets the
// handlers side by side.
func eachColumn(b *testing.B, name string, run func(*testing.B, column, int)) {
	for _, goroutines := range []int{1, 8} {
		for _, c := range columns() {
			b.Run(fmt.Sprintf("%s/from=%d/h=%s", name, goroutines, c.h), func(b *testing.B) {
				run(b, c, goroutines)
			})
		}
	}
}

// share calls f with n numbers from the first on, from one goroutine or
// split over several.
func share(goroutines, first, n int, f func(int)) {
	if goroutines == 1 {
		for i := first; i < first+n; i++ {
			f(i)
		}
		return
	}
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := first + g; i < first+n; i += goroutines {
				f(i)
			}
		})
	}
	wg.Wait()
}

func open(tb testing.TB, c column, mode loopback.Mode) *handlers.Handler {
	tb.Helper()
	url, err := server.At(mode)
	if err != nil {
		tb.Fatal(err)
	}
	h, err := handlers.New(c.name, c.base(), url)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// shut stops a handler without waiting for what it still has to deliver.
func shut(tb testing.TB, h *handlers.Handler) {
	tb.Helper()
	if err := server.Cut(); err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	h.Close(ctx) // its error says what is known: not all was delivered
}

// settle ends the requests that hang and waits until their goroutines are
// gone, so that a goroutine per alert doesn't take the machine's memory.
func settle(tb testing.TB, idle int, mode loopback.Mode) {
	tb.Helper()
	for give := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > idle+8; {
		if err := server.Cut(); err != nil {
			tb.Fatal(err)
		}
		if time.Now().After(give) {
			tb.Fatalf("%d goroutines are left, %d at the start", runtime.NumGoroutine(), idle)
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := server.At(mode); err != nil {
		tb.Fatal(err)
	}
}

func different() []string {
	messages := make([]string, chunk)
	for i := range messages {
		messages[i] = "payment by " + words.Letters(i) + " failed"
	}
	return messages
}

var (
	bg         = context.Background()
	errRefused = fmt.Errorf("charge card: %w", errors.New("connection refused"))
)

func five() []any {
	return []any{
		slog.String("user", "u-lena"), slog.String("tenant", "acme"), slog.String("request_id", "req-kqzv"),
		slog.String("route", "POST /orders"), slog.Int("attempt", 2),
	}
}

func info0(ctx context.Context, l *slog.Logger) func(int) {
	return func(int) { l.LogAttrs(ctx, slog.LevelInfo, "order placed") }
}

func info5(ctx context.Context, l *slog.Logger) func(int) {
	return func(i int) {
		l.LogAttrs(ctx, slog.LevelInfo, "order placed",
			slog.String("method", "POST"), slog.String("path", "/orders"), slog.Int("status", 201),
			slog.Duration("took", 1500*time.Microsecond), slog.Int("order", i))
	}
}

func info10(ctx context.Context, l *slog.Logger) func(int) {
	return func(i int) {
		l.LogAttrs(ctx, slog.LevelInfo, "order placed",
			slog.String("method", "POST"), slog.String("path", "/orders"), slog.Int("status", 201),
			slog.Duration("took", 1500*time.Microsecond), slog.Int("order", i),
			slog.String("user", "u-lena"), slog.String("tenant", "acme"), slog.String("request_id", "req-kqzv"),
			slog.String("route", "POST /orders"), slog.Int("attempt", 2))
	}
}

func debug5(ctx context.Context, l *slog.Logger) func(int) {
	return func(i int) {
		l.LogAttrs(ctx, slog.LevelDebug, "cache missed",
			slog.String("method", "POST"), slog.String("path", "/orders"), slog.Int("status", 201),
			slog.Duration("took", 1500*time.Microsecond), slog.Int("order", i))
	}
}

func alert(l *slog.Logger, message string) {
	l.LogAttrs(bg, slog.LevelError, message,
		slog.String("method", "POST"), slog.String("path", "/orders"), slog.Int("status", 500),
		slog.Duration("took", 1500*time.Microsecond), slog.String("user", "u-lena"),
		slog.Any("error", errRefused))
}
