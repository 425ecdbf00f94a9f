// This file finds, at a glance, the lines that may be alerts: most aren't, and
// needn't be read as JSON.

package main

import (
	"bytes"
	"log/slog"
	"strings"
)

// glance says of a line whether to read it: whether it is a JSON object in
// which a level, at any depth, is high enough, or a code stands.
type glance struct {
	from   slog.Level // the level from which a record is an alert
	levels [256][]string
	codes  [256][]string // by the last byte of the key, each with its opening quotation mark
}

func newGlance(from slog.Level, levelKeys []string, codeKey string) *glance {
	g := &glance{from: from}
	for _, key := range levelKeys {
		note(&g.levels, key)
	}
	note(&g.codes, codeKey)
	return g
}

// note puts a key among those to look for. A path's last part may stand as a
// key in an object.
func note(keys *[256][]string, key string) {
	last := key[len(key)-1]
	keys[last] = append(keys[last], `"`+key)
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		keys[last] = append(keys[last], `"`+key[i+1:])
	}
}

// wants looks at each colon of the line: at the key before it, and at the value
// behind it.
func (g *glance) wants(line []byte) bool {
	if !isObject(line) {
		return false
	}
	for at := 0; ; {
		i := bytes.IndexByte(line[at:], ':')
		if i < 0 {
			return false
		}
		end := at + i - 1 // of the key, where its quotation mark stands
		at += i + 1
		if end < 2 {
			continue
		}
		if line[end] != '"' {
			if line[end] != ' ' && line[end] != '\t' {
				continue
			}
			if end = behindBlanks(line, end); end < 2 {
				continue
			}
		}
		last := line[end-1]
		if key := match(g.levels[last], line[:end]); key != "" && g.high(key, line[at:]) {
			return true
		}
		if match(g.codes[last], line[:end]) != "" && !isEmpty(line[at:]) {
			return true
		}
	}
}

// behindBlanks is where the quotation mark stands that the blanks up to end
// follow; 0 where something else does.
func behindBlanks(line []byte, end int) int {
	for end > 0 && (line[end] == ' ' || line[end] == '\t') {
		end--
	}
	if line[end] != '"' {
		return 0
	}
	return end
}

func isObject(line []byte) bool {
	for _, c := range line {
		if c != ' ' && c != '\t' {
			return c == '{'
		}
	}
	return false
}

func match(keys []string, before []byte) string {
	for _, key := range keys {
		if len(before) >= len(key) && string(before[len(before)-len(key):]) == key {
			return key
		}
	}
	return ""
}

// high says whether the value that a text begins with is a level to alert.
func (g *glance) high(key string, text []byte) bool {
	text = bytes.TrimLeft(text, " \t")
	if len(text) == 0 {
		return false
	}
	var level slog.Level
	var ok bool
	if text[0] == '"' {
		text = text[1:]
		end := bytes.IndexByte(text[:min(len(text), 40)], '"')
		if end < 0 {
			return false
		}
		level, ok = levelText(text[:end])
	} else {
		n, digits := 0.0, 0
		for digits < len(text) && digits < 9 && text[digits] >= '0' && text[digits] <= '9' {
			n = n*10 + float64(text[digits]-'0')
			digits++
		}
		if digits == 0 {
			return false
		}
		level, ok = levelNumber(key, n)
	}
	return ok && level >= g.from
}

func isEmpty(text []byte) bool {
	text = bytes.TrimLeft(text, " \t")
	return bytes.HasPrefix(text, []byte(`""`)) || bytes.HasPrefix(text, []byte("null"))
}
