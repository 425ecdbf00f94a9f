package facts

import (
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

type valuer func() slog.Value

func (v valuer) LogValue() slog.Value { return v() }

// failure is an error that logs itself as a group, as those of several
// libraries do.
type failure struct{ text, code string }

func (f failure) Error() string { return f.text }
func (f failure) LogValue() slog.Value {
	return slog.GroupValue(slog.String("message", f.text), slog.String("code", f.code))
}

func record(args ...any) *slog.Record {
	r := slog.NewRecord(time.Time{}, slog.LevelError, "m", 0)
	r.Add(args...)
	return &r
}

// find is what a record's alert is made of.
func find(key string, args ...any) (f Facts) {
	finder := NewFinder(key)
	if !finder.Glance(record(args...), &f) {
		finder.Record(record(args...), nil, &f)
	}
	return f
}

func TestErrors(t *testing.T) {
	refused := errors.New("refused")
	for name, c := range map[string]struct {
		args []any
		want string
	}{
		"a value":                     {[]any{"n", 1, "what", refused}, "refused"},
		"the first of two":            {[]any{"a", refused, "b", io.EOF}, "refused"},
		"in a group":                  {[]any{slog.Group("g", "err", refused)}, "refused"},
		"that logs itself":            {[]any{"err", failure{text: "no card"}}, "no card"},
		"that logs itself, a pointer": {[]any{"x", &failure{text: "no card"}}, "no card"},
		"behind a LogValuer":          {[]any{"x", valuer(func() slog.Value { return slog.AnyValue(refused) })}, "refused"},
		"as text":                     {[]any{"error", "connection refused"}, "connection refused"},
		"as text, short":              {[]any{"err", "connection refused"}, "connection refused"},
		"as text of an exception":     {[]any{"exception", "connection refused"}, "connection refused"},
		"as text beside others":       {[]any{"a", []int{1}, "b", []int{2}, "err", "connection refused"}, "connection refused"},
		"as text in a group":          {[]any{slog.Group("g", "err", "connection refused")}, "connection refused"},
		"as text of a LogValuer":      {[]any{"err", valuer(func() slog.Value { return slog.StringValue("refused") })}, "refused"},
		"a value before a text":       {[]any{"error", "text", "cause", refused}, "refused"},
		"text of another key":         {[]any{"errors", "a", "erro", "b", "terror", "c"}, ""},
		"nil":                         {[]any{"err", nil, "error", error(nil)}, ""},
		"nothing":                     {nil, ""},
	} {
		f := find("error_code", c.args...)
		assert.Equal(t, c.want, f.ErrorText(), name)
	}
	assert.Equal(t, "E7", find("err.code", "err", failure{"no card", "E7"}).Code, "and its code is found in it")
}

func TestUsers(t *testing.T) {
	bo := User(slog.StringValue("bo"))
	assert.NotZero(t, bo)
	for name, c := range map[string]struct {
		args []any
		want uint64
	}{
		"text":               {[]any{"a", 1, "user", "bo"}, bo},
		"number":             {[]any{"user", 7}, User(slog.IntValue(7))},
		"Stringer":           {[]any{"user", stringer("bo")}, bo},
		"LogValuer":          {[]any{"user", valuer(func() slog.Value { return slog.StringValue("bo") })}, bo},
		"beside more":        {[]any{slog.Group("g", "user", "eve"), "user", "bo"}, bo},
		"empty":              {[]any{"user", ""}, 0},
		"nil":                {[]any{"user", nil}, 0},
		"nil pointer":        {[]any{"user", (*string)(nil)}, 0},
		"nil of a LogValuer": {[]any{"user", (*failure)(nil)}, 0},
		"a group":            {[]any{slog.Group("user", "id", 7)}, 0},
		"none":               {[]any{"users", "bo"}, 0},
	} {
		assert.Equal(t, c.want, find("error_code", c.args...).User, name)
	}
	assert.NotEqual(t, User(slog.IntValue(7)), User(slog.IntValue(8)))
	assert.NotZero(t, User(slog.Uint64Value(7)))
}

// An optional field that isn't there is no code.
func TestCodesThatSayNothing(t *testing.T) {
	e1, empty := "E1", ""
	for name, c := range map[string]struct {
		code any
		want string
	}{
		"pointer":              {&e1, "E1"},
		"number":               {7, "7"},
		"the word":             {"null", "null"},
		"nil":                  {nil, ""},
		"nil pointer":          {(*string)(nil), ""},
		"pointer to nothing":   {&empty, ""},
		"nil number":           {(*int)(nil), ""},
		"nil map":              {map[string]int(nil), ""},
		"nil error":            {(*failure)(nil), ""},
		"nil as fmt writes it": {"<nil>", ""},
		"nil that has a text":  {(*nobody)(nil), "nobody"},
	} {
		assert.Equal(t, c.want, find("error_code", "error_code", c.code).Code, name)
	}
}

type nobody struct{}

func (*nobody) String() string { return "nobody" }

type stringer string

func (s stringer) String() string { return string(s) }

func TestWhatIsFurtherAwayFillsIn(t *testing.T) {
	near := Facts{Text: "near"}
	near.Behind(nil)
	near.Behind(&Facts{Code: "E1", Err: io.EOF, Text: "far", User: 1})
	assert.Equal(t, Facts{Code: "E1", Text: "near", User: 1}, near)
	near = Facts{}
	near.Behind(&Facts{Err: io.EOF})
	assert.Equal(t, io.EOF, near.Err)
}

// A value that returns itself, or groups of itself without end, is looked at a
// few times and no more.
func TestTheSearchEnds(t *testing.T) {
	asked := 0
	var self, wide, deep valuer
	self = func() slog.Value { asked++; return slog.AnyValue(self) }
	wide = func() slog.Value {
		asked++
		return slog.GroupValue(slog.Any("a", wide), slog.Any("b", wide), slog.Any("c", wide), slog.Any("d", wide))
	}
	deep = func() slog.Value { asked++; return slog.GroupValue(slog.Any("", deep)) }
	for name, v := range map[string]valuer{"itself": self, "wide": wide, "deep": deep} {
		asked = 0
		assert.Equal(t, Facts{}, find("error_code", "k", v), name)
		assert.LessOrEqual(t, asked, 100, name)
	}
	asked = 0
	find("error_code", "k", deep)
	assert.Equal(t, 8, asked, "as deep as an alert shows it")
	nested := slog.String("error_code", "E1")
	for range 8 {
		nested = slog.Attr{Key: "g", Value: slog.GroupValue(nested)}
	}
	assert.Equal(t, "E1", find("error_code", nested).Code)
	assert.Empty(t, find("error_code", slog.Attr{Key: "g", Value: slog.GroupValue(nested)}).Code)
}

// What was found isn't looked for any more: a LogValue may be dear.
func TestItStopsWhenAllIsFound(t *testing.T) {
	asked := 0
	v := valuer(func() slog.Value { asked++; return slog.StringValue("x") })
	find("error_code", "error_code", "E1", "err", io.EOF, "user", "bo", "later", v)
	assert.Zero(t, asked)
	find("error_code", "error_code", v)
	assert.Equal(t, 1, asked, "once each")
}

func TestAGlanceAllocatesNothing(t *testing.T) {
	r := record("a", "b", "user", "bo", "err", io.EOF)
	finder := NewFinder("error_code")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		var f Facts
		finder.Glance(r, &f)
		finder.MayHaveCode(r)
	}))
}

func TestMay(t *testing.T) {
	flat, path := NewFinder("error_code"), NewFinder("error.code")
	for name, c := range map[string]struct {
		attr      slog.Attr
		code, all bool
	}{
		"plain":   {slog.Int("a", 1), false, false},
		"code":    {slog.Int("error_code", 1), true, true},
		"user":    {slog.Int("user", 1), false, true},
		"error":   {slog.String("err", "x"), false, true},
		"any":     {slog.Any("a", io.EOF), false, true},
		"group":   {slog.Group("g", "a", 1), true, true},
		"LogValu": {slog.Any("a", valuer(nil)), true, true},
	} {
		attrs := []slog.Attr{c.attr}
		assert.Equal(t, c.code, flat.May(attrs, false), name)
		assert.Equal(t, c.all, flat.May(attrs, true), name)
		assert.True(t, path.May(attrs, false), name)
	}
	assert.False(t, path.May(nil, true))
}
