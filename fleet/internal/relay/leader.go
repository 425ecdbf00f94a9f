// This file is one term of a leader: it reads what is told and what is counted,
// and from then on tells the difference.

package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/fold"
	"example.com/slackalert/fleet/internal/lease"
	"example.com/slackalert/fleet/internal/ledger"
	"example.com/slackalert/fleet/internal/store"
	"example.com/slackalert/fleet/internal/value"
)

const (
	company    = 50 * time.Millisecond // how long a difference waits for others
	sweepEvery = time.Minute
	maxRefresh = 2000 // values stored anew in one sweep
	stepDown   = 2 * time.Second
	maxGroups  = 1_000_000 // the bound on kinds is the processes'
)

// storedAnew marks a value that a leader stored again, so that it doesn't expire
// before its group: it has the time when it was published.
const storedAnew = "Slackalert-Published"

// leader is one term.
type leader struct {
	*Relay
	store *store.Store
	lease *lease.Lease
	began time.Time
	book  *ledger.Ledger
	voice *voice
	h     Handler
	end   context.CancelCauseFunc // ends the term
	grown chan struct{}           // capacity 1: the reader says that a count has grown
	over  []string                // entries for the first sweep to drop

	mu   sync.Mutex
	fold *fold.Fold
	seq  uint64 // of the last value that was read
}

// run leads until ctx ends, the lease is lost, or something fails.
func (l *leader) run(ctx context.Context) error {
	ctx, l.end = context.WithCancelCause(ctx)
	keep, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	all.Go(func() { l.end(l.lease.Keep(keep)) }) // nil only when stopped
	within, cancel := l.lease.Within(ctx)
	defer cancel()
	l.Fence.lease.Store(l.lease)
	err := l.lead(within, &all)
	if within.Err() != nil { // whatever failed, failed of that
		err = context.Cause(within)
	}
	l.end(nil)
	l.stop()
	stopKeeping()
	all.Wait()
	l.Fence.lease.Store(nil)
	release, cancelRelease := context.WithTimeout(context.WithoutCancel(ctx), stepDown)
	defer cancelRelease()
	if rerr := l.lease.Release(release); rerr == nil {
		l.say(slog.LevelInfo, "slackalert fleet: stepped down")
	}
	return err
}

// lead takes over and then reads until ctx ends. all has what goes on meanwhile.
func (l *leader) lead(ctx context.Context, all *sync.WaitGroup) error {
	l.fold = fold.New()
	l.grown = make(chan struct{}, 1)
	book, entries, bad, err := ledger.Open(ctx, l.JS, l.store.Told, l.lease.Epoch)
	if err != nil {
		return err
	}
	for _, err := range bad {
		l.sayOnce("entry", "slackalert fleet: an entry of what is told can't be read, it is left alone", "error", err.Error())
	}
	l.book = book
	l.voice = newVoice(l)
	unsure, err := l.voice.adopt(ctx, entries)
	if err != nil {
		return err
	}
	values, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer values.Stop()
	if err := l.catchUp(ctx, values); err != nil {
		return err
	}
	if err := l.takeOver(unsure); err != nil {
		return err
	}
	all.Go(func() { l.tellGrown(ctx) })
	all.Go(func() { l.sweeps(ctx) })
	return l.read(ctx, values, false)
}

// open begins to read all values.
func (l *leader) open(ctx context.Context) (jetstream.MessagesContext, error) {
	c, err := l.store.Values.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy, FilterSubjects: []string{l.Place.Subjects()}})
	if err != nil {
		return nil, fmt.Errorf("read stream %s: %w", l.Place.Stream, err)
	}
	m, err := c.Messages(jetstream.PullMaxMessages(5000))
	if err != nil {
		return nil, fmt.Errorf("read stream %s: %w", l.Place.Stream, err)
	}
	return m, nil
}

// catchUp reads what the stream has by now.
func (l *leader) catchUp(ctx context.Context, values jetstream.MessagesContext) error {
	info, err := l.store.Values.Info(ctx)
	if err != nil {
		return fmt.Errorf("read stream %s: %w", l.Place.Stream, err)
	}
	if info.State.Msgs == 0 {
		return nil
	}
	return l.read(ctx, values, true)
}

// read folds values until ctx ends, or until there are no more for now.
func (l *leader) read(ctx context.Context, values jetstream.MessagesContext, untilEmpty bool) error {
	for ctx.Err() == nil {
		m, err := values.Next(jetstream.NextContext(ctx))
		if errors.Is(err, nats.ErrTimeout) || errors.Is(err, jetstream.ErrNoHeartbeat) {
			continue // the reader opens itself anew
		}
		if err != nil {
			return fmt.Errorf("read stream %s: %w", l.Place.Stream, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("read stream %s: %w", l.Place.Stream, err)
		}
		if l.count(m, meta) {
			select {
			case l.grown <- struct{}{}:
			default:
			}
		}
		if untilEmpty && meta.NumPending == 0 {
			return nil
		}
	}
	return ctx.Err()
}

// count folds one value. It says whether a count has grown.
func (l *leader) count(m jetstream.Msg, meta *jetstream.MsgMetadata) bool {
	h, text, err := value.Parse(l.Place.Stream, m.Subject(), m.Data())
	if errors.Is(err, value.ErrNewer) {
		l.sayOnce("newer", "slackalert fleet: a value has a newer format than this relay reads, it is left for a newer relay", "subject", m.Subject(), "error", err.Error())
		return false
	}
	if err != nil {
		l.sayOnce("garbage", "slackalert fleet: a value can't be read, it is left alone", "subject", m.Subject(), "error", err.Error())
		return false
	}
	at := meta.Timestamp
	if s := m.Headers().Get(storedAnew); s != "" {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil && t.Before(at) {
			at = t
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq = meta.Sequence.Stream
	return l.fold.Add(&h, text, meta.Sequence.Stream, meta.Timestamp, at)
}

// takeOver says what is told to a new handler, and gives it the difference.
func (l *leader) takeOver(unsure []fold.Name) error {
	o := l.Options
	h, err := l.Handler(muted(l.Base, l.voice), &slackalert.Options{
		Sender: l.voice.sender(), Service: o.Service, BatchDelay: o.BatchDelay, BatchSize: o.BatchSize,
		RepeatInterval: o.RepeatInterval, RepeatMax: o.RepeatMax, MaxGroups: maxGroups,
	})
	if err != nil {
		return err
	}
	l.h = h
	l.mu.Lock()
	gone := l.fold.Unpublished()
	for _, name := range unsure {
		l.fold.Note(name, "perhaps told before")
	}
	groups, counts := l.fold.Size()
	l.mu.Unlock()
	l.over = l.voice.forget(gone)
	for _, e := range l.voice.newestFirst() { // the handler leaves alone what was told in one before
		h.Resume(e.Batch, e.Ref, cmp.Or(e.Posted, e.At))
	}
	l.tell()
	l.worked()
	l.say(slog.LevelInfo, "slackalert fleet: leading", "groups", groups, "counts", counts, "took", time.Since(l.began).Round(time.Millisecond).String())
	return nil
}

// tellGrown hands what is new to the handler, soon after it has grown.
func (l *leader) tellGrown(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.grown:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(company):
		}
		l.tell()
	}
}

func (l *leader) tell() {
	l.mu.Lock()
	batches, bad := l.fold.Take()
	groups, counts := l.fold.Size()
	l.mu.Unlock()
	for _, err := range bad {
		l.sayOnce("text", "slackalert fleet: a value's text can't be read, its count is told", "error", err.Error())
	}
	for _, b := range batches {
		l.h.Merge(b)
	}
	l.Relay.mu.Lock()
	defer l.Relay.mu.Unlock()
	l.status.Groups, l.status.Counts = groups, counts
}

// knows says whether the fold remembers a group.
func (l *leader) knows(n fold.Name) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fold.Knows(n)
}

// stop ends the handler without telling anything: whatever it hasn't told is the
// next leader's.
func (l *leader) stop() {
	if l.voice != nil {
		l.voice.close(stepDown)
	}
	if l.h != nil {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = l.h.Shutdown(now) // "alerts are lost": they are in the stream
	}
}

// sweeps tidies up every now and then.
func (l *leader) sweeps(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := l.sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
			l.sayOnce("sweep", "slackalert fleet: old counts can't be removed or kept, it is tried again", "error", err.Error())
		}
	}
}

// sweep forgets the groups without news for MaxAge, and stores the values of
// others anew before they expire.
func (l *leader) sweep(ctx context.Context, now time.Time) error {
	l.mu.Lock()
	idle, seq := l.fold.Idle(now.Add(-l.Place.MaxAge)), l.seq
	for _, name := range idle {
		l.fold.Forget(name)
	}
	var old []uint64
	if l.store.MaxAge > 0 {
		old = l.fold.Old(now.Add(-l.store.MaxAge/2), maxRefresh)
	}
	l.mu.Unlock()
	slices.Sort(old)
	var errs []error
	for _, name := range idle {
		subjects := value.GroupSubject(l.Place.Stream, name.Channel, name.Fingerprint) + ".>"
		errs = append(errs, l.store.Values.Purge(ctx, jetstream.WithPurgeSubject(subjects), jetstream.WithPurgeSequence(seq+1)))
	}
	for _, id := range append(l.over, l.voice.forget(idle)...) {
		errs = append(errs, l.book.Drop(ctx, id))
	}
	l.over = nil
	for _, seq := range old {
		errs = append(errs, l.refresh(ctx, seq))
	}
	return errors.Join(errs...)
}

// refresh stores a value anew, unless a newer one has taken its place.
func (l *leader) refresh(ctx context.Context, seq uint64) error {
	m, err := l.store.Values.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	msg := &nats.Msg{Subject: m.Subject, Data: m.Data, Header: nats.Header{}}
	msg.Header.Set(storedAnew, m.Time.UTC().Format(time.RFC3339Nano))
	if at := m.Header.Get(storedAnew); at != "" {
		msg.Header.Set(storedAnew, at)
	}
	_, err = l.JS.PublishMsg(ctx, msg, jetstream.WithExpectLastSequencePerSubject(seq))
	var api *jetstream.APIError
	if errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return nil
	}
	return err
}
