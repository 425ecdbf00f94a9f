package fleet_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
	"example.com/slackalert/fleet"
	"example.com/slackalert/fleet/internal/natsd"
)

// Three programs log the same error; a relay tells it once.
func Example() {
	server, end, err := natsd.Temp() // yours is elsewhere
	if err != nil {
		panic(err)
	}
	defer end()
	slack, err := fakeslack.Start(nil)
	if err != nil {
		panic(err)
	}
	defer slack.Close()

	// A program: its handler publishes what it counts.
	program := func(n int) {
		nc, err := nats.Connect(natsd.URL(server), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true))
		if err != nil {
			panic(err)
		}
		defer nc.Close()
		js, err := jetstream.New(nc)
		if err != nil {
			panic(err)
		}
		publisher, err := fleet.NewPublisher(js, nil)
		if err != nil {
			panic(err)
		}
		h, err := slackalert.New(slog.NewJSONHandler(io.Discard, nil), &slackalert.Options{
			Sender: publisher, Channel: "C0123456789", Service: "shop", BatchDelay: 50 * time.Millisecond,
		})
		if err != nil {
			panic(err)
		}
		defer h.Close()
		logger := slog.New(h)
		for range n {
			logger.Error("payment failed")
		}
	}
	for _, n := range []int{1000, 200, 34} {
		program(n)
	}

	// A relay: cmd/fleetrelay, or this.
	nc, err := nats.Connect(natsd.URL(server), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true))
	if err != nil {
		panic(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- fleet.Run(ctx, js, slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}), &slackalert.Options{
			Token: "xoxb-yours", Channel: "C0123456789", APIURL: slack.APIURL(), // without APIURL: Slack itself
		}, nil)
	}()

	for len(slack.Messages("")) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	fmt.Println(<-done)
	for _, m := range slack.Messages("") {
		fmt.Println(m.Text)
	}
	// Output:
	// <nil>
	// 🔴 shop ×1,234: payment failed
}

// direct posts to Slack itself.
type direct struct{ slack *slackalert.Slack }

func (d direct) Send(ctx context.Context, b slackalert.Batch) error {
	_, err := d.slack.Post(ctx, b)
	return err
}

// A program that tells new kinds of alert itself when NATS has been away for a
// minute. It wants a token of its own for that.
func ExampleOptions_direct() {
	nc, err := nats.Connect("nats://127.0.0.1:1", nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true)) // nobody is there
	if err != nil {
		panic(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		panic(err)
	}
	server, err := fakeslack.Start(nil)
	if err != nil {
		panic(err)
	}
	defer server.Close()
	slack, err := slackalert.NewSlack(&slackalert.Options{Token: "xoxb-yours", Channel: "C0123456789", APIURL: server.APIURL()})
	if err != nil {
		panic(err)
	}
	publisher, err := fleet.NewPublisher(js, &fleet.Options{Direct: direct{slack}, DirectAfter: time.Millisecond}) // a minute, for you
	if err != nil {
		panic(err)
	}
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: publisher, Channel: "C0123456789", Service: "shop", BatchDelay: 50 * time.Millisecond})
	if err != nil {
		panic(err)
	}
	slog.New(h).Error("payment failed")
	if err := h.Close(); err != nil {
		panic(err)
	}
	fmt.Println(server.Messages("")[0].Text)
	// Output: 🔴 shop: payment failed (direct)
}
