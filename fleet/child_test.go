package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/slack-go/slack"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/again"
	"example.com/slackalert/fleet/internal/relay"
)

// The test's binary is also the processes that the tests kill: a relay, and a
// program that logs.
const (
	natsEnv  = "FLEET_NATS"
	slackEnv = "FLEET_SLACK"
	hostEnv  = "FLEET_HOST"
	trapEnv  = "FLEET_TRAP"
	countEnv = "FLEET_COUNT"
	rEnv     = "FLEET_REPLICAS"
	spoolEnv = "FLEET_SPOOL"
)

func TestMain(m *testing.M) {
	switch again.Role() {
	case "relay":
		childRelay()
	case "program":
		childProgram()
	default:
		os.Exit(m.Run())
	}
}

func childJS() jetstream.JetStream {
	nc, err := nats.Connect(os.Getenv(natsEnv), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.RetryOnFailedConnect(true),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		panic(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		panic(err)
	}
	return js
}

func childOptions() *Options {
	o := &Options{Replicas: 1}
	if r := os.Getenv(rEnv); r != "" {
		_, _ = fmt.Sscan(r, &o.Replicas)
	}
	return o
}

// childRelay runs a relay until it is killed. It logs JSON to stdout, and says
// there when it is in its trap.
func childRelay() {
	ctx, end := context.WithCancel(context.Background())
	go func() { // it ends with the test
		again.UntilClosed()
		end()
		time.Sleep(5 * time.Second)
		os.Exit(3)
	}()
	r, err := newRelay(childJS(), slog.NewJSONHandler(os.Stdout, nil), readable(os.Getenv(slackEnv)), childOptions())
	if err != nil {
		panic(err)
	}
	if os.Getenv(trapEnv) != "" {
		r.Slack = &trap{Slack: r.Slack, kind: os.Getenv(trapEnv)}
	}
	r.Handler = func(base slog.Handler, opts *slackalert.Options) (relay.Handler, error) {
		opts.Sender = hasty{opts.Sender.(slackalert.Updater)}
		return slackalert.New(base, opts)
	}
	if err := r.Run(ctx); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// hasty doesn't wait as Slack wants it: more is told while a test lasts, and more
// is under way when it strikes.
type hasty struct{ slackalert.Updater }

func (hasty) Gaps() (post, edit time.Duration) { return 50 * time.Millisecond, 200 * time.Millisecond }

// readable are options for a Slack whose messages a test can read back: a block
// of JSON a group.
func readable(api string) *slackalert.Options {
	return &slackalert.Options{
		Token: "xoxb-test", Channel: "C1", APIURL: api, Service: "relay", BatchDelay: 50 * time.Millisecond, RepeatInterval: time.Hour,
		Blocks: func(b slackalert.Batch) []slack.Block {
			var lines []slack.Block
			for _, g := range b.Groups {
				line, err := json.Marshal(shown{g.Fingerprint, g.Message, g.Count, g.Total, g.Hosts, g.Named, g.Notes, b.Service, b.Host, g.Users})
				if err != nil {
					panic(err)
				}
				lines = append(lines, slack.NewSectionBlock(slack.NewTextBlockObject(slack.PlainTextType, string(line), false, false), nil, nil))
			}
			return lines
		},
	}
}

// shown is a group as a readable message has it.
type shown struct {
	F       string
	Message string
	Count   int
	Total   int
	Hosts   int
	Named   []string
	Notes   []string
	Service string
	Host    string
	Users   int
}

// trap stops a relay for ever after Slack's answer and before the note.
type trap struct {
	relay.Slack
	kind string
	once sync.Once
}

func (t *trap) Post(ctx context.Context, b slackalert.Batch) (string, error) {
	ref, err := t.Slack.Post(ctx, b)
	if err == nil && t.kind == "post" {
		t.hold()
	}
	return ref, err
}

func (t *trap) Edit(ctx context.Context, ref string, b slackalert.Batch) error {
	err := t.Slack.Edit(ctx, ref, b)
	if err == nil && t.kind == "edit" {
		t.hold()
	}
	return err
}

func (t *trap) hold() {
	t.once.Do(func() { fmt.Println(`{"msg":"trapped"}`) })
	select {}
}

// childProgram logs equal errors, and ends when all are published.
func childProgram() {
	p, err := NewPublisher(childJS(), childOptions())
	if err != nil {
		panic(err)
	}
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: again.OnHost{Publisher: p, Host: os.Getenv(hostEnv)}, Channel: "C1", Service: "shop", BatchDelay: 50 * time.Millisecond, SpoolDir: os.Getenv(spoolEnv)})
	if err != nil {
		panic(err)
	}
	n := 0
	_, _ = fmt.Sscan(os.Getenv(countEnv), &n)
	logger := slog.New(h)
	for i := range n {
		logger.Error("payment failed", "error", "no route to host", "user", i%50)
		if i%100 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	if os.Getenv(spoolEnv) != "" { // it waits to be killed
		fmt.Println("logged")
		again.UntilClosed()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// spawn starts the test's binary in a role, until the test ends.
func spawn(t *testing.T, role string, env ...string) *again.Process {
	p, err := again.Start(context.Background(), role, env...)
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	return p
}
