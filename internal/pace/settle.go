// This file says what becomes of an attempt: told, or tried again, and when.

package pace

import "time"

const (
	backoffMin = time.Second
	backoffMax = time.Minute
	mendMin    = time.Minute // for causes a person must mend, and for what is parked
	mendMax    = 10 * time.Minute
	holdMin    = time.Second // of Retry-After
	holdMax    = time.Hour
	blame      = 4 // failures of a batch that are its own, as others are accepted meanwhile
	blameLost  = 6 // the same of unknown outcome: it may be told twice then
	blameAlone = 8 // and these are its own though nothing else was accepted
)

// Kind is what became of an attempt.
type Kind uint8

const (
	Accepted    Kind = iota
	Failed           // surely not told: 429, auth, and anything plain
	Unreachable      // surely never went out
	Refused          // for what it holds
	Unknown          // it went out, the answer doesn't say
	Gone             // the message to edit is
	Yielded          // an edit was called off, without an answer
)

// Result is what became of an attempt, worked out once by the caller.
type Result struct {
	Kind       Kind
	Ref        string        // of what was posted; "" = it can't be edited
	Wait       time.Duration // Retry-After; 0 = none; 1 s to 1 h counts
	Everywhere bool          // Wait holds all lanes of the Budget, posts and edits: the workspace is at its limit
	Mend       bool          // a person must do something
	Why        string        // what was the matter, for readers: "Slack was unreachable"
	Jitter     float64       // 0 to 1, random: stretches a wait by up to a quarter
}

// plain says that nothing excuses a failure: it may be what the batch holds.
func (r Result) plain() bool {
	return (r.Kind == Failed || r.Kind == Unknown) && r.Wait <= 0 && !r.Mend
}

// Say is what the caller's log should hear of a lane's trouble.
type Say uint8

const (
	Nothing Say = iota
	Begins      // a run of failures has begun
	Mending     // now a person must do something
	Over        // it is over
)

// Outcome is what a settled attempt means to the caller.
type Outcome[T Counter, S any] struct {
	Told   uint64       // alerts told by it
	Say    Say          // of posting and editing together
	Parked *Group[T, S] // it failed alone for the first time: the rest is told without it, and it is tried again later; nil = none
}

// trouble is a run of failed attempts.
type trouble struct {
	n       int // of the same sort: a person must do something, or not
	mend    bool
	why     string    // of the last, also where it is over
	plain   int       // failures in a row that nothing excuses
	hurried bool      // haste has ended the wait
	ended   time.Time // the last run
}

func (t *trouble) gaveUp() bool { return t.mend && t.n > 0 }

// fail notes a failure and says how long to wait.
func (t *trouble) fail(r Result) time.Duration {
	if r.Mend != t.mend {
		t.n, t.hurried = 0, false
	}
	t.n, t.mend, t.why = t.n+1, r.Mend, r.Why
	if t.plain++; r.Kind != Failed || !r.plain() {
		t.plain = 0
	}
	switch {
	case r.Wait > 0:
		return r.Wait
	case r.Mend:
		return doubled(mendMin, mendMax, t.n)
	}
	d := doubled(backoffMin, backoffMax, t.n)
	return d + time.Duration(r.Jitter*float64(d/4))
}

// doubled is the nth wait of a run.
func doubled(from, to time.Duration, n int) time.Duration {
	return min(from<<min(max(n-1, 0), 10), to)
}

// works ends a run of failures.
func (t *trouble) works(now time.Time) {
	if t.n > 0 {
		*t = trouble{ended: now, why: t.why}
	}
}

// says is what is new of a trouble. An outage stops posts and edits, and is one:
// it is said by those that fail first, or that need a person first.
func (l *Lane[T, S]) says(t *trouble) Say {
	say := Begins
	if t.mend {
		say = Mending
	}
	if l.said >= say {
		return Nothing
	}
	l.said, l.sayer = say, t
	return say
}

// over ends a trouble, and what was said of it.
func (l *Lane[T, S]) over(t *trouble, now time.Time) Say {
	t.works(now)
	posted := t == &l.posting && l.closing() && l.edits.Len() == 0 // what couldn't be edited, too
	if l.said == Nothing || l.sayer != t && !posted {
		return Nothing
	}
	l.said = Nothing
	return Over
}

// Settle ends the attempt in flight.
func (l *Lane[T, S]) Settle(a *Attempt[T, S], r Result, now time.Time) (out Outcome[T, S]) {
	l.flight = nil
	if r.Wait > 0 {
		r.Wait = min(max(r.Wait, holdMin), holdMax)
		if r.Everywhere {
			l.budget.still = later(l.budget.still, now.Add(r.Wait))
		}
	}
	t := &l.editing
	if a.Edits == nil {
		t = &l.posting
		l.gap, l.took = now.Add(l.rules.PostGap), now.Sub(a.tried)
	}
	switch {
	case r.Kind == Accepted:
		out.Told = l.accept(a, r.Ref, now)
		out.Say = l.over(t, now)
	case a.Edits == nil:
		out = l.settlePost(a, r, now)
	default:
		out = l.settleEdit(a, r, now)
	}
	l.postEdits(now)
	return out
}

// accept notes what an attempt told that was accepted.
func (l *Lane[T, S]) accept(a *Attempt[T, S], ref string, now time.Time) (told uint64) {
	m := a.Edits
	if m == nil {
		m = l.posted(a, ref, now)
	}
	m.Items, m.shown, m.retry = a.Items, now, time.Time{}
	for i := range m.Items {
		it := &m.Items[i]
		if w := it.Group.wait; w == edited || w == flying && a.Edits == nil {
			told += l.told(it, a.Began, now)
		}
	}
	l.tend(m)
	return told
}

// posted is the message that a post became, which its groups have from now on if
// it can be edited.
func (l *Lane[T, S]) posted(a *Attempt[T, S], ref string, now time.Time) *Message[T, S] {
	l.accepted, l.pause = now, time.Time{}
	l.retry(time.Minute, now)
	m := &Message[T, S]{ID: a.ID, Ref: ref, shown: now}
	for i := range a.Items {
		g := a.Items[i].Group
		m.again = m.again || g.gone
		g.posted, g.interval, g.message = now, a.Items[i].Interval, m
		if ref == "" || !l.rules.Edits {
			g.message = nil
		}
		g.gone, g.stuck, g.parked, g.perhaps, g.Wants = false, false, 0, false, true
	}
	return m
}

// told notes that an item was, and lets its group rest or wait anew.
func (l *Lane[T, S]) told(it *Item[T, S], took, now time.Time) (told uint64) {
	g := it.Group
	told = it.UpTo - g.told
	g.told, g.fails, g.failed, g.why, g.due = it.UpTo, 0, time.Time{}, "", time.Time{}
	if !g.Payload.Rests(g.told) {
		g.since, g.last = took, took // or a little later
		l.schedule(g, now)
		return told
	}
	g.last = took
	if last := g.Payload.Last(); !last.IsZero() && last.Before(took) {
		g.last = later(took.Add(last.Sub(took)), g.since) // by the process's own clock, which nobody sets
	}
	l.rest(g)
	return told
}

func (l *Lane[T, S]) settlePost(a *Attempt[T, S], r Result, now time.Time) (out Outcome[T, S]) {
	if l.blamed(a, r, now) {
		out.Parked = l.split(a, r, now)
		return out
	}
	wait := l.posting.fail(r)
	if r.Wait > 0 {
		l.hold = later(l.hold, now.Add(wait))
	} else {
		l.pause = now.Add(wait)
	}
	out.Say = l.says(&l.posting)
	switch lost := r.Kind == Unknown || a.Tries > 0; {
	case lost && r.plain() && a.Tries+1 >= blameAlone && !l.closing():
		out.Parked = l.split(a, r, now)
	case lost:
		l.keep(a, r, wait, now)
	case a.tells[0].parked > 0:
		l.park(a.tells[0], now)
	default:
		for _, g := range a.tells {
			l.schedule(g, now)
		}
	}
	return out
}

// blamed says whether an attempt failed for what it holds: where it was said so,
// or where it fails time and again while others are accepted, or once more alone.
func (l *Lane[T, S]) blamed(a *Attempt[T, S], r Result, now time.Time) bool {
	own, lost, enough := r.Kind == Refused, r.Kind == Unknown || a.Tries > 0, blame
	if lost {
		enough = blameLost
	}
	for _, g := range a.tells {
		g.why = r.Why
		if !r.plain() {
			continue
		}
		if g.fails++; g.failed.IsZero() {
			g.failed = now
		}
		own = own || g.fails >= enough && l.accepted.After(g.failed) || g.parked > 0 && !lost && l.accepted.After(g.due)
	}
	return own
}

// split makes two batches of one that failed for what it holds. A group that
// failed alone is parked, and returned the first time.
func (l *Lane[T, S]) split(a *Attempt[T, S], r Result, now time.Time) *Group[T, S] {
	for _, g := range a.tells {
		g.failed = now // what comes needs evidence of its own
		g.perhaps = g.perhaps || r.Kind == Unknown || a.Tries > 0
	}
	if half := len(a.tells) / 2; half > 0 {
		l.bundle(a.tells[:half], now)
		l.bundle(a.tells[half:], now)
		return nil
	}
	g := a.tells[0]
	if l.park(g, now); g.parked > 1 {
		return nil
	}
	return g
}

// park lets a group that fails alone wait, each time longer.
func (l *Lane[T, S]) park(g *Group[T, S], now time.Time) {
	g.parked++
	l.bundle([]*Group[T, S]{g}, now.Add(doubled(mendMin, mendMax, g.parked)))
}

// bundle lets groups be posted by themselves.
func (l *Lane[T, S]) bundle(all []*Group[T, S], due time.Time) {
	for _, g := range all {
		g.wait = bundled
		g.Payload.Rests(g.told) // no: those to come need not be announced
	}
	l.parts.put(&Attempt[T, S]{tells: all, due: due})
}

// keep lets an attempt of unknown outcome be tried again, unchanged. What surely
// didn't reach anybody this time leaves it as unknown as it was.
func (l *Lane[T, S]) keep(a *Attempt[T, S], r Result, wait time.Duration, now time.Time) {
	if a.Tries == 0 || r.plain() {
		a.Tries++
	}
	if r.plain() && !l.closing() {
		wait = backoffMin
		if a.Tries > 1 {
			wait = doubled(mendMin, mendMax, a.Tries-1)
		}
	}
	a.tried, a.due = now, now.Add(wait)
	l.open.put(a)
}
