// Package capture turns what a record carries into text that shares nothing
// with the program: resolved, replaced, redacted, cut.
package capture

import (
	"encoding"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/slackalert/internal/redact"
)

// What an alert holds at the most.
const (
	MaxFields = 64
	MaxValue  = 4 << 10  // bytes of one value, of the message, of the error
	MaxAlert  = 16 << 10 // bytes of all values together
	MaxDepth  = 8        // groups inside groups
	maxKey    = 256
	window    = 2 * MaxValue // what is looked at of a text: a secret that the cut goes through is whole in it
	halves    = 256          // bytes at the end of the window that may be half of a secret
	maxTries  = 100          // LogValues that return LogValuers
)

// Settings is what a caller wants of the text.
type Settings struct {
	Replace  func(groups []string, a slog.Attr) slog.Attr // nil = as it is
	NoRedact bool
}

// Alert collects the fields of one alert. Its zero value with Settings is
// ready; it is used by one goroutine.
type Alert struct {
	Settings
	Emit    func(key, value string) // takes a field
	Stack   Stack                   // found among the attributes
	Foreign Foreign                 // likewise

	size, fields, leftOut int
	depth                 int // of groups around what is being added, those without a name too
}

// Text returns s cut to one value's size, redacted, and counted.
func (c *Alert) Text(s string) string { return c.text(s, false) }

// text does it where more says that s is not all of it. What the window's end
// goes through may be half of a secret which nothing gives away: where redacting
// has made so much room that it would be seen, it is left out.
func (c *Alert) text(s string, more bool) string {
	t := s[:min(len(s), window)]
	missing := len(s) - len(t)
	if !c.NoRedact {
		t = redact.Text(t)
		if missing > 0 || more {
			left := max(0, len(t)-halves)
			missing += len(t) - left
			t = t[:left]
		}
	}
	t = cut(t, max(0, min(MaxValue, MaxAlert-c.size)), missing, more)
	c.size += len(t)
	return t
}

// Builtin passes a built-in attribute of the record through Replace.
func (c *Alert) Builtin(a slog.Attr) slog.Attr {
	if c.Replace == nil {
		return a
	}
	a = c.Replace(nil, a)
	a.Value = Resolve(a.Value)
	return a
}

// Add adds an attribute that stands in groups.
func (c *Alert) Add(groups []string, a slog.Attr) {
	c.add(groups, a, !c.NoRedact && slices.ContainsFunc(groups, redact.Key))
}

// add does it where secret says that one of groups names a secret.
func (c *Alert) add(groups []string, a slog.Attr, secret bool) {
	a, f := thaw(a)
	if c.leftOut += f.left; f.left > 0 {
		return
	}
	a.Value = Resolve(a.Value)
	if c.Replace != nil && !f.replaced && a.Value.Kind() != slog.KindGroup {
		a = c.Replace(groups, a)
		a.Value = Resolve(a.Value)
	}
	if a.Equal(slog.Attr{}) {
		return
	}
	if a.Value.Kind() == slog.KindGroup {
		c.group(groups, a, secret)
		return
	}
	if a.Value.Kind() == slog.KindAny {
		switch v := a.Value.Any().(type) {
		case Stack:
			c.Stack = v
			return
		case Foreign:
			c.Foreign = v
			return
		}
	}
	if c.fields >= MaxFields || c.size >= MaxAlert {
		c.leftOut++
		return
	}
	c.fields++
	c.field(groups, a, f.more, secret)
}

// field emits one. Its key is text of the program's, too: it may hold a secret,
// and joined with those of the groups it may name one.
func (c *Alert) field(groups []string, a slog.Attr, more, secret bool) {
	key := a.Key
	if len(groups) > 0 {
		key = strings.Join(append(groups[:len(groups):len(groups)], a.Key), ".")
	}
	key = key[:min(len(key), 2*maxKey)]
	if c.NoRedact {
		secret = false
	} else {
		secret = secret || redact.Key(key)
		key = redact.Text(key)
	}
	key = Cut(key, maxKey)
	if secret {
		c.size += len(redact.Mark)
		c.Emit(key, redact.Mark)
		return
	}
	s, cut := valueText(a.Value)
	c.Emit(key, c.text(s, more || cut))
}

func (c *Alert) group(groups []string, a slog.Attr, secret bool) {
	if max(len(groups), c.depth) >= MaxDepth {
		c.leftOut += len(a.Value.Group())
		return
	}
	c.depth++
	defer func() { c.depth-- }()
	if a.Key != "" {
		groups = append(groups[:len(groups):len(groups)], a.Key)
		secret = secret || redact.Key(a.Key)
	}
	for _, m := range a.Value.Group() {
		c.add(groups, m, secret)
	}
}

// Close says what was left out.
func (c *Alert) Close() {
	if c.leftOut > 0 {
		c.Emit("…", fmt.Sprintf("(+%d fields)", c.leftOut))
	}
}

// Cut returns a copy of s of at most about n bytes, cut between runes, that
// says how much is missing. Bytes that are no UTF-8 become U+FFFD.
func Cut(s string, n int) string { return cut(s, n, 0, false) }

// cut does it where more bytes are missing already, or nobody knows how many.
func cut(s string, n, missing int, more bool) string {
	if len(s) <= n && missing == 0 && !more {
		return strings.ToValidUTF8(strings.Clone(s), "\uFFFD")
	}
	end := min(n, len(s))
	for end > 0 && end < len(s) && end > n-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	note := "… (+" + strconv.Itoa(len(s)-end+missing) + " bytes)"
	if more {
		note = "… (more)"
	}
	return strings.ToValidUTF8(s[:end], "\uFFFD") + note
}

// Resolve is slog's Value.Resolve, except that a LogValue that panics becomes
// the text "!PANIC: …".
func Resolve(v slog.Value) slog.Value {
	for range maxTries {
		if v.Kind() != slog.KindLogValuer {
			return v
		}
		v = logValue(v.LogValuer())
	}
	return slog.StringValue("!ERROR: LogValue called too many times")
}

func logValue(l slog.LogValuer) (v slog.Value) {
	defer func() {
		if r := recover(); r != nil {
			v = slog.StringValue(panicText(l, r))
		}
	}()
	return l.LogValue()
}

// panicText is what stands for a value whose method panicked.
func panicText(v, r any) (s string) {
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && p.IsNil() {
		return "<nil>"
	}
	defer func() {
		if recover() != nil { // the panic's value panics too
			s = "!PANIC"
		}
	}()
	return fmt.Sprintf("!PANIC: %v", r)
}

// Said is what any value says of itself, whatever its methods do: that of a panic
// may panic itself.
func Said(v any) string { return Value(Resolve(slog.AnyValue(v))) }

// Value is a resolved value as text; of what is printed as JSON the beginning.
func Value(v slog.Value) string {
	s, more := valueText(v)
	if more {
		s += "…"
	}
	return s
}

// valueText is a resolved value as text, and whether there is more of it.
func valueText(v slog.Value) (s string, more bool) {
	switch v.Kind() {
	case slog.KindAny:
		return anyText(v.Any())
	case slog.KindTime:
		return v.Time().Format(time.RFC3339Nano), false
	default:
		return v.String(), false
	}
}

func anyText(v any) (s string, more bool) {
	defer func() {
		if r := recover(); r != nil {
			s = panicText(v, r)
		}
	}()
	switch v := v.(type) {
	case nil:
		return "<nil>", false
	case error:
		return v.Error(), false
	case encoding.TextMarshaler:
		if b, err := v.MarshalText(); err == nil {
			return string(b[:min(len(b), window)]), len(b) > window
		}
	case fmt.Formatter, fmt.Stringer:
		s, _ := spoken(v)
		return s, false
	case *slog.Source:
		return fmt.Sprintf("%s:%d", v.File, v.Line), false
	case []byte:
		return string(v[:min(len(v), window)]), len(v) > window
	}
	return printed(v, window)
}
