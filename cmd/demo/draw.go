// This file draws a message's blocks for a terminal.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/slack-go/slack"

	"example.com/slackalert/fakeslack"
)

// pen draws. Without styles it writes plain text.
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
	if !p.styled || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// object is a block, or a part of one, as JSON has it.
type object = map[string]any

// message draws one message as it stands now.
func (p pen) message(n int, m fakeslack.Message) {
	where := fmt.Sprintf("[%d] %s %s", n, m.Channel, postedAt(m.TS))
	if m.Edits > 0 {
		where += " (edited)"
	}
	fmt.Fprintln(p.to, p.dim(where))
	for _, b := range objects(m.Blocks.BlockSet) {
		for _, line := range p.block(b) {
			fmt.Fprintln(p.to, strings.TrimRight("  "+line, " "))
		}
	}
	fmt.Fprintln(p.to)
}

func postedAt(ts string) string {
	seconds, _, _ := strings.Cut(ts, ".")
	n, _ := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(n, 0).Format("15:04:05")
}

// objects is blocks as JSON has them: what Slack got, not what a client's types
// make of it.
func objects(blocks []slack.Block) []object {
	raw, err := json.Marshal(blocks)
	if err != nil {
		return nil
	}
	var all []object
	_ = json.Unmarshal(raw, &all) // it was just written
	return all
}

// builderURL opens a message in Slack's Block Kit Builder.
func builderURL(m fakeslack.Message) string {
	raw, err := json.Marshal(object{"blocks": m.Blocks})
	if err != nil {
		return ""
	}
	return "https://app.slack.com/block-kit-builder/#" + url.PathEscape(string(raw))
}

// block is a block's lines.
func (p pen) block(b object) []string {
	switch b["type"] {
	case "header":
		return []string{p.bold(text(b["text"]))}
	case "divider":
		return []string{p.dim(strings.Repeat("─", 60))}
	case "context":
		return []string{p.dim(joined(b["elements"], " · "))}
	case "section":
		lines := strings.Split(text(b["text"]), "\n")
		if fields := joined(b["fields"], " · "); fields != "" {
			lines = append(lines, fields)
		}
		return nonEmpty(lines)
	case "rich_text":
		var lines []string
		for _, e := range list(b["elements"]) {
			lines = append(lines, p.rich(e)...)
		}
		return lines
	}
	return []string{p.dim(fmt.Sprintf("(%v)", b["type"]))}
}

// rich is the lines of an element of a rich text.
func (p pen) rich(e object) []string {
	var line strings.Builder
	for _, leaf := range list(e["elements"]) {
		s := clean(leafText(leaf))
		if style, _ := leaf["style"].(object); style["bold"] == true {
			s = p.bold(s)
		}
		line.WriteString(s)
	}
	lines := strings.Split(line.String(), "\n")
	if e["type"] == "rich_text_preformatted" {
		for i := range lines {
			lines[i] = p.dim("│ ") + lines[i]
		}
	}
	return lines
}

func leafText(leaf object) string {
	switch leaf["type"] {
	case "text":
		s, _ := leaf["text"].(string)
		return s
	case "link":
		s, _ := leaf["text"].(string)
		return linked(s, fmt.Sprint(leaf["url"]))
	case "date":
		n, _ := leaf["timestamp"].(float64)
		return time.Unix(int64(n), 0).Format(time.DateTime)
	case "user":
		return fmt.Sprint("@", leaf["user_id"])
	case "usergroup":
		return fmt.Sprint("@", leaf["usergroup_id"])
	}
	return fmt.Sprintf("(%v)", leaf["type"])
}

// linked is a link for who can't click it: with its address.
func linked(label, address string) string {
	if label == "" {
		return address
	}
	return label + " <" + address + ">"
}

// text is a text object as it reads.
func text(v any) string {
	o, _ := v.(object)
	s, _ := o["text"].(string)
	if o["type"] == "mrkdwn" {
		s = unescape.Replace(angled.ReplaceAllStringFunc(s, markup))
	}
	return clean(s)
}

var (
	angled   = regexp.MustCompile(`<[^>]*>`)
	unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// markup reads what stands in angle brackets: a date, a mention, a link.
func markup(s string) string {
	inside := s[1 : len(s)-1]
	target, label, _ := strings.Cut(inside, "|")
	switch {
	case strings.HasPrefix(target, "!date^"):
		seconds, _, _ := strings.Cut(target[len("!date^"):], "^")
		if n, err := strconv.ParseInt(seconds, 10, 64); err == nil {
			return time.Unix(n, 0).Format(time.DateTime)
		}
		return label
	case strings.HasPrefix(target, "!subteam^"):
		return "@" + target[len("!subteam^"):]
	case strings.HasPrefix(target, "@"), strings.HasPrefix(target, "#"), strings.HasPrefix(target, "!"):
		return "@" + target[1:]
	}
	return linked(label, target)
}

// clean leaves out what a terminal would act on, and the joiners that keep
// Slack from making links.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// joined is the texts of several objects in a line.
func joined(v any, sep string) string {
	var parts []string
	for _, o := range list(v) {
		parts = append(parts, text(o))
	}
	return strings.Join(nonEmpty(parts), sep)
}

func list(v any) []object {
	all, _ := v.([]any)
	var objects []object
	for _, one := range all {
		if o, ok := one.(object); ok {
			objects = append(objects, o)
		}
	}
	return objects
}

func nonEmpty(all []string) []string {
	var some []string
	for _, s := range all {
		if s != "" {
			some = append(some, s)
		}
	}
	return some
}
