// This file moves a group from one wait to the next.

package pace

import (
	"cmp"
	"time"
)

const (
	calmMin  = 2 * time.Hour  // an interval doesn't begin anew before
	remember = 24 * time.Hour // after that: who reads that it is back wants to know after how long
)

type wait uint8

const (
	resting wait = iota
	company      // for Delay or Size
	held         // for the end of its interval, to be posted
	edit         // for the next edit of its message
	flying       // in a post in flight, of unknown outcome, or to be tried by itself
	edited       // in an edit in flight
)

// Group is one kind of alert as a lane sees it. Set Payload and Level before its
// first News; it belongs to one lane.
type Group[T Counter, S any] struct {
	Payload T
	Level   int  // later changed by Lane.Raise alone
	Wants   bool // the next alert is to be the example: set by each accepted post, cleared by the caller

	seq      uint64
	told     uint64
	urgent   uint64 // somebody waits until so many are told
	wait     wait
	since    time.Time      // its first untold alert
	due      time.Time      // when that should be told
	posted   time.Time      // zero = it may be posted at once
	interval time.Duration  // from then on; 0 = the next is its first, or it begins anew
	message  *Message[T, S] // the one to edit; nil = none
	gone     bool           // its last message was
	last     time.Time      // the latest alert, as known when it was told
	parked   int            // how often it failed alone
	fails    int            // attempts with it that failed for no reason that excuses it
	failed   time.Time      // the first of them that isn't accounted for
	why      string         // of the last attempt with it that failed
	perhaps  bool
	place    [2]int // in the queues of its wait
}

// Told is how many of the group's alerts were told.
func (g *Group[T, S]) Told() uint64 { return g.told }

// Interval is how long the group is not posted again since its last post; 0 =
// it wasn't posted yet, or its interval begins anew.
func (g *Group[T, S]) Interval() time.Duration { return g.interval }

// Posted is when the group was last posted; zero = never, or it may be posted
// anew at once.
func (g *Group[T, S]) Posted() time.Time { return g.posted }

// Pressing says whether untold alerts of the group are posted as soon as the
// lane can: what Flush waits for. False: nothing is untold, or it is a repeat
// within the interval (held, or waiting for an edit), or it is parked. Somebody
// who waits for one alert, which is urgent, waits for edits, too.
func (g *Group[T, S]) Pressing(urgent bool, now time.Time) bool {
	switch g.wait {
	case company:
		return true
	case held:
		return !g.over().After(now)
	case edit, edited:
		return urgent
	case flying:
		return g.parked == 0
	}
	return false
}

func (g *Group[T, S]) hurries() bool { return g.urgent > g.told }

// over is when the group may be posted again.
func (g *Group[T, S]) over() time.Time { return g.posted.Add(g.interval) }

// early is when a group may go along with what is posted.
func (g *Group[T, S]) early() time.Time { return g.over().Add(-g.interval / 5) }

// forget is when a group at rest is forgotten.
func (g *Group[T, S]) forget() time.Time {
	return later(g.last.Add(g.anew()), g.over()).Add(remember)
}

// anew is how long a group must be quiet for its interval to begin anew.
func (g *Group[T, S]) anew() time.Duration { return max(calmMin, 2*g.interval) }

// before orders what waits for a place in a message: the urgent before the
// others, what has failed again and again after them, then by level, then the
// longest wait.
func before[T Counter, S any](a, b *Group[T, S]) bool {
	if a.hurries() != b.hurries() {
		return a.hurries()
	}
	return cmp.Or(
		cmp.Compare(max(a.fails, patience), max(b.fails, patience)),
		cmp.Compare(b.Level, a.Level),
		a.due.Compare(b.due),
		cmp.Compare(a.seq, b.seq)) < 0
}

// arrive takes in the first untold alert of a group that rests.
func (l *Lane[T, S]) arrive(g *Group[T, S], now time.Time) {
	if g.seq == 0 {
		l.seq++
		g.seq = l.seq
	}
	if !g.last.IsZero() && now.Sub(g.last) >= g.anew() && !now.Before(g.over()) { // it may have been told late
		g.posted, g.interval = time.Time{}, 0
	}
	g.since, g.due = now, Never
	l.schedule(g, now)
}

// schedule says how and when untold alerts of a group are told. What should have
// been told sooner is due since then.
func (l *Lane[T, S]) schedule(g *Group[T, S], now time.Time) {
	g.Payload.Rests(g.told) // no: those to come need not be announced
	to, at := edit, now.Add(l.rules.Delay)
	if g.hurries() {
		at = now
	}
	switch m := g.message; {
	case !now.Before(g.over()):
		to = company
	case m == nil:
		to, at, g.due = held, g.over(), Never
	case l.editing.n > 0 && m.retry.After(g.over()), l.budget.hold.After(g.over()):
		to, g.why = held, l.editing.why // editing delays nobody: what can be posted sooner is
	}
	g.due = earlier(g.due, at)
	l.move(g, to)
}

// move takes a group from its wait to the next.
func (l *Lane[T, S]) move(g *Group[T, S], to wait) {
	from := g.wait
	for _, q := range l.waits[from] {
		q.remove(g)
	}
	g.wait = to
	for _, q := range l.waits[to] {
		q.put(g)
	}
	if from == resting || from == edit || to == edit {
		l.tend(g.message)
	}
}

// Resume says that a message was posted, and accepted at told, by a process
// that is gone. Items need Group and UpTo, and where they are known Before,
// Shows, Interval (0 = Repeat) and Last (zero = told); the group's counts must
// have UpTo more right after it. An item whose group this lane has told, or is
// telling, is marked as Frozen and its group left alone. Ref "" = the message
// can't be edited, and only the interval counts.
func (l *Lane[T, S]) Resume(m *Message[T, S], told, now time.Time) {
	m.shown = told
	for i := range m.Items {
		it := &m.Items[i]
		g := it.Group
		if it.Frozen = g.told > 0 || g.wait == flying; it.Frozen {
			continue
		}
		it.Interval = min(max(it.Interval, l.rules.Repeat), l.rules.RepeatMax)
		g.told, g.posted, g.interval = it.UpTo, told, it.Interval
		if m.Ref != "" && l.rules.Edits {
			g.message = m
		}
		if g.wait != resting {
			l.schedule(g, now)
			continue
		}
		g.Wants, g.last = true, told
		if !it.Last.IsZero() { // by another's clock; edits since it was posted told later ones
			g.last = earlier(it.Last, now)
		}
		l.old.put(g)
	}
	l.tend(m)
}

// Forget gives up one group that was quiet for so long that it isn't of interest
// any more, a day and more; nil = none. The lane holds nothing of it then;
// should an alert come in this moment, News takes it in again.
func (l *Lane[T, S]) Forget(now time.Time) *Group[T, S] {
	if l.old.next().After(now) {
		return nil
	}
	g := l.old.top()
	m := g.message
	g.message = nil
	l.old.remove(g)
	l.tend(m)
	return g
}

// Spare is Forget where room is wanted: it gives up the group that was quiet for
// longest, if that was so long that its interval would begin anew.
func (l *Lane[T, S]) Spare(now time.Time) *Group[T, S] { return l.Forget(now.Add(remember)) }
