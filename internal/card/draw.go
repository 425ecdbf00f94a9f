// This file draws a card.

package card

import (
	"strings"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/draw"
	"example.com/slackalert/internal/inert"
	"example.com/slackalert/internal/words"
)

// contextLimit is what a text in small print may have; of two lines secondLimit
// is left for the first.
const contextLimit, secondLimit = 2000, 200

// MostBlocks is how many blocks a card takes at most.
const MostBlocks = 4

// AppendTo draws the card whole: head, what happened, how often or to whom, and
// who is called; in small print the other attributes, where and when; then what
// is long.
func (c *Card) AppendTo(blocks []slack.Block, head, calls []draw.Element) []slack.Block {
	var body, detail draw.Rich
	body.Section(head...)
	body.Section(draw.Slanted(c.Notes))
	body.Section(draw.Text(c.Message))
	body.Preformatted(c.Error)
	body.Section(draw.Apart(draw.RichDates(c.Often), listed(c.Loud)...)...)
	body.Section(calls...)
	blocks = body.AppendTo(blocks)

	links, others := anchors(c.Links)
	blocks = draw.Context(blocks, draw.Plain(told(c.Example, c.Small)))
	blocks = draw.Context(blocks, draw.Plain(c.Home), c.Source.small(), draw.Markup(draw.MarkupDates(c.When)), draw.Markup(links), draw.Plain(c.Note))

	for _, f := range c.Long {
		if strings.Contains(f.Value, "\n") {
			detail.Section(draw.Bold(f.Key))
			detail.Preformatted(f.Value)
		} else {
			detail.Section(draw.Bold(f.Key), draw.Text(" "+f.Value))
		}
	}
	box := func(label, text string) {
		if text != "" {
			detail.Section(draw.Bold(label))
			detail.Preformatted(text)
		}
	}
	box("Stack", c.Stack)
	box("What came before", strings.Join(c.Crumbs, "\n"))
	detail.Section(others...)
	return detail.AppendTo(blocks)
}

// TwoLines draws the card in two lines, the second in small print. Its texts for the
// second line are inert in mrkdwn.
func (c *Card) TwoLines(blocks []slack.Block) []slack.Block {
	var line draw.Rich
	line.Section(draw.Bold(c.Head), draw.Text(" "+c.Line))
	return draw.Context(line.AppendTo(blocks), draw.Markup(c.second()))
}

// SmallPrint draws the card in two lines of small print, for which the head and the
// line are inert in mrkdwn, too.
func (c *Card) SmallPrint(blocks []slack.Block) []slack.Block {
	return draw.Context(blocks, draw.Markup(strings.TrimSuffix("*"+c.Head+"* "+c.Line+"\n"+c.second(), "\n")))
}

// second is the second line. Its sign says that it belongs to the one above it,
// for on some clients it stands as near to the one below.
func (c *Card) second() string {
	line := words.Join(draw.Dot, c.Notes, told("", c.Loud), c.Home, c.Source.small().Text)
	for _, l := range c.Links {
		if next := words.Join(draw.Dot, line, l.Markup); inert.Len(next) <= contextLimit-secondLimit {
			line = next
		}
	}
	if line == "" {
		return ""
	}
	return "↳ " + line
}

// small is the link in small print.
func (l *Link) small() *slack.TextBlockObject {
	if l.Markup == "" {
		return draw.Plain(l.Label)
	}
	return draw.Markup(l.Markup)
}

// told is fields on one line behind lead, as text.
func told(lead string, fields []Field) string {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(lead)
		b.WriteString(words.Join(" ", f.Key, f.Value))
		lead = draw.Dot
	}
	return b.String()
}

// listed is fields on one line, their keys in bold.
func listed(fields []Field) (line []draw.Element) {
	for i, f := range fields {
		value := f.Value
		if f.Key != "" && value != "" {
			value = " " + value
		}
		if i < len(fields)-1 {
			value += draw.Dot
		}
		line = append(line, draw.Bold(f.Key), draw.Text(value))
	}
	return line
}

// anchors takes the links that fit into one element of a context block; the
// others are for rich text.
func anchors(links []Link) (line string, others []draw.Element) {
	for _, l := range links {
		if next := words.Join(draw.Dot, line, l.Markup); l.Markup != "" && inert.Len(next) <= contextLimit {
			line = next
		} else {
			others = draw.Apart(others, draw.Link(l.Label, l.URL))
		}
	}
	return line, others
}
