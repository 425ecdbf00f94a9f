// This file runs a relay on what the caller has.

package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/relay"
)

// Run reads what the fleet's processes publish, and tells Slack, until ctx ends;
// then it returns nil. Any number may run: one leads, the others stand by, and
// one of them goes on within Options.Lease when the leader is gone.
//
// slack says where: Token with Channel, or WebhookURL. A group goes to the
// channel that its process gave it, without one to slack.Channel. Of the rest,
// what concerns the layout, the pace, HTTPClient and APIURL is used; what is an
// alert, and what it shows of a record, was decided in the processes. With a
// webhook, nothing can be edited or looked for: counts are told at the end of
// RepeatInterval.
//
// base hears who leads and what goes wrong. While NATS is away or refuses, Run
// tries again and says so once, and once more when it turns out that it is the
// credentials. It returns an error only for what trying again
// can't mend: options that are wrong, a connection that is closed.
func Run(ctx context.Context, js jetstream.JetStream, base slog.Handler, slack *slackalert.Options, opts *Options) error {
	r, err := newRelay(js, base, slack, opts)
	if err != nil {
		return err
	}
	relay.Observe(ctx, r)
	return r.Run(ctx)
}

func newRelay(js jetstream.JetStream, base slog.Handler, slack *slackalert.Options, opts *Options) (*relay.Relay, error) {
	o, err := filled(js, opts)
	if err != nil {
		return nil, err
	}
	if base == nil {
		return nil, errors.New("slackalert/fleet: base is nil; want the handler that hears what the relay does, such as slog.NewJSONHandler(os.Stdout, nil)")
	}
	if slack == nil {
		slack = &slackalert.Options{}
	}
	s := *slack
	s.Optional = false
	fence := &relay.Fence{}
	s.HTTPClient = fenced(s.HTTPClient, fence)
	client, err := slackalert.NewSlack(&s)
	if err != nil {
		return nil, fmt.Errorf("slackalert/fleet: %w", err)
	}
	return relay.New(relay.Config{
		JS: js, Place: o.place(), Base: base, Slack: client, Fence: fence, CanEdit: s.WebhookURL == "", Options: s,
		Handler: func(base slog.Handler, opts *slackalert.Options) (relay.Handler, error) {
			return slackalert.New(base, opts)
		},
	}), nil
}

// clientTimeout is that of slackalert's own client.
const clientTimeout = 10 * time.Second

// fenced is hc, or a client like slackalert's own, whose requests pass the fence.
func fenced(hc *http.Client, fence *relay.Fence) *http.Client {
	c := &http.Client{Timeout: clientTimeout}
	if hc != nil {
		*c = *hc
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
		if t, ok := c.Transport.(*http.Transport); ok {
			c.Transport = t.Clone()
		}
	}
	fence.Next = c.Transport
	c.Transport = fence
	return c
}
