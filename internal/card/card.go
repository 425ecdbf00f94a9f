// This file weighs what a group has to show and cuts it to the room there is.

// Package card shows one group of alerts: it weighs what there is, cuts it to
// the room there is, saying what was left out, and draws it. Its texts are inert
// already.
package card

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"example.com/slackalert/internal/draw"
	"example.com/slackalert/internal/inert"
	"example.com/slackalert/internal/words"
)

// Card is all that a group has to show. A part that is empty isn't shown.
type Card struct {
	Head  string // in bold; always shown whole, as are Line and Notes
	Line  string // behind the head
	Notes string // what else a reader must know

	Message  string // what the head doesn't say already
	Error    string
	Often    []draw.Span // how often and since when
	Loud     []Field     // who did what, at full size
	Example  string      // "first: " or "latest: ": whose attributes Small are
	Small    []Field     // the others
	Long     []Field     // those that need a line each, or a box
	Unlisted int         // fields beside those

	Home       string // hosts
	Source     Link   // the source line
	When       []draw.Span
	Links      []Link
	Stack      string
	StackLines int      // of the stack as logged; Stack may be cut
	Crumbs     []string // oldest first
	Earlier    int      // breadcrumbs before those
	MostCrumbs int      // units that all Crumbs may have

	Terse bool   // there is no room for a note
	Note  string // what was left out, of a card that was cut
}

// Field is an attribute, or several told as one, which has no key then.
type Field struct{ Key, Value string }

// Link is a named address; URL is "" where it can't be a link. Markup is the
// link in mrkdwn, "" where it is too long for small print.
type Link struct{ Label, URL, Markup string }

const (
	opening   = 240 // of a text, before any gets more
	least     = 100 // a stack or breadcrumbs with less room aren't worth it
	countSize = 20  // "… (+1,000 earlier)"

	labels     = 40 // "Stack", "What came before" and the ends of lines
	labelLimit = 150
	noteSize   = 120 // what of a card isn't shown
)

// NewLink makes a link whose label is made inert for p, or a text where its
// address is none of the web's.
func NewLink(label, address string, p inert.Place) Link {
	if url := inert.URL(address); url != "" {
		if inert.Blank(label) {
			label = "Link"
		}
		l := Link{Label: inert.Text(label, labelLimit, p), URL: url, Markup: draw.Anchor(label, url)}
		if inert.Len(l.Markup) > contextLimit/2 {
			l.Markup = ""
		}
		return l
	}
	return Link{Label: inert.Text(words.Join(": ", label, address), 200, p)}
}

// NewSource is NewLink for a source line, which stands in small print only.
func NewSource(label, address string, p inert.Place) Link {
	l := NewLink(label, address, p)
	if l.Markup == "" {
		l.URL = ""
	}
	return l
}

// part is what a card may be without.
type part struct {
	name    string // in the note, where it isn't shown; "" = counted there
	want    int    // units that it needs in full
	opening int    // of those, given before any part gets more
	least   int    // with less it isn't shown
	cut     func(c *Card, room int)
	got     int
}

// all is the opening of what isn't cut.
const all = math.MaxInt

// parts lists what there is in the order of worth: how it begins, how often,
// who, when and where, links; then the rest of each; stack and breadcrumbs last.
func (c *Card) parts() [12]part {
	return [...]part{
		{name: "message", want: inert.Len(c.Message), opening: opening, cut: func(c *Card, n int) { c.Message = inert.Cut(c.Message, n) }},
		{name: "error", want: inert.Len(c.Error), opening: opening, cut: func(c *Card, n int) { c.Error = inert.Cut(c.Error, n) }},
		{name: "count", want: draw.Weight(c.Often...), opening: all, least: all, cut: func(c *Card, n int) { c.Often = c.Often[:min(n, len(c.Often))] }},
		{want: sum(c.Loud, Field.weight), opening: opening, cut: func(c *Card, n int) { c.Loud = c.take(c.Loud, n) }},
		{want: sum(c.Small, Field.weight), opening: opening, cut: func(c *Card, n int) { c.Small = c.take(c.Small, n) }},
		{name: "host", want: inert.Len(c.Home), opening: all, least: all, cut: func(c *Card, n int) { c.Home = inert.Cut(c.Home, n) }},
		{name: "time", want: draw.Weight(c.When...), opening: all, least: all, cut: func(c *Card, n int) { c.When = c.When[:min(n, len(c.When))] }},
		{name: "source", want: c.Source.weight(), opening: all, least: c.Source.bare(), cut: func(c *Card, n int) { c.Source = c.Source.within(n) }},
		{want: sum(c.Links, Link.weight), opening: all, cut: func(c *Card, n int) { c.Links = fitting(c.Links, n) }},
		{want: sum(c.Long, Field.weight), cut: func(c *Card, n int) { c.Long = c.take(c.Long, n) }},
		{name: "stack", want: inert.Len(c.Stack), least: least, cut: func(c *Card, n int) { c.Stack = c.top(n) }},
		{want: min(c.crumbs(), c.MostCrumbs), least: least, cut: func(c *Card, n int) { c.Crumbs = c.latest(n) }},
	}
}

// Weight is what the card counts if it is shown in full.
func (c *Card) Weight() int {
	w := c.fixed()
	for _, p := range c.parts() {
		w += p.want
	}
	return w
}

// fixed is what counts whatever the room: the head, and a note.
func (c *Card) fixed() int {
	w := inert.Len(c.Head) + inert.Len(c.Line) + inert.Len(c.Notes) + inert.Len(c.Example) + len("** \n↳  · ")
	if !c.Terse {
		w += labels + noteSize
	}
	return w
}

func sum[T any](all []T, weight func(T) int) (w int) {
	for _, v := range all {
		w += weight(v)
	}
	return w
}

func (f Field) weight() int { return inert.Len(f.Key) + inert.Len(f.Value) + len(" · \n") }

func (l Link) weight() int {
	if l.Label == "" {
		return 0
	}
	return max(inert.Len(l.Markup), inert.Len(l.Label)+len(l.URL)) + len(" · ")
}

// bare is what the label alone counts.
func (l Link) bare() int { return inert.Len(l.Label) + len(" · ") }

// fitting is those of the links that fit.
func fitting(links []Link, room int) []Link {
	var fit []Link
	for i := range links {
		if w := links[i].weight(); w <= room {
			fit = append(fit, links[i])
			room -= w
		}
	}
	return fit
}

// within is the link, or its label where there isn't room for the link.
func (l Link) within(room int) Link {
	switch {
	case room >= l.weight():
		return l
	case room >= l.bare():
		return Link{Label: l.Label}
	}
	return Link{}
}

func (c *Card) crumbs() (w int) {
	for _, crumb := range c.Crumbs {
		w += inert.Len(crumb) + 1
	}
	if c.Earlier > 0 {
		w += countSize
	}
	return w
}

// Level is the most that each of the cards may weigh so that together they keep
// the budget: who needs less leaves the rest to the others.
func Level(cards []Card, budget int) int {
	weights := make([]int, len(cards))
	for i := range cards {
		weights[i] = cards[i].Weight()
	}
	slices.Sort(weights)
	for i, w := range weights {
		share := budget / (len(weights) - i)
		if w > share {
			return share
		}
		budget -= w
	}
	return math.MaxInt
}

// Cut cuts the card to room, its head included. With too little room only the
// head is left, and a note.
func (c *Card) Cut(room int) Card {
	parts := c.parts()
	left := room - c.fixed()
	give := func(p *part, most int) {
		n := min(most, p.want-p.got, left)
		if n > 0 && p.got+n >= min(p.least, p.want) {
			p.got += n
			left -= n
		}
	}
	for i := range parts {
		give(&parts[i], parts[i].opening)
	}
	s := *c
	for i := range parts {
		give(&parts[i], all)
		parts[i].cut(&s, parts[i].got)
	}
	if !c.Terse {
		s.Note = c.note(&s, parts[:])
	}
	return s
}

// take is the fields that fit, the last one cut if need be; it counts those that
// are left out.
func (c *Card) take(fields []Field, room int) []Field {
	for i, f := range fields {
		room -= f.weight()
		switch keep := inert.Len(f.Value) + room; {
		case room >= 0:
		case keep >= 24:
			cut := inert.Cut
			if c.Terse {
				cut = inert.CutMarkup // as its second line is
			}
			f.Value = cut(f.Value, keep)
			c.Unlisted += len(fields) - i - 1
			return append(slices.Clone(fields[:i]), f)
		default:
			c.Unlisted += len(fields) - i
			return fields[:i]
		}
	}
	return fields
}

// top is as many of the stack's first lines as fit, and how many more there are.
func (c *Card) top(room int) string {
	s := inert.Cut(c.Stack, room)
	if !strings.HasSuffix(s, "…") {
		return s
	}
	s = inert.Cut(c.Stack, room-countSize)
	if i := strings.LastIndexByte(s, '\n'); i > 0 {
		s = s[:i]
	}
	if more := c.StackLines - strings.Count(s, "\n") - 1; more > 0 && s != "" {
		s += fmt.Sprintf("\n… (+%s)", words.Plural(more, "line"))
	}
	return s
}

// latest is as many of the last breadcrumbs as fit, and how many there were
// before.
func (c *Card) latest(room int) []string {
	all, earlier := c.Crumbs, c.Earlier
	for w := c.crumbs(); len(all) > 0 && w > room+1; earlier++ { // the last line has no line break
		if w -= inert.Len(all[0]) + 1; earlier == 0 {
			w += countSize
		}
		all = all[1:]
	}
	if earlier > 0 && len(all) > 0 {
		all = append([]string{fmt.Sprintf("… (+%s earlier)", words.Thousands(earlier))}, all...)
	}
	return all
}

// note says what of the card isn't shown at all.
func (c *Card) note(shown *Card, parts []part) string {
	var out []string
	count := func(n int, noun string) {
		if n > 0 {
			out = append(out, words.Plural(n, noun))
		}
	}
	count(shown.Unlisted, "field")
	for i := range parts {
		if p := &parts[i]; p.name != "" && p.want > 0 && p.got == 0 {
			out = append(out, p.name)
		}
	}
	if len(shown.Crumbs) == 0 {
		count(len(c.Crumbs)+c.Earlier, "breadcrumb")
	}
	count(len(c.Links)-len(shown.Links), "link")
	if len(out) == 0 {
		return ""
	}
	return "… (+" + strings.Join(out, ", ") + ")"
}
