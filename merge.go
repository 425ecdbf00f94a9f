// This file folds in what other processes counted and told.

package slackalert

import (
	"cmp"
	"slices"
	"time"

	"example.com/slackalert/internal/fingerprint"
	"example.com/slackalert/internal/pace"
	"example.com/slackalert/internal/tally"
)

// Merge folds in the counts of another process's batch, into the groups with
// its fingerprints in its channel, as if so many alerts were logged here: they
// count in [Stats], and are told by the same pace. Without a channel it goes
// where an alert with the group's code goes. A group that is new shows the
// batch's example. Users, hosts and notes are merged; a group with a Count of 0
// brings these alone. Merge keeps nothing of b. It doesn't wait, it doesn't
// fail, and it may be called from many goroutines; once Shutdown has begun it
// does nothing, and what it brought is not counted.
func (h *Handler) Merge(b Batch) {
	for _, g := range b.Groups {
		h.core.batch.merge(h.placeOf(b, g), b.Host, g.clone())
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
// edited into it, and the groups' intervals count from then. ref is how the
// destination knows the message; "" = it can't be edited. The Totals of b were
// told: they count in no [Stats]. A group that was told here already is left as
// it is, and so is all once Shutdown has begun. Resume keeps nothing of b and
// doesn't wait. Call it before alerts come, for what they did until then is
// posted.
func (h *Handler) Resume(b Batch, ref string, told time.Time) {
	if len(b.Groups) > 0 {
		h.core.batch.resume(h.placeOf(b, b.Groups[0]), b, ref, told)
	}
}

// merge folds in the counts of another process's group. See [Handler.Merge].
func (b *batcher) merge(channel, host string, from Group) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.phase != running || from.Count < 0 {
		return
	}
	id := fingerprint.Parse(from.Fingerprint).In(laneName(channel))
	g := b.find(channel, id)
	if g == nil {
		g = b.adopt(b.lane(channel), id, from, "")
	}
	b.mergeFacts(g, host, from)
	if from.Count > 0 {
		g.Add(uint64(from.Count), tally.Nano(from.Last), 0)
		b.news(g, false)
	}
}

// adopt opens a group with another process's example, counted by run; "" = this
// one. b.mu is held.
func (b *batcher) adopt(l *lane, id uint64, from Group, run string) *group {
	from.Run = run
	from.Count, from.Total, from.Users, from.UserSet, from.Quiet = 0, 0, 0, nil, false
	from.Hosts, from.Named, from.Least, from.Notes = 0, nil, false, nil
	return b.open(l, id, from)
}

// mergeFacts adds what another process knows of a group. b.mu is held.
func (b *batcher) mergeFacts(g *group, host string, from Group) {
	g.MergeUsers(from.UserSet)
	if g.Count() > 0 && g.hosts.Len() == 0 {
		g.hosts.Add(&b.names, b.host) // what was counted so far was counted here
	}
	if from.Hosts <= 1 && len(from.Named) == 0 {
		from.Named = []string{host}
	}
	for _, name := range from.Named {
		g.hosts.Add(&b.names, name)
	}
	g.named = max(g.named, from.Hosts)
	g.least = g.least || from.Least
	for _, n := range from.Notes {
		if !slices.Contains(g.notes, n) {
			g.notes = append(g.notes, n)
		}
	}
	if !from.First.IsZero() && from.First.Before(g.example.First) {
		g.example.First = from.First
	}
	if from.Level > g.example.Level && g == g.lane.other {
		g.example.Level = from.Level
		g.lane.plan.Raise(&g.plan, int(from.Level))
	}
}

// resume takes over a message of another process. See [Handler.Resume].
func (b *batcher) resume(channel string, from Batch, ref string, told time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.phase != running {
		return
	}
	l, now := b.lane(channel), time.Now()
	m := &pace.Message[*group, Group]{ID: from.ID, Ref: ref}
	for _, shown := range from.Groups {
		shown = shown.clone()
		id := fingerprint.Parse(shown.Fingerprint).In(laneName(channel))
		g := l.groups[id]
		if g == nil && b.groups >= b.maxGroups {
			continue // "other alerts" can't stand for it in its message
		}
		if g == nil {
			g = b.adopt(l, id, shown, shown.Run)
		}
		b.mergeFacts(g, from.Host, shown)
		m.Items = append(m.Items, item{Group: &g.plan, UpTo: uint64(shown.Total), Before: uint64(max(shown.Total-shown.Count, 0)), Shows: shown})
	}
	l.plan.Resume(m, told, now)
	for i := range m.Items {
		if it := &m.Items[i]; !it.Frozen {
			g := it.Group.Payload
			g.Add(it.UpTo, tally.Nano(it.Shows.Last), 0)
			g.carried += it.UpTo
			g.said, g.notes = g.notes, nil
		}
	}
	b.nudge(l, l.plan.Next(now), now)
}
