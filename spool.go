// This file keeps groups where they outlive the process, and takes up what another left.

package slackalert

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/cite"
	"example.com/slackalert/internal/crash"
	"example.com/slackalert/internal/fingerprint"
	"example.com/slackalert/internal/owned"
	"example.com/slackalert/internal/redact"
	"example.com/slackalert/internal/spool"
	"example.com/slackalert/internal/tally"
	"example.com/slackalert/internal/unhandled"
)

// kept is a group as a slot's data.
type kept struct {
	Channel string       `json:"channel"`
	Group   Group        `json:"group"`
	From    *owned.Owner `json:"from,omitempty"` // who left it; nil = the owner of its file
}

// encode is a group as its slot has room for, and says what there was none for.
func (k kept) encode() []byte {
	g := k.Group
	data, _ := json.Marshal(k) // texts and numbers
	out := ""
	for _, less := range []struct {
		what  string
		clear func()
	}{
		{"breadcrumbs", func() { k.Group.Breadcrumbs = nil }},
		{"stack", func() { k.Group.Stack = "" }},
		{"fields", func() { k.Group.Fields = nil }},
		{"the end of the message", func() {
			k.Group.Message, k.Group.Error, k.Group.Code = capture.Cut(g.Message, 800), capture.Cut(g.Error, 800), capture.Cut(g.Code, 200)
			if s := g.Source; s != nil {
				k.Group.Source = &slog.Source{Function: capture.Cut(s.Function, 300), File: capture.Cut(s.File, 300), Line: s.Line}
			}
		}}, // what is as short as this always fits
	} {
		if len(data) <= spool.Room {
			break
		}
		less.clear()
		out += ", " + less.what
		k.Group.Notes = append(slices.Clone(g.Notes), "too long to be kept: "+out[2:])
		data, _ = json.Marshal(k)
	}
	return data
}

// openSpool opens what the options want kept, and takes up what others left.
func (h *Handler) openSpool() error {
	o, b := &h.core.config.opts, h.core.batch
	if o.SpoolDir == "" || h.core.config.nowhere {
		return nil
	}
	if dir, err := filepath.Abs(o.SpoolDir); err == nil {
		o.SpoolDir = dir // it stays there, wherever the program goes
	}
	me := owned.Owner{Service: b.service, Host: b.host, PID: os.Getpid(), Start: time.Now().UTC(), Run: b.run, Build: build(), Raw: o.NoRedact}
	st, err := spool.Open(o.SpoolDir, me, b.guard.Tell)
	if err != nil {
		return fmt.Errorf("SpoolDir is %q, which can't be used: %w; want a folder that this process may write to", o.SpoolDir, err)
	}
	if o.CatchCrash {
		if h.core.crash, err = crash.Catch(o.SpoolDir, me); err != nil { // such as a full disk
			b.guard.Tell("slackalert: what ends this process can't be written down, the next start won't tell it", "dir", o.SpoolDir, "error", err.Error())
		}
	}
	b.spool = st
	st.Adopt(h.inherit)
	h.core.crashes = crash.NewWatch(o.SpoolDir, b.service, h.core.crash, h.crashed, b.guard.Tell)
	return nil
}

// build names what the program was built from; "" = nobody knows.
func build() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	t := cite.Build()
	if t.Revision == "" {
		return strings.TrimPrefix(info.Main.Version, "(devel)")
	}
	t.Revision = t.Revision[:min(len(t.Revision), 7)]
	if t.Modified {
		t.Revision += "+"
	}
	return t.Revision
}

// earlierRun is what is said of what a process left.
func earlierRun(o owned.Owner) string {
	var from []string
	if o.Host != "" {
		from = append(from, "host "+o.Host)
	}
	if o.Build != "" {
		from = append(from, "build "+o.Build)
	}
	return strings.TrimSuffix("of an earlier run: "+strings.Join(from, ", "), ": ")
}

// legacy is one group that a process left.
type legacy struct {
	kept
	spool.Record
}

// of says which count it is. Two of one were written twice: their process was
// killed while it changed the example, or took it over.
func (x legacy) of() [4]string {
	return [4]string{x.Channel, x.Group.Fingerprint, x.Group.Run, x.Group.First.UTC().String()}
}

// inherit takes up what processes left: their messages are resumed, then what is
// untold is counted into their groups, or into new ones.
func (h *Handler) inherit(left []spool.Left) {
	var all []legacy
	at := map[[4]string]int{}
	for _, l := range left {
		for _, r := range l.Records {
			x, err := h.decode(l.Owner, r)
			i, again := at[x.of()]
			switch {
			case err != nil:
				h.core.batch.guard.Tell("slackalert: a group of an earlier run can't be read", "host", l.Owner.Host, "error", err.Error())
				r.Slot.Drop()
			case !again:
				at[x.of()] = len(all)
				all = append(all, x)
			case cmp.Or(cmp.Compare(all[i].Alerts, x.Alerts), cmp.Compare(all[i].Told.Alerts, x.Told.Alerts)) < 0:
				all[i].Slot.Drop()
				all[i] = x
			default:
				x.Slot.Drop()
			}
		}
	}
	for _, m := range messagesOf(all) {
		h.core.batch.resumeLegacy(m)
	}
	for _, x := range all {
		h.core.batch.inherit(x)
	}
	for _, x := range all {
		x.Slot.Move(x.encode())
	}
}

func (h *Handler) decode(from owned.Owner, r spool.Record) (legacy, error) {
	x := legacy{Record: r}
	if err := json.Unmarshal(r.Data, &x.kept); err != nil {
		return x, err
	}
	if x.From == nil {
		from.Service = "" // this one's, and perhaps too long
		x.From = &from
	}
	x.Channel = h.placeOf(Batch{Channel: x.Channel}, x.Group)
	if x.From.Raw && !h.core.config.opts.NoRedact {
		hide(&x.Group)
		x.From.Raw = false
	}
	if x.Group.Hosts <= 1 && len(x.Group.Named) == 0 {
		x.Group.Named = []string{x.From.Host}
	}
	return x, nil
}

// hide redacts what another process left in.
func hide(g *Group) {
	for _, s := range []*string{&g.Code, &g.Message, &g.Error, &g.Stack} {
		*s = hideIn(*s)
	}
	for i, f := range g.Fields {
		f.Value = hideIn(f.Value)
		if groups := strings.Split(f.Key, "."); redact.Key(f.Key) || slices.ContainsFunc(groups, redact.Key) {
			f.Value = redact.Mark
		}
		f.Key = redact.Text(f.Key)
		g.Fields[i] = f
	}
	for i, crumb := range g.Breadcrumbs {
		g.Breadcrumbs[i] = hideIn(crumb)
	}
}

// hideIn redacts a text. Where it was cut its end may be half of a secret, which
// nothing gives away.
func hideIn(s string) string {
	s = redact.Text(s)
	if i := strings.LastIndex(s, "… ("); i >= 0 && (strings.HasSuffix(s, " bytes)") || strings.HasSuffix(s, " (more)")) {
		s = strings.ToValidUTF8(s[:max(0, i-256)], "") + s[i:]
	}
	return s
}

// messagesOf puts together what stands in one message.
func messagesOf(all []legacy) (messages [][]legacy) {
	at := map[string]int{}
	for _, x := range all {
		if x.Told.Posted == 0 {
			continue
		}
		key := fmt.Sprint(x.Told.Posted, x.Told.ID, x.Told.Ref, x.Channel)
		if _, ok := at[key]; !ok {
			at[key] = len(messages)
			messages = append(messages, nil)
		}
		messages[at[key]] = append(messages[at[key]], x)
	}
	return messages
}

// resumeLegacy resumes one message. It is edited only if all that stands in it
// is known: what isn't would be gone.
func (b *batcher) resumeLegacy(groups []legacy) {
	x := groups[0]
	batch := Batch{ID: x.Told.ID, Channel: x.Channel, Service: b.service, Host: x.From.Host}
	ref := x.Told.Ref
	if len(groups) != x.Told.Groups {
		ref = ""
	}
	var slots []*spool.Slot
	for _, x := range groups {
		g := x.Group
		g.Total, g.Count = int(x.Told.Alerts), int(x.Told.Alerts-x.Told.Before)
		g.Interval, g.Last = x.Told.Interval, g.First
		if x.Last != 0 {
			g.Last = time.Unix(0, x.Last).UTC()
		}
		batch.Groups = append(batch.Groups, g)
		slots = append(slots, x.Slot)
	}
	b.resume(batch.Channel, batch, ref, time.Unix(0, x.Told.Posted), slots)
}

// inherit counts what a process left untold of a group. Its slot stays the
// group's, or is dropped once it is written down elsewhere. When Shutdown has
// begun it is left to the next process.
func (b *batcher) inherit(x legacy) {
	g, untold := b.inheritCount(x)
	switch {
	case g != nil && g.slot != x.Slot:
		g.slot.Inherit(g.Count(), tally.Nano(g.Last()))
		x.Slot.Drop()
	case g == nil && untold == 0:
		x.Slot.Drop()
	}
}

// inheritCount returns the group that the slot's alerts are in, nil where none
// is, and how many of them are untold.
func (b *batcher) inheritCount(x legacy) (g *group, untold uint64) {
	b.mu.Lock()
	defer b.unlock()
	untold = x.Alerts - min(x.Alerts, x.Told.Alerts)
	if b.phase != running {
		return nil, max(untold, 1)
	}
	at := placeIn(x.Channel, fingerprint.Parse(x.Group.Fingerprint))
	g = b.find(&at)
	switch {
	case untold == 0:
		return g, 0
	case g == nil:
		g = b.adopt(at, x.Group, x.Group.Run, x.Slot)
	case g.slot != x.Slot && g.example.Fingerprint == x.Group.Fingerprint && // not both "other alerts" here
		g.example.Run == x.Group.Run && g.example.First.Equal(x.Group.First):
		untold = x.Alerts - min(x.Alerts, g.Count()) // the same count, written twice
	}
	facts := x.Group
	facts.Least = facts.Least || x.Least
	facts.Notes = append(facts.Notes, earlierRun(*x.From))
	b.mergeFacts(g, x.From.Host, facts)
	g.Add(untold, x.Last, 0)
	b.news(g, false)
	return g, untold
}

// crashed alerts what ended another process. It is on disk when that returns.
func (h *Handler) crashed(r crash.Report) {
	c := capture.Alert{Settings: h.core.config.settings()}
	message, _, more := strings.Cut(r.Cause, "\n")
	g := Group{Level: unhandled.PanicLevel, Message: c.Text(message), Stack: c.Text(r.Stack), First: r.At, Source: r.Source}
	if more {
		g.Error = c.Text(r.Cause)
	}
	print := fingerprint.New()
	if r.Source != nil {
		print = print.String(r.Source.Function).Uint(uint64(r.Source.Line))
	}
	print = print.Text(message)
	g.Fingerprint = print.Hex()
	a := alert{place: placeIn(h.core.config.opts.Channel, print), at: tally.Nano(r.At), level: g.Level}
	t, wants := h.core.batch.count(&a)
	if wants {
		t = h.core.batch.begin(&a, g)
	}
	h.core.batch.note(t, earlierRun(r.Owner))
}

// note has something said of a group in its next message.
func (b *batcher) note(t ticket, text string) {
	if t.g == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t.g.note(text)
}

// marks write down what an attempt has told, once batcher.mu, which is held, is
// free.
func (b *batcher) marks(f *flight, ref string, now time.Time) (all []func()) {
	if b.spool == nil {
		return nil
	}
	for i := range f.Items {
		if it := &f.Items[i]; !it.Frozen {
			all = append(all, markOf(it, len(f.Items), f.ID, ref, now))
		}
	}
	return all
}

// markOf writes down what is known of a group that stands in a message.
func markOf(it *item, groups int, id, ref string, now time.Time) func() {
	g := it.Group.Payload
	posted := g.plan.Posted()
	if posted.IsZero() {
		posted = now
	}
	told := spool.Told{Alerts: it.UpTo, Before: it.Before, Posted: posted.UnixNano(), Interval: g.plan.Interval(), Groups: groups, ID: id, Ref: ref}
	return func() { g.slot.Told(told) }
}

// leave writes down what Shutdown couldn't tell, forgets what nobody needs to
// know any more, and says how many untold alerts are kept. What was told within
// its interval stays: the next process edits its message, or waits. b.mu is
// held.
func (b *batcher) leave(now time.Time) (left amount) {
	for _, g := range b.all {
		switch n, told := g.Count(), g.plan.Told(); {
		case n > told:
			g.slot.Count(n, tally.Nano(g.Last()), true)
			if g.slot.Kept() {
				left = amount{left.alerts + n - told, left.groups + 1}
			}
		case !g.gone && !now.Before(g.plan.Posted().Add(g.plan.Interval())):
			g.slot.Drop()
		}
	}
	return left
}
