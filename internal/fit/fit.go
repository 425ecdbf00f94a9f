// Package fit mends Block Kit blocks that somebody else made, so that Slack
// takes them: texts are cut, what is empty or can't be mended is left out, and
// what was left out is said in a last block.
//
// It works on the JSON, not on the types, because blocks come as values and
// pointers of many types, as raw JSON, and as types that Slack adds later. The
// caller's blocks are never written to; those that need no mending are
// returned as they are.
package fit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/inert"
)

const (
	maxBlocks  = 50
	maxWeight  = 12_000 // Slack refuses from about 13,200 on
	perBlock   = 125    // what a block weighs besides its text
	maxText    = 3000
	maxURL     = 3000
	maxID      = 255
	markWeight = perBlock + 40
	leastText  = 60 // texts are not cut below it to fit; blocks go instead
)

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
		out = append(out, mark(m.left))
	}
	return out
}

func mark(left int) slack.Block {
	s := "s"
	if left == 1 {
		s = ""
	}
	text := fmt.Sprintf("… (+%d block%s)", left, s)
	return slack.NewContextBlock("", slack.NewTextBlockObject(slack.PlainTextType, text, false, false))
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
	table  bool // Slack takes one table a message
	left   int  // blocks left out
	mended bool // of the block at hand
	limit  int  // texts of the block at hand are cut to it; 0 = no more than Slack's limits
}

// piece mends one block; false when nothing of it can be shown.
func (m *mender) piece(b slack.Block) (p piece, ok bool) {
	n, err := decode(b)
	if err != nil {
		m.left++
		return piece{}, false
	}
	m.mended, m.limit = false, 0
	if n == nil || !m.object(n, "", "") {
		return piece{}, false // nothing in it: nothing is left out
	}
	if !m.allowed(n) {
		m.left++
		return piece{}, false
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

// allowed reports whether the block's kind may stand in this message.
func (m *mender) allowed(n node) bool {
	switch n["type"] {
	case "", nil, "alert", "file": // alert: in modals only; file: Slack's own
		return false
	case "table", "data_table":
		if m.table || weigh(n) > 10_000 {
			return false
		}
		m.table = true
	}
	if id, ok := n["block_id"].(string); ok {
		if len(id) > maxID || id == "" || m.ids[id] {
			delete(n, "block_id")
			m.mended = true
		}
		m.ids[id] = true
	}
	return true
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
			m.shorten(&pieces[i], limit)
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

func (m *mender) shorten(p *piece, limit int) {
	m.mended, m.limit = p.mended, limit
	m.object(p.node, "", "")
	p.mended, p.weight = m.mended, weigh(p.node)
}

func sum(pieces []piece) int {
	n := 0
	for _, p := range pieces {
		n += p.weight
	}
	return n
}

// weigh is what a block counts: itself and every text in it. Addresses and
// values count as well, for nobody has said that they don't.
func weigh(n node) int { return perBlock + texts(n) }

func texts(v any) int {
	n := 0
	switch v := v.(type) {
	case node:
		for key, child := range v {
			if key != "type" && key != "block_id" && key != "action_id" {
				n += texts(child)
			}
			if key == "child_blocks" {
				n += perBlock * length(child)
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
	if kind == "" {
		kind = key // confirm and options have no type
	}
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
	if kind == "rich_text_preformatted" && n["border"] != json.Number("0") && n["border"] != json.Number("1") {
		n["border"] = json.Number("0")
		m.mended = true
	}
	return complete(n, kind)
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
		s, ok := m.str(v, kind, key)
		return s, ok
	case nil:
		return nil, false
	}
	return nil, true
}

// list mends a list's members, and cuts it to as many as Slack takes.
func (m *mender) list(v []any, kind, key string) []any {
	kept := v[:0]
	for _, child := range v {
		mended, ok := m.value(child, kind, key)
		if !ok || misplaced(child, kind) {
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

// misplaced reports whether a preformatted text holds what it must not.
func misplaced(child any, kind string) bool {
	n, _ := child.(node)
	return kind == "rich_text_preformatted" && n["type"] != "text" && n["type"] != "link"
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

// str mends a string that is no text object's.
func (m *mender) str(s, kind, key string) (string, bool) {
	switch {
	case key == "type" || key == "block_id":
		return s, true
	case strings.HasSuffix(key, "url"):
		return s, s != "" && inert.Len(s) <= maxURL
	case key == "action_id":
		return s, s != "" && inert.Len(s) <= maxID
	case key == "value":
		return s, inert.Len(s) <= limitOf(kind, key)
	case key == "align":
		return s, s != "" // the library sends it empty where it is unset
	case kind == "markdown":
		return m.cut(s, maxWeight-perBlock-markWeight, false), !inert.Blank(s)
	case key == "text" && kind == "text":
		return m.cut(s, maxText, false), s != ""
	case key == "alt_text":
		return m.cut(s, 2000, false), !inert.Blank(s)
	}
	return m.cut(s, limitOf(kind, key), false), true
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

func length(v any) int {
	list, _ := v.([]any)
	return len(list)
}

// limitOf is the most a text under key of a parent of the given type may have.
func limitOf(parent, key string) int {
	if n, ok := limits[parent+"."+key]; ok {
		return n
	}
	if n, ok := limits["*."+key]; ok {
		return n
	}
	return maxText
}

// limits of texts, by parent and key; the others have 3,000.
var limits = map[string]int{
	"header.text": 150, "section.fields": 2000, "context.elements": 2000,
	"button.text": 75, "workflow_button.text": 75, "button.accessibility_label": 75,
	"image.title": 2000, "input.label": 2000, "input.hint": 2000,
	"container.title": 150, "container.subtitle": 150, "layout.label": 150,
	"card.title": 150, "card.subtitle": 150, "card.body": 200, "card.subtext": 200,
	"video.title": 199, "video.description": 199, "video.author_name": 49,
	"confirm.title": 100, "confirm.text": 300, "confirm.confirm": 30, "confirm.deny": 30,
	"options.text": 75, "options.description": 75, "options.value": 150, "*.value": 2000, "*.placeholder": 150, "*.label": 75,
}

// counts of a list's members, by parent and key.
var counts = map[string]int{
	"section.fields": 10, "context.elements": 10, "actions.elements": 25, "context_actions.elements": 5,
	"container.child_blocks": 10, "layout.rows": 5, "carousel.elements": 10, "table.rows": 100, "data_table.rows": 101,
}

// needs has, by type, the members without which Slack refuses an object; of
// those joined by | one is enough.
var needs = map[string][]string{
	"header": {"text"}, "section": {"text|fields"}, "context": {"elements"}, "actions": {"elements"},
	"context_actions": {"elements"}, "rich_text": {"elements"}, "rich_text_section": {"elements"},
	"rich_text_list": {"elements", "style"}, "rich_text_quote": {"elements"}, "rich_text_preformatted": {"elements"},
	"text": {"text"}, "link": {"url"}, "button": {"text"}, "markdown": {"text"}, "input": {"label", "element"},
	"image": {"image_url|slack_file", "alt_text"}, "container": {"title|rich_text_title", "child_blocks"},
	"layout": {"label", "rows"}, "table": {"rows"}, "data_table": {"rows"}, "carousel": {"elements"},
	"video": {"title", "video_url", "thumbnail_url", "alt_text"},
}

// complete reports whether n has all that its type needs.
func complete(n node, kind string) bool {
	for _, need := range needs[kind] {
		found := false
		for key := range strings.SplitSeq(need, "|") {
			_, ok := n[key]
			found = found || ok
		}
		if !found {
			return false
		}
	}
	return len(n) > 0
}
