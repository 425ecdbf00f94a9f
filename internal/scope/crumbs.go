// This file remembers the last records of a scope that were no alerts.

package scope

import (
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/slackalert/internal/redact"
)

// maxCrumb bounds a breadcrumb's text, and each value in it, in bytes. So much
// more is remembered that a secret is seen as one before the cut goes through
// it.
const (
	maxCrumb      = 512
	maxCrumbValue = 128
	margin        = 128
)

// Crumb is one remembered record: its head, and its attributes of plain kinds.
// Nothing in it refers to what the program can still change.
type Crumb struct {
	At      time.Time
	Level   slog.Level
	Message string
	Groups  []string // that the attributes stand in
	Attrs   []slog.Attr
}

// Leave remembers a record whose attributes stand in groups, at most n of them.
// It keeps groups: they must not be changed.
func (s *Scope) Leave(n int, groups []string, r slog.Record) {
	for s.passing {
		if s = s.parent; s == nil {
			return
		}
	}
	c := Crumb{At: r.Time, Level: r.Level, Message: head(r.Message, maxCrumb), Groups: groups}
	r.Attrs(func(a slog.Attr) bool {
		switch a.Value.Kind() {
		case slog.KindAny, slog.KindLogValuer, slog.KindGroup:
		case slog.KindString:
			c.Attrs = append(c.Attrs, slog.String(a.Key, head(a.Value.String(), maxCrumbValue)))
		default:
			c.Attrs = append(c.Attrs, a)
		}
		return len(c.Attrs) < 8
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.crumbs) >= n { // one goes; another handler may want more of them
		s.crumbs = s.crumbs[1:]
	}
	s.crumbs = append(s.crumbs, c)
}

// Crumbs returns the records remembered by the scope and those around it,
// oldest first, the last n of them.
func (s *Scope) Crumbs(n int) (all []Crumb) {
	for t := s; t != nil; t = t.parent {
		t.mu.Lock()
		all = slices.Concat(t.crumbs, all)
		t.mu.Unlock()
	}
	slices.SortStableFunc(all, func(a, b Crumb) int { return a.At.Compare(b.At) })
	return all[max(0, len(all)-n):]
}

// head returns a copy of what is remembered of s to show n bytes of it.
func head(s string, n int) string { return strings.Clone(s[:min(len(s), n+margin)]) }

// Text is the crumb as it is shown with an alert logged at: how long before,
// level, message, attributes. With hide what is secret is [redacted]: by its
// looks, by its key, by a group around it.
func (c Crumb) Text(at time.Time, hide bool) string {
	var b strings.Builder
	if !at.IsZero() && !c.At.IsZero() {
		b.WriteString("-" + short(max(0, at.Sub(c.At))) + " ")
	}
	b.WriteString(c.Level.String() + " " + shown(c.Message, maxCrumb, hide))
	secret := hide && slices.ContainsFunc(c.Groups, redact.Key)
	for _, a := range c.Attrs {
		value := redact.Mark
		if !secret && !(hide && redact.Key(a.Key)) {
			value = shown(a.Value.String(), maxCrumbValue, hide)
		}
		b.WriteString(" " + a.Key + "=" + value)
	}
	text := b.String()
	if hide {
		text = redact.Text(text)
	}
	return cut(text, maxCrumb)
}

// shown returns n bytes of what head remembered. The end of what was longer may
// be half of a secret: it is left out, also where redacting made room for it.
func shown(s string, n int, hide bool) string {
	whole := len(s) < n+margin
	if hide {
		s = redact.Text(s)
	}
	if whole {
		return cut(s, n)
	}
	return cut(s, max(0, min(n, len(s)-margin)))
}

// cut shortens s to at most n bytes, between runes, and says so.
func cut(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.ToValidUTF8(s[:n], "\uFFFD") + "…"
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
