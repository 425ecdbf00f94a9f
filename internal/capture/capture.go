// Package capture turns what a record carries into text that shares nothing
// with the program: resolved, replaced, redacted, cut.
package capture

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
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
	maxTries  = 100 // LogValues that return LogValuers
)

// Redacted stands where a secret was.
const Redacted = "[redacted]"

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
}

// Text returns s cut to one value's size, redacted, and counted.
func (c *Alert) Text(s string) string {
	t := s[:min(len(s), 2*MaxValue)] // a secret that the cut goes through is whole in it
	if !c.NoRedact {
		t = redact.Text(t)
	}
	t = cut(t, max(0, min(MaxValue, MaxAlert-c.size)), len(s)-min(len(s), 2*MaxValue))
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

// Add adds an attribute that stands in groups. secret says that one of them
// names a secret.
func (c *Alert) Add(groups []string, a slog.Attr) {
	c.add(groups, a, false)
}

func (c *Alert) add(groups []string, a slog.Attr, secret bool) {
	a.Value = Resolve(a.Value)
	if c.Replace != nil && a.Value.Kind() != slog.KindGroup {
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
	key := Cut(a.Key, maxKey)
	if len(groups) > 0 {
		key = Cut(strings.Join(append(groups[:len(groups):len(groups)], a.Key), "."), maxKey)
	}
	if !c.NoRedact && (secret || redact.Key(a.Key)) {
		c.size += len(Redacted)
		c.Emit(key, Redacted)
		return
	}
	c.Emit(key, c.Text(Value(a.Value)))
}

func (c *Alert) group(groups []string, a slog.Attr, secret bool) {
	if len(groups) >= MaxDepth {
		c.leftOut += len(a.Value.Group())
		return
	}
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
func Cut(s string, n int) string { return cut(s, n, 0) }

// cut does it where more bytes are missing already.
func cut(s string, n, missing int) string {
	if len(s) <= n && missing == 0 {
		return strings.ToValidUTF8(strings.Clone(s), "\uFFFD")
	}
	end := min(n, len(s))
	for end > 0 && end < len(s) && end > n-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.ToValidUTF8(s[:end], "\uFFFD") + "… (+" + strconv.Itoa(len(s)-end+missing) + " bytes)"
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

// Value is a resolved value as text.
func Value(v slog.Value) string {
	switch v.Kind() {
	case slog.KindAny:
		return anyText(v.Any())
	case slog.KindTime:
		return v.Time().Format(time.RFC3339Nano)
	default:
		return v.String()
	}
}

func anyText(v any) (s string) {
	defer func() {
		if r := recover(); r != nil {
			s = panicText(v, r)
		}
	}()
	switch v := v.(type) {
	case nil:
		return "<nil>"
	case error:
		return v.Error()
	case encoding.TextMarshaler:
		if b, err := v.MarshalText(); err == nil {
			return string(b)
		}
	case fmt.Stringer:
		return v.String()
	case *slog.Source:
		return fmt.Sprintf("%s:%d", v.File, v.Line)
	case []byte:
		return string(v)
	}
	return jsonText(v)
}

// jsonText says what a value holds. JSON, because unlike %+v it stops at a
// value that contains itself.
func jsonText(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprintf("!ERROR: %v", err)
	}
	s := strings.TrimSuffix(b.String(), "\n")
	if t, err := strconv.Unquote(s); err == nil && strings.HasPrefix(s, `"`) {
		return t // a string kind of the program's own
	}
	return s
}
