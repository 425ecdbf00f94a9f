// This file takes batches to Slack, or to the caller's Sender.

package slackalert

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"example.com/slackalert/internal/slackapi"
)

// errNoHistory is what find's error is where the app can't read the channel's
// history, however often it is asked. Any other error of find says that it
// isn't known now.
var errNoHistory = slackapi.ErrNoHistory

// carrier returns what takes batches where the options say. A carrier's methods
// may be called from several goroutines at once.
func (c *config) carrier(tell func(string, ...any)) carrier {
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
		tell("slackalert: Slack refused a message's layout, it was told as plain text", "error", err.Error())
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
	v := readVersion()
	c.layout = func(b Batch) slackapi.Message {
		looks := opts
		looks.Codes = codes()
		m := layout(b, &looks, v)
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
			err = fmt.Errorf("slackalert: the Sender's Check panicked: %v", p)
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

// readVersion asks the build what it was built from.
func readVersion() version {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version{}
	}
	v := version{module: info.Main.Path}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.revision = s.Value
		case "vcs.modified":
			v.modified = s.Value == "true"
		}
	}
	return v
}

// Slack posts and edits batches, for Senders that keep what Slack says.
type Slack struct {
	client *slackapi.Client
}

// NewSlack returns what posts to the destination of opts.
func NewSlack(opts *Options) (*Slack, error) {
	panic("not built yet")
}

// Post sends b as one message and returns Slack's name of it.
func (s *Slack) Post(ctx context.Context, b Batch) (ref string, err error) {
	panic("not built yet")
}

// Edit changes the message ref to say b.
func (s *Slack) Edit(ctx context.Context, ref string, b Batch) error {
	panic("not built yet")
}

// Find looks for b in its channel's history, by Batch.ID.
func (s *Slack) Find(ctx context.Context, b Batch) (ref string, err error) {
	panic("not built yet")
}
