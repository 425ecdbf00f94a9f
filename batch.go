// This file carries what waits in the groups: one goroutine a channel makes the
// attempts that its plan says, and settles what becomes of them.

package slackalert

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"time"

	"example.com/slackalert/internal/cause"
	"example.com/slackalert/internal/guard"
	"example.com/slackalert/internal/pace"
	"example.com/slackalert/internal/spool"
)

const (
	dense      = 100              // groups in a message where much waits
	looks      = 3                // in vain, after which a message is sent again that may stand there
	forgetMany = 100              // groups forgotten in one go
	maxLanes   = 1000             // channels that are kept apart, and the default one
	stretch    = 1000             // groups that are looked at in one go
	closeGrace = time.Second      // for a Sender that doesn't heed its context, and a base that doesn't return
	minWait    = time.Millisecond // of a lane's goroutine: whatever its plan says, it never spins
)

// settings are what New makes of the options.
type settings struct {
	guard     *guard.Guard // calls the carrier, and base; without mu
	rules     pace.Rules
	timeout   time.Duration // of one attempt
	maxGroups int
	service   string
	host      string
	channel   string // the default one
	where     string // what is told, in words: "Slack"
}

// batcher carries what the lanes' plans say. Each channel's lane has one
// goroutine, which alone makes its attempts and calls the carrier; it starts with
// the channel's first alert and ends in shutdown, or when all the lane's groups
// are forgotten.
type batcher struct {
	settings
	carrier    carrier
	run        string          // names this handler's life
	book       book            // finds a group without mu
	spool      *spool.Store    // what outlives the process; nil = nothing does
	ctx        context.Context // of attempts; ended by cancel when shutdown gives up
	cancel     context.CancelCauseFunc
	stopped    chan struct{}  // closed by the first shutdown when all is over
	stopReason error          // its result; read after stopped
	working    sync.WaitGroup // the lanes' goroutines
	noting     sync.RWMutex   // read-locked from when an attempt is settled until the spool knows it

	mu       sync.Mutex
	phase    phase
	deadline time.Time // of shutdown
	lanes    map[string]*lane
	groups   int           // remembered, the lanes' "other alerts" left out
	all      []*group      // also those that were forgotten lately; what others hold of it isn't written to
	dead     int           // how many of them were
	todo     []func()      // once mu is free
	budget   *pace.Budget  // of edits; nil = as many as one likes
	names    hostNames     // that others told of
	changed  chan struct{} // closed and replaced whenever an attempt ends
	sum      Stats         // Alerts: of groups that aren't in all any more
}

// phase is how far shutdown is.
type phase uint8

const (
	running phase = iota
	closing       // nothing more is counted; what waits is told
	gaveUp        // its time is over
	over          // it has returned
)

// lane is one channel's groups, its plan and its goroutine. batcher.mu guards it.
type lane struct {
	channel string
	wake    chan struct{} // capacity 1: whoever makes something due sends, the lane's goroutine receives
	plan    *pace.Lane[*group, Group]
	groups  map[uint64]*group
	other   *group      // what came beyond MaxGroups
	closed  bool        // shutdown has begun
	asleep  bool        // the goroutine waits
	until   time.Time   // till then
	flight  *flight     // nil = none
	posting cause.Cause // of the last post that failed
	editing cause.Cause // of the last edit that failed

	ended bool // the goroutine's own
	blind bool // the goroutine's own: history can't be read
}

type (
	attempt = pace.Attempt[*group, Group]
	item    = pace.Item[*group, Group]
)

// flight is an attempt that is under way.
type flight struct {
	*attempt
	batch  Batch
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer // calls an edit off, and ends nothing else: it begins with more time than the attempt has
}

var (
	errTimeout  = errors.New("no answer in time")
	errYield    = errors.New("the edit made way for a new alert")
	errDeadline = errors.New("shutdown's time is over")
	errGoexit   = errors.New("the delivery ended its goroutine (runtime.Goexit)")
	errInside   = errors.New("called by the delivery itself, which it would wait for")
)

// insideKey marks the contexts of attempts.
type insideKey struct{}

// inside says whether a record is logged by the delivery itself, or by base
// while it is told of the delivery's trouble: with the attempt's context, or on
// a lane's goroutine. Another handler's delivery is none of ours.
func (b *batcher) inside(ctx context.Context) bool {
	return ctx.Value(insideKey{}) == b || b.guard.Here()
}

// newBatcher returns a batcher without lanes. Edits are counted against Slack's
// limit unless the carrier has a pace of its own.
func newBatcher(c carrier, s settings) *batcher {
	b := &batcher{
		settings: s, carrier: c, run: rand.Text()[:16], book: newBook(s.maxGroups),
		stopped: make(chan struct{}), changed: make(chan struct{}), lanes: make(map[string]*lane), names: make(hostNames),
	}
	b.ctx, b.cancel = context.WithCancelCause(context.WithValue(context.Background(), insideKey{}, b))
	b.rules.Dense, b.rules.Edits = dense, c.canEdit()
	b.rules.PostGap, b.rules.EditGap = gaps(c)
	if b.rules.PostGap == postGap && b.rules.EditGap == editGap {
		b.budget = new(pace.Budget)
	}
	return b
}

// nudge lets a lane's goroutine see in time what its plan has become. b.mu is
// held.
func (b *batcher) nudge(l *lane, now time.Time) {
	switch {
	case l.flight != nil:
		l.flight.yield(l.plan.Yield(now), now)
	case l.asleep && l.plan.Next(now).Before(l.until):
		l.rouse()
	}
}

func (l *lane) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// yield calls an edit off at a time. batcher.mu is held.
func (f *flight) yield(at, now time.Time) {
	if at.Before(pace.Never) {
		f.timer.Reset(at.Sub(now))
	}
}

// lane returns a channel's lane and starts it if it is new. b.mu is held.
func (b *batcher) lane(channel string) *lane {
	name := laneName(channel)
	if l := b.lanes[name]; l != nil {
		return l
	}
	l := &lane{
		channel: channel, wake: make(chan struct{}, 1),
		plan: pace.New[*group, Group](b.rules, b.budget), groups: make(map[uint64]*group),
	}
	b.lanes[name] = l
	b.working.Add(1)
	go b.work(l)
	return l
}

// work is a lane's goroutine. Foreign code may end it by runtime.Goexit: then
// another takes its place.
func (b *batcher) work(l *lane) {
	defer func() {
		if l.ended {
			b.working.Done()
		} else {
			go b.work(l)
		}
	}()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		f, at := b.next(l)
		switch {
		case l.ended:
			return
		case f != nil:
			b.attempt(l, f)
			continue
		case at.Equal(pace.Never):
			timer.Stop()
		default:
			timer.Reset(max(time.Until(at), minWait))
		}
		select {
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// next says what a lane does now: an attempt, or wait until at, or end.
func (b *batcher) next(l *lane) (f *flight, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	l.asleep = false
	b.forget(l, now)
	a := l.plan.Post(now)
	if a == nil {
		a = l.plan.Edit(now)
	}
	at = l.plan.Next(now)
	switch {
	case b.phase >= gaveUp:
		l.ended = true
	case a != nil:
		return b.launch(l, a, now), time.Time{}
	case b.phase == closing && !at.Before(b.deadline):
		l.ended = true
	case b.phase == running && len(l.groups) == 0 && l.other == nil:
		l.ended = true
		delete(b.lanes, laneName(l.channel))
	}
	l.asleep, l.until = true, at
	return nil, at
}

// launch makes a batch of an attempt. One that is tried again is the same batch,
// to the byte. b.mu is held.
func (b *batcher) launch(l *lane, a *attempt, now time.Time) *flight {
	if a.Tries == 0 && a.Edits == nil {
		a.ID = rand.Text()
	}
	f := &flight{attempt: a, batch: Batch{ID: a.ID, Channel: l.channel, Service: b.service, Host: b.host}}
	f.batch.Groups = make([]Group, 0, len(a.Items))
	for i := range a.Items {
		it := &a.Items[i]
		if a.Tries == 0 && !it.Frozen {
			it.Shows = it.Group.Payload.show(it, a.Edits == nil)
		}
		f.batch.Groups = append(f.batch.Groups, it.Shows.clone())
	}
	slices.SortStableFunc(f.batch.Groups, bySeverity) // what stands as it stood may have had another level
	ctx, end := context.WithCancelCause(b.ctx)
	timed, stop := context.WithTimeoutCause(ctx, b.timeout, errTimeout)
	f.ctx, f.cancel = timed, func(cause error) { end(cause); stop() }
	f.timer = time.AfterFunc(2*b.timeout, func() { f.cancel(errYield) })
	l.flight = f
	f.yield(l.plan.Yield(now), now)
	return f
}

// attempt carries one batch and settles what became of it, also where foreign
// code ends the goroutine.
func (b *batcher) attempt(l *lane, f *flight) {
	ref, c := "", cause.Of(errGoexit, false)
	watch := time.AfterFunc(2*b.timeout, func() {
		b.guard.First("slackalert: a delivery doesn't return, though its time is over twice; its channel waits for it",
			"channel", l.channel, "time", b.timeout, "look_at", "Sender, Mention, Links, Blocks, HTTPClient")
	})
	defer func() {
		watch.Stop()
		b.settle(l, f, ref, c)
	}()
	c = b.guard.Ask(f.ctx, func() (err error) {
		ref, err = b.deliver(l, f)
		return err
	})
}

// deliver posts or edits. What may have been told is looked for first.
func (b *batcher) deliver(l *lane, f *flight) (ref string, err error) {
	if f.Edits != nil {
		return f.Edits.Ref, b.carrier.edit(f.ctx, f.Edits.Ref, f.batch)
	}
	if f.Tries > 0 && !l.blind {
		ctx, end := context.WithTimeout(f.ctx, b.timeout/3) // the post that may follow wants time, too
		ref, err = b.carrier.find(ctx, f.batch, f.Began)
		if end(); ref != "" {
			return ref, nil
		}
		c := cause.Of(err, false)
		switch l.blind = errors.Is(err, errNoHistory); {
		case l.blind && c.Mend != "":
			b.guard.First("slackalert: an answer was lost, and whether the message arrived can't be looked up: it is sent again",
				"channel", l.channel, "error", c.Text, "do", c.Mend)
		case c.Mend != "" || l.blind:
		case c.Unreachable:
			return "", err // nothing would arrive either
		case c.Unknown || c.Wait > 0:
			if f.Looks++; f.Looks < looks && !b.closes() {
				return "", err // the trouble isn't over, and what would be sent again may stand there
			}
		}
	}
	return b.carrier.post(f.ctx, f.batch)
}

// closes says that Shutdown has begun: better told twice than not at all.
func (b *batcher) closes() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.phase > running
}

// settle ends an attempt. A Sender that outlived Shutdown has nothing to settle:
// its alerts are counted as lost.
func (b *batcher) settle(l *lane, f *flight, ref string, c cause.Cause) {
	b.noting.RLock()
	b.mu.Lock()
	now := time.Now()
	r := c.Result(b.where)
	r.Ref, r.Jitter = ref, mathrand.Float64()
	if r.Kind <= pace.Unknown && r.Kind > pace.Accepted && f.Edits != nil && context.Cause(f.ctx) == errYield && r.Wait == 0 && !r.Mend {
		r.Kind = pace.Yielded
	}
	f.cancel(nil)
	f.timer.Stop()
	l.flight = nil
	var out pace.Outcome[*group, Group]
	var told []func()
	if b.phase != over {
		out = l.plan.Settle(f.attempt, r, now)
		b.tally(l, f, r, c, out)
		if r.Kind == pace.Accepted {
			told = b.marks(f, ref, now)
		}
	}
	close(b.changed)
	b.changed = make(chan struct{})
	b.mu.Unlock()
	for _, mark := range told {
		mark()
	}
	b.noting.RUnlock()
	if c.Err != nil && r.Kind != pace.Yielded {
		_ = b.spool.Sync() // base has heard of it
	}
	b.report(l, f, c, out)
}

// later has f called once mu is free: it writes to disk, or calls base. b.mu is
// held.
func (b *batcher) later(f func()) { b.todo = append(b.todo, f) }

// unlock frees mu, and does what was left for then.
func (b *batcher) unlock() {
	todo := b.todo
	b.todo = nil
	b.mu.Unlock()
	for _, f := range todo {
		f()
	}
}

// tally adds up a settled attempt. b.mu is held.
func (b *batcher) tally(l *lane, f *flight, r pace.Result, c cause.Cause, out pace.Outcome[*group, Group]) {
	failed := &l.posting
	if f.Edits != nil {
		failed = &l.editing
	}
	b.sum.Delivered += out.Told
	if r.Kind == pace.Accepted {
		*failed = cause.Cause{}
	}
	switch {
	case r.Kind == pace.Accepted && f.Edits == nil:
		b.sum.Messages++
		for _, it := range f.Items {
			g := it.Group.Payload
			g.said, g.notes = g.notes, nil
			g.posts++
		}
	case r.Kind == pace.Accepted:
		b.sum.Updates++
	case r.Kind != pace.Yielded:
		b.sum.Failures++
		b.sum.LastError = c.Text
		*failed = c
	}
}

// report tells base of an alert that waits alone, and that a lane's trouble
// begins or is over.
func (b *batcher) report(l *lane, f *flight, c cause.Cause, out pace.Outcome[*group, Group]) {
	if p := out.Parked; p != nil {
		b.mu.Lock()
		g := p.Payload.example
		b.mu.Unlock()
		b.guard.Tell("slackalert: an alert is refused time and again, it waits alone and the others are told",
			"channel", l.channel, "fingerprint", g.Fingerprint, "message", g.Message, "error", c.Text)
	}
	if out.Say == pace.Nothing {
		return
	}
	waiting := b.untold(l)
	args := []any{"channel", l.channel, "attempt", "post"}
	if f.Edits != nil {
		args[3] = "edit"
	}
	if out.Say == pace.Over {
		b.guard.Tell("slackalert: alerts are delivered again", append(args, "alerts_waiting", waiting.alerts)...)
		return
	}
	args = append(args, "error", c.Text, "alerts_waiting", waiting.alerts, "groups_waiting", waiting.groups)
	if c.Mend != "" {
		args = append(args, "do", c.Mend)
	}
	b.guard.Tell("slackalert: alerts can't be delivered, they wait", args...)
}

// each calls f, with mu held, for every group that there is, and perhaps for some
// that were. Others have their turn in between: there may be a million.
func (b *batcher) each(f func(*group)) (then Stats) {
	b.mu.Lock()
	then, all := b.sum, b.all
	b.mu.Unlock()
	for some := range slices.Chunk(all, stretch) {
		b.mu.Lock()
		for _, g := range some {
			f(g)
		}
		b.mu.Unlock()
	}
	return then
}

// untold is what waits in a lane.
func (b *batcher) untold(l *lane) (n amount) {
	b.each(func(g *group) {
		if more := g.Count() - g.plan.Told(); more > 0 && g.lane == l {
			n = amount{n.alerts + more, n.groups + 1}
		}
	})
	return n
}

// flush makes what waits for company due and returns when it is told, or can't
// be. See [Handler.Flush].
func (b *batcher) flush(ctx context.Context) error {
	if b.inside(ctx) {
		return fmt.Errorf("slackalert: Flush: %w", errInside)
	}
	b.mu.Lock()
	ended, now := b.phase == over, time.Now()
	for _, l := range b.lanes {
		l.plan.Hurry(now)
		b.nudge(l, now)
	}
	b.mu.Unlock()
	if ended {
		return nil // nothing waits any more: what is lost, Shutdown has said
	}
	var waits []ticket
	b.each(func(g *group) {
		if g.plan.Pressing(false, now) {
			waits = append(waits, ticket{g, g.Count()})
		}
	})
	return b.await(ctx, waits, false)
}

// await returns when all tickets' alerts are told, or no longer on their way, or
// when nothing is tried for those that are left: a person must mend something
// first. Urgent are those of Handle: they go by edits too, and wait no longer than
// until the lane has tried for the last time before their deadline.
func (b *batcher) await(ctx context.Context, waits []ticket, urgent bool) error {
	deadline, _ := ctx.Deadline()
	for {
		b.mu.Lock()
		now := time.Now()
		open, stuck := 0, 0
		var why error
		for _, t := range waits {
			p, l := &t.g.plan, t.g.lane
			if p.Told() >= t.n || !p.Pressing(urgent, now) {
				continue
			}
			if l.posting.Err != nil {
				why = l.posting
			}
			late := urgent && l.flight == nil && l.plan.Next(now).After(deadline)
			if late || b.phase == over || l.plan.Mends() && l.idle(now) {
				stuck++
			} else {
				open++
			}
		}
		changed := b.changed
		b.mu.Unlock()
		switch {
		case open+stuck == 0:
			b.noting.Lock() // who waited may end the process at once, and the next one must not tell it again
			defer b.noting.Unlock()
			return nil
		case open == 0:
			return fmt.Errorf("slackalert: alerts of %d groups are not delivered yet: %w", stuck, cmp.Or(why, errDeadline))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("slackalert: alerts of %d groups are not delivered yet: %w", open+stuck, context.Cause(ctx)), why)
		}
	}
}

// idle says that nothing is on its way, or about to be. batcher.mu is held.
func (l *lane) idle(now time.Time) bool { return l.flight == nil && l.plan.NextPost(now).After(now) }

// shutdown tells everything, stops the lanes, and says what is lost. A second
// call waits for the first and returns the same.
func (b *batcher) shutdown(ctx context.Context) error {
	if !b.close(ctx) {
		select {
		case <-b.stopped:
			return b.stopReason
		case <-ctx.Done():
			return fmt.Errorf("slackalert: another Shutdown is under way: %w", context.Cause(ctx))
		}
	}
	defer close(b.stopped)
	stuck := b.stop(ctx)
	lost, spooled, err := b.end()
	b.carrier.close()
	if err := b.spool.Close(); err != nil {
		b.lastWords(ctx, "slackalert: shutdown: the spool can't be closed, a power cut may take what is in it", "error", err.Error())
	}
	err = cmp.Or(err, context.Cause(ctx), errDeadline)
	if spooled.alerts > 0 {
		b.lastWords(ctx, "slackalert: shutdown, alerts are left for the next start", "alerts_spooled", spooled.alerts, "groups_spooled", spooled.groups, "error", err.Error())
	}
	if lost.alerts > 0 {
		b.stopReason = fmt.Errorf("slackalert: shutdown: %d alerts of %d groups are lost: %w", lost.alerts, lost.groups, err)
		b.lastWords(ctx, "slackalert: shutdown, alerts are lost", "alerts_lost", lost.alerts, "groups_lost", lost.groups, "alerts_delivered", b.stats().Delivered, "error", err.Error())
	}
	if stuck {
		b.stopReason = errors.Join(b.stopReason, errors.New("slackalert: shutdown: the Sender didn't return when its context ended"))
	}
	return b.stopReason
}

// lastWords tells base, which may have stopped to listen: not much longer than
// shutdown has.
func (b *batcher) lastWords(ctx context.Context, msg string, args ...any) {
	told := b.guard.Telling(msg, args...)
	select {
	case <-told:
		return
	case <-ctx.Done():
	}
	select {
	case <-told:
	case <-time.After(closeGrace):
	}
}

// close ends admission and wakes the lanes to tell all they have, if there is time
// for anything. It returns false where that was done before.
func (b *batcher) close(ctx context.Context) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.phase != running {
		return false
	}
	b.phase = closing
	if ctx.Err() != nil {
		b.phase = gaveUp // nothing more begins, which would only be cut off
	}
	b.deadline = pace.Never
	if end, ok := ctx.Deadline(); ok {
		b.deadline = end
	}
	now := time.Now()
	for _, g := range b.all {
		g.Take() // its lane knows already if something is untold
	}
	for _, l := range b.lanes {
		l.closed = true
		l.plan.Close(b.deadline, now)
		if b.phase == closing {
			b.nudge(l, now)
		}
		l.rouse()
	}
	return true
}

// stop waits for the lanes' goroutines; when ctx ends it cancels what they do.
// It returns true where one of them didn't heed that.
func (b *batcher) stop(ctx context.Context) (stuck bool) {
	defer b.cancel(errDeadline)
	ended := make(chan struct{})
	go func() {
		b.working.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return false
	case <-ctx.Done():
		b.giveUp()
	}
	select {
	case <-ended:
		return false
	case <-time.After(closeGrace):
		return true
	}
}

func (b *batcher) giveUp() {
	b.cancel(errDeadline)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.phase = gaveUp
	for _, l := range b.lanes {
		l.rouse()
	}
}

// amount is how many alerts, of how many groups.
type amount struct {
	alerts uint64
	groups int
}

// end counts what is lost, and what the spool keeps, and says why.
func (b *batcher) end() (lost, spooled amount, err error) {
	_ = b.spool.Sync() // base has heard of it
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, g := range b.all { // at once: a Sender that doesn't heed its context may still return
		if n := g.Count() - g.plan.Told(); n > 0 {
			lost = amount{lost.alerts + n, lost.groups + 1}
		}
	}
	for _, l := range b.lanes {
		for _, c := range []cause.Cause{l.posting, l.editing} {
			if c.Err != nil && err == nil {
				err = c
			}
		}
	}
	spooled = b.leave(time.Now())
	lost = amount{lost.alerts - spooled.alerts, lost.groups - spooled.groups}
	b.phase, b.sum.Lost, b.sum.Spooled = over, lost.alerts, spooled.alerts
	close(b.changed)
	b.changed = make(chan struct{})
	return lost, spooled, err
}

// stats adds up. The sum holds at every moment: what is neither delivered nor
// lost is pending, and what was counted later than the rest of it is, too.
func (b *batcher) stats() Stats {
	var alerts uint64
	s := b.each(func(g *group) { alerts += g.Count() - g.carried })
	s.Alerts += alerts
	s.Pending = s.Alerts - s.Delivered - s.Lost - s.Spooled
	return s
}
