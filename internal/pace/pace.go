// Package pace decides what is told next, and when, for one channel. It holds
// no clock, lock, goroutine or connection: time is a parameter, what happened
// goes in, what to do comes out, and the caller carries it.
//
// A group's way:
//
//	              News                      Post                  accepted
//	resting ─────────────► company ─────────────────► flying ───────────────► resting
//	  │                      ▲                          │
//	  │ News within          │ its message is gone,     ├ not told ► where it came from
//	  │ its interval         │ or closing and no        ├ unknown ─► flying: the same attempt again
//	  ├──────────► edit ─────┤ time to edit             └ refused ─► flying: its half of the batch
//	  │             │ Edit   │                                       by itself, and at last alone
//	  │             └──────► edited ► resting
//	  └──────────► held ─────┘ at the interval's end
//
// A group at rest is marked as quiet in its message when it was for Repeat, and
// forgotten a day after its interval would begin anew.
//
// What is due within a fifth of its interval, be it held or to be edited, goes
// along with what is posted. Of several things that may go, what has waited
// longest goes first, and a post before an edit.
//
// Not every failure says whose fault it is. One that is refused is its batch's;
// 429, a network that isn't there and what a person must mend are nobody's.
// Of the others a batch is blamed only if it fails time and again while others
// are accepted: after an outage nothing is told in pieces.
package pace

import (
	"slices"
	"time"
)

// Counter is what a lane asks of a group's counts. Alerts are counted beside
// the lane, by many goroutines; whoever serves this owns the races between
// "told" and "one more".
type Counter interface {
	// Take returns how many alerts were counted so far, and promises that the
	// next one is announced by News.
	Take() uint64
	// Rests says whether no more than told were counted. Where it is true the
	// next alert is announced by News; where it is false the ones to come need
	// not be.
	Rests(told uint64) bool
	// Last is the time of the latest alert; zero = unknown. A time before the
	// alert's News or after now is taken for that.
	Last() time.Time
}

// Rules are a lane's numbers.
type Rules struct {
	Delay     time.Duration // how long the first alert waits for company
	Size      int           // groups in one message, and the size that ends the wait; at least 1
	Dense     int           // the same where more than three messages' worth wait; at least Size
	Repeat    time.Duration // a group's first interval, and how long it is quiet until that is told
	RepeatMax time.Duration // what the interval doubles up to; at least Repeat
	PostGap   time.Duration // least time between two posts
	EditGap   time.Duration // least time between two edits of one message
	Edits     bool          // messages can be edited
}

// Lane is the plan of one channel. It is not safe for concurrent use: its owner
// holds one lock around it, its groups, and the Budget it shares. Not more than
// one attempt is in flight at a time.
type Lane[T Counter, S any] struct {
	rules  Rules
	budget *Budget
	seq    uint64
	flight *Attempt[T, S]

	// What waits to be posted: company, in its first wait or due; and what is
	// held till the end of its interval.
	soon  queue[*Group[T, S]] // company, by when it is due
	rank  queue[*Group[T, S]] // company, first into a batch first
	held  queue[*Group[T, S]] // by the end of its interval
	along queue[*Group[T, S]] // held, or waits for an edit: by when it goes along
	again []*Attempt[T, S]    // of unknown outcome, or parts of what was refused

	// What waits to be edited, and what rests.
	edits queue[*Message[T, S]] // by when they are to tell a count
	marks queue[*Message[T, S]] // by when they are to say that a group is quiet
	old   queue[*Group[T, S]]   // by when it is forgotten
	waits [edited + 1][]*queue[*Group[T, S]]

	gap      time.Time // pace: no post before
	hold     time.Time // no request before: Slack said so
	pause    time.Time // no post before, unless hurried
	rush     time.Time // what came up to then waits for no company
	posting  trouble
	editing  trouble
	said     Say           // of trouble that isn't over; Nothing = there is none
	sayer    *trouble      // whose it is
	accepted time.Time     // the last post that was
	took     time.Duration // by the last post

	closed   time.Time // when Close was called; zero = it wasn't
	deadline time.Time
}

// New returns the plan of a channel. budget is shared by the lanes of a bot;
// nil = edits are not counted.
func New[T Counter, S any](r Rules, budget *Budget) *Lane[T, S] {
	if budget == nil {
		budget = &Budget{free: true}
	}
	l := &Lane[T, S]{rules: r, budget: budget, deadline: Never}
	first := func(g *Group[T, S]) *int { return &g.place[0] }
	second := func(g *Group[T, S]) *int { return &g.place[1] }
	l.soon = byTime(func(g *Group[T, S]) time.Time { return g.due }, first)
	l.held = byTime((*Group[T, S]).over, first)
	l.old = byTime((*Group[T, S]).forget, first)
	l.along = byTime((*Group[T, S]).early, second)
	l.rank = queue[*Group[T, S]]{before: before[T, S], at: second}
	l.waits = [edited + 1][]*queue[*Group[T, S]]{
		resting: {&l.old}, company: {&l.soon, &l.rank}, held: {&l.held, &l.along}, edit: {&l.along},
	}
	for i, q := range []*queue[*Message[T, S]]{&l.edits, &l.marks} {
		*q = byTime(func(m *Message[T, S]) time.Time { return later(m.due[i], m.retry) },
			func(m *Message[T, S]) *int { return &m.place[i] })
	}
	return l
}

// Never is the time of what isn't going to happen.
var Never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// News says that the group has untold alerts, and with upTo above 0 that somebody
// waits until so many are told. Call it for the first alert after Take, or after
// Rests was true, and for those that somebody waits for; more calls do nothing.
//
// For whom somebody waits, a first post or an edit becomes due, and first into a
// batch; a repeat that is held stays so. After it, ask Next, and Yield.
func (l *Lane[T, S]) News(g *Group[T, S], upTo uint64, now time.Time) {
	g.urgent = max(g.urgent, upTo)
	if g.wait == resting && !g.Payload.Rests(g.told) {
		l.arrive(g, now)
	}
	switch {
	case upTo <= g.told:
	case g.wait == edit:
		g.due = earlier(g.due, now)
		l.tend(g.message)
	case g.Pressing(false, now):
		l.Raise(g, g.Level)
		l.Hurry(now)
	}
}

// Raise changes a group's level.
func (l *Lane[T, S]) Raise(g *Group[T, S], level int) {
	g.Level = level
	if g.wait == company {
		l.rank.put(g)
	}
}

// Hurry makes due what waits for company, and ends the wait after failures:
// once in a run of them, and not where a person must mend something or where
// Retry-After rules. A post that is on its way and fails is tried again after a
// second: it may have begun when all was still bad.
func (l *Lane[T, S]) Hurry(now time.Time) {
	l.rush = later(l.rush, now)
	if l.posting.mend || l.posting.hurried {
		return
	}
	if l.flight == nil || l.flight.Edits != nil { // else it may need haste when it ends
		l.posting.hurried = l.posting.n > 0
	}
	l.pause = time.Time{}
	l.retry(0, now)
}

// retry lets attempts of unknown outcome wait no longer than that since they
// were tried.
func (l *Lane[T, S]) retry(wait time.Duration, now time.Time) {
	for _, a := range l.again {
		if a.Tries > 0 {
			a.due = earlier(a.due, later(now, a.tried.Add(wait)))
		}
	}
}

func (l *Lane[T, S]) closing() bool { return !l.closed.IsZero() }

// gaveUp says that a closing lane tries no more, as a person must mend something.
func (l *Lane[T, S]) gaveUp(t *trouble) bool { return l.closing() && t.mend && t.n > 0 }

// Close makes everything due: what can't be edited in the time that is left is
// posted, and the last post takes all that is left. Announce all that is untold
// before it. After Close no group is marked as quiet; where the next time isn't
// before the deadline, which may be Never, the lane is done.
func (l *Lane[T, S]) Close(deadline, now time.Time) {
	l.closed, l.deadline = now, deadline
	l.pause = time.Time{}
	for _, t := range []*trouble{&l.posting, &l.editing} {
		mend := t.mend
		t.works(now) // so it is tried once more
		t.mend = mend
	}
	for _, m := range slices.Concat(l.edits.all, l.marks.all) {
		m.retry = earlier(m.retry, m.ended.Add(yieldWait)) // an edit that has just ended may be on its way yet, and would stand last
		l.tend(m)
	}
	for _, a := range l.again {
		a.due = now
	}
	l.postEdits(now)
}

// Mends says whether nothing can be posted before a person does something.
func (l *Lane[T, S]) Mends() bool { return l.posting.mend }

// Next is when the lane has anything to do: a post, an edit or a group to forget.
// Another lane's edit may have made an edit later when that time comes: ask again.
func (l *Lane[T, S]) Next(now time.Time) time.Time {
	at, _ := l.nextEdit(now)
	if at = earlier(at, l.NextPost(now)); l.closing() {
		return at
	}
	return earlier(at, l.old.next())
}
