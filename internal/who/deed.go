// This file finds out of an alert's attributes who did what.

package who

import (
	"slices"
	"strings"
)

// Attr is an attribute as logged, and what it tells.
type Attr struct {
	Key, Value string
	Role       Role
}

// Deed is who did what: of each role the first value that isn't blank.
type Deed [Other]string

// Tell puts the attributes that tell most first, each role in the order in
// which they came, and reads the deed from them. What only says a path again is
// taken out, as routes of Go's ServeMux may be that have no pattern in them.
// attrs is written to.
func Tell(attrs []Attr) (Deed, []Attr) {
	slices.SortStableFunc(attrs, func(a, b Attr) int { return int(a.Role - b.Role) })
	var d Deed
	for _, a := range attrs {
		if a.Role != Other && d[a.Role] == "" && strings.TrimSpace(a.Value) != "" {
			d[a.Role] = a.Value
		}
	}
	first := true
	attrs = slices.DeleteFunc(attrs, func(a Attr) bool {
		if a.Role != Path && a.Role != Route || d[Path] == "" || d.bare(a.Value) != d.bare(d[Path]) {
			return false
		}
		again := !first
		first = false
		return again
	})
	if d.bare(d[Route]) == d.bare(d[Path]) {
		d[Route] = ""
	}
	return d, attrs
}

// bare is the path of "POST /pay".
func (d *Deed) bare(path string) string { return strings.TrimPrefix(path, d[Method]+" ") }

// Asked is what was asked for, "POST /pay/7", or with pattern what all that is
// alike asked for, "POST /pay/{id}"; "" unless method and path are known.
func (d *Deed) Asked(pattern bool) string {
	path := d[Path]
	if path == "" || pattern && d[Route] != "" {
		path = d[Route]
	}
	if d[Method] == "" || path == "" {
		return ""
	}
	return d[Method] + " " + d.bare(path)
}

// Says reports whether Asked, with the status behind it, tells the attribute.
func (d *Deed) Says(a Attr, pattern bool) bool {
	if d.Asked(pattern) == "" || a.Role == Other || a.Value != d[a.Role] {
		return false
	}
	switch a.Role {
	case Method, Status:
		return true
	case Path:
		return !pattern || d[Route] == ""
	case Route:
		return pattern || d[Path] == ""
	}
	return false
}

// Loud reports whether what a tells is worth full size.
func (a Attr) Loud() bool { return a.Role < Request }
