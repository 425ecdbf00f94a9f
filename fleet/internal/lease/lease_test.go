package lease

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fleet/internal/natsd"
)

const ttl = time.Second

func bucket(t *testing.T) (*natsd.Server, jetstream.KeyValue) { return bucketOf(t, ttl*4/3) }

// bucketOf is a server with a bucket that drops a key after that time.
func bucketOf(t *testing.T, drops time.Duration) (*natsd.Server, jetstream.KeyValue) {
	s, err := natsd.Start(t.TempDir(), nil)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	nc, err := nats.Connect(natsd.URL(s), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "lead", TTL: drops, Storage: jetstream.FileStorage})
	require.NoError(t, err)
	return s, kv
}

// TestOneHolds: ten want the lease, each for a while. At no time do two find it
// fresh, and all get it.
func TestOneHolds(t *testing.T) {
	_, kv := bucket(t)
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
			ctx, cancel := context.WithCancel(t.Context())
			kept := make(chan error)
			go func() { kept <- l.Keep(ctx) }()
			time.Sleep(300 * time.Millisecond)
			assert.True(t, l.Fresh())
			cancel()
			assert.NoError(t, <-kept)
			holders.Add(-1)
			assert.NoError(t, l.Release(t.Context()))
			assert.False(t, l.Fresh())
		})
	}
	all.Wait()
}

// TestKeptBeyondItsTTL: renewals carry it on.
func TestKeptBeyondItsTTL(t *testing.T) {
	_, kv := bucket(t)
	l, err := Acquire(t.Context(), kv, "a", ttl)
	require.NoError(t, err)
	within, end := l.Within(t.Context())
	defer end()
	ctx, cancel := context.WithTimeout(t.Context(), 3*ttl)
	defer cancel()
	assert.NoError(t, l.Keep(ctx))
	assert.True(t, l.Fresh())
	assert.NoError(t, within.Err())
}

// TestTheHolderDies: another holds it when the key has expired, and not before
// the first finds it lost.
func TestTheHolderDies(t *testing.T) {
	_, kv := bucket(t)
	a, err := Acquire(t.Context(), kv, "a", ttl)
	require.NoError(t, err)
	within, end := a.Within(t.Context())
	defer end()
	died := time.Now() // a never renews it
	b, err := Acquire(t.Context(), kv, "b", ttl)
	require.NoError(t, err)
	t.Logf("held by another %v after the only renewal, with a TTL of %v", time.Since(died).Round(time.Millisecond), ttl)
	assert.True(t, b.Fresh())
	assert.False(t, a.Fresh())
	assert.Greater(t, b.Epoch, a.Epoch)
	select {
	case <-within.Done():
		assert.ErrorIs(t, context.Cause(within), ErrLost)
	case <-time.After(time.Second):
		t.Error("what was done under the lost lease goes on")
	}
	assert.ErrorIs(t, a.Keep(t.Context()), ErrLost)
	assert.Error(t, a.Release(t.Context()), "who doesn't hold it can't give it up")
	assert.NoError(t, b.renew(t.Context()))
}

// TestItIsTakenThoughItStands: who dies doesn't lead until the server tidies up.
func TestItIsTakenThoughItStands(t *testing.T) {
	_, kv := bucketOf(t, time.Hour)
	_, err := Acquire(t.Context(), kv, "a", ttl)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	b, err := Acquire(ctx, kv, "b", ttl)
	require.NoError(t, err)
	assert.True(t, b.Fresh())
}

// TestTheServerIsAway: the lease is lost in time, not kept for want of news.
func TestTheServerIsAway(t *testing.T) {
	s, kv := bucket(t)
	l, err := Acquire(t.Context(), kv, "a", ttl)
	require.NoError(t, err)
	s.Stop()
	began := time.Now()
	assert.ErrorIs(t, l.Keep(t.Context()), ErrLost)
	assert.Less(t, time.Since(began), 10*time.Second)
	assert.False(t, l.Fresh())
	require.NoError(t, s.Start())
	for { // the connection comes back by itself, and so does the wish
		b, err := Acquire(t.Context(), kv, "b", ttl)
		if err == nil {
			assert.True(t, b.Fresh())
			return
		}
		require.Less(t, time.Since(began), 30*time.Second, "%v", err)
	}
}

// TestAnAnswerIsLost: a renewal that arrived though its answer didn't is no loss.
func TestAnAnswerIsLost(t *testing.T) {
	_, kv := bucket(t)
	l, err := Acquire(t.Context(), kv, "a", ttl)
	require.NoError(t, err)
	_, err = kv.Update(t.Context(), key, []byte("a"), l.rev)
	require.NoError(t, err)
	before := l.rev
	require.NoError(t, l.renew(t.Context()))
	assert.Equal(t, before+2, l.rev)

	_, err = kv.Put(t.Context(), key, []byte("b"))
	require.NoError(t, err)
	assert.ErrorIs(t, l.renew(t.Context()), ErrLost, "another has it")
}

// ill is a bucket that answers with errors.
type ill struct {
	jetstream.KeyValue
	update, get error
}

func (k *ill) Update(context.Context, string, []byte, uint64) (uint64, error) { return 0, k.update }
func (k *ill) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	if k.get != nil {
		return nil, k.get
	}
	return k.KeyValue.Get(ctx, key)
}

// TestARenewalThatFailsIsNoLoss while the lease is fresh and no other has it.
func TestARenewalThatFailsIsNoLoss(t *testing.T) {
	_, kv := bucket(t)
	l, err := Acquire(t.Context(), kv, "a", ttl)
	require.NoError(t, err)
	for _, k := range []*ill{
		{kv, nats.ErrTimeout, nil},
		{kv, jetstream.ErrKeyRevisionMismatch, nats.ErrTimeout},
	} {
		l.kv = k
		assert.NoError(t, l.renew(t.Context()), "%v, %v", k.update, k.get)
		assert.True(t, l.Fresh())
	}
	l.kv = &ill{kv, jetstream.ErrKeyRevisionMismatch, jetstream.ErrKeyNotFound}
	assert.ErrorIs(t, l.renew(t.Context()), ErrLost, "it is gone")
}

func TestTheWaitEndsWithItsContext(t *testing.T) {
	_, kv := bucket(t)
	_, err := Acquire(t.Context(), kv, "a", ttl)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = Acquire(ctx, kv, "b", ttl)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}
