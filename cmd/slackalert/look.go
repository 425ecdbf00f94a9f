// This file finds, at a glance, the lines that may be alerts: most aren't, and
// needn't be read as JSON.

package main

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
)

// glance says of a line whether to read it: whether it is a JSON object in
// which a level, at any depth, is high enough, or a code stands.
type glance struct {
	from slog.Level     // the level from which a record is an alert
	keys [256][]lookout // by the last byte of the key
}

// lookout is a key to look for, with its opening quotation mark, and whose it is.
type lookout struct {
	key         string
	level, code bool
}

func newGlance(from slog.Level, levelKeys []string, codeKey string) *glance {
	g := &glance{from: from}
	for _, key := range levelKeys {
		g.note(key).level = true
		g.note(lastOf(key)).level = true
	}
	g.note(codeKey).code = true
	g.note(lastOf(codeKey)).code = true
	return g
}

// lastOf is the last part of a path, which may stand as a key in an object.
func lastOf(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// note puts a key among those to look for, once.
func (g *glance) note(key string) *lookout {
	key = `"` + key
	look := &g.keys[key[len(key)-1]]
	i := slices.IndexFunc(*look, func(l lookout) bool { return l.key == key })
	if i < 0 {
		i = len(*look)
		*look = append(*look, lookout{key: key})
	}
	return &(*look)[i]
}

// wants looks at each colon of the line: at the key before it, and at the value
// behind it.
func (g *glance) wants(line []byte) bool {
	if rest := unblank(line); len(rest) == 0 || rest[0] != '{' {
		return false
	}
	for at := 0; ; {
		i := bytes.IndexByte(line[at:], ':')
		if i < 0 {
			return false
		}
		end := at + i - 1 // of the key, where its quotation mark stands
		at += i + 1
		for end > 0 && (line[end] == ' ' || line[end] == '\t') {
			end--
		}
		if end < 2 || line[end] != '"' {
			continue
		}
		if look := g.keys[line[end-1]]; len(look) > 0 && g.serious(look, line[:end], line[at:]) {
			return true
		}
	}
}

// serious says whether one of the keys stands at the end of a text, and behind
// it a code, or a level to alert.
func (g *glance) serious(look []lookout, before, behind []byte) bool {
	for _, l := range look {
		if n := len(before) - len(l.key); n < 0 || string(before[n:]) != l.key {
			continue
		}
		behind = unblank(behind)
		if l.code && !bytes.HasPrefix(behind, []byte(`""`)) && !bytes.HasPrefix(behind, []byte("null")) {
			return true
		}
		level, ok := levelIn(behind, l.key)
		return l.level && ok && level >= g.from
	}
	return false
}
