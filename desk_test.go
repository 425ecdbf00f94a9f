package slackalert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/capture"
)

// desk is a Sender that keeps what arrives, with its time.
type desk struct {
	mu    sync.Mutex
	start time.Time
	got   []arrival
	fail  func(what string, b Batch) error // nil = never
	block func(ctx context.Context, b Batch)
}

type arrival struct {
	what string // "post" or "edit"
	at   time.Duration
	Batch
}

func newDesk() *desk { return &desk{start: time.Now()} }

func (d *desk) take(ctx context.Context, what string, b Batch) error {
	if d.block != nil {
		d.block(ctx, b)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		if err := d.fail(what, b); err != nil {
			return err
		}
	}
	d.got = append(d.got, arrival{what, time.Since(d.start), b})
	return nil
}

func (d *desk) Send(ctx context.Context, b Batch) error { return d.take(ctx, "post", b) }

func (d *desk) all() []arrival {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.got)
}

// lines is what arrived, a line each: what, when, and of each group its count,
// total and message, whether it is quiet, and its notes.
func (d *desk) lines() []string {
	var out []string
	for _, a := range d.all() {
		s := fmt.Sprintf("%s %v", a.what, a.at)
		for _, g := range a.Groups {
			s += fmt.Sprintf(" [%d/%d %s", g.Count, g.Total, g.Message)
			if g.Quiet {
				s += ", quiet"
			}
			s += strings.Join(append([]string{""}, g.Notes...), ", ") + "]"
		}
		out = append(out, s)
	}
	return out
}

// told is how many alerts arrived: the count that stands in each message.
func (d *desk) told() int {
	stands, n := map[string]int{}, 0
	for _, a := range d.all() {
		stands[a.ID] = 0
		for _, g := range a.Groups {
			stands[a.ID] += g.Count
		}
	}
	for _, c := range stands {
		n += c
	}
	return n
}

// editDesk is a desk that can edit.
type editDesk struct{ *desk }

func (d editDesk) Update(ctx context.Context, b Batch) error { return d.take(ctx, "edit", b) }

// retryAfter, mend and gone are errors as a Sender may return them.
type retryAfter time.Duration

func (e retryAfter) Error() string             { return "slow down" }
func (e retryAfter) RetryAfter() time.Duration { return time.Duration(e) }

type mend string

func (e mend) Error() string { return "broken" }
func (e mend) Mend() string  { return string(e) }

type gone struct{}

func (gone) Error() string { return "message_not_found" }
func (gone) Gone() bool    { return true }

var errDown = errors.New("down")

// logs is a base that keeps the records it gets.
type logs struct {
	mu      sync.Mutex
	records []slog.Record
	min     slog.Level
	err     error
}

func (l *logs) Enabled(_ context.Context, level slog.Level) bool { return level >= l.min }
func (l *logs) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *logs) WithGroup(string) slog.Handler                    { return l }

func (l *logs) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, r.Clone())
	return l.err
}

// own are the messages that slackalert itself told base.
func (l *logs) own() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, r := range l.records {
		if len(r.Message) > 11 && r.Message[:11] == "slackalert:" {
			s := r.Message
			r.Attrs(func(a slog.Attr) bool { s += " " + a.String(); return true })
			out = append(out, s)
		}
	}
	return out
}

// newTest returns a handler with a Sender, over a base that keeps everything.
func newTest(t *testing.T, s Sender, change func(*Options)) (*Handler, *slog.Logger, *logs) {
	t.Helper()
	base := &logs{min: slog.LevelDebug - 4}
	opts := &Options{Sender: s, Service: "shop"}
	if change != nil {
		change(opts)
	}
	h, err := New(base, opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h, slog.New(h), base
}

// hereForTest is the stack of its caller.
func hereForTest() capture.Stack { return capture.Here(1) }

func goexit() { runtime.Goexit() }
