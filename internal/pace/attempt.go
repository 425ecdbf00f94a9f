// This file says when something is told, and makes the attempt.

package pace

import (
	"cmp"
	"slices"
	"time"
)

const (
	crowd    = 3               // messages' worth that make one denser
	patience = 3               // plain failures before a batch is tried in pieces
	reserve  = time.Second     // for the last post before the deadline
	editTime = time.Second / 2 // what an edit takes at Close, its trip aside
)

// Item is one group's part in a message.
type Item[T Counter, S any] struct {
	Group  *Group[T, S]
	Before uint64 // alerts told before this message: Count is UpTo - Before
	UpTo   uint64 // alerts told with it: Total
	Shows  S      // the caller's: how the group stands there. Preset where Frozen
	Frozen bool   // the group is, or will be, told elsewhere: it stands as it stood

	Quiet    bool          // it is over: none for Repeat
	Since    time.Time     // when the first alert that the post tells came
	Back     time.Duration // how long it was quiet before Since; 0: not for Repeat
	Late     time.Duration // how late it is told because delivery failed; 0: not more than a minute
	Why      string        // Result.Why of the failure that made it late
	Perhaps  bool          // perhaps told before: an attempt of unknown outcome was given up
	Interval time.Duration // the group's interval once the post is accepted
	Last     time.Time     // of Resume: the group's latest alert

	grows bool // the attempt tells alerts of it
}

// Message is what was posted and can be edited.
type Message[T Counter, S any] struct {
	ID, Ref string
	Items   []Item[T, S] // as it stands there

	shown time.Time    // the last that was accepted of it
	again bool         // it replaces one that was gone
	retry time.Time    // no edit before: the last one failed
	waits int          // groups that wait for its edit
	marks int          // groups that it is to say of that they are quiet
	due   [2]time.Time // counts, quiets
	place [2]int
}

const (
	counts = iota
	quiets
)

// Attempt is a message on its way. The caller sets ID and the items' Shows when
// Tries is 0, and never after: the same *Attempt again is the same content.
type Attempt[T Counter, S any] struct {
	ID    string         // the caller's for a post; of an edit it is the message's
	Items []Item[T, S]   // most severe first, then most frequent, then oldest
	Edits *Message[T, S] // what it changes; nil for a post
	Quiet bool           // an edit that only tells that groups are quiet
	Tries int            // how often it was tried before with unknown outcome; above 0 it is unchanged
	Began time.Time      // of the first try

	tried time.Time // begin of this try
	of    *bundle[T, S]
}

// groups are those that an attempt tells alerts of.
func (a *Attempt[T, S]) groups() (all []*Group[T, S]) {
	for i := range a.Items {
		if a.Items[i].grows {
			all = append(all, a.Items[i].Group)
		}
	}
	return all
}

func (l *Lane[T, S]) look(now time.Time) time.Time {
	return soonest(l.NextPost(), l.NextEdit(now))
}

// Next is when the lane has anything to do: a post, an edit or a group to
// forget. Zero = nothing.
func (l *Lane[T, S]) Next(now time.Time) time.Time { return soonest(l.look(now), l.NextForget()) }

// NextPost is when Post gives an attempt; zero = nothing waits to be posted, or
// the lane is closing and a person must mend something. It may be long past.
func (l *Lane[T, S]) NextPost() time.Time {
	if l.closing() && l.posting.gaveUp() {
		return time.Time{}
	}
	at := soonest(l.nextFresh(), soonest(l.nextPart(), dueOf(&l.open)))
	if at.IsZero() {
		return at
	}
	return later(at, later(l.gap, l.mute()))
}

// mute is until when Slack wants no request.
func (l *Lane[T, S]) mute() time.Time { return later(l.hold, l.budget.still) }

// atOnce is a time that is always past, yet not the zero time.
var atOnce = time.Unix(0, 0)

// nextFresh is when what was never in an attempt of its own, or came back from
// one, is due.
func (l *Lane[T, S]) nextFresh() time.Time {
	var due time.Time
	if n := l.soon.len(); n > 0 {
		due = l.soon.top().due
		if l.closing() || n >= l.rules.Size || !due.After(l.rush.Add(l.rules.Delay)) {
			due = atOnce
		}
	}
	if l.held.len() > 0 {
		due = soonest(due, l.held.top().over())
	}
	if due.IsZero() {
		return due
	}
	return later(due, l.pause)
}

// nextPart is when a part of a refused batch is due.
func (l *Lane[T, S]) nextPart() time.Time {
	due := dueOf(&l.parts)
	if due.IsZero() {
		return due
	}
	return later(due, l.pause)
}

func dueOf[T Counter, S any](h *heap[*bundle[T, S]]) time.Time {
	if h.len() == 0 {
		return time.Time{}
	}
	return h.top().due
}

// Post begins the next post; nil = it isn't time. Call it before Edit, and both
// before asking how long to sleep.
func (l *Lane[T, S]) Post(now time.Time) *Attempt[T, S] {
	l.postEdits(now)
	if at := l.NextPost(); l.flight != nil || at.IsZero() || at.After(now) {
		return nil
	}
	var from *heap[*bundle[T, S]]
	best := l.nextFresh()
	if !best.IsZero() && best.After(now) {
		best = time.Time{}
	}
	// Of what is due the longest wait goes first, so that neither what comes
	// nor what is tried again keeps the other waiting.
	if !best.IsZero() && !l.closing() && l.soon.len() > 0 {
		best = l.soon.top().due
	}
	if at := l.nextPart(); !at.IsZero() && !at.After(now) && (best.IsZero() || at.Before(best)) {
		best, from = at, &l.parts
	}
	if at := dueOf(&l.open); !at.IsZero() && !at.After(now) && (best.IsZero() || at.Before(best)) {
		from = &l.open
	}
	var a *Attempt[T, S]
	switch {
	case from == nil:
		a = l.attempt(l.fill(now), nil, now)
	case from.top().again != nil:
		a = from.pop().again
	default:
		p := from.pop()
		a = l.attempt(p.groups, p, now)
	}
	a.tried = now
	l.flight = a
	return a
}

// fill takes what goes into the next message: what is due, the first in order,
// and where there is room, what is due soon.
func (l *Lane[T, S]) fill(now time.Time) (in []*Group[T, S]) {
	for l.held.len() > 0 && !l.held.top().over().After(now) {
		g := l.held.top()
		due := g.due
		l.leave(g)
		l.join(g, earlier(due, now))
	}
	room := l.rules.Size
	switch {
	case l.closing() && !l.time(now):
		room = l.rank.len()
	case l.posting.plain >= patience:
		room = 1
	case l.rank.len() > crowd*room:
		room = l.rules.Dense
	}
	take := func(g *Group[T, S]) {
		from := g.wait
		l.leave(g)
		g.from = from
		in = append(in, g)
	}
	for len(in) < room && l.rank.len() > 0 {
		take(l.next(room, now))
	}
	for room > 1 && len(in) < room && l.along.len() > 0 && !l.along.top().early().After(now) {
		take(l.along.top())
	}
	return in
}

// next is the first in order of the company. Where a message has room for less
// than usual it is the first of what is due: what still waits for company, and
// would go along otherwise, takes nobody's place.
func (l *Lane[T, S]) next(room int, now time.Time) *Group[T, S] {
	best := l.rank.top()
	if room >= l.rules.Size || l.rank.len() >= l.rules.Size || l.closing() {
		return best
	}
	until := later(now, l.rush.Add(l.rules.Delay))
	for _, g := range l.rank.all {
		if !g.due.After(until) && (best.due.After(until) || first(g, best)) {
			best = g
		}
	}
	return best
}

// time says whether another post fits before the deadline after one made now.
func (l *Lane[T, S]) time(now time.Time) bool {
	return l.deadline.IsZero() || now.Add(2*l.took+l.rules.PostGap+reserve).Before(l.deadline)
}

// attempt is a new post of groups that are in no wait.
func (l *Lane[T, S]) attempt(in []*Group[T, S], of *bundle[T, S], now time.Time) *Attempt[T, S] {
	a := &Attempt[T, S]{Began: now, of: of, Items: make([]Item[T, S], 0, len(in))}
	for _, g := range in {
		g.wait = flying
		it := Item[T, S]{Group: g, Before: g.told, UpTo: g.Payload.Take(), Since: g.since, Back: g.back, Perhaps: g.perhaps, grows: true}
		it.Interval = min(2*g.interval, l.rules.RepeatMax)
		if g.interval == 0 {
			it.Interval = l.rules.Repeat
		}
		it.Late, it.Why = l.late(g, &l.posting, now)
		a.Items = append(a.Items, it)
	}
	sortItems(a.Items)
	return a
}

// late is how long a group's alerts are overdue because attempts failed.
func (l *Lane[T, S]) late(g *Group[T, S], t *trouble, now time.Time) (time.Duration, string) {
	by := now.Sub(g.due)
	switch {
	case by <= time.Minute || g.due.IsZero():
	case g.why != "":
		return by, g.why
	case t.N > 0:
		return by, t.Why
	case g.due.Before(t.ended):
		return by, t.was
	}
	return 0, ""
}

func sortItems[T Counter, S any](items []Item[T, S]) {
	slices.SortFunc(items, func(x, y Item[T, S]) int {
		return cmp.Or(
			cmp.Compare(y.Group.Level, x.Group.Level),
			cmp.Compare(y.UpTo, x.UpTo),
			x.Group.First.Compare(y.Group.First),
			cmp.Compare(x.Group.seq, y.Group.seq))
	})
}

// NextEdit is when Edit gives an attempt; zero = nothing waits for one. Another
// lane's edit may have made it later when that time comes: ask again.
func (l *Lane[T, S]) NextEdit(now time.Time) time.Time {
	l.tend(now)
	at := l.nextCount(now)
	if !l.closing() {
		if l.marks.len() > 0 {
			at = soonest(at, later(l.marks.top().due[quiets], l.budget.next(spare, now)))
		}
		if l.calm.len() > 0 {
			at = soonest(at, l.quietAt())
		}
	}
	if at.IsZero() {
		return at
	}
	return later(at, l.mute())
}

// nextCount is when the next edit may tell a count.
func (l *Lane[T, S]) nextCount(now time.Time) time.Time {
	if l.edits.len() == 0 || l.closing() && l.editing.gaveUp() {
		return time.Time{}
	}
	return later(l.edits.top().due[counts], l.budget.next(0, now))
}

// Edit begins the next edit; nil = it isn't time, or a post is due. Counts come
// before what only marks groups as quiet.
func (l *Lane[T, S]) Edit(now time.Time) *Attempt[T, S] {
	if at := l.NextPost(); l.flight != nil || l.mute().After(now) || !at.IsZero() && !at.After(now) {
		return nil
	}
	l.tend(now)
	a := &Attempt[T, S]{Began: now, tried: now}
	if at := l.nextCount(now); !at.IsZero() && !at.After(now) {
		a.Edits = l.edits.top()
	} else if l.marks.len() > 0 && !later(l.marks.top().due[quiets], l.budget.next(spare, now)).After(now) {
		a.Edits, a.Quiet = l.marks.top(), true
	} else {
		return nil
	}
	m := a.Edits
	a.ID = m.ID
	for _, it := range m.Items {
		it = l.asEdited(it, m, now)
		a.Quiet = a.Quiet && !it.grows
		a.Items = append(a.Items, it)
	}
	sortItems(a.Items)
	l.marks.remove(m)
	l.budget.spend(now)
	l.flight = a
	return a
}

// asEdited is an item as the next edit of its message shows it.
func (l *Lane[T, S]) asEdited(it Item[T, S], m *Message[T, S], now time.Time) Item[T, S] {
	g := it.Group
	it.grows, it.Frozen = false, g.message != m
	switch {
	case it.Frozen:
	case g.wait == edit:
		if late, why := l.late(g, &l.editing, now); late > 0 {
			it.Late, it.Why = late, why
		}
		l.leave(g)
		g.wait, g.from = flying, edit
		it.UpTo, it.Quiet, it.grows = g.Payload.Take(), false, true
	case g.wait == resting:
		it.Quiet = now.Sub(g.last) >= l.rules.Repeat
	default:
		it.Frozen = true
	}
	return it
}

// Yield is when the edit in flight has to be called off because something more
// important is due; zero = never, or none is in flight. Where posting needs a
// person there is nothing more important. Closing, an edit has half of the time
// left: then it is posted.
func (l *Lane[T, S]) Yield(now time.Time) (at time.Time) {
	if l.flight == nil || l.flight.Edits == nil {
		return at
	}
	if !l.posting.Mend {
		at = l.NextPost()
		if l.closing() && !l.deadline.IsZero() {
			from := later(l.flight.tried, l.closed)
			at = soonest(at, from.Add(max(0, l.deadline.Sub(from)/2)))
		}
	}
	if count := l.nextCount(now); l.flight.Quiet && !count.IsZero() {
		at = soonest(at, later(count, l.mute()))
	}
	return at
}
