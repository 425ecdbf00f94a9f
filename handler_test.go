package slackalert

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/facts"
	"example.com/slackalert/internal/fingerprint"
	"example.com/slackalert/internal/scope"
)

// everything makes every record an alert at once, each its own group.
func everything(o *Options) {
	o.Level = slog.LevelDebug
	n := 0
	o.Fingerprint = func(context.Context, slog.Record) string { n++; return fmt.Sprint(n) }
}

func TestSlogContractAtTheBase(t *testing.T) {
	for _, ctx := range []context.Context{context.Background(), With(context.Background(), "scoped", 1)} {
		var buf bytes.Buffer
		slogtest.Run(t, func(t *testing.T) slog.Handler {
			buf.Reset()
			h, err := New(slog.NewJSONHandler(&buf, nil), &Options{Sender: newDesk()})
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, h.Close()) })
			return within{h, ctx}
		}, func(t *testing.T) map[string]any {
			m := map[string]any{}
			require.NoError(t, json.Unmarshal(buf.Bytes(), &m))
			if ctx != context.Background() {
				require.Equal(t, 1.0, m["scoped"], "at the top level")
			}
			return m
		})
	}
}

// within hands every record on with another context.
type within struct {
	slog.Handler
	ctx context.Context
}

func (w within) Handle(_ context.Context, r slog.Record) error { return w.Handler.Handle(w.ctx, r) }
func (w within) WithAttrs(a []slog.Attr) slog.Handler          { return within{w.Handler.WithAttrs(a), w.ctx} }
func (w within) WithGroup(n string) slog.Handler               { return within{w.Handler.WithGroup(n), w.ctx} }

func TestSlogContractInSlack(t *testing.T) {
	d := newDesk()
	var h *Handler
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		d.got = nil
		h, _, _ = newTest(t, d, everything)
		t.Cleanup(func() { assert.NoError(t, h.Close()) })
		return h
	}, func(t *testing.T) map[string]any {
		require.NoError(t, h.Flush(t.Context()))
		return parse(t, d.all()[0].Groups[0])
	})
}

// parse turns what arrived back into groups, as slogtest wants to see it.
func parse(t *testing.T, g Group) map[string]any {
	m := map[string]any{slog.LevelKey: g.Level.String(), slog.MessageKey: g.Message}
	if !g.First.IsZero() {
		m[slog.TimeKey] = g.First
	}
	for _, f := range g.Fields {
		in, keys := m, strings.Split(f.Key, ".")
		for _, k := range keys[:len(keys)-1] {
			if in[k] == nil {
				in[k] = map[string]any{}
			}
			in = in[k].(map[string]any)
		}
		require.NotContains(t, in, keys[len(keys)-1], "twice")
		in[keys[len(keys)-1]] = f.Value
	}
	return m
}

func TestSiblingsShareNothing(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, everything)
	var buf bytes.Buffer
	mine, err := New(slog.NewJSONHandler(&buf, nil), &Options{Sender: newDesk()})
	require.NoError(t, err)
	for _, l := range []*slog.Logger{log, slog.New(mine)} {
		parent := l.With("a", 1).WithGroup("g1").With("b", 2).WithGroup("g2").With("c", 3).WithGroup("g3")
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 100 {
					parent.WithGroup(fmt.Sprint("x", i)).With("who", i).WithGroup("deep")
				}
			})
		}
		wg.Wait()
		left, right := parent.WithGroup("left").With("d", 4), parent.WithGroup("right").With("e", 5)
		left.Error("l", "f", 6)
		right.Error("r", "f", 7)
	}
	require.NoError(t, h.Close())
	require.NoError(t, mine.Close())
	var groups []Group
	for _, a := range d.all() {
		groups = append(groups, a.Groups...)
	}
	assert.Equal(t, []Field{{"g1.g2.g3.left.f", "6"}, {"a", "1"}, {"g1.b", "2"}, {"g1.g2.c", "3"}, {"g1.g2.g3.left.d", "4"}}, groups[0].Fields)
	assert.Equal(t, []Field{{"g1.g2.g3.right.f", "7"}, {"a", "1"}, {"g1.b", "2"}, {"g1.g2.c", "3"}, {"g1.g2.g3.right.e", "5"}}, groups[1].Fields)
	assert.Contains(t, buf.String(), `"a":1,"g1":{"b":2,"g2":{"c":3,"g3":{"left":{"d":4,"f":6}}}}`)
	assert.Contains(t, buf.String(), `"a":1,"g1":{"b":2,"g2":{"c":3,"g3":{"right":{"e":5,"f":7}}}}`)
}

func TestDerivingWithNothingReturnsTheReceiver(t *testing.T) {
	h, _, _ := newTest(t, newDesk(), nil)
	assert.Same(t, h, h.WithGroup("").(*Handler))
	assert.Same(t, h, h.WithAttrs(nil).(*Handler))
	require.NoError(t, h.Close())
}

func TestBaseGetsWhatItWantsAndSlackWhatIsSerious(t *testing.T) {
	d := newDesk()
	base := &logs{min: slog.LevelWarn, err: errors.New("disk full")}
	h, err := New(base, &Options{Sender: d})
	require.NoError(t, err)
	log := slog.New(h)
	log.Debug("debug")
	log.Info("info")
	log.Info("coded info", "error_code", "E1")
	log.Debug("coded debug", "error_code", "E1")
	log.Warn("warn")
	log.Log(t.Context(), slog.LevelError+1, "worse than error")
	require.NoError(t, h.Close())

	var inBase, inSlack []string
	for _, r := range base.records {
		inBase = append(inBase, r.Message)
	}
	for _, g := range d.all()[0].Groups {
		inSlack = append(inSlack, g.Message)
	}
	assert.Equal(t, []string{"warn", "worse than error"}, inBase)
	assert.Equal(t, []string{"worse than error", "coded info"}, inSlack)

	ctx := t.Context()
	assert.False(t, h.Enabled(ctx, slog.LevelDebug))
	assert.True(t, h.Enabled(ctx, slog.LevelInfo), "could carry a code")
	r := slog.NewRecord(time.Now(), slog.LevelError, "x", 0)
	assert.ErrorIs(t, h.Handle(ctx, r), base.err)
}

func TestLevelsMayChange(t *testing.T) {
	var level slog.LevelVar
	level.Set(slog.LevelWarn)
	h, log, _ := newTest(t, newDesk(), func(o *Options) { o.Level = &level })
	log.Warn("told")
	level.Set(slog.LevelError)
	log.Warn("not told")
	assert.EqualValues(t, 1, h.Stats().Alerts)
	require.NoError(t, h.Close())
}

// valuer is a LogValuer made of a function.
type valuer func() slog.Value

func (v valuer) LogValue() slog.Value { return v() }

func TestCodes(t *testing.T) {
	scoped := With(context.Background(), "error_code", "E9")
	for _, c := range []struct {
		name string
		key  string
		log  func(*slog.Logger)
		want string // "" = no alert
	}{
		{"string", "", func(l *slog.Logger) { l.Info("m", "error_code", "E1") }, "E1"},
		{"three digits", "", func(l *slog.Logger) { l.Info("m", "error_code", 401) }, "401"},
		{"negative", "", func(l *slog.Logger) { l.Info("m", "error_code", -7) }, "-7"},
		{"large", "", func(l *slog.Logger) { l.Info("m", "error_code", uint64(1<<63)) }, "9223372036854775808"},
		{"LogValuer", "", func(l *slog.Logger) {
			l.Info("m", "error_code", valuer(func() slog.Value { return slog.IntValue(503) }))
		}, "503"},
		{"in a LogValuer's group", "", func(l *slog.Logger) {
			l.Info("m", "e", valuer(func() slog.Value { return slog.GroupValue(slog.String("error_code", "E2")) }))
		}, "E2"},
		{"in a group in a group", "", func(l *slog.Logger) { l.Info("m", slog.Group("a", slog.Group("b", "error_code", "E3"))) }, "E3"},
		{"under WithGroup", "", func(l *slog.Logger) { l.WithGroup("g").Info("m", "error_code", "E4") }, "E4"},
		{"logger's", "", func(l *slog.Logger) { l.With("error_code", "E5").Info("m") }, "E5"},
		{"logger's group", "", func(l *slog.Logger) {
			l.WithGroup("g").With(slog.Group("h", "error_code", "E6")).WithGroup("i").Info("m")
		}, "E6"},
		{"scope's", "", func(l *slog.Logger) { l.InfoContext(scoped, "m") }, "E9"},
		{"the record's before the logger's before the scope's", "", func(l *slog.Logger) { l.With("error_code", "E5").InfoContext(scoped, "m", "error_code", "E1") }, "E1"},
		{"the logger's before the scope's", "", func(l *slog.Logger) { l.With("error_code", "E5").InfoContext(scoped, "m") }, "E5"},
		{"empty", "", func(l *slog.Logger) { l.Info("m", "error_code", "") }, ""},
		{"nil", "", func(l *slog.Logger) { l.Info("m", "error_code", nil) }, ""},
		{"below CodeLevel", "", func(l *slog.Logger) { l.Debug("m", "error_code", "E1") }, ""},
		{"another key", "", func(l *slog.Logger) { l.Info("m", "terror_code", "E1", "error_codes", "E1") }, ""},
		{"a path, flat", "error.code", func(l *slog.Logger) { l.Info("m", "error.code", "E1") }, "E1"},
		{"a path, a group", "error.code", func(l *slog.Logger) { l.Info("m", slog.Group("error", "code", "E1")) }, "E1"},
		{"a path, deeper", "error.code", func(l *slog.Logger) { l.WithGroup("req").Info("m", slog.Group("error", "code", "E1")) }, "E1"},
		{"a path, under WithGroup", "error.code", func(l *slog.Logger) { l.WithGroup("error").Info("m", "code", "E1") }, "E1"},
		{"a path, the logger's", "error.code", func(l *slog.Logger) { l.WithGroup("error").With("code", "E1").WithGroup("x").Info("m") }, "E1"},
		{"a path, the end alone", "error.code", func(l *slog.Logger) { l.Info("m", "code", "E1", slog.Group("terror", "code", "E2")) }, ""},
		{"a path, inline group", "error.code", func(l *slog.Logger) { l.Info("m", slog.Group("error", slog.Group("", "code", "E1"))) }, "E1"},
		{"muted", "", func(l *slog.Logger) { l.Info("m", "error_code", "M") }, ""},
		{"muted, but an error", "", func(l *slog.Logger) { l.Error("m", "error_code", "M") }, "M"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk()
			h, log, _ := newTest(t, d, func(o *Options) {
				o.CodeKey = c.key
				o.Codes = map[string]Code{"M": {Mute: true}}
			})
			c.log(log)
			require.NoError(t, h.Close())
			if c.want == "" {
				assert.Empty(t, d.all())
				return
			}
			require.Len(t, d.all(), 1)
			assert.Equal(t, c.want, d.all()[0].Groups[0].Code)
		})
	}
}

func TestCodeNamesAChannel(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, func(o *Options) {
		o.Channel = "" // a Sender decides for itself; Code.Channel tells it
		o.Codes = map[string]Code{"pay": {Channel: "#payments"}}
	})
	log.Info("a", "error_code", "pay")
	log.Error("b")
	require.NoError(t, h.Close())
	got := map[string]string{}
	for _, a := range d.all() {
		got[a.Channel] = a.Groups[0].Message
	}
	assert.Equal(t, map[string]string{"#payments": "a", "": "b"}, got)
}

func TestFilterHasTheLastWord(t *testing.T) {
	d := newDesk()
	h, log, base := newTest(t, d, func(o *Options) {
		o.Filter = func(_ context.Context, r slog.Record) bool { return r.Message != "noise" }
	})
	ctx := With(t.Context())
	log.ErrorContext(ctx, "noise")
	assert.True(t, scope.From(ctx).Alerted(), "it was logged: the middleware needn't")
	log.Error("signal")
	require.NoError(t, h.Close())
	assert.EqualValues(t, 1, h.Stats().Alerts)
	assert.Len(t, base.records, 2)
}

func TestPointerChangedAfterTheCall(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, nil)
	type order struct{ Item string }
	o, b, m := &order{"book"}, []byte("bytes"), map[string]int{"n": 1}
	log.Error("m", "order", o, "bytes", b, "map", m)
	o.Item, b[0], m["n"] = "changed", 'X', 2
	require.NoError(t, h.Close())
	assert.Equal(t, []Field{{"order", `{"Item":"book"}`}, {"bytes", "bytes"}, {"map", `{"n":1}`}}, d.all()[0].Groups[0].Fields)
}

type badError struct{}

func (*badError) Error() string { panic("no text") }

type badText struct{}

func (badText) String() string { panic(errors.New("no string")) }

func TestValuesThatPanic(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, nil)
	var null *badError
	log.Error("m", "valuer", valuer(func() slog.Value { panic("no value") }), "err", &badError{}, "nil", null, "stringer", badText{})
	require.NoError(t, h.Close())
	g := d.all()[0].Groups[0]
	assert.Equal(t, "!PANIC: no text", g.Error)
	assert.Equal(t, []Field{{"valuer", "!PANIC: no value"}, {"err", "!PANIC: no text"}, {"nil", "<nil>"}, {"stringer", "!PANIC: no string"}}, g.Fields)
}

func TestValuesAsText(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, nil)
	type loop map[string]any
	self := loop{}
	self["self"] = self
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	log.Error("m", "d", 1500*time.Millisecond, "t", at, "f", 1.5, "b", true, "nil", nil, "self", self, "ch", make(chan int), "level", slog.LevelWarn)
	require.NoError(t, h.Close())
	f := d.all()[0].Groups[0].Fields
	assert.Equal(t, []Field{{"d", "1.5s"}, {"t", "2026-01-02T03:04:05.000000006Z"}, {"f", "1.5"}, {"b", "true"}, {"nil", "<nil>"}}, f[:5])
	assert.Equal(t, `{"self":"…"}`, f[5].Value)
	assert.Equal(t, "chan int", f[6].Value)
	assert.Equal(t, "WARN", f[7].Value)
}

func TestCaptureIsBounded(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, nil)
	var attrs []any
	for i := range 100 {
		attrs = append(attrs, fmt.Sprint("k", i), "v")
	}
	long := strings.Repeat("é", 100_000)
	deep := slog.String("leaf", "v")
	for range 20 {
		deep = slog.Attr{Key: "g", Value: slog.GroupValue(deep)}
	}
	log.Error("many", attrs...)
	log.Error(long, "err", errors.New(long), "a", long, "b", long, "c", long, "d", long)
	log.Error("deep", "before", 1, deep)
	require.NoError(t, h.Close())
	groups := d.all()[0].Groups

	assert.Len(t, groups[0].Fields, 65)
	assert.Equal(t, Field{"…", "(+36 fields)"}, groups[0].Fields[64])
	assert.Equal(t, []Field{{"before", "1"}, {"…", "(+1 fields)"}}, groups[2].Fields)
	g := groups[1]
	size := len(g.Message) + len(g.Error)
	for _, f := range g.Fields {
		size += len(f.Value)
	}
	assert.Less(t, size, 17<<10)
	assert.True(t, strings.HasSuffix(g.Message, "é… (+195904 bytes)"), g.Message[len(g.Message)-40:])
	assert.Equal(t, "…", g.Fields[len(g.Fields)-1].Key)
}

func TestSecretsAreRedacted(t *testing.T) {
	for _, c := range []struct {
		plain bool
		want  []Field
	}{
		{false, []Field{{"password", "[redacted]"}, {"auth.token", "[redacted]"}, {"url", "postgres://app:[redacted]@db/x"}, {"user", "bo"}}},
		{true, []Field{{"password", "hunter2"}, {"auth.token", "abc"}, {"url", "postgres://app:hunter2@db/x"}, {"user", "bo"}}},
	} {
		d := newDesk()
		h, log, _ := newTest(t, d, func(o *Options) { o.NoRedact = c.plain })
		log.Error("m", "password", "hunter2", slog.Group("auth", "token", "abc"), "url", "postgres://app:hunter2@db/x", "user", "bo")
		require.NoError(t, h.Close())
		assert.Equal(t, c.want, d.all()[0].Groups[0].Fields)
	}
}

func TestReplaceAttrIsForSlackOnly(t *testing.T) {
	d := newDesk()
	var buf bytes.Buffer
	h, err := New(slog.NewTextHandler(&buf, nil), &Options{Sender: d, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case a.Key == "email":
			return slog.String("email", "…@example.com")
		case a.Key == "drop":
			return slog.Attr{}
		case a.Key == slog.MessageKey && len(groups) == 0:
			return slog.String("text", strings.ToUpper(a.Value.String()))
		case a.Key == slog.TimeKey && len(groups) == 0:
			return slog.Attr{}
		}
		return slog.String(a.Key, strings.Join(groups, "/")+"|"+a.Value.String())
	}})
	require.NoError(t, err)
	slog.New(h).WithGroup("g").Error("msg", "email", "bo@example.com", "drop", 1, slog.Group("h", "k", "v"))
	require.NoError(t, h.Close())
	g := d.all()[0].Groups[0]
	assert.Equal(t, "MSG", g.Message)
	assert.True(t, g.First.IsZero())
	assert.Equal(t, []Field{{"g.email", "…@example.com"}, {"g.h.k", "g/h|v"}}, g.Fields)
	assert.Contains(t, buf.String(), "bo@example.com")
}

func TestErrorChain(t *testing.T) {
	inner := errors.New("connection refused")
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"plain", inner, "connection refused"},
		{"wrapped", fmt.Errorf("charge card: %w", inner), "charge card: connection refused"},
		{"joined", errors.Join(errors.New("one"), fmt.Errorf("two: %w", inner)), "one\ntwo: connection refused"},
		{"hidden", opaque{fmt.Errorf("mid: %w", inner)}, "payment failed\ncaused by: mid: connection refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk()
			h, log, _ := newTest(t, d, nil)
			log.Error("m", "n", 1, "err", c.err, "second", io.EOF)
			require.NoError(t, h.Close())
			assert.Equal(t, c.want, d.all()[0].Groups[0].Error)
		})
	}
}

type opaque struct{ in error }

func (opaque) Error() string   { return "payment failed" }
func (o opaque) Unwrap() error { return o.in }

func TestDefaultFingerprint(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, nil)
	for i := range 40 {
		id := fmt.Sprintf("%08x-e29b-41d4-a716-4466554400%02d", i*7919, i)
		log.Error(fmt.Sprintf("user %d not found (request %s, trace 4bf92f3577b34da6a3ce929d0e0e47%02x)", i, id, i))
		log.Error("call failed", "err", errors.New([]string{"timeout", "refused"}[i%2]))
		log.Error("coded", "error_code", 401+i%2)
		log.Log(t.Context(), slog.LevelError+slog.Level(i%2), "level")
	}
	require.NoError(t, h.Close())
	counts := map[string]int{}
	prints := map[string]bool{}
	for _, a := range d.all() {
		for _, g := range a.Groups {
			counts[strings.Fields(g.Message)[0]+" "+g.Error+g.Code+" "+g.Level.String()] += g.Count
			prints[g.Fingerprint] = true
		}
	}
	assert.Equal(t, map[string]int{
		"user  ERROR": 40, "call timeout ERROR": 20, "call refused ERROR": 20,
		"coded 401 ERROR": 20, "coded 402 ERROR": 20, "level  ERROR": 20, "level  ERROR+1": 20,
	}, counts)
	assert.Len(t, prints, 7)
}

func TestOwnFingerprint(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, func(o *Options) {
		o.Fingerprint = func(_ context.Context, r slog.Record) string {
			if r.Message == "as ever" {
				return ""
			}
			return "all one"
		}
	})
	log.Error("a")
	log.Error("b", "err", io.EOF)
	log.Error("as ever")
	require.NoError(t, h.Close())
	groups := d.all()[0].Groups
	require.Len(t, groups, 2)
	assert.Equal(t, "all one", groups[0].Fingerprint)
	assert.Equal(t, 2, groups[0].Count)
	assert.Equal(t, "as ever", groups[1].Message)
}

func TestZeroTimeAndZeroPC(t *testing.T) {
	d := newDesk()
	h, _, _ := newTest(t, d, nil)
	require.NoError(t, h.Handle(t.Context(), slog.NewRecord(time.Time{}, slog.LevelError, "m", 0)))
	require.NoError(t, h.Close())
	g := d.all()[0].Groups[0]
	assert.True(t, g.First.IsZero() && g.Last.IsZero())
	assert.Nil(t, g.Source)
}

func TestSourceAndStack(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, func(o *Options) { o.AddStack = true })
	log.With("a", 1).ErrorContext(t.Context(), "m")
	require.NoError(t, h.Close())
	g := d.all()[0].Groups[0]
	assert.True(t, strings.HasSuffix(g.Source.File, "handler_test.go"), g.Source.File)
	top, _, _ := strings.Cut(g.Stack, "\n")
	assert.True(t, strings.HasSuffix(top, ".TestSourceAndStack"), g.Stack)
	assert.NotContains(t, g.Stack, "log/slog")
	assert.NotContains(t, g.Stack, "runtime.")
}

// traced carries a stack as pkg/errors does: by a method, of a type of its own.
type traced struct{ pcs []frame }
type frame uintptr

func (traced) Error() string         { return "traced" }
func (e traced) StackTrace() []frame { return e.pcs }

func newTraced() error {
	h := hereForTest()
	var e traced
	for _, pc := range h {
		e.pcs = append(e.pcs, frame(pc))
	}
	return e
}

func TestErrorsCarryTheirStack(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, nil)
	log.Error("m", "err", fmt.Errorf("outer: %w", newTraced()))
	require.NoError(t, h.Close())
	assert.Contains(t, d.all()[0].Groups[0].Stack, ".newTraced\n")
}

func TestContextMayEndAtOnce(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, nil)
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		log.ErrorContext(ctx, "m")
		cancel()
	}
	require.NoError(t, h.Close())
	assert.Equal(t, 200, d.told())
}

func TestBatchRoundTripsAsJSON(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, func(o *Options) { o.Breadcrumbs, o.AddStack = 2, true })
	ctx := With(t.Context(), "user", "bo")
	log.InfoContext(ctx, "before")
	log.ErrorContext(ctx, "m", "err", io.EOF, "error_code", 7)
	require.NoError(t, h.Close())
	sent := d.all()[0].Batch
	data, err := json.Marshal(sent)
	require.NoError(t, err)
	var back Batch
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, sent, back)
	for _, key := range []string{`"id"`, `"groups"`, `"fingerprint"`, `"breadcrumbs"`, `"level":"ERROR"`} {
		assert.Contains(t, string(data), key)
	}
}

func TestCallbacksThatPanic(t *testing.T) {
	d := newDesk()
	h, log, base := newTest(t, d, func(o *Options) {
		o.Filter = func(context.Context, slog.Record) bool { panic("filter") }
		o.Fingerprint = func(context.Context, slog.Record) string { panic("fingerprint") }
		o.ReplaceAttr = func([]string, slog.Attr) slog.Attr { panic("replace") }
	})
	for range 3 {
		log.Error("m", "k", "v")
	}
	require.NoError(t, h.Close())
	g := d.all()[0].Groups[0]
	assert.Equal(t, 3, g.Count)
	assert.Equal(t, []Field{{"k", "v"}}, g.Fields)
	own := base.own()
	slices.Sort(own)
	require.Len(t, own, 3)
	assert.Contains(t, own[0], "Filter")
	assert.Contains(t, own[1], "Fingerprint")
	assert.Contains(t, own[2], "ReplaceAttr")
}

// ends is a value that ends the goroutine of who asks it.
type ends struct{}

func (ends) LogValue() slog.Value { runtime.Goexit(); return slog.Value{} }
func (ends) Error() string        { runtime.Goexit(); return "" }

// What a program's functions and values do to the goroutine takes no alert
// along: it is counted, and told with what is known.
func TestAnAlertWhoseReadingEndsTheGoroutine(t *testing.T) {
	type record = slog.Record
	for _, c := range []struct {
		name   string
		change func(*Options)
		args   []any
		option string // that base hears of
		level  slog.Level
		known  []Field
	}{
		{name: "Filter", change: func(o *Options) { o.Filter = func(context.Context, record) bool { goexit(); return false } }, option: "Filter"},
		{name: "Fingerprint", change: func(o *Options) { o.Fingerprint = func(context.Context, record) string { goexit(); return "" } }, option: "Fingerprint"},
		{name: "Route", change: func(o *Options) { o.Route = func(context.Context, record) string { goexit(); return "" } }, option: "Route"},
		{name: "ReplaceAttr", change: func(o *Options) { o.ReplaceAttr = func([]string, slog.Attr) slog.Attr { goexit(); return slog.Attr{} } }, option: "ReplaceAttr"},
		{name: "ContextAttrs", change: func(o *Options) { o.ContextAttrs = func(context.Context) []slog.Attr { goexit(); return nil } }, option: "ContextAttrs", known: []Field{{"k", "v"}}},
		{name: "a LogValuer", args: []any{"x", ends{}}},
		{name: "a LogValuer of a code's record", args: []any{"error_code", "E1", "x", ends{}}, level: slog.LevelInfo},
		{name: "an error's text", args: []any{"error", error(ends{})}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				h, log, base := newTest(t, d, c.change)
				level := cmp.Or(c.level, slog.LevelError)
				for range 3 {
					done := make(chan bool)
					go func() {
						defer close(done)
						log.Log(context.Background(), level, "payment failed", append([]any{"k", "v"}, c.args...)...)
					}()
					<-done
				}
				pass(time.Minute)
				assert.Equal(t, Stats{Alerts: 3, Delivered: 3, Messages: 1}, h.Stats())
				require.Len(t, d.all(), 1)
				g := d.all()[0].Groups[0]
				assert.Equal(t, "payment failed", g.Message)
				assert.Equal(t, 3, g.Count)
				assert.NotNil(t, g.Source)
				assert.False(t, g.First.IsZero())
				want := c.known
				if want == nil {
					want = []Field{{"…", "(left out: what was asked for them ended the goroutine)"}}
				}
				assert.Equal(t, want, g.Fields)
				records := 0
				for _, r := range base.records {
					if r.Message == "payment failed" {
						records++
					}
				}
				assert.Equal(t, 3, records, "base has them all")
				if c.option != "" {
					require.Len(t, base.own(), 1)
					assert.Contains(t, base.own()[0], "runtime.Goexit")
					assert.Contains(t, base.own()[0], "option="+c.option)
				}
				require.NoError(t, h.Close())
			})
		})
	}
}

func TestWhatAFunctionLogsAsItsGoroutineEndsIsNoAlert(t *testing.T) {
	var log *slog.Logger
	h, log, _ := newTest(t, newDesk(), func(o *Options) {
		o.Filter = func(context.Context, slog.Record) bool { log.Error("inner", "x", ends{}); return true }
	})
	var wg sync.WaitGroup
	wg.Go(func() { log.Error("m") })
	wg.Wait()
	assert.EqualValues(t, 1, h.Stats().Alerts)
	require.NoError(t, h.Close())
}

func TestScopeStandsAtTheTop(t *testing.T) {
	d := newDesk()
	var buf bytes.Buffer
	h, err := New(slog.NewJSONHandler(&buf, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}), &Options{Sender: d})
	require.NoError(t, err)
	log := slog.New(h).With("svc", "x").WithGroup("g").With("a", 1).WithGroup("h")
	ctx := With(t.Context(), "method", "GET", "shadowed", "outer")
	inner := With(ctx, "shadowed", "inner")
	Add(ctx, "user", "bo")
	log.ErrorContext(inner, "m", "k", "v")
	log.ErrorContext(inner, "nothing")
	require.NoError(t, h.Close())
	lines := strings.Split(strings.TrimSpace(buf.String()), "\n")
	assert.Equal(t, `{"level":"ERROR","msg":"m","svc":"x","method":"GET","user":"bo","shadowed":"inner","g":{"a":1,"h":{"k":"v"}}}`, lines[0])
	assert.Equal(t, `{"level":"ERROR","msg":"nothing","svc":"x","method":"GET","user":"bo","shadowed":"inner","g":{"a":1}}`, lines[1])
	assert.Equal(t, []Field{{"method", "GET"}, {"user", "bo"}, {"shadowed", "inner"}, {"g.h.k", "v"}, {"svc", "x"}, {"g.a", "1"}}, d.all()[0].Groups[0].Fields)
}

func TestAHandlerAroundAHandler(t *testing.T) {
	var buf bytes.Buffer
	team, ops := newDesk(), newDesk()
	inner, err := New(slog.NewJSONHandler(&buf, nil), &Options{Sender: team})
	require.NoError(t, err)
	outer, err := New(inner, &Options{Sender: ops})
	require.NoError(t, err)
	slog.New(outer).WithGroup("g").ErrorContext(With(t.Context(), "user", "bo"), "m", "k", "v")
	require.NoError(t, outer.Close())
	require.NoError(t, inner.Close())
	assert.Equal(t, 1, strings.Count(buf.String(), `"user":"bo"`), buf.String())
	for _, d := range []*desk{team, ops} {
		assert.Equal(t, []Field{{"user", "bo"}, {"g.k", "v"}}, d.all()[0].Groups[0].Fields)
	}
}

func TestBreadcrumbs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		base := &logs{min: slog.LevelWarn}
		h, err := New(base, &Options{Sender: d, Breadcrumbs: 3})
		require.NoError(t, err)
		log, ctx := slog.New(h), With(t.Context())
		assert.True(t, h.Enabled(ctx, slog.LevelDebug))
		assert.False(t, h.Enabled(t.Context(), slog.LevelDebug))
		for _, s := range []string{"one", "two", "three", "four"} {
			log.DebugContext(ctx, s, "n", len(s), "any", struct{}{}, "password", "hunter2")
			time.Sleep(time.Second)
		}
		log.DebugContext(t.Context(), "elsewhere")
		log.ErrorContext(With(ctx), "m")
		require.NoError(t, h.Close())
		assert.Empty(t, base.own())
		assert.Equal(t, []string{
			"-3s DEBUG two n=3 password=[redacted]", "-2s DEBUG three n=5 password=[redacted]", "-1s DEBUG four n=4 password=[redacted]",
		}, d.all()[0].Groups[0].Breadcrumbs)
	})
}

// What a Sender logs through its own handler is no alert; through another one,
// which is delivering at the same moment, it is.
func TestWhatADeliveryLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newDesk(), newDesk()
		first, log1, base1 := newTest(t, one, nil)
		second, log2, base2 := newTest(t, two, nil)
		one.block = func(ctx context.Context, b Batch) {
			for i := range 3 {
				log1.Error("of the first's own", "n", i)
				log1.ErrorContext(ctx, "of the first's own, with its context")
				log2.Error("of the other's")
				log2.ErrorContext(ctx, "of the other's, with the first's context")
			}
		}
		two.block = func(ctx context.Context, b Batch) { time.Sleep(2 * time.Second) }
		log2.Error("it delivers")
		time.Sleep(1500 * time.Millisecond)
		log1.Error("so does it")
		require.NoError(t, first.Close())
		require.NoError(t, second.Close())
		assert.EqualValues(t, 1, first.Stats().Alerts)
		assert.EqualValues(t, 7, second.Stats().Alerts)
		assert.Len(t, base1.records, 7, "base gets it all")
		assert.Len(t, base2.records, 7)
	})
}

// A goroutine that a Sender started is none of the lane's: it is known by the
// attempt's context.
func TestWhatADeliverysGoroutineLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, base := newTest(t, d, nil)
		d.block = func(ctx context.Context, _ Batch) {
			var wg sync.WaitGroup
			wg.Go(func() { log.ErrorContext(ctx, "of the delivery") })
			wg.Wait()
		}
		log.Error("m")
		require.NoError(t, h.Flush(t.Context()))
		assert.EqualValues(t, 1, h.Stats().Alerts)
		assert.Len(t, base.records, 2)
		require.NoError(t, h.Close())
	})
}

// Flush and Shutdown say what a person must do, as the warning does.
func TestErrorsSayWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(string, Batch) error { return mend("invite the bot") }
		h, log, _ := newTest(t, d, nil)
		log.Error("m")
		err := h.Flush(t.Context())
		require.ErrorContains(t, err, "broken")
		assert.ErrorContains(t, err, ": invite the bot")
		assert.ErrorContains(t, h.Close(), ": invite the bot")
	})
}

func TestHandleWithoutAContext(t *testing.T) {
	d := newDesk()
	h, _, base := newTest(t, d, func(o *Options) {
		o.Filter = func(ctx context.Context, _ slog.Record) bool { return ctx.Err() == nil }
		o.ContextAttrs = func(ctx context.Context) []slog.Attr { return []slog.Attr{slog.Any("err", ctx.Err())} }
	})
	var none context.Context
	require.NoError(t, h.Handle(none, slog.NewRecord(time.Now(), slog.LevelError, "m", 0)))
	require.NoError(t, h.Close())
	assert.Len(t, base.records, 1)
	assert.Equal(t, 1, d.told())
}

// formatter is a base that writes as its groups say, and changes the slices it
// gets, as it may.
type formatter struct {
	out  *strings.Builder
	path string
}

func (f formatter) Enabled(context.Context, slog.Level) bool { return true }
func (f formatter) WithGroup(name string) slog.Handler       { f.path += name + "("; return f }

func (f formatter) WithAttrs(attrs []slog.Attr) slog.Handler {
	for i := range attrs {
		f.path += fmt.Sprintf("%s=%+v ", attrs[i].Key, attrs[i].Value.Resolve())
		attrs[i] = slog.String("changed", "by base")
	}
	return f
}

func (f formatter) Handle(_ context.Context, r slog.Record) error {
	fmt.Fprint(f.out, f.path, r.Message)
	r.Attrs(func(a slog.Attr) bool { fmt.Fprint(f.out, " ", a); return true })
	fmt.Fprintln(f.out)
	return nil
}

// Under a group and in a scope base gets what it would get by its own WithGroup
// and WithAttrs, with the values of that time.
func TestBaseUnderAGroupInAScope(t *testing.T) {
	type order struct{ Item string }
	write := func(base slog.Handler, log func(slog.Handler) *slog.Logger) {
		o, m := &order{"book"}, map[string]int{"n": 1}
		l := log(base).With("top", m).WithGroup("g").With("order", o, "map", m, "err", fmt.Errorf("a: %w", io.EOF)).WithGroup("h").With("d", time.Second)
		o.Item, m["n"] = "changed", 2
		for range 2 { // the second time from what was remembered
			l.InfoContext(With(context.Background(), "user", "bo", "tags", []string{"x"}), "m", "k", "v")
		}
	}
	ours := func(base slog.Handler) *slog.Logger {
		h, err := New(base, &Options{Sender: newDesk()})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, h.Close()) })
		return slog.New(h)
	}
	alone := func(base slog.Handler) *slog.Logger { return slog.New(afterTop{base}) }
	noTime := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	for name, base := range map[string]func(*strings.Builder) slog.Handler{
		"json":      func(b *strings.Builder) slog.Handler { return slog.NewJSONHandler(b, noTime) },
		"text":      func(b *strings.Builder) slog.Handler { return slog.NewTextHandler(b, noTime) },
		"formatter": func(b *strings.Builder) slog.Handler { return formatter{out: b} },
	} {
		var want, got strings.Builder
		write(base(&want), alone)
		write(base(&got), ours)
		assert.Equal(t, want.String(), got.String(), name)
		assert.NotContains(t, got.String(), "changed", name)
	}
}

// afterTop is what base alone would do: it has the scope's attributes before the
// first group.
type afterTop struct{ slog.Handler }

func (a afterTop) WithAttrs(attrs []slog.Attr) slog.Handler {
	return afterTop{a.Handler.WithAttrs(attrs)}
}

func (a afterTop) WithGroup(name string) slog.Handler {
	return a.Handler.WithAttrs([]slog.Attr{slog.String("user", "bo"), slog.Any("tags", []string{"x"})}).WithGroup(name)
}

// A request logs more than once: what its logger and its scope make together is
// remembered, but not where a value may be another the next time.
func TestScopeUnderAGroupChanges(t *testing.T) {
	var b strings.Builder
	h, err := New(formatter{out: &b}, &Options{Sender: newDesk()})
	require.NoError(t, err)
	log := slog.New(h).WithGroup("g")
	ctx := With(t.Context(), "a", 1)
	log.InfoContext(ctx, "one")
	log.InfoContext(ctx, "two")
	Add(ctx, "n", 0)
	log.InfoContext(ctx, "three")
	log.InfoContext(With(t.Context(), "a", 2), "four")
	n := 1
	ctx = With(t.Context(), "n", valuer(func() slog.Value { return slog.IntValue(n) }))
	log.InfoContext(ctx, "five")
	n = 2
	log.InfoContext(ctx, "six")
	log.InfoContext(With(t.Context()), "seven")
	require.NoError(t, h.Close())
	assert.Equal(t, []string{"a=1 g(one", "a=1 g(two", "a=1 n=0 g(three", "a=2 g(four", "n=1 g(five", "n=2 g(six", "g(seven"},
		strings.Split(strings.TrimSpace(b.String()), "\n"))
}

// counting is a base that counts how often it is derived.
type counting struct {
	slog.Handler
	n *int
}

func (c counting) WithGroup(string) slog.Handler      { *c.n++; return c }
func (c counting) WithAttrs([]slog.Attr) slog.Handler { *c.n++; return c }

func TestARequestThatLogsTwiceDerivesOnce(t *testing.T) {
	n := 0
	h, err := New(counting{slog.DiscardHandler, &n}, &Options{Sender: newDesk()})
	require.NoError(t, err)
	log := slog.New(h).WithGroup("g").With("a", 1)
	ctx := With(t.Context(), "user", "bo")
	under := func() { assert.NotNil(t, log.Handler().(*Handler).with.under(h.top, scope.From(ctx).Attrs())) }
	under()
	once := n
	under()
	assert.Equal(t, once, n)
	require.NoError(t, h.Close())
}

// moody is an error whose text changes.
type moody struct{ text *string }

func (m moody) Error() string { return *m.text }

// What ReplaceAttr makes of what With got is made when With is called, and it
// sees the groups.
func TestWithUnderReplaceAttr(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, func(o *Options) {
		o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 {
				return a
			}
			return slog.String(a.Key, strings.Join(groups, "/")+"|"+a.Value.String())
		}
	})
	text := "refused"
	log = log.WithGroup("g").With("v", valuer(func() slog.Value { return slog.StringValue("x") }), "n", 1, "err", moody{&text})
	text = "changed"
	log.Error("m")
	require.NoError(t, h.Close())
	g := d.all()[0].Groups[0]
	assert.Equal(t, "refused", g.Error)
	assert.Equal(t, []Field{{"g.v", "g|x"}, {"g.n", "g|1"}, {"g.err", "g|refused"}}, g.Fields)
}

// A map that its owner changes after With ended the process, where base alone
// was safe.
func TestWithKeepsWhatItGot(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, nil)
	m, attrs := map[string]int{"n": 1}, []slog.Attr{slog.String("a", "as it was")}
	text := &badError{}
	derived := slog.New(log.Handler().WithAttrs(attrs)).With("m", m, "err", errors.New("of the logger"), "bad", text)
	under := derived.WithGroup("g").With("m", m)
	attrs[0] = slog.String("a", "changed")
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 1000 {
			m[fmt.Sprint(i)] = i
		}
	})
	ctx := With(t.Context(), "user", "bo")
	for i := range 10 {
		derived.Error("m" + letters(i))
		under.InfoContext(ctx, "m")
		under.ErrorContext(ctx, "m"+letters(i))
	}
	wg.Wait()
	require.NoError(t, h.Close())
	g := d.all()[0].Groups[0]
	assert.Equal(t, "of the logger", g.Error)
	assert.Equal(t, []Field{{"a", "as it was"}, {"m", `{"n":1}`}, {"err", "of the logger"}, {"bad", "!PANIC: no text"}}, g.Fields)
}

func TestContextAttrs(t *testing.T) {
	type traceKey struct{}
	d := newDesk()
	var buf bytes.Buffer
	h, err := New(slog.NewJSONHandler(&buf, nil), &Options{Sender: d, ContextAttrs: func(ctx context.Context) []slog.Attr {
		switch id, _ := ctx.Value(traceKey{}).(string); id {
		case "":
			return nil
		case "panics":
			panic("context")
		default:
			return []slog.Attr{slog.String("trace_id", id), slog.String("user", "of the context")}
		}
	}})
	require.NoError(t, err)
	log := slog.New(h)
	ctx := context.WithValue(t.Context(), traceKey{}, "t1")
	log.InfoContext(ctx, "one")
	log.With("a", 1).WithGroup("g").ErrorContext(With(ctx, "user", "bo"), "two", "k", "v")
	_ = Do(ctx, log, "three", func(context.Context) error { return io.EOF })
	func() {
		defer func() { Panicked(ctx, log, recover()) }()
		panic("four")
	}()
	log.ErrorContext(context.WithValue(ctx, traceKey{}, "panics"), "five")
	log.ErrorContext(t.Context(), "six")
	require.NoError(t, h.Close())

	lines := strings.Split(strings.TrimSpace(buf.String()), "\n")
	for i, want := range map[int]string{
		0: `"trace_id":"t1","user":"of the context"`,
		1: `"a":1,"trace_id":"t1","user":"bo","g":{"k":"v"}`,
		2: `"trace_id":"t1","user":"of the context","job":"three"`,
		3: `"trace_id":"t1","user":"of the context"`,
	} {
		assert.Contains(t, lines[i], want)
	}
	assert.Equal(t, 1, strings.Count(buf.String(), "panicked; its default is used"))
	got := map[string]string{}
	for _, g := range d.all()[0].Groups {
		got[g.Message] = fmt.Sprint(g.Fields)
	}
	assert.Equal(t, "[{trace_id t1} {user bo} {g.k v} {a 1}]", got["two"])
	assert.Contains(t, got["job three failed"], "{trace_id t1}")
	assert.Contains(t, got["panic: four"], "{trace_id t1}")
	assert.Equal(t, "[]", got["five"])
	assert.Equal(t, "[]", got["six"])
}

// Whichever of two handlers has ContextAttrs, and if both have: once each.
func TestContextAttrsOfAHandlerInAHandler(t *testing.T) {
	of := func(o *Options, on bool) *Options {
		if on {
			o.ContextAttrs = func(context.Context) []slog.Attr { return []slog.Attr{slog.String("trace_id", "t1")} }
		}
		return o
	}
	for _, c := range []struct{ inner, outer bool }{{true, true}, {true, false}, {false, true}} {
		var buf bytes.Buffer
		inner, err := New(slog.NewJSONHandler(&buf, nil), of(&Options{Sender: newDesk(), Breadcrumbs: 2}, c.inner))
		require.NoError(t, err)
		outer, err := New(inner, of(&Options{Sender: newDesk()}, c.outer))
		require.NoError(t, err)
		ctx := With(t.Context(), "user", "bo")
		slog.New(outer).WithGroup("g").InfoContext(ctx, "m", "k", "v")
		assert.Contains(t, buf.String(), `"trace_id":"t1","user":"bo","g":{"k":"v"}`)
		assert.Equal(t, 1, strings.Count(buf.String(), "trace_id"))
		assert.Len(t, scope.From(ctx).Crumbs(2), 1)
		require.NoError(t, outer.Close())
		require.NoError(t, inner.Close())
	}
}

func TestContextAttrsThatLogs(t *testing.T) {
	var log *slog.Logger
	h, log, base := newTest(t, newDesk(), func(o *Options) {
		o.ContextAttrs = func(context.Context) []slog.Attr { log.Error("of the function"); return nil }
	})
	log.Info("m")
	log.Error("m")
	require.NoError(t, h.Close())
	assert.EqualValues(t, 1, h.Stats().Alerts)
	assert.Len(t, base.records, 4)
}

// oops is an error that logs itself as a group, as those of several libraries do.
type oops struct{ text string }

func (o oops) Error() string        { return o.text }
func (o oops) LogValue() slog.Value { return slog.GroupValue(slog.String("message", o.text)) }

func TestErrorsOfAnyKindTellGroupsApart(t *testing.T) {
	for name, value := range map[string]func(string) any{
		"values":     func(s string) any { return errors.New(s) },
		"LogValuers": func(s string) any { return oops{s} },
		"texts":      func(s string) any { return s },
	} {
		for _, key := range []string{"error", "err", "exception"} {
			d := newDesk()
			h, log, _ := newTest(t, d, nil)
			for _, s := range []string{"connection refused", "syntax error", "deadlock detected", "syntax error"} {
				log.Error("query failed", key, value(s))
				log.With(key, value(s)).Error("query failed, says the logger")
				log.ErrorContext(With(t.Context(), key, value(s)), "query failed, says the scope")
			}
			require.NoError(t, h.Close())
			got := map[string]int{}
			for _, g := range d.all()[0].Groups {
				got[g.Error] += g.Count
			}
			assert.Equal(t, map[string]int{"connection refused": 3, "syntax error": 6, "deadlock detected": 3}, got, "%s under %s", name, key)
			assert.Len(t, d.all()[0].Groups, 9)
		}
	}
}

func TestAnErrorThatLogsItselfIsShown(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, nil)
	log.Error("m", "err", oops{"connection refused"})
	require.NoError(t, h.Close())
	assert.Equal(t, []Field{{"err.message", "connection refused"}}, d.all()[0].Groups[0].Fields)
}

// What a fingerprint returns stands by itself: three codes that it returned were
// told as one, in one channel.
func TestFingerprintsThatMet(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, func(o *Options) {
		o.Codes = map[string]Code{"a": {Channel: "#a"}, "b": {Channel: "#b"}}
		o.Fingerprint = func(_ context.Context, r slog.Record) (s string) {
			r.Attrs(func(a slog.Attr) bool {
				if a.Key == "print" {
					s = a.Value.String()
				}
				return true
			})
			return s
		}
	})
	long := strings.Repeat("é", 200)
	for _, c := range [][2]string{{"a", "a"}, {"b", "b"}, {"c", "c"}, {"a", "b"}, {"b", "a"}, {"c", long + "1"}, {"c", long + "2"}} {
		log.Error("m", "error_code", c[0], "print", c[1])
	}
	log.Log(t.Context(), slog.LevelError+65_536, "level")
	log.Log(t.Context(), slog.LevelError+2*65_536, "level")
	require.NoError(t, h.Close())
	seen := map[string]bool{}
	for _, a := range d.all() {
		for _, g := range a.Groups {
			assert.Equal(t, 1, g.Count)
			assert.LessOrEqual(t, len(g.Fingerprint), fingerprint.MaxText)
			seen[a.Channel+" "+g.Fingerprint] = true
		}
	}
	assert.Len(t, seen, 9)
}

// The user whom an alert hit, of the record, the logger, the scope, or whoever
// is asked late.
func TestAlertsKnowTheirUser(t *testing.T) {
	h, _, _ := newTest(t, newDesk(), nil)
	scoped := scope.From(With(t.Context(), "user", "scoped"))
	for name, c := range map[string]struct {
		h    slog.Handler
		s    *scope.Scope
		args []any
		want string
	}{
		"nobody":        {h, nil, []any{"k", "v"}, ""},
		"record's":      {h.WithAttrs([]slog.Attr{slog.String("user", "logger")}), scoped, []any{"user", "record"}, "record"},
		"logger's":      {h.WithAttrs([]slog.Attr{slog.String("user", "logger")}), scoped, nil, "logger"},
		"scope's":       {h, scoped, nil, "scoped"},
		"asked":         {h, scope.OpenLate(t.Context(), late{}), nil, "late"},
		"scope's first": {h, scope.OpenLate(scoped, late{}), nil, "scoped"},
	} {
		var e event
		r := slog.NewRecord(time.Time{}, slog.LevelError, "m", 0)
		r.Add(c.args...)
		h := c.h.(*Handler)
		require.True(t, h.core.finder.Glance(&r, &e.Facts))
		h.complete(&e.Facts, c.s)
		assert.Equal(t, facts.UserName(c.want), e.User, name)
	}
}

type late struct{}

func (late) Late(func(string) bool) []slog.Attr { return nil }
func (late) User() string                       { return "late" }

func TestARepeatAllocatesNothing(t *testing.T) {
	h, log, _ := newTest(t, newDesk(), nil)
	log = slog.New(h)
	h.base = nothing{}
	ctx, err := With(t.Context(), "user", "bo"), errors.New("charge 5ac3f1: refused")
	texts := []string{"order 1 failed", "order 22 failed", "order 333 failed"}
	n := 0
	for name, f := range map[string]func(){
		"texts with ids": func() {
			n++
			log.LogAttrs(context.Background(), slog.LevelError, texts[n%3], slog.String("tenant", "t"), slog.Any("err", err))
		},
		"a user":       func() { log.LogAttrs(context.Background(), slog.LevelError, "m", slog.String("user", "bo")) },
		"a user scope": func() { h.alertOnly(ctx, "m") },
	} {
		f()
		assert.Zero(t, testing.AllocsPerRun(100, f), name)
	}
}

// alertOnly logs what base doesn't want: to add a scope's attributes to what it
// gets costs an allocation.
func (h *Handler) alertOnly(ctx context.Context, msg string) {
	quiet := *h
	quiet.base = slog.DiscardHandler
	_ = quiet.Handle(ctx, slog.NewRecord(time.Time{}, slog.LevelError, msg, 0))
}
