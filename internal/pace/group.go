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

// bundle are groups that are posted by themselves.
type bundle[T Counter, S any] struct {
	groups []*Group[T, S]
	again  *Attempt[T, S] // of unknown outcome: unchanged
	tried  time.Time
	due    time.Time
	place  int
}

type wait uint8

const (
	resting wait = iota
	company      // for Delay or Size
	held         // for the end of its interval, to be posted
	edit         // for the next edit of its message
	bundled      // with those it was refused with, or alone
	flying       // in an attempt in flight or of unknown outcome
)

// Group is one kind of alert as a lane sees it. Set Payload, Level and First
// before its first News; it belongs to one lane.
type Group[T Counter, S any] struct {
	Payload T
	Level   int       // later changed by Lane.Raise alone
	First   time.Time // of its first alert; orders equals
	Wants   bool      // the next alert is to be captured as example: set by each accepted post, cleared by the caller when it has captured

	seq      uint64
	told     uint64
	urgent   uint64 // somebody waits until so many are told
	wait     wait
	from     wait      // before it flew
	since    time.Time // its first untold alert
	due      time.Time // when that should be told
	posted   time.Time
	interval time.Duration
	message  *Message[T, S] // the one to edit; nil = none
	gone     bool           // its last message was; the next post replaces it
	stuck    bool           // and that replaced one, too: no more edits until the interval ends
	last     time.Time      // the latest alert, as known when it came to rest
	back     time.Duration  // how long it had been quiet before since
	marking  bool           // its message is to say so
	parked   int            // how often it failed alone
	fails    int            // attempts with it that failed for no reason that excuses it
	failed   time.Time      // the first of them that isn't accounted for
	why      string         // of the last attempt with it that failed
	perhaps  bool
	place    [2]int // in the two heaps of its state
}

// Told is how many of the group's alerts were told.
func (g *Group[T, S]) Told() uint64 { return g.told }

// Interval is how long the group is not posted again since its last post; 0 =
// it wasn't posted yet, or its interval begins anew.
func (g *Group[T, S]) Interval() time.Duration { return g.interval }

// Posted is when the group was last posted; zero = never, or its interval
// begins anew.
func (g *Group[T, S]) Posted() time.Time { return g.posted }

// Pressing says whether untold alerts of the group are posted as soon as the
// lane can: what Flush waits for. False: nothing is untold, or it is a repeat
// within the interval (held, or waiting for an edit), or it is parked.
func (g *Group[T, S]) Pressing(now time.Time) bool {
	switch g.wait {
	case company:
		return true
	case held:
		return !g.over().After(now)
	case bundled:
		return g.parked == 0
	case flying:
		return g.parked == 0 && g.from != edit
	}
	return false
}

// Soon says whether untold alerts of the group are told as soon as the lane
// can, be it by an edit: what somebody waits for after Urge.
func (g *Group[T, S]) Soon(now time.Time) bool {
	return g.Pressing(now) || g.wait == edit || g.wait == flying
}

func (g *Group[T, S]) hurries() bool { return g.urgent > g.told }

// over is when the group may be posted again.
func (g *Group[T, S]) over() time.Time { return g.posted.Add(g.interval) }

// early is when a group may go along with what is posted.
func (g *Group[T, S]) early() time.Time { return g.over().Add(-g.interval / 5) }

// calm is when the interval of a group at rest would begin anew.
func (g *Group[T, S]) calm() time.Time { return later(g.last.Add(g.anew()), g.over()) }

// anew is how long a group must be quiet for its interval to begin anew.
func (g *Group[T, S]) anew() time.Duration { return max(calmMin, 2*g.interval) }

// first orders what waits for a place in a message: the urgent before the
// others, what has failed again and again after them, then by level, then the
// longest wait.
func first[T Counter, S any](a, b *Group[T, S]) bool {
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
	l.leave(g)
	l.number(g)
	g.back = 0
	if !g.last.IsZero() {
		away := now.Sub(g.last)
		if away >= l.rules.Repeat {
			g.back = away
		}
		if away >= g.anew() && !now.Before(g.over()) { // it may have been told late
			g.posted, g.interval = time.Time{}, 0
		}
	}
	g.since = now
	l.schedule(g, now)
}

// number gives a group its place among equals.
func (l *Lane[T, S]) number(g *Group[T, S]) {
	if g.seq == 0 {
		l.seq++
		g.seq = l.seq
	}
}

// schedule says how and when untold alerts of a group in no wait are told.
func (l *Lane[T, S]) schedule(g *Group[T, S], now time.Time) {
	at := now.Add(l.rules.Delay)
	switch m := g.message; {
	case g.gone && !g.stuck:
		l.join(g, now)
	case g.posted.IsZero() || !now.Before(g.over()):
		l.join(g, at)
	case m != nil && !l.closing() && l.stalled(m).After(g.over()):
		g.why = l.editing.Why
		l.holdBack(g, later(at, m.shown.Add(l.rules.EditGap)))
	case m != nil && !l.closing() && !g.hurries():
		l.joinEdit(g, later(at, m.shown.Add(l.rules.EditGap)))
	case m != nil:
		l.joinEdit(g, now)
	case l.closing():
		l.join(g, now)
	default:
		l.holdBack(g, g.over())
	}
}

// stalled is until when a message can't be edited because something failed. A
// group that can be posted sooner is: editing delays nobody.
func (l *Lane[T, S]) stalled(m *Message[T, S]) time.Time { return later(m.retry, l.budget.hold) }

// join lets a group wait for company, or for its turn.
func (l *Lane[T, S]) join(g *Group[T, S], due time.Time) {
	g.wait, g.due = company, due
	l.soon.push(g)
	l.rank.push(g)
}

// holdBack lets a group wait for the end of its interval; due is when it should
// have been told.
func (l *Lane[T, S]) holdBack(g *Group[T, S], due time.Time) {
	g.wait, g.due = held, due
	l.held.push(g)
	l.along.push(g)
}

// joinEdit lets a group wait for the next edit of its message.
func (l *Lane[T, S]) joinEdit(g *Group[T, S], due time.Time) {
	m := g.message
	due = later(due, m.retry)
	g.wait = edit
	m.waits++
	if m.waits == 1 {
		m.due[counts] = due
		l.edits.push(m)
	} else if g.hurries() && due.Before(m.due[counts]) {
		m.due[counts] = due
		l.edits.fix(m)
	}
	g.due = later(m.due[counts], g.since)
	l.along.push(g)
}

// leave takes a group out of its wait.
func (l *Lane[T, S]) leave(g *Group[T, S]) {
	switch g.wait {
	case resting:
		l.calm.remove(g)
		l.old.remove(g)
		l.unmark(g)
	case company:
		l.soon.remove(g)
		l.rank.remove(g)
	case held:
		l.held.remove(g)
		l.along.remove(g)
	case edit:
		l.along.remove(g)
		if g.message.waits--; g.message.waits == 0 {
			l.edits.remove(g.message)
		}
	}
	g.wait = resting
}

// rest lets a group be that has nothing to tell, until it is quiet or forgotten.
func (l *Lane[T, S]) rest(g *Group[T, S]) {
	g.wait, g.back, g.due = resting, 0, time.Time{}
	l.old.push(g)
	if g.message != nil {
		l.calm.push(g)
	}
}

// unmark forgets to say in a group's message that it is quiet.
func (l *Lane[T, S]) unmark(g *Group[T, S]) {
	if !g.marking {
		return
	}
	g.marking = false
	if g.message.marks--; g.message.marks == 0 {
		l.marks.remove(g.message)
	}
}

// quietAt is when the next group will have been quiet for long enough; there is
// one that rests.
func (l *Lane[T, S]) quietAt() time.Time { return l.calm.top().last.Add(l.rules.Repeat) }

// tend finds the groups that have become quiet.
func (l *Lane[T, S]) tend(now time.Time) {
	for !l.closing() && l.calm.len() > 0 && !l.quietAt().After(now) {
		at := l.quietAt()
		g := l.calm.pop()
		m := g.message
		g.marking = true
		if m.marks++; m.marks == 1 {
			m.due[quiets] = later(later(at, m.retry), m.shown.Add(l.rules.EditGap))
			l.marks.push(m)
		}
	}
}

// lose takes a group's message from it.
func (l *Lane[T, S]) lose(g *Group[T, S]) {
	if g.wait == resting {
		l.calm.remove(g)
		l.unmark(g)
	}
	g.message = nil
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
		if it.Frozen = g.told > 0 || g.wait == flying || g.wait == bundled; it.Frozen {
			continue
		}
		waits := g.wait != resting
		l.leave(g)
		l.number(g)
		it.Interval = min(max(it.Interval, l.rules.Repeat), l.rules.RepeatMax)
		g.told, g.posted, g.interval = it.UpTo, told, it.Interval
		if m.Ref != "" && l.rules.Edits {
			g.message = m
		}
		if waits {
			l.schedule(g, now)
			continue
		}
		g.Wants, g.last = true, told
		if !it.Last.IsZero() { // by another's clock; edits since it was posted told later ones
			g.last = earlier(it.Last, now)
		}
		l.rest(g)
	}
}

// NextForget is when Forget gives a group; zero = never.
func (l *Lane[T, S]) NextForget() time.Time {
	if l.closing() || l.old.len() == 0 {
		return time.Time{}
	}
	return l.old.top().calm().Add(remember)
}

// Forget gives up one group that was quiet for so long that it isn't of interest
// any more, a day and more; nil = none. The lane holds nothing of it then;
// should an alert come in this moment, News takes it in again.
func (l *Lane[T, S]) Forget(now time.Time) *Group[T, S] { return l.Spare(now.Add(-remember)) }

// Spare is Forget where room is wanted: it gives up the group that was quiet for
// longest, if that was so long that its interval would begin anew.
func (l *Lane[T, S]) Spare(now time.Time) *Group[T, S] {
	if l.closing() || l.old.len() == 0 || l.old.top().calm().After(now) {
		return nil
	}
	g := l.old.top()
	l.leave(g)
	g.message = nil
	return g
}
