// This file says when something is posted, and makes the attempt.

package pace

import (
	"slices"
	"time"
)

const (
	crowd    = 3           // messages' worth that make one denser
	patience = 3           // plain failures before a batch is tried in pieces
	reserve  = time.Second // for the last post before the deadline
)

// Item is one group's part in a message.
type Item[T Counter, S any] struct {
	Group  *Group[T, S]
	Before uint64 // alerts told before this message: Count is UpTo - Before
	UpTo   uint64 // alerts told with it: Total
	Shows  S      // the caller's: how the group stands there. Preset where Frozen
	Frozen bool   // the group is, or will be, told elsewhere: it stands as it stood

	Quiet    bool          // it is over: none for Repeat
	Back     time.Duration // how long it was quiet before what the post tells; 0: not for Repeat
	Late     time.Duration // how late it is told because delivery failed; 0: not more than a minute
	Why      string        // Result.Why of the failure that made it late
	Perhaps  bool          // perhaps told before: an attempt of unknown outcome was given up
	Interval time.Duration // the group's interval once the post is accepted
	Last     time.Time     // of Resume: the group's latest alert
}

// Attempt is a message on its way. The caller sets ID and the items' Shows when
// Tries is 0, and never after: the same *Attempt again is the same content.
type Attempt[T Counter, S any] struct {
	ID    string         // the caller's for a post; of an edit it is the message's
	Items []Item[T, S]   // in no order that a reader would want
	Edits *Message[T, S] // what it changes; nil for a post
	Tries int            // how often it was tried before with unknown outcome; above 0 it is unchanged
	Began time.Time      // of the first try
	Looks int            // the caller's: how often it was looked for, and nobody could say

	tells []*Group[T, S] // those it tells alerts of; an edit without only says that groups are quiet
	tried time.Time      // begin of this try, or the end of the last
	due   time.Time      // of the next, where it waits for one
}

// NextPost is when Post gives an attempt; Never where a person must mend something
// before the lane can close. It may be long past.
func (l *Lane[T, S]) NextPost(now time.Time) time.Time {
	if l.gaveUp(&l.posting) {
		return Never
	}
	at, _ := l.next(now)
	return later(at, later(l.gap, l.mute()))
}

// mute is until when Slack wants no request.
func (l *Lane[T, S]) mute() time.Time { return later(l.hold, l.budget.still) }

// next is what is due first, and when: an attempt to try again, or nil, what is
// in none yet. So neither what comes nor what is tried again keeps the other
// waiting; a lane that closes tells first what wasn't tried.
func (l *Lane[T, S]) next(now time.Time) (at time.Time, a *Attempt[T, S]) {
	at = earlier(l.soon.next(), l.held.next())
	switch n := l.rank.Len(); {
	case l.closing() && at.Before(Never):
		at = l.closed
	case n >= l.rules.Size, n > 0 && !l.soon.next().After(l.rush.Add(l.rules.Delay)):
		at = earlier(at, now)
	}
	at = later(at, l.pause)
	for _, b := range l.again {
		due := b.due
		if b.Tries == 0 || l.closing() {
			due = later(due, l.pause)
		}
		if due.Before(at) {
			at, a = due, b
		}
	}
	return at, a
}

// Post begins the next post; nil = it isn't time. Call it before Edit, and both
// before asking how long to sleep.
func (l *Lane[T, S]) Post(now time.Time) *Attempt[T, S] {
	l.postEdits(now)
	if l.flight != nil || l.NextPost(now).After(now) {
		return nil
	}
	_, a := l.next(now)
	if a == nil {
		a = &Attempt[T, S]{tells: l.fill(now)}
	}
	l.again = slices.DeleteFunc(l.again, func(b *Attempt[T, S]) bool { return b == a })
	if a.Tries == 0 {
		l.compose(a, now)
	}
	a.tried, l.flight = now, a
	return a
}

// fill takes what goes into the next message: what is due, the first in order,
// and where there is room, what is due soon.
func (l *Lane[T, S]) fill(now time.Time) (in []*Group[T, S]) {
	for !l.held.next().After(now) || l.closing() && l.held.Len() > 0 {
		l.move(l.held.top(), company)
	}
	room := l.rules.Size
	switch {
	case !now.Add(2*l.took + l.rules.PostGap + reserve).Before(l.deadline):
		room = l.rank.Len()
	case l.posting.plain >= patience:
		room = 1
	case l.rank.Len() > crowd*room:
		room = l.rules.Dense
	}
	take := func(g *Group[T, S]) {
		l.move(g, flying)
		in = append(in, g)
	}
	for len(in) < room && l.rank.Len() > 0 {
		take(l.rank.top())
	}
	for len(in) < room && !l.along.next().After(now) {
		take(l.along.top())
	}
	return in
}

// compose makes a new post of its groups.
func (l *Lane[T, S]) compose(a *Attempt[T, S], now time.Time) {
	a.Began, a.Items = now, make([]Item[T, S], 0, len(a.tells))
	for _, g := range a.tells {
		it := Item[T, S]{Group: g, Before: g.told, UpTo: g.Payload.Take(), Perhaps: g.perhaps}
		if it.Interval = min(2*g.interval, l.rules.RepeatMax); g.interval == 0 {
			it.Interval = l.rules.Repeat
		}
		if away := g.since.Sub(g.last); !g.last.IsZero() && away >= l.rules.Repeat {
			it.Back = away
		}
		it.Late, it.Why = g.late(&l.posting, now)
		a.Items = append(a.Items, it)
	}
}

// late is how long a group's alerts are overdue because attempts failed.
func (g *Group[T, S]) late(t *trouble, now time.Time) (time.Duration, string) {
	by := now.Sub(g.due)
	switch {
	case by <= time.Minute:
	case g.why != "":
		return by, g.why
	case t.n > 0 || g.due.Before(t.ended):
		return by, t.why
	}
	return 0, ""
}
