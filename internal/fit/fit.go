// Package fit mends Block Kit blocks that somebody else made, so that Slack
// takes them: texts are cut, what is empty is left out, and what doesn't fit is
// said in a last block. It knows the blocks that every client shows (header,
// section, context, divider, actions, image, rich text); of others only their
// weight counts, for what Slack refuses is told as plain text anyway.
//
// It works on the JSON, not on the types, because blocks come as values and
// pointers of many types and as raw JSON. The caller's blocks are never written
// to; those that need no mending are returned as they are.
package fit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/inert"
	"example.com/slackalert/internal/words"
)

const (
	maxBlocks  = 50
	maxWeight  = 12_000 // Slack refuses from about 13,200 on
	perBlock   = 125    // what a block weighs besides its text
	maxText    = 3000
	maxID      = 255
	markWeight = perBlock + 40
	leastText  = 60 // texts are not cut below it to fit; blocks go instead
)

// limits of texts, by the type of what they stand in, or by type and key; the
// others have 3,000.
var limits = map[string]int{
	"header": 150, "section.fields": 2000, "context": 2000, "button": 75, "image.title": 2000, "image.alt_text": 2000,
	"button.value": 2000,
}

// counts of a list's members, by parent and key.
var counts = map[string]int{"section.fields": 10, "context.elements": 10, "actions.elements": 25}

// needs has, by type, the members without which Slack refuses an object; of
// those joined by | one is enough.
var needs = map[string]string{
	"header": "text", "section": "text|fields", "context": "elements", "actions": "elements", "rich_text": "elements",
	"rich_text_section": "elements", "rich_text_list": "elements", "rich_text_quote": "elements", "rich_text_preformatted": "elements",
	"text": "text", "link": "url", "button": "text", "image": "image_url|slack_file",
}

// node is a JSON object.
type node = map[string]any

// piece is one block on its way.
type piece struct {
	block  slack.Block
	node   node
	mended bool
	weight int
}

// Blocks returns blocks that Slack takes; nil if nothing is left.
func Blocks(blocks []slack.Block) []slack.Block {
	m := mender{ids: map[string]bool{}}
	var pieces []piece
	for _, b := range blocks {
		if p, ok := m.piece(b); ok {
			pieces = append(pieces, p)
		}
	}
	pieces = m.squeeze(pieces)
	out := make([]slack.Block, 0, len(pieces)+1)
	for _, p := range pieces {
		if b, ok := p.build(); ok {
			out = append(out, b)
		}
	}
	if m.left > 0 && len(out) > 0 {
		text := "… (+" + words.Plural(m.left, "block") + ")"
		out = append(out, slack.NewContextBlock("", slack.NewTextBlockObject(slack.PlainTextType, text, false, false)))
	}
	return out
}

// build gives the caller's block back, or the mended one as raw JSON.
func (p piece) build() (slack.Block, bool) {
	if !p.mended {
		return p.block, true
	}
	raw, err := json.Marshal(p.node)
	if err != nil {
		return nil, false
	}
	b, err := slack.BlockFromJSON(string(raw))
	return b, err == nil
}

// mender mends the blocks of one message.
type mender struct {
	ids    map[string]bool
	left   int  // blocks left out
	mended bool // of the block at hand
	limit  int  // texts of the block at hand are cut to it; 0 = no more than Slack's limits
}

// piece mends one block; false when nothing of it can be shown.
func (m *mender) piece(b slack.Block) (p piece, ok bool) {
	n, err := decode(b)
	if kind, _ := n["type"].(string); err != nil || n != nil && kind == "" {
		m.left++
		return piece{}, false
	}
	m.mended, m.limit = false, 0
	if n == nil || !m.object(n, "", "") {
		return piece{}, false // nothing in it: nothing is left out
	}
	if id, ok := n["block_id"].(string); ok {
		if len(id) > maxID || m.ids[id] {
			delete(n, "block_id")
			m.mended = true
		}
		m.ids[id] = true
	}
	return piece{block: b, node: n, mended: m.mended, weight: weigh(n)}, true
}

// decode turns a block into JSON and back; nil for a nil block. A block whose
// methods panic, for it holds a nil where one mustn't be, is an error.
func decode(b slack.Block) (n node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("fit: block panicked: %v", r)
		}
	}()
	raw, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a number is given back as it came
	err = d.Decode(&n)
	return n, err
}

// squeeze cuts the longest texts until all blocks fit, and where that isn't
// enough leaves out the last ones.
func (m *mender) squeeze(pieces []piece) []piece {
	budget := maxWeight
	if m.left > 0 || len(pieces) > maxBlocks {
		budget -= markWeight
	}
	for limit := 1500; sum(pieces) > budget && limit >= leastText; limit /= 2 {
		for i := range pieces {
			p := &pieces[i]
			m.mended, m.limit = p.mended, limit
			m.object(p.node, "", "")
			p.mended, p.weight = m.mended, weigh(p.node)
		}
	}
	if len(pieces)+min(m.left, 1) <= maxBlocks && sum(pieces) <= budget {
		return pieces
	}
	kept, weight := pieces[:0], markWeight
	for _, p := range pieces {
		if len(kept) == maxBlocks-1 || weight+p.weight > maxWeight {
			m.left++
			continue
		}
		kept, weight = append(kept, p), weight+p.weight
	}
	return kept
}

func sum(pieces []piece) (n int) {
	for _, p := range pieces {
		n += p.weight
	}
	return n
}

// weigh is what a block counts: itself and every text in it. Addresses and
// values count as well, for nobody has said that they don't.
func weigh(n node) int { return perBlock + texts(n) }

func texts(v any) (n int) {
	switch v := v.(type) {
	case node:
		for key, child := range v {
			if key != "type" && key != "block_id" && key != "action_id" {
				n += texts(child)
			}
		}
	case []any:
		for _, child := range v {
			n += texts(child)
		}
	case string:
		n = inert.Len(v)
	}
	return n
}

// object mends what stands under key of a parent of the given type; false when
// nothing usable is left of it.
func (m *mender) object(n node, parent, key string) bool {
	kind, _ := n["type"].(string)
	if kind == slack.PlainTextType || kind == slack.MarkdownType {
		return m.text(n, kind, limitOf(parent, key))
	}
	for k, child := range n {
		mended, ok := m.value(child, kind, k)
		switch {
		case !ok:
			delete(n, k)
			m.mended = true
		case mended != nil:
			n[k] = mended
		}
	}
	need, known := needs[kind]
	for key := range strings.SplitSeq(need, "|") {
		if _, ok := n[key]; ok {
			return true
		}
	}
	return !known
}

// value mends one member of an object: the value to put in its place, or nil
// to leave it; false to take it away.
func (m *mender) value(v any, kind, key string) (any, bool) {
	switch v := v.(type) {
	case node:
		return nil, m.object(v, kind, key)
	case []any:
		kept := m.list(v, kind, key)
		return kept, len(kept) > 0
	case string:
		return m.str(v, kind, key)
	}
	return nil, v != nil
}

// list mends a list's members, and cuts it to as many as Slack takes.
func (m *mender) list(v []any, kind, key string) []any {
	kept := v[:0]
	for _, child := range v {
		mended, ok := m.value(child, kind, key)
		if !ok {
			m.mended = true
			continue
		}
		if mended != nil {
			child = mended
		}
		kept = append(kept, child)
	}
	if most, ok := counts[kind+"."+key]; ok && len(kept) > most {
		kept = kept[:most]
		m.mended = true
		m.left++
	}
	return kept
}

// text mends a text object.
func (m *mender) text(n node, kind string, limit int) bool {
	stray := "verbatim"
	if kind == slack.MarkdownType {
		stray = "emoji"
	}
	if _, ok := n[stray]; ok {
		delete(n, stray)
		m.mended = true
	}
	s, _ := n["text"].(string)
	n["text"] = m.cut(s, limit, kind == slack.MarkdownType)
	return !inert.Blank(s)
}

// str mends a string that is no text object's. Of addresses and names a part is
// none.
func (m *mender) str(s, kind, key string) (any, bool) {
	switch {
	case key == "type" || key == "block_id":
		return s, true
	case strings.HasSuffix(key, "url"):
		return s, s != "" && inert.Len(s) <= maxText
	case key == "action_id":
		return s, s != "" && len(s) <= maxID
	case key == "text" && kind == "text" && s == "":
		return s, false
	}
	return m.cut(s, limitOf(kind, key), false), true
}

// limitOf is the most a text under key of a parent of the given type may have.
func limitOf(parent, key string) int {
	if n, ok := limits[parent+"."+key]; ok {
		return n
	}
	if n, ok := limits[parent]; ok {
		return n
	}
	return maxText
}

// cut shortens s and takes control characters out of it.
func (m *mender) cut(s string, limit int, markup bool) string {
	if m.limit > 0 {
		limit = min(limit, m.limit)
	}
	out := strings.Map(printable, s)
	if inert.Len(out) > limit {
		out = inert.Cut(out, limit)
		if markup {
			out = outside(out)
		}
	}
	m.mended = m.mended || out != s
	return out
}

func printable(r rune) rune {
	if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f {
		return '\uFFFD'
	}
	return r
}

// outside takes the cut that ends s back before a <…> or &…; it falls into,
// which would otherwise show as garbage or, worse, name somebody else.
func outside(s string) string {
	body := strings.TrimSuffix(s, "…")
	if i := strings.LastIndexByte(body, '<'); i >= 0 && !strings.Contains(body[i:], ">") {
		body = body[:i]
	}
	if i := strings.LastIndexByte(body, '&'); i >= 0 && len(body)-i < 5 && !strings.Contains(body[i:], ";") {
		body = body[:i]
	}
	return body + "…"
}
