// This file prints what a value holds, as JSON would, and stops when there is
// enough of it.

package capture

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A printer writes one value. encoding/json would build the whole text of a
// value before the first byte of it can be cut, and doesn't ask types that
// mask themselves by String, Format or LogValue. A printer does, wherever they
// stand. It writes a byte at least for each thing it looks at, so that limit
// bounds its work, too.
type printer struct {
	buf   []byte
	limit int
	path  []uintptr // what is being printed, so that a value that contains itself ends
}

// mostKeys bounds a map: its keys are sorted before the first is printed.
const mostKeys = 1024

// printed returns v as text of about limit bytes at the most, and whether
// there is more.
func printed(v any, limit int) (s string, more bool) {
	p := printer{limit: limit, buf: make([]byte, 0, 256)}
	p.value(reflect.ValueOf(v), 0)
	if p.full() {
		return string(p.buf[:limit]), true
	}
	return string(p.buf), false
}

func (p *printer) full() bool { return len(p.buf) > p.limit }

// raw writes s, or as much of it as there is room for and a byte more.
func (p *printer) raw(s string) {
	p.buf = append(p.buf, s[:min(len(s), max(0, p.limit+1-len(p.buf)))]...)
}

// text writes s as a JSON string; at the top it stands for itself.
func (p *printer) text(s string, depth int) {
	if depth == 0 {
		p.raw(s)
		return
	}
	s = s[:min(len(s), p.limit+1)]
	if plainASCII(s) {
		p.buf = append(p.buf, '"')
		p.raw(s)
		p.raw(`"`)
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string can't fail
	p.raw(string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))))
}

// plainASCII says whether s is its own JSON between the quotes.
func plainASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func (p *printer) value(v reflect.Value, depth int) {
	switch {
	case p.full():
		return
	case !v.IsValid():
		p.raw("null")
		return
	case depth > MaxDepth:
		p.raw(`"…"`)
		return
	}
	switch k := v.Kind(); k {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		if v.IsNil() {
			p.raw("null")
			return
		}
	}
	if x, ok := speaker(v); ok {
		p.speak(x, depth)
		return
	}
	if k := v.Kind(); k != reflect.Pointer && k != reflect.Map {
		p.plain(v, depth)
	} else if slices.Contains(p.path, v.Pointer()) {
		p.raw(`"…"`) // it contains itself
	} else {
		p.path = append(p.path, v.Pointer())
		p.plain(v, depth)
		p.path = p.path[:len(p.path)-1]
	}
}

// plain writes a value that has no say in it.
func (p *printer) plain(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Bool:
		p.raw(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.raw(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		p.raw(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		p.float(v.Float(), v.Type().Bits())
	case reflect.Complex64, reflect.Complex128:
		p.raw(strconv.FormatComplex(v.Complex(), 'g', -1, v.Type().Bits()))
	case reflect.String:
		p.text(v.String(), depth)
	case reflect.Interface, reflect.Pointer:
		p.value(v.Elem(), depth)
	case reflect.Struct:
		p.object(v, depth)
	case reflect.Map:
		p.entries(v, depth)
	case reflect.Slice, reflect.Array:
		p.list(v, depth)
	default: // functions, channels
		p.text(v.Type().String(), depth)
	}
}

func (p *printer) float(f float64, bits int) {
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	p.raw(strconv.FormatFloat(f, format, -1, bits))
}

// list writes a slice or an array. Bytes are text, so that a secret in them is
// seen.
func (p *printer) list(v reflect.Value, depth int) {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		b := v.Bytes()[:min(v.Len(), p.limit+1)]
		if utf8.Valid(b[:max(0, len(b)-utf8.UTFMax)]) {
			p.text(string(b), depth)
		} else {
			p.text("("+strconv.Itoa(v.Len())+" bytes)", depth)
		}
		return
	}
	p.raw("[")
	for i := 0; i < v.Len() && !p.full(); i++ {
		p.comma(i > 0)
		p.value(v.Index(i), depth+1)
	}
	p.raw("]")
}

func (p *printer) comma(due bool) {
	if due {
		p.raw(",")
	}
}

// entries writes a map, its keys sorted.
func (p *printer) entries(v reflect.Value, depth int) {
	type entry struct {
		key   string
		value reflect.Value
	}
	all := make([]entry, 0, min(v.Len(), mostKeys))
	for i := v.MapRange(); len(all) < mostKeys && i.Next(); {
		all = append(all, entry{keyText(i.Key()), i.Value()})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	p.raw("{")
	for i, e := range all {
		if p.full() {
			return
		}
		p.member(i, e.key)
		p.value(e.value, depth+1)
	}
	if v.Len() > len(all) {
		p.raw(`,"…":` + strconv.Itoa(v.Len()-len(all)))
	}
	p.raw("}")
}

func keyText(v reflect.Value) string {
	if v.Kind() == reflect.String && v.Type().PkgPath() == "" {
		return v.String()[:min(v.Len(), maxKey)]
	}
	p := printer{limit: maxKey}
	p.value(v, 0)
	return string(p.buf)
}

// object writes a struct's exported fields under the names that JSON gives them,
// behind its own those of embedded structs. An embedded one that has a name or a
// say in how it looks is a field as others are.
func (p *printer) object(v reflect.Value, depth int) {
	var names []string
	types, n := []reflect.Type{v.Type()}, 0
	p.raw("{")
	for all := []reflect.Value{v}; len(all) > 0; all = all[1:] {
		for f, in := range all[0].Fields() {
			if p.full() {
				return
			}
			tag := f.Tag.Get("json")
			name, options, _ := strings.Cut(tag, ",")
			if _, speaks := speaker(in); f.Anonymous && name == "" && !speaks && isStruct(f.Type) {
				in = reflect.Indirect(in)                               // of a nil pointer it is nothing
				if in.IsValid() && !slices.Contains(types, in.Type()) { // the names of one seen are taken
					all, types = append(all, in), append(types, in.Type())
				}
				continue
			}
			name = cmp.Or(name, f.Name)
			if !f.IsExported() || tag == "-" || slices.Contains(names, name) {
				continue
			}
			names = append(names, name)
			if !left(in, options) {
				p.member(n, name)
				p.value(in, depth+1)
				n++
			}
		}
	}
	p.raw("}")
}

func isStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

// member begins the n-th member of an object.
func (p *printer) member(n int, name string) {
	p.comma(n > 0)
	p.text(name, 1)
	p.raw(":")
}

// left says whether JSON leaves a field out, or would one that isn't empty to Go.
func left(v reflect.Value, options string) bool {
	if k := v.Kind(); k == reflect.Slice || k == reflect.Map {
		return strings.Contains(options, "omit") && v.Len() == 0
	}
	return strings.Contains(options, "omit") && v.IsZero()
}

// speaker returns v, or a pointer to a copy of it, if that knows how it looks.
func speaker(v reflect.Value) (any, bool) {
	if !v.CanInterface() || v.NumMethod() == 0 && v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		return nil, false
	}
	if v.NumMethod() > 0 {
		if x := v.Interface(); speaks(x) {
			return x, true
		}
	}
	if t := reflect.PointerTo(v.Type()); v.Kind() != reflect.Pointer && v.Type().PkgPath() != "" && t.NumMethod() > v.NumMethod() {
		at := reflect.New(v.Type())
		if !speaks(at.Interface()) {
			return nil, false
		}
		at.Elem().Set(v)
		return at.Interface(), true
	}
	return nil, false
}

func speaks(x any) bool {
	switch x.(type) {
	case slog.LogValuer, json.Marshaler, encoding.TextMarshaler, error, fmt.Formatter, fmt.Stringer:
		return true
	}
	return false
}

// speak writes what x says of itself.
func (p *printer) speak(x any, depth int) {
	defer func() {
		if r := recover(); r != nil {
			p.text(panicText(x, r), depth)
		}
	}()
	var s string
	var err error
	switch x := x.(type) {
	case slog.LogValuer:
		p.resolved(Resolve(slog.AnyValue(x)), depth)
		return
	case json.Marshaler:
		var b []byte
		if b, err = x.MarshalJSON(); err == nil {
			p.json(b)
			return
		}
	default:
		s, err = spoken(x)
	}
	if err != nil {
		s = "!ERROR: " + err.Error()
	}
	p.text(s, depth)
}

// spoken is the text of one of those that have one.
func spoken(x any) (string, error) {
	switch x := x.(type) {
	case encoding.TextMarshaler:
		b, err := x.MarshalText()
		return string(b), err
	case error:
		return x.Error(), nil
	case fmt.Stringer:
		if _, ok := x.(fmt.Formatter); !ok {
			return x.String(), nil
		}
	}
	return fmt.Sprint(x), nil
}

// json writes what a MarshalJSON returned, without its line breaks.
func (p *printer) json(b []byte) {
	var line bytes.Buffer
	if len(b) <= p.limit && json.Compact(&line, b) == nil {
		b = line.Bytes()
	}
	p.raw(string(b[:min(len(b), p.limit+1)]))
}

// resolved writes what a LogValue returned.
func (p *printer) resolved(v slog.Value, depth int) {
	switch {
	case v.Kind() == slog.KindAny:
		p.value(reflect.ValueOf(v.Any()), depth+1) // it may be a LogValuer again, for ever
	case v.Kind() != slog.KindGroup:
		p.value(reflect.ValueOf(v.Any()), depth)
	case depth > MaxDepth:
		p.raw(`"…"`)
	default:
		p.raw("{")
		for i, a := range v.Group() {
			if p.full() {
				return
			}
			p.member(i, a.Key)
			p.resolved(Resolve(a.Value), depth+1)
		}
		p.raw("}")
	}
}
