package slackalert_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
	"example.com/slackalert/slackhttp"
)

// watch is a handler, its logger, what its base wrote and what it told.
type watch struct {
	t   *testing.T
	h   *slackalert.Handler
	log *slog.Logger

	mu     sync.Mutex
	base   bytes.Buffer
	groups []slackalert.Group
	block  func(context.Context) // nil = Slack answers
}

func newWatch(t *testing.T, opts slackalert.Options) *watch {
	w := &watch{t: t}
	opts.Sender = w
	h, err := slackalert.New(slog.NewJSONHandler(w, nil), &opts)
	require.NoError(t, err)
	w.h, w.log = h, slog.New(h)
	t.Cleanup(func() { _ = h.Close() })
	return w
}

func (w *watch) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.base.Write(b)
}

func (w *watch) Send(ctx context.Context, b slackalert.Batch) error {
	if w.block != nil {
		w.block(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups = append(w.groups, b.Groups...)
	return ctx.Err()
}

// told closes the handler and returns what it told, in the order of the logging.
func (w *watch) told() []slackalert.Group {
	w.t.Helper()
	require.NoError(w.t, w.h.Close())
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortStableFunc(w.groups, func(a, b slackalert.Group) int { return a.First.Compare(b.First) })
	return w.groups
}

// one is told where one alert is expected.
func (w *watch) one() slackalert.Group {
	w.t.Helper()
	groups := w.told()
	require.Len(w.t, groups, 1)
	require.Equal(w.t, 1, groups[0].Count)
	return groups[0]
}

func (w *watch) lines() (lines []map[string]any) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for dec := json.NewDecoder(bytes.NewReader(w.base.Bytes())); dec.More(); {
		var line map[string]any
		require.NoError(w.t, dec.Decode(&line))
		lines = append(lines, line)
	}
	return lines
}

func value(g slackalert.Group, key string) string {
	for _, f := range g.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return ""
}

// function is the last part of a group's source.
func function(g slackalert.Group) string {
	if g.Source == nil {
		return ""
	}
	return strings.SplitN(path.Base(g.Source.Function), ".", 2)[1]
}

// held runs f and returns what it panicked with.
func held(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

var errTill = errors.New("no connection to the till")

// ring is an error in which errors.Is looks for ever.
type ring struct{}

func (ring) Error() string   { return "round and round" }
func (r ring) Unwrap() error { return r }

//go:noinline
func breaks() { panic(errTill) }

//go:noinline
func breaksToo() { panic(errTill) }

//lint:ignore SA5000 it is to panic
func breaksMap() { map[string]int(nil)["a"]++ }

// inSpan ends a span as OpenTelemetry does.
func inSpan(f func()) {
	s := &span{}
	defer s.End()
	f()
}

type span struct{ ended bool }

func (s *span) End() {
	if v := recover(); v != nil {
		defer panic(v)
	}
	s.ended = true
}

// inTx rolls a transaction back.
func inTx(f func()) {
	defer func() {
		if v := recover(); v != nil {
			panic(v)
		}
	}()
	f()
}

func TestPanickedAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		run    func(w *watch, f func())
		passes bool
	}{
		{"Repanic", func(w *watch, f func()) { defer w.h.Repanic(); f() }, true},
		{"a span within", func(w *watch, f func()) { defer w.h.Repanic(); inSpan(f) }, true},
		{"a transaction within", func(w *watch, f func()) { defer w.h.Repanic(); inTx(f) }, true},
		{"many within", func(w *watch, f func()) {
			defer w.h.Repanic()
			inTx(func() { inSpan(func() { inTx(f) }) })
		}, true},
		{"two Repanics", func(w *watch, f func()) { defer w.h.Repanic(); defer w.h.Repanic(); f() }, true},
		{"a span between two Repanics", func(w *watch, f func()) {
			defer w.h.Repanic()
			inSpan(func() { defer w.h.Repanic(); inTx(f) })
		}, true},
		{"Do", func(w *watch, f func()) {
			defer w.h.Repanic()
			_ = slackalert.Do(w.t.Context(), w.log, "a", func(ctx context.Context) error {
				return slackalert.Do(ctx, w.log, "b", func(context.Context) error { inSpan(f); return nil })
			})
		}, true},
		{"Panicked, and on", func(w *watch, f func()) {
			defer w.h.Repanic()
			inTx(func() {
				defer func() {
					v := recover()
					slackalert.Panicked(w.t.Context(), w.log, v)
					panic(v)
				}()
				f()
			})
		}, true},
		{"Middleware within Repanic", func(w *watch, f func()) {
			defer w.h.Repanic()
			serve(w, f)
		}, false},
		{"Repanic within Middleware", func(w *watch, f func()) {
			serve(w, func() { defer w.h.Repanic(); inSpan(f) })
		}, false},
		{"an answer cut", func(w *watch, f func()) {
			defer w.h.Repanic()
			served(w, func(rw http.ResponseWriter) { rw.WriteHeader(200); f() })
		}, true},
	} {
		for what, f := range map[string]func(){"breaks": breaks, "breaksMap": breaksMap} {
			t.Run(c.name+" "+what, func(t *testing.T) {
				w := newWatch(t, slackalert.Options{})
				v := held(func() { c.run(w, f) })
				assert.Equal(t, c.passes, v != nil)
				g := w.one()
				assert.Equal(t, what, function(g))
				top, _, _ := strings.Cut(g.Stack, "\n")
				assert.Equal(t, g.Source.Function, top)
				assert.Len(t, w.lines(), 1, "base hears of it once too")
			})
		}
	}
}

// serve lets the middleware run f as a handler.
func serve(w *watch, f func()) { served(w, func(http.ResponseWriter) { f() }) }

func served(w *watch, f func(http.ResponseWriter)) {
	r, err := http.NewRequest("GET", "/a", nil)
	require.NoError(w.t, err)
	slackhttp.Middleware(&slackhttp.Options{Logger: w.log})(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		f(rw)
	})).ServeHTTP(nowhere{}, r)
}

// nowhere is an answer that nobody reads.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}

// Different bugs are different groups, though one helper panics again for both.
func TestPanickedAgainByOneHelper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		for _, f := range []func(){breaks, breaksToo, breaks} {
			held(func() { defer w.h.Repanic(); inTx(f) })
		}
		got := map[string]int{}
		for _, g := range w.told() {
			got[function(g)] = g.Total
		}
		assert.Equal(t, map[string]int{"breaks": 2, "breaksToo": 1}, got)
	})
}

// The same value panicked anew is another panic, also on the same goroutine,
// and behind the same helpers.
func TestSameValueIsAnotherPanic(t *testing.T) {
	for name, job := range map[string]func(w *watch){
		"Panicked": func(w *watch) {
			defer func() { slackalert.Panicked(w.t.Context(), w.log, recover()) }()
			inSpan(breaks)
		},
		"Repanic": func(w *watch) { held(func() { defer w.h.Repanic(); inTx(breaks) }) },
		"Do and Repanic": func(w *watch) {
			held(func() {
				defer w.h.Repanic()
				_ = slackalert.Do(w.t.Context(), w.log, "a", func(context.Context) error { inTx(breaks); return nil })
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWatch(t, slackalert.Options{})
				for range 3 {
					job(w)
				}
				require.NoError(t, w.h.Close())
				assert.EqualValues(t, 3, w.h.Stats().Alerts)
				assert.Len(t, w.lines(), 3)
			})
		})
	}
}

// A panic of what cleans up after a panic is one of its own.
func TestPanicWhileCleaningUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		held(func() {
			defer w.h.Repanic()
			defer breaksMap()
			defer w.h.Repanic()
			breaks()
		})
		groups := w.told()
		require.Len(t, groups, 2)
		assert.Equal(t, "breaks", function(groups[0]))
		assert.Equal(t, "breaksMap", function(groups[1]))
	})
}

// A panic that nobody was told of is told by the next who can.
func TestToldToNobody(t *testing.T) {
	w := newWatch(t, slackalert.Options{})
	var out bytes.Buffer
	held(func() {
		defer w.h.Repanic()
		_ = slackalert.Do(t.Context(), slog.New(slog.NewJSONHandler(&out, nil)), "a", func(context.Context) error {
			breaks()
			return nil
		})
	})
	assert.Contains(t, out.String(), `"msg":"panic: no connection to the till"`)
	assert.Equal(t, "breaks", function(w.one()))
}

func TestPanicOfTheStandardLibrary(t *testing.T) {
	w := newWatch(t, slackalert.Options{})
	//lint:ignore SA1000 it is to panic
	held(func() { defer w.h.Repanic(); regexp.MustCompile("(") })
	g := w.one()
	assert.True(t, strings.HasPrefix(function(g), "TestPanicOfTheStandardLibrary.func"), "who called it")
	assert.True(t, strings.HasPrefix(g.Stack, "regexp.MustCompile\n"), "with all of the stack")
}

// deferred is what main defers, in the order in which it is written.
func deferred(h *slackalert.Handler, f func()) {
	defer h.Repanic()
	defer h.Close()
	f()
}

func TestRepanicAboveClose(t *testing.T) {
	t.Run("Sender", func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		assert.Equal(t, any(errTill), held(func() { deferred(w.h, breaks) }))
		require.Len(t, w.groups, 1, "told before it goes on")
		assert.Equal(t, "breaks", function(w.groups[0]))
		require.Len(t, w.lines(), 1)
		assert.NotEmpty(t, w.lines()[0]["stack"])
	})
	t.Run("bot", func(t *testing.T) {
		s, err := fakeslack.Start(nil)
		require.NoError(t, err)
		defer func() { assert.NoError(t, s.Close()) }()
		h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Token: "xoxb-1-2-abc", Channel: "#a", APIURL: s.APIURL()})
		require.NoError(t, err)
		held(func() { deferred(h, func() { slog.New(h).Error("before"); breaks() }) })
		got := s.Messages("")
		require.Len(t, got, 2)
		assert.Contains(t, got[1].Text, "no connection to the till")
	})
	t.Run("derived", func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		h := w.h.WithAttrs([]slog.Attr{slog.String("shard", "3")}).(*slackalert.Handler)
		held(func() { deferred(h, breaks) })
		require.Len(t, w.groups, 1)
		assert.Equal(t, "3", value(w.groups[0], "shard"))
		assert.Equal(t, "3", w.lines()[0]["shard"])
	})
	t.Run("nowhere to tell", func(t *testing.T) {
		var out bytes.Buffer
		h, err := slackalert.New(slog.NewJSONHandler(&out, nil), &slackalert.Options{Optional: true})
		require.NoError(t, err)
		held(func() { deferred(h, breaks) })
		assert.Equal(t, 1, strings.Count(out.String(), "panic: no connection"), out.String())
		assert.Equal(t, 1, strings.Count(out.String(), "there is no destination"), "said once")
	})
	t.Run("Slack is away", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWatch(t, slackalert.Options{})
			w.block = func(ctx context.Context) { <-ctx.Done() }
			start := time.Now()
			held(func() { deferred(w.h, breaks) })
			assert.LessOrEqual(t, time.Since(start), 6*time.Second)
			var all strings.Builder
			for _, line := range w.lines() {
				fmt.Fprintln(&all, line["msg"])
			}
			assert.Contains(t, all.String(), "panic: no connection to the till")
			assert.Greater(t, len(w.lines()), 1, "base hears that it wasn't told")
		})
	})
}

func TestPanicked(t *testing.T) {
	recovered := func(ctx context.Context, log *slog.Logger, f func()) {
		defer func() { slackalert.Panicked(ctx, log, recover()) }()
		f()
	}
	t.Run("in a scope", func(t *testing.T) {
		w := newWatch(t, slackalert.Options{Breadcrumbs: 3})
		ctx := slackalert.With(t.Context(), "order", 7)
		w.log.InfoContext(ctx, "before")
		recovered(ctx, w.log.With("shard", 3), breaks)
		g := w.one()
		assert.Equal(t, "panic: no connection to the till", g.Message)
		assert.Equal(t, slog.LevelError+4, g.Level)
		assert.Equal(t, "unhandled", g.Code)
		assert.Equal(t, "breaks", function(g))
		assert.Equal(t, "7", value(g, "order"))
		assert.Equal(t, "3", value(g, "shard"))
		assert.Contains(t, g.Error, "no connection to the till")
		assert.Contains(t, g.Stack, ".breaks\n")
		assert.Len(t, g.Breadcrumbs, 1)
		assert.EqualValues(t, 7, w.lines()[1]["order"])
	})
	t.Run("no panic", func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		recovered(t.Context(), w.log, func() {})
		assert.Empty(t, w.told())
	})
	t.Run("no logger", func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		before := slog.Default()
		defer slog.SetDefault(before)
		slog.SetDefault(w.log)
		recovered(t.Context(), nil, breaks)
		assert.Equal(t, "breaks", function(w.one()))
	})
	t.Run("another's logger", func(t *testing.T) {
		var out bytes.Buffer
		recovered(t.Context(), slog.New(slog.NewJSONHandler(&out, nil)), breaks)
		assert.Contains(t, out.String(), `"level":"ERROR+4","msg":"panic: no connection to the till","error_code":"unhandled","error":"no connection to the till","stack":"`)
	})
	t.Run("no context", func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		var none context.Context
		recovered(none, w.log, breaks)
		assert.Equal(t, "breaks", function(w.one()))
	})
	t.Run("nothing on the stack", func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		v := held(breaks)
		slackalert.Panicked(t.Context(), w.log, v)
		assert.True(t, strings.HasPrefix(function(w.one()), "TestPanicked.func"), "who called it")
	})
	t.Run("waits for nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWatch(t, slackalert.Options{})
			start := time.Now()
			recovered(t.Context(), w.log, breaks)
			assert.Zero(t, time.Since(start))
			assert.EqualValues(t, 1, w.h.Stats().Pending)
			w.one()
		})
	})
}

func TestDo(t *testing.T) {
	//lint:ignore ST1008 as the cases read
	job := func(w *watch, ctx context.Context, f func(context.Context) error) (err error, v any) {
		v = held(func() { err = slackalert.Do(ctx, w.log, "nightly", f) })
		return err, v
	}
	for _, c := range []struct {
		name string
		f    func(w *watch, ctx context.Context) error
		want []string // messages
	}{
		{"fine", func(*watch, context.Context) error { return nil }, nil},
		{"an error", func(*watch, context.Context) error { return errTill }, []string{"job nightly failed"}},
		{"an error that wraps itself", func(*watch, context.Context) error { return ring{} }, []string{"job nightly failed"}},
		{"an error that was told", func(w *watch, ctx context.Context) error {
			w.log.ErrorContext(ctx, "no till")
			return errTill
		}, []string{"no till"}},
		{"told in a scope within", func(w *watch, ctx context.Context) error {
			w.log.WarnContext(slackalert.With(ctx, "a", 1), "no till", "error_code", "T1")
			return errTill
		}, []string{"no till"}},
		{"a warning isn't telling", func(w *watch, ctx context.Context) error {
			w.log.WarnContext(ctx, "no till")
			return errTill
		}, []string{"job nightly failed"}},
		{"another's alert isn't either", func(w *watch, _ context.Context) error {
			w.log.Error("elsewhere")
			return errTill
		}, []string{"elsewhere", "job nightly failed"}},
		{"a job within", func(w *watch, ctx context.Context) error {
			return slackalert.Do(ctx, w.log, "part", func(context.Context) error { return errTill })
		}, []string{"job part failed"}},
		{"cancelled within", func(_ *watch, ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx.Err()
		}, []string{"job nightly failed"}},
		{"out of time", func(_ *watch, ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 0)
			defer cancel()
			return fmt.Errorf("fetch: %w", ctx.Err())
		}, []string{"job nightly failed"}},
		{"a panic", func(*watch, context.Context) error { breaks(); return nil }, []string{"panic: no connection to the till"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWatch(t, slackalert.Options{})
			var want error
			err, v := job(w, t.Context(), func(ctx context.Context) error { want = c.f(w, ctx); return want })
			assert.Equal(t, want, err)
			assert.Equal(t, c.name == "a panic", v != nil)
			var got []string
			for _, g := range w.told() {
				got = append(got, g.Message)
			}
			assert.Equal(t, c.want, got)
		})
	}
	t.Run("what it shows", func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		_, _ = job(w, slackalert.With(t.Context(), "queue", "mail"), func(ctx context.Context) error {
			slackalert.Add(ctx, "attempt", 2)
			return fmt.Errorf("send: %w", errTill)
		})
		g := w.one()
		assert.Equal(t, slog.LevelError, g.Level)
		assert.Equal(t, "unhandled", g.Code)
		assert.Contains(t, g.Error, "send: no connection to the till")
		assert.Equal(t, []string{"nightly", "mail", "2"}, []string{value(g, "job"), value(g, "queue"), value(g, "attempt")})
		assert.True(t, strings.HasPrefix(function(g), "TestDo.func"), "who called Do")
	})
	t.Run("cancelled", func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		err, _ := job(w, ctx, func(ctx context.Context) error {
			cancel()
			return fmt.Errorf("next: %w", ctx.Err())
		})
		assert.ErrorIs(t, err, context.Canceled)
		assert.Empty(t, w.told())
	})
	t.Run("cancelled, and broken", func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		_, _ = job(w, ctx, func(context.Context) error { cancel(); return errTill })
		assert.Equal(t, "job nightly failed", w.one().Message)
	})
	t.Run("Goexit", func(t *testing.T) {
		w := newWatch(t, slackalert.Options{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = job(w, t.Context(), func(context.Context) error { runtime.Goexit(); return nil })
		}()
		<-done
		assert.Empty(t, w.told())
	})
	t.Run("another's logger", func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&out, nil))
		assert.Equal(t, errTill, slackalert.Do(t.Context(), log, "a", func(context.Context) error { return errTill }))
		assert.Contains(t, out.String(), `"level":"ERROR","msg":"job a failed","error_code":"unhandled","error":"no connection to the till"`)
	})
}
