// This file remembers the last records of a scope that were no alerts.

package scope

import (
	"log/slog"
	"slices"
	"strings"
	"time"
)

// maxCrumb bounds a breadcrumb's text, and each value in it, in bytes.
const (
	maxCrumb      = 512
	maxCrumbValue = 128
)

// Crumb is one remembered record: its head, and its attributes of plain kinds.
// Nothing in it refers to what the program can still change.
type Crumb struct {
	At      time.Time
	Level   slog.Level
	Message string
	Attrs   []slog.Attr
}

// Leave remembers a record, at most n of them.
func (s *Scope) Leave(n int, r slog.Record) {
	c := Crumb{At: r.Time, Level: r.Level, Message: strings.Clone(cut(r.Message, maxCrumb))}
	r.Attrs(func(a slog.Attr) bool {
		switch a.Value.Kind() {
		case slog.KindAny, slog.KindLogValuer, slog.KindGroup:
		case slog.KindString:
			c.Attrs = append(c.Attrs, slog.String(a.Key, strings.Clone(cut(a.Value.String(), maxCrumbValue))))
		default:
			c.Attrs = append(c.Attrs, a)
		}
		return len(c.Attrs) < 8
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.crumbs) < n {
		s.crumbs = append(slices.Concat(s.crumbs[s.next:], s.crumbs[:s.next]), c)
		s.next = 0
		return
	}
	s.crumbs[s.next] = c
	s.next = (s.next + 1) % len(s.crumbs)
}

// Crumbs returns the records remembered by the scope and those around it,
// oldest first, the last n of them.
func (s *Scope) Crumbs(n int) []Crumb {
	var all []Crumb
	for t := s; t != nil; t = t.parent {
		t.mu.Lock()
		own := make([]Crumb, 0, len(t.crumbs)+len(all))
		for i := range t.crumbs {
			own = append(own, t.crumbs[(t.next+i)%len(t.crumbs)])
		}
		t.mu.Unlock()
		all = merge(own, all)
	}
	return all[max(0, len(all)-n):]
}

// merge keeps two runs, each in order, in order.
func merge(a, b []Crumb) []Crumb {
	out := make([]Crumb, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if b[0].At.Before(a[0].At) {
			out, b = append(out, b[0]), b[1:]
		} else {
			out, a = append(out, a[0]), a[1:]
		}
	}
	return append(append(out, a...), b...)
}

// cut shortens s to at most n bytes, between runes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

// Text is the crumb as it is shown with an alert logged at: how long before,
// level, message, attributes.
func (c Crumb) Text(at time.Time) string {
	var b strings.Builder
	if !at.IsZero() && !c.At.IsZero() {
		b.WriteString("-" + short(max(0, at.Sub(c.At))) + " ")
	}
	b.WriteString(c.Level.String() + " " + c.Message)
	for _, a := range c.Attrs {
		b.WriteString(" " + a.Key + "=" + a.Value.String())
	}
	return cut(b.String(), maxCrumb)
}

// short is a duration as a person reads it: three digits are enough.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}
