// This example is a Sender that keeps what Slack says.

package slackalert_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
)

// journal tells batches by Slack and keeps where each stands, so that others can
// link to it.
type journal struct {
	slack *slackalert.Slack
	mu    sync.Mutex
	refs  map[string]string // by Batch.ID
}

func (j *journal) Send(ctx context.Context, b slackalert.Batch) error {
	ref, err := j.slack.Post(ctx, b)
	var e interface{ Unknown() bool }
	if errors.As(err, &e) && e.Unknown() { // it may stand there: look
		if found, none := j.slack.Find(ctx, b); none == nil && found != "" {
			ref, err = found, nil
		}
	}
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refs[b.ID] = ref
	return nil
}

func (j *journal) Update(ctx context.Context, b slackalert.Batch) error {
	j.mu.Lock()
	ref := j.refs[b.ID]
	j.mu.Unlock()
	return j.slack.Edit(ctx, ref, b)
}

func ExampleNewSlack() {
	server, err := fakeslack.Start(nil)
	if err != nil {
		panic(err)
	}
	defer server.Close()
	slack, err := slackalert.NewSlack(&slackalert.Options{Token: "xoxb-1", Channel: "C0123456789", APIURL: server.APIURL()})
	if err != nil {
		panic(err)
	}
	j := &journal{slack: slack, refs: make(map[string]string)}
	h, err := slackalert.New(slog.NewTextHandler(os.Stderr, nil), &slackalert.Options{Sender: j})
	if err != nil {
		panic(err)
	}
	server.FailNext(1, fakeslack.Fault{Drop: true}) // it takes the message, and its answer is lost
	slog.New(h).Error("payment failed")
	fmt.Println(h.Close(), len(j.refs), len(server.Messages("C0123456789")))
	// Output:
	// <nil> 1 1
}
