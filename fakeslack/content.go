// This file reads what a message says: its text, blocks and attachments.

package fakeslack

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

const (
	maxText         = 40_000 // longer ones are cut, not refused
	maxUpdateText   = 4_000  // of an edit; in bytes, as one project measured it
	maxMarkdownText = 12_000
	maxAttachments  = 100
)

// content is what a message says. Its bytes are shared and never changed.
type content struct {
	text        string
	blocks      json.RawMessage // a list, as sent; nil = none
	attachments json.RawMessage // a list, as sent; nil = none named
	metadata    json.RawMessage // an object, as sent; nil = none named; empty = none any more
}

// readContent takes the parts of a message from its arguments and refuses what
// Slack would refuse of them.
func readContent(a args) (content, *refusal) {
	c := content{text: cut(a["text"], maxText)}
	if md := a["markdown_text"]; md != "" {
		if a["text"] != "" || a["blocks"] != "" {
			return c, refuse("markdown_text_conflict")
		}
		if length(md) > maxMarkdownText {
			return c, refuse("msg_too_long")
		}
		c.text = md
	}
	if bad := c.readMetadata(a["metadata"]); bad != nil {
		return c, bad
	}
	attached, bad := c.readAttachments(a["attachments"])
	if bad != nil {
		return c, bad
	}
	blocks, bad := c.readBlocks(a["blocks"])
	if bad != nil {
		return c, bad
	}
	if strings.TrimSpace(c.text) == "" && len(blocks) == 0 && len(attached) == 0 {
		return c, refuse("no_text")
	}
	if weight(blocks)+weight(attached) > maxWeight {
		return c, refuse("msg_blocks_too_long")
	}
	return c, nil
}

// readBlocks keeps the blocks and returns them decoded.
func (c *content) readBlocks(raw string) ([]any, *refusal) {
	if raw == "" {
		return nil, nil
	}
	blocks, ok := decodeList([]byte(raw))
	if !ok {
		return nil, refuse("invalid_blocks_format")
	}
	if len(blocks) > 0 {
		c.blocks = json.RawMessage(raw)
	}
	return blocks, checkBlocks(blocks)
}

// readAttachments keeps the attachments and returns them decoded. Slack says one
// word for all that is wrong with blocks in them.
func (c *content) readAttachments(raw string) ([]any, *refusal) {
	if raw == "" {
		return nil, nil
	}
	all, ok := decodeList([]byte(raw))
	if !ok {
		return nil, refuse("invalid_attachments")
	}
	if len(all) > maxAttachments {
		return nil, refuse("too_many_attachments")
	}
	for _, v := range all {
		one, ok := v.(map[string]any)
		if !ok {
			return nil, refuse("invalid_attachments")
		}
		blocks, ok := one["blocks"].([]any)
		if !ok && one["blocks"] != nil || checkBlocks(blocks) != nil {
			return nil, refuse("invalid_attachments")
		}
	}
	c.attachments = json.RawMessage(raw)
	return all, nil
}

// decodeList decodes a JSON list. Numbers stay as they were written.
func decodeList(raw []byte) ([]any, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var list []any
	if d.Decode(&list) != nil || list == nil {
		return nil, false
	}
	_, err := d.Token()
	return list, err == io.EOF
}

// length is the length of s as Slack's limits are counted here: UTF-16 units of
// what was sent. Of the units that Slack might mean it gives the most.
func length(s string) int {
	n := 0
	for _, r := range s {
		n += units(r)
	}
	return n
}

// cut is the longest beginning of s that has a length of at most most.
func cut(s string, most int) string {
	n := 0
	for i, r := range s {
		if n += units(r); n > most {
			return s[:i]
		}
	}
	return s
}

// units is how many UTF-16 units the rune takes.
func units(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}
