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
	if p.own(v, depth) || p.enters(v) {
		return
	}
	p.plain(v, depth)
	p.leaves(v)
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
		p.raw("{")
		p.fields(v, depth, &names{})
		p.raw("}")
	case reflect.Map:
		p.entries(v, depth)
	case reflect.Slice, reflect.Array:
		p.list(v, depth)
	default: // functions, channels
		p.text(v.Type().String(), depth)
	}
}

func (p *printer) float(f float64, bits int) {
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		p.raw(strconv.FormatFloat(f, 'e', -1, bits))
		return
	}
	p.raw(strconv.FormatFloat(f, 'f', -1, bits))
}

// enters notes that a value which may contain itself is being printed, and
// reports whether it was already.
func (p *printer) enters(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map:
		if slices.Contains(p.path, v.Pointer()) {
			p.raw(`"…"`)
			return true
		}
		p.path = append(p.path, v.Pointer())
	}
	return false
}

func (p *printer) leaves(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map:
		p.path = p.path[:len(p.path)-1]
	}
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
		p.comma(i > 0)
		p.text(e.key, 1)
		p.raw(":")
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

// fields writes a struct's exported fields under the names that JSON gives
// them, those of embedded structs among them. seen has the names written.
func (p *printer) fields(v reflect.Value, depth int, seen *names) {
	var embedded []reflect.Value
	for i := 0; i < v.NumField() && !p.full(); i++ {
		f, in := v.Type().Field(i), v.Field(i)
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous && name == "" {
			if in.Kind() == reflect.Pointer && in.Type().Elem().Kind() == reflect.Struct {
				in = in.Elem() // of a nil pointer it is nothing
			}
			if !in.IsValid() {
				continue
			}
			if in.Kind() == reflect.Struct {
				embedded = append(embedded, in)
				continue
			}
		}
		if name = cmp.Or(name, f.Name); f.IsExported() && tag != "-" && !left(in, options) && p.name(name, seen) {
			p.value(in, depth+1)
		}
	}
	for _, in := range embedded {
		if depth < MaxDepth {
			p.embed(in, depth+1, seen)
		}
	}
}

// names are those that an object has already.
type names []string

// name begins a member, unless there is one of the name.
func (p *printer) name(s string, seen *names) bool {
	if slices.Contains(*seen, s) {
		return false
	}
	p.comma(len(*seen) > 0)
	*seen = append(*seen, s)
	p.text(s, 1)
	p.raw(":")
	return true
}

// embed writes an embedded struct among its holder's fields, or under its name
// where it has a say in how it looks.
func (p *printer) embed(v reflect.Value, depth int, seen *names) {
	if x, ok := speaker(v); ok {
		if p.name(v.Type().Name(), seen) {
			p.speak(x, depth)
		}
		return
	}
	p.fields(v, depth, seen)
}

// left says whether JSON leaves a field out.
func left(v reflect.Value, options string) bool {
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitzero":
			if v.IsZero() {
				return true
			}
		case "omitempty":
			switch v.Kind() {
			case reflect.Struct:
			case reflect.Slice, reflect.Map, reflect.Array, reflect.String:
				if v.Len() == 0 {
					return true
				}
			default:
				if v.IsZero() {
					return true
				}
			}
		}
	}
	return false
}

// own lets a value that knows how it looks say so, and reports whether it did.
func (p *printer) own(v reflect.Value, depth int) bool {
	x, ok := speaker(v)
	if ok {
		p.speak(x, depth)
	}
	return ok
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
	switch x := x.(type) {
	case slog.LogValuer:
		p.resolved(Resolve(slog.AnyValue(x)), depth)
	case json.Marshaler:
		b, err := x.MarshalJSON()
		if err != nil {
			p.text("!ERROR: "+err.Error(), depth)
			return
		}
		p.json(b)
	default:
		s, err := spoken(x)
		if err != nil {
			s = "!ERROR: " + err.Error()
		}
		p.text(s, depth)
	}
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
			p.comma(i > 0)
			p.text(a.Key, 1)
			p.raw(":")
			p.resolved(Resolve(a.Value), depth+1)
		}
		p.raw("}")
	}
}
