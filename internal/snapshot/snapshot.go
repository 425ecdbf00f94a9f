// Package snapshot keeps attributes for a base handler that gets them again
// later: it writes then what it would have written at once, although their owner
// has changed them since.
//
// Values that nobody can change stay as they are. Of the others, as maps and what
// pointers point to, the texts are kept that slog's handlers and those like them
// ask for: JSON, text, and %+v.
package snapshot

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"time"
)

// maxDepth is how deep groups in groups are looked into.
const maxDepth = 16

// Attrs returns a copy of attrs.
func Attrs(attrs []slog.Attr) []slog.Attr { return list(attrs, 0) }

func list(attrs []slog.Attr, depth int) []slog.Attr {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = slog.Attr{Key: a.Key, Value: value(a.Value, depth)}
	}
	return out
}

func value(v slog.Value, depth int) slog.Value {
	if depth > maxDepth {
		return v
	}
	switch v = v.Resolve(); v.Kind() {
	case slog.KindGroup:
		return slog.GroupValue(list(v.Group(), depth+1)...)
	case slog.KindAny:
		return slog.AnyValue(keep(v.Any()))
	}
	return v
}

func keep(v any) any {
	switch v.(type) {
	case nil, *slog.Source, text, failure, marshaler:
		return v
	}
	if fixed(reflect.TypeOf(v)) {
		return v
	}
	t := text{plain: fmt.Sprintf("%v", v), plus: fmt.Sprintf("%+v", v)}
	_, asJSON := v.(json.Marshaler)
	_, asText := v.(encoding.TextMarshaler)
	err, isError := v.(error)
	if isError && !asJSON && !asText {
		return failure{t, err}
	}
	m := marshaler{text: t, json: toJSON(v), asText: toText(v, t.plus)}
	if isError {
		return marshalingFailure{m, failure{t, err}}
	}
	return m
}

// fixed says of a type whether its values can't be changed by who has another
// copy.
func fixed(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return true
		}
		for i := range t.NumField() {
			if !fixed(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Array:
		return fixed(t.Elem())
	}
	return t.Kind() <= reflect.Complex128 || t.Kind() == reflect.String
}

// toJSON is v as slog's JSON handler writes it.
func toJSON(v any) (out []byte) {
	defer func() {
		if p := recover(); p != nil {
			out = quoted(fmt.Sprintf("!PANIC: %v", p))
		}
	}()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return quoted(fmt.Sprintf("!ERROR:%v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func quoted(s string) []byte {
	b, _ := json.Marshal(s) // a string: it can't fail
	return b
}

// toText is v as slog's text handler writes it.
func toText(v any, plus string) (out string) {
	defer func() {
		if p := recover(); p != nil {
			out = fmt.Sprintf("!PANIC: %v", p)
		}
	}()
	if m, ok := v.(encoding.TextMarshaler); ok {
		b, err := m.MarshalText()
		if err != nil {
			return fmt.Sprintf("!ERROR:%v", err)
		}
		return string(b)
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8 {
		return string(r.Bytes())
	}
	return plus
}

// text is what fmt wrote.
type text struct{ plain, plus string }

func (t text) String() string { return t.plain }

func (t text) Format(s fmt.State, verb rune) {
	out := t.plain
	if verb == 'v' && s.Flag('+') {
		out = t.plus
	}
	_, _ = s.Write([]byte(out))
}

// marshaler is what marshaling wrote.
type marshaler struct {
	text
	json   []byte
	asText string
}

func (m marshaler) MarshalJSON() ([]byte, error) { return m.json, nil }
func (m marshaler) MarshalText() ([]byte, error) { return []byte(m.asText), nil }

// failure is an error; errors.Is and errors.As ask the error itself.
type failure struct {
	text
	err error
}

func (f failure) Error() string { return f.plain }
func (f failure) Unwrap() error { return f.err }

// marshalingFailure is an error that marshals itself.
type marshalingFailure struct {
	marshaler
	failure
}

func (m marshalingFailure) String() string                { return m.failure.plain }
func (m marshalingFailure) Format(s fmt.State, verb rune) { m.failure.Format(s, verb) }
