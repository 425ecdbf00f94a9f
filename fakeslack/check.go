// This file judges decoded blocks by the tables of schema.go.

package fakeslack

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
)

const (
	maxBlocks     = 50
	maxTableChars = 10_000
)

// checker collects what is wrong. Each complaint ends with the place, as a JSON
// pointer, the way Slack says it.
type checker struct {
	wrong  []string
	ids    map[string]bool // block IDs seen
	marked int             // characters in markdown blocks so far
	tables int
}

// checkBlocks is nil if Slack would take the blocks one by one; what they weigh
// together is weight's business.
func checkBlocks(blocks []any) *refusal {
	c := &checker{ids: make(map[string]bool)}
	if len(blocks) > maxBlocks {
		c.add("/blocks", "no more than %d items allowed", maxBlocks)
	}
	for i, b := range blocks {
		c.object(fmt.Sprintf("/blocks/%d", i), b, "block")
	}
	switch {
	case len(c.wrong) > 0:
		return refuse("invalid_blocks", c.wrong...)
	case c.tables > 1:
		return refuse("invalid_attachments", "only_one_table_allowed [json-pointer:/blocks]")
	}
	return nil
}

func (c *checker) add(at, format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...)+" [json-pointer:"+at+"]")
}

// value judges v by r.
func (c *checker) value(at string, v any, r rule) {
	switch r.kind {
	case aString:
		c.text(at, v, r)
	case anInt:
		c.number(at, v, r)
	case aBool:
		if _, ok := v.(bool); !ok {
			c.add(at, "must be a boolean")
		}
	case aList:
		c.list(at, v, r)
	case anObject:
		c.object(at, v, r.family)
	case aText:
		c.object(at, v, r.family)
		if m, ok := v.(map[string]any); ok && r.max < maxTextObject {
			if s, ok := m["text"].(string); ok && length(s) <= maxTextObject {
				c.most(at+"/text", length(s), r.max)
			}
		}
	}
}

func (c *checker) text(at string, v any, r rule) {
	s, ok := v.(string)
	if !ok {
		c.add(at, "must be a string")
		return
	}
	if length(s) < r.min {
		c.add(at, "must be more than %d characters", r.min-1)
	}
	if r.max > 0 {
		c.most(at, length(s), r.max)
	}
	if r.enum != nil && !slices.Contains(r.enum, s) {
		c.add(at, "must be a valid enum value")
	}
	if s != "" && (r.web || r.address) && !isAddress(s, r.web) {
		c.add(at, "must be a valid url")
	}
}

func (c *checker) most(at string, n, most int) {
	if n > most {
		c.add(at, "must be less than %d characters", most+1)
	}
}

// acting are the schemes of addresses that don't lead anywhere but do something
// where they are clicked.
var acting = []string{"javascript", "vbscript", "data", "blob", "file"}

// isAddress tells whether s has a scheme and something after it; of the web, a
// host.
func isAddress(s string, web bool) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || slices.Contains(acting, u.Scheme) {
		return false
	}
	if web || u.Scheme == "http" || u.Scheme == "https" {
		return u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
	}
	return u.Host != "" || u.Path != "" || u.Opaque != ""
}

func (c *checker) number(at string, v any, r rule) {
	num, _ := v.(json.Number)
	n, err := strconv.Atoi(string(num))
	switch {
	case err != nil:
		c.add(at, "must be an integer")
	case n < r.min:
		c.add(at, "must be greater than or equal to %d", r.min)
	case r.max > 0 && n > r.max:
		c.add(at, "must be less than or equal to %d", r.max)
	}
}

func (c *checker) list(at string, v any, r rule) {
	l, ok := v.([]any)
	switch {
	case !ok:
		c.add(at, "must be an array")
		return
	case len(l) < r.min:
		c.add(at, "no less than %d items allowed", r.min)
	case r.max > 0 && len(l) > r.max:
		c.add(at, "no more than %d items allowed", r.max)
	}
	for i, e := range l {
		place := fmt.Sprintf("%s/%d", at, i)
		if r.items != nil {
			c.value(place, e, *r.items)
		} else {
			c.object(place, e, r.family)
		}
	}
}

// object judges an object of a family.
func (c *checker) object(at string, v any, family string) {
	m, ok := v.(map[string]any)
	if !ok {
		c.add(at, "must provide an object")
		return
	}
	shape, ok := c.shape(at, m, family)
	if !ok {
		return
	}
	_, untyped := families[family][""]
	c.members(at, m, shape, !untyped)
	c.beyond(at, m, family)
}

// shape finds what the object must look like; false means that there is nothing
// more to say of it.
func (c *checker) shape(at string, m map[string]any, family string) (fields, bool) {
	known := families[family]
	if family == "child" {
		known = families["block"]
	}
	if shape, untyped := known[""]; untyped {
		return shape, true
	}
	typ, ok := m["type"].(string)
	if !ok {
		c.add(at, "missing required field: type")
		return nil, false
	}
	shape, ok := known[typ]
	if ok && family == "child" {
		ok = slices.Contains(childBlocks, typ)
	}
	if !ok && (family == "action" || family == "accessory") {
		ok = slices.Contains(otherInputs, typ)
	}
	if !ok {
		c.add(at+"/type", "unsupported type: %s", typ)
		return nil, false
	}
	return shape, true
}

// members judges each member, and misses those that aren't there.
func (c *checker) members(at string, m map[string]any, shape fields, typed bool) {
	if shape == nil { // unjudged
		if v, ok := m["block_id"]; ok {
			c.value(at+"/block_id", v, id)
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(shape)) {
		if _, ok := m[name]; !ok && shape[name].need {
			c.add(at, "missing required field: %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		r, ok := shape[name]
		switch {
		case ok:
			c.value(at+"/"+name, m[name], r)
		case name != "type" || !typed:
			c.add(at, "invalid additional property: %s", name)
		}
	}
}

// beyond judges what needs more than one member, or more than one block.
func (c *checker) beyond(at string, m map[string]any, family string) {
	c.unique(at, m)
	switch m["type"] {
	case "section":
		if m["text"] == nil && m["fields"] == nil {
			c.add(at+"/type", "must define either `text` or `fields`")
		}
	case "image":
		if (m["image_url"] == nil) == (m["slack_file"] == nil) {
			c.add(at, "must define either `image_url` or `slack_file`")
		}
	case "actions":
		c.uniqueActions(at, m)
	case "date":
		c.dateFormat(at, m)
	case "markdown":
		s, _ := m["text"].(string)
		if c.marked += length(s); c.marked > maxMarkdownText && length(s) <= maxMarkdownText {
			c.most(at+"/text", c.marked, maxMarkdownText)
		}
	case "table":
		c.tables++
		if textWeight(m["rows"]) > maxTableChars {
			c.add(at+"/rows", "must be less than %d characters", maxTableChars+1)
		}
	}
}

func (c *checker) unique(at string, m map[string]any) {
	s, ok := m["block_id"].(string)
	if !ok || s == "" {
		return
	}
	if c.ids[s] {
		c.add(at+"/block_id", "`block_id`: %q already exists", s)
	}
	c.ids[s] = true
}

func (c *checker) uniqueActions(at string, m map[string]any) {
	elements, _ := m["elements"].([]any)
	seen := make(map[string]bool)
	for i, e := range elements {
		o, _ := e.(map[string]any)
		s, ok := o["action_id"].(string)
		if ok && seen[s] {
			c.add(fmt.Sprintf("%s/elements/%d/action_id", at, i), "`action_id`: %q already exists", s)
		}
		seen[s] = seen[s] || ok
	}
}

var braced = regexp.MustCompile(`\{([^{}]*)\}`)

// dateFormat wants a token, and only such that Slack fills in.
func (c *checker) dateFormat(at string, m map[string]any) {
	format, ok := m["format"].(string)
	if !ok {
		return
	}
	tokens := braced.FindAllStringSubmatch(format, -1)
	if len(tokens) == 0 {
		c.add(at+"/format", "must contain a date token")
	}
	for _, t := range tokens {
		if !slices.Contains(dateTokens, t[1]) {
			c.add(at+"/format", "unknown date token: %s", t[1])
		}
	}
}
