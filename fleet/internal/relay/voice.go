// This file is the leader's Sender: it claims, posts and notes.

package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/fold"
	"example.com/slackalert/fleet/internal/ledger"
	"example.com/slackalert/fleet/internal/store"
)

const (
	noRef       = "-" // stands for Slack's name of a message where it has none, as from a webhook
	findTries   = 5
	findWait    = 200 * time.Millisecond // doubled from try to try, or what Slack says
	findWaitMax = 10 * time.Second
	noteWait    = 100 * time.Millisecond // between two attempts to note
	noteLimit   = 5 * time.Second        // for all of them
	claimLimit  = 5 * time.Second
)

// voice keeps what is told, in step with the ledger.
type voice struct {
	l      *leader
	closed atomic.Bool  // base hears of nothing any more
	flying sync.RWMutex // read-locked by attempts under way, locked at the end of the term

	mu      sync.Mutex
	entries map[string]*ledger.Entry // by batch; what is under way is its attempt's alone
	told    map[fold.Name]int64
	newest  map[fold.Name]string // the batch that told of it last
	doubts  []*ledger.Entry      // claims of dead leaders that nobody can settle: kept until their groups are told again
}

func newVoice(l *leader) *voice {
	return &voice{l: l, entries: make(map[string]*ledger.Entry), told: make(map[fold.Name]int64), newest: make(map[fold.Name]string)}
}

// sender is the voice as a Sender: one that can edit, or one that can't.
func (v *voice) sender() slackalert.Sender {
	if v.l.CanEdit {
		return v
	}
	return struct{ slackalert.Sender }{v}
}

// refusal is the error of a batch that surely didn't go out.
type refusal struct{ err error }

func (e *refusal) Error() string     { return "slackalert/fleet: " + e.err.Error() }
func (e *refusal) Unwrap() error     { return e.err }
func (e *refusal) Unreachable() bool { return true }

var errSteppedDown = errors.New("this relay stepped down; another goes on")

// begin lets an attempt begin, unless the term is over. flying.RUnlock must
// follow.
func (v *voice) begin() error {
	if !v.l.lease.Fresh() || !v.flying.TryRLock() {
		return &refusal{errSteppedDown}
	}
	return nil
}

// close lets nothing begin any more, and waits for what is under way: a post
// whose answer is heard needn't be looked for.
func (v *voice) close(limit time.Duration) {
	v.closed.Store(true)
	done := make(chan struct{})
	go func() { v.flying.Lock(); close(done) }()
	select {
	case <-done:
	case <-time.After(limit):
	}
}

// Send claims the batch, posts it, and notes what Slack calls it. A batch that
// was sent before, with an outcome nobody knows, is looked for first.
func (v *voice) Send(ctx context.Context, b slackalert.Batch) error {
	if err := v.begin(); err != nil {
		return err
	}
	defer v.flying.RUnlock()
	v.mu.Lock()
	e := v.entries[b.ID]
	v.mu.Unlock()
	before := e != nil
	if before {
		if found, err := v.look(ctx, e); found || err != nil {
			return err
		}
	} else {
		e = v.entry(b)
		if err := v.claim(ctx, e); err != nil {
			return err
		}
	}
	within, cancel := v.l.lease.Within(ctx)
	defer cancel()
	ref, err := v.l.Slack.Post(within, v.dressed(b))
	if err != nil {
		if !before && !unknown(err) {
			v.unclaim(e)
		}
		return err
	}
	if ref == "" {
		ref = noRef
	}
	v.settle(e, ref, b)
	return nil
}

// Update edits the message that the batch became, and notes what it tells now.
func (v *voice) Update(ctx context.Context, b slackalert.Batch) error {
	if err := v.begin(); err != nil {
		return err
	}
	defer v.flying.RUnlock()
	v.mu.Lock()
	e := v.entries[b.ID]
	v.mu.Unlock()
	if e == nil || len(e.Batch.Groups) != len(b.Groups) {
		return &gone{fmt.Errorf("slackalert/fleet: no message of %d groups is known as %s", len(b.Groups), b.ID)}
	}
	within, cancel := v.l.lease.Within(ctx)
	defer cancel()
	if err := v.l.Slack.Edit(within, e.Ref, v.dressed(b)); err != nil {
		return err
	}
	v.settle(e, e.Ref, b)
	return nil
}

// gone is the error of an edit of a message that isn't there: it is posted anew.
type gone struct{ error }

func (*gone) Gone() bool { return true }

// entry is a claim on a batch.
func (v *voice) entry(b slackalert.Batch) *ledger.Entry {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := &ledger.Entry{At: time.Now().UTC(), Batch: b, Before: make([]int64, len(b.Groups))}
	for i := range b.Groups {
		e.Before[i] = v.told[name(&b, i)]
	}
	return e
}

func name(b *slackalert.Batch, i int) fold.Name {
	return fold.Name{Channel: b.Channel, Fingerprint: b.Groups[i].Fingerprint}
}

// claim writes the claim, and asks for the lease afterwards: see the ledger.
func (v *voice) claim(ctx context.Context, e *ledger.Entry) error {
	if !v.l.JS.Conn().IsConnected() { // it would wait in the connection's buffer, and be written too late
		return &refusal{store.ErrAway}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, claimLimit, errors.New("NATS didn't answer in time"))
	defer cancel()
	if err := v.l.book.Claim(ctx, e); err != nil {
		return &refusal{err}
	}
	if !v.l.lease.Fresh() {
		return &refusal{errSteppedDown}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.entries[e.Batch.ID] = e
	return nil
}

// unclaim takes a claim back: Slack surely hasn't the message.
func (v *voice) unclaim(e *ledger.Entry) {
	v.mu.Lock()
	delete(v.entries, e.Batch.ID)
	v.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), claimLimit)
	defer cancel()
	_ = v.l.book.Drop(ctx, e.Batch.ID) // a claim that stays makes the next leader look for a message in vain
}

// unknown says whether an attempt may have arrived.
func unknown(err error) bool {
	var u interface{ Unknown() bool }
	return !errors.As(err, &u) || u.Unknown()
}

// noHistory says whether the channel can't be looked into at all.
func noHistory(err error) bool {
	var n interface{ NoHistory() bool }
	return errors.As(err, &n) && n.NoHistory()
}

// mend says whether a person must do something first.
func mend(err error) bool {
	var m interface{ Mend() string }
	return errors.As(err, &m) && m.Mend() != ""
}

// look looks for a claimed batch in its channel, and settles it if it is there.
func (v *voice) look(ctx context.Context, e *ledger.Entry) (found bool, err error) {
	if e.Ref == "" {
		ref, err := v.l.Slack.Find(ctx, v.dressed(e.Batch))
		if noHistory(err) || err == nil && ref == "" {
			return false, nil
		}
		if err != nil {
			return false, err // still unknown: it is asked again
		}
		e.Ref = ref
	}
	v.settle(e, e.Ref, e.Batch)
	return true, nil
}

// settle notes that a batch is told. Where that can't be done, the term ends: the
// next reads what there is, and this relay remembers, should it lead again.
func (v *voice) settle(e *ledger.Entry, ref string, b slackalert.Batch) {
	next := *e
	next.Ref, next.At, next.Batch = ref, time.Now().UTC(), b
	next.Posted = cmp.Or(e.Posted, e.At)
	ctx, cancel := context.WithTimeout(context.Background(), noteLimit)
	defer cancel()
	ctx, done := v.l.lease.Within(ctx)
	defer done()
	err := v.l.book.Note(ctx, &next)
	for err != nil && ctx.Err() == nil && !errors.Is(err, ledger.ErrTaken) {
		time.Sleep(noteWait)
		err = v.l.book.Note(ctx, &next)
	}
	if err != nil {
		v.l.remember(b.ID, ref)
		v.l.end(err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keep(&next)
}

// keep makes an entry what is told. v.mu is held.
func (v *voice) keep(e *ledger.Entry) {
	v.entries[e.Batch.ID] = e
	for i := range e.Batch.Groups {
		n := name(&e.Batch, i)
		if upTo := e.UpTo(i); upTo >= v.told[n] {
			v.told[n], v.newest[n] = upTo, e.Batch.ID
		}
	}
}

// remember keeps Slack's name of a message for the next time this relay leads.
func (r *Relay) remember(id, ref string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known) < 1000 {
		r.known[id] = ref
	}
}

func (r *Relay) recall(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[id]
}

// adopt takes over the entries of earlier leaders. unsure are the groups that
// one of them may have told, and nobody can say.
func (v *voice) adopt(ctx context.Context, entries []*ledger.Entry) (unsure []fold.Name, err error) {
	var claims []*ledger.Entry
	for _, e := range entries {
		if e.Ref == "" {
			claims = append(claims, e)
		} else {
			v.keep(e)
		}
	}
	for _, e := range claims {
		names, err := v.clear(ctx, e)
		if err != nil {
			return nil, err
		}
		unsure = append(unsure, names...)
	}
	for _, e := range v.entries {
		for i := range e.Batch.Groups {
			v.l.fold.Told(name(&e.Batch, i), e.UpTo(i), e.At)
		}
	}
	return unsure, nil
}

// clear settles a claim that an earlier leader left: told, not told, or unsure.
func (v *voice) clear(ctx context.Context, e *ledger.Entry) (unsure []fold.Name, err error) {
	since := true // another message has told all of it
	for i := range e.Batch.Groups {
		since = since && v.told[name(&e.Batch, i)] >= e.UpTo(i)
	}
	if since {
		return nil, v.l.book.Drop(ctx, e.Batch.ID)
	}
	ref, sure := v.l.recall(e.Batch.ID), true
	if ref == "" {
		ref, sure = v.find(ctx, e)
	}
	if ref != "" {
		next := *e
		next.Ref = ref
		if err := v.l.book.Note(ctx, &next); err != nil {
			return nil, err
		}
		v.keep(&next)
		return nil, nil
	}
	if sure {
		return nil, v.l.book.Drop(ctx, e.Batch.ID)
	}
	v.doubts = append(v.doubts, e)
	for i := range e.Batch.Groups {
		unsure = append(unsure, name(&e.Batch, i))
	}
	return unsure, nil
}

// find looks for a claim's message. sure: the answer is one.
func (v *voice) find(ctx context.Context, e *ledger.Entry) (ref string, sure bool) {
	wait := findWait
	for try := 1; ; try++ {
		ref, err := v.l.Slack.Find(ctx, v.dressed(e.Batch))
		if err == nil {
			return ref, true
		}
		if noHistory(err) || mend(err) || try == findTries {
			v.l.say(slog.LevelWarn, "slackalert fleet: whether an earlier relay told a batch isn't known, it is told again", "batch", e.Batch.ID, "channel", e.Batch.Channel, "error", err.Error())
			return "", false
		}
		var r interface{ RetryAfter() time.Duration }
		if errors.As(err, &r) {
			wait = min(max(wait, r.RetryAfter()), findWaitMax)
		}
		select {
		case <-ctx.Done():
			return "", false
		case <-time.After(wait):
		}
		wait *= 2
	}
}

// newestFirst are the messages that may be edited: what is told of a group stands
// in the newest that has it.
func (v *voice) newestFirst() []*ledger.Entry {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := slices.Collect(maps.Values(v.entries))
	slices.SortFunc(all, func(a, b *ledger.Entry) int { return cmp.Compare(b.Order, a.Order) })
	return all
}

// forget drops groups, and returns the batches that nobody needs any more.
func (v *voice) forget(groups []fold.Name) (over []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, n := range groups {
		delete(v.told, n)
		delete(v.newest, n)
	}
	for id, e := range v.entries {
		if e.Ref == "" {
			continue
		}
		needed := false
		for i := range e.Batch.Groups {
			needed = needed || v.newest[name(&e.Batch, i)] == id
		}
		if !needed {
			delete(v.entries, id)
			over = append(over, id)
		}
	}
	v.doubts = slices.DeleteFunc(v.doubts, func(e *ledger.Entry) bool {
		for i := range e.Batch.Groups {
			if n := name(&e.Batch, i); v.told[n] < e.UpTo(i) && v.l.knows(n) {
				return false
			}
		}
		over = append(over, e.Batch.ID)
		return true
	})
	return over
}

// dressed is a batch as people read it: from the services and hosts that
// counted it, in the channel that it is for.
func (v *voice) dressed(b slackalert.Batch) slackalert.Batch {
	v.l.mu.Lock()
	defer v.l.mu.Unlock()
	var services, hosts []string
	b.Groups = slices.Clone(b.Groups)
	for i := range b.Groups {
		n := name(&b, i)
		services = union(services, v.l.fold.Services(n))
		if named, all := v.l.fold.Hosts(n); all > 0 { // by name; the handler knows them as they came
			b.Groups[i].Hosts, b.Groups[i].Named = all, slices.Clone(named)
			hosts = union(hosts, named)
		}
	}
	b.Service = cmp.Or(list(services), b.Service)
	b.Host = list(hosts)
	b.Channel = cmp.Or(b.Channel, v.l.Options.Channel)
	return b
}

func union(all, more []string) []string {
	for _, s := range more {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// list names up to three.
func list(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// muted is base until the term is over: what its handler says then, of alerts
// that are lost, isn't so.
func muted(base slog.Handler, v *voice) slog.Handler { return &mute{base, v} }

type mute struct {
	slog.Handler
	v *voice
}

func (m *mute) Handle(ctx context.Context, r slog.Record) error {
	if m.v.closed.Load() || !m.v.l.lease.Fresh() {
		return nil
	}
	return m.Handler.Handle(ctx, r)
}
