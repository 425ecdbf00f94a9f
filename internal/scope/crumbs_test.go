package scope

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is a record of that many milliseconds after noon.
func at(ms int, msg string, attrs ...slog.Attr) slog.Record {
	r := slog.NewRecord(noon.Add(time.Duration(ms)*time.Millisecond), slog.LevelInfo, msg, 0)
	r.AddAttrs(attrs...)
	return r
}

func messages(crumbs []Crumb) (all string) {
	for _, c := range crumbs {
		all += c.Message
	}
	return all
}

func TestCrumbsAreARing(t *testing.T) {
	_, s := Open(context.Background())
	assert.Empty(t, s.Crumbs(3))
	for i, want := range []string{"a", "ab", "abc", "bcd", "cde"} {
		s.Leave(3, at(i, string(rune('a'+i))))
		assert.Equal(t, want, messages(s.Crumbs(3)))
	}
	assert.Equal(t, "de", messages(s.Crumbs(2)))
	for i := range 3 { // a handler that remembers more shares the scope
		s.Leave(5, at(10+i, string(rune('f'+i))))
	}
	assert.Equal(t, "defgh", messages(s.Crumbs(5)))
}

func TestCrumbsOfOuterScopes(t *testing.T) {
	ctx, outer := Open(context.Background())
	_, inner := Open(ctx)
	outer.Leave(9, at(1, "a"))
	inner.Leave(9, at(2, "b"))
	outer.Leave(9, at(3, "c"))
	inner.Leave(9, at(4, "d"))
	assert.Equal(t, "abcd", messages(inner.Crumbs(9)), "in the order of their times")
	assert.Equal(t, "bcd", messages(inner.Crumbs(3)))
	assert.Equal(t, "ac", messages(outer.Crumbs(9)))
}

func TestCrumbKeepsPlainKinds(t *testing.T) {
	_, s := Open(context.Background())
	s.Leave(1, at(0, "m", slog.Int("a", 1), slog.Any("err", errors.New("x")), slog.Group("g", "b", 2),
		slog.String("s", "t"), slog.Duration("d", time.Second), slog.Bool("ok", true)))
	assert.Equal(t, "-1.5s INFO m a=1 s=t d=1s ok=true", s.Crumbs(1)[0].Text(noon.Add(1500*time.Millisecond)))
}

func TestCrumbText(t *testing.T) {
	for _, c := range []struct {
		name  string
		crumb Crumb
		at    time.Time
		want  string
	}{
		{"no time", Crumb{Message: "m"}, noon, "INFO m"},
		{"alert without a time", Crumb{At: noon, Message: "m"}, time.Time{}, "INFO m"},
		{"later than the alert", Crumb{At: noon, Message: "m"}, noon.Add(-time.Second), "-0s INFO m"},
		{"a level between", Crumb{At: noon, Level: slog.LevelWarn + 1, Message: "m"}, noon, "-0s WARN+1 m"},
		{"microseconds", Crumb{At: noon, Message: "m"}, noon.Add(1234567 * time.Nanosecond), "-1ms INFO m"},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, c.crumb.Text(c.at)) })
	}
}

func TestCrumbIsBounded(t *testing.T) {
	_, s := Open(context.Background())
	long := strings.Repeat("주", 1000)
	r := at(0, long)
	for i := range 20 {
		r.AddAttrs(slog.String(fmt.Sprint("k", i), long))
	}
	s.Leave(1, r)
	c := s.Crumbs(1)[0]
	assert.Len(t, c.Attrs, 8)
	assert.LessOrEqual(t, len(c.Message), 512+len("…"))
	assert.LessOrEqual(t, len(c.Attrs[0].Value.String()), 128+len("…"))
	assert.LessOrEqual(t, len(c.Text(noon)), 512+len("…"))
	assert.Equal(t, c.Message, strings.ToValidUTF8(c.Message, "?"), "cut between runes")
}

func TestCrumbsFromManyGoroutines(t *testing.T) {
	ctx, s := Open(context.Background())
	_, inner := Open(ctx)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				s.Leave(5, at(i, "m"))
				inner.Leave(5, at(i, "m"))
				assert.LessOrEqual(t, len(inner.Crumbs(5)), 5)
			}
		})
	}
	wg.Wait()
	assert.Len(t, inner.Crumbs(20), 10)
}
