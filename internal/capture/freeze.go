// This file keeps what a logger was given when it was derived, so that what
// its owner does afterwards changes nothing and harms nobody.

package capture

import (
	"log/slog"
	"slices"
	"strings"
)

// frozen is an attribute's value as Freeze leaves it where slog's kinds don't
// say it all.
type frozen struct {
	value    slog.Value // of a plain kind
	replaced bool       // Replace has seen it
	more     bool       // it was longer
	left     int        // this many attributes were left out here
}

// thaw returns what Freeze made a value of.
func thaw(a slog.Attr) (slog.Attr, frozen) {
	if a.Value.Kind() == slog.KindAny {
		if f, ok := a.Value.Any().(*frozen); ok {
			a.Value = f.value
			return a, *f
		}
	}
	return a, frozen{}
}

// Freeze returns attrs, which stand in groups, as they are now: nothing in
// what it returns can be changed by who owns attrs, and to look at it calls no
// code of the program's. Values of plain kinds stay; LogValuers are resolved,
// Replace sees what isn't plain, and that becomes text within the bounds of an
// alert. Errors become text, too: for the error see [FreezeError]. Codes and
// stacks stay. For [Alert.Add] the result means what attrs meant. It is always
// a new slice.
func (s Settings) Freeze(groups []string, attrs []slog.Attr) []slog.Attr {
	f := freezer{Settings: s, fields: MaxFields, size: MaxAlert}
	return f.list(groups, attrs)
}

// freezer is a Freeze under way.
type freezer struct {
	Settings
	fields, size int // what is left of an alert's
	depth        int // of groups around, those without a name too
}

func (f *freezer) list(groups []string, attrs []slog.Attr) []slog.Attr {
	out := make([]slog.Attr, 0, len(attrs))
	for i, a := range attrs {
		if f.fields <= 0 || f.size <= 0 {
			return append(out, slog.Any("", &frozen{left: len(attrs) - i}))
		}
		out = f.attr(out, groups, a)
	}
	return out
}

func (f *freezer) attr(out []slog.Attr, groups []string, a slog.Attr) []slog.Attr {
	if isPlain(a.Value) {
		f.fields--
		return append(out, a)
	}
	a.Value = Resolve(a.Value)
	replaced := f.Replace != nil && a.Value.Kind() != slog.KindGroup
	if replaced {
		a = f.Replace(groups, a)
		if a.Value = Resolve(a.Value); a.Equal(slog.Attr{}) {
			return out
		}
	}
	if a.Value.Kind() == slog.KindGroup {
		return append(out, f.group(groups, a))
	}
	f.fields--
	kept := frozen{value: a.Value, replaced: replaced}
	if !isPlain(a.Value) {
		var s string
		s, kept.more = valueText(a.Value)
		kept.more = kept.more || len(s) > window
		kept.value = slog.StringValue(strings.Clone(s[:min(len(s), window)]))
		f.size -= min(len(s), MaxValue)
	}
	if a.Value = kept.value; kept.replaced || kept.more {
		a.Value = slog.AnyValue(&kept)
	}
	return append(out, a)
}

func (f *freezer) group(groups []string, a slog.Attr) slog.Attr {
	if max(len(groups), f.depth) >= MaxDepth {
		return slog.Any("", &frozen{left: len(a.Value.Group())})
	}
	f.depth++
	defer func() { f.depth-- }()
	if a.Key != "" {
		groups = append(groups[:len(groups):len(groups)], a.Key)
	}
	return slog.Attr{Key: a.Key, Value: slog.GroupValue(f.list(groups, a.Value.Group())...)}
}

// isPlain reports whether nobody can change v and no code stands behind it.
func isPlain(v slog.Value) bool {
	switch v.Kind() {
	case slog.KindGroup, slog.KindLogValuer:
		return false
	case slog.KindAny:
		switch v.Any().(type) {
		case nil, Code, Stack, *frozen:
			return true
		}
		return false
	}
	return true
}

// FreezeError returns err as it is now: its text, its chain's and its stack
// don't change any more, and to look at them calls no code of the program's.
// errors.Is and errors.As still find what err is: those do ask err. nil stays
// nil, what is frozen stays as it is.
func FreezeError(err error) error {
	switch err.(type) {
	case nil, *kept:
		return err
	}
	text := ErrorText(err)
	start, chain := strings.Clone(text[:min(len(text), window)]), Chain(err, text)
	return &kept{err, start, strings.Clone(chain[:min(len(chain), window+1)]), slices.Clone(innermost(err))}
}

// kept is a frozen error.
type kept struct {
	error
	text, chain string
	stack       Stack
}

func (k *kept) Error() string { return k.text }
func (k *kept) Unwrap() error { return k.error }
