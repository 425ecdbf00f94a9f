// Package scope keeps what one request knows of itself: the attributes that
// its context carries, and the records that led to an alert.
package scope

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
)

// MaxAttrs bounds one scope. What is added beyond is counted, and the count
// stands among the attributes as LeftOut.
const MaxAttrs = 64

// LeftOut is the key of the count of attributes a full scope refused.
const LeftOut = "scope_left_out"

type key struct{}

// Scope is safe for use by many goroutines, also by those that outlive the
// request. It is the context that carries it, so that a request pays for one.
type Scope struct {
	context.Context
	parent  *Scope
	first   []slog.Attr                 // what own starts as
	own     atomic.Pointer[[]slog.Attr] // immutable, replaced whole
	merged  atomic.Pointer[view]
	late    Later // nil = none
	passing bool  // made by Around
	alerted atomic.Bool

	mu      sync.Mutex // guards writes to own, and what follows
	leftOut int
	crumbs  []Crumb // oldest first
}

// view is what parent and own were merged from, and the result.
type view struct{ parent, own, all *[]slog.Attr }

// Later has attributes that are asked for when an alert is made, in the
// goroutine that makes it. has says of a key that the alert has it already.
type Later interface {
	Late(has func(key string) bool) []slog.Attr
}

// Value is a context's.
func (s *Scope) Value(k any) any {
	if k == (key{}) {
		return s
	}
	return s.Context.Value(k)
}

// String keeps what prints a context away from the attributes: they may be
// changing, and may be secret.
func (s *Scope) String() string { return "slackalert scope" }

// From returns the scope that ctx carries, or nil.
func From(ctx context.Context) *Scope {
	if ctx == nil {
		return nil
	}
	s, _ := ctx.Value(key{}).(*Scope)
	return s
}

// Open returns a context with a new scope inside ctx's own. It keeps attrs:
// they must not be changed. A nil ctx is an empty one.
func Open(ctx context.Context, attrs ...slog.Attr) (context.Context, *Scope) {
	s := OpenLate(ctx, nil, attrs...)
	return s, s
}

// OpenLate is Open with one who has more attributes for alerts; nil = none. The
// scope is the context.
func OpenLate(ctx context.Context, late Later, attrs ...slog.Attr) *Scope {
	if ctx == nil {
		ctx = context.Background()
	}
	s := &Scope{Context: ctx, parent: From(ctx), late: late}
	s.start(attrs)
	return s
}

// start sets what a scope begins with.
func (s *Scope) start(attrs []slog.Attr) {
	s.own.Store(&s.first)
	if tidy(attrs) {
		s.first = attrs
	} else {
		s.Add(attrs...)
	}
}

// Around returns the scope of one record, with attrs around those of the scope
// that ctx carries, which hide attrs of the same key. What is left in it and
// noted on it is left and noted there. It keeps attrs.
func Around(ctx context.Context, attrs []slog.Attr) *Scope {
	s := &Scope{Context: ctx, parent: From(ctx), passing: true}
	s.start(attrs)
	if s.parent != nil {
		all := join(*s.own.Load(), s.parent.Attrs())
		s.own.Store(&all)
	}
	return s
}

// tidy says whether adding the attributes one by one would give the same.
func tidy(attrs []slog.Attr) bool {
	for i, a := range attrs {
		if a.Equal(slog.Attr{}) || has(attrs[:i], a.Key) {
			return false
		}
	}
	return len(attrs) <= MaxAttrs
}

func has(attrs []slog.Attr, key string) bool {
	return slices.ContainsFunc(attrs, func(a slog.Attr) bool { return a.Key == key })
}

// Hidden returns ctx without its scope.
func Hidden(ctx context.Context) context.Context {
	return context.WithValue(ctx, key{}, (*Scope)(nil))
}

// Args turns alternating keys and values, or attributes, into attributes as
// slog.With does.
func Args(args []any) []slog.Attr {
	return slog.Group("", args...).Value.Group()
}

// Add adds attributes. One with a key the scope has already takes its place.
func (s *Scope) Add(attrs ...slog.Attr) {
	if len(attrs) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own := slices.Clone(*s.own.Load())
	if s.leftOut > 0 {
		own = own[:len(own)-1]
	}
	for _, a := range attrs {
		i := slices.IndexFunc(own, func(b slog.Attr) bool { return a.Key != "" && b.Key == a.Key })
		switch {
		case a.Equal(slog.Attr{}):
		case i >= 0:
			own[i] = a
		case len(own) < MaxAttrs:
			own = append(own, a)
		default:
			s.leftOut++
		}
	}
	if s.leftOut > 0 {
		own = append(own, slog.Int(LeftOut, s.leftOut))
	}
	s.own.Store(&own)
}

// Attrs returns the attributes of the scope and of those around it, outermost
// first. An inner one with the same key hides an outer one. The slice must not
// be changed.
func (s *Scope) Attrs() []slog.Attr { return *s.snapshot() }

func (s *Scope) snapshot() *[]slog.Attr {
	own := s.own.Load()
	if s.parent == nil || s.passing {
		return own
	}
	outer := s.parent.snapshot()
	if v := s.merged.Load(); v != nil && v.parent == outer && v.own == own {
		return v.all
	}
	all := join(*outer, *own)
	s.merged.Store(&view{outer, own, &all})
	return &all
}

// join returns the attributes of two scopes.
func join(outer, inner []slog.Attr) []slog.Attr {
	all := make([]slog.Attr, 0, len(outer)+len(inner))
	for _, a := range outer {
		if a.Key == "" || !has(inner, a.Key) {
			all = append(all, a)
		}
	}
	return append(all, inner...)
}

// Outer calls visit with each Later of the scope and of those around it,
// innermost first, until it returns true.
func (s *Scope) Outer(visit func(Later) bool) {
	for t := s; t != nil; t = t.parent {
		if t.late != nil && visit(t.late) {
			return
		}
	}
}

// LateUser is who is hit, of whom the attributes say nothing, as far as a Later
// that has a method User() string knows.
func (s *Scope) LateUser() (name string) {
	s.Outer(func(l Later) bool {
		if u, ok := l.(interface{ User() string }); ok {
			name = u.User()
		}
		return name != ""
	})
	return name
}

// Has says whether Attrs has the key.
func (s *Scope) Has(key string) bool { return has(s.Attrs(), key) }

// AlertAttrs returns Attrs and after them the late ones, innermost first,
// whose keys are not among them.
func (s *Scope) AlertAttrs() []slog.Attr {
	all := slices.Clone(s.Attrs())
	s.Outer(func(l Later) bool {
		all = append(all, l.Late(func(key string) bool { return has(all, key) })...)
		return false
	})
	return all
}

// MarkAlert notes on the scope, and on those around it, that an alert was
// logged.
func (s *Scope) MarkAlert() {
	for t := s; t != nil; t = t.parent {
		if !t.alerted.Load() {
			t.alerted.Store(true)
		}
	}
}

// Alerted says whether an alert was logged with the scope or one inside it.
func (s *Scope) Alerted() bool { return s.alerted.Load() }
