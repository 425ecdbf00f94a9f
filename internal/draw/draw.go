// Package draw makes Block Kit objects. Logged text must have been made inert
// for the place it goes to.
package draw

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/inert"
	"example.com/slackalert/internal/words"
)

// Plain is a text object that Slack takes literally.
func Plain(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
}

// Markup is a text object for dates and links of ours.
func Markup(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, s, false, true)
}

// Element is what a section of rich text is made of.
type Element = slack.RichTextSectionElement

// Text is literal text.
func Text(s string) Element { return slack.NewRichTextSectionTextElement(s, nil) }

// Bold is literal text in bold.
func Bold(s string) Element {
	return slack.NewRichTextSectionTextElement(s, &slack.RichTextSectionTextStyle{Bold: true})
}

// Slanted is literal text in italics.
func Slanted(s string) Element {
	return slack.NewRichTextSectionTextElement(s, &slack.RichTextSectionTextStyle{Italic: true})
}

// Link is a link, or the label alone where there is no address.
func Link(label, address string) Element {
	if address == "" {
		return Text(label)
	}
	return slack.NewRichTextSectionLinkElement(address, label, nil)
}

// Anchor is a link in mrkdwn; label is as logged.
func Anchor(label, address string) string {
	label = strings.ReplaceAll(inert.Text(label, 150, inert.Label), "|", "¦")
	return "<" + strings.ReplaceAll(address, "&", "&amp;") + "|" + label + ">"
}

// Dot is between things that share a line. Where the line is wrapped the next
// one doesn't begin with it.
const Dot = "\u00a0· "

// Apart appends to a line what is set apart from what stands there.
func Apart(line []Element, more ...Element) []Element {
	if len(line) > 0 && len(more) > 0 {
		line = append(line, Text(Dot))
	}
	return append(line, more...)
}

// Rich collects the elements of a rich_text block. What is empty isn't added:
// Slack refuses it.
type Rich struct{ elements []slack.RichTextElement }

// Section adds a paragraph. One that follows another stands in the same
// section, on a line of its own: some clients glue neighbouring sections into
// one line.
func (r *Rich) Section(line ...Element) {
	line = slices.DeleteFunc(line, func(e Element) bool {
		t, ok := e.(*slack.RichTextSectionTextElement)
		return ok && t.Text == ""
	})
	if len(line) == 0 {
		return
	}
	if n := len(r.elements); n > 0 {
		if last, ok := r.elements[n-1].(*slack.RichTextSection); ok {
			last.Elements = append(append(last.Elements, Text("\n")), line...)
			return
		}
	}
	r.elements = append(r.elements, slack.NewRichTextSection(line...))
}

// Preformatted adds a box of text.
func (r *Rich) Preformatted(s string) {
	if s != "" {
		r.elements = append(r.elements, &slack.RichTextPreformatted{Type: slack.RTEPreformatted, Elements: []Element{Text(s)}})
	}
}

// AppendTo appends the block, if there is anything in it.
func (r *Rich) AppendTo(blocks []slack.Block) []slack.Block {
	if len(r.elements) == 0 {
		return blocks
	}
	return append(blocks, slack.NewRichTextBlock("", r.elements...))
}

// Context appends a line of small print, if there is anything in it.
func Context(blocks []slack.Block, line ...*slack.TextBlockObject) []slack.Block {
	var elements []slack.MixedElement
	for _, t := range line {
		if !inert.Blank(t.Text) {
			elements = append(elements, t)
		}
	}
	if len(elements) == 0 {
		return blocks
	}
	return append(blocks, slack.NewContextBlock("", elements...))
}

// Span is a piece of a sentence about time: words of ours, then a time, which
// is shown in the reader's zone.
type Span struct {
	Text string
	Bold bool
	At   time.Time // not shown unless Dated
	As   Format
}

// Format is how exactly a time is told.
type Format string

const (
	Minute  Format = "{time}"
	Second  Format = "{time_secs}"
	Dayed   Format = "{date_short_pretty} {time}"
	longest        = len("<!date^253402300799^|>") + len(Dayed) + len("2006-01-02 15:04:05 UTC")
)

// Weight is what spans count, in rich text or in mrkdwn.
func Weight(spans ...Span) (w int) {
	for _, s := range spans {
		if w += inert.Len(s.Text); !s.At.IsZero() {
			w += longest
		}
	}
	return w
}

// Dated reports whether Slack can show t.
func Dated(t time.Time) bool { return t.Unix() > 0 && t.Unix() < 253_402_300_800 }

// MarkupDates writes spans in mrkdwn.
func MarkupDates(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
		if Dated(s.At) {
			fmt.Fprintf(&b, "<!date^%d^%s|%s>", s.At.Unix(), s.As, words.UTC(s.At))
		}
	}
	return b.String()
}

// RichDates writes spans in rich text, for a Section.
func RichDates(spans []Span) (line []Element) {
	for _, s := range spans {
		if s.Bold {
			line = append(line, Bold(s.Text))
		} else {
			line = append(line, Text(s.Text))
		}
		if Dated(s.At) {
			fallback := words.UTC(s.At)
			line = append(line, slack.NewRichTextSectionDateElement(s.At.Unix(), string(s.As), nil, &fallback))
		}
	}
	return line
}
