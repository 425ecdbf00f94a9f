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
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/inert"
	"example.com/slackalert/internal/words"
)

// Limits of a message, in UTF-16 units as sent. Slack refuses one of about
// 13,200, blocks included, without saying why.
const (
	MaxBlocks   = 50
	MaxWeight   = 12_000 // of all texts and blocks together
	BlockWeight = 125    // what a block counts besides its text
)

const (
	maxText    = 3000
	maxID      = 255
	markWeight = BlockWeight + 40
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
	block     slack.Block
	was, node node // before and after mending
}

// Blocks returns blocks that Slack takes; nil if nothing is left.
func Blocks(blocks []slack.Block) []slack.Block {
	m, ids := mender{}, map[any]bool{}
	var pieces []piece
	for _, b := range blocks {
		was, err := decode(b)
		if kind, _ := was["type"].(string); err != nil || was != nil && kind == "" {
			m.left++
			continue
		}
		n, ok := m.mend(was, "", "", maxText).(node)
		if !ok {
			continue // nothing in it: nothing is left out
		}
		if id := n["block_id"]; ids[id] {
			delete(n, "block_id")
		} else if id != nil {
			ids[id] = true
		}
		pieces = append(pieces, piece{b, was, n})
	}
	var out []slack.Block
	for _, p := range m.squeeze(pieces) {
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
	if reflect.DeepEqual(p.was, p.node) {
		return p.block, true
	}
	raw, err := json.Marshal(p.node)
	if err != nil {
		return nil, false
	}
	b, err := slack.BlockFromJSON(string(raw))
	return b, err == nil
}

// decode turns a block into JSON and back; nil for a nil block. A block whose
// methods panic, for it holds a nil where one mustn't be, is an error.
func decode(b slack.Block) (n node, err error) {
	defer func() {
		if recover() != nil { // its value isn't asked: that may panic, too
			err = errors.New("fit: block panicked")
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

// mender mends the blocks of one message.
type mender struct{ left int } // blocks left out

// squeeze cuts the longest texts until all blocks fit, and where that isn't
// enough leaves out the last ones.
func (m *mender) squeeze(pieces []piece) []piece {
	budget := MaxWeight
	if m.left > 0 || len(pieces) > MaxBlocks {
		budget -= markWeight
	}
	for most := 1500; sum(pieces) > budget && most >= leastText; most /= 2 {
		for i, p := range pieces {
			pieces[i].node, _ = m.mend(p.node, "", "", most).(node)
		}
	}
	if len(pieces)+min(m.left, 1) <= MaxBlocks && sum(pieces) <= budget {
		return pieces
	}
	kept, weight := pieces[:0], markWeight
	for _, p := range pieces {
		w := weigh(p.node)
		if len(kept) == MaxBlocks-1 || weight+w > MaxWeight {
			m.left++
			continue
		}
		kept, weight = append(kept, p), weight+w
	}
	return kept
}

func sum(pieces []piece) (n int) {
	for _, p := range pieces {
		n += weigh(p.node)
	}
	return n
}

// weigh is what a block counts: itself and every text in it. Addresses and
// values count as well, for nobody has said that they don't.
func weigh(n node) int { return BlockWeight + texts(n) }

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

// mend returns what stands under key of a parent of the given type as Slack
// takes it, with no text longer than most; nil when nothing usable is left of it.
func (m *mender) mend(v any, parent, key string, most int) any {
	switch v := v.(type) {
	case node:
		if v != nil {
			return m.object(v, parent, key, most)
		}
	case []any:
		return m.list(v, parent, key, most)
	case string:
		return str(v, parent, key, most)
	case nil:
	default:
		return v
	}
	return nil
}

func (m *mender) object(n node, parent, key string, most int) any {
	kind, _ := n["type"].(string)
	out := make(node, len(n))
	if kind == slack.PlainTextType || kind == slack.MarkdownType {
		maps.Copy(out, n)
		stray := "verbatim"
		if kind == slack.MarkdownType {
			stray = "emoji"
		}
		delete(out, stray)
		s, _ := n["text"].(string)
		if inert.Blank(s) {
			return nil
		}
		out["text"] = cut(s, min(most, limitOf(parent, key)), kind == slack.MarkdownType)
		return out
	}
	for k, child := range n {
		if child = m.mend(child, kind, k, most); child != nil {
			out[k] = child
		}
	}
	for need := range strings.SplitSeq(needs[kind], "|") {
		if need == "" || out[need] != nil {
			return out
		}
	}
	return nil
}

// list mends a list's members, and cuts it to as many as Slack takes.
func (m *mender) list(v []any, kind, key string, most int) any {
	var kept []any
	for _, child := range v {
		if child = m.mend(child, kind, key, most); child != nil {
			kept = append(kept, child)
		}
	}
	if n, ok := counts[kind+"."+key]; ok && len(kept) > n {
		kept = kept[:n]
		m.left++
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// str mends a string that is no text object's. Of addresses and names a part is
// none.
func str(s, kind, key string, most int) any {
	whole := true
	switch {
	case key == "type":
		return s
	case strings.HasSuffix(key, "url"):
		whole = inert.Len(s) <= maxText
	case key == "block_id", key == "action_id":
		whole = len(s) <= maxID
	case key != "text" || kind != "text" || s != "":
		return cut(s, min(most, limitOf(kind, key)), false)
	}
	if s == "" || !whole {
		return nil
	}
	return s
}

// limitOf is the most a text under key of a parent of the given type may have.
func limitOf(parent, key string) int {
	if n, ok := limits[parent+"."+key]; ok {
		return n
	}
	return cmp.Or(limits[parent], maxText)
}

// cut shortens s and takes control characters out of it.
func cut(s string, limit int, markup bool) string {
	s = strings.Map(printable, s)
	if markup {
		return inert.CutMarkup(s, limit)
	}
	return inert.Cut(s, limit)
}

func printable(r rune) rune {
	if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f {
		return '\uFFFD'
	}
	return r
}
