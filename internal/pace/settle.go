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
	blame      = 6 // failures of a batch that are its own, as others are accepted meanwhile
	blameAlone = 8 // and of unknown outcome, though nothing else was accepted
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
	Parked *Group[T, S] // it failed alone for the first time, and is tried again later; nil = none
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

// fail notes a failure and says how long to wait.
func (t *trouble) fail(r Result) time.Duration {
	if r.Mend != t.mend {
		t.n = 0
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
	return min(from<<min(n-1, 10), to)
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

// over ends a trouble, and what was said of it. At the end a post tells what
// couldn't be edited, too.
func (l *Lane[T, S]) over(t *trouble, now time.Time) Say {
	t.works(now)
	last := t == &l.posting && l.closing() && l.edits.Len() == 0
	if l.said == Nothing || l.sayer != t && !last {
		return Nothing
	}
	l.said = Nothing
	return Over
}

// Settle ends the attempt in flight.
func (l *Lane[T, S]) Settle(a *Attempt[T, S], r Result, now time.Time) (out Outcome[T, S]) {
	l.flight = nil
	t, hold := &l.editing, &l.budget.hold
	if a.Edits == nil {
		t, hold = &l.posting, &l.hold
		l.gap, l.took = now.Add(l.rules.PostGap), now.Sub(a.tried)
	}
	if r.Wait > 0 {
		r.Wait = min(max(r.Wait, holdMin), holdMax)
		*hold = later(*hold, now.Add(r.Wait))
		if r.Everywhere {
			l.budget.still = later(l.budget.still, now.Add(r.Wait))
		}
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

// accept notes what an attempt told that was accepted. A post is the message of
// its groups from now on, if it can be edited.
func (l *Lane[T, S]) accept(a *Attempt[T, S], ref string, now time.Time) (told uint64) {
	m, post := a.Edits, a.Edits == nil
	if post {
		m = &Message[T, S]{ID: a.ID, Ref: ref}
		l.accepted, l.pause = now, time.Time{}
		l.retry(time.Minute, now)
	}
	m.Items, m.shown, m.retry = a.Items, now, time.Time{}
	for i := range m.Items {
		it := &m.Items[i]
		g := it.Group
		if post {
			m.again = m.again || g.gone
			g.posted, g.interval, g.message = now, it.Interval, nil
			if ref != "" && l.rules.Edits {
				g.message = m
			}
			g.gone, g.parked, g.perhaps, g.Wants = false, 0, false, true
		}
		if post || g.wait == edited {
			told += l.told(it, a.Began, now)
		}
	}
	l.tend(m)
	return told
}

// told notes that an item was, and lets its group rest or wait anew.
func (l *Lane[T, S]) told(it *Item[T, S], took, now time.Time) (told uint64) {
	g := it.Group
	told = it.UpTo - g.told
	g.told, g.fails, g.failed, g.why, g.due = it.UpTo, 0, time.Time{}, "", Never
	if !g.Payload.Rests(g.told) {
		g.since, g.last = took, took // or a little later
		l.schedule(g, now)
		return told
	}
	g.last = took
	if last := g.Payload.Last(); !last.IsZero() && last.Before(took) {
		g.last = later(took.Add(last.Sub(took)), g.since) // by the process's own clock, which nobody sets
	}
	l.move(g, resting)
	return told
}

func (l *Lane[T, S]) settlePost(a *Attempt[T, S], r Result, now time.Time) (out Outcome[T, S]) {
	lost := r.Kind == Unknown || a.Tries > 0 // it was perhaps told
	if l.blamed(a, r, lost, now) {
		out.Parked = l.split(a, lost, now)
		return out
	}
	hasty := !l.posting.hurried && l.rush.After(a.tried) && !r.Mend && r.Wait <= 0
	wait := l.posting.fail(r)
	if hasty {
		wait, l.posting.hurried = backoffMin, true
	}
	l.pause = now.Add(wait)
	out.Say = l.says(&l.posting)
	switch {
	case lost && a.Tries+1 >= blameAlone && !l.closing(), !lost && a.tells[0].parked > 0:
		out.Parked = l.split(a, lost, now)
	case lost:
		l.keep(a, r, hasty, wait, now)
	default:
		for _, g := range a.tells {
			l.schedule(g, now)
		}
	}
	return out
}

// blamed says whether an attempt failed for what it holds: where it was said so,
// where it fails time and again while others are accepted, or once more alone.
func (l *Lane[T, S]) blamed(a *Attempt[T, S], r Result, lost bool, now time.Time) bool {
	own := r.Kind == Refused || a.tells[0].parked > 0 && !lost && r.plain()
	for _, g := range a.tells {
		g.why = r.Why
		if !r.plain() {
			continue
		}
		if g.fails++; g.failed.IsZero() {
			g.failed = now
		}
		own = own || g.fails >= blame && l.accepted.After(g.failed)
	}
	return own
}

// split makes two batches of one that failed for what it holds. A group that
// failed alone is parked, each time for longer, and returned the first time.
func (l *Lane[T, S]) split(a *Attempt[T, S], lost bool, now time.Time) (parked *Group[T, S]) {
	half, due := len(a.tells)/2, now
	if g := a.tells[0]; half == 0 {
		if g.parked++; g.parked == 1 {
			parked = g
		}
		due = now.Add(doubled(mendMin, mendMax, g.parked))
	}
	for _, g := range a.tells {
		g.failed = now // what comes needs evidence of its own
		g.perhaps = g.perhaps || lost
	}
	if half > 0 {
		l.again = append(l.again, &Attempt[T, S]{tells: a.tells[:half], due: due})
	}
	l.again = append(l.again, &Attempt[T, S]{tells: a.tells[half:], due: due})
	return parked
}

// keep lets an attempt of unknown outcome be tried again, unchanged. What surely
// didn't reach anybody this time leaves it as unknown as it was.
func (l *Lane[T, S]) keep(a *Attempt[T, S], r Result, hasty bool, wait time.Duration, now time.Time) {
	if a.Tries == 0 || r.plain() {
		a.Tries++
	}
	if r.plain() && !l.closing() && !hasty {
		wait = backoffMin
		if a.Tries > 1 {
			wait = doubled(mendMin, mendMax, a.Tries-1)
		}
	}
	a.tried, a.due = now, now.Add(wait)
	l.again = append(l.again, a)
}
