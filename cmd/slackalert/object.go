// This file reads a line's JSON, in the order it was written, as far as it goes.

package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"unicode/utf8"
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
	r := reader{text}
	if !r.sign('{') {
		return nil, false
	}
	if r.sign('}') {
		return nil, r.atEnd()
	}
	for {
		key := r.value()
		if key == nil || key[0] != '"' || !r.sign(':') {
			return all, false
		}
		raw := r.value()
		if raw == nil {
			return all, false
		}
		if len(all) < maxMembers {
			all = append(all, slog.Attr{Key: unquoted(key), Value: value(raw, depth)})
		}
		if !r.sign(',') {
			return all, r.sign('}') && r.atEnd()
		}
	}
}

// unblank is the text without what JSON may have between its signs.
func unblank(text []byte) []byte {
	for len(text) > 0 && strings.IndexByte(blanks, text[0]) >= 0 {
		text = text[1:]
	}
	return text
}

// reader takes JSON from the front of a text. A json.Decoder does, too, but
// takes four times as long, and where one line in a hundred is an alert that is
// as much as all else.
type reader struct{ text []byte }

func (r *reader) atEnd() bool {
	r.text = unblank(r.text)
	return len(r.text) == 0
}

// sign takes a sign, if it is the next.
func (r *reader) sign(c byte) bool {
	if r.atEnd() || r.text[0] != c {
		return false
	}
	r.text = r.text[1:]
	return true
}

// value takes a whole value; nil = there is none, or it isn't JSON. Something
// must follow, or it may have been cut.
func (r *reader) value() []byte {
	_ = r.atEnd()
	deep, quoted := 0, false
	for i := 0; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			deep++
		case deep > 0:
			if c == '}' || c == ']' {
				deep--
			}
		case strings.IndexByte(",:}]"+blanks, c) >= 0:
			raw := r.text[:i]
			r.text = r.text[i:]
			if !json.Valid(raw) {
				return nil
			}
			return raw
		}
	}
	return nil
}

func value(raw []byte, depth int) slog.Value {
	switch {
	case raw[0] == 'n':
		return slog.AnyValue(nil)
	case raw[0] == 't', raw[0] == 'f':
		return slog.BoolValue(raw[0] == 't')
	case raw[0] == '"':
		return slog.StringValue(unquoted(raw))
	case raw[0] == '{' && depth < maxDepth:
		in, _ := members(raw, depth+1)
		return slog.GroupValue(in...)
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return slog.Int64Value(n)
	}
	return slog.StringValue(string(raw)) // a number as it was written, or an array
}

// unquoted is the text of a JSON string. Most stand in it as they are.
func unquoted(raw []byte) string {
	if plain := raw[1 : len(raw)-1]; utf8.Valid(plain) && bytes.IndexByte(plain, '\\') < 0 {
		return string(plain)
	}
	var s string
	_ = json.Unmarshal(raw, &s) // it is valid
	return s
}
