// This file folds alerts into groups, holds them, and releases them as batches.

package slackalert

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/stackmark"
)

// Batch is the groups told in one message.
type Batch struct {
	ID      string  `json:"id"`      // unique; the same for every attempt and edit
	Channel string  `json:"channel"` // "" with a webhook
	Service string  `json:"service"`
	Host    string  `json:"host"`
	Groups  []Group `json:"groups"` // most severe first, then oldest
}

// Group is alerts that are the same thing happening again: a count, and the
// first of them in full. First and Last are zero where the records had no time.
type Group struct {
	Fingerprint string       `json:"fingerprint"` // stable across processes and restarts
	Level       slog.Level   `json:"level"`
	Code        string       `json:"code,omitempty"`
	Message     string       `json:"message"`
	Error       string       `json:"error,omitempty"`  // text of the first attribute that holds an error
	Source      *slog.Source `json:"source,omitempty"` // nil if unknown
	Stack       string       `json:"stack,omitempty"`
	Fields      []Field      `json:"fields,omitempty"` // request scope, then record, then logger; keys joined with dots
	Breadcrumbs []string     `json:"breadcrumbs,omitempty"`
	Count       int          `json:"count"` // alerts told by this batch
	Total       int          `json:"total"` // alerts since First
	First       time.Time    `json:"first,omitzero"`
	Last        time.Time    `json:"last,omitzero"`
	At          time.Time    `json:"at,omitzero"`        // of the example
	Users       int          `json:"users,omitempty"`    // different users hit, about; 0 = unknown
	UserSet     []byte       `json:"user_set,omitempty"` // who Users are, as a set of fixed size that can be merged with another's
	Quiet       bool         `json:"quiet,omitempty"`    // it is over: none for RepeatInterval
	Run         string       `json:"run,omitempty"`      // the run of the process that counted it; within Run and First, Total never falls
	Hosts       int          `json:"hosts,omitempty"`    // on how many hosts; 0 or 1: Batch.Host alone
	Named       []string     `json:"named,omitempty"`    // up to five of them
	Least       bool         `json:"least,omitempty"`    // the count is "or more": a process was killed while it counted
	Notes       []string     `json:"notes,omitempty"`    // what else a reader must know: "back after 3 h", "told 27 min late: Slack was unreachable"
}

// Field is one attribute of an alert, as text.
type Field struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// A Sender delivers a batch as one message.
//
// Send is called from one goroutine per channel and must return soon after ctx
// is done. Returning nil, it has told the batch. After an error the groups fold
// back, and a later batch carries them with what came since. An error that has
// a method RetryAfter() time.Duration says when to try again (1 s to 1 h).
// A Sender that has a method Check(context.Context) error is asked by
// [Handler.Check].
type Sender interface {
	Send(ctx context.Context, b Batch) error
}

// An Updater is a Sender that can also change what it sent: b.ID was sent
// before, its counts have grown. Update is called by the goroutine that calls
// Send for the same channel.
type Updater interface {
	Sender
	Update(ctx context.Context, b Batch) error
}

// Pacer is optional on a Sender: its own pace instead of Slack's, which is 1 s
// between two messages of a channel and 10 s between two edits of one message.
type Pacer interface {
	Gaps() (post, edit time.Duration)
}

// carrier takes a batch to where people read it. ref names what was posted, for
// edit. What an error means is asked of its methods: RetryAfter, Mend and Gone.
type carrier interface {
	post(ctx context.Context, b Batch) (ref string, err error)
	edit(ctx context.Context, ref string, b Batch) error
	canEdit() bool
	close()
}

const (
	postGap     = time.Second             // Slack: one message a second and channel (docs.slack.dev, "Rate limits")
	editGap     = 10 * time.Second        // between two edits of one message
	editRefill  = 1500 * time.Millisecond // 40 edits a minute, and editBurst: together Slack's 50 (Tier 3)
	editBurst   = 10
	minRetry    = time.Second
	maxRetry    = time.Hour
	backoffMin  = time.Second
	backoffMax  = time.Minute
	mendMin     = time.Minute // for causes a person must mend
	mendMax     = 10 * time.Minute
	closeGrace  = time.Second // for a Sender that doesn't heed its context
	knownProbes = 4
)

// batcher folds, holds and releases. Each channel's lane has one goroutine,
// which alone takes from the lane and calls the carrier; it starts with the
// channel's first alert and ends in shutdown.
type batcher struct {
	carrier    carrier
	report     func(msg string, args ...any) // own trouble, to base; called without mu
	delay      time.Duration
	repeat     time.Duration
	timeout    time.Duration // of one attempt
	size       int
	maxGroups  int
	service    string
	host       string
	calls      *stackmark.Mark         // of lanes, to the carrier and to base: what these log is no alert
	known      []atomic.Pointer[group] // by id, to be found without mu
	ctx        context.Context         // of attempts; ended by cancel when shutdown gives up
	cancel     context.CancelCauseFunc
	stopped    chan struct{} // closed by the first shutdown when all is over
	stopReason error         // its result; read after stopped

	mu        sync.Mutex
	lanes     map[string]*lane
	groups    int // remembered, the lanes' "other alerts" left out
	seq       uint64
	forgetAt  time.Time     // the next group to forget; zero = none
	changed   chan struct{} // closed and replaced whenever an attempt ends
	closing   bool          // Shutdown has begun: nothing more is counted
	gaveUp    bool          // its time is over
	over      bool          // it has returned
	deadline  time.Time     // of shutdown; zero = none
	editBank  float64       // edits that may be made at once
	editSince time.Time     // when editBank was counted
	editHold  time.Time     // no edit before: Slack said so
	retired   uint64        // alerts of forgotten groups
	delivered uint64
	lost      uint64
	messages  uint64
	updates   uint64
	failures  uint64
	lastError string
}

// lane is one channel's alerts and pace. batcher.mu guards it.
type lane struct {
	channel string
	wake    chan struct{} // capacity 1: an earlier due time, a flush or a shutdown sends; the lane's goroutine receives
	done    chan struct{} // closed by the lane's goroutine when it ends

	groups  map[uint64]*group
	other   *group              // what came beyond MaxGroups
	waiting map[*group]struct{} // to be posted
	company int                 // of those, in their first wait
	edits   map[*sent]struct{}

	armed     time.Time // when the goroutine wakes by itself; zero while it works or waits without end
	idle      bool      // the goroutine waits
	nextPost  time.Time // pace
	hold      time.Time // no request before: Slack said so
	pause     time.Time // no post before, unless somebody flushes
	posting   trouble
	editing   trouble
	tries     int                     // posts attempted
	endEdit   context.CancelCauseFunc // of the edit in flight; nil = none
	endEditBy *time.Timer             // ends it when a new alert is due
}

// trouble is a run of failed attempts.
type trouble struct {
	n        int
	err      error
	mend     string // what a person must do; "" = nothing
	said     bool   // base knows
	saidMend bool   // and knows what to do
}

type wait uint8

const (
	waitNone    wait = iota
	waitCompany      // for BatchDelay or BatchSize
	waitHeld         // for the end of RepeatInterval, to be posted
	waitEdit         // for the next edit of its message
)

// group is one kind of alert. Repeats touch state and last only, without mu.
type group struct {
	id    uint64        // never changes
	state atomic.Uint64 // alerts<<2 | stirred | shut
	last  atomic.Int64  // time of the latest alert in Unix ns; 0 = unknown

	// batcher.mu guards the rest.
	lane    *lane
	seq     uint64
	first   Group  // the first alert; its counts are filled in when told
	final   uint64 // alerts when shut
	told    uint64
	wait    wait
	due     time.Time
	flying  bool   // in an attempt
	urgent  uint64 // somebody waits in Handle until so many are told
	posted  time.Time
	message *sent     // the one to edit; nil = none
	gone    bool      // its last message was; the next post replaces it
	settled time.Time // when it was last told
	batchID string    // of the last failed attempt
}

const (
	shut    = 1 << 0 // no longer counted into: forgotten, or after Shutdown
	stirred = 1 << 1 // has untold alerts, and its lane knows
	one     = 1 << 2
)

// sent is a message that was posted and can be edited.
type sent struct {
	id, ref string
	items   []item
	due     time.Time
	shown   time.Time
	again   bool // replaces one that was gone
}

// item is one group's part in a message.
type item struct {
	g      *group
	before uint64 // alerts told before this message
	upTo   uint64 // alerts told with it
	shows  Group  // as it stands there
}

// parcel is an attempt: a batch, what it tells of each group, and for an edit
// the message it changes.
type parcel struct {
	batch  Batch
	items  []item
	edits  *sent
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// alert is what batch.go must know of a record to count it.
type alert struct {
	id      uint64 // the record's identity and its channel, one hash, worked out once in handler.go
	channel string
	at      time.Time // zero = unknown
	level   slog.Level
	urgent  bool   // from SyncLevel up
	user    uint64 // hash of who was hit; 0 = unknown
}

// ticket names an alert that was folded, for await. The zero ticket is of one
// that was refused because Shutdown has begun.
type ticket struct {
	g *group
	n uint64
}

var (
	errTimeout  = errors.New("no answer in time")
	errYield    = errors.New("the edit made way for a new alert")
	errDeadline = errors.New("shutdown's time is over")
)

// insideKey marks the contexts of attempts.
type insideKey struct{}

// inside says whether a record is logged by the delivery itself, or by base
// while it is told of the delivery's trouble: with the attempt's context, or on
// a lane's goroutine. Another handler's delivery is none of ours.
func (b *batcher) inside(ctx context.Context) bool {
	return ctx.Value(insideKey{}) == b || b.calls.Here()
}

func (b *batcher) init() {
	b.lanes = make(map[string]*lane)
	b.calls = stackmark.New()
	b.changed = make(chan struct{})
	b.stopped = make(chan struct{})
	b.ctx, b.cancel = context.WithCancelCause(context.WithValue(context.Background(), insideKey{}, b))
	n := 256
	for n < 4*b.maxGroups && n < 1<<16 {
		n *= 2
	}
	b.known = make([]atomic.Pointer[group], n)
	b.editBank = editBurst
}

// again counts a repeat of a group that has untold alerts already. It takes no
// lock and allocates nothing; false means that count must do it.
func (b *batcher) again(a *alert) bool {
	g := b.find(a.id)
	if g == nil || g.state.Load()&(shut|stirred) != stirred {
		return false
	}
	s := g.state.Add(one)
	if s&shut != 0 {
		return false // shut in between: that addition is never read
	}
	g.seen(a.at)
	if s&stirred == 0 { // told in between
		b.mu.Lock()
		b.stir(g, time.Now())
		b.mu.Unlock()
	}
	return true
}

func (b *batcher) find(id uint64) *group {
	mask := uint64(len(b.known) - 1)
	for i := range uint64(knownProbes) {
		if g := b.known[(id+i)&mask].Load(); g != nil && g.id == id {
			return g
		}
	}
	return nil
}

// seen keeps the latest time, to a millisecond: in a storm every processor
// would want to write it.
func (g *group) seen(at time.Time) {
	t := unixNano(at)
	for old := g.last.Load(); t-old > int64(time.Millisecond) || old == 0 && t != 0; old = g.last.Load() {
		if g.last.CompareAndSwap(old, t) {
			return
		}
	}
}

// The years 1678 and 2261, the limits of nanoseconds in an int64, in Unix
// seconds.
const (
	minSeconds = -9214560000
	maxSeconds = 9214646400
)

// unixNano is 0 where the time is unknown or can't be said in nanoseconds.
func unixNano(t time.Time) int64 {
	if s := t.Unix(); s < minSeconds || s > maxSeconds {
		return 0
	}
	return t.UnixNano()
}

// count counts an alert into its group, or into "other alerts" where there is
// no room for a new one. wants says that it wasn't counted, because the group
// wants an example: capture one and call begin.
func (b *batcher) count(a *alert) (t ticket, wants bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing {
		return ticket{}, false
	}
	l := b.lanes[a.channel]
	if l == nil {
		return ticket{}, true
	}
	g := l.groups[a.id]
	if g == nil {
		if b.groups < b.maxGroups || l.other == nil {
			return ticket{}, true
		}
		g = l.other
		g.first.Level = max(g.first.Level, a.level)
	} else {
		b.remember(g)
	}
	return b.add(g, a), false
}

// begin opens a group with its example and counts the alert, unless another
// goroutine opened it meanwhile.
func (b *batcher) begin(a *alert, example Group) ticket {
	if t, wants := b.count(a); !wants {
		return t
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing {
		return ticket{}
	}
	l := b.lane(a.channel)
	if g := l.groups[a.id]; g != nil {
		return b.add(g, a)
	}
	g := &group{id: a.id, lane: l, first: example}
	b.seq++
	g.seq = b.seq
	if b.groups < b.maxGroups {
		b.groups++
		l.groups[a.id] = g
		b.remember(g)
	} else if l.other == nil {
		g.first.Fingerprint = otherAlerts
		g.first.Message = fmt.Sprintf("%s (over %d kinds), the first: %s", otherAlerts, b.maxGroups, example.Message)
		l.other = g
	} else {
		g = l.other
		g.first.Level = max(g.first.Level, a.level)
	}
	return b.add(g, a)
}

const otherAlerts = "other alerts"

// add counts one alert. b.mu is held.
func (b *batcher) add(g *group, a *alert) ticket {
	s := g.state.Add(one)
	g.seen(a.at)
	now := time.Now()
	if a.urgent {
		if !g.hurries() {
			g.state.And(^uint64(stirred)) // its wait must be set anew
		}
		g.urgent = s >> 2
	}
	b.stir(g, now)
	return ticket{g, s >> 2}
}

// hurries says whether somebody waits in Handle. batcher.mu is held.
func (g *group) hurries() bool { return g.urgent > g.told }

// remember lets the id find the group without a lock. b.mu is held.
func (b *batcher) remember(g *group) {
	if b.find(g.id) == g {
		return
	}
	mask := uint64(len(b.known) - 1)
	for i := range uint64(knownProbes) {
		slot := &b.known[(g.id+i)&mask]
		if old := slot.Load(); old == nil || old.id == g.id || old.state.Load()&shut != 0 || i == knownProbes-1 {
			slot.Store(g)
			return
		}
	}
}

// lane returns a channel's lane and starts it if it is new. b.mu is held.
func (b *batcher) lane(channel string) *lane {
	if l := b.lanes[channel]; l != nil {
		return l
	}
	l := &lane{
		channel: channel,
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		groups:  make(map[uint64]*group),
		waiting: make(map[*group]struct{}),
		edits:   make(map[*sent]struct{}),
	}
	b.lanes[channel] = l
	go b.run(l)
	return l
}

// stir tells a group's lane, once, that the group has untold alerts. b.mu is
// held.
func (b *batcher) stir(g *group, now time.Time) {
	if g.alerts() == g.told {
		return // told before its goroutine came to say so
	}
	if g.state.Or(stirred)&stirred != 0 || g.flying {
		return // while it flies, the end of the attempt looks again
	}
	b.schedule(g, now)
}

// schedule sets how and when a group's untold alerts are told. b.mu is held.
func (b *batcher) schedule(g *group, now time.Time) {
	l := g.lane
	if g.wait == waitNone || g.hurries() {
		switch over := g.posted.Add(b.repeat); {
		case g.posted.IsZero() || !now.Before(over):
			l.keep(g, waitCompany, now.Add(b.delay))
		case g.message != nil && b.closing:
			l.keepEdit(g, now)
		case g.message != nil:
			l.keepEdit(g, later(g.message.shown.Add(editGap), now.Add(b.delay)))
		default:
			l.keep(g, waitHeld, over)
		}
	}
	if g.hurries() {
		b.hurry(l, now)
	}
	if g.wait == waitCompany && l.endEdit != nil {
		b.yieldAt(l, b.postAt(l).Sub(now))
	}
	if l.idle && (l.armed.IsZero() || g.due.Before(l.armed) || l.company >= b.size || g.hurries()) {
		l.rouse()
	}
}

// yieldAt ends the edit in flight when a new alert may go, so that an edit
// never delays it. b.mu is held.
func (b *batcher) yieldAt(l *lane, in time.Duration) {
	end := l.endEdit
	if in <= 0 {
		end(errYield)
		return
	}
	if l.endEditBy != nil {
		l.endEditBy.Stop()
	}
	l.endEditBy = time.AfterFunc(in, func() { end(errYield) })
}

// hurry makes due what waits for company, and what is urgent. b.mu is held.
func (b *batcher) hurry(l *lane, now time.Time) {
	for g := range l.waiting {
		if g.wait == waitCompany || g.hurries() {
			g.due = earlier(g.due, now)
		}
	}
	for m := range l.edits {
		if slices.ContainsFunc(m.items, func(it item) bool { return it.g.hurries() && it.g.message == m }) {
			m.due = earlier(m.due, now)
		}
	}
	l.pause = time.Time{}
	if l.endEdit != nil && l.company > 0 {
		l.endEdit(errYield)
	}
	l.rouse()
}

func (l *lane) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) keep(g *group, w wait, due time.Time) {
	l.release(g)
	g.wait, g.due = w, due
	l.waiting[g] = struct{}{}
	if w == waitCompany {
		l.company++
	}
}

func (l *lane) keepEdit(g *group, due time.Time) {
	l.release(g)
	m := g.message
	if _, ok := l.edits[m]; !ok {
		m.due = due
	}
	l.edits[m] = struct{}{}
	g.wait, g.due = waitEdit, m.due
}

func (l *lane) release(g *group) {
	if g.wait == waitCompany {
		l.company--
	}
	edited := g.wait == waitEdit
	delete(l.waiting, g)
	g.wait, g.due = waitNone, time.Time{}
	if edited {
		l.unedit(g.message)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// soonest is the earlier of two times of which zero means never.
func soonest(a, b time.Time) time.Time {
	switch {
	case a.IsZero():
		return b
	case b.IsZero():
		return a
	}
	return earlier(a, b)
}

// run is a lane's goroutine.
func (b *batcher) run(l *lane) {
	defer close(l.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		p, at, stop := b.next(l)
		switch {
		case stop:
			return
		case p != nil:
			b.attempt(l, p)
			continue
		case at.IsZero():
			timer.Stop()
		default:
			timer.Reset(time.Until(at))
		}
		select {
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// next says what a lane does now: an attempt, wait until at (zero: until
// woken), or stop.
func (b *batcher) next(l *lane) (p *parcel, at time.Time, stop bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	l.idle = false
	if !b.forgetAt.IsZero() && !now.Before(b.forgetAt) {
		b.forget(now)
	}
	post, edit := b.postAt(l), b.editAt(l, now)
	at = soonest(post, edit)
	switch {
	case b.closing && (b.gaveUp || at.IsZero() || !b.deadline.IsZero() && at.After(b.deadline)):
		return nil, time.Time{}, true
	case !post.IsZero() && !post.After(now):
		return b.takePost(l, now), time.Time{}, false
	case !edit.IsZero() && !edit.After(now):
		return b.takeEdit(l), time.Time{}, false
	}
	if !b.closing {
		at = soonest(at, b.forgetAt)
	}
	l.idle, l.armed = true, at
	return nil, at, false
}

// atOnce is a time that is always past, yet not the zero time.
var atOnce = time.Unix(0, 0)

// postAt is when a lane may post next; zero means that nothing waits.
func (b *batcher) postAt(l *lane) time.Time {
	if len(l.waiting) == 0 || b.closing && l.posting.mend != "" {
		return time.Time{}
	}
	due := atOnce
	if !b.closing && l.company < b.size {
		due = time.Time{}
		for g := range l.waiting {
			due = soonest(due, g.due)
		}
	}
	return later(later(due, l.pause), later(l.nextPost, l.hold))
}

// editAt is when a lane may edit next; zero means that nothing waits.
func (b *batcher) editAt(l *lane, now time.Time) time.Time {
	if len(l.edits) == 0 || b.closing && l.editing.mend != "" {
		return time.Time{}
	}
	due := time.Time{}
	for m := range l.edits {
		due = soonest(due, m.due)
	}
	b.editBank = min(editBurst, b.editBank+float64(now.Sub(b.editSince))/float64(editRefill))
	b.editSince = now
	if b.editBank < 1 {
		due = later(due, now.Add(time.Duration((1-b.editBank)*float64(editRefill))+time.Microsecond))
	}
	return later(due, later(b.editHold, l.hold))
}

// takePost makes a parcel of what a lane may post now: the most severe of what
// waits for company or is held no longer. b.mu is held.
func (b *batcher) takePost(l *lane, now time.Time) *parcel {
	due := make([]*group, 0, len(l.waiting))
	for g := range l.waiting {
		if b.closing || g.wait == waitCompany || !g.due.After(now) {
			due = append(due, g)
		}
	}
	slices.SortFunc(due, func(x, y *group) int {
		if x.hurries() != y.hurries() {
			if x.hurries() {
				return -1
			}
			return 1
		}
		return bySeverity(x, y)
	})
	due = due[:min(len(due), b.size)]
	slices.SortFunc(due, bySeverity)
	p := &parcel{batch: b.newBatch(l)}
	for _, g := range due {
		p.add(g, g.told)
		p.batch.ID = cmp.Or(p.batch.ID, g.batchID)
		p.batch.Groups = append(p.batch.Groups, p.items[len(p.items)-1].shows.clone())
	}
	p.batch.ID = cmp.Or(p.batch.ID, rand.Text())
	b.launch(p)
	return p
}

// takeEdit makes a parcel of the lane's next message to edit. A group that was
// posted anew since stands in it as it stood. b.mu is held.
func (b *batcher) takeEdit(l *lane) *parcel {
	m := slices.MinFunc(slices.Collect(maps.Keys(l.edits)), func(x, y *sent) int { return x.due.Compare(y.due) })
	delete(l.edits, m)
	p := &parcel{batch: b.newBatch(l), edits: m}
	p.batch.ID = m.id
	for _, it := range m.items {
		if it.g.message == m {
			p.add(it.g, it.before)
		} else {
			p.items = append(p.items, it)
		}
	}
	// The level of "other alerts" may have risen.
	slices.SortFunc(p.items, func(x, y item) int {
		return cmp.Or(cmp.Compare(y.shows.Level, x.shows.Level), cmp.Compare(x.g.seq, y.g.seq))
	})
	for _, it := range p.items {
		p.batch.Groups = append(p.batch.Groups, it.shows.clone())
	}
	b.editBank--
	b.launch(p)
	l.endEdit = p.cancel
	if l.company > 0 {
		b.yieldAt(l, time.Until(b.postAt(l)))
	}
	return p
}

func (b *batcher) newBatch(l *lane) Batch {
	return Batch{Channel: l.channel, Service: b.service, Host: b.host}
}

func (b *batcher) launch(p *parcel) {
	ctx, end := context.WithCancelCause(b.ctx)
	timed, stop := context.WithTimeoutCause(ctx, b.timeout, errTimeout)
	p.ctx, p.cancel = timed, func(cause error) { end(cause); stop() }
}

func bySeverity(x, y *group) int {
	return cmp.Or(cmp.Compare(y.first.Level, x.first.Level), cmp.Compare(x.seq, y.seq))
}

// add takes a group along, with all its alerts of this moment.
func (p *parcel) add(g *group, before uint64) {
	g.flying = true
	g.state.And(^uint64(stirred))
	n := g.alerts()
	p.items = append(p.items, item{g: g, before: before, upTo: n, shows: g.show(before, n)})
}

// alerts is how many a group has counted. batcher.mu is held.
func (g *group) alerts() uint64 {
	if s := g.state.Load(); s&shut == 0 {
		return s >> 2
	}
	return g.final
}

// show is the group as a message tells it: nothing in it is shared with the
// next message but text.
func (g *group) show(before, upTo uint64) Group {
	s := g.first.clone()
	s.Count, s.Total = int(upTo-before), int(upTo)
	s.Last = s.First
	if last := g.last.Load(); last > unixNano(s.First) {
		s.Last = time.Unix(0, last).UTC()
	}
	return s
}

// clone shares nothing with g but text.
func (g Group) clone() Group {
	g.Fields = slices.Clone(g.Fields)
	g.Breadcrumbs = slices.Clone(g.Breadcrumbs)
	if g.Source != nil {
		src := *g.Source
		g.Source = &src
	}
	return g
}

// attempt carries one parcel and settles what became of it.
func (b *batcher) attempt(l *lane, p *parcel) {
	ref, err := b.carry(p)
	b.mu.Lock()
	now := time.Now()
	cause := context.Cause(p.ctx)
	p.cancel(nil)
	var say []notice
	switch {
	case b.over: // a Sender that outlived Shutdown: its alerts are counted as lost
	case p.edits == nil:
		say = b.settlePost(l, p, ref, err, now)
	default:
		say = b.settleEdit(l, p, err, cause == errYield, now)
	}
	close(b.changed)
	b.changed = make(chan struct{})
	b.mu.Unlock()
	for _, n := range say {
		b.tell(n.msg, n.args...)
	}
}

// carry calls the carrier, which runs code of the user's.
func (b *batcher) carry(p *parcel) (ref string, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the delivery panicked: %v", v)
		}
	}()
	b.calls.Run(func() {
		if p.edits != nil {
			err = b.carrier.edit(p.ctx, p.edits.ref, p.batch)
		} else {
			ref, err = b.carrier.post(p.ctx, p.batch)
		}
	})
	return ref, err
}

// tell speaks to base, and survives it.
func (b *batcher) tell(msg string, args ...any) {
	defer func() { _ = recover() }() // there is nobody left to tell
	b.calls.Run(func() { b.report(msg, args...) })
}

// notice is something to tell base once mu is free.
type notice struct {
	msg  string
	args []any
}

// settlePost ends the attempt to post a parcel. b.mu is held.
func (b *batcher) settlePost(l *lane, p *parcel, ref string, err error, now time.Time) []notice {
	l.tries++
	l.nextPost = now.Add(postGap)
	if err != nil {
		for _, it := range p.items {
			it.g.batchID = p.batch.ID
		}
		b.land(l, p, now, false)
		d, hard := l.posting.fail(err)
		if hard {
			l.hold = now.Add(d)
		} else {
			l.pause = now.Add(d)
		}
		return b.failed(l, &l.posting, "post")
	}
	b.messages++
	for g := range l.waiting {
		if g.batchID == p.batch.ID {
			g.batchID = "" // a batch of its own from here on
		}
	}
	var m *sent
	if b.carrier.canEdit() {
		m = &sent{id: p.batch.ID, ref: ref, items: p.items, shown: now}
	}
	for _, it := range p.items {
		l.release(it.g)
		it.g.posted, it.g.message = now, m
		if m != nil && it.g.gone {
			m.again = true
		}
		it.g.gone = false
	}
	b.land(l, p, now, true)
	return b.worked(l, &l.posting, "post")
}

// settleEdit ends the attempt to edit a message. b.mu is held.
func (b *batcher) settleEdit(l *lane, p *parcel, err error, yielded bool, now time.Time) []notice {
	m := p.edits
	l.endEdit = nil
	if l.endEditBy != nil {
		l.endEditBy.Stop()
		l.endEditBy = nil
	}
	switch {
	case err == nil:
		b.updates++
		m.shown, m.items = now, p.items
		for _, it := range p.items {
			if it.g.message == m {
				l.release(it.g)
			}
		}
		b.land(l, p, now, true)
		return b.worked(l, &l.editing, "edit")
	case isGone(err):
		b.failures++
		b.lastError = err.Error()
		b.repost(l, m, now, true)
		b.land(l, p, now, false)
		return nil
	case yielded && !answered(err):
		m.due = now.Add(postGap)
		l.edits[m] = struct{}{}
		b.land(l, p, now, false)
		return nil
	}
	d, hard := l.editing.fail(err)
	m.due = now.Add(d)
	if hard {
		b.editHold = later(b.editHold, m.due)
	}
	l.edits[m] = struct{}{}
	b.repost(l, m, now, false)
	b.land(l, p, now, false)
	return b.failed(l, &l.editing, "edit")
}

// repost makes the untold alerts of a message that can't be edited a new post:
// all of them where it is gone, else those whose RepeatInterval is over. Where
// the replacement of a message is gone too, editing can't be relied on: they
// wait for the end of RepeatInterval, as with a webhook. b.mu is held.
func (b *batcher) repost(l *lane, m *sent, now time.Time, gone bool) {
	for _, it := range m.items {
		g := it.g
		over := g.posted.Add(b.repeat)
		if g.message != m || !gone && now.Before(over) {
			continue
		}
		g.message, g.gone = nil, gone
		untold := g.alerts() > g.told
		l.release(g)
		switch {
		case !untold:
		case gone && m.again && now.Before(over):
			l.keep(g, waitHeld, over)
		default:
			l.keep(g, waitCompany, now)
		}
	}
	l.unedit(m)
}

// unedit forgets to edit a message that no group waits for. batcher.mu is held.
func (l *lane) unedit(m *sent) {
	if m != nil && !slices.ContainsFunc(m.items, func(it item) bool { return it.g.message == m && it.g.wait == waitEdit }) {
		delete(l.edits, m)
	}
}

// land takes a parcel's groups out of the air. Where it was told they are
// counted as delivered; whatever came since is scheduled. b.mu is held.
func (b *batcher) land(l *lane, p *parcel, now time.Time, told bool) {
	for _, it := range p.items {
		g := it.g
		if !g.flying {
			continue // stood in the edited message, was told elsewhere
		}
		g.flying = false
		if told {
			b.delivered += it.upTo - g.told
			g.told, g.settled, g.batchID = it.upTo, now, ""
		}
		switch {
		case !g.rests():
			if g.wait == waitNone { // else it waits for the next attempt
				b.schedule(g, now)
			}
		default:
			b.forgetAt = soonest(b.forgetAt, b.forgettable(g))
		}
	}
}

// rests says whether all alerts are told, and marks the group stirred or not:
// in one step, or repeats might go on counting into a group that nobody looks
// at. batcher.mu is held.
func (g *group) rests() bool {
	for {
		s := g.state.Load()
		if g.alerts() > g.told {
			g.state.Or(stirred)
			return false
		}
		if g.state.CompareAndSwap(s, s&^stirred) {
			return true
		}
	}
}

// fail notes a failed attempt and says how long to wait: hard, because Slack
// said so, or as a run of failures advises.
func (t *trouble) fail(err error) (wait time.Duration, hard bool) {
	mend := ""
	var m interface{ Mend() string }
	if errors.As(err, &m) {
		mend = m.Mend()
	}
	if (mend == "") != (t.mend == "") {
		t.n = 0
	}
	t.n, t.err, t.mend = t.n+1, err, mend
	var r interface{ RetryAfter() time.Duration }
	if errors.As(err, &r) && r.RetryAfter() > 0 {
		return min(max(r.RetryAfter(), minRetry), maxRetry), true
	}
	if mend != "" {
		return min(mendMin<<min(t.n-1, 8), mendMax), false
	}
	d := min(backoffMin<<min(t.n-1, 8), backoffMax)
	return d + mathrand.N(d/4), false
}

// answered says whether an error is Slack's, though the attempt was called off.
func answered(err error) bool {
	var r interface{ RetryAfter() time.Duration }
	return errors.As(err, &r) && r.RetryAfter() > 0
}

func isGone(err error) bool {
	var g interface{ Gone() bool }
	return errors.As(err, &g) && g.Gone()
}

// failed counts a failure, and says so when it is the first of a run or when
// its cause has become one that a person must mend. b.mu is held.
func (b *batcher) failed(l *lane, t *trouble, what string) []notice {
	b.failures++
	b.lastError = t.err.Error()
	if t.said && (t.saidMend || t.mend == "") {
		return nil
	}
	t.said, t.saidMend = true, t.mend != ""
	alerts, groups := l.untold()
	args := []any{"channel", l.channel, "attempt", what, "error", t.err.Error(), "alerts_waiting", alerts, "groups_waiting", groups}
	if t.mend != "" {
		args = append(args, "do", t.mend)
	}
	return []notice{{"slackalert: alerts can't be delivered, they wait", args}}
}

// worked ends a run of failures. b.mu is held.
func (b *batcher) worked(l *lane, t *trouble, what string) []notice {
	if t == &l.posting {
		l.pause = time.Time{}
	}
	if !t.said {
		return nil
	}
	*t = trouble{}
	alerts, _ := l.untold()
	return []notice{{"slackalert: alerts are delivered again", []any{"channel", l.channel, "attempt", what, "alerts_waiting", alerts}}}
}

// untold is what waits in a lane. batcher.mu is held.
func (l *lane) untold() (alerts uint64, groups int) {
	for g := range l.all {
		if n := g.alerts() - g.told; n > 0 {
			alerts += n
			groups++
		}
	}
	return alerts, groups
}

// all are a lane's groups, "other alerts" included.
func (l *lane) all(yield func(*group) bool) {
	for _, g := range l.groups {
		if !yield(g) {
			return
		}
	}
	if l.other != nil {
		yield(l.other)
	}
}

// forgettable is when a group may be forgotten: two intervals after its last
// alert, and not before it could be posted anew.
func (b *batcher) forgettable(g *group) time.Time {
	quiet := g.settled
	if last := g.last.Load(); last != 0 {
		quiet = earlier(quiet, time.Unix(0, last))
	}
	return later(quiet.Add(2*b.repeat), g.posted.Add(b.repeat))
}

// forget drops the groups that have been quiet for two intervals. b.mu is held.
func (b *batcher) forget(now time.Time) {
	b.forgetAt = time.Time{}
	for _, l := range b.lanes {
		for g := range l.all {
			if g.state.Load()&stirred != 0 || g.flying {
				continue
			}
			at := b.forgettable(g)
			if at.After(now) {
				b.forgetAt = soonest(b.forgetAt, at)
				continue
			}
			b.drop(l, g)
		}
	}
}

// drop forgets one group unless an alert came in this moment. b.mu is held.
func (b *batcher) drop(l *lane, g *group) {
	if s := g.state.Or(shut); s>>2 != g.told {
		g.state.Store(s) // additions since saw it shut, and count themselves anew under mu
		b.stir(g, time.Now())
		return
	}
	g.final = g.told
	b.retired += g.told
	g.first, g.message = Group{}, nil // known may keep the rest for a while
	if g == l.other {
		l.other = nil
		return
	}
	delete(l.groups, g.id)
	b.groups--
}

// flush makes what waits for company due and returns when it is told, when ctx
// ends, or when an attempt fails for a cause that a person must mend.
func (b *batcher) flush(ctx context.Context) error {
	b.mu.Lock()
	now := time.Now()
	var waits []ticket
	for _, l := range b.lanes {
		for g := range l.waiting {
			if g.wait == waitCompany || !g.due.After(now) {
				waits = append(waits, ticket{g, g.alerts()})
			}
		}
		b.hurry(l, now)
	}
	b.mu.Unlock()
	return b.await(ctx, waits, func(t ticket, now time.Time) bool {
		return t.g.wait == waitCompany || t.g.wait == waitHeld && !t.g.due.After(now)
	})
}

// await returns when all tickets' alerts are told, or are no longer waited for
// because open says so.
func (b *batcher) await(ctx context.Context, waits []ticket, open func(ticket, time.Time) bool) error {
	tries := make(map[*lane]int)
	for {
		b.mu.Lock()
		n, failed := 0, false
		var err error
		for _, t := range waits {
			l := t.g.lane
			if _, ok := tries[l]; !ok {
				tries[l] = l.tries
			}
			if t.g.told < t.n && open(t, time.Now()) {
				n++
				err = cmp.Or(err, l.posting.err)
				failed = failed || b.over || l.posting.mend != "" && l.tries > tries[l]
			}
		}
		changed := b.changed
		b.mu.Unlock()
		if n == 0 {
			return nil
		}
		if failed {
			return fmt.Errorf("slackalert: alerts of %d groups are not delivered yet: %w", n, cmp.Or(err, errDeadline))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("slackalert: alerts of %d groups are not delivered yet: %w", n, context.Cause(ctx)), err)
		}
	}
}

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
	stuck := b.stop(ctx)
	b.mu.Lock()
	var err error
	alerts, groups := uint64(0), 0
	for _, l := range b.lanes {
		n, k := l.untold()
		alerts, groups = alerts+n, groups+k
		err = cmp.Or(err, l.posting.err, l.editing.err)
	}
	b.lost, b.over = alerts, true
	delivered := b.delivered
	close(b.changed)
	b.changed = make(chan struct{})
	b.mu.Unlock()
	b.carrier.close()
	if alerts > 0 {
		err = cmp.Or(err, context.Cause(ctx), errDeadline)
		b.tell("slackalert: shutdown, alerts are lost", "alerts_lost", alerts, "groups_lost", groups, "alerts_delivered", delivered, "error", err.Error())
		b.stopReason = fmt.Errorf("slackalert: shutdown: %d alerts of %d groups are lost: %w", alerts, groups, err)
	}
	if stuck {
		b.stopReason = errors.Join(b.stopReason, errors.New("slackalert: shutdown: the Sender didn't return when its context ended"))
	}
	close(b.stopped)
	return b.stopReason
}

// close ends admission and wakes the lanes to tell all they have. It returns
// false where that was done before.
func (b *batcher) close(ctx context.Context) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing {
		return false
	}
	b.closing = true
	b.deadline, _ = ctx.Deadline()
	now := time.Now()
	for _, l := range b.lanes {
		for g := range l.all {
			g.final = g.state.Or(shut) >> 2
			b.stir(g, now)
		}
		if l.endEdit != nil && l.company > 0 {
			l.endEdit(errYield)
		}
		l.pause, l.posting.mend, l.editing.mend = time.Time{}, "", ""
		l.posting.n, l.editing.n = 0, 0 // what is left of its time is for trying
		for m := range l.edits {
			m.due = atOnce
		}
		l.rouse()
	}
	return true
}

// stop waits for the lanes' goroutines; when ctx ends it cancels what they do.
// It returns true where one of them didn't heed that.
func (b *batcher) stop(ctx context.Context) (stuck bool) {
	defer b.cancel(errDeadline)
	var grace <-chan time.Time
	done := ctx.Done()
	for _, l := range b.lanes {
		for running := true; running; {
			select {
			case <-l.done:
				running = false
			case <-done:
				b.giveUp()
				done, grace = nil, time.After(closeGrace)
			case <-grace:
				return true
			}
		}
	}
	return false
}

func (b *batcher) giveUp() {
	b.cancel(errDeadline)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gaveUp = true
	for _, l := range b.lanes {
		l.rouse()
	}
}

// stats adds up. b.mu is held while it does, so the sum holds at every moment:
// what is neither delivered nor lost is pending.
func (b *batcher) stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Stats{
		Alerts: b.retired, Delivered: b.delivered, Lost: b.lost,
		Messages: b.messages, Updates: b.updates, Failures: b.failures, LastError: b.lastError,
	}
	for _, l := range b.lanes {
		for g := range l.all {
			s.Alerts += g.alerts()
		}
	}
	s.Pending = s.Alerts - s.Delivered - s.Lost
	return s
}

// Merge folds in the counts of another process's batch; it doesn't wait and
// doesn't fail.
func (h *Handler) Merge(b Batch) {
	panic("not built yet")
}

// Resume says that b was told then by a process that is gone: what comes is
// edited into it, and its interval counts from then.
func (h *Handler) Resume(b Batch, ref string, told time.Time) {
	panic("not built yet")
}
