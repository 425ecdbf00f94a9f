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
	switch r := d.asked(pattern); {
	case r == Other:
		return ""
	case d[r] == d[Method]: // gRPC's method is its path
		return d[r]
	default:
		return d[Method] + " " + d.bare(d[r])
	}
}

// asked is the role of what was asked for, Other unless that is known.
func (d *Deed) asked(pattern bool) Role {
	switch {
	case d[Method] == "" || d[Path] == "" && d[Route] == "":
		return Other
	case d[Method] != strings.ToUpper(d[Method]) && !strings.Contains(d[Method], "/"):
		return Other // of a payment, say: "card"
	case d[Path] == "" || pattern && d[Route] != "":
		return Route
	}
	return Path
}

// Says reports whether Asked, with the status behind it, tells the attribute.
func (d *Deed) Says(a Attr, pattern bool) bool {
	r := d.asked(pattern)
	return r != Other && (a.Role == r || a.Role == Method || a.Role == Status) && a.Value == d[a.Role]
}

// Loud reports whether what a tells is worth full size.
func (a Attr) Loud() bool { return a.Role < Request }
