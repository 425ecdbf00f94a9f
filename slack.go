// This file takes batches to Slack, or to the caller's Sender.

package slackalert

import (
	"context"
	"runtime/debug"

	"example.com/slackalert/internal/slackapi"
)

// carrier returns what takes batches where the options say.
func (c *config) carrier(tell func(string, ...any)) carrier {
	if c.opts.Sender != nil {
		u, _ := c.opts.Sender.(Updater)
		c.check = func(ctx context.Context) error {
			if s, ok := c.opts.Sender.(interface{ Check(context.Context) error }); ok {
				return s.Check(ctx)
			}
			return nil
		}
		return senderCarrier{c.opts.Sender, u}
	}
	var client *slackapi.Client
	if c.opts.WebhookURL != "" {
		client = slackapi.NewWebhook(c.opts.WebhookURL, c.opts.HTTPClient)
	} else {
		client = slackapi.NewBot(c.opts.Token, c.opts.APIURL, c.opts.HTTPClient)
	}
	client.Refused = func(err error) {
		tell("slackalert: Slack refused a message's layout, it was told as plain text", "error", err.Error())
	}
	c.check = client.Check
	opts, v := c.opts, readVersion()
	return &slackCarrier{client, c.opts.Token != "", func(b Batch) slackapi.Message {
		m := layout(b, &opts, v)
		return slackapi.Message{Channel: b.Channel, Text: m.text, Blocks: m.blocks, Plain: m.plain}
	}}
}

// slackCarrier lays batches out and carries them to Slack.
type slackCarrier struct {
	client *slackapi.Client
	bot    bool
	layout func(Batch) slackapi.Message
}

func (c *slackCarrier) post(ctx context.Context, b Batch) (string, error) {
	return c.client.Post(ctx, c.layout(b))
}

func (c *slackCarrier) edit(ctx context.Context, ref string, b Batch) error {
	return c.client.Edit(ctx, ref, c.layout(b))
}

func (c *slackCarrier) canEdit() bool { return c.bot }
func (c *slackCarrier) close()        { c.client.Close() }

// senderCarrier hands batches to the caller's Sender.
type senderCarrier struct {
	sender  Sender
	updater Updater // nil = it can't edit
}

func (c senderCarrier) post(ctx context.Context, b Batch) (string, error) {
	return b.ID, c.sender.Send(ctx, b)
}

func (c senderCarrier) edit(ctx context.Context, _ string, b Batch) error {
	return c.updater.Update(ctx, b)
}

func (c senderCarrier) canEdit() bool { return c.updater != nil }
func (c senderCarrier) close()        {}

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
