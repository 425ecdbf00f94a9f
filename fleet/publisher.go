// This file publishes what a process has counted.

package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/store"
	"example.com/slackalert/fleet/internal/value"
)

// The pace of a publisher: NATS is no Slack.
const (
	postGap = 200 * time.Millisecond
	editGap = 10 * time.Second

	deniedWait = 5 * time.Second // until it is looked whether NATS takes the credentials by now
)

// maxPending is how many values are under way at once: the client allows 4,000,
// which are the caller's too.
const maxPending = 1000

// maxDirect bounds how many counts told past the fleet are remembered.
const maxDirect = 10_000

// errCodeMsgTooLarge is what JetStream says of a message over the stream's
// max_msg_size; the client has no name for it.
const errCodeMsgTooLarge jetstream.ErrorCode = 10054

// Publisher is a [slackalert.Sender] that publishes what its process has
// counted. It is safe for use by several goroutines and needs no end: it starts
// nothing. The connection is the caller's.
type Publisher struct {
	js   jetstream.JetStream
	opts Options
	run  string

	mu     sync.Mutex
	down   time.Time        // since when NATS takes nothing; zero = it does
	direct map[string]int64 // by subject: alerts told past the fleet
	stored map[string]int64 // by subject: totals that were stored though their batch failed
}

// NewPublisher returns a publisher on js. It sends nothing, and NATS needn't be
// there yet: the stream is made with the first batch, if it is missing. The
// error names the option, what came and what is wanted.
func NewPublisher(js jetstream.JetStream, opts *Options) (*Publisher, error) {
	o, err := filled(js, opts)
	if err != nil {
		return nil, err
	}
	return &Publisher{js: js, opts: o, run: rand.Text(), direct: make(map[string]int64), stored: make(map[string]int64)}, nil
}

// Gaps is the publisher's pace: 0.2 s between two batches of a channel, 10 s
// between two updates of a group.
func (p *Publisher) Gaps() (post, edit time.Duration) { return postGap, editGap }

// Send publishes a batch. It returns nil when the stream has stored all of it.
// While it doesn't, the groups wait in their handler; with Options.Direct they
// are told directly after Options.DirectAfter.
func (p *Publisher) Send(ctx context.Context, b slackalert.Batch) error {
	err := p.publish(ctx, &b)
	if err == nil || !p.toDirect() {
		return err
	}
	return p.tell(ctx, b, err)
}

// Update publishes a batch that was sent before. It is never told directly: what
// repeats can wait for NATS.
func (p *Publisher) Update(ctx context.Context, b slackalert.Batch) error {
	return p.publish(ctx, &b)
}

// Check asks whether the stream is there, and doesn't make it.
func (p *Publisher) Check(ctx context.Context) error {
	s, err := p.js.Stream(ctx, p.opts.Stream)
	if err != nil {
		return fmt.Errorf("slackalert/fleet: stream %s: %w", p.opts.Stream, store.Why(p.js.Conn(), err))
	}
	place := p.opts.place()
	c := s.CachedInfo().Config
	if err := place.Unfit(&c); err != nil {
		return fmt.Errorf("slackalert/fleet: %w", err)
	}
	return nil
}

// publish stores a batch's groups, and keeps account of since when it fails.
func (p *Publisher) publish(ctx context.Context, b *slackalert.Batch) error {
	err := p.store(ctx, b)
	if errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders) {
		place := p.opts.place()
		if _, err = store.Stream(ctx, p.js, &place); err == nil {
			err = p.store(ctx, b)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.down = time.Time{}
		return nil
	}
	if p.down.IsZero() {
		p.down = time.Now()
	}
	return &unstored{fmt.Errorf("slackalert/fleet: %w", store.Why(p.js.Conn(), err))}
}

// store publishes all groups and waits for the stream to have them. Nothing is
// published without a connection: it would wait in the connection's buffer, and
// be said to have failed.
func (p *Publisher) store(ctx context.Context, b *slackalert.Batch) error {
	if !p.js.Conn().IsConnected() {
		return store.ErrAway
	}
	var failed error
	subjects, done := make([]string, 0, len(b.Groups)), make([]bool, 0, len(b.Groups))
	for part := range slices.Chunk(b.Groups, maxPending) {
		s, d, err := p.storePart(ctx, b, part)
		subjects, done = append(subjects, s...), append(done, d...)
		if failed = err; err != nil {
			break
		}
	}
	p.keep(b, subjects, done, failed == nil)
	return failed
}

// storePart publishes some of a batch's groups, and waits for all answers: done
// says which are stored.
func (p *Publisher) storePart(ctx context.Context, b *slackalert.Batch, groups []slackalert.Group) (subjects []string, done []bool, failed error) {
	acks := make([]jetstream.PubAckFuture, 0, len(groups))
	for i := range groups {
		subject, data, err := p.value(b, &groups[i])
		if err != nil {
			failed = err
			break
		}
		ack, err := p.js.PublishAsync(subject, data, jetstream.WithRetryAttempts(0))
		if err != nil {
			failed = err
			break
		}
		subjects, acks = append(subjects, subject), append(acks, ack)
	}
	for _, ack := range acks {
		ok, err := false, error(nil)
		select {
		case <-ack.Ok():
			ok = true
		case err = <-ack.Err():
		case <-ctx.Done():
			err = fmt.Errorf("stream %s didn't answer: %w", p.opts.Stream, context.Cause(ctx))
		}
		done = append(done, ok)
		if failed == nil {
			failed = err
		}
	}
	return subjects, done, failed
}

// keep remembers what was stored of a batch that failed, until one succeeds: it
// isn't to be told directly too.
func (p *Publisher) keep(b *slackalert.Batch, subjects []string, done []bool, all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, subject := range subjects {
		if all {
			delete(p.stored, subject)
		} else if done[i] && len(p.stored) < maxDirect {
			p.stored[subject] = int64(b.Groups[i].Total)
		}
	}
}

// value is a group's subject and value.
func (p *Publisher) value(b *slackalert.Batch, g *slackalert.Group) (subject string, data []byte, err error) {
	subject = value.Subject(p.opts.Stream, b, g, p.run)
	p.mu.Lock()
	direct := p.direct[subject]
	p.mu.Unlock()
	data, err = value.New(b, g, p.run, min(direct, int64(g.Total)), time.Now())
	return subject, data, err
}

// toDirect says whether NATS has been away so long that groups are told past it.
func (p *Publisher) toDirect() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opts.Direct != nil && !p.down.IsZero() && time.Since(p.down) >= p.opts.DirectAfter
}

// tell tells past the fleet what of a batch isn't stored, and remembers how
// much that was, so that the fleet doesn't count it again.
func (p *Publisher) tell(ctx context.Context, b slackalert.Batch, why error) error {
	b, subjects := p.untold(b)
	if len(b.Groups) == 0 {
		return nil
	}
	if err := p.opts.Direct.Send(ctx, b); err != nil {
		return fmt.Errorf("%v; told directly: %w", why, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, subject := range subjects {
		if len(p.direct) < maxDirect || p.direct[subject] > 0 {
			p.direct[subject] += int64(b.Groups[i].Count)
		}
		delete(p.stored, subject)
	}
	return nil
}

// untold is a batch without what the stream has of it.
func (p *Publisher) untold(b slackalert.Batch) (slackalert.Batch, []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var groups []slackalert.Group
	var subjects []string
	for _, g := range b.Groups {
		subject := value.Subject(p.opts.Stream, &b, &g, p.run)
		g.Count = min(g.Count, max(0, g.Total-int(p.stored[subject])))
		if g.Count == 0 {
			continue
		}
		g.Notes = append(append([]string(nil), g.Notes...), "direct")
		groups, subjects = append(groups, g), append(subjects, subject)
	}
	b.Groups = groups
	return b, subjects
}

// unstored is the error of a batch that the stream didn't take, or may have: to
// publish a total again changes nothing, so it is as good as never sent. One
// with a group that is too large is refused, so that it holds up no other.
type unstored struct{ err error }

func (e *unstored) Error() string     { return e.err.Error() }
func (e *unstored) Unwrap() error     { return e.err }
func (e *unstored) Unknown() bool     { return false }
func (e *unstored) Unreachable() bool { return !e.Refused() }
func (e *unstored) Mend() string {
	if store.Denied(e.err) {
		return "let the program connect to NATS with credentials that it takes"
	}
	return ""
}

// RetryAfter is soon, though a person must do something: to ask again whether
// there is a connection asks nothing of NATS.
func (e *unstored) RetryAfter() time.Duration {
	if store.Denied(e.err) {
		return deniedWait
	}
	return 0
}

func (e *unstored) Refused() bool {
	var api *jetstream.APIError
	return errors.Is(e.err, nats.ErrMaxPayload) || errors.As(e.err, &api) && api.ErrorCode == errCodeMsgTooLarge
}
