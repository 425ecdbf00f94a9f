// This file folds in what other processes counted and told.

package slackalert

import (
	"cmp"
	"math/big"
	"math/bits"
	"slices"
	"time"

	"example.com/slackalert/internal/fingerprint"
	"example.com/slackalert/internal/pace"
	"example.com/slackalert/internal/sketch"
	"example.com/slackalert/internal/spool"
	"example.com/slackalert/internal/tally"
)

// Merge folds in the counts of another process's batch, into the groups with
// its fingerprints in its channel, as if so many alerts were logged here: they
// count in [Stats], and are told by the same pace. Without a channel it goes
// where an alert with the group's code goes. A group that is new shows the
// batch's example. Users, hosts and notes are merged; a group with a Count of 0
// brings these alone, one below 0 nothing, and one over 2^40 is taken for that.
// Merge keeps nothing of b. It doesn't wait, it doesn't fail, and it may be
// called from many goroutines; once Shutdown has begun it does nothing, and what
// it brought is not counted.
func (h *Handler) Merge(b Batch) {
	for _, g := range b.Groups {
		h.core.batch.merge(h.placeOf(b, g), b.Host, sound(g))
	}
}

// placeOf is the channel of another process's group.
func (h *Handler) placeOf(b Batch, g Group) string {
	if h.core.config.opts.WebhookURL != "" {
		return ""
	}
	return cmp.Or(b.Channel, h.core.config.catalogue()[g.Code].Channel, h.core.config.opts.Channel)
}

// Resume says that b was told then, by a process that is gone: what comes is
// edited into it, and the groups' intervals count from then, which wants to be
// when it was posted, not edited. ref is how the destination knows the message;
// "" = it can't be edited. The Totals of b were told: they count in no [Stats];
// one below 0 is taken for 0, one over 2^40 for that, and a told in the future
// for now. A group that was told here already is left as it is, and so is all
// once Shutdown has begun. Resume keeps nothing of b and doesn't wait. Call it
// before alerts come, for what they did until then is posted.
func (h *Handler) Resume(b Batch, ref string, told time.Time) {
	if len(b.Groups) > 0 {
		h.core.batch.resume(h.placeOf(b, b.Groups[0]), b, ref, told, make([]*spool.Slot, len(b.Groups)))
	}
}

// merge folds in the counts of another process's group. See [Handler.Merge].
func (b *batcher) merge(channel, host string, from Group) {
	b.mu.Lock()
	defer b.unlock()
	if b.phase != running || from.Count < 0 {
		return
	}
	at := placeIn(channel, fingerprint.Parse(from.Fingerprint))
	g := b.find(&at)
	if g == nil {
		g = b.adopt(at, from, "", nil)
	}
	b.mergeFacts(g, host, from)
	if from.Count > 0 {
		g.Add(uint64(from.Count), tally.Nano(from.Last), 0)
		b.news(g, false)
	}
	b.later(func() { g.slot.Inherit(g.Count(), tally.Nano(g.Last())) })
}

const (
	maxClaim = 1 << (18 + 22*bits.UintSize/64) // counted by another process at once, 2^40 or 2^29: no sum of such counts runs over
	maxNotes = 20                              // of a group: more nobody reads
)

// sound is another process's group, as far as it can be true, on its own.
func sound(g Group) Group {
	g = g.clone()
	g.Fingerprint = fingerprint.Own(g.Fingerprint)
	g.Count, g.Total = min(g.Count, maxClaim), min(max(g.Total, 0), maxClaim)
	for _, t := range []*time.Time{&g.First, &g.Last, &g.At} {
		if tally.Nano(*t) == 0 {
			*t = time.Time{} // there is no JSON of a year over 9999
		}
	}
	return g
}

// adopt opens a group with another process's example, counted by run; "" = this
// one. slot is as for open. b.mu is held.
func (b *batcher) adopt(at place, from Group, run string, slot *spool.Slot) *group {
	from.Run = run
	from.Count, from.Total, from.Users, from.UserSet, from.Quiet = 0, 0, 0, nil, false
	from.Hosts, from.Named, from.Least, from.Notes, from.Interval = 0, nil, false, nil, 0
	b.complete(&from)
	g := b.open(at, from, slot)
	g.away = true
	return g
}

// mergeFacts adds what another process knows of a group. b.mu is held.
func (b *batcher) mergeFacts(g *group, host string, from Group) {
	if users, err := sketch.Parse(from.UserSet); err == nil { // else it is of a newer format
		g.Users.Merge(users)
	}
	if !g.away && g.hosts.n == 0 {
		b.names.add(&g.hosts, b.host) // what was counted so far was counted here
	}
	if from.Hosts <= 1 && len(from.Named) == 0 {
		from.Named = []string{host}
	}
	for _, name := range from.Named {
		b.names.add(&g.hosts, name)
	}
	g.named = max(g.named, from.Hosts)
	g.least = g.least || from.Least
	for _, n := range from.Notes {
		g.note(n)
	}
	if !from.First.IsZero() && from.First.Before(g.example.First) {
		g.example.First = from.First
	}
	if from.Level > g.example.Level && g == g.lane.other {
		g.example.Level = from.Level
		g.lane.plan.Raise(&g.plan, int(from.Level))
	}
}

const (
	maxNames = 1 << 16 // hosts that are told apart; the others aren't counted
	named    = 5       // hosts that a set can say
)

// hostNames numbers hosts, so that sets of them are small: a leader has many
// groups of many hosts.
type hostNames map[string]int

// hostSet is a set of hosts. The zero value is empty.
type hostSet struct {
	bits  big.Int // one for each host's number
	n     int
	first []string // up to five of them, in the order they came
}

// add puts a host into a set; "" is none.
func (names hostNames) add(s *hostSet, host string) {
	id, known := names[host]
	if !known {
		if host == "" || len(names) >= maxNames {
			return
		}
		id = len(names)
		names[host] = id
	}
	if s.bits.Bit(id) == 1 {
		return
	}
	s.bits.SetBit(&s.bits, id, 1)
	if s.n++; s.n <= named {
		s.first = append(s.first, host)
	}
}

// note has something said of a group in its next message. batcher.mu is held.
func (g *group) note(text string) {
	if len(g.notes) < maxNotes && !slices.Contains(g.notes, text) {
		g.notes = append(g.notes, text)
	}
}

// resume takes over a message of another process. slots has the slot of each
// group; nil = it is kept nowhere yet. See [Handler.Resume].
func (b *batcher) resume(channel string, from Batch, ref string, at time.Time, slots []*spool.Slot) {
	b.mu.Lock()
	defer b.unlock()
	if b.phase != running || b.full(channel) {
		return
	}
	l, now := b.lane(channel), time.Now()
	m := &pace.Message[*group, Group]{ID: from.ID, Ref: ref}
	for i, shown := range from.Groups {
		shown = sound(shown)
		place := placeIn(channel, fingerprint.Parse(shown.Fingerprint))
		g := l.groups[place.id]
		if g == nil && b.groups >= b.maxGroups {
			m.Ref = "" // "other alerts" can't stand for it in its message
			continue
		}
		if g == nil {
			g = b.adopt(place, shown, shown.Run, slots[i])
		}
		b.mergeFacts(g, from.Host, shown)
		m.Items = append(m.Items, item{
			Group: &g.plan, UpTo: uint64(shown.Total), Before: uint64(max(shown.Total-max(shown.Count, 0), 0)),
			Shows: shown, Interval: shown.Interval, Last: shown.Last,
		})
	}
	if at.After(now) {
		at = now // a clock that was ahead silences nobody
	}
	l.plan.Resume(m, at, now)
	for i := range m.Items {
		if it := &m.Items[i]; !it.Frozen {
			g := it.Group.Payload
			g.Add(it.UpTo, tally.Nano(it.Shows.Last), 0)
			g.carried += it.UpTo
			g.said, g.notes, g.posts = g.notes, nil, 1
			if it.Shows.called = it.Interval == 2*b.rules.Repeat; it.Interval > b.rules.Repeat {
				g.posts = 2
			}
			b.later(markOf(it, len(from.Groups), from.ID, m.Ref, at))
		}
	}
	b.nudge(l, now)
}
