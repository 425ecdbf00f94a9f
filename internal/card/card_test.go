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
		Head: "🔴 ERROR · 401", Message: strings.Repeat("m", 500), Error: strings.Repeat("e", 500),
		Fields: []Field{{"user", "41", true}, {"path", "/pay", true}, {"long", strings.Repeat("v", 300), false}, {"last", "x", false}}, Unlisted: 3,
		Stack: strings.Repeat("main.f\n  main.go:1\n", 20), StackLines: 40,
		Crumbs: []string{"first", "second", "third"}, Earlier: 2, MostCrumbs: 500,
		Where: "pay.go:1", Address: "https://git.example/pay.go#L1",
		When: []draw.Span{{At: time.Unix(1, 0)}}, Links: []Link{{Label: "Logs", URL: "https://logs.example"}},
	}
}

func TestCutInFull(t *testing.T) {
	c := full()
	s := c.Cut(c.Weight())
	assert.Equal(t, c.Message, s.Message)
	assert.Equal(t, c.Error, s.Error)
	assert.Equal(t, c.Fields, s.Fields)
	assert.Equal(t, c.Stack, s.Stack)
	assert.Equal(t, "… (+2 earlier)\nfirst\nsecond\nthird", (&Card{Crumbs: c.Crumbs, Earlier: 2, MostCrumbs: 500}).Cut(1000).Crumbs)
	assert.Equal(t, c.Where+c.Address, s.Where+s.Address)
	assert.Equal(t, c.Links, s.Links)
	assert.Equal(t, "… (+3 fields)", s.Note)
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

	s = c.Cut(1600)
	assert.Empty(t, s.Stack)
	assert.Equal(t, "… (+3 fields, stack, 5 breadcrumbs)", s.Note)
	assert.Equal(t, c.Message, s.Message)
	assert.Equal(t, c.Error, s.Error)

	s = c.Cut(1000)
	assert.Equal(t, "…", s.Message[len(s.Message)-3:])
	assert.GreaterOrEqual(t, inert.Len(s.Message), opening)
	assert.Equal(t, "user", s.Fields[0].Key)
	assert.Equal(t, c.Where, s.Where)

	s = c.Cut(200)
	assert.Empty(t, s.Fields)
	s.Fields = nil
	assert.Equal(t, Shown{Message: s.Message, Note: "… (+7 fields, stack, 5 breadcrumbs, 1 link, error, source, time)"}, s)
	assert.Contains(t, s.Message, "…")

	s = c.Cut(0)
	s.Fields = nil
	assert.Equal(t, Shown{Note: "… (+7 fields, stack, 5 breadcrumbs, 1 link, message, error, source, time)"}, s)
}

// Whatever the room, what is shown keeps to it: the head and the note aside,
// which the room must have.
func TestCutKeepsToRoom(t *testing.T) {
	c := full()
	for room := range c.Weight() + 50 {
		s := c.Cut(room)
		note := inert.Len(s.Note)
		shown := inert.Len(c.Head) + note + inert.Len(s.Message) + inert.Len(s.Error) + inert.Len(s.Stack) +
			inert.Len(s.Crumbs) + inert.Len(s.Where) + len(s.Address) + 56*len(s.When) + 24*len(s.Links)
		for _, f := range s.Fields {
			shown += inert.Len(f.Key) + inert.Len(f.Value) + 3
		}
		require.LessOrEqual(t, shown, max(room, inert.Len(c.Head)+note))
		require.LessOrEqual(t, inert.Len(c.Head)+note, c.fixed())
	}
}

func TestLatestKeepsTheLast(t *testing.T) {
	c := &Card{Crumbs: []string{strings.Repeat("a", 80), strings.Repeat("b", 80), strings.Repeat("c", 80)}, MostCrumbs: 200}
	assert.Equal(t, "… (+1 earlier)\n"+c.Crumbs[1]+"\n"+c.Crumbs[2], c.Cut(1000).Crumbs)
	c.MostCrumbs = 500
	assert.Equal(t, strings.Join(c.Crumbs, "\n"), c.Cut(1000).Crumbs)
}

func TestTopKeepsTheFirst(t *testing.T) {
	c := &Card{Stack: "main.a\n  a.go:1\nmain.b\n  b.go:…", StackLines: 100} // cut already
	assert.Equal(t, "main.a\n… (+99 lines)", c.Cut(1000).Stack)
	c = &Card{Stack: strings.Repeat("x", 200), StackLines: 1}
	assert.Equal(t, c.Stack, c.Cut(1000).Stack)
}

func TestLevel(t *testing.T) {
	assert.Equal(t, math.MaxInt, Level([]int{10, 20, 30}, 60), "all fit")
	assert.Equal(t, 24, Level([]int{30, 10, 1000}, 58), "who needs less leaves it to the others")
	assert.Equal(t, 20, Level([]int{1000, 1000, 1000}, 60))
	assert.Equal(t, math.MaxInt, Level(nil, 0))
}
