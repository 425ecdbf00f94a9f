// These examples say what is the same thing happening again, and when it is
// told.

package slackalert_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"example.com/slackalert"
)

// channel stands for Slack's here: a message is what is received from it.
type channel chan slackalert.Batch

func (c channel) Send(_ context.Context, b slackalert.Batch) error {
	c <- b
	return nil
}

// Gaps says that it needs no second between two messages, as Slack does.
func (c channel) Gaps() (post, edit time.Duration) { return time.Millisecond, time.Millisecond }

func (c channel) show() {
	fmt.Println("a message:")
	for _, g := range (<-c).Groups {
		fmt.Printf("  %s: %d now, %d in all\n", g.Message, g.Count, g.Total)
	}
}

// Fingerprint says what is the same thing happening again. Here all time-outs
// are, whatever timed out.
func ExampleOptions_fingerprint() {
	messages := make(channel, 10)
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender: messages,
		Fingerprint: func(_ context.Context, r slog.Record) string {
			timeout := false
			r.Attrs(func(a slog.Attr) bool {
				err, ok := a.Value.Any().(error)
				timeout = ok && errors.Is(err, context.DeadlineExceeded)
				return !timeout
			})
			if timeout {
				return "time-out"
			}
			return "" // the default grouping
		},
	})
	if err != nil {
		panic(err)
	}
	logger := slog.New(h)

	logger.Error("query failed", "error", context.DeadlineExceeded)
	logger.Error("mail not sent", "error", fmt.Errorf("mail: %w", context.DeadlineExceeded))
	if err := h.Close(); err != nil {
		panic(err)
	}
	messages.show()
	// Output:
	// a message:
	//   query failed: 2 now, 2 in all
}

// The first alert waits BatchDelay for company, and no longer once there are
// BatchSize kinds.
func ExampleOptions_batchSize() {
	messages := make(channel, 10)
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender:     messages,
		BatchDelay: time.Hour,
		BatchSize:  2,
	})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	for range 2 {
		logger.Error("payment failed")
	}
	logger.Error("mail not sent")
	messages.show() // not an hour later
	// Output:
	// a message:
	//   payment failed: 2 now, 2 in all
	//   mail not sent: 1 now, 1 in all
}

// What was told is not posted again for RepeatInterval, then for twice that, and
// so on up to RepeatMax. Its repeats are counted; Flush leaves them alone, Close
// tells them.
func ExampleOptions_repeatInterval() {
	messages := make(channel, 10)
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender:         messages,
		RepeatInterval: time.Hour,
		RepeatMax:      24 * time.Hour,
	})
	if err != nil {
		panic(err)
	}
	pay := func() { slog.New(h).Error("payment failed") }

	pay()
	_ = h.Flush(context.Background())
	messages.show()

	for range 41 {
		pay()
	}
	_ = h.Flush(context.Background())
	fmt.Println("waiting:", h.Stats().Pending, "in", len(messages), "messages")

	if err := h.Close(); err != nil {
		panic(err)
	}
	messages.show()
	// Output:
	// a message:
	//   payment failed: 1 now, 1 in all
	// waiting: 41 in 0 messages
	// a message:
	//   payment failed: 41 now, 42 in all
}

// MaxGroups bounds what is remembered. Further kinds are counted together, the
// first of them in full.
func ExampleOptions_maxGroups() {
	messages := make(channel, 10)
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: messages, MaxGroups: 2})
	if err != nil {
		panic(err)
	}
	logger := slog.New(h)
	for _, what := range []string{"payment failed", "mail not sent", "index is stale", "disk is full"} {
		logger.Error(what)
	}
	if err := h.Close(); err != nil {
		panic(err)
	}
	messages.show()
	// Output:
	// a message:
	//   other alerts (over 2 kinds), the first: index is stale: 2 now, 2 in all
	//   payment failed: 1 now, 1 in all
	//   mail not sent: 1 now, 1 in all
}
