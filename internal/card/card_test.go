package card

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/draw"
	"example.com/slackalert/internal/inert"
)

func full() *Card {
	return &Card{
		Head: "🔴 401", Notes: "back after 3 h", Message: strings.Repeat("m", 500), Error: strings.Repeat("e", 500), Example: "first: ",
		Often: []draw.Span{{Text: "9 times, since "}, {At: time.Unix(1, 0)}},
		Loud:  []Field{{"user", "41"}, {"path", "/pay"}}, Small: []Field{{"order", "1007"}}, Unlisted: 3,
		Long: []Field{{"long", strings.Repeat("v", 300)}, {"last", "x"}}, Stack: strings.Repeat("main.f\n  main.go:1\n", 20), StackLines: 40,
		Crumbs: []string{"first", "second", "third"}, Earlier: 2, MostCrumbs: 500, Home: "web-1",
		Source: Link{Label: "pay.go:1", URL: "https://git.example/pay.go#L1", Markup: "<https://git.example/pay.go#L1|pay.go:1>"},
		When:   []draw.Span{{At: time.Unix(1, 0)}}, Links: []Link{{Label: "Logs", URL: "https://logs.example", Markup: "<https://logs.example|Logs>"}},
	}
}

func TestCutInFull(t *testing.T) {
	c := full()
	want := *c
	want.Note = "… (+3 fields)"
	want.Crumbs = append([]string{"… (+2 earlier)"}, c.Crumbs...)
	assert.Equal(t, want, c.Cut(c.Weight()))
}

// As room shrinks, breadcrumbs go first, then the stack, then what is long of
// fields, error and message; how each begins stays longest.
func TestCutInOrder(t *testing.T) {
	c := full()
	s := c.Cut(c.Weight() - 100)
	assert.Empty(t, s.Crumbs)
	assert.Contains(t, s.Note, "5 breadcrumbs")
	assert.True(t, strings.HasSuffix(s.Stack, " lines)"), s.Stack)
	assert.Equal(t, c.Message, s.Message)

	s = c.Cut(1800)
	assert.Empty(t, s.Stack)
	assert.Equal(t, "… (+3 fields, stack, 5 breadcrumbs)", s.Note)
	assert.Equal(t, c.Message, s.Message)
	assert.Equal(t, c.Error, s.Error)

	s = c.Cut(1200)
	assert.Equal(t, "…", s.Message[len(s.Message)-3:])
	assert.GreaterOrEqual(t, inert.Len(s.Message), opening)
	assert.Equal(t, c.Loud, s.Loud)
	assert.Equal(t, c.Source, s.Source)

	s = c.Cut(400)
	assert.Equal(t, "… (+8 fields, error, count, host, time, source, stack, 5 breadcrumbs, 1 link)", s.Note)
	assert.Contains(t, s.Message, "…")

	s = c.Cut(0)
	assert.Equal(t, "… (+8 fields, message, error, count, host, time, source, stack, 5 breadcrumbs, 1 link)", s.Note)
	assert.Empty(t, s.AppendTo(nil, nil, nil)[2:], "notes, and what isn't there")
}

// Where there is no room for an address the source is named without it, and a
// terse card says nothing of what it leaves out.
func TestCutTerse(t *testing.T) {
	c := &Card{Head: "🔴 ×9", Line: "boom", Loud: []Field{{"user", "41"}}, Source: full().Source, Links: full().Links, Terse: true}
	assert.Equal(t, *c, c.Cut(c.Weight()))
	s := c.Cut(c.Weight() - c.Links[0].weight() - 1)
	assert.Equal(t, Link{Label: "pay.go:1"}, s.Source)
	assert.Empty(t, s.Note)
}

// Whatever the room, what is shown keeps to it: what always is shown aside, for
// which there must be room.
func TestCutKeepsToRoom(t *testing.T) {
	c := full()
	for room := range c.Weight() + 50 {
		s := c.Cut(room)
		fixed := inert.Len(s.Head) + inert.Len(s.Notes) + inert.Len(s.Example) + inert.Len(s.Note)
		shown := fixed + inert.Len(s.Message) + inert.Len(s.Error) + inert.Len(s.Stack) + inert.Len(strings.Join(s.Crumbs, "\n")) +
			draw.Weight(s.Often...) + draw.Weight(s.When...) + sum(s.Loud, Field.weight) + sum(s.Small, Field.weight) + sum(s.Long, Field.weight) + inert.Len(s.Source.Markup) + inert.Len(s.Home)
		for _, l := range s.Links {
			shown += inert.Len(l.Markup)
		}
		require.LessOrEqual(t, shown, max(room, fixed))
		require.LessOrEqual(t, fixed, c.fixed())
	}
}

func TestLatestKeepsTheLast(t *testing.T) {
	c := &Card{Crumbs: []string{strings.Repeat("a", 80), strings.Repeat("b", 80), strings.Repeat("c", 80)}, MostCrumbs: 200}
	assert.Equal(t, []string{"… (+1 earlier)", c.Crumbs[1], c.Crumbs[2]}, c.Cut(1000).Crumbs)
	c.MostCrumbs = 500
	assert.Equal(t, c.Crumbs, c.Cut(1000).Crumbs)
}

func TestTopKeepsTheFirst(t *testing.T) {
	c := &Card{Stack: "main.a\n  a.go:1\nmain.b\n  b.go:…", StackLines: 100} // cut already
	assert.Equal(t, "main.a\n… (+99 lines)", c.Cut(1000).Stack)
	c = &Card{Stack: strings.Repeat("x", 200), StackLines: 1}
	assert.Equal(t, c.Stack, c.Cut(1000).Stack)
}

func TestLevel(t *testing.T) {
	cards := func(weights ...int) (all []Card) {
		for _, w := range weights {
			c := Card{Terse: true}
			c.Line = strings.Repeat("x", w-c.Weight())
			all = append(all, c)
		}
		return all
	}
	assert.Equal(t, math.MaxInt, Level(cards(100, 200, 300), 600), "all fit")
	assert.Equal(t, 240, Level(cards(300, 100, 1000), 580), "who needs less leaves it to the others")
	assert.Equal(t, 200, Level(cards(1000, 1000, 1000), 600))
	assert.Equal(t, math.MaxInt, Level(nil, 0))
}

func TestNewLink(t *testing.T) {
	assert.Equal(t, Link{"Logs", "https://a.example", "<https://a.example|Logs>"}, NewLink("Logs", "https://a.example", inert.Row))
	assert.Equal(t, "Link", NewLink(" ", "https://a.example", inert.Row).Label)
	assert.Equal(t, Link{Label: "Bad: javascript:alert(1)"}, NewLink("Bad", "javascript:alert(1)", inert.Row))
	assert.Equal(t, Link{}, NewLink("", "", inert.Row))
}
