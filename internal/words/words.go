// Package words writes numbers and times as people read them.
package words

import (
	"strconv"
	"strings"
	"time"
)

// Join joins what isn't blank.
func Join(sep string, parts ...string) (joined string) {
	for _, p := range parts {
		switch {
		case strings.TrimSpace(p) == "":
		case joined == "":
			joined = p
		default:
			joined += sep + p
		}
	}
	return joined
}

// FirstLine is s up to its first line break.
func FirstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// Thousands writes 4312 as 4,312.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Plural counts things: 1 field, 2 fields.
func Plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Thousands(n) + " " + noun
}

// mostNames is how many of many are named.
const mostNames = 3

// Among counts things, and names the first of those whose names are known:
// "20 hosts: web-1, web-2, web-3, …".
func Among(n int, noun string, names []string) string {
	names = names[:min(len(names), mostNames)]
	named := strings.Join(names, ", ")
	if len(names) > 0 && n > len(names) {
		named += ", …"
	}
	return Join(": ", Plural(n, noun), named)
}

// Duration is d in the largest unit that doesn't round it away; never less
// than a second.
func Duration(d time.Duration) string {
	in := func(unit time.Duration, name string) string {
		return Thousands(max(1, int(d.Round(unit)/unit))) + " " + name
	}
	switch {
	case d < 90*time.Second:
		return in(time.Second, "s")
	case d < 90*time.Minute:
		return in(time.Minute, "min")
	case d < 36*time.Hour:
		return in(time.Hour, "h")
	}
	return in(24*time.Hour, "d")
}

// UTC is a time in full, for clients that can't show it in the reader's zone.
func UTC(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Clock is the time of day, with the date when it isn't much the same as now.
func Clock(t, now time.Time) string {
	if d := now.Sub(t); d < 0 || d > 20*time.Hour {
		return t.UTC().Format("Jan 2 15:04 UTC")
	}
	return t.UTC().Format("15:04 UTC")
}
