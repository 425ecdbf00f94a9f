package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

type plain struct{ A, b int }
type named string
type masked struct{ secret *int }

func (masked) MarshalText() ([]byte, error) { return []byte("<masked>"), nil }

type ownJSON map[string]int

func (o ownJSON) MarshalJSON() ([]byte, error) { return []byte(`{ "own" : "<&>" }`), nil }

type failsJSON struct{ p *int }

func (failsJSON) MarshalJSON() ([]byte, error) { return nil, errors.New("no") }

type bytesOf []byte
type stringer struct{ p *int }

func (stringer) String() string { return "stringer" }

type long struct{ chain error }

func (long) Error() string { return "short" }
func (l long) Format(s fmt.State, verb rune) {
	fmt.Fprint(s, "short")
	if s.Flag('+') {
		fmt.Fprint(s, "\nwith its stack")
	}
}

type jsonError struct{ p *int }

func (jsonError) Error() string                { return "an error" }
func (jsonError) MarshalJSON() ([]byte, error) { return []byte(`{"code":7}`), nil }

type textError struct{ p *int }

func (textError) Error() string                { return "an error" }
func (textError) MarshalText() ([]byte, error) { return []byte("its text"), nil }

type valuer func() slog.Value

func (v valuer) LogValue() slog.Value { return v() }

// write is what slog's two handlers make of attributes under a group.
func write(attrs []slog.Attr) string {
	var b bytes.Buffer
	for _, h := range []slog.Handler{slog.NewJSONHandler(&b, nil), slog.NewTextHandler(&b, nil)} {
		_ = h.WithGroup("g").WithAttrs(attrs).Handle(context.Background(), slog.NewRecord(time.Time{}, slog.LevelInfo, "m", 0))
	}
	return b.String()
}

func TestABaseWritesWhatItWouldHave(t *testing.T) {
	n := 7
	u, _ := url.Parse("https://u:p@host/?a=<b>&c")
	for name, v := range map[string]any{
		"nil": nil, "int": 1, "named": named("x"), "struct": plain{1, 2}, "time": time.Unix(1, 2).UTC(), "duration": time.Second,
		"map": map[string]any{"b": []int{1}, "a": "<&>"}, "slice": []string{"a", "b c"}, "pointer": &plain{1, 2}, "int pointer": (*int)(nil),
		"bytes": []byte("by tes"), "a word": []byte("word"), "no bytes": []byte(nil), "empty": []byte{}, "own bytes": bytesOf("by\ntes"), "text": masked{&n}, "own json": ownJSON{"a": 1}, "failing json": failsJSON{&n},
		"channel": make(chan int, 1), "big": big.NewInt(1 << 40), "url": u, "stringer": stringer{&n}, "source": &slog.Source{File: "f", Line: 1},
		"error": errors.New("no <&> luck"), "wrapped": fmt.Errorf("a: %w", fs.ErrNotExist), "joined": errors.Join(fs.ErrExist, fs.ErrClosed),
		"error with a stack": long{fs.ErrExist}, "error as json": jsonError{&n}, "error as text": textError{&n}, "group": slog.GroupValue(slog.Any("m", map[string]int{"a": 1})),
		"LogValuer": valuer(func() slog.Value { return slog.AnyValue([]int{1}) }), "empty group": slog.GroupValue(), "level": slog.LevelWarn,
	} {
		t.Run(name, func(t *testing.T) {
			attrs := []slog.Attr{slog.Any("k", v), slog.Int("n", 1)}
			assert.Equal(t, write(attrs), write(Attrs(attrs)))
			assert.Equal(t, write(attrs), write(Attrs(Attrs(attrs))), "twice")
		})
	}
}

func TestWhatItsOwnerChangesStays(t *testing.T) {
	m, p, s := map[string]int{"a": 1}, &plain{1, 2}, []byte("abc")
	attrs := []slog.Attr{slog.Any("m", m), slog.Any("p", p), slog.Any("s", s), slog.Any("e", long{})}
	kept := Attrs(attrs)
	before := write(kept)
	m["b"], p.A, s[0] = 2, 9, 'X'
	attrs[0] = slog.Int("m", 0)
	assert.Equal(t, before, write(kept))
}

func TestErrorsStayErrors(t *testing.T) {
	for _, err := range []error{fmt.Errorf("a: %w", fs.ErrNotExist), &fs.PathError{Op: "open", Err: fs.ErrNotExist}} {
		kept := Attrs([]slog.Attr{slog.Any("e", err)})[0].Value.Any().(error)
		assert.Equal(t, err.Error(), kept.Error())
		assert.ErrorIs(t, kept, fs.ErrNotExist)
	}
	var path *fs.PathError
	kept := Attrs([]slog.Attr{slog.Any("e", &fs.PathError{Op: "open", Err: fs.ErrNotExist})})
	assert.ErrorAs(t, kept[0].Value.Any().(error), &path)
	own := Attrs([]slog.Attr{slog.Any("e", jsonError{new(int)})})
	assert.Equal(t, "an error", own[0].Value.Any().(error).Error())
}

// Of what holds itself slog's JSON handler says so, and its text handler ends the
// program.
func TestWhatHoldsItselfEnds(t *testing.T) {
	m, s := map[string]any{}, []any{1, nil}
	m["a"], m["self"], s[1] = 1, m, s
	for _, v := range []any{m, s, &m, struct{ in any }{s}, [1]any{m}} {
		var b bytes.Buffer
		h := slog.NewJSONHandler(&b, nil).WithGroup("g").WithAttrs(Attrs([]slog.Attr{slog.Any("k", v)}))
		assert.NoError(t, h.Handle(context.Background(), slog.NewRecord(time.Time{}, slog.LevelInfo, "m", 0)))
		kept := Attrs([]slog.Attr{slog.Any("k", v)})[0].Value.Any()
		assert.Equal(t, fmt.Sprintf("!ERROR: %T is nested too deep", v), fmt.Sprintf("%+v", kept))
	}
	var nested any = 1
	for range maxNest/2 - 1 {
		nested = []any{nested}
	}
	assert.Equal(t, fmt.Sprint(nested), fmt.Sprint(Attrs([]slog.Attr{slog.Any("k", nested)})[0].Value.Any()))
}

func TestAGroupInItselfEnds(t *testing.T) {
	var loop valuer
	loop = func() slog.Value { return slog.GroupValue(slog.Any("in", loop)) }
	assert.Len(t, Attrs([]slog.Attr{slog.Any("loop", loop)}), 1)
}
