// This file says when a message is edited, and what becomes of the edit.

package pace

import "time"

const (
	editTime  = time.Second / 2 // what an edit takes at Close, its trip aside
	yieldWait = time.Second     // before an edit that was called off is tried again
)

// Message is what was posted and can be edited.
type Message[T Counter, S any] struct {
	ID, Ref string
	Items   []Item[T, S] // as it stands there

	shown time.Time    // the last that was accepted of it
	again bool         // it replaces one that was gone
	ended time.Time    // the last edit that wasn't accepted
	retry time.Time    // and no edit before
	due   [2]time.Time // counts, quiets
	place [2]int
}

const (
	counts = iota
	quiets
)

// tend says when a message is to be edited next: for the counts that wait for it,
// and to say that groups at rest are quiet, of which it doesn't yet. nil does
// nothing.
func (l *Lane[T, S]) tend(m *Message[T, S]) {
	if m == nil {
		return
	}
	gap := m.shown.Add(l.rules.EditGap)
	m.due = [2]time.Time{Never, Never}
	for i := range m.Items {
		switch g := m.Items[i].Group; {
		case g.message != m:
		case g.wait == edit && l.closing():
			m.due[counts] = l.closed
		case g.wait == edit && g.hurries():
			m.due[counts] = earlier(m.due[counts], g.due)
		case g.wait == edit:
			m.due[counts] = earlier(m.due[counts], later(g.due, gap))
		case g.wait == resting && !m.Items[i].Quiet && !l.closing():
			m.due[quiets] = earlier(m.due[quiets], later(g.last.Add(l.rules.Repeat), gap))
		}
	}
	for i, q := range []*queue[*Message[T, S]]{&l.edits, &l.marks} {
		if q.remove(m); m.due[i].Before(Never) {
			q.put(m)
		}
	}
}

// nextEdit is what is to be edited next, and when: a count before what only marks
// groups as quiet.
func (l *Lane[T, S]) nextEdit(now time.Time) (at time.Time, m *Message[T, S]) {
	at = Never
	if l.edits.Len() > 0 && !l.gaveUp(&l.editing) {
		at, m = later(l.edits.next(), l.budget.next(0, now)), l.edits.top()
	}
	if mark := later(l.marks.next(), l.budget.next(spare, now)); mark.Before(at) && at.After(now) {
		at, m = mark, l.marks.top()
	}
	return later(at, l.mute()), m
}

// Edit begins the next edit; nil = it isn't time, or a post is due.
func (l *Lane[T, S]) Edit(now time.Time) *Attempt[T, S] {
	at, m := l.nextEdit(now)
	if l.flight != nil || at.After(now) || !l.NextPost(now).After(now) {
		return nil
	}
	a := &Attempt[T, S]{ID: m.ID, Edits: m, Began: now, tried: now}
	for _, it := range m.Items {
		g := it.Group
		switch it.Frozen = g.message != m; {
		case it.Frozen:
		case g.wait == edit:
			if late, why := g.late(&l.editing, now); late > 0 {
				it.Late, it.Why = late, why
			}
			l.move(g, edited)
			it.UpTo, it.Quiet = g.Payload.Take(), false
			a.tells = append(a.tells, g)
		case g.wait == resting:
			it.Quiet = now.Sub(g.last) >= l.rules.Repeat
		default:
			it.Frozen = true
		}
		a.Items = append(a.Items, it)
	}
	l.budget.bank--
	l.flight = a
	return a
}

// Yield is when the edit in flight has to be called off because something more
// important is due; Never where none is in flight. Where posting needs a person
// there is nothing more important. Closing, an edit has half of the time left:
// then it is posted.
func (l *Lane[T, S]) Yield(now time.Time) time.Time {
	if l.flight == nil || l.flight.Edits == nil || l.posting.mend {
		return Never
	}
	at := l.NextPost(now)
	if l.closing() {
		from := later(l.flight.tried, l.closed)
		at = earlier(at, from.Add(max(0, l.deadline.Sub(from)/2)))
	}
	return at
}

// settleEdit ends an edit that wasn't accepted: its groups wait anew. What a
// message that is gone didn't tell is posted at once, if it didn't itself replace
// one; that, and what it refuses to hold, waits for the end of its interval as
// with a webhook.
func (l *Lane[T, S]) settleEdit(a *Attempt[T, S], r Result, now time.Time) (out Outcome[T, S]) {
	m, lost := a.Edits, r.Kind == Gone || r.Kind == Refused
	wait := yieldWait
	switch {
	case r.Kind == Gone:
		out.Say = l.over(&l.editing, now)
	case r.Kind == Yielded && l.closing():
		l.editing.n++ // there is no time to try again
	case r.Kind != Yielded:
		wait = l.editing.fail(r)
		out.Say = l.says(&l.editing)
	}
	m.ended, m.retry = now, now.Add(wait)
	for i := range m.Items {
		g := m.Items[i].Group
		if g.message != m {
			continue
		}
		if g.wait == edited && r.Kind != Yielded {
			g.why = r.Why
		}
		if lost {
			if g.message, g.gone = nil, true; r.Kind == Gone && !m.again {
				g.posted = time.Time{}
				l.move(g, g.wait) // to its place by that
			}
		}
		if g.wait == edit || g.wait == edited {
			l.schedule(g, now)
		}
	}
	l.tend(m)
	return out
}

// postEdits posts, in a closing lane, what can't be edited in half of the time
// left.
func (l *Lane[T, S]) postEdits(now time.Time) {
	if !l.closing() || l.posting.mend {
		return
	}
	n := l.edits.Len()
	begin := later(l.mute(), l.budget.next(float64(n-1), now))
	fits := begin.Sub(now)+time.Duration(n)*editTime <= l.deadline.Sub(now)/2
	if fits && l.editing.n == 0 {
		return
	}
	for l.edits.Len() > 0 {
		m := l.edits.top()
		for i := range m.Items {
			if g := m.Items[i].Group; g.message == m && g.wait == edit {
				l.move(g, company)
			}
		}
	}
}
