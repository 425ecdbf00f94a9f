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
// request.
type Scope struct {
	parent  *Scope
	own     atomic.Pointer[[]slog.Attr] // immutable, replaced whole
	merged  atomic.Pointer[view]
	alerted atomic.Bool

	mu      sync.Mutex // guards writes to own, and what follows
	leftOut int
	late    []func() []slog.Attr
	crumbs  []Crumb // a ring
	next    int
}

// view is what parent and own were merged from, and the result.
type view struct{ parent, own, all *[]slog.Attr }

// From returns the scope that ctx carries, or nil.
func From(ctx context.Context) *Scope {
	s, _ := ctx.Value(key{}).(*Scope)
	return s
}

// Open returns a context with a new scope inside ctx's own.
func Open(ctx context.Context, attrs ...slog.Attr) (context.Context, *Scope) {
	s := &Scope{parent: From(ctx)}
	s.own.Store(new([]slog.Attr))
	s.Add(attrs...)
	return context.WithValue(ctx, key{}, s), s
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
	if s.parent == nil {
		return own
	}
	outer := s.parent.snapshot()
	if v := s.merged.Load(); v != nil && v.parent == outer && v.own == own {
		return v.all
	}
	all := make([]slog.Attr, 0, len(*outer)+len(*own))
	for _, a := range *outer {
		if a.Key == "" || !slices.ContainsFunc(*own, func(b slog.Attr) bool { return b.Key == a.Key }) {
			all = append(all, a)
		}
	}
	all = append(all, *own...)
	s.merged.Store(&view{outer, own, &all})
	return &all
}

// Late registers attributes that are asked for when an alert is made.
func (s *Scope) Late(f func() []slog.Attr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = append(s.late, f)
}

// AlertAttrs returns Attrs and after them the late ones, outermost first.
func (s *Scope) AlertAttrs() []slog.Attr {
	all := slices.Clone(s.Attrs())
	var scopes []*Scope
	for t := s; t != nil; t = t.parent {
		scopes = append(scopes, t)
	}
	for _, t := range slices.Backward(scopes) {
		t.mu.Lock()
		late := slices.Clone(t.late)
		t.mu.Unlock()
		for _, f := range late {
			all = append(all, f()...)
		}
	}
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
