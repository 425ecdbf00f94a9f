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
		s.Leave(3, nil, at(i, string(rune('a'+i))))
		assert.Equal(t, want, messages(s.Crumbs(3)))
	}
	assert.Equal(t, "de", messages(s.Crumbs(2)))
	for i := range 3 { // a handler that remembers more shares the scope
		s.Leave(5, nil, at(10+i, string(rune('f'+i))))
	}
	assert.Equal(t, "defgh", messages(s.Crumbs(5)))
}

func TestCrumbsOfOuterScopes(t *testing.T) {
	ctx, outer := Open(context.Background())
	_, inner := Open(ctx)
	outer.Leave(9, nil, at(1, "a"))
	inner.Leave(9, nil, at(2, "b"))
	outer.Leave(9, nil, at(3, "c"))
	inner.Leave(9, nil, at(4, "d"))
	assert.Equal(t, "abcd", messages(inner.Crumbs(9)), "in the order of their times")
	assert.Equal(t, "bcd", messages(inner.Crumbs(3)))
	assert.Equal(t, "ac", messages(outer.Crumbs(9)))
}

func TestCrumbKeepsPlainKinds(t *testing.T) {
	_, s := Open(context.Background())
	s.Leave(1, nil, at(0, "m", slog.Int("a", 1), slog.Any("err", errors.New("x")), slog.Group("g", "b", 2),
		slog.String("s", "t"), slog.Duration("d", time.Second), slog.Bool("ok", true)))
	assert.Equal(t, "-1.5s INFO m a=1 s=t d=1s ok=true", s.Crumbs(1)[0].Text(noon.Add(1500*time.Millisecond), true))
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
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, c.crumb.Text(c.at, true)) })
	}
}

func TestCrumbIsBounded(t *testing.T) {
	_, s := Open(context.Background())
	long := strings.Repeat("주", 1000)
	r := at(0, long)
	for i := range 20 {
		r.AddAttrs(slog.String(fmt.Sprint("k", i), long))
	}
	s.Leave(1, nil, r)
	c := s.Crumbs(1)[0]
	assert.Len(t, c.Attrs, 8)
	assert.Len(t, c.Message, 512+margin)
	assert.Len(t, c.Attrs[0].Value.String(), 128+margin)
	assert.LessOrEqual(t, len(c.Text(noon, true)), 512+len("…"))
	assert.NotContains(t, c.Text(noon, true), "\uFFFD", "cut between runes")
}

func TestCrumbHidesSecrets(t *testing.T) {
	const password = "c0rrecthorsebatterystaple"
	for _, c := range []struct {
		name   string
		groups []string
		msg    string
		attr   slog.Attr
		want   string
	}{
		{"by its key", nil, "m", slog.String("password", "correct horse battery staple"), "INFO m password=[redacted]"},
		{"a number", nil, "m", slog.Int("api_key", 1234), "INFO m api_key=[redacted]"},
		{"by a group", []string{"a", "credentials"}, "m", slog.String("user", "bob"), "INFO m user=[redacted]"},
		{"by its looks", nil, "m", slog.String("url", "postgres://app:hunter2@db/x"), "INFO m url=postgres://app:[redacted]@db/x"},
		{"in the message", nil, "login password=hunter2", slog.Int("n", 1), "INFO login password=[redacted] n=1"},
		{"where the value is cut", nil, "m", slog.String("u", strings.Repeat("x", 100)+" postgres://app:"+password+"@db/x"), "INFO m u=" + strings.Repeat("x", 100) + " postgres://app:[redacted]@d…"},
		{"where redacting makes room", nil, "m", slog.String("u", "token="+strings.Repeat("x1", 110)+" postgres://app:"+password+"@db/x"), "INFO m u=…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, s := Open(context.Background())
			s.Leave(1, c.groups, at(0, c.msg, c.attr))
			assert.Equal(t, c.want, s.Crumbs(1)[0].Text(time.Time{}, true))
			assert.NotContains(t, s.Crumbs(1)[0].Text(time.Time{}, false), "[redacted]")
		})
	}
	for n := range 200 {
		_, s := Open(context.Background())
		s.Leave(1, nil, at(0, strings.Repeat("x", 400+n)+" postgres://app:"+password+"@db/x"))
		text := s.Crumbs(1)[0].Text(time.Time{}, true)
		for end := 4; end < len(password); end++ {
			assert.NotContains(t, text, password[:end])
		}
	}
}

func TestCrumbsFromManyGoroutines(t *testing.T) {
	ctx, s := Open(context.Background())
	_, inner := Open(ctx)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				s.Leave(5, nil, at(i, "m"))
				inner.Leave(5, nil, at(i, "m"))
				assert.LessOrEqual(t, len(inner.Crumbs(5)), 5)
			}
		})
	}
	wg.Wait()
	assert.Len(t, inner.Crumbs(20), 10)
}
