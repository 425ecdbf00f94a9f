// This file folds alerts into groups, and says what a message shows of one.

package slackalert

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"math/bits"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/fingerprint"
	"example.com/slackalert/internal/pace"
	"example.com/slackalert/internal/spool"
	"example.com/slackalert/internal/tally"
	"example.com/slackalert/internal/words"
)

// Batch is the groups told in one message.
type Batch struct {
	ID      string  `json:"id"`      // one ID, one content: the same for every attempt at it and for the edits of the message it became
	Channel string  `json:"channel"` // "" with a webhook
	Service string  `json:"service"`
	Host    string  `json:"host"`
	Groups  []Group `json:"groups"` // most severe first, then most frequent, then oldest
}

// Group is alerts that are the same thing happening again: a count, and the
// first of them in full. First and Last are zero where the records had no time.
type Group struct {
	Fingerprint string        `json:"fingerprint"` // stable across processes and restarts
	Level       slog.Level    `json:"level"`
	Code        string        `json:"code,omitempty"`
	Message     string        `json:"message"`
	Error       string        `json:"error,omitempty"`  // text of the first attribute that holds an error
	Source      *slog.Source  `json:"source,omitempty"` // nil if unknown
	Stack       string        `json:"stack,omitempty"`
	Fields      []Field       `json:"fields,omitempty"` // request scope, then record, then logger; keys joined with dots
	Breadcrumbs []string      `json:"breadcrumbs,omitempty"`
	Count       int           `json:"count"` // alerts told by this batch
	Total       int           `json:"total"` // alerts since First
	First       time.Time     `json:"first,omitzero"`
	Last        time.Time     `json:"last,omitzero"`
	At          time.Time     `json:"at,omitzero"`        // of the example
	Users       int           `json:"users,omitempty"`    // different users hit, by the attribute "user", about; 0 = unknown
	UserSet     []byte        `json:"user_set,omitempty"` // who Users are, as a set of fixed size that can be merged with another's
	Quiet       bool          `json:"quiet,omitempty"`    // it is over: none for RepeatInterval
	Run         string        `json:"run,omitempty"`      // the run of the process that counted it; within Run and First, Total never falls
	Hosts       int           `json:"hosts,omitempty"`    // on how many hosts; 0 or 1: on the one that is Named, else on Batch.Host
	Named       []string      `json:"named,omitempty"`    // up to five of them
	Least       bool          `json:"least,omitempty"`    // the count is "or more": a process was killed while it counted
	Notes       []string      `json:"notes,omitempty"`    // what else a reader must know: "back after 3 h", "told 27 min late: Slack was unreachable"
	Interval    time.Duration `json:"interval,omitempty"` // how long after its post it isn't posted anew; 0 = RepeatInterval

	called bool // somebody was mentioned RepeatInterval ago, and isn't yet again
}

// Field is one attribute of an alert, as text.
type Field struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// group is one kind of alert. batcher.mu guards all but the tally.
type group struct {
	tally.Tally
	id      uint64      // its place's; 0 = "other alerts". Set once, as slot is, before others see the group
	slot    *spool.Slot // where it is kept, too; nil = nowhere
	plan    pace.Group[*group, Group]
	lane    *lane
	example Group    // the first alert since the last post
	notes   []string // what others want said of it, in the next post
	said    []string // what they wanted said in the last, for its edits
	hosts   hostSet  // where it was counted, if not here alone
	away    bool     // not here, so far
	gone    bool     // forgotten
	named   int      // hosts that others counted, at least
	least   bool     // some of what others counted may be missing
	carried uint64   // counted by a process that is gone: not in Stats
	posts   int      // that were accepted since the interval began anew
}

// Rests is for the plan: whether all that was counted is told. While it isn't,
// repeats need no lock, but for one that is to be the next example or shows that
// the group is counted here, too.
func (g *group) Rests(told uint64) bool {
	if g.Take() == told {
		return true
	}
	g.reopen()
	return false
}

func (g *group) reopen() {
	if !g.plan.Wants && !g.away && !g.lane.closed {
		g.Open()
	}
}

// place is where a group stands.
type place struct {
	channel string
	print   fingerprint.Hash // its fingerprint
	id      uint64           // that in its channel, by which its lane finds it
}

func placeIn(channel string, print fingerprint.Hash) place {
	return place{channel, print, print.In(laneName(channel))}
}

// alert is what batch.go must know of a record to count it.
type alert struct {
	place        // worked out once in handler.go
	at     int64 // as [tally.Nano] gives it
	level  slog.Level
	urgent bool   // from SyncLevel up
	user   uint64 // hash of who was hit; 0 = unknown
}

// ticket names an alert that was folded, for await. The zero ticket is of one
// that was refused because Shutdown has begun.
type ticket struct {
	g *group
	n uint64
}

// book finds groups by their IDs, without a lock. An ID has one place in it. What
// shares that with another is counted under the lock, and then has the place.
type book []atomic.Pointer[group]

// newBook returns a book with room for about n groups; 8,192 at most, for which
// it takes 512 KiB.
func newBook(n int) book { return make(book, 1<<min(max(bits.Len(uint(8*n)), 8), 16)) }

func (b book) place(id uint64) *atomic.Pointer[group] { return &b[id&uint64(len(b)-1)] }

// again counts an alert if it is found where it belongs, and its tally is open.
func (b book) again(a *alert) bool {
	g := b.place(a.id).Load()
	if g == nil || g.id != a.id {
		return false
	}
	n := g.Again(a.at, a.user)
	g.jot(n)
	return n > 0
}

// jot has it written down, where that is due, that n were counted; 0 does nothing.
// The lock isn't held.
func (g *group) jot(n uint64) {
	if g.slot != nil && n > 0 && spool.Due(n-g.slot.Earlier()) {
		g.slot.Count(n, tally.Nano(g.Last()), false)
	}
}

// laneName makes one lane of "alerts" and "#alerts".
func laneName(channel string) string { return strings.TrimPrefix(channel, "#") }

// count counts an alert into its group, or into "other alerts" where there is
// no room for a new one. wants says that it wasn't counted, because the group
// wants an example: capture one and call begin.
func (b *batcher) count(a *alert) (t ticket, wants bool) {
	b.mu.Lock()
	defer b.unlock()
	if b.phase != running {
		return ticket{}, false
	}
	g := b.find(&a.place)
	if g == nil || g.plan.Wants {
		return ticket{}, true
	}
	t = b.add(g, a)
	b.keepCount(t)
	return t, false
}

// begin counts an alert with its example, which opens a group or is its new one;
// or without, where another goroutine was faster. The example is kept before the
// group is seen by others, whose alerts are kept only in counts.
func (b *batcher) begin(a *alert, example Group) (t ticket) {
	b.complete(&example)
	var slot *spool.Slot
	if b.spool != nil && !b.knows(a) {
		slot = b.spool.Put(kept{Channel: a.channel, Group: example}.encode(), 1, a.at)
	}
	b.mu.Lock()
	defer b.unlock()
	if b.phase != running {
		b.later(slot.Drop)
		return ticket{}
	}
	g := b.find(&a.place)
	switch {
	case g == nil:
		if g = b.open(a.place, example, slot); g == g.lane.other && slot != nil {
			b.keep(g) // as it is called now
		}
	case g.plan.Wants:
		g.renew(example)
		b.keep(g)
	}
	t = b.add(g, a)
	if g.slot != slot {
		b.later(slot.Drop)
		b.keepCount(t)
	}
	return t
}

// knows says whether the alert's group is there.
func (b *batcher) knows(a *alert) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lanes[laneName(a.channel)]
	return l != nil && l.groups[a.id] != nil
}

// keep has what the group shows written down. b.mu is held.
func (b *batcher) keep(g *group) {
	if g.slot != nil {
		shows := g.example.clone()
		b.later(func() { g.slot.Put(kept{Channel: g.lane.channel, Group: shows}.encode()) })
	}
}

// keepCount has it written down that an alert was counted. b.mu is held.
func (b *batcher) keepCount(t ticket) {
	if t.g.slot != nil {
		b.later(func() { t.g.jot(t.n) })
	}
}

// find is the group that stands in a place, or "other alerts" where there is no
// room; nil: open one. A place in a channel too many becomes one in the default
// channel. b.mu is held.
func (b *batcher) find(p *place) *group {
	if b.full(p.channel) {
		*p = placeIn(b.channel, p.print)
	}
	l := b.lanes[laneName(p.channel)]
	if l != nil && l.groups[p.id] != nil {
		return l.groups[p.id]
	}
	if b.room() || l == nil {
		return nil
	}
	return l.other
}

// full says that a channel is one too many. b.mu is held.
func (b *batcher) full(channel string) bool {
	if name := laneName(channel); b.lanes[name] != nil || len(b.lanes) < maxLanes || name == laneName(b.channel) {
		return false
	}
	b.later(func() {
		b.guard.First("slackalert: alerts go to more channels than are kept apart; what is for further ones goes to the default channel",
			"channels", maxLanes, "channel", channel, "default", b.channel, "look_at", "Route, Codes")
	})
	return true
}

// room says whether another group can be remembered, and gives up those for it
// that were quiet so long that their intervals begin anew. b.mu is held.
func (b *batcher) room() bool {
	if b.groups < b.maxGroups {
		return true
	}
	now := time.Now()
	for _, l := range b.lanes {
		for p := l.plan.Spare(now); p != nil; p = l.plan.Spare(now) {
			if b.drop(l, p.Payload); b.groups < b.maxGroups {
				return true
			}
		}
	}
	return false
}

const otherAlerts = "other alerts"

// complete says when an example was, and who counted it.
func (b *batcher) complete(example *Group) {
	if example.At.IsZero() {
		example.At = example.First
	}
	if example.Run != "" {
		return
	}
	example.Run = b.run
	if example.First.IsZero() {
		example.Run += "-" + rand.Text()[:8] // without First nothing else tells this count from an earlier one
	}
}

// open opens a group, or "other alerts" where there is no room. It is kept in
// slot, which has its example; nil: in a new one. b.mu is held.
func (b *batcher) open(at place, example Group, slot *spool.Slot) *group {
	g := &group{lane: b.lane(at.channel), example: example}
	g.plan.Payload, g.plan.Level = g, int(example.Level)
	b.all = append(b.all, g)
	if g.slot = slot; slot == nil {
		g.slot = b.spool.New()
	}
	if b.groups < b.maxGroups {
		b.groups++
		g.id = at.id
		g.lane.groups[at.id] = g
	} else {
		g.lane.other = g
		if example.Fingerprint != otherAlerts { // else it is another process's, whose message says so
			g.example.Fingerprint = otherAlerts
			g.example.Message = fmt.Sprintf("%s (over %d kinds), the first: %s", otherAlerts, b.maxGroups, example.Message)
		}
	}
	if slot == nil {
		b.keep(g)
	}
	return g
}

// renew takes a new example. What names the group, and when it began, stays.
func (g *group) renew(example Group) {
	g.plan.Wants = false
	if g == g.lane.other {
		return
	}
	example.Fingerprint, example.Run, example.First = g.example.Fingerprint, g.example.Run, g.example.First
	g.example = example
	g.lane.plan.Raise(&g.plan, int(example.Level))
}

// add counts one alert. b.mu is held.
func (b *batcher) add(g *group, a *alert) ticket {
	if a.level > g.example.Level && g == g.lane.other {
		g.example.Level = a.level
		g.lane.plan.Raise(&g.plan, int(a.level))
	}
	if g.away {
		g.away = false
		b.names.add(&g.hosts, b.host)
	}
	if g.id != 0 {
		b.book.place(g.id).Store(g)
	}
	n := g.Add(1, a.at, a.user)
	b.news(g, a.urgent)
	return ticket{g, n}
}

// news tells a group's lane of alerts that were counted. b.mu is held.
func (b *batcher) news(g *group, urgent bool) {
	g.reopen()
	l, now := g.lane, time.Now()
	upTo := uint64(0)
	if urgent {
		upTo = g.Count()
	}
	l.plan.News(&g.plan, upTo, now)
	b.nudge(l, now)
}

// forget drops groups that were quiet for long. b.mu is held.
func (b *batcher) forget(l *lane, now time.Time) {
	for range forgetMany {
		p := l.plan.Forget(now)
		if p == nil {
			return
		}
		b.drop(l, p.Payload)
	}
}

// drop forgets a group that rests. Its tally is closed, as it is while a group
// rests: no alert can come in between. b.mu is held.
func (b *batcher) drop(l *lane, g *group) {
	g.slot.Drop()
	if g == l.other {
		l.other = nil
	} else {
		b.book.place(g.id).CompareAndSwap(g, nil)
		delete(l.groups, g.id)
		b.groups--
	}
	if len(l.groups) == 0 {
		l.rouse() // to end
	}
	g.gone, g.example = true, Group{}
	if b.dead++; b.dead > stretch && b.dead > len(b.all)/2 {
		b.sweep()
	}
}

// sweep gives up what was forgotten. b.mu is held.
func (b *batcher) sweep() {
	all := make([]*group, 0, len(b.all)-b.dead)
	for _, g := range b.all {
		if g.gone {
			b.sum.Alerts += g.Count() - g.carried
		} else {
			all = append(all, g)
		}
	}
	b.all, b.dead = all, 0
}

func bySeverity(x, y Group) int {
	return cmp.Or(cmp.Compare(y.Level, x.Level), cmp.Compare(y.Total, x.Total), x.First.Compare(y.First))
}

// show is a group as a post, or else an edit, tells it. batcher.mu is held.
func (g *group) show(it *item, post bool) Group {
	s := g.example
	s.Count, s.Total = int(it.UpTo-it.Before), int(it.UpTo)
	s.Last = s.First
	if last := g.Last(); last.After(s.First) {
		s.Last = last
	}
	s.Users, s.UserSet = g.Users.Count(), g.Users.Bytes()
	s.Quiet, s.Least, s.Interval = it.Quiet, g.least, it.Interval
	s.Hosts, s.Named = max(g.hosts.n, g.named), slices.Clone(g.hosts.first)
	if !post {
		s.Notes, s.called = append(notes(it), g.said...), it.Shows.called
		return s
	}
	if it.Group.Interval() == 0 {
		g.posts = 0
	}
	s.Notes, s.called = append(notes(it), g.notes...), g.posts == 1
	return s
}

// notes are what the plan knows of a group's way into a message.
func notes(it *item) (all []string) {
	if it.Back > 0 {
		all = append(all, "back after "+words.Duration(it.Back))
	}
	if it.Late > 0 {
		all = append(all, "told "+words.Duration(it.Late)+" late: "+it.Why)
	}
	if it.Perhaps {
		all = append(all, "perhaps told before")
	}
	return all
}

// clone shares nothing with g but text.
func (g Group) clone() Group {
	g.Fields = slices.Clone(g.Fields)
	g.Breadcrumbs = slices.Clone(g.Breadcrumbs)
	g.UserSet = slices.Clone(g.UserSet)
	g.Named = slices.Clone(g.Named)
	g.Notes = slices.Clone(g.Notes)
	if g.Source != nil {
		src := *g.Source
		g.Source = &src
	}
	return g
}
