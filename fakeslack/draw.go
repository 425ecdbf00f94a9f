// This file turns a message into parts that the page's template draws.

package fakeslack

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A messageView is a message, ready to be drawn.
type messageView struct {
	TS, Channel, ChannelName string
	Unix                     int64
	When                     string // for a page without scripts
	Author                   string
	Text                     string // what a phone's notification says
	Parts                    []part
	Edits                    int
	JSON                     string
	Builder                  string // address of the Block Kit Builder; "" without blocks
}

// A part is a block or something in it.
type part struct {
	Kind   string // what the template draws it as
	Spans  []span
	Parts  []part
	Fields [][]span
	Rows   [][]part
	Level  int    // of a header, an indented list
	Href   string // http, https or mailto; "" = none
	Label  string // of an image, a box of code, what can't be drawn
	Class  string // from a fixed set
	Color  string // "#rrggbb"
}

// A span is a run of text. Its kind is one that the template knows.
type span struct {
	Kind   string
	Text   string
	Href   string
	Kids   []span
	Unix   string // of a date, to be written in the reader's zone
	Format string
}

func drawAll(messages []*message) []messageView {
	all := make([]messageView, len(messages))
	for i, m := range messages {
		all[i] = m.draw()
	}
	return all
}

func (m *message) draw() messageView {
	v := messageView{
		TS: m.ts, Channel: m.id, ChannelName: channelName(m), Unix: m.posted.Unix(), When: m.posted.UTC().Format("Jan 2 15:04 UTC"), Author: "slackalert",
		Text: words(parseMrkdwn(m.text, false)), Edits: m.edits, JSON: m.payload(),
	}
	if m.author == hookAuthor {
		v.Author = "incoming-webhook"
	}
	if blocks, ok := decodeList(m.blocks); ok {
		v.Builder = builderURL(m.blocks)
		v.Parts = drawBlocks(blocks)
	} else if m.text != "" {
		v.Parts = []part{{Kind: "section", Spans: parseMrkdwn(m.text, true)}}
	}
	attached, _ := decodeList(m.attachments)
	for _, a := range attached {
		v.Parts = append(v.Parts, drawAttachment(asObject(a)))
	}
	return v
}

// payload is the message as its sender would send it again.
func (m *message) payload() string {
	p := struct {
		Text        string          `json:"text,omitempty"`
		Blocks      json.RawMessage `json:"blocks,omitempty"`
		Attachments json.RawMessage `json:"attachments,omitempty"`
	}{m.text, m.blocks, m.attachments}
	return encode(p, "  ")
}

// asWritten takes the escapes back with which Go's encoder guards JSON against
// HTML; pairs of backslashes come first, so that none is torn apart.
var asWritten = strings.NewReplacer(`\\`, `\\`, `\u003c`, "<", `\u003e`, ">", `\u0026`, "&")

// encode is JSON as a person would write it, its members in the order in which
// they came.
func encode(v any, indent string) string {
	raw, _ := json.Marshal(v) // valid JSON and plain values
	if indent == "" {
		return asWritten.Replace(string(raw))
	}
	var b bytes.Buffer
	_ = json.Indent(&b, raw, "", indent)
	return asWritten.Replace(b.String())
}

// builderURL opens the blocks in Slack's Block Kit Builder.
func builderURL(blocks json.RawMessage) string {
	query := url.QueryEscape(encode(map[string]json.RawMessage{"blocks": blocks}, ""))
	return "https://app.slack.com/block-kit-builder/#" + strings.ReplaceAll(query, "+", "%20")
}

// The blocks were checked before they were kept, but for those that nobody
// judges; so what isn't there or isn't of the right kind reads as empty.

func asObject(v any) map[string]any { m, _ := v.(map[string]any); return m }

func asList(v any) []any { l, _ := v.([]any); return l }

func asString(v any) string { s, _ := v.(string); return s }

func asInt(v any) int {
	n, _ := v.(json.Number)
	i, _ := n.Int64()
	return int(i)
}

func drawBlocks(blocks []any) []part {
	all := make([]part, len(blocks))
	for i, b := range blocks {
		all[i] = drawBlock(asObject(b))
	}
	return all
}

func drawBlock(b map[string]any) part {
	kind := asString(b["type"])
	p := part{Kind: kind}
	switch kind {
	case "header":
		p.Spans, p.Level = drawText(b["text"]), max(asInt(b["level"]), 1)
	case "section":
		p.Spans = drawText(b["text"])
		for _, f := range asList(b["fields"]) {
			p.Fields = append(p.Fields, drawText(f))
		}
		if acc := asObject(b["accessory"]); acc != nil {
			p.Parts = []part{drawElement(acc)}
		}
	case "context", "actions", "context_actions":
		for _, e := range asList(b["elements"]) {
			p.Parts = append(p.Parts, drawElement(asObject(e)))
		}
	case "image":
		return drawImage(b)
	case "rich_text":
		p.Parts = drawRich(b)
	case "table":
		p.Rows = drawRows(b)
	case "container":
		p.Spans = append(drawText(b["title"]), drawText(b["subtitle"])...)
		p.Parts = drawBlocks(asList(b["child_blocks"]))
	case "markdown":
		p.Spans = []span{{Kind: "text", Text: asString(b["text"])}}
	case "divider":
	default:
		p.Kind, p.Label = "other", kind
	}
	return p
}

// drawElement is what stands in a context, beside a section or among actions.
func drawElement(e map[string]any) part {
	switch kind := asString(e["type"]); kind {
	case "plain_text", "mrkdwn":
		return part{Kind: "words", Spans: drawText(e)}
	case "image":
		p := drawImage(e)
		p.Kind = "icon"
		return p
	case "button":
		class := "default"
		if s := asString(e["style"]); s == "primary" || s == "danger" {
			class = s
		}
		return part{Kind: "button", Spans: drawText(e["text"]), Href: safeHref(asString(e["url"])), Class: class}
	default:
		return part{Kind: "other", Label: kind}
	}
}

// drawImage names an image and links to it: the page loads nothing from
// elsewhere.
func drawImage(b map[string]any) part {
	return part{Kind: "image", Label: asString(b["alt_text"]), Spans: drawText(b["title"]), Href: safeHref(asString(b["image_url"]))}
}

func drawText(v any) []span {
	t := asObject(v)
	text := asString(t["text"])
	if t["type"] == "mrkdwn" {
		return parseMrkdwn(text, t["verbatim"] != true)
	}
	if t["emoji"] == false {
		return []span{{Kind: "text", Text: text}}
	}
	return parseEmoji(text)
}

func drawRows(b map[string]any) [][]part {
	var rows [][]part
	for _, r := range asList(b["rows"]) {
		var row []part
		for i, c := range asList(r) {
			cell := part{Kind: "cell", Class: "left"}
			if columns := asList(b["column_settings"]); i < len(columns) {
				if align := asString(asObject(columns[i])["align"]); align == "center" || align == "right" {
					cell.Class = align
				}
			}
			if o := asObject(c); o["type"] == "rich_text" {
				cell.Parts = drawRich(o)
			} else {
				cell.Spans = []span{{Kind: "text", Text: asString(o["text"])}}
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return rows
}

// drawRich draws the elements of rich text, one below the other.
func drawRich(b map[string]any) []part {
	var all []part
	for _, v := range asList(b["elements"]) {
		e := asObject(v)
		p := part{Kind: asString(e["type"])}
		switch p.Kind {
		case "rich_text_list":
			p.Level = asInt(e["indent"])
			if p.Class = "bullet"; e["style"] == "ordered" {
				p.Class = "ordered"
			}
			p.Parts = drawRich(e)
		case "rich_text_preformatted":
			p.Label = asString(e["language"])
			fallthrough
		default:
			for _, l := range asList(e["elements"]) {
				p.Spans = append(p.Spans, drawLeaf(asObject(l)))
			}
		}
		all = append(all, p)
	}
	return all
}

// drawLeaf is one leaf of rich text, whose text is literal.
func drawLeaf(l map[string]any) span {
	var s span
	switch l["type"] {
	case "link":
		address := asString(l["url"])
		s = link(address, []span{{Kind: "text", Text: orElse(asString(l["text"]), address)}})
	case "emoji":
		s = emoji(asString(l["name"]))
	case "user":
		s = span{Kind: "mention", Text: "@" + asString(l["user_id"])}
	case "usergroup":
		s = span{Kind: "mention", Text: "@" + asString(l["usergroup_id"])}
	case "channel":
		s = span{Kind: "mention", Text: "#" + asString(l["channel_id"])}
	case "broadcast":
		s = span{Kind: "broadcast", Text: "@" + asString(l["range"])}
	case "date":
		n, _ := l["timestamp"].(json.Number)
		s = span{Kind: "date", Unix: n.String(), Format: asString(l["format"]), Text: orElse(asString(l["fallback"]), n.String())}
		if address := asString(l["url"]); address != "" {
			s = link(address, []span{s})
		}
	case "text":
		s = span{Kind: "text", Text: asString(l["text"])}
	default:
		s = span{Kind: "text", Text: "[" + asString(l["type"]) + "]"}
	}
	style := asObject(l["style"])
	for _, name := range []string{"code", "bold", "italic", "strike", "underline"} {
		if style[name] == true {
			s = span{Kind: name, Kids: []span{s}}
		}
	}
	return s
}

// link leads somewhere only if the address is one that can't run.
func link(address string, kids []span) span {
	if href := safeHref(address); href != "" {
		return span{Kind: "link", Href: href, Kids: kids}
	}
	return span{Kind: "deadlink", Text: address, Kids: kids}
}

func safeHref(address string) string {
	u, err := url.Parse(address)
	if err != nil || !slices.Contains([]string{"http", "https", "mailto"}, u.Scheme) {
		return ""
	}
	return address
}

var hexColor = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// drawAttachment draws what legacy senders use: a coloured bar and what stands
// beside it.
func drawAttachment(a map[string]any) part {
	p := part{Kind: "attachment", Color: attachmentColor(asString(a["color"]))}
	say := func(kind, text string, spans []span) {
		if text != "" {
			p.Parts = append(p.Parts, part{Kind: kind, Spans: spans})
		}
	}
	pretext, title, text, footer := asString(a["pretext"]), asString(a["title"]), asString(a["text"]), asString(a["footer"])
	say("section", pretext, parseMrkdwn(pretext, true))
	titled := parseEmoji(title)
	if address := asString(a["title_link"]); address != "" {
		titled = []span{link(address, titled)}
	}
	say("section", title, []span{{Kind: "bold", Kids: titled}})
	say("section", text, parseMrkdwn(text, true))
	if fields := asList(a["fields"]); len(fields) > 0 {
		p.Parts = append(p.Parts, drawLegacyFields(fields))
	}
	p.Parts = append(p.Parts, drawBlocks(asList(a["blocks"]))...)
	say("footer", footer, parseEmoji(footer))
	return p
}

func drawLegacyFields(fields []any) part {
	p := part{Kind: "section"}
	for _, f := range fields {
		o := asObject(f)
		p.Fields = append(p.Fields, append([]span{
			{Kind: "bold", Kids: parseEmoji(asString(o["title"]))}, {Kind: "text", Text: "\n"},
		}, parseMrkdwn(asString(o["value"]), true)...))
	}
	return p
}

func attachmentColor(name string) string {
	switch name {
	case "good":
		return "#2eb67d"
	case "warning":
		return "#ecb22e"
	case "danger":
		return "#e01e5a"
	}
	if hexColor.MatchString(name) {
		return name
	}
	return "#dddddd"
}

// words is what spans say without their marks.
func words(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		if s.Kids != nil {
			b.WriteString(words(s.Kids))
		} else {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
