// This file goes through the terms of a relay: set up, stand by, lead, step down,
// again.

// Package relay is what reads a fleet's counts and tells Slack.
package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/lease"
	"example.com/slackalert/fleet/internal/store"
)

// Slack is where batches go.
type Slack interface {
	Post(ctx context.Context, b slackalert.Batch) (ref string, err error)
	Edit(ctx context.Context, ref string, b slackalert.Batch) error
	Find(ctx context.Context, b slackalert.Batch) (ref string, err error)
}

// Config is what a relay needs to know. All of it must be set.
type Config struct {
	JS      jetstream.JetStream
	Place   store.Place
	Base    slog.Handler       // hears of the relay's own doings
	Slack   Slack              // under Fence
	Fence   *Fence             // in Slack's way to the network
	CanEdit bool               // Slack does
	Options slackalert.Options // for pace, service and the channel of groups without one
	Handler func(base slog.Handler, opts *slackalert.Options) (Handler, error)
}

// Handler is what of a slackalert.Handler a leader uses.
type Handler interface {
	Merge(b slackalert.Batch)
	Resume(b slackalert.Batch, ref string, told time.Time)
	Shutdown(ctx context.Context) error
}

// The waits between terms that failed.
const (
	retryMin     = 200 * time.Millisecond
	retryMax     = 5 * time.Second
	setUpTimeout = 10 * time.Second
)

// Relay is one that may lead. One goroutine runs it.
type Relay struct {
	Config
	name string // host and process, for people

	mu     sync.Mutex
	status Status
	denied bool              // it was said that NATS doesn't take its credentials
	said   map[string]bool   // what is said once
	known  map[string]string // by batch: Slack's name of a message that was posted, and couldn't be noted
}

// Status is what a relay is doing.
type Status struct {
	Role   string    `json:"role"`  // "setting up", "standing by", "leading", "ended"
	Since  time.Time `json:"since"` // it is so
	Error  string    `json:"error,omitempty"`
	Groups int       `json:"groups"` // known to the leader
	Counts int       `json:"counts"` // of them, of single processes
}

// The roles.
const (
	settingUp  = "setting up"
	standingBy = "standing by"
	leading    = "leading"
	ended      = "ended"
)

// New returns a relay that does nothing yet.
func New(c Config) *Relay {
	host, _ := os.Hostname() // a name without it does too
	return &Relay{
		Config: c, name: fmt.Sprintf("%s/%d", host, os.Getpid()),
		status: Status{Role: settingUp, Since: time.Now()},
		said:   make(map[string]bool), known: make(map[string]string),
	}
}

// Status is what the relay is doing now.
func (r *Relay) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

func (r *Relay) be(role string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.Role != role {
		r.status.Role, r.status.Since = role, time.Now()
	}
}

// Run stands by, leads and steps down until ctx ends; then it returns nil. What
// fails is tried again, and said to base when it begins and when it is over. An
// error is what trying again can't mend.
func (r *Relay) Run(ctx context.Context) error {
	defer r.be(ended)
	wait := retryMin
	for {
		began := time.Now()
		err := r.term(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if r.JS.Conn().IsClosed() {
			return fmt.Errorf("slackalert/fleet: %w; want one with nats.MaxReconnects(-1), and nats.IgnoreAuthErrorAbort() where credentials may be wrong for a while", store.Why(r.JS.Conn(), errors.New("the connection to NATS is closed, and doesn't come back")))
		}
		r.failed(err)
		if time.Since(began) > retryMax {
			wait = retryMin
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait + mathrand.N(wait/4)):
		}
		wait = min(2*wait, retryMax)
	}
}

// term is one way through: whatever isn't there is made, also when it has gone
// since the last term.
func (r *Relay) term(ctx context.Context) error {
	r.be(settingUp)
	setUp, cancel := context.WithTimeoutCause(ctx, setUpTimeout, errors.New("NATS didn't answer in time"))
	st, err := store.Open(setUp, r.JS, &r.Place)
	cancel()
	if err != nil && !r.JS.Conn().IsConnected() {
		return store.ErrAway // the client says that a buffer is full
	}
	if err != nil {
		return err
	}
	if len(st.Other) > 0 {
		r.sayOnce("settings", "slackalert fleet: the stream was made with other settings, they are left as they are", "stream", r.Place.Stream, "settings", strings.Join(st.Other, "; "))
	}
	r.be(standingBy)
	standing := time.AfterFunc(retryMax, r.worked)
	defer standing.Stop()
	held, err := lease.Acquire(ctx, st.Lead, r.name+" "+rand.Text(), st.Lease*3/4)
	if err != nil {
		return err
	}
	standing.Stop()
	r.be(leading)
	l := &leader{Relay: r, store: st, lease: held, began: time.Now()}
	err = l.run(ctx)
	r.mu.Lock()
	r.status.Groups, r.status.Counts = 0, 0
	r.mu.Unlock()
	return err
}

// failed says what keeps the relay from its work: once, and once more when it
// turns out that it is its credentials.
func (r *Relay) failed(err error) {
	err = store.Why(r.JS.Conn(), err)
	denied := store.Denied(err)
	r.mu.Lock()
	news := r.status.Error == "" || denied && !r.denied
	r.status.Error, r.denied = err.Error(), denied || r.denied
	r.mu.Unlock()
	if news {
		r.say(slog.LevelWarn, "slackalert fleet: the relay can't work, it tries again", "error", err.Error())
	}
}

// worked ends that.
func (r *Relay) worked() {
	r.mu.Lock()
	was := r.status.Error
	r.status.Error, r.denied = "", false
	r.mu.Unlock()
	if was != "" {
		r.say(slog.LevelWarn, "slackalert fleet: the relay works again", "was", was)
	}
}

// say tells base.
func (r *Relay) say(level slog.Level, msg string, args ...any) {
	ctx := context.Background()
	if !r.Base.Enabled(ctx, level) {
		return
	}
	rec := slog.NewRecord(time.Now(), level, msg, 0)
	rec.Add(append([]any{"relay", r.name}, args...)...)
	_ = r.Base.Handle(ctx, rec) // base failed to hear of a failure: nobody is left to tell
}

// sayOnce tells base what is true of a whole kind, the first time.
func (r *Relay) sayOnce(kind, msg string, args ...any) {
	r.mu.Lock()
	before := r.said[kind]
	r.said[kind] = true
	r.mu.Unlock()
	if !before {
		r.say(slog.LevelWarn, msg, args...)
	}
}

// observer is the key of what Observed keeps in a context.
type observer struct{}

// Observed returns a context whose relay see hears of before it runs: the
// program around a relay wants its Status, and fleet.Run returns at the end only.
func Observed(ctx context.Context, see func(*Relay)) context.Context {
	return context.WithValue(ctx, observer{}, see)
}

// Observe tells of r whoever wanted to know.
func Observe(ctx context.Context, r *Relay) {
	if see, ok := ctx.Value(observer{}).(func(*Relay)); ok {
		see(r)
	}
}

// Working says whether the relay leads or stands by.
func (s Status) Working() bool { return s.Error == "" && (s.Role == standingBy || s.Role == leading) }
