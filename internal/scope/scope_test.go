package scope

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func text(attrs []slog.Attr) string { return slog.GroupValue(attrs...).String() }

func TestNoScope(t *testing.T) {
	assert.Nil(t, From(context.Background()))
	var none context.Context // a handler may be called so
	assert.Nil(t, From(none))
	ctx, _ := Open(context.Background())
	assert.Nil(t, From(Hidden(ctx)))
}

func TestScopeIsAContext(t *testing.T) {
	type other struct{}
	parent, cancel := context.WithCancelCause(context.WithValue(context.Background(), other{}, 1))
	ctx, s := Open(parent, slog.String("password", "x"))
	child, stop := context.WithCancel(ctx)
	defer stop()
	assert.Same(t, s, From(child))
	assert.Equal(t, 1, child.Value(other{}))
	cancel(fmt.Errorf("gone"))
	<-child.Done()
	assert.EqualError(t, context.Cause(child), "gone")
	assert.NotContains(t, fmt.Sprint(child, ctx), "password")
}

func TestNilContext(t *testing.T) {
	var none context.Context
	ctx, s := Open(none, slog.Int("a", 1))
	assert.Same(t, s, From(ctx))
	assert.NoError(t, ctx.Err())
}

func TestOpen(t *testing.T) {
	many := make([]slog.Attr, 65)
	for i := range many {
		many[i] = slog.Int(fmt.Sprint("k", i), i)
	}
	for _, c := range []struct {
		name  string
		attrs []slog.Attr
		want  string
	}{
		{"none", nil, "[]"},
		{"some", []slog.Attr{slog.Int("a", 1), slog.Int("b", 2)}, "[a=1 b=2]"},
		{"a key twice", []slog.Attr{slog.Int("a", 1), slog.Int("b", 2), slog.Int("a", 3)}, "[a=3 b=2]"},
		{"an empty one", []slog.Attr{{}, slog.Int("a", 1)}, "[a=1]"},
		{"inline groups", []slog.Attr{slog.Group("", "a", 1), slog.Group("", "b", 2)}, "[=[a=1] =[b=2]]"},
		{"all it holds", many[:64], text(many[:64])},
		{"one more", many, text(append(many[:64:64], slog.Int(LeftOut, 1)))},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, s := Open(context.Background(), c.attrs...)
			assert.Equal(t, c.want, text(s.Attrs()))
		})
	}
}

func TestAdd(t *testing.T) {
	_, s := Open(context.Background(), slog.Int("a", 1))
	before := s.Attrs()
	s.Add(slog.Int("a", 3), slog.Attr{}, slog.Int("b", 2))
	s.Add()
	assert.Equal(t, "[a=3 b=2]", text(s.Attrs()))
	assert.Equal(t, "[a=1]", text(before), "what a record took is not changed")
	assert.True(t, s.Has("b"))
	assert.False(t, s.Has("c"))
}

func TestInnerHidesOuter(t *testing.T) {
	ctx, outer := Open(context.Background(), slog.Int("a", 1), slog.Int("b", 1))
	ctx, middle := Open(ctx)
	_, inner := Open(ctx, slog.Int("b", 2))
	assert.Equal(t, "[a=1 b=2]", text(inner.Attrs()))
	outer.Add(slog.Int("c", 3))
	assert.Equal(t, "[a=1 c=3 b=2]", text(inner.Attrs()), "added outside, seen inside")
	middle.Add(slog.Int("a", 4))
	assert.Equal(t, "[b=1 c=3 a=4]", text(middle.Attrs()))
	assert.Equal(t, "[c=3 a=4 b=2]", text(inner.Attrs()))
	assert.Equal(t, "[a=1 b=1 c=3]", text(outer.Attrs()), "added inside, not seen outside")
}

func TestTenThousandAdds(t *testing.T) {
	_, s := Open(context.Background())
	for i := range 10_000 {
		s.Add(slog.Int(fmt.Sprint("k", i), i))
	}
	s.Add(slog.Int("k0", -1))
	attrs := s.Attrs()
	require.Len(t, attrs, MaxAttrs+1)
	assert.Equal(t, slog.Int("k0", -1), attrs[0], "what it holds can still change")
	assert.Equal(t, slog.Int(LeftOut, 10_000-MaxAttrs), attrs[MaxAttrs])
}

func TestAddFromManyGoroutines(t *testing.T) {
	ctx, s := Open(context.Background(), slog.Int("first", 1))
	_, inner := Open(ctx)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 7 {
				s.Add(slog.Int(fmt.Sprint("g", g, "i", i), i))
				assert.GreaterOrEqual(t, len(inner.Attrs()), i+2)
				s.MarkAlert()
			}
		})
	}
	wg.Wait()
	assert.Len(t, s.Attrs(), 1+8*7)
	assert.Len(t, inner.Attrs(), 1+8*7)
}

// What outlives a request goes on with its scope.
func TestOutlivesTheRequest(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ctx, s := Open(ctx, slog.Int("a", 1))
	cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		From(ctx).Add(slog.Int("b", 2))
	}()
	<-done
	assert.Equal(t, "[a=1 b=2]", text(s.Attrs()))
}

// later has attributes that are asked for late.
type later []slog.Attr

func (l later) Late(has func(string) bool) (attrs []slog.Attr) {
	for _, a := range l {
		if !has(a.Key) {
			attrs = append(attrs, a)
		}
	}
	return attrs
}

func TestLate(t *testing.T) {
	outer := OpenLate(context.Background(), later{slog.Int("a", 1), slog.Int("b", 1), slog.Int("c", 1)}, slog.Int("x", 0))
	middle, _ := Open(outer, slog.Int("a", 2))
	inner := OpenLate(middle, later{slog.Int("b", 3)})
	assert.Equal(t, "[x=0 a=2 b=3 c=1]", text(inner.AlertAttrs()), "the innermost of a key, once")
	assert.Equal(t, "[x=0 a=2]", text(inner.Attrs()))
	assert.Equal(t, "[x=0 a=1 b=1 c=1]", text(outer.AlertAttrs()))
	n := 0
	inner.Outer(func(Later) bool { n++; return true })
	assert.Equal(t, 1, n)
}

func TestMarkAlert(t *testing.T) {
	ctx, outer := Open(context.Background())
	sibling, _ := Open(ctx)
	_, inner := Open(ctx)
	inner.MarkAlert()
	assert.True(t, inner.Alerted())
	assert.True(t, outer.Alerted())
	assert.False(t, From(sibling).Alerted())
}

func TestAttrsAllocateNothing(t *testing.T) {
	ctx, s := Open(context.Background(), slog.Int("a", 1))
	_, inner := Open(ctx, slog.Int("b", 2))
	_ = inner.Attrs()
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = s.Attrs(), inner.Attrs() }))
	var base context.Context = s
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { Open(base) }), 1.0)
}

func BenchmarkScope(b *testing.B) {
	attrs := []slog.Attr{slog.Int("a", 1), slog.Int("b", 2), slog.Int("c", 3), slog.Int("d", 4), slog.Int("e", 5)}
	ctx, s := Open(context.Background(), attrs...)
	nested, _ := Open(context.WithValue(ctx, new(int), 1), attrs...)
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			Open(ctx, attrs...)
		}
	})
	b.Run("add", func(b *testing.B) {
		for b.Loop() {
			s.Add(attrs[2])
		}
	})
	b.Run("attrs", func(b *testing.B) {
		for b.Loop() {
			_ = From(ctx).Attrs()
		}
	})
	b.Run("attrs nested", func(b *testing.B) {
		for b.Loop() {
			_ = From(nested).Attrs()
		}
	})
}

func TestAround(t *testing.T) {
	ctx, s := Open(context.Background(), slog.Int("a", 1), slog.Group("", "b", 2))
	around := Around(ctx, []slog.Attr{slog.Int("trace", 7), slog.Int("a", 9)})
	assert.Equal(t, "[trace=7 a=1 =[b=2]]", text(around.Attrs()), "the scope's own hides it")
	assert.Same(t, around, From(around))
	around.Leave(3, nil, slog.Record{Message: "crumb"})
	around.MarkAlert()
	assert.True(t, s.Alerted())
	assert.Len(t, s.Crumbs(3), 1)
	assert.Len(t, around.Crumbs(3), 1)
	assert.Equal(t, "[a=1 =[b=2]]", text(s.Attrs()))

	alone := Around(context.Background(), []slog.Attr{slog.Int("trace", 7), slog.Int("trace", 8)})
	alone.Leave(3, nil, slog.Record{Message: "crumb"})
	assert.Empty(t, alone.Crumbs(3), "nobody keeps it")
	assert.Equal(t, "[trace=8]", text(alone.Attrs()))
}

type named string

func (n named) Late(func(string) bool) []slog.Attr { return nil }
func (n named) User() string                       { return string(n) }

type nameless struct{}

func (nameless) Late(func(string) bool) []slog.Attr { return nil }

func TestLateUser(t *testing.T) {
	outer := OpenLate(context.Background(), named("bo"))
	assert.Equal(t, "bo", outer.LateUser())
	assert.Equal(t, "bo", OpenLate(outer, nameless{}).LateUser())
	assert.Equal(t, "eve", OpenLate(outer, named("eve")).LateUser())
	assert.Equal(t, "bo", OpenLate(outer, named("")).LateUser())
	_, plain := Open(context.Background())
	assert.Empty(t, plain.LateUser())
}
