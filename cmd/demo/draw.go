// This file writes a message for a terminal.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/slackalert/fakeslack"
)

// pen writes. Without styles it writes plain text.
type pen struct {
	to     io.Writer
	styled bool
}

// newPen uses styles where a person looks, and hasn't asked for none.
func newPen(to io.Writer, env func(string) string) pen {
	f, ok := to.(*os.File)
	if !ok || env("NO_COLOR") != "" || env("TERM") == "dumb" {
		return pen{to: to}
	}
	info, err := f.Stat()
	return pen{to, err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p pen) bold(s string) string { return p.style("1", s) }
func (p pen) dim(s string) string  { return p.style("2", s) }

func (p pen) style(code, s string) string {
	if !p.styled {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// message writes one message as it stands now.
func (p pen) message(n int, m fakeslack.Message) {
	where := fmt.Sprintf("[%d] %s %s", n, m.Channel, postedAt(m.TS))
	if m.Edits > 0 {
		where += " (edited)"
	}
	head, rest, _ := strings.Cut(m.String(), "\n")
	fmt.Fprintf(p.to, "%s\n  %s\n", p.dim(where), p.bold(head))
	for line := range strings.Lines(rest) {
		fmt.Fprint(p.to, "  ", line)
	}
	fmt.Fprint(p.to, "\n\n")
}

func postedAt(ts string) string {
	seconds, _, _ := strings.Cut(ts, ".")
	n, _ := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(n, 0).Format("15:04:05")
}

// builderURL opens a message in Slack's Block Kit Builder.
func builderURL(m fakeslack.Message) string {
	raw, err := json.Marshal(map[string]any{"blocks": m.Blocks})
	if err != nil {
		return ""
	}
	return "https://app.slack.com/block-kit-builder/#" + url.PathEscape(string(raw))
}
