// This file says what a fleet is, and what may be set of it.

// Package fleet lets many processes speak with one voice: however many of them
// log an error, one message tells it, with the exact count of all and on how
// many hosts. What they share is a NATS server with JetStream.
//
// Each process has a handler whose Sender is a [Publisher]:
//
//	js, _ := jetstream.New(nc)
//	p, err := fleet.NewPublisher(js, nil)
//	h, err := slackalert.New(base, &slackalert.Options{Sender: p, Channel: "C0123456789", BatchDelay: 50 * time.Millisecond})
//
// It publishes what it has counted in all, per group; the stream keeps the last
// value of each. Somewhere [Run] reads them, adds them up and tells Slack the
// difference to what is told. Several may run: one of them leads, the others
// stand by. A leader may die at any moment: another goes on within Lease, and
// edits the messages of the dead one. cmd/fleetrelay is a program that does
// nothing but Run.
//
// # What holds, and what doesn't
//
// Counts are totals, so a value that arrives twice, late or out of order changes
// nothing, and at the end the count is exactly what the processes published. A
// leader that dies between Slack's answer and its note of it leaves a claim: its
// successor looks for the message in the channel's history, where the app may
// read it, and otherwise posts again, marked "perhaps told before". So at most
// one message per death is posted twice.
//
// The lock is a key that expires. A leader asks before each request whether it
// still holds it, and ends the request when it no longer does; what Slack has
// received by then, nobody can call back.
package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/store"
)

// Options says where the counts are kept. All publishers and relays of a fleet
// want the same Stream. The zero value of a field is its default; nil Options
// are the defaults. What exists already is left as it is.
type Options struct {
	// Stream is the name of the stream and the first token of its subjects.
	// Default "SLACKALERT". The relays keep two buckets beside it, whose names
	// begin with it: what is told, and who leads.
	Stream string

	// Replicas of the stream and the buckets, 1 to 5. Default 1.
	Replicas int

	// MaxAge is how long a group is remembered after its last alert. It wants to
	// be four times the processes' RepeatMax or more. Default 24 h, at least 1 min.
	MaxAge time.Duration

	// MaxBytes is the size of the stream; when it is full, new groups wait in
	// their processes. Default 1 GiB.
	MaxBytes int64

	// Lease is the time within which another relay goes on when the leader is
	// gone. Default 3 s, at least 1 s.
	Lease time.Duration

	// Direct is where a publisher tells new groups while NATS doesn't take them,
	// DirectAfter (default 30 s) after the first that it didn't take. They are
	// marked "(direct)". nil = they wait.
	Direct      slackalert.Sender
	DirectAfter time.Duration
}

const (
	defaultStream      = "SLACKALERT"
	defaultMaxAge      = 24 * time.Hour
	defaultMaxBytes    = 1 << 30
	defaultLease       = 3 * time.Second
	defaultDirectAfter = 30 * time.Second
	minMaxAge          = time.Minute
	minLease           = time.Second
	maxReplicas        = 5
)

// streamName is what is a token of a subject and a part of a bucket's name.
var streamName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// filled is opts with its defaults, checked.
func filled(js jetstream.JetStream, opts *Options) (Options, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	var errs []error
	if js == nil {
		errs = append(errs, errors.New("js is nil; want a JetStream context, from jetstream.New"))
	}
	o.Stream = cmp.Or(o.Stream, defaultStream)
	if !streamName.MatchString(o.Stream) {
		errs = append(errs, fmt.Errorf("Stream is %q; want letters, digits, - and _, at most 64", o.Stream))
	}
	o.Replicas = cmp.Or(o.Replicas, 1)
	if o.Replicas < 1 || o.Replicas > maxReplicas {
		errs = append(errs, fmt.Errorf("Replicas is %d; want 0 (the default, 1) to %d", o.Replicas, maxReplicas))
	}
	if o.MaxBytes < 0 {
		errs = append(errs, fmt.Errorf("MaxBytes is %d; want 0 (the default, 1 GiB) or more", o.MaxBytes))
	}
	o.MaxBytes = cmp.Or(o.MaxBytes, defaultMaxBytes)
	for _, d := range []struct {
		field        string
		value        *time.Duration
		def, atLeast time.Duration
	}{
		{"MaxAge", &o.MaxAge, defaultMaxAge, minMaxAge},
		{"Lease", &o.Lease, defaultLease, minLease},
		{"DirectAfter", &o.DirectAfter, defaultDirectAfter, time.Millisecond},
	} {
		if *d.value != 0 && *d.value < d.atLeast {
			errs = append(errs, fmt.Errorf("%s is %v; want 0 (the default, %v) or at least %v", d.field, *d.value, d.def, d.atLeast))
		}
		*d.value = cmp.Or(*d.value, d.def)
	}
	if err := errors.Join(errs...); err != nil {
		return Options{}, fmt.Errorf("slackalert/fleet: %w", err)
	}
	return o, nil
}

// place is where the options keep the counts.
func (o *Options) place() store.Place {
	return store.Place{Stream: o.Stream, Replicas: o.Replicas, MaxAge: o.MaxAge, MaxBytes: o.MaxBytes, Lease: o.Lease}
}
