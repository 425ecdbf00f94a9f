// This file finds or makes the stream and the buckets that a fleet shares.

// Package store is where a fleet keeps its counts: a stream of values, a bucket
// of what is told, a bucket with the leader's key.
package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Place says where, and how it is made where it isn't there.
type Place struct {
	Stream   string
	Replicas int
	MaxAge   time.Duration
	MaxBytes int64
	Lease    time.Duration
}

// Subjects are all subjects of the stream.
func (p *Place) Subjects() string { return p.Stream + ".>" }

// Told and Lead are the names of the buckets.
func (p *Place) Told() string { return p.Stream + "_told" }
func (p *Place) Lead() string { return p.Stream + "_leader" }

// Stream returns the stream of values, and makes it where there is none. One
// that is there is left as it is.
func Stream(ctx context.Context, js jetstream.JetStream, p *Place) (jetstream.Stream, error) {
	s, err := js.Stream(ctx, p.Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = js.CreateStream(ctx, p.config())
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // somebody else made it meanwhile, otherwise
			s, err = js.Stream(ctx, p.Stream)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", p.Stream, err)
	}
	return s, nil
}

func (p *Place) config() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              p.Stream,
		Description:       "what processes have counted for slackalert: the last value of each",
		Subjects:          []string{p.Subjects()},
		MaxMsgsPerSubject: 1,
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardNew,
		MaxAge:            p.MaxAge,
		MaxBytes:          p.MaxBytes,
		Replicas:          p.Replicas,
		AllowDirect:       true,
	}
}

// Unfit is why values can't be kept in a stream with these settings; nil = they
// can.
func (p *Place) Unfit(c *jetstream.StreamConfig) error {
	switch {
	case !slices.Contains(c.Subjects, p.Subjects()):
		return fmt.Errorf("stream %s has the subjects %q; want %q among them", p.Stream, c.Subjects, p.Subjects())
	case c.Retention != jetstream.LimitsPolicy:
		return fmt.Errorf("stream %s has the retention %v; want %v", p.Stream, c.Retention, jetstream.LimitsPolicy)
	case c.NoAck:
		return fmt.Errorf("stream %s acknowledges nothing (no_ack); want acknowledgements", p.Stream)
	}
	return nil
}

// Differs says what of a stream's settings isn't as this fleet would make them.
func (p *Place) Differs(c *jetstream.StreamConfig) []string {
	want := p.config()
	var d []string
	for _, f := range []struct {
		field     string
		has, want any
	}{
		{"max_msgs_per_subject", c.MaxMsgsPerSubject, want.MaxMsgsPerSubject},
		{"storage", c.Storage, want.Storage},
		{"discard", c.Discard, want.Discard},
		{"max_age", c.MaxAge, want.MaxAge},
		{"max_bytes", c.MaxBytes, want.MaxBytes},
		{"num_replicas", c.Replicas, want.Replicas},
	} {
		if f.has != f.want {
			d = append(d, fmt.Sprintf("%s is %v, not %v", f.field, f.has, f.want))
		}
	}
	return d
}

// Store is all that a relay needs.
type Store struct {
	Values jetstream.Stream
	Told   jetstream.KeyValue
	Lead   jetstream.KeyValue
	MaxAge time.Duration // of the stream as it is; 0 = for ever
	Lease  time.Duration // as it is: all relays must mean the same
	Other  []string      // settings that aren't as Place says
}

// Open finds or makes everything.
func Open(ctx context.Context, js jetstream.JetStream, p *Place) (*Store, error) {
	values, err := Stream(ctx, js, p)
	if err != nil {
		return nil, err
	}
	c := values.CachedInfo().Config
	if err := p.Unfit(&c); err != nil {
		return nil, err
	}
	s := &Store{Values: values, MaxAge: c.MaxAge, Other: p.Differs(&c)}
	s.Told, err = bucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: p.Told(), Description: "what slackalert's relays have told", Replicas: p.Replicas, Storage: jetstream.FileStorage, History: 1,
	})
	if err != nil {
		return nil, err
	}
	s.Lead, err = bucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: p.Lead(), Description: "which of slackalert's relays leads", Replicas: p.Replicas, Storage: jetstream.FileStorage, History: 1,
		TTL: p.Lease, // a key's own would come with its creation only
	})
	if err != nil {
		return nil, err
	}
	status, err := s.Lead.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", p.Lead(), err)
	}
	if s.Lease = status.TTL(); s.Lease < time.Second {
		return nil, fmt.Errorf("bucket %s has the TTL %v; want 1 s or more, such as %v", p.Lead(), s.Lease, p.Lease)
	}
	if s.Lease != p.Lease {
		s.Other = append(s.Other, fmt.Sprintf("the TTL of %s, which is the lease, is %v, not %v", p.Lead(), s.Lease, p.Lease))
	}
	return s, nil
}

func bucket(ctx context.Context, js jetstream.JetStream, c jetstream.KeyValueConfig) (jetstream.KeyValue, error) {
	kv, err := js.KeyValue(ctx, c.Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = js.CreateKeyValue(ctx, c)
		if errors.Is(err, jetstream.ErrBucketExists) {
			kv, err = js.KeyValue(ctx, c.Bucket)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", c.Bucket, err)
	}
	return kv, nil
}
