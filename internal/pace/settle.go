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
	blame      = 4           // failures of a batch that are its own, as others are accepted meanwhile
	blameLost  = 6           // the same of unknown outcome: it may be told twice then
	blameAlone = 8           // and these are its own though nothing else was accepted
	yieldWait  = time.Second // before an edit that was called off is tried again
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

// Trouble is a run of failed attempts.
type Trouble struct {
	Since time.Time // the first failure; zero = none
	N     int       // of the same sort: a person must do something, or not
	Mend  bool
	Why   string // of the last
}

type trouble struct {
	Trouble
	plain   int // failures in a row that nothing excuses
	hurried bool
	once    bool      // closing: one more try, though a person must do something
	ended   time.Time // the last run
	was     string    // its Why
}

// again lets a closing lane try once more, as if nothing had failed.
func (t *trouble) again() { t.N, t.plain, t.once = 0, 0, t.Mend }

func (t *trouble) gaveUp() bool { return t.Mend && !t.once }

// fail notes a failure and says how long to wait: hard, because Slack said so,
// or as a run of failures advises.
func (t *trouble) fail(r Result, now time.Time) (wait time.Duration, hard bool) {
	if t.Since.IsZero() {
		t.Since = now
	}
	if r.Mend != t.Mend {
		t.N, t.hurried = 0, false
	}
	t.N, t.Mend, t.Why, t.once = t.N+1, r.Mend, r.Why, false
	if r.Kind == Failed && r.plain() {
		t.plain++
	} else {
		t.plain = 0
	}
	switch {
	case r.Wait > 0:
		return clamp(r.Wait), true
	case r.Mend:
		return doubled(mendMin, mendMax, t.N), false
	}
	d := doubled(backoffMin, backoffMax, t.N)
	return d + time.Duration(r.Jitter*float64(d/4)), false
}

// clamp is how much of a Retry-After counts.
func clamp(wait time.Duration) time.Duration { return min(max(wait, holdMin), holdMax) }

// doubled is the nth wait of a run.
func doubled(from, to time.Duration, n int) time.Duration {
	return min(from<<min(max(n-1, 0), 10), to)
}

// works ends a run of failures.
func (t *trouble) works(now time.Time) {
	if !t.Since.IsZero() {
		*t = trouble{ended: now, was: t.Why}
	}
}

// says is what is new of a trouble. An outage stops posts and edits, and is one:
// it is said by those that fail first, or that need a person first.
func (l *Lane[T, S]) says(t *trouble) Say {
	switch {
	case t.Mend && l.said != Mending:
		l.said, l.sayer = Mending, t
		return Mending
	case l.said == Nothing:
		l.said, l.sayer = Begins, t
		return Begins
	}
	return Nothing
}

// over ends a trouble, and what was said of it.
func (l *Lane[T, S]) over(t *trouble, now time.Time) Say {
	t.works(now)
	posted := t == &l.posting && l.closing() && l.edits.len() == 0 // what couldn't be edited, too
	if l.said == Nothing || l.sayer != t && !posted {
		return Nothing
	}
	l.said, l.sayer = Nothing, nil
	return Over
}

// Settle ends the attempt in flight.
func (l *Lane[T, S]) Settle(a *Attempt[T, S], r Result, now time.Time) (out Outcome[T, S]) {
	l.flight = nil
	if r.Everywhere && r.Wait > 0 {
		l.budget.still = later(l.budget.still, now.Add(clamp(r.Wait)))
	}
	if a.Edits == nil {
		l.tried++
		l.gap, l.took = now.Add(l.rules.PostGap), now.Sub(a.tried)
		out = l.settlePost(a, r, now)
	} else {
		out = l.settleEdit(a, r, now)
	}
	l.postEdits(now)
	return out
}

func (l *Lane[T, S]) settlePost(a *Attempt[T, S], r Result, now time.Time) (out Outcome[T, S]) {
	if r.Kind == Accepted {
		out.Told = l.posted(a, r.Ref, now)
		out.Say = l.over(&l.posting, now)
		l.pause = time.Time{}
		l.accepted = now
		l.retry(func(p *bundle[T, S]) time.Time { return later(now, p.tried.Add(time.Minute)) })
		return out
	}
	own, sure := l.blamed(a, r, now)
	if sure {
		out.Parked = l.split(a, r, now)
		return out
	}
	parked := a.of != nil && a.of.groups[0].parked > 0
	still := parked && a.Tries == 0 && r.Kind == Failed && r.plain()
	if still && l.accepted.After(a.of.groups[0].due) {
		l.park(a.of.groups[0], now) // others were accepted while it waited: it's only its own
		return out
	}
	wait, hard := l.posting.fail(r, now)
	if hard {
		l.hold = later(l.hold, now.Add(wait))
	} else {
		l.pause = now.Add(wait)
	}
	out.Say = l.says(&l.posting)
	switch {
	case own:
		out.Parked = l.split(a, r, now)
	case r.Kind == Unknown || a.Tries > 0:
		l.keep(a, r, wait, now)
	case still:
		l.park(a.of.groups[0], now)
	case parked, a.of != nil && l.posting.plain < patience:
		l.bundle(a.of.groups, now)
	default:
		l.giveBack(a, now)
	}
	return out
}

// posted notes a message that was accepted.
func (l *Lane[T, S]) posted(a *Attempt[T, S], ref string, now time.Time) (told uint64) {
	m := &Message[T, S]{ID: a.ID, Ref: ref, Items: a.Items, shown: now}
	for i := range a.Items {
		m.again = m.again || a.Items[i].Group.gone
	}
	if ref == "" || !l.rules.Edits {
		m = nil
	}
	for i := range a.Items {
		it := &a.Items[i]
		g := it.Group
		g.posted, g.interval, g.message = now, it.Interval, m
		g.gone, g.stuck, g.parked, g.perhaps, g.Wants = false, false, 0, false, true
		told += l.told(it, a.Began, now)
	}
	return told
}

// told notes that an item was, and lets its group rest or wait anew.
func (l *Lane[T, S]) told(it *Item[T, S], took, now time.Time) (told uint64) {
	g := it.Group
	told = it.UpTo - g.told
	g.told, g.fails, g.failed, g.why, g.back = it.UpTo, 0, time.Time{}, "", 0
	g.wait = resting
	if !g.Payload.Rests(g.told) {
		g.since = took // or a little later
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

// blamed says whether an attempt failed for what it holds. It is sure where it
// was said so, or where it fails time and again while others are accepted; and
// what is of unknown outcome for very long is tried in pieces, too.
func (l *Lane[T, S]) blamed(a *Attempt[T, S], r Result, now time.Time) (own, sure bool) {
	enough := blame
	if r.Kind == Unknown || a.Tries > 0 {
		enough = blameLost
		own = r.plain() && a.Tries+1 >= blameAlone && !l.closing()
	}
	sure = r.Kind == Refused
	for _, g := range a.groups() {
		g.why = r.Why
		if !r.plain() {
			continue
		}
		if g.fails++; g.failed.IsZero() {
			g.failed = now
		}
		sure = sure || g.fails >= enough && l.accepted.After(g.failed)
	}
	return own, sure
}

// split makes two batches of one that failed for what it holds. A group that
// failed alone is parked, and returned the first time.
func (l *Lane[T, S]) split(a *Attempt[T, S], r Result, now time.Time) *Group[T, S] {
	all := a.groups()
	for _, g := range all {
		g.failed = now // what comes needs evidence of its own
		g.perhaps = g.perhaps || r.Kind == Unknown || a.Tries > 0
	}
	if len(all) > 1 {
		l.bundle(all[:len(all)/2], now)
		l.bundle(all[len(all)/2:], now)
		return nil
	}
	l.park(all[0], now)
	if all[0].parked == 1 {
		return all[0]
	}
	return nil
}

func (l *Lane[T, S]) park(g *Group[T, S], now time.Time) {
	g.parked++
	l.bundle([]*Group[T, S]{g}, now.Add(doubled(mendMin, mendMax, g.parked)))
}

// bundle lets groups be posted by themselves.
func (l *Lane[T, S]) bundle(all []*Group[T, S], due time.Time) {
	for _, g := range all {
		g.wait, g.from = bundled, bundled
		g.Payload.Rests(g.told) // no: those to come need not be announced
	}
	l.parts.push(&bundle[T, S]{groups: all, due: due})
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
	l.open.push(&bundle[T, S]{groups: a.groups(), again: a, tried: now, due: now.Add(wait)})
}

// giveBack lets the groups of an attempt that failed wait as they did.
func (l *Lane[T, S]) giveBack(a *Attempt[T, S], now time.Time) {
	for _, g := range a.groups() {
		g.wait = resting
		g.Payload.Rests(g.told) // no: those to come need not be announced
		if g.from == company || g.from == bundled {
			l.join(g, g.due)
		} else {
			l.schedule(g, now)
		}
	}
}

func (l *Lane[T, S]) settleEdit(a *Attempt[T, S], r Result, now time.Time) (out Outcome[T, S]) {
	m := a.Edits
	if r.Kind == Accepted {
		out.Told = l.shown(a, now)
		out.Say = l.over(&l.editing, now)
		return out
	}
	wait := yieldWait
	if r.Kind != Gone && r.Kind != Yielded {
		var hard bool
		if wait, hard = l.editing.fail(r, now); hard {
			l.budget.wait(now.Add(wait))
		}
		out.Say = l.says(&l.editing)
	}
	for _, g := range a.groups() {
		due := g.due
		g.wait = resting
		if r.Kind != Yielded {
			g.why = r.Why
		}
		g.Payload.Rests(g.told) // no: those to come need not be announced
		l.joinEdit(g, now)
		g.due = due
	}
	m.retry = now.Add(wait)
	l.delay(m, m.retry)
	switch r.Kind {
	case Gone, Refused:
		l.drop(m, r.Kind == Refused, now)
	case Failed, Unreachable, Unknown:
		l.postOver(m, now)
	case Yielded:
		if l.closing() {
			l.postEdit(m) // there is no time to try again
		}
	}
	return out
}

// shown notes an edit that was accepted.
func (l *Lane[T, S]) shown(a *Attempt[T, S], now time.Time) (told uint64) {
	m := a.Edits
	m.Items, m.shown, m.retry = a.Items, now, time.Time{}
	urgent := false
	for i := range m.Items {
		it := &m.Items[i]
		g := it.Group
		switch {
		case it.grows:
			told += l.told(it, a.Began, now)
		case it.Quiet && !it.Frozen && g.wait == resting:
			l.unmark(g)
		}
		urgent = urgent || g.message == m && g.wait == edit && g.hurries()
	}
	next := now.Add(l.rules.EditGap)
	if urgent || l.closing() {
		next = now
	}
	l.delay(m, next)
	return told
}

// delay lets a message wait for its next edit, should it need one.
func (l *Lane[T, S]) delay(m *Message[T, S], until time.Time) {
	if m.waits > 0 {
		m.due[counts] = later(m.due[counts], until)
		l.edits.fix(m)
	}
	l.marks.remove(m)
	if m.marks > 0 && !l.closing() {
		m.due[quiets] = until
		l.marks.push(m)
	}
}

// drop gives up a message that is gone, or that refuses what it should hold.
// What it didn't tell is posted anew; where that was done before, or would be
// refused as well, it waits for the end of its interval as with a webhook.
func (l *Lane[T, S]) drop(m *Message[T, S], refused bool, now time.Time) {
	for i := range m.Items {
		g := m.Items[i].Group
		if g.message != m {
			continue
		}
		untold := g.wait == edit
		if untold {
			l.leave(g)
		}
		l.lose(g)
		g.gone, g.stuck = true, refused || m.again
		if untold {
			l.schedule(g, now)
		}
	}
}

// postOver posts anew what can't be told by an edit: at once where its interval
// is over, else when it is, if that is before the next edit.
func (l *Lane[T, S]) postOver(m *Message[T, S], now time.Time) {
	for i := range m.Items {
		g := m.Items[i].Group
		if g.message != m || g.wait != edit {
			continue
		}
		switch due := g.due; {
		case !now.Before(g.over()):
			l.leave(g)
			l.join(g, earlier(due, now))
		case !l.closing() && l.stalled(m).After(g.over()):
			l.leave(g)
			l.holdBack(g, due)
		}
	}
}

// postEdits posts, in a closing lane, what can't be edited in the time left.
func (l *Lane[T, S]) postEdits(now time.Time) {
	n := l.edits.len()
	if !l.closing() || n == 0 || l.posting.Mend || l.editing.N == 0 && l.editable(n, now) {
		return
	}
	for l.edits.len() > 0 {
		l.postEdit(l.edits.top())
	}
}

// postEdit posts what waits for the edit of a message.
func (l *Lane[T, S]) postEdit(m *Message[T, S]) {
	for i := range m.Items {
		if g := m.Items[i].Group; g.message == m && g.wait == edit {
			due := g.due
			l.leave(g)
			l.join(g, due)
		}
	}
}

// editable says whether n edits take no more than half of the time left.
func (l *Lane[T, S]) editable(n int, now time.Time) bool {
	if l.deadline.IsZero() {
		return true
	}
	begin := later(l.mute(), l.budget.next(float64(n-1), now))
	return begin.Sub(now)+time.Duration(n)*editTime <= l.deadline.Sub(now)/2
}
