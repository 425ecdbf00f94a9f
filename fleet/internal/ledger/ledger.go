// This file keeps what was told: an entry a message, claimed before it is
// posted and completed after.

// Package ledger is the leaders' memory: what is told, of which message, and what
// perhaps is. An entry stands for a message: all of its groups are claimed in one
// step, before the message is posted, and Slack's name of it is noted after.
//
// A leader that was frozen may wake and claim, though another leads by now. Each
// leader opens a chapter before it reads, and who claims asks for the lease
// afterwards: so a claim of an older chapter that stands behind the opening of a
// newer one was never followed by a post, and is void.
package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
)

// version is the format of entries that this package writes, and the newest it
// reads.
const version = 1

const (
	chapterKey = "chapter." // and the epoch
	messageKey = "message." // and the batch's ID
	maxEntry   = 512 << 10  // bytes; NATS takes 1 MiB by default
)

// Entry is a message.
type Entry struct {
	V      int              `json:"v"`
	Epoch  uint64           `json:"epoch"`           // of the leader that wrote it
	Ref    string           `json:"ref,omitempty"`   // Slack's name of the message; "" = claimed
	Order  uint64           `json:"order,omitempty"` // grows from claim to claim, whatever leaders' clocks say
	At     time.Time        `json:"at"`              // when it was claimed, or last told
	Posted time.Time        `json:"posted,omitzero"` // zero = it wasn't edited since: At
	Before []int64          `json:"before"`          // told of each group before this message
	Batch  slackalert.Batch `json:"batch"`           // as told; each group's Count is what this message tells

	rev uint64
}

// UpTo is how much is told of a group, by its index, with the message.
func (e *Entry) UpTo(i int) int64 { return e.Before[i] + int64(e.Batch.Groups[i].Count) }

// ErrTaken is the error of who isn't the leader any more: another wrote the
// entry.
var ErrTaken = errors.New("another relay wrote the entry")

// Ledger is one leader's view. Its methods may be called from many goroutines,
// for different entries.
type Ledger struct {
	kv     jetstream.KeyValue
	stream jetstream.Stream // under kv
	epoch  uint64
}

// Open opens a chapter and reads all entries, oldest first. bad has an error for
// each that can't be read, which is left alone.
func Open(ctx context.Context, js jetstream.JetStream, kv jetstream.KeyValue, epoch uint64) (l *Ledger, entries []*Entry, bad []error, err error) {
	stream, err := js.Stream(ctx, "KV_"+kv.Bucket())
	if err != nil {
		return nil, nil, nil, fmt.Errorf("bucket %s: %w", kv.Bucket(), err)
	}
	l = &Ledger{kv: kv, stream: stream, epoch: epoch}
	opening, err := kv.Put(ctx, chapterKey+strconv.FormatUint(epoch, 10), nil)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("open a chapter in %s: %w", kv.Bucket(), err)
	}
	r := reader{bucket: kv.Bucket()}
	if err := r.read(ctx, stream, opening); err != nil {
		return nil, nil, nil, fmt.Errorf("read %s: %w", kv.Bucket(), err)
	}
	for _, key := range r.void {
		if err := l.drop(ctx, key); err != nil {
			return nil, nil, nil, err
		}
	}
	return l, r.entries, r.bad, nil
}

// reader goes through a bucket once.
type reader struct {
	bucket  string
	chapter uint64 // the newest that was opened so far
	entries []*Entry
	void    []string // keys: earlier chapters, and claims that were never followed by a post
	bad     []error
}

// read reads up to the chapter's opening: whatever server answers, it knows all
// before it when it knows that.
func (r *reader) read(ctx context.Context, stream jetstream.Stream, opening uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
	if err != nil {
		return err
	}
	msgs, err := c.Messages()
	if err != nil {
		return err
	}
	defer msgs.Stop()
	for {
		m, err := msgs.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Stream >= opening {
			return nil
		}
		r.take(strings.TrimPrefix(m.Subject(), "$KV."+r.bucket+"."), m, meta.Sequence.Stream)
	}
}

func (r *reader) take(key string, m jetstream.Msg, rev uint64) {
	if epoch, ok := strings.CutPrefix(key, chapterKey); ok {
		n, _ := strconv.ParseUint(epoch, 10, 64)
		r.chapter = max(r.chapter, n)
		r.void = append(r.void, key)
		return
	}
	if !strings.HasPrefix(key, messageKey) || m.Headers().Get("KV-Operation") != "" {
		return
	}
	e := &Entry{rev: rev, Order: rev} // a claim has no other
	switch err := e.parse(m.Data()); {
	case err != nil:
		r.bad = append(r.bad, fmt.Errorf("%s in %s: %w", key, r.bucket, err))
	case e.Ref == "" && e.Epoch < r.chapter:
		r.void = append(r.void, key)
	default:
		r.entries = append(r.entries, e)
	}
}

func (e *Entry) parse(data []byte) error {
	if err := json.Unmarshal(data, e); err != nil {
		return fmt.Errorf("no entry: %w", err)
	}
	if e.V != version {
		return fmt.Errorf("its format is %d; want %d", e.V, version)
	}
	if len(e.Before) != len(e.Batch.Groups) || e.Batch.ID == "" {
		return fmt.Errorf("it has %d groups, counts of %d and the ID %q; want as many, and an ID", len(e.Batch.Groups), len(e.Before), e.Batch.ID)
	}
	return nil
}

// Claim writes an entry that isn't there yet. ErrTaken: it is.
func (l *Ledger) Claim(ctx context.Context, e *Entry) error {
	data, err := l.marshal(e)
	if err != nil {
		return err
	}
	rev, err := l.kv.Create(ctx, messageKey+e.Batch.ID, data)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return fmt.Errorf("claim %s: %w", e.Batch.ID, ErrTaken)
	}
	if err != nil {
		return fmt.Errorf("claim %s: %w", e.Batch.ID, err)
	}
	e.rev, e.Order = rev, rev
	return nil
}

// Note writes what has become of an entry that was claimed or read. ErrTaken:
// another did meanwhile.
func (l *Ledger) Note(ctx context.Context, e *Entry) error {
	data, err := l.marshal(e)
	if err != nil {
		return err
	}
	rev, err := l.kv.Update(ctx, messageKey+e.Batch.ID, data, e.rev)
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		// An earlier attempt may have arrived though its answer didn't.
		if got, geterr := l.kv.Get(ctx, messageKey+e.Batch.ID); geterr == nil && string(got.Value()) == string(data) {
			e.rev = got.Revision()
			return nil
		}
		return fmt.Errorf("note %s: %w", e.Batch.ID, ErrTaken)
	}
	if err != nil {
		return fmt.Errorf("note %s: %w", e.Batch.ID, err)
	}
	e.rev = rev
	return nil
}

// Drop removes an entry, and leaves no mark where it was.
func (l *Ledger) Drop(ctx context.Context, id string) error { return l.drop(ctx, messageKey+id) }

func (l *Ledger) drop(ctx context.Context, key string) error {
	if err := l.stream.Purge(ctx, jetstream.WithPurgeSubject("$KV."+l.kv.Bucket()+"."+key)); err != nil {
		return fmt.Errorf("drop %s: %w", key, err)
	}
	return nil
}

// marshal is the entry as it is written: without the examples' texts where it
// would be too large.
func (l *Ledger) marshal(e *Entry) ([]byte, error) {
	e.V, e.Epoch = version, l.epoch
	data, err := json.Marshal(e)
	if err == nil && len(data) > maxEntry {
		short := *e
		short.Batch.Groups = make([]slackalert.Group, len(e.Batch.Groups))
		for i, g := range e.Batch.Groups {
			g.Stack, g.Fields, g.Breadcrumbs, g.UserSet = "", nil, nil, nil
			short.Batch.Groups[i] = g
		}
		data, err = json.Marshal(&short)
	}
	if err != nil {
		return nil, fmt.Errorf("entry %s: %w", e.Batch.ID, err)
	}
	return data, nil
}
