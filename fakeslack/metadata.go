// This file reads what a message carries for programs: its metadata.

package fakeslack

import (
	"encoding/json"
	"regexp"
)

// maxMetadata is what the metadata may take as JSON, in bytes. Slack says that
// there is a limit, and not which.
const maxMetadata = 4_000

var eventType = regexp.MustCompile(`^[A-Za-z0-9_]{1,255}$`)

// readMetadata keeps the metadata, if there is any. It must be an event type and
// a payload, and nothing else.
func (c *content) readMetadata(raw string) *refusal {
	if raw == "" {
		return nil
	}
	var m map[string]json.RawMessage
	if json.Unmarshal([]byte(raw), &m) != nil || len(m) != 2 {
		return refuse("invalid_metadata_format")
	}
	var kind string
	if json.Unmarshal(m["event_type"], &kind) != nil || !eventType.MatchString(kind) {
		return refuse("invalid_metadata_format")
	}
	var payload map[string]any
	if json.Unmarshal(m["event_payload"], &payload) != nil || payload == nil {
		return refuse("invalid_metadata_format")
	}
	for _, v := range payload {
		if !carried(v, 0) {
			return refuse("invalid_metadata_schema")
		}
	}
	if len(raw) > maxMetadata {
		return refuse("metadata_too_large")
	}
	c.metadata = json.RawMessage(raw)
	return nil
}

// carried says whether a payload may hold v: text, a number, a boolean, an
// object of such, or a list of objects.
func carried(v any, depth int) bool {
	switch v := v.(type) {
	case string, float64, bool:
		return true
	case map[string]any:
		for _, e := range v {
			if !carried(e, depth+1) {
				return false
			}
		}
		return depth < 8
	case []any:
		for _, e := range v {
			if _, ok := e.(map[string]any); !ok || !carried(e, depth+1) {
				return false
			}
		}
		return depth < 8
	}
	return false
}

// shownMetadata is what an answer says of it: all, or only what kind it is.
func (c content) shownMetadata(all bool) any {
	if all {
		return c.metadata
	}
	var m struct {
		Type string `json:"event_type"`
	}
	_ = json.Unmarshal(c.metadata, &m) // was decoded before it was kept
	return m
}
