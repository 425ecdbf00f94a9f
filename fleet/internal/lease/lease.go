// This file keeps the leader's key: who leads, and until when that is sure.

// Package lease is a lock that must be renewed: one key in a bucket. Who sees it
// unrenewed for a TTL takes it, by compare-and-set; that the server drops it at
// last is for tidiness.
//
// It promises that two holders never both find it [Lease.Fresh] as long as their
// clocks run equally fast to a tenth. It doesn't promise that nothing of an
// earlier holder is still under way: whoever asks somebody else to do something
// asks Fresh first, and does it under [Lease.Within].
package lease

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// key is the only key of the bucket.
const key = "leader"

// ErrLost is why a context of [Lease.Within] ended, and what Keep returns, when
// the lease is no longer sure.
var ErrLost = errors.New("the lease is lost")

// Lease is held by one at a time.
type Lease struct {
	kv    jetstream.KeyValue
	id    []byte
	ttl   time.Duration
	Epoch uint64 // grows with each holder

	held   context.Context // until it is given up
	giveUp context.CancelFunc

	mu    sync.Mutex
	rev   uint64
	until time.Time // sure until then, by this process's steady clock
}

func newLease(kv jetstream.KeyValue, id string, ttl time.Duration) *Lease {
	l := &Lease{kv: kv, id: []byte(id), ttl: ttl}
	l.held, l.giveUp = context.WithCancel(context.Background())
	return l
}

// Acquire waits until it holds the lease, or ctx ends. id is who wants it; no
// other has it. All who want it must name the same ttl. While another holds it,
// Acquire watches the key, and takes it a short random time after it was given up
// or has not been renewed for a ttl.
func Acquire(ctx context.Context, kv jetstream.KeyValue, id string, ttl time.Duration) (*Lease, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := newLease(kv, id, ttl)
	watch, err := kv.Watch(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("watch the leader's key: %w", err)
	}
	defer func() { _ = watch.Stop() }()
	try := time.NewTimer(0)
	defer try.Stop()
	rev := uint64(0) // of the key as it was last seen; 0 = there is none
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case e, open := <-watch.Updates():
			switch {
			case !open:
				return nil, errors.New("watch the leader's key: the watch ended")
			case e == nil: // all that was there has come
			case e.Operation() == jetstream.KeyValuePut:
				rev = e.Revision()
				try.Reset(ttl + l.shortly())
			default:
				rev = 0
				try.Reset(l.shortly())
			}
		case <-try.C:
			held, err := l.take(ctx, rev)
			if held || err != nil {
				return l, err
			}
			rev = 0
			try.Reset(ttl / 2) // the watch will say sooner what there is
		}
	}
}

// shortly is a random time, so that not all try at once.
func (l *Lease) shortly() time.Duration { return rand.N(l.ttl / 20) }

// take writes the key, unless it is no longer as it was seen.
func (l *Lease) take(ctx context.Context, seen uint64) (held bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.ttl/2, errors.New("no answer in time"))
	defer cancel()
	before := time.Now()
	var rev uint64
	if seen == 0 {
		rev, err = l.kv.Create(ctx, key, l.id)
	} else if rev, err = l.kv.Update(ctx, key, l.id, seen); errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		rev, err = l.kv.Create(ctx, key, l.id) // the server may have dropped it
	}
	if errors.Is(err, jetstream.ErrKeyExists) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("take the leader's key: %w", err)
	}
	l.Epoch = rev
	l.renewed(rev, before)
	return true, nil
}

// renewed notes a renewal that was asked for at that time. A tenth of the TTL is
// left to clocks that don't agree on how long a second is.
func (l *Lease) renewed(rev uint64, asked time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rev, l.until = rev, asked.Add(l.ttl*9/10)
}

// Keep renews the lease five times a TTL until ctx ends, then returns nil, or
// until it is lost. Nobody else may be in Keep.
func (l *Lease) Keep(ctx context.Context) error {
	tick := time.NewTicker(l.ttl / 5)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := l.renew(ctx); err != nil {
			return err
		}
	}
}

// renew renews once. An attempt that fails is no loss while the lease is fresh.
func (l *Lease) renew(ctx context.Context) error {
	l.mu.Lock()
	rev, until := l.rev, l.until
	l.mu.Unlock()
	before := time.Now()
	if !before.Before(until) {
		return ErrLost
	}
	// What is under way when Keep's ctx ends is waited for: Release wants to
	// know the key's revision.
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), until)
	defer cancel()
	next, err := l.kv.Update(ctx, key, l.id, rev)
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		// An earlier attempt may have arrived though its answer didn't.
		e, geterr := l.kv.Get(ctx, key)
		if geterr == nil && string(e.Value()) == string(l.id) && e.Revision() > rev {
			next, err = l.kv.Update(ctx, key, l.id, e.Revision())
		} else if geterr == nil || errors.Is(geterr, jetstream.ErrKeyNotFound) {
			return ErrLost
		}
	}
	if err == nil {
		l.renewed(next, before)
	}
	return nil
}

// Fresh says whether nobody else can hold the lease now.
func (l *Lease) Fresh() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held.Err() == nil && time.Now().Before(l.until)
}

// Within returns a context that ends with ErrLost as soon as the lease isn't
// fresh. cancel frees it.
func (l *Lease) Within(ctx context.Context) (within context.Context, cancel context.CancelFunc) {
	within, end := context.WithCancelCause(ctx)
	if !l.Fresh() {
		end(ErrLost)
		return within, func() {}
	}
	go func() {
		for l.Fresh() {
			l.mu.Lock()
			timer := time.NewTimer(time.Until(l.until)) // then it may have been renewed
			l.mu.Unlock()
			select {
			case <-within.Done():
			case <-l.held.Done():
			case <-timer.C:
				continue
			}
			timer.Stop()
			break
		}
		end(ErrLost)
	}()
	return within, func() { end(nil) }
}

// Release gives the lease up, so that another needn't wait for the key to
// expire. It is not fresh any more, whatever comes of it.
func (l *Lease) Release(ctx context.Context) error {
	l.giveUp()
	l.mu.Lock()
	rev := l.rev
	l.mu.Unlock()
	if err := l.kv.Delete(ctx, key, jetstream.LastRevision(rev)); err != nil {
		return fmt.Errorf("delete the leader's key: %w", err)
	}
	return nil
}
