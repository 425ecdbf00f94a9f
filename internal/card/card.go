// Package card weighs what a group of alerts has to show and cuts it to the
// room there is, saying what was left out. Its texts are inert already; it
// draws nothing.
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
	Head       string // always shown whole
	Message    string // what the head doesn't say already
	Error      string
	Fields     []Field // the most telling first
	Unlisted   int     // fields beside those
	Stack      string
	StackLines int      // of the stack as logged; Stack may be cut
	Crumbs     []string // oldest first
	Earlier    int      // breadcrumbs before those
	MostCrumbs int      // units that all Crumbs may have
	Where      string   // source line
	Address    string   // its link
	When       []draw.Span
	Links      []Link
}

// Field is an attribute, or several told as one, which has no key then. Who
// marks those that tell who did what.
type Field struct {
	Key, Value string
	Who        bool
}

// Link is a named address; URL is "" where it can't be a link. Markup is the
// link in mrkdwn, for where that is used.
type Link struct{ Label, URL, Markup string }

// Shown is a card cut to its room.
type Shown struct {
	Message, Error, Stack, Crumbs string
	Fields                        []Field
	Where, Address                string
	When                          []draw.Span
	Links                         []Link
	Note                          string // says what was left out
}

const (
	opening   = 240 // of message, error and fields, before anything gets more
	least     = 100 // a stack or breadcrumbs with less room aren't worth it
	countSize = 20  // "… (+1,000 earlier)"
)

// Weight is what the card counts if it is shown in full.
func (c *Card) Weight() int {
	w := c.fixed() + c.fields() + c.when() + c.where() + c.address() + c.crumbs()
	w += inert.Len(c.Message) + inert.Len(c.Error) + inert.Len(c.Stack)
	for i := range c.Links {
		w += c.Links[i].weight()
	}
	return w
}

// fixed is what counts whatever the room: the head, and the longest note there
// can be.
func (c *Card) fixed() int {
	w := inert.Len(c.Head) + len(" · … (+)")
	for _, part := range []struct {
		there bool
		note  string
	}{
		{len(c.Fields)+c.Unlisted > 0, words.Plural(len(c.Fields)+c.Unlisted, "field") + "s, "},
		{len(c.Crumbs)+c.Earlier > 0, words.Plural(len(c.Crumbs)+c.Earlier, "breadcrumb") + "s, "},
		{len(c.Links) > 0, "11 links, "},
		{c.Stack != "", "stack, "}, {c.Message != "", "message, "}, {c.Error != "", "error, "},
		{c.Where != "", "source, "}, {len(c.When) > 0, "time, "},
	} {
		if part.there {
			w += len(part.note)
		}
	}
	return w
}

func (f *Field) weight() int { return inert.Len(f.Key) + inert.Len(f.Value) + len(" · ") }

func (c *Card) fields() (w int) {
	for i := range c.Fields {
		w += c.Fields[i].weight()
	}
	return w
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

func (c *Card) when() (w int) {
	for _, s := range c.When {
		w += s.Weight()
	}
	return w
}

func (c *Card) where() int {
	if c.Where == "" {
		return 0
	}
	return inert.Len(c.Where) + len(" · ")
}

// address counts what is escaped where it stands in mrkdwn.
func (c *Card) address() int { return len(c.Address) + strings.Count(c.Address, "&")*len("amp;") }

func (l *Link) weight() int { return len(l.Markup) + inert.Len(l.Label) + len(l.URL) + len(" · ") }

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

// purse is the room that is left.
type purse int

// some gives a part more, up to most.
func (p *purse) some(got *int, most int) {
	n := max(0, min(most-*got, int(*p)))
	*got += n
	*p -= purse(n)
}

// all pays for a part that isn't cut; nothing costs nothing.
func (p *purse) all(cost int) bool {
	ok := cost > 0 && cost <= int(*p)
	if ok {
		*p -= purse(cost)
	}
	return ok
}

// Cut cuts the card to room, its head included. The order is that of worth: how
// it begins, who, when and where, links; then the rest of each; stack and
// breadcrumbs last. With too little room only the head is left, and a note.
func (c *Card) Cut(room int) Shown {
	var s Shown
	var message, failure, fields, stack, crumbs int
	left := purse(room - c.fixed())
	wantMessage, wantError, wantFields := inert.Len(c.Message), inert.Len(c.Error), c.fields()
	left.some(&message, min(wantMessage, opening))
	left.some(&failure, min(wantError, opening))
	left.some(&fields, min(wantFields, opening))
	if left.all(c.when()) {
		s.When = c.When
	}
	if left.all(c.where()) {
		s.Where = c.Where
	}
	if s.Where != "" && left.all(c.address()) {
		s.Address = c.Address
	}
	for _, l := range c.Links {
		if left.all(l.weight()) {
			s.Links = append(s.Links, l)
		}
	}
	left.some(&message, min(wantMessage, message+int(left)/2))
	left.some(&failure, wantError)
	left.some(&message, wantMessage)
	left.some(&fields, wantFields)
	if want := inert.Len(c.Stack); int(left) >= min(want, least) {
		left.some(&stack, want)
	}
	if want := c.crumbs(); int(left) >= min(want, least) {
		left.some(&crumbs, want)
	}
	s.Message, s.Error = inert.Cut(c.Message, message), inert.Cut(c.Error, failure)
	s.Stack, s.Crumbs = c.top(stack), c.latest(crumbs)
	var missing int
	s.Fields, missing = c.first(fields)
	s.Note = c.note(&s, missing)
	return s
}

// first is the fields that fit, the last one cut if need be, and how many are
// left out.
func (c *Card) first(room int) (fit []Field, missing int) {
	for i, f := range c.Fields {
		room -= f.weight()
		switch keep := inert.Len(f.Value) + room; {
		case room >= 0:
		case keep >= 24:
			f.Value = inert.Cut(f.Value, keep)
			return append(slices.Clone(c.Fields[:i]), f), len(c.Fields) - i - 1 + c.Unlisted
		default:
			return c.Fields[:i], len(c.Fields) - i + c.Unlisted
		}
	}
	return c.Fields, c.Unlisted
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
func (c *Card) latest(room int) string {
	if room == 0 {
		return ""
	}
	from := c.fitting(room)
	if from+c.Earlier > 0 {
		from = c.fitting(room - countSize)
	}
	text := strings.Join(c.Crumbs[from:], "\n")
	if earlier := from + c.Earlier; earlier > 0 && text != "" {
		text = fmt.Sprintf("… (+%s earlier)\n%s", words.Thousands(earlier), text)
	}
	return text
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
func (c *Card) note(s *Shown, fields int) string {
	var out []string
	count := func(n int, noun string) {
		if n > 0 {
			out = append(out, words.Plural(n, noun))
		}
	}
	name := func(missing bool, what string) {
		if missing {
			out = append(out, what)
		}
	}
	count(fields, "field")
	name(c.Stack != "" && s.Stack == "", "stack")
	if s.Crumbs == "" {
		count(len(c.Crumbs)+c.Earlier, "breadcrumb")
	}
	count(len(c.Links)-len(s.Links), "link")
	name(c.Message != "" && s.Message == "", "message")
	name(c.Error != "" && s.Error == "", "error")
	name(c.Where != "" && s.Where == "", "source")
	name(len(c.When) > 0 && len(s.When) == 0, "time")
	if len(out) == 0 {
		return ""
	}
	return "… (+" + strings.Join(out, ", ") + ")"
}
