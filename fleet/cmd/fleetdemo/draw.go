// This file draws a message for a terminal: its text, and what its blocks say.

package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"example.com/slackalert/fakeslack"
)

// drawn is a message in lines.
func drawn(m fakeslack.Message) []string {
	lines := []string{"▌ " + m.Text}
	data, err := json.Marshal(m.Blocks)
	var blocks []any
	if err != nil || json.Unmarshal(data, &blocks) != nil {
		return lines
	}
	for _, b := range blocks {
		for line := range strings.SplitSeq(strings.TrimSpace(said(b)), "\n") {
			if line != "" {
				lines = append(lines, "│ "+line)
			}
		}
	}
	return lines
}

// parts are the fields of a block that hold what people read, in their order.
var parts = []string{"text", "fields", "elements"}

// said is the text inside a block: what stands below it, one after the other.
func said(v any) string {
	var b strings.Builder
	switch v := v.(type) {
	case string:
		b.WriteString(v)
	case []any:
		for _, e := range v {
			b.WriteString(said(e))
		}
	case map[string]any:
		if v["type"] == "date" {
			return fmt.Sprint(v["fallback"])
		}
		for _, p := range parts {
			b.WriteString(said(v[p]))
		}
		if kind, _ := v["type"].(string); strings.HasPrefix(kind, "rich_text_") || kind == "mrkdwn" || kind == "plain_text" {
			b.WriteString("\n")
		}
	}
	return b.String()
}
