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
// link in mrkdwn.
type Link struct{ Label, URL, Markup string }

const (
	opening   = 240 // of a text, before any gets more
	least     = 100 // a stack or breadcrumbs with less room aren't worth it
	countSize = 20  // "… (+1,000 earlier)"

	labels     = 40 // "Stack", "What came before" and the ends of lines
	labelLimit = 150
)

// NewLink makes a link whose label is made inert for p, or a text where its
// address is none of the web's.
func NewLink(label, address string, p inert.Place) Link {
	if url := inert.URL(address); url != "" {
		if inert.Blank(label) {
			label = "Link"
		}
		return Link{inert.Text(label, labelLimit, p), url, draw.Anchor(label, url)}
	}
	return Link{Label: inert.Text(words.Join(": ", label, address), 200, p)}
}

// part is what a card may be without.
type part struct {
	name    string // in the note, where it isn't shown; "" = fields, which are counted
	count   int    // how many of that name it is; 0 = one that needs no number
	want    int    // units that it needs in full
	opening int    // of those, given before any part gets more
	least   int    // with less it isn't shown
	show    func(s *Card, room int)
	got     int
}

// parts lists what there is in the order of worth: how it begins, how often,
// who, when and where, links; then the rest of each; stack and breadcrumbs last.
func (c *Card) parts() []part {
	all := make([]part, 0, 12+len(c.Links))
	add := func(p part) {
		if p.want > 0 {
			p.opening, p.least = min(p.opening, p.want), min(p.least, p.want)
			all = append(all, p)
		}
	}
	whole := func(name string, count, want int, show func(*Card)) {
		add(part{name: name, count: count, want: want, opening: want, least: want, show: func(s *Card, _ int) { show(s) }})
	}
	fields := func(from []Field, opening int, to func(*Card, []Field)) {
		add(part{want: weigh(from), opening: opening, least: 1, show: func(s *Card, room int) { to(s, s.take(from, room)) }})
	}
	add(part{name: "message", want: inert.Len(c.Message), opening: opening, least: 1, show: func(s *Card, n int) { s.Message = inert.Cut(c.Message, n) }})
	add(part{name: "error", want: inert.Len(c.Error), opening: opening, least: 1, show: func(s *Card, n int) { s.Error = inert.Cut(c.Error, n) }})
	whole("count", 0, spans(c.Often), func(s *Card) { s.Often = c.Often })
	fields(c.Loud, opening, func(s *Card, f []Field) { s.Loud = f })
	fields(c.Small, opening, func(s *Card, f []Field) { s.Small = f })
	whole("host", 0, inert.Len(c.Home), func(s *Card) { s.Home = c.Home })
	whole("time", 0, spans(c.When), func(s *Card) { s.When = c.When })
	add(part{name: "source", want: c.Source.weight(), opening: c.Source.weight(), least: inert.Len(c.Source.Label) + len(" · "), show: func(s *Card, n int) { s.Source = c.Source.within(n) }})
	for i := range c.Links {
		whole("link", 1, c.Links[i].weight(), func(s *Card) { s.Links = append(s.Links, c.Links[i]) })
	}
	fields(c.Long, 0, func(s *Card, f []Field) { s.Long = f })
	add(part{name: "stack", want: inert.Len(c.Stack), least: least, show: func(s *Card, n int) { s.Stack = c.top(n) }})
	add(part{name: "breadcrumb", count: len(c.Crumbs) + c.Earlier, want: c.crumbs(), least: least, show: func(s *Card, n int) { s.Crumbs = c.latest(n) }})
	return all
}

// Weight is what the card counts if it is shown in full.
func (c *Card) Weight() int {
	all := c.parts()
	w := c.fixed(all)
	for _, p := range all {
		w += p.want
	}
	return w
}

// fixed is what counts whatever the room: the head, and the longest note there
// can be.
func (c *Card) fixed(all []part) int {
	w := inert.Len(c.Head) + inert.Len(c.Line) + inert.Len(c.Notes) + inert.Len(c.Example) + len("** \n↳  · ")
	if c.Terse {
		return w
	}
	w += len(" · … (+)") + labels
	if n := c.listed(); n > 0 {
		w += len(words.Plural(n, "field") + "s, ")
	}
	for _, p := range all {
		w += len(p.name) + len("s, 10,000 ")
	}
	return w
}

func (c *Card) listed() int { return len(c.Loud) + len(c.Small) + len(c.Long) + c.Unlisted }

func weigh(fields []Field) (w int) {
	for i := range fields {
		w += fields[i].weight()
	}
	return w
}

func (f *Field) weight() int { return inert.Len(f.Key) + inert.Len(f.Value) + len(" · \n") }

func spans(all []draw.Span) (w int) {
	for _, s := range all {
		w += s.Weight()
	}
	return w
}

func (l *Link) weight() int {
	if l.Label == "" {
		return 0
	}
	return max(inert.Len(l.Markup), inert.Len(l.Label)+len(l.URL)) + len(" · ")
}

// within is the link, or its label where there isn't room for the link.
func (l Link) within(room int) Link {
	if room < l.weight() {
		return Link{Label: l.Label}
	}
	return l
}

func (c *Card) crumbs() (w int) {
	for _, crumb := range c.Crumbs {
		w += inert.Len(crumb) + 1
	}
	if c.Earlier > 0 {
		w += countSize
	}
	return min(w, c.MostCrumbs)
}

// Level is the most that each of the weights may be so that together they keep
// the budget: who needs less leaves the rest to the others.
func Level(weights []int, budget int) int {
	for i, w := range slices.Sorted(slices.Values(weights)) {
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
	all := c.parts()
	left := room - c.fixed(all)
	give := func(p *part, most int) {
		if n := min(most-p.got, left); n > 0 && p.got+n >= p.least {
			p.got += n
			left -= n
		}
	}
	for i := range all {
		give(&all[i], all[i].opening)
	}
	for i := range all {
		give(&all[i], all[i].want)
	}
	s := Card{Head: c.Head, Line: c.Line, Notes: c.Notes, Example: c.Example, Unlisted: c.Unlisted, Terse: c.Terse}
	for i := range all {
		if p := &all[i]; p.got > 0 || p.name == "" {
			p.show(&s, p.got)
		}
	}
	if !c.Terse {
		s.Note = s.note(all)
	}
	return s
}

// take is the fields that fit, the last one cut if need be; it counts those that
// are left out.
func (s *Card) take(fields []Field, room int) []Field {
	for i, f := range fields {
		room -= f.weight()
		switch keep := inert.Len(f.Value) + room; {
		case room >= 0:
		case keep >= 24:
			f.Value = inert.Cut(f.Value, keep)
			s.Unlisted += len(fields) - i - 1
			return append(slices.Clone(fields[:i]), f)
		default:
			s.Unlisted += len(fields) - i
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
	from := c.fitting(room)
	if from+c.Earlier > 0 {
		from = c.fitting(room - countSize)
	}
	all := c.Crumbs[from:]
	if earlier := from + c.Earlier; earlier > 0 && len(all) > 0 {
		all = append([]string{fmt.Sprintf("… (+%s earlier)", words.Thousands(earlier))}, all...)
	}
	return all
}

// fitting is the first of the breadcrumbs which, with those after it, fit.
func (c *Card) fitting(room int) (from int) {
	for from = len(c.Crumbs); from > 0; from-- {
		room -= inert.Len(c.Crumbs[from-1]) + 1
		if room < -1 { // the last line has no line break
			break
		}
	}
	return from
}

// note says what isn't shown at all.
func (s *Card) note(all []part) string {
	var out []string
	if s.Unlisted > 0 {
		out = append(out, words.Plural(s.Unlisted, "field"))
	}
	links := 0
	for _, p := range all {
		switch {
		case p.got > 0 && (p.name != "breadcrumb" || len(s.Crumbs) > 0) || p.name == "":
		case p.name == "link":
			links++
		case p.count > 0:
			out = append(out, words.Plural(p.count, p.name))
		default:
			out = append(out, p.name)
		}
	}
	if links > 0 {
		out = append(out, words.Plural(links, "link"))
	}
	if len(out) == 0 {
		return ""
	}
	return "… (+" + strings.Join(out, ", ") + ")"
}
