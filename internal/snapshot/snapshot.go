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

const (
	maxDepth = 16  // of groups in groups that are looked into
	maxNest  = 100 // of values in values that are printed
)

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
	case nil, *slog.Source, kept, failure:
		return v
	}
	if fixed(reflect.TypeOf(v)) {
		return v
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8 {
		if r.IsNil() {
			return v
		}
		own := reflect.MakeSlice(r.Type(), r.Len(), r.Len())
		reflect.Copy(own, r)
		return own.Interface() // slog quotes bytes as it does no text
	}
	k := kept{plain: fmt.Sprintf("!ERROR: %T is nested too deep", v)}
	if k.plus = k.plain; !deep(reflect.Indirect(reflect.ValueOf(v)), 0) {
		k.plain, k.plus = fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v)
	}
	k.json, k.text = k.toJSON(v), k.toText(v)
	if err, ok := v.(error); ok {
		return failure{k, err}
	}
	return k
}

// deep says whether v holds others deeper than anybody reads, as a map does that
// holds itself: fmt would follow it until the stack overflows. Pointers in it end
// the way, as they do for fmt.
func deep(v reflect.Value, depth int) bool {
	if depth > maxNest {
		return true
	}
	switch v.Kind() {
	case reflect.Interface:
		return deep(v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if deep(v.Field(i), depth+1) {
				return true
			}
		}
	case reflect.Map, reflect.Slice, reflect.Array:
		if fixed(v.Type().Elem()) {
			return false
		}
		for _, in := range v.Seq2() {
			if deep(in, depth+1) {
				return true
			}
		}
	}
	return false
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
func (k *kept) toJSON(v any) (out []byte) {
	defer func() {
		if p := recover(); p != nil {
			out, _ = encoded(fmt.Sprintf("!PANIC: %v", p))
		}
	}()
	_, marshals := v.(json.Marshaler)
	if _, ok := v.(error); ok && !marshals {
		v = k.plain
	}
	out, err := encoded(v)
	if err != nil {
		out, _ = encoded(fmt.Sprintf("!ERROR:%v", err))
	}
	return out
}

func encoded(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// toText is v as slog's text handler writes it.
func (k *kept) toText(v any) (out string) {
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
	return k.plus
}

// kept is what was written of a value.
type kept struct {
	plain, plus, text string
	json              []byte
}

func (k kept) String() string               { return k.plain }
func (k kept) MarshalJSON() ([]byte, error) { return k.json, nil }
func (k kept) MarshalText() ([]byte, error) { return []byte(k.text), nil }

func (k kept) Format(s fmt.State, verb rune) {
	out := k.plain
	if verb == 'v' && s.Flag('+') {
		out = k.plus
	}
	_, _ = s.Write([]byte(out))
}

// failure is an error; errors.Is and errors.As ask the error itself.
type failure struct {
	kept
	err error
}

func (f failure) Error() string { return f.plain }
func (f failure) Unwrap() error { return f.err }
