// This file takes batches to Slack, or to the caller's Sender.

package slackalert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/cite"
	"example.com/slackalert/internal/slackapi"
)

// A Sender delivers a batch as one message.
//
// Send is called from one goroutine per channel and must return soon after ctx
// is done: till then its channel waits. Returning nil, it has told the batch.
// After an error the groups fold back, and a later batch, with an ID of its own,
// carries them with what came since. Where the error leaves open whether the
// batch arrived, the same comes again, unchanged and under its ID: after 1 s,
// then after 1 min doubling to 10.
//
// What an error means is asked of its methods, each once:
//
//	RetryAfter() time.Duration // nothing before: 1 s to 1 h
//	Mend() string              // what a person must do first; tried after 1 min doubling to 10
//	Refused() bool             // for what it holds: it is halved, and what fails alone waits alone
//	Unknown() bool             // it may have arrived
//	Unreachable() bool         // it surely did not
//	Gone() bool                // of Update: the message isn't there any more
//
// Of an error without Unknown and Unreachable, a time-out or a cut connection is
// taken for unknown, and any other says that nothing was told. What Send logs
// through the handler it serves is no alert, and Flush and Shutdown, called by
// it, return an error. A Sender that has a method Check(context.Context) error is
// asked by [Handler.Check].
type Sender interface {
	Send(ctx context.Context, b Batch) error
}

// An Updater is a Sender that can also change what it sent: b.ID was sent
// before, its counts have grown. Update is called by the goroutine that calls
// Send for the same channel.
type Updater interface {
	Sender
	Update(ctx context.Context, b Batch) error
}

// Pacer is optional on a Sender: its own pace instead of Slack's, which is 1 s
// between two messages of a channel and 10 s between two edits of one message.
type Pacer interface {
	Gaps() (post, edit time.Duration)
}

// carrier takes a batch to where people read it. ref names what was posted, for
// edit; "" = it can't be edited. What an error means is asked of its methods, by
// package cause. Its methods are called by the lanes' goroutines.
type carrier interface {
	post(ctx context.Context, b Batch) (ref string, err error)
	edit(ctx context.Context, ref string, b Batch) error
	find(ctx context.Context, b Batch, since time.Time) (ref string, err error) // "" and nil: it isn't there; errNoHistory: it never can say
	canEdit() bool
	gaps() (post, edit time.Duration)
	close()
}

const (
	postGap = time.Second      // Slack: one message a second and channel (docs.slack.dev, "Rate limits")
	editGap = 10 * time.Second // between two edits of one message
)

// gaps asks the carrier for its pace, which may be code of the user's.
func gaps(c carrier) (post, edit time.Duration) {
	defer func() {
		if recover() != nil {
			post, edit = postGap, editGap
		}
	}()
	return c.gaps()
}

// errNoHistory is what find's error is where the app can't read the channel's
// history, however often it is asked. Any other error of find says that it
// isn't known now.
var errNoHistory = slackapi.ErrNoHistory

// carrier returns what takes batches where the options say. A carrier's methods
// may be called from several goroutines at once.
func (c *config) carrier() carrier {
	if c.nowhere {
		c.check = func(context.Context) error { return ErrNoDestination }
		return senderCarrier{}
	}
	if c.opts.Sender != nil {
		s := newSenderCarrier(c.opts.Sender)
		c.check = s.check
		return s
	}
	s := newSlackCarrier(c.opts, c.catalogue)
	s.client.Refused = func(err error) {
		c.guard.First("slackalert: Slack refused a message's layout, it was told as plain text, as others may be", "error", err.Error())
	}
	c.check = s.check
	return s
}

// slackCarrier lays batches out and carries them to Slack.
type slackCarrier struct {
	client *slackapi.Client
	bot    bool
	layout func(Batch) slackapi.Message
}

// newSlackCarrier asks codes at each message what is known of them.
func newSlackCarrier(opts Options, codes func() map[string]Code) *slackCarrier {
	c := &slackCarrier{bot: opts.Token != ""}
	if c.bot {
		c.client = slackapi.NewBot(opts.Token, opts.APIURL, opts.HTTPClient)
	} else {
		c.client = slackapi.NewWebhook(opts.WebhookURL, opts.HTTPClient)
	}
	tree := cite.Build()
	c.layout = func(b Batch) slackapi.Message {
		looks := opts
		looks.Codes = codes()
		m := layout(b, &looks, tree)
		return slackapi.Message{Channel: b.Channel, Text: m.text, Blocks: m.blocks, Plain: m.plain, ID: b.ID}
	}
	return c
}

func (c *slackCarrier) post(ctx context.Context, b Batch) (string, error) {
	return c.client.Post(ctx, c.layout(b))
}

func (c *slackCarrier) edit(ctx context.Context, ref string, b Batch) error {
	return c.client.Edit(ctx, ref, c.layout(b))
}

// find looks for the message that b became, not before since.
func (c *slackCarrier) find(ctx context.Context, b Batch, since time.Time) (string, error) {
	return c.client.Find(ctx, b.Channel, b.ID, since)
}

func (c *slackCarrier) check(ctx context.Context) error { return advised(c.client.Check(ctx)) }

func (c *slackCarrier) canEdit() bool                    { return c.bot }
func (c *slackCarrier) gaps() (post, edit time.Duration) { return postGap, editGap }
func (c *slackCarrier) close()                           { c.client.Close() }

// senderCarrier hands batches to the caller's Sender.
type senderCarrier struct {
	sender  Sender
	updater Updater // nil = it can't edit
	pace    Pacer   // nil = Slack's
}

func newSenderCarrier(s Sender) senderCarrier {
	c := senderCarrier{sender: s}
	c.updater, _ = s.(Updater)
	c.pace, _ = s.(Pacer)
	return c
}

func (c senderCarrier) post(ctx context.Context, b Batch) (string, error) {
	return b.ID, c.sender.Send(ctx, b)
}

func (c senderCarrier) edit(ctx context.Context, _ string, b Batch) error {
	return c.updater.Update(ctx, b)
}

// find can't: a Sender is asked nothing of the kind.
func (c senderCarrier) find(context.Context, Batch, time.Time) (string, error) {
	return "", errNoHistory
}

// check asks a Sender that has a method for it; the others are taken to be well.
func (c senderCarrier) check(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("slackalert: the Sender's Check panicked: " + capture.Said(p))
		}
	}()
	if s, ok := c.sender.(interface{ Check(context.Context) error }); ok {
		return advised(s.Check(ctx))
	}
	return nil
}

func (c senderCarrier) canEdit() bool { return c.updater != nil }

// gaps are the Sender's own, if it has any; none is below zero.
func (c senderCarrier) gaps() (post, edit time.Duration) {
	if c.pace == nil {
		return postGap, editGap
	}
	post, edit = c.pace.Gaps()
	return max(post, 0), max(edit, 0)
}

func (c senderCarrier) close() {}

// advised adds to the text of err what a person must do, where its method Mend
// knows that.
func advised(err error) error {
	var m interface{ Mend() string }
	if errors.As(err, &m) && m.Mend() != "" {
		return fmt.Errorf("%w: %s", err, m.Mend())
	}
	return err
}

// Slack tells batches and says what became of them, for Senders that keep what
// Slack answers. Make it with [NewSlack]. Its methods may be called from several
// goroutines at once. One call is one attempt: nothing waits, keeps a pace or
// tries again, but for a layout that Slack refuses, which goes out as plain text
// at once. How long an attempt takes at most, the context says, and the
// HTTPClient's Timeout (of the default client 10 s).
//
// Their errors hold no secret, and have methods that say more:
//
//	RetryAfter() time.Duration // how long Slack asked to be left alone by this method; 0 = it didn't
//	Workspace() bool           // by every method, in every channel: a quota of the workspace is used up
//	Mend() string              // what a person must do first; "" = time may do
//	Unknown() bool             // it went out, and the answer doesn't say whether it was taken
//	Unreachable() bool         // it surely never went out
//	Refused() bool             // it was refused for what it holds, as plain text too
//	Gone() bool                // of Edit: the message can't be edited any more, post anew
//	NoHistory() bool           // of Find: this app can't look, however often it is asked
type Slack struct {
	carrier          *slackCarrier
	channel, service string
}

// NewSlack returns what tells batches where opts says: Token with Channel, or
// WebhookURL. It checks all of opts as [New] does and wants one of the two: with
// Optional too, without them its error wraps [ErrNoDestination]. Of opts it
// looks at APIURL and HTTPClient, and at what concerns the layout, which is the
// default one: Codes, Mention, Links, SourceURL, Blocks. A panic in one of these
// functions leaves its part of the message out. It sends nothing.
func NewSlack(opts *Options) (*Slack, error) {
	c, err := newConfig(opts)
	switch {
	case err == nil && c.nowhere:
		err = ErrNoDestination
	case err == nil && c.opts.Sender != nil:
		err = errors.New("Sender is set; want Token with Channel, or WebhookURL, for a Slack that a Sender can use")
	}
	if err != nil {
		return nil, fmt.Errorf("slackalert: %w", err)
	}
	c.guardAll(func(string, ...any) {}) // there is no base to tell
	return &Slack{newSlackCarrier(c.opts, c.catalogue), c.opts.Channel, c.opts.Service}, nil
}

// Post tells b as one message and returns Slack's name of it, for Edit; a
// webhook's messages have none. b goes to its Channel, with an empty one to
// Options.Channel; a webhook has its own. An empty Service is Options.Service.
// b.ID goes along where people don't see
// it, for Find; every app of the workspace can read it.
func (s *Slack) Post(ctx context.Context, b Batch) (ref string, err error) {
	return s.carrier.post(ctx, s.at(b))
}

// Edit makes the message that ref names say b; nobody is notified. ref is Post's
// or Find's, of this process or another's with the same token. An empty ref, and
// a webhook's, is Gone.
func (s *Slack) Edit(ctx context.Context, ref string, b Batch) error {
	return s.carrier.edit(ctx, ref, s.at(b))
}

// Find looks in b's channel for the message that was posted with b.ID, and
// returns its ref; an empty one without an error says that it isn't there. It
// looks back to ten minutes before the earliest alert that b shows, to a day
// before now where b shows none with a time.
//
// A bot needs the scope channels:history, for private channels groups:history,
// and must be a member: else the error's NoHistory is true, as it is of a
// webhook and of a batch without an ID. A channel that is given by its name, not
// by its ID, can be looked into once this Slack has posted there.
func (s *Slack) Find(ctx context.Context, b Batch) (ref string, err error) {
	return s.carrier.find(ctx, s.at(b), b.since(time.Now()))
}

// at is b with the channel it goes to, and the service it is of.
func (s *Slack) at(b Batch) Batch {
	b.Channel, b.Service = cmp.Or(b.Channel, s.channel), cmp.Or(b.Service, s.service)
	return b
}

// since is a time before b can have been posted. The examples were captured
// before; a clock that is ahead of this one's counts no more than this one.
func (b Batch) since(now time.Time) time.Time {
	var earliest time.Time
	for _, g := range b.Groups {
		at := g.At
		if at.IsZero() {
			at = g.Last
		}
		if earliest.IsZero() || !at.IsZero() && at.Before(earliest) {
			earliest = at
		}
	}
	switch {
	case earliest.IsZero():
		return now.Add(-24 * time.Hour)
	case earliest.After(now):
		earliest = now
	}
	return earliest.Add(-10 * time.Minute)
}
