package check

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestToken(t *testing.T) {
	for _, c := range []struct {
		token string
		slack bool
		want  string // "" = a bot token
	}{
		{"xoxb-1-abc", true, ""},
		{"xoxe.xoxb-1-abc", true, ""},
		{"abc", false, ""},
		{"abc", true, "doesn't begin with"},
		{`"xoxb-1-abc"`, true, "quotes"},
		{"'xoxb-1-abc'", false, "quotes"},
		{"“xoxb-1-abc”", true, "quotes"},
		{"xoxb-1-abc\n", true, "characters"},
		{"xapp-1-abc", true, "an app-level token"},
		{"xapp-1-abc", false, "an app-level token"},
		{"xoxp-1-abc", true, "a user's token"},
		{"xoxe.xoxp-1-abc", true, "a user's token"},
		{"https://hooks.slack.com/services/abc", true, "a URL"},
	} {
		err := Token(c.token, c.slack)
		if c.want == "" {
			assert.NoError(t, err, c.token)
			continue
		}
		require.ErrorContains(t, err, c.want, c.token)
		assert.ErrorContains(t, err, "want a bot token", c.token)
		assert.NotContains(t, err.Error(), "abc")
	}
}

func TestChannel(t *testing.T) {
	for _, good := range []string{"", "C0123456789", "#alerts", "alerts", "Ünïcode-日本"} {
		assert.NoError(t, Channel("Channel", good), good)
	}
	for bad, want := range map[string]string{
		"#my alerts": "with blanks", "C0123456789\n": "with blanks", "https://app.slack.com/client/T1/C0123456789": "a URL",
		"shop.slack.com/archives/C1": "a URL", `"C1"`: "want a channel's ID", "<#C1>": "want a channel's ID", "#": "want a channel's ID",
	} {
		assert.ErrorContains(t, Channel("Channel", bad), want, bad)
	}
}

func TestTemplate(t *testing.T) {
	assert.NoError(t, Template("SourceURL", ""))
	assert.NoError(t, Template("SourceURL", "https://git.example/{file}"))
	assert.ErrorContains(t, Template("SourceURL", "https://git.example/file"), "no placeholder")
	assert.ErrorContains(t, Template("SourceURL", "git.example/{file}"), "want https://")
}

func TestDuration(t *testing.T) {
	assert.NoError(t, Duration("BatchDelay", 0))
	assert.NoError(t, Duration("BatchDelay", time.Millisecond))
	assert.ErrorContains(t, Duration("BatchDelay", 5), "BatchDelay is 5ns")
	assert.ErrorContains(t, Duration("BatchDelay", 5), "were seconds meant, it is 5 * time.Second")
	assert.ErrorContains(t, Duration("BatchDelay", -time.Second), "BatchDelay is -1s")
}

// wrapper holds a handler as many do: embedded; pair in fields of other kinds.
type wrapper struct{ slog.Handler }

type pair struct {
	wrapper
	more []slog.Handler
	log  *slog.Logger
	self *pair
}

type ptr struct{ n int }

func (p *ptr) Enabled(context.Context, slog.Level) bool  { return p.n > 0 }
func (p *ptr) Handle(context.Context, slog.Record) error { return nil }
func (p *ptr) WithAttrs([]slog.Attr) slog.Handler        { return p }
func (p *ptr) WithGroup(string) slog.Handler             { return p }

func TestBase(t *testing.T) {
	good, bad := slog.Handler(slog.NewTextHandler(io.Discard, nil)), slog.Default().Handler()
	loop := &pair{wrapper: wrapper{good}}
	loop.self = loop
	loop.more = append(slices.Repeat([]slog.Handler{loop}, 1000), good, wrapper{})
	for name, c := range map[string]struct {
		base slog.Handler
		want string
	}{
		"good":                 {good, ""},
		"zero struct":          {wrapper{}, ""},
		"wrapped":              {wrapper{good}, ""},
		"in itself":            {loop, ""},
		"many":                 {slog.NewMultiHandler(good, &ptr{}), ""},
		"nil":                  {nil, "base is nil"},
		"typed nil":            {(*ptr)(nil), "base is a nil *check.ptr"},
		"slog's":               {bad, "base is slog's default handler"},
		"in a multi handler":   {slog.NewMultiHandler(good, bad), "holds slog's default handler"},
		"embedded":             {wrapper{bad}, "base, a check.wrapper, holds"},
		"in a slice":           {&pair{wrapper: wrapper{good}, more: []slog.Handler{good, wrapper{bad}}}, "holds"},
		"in a logger":          {&pair{wrapper: wrapper{good}, log: slog.New(bad)}, "holds"},
		"deep in multihandler": {slog.NewMultiHandler(wrapper{slog.NewMultiHandler(bad)}), "holds"},
	} {
		err := Base(c.base)
		if c.want == "" {
			assert.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, c.want, name)
		assert.True(t, strings.Contains(err.Error(), "; want "), name)
	}
}
