package lease

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fleet/internal/fleettest"
)

const ttl = 10 * time.Second

// bucket is one with the leader's key, in memory: a test of minutes takes no time.
type bucket struct {
	jetstream.KeyValue
	mu      sync.Mutex
	rev     uint64
	value   []byte // nil = there is no key
	watches []chan jetstream.KeyValueEntry
	ill     error // what Update returns; nil = as it should
	blind   error // what Get returns
}

// entry is the key at a revision.
type entry struct {
	jetstream.KeyValueEntry
	value []byte
	rev   uint64
}

func (e entry) Value() []byte    { return e.value }
func (e entry) Revision() uint64 { return e.rev }
func (e entry) Operation() jetstream.KeyValueOp {
	if e.value == nil {
		return jetstream.KeyValueDelete
	}
	return jetstream.KeyValuePut
}

func (b *bucket) write(value []byte, why error) (uint64, error) {
	if why != nil {
		return 0, why
	}
	b.rev, b.value = b.rev+1, value
	for _, w := range b.watches {
		w <- entry{value: value, rev: b.rev}
	}
	return b.rev, nil
}

func (b *bucket) Create(_ context.Context, _ string, value []byte, _ ...jetstream.KVCreateOpt) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.value != nil {
		return 0, jetstream.ErrKeyExists
	}
	return b.write(value, nil)
}

func (b *bucket) Update(_ context.Context, _ string, value []byte, seen uint64) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ill == nil && (b.value == nil || b.rev != seen) {
		return 0, jetstream.ErrKeyRevisionMismatch
	}
	return b.write(value, b.ill)
}

func (b *bucket) Delete(context.Context, string, ...jetstream.KVDeleteOpt) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, err := b.write(nil, b.ill)
	return err
}

func (b *bucket) Get(context.Context, string) (jetstream.KeyValueEntry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return entry{value: b.value, rev: b.rev}, b.blind
}

// watch is a KeyWatcher.
type watch chan jetstream.KeyValueEntry

func (w watch) Updates() <-chan jetstream.KeyValueEntry { return w }
func (w watch) Stop() error                             { return nil }

func (b *bucket) Watch(context.Context, string, ...jetstream.WatchOpt) (jetstream.KeyWatcher, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := make(watch, 10_000)
	if b.value != nil {
		w <- entry{value: b.value, rev: b.rev}
	}
	w <- nil
	b.watches = append(b.watches, w)
	return w, nil
}

func acquire(t *testing.T, kv jetstream.KeyValue, id string) *Lease {
	l, err := Acquire(t.Context(), kv, id, ttl)
	require.NoError(t, err)
	return l
}

// TestOneHolds: ten want the lease, each for longer than its TTL. At no time do
// two find it fresh, and all get it.
func TestOneHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := &bucket{}
		var holders atomic.Int32
		var all sync.WaitGroup
		var epochs sync.Map
		for i := range 10 {
			all.Go(func() {
				l, err := Acquire(t.Context(), kv, string(rune('a'+i)), ttl)
				if !assert.NoError(t, err) {
					return
				}
				assert.EqualValues(t, 1, holders.Add(1), "holders")
				_, twice := epochs.LoadOrStore(l.Epoch, i)
				assert.False(t, twice, "two had the epoch %d", l.Epoch)
				within, end := l.Within(t.Context())
				defer end()
				ctx, cancel := context.WithTimeout(t.Context(), 3*ttl)
				defer cancel()
				assert.NoError(t, l.Keep(ctx))
				assert.True(t, l.Fresh())
				assert.NoError(t, within.Err())
				holders.Add(-1)
				assert.NoError(t, l.Release(t.Context()))
				assert.False(t, l.Fresh())
				<-within.Done()
				assert.ErrorIs(t, context.Cause(within), ErrLost)
			})
		}
		all.Wait()
	})
}

// TestTheHolderDies: another holds it a TTL after the last renewal, whether the
// server has dropped the key by then or not, and not before the first finds it
// lost.
func TestTheHolderDies(t *testing.T) {
	for _, dropped := range []bool{false, true} {
		t.Run(fmt.Sprintf("dropped %v", dropped), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kv := &bucket{}
				died := time.Now() // a never renews it
				a := acquire(t, kv, "a")
				within, end := a.Within(t.Context())
				defer end()
				context.AfterFunc(within, func() { assert.Equal(t, ttl*9/10, time.Since(died)) })
				if dropped {
					time.AfterFunc(ttl*19/20, func() { kv.mu.Lock(); kv.value = nil; kv.mu.Unlock() })
				}
				b := acquire(t, kv, "b")
				assert.GreaterOrEqual(t, time.Since(died), ttl)
				assert.Less(t, time.Since(died), ttl*21/20)
				assert.True(t, b.Fresh())
				assert.Greater(t, b.Epoch, a.Epoch)
				assert.False(t, a.Fresh())
				assert.ErrorIs(t, context.Cause(within), ErrLost)
				lost, end := a.Within(t.Context())
				defer end()
				assert.ErrorIs(t, context.Cause(lost), ErrLost, "from the start")
				assert.ErrorIs(t, a.Keep(t.Context()), ErrLost)
				assert.NoError(t, b.renew(t.Context()))
			})
		})
	}
}

// TestTheServerIsAway: the lease is lost in time, not kept for want of news.
func TestTheServerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := &bucket{}
		l := acquire(t, kv, "a")
		kv.ill = nats.ErrTimeout
		began := time.Now()
		assert.ErrorIs(t, l.Keep(t.Context()), ErrLost)
		assert.Equal(t, ttl, time.Since(began))
		assert.False(t, l.Fresh())
		_, err := Acquire(t.Context(), kv, "b", ttl)
		assert.ErrorIs(t, err, nats.ErrTimeout)
	})
}

// TestAnAnswerIsLost: a renewal that arrived though its answer didn't is no loss.
func TestAnAnswerIsLost(t *testing.T) {
	kv := &bucket{}
	l := acquire(t, kv, "a")
	_, err := kv.Update(t.Context(), key, []byte("a"), l.rev)
	require.NoError(t, err)
	before := l.rev
	require.NoError(t, l.renew(t.Context()))
	assert.Equal(t, before+2, l.rev)

	_, err = kv.Update(t.Context(), key, []byte("b"), l.rev)
	require.NoError(t, err)
	assert.ErrorIs(t, l.renew(t.Context()), ErrLost, "another has it")
}

// TestARenewalThatFailsIsNoLoss while the lease is fresh and no other has it.
func TestARenewalThatFailsIsNoLoss(t *testing.T) {
	kv := &bucket{}
	l := acquire(t, kv, "a")
	for _, errs := range [][2]error{{nats.ErrTimeout, nil}, {jetstream.ErrKeyRevisionMismatch, nats.ErrTimeout}} {
		kv.ill, kv.blind = errs[0], errs[1]
		assert.NoError(t, l.renew(t.Context()), "%v", errs)
		assert.True(t, l.Fresh())
	}
	kv.blind = jetstream.ErrKeyNotFound
	assert.ErrorIs(t, l.renew(t.Context()), ErrLost, "it is gone")
}

func TestTheWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := &bucket{}
		acquire(t, kv, "a")
		ctx, cancel := context.WithTimeout(t.Context(), ttl/2)
		defer cancel()
		_, err := Acquire(ctx, kv, "b", ttl)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// TestOnAServer: it answers as the bucket of the other tests does, and holds who
// lost the lease to it.
func TestOnAServer(t *testing.T) {
	_, kv := fleettest.Bucket(t, jetstream.KeyValueConfig{Bucket: "lead"})

	a := newLease(kv, "a", time.Hour)
	take := func(l *Lease, seen uint64) bool {
		held, err := l.take(t.Context(), seen)
		require.NoError(t, err)
		return held
	}
	require.True(t, take(a, 0))
	b := newLease(kv, "b", time.Hour)
	assert.False(t, take(b, 0), "it is there")
	assert.False(t, take(b, a.rev-1), "it isn't as it was seen")
	seen := a.rev
	require.NoError(t, a.renew(t.Context()))
	assert.Greater(t, a.rev, seen)
	require.True(t, take(b, a.rev))
	assert.ErrorIs(t, a.renew(t.Context()), ErrLost)
	assert.Error(t, a.Release(t.Context()), "who doesn't hold it can't give it up")
	seen = b.rev
	require.NoError(t, b.Release(t.Context()))
	assert.Greater(t, acquire(t, kv, "c").Epoch, seen)
}
