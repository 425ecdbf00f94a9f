// Package facts finds in attributes what makes a record an alert, and which: its
// code, its error, and who was hit.
//
// It looks at the attributes themselves, into groups, and at what LogValuers
// return, eight deep as an alert is captured, at 64 LogValuers in all. Below
// that nothing is found.
package facts

import (
	"cmp"
	"log/slog"
	"strconv"
	"strings"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/fingerprint"
)

const (
	maxDepth = capture.MaxDepth
	maxAsked = 64
)

// Facts are what was found; of several the first.
type Facts struct {
	Code string
	Err  error  // an error value, of whatever key
	Text string // of an error that was logged as text: under "error", "err" or "exception"
	User uint64 // hash of the attribute "user"; 0 = none
}

// ErrorText is the text of the error, also of one that was logged as text.
func (f *Facts) ErrorText() string {
	if f.Err == nil {
		return f.Text
	}
	return capture.ErrorText(f.Err)
}

// Behind fills in what f lacks: g, if any, was found further away.
func (f *Facts) Behind(g *Facts) {
	if g == nil {
		return
	}
	if f.Code == "" {
		f.Code = g.Code
	}
	if f.Err == nil && f.Text == "" {
		f.Err, f.Text = g.Err, g.Text
	}
	if f.User == 0 {
		f.User = g.User
	}
}

// full says that nothing is left to be found.
func (f *Facts) full() bool { return f.Code != "" && f.Err != nil && f.User != 0 }

// take keeps a value that is an error, or a code under whatever key.
func (f *Facts) take(v any) {
	switch v := v.(type) {
	case error:
		if f.Err == nil {
			f.Err = v
		}
	case capture.Code:
		f.Code = cmp.Or(f.Code, string(v))
	}
}

// isError says of a key whether a text under it is an error's.
func isError(key string) bool {
	switch key {
	case "error", "err", "exception":
		return true
	}
	return false
}

const userKey = "user"

// User is the hash of a user's name or number; 0 = none.
func User(v slog.Value) uint64 {
	h := fingerprint.New()
	switch v = capture.Resolve(v); v.Kind() {
	case slog.KindString, slog.KindAny:
		return UserName(said(v))
	case slog.KindInt64:
		h = h.Uint(uint64(v.Int64()))
	case slog.KindUint64:
		h = h.Uint(v.Uint64())
	default:
		return 0
	}
	return max(1, uint64(h))
}

// UserName is the hash of a user's name; 0 = none.
func UserName(name string) uint64 {
	if name == "" {
		return 0
	}
	return max(1, uint64(fingerprint.New().String(name)))
}

// Finder looks for a code under one key. With dots the key is a path: it finds
// the flat key and the groups.
type Finder struct {
	key    string
	dotted bool
}

// NewFinder returns one for a key that isn't empty.
func NewFinder(key string) Finder { return Finder{key, strings.Contains(key, ".")} }

// MayHaveCode says, fast, whether there is a code in the record's attributes, or
// something that it could be in.
func (f *Finder) MayHaveCode(r *slog.Record) bool {
	key, found := f.key, f.dotted
	r.Attrs(func(a slog.Attr) bool {
		if len(a.Key) == len(key) && a.Key == key {
			found = true
		} else if k := a.Value.Kind(); k == slog.KindGroup || k == slog.KindLogValuer {
			found = true
		}
		return !found
	})
	return found
}

// Glance finds the facts of a record of the usual form in one pass: without
// groups and LogValuers, with one value at most that may be an error. Else it
// says so, and Record must look.
func (f *Finder) Glance(r *slog.Record, into *Facts) bool {
	key, closer, others := f.key, f.dotted, 0
	var other, user slog.Value
	text := ""
	r.Attrs(func(a slog.Attr) bool {
		switch a.Value.Kind() {
		case slog.KindGroup, slog.KindLogValuer:
			closer = true
		case slog.KindAny:
			others++
			other = a.Value
		case slog.KindString:
			if text == "" && isError(a.Key) {
				text = a.Value.String()
			}
		}
		if len(a.Key) == len(key) && a.Key == key {
			closer = true
		} else if len(a.Key) == len(userKey) && a.Key == userKey {
			user = a.Value
		}
		return !closer
	})
	if closer || others > 1 {
		return false
	}
	if others == 1 {
		into.take(other.Any())
	}
	into.Text = text
	if user.Kind() != slog.KindAny || user.Any() != nil {
		into.User = User(user)
	}
	return true
}

// May says whether a scope's attributes must be looked at: for a code, and for
// an alert's other facts if those are wanted.
func (f *Finder) May(attrs []slog.Attr, all bool) bool {
	for i := range attrs {
		a := &attrs[i]
		switch k := a.Value.Kind(); {
		case k == slog.KindGroup, k == slog.KindLogValuer, a.Key == f.key, f.dotted:
			return true
		case all && (k == slog.KindAny || a.Key == userKey || isError(a.Key)):
			return true
		}
	}
	return false
}

// Record finds the facts in a record's attributes, which stand in groups.
func (f *Finder) Record(r *slog.Record, groups []string, into *Facts) {
	s := search{Finder: f, Facts: into}
	around := s.around(groups)
	r.Attrs(func(a slog.Attr) bool {
		s.at(around, a, 0)
		return !s.full()
	})
}

// Attrs finds the facts in attributes, which stand in groups.
func (f *Finder) Attrs(attrs []slog.Attr, groups []string, into *Facts) {
	s := search{Finder: f, Facts: into}
	around := s.around(groups)
	for i := 0; i < len(attrs) && !s.full(); i++ {
		s.at(around, attrs[i], 0)
	}
}

// search is one under way.
type search struct {
	*Finder
	*Facts
	asked int // LogValuers
}

// around is the names of the groups around an attribute, each with a dot behind
// it, as far as they matter.
func (f *Finder) around(groups []string) string {
	if !f.dotted || len(groups) == 0 {
		return ""
	}
	return strings.Join(groups, ".") + "."
}

func (s *search) at(around string, a slog.Attr, depth int) {
	if a.Value.Kind() == slog.KindLogValuer {
		v := a.Value.LogValuer()
		if err, ok := v.(error); ok && s.Err == nil {
			s.Err = err
		}
		if s.asked++; depth >= maxDepth || s.asked > maxAsked {
			return
		}
		a.Value = capture.Resolve(a.Value)
	}
	if s.Code == "" && s.isCode(around, a.Key) {
		s.Code = codeText(a.Value)
	}
	if s.User == 0 && depth == 0 && a.Key == userKey {
		s.User = User(a.Value)
	}
	switch a.Value.Kind() {
	case slog.KindAny:
		s.take(a.Value.Any())
	case slog.KindString:
		if s.Text == "" && isError(a.Key) {
			s.Text = a.Value.String()
		}
	case slog.KindGroup:
		if depth >= maxDepth {
			return
		}
		if s.dotted && a.Key != "" {
			around += a.Key + "."
		}
		for _, m := range a.Value.Group() {
			s.at(around, m, depth+1)
		}
	}
}

// isCode says whether key, in the groups around it, is the finder's or ends in
// it.
func (f *Finder) isCode(around, key string) bool {
	if !f.dotted {
		return key == f.key
	}
	at := len(around) + len(key) - len(f.key)
	return at >= 0 && at <= len(around) && (at == 0 || around[at-1] == '.') && around[at:]+key == f.key
}

// threeDigits has the codes 100 to 999, so that a status needs no allocation.
var threeDigits = func() string {
	var b strings.Builder
	for n := 100; n < 1000; n++ {
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}()

// codeText is a resolved code as text; what says nothing is "".
func codeText(v slog.Value) string {
	switch v.Kind() {
	case slog.KindInt64:
		if n := v.Int64(); n >= 100 && n < 1000 {
			return threeDigits[(n-100)*3:][:3]
		}
	case slog.KindGroup:
		return ""
	}
	return said(v)
}

// said is a resolved value as text; "" where it is nil, or a pointer or its like
// that is: an optional column that is empty says nothing.
func said(v slog.Value) string {
	s := capture.Value(v)
	if s == "<nil>" || s == "null" && v.Kind() == slog.KindAny {
		return ""
	}
	return s
}
