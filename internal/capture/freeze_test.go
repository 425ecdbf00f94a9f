package capture

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shown is what an alert shows of attrs.
func shown(s Settings, groups []string, attrs ...slog.Attr) (all []string) {
	c := Alert{Settings: s}
	c.Emit = func(key, value string) { all = append(all, key+"="+value) }
	for _, a := range attrs {
		c.Add(groups, a)
	}
	c.Close()
	return all
}

type counted struct{ n *atomic.Int32 }

func (c counted) LogValue() slog.Value { return slog.Int64Value(int64(c.n.Add(1))) }

type changing struct{ text *string }

func (c changing) Error() string { return *c.text }

func TestFreezeKeepsWhatIs(t *testing.T) {
	m, list, n, text := map[string]int{"a": 1}, []int{1}, 1, "first"
	var calls atomic.Int32
	group := []slog.Attr{slog.Any("m", m), slog.Int("n", 1)}
	attrs := []slog.Attr{
		slog.Any("map", m), slog.Any("list", list), slog.Any("pointer", &n), slog.Any("valuer", counted{&calls}),
		slog.Any("err", changing{&text}), {Key: "g", Value: slog.GroupValue(group...)}, slog.Any("nil", nil),
		slog.String("s", "x"), slog.Duration("d", time.Second), slog.Any("code", Code("A-1")),
	}
	for _, s := range []Settings{{}, {Replace: func(_ []string, a slog.Attr) slog.Attr { return a }}} {
		calls.Store(0)
		want := shown(s, []string{"w"}, attrs...)
		calls.Store(0)
		kept := s.Freeze([]string{"w"}, attrs)
		m["b"], list[0], n, text, group[1], attrs[0] = 2, 2, 2, "second", slog.Int("n", 2), slog.Int("x", 1)
		assert.Equal(t, want, shown(s, []string{"w"}, kept...))
		assert.Equal(t, want, shown(s, []string{"w"}, kept...), "twice")
		assert.Equal(t, int32(1), calls.Load(), "LogValue is called when it is frozen")
		assert.Equal(t, want, shown(s, []string{"w"}, s.Freeze([]string{"w"}, kept)...), "frozen twice")
		delete(m, "b")
		list[0], n, text, group[1], attrs[0] = 1, 1, "first", slog.Int("n", 1), slog.Any("map", m)
	}
}

func TestFreezeReplaces(t *testing.T) {
	seen := map[string]int{}
	s := Settings{Replace: func(groups []string, a slog.Attr) slog.Attr {
		seen[strings.Join(append(groups, a.Key), ".")]++
		switch v := a.Value.Any().(type) {
		case map[string]int:
			return slog.Any(a.Key+"2", slog.GroupValue(slog.Int("len", len(v)), slog.Any("l", []int{1})))
		case []int:
			return slog.String(a.Key, "list")
		case error:
			return slog.Attr{}
		}
		return a
	}}
	attrs := []slog.Attr{slog.Any("m", map[string]int{"a": 1}), slog.Any("gone", io.EOF), slog.Any("l", []int{1}), slog.Int("n", 1)}
	want := shown(s, []string{"g"}, attrs...)
	assert.Equal(t, []string{"g.m2.len=1", "g.m2.l=list", "g.l=list", "g.n=1"}, want)
	clear(seen)
	kept := s.Freeze([]string{"g"}, attrs)
	assert.Equal(t, want, shown(s, []string{"g"}, kept...))
	assert.Equal(t, map[string]int{"g.m": 1, "g.gone": 1, "g.l": 1, "g.n": 1, "g.m2.len": 1, "g.m2.l": 1}, seen, "once each, with the groups")
}

func TestFreezeIsBounded(t *testing.T) {
	var many []slog.Attr
	for i := range 100 {
		many = append(many, slog.Any(fmt.Sprint("k", i), []int{i}))
	}
	all := shown(Settings{}, nil, Settings{}.Freeze(nil, many)...)
	require.Len(t, all, MaxFields+1)
	assert.Len(t, Settings{}.Freeze(nil, many), MaxFields+1)
	assert.Equal(t, "…=(+36 fields)", all[MaxFields])

	var nested slog.Attr
	for i := range 12 {
		nested = slog.Group(fmt.Sprint("g", i), slog.Int("n", i), nested)
	}
	assert.Equal(t, shown(Settings{}, nil, nested), shown(Settings{}, nil, Settings{}.Freeze(nil, []slog.Attr{nested})...))

	endless := []slog.Attr{slog.Any("n", nest{})}
	want := shown(Settings{}, nil, endless...)
	assert.Equal(t, []string{"…=(+1 fields)"}, want)
	assert.Equal(t, want, shown(Settings{}, nil, Settings{}.Freeze(nil, endless)...))
}

// nest has itself in a group.
type nest struct{}

func (n nest) LogValue() slog.Value { return slog.GroupValue(slog.Any("n", n)) }

func TestFreezeIsSmall(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	var many []slog.Attr
	for i := range 20 {
		many = append(many, slog.Any(fmt.Sprint("list", i), []string{long}), slog.Any(fmt.Sprint("err", i), errors.New(long)))
	}
	kept, size := Settings{}.Freeze(nil, many), 0
	for _, a := range kept {
		_, f := thaw(a)
		size += len(f.value.String())
	}
	assert.LessOrEqual(t, size, 2*MaxAlert+window)
	all := shown(Settings{}, nil, kept...)
	assert.Contains(t, all[0], "… (more)")
	assert.Contains(t, all[1], "… (more)")
	assert.Equal(t, "…=(+36 fields)", all[len(all)-1])
}

func TestFreezeLeavesPlainKinds(t *testing.T) {
	attrs := []slog.Attr{slog.Int("a", 1), slog.String("b", "x"), slog.Bool("c", true), slog.Time("d", time.Now())}
	kept := Settings{}.Freeze(nil, attrs)
	assert.Equal(t, attrs, kept)
	assert.Equal(t, 1.0, testing.AllocsPerRun(100, func() { Settings{}.Freeze(nil, attrs) }), "the slice")
	assert.Empty(t, Settings{}.Freeze(nil, nil))
}

func TestFreezeError(t *testing.T) {
	text := "first"
	err := trace(fmt.Errorf("load: %w", errors.Join(changing{&text}, io.EOF)))
	stack, chain := ErrorStack(err), Chain(hiding{err}, "payment failed")
	k := FreezeError(hiding{err})
	text = "second"
	assert.Equal(t, "payment failed", k.Error())
	assert.Equal(t, chain, Chain(k, ErrorText(k)))
	assert.Contains(t, chain, "first")
	assert.Equal(t, stack, ErrorStack(k))
	assert.NotEmpty(t, stack)
	assert.ErrorIs(t, k, io.EOF)
	assert.Equal(t, k, FreezeError(k))
	assert.NoError(t, FreezeError(nil))
	assert.Equal(t, "!PANIC: no text", FreezeError(&mute{}).Error())
	assert.Len(t, FreezeError(errors.New(strings.Repeat("x", 1<<20))).Error(), window)
}
