package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
)

// reads is a message that says all of texts.
func reads(texts ...string) fakeslack.Message {
	m := fakeslack.Message{Channel: "#c", TS: "1795348984.000001"}
	for _, s := range texts {
		m.Blocks.BlockSet = append(m.Blocks.BlockSet, slack.NewHeaderBlock(slack.NewTextBlockObject("plain_text", s, false, false)))
	}
	return m
}

func TestReport(t *testing.T) {
	all := []fakeslack.Message{reads(visits[1].sees...), reads(append(visits[2].sees, visits[3].sees...)...), reads("payment_failed ×5,000")}
	good := report{lines: 5006, alerts: 5003, inside: true, messages: all, stats: slackalert.Stats{Alerts: 5003, Delivered: 5003}}
	require.Empty(t, good.wrong())
	for name, tt := range map[string]struct {
		change func(*report)
		says   string
	}{
		"one is lost":            {func(r *report) { r.stats.Delivered, r.stats.Lost = 5002, 1 }, "5,003 alerts were logged, 5,002 were told"},
		"one is not an alert":    {func(r *report) { r.stats.Alerts, r.stats.Delivered = 5002, 5002 }, "5,003 alerts were logged, 5,002 were told"},
		"one is not logged":      {func(r *report) { r.alerts, r.stats.Alerts, r.stats.Delivered = 5002, 5002, 5002 }, "want 5,003"},
		"a kind is missing":      {func(r *report) { r.messages = all[1:] }, "a tampered token: no message shows"},
		"the storm is missing":   {func(r *report) { r.messages = all[:2] }, "told in 0 messages; want 1"},
		"the storm is two":       {func(r *report) { r.messages = append(all[:3:3], all[2]) }, "told in 2 messages; want 1"},
		"the storm is miscount.": {func(r *report) { r.messages = append(all[:2:2], reads("payment_failed ×4,999")) }, "doesn't show ×5,000"},
	} {
		t.Run(name, func(t *testing.T) {
			r := good
			tt.change(&r)
			errs := r.wrong()
			require.NotEmpty(t, errs)
			assert.ErrorContains(t, errs[0], tt.says)
		})
	}
}

func TestMessage(t *testing.T) {
	m := reads("head", "more")
	m.TS, m.Edits = "x", 1
	for _, tt := range []struct {
		name, want string
		styled     bool
	}{
		{"plain", "[1] #c " + postedAt("x") + " (edited)\n  head\n  more\n\n", false},
		{"in a terminal", "\x1b[2m[1] #c " + postedAt("x") + " (edited)\x1b[0m\n  \x1b[1mhead\x1b[0m\n  more\n\n", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			pen{&b, tt.styled}.message(1, m)
			assert.Equal(t, tt.want, b.String())
		})
	}
}

// A terminal gets styles, unless it was asked for none.
func TestStyles(t *testing.T) {
	terminal, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device too
	require.NoError(t, err)
	defer func() { _ = terminal.Close() }()
	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	with := func(key, value string) func(string) string {
		return func(asked string) string { return map[string]string{key: value}[asked] }
	}
	assert.Equal(t, "\x1b[1mx\x1b[0m", newPen(terminal, with("", "")).bold("x"))
	assert.Equal(t, "x", newPen(terminal, with("NO_COLOR", "1")).bold("x"))
	assert.Equal(t, "x", newPen(terminal, with("TERM", "dumb")).bold("x"))
	assert.Equal(t, "x", newPen(file, with("", "")).bold("x"))
	assert.Equal(t, "x", newPen(&bytes.Buffer{}, with("", "")).bold("x"))
}

func TestLines(t *testing.T) {
	var b bytes.Buffer
	l := &lines{to: &b}
	l.fold("storm")
	for range 7 {
		_, _ = l.Write([]byte(`{"level":"ERROR","msg":"storm"}` + "\n"))
	}
	_, _ = l.Write([]byte(`{"level":"WARN","msg":"slackalert: alerts can't be delivered"}` + "\n"))
	l.unfold()
	_, _ = l.Write([]byte(`{"level":"ERROR","msg":"storm"}` + "\n"))
	assert.Equal(t, 5, bytes.Count(b.Bytes(), []byte(`{"level"`)), "3 of the storm, the warning, and one after")
	assert.Contains(t, b.String(), "… 4 more lines like these\n")
	all, alerts := l.counted()
	assert.Equal(t, 9, all)
	assert.Equal(t, 8, alerts)
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		name, line, want string
		width            int
	}{
		{"fits", "tee 茶\n", "tee 茶\n", 5},
		{"by signs, not bytes", "tee 茶茶\n", "tee …\n", 5},
		{"all of it", "tee 茶茶\n", "tee 茶茶\n", 0},
		{"no sign too few", "tee\n", "…\n", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			l := &lines{to: &b, width: tt.width}
			n, err := l.Write([]byte(tt.line))
			require.NoError(t, err)
			assert.Equal(t, len(tt.line), n)
			assert.Equal(t, tt.want, b.String())
		})
	}
}

// Where the page is stays in sight, whatever is logged.
func TestKeep(t *testing.T) {
	var b bytes.Buffer
	l := &lines{to: &b}
	l.keep("# see it there")
	for range 2*often + often/2 {
		_, _ = l.Write([]byte("{}\n"))
	}
	assert.Equal(t, 3, strings.Count(b.String(), "# see it there\n"), "at once, and every %d lines", often)
}
