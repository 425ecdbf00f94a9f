// This file writes a message down as people read it, for tests.

package fakeslack

import (
	"encoding/json"
	"strconv"
	"strings"
)

// String is what people would read in the channel, as plain text of several
// lines: marks, links and mentions as what they show, a date as its fallback,
// code indented. What stands in one line of Slack's stands in one line here; a
// message without blocks is its Text, which else only notifications show.
func (m Message) String() string {
	raw, err := json.Marshal(m.Blocks.BlockSet)
	blocks, ok := decodeList(raw)
	if err != nil || !ok || len(blocks) == 0 {
		return words(parseMrkdwn(m.Text, true))
	}
	return strings.Join(sayAll(drawBlocks(blocks)), "\n")
}

// sayAll is the lines of parts that stand below each other.
func sayAll(parts []part) []string {
	var lines []string
	for _, p := range parts {
		lines = append(lines, p.say()...)
	}
	return lines
}

// say is the lines of one part.
func (p part) say() []string {
	switch p.Kind {
	case "divider":
		return []string{"---"}
	case "context", "actions", "context_actions":
		return linesOf(strings.Join(sayAll(p.Parts), "  "))
	case "rich_text_list":
		return p.sayList()
	case "rich_text_preformatted":
		return indent("    ", sayLines(p.Spans))
	case "rich_text_quote":
		return indent("> ", sayLines(p.Spans))
	case "table":
		return p.sayRows()
	case "icon", "other":
		return []string{"[" + p.Label + "]"}
	case "image":
		return append(sayLines(p.Spans), "["+p.Label+"]")
	case "button":
		return []string{"[" + words(p.Spans) + "]"}
	}
	lines := sayLines(p.Spans)
	for _, f := range p.Fields {
		lines = append(lines, sayLines(f)...)
	}
	return append(lines, sayAll(p.Parts)...)
}

func (p part) sayList() []string {
	var lines []string
	for i, item := range p.Parts {
		mark := "• "
		if p.Class == "ordered" {
			mark = strconv.Itoa(i+1) + ". "
		}
		lines = append(lines, strings.Repeat("  ", p.Level)+mark+strings.Join(item.say(), " "))
	}
	return lines
}

func (p part) sayRows() []string {
	var lines []string
	for _, row := range p.Rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = strings.Join(c.say(), " ")
		}
		lines = append(lines, strings.Join(cells, " | "))
	}
	return lines
}

// sayLines is the lines of a run of spans; code and quotes are lines of their
// own.
func sayLines(spans []span) []string {
	var lines []string
	var run []span
	end := func() {
		lines = append(lines, linesOf(words(run))...)
		run = nil
	}
	for _, s := range spans {
		switch s.Kind {
		case "pre":
			end()
			lines = append(lines, indent("    ", linesOf(words(s.Kids)))...)
		case "quote":
			end()
			lines = append(lines, indent("> ", linesOf(words(s.Kids)))...)
		default:
			run = append(run, s)
		}
	}
	end()
	return lines
}

// linesOf is the lines of text; none of an empty one.
func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func indent(by string, lines []string) []string {
	for i, l := range lines {
		lines[i] = by + l
	}
	return lines
}
