// This file reads a line's JSON, in the order it was written, as far as it goes.

package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
)

const (
	maxDepth   = 8
	maxMembers = 256 // of one object
	blanks     = " \t\r\n"
)

// readObject reads a JSON object: its members as attributes, objects as groups,
// and an array as its JSON. whole says that the text wasn't cut: then it must
// be JSON to its end, else what stands before the cut counts.
func readObject(text []byte, whole bool) ([]slog.Attr, bool) {
	all, ok := members(text, 1)
	return all, ok || !whole && len(all) > 0
}

// members returns what can be read, and whether that is all.
func members(text []byte, depth int) (all []slog.Attr, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return all, false
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil || d.InputOffset() == int64(len(text)) {
			return all, false // a value that ends with the text may have been cut
		}
		if len(all) < maxMembers {
			all = append(all, slog.Attr{Key: key.(string), Value: value(raw, depth)})
		}
	}
	if _, err := d.Token(); err != nil {
		return all, false
	}
	return all, len(bytes.TrimSpace(text[d.InputOffset():])) == 0
}

// unblank is the text without what JSON may have between its signs.
func unblank(text []byte) []byte { return bytes.TrimLeft(text, blanks) }

func value(raw json.RawMessage, depth int) slog.Value {
	text := string(raw)
	switch {
	case text == "null":
		return slog.AnyValue(nil)
	case text == "true", text == "false":
		return slog.BoolValue(text == "true")
	case strings.HasPrefix(text, `"`):
		var s string
		_ = json.Unmarshal(raw, &s) // it has been read as a value
		return slog.StringValue(s)
	case strings.HasPrefix(text, "{") && depth < maxDepth:
		in, _ := members(raw, depth+1)
		return slog.GroupValue(in...)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return slog.Int64Value(n)
	}
	return slog.StringValue(text) // a number as it was written, or an array
}
