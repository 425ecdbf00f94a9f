package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/slack-go/slack"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/relay"
)

// The test's binary is also the processes that the tests kill: a relay, and a
// program that logs.
const (
	roleEnv  = "FLEET_ROLE"
	natsEnv  = "FLEET_NATS"
	slackEnv = "FLEET_SLACK"
	hostEnv  = "FLEET_HOST"
	trapEnv  = "FLEET_TRAP"
	countEnv = "FLEET_COUNT"
	rEnv     = "FLEET_REPLICAS"
	spoolEnv = "FLEET_SPOOL"
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
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
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
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
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: onHost{p, os.Getenv(hostEnv)}, Channel: "C1", Service: "shop", BatchDelay: 50 * time.Millisecond, SpoolDir: os.Getenv(spoolEnv)})
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
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// onHost lets a process of this machine stand for one of another.
type onHost struct {
	*Publisher
	host string
}

func (o onHost) Send(ctx context.Context, b slackalert.Batch) error {
	b.Host = o.host
	return o.Publisher.Send(ctx, b)
}

func (o onHost) Update(ctx context.Context, b slackalert.Batch) error {
	b.Host = o.host
	return o.Publisher.Update(ctx, b)
}

// child is a process under test. What it logs is kept.
type child struct {
	cmd *exec.Cmd

	mu    sync.Mutex
	lines []string
	came  chan string // lines of relays
	done  chan struct{}
}

// spawn starts the test's binary in a role.
func spawn(t *testing.T, role string, env ...string) *child {
	exe, err := os.Executable()
	require.NoError(t, err)
	c := &child{cmd: exec.Command(exe), came: make(chan string, 1000), done: make(chan struct{})}
	c.cmd.Env = append(append(os.Environ(), roleEnv+"="+role), env...)
	c.cmd.Stderr = os.Stderr
	_, err = c.cmd.StdinPipe() // closed when the test's process ends
	require.NoError(t, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(c.kill)
	go func() {
		defer close(c.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.mu.Lock()
			c.lines = append(c.lines, lines.Text())
			c.mu.Unlock()
			select {
			case c.came <- lines.Text():
			default:
			}
		}
	}()
	return c
}

func (c *child) signal(s syscall.Signal) { _ = c.cmd.Process.Signal(s) }

// kill ends the process at once, and returns when it has ended.
func (c *child) kill() {
	c.signal(syscall.SIGKILL)
	c.signal(syscall.SIGCONT)
	<-c.done
	_ = c.cmd.Wait()
}

// forget drops what was logged so far.
func (c *child) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = nil
}

// has says whether the process has logged this.
func (c *child) has(msg string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lines {
		if strings.Contains(l, msg) {
			return true
		}
	}
	return false
}

func (c *child) log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
}
