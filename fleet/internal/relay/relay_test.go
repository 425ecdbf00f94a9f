package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/fleettest"
	"example.com/slackalert/fleet/internal/fold"
	"example.com/slackalert/fleet/internal/lease"
	"example.com/slackalert/fleet/internal/ledger"
	"example.com/slackalert/fleet/internal/natsd"
	"example.com/slackalert/fleet/internal/store"
	"example.com/slackalert/fleet/internal/value"
)

// slackFake does what it is told, and writes down what it is asked.
type slackFake struct {
	mu    sync.Mutex
	calls []string
	post  func(b slackalert.Batch) (string, error)
	edit  func(ref string, b slackalert.Batch) error
	find  func(b slackalert.Batch) (string, error)
}

func (s *slackFake) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}

func (s *slackFake) took() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.calls, "; ")
}

func (s *slackFake) Post(_ context.Context, b slackalert.Batch) (string, error) {
	s.note("post %s in %s: %s", b.ID, b.Channel, counts(b))
	if s.post != nil {
		return s.post(b)
	}
	return "ref-" + b.ID, nil
}

func (s *slackFake) Edit(_ context.Context, ref string, b slackalert.Batch) error {
	s.note("edit %s: %s", ref, counts(b))
	if s.edit != nil {
		return s.edit(ref, b)
	}
	return nil
}

func (s *slackFake) Find(_ context.Context, b slackalert.Batch) (string, error) {
	s.note("find %s", b.ID)
	if s.find != nil {
		return s.find(b)
	}
	return "", nil
}

// counts are a batch's groups: name, Count and Total.
func counts(b slackalert.Batch) string {
	var all []string
	for _, g := range b.Groups {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %d/%d %s", g.Fingerprint, g.Count, g.Total, strings.Join(g.Notes, ", "))))
	}
	return strings.Join(all, ", ")
}

// failure is an error as Slack's are.
type failure struct {
	text                        string
	unknown, noHistory, mending bool
}

func (f *failure) Error() string   { return f.text }
func (f *failure) Unknown() bool   { return f.unknown }
func (f *failure) NoHistory() bool { return f.noHistory }
func (f *failure) Mend() string {
	if f.mending {
		return "mend it"
	}
	return ""
}

// handlerFake writes down what it is given. The test speaks to its sender.
type handlerFake struct {
	sender slackalert.Sender
	base   slog.Handler
	mu     sync.Mutex
	got    []string
	// Of the last message that was resumed.
	resumed slackalert.Batch
	told    time.Time
}

func (h *handlerFake) Merge(b slackalert.Batch) { h.note("merge in %s: %s", b.Channel, counts(b)) }

func (h *handlerFake) Resume(b slackalert.Batch, ref string, told time.Time) {
	h.note("resume %s: %s", ref, counts(b))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.resumed, h.told = b, told
}

func (h *handlerFake) Shutdown(context.Context) error { return nil }

func (h *handlerFake) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, fmt.Sprintf(format, args...))
}

func (h *handlerFake) took() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.got, "; ")
}

func (h *handlerFake) send(b slackalert.Batch) error { return h.sender.Send(context.Background(), b) }
func (h *handlerFake) update(b slackalert.Batch) error {
	return h.sender.(slackalert.Updater).Update(context.Background(), b)
}

// world is a server, and what relays need.
type world struct {
	t     *testing.T
	ns    *natsd.Server
	js    jetstream.JetStream
	slack *slackFake
	logs  *fleettest.Output
	place store.Place
}

func newWorld(t *testing.T) *world {
	t.Parallel() // most of it waits
	ns, err := natsd.Start(t.TempDir(), nil)
	require.NoError(t, err)
	t.Cleanup(ns.Stop)
	w := &world{t: t, ns: ns, slack: &slackFake{}, logs: &fleettest.Output{}, place: store.Place{Stream: "S", Replicas: 1, MaxAge: time.Hour, MaxBytes: 1 << 20, Lease: 10 * time.Second}}
	w.js = w.connect()
	return w
}

func (w *world) connect(more ...nats.Option) jetstream.JetStream {
	nc, err := nats.Connect(natsd.URL(w.ns), append(more, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.RetryOnFailedConnect(true))...)
	require.NoError(w.t, err)
	w.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(w.t, err)
	return js
}

// running is a relay and the handler of its present term.
type running struct {
	*Relay
	ended func() error // waits for Run's
	stop  func() error
	h     chan *handlerFake
}

func (w *world) run() *running {
	r := &running{h: make(chan *handlerFake, 10)}
	r.Relay = New(Config{
		JS: w.js, Place: w.place, Base: slog.NewTextHandler(w.logs, nil), Slack: w.slack, Fence: &Fence{Next: http.DefaultTransport}, CanEdit: true,
		Options: slackalert.Options{Channel: "C0"},
		Handler: func(base slog.Handler, opts *slackalert.Options) (Handler, error) {
			h := &handlerFake{sender: opts.Sender, base: base}
			r.h <- h
			return h, nil
		},
	})
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.ended = sync.OnceValue(func() error { return <-done })
	r.stop = func() error { cancel(); return r.ended() }
	w.t.Cleanup(func() { _ = r.stop() })
	return r
}

// leads waits for the relay to lead.
func (r *running) leads(t *testing.T) *handlerFake {
	select {
	case h := <-r.h:
		require.Eventually(t, func() bool { return r.Status().Role == leading }, 30*time.Second, time.Millisecond)
		return h
	case <-time.After(30 * time.Second):
		require.FailNow(t, "it doesn't lead", "%+v", r.Status())
		return nil
	}
}

var day = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

// publish stores what a process has counted of a group in C1.
func (w *world) publish(run, fingerprint string, total int) {
	b := slackalert.Batch{Channel: "C1", Service: "shop", Host: "web-" + run}
	g := slackalert.Group{Fingerprint: fingerprint, Message: "m", Total: total, Run: run, First: day}
	data, err := value.New(&b, &g, "", 0, time.Now())
	require.NoError(w.t, err)
	w.put(value.Subject("S", &b, &g, ""), data)
}

func (w *world) put(subject string, data []byte) {
	_, err := w.js.Publish(w.t.Context(), subject, data)
	require.NoError(w.t, err)
}

func batch(id string, groups ...slackalert.Group) slackalert.Batch {
	return slackalert.Batch{ID: id, Channel: "C1", Groups: groups}
}

func group(fingerprint string, count, total int) slackalert.Group {
	return slackalert.Group{Fingerprint: fingerprint, Count: count, Total: total}
}

// entries is what the ledger says: claims in brackets.
func (w *world) entries() string {
	kv, err := w.js.KeyValue(w.t.Context(), "S_told")
	require.NoError(w.t, err)
	_, all, _, err := ledger.Open(w.t.Context(), w.js, kv, 1) // an epoch before any
	require.NoError(w.t, err)
	var s []string
	for _, e := range all {
		line := fmt.Sprintf("%s %s", e.Ref, counts(e.Batch))
		if e.Ref == "" {
			line = "(" + strings.TrimSpace(line) + ")"
		}
		s = append(s, line)
	}
	return strings.Join(s, "; ")
}

func eventually(t *testing.T, want string, got func() string) {
	t.Helper()
	assert.Eventually(t, func() bool { return got() == want }, 30*time.Second, 5*time.Millisecond)
	assert.Equal(t, want, got())
}

func TestTheDifferenceIsMergedAndWhatIsToldIsNoted(t *testing.T) {
	w := newWorld(t)
	r := w.run()
	h := r.leads(t)
	w.publish("a", "f", 3)
	eventually(t, "merge in C1: f 3/3", h.took)
	w.slack.post = func(b slackalert.Batch) (string, error) {
		assert.Equal(t, "(f 3/3)", w.entries(), "the claim stands before the post")
		return "ref-" + b.ID, nil
	}
	require.NoError(t, h.send(batch("A", group("f", 3, 3))))
	w.slack.post = nil
	assert.Equal(t, "ref-A f 3/3", w.entries())
	w.publish("b", "f", 4)
	eventually(t, "merge in C1: f 3/3; merge in C1: f 4/7", h.took)
	require.NoError(t, h.update(batch("A", group("f", 7, 7))))
	assert.Equal(t, "ref-A f 7/7", w.entries())
	assert.Equal(t, "post A in C1: f 3/3; edit ref-A: f 7/7", w.slack.took())
	assert.True(t, h.sender.(*voice).flying.TryLock(), "nothing is under way")
	h.sender.(*voice).flying.Unlock()
	require.NoError(t, r.stop())
	lead, err := w.js.KeyValue(t.Context(), "S_leader")
	require.NoError(t, err)
	_, err = lead.Get(t.Context(), "leader")
	require.ErrorIs(t, err, jetstream.ErrKeyNotFound, "nobody need wait for it to expire")

	w.publish("b", "f", 5)
	next := w.run().leads(t)
	eventually(t, "resume ref-A: f 7/7; merge in C1: f 1/8", next.took)
	require.NoError(t, next.update(batch("A", group("f", 8, 8))))
	assert.Equal(t, "ref-A f 8/8", w.entries())
	require.NoError(t, next.send(batch("B", group("f", 2, 10), group("g", 1, 1))))
	assert.Equal(t, "ref-A f 8/8; ref-B f 2/10, g 1/1", w.entries())
	assert.Equal(t, "post A in C1: f 3/3; edit ref-A: f 7/7; edit ref-A: f 8/8; post B in C1: f 2/10, g 1/1", w.slack.took())
	assert.Zero(t, w.logs.Has("level=WARN"))
}

// TestIntervalsGoOn: a successor's handler hears when a message was posted, not
// edited, and for how long its groups rest.
func TestIntervalsGoOn(t *testing.T) {
	for _, tc := range []struct {
		name string
		post func(slackalert.Batch) (string, error)
	}{
		{"noted", nil},
		{"claimed, and found", func(slackalert.Batch) (string, error) { return "", &failure{text: "cut", unknown: true} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			first := w.run()
			h := first.leads(t)
			w.publish("a", "f", 3)
			w.slack.post = tc.post
			w.slack.find = func(slackalert.Batch) (string, error) { return "ref-A", nil }
			g := group("f", 3, 3)
			g.Interval = time.Hour
			before := time.Now()
			assert.Equal(t, tc.post == nil, h.send(batch("A", g)) == nil)
			after := time.Now()
			if tc.post == nil {
				require.NoError(t, h.update(batch("A", g)))
			}
			require.NoError(t, first.stop())
			next := w.run().leads(t)
			eventually(t, "resume ref-A: f 3/3", next.took)
			next.mu.Lock()
			defer next.mu.Unlock()
			assert.WithinRange(t, next.told, before, after)
			assert.Equal(t, time.Hour, next.resumed.Groups[0].Interval)
		})
	}
}

// TestAPostThatFails: what becomes of the claim, and of the next attempt.
func TestAPostThatFails(t *testing.T) {
	for _, tc := range []struct {
		name    string
		err     error
		find    func(slackalert.Batch) (string, error)
		claim   string // after the failure
		again   string // what a second attempt asks of Slack
		wantErr bool   // of the second
	}{
		{"surely not told", &failure{text: "no"}, nil, "", "post A in C1: f 3/3", false},
		{"perhaps told, and found", &failure{text: "cut", unknown: true}, func(slackalert.Batch) (string, error) { return "ref-A", nil }, "(f 3/3)", "find A", false},
		{"perhaps told, and not found", &failure{text: "cut", unknown: true}, nil, "(f 3/3)", "find A; post A in C1: f 3/3", false},
		{"perhaps told, and nobody may look", &failure{text: "cut", unknown: true}, func(slackalert.Batch) (string, error) { return "", &failure{text: "no scope", noHistory: true} }, "(f 3/3)", "find A; post A in C1: f 3/3", false},
		{"perhaps told, and Slack doesn't say now", &failure{text: "cut", unknown: true}, func(slackalert.Batch) (string, error) { return "", errors.New("busy") }, "(f 3/3)", "find A", true},
		{"an error that says nothing", errors.New("cut"), nil, "(f 3/3)", "find A; post A in C1: f 3/3", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			h := w.run().leads(t)
			w.publish("a", "f", 3)
			w.slack.find = tc.find
			w.slack.post = func(slackalert.Batch) (string, error) { return "", tc.err }
			require.ErrorIs(t, h.send(batch("A", group("f", 3, 3))), tc.err)
			assert.Equal(t, tc.claim, w.entries())
			w.slack.post, w.slack.calls = nil, nil
			err := h.send(batch("A", group("f", 3, 3)))
			assert.Equal(t, tc.again, w.slack.took())
			assert.Equal(t, tc.wantErr, err != nil, "%v", err)
			if !tc.wantErr {
				assert.Equal(t, "ref-A f 3/3", w.entries())
			}
		})
	}
}

// TestAClaimOutlivesALaterFailure: that the second attempt surely wasn't told says
// nothing of the first.
func TestAClaimOutlivesALaterFailure(t *testing.T) {
	w := newWorld(t)
	r := w.run()
	h := r.leads(t)
	w.publish("a", "f", 3)
	w.slack.find = func(slackalert.Batch) (string, error) { return "", &failure{text: "no scope", noHistory: true} }
	for _, err := range []error{&failure{text: "cut", unknown: true}, &failure{text: "no"}} {
		w.slack.post = func(slackalert.Batch) (string, error) { return "", err }
		require.ErrorIs(t, h.send(batch("A", group("f", 3, 3))), err)
	}
	assert.Equal(t, "(f 3/3)", w.entries())
	require.NoError(t, r.stop())
	eventually(t, "merge in C1: f 3/3 perhaps told before", w.run().leads(t).took)
}

// TestAClaimOfADeadLeader: its successor finds out.
func TestAClaimOfADeadLeader(t *testing.T) {
	for _, tc := range []struct {
		name  string
		find  []any // answers in turn: a ref, or an error
		want  string
		ledge string
		warn  string
	}{
		{"it was posted", []any{"ref-A"}, "resume ref-A: f 3/3; merge in C1: f 2/5", "ref-A f 3/3", ""},
		{"it wasn't", []any{""}, "merge in C1: f 5/5", "", ""},
		{"nobody may look", []any{&failure{text: "no scope", noHistory: true}}, "merge in C1: f 5/5 perhaps told before", "(f 3/3)", "isn't known"},
		{"somebody must mend it", []any{&failure{text: "name", mending: true}}, "merge in C1: f 5/5 perhaps told before", "(f 3/3)", "isn't known"},
		{"Slack says later", []any{errors.New("busy"), "ref-A"}, "resume ref-A: f 3/3; merge in C1: f 2/5", "ref-A f 3/3", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			first := w.run()
			h := first.leads(t)
			w.publish("a", "f", 3)
			w.slack.post = func(slackalert.Batch) (string, error) { return "", &failure{text: "cut", unknown: true} }
			require.Error(t, h.send(batch("A", group("f", 3, 3))))
			require.NoError(t, first.stop())
			w.slack.post = nil
			w.publish("a", "f", 5)
			answers := tc.find
			w.slack.find = func(b slackalert.Batch) (string, error) {
				a := answers[0]
				answers = answers[1:]
				if err, ok := a.(error); ok {
					return "", err
				}
				return a.(string), nil
			}
			next := w.run().leads(t)
			eventually(t, tc.want, next.took)
			assert.Equal(t, tc.ledge, w.entries())
			assert.Empty(t, answers)
			if tc.warn != "" { // the doubt lasts until it is told again
				require.NoError(t, next.sender.(*voice).l.sweep(t.Context(), time.Now()))
				assert.Equal(t, tc.ledge, w.entries())
				require.NoError(t, next.send(batch("B", group("f", 5, 5))))
				require.NoError(t, next.sender.(*voice).l.sweep(t.Context(), time.Now()))
				assert.Equal(t, "ref-B f 5/5", w.entries())
				assert.Empty(t, next.sender.(*voice).doubts)
			}
			assert.Equal(t, tc.warn != "", w.logs.Has(tc.warn) == 1 && tc.warn != "")
		})
	}
}

// TestAClaimThatWasToldSince isn't looked for; one of which a part was told is.
func TestAClaimThatWasToldSince(t *testing.T) {
	for _, tc := range []struct {
		name  string
		since slackalert.Batch
		looks bool
		want  string
	}{
		{"all of it", batch("B", group("g", 1, 1), group("f", 3, 3)), false, "ref-B g 1/1, f 3/3"},
		{"the last", batch("B", group("g", 1, 1)), true, "ref-B g 1/1; ref-A f 3/3, g 1/1"},
		{"the first", batch("B", group("f", 3, 3)), true, "ref-B f 3/3; ref-A f 3/3, g 1/1"},
		{"less of it", batch("B", group("f", 2, 2), group("g", 1, 1)), true, "ref-B f 2/2, g 1/1; ref-A f 3/3, g 1/1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			first := w.run()
			h := first.leads(t)
			w.publish("a", "f", 3)
			w.publish("a", "g", 1)
			w.slack.post = func(slackalert.Batch) (string, error) { return "", &failure{text: "cut", unknown: true} }
			require.Error(t, h.send(batch("A", group("f", 3, 3), group("g", 1, 1))))
			w.slack.post = nil
			require.NoError(t, h.send(tc.since))
			require.NoError(t, first.stop())
			w.slack.find = func(slackalert.Batch) (string, error) { return "ref-A", nil }
			w.run().leads(t)
			assert.Equal(t, tc.looks, strings.Contains(w.slack.took(), "find A"))
			assert.Equal(t, tc.want, w.entries())
		})
	}
}

// TestATakeOverThatFails begins anew: what it couldn't write down isn't so.
func TestATakeOverThatFails(t *testing.T) {
	w := newWorld(t)
	first := w.run()
	h := first.leads(t)
	w.publish("a", "f", 3)
	w.slack.post = func(slackalert.Batch) (string, error) { return "", &failure{text: "cut", unknown: true} }
	require.Error(t, h.send(batch("A", group("f", 3, 3))))
	require.NoError(t, first.stop())
	w.slack.find = func(slackalert.Batch) (string, error) { return "ref-A", nil }
	failed := false
	w.js = &failing{JetStream: w.js, update: func() error {
		if !failed {
			failed = true
			return nats.ErrTimeout
		}
		return nil
	}}
	h = w.run().leads(t)
	eventually(t, "resume ref-A: f 3/3", h.took)
	assert.Equal(t, "ref-A f 3/3", w.entries())
	assert.Equal(t, 1, w.logs.Has("can't work"))
}

// TestAnotherRelayWroteTheEntry: this one isn't the only leader, and reads anew.
func TestAnotherRelayWroteTheEntry(t *testing.T) {
	w := newWorld(t)
	r := w.run()
	h := r.leads(t)
	w.publish("a", "f", 3)
	w.slack.post = func(b slackalert.Batch) (string, error) {
		kv, err := w.js.KeyValue(t.Context(), "S_told")
		require.NoError(t, err)
		l, all, _, err := ledger.Open(t.Context(), w.js, kv, 1)
		require.NoError(t, err)
		all[0].Ref = "ref-other"
		require.NoError(t, l.Note(t.Context(), all[0]))
		return "ref-mine", nil
	}
	require.NoError(t, h.send(batch("A", group("f", 3, 3))), "Slack has it")
	again := r.leads(t)
	eventually(t, "resume ref-other: f 3/3", again.took)
}

// TestMessagesThatShareAGroup: what is told of it stands in the newest, though
// the older was edited later.
func TestMessagesThatShareAGroup(t *testing.T) {
	w := newWorld(t)
	r := w.run()
	h := r.leads(t)
	w.publish("a", "f", 5)
	w.publish("a", "g", 3)
	require.NoError(t, h.send(batch("A", group("g", 1, 1), group("f", 3, 3))))
	require.NoError(t, h.send(batch("B", group("f", 2, 5))))
	for _, id := range []string{"C", "D", "E"} {
		w.publish("a", id, 1)
		require.NoError(t, h.send(batch(id, group(id, 1, 1))))
	}
	require.NoError(t, h.update(batch("A", group("g", 2, 2), group("f", 3, 3))))
	require.NoError(t, h.sender.(*voice).l.sweep(t.Context(), time.Now()), "it is needed for one of its groups")
	require.NoError(t, r.stop())
	next := w.run().leads(t)
	eventually(t, "resume ref-E: E 1/1; resume ref-D: D 1/1; resume ref-C: C 1/1; resume ref-B: f 2/5; resume ref-A: g 2/2, f 3/3; merge in C1: g 1/3", next.took)
}

func TestEditsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	h := w.run().leads(t)
	w.publish("a", "f", 3)
	var g interface{ Gone() bool }
	err := h.update(batch("A", group("f", 3, 3)))
	require.ErrorAs(t, err, &g, "a message that nobody knows is posted anew")
	assert.True(t, g.Gone())
	require.NoError(t, h.send(batch("A", group("f", 3, 3))))
	require.ErrorAs(t, h.update(batch("A", group("f", 3, 3), group("g", 1, 1))), &g, "so is one of other groups")
	w.slack.edit = func(string, slackalert.Batch) error { return errors.New("busy") }
	require.ErrorContains(t, h.update(batch("A", group("f", 4, 4))), "busy")
	assert.Equal(t, "ref-A f 3/3", w.entries())
}

// TestAClaimAsksForTheLeaseAfterwards: what it wrote by then, the next leader
// finds void. Who knows it beforehand writes and asks nothing.
func TestAClaimAsksForTheLeaseAfterwards(t *testing.T) {
	w := newWorld(t)
	leads := w.run().leads(t).sender.(*voice).l
	l := &leader{Relay: leads.Relay, store: leads.store, book: leads.book, fold: fold.New()} // frozen: its term goes on
	kv, err := w.js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "S_other"})
	require.NoError(t, err)
	l.lease, err = lease.Acquire(t.Context(), kv, "frozen", time.Hour)
	require.NoError(t, err)
	v := newVoice(l)
	require.NoError(t, v.Send(t.Context(), batch("A", group("f", 3, 3))))
	asked := w.slack.took()
	require.NoError(t, l.lease.Release(t.Context()))
	require.ErrorIs(t, v.claim(t.Context(), v.entry(batch("B", group("f", 3, 6)))), errSteppedDown)
	assert.Len(t, v.entries, 1)
	require.ErrorIs(t, v.Send(t.Context(), batch("C", group("f", 3, 9))), errSteppedDown)
	require.ErrorIs(t, v.Update(t.Context(), batch("A", group("f", 4, 4))), errSteppedDown)
	assert.Equal(t, "ref-A f 3/3; (f 3/6)", w.entries())
	assert.Equal(t, asked, w.slack.took())
	slog.New(muted(slog.NewTextHandler(w.logs, nil), v)).Info("alerts are lost")
	assert.Zero(t, w.logs.Has("alerts are lost"))
}

// TestWhatIsNotClaimedIsNotPosted: because another claimed it, or nobody is there
// to write it down.
func TestWhatIsNotClaimedIsNotPosted(t *testing.T) {
	w := newWorld(t)
	h := w.run().leads(t)
	kv, err := w.js.KeyValue(t.Context(), "S_told")
	require.NoError(t, err)
	other, _, _, err := ledger.Open(t.Context(), w.js, kv, 1)
	require.NoError(t, err)
	require.NoError(t, other.Claim(t.Context(), &ledger.Entry{Batch: batch("A", group("f", 3, 3)), Before: []int64{0}}))
	for range 2 {
		require.ErrorIs(t, h.send(batch("A", group("f", 3, 3))), ledger.ErrTaken)
	}
	w.ns.Stop()
	require.Eventually(t, func() bool { return !w.js.Conn().IsConnected() }, 30*time.Second, time.Millisecond)
	require.ErrorIs(t, h.send(batch("B", group("f", 3, 3))), store.ErrAway, "it doesn't wait in a buffer, to be written too late")
	assert.Empty(t, w.slack.took())
}

// TestTheEndOfATermWaits for what is under way, up to a limit, and lets nothing
// begin.
func TestTheEndOfATermWaits(t *testing.T) {
	v := newWorld(t).run().leads(t).sender.(*voice)
	require.NoError(t, v.begin())
	v.close(time.Millisecond)
	closed := make(chan bool)
	go func() { v.close(time.Hour); close(closed) }()
	require.ErrorIs(t, v.begin(), errSteppedDown)
	select {
	case <-closed:
		t.Error("it didn't wait")
	default:
	}
	v.flying.RUnlock()
	require.ErrorIs(t, v.begin(), errSteppedDown)
	v.flying.Unlock() // of the first that waited, for the second
	<-closed
	v.flying.Unlock() // for the relay's own
}

// TestBaseHearsNothingAtTheEnd: what isn't told isn't lost, whatever the handler
// says.
func TestBaseHearsNothingAtTheEnd(t *testing.T) {
	for _, end := range []struct {
		name string
		f    func(*voice)
	}{
		{"the term is over", func(v *voice) { v.close(time.Hour); v.flying.Unlock() }},
		{"the lease is lost", func(v *voice) { _ = v.l.lease.Release(t.Context()) }},
	} {
		t.Run(end.name, func(t *testing.T) {
			w := newWorld(t)
			h := w.run().leads(t)
			logger := slog.New(h.base)
			logger.Info("alerts are late")
			end.f(h.sender.(*voice))
			logger.Info("alerts are lost")
			assert.Equal(t, []int{1, 0}, []int{w.logs.Has("alerts are late"), w.logs.Has("alerts are lost")})
		})
	}
}

// failing is a JetStream whose bucket S_told fails as it is told.
type failing struct {
	jetstream.JetStream
	update func() error // asked before each; nil = as usual
}

func (f *failing) KeyValue(ctx context.Context, bucket string) (jetstream.KeyValue, error) {
	kv, err := f.JetStream.KeyValue(ctx, bucket)
	if err != nil || bucket != "S_told" {
		return kv, err
	}
	return &failingBucket{kv, f}, nil
}

type failingBucket struct {
	jetstream.KeyValue
	f *failing
}

func (b *failingBucket) Update(ctx context.Context, key string, value []byte, seen uint64) (uint64, error) {
	if err := b.f.update(); err != nil {
		return 0, err
	}
	return b.KeyValue.Update(ctx, key, value, seen)
}

// TestANoteIsTriedAgain, unless another wrote the entry.
func TestANoteIsTriedAgain(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		term bool // it begins another, and remembers what it posted
	}{
		{"no answer", nats.ErrTimeout, false},
		{"another's", jetstream.ErrKeyRevisionMismatch, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "S_told"})
			require.NoError(t, err)
			var tries atomic.Int32
			w.js = &failing{JetStream: w.js, update: func() error {
				if tries.Add(1) == 1 {
					return tc.err
				}
				return nil
			}}
			r := w.run()
			h := r.leads(t)
			w.publish("a", "f", 3)
			require.NoError(t, h.send(batch("A", group("f", 3, 3))))
			assert.Equal(t, tc.term, r.recall("A") != "")
			if tc.term {
				h = r.leads(t)
				eventually(t, "resume ref-A: f 3/3", h.took)
			}
			assert.Equal(t, "ref-A f 3/3", w.entries())
			require.NoError(t, h.update(batch("A", group("f", 4, 4))))
		})
	}
}

// TestAClaimOfUnknownOutcomeIsNotForgotten, though no message tells its groups.
func TestAClaimOfUnknownOutcomeIsNotForgotten(t *testing.T) {
	w := newWorld(t)
	h := w.run().leads(t)
	w.publish("a", "f", 3)
	w.slack.post = func(slackalert.Batch) (string, error) { return "", &failure{text: "cut", unknown: true} }
	require.Error(t, h.send(batch("A", group("f", 3, 3))))
	require.NoError(t, h.sender.(*voice).l.sweep(t.Context(), time.Now()))
	assert.Equal(t, "(f 3/3)", w.entries())
}

// TestHowOftenAClaimIsLookedFor: the waits double, Slack may ask for longer ones.
func TestHowOftenAClaimIsLookedFor(t *testing.T) {
	busy, soon := &failure{text: "busy"}, &limited{0}
	for _, tc := range []struct {
		name string
		errs []error // of each try; then it is found
		want []time.Duration
		sure bool
	}{
		{"found", nil, []time.Duration{0}, true},
		{"busy for ever", []error{busy, soon, busy, busy, busy}, []time.Duration{0, 200 * time.Millisecond, 600 * time.Millisecond, 1400 * time.Millisecond, 3 * time.Second}, false},
		{"Slack says when", []error{&limited{time.Second}, busy}, []time.Duration{0, time.Second, 3 * time.Second}, true},
		{"Slack says too late", []error{&limited{time.Hour}}, []time.Duration{0, 10 * time.Second}, true},
		{"the term is over", []error{&limited{9 * time.Second}, &limited{8 * time.Second}}, []time.Duration{0, 9 * time.Second}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
				defer cancel()
				began, logs := time.Now(), &fleettest.Output{}
				var asked []time.Duration
				slack := &slackFake{find: func(slackalert.Batch) (string, error) {
					asked = append(asked, time.Since(began))
					if len(asked) <= len(tc.errs) {
						return "", tc.errs[len(asked)-1]
					}
					return "ref-A", nil
				}}
				v := newVoice(&leader{Relay: New(Config{Slack: slack, Base: slog.NewTextHandler(logs, nil)}), fold: fold.New()})
				ref, sure := v.find(ctx, v.entry(batch("A", group("f", 3, 3))))
				assert.Equal(t, []any{tc.sure, tc.sure}, []any{ref == "ref-A", sure})
				assert.Equal(t, tc.want, asked)
				assert.Equal(t, !tc.sure && ctx.Err() == nil, logs.Has("isn't known") == 1)
			})
		})
	}
}

// limited is a 429.
type limited struct{ after time.Duration }

func (l *limited) Error() string             { return "ratelimited" }
func (l *limited) RetryAfter() time.Duration { return l.after }

// TestWhatIsNotedIsNotPostedAgain, nor looked for.
func TestWhatIsNotedIsNotPostedAgain(t *testing.T) {
	w := newWorld(t)
	h := w.run().leads(t)
	for range 2 {
		require.NoError(t, h.send(batch("A", group("f", 3, 3))))
	}
	assert.Equal(t, "post A in C1: f 3/3", w.slack.took())
	r := h.sender.(*voice).l.Relay
	for i := range 1001 {
		r.remember(fmt.Sprint(i), "ref")
	}
	assert.Len(t, r.known, 1000, "what couldn't be noted is remembered up to a bound")
}

// closes is a request's body.
type closes struct {
	strings.Reader
	closed bool
}

func (c *closes) Close() error { c.closed = true; return nil }

// TestWithoutALeaseNothingIsTold: neither by the voice, nor past it.
func TestWithoutALeaseNothingIsTold(t *testing.T) {
	w := newWorld(t)
	w.place.Lease = 3 * time.Second
	r := w.run()
	h := r.leads(t)
	w.publish("a", "f", 3)
	require.NoError(t, h.send(batch("A", group("f", 3, 3))))
	w.ns.Stop()
	require.Eventually(t, func() bool { return r.Status().Role != leading }, 30*time.Second, 5*time.Millisecond)
	w.slack.calls = nil
	for _, err := range []error{h.send(batch("B", group("f", 3, 6))), h.update(batch("A", group("f", 4, 4)))} {
		require.ErrorContains(t, err, "stepped down")
		var u interface{ Unreachable() bool }
		require.ErrorAs(t, err, &u)
		assert.True(t, u.Unreachable())
	}
	assert.Empty(t, w.slack.took())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1/", strings.NewReader("x"))
	require.NoError(t, err)
	body := &closes{}
	req.Body = body
	_, err = r.Fence.RoundTrip(req) //nolint:bodyclose // there is none
	assert.ErrorIs(t, err, errFenced)
	assert.True(t, body.closed, "as a RoundTripper must")
	req.Body = nil
	_, err = r.Fence.RoundTrip(req) //nolint:bodyclose // there is none
	assert.ErrorIs(t, err, errFenced)

	assert.Eventually(t, func() bool { return w.logs.Has("can't work") == 1 }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, w.ns.Start())
	again := r.leads(t)
	eventually(t, "resume ref-A: f 3/3", again.took)
	assert.Eventually(t, func() bool { return w.logs.Has("works again") == 1 }, 30*time.Second, 5*time.Millisecond)
}

// TestANoteThatCantBeWritten is remembered by who could not write it.
func TestANoteThatCantBeWritten(t *testing.T) {
	w := newWorld(t)
	w.place.Lease = 3 * time.Second
	w.js = w.connect(nats.ReconnectBufSize(-1)) // what fails is not written later
	r := w.run()
	h := r.leads(t)
	w.publish("a", "f", 3)
	w.slack.post = func(b slackalert.Batch) (string, error) {
		w.ns.Stop() // between Slack's answer and the note
		return "ref-" + b.ID, nil
	}
	require.NoError(t, h.send(batch("A", group("f", 3, 3))))
	require.NoError(t, w.ns.Start())
	again := r.leads(t)
	eventually(t, "resume ref-A: f 3/3", again.took)
	assert.NotContains(t, w.slack.took(), "find", "there is no need to look")
	assert.Equal(t, "ref-A f 3/3", w.entries())
}

// TestTheBucketIsGone: what was told is forgotten with it, and told again; but
// the relay goes on.
func TestTheBucketIsGone(t *testing.T) {
	w := newWorld(t)
	r := w.run()
	h := r.leads(t)
	w.publish("a", "f", 3)
	w.slack.post = func(b slackalert.Batch) (string, error) {
		require.NoError(t, w.js.DeleteKeyValue(t.Context(), "S_told"))
		return "ref-" + b.ID, nil
	}
	require.NoError(t, h.send(batch("A", group("f", 3, 3))))
	again := r.leads(t)
	eventually(t, "merge in C1: f 3/3", again.took)
	assert.Equal(t, 1, w.logs.Has("can't work"))
}

func TestValuesThatCantBeRead(t *testing.T) {
	w := newWorld(t)
	h := w.run().leads(t)
	w.put("S.C1.f.r.0", []byte(`{"v":2,"total":"many"}`))
	w.put("S.C1.f.s.0", []byte(`{"v":3}`))
	w.put("S.garbage", []byte("\x00\x01"))
	w.put("S.more.garbage", []byte("{}"))
	w.publish("a", "f", 3)
	eventually(t, "merge in C1: f 3/3", h.took)
	assert.Equal(t, 1, w.logs.Has("newer format than this relay reads"))
	assert.Equal(t, 1, w.logs.Has("a value can't be read"))
	s, err := w.js.Stream(t.Context(), "S")
	require.NoError(t, err)
	info, err := s.Info(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 5, info.State.Msgs, "they are left alone")
}

func TestTheStreamHasOtherSettings(t *testing.T) {
	w := newWorld(t)
	_, err := w.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"S.>", "more"}, MaxAge: 7 * time.Hour, MaxMsgsPerSubject: 3})
	require.NoError(t, err)
	_, err = w.js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "S_leader", TTL: 1500 * time.Millisecond})
	require.NoError(t, err)
	r := w.run()
	h := r.leads(t)
	assert.Equal(t, 1, w.logs.Has("made with other settings"))
	assert.Equal(t, 1, w.logs.Has("max_msgs_per_subject is 3, not 1"))
	assert.Equal(t, 1, w.logs.Has("which is the lease, is 1.5s, not 10s"))
	w.publish("a", "f", 3)
	w.publish("a", "f", 4)
	w.publish("a", "f", 5)
	assert.Eventually(t, func() bool { return strings.HasSuffix(h.took(), "/5") }, 30*time.Second, time.Millisecond)
	s, err := w.js.Stream(t.Context(), "S")
	require.NoError(t, err)
	assert.Equal(t, 7*time.Hour, s.CachedInfo().Config.MaxAge, "they are left alone")
	require.NoError(t, h.sender.(*voice).l.refresh(t.Context(), 1), "a newer one has its place")
}

// TestAStreamThatKeepsForEver: nothing in it need be stored anew.
func TestAStreamThatKeepsForEver(t *testing.T) {
	w := newWorld(t)
	_, err := w.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"S.>"}})
	require.NoError(t, err)
	h := w.run().leads(t)
	w.publish("a", "f", 3)
	eventually(t, "merge in C1: f 3/3", h.took)
	l := h.sender.(*voice).l
	require.NoError(t, l.sweep(t.Context(), time.Now().Add(w.place.MaxAge/2)))
	info, err := l.store.Values.Info(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, info.State.LastSeq)
}

func TestStreamsThatCantServe(t *testing.T) {
	for _, tc := range []struct {
		name   string
		stream jetstream.StreamConfig
		want   string
	}{
		{"other subjects", jetstream.StreamConfig{Name: "S", Subjects: []string{"else.>"}}, `want \"S.>\" among them`},
		{"a queue", jetstream.StreamConfig{Name: "S", Subjects: []string{"S.>"}, Retention: jetstream.WorkQueuePolicy}, "retention"},
		{"no acknowledgements", jetstream.StreamConfig{Name: "S", Subjects: []string{"S.>"}, NoAck: true}, "no_ack"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.js.CreateStream(t.Context(), tc.stream)
			require.NoError(t, err)
			r := w.run()
			require.Eventually(t, func() bool { return w.logs.Has("can't work") == 1 }, 30*time.Second, 5*time.Millisecond)
			assert.NotZero(t, w.logs.Has(tc.want))
			assert.False(t, r.Status().Working())
			require.NoError(t, w.js.DeleteStream(t.Context(), "S"))
			r.leads(t)
		})
	}
}

// TestABucketWithoutALease: somebody else made it.
func TestABucketWithoutALease(t *testing.T) {
	w := newWorld(t)
	_, err := w.js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "S_leader"})
	require.NoError(t, err)
	r := w.run()
	require.Eventually(t, func() bool { return w.logs.Has("S_leader has the TTL 0s; want 1 s or more") == 1 }, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, w.js.DeleteKeyValue(t.Context(), "S_leader"))
	r.leads(t)
}

// TestWhatKeepsItFromWorkIsSaidOnce, and once more when it is its credentials.
func TestWhatKeepsItFromWorkIsSaidOnce(t *testing.T) {
	w := newWorld(t)
	r := New(Config{JS: w.js, Base: slog.NewTextHandler(w.logs, nil)})
	for range 2 {
		r.failed(store.ErrAway)
		r.failed(nats.ErrAuthorization)
	}
	assert.Equal(t, 2, w.logs.Has("can't work"))
	assert.Equal(t, 1, w.logs.Has("authorization violation"))
	r.worked()
	r.failed(store.ErrAway)
	r.failed(nats.ErrAuthorization)
	assert.Equal(t, 4, w.logs.Has("can't work"), "anew")
}

// TestACredentialThatIsRefusedTwice closes the connection, unless it is told not
// to: that is said.
func TestACredentialThatIsRefusedTwice(t *testing.T) {
	w := newWorld(t)
	w.ns.Stop()
	w.ns.Change(func(o *server.Options) { o.Username, o.Password = "u", "p" })
	require.NoError(t, w.ns.Start())
	w.js = w.connect()
	assert.ErrorContains(t, w.run().ended(), "closed, and doesn't come back: nats: Authorization Violation; want")
}

func TestAClosedConnectionEndsTheRun(t *testing.T) {
	w := newWorld(t)
	r := w.run()
	r.leads(t)
	w.js.Conn().Close()
	assert.ErrorContains(t, r.ended(), "closed, and doesn't come back; want")
}

// TestSweep: what is old is stored anew while its group lives, and all of a
// group is removed when it has been quiet for MaxAge.
func TestSweep(t *testing.T) {
	w := newWorld(t)
	r := w.run()
	h := r.leads(t)
	w.publish("a", "f", 3)
	w.publish("b", "f", 4)
	w.publish("a", "g", 5)
	eventually(t, "12", func() string {
		sum := 0
		for _, m := range strings.FieldsFunc(h.took(), func(c rune) bool { return c == ',' || c == ';' }) {
			n := 0
			_, _ = fmt.Sscan(strings.Split(m[strings.LastIndex(m, " ")+1:], "/")[0], &n)
			sum += n
		}
		return fmt.Sprint(sum)
	})
	require.NoError(t, h.send(batch("A", group("f", 7, 7), group("g", 5, 5))))
	require.NoError(t, h.send(batch("B", group("f", 1, 8))))
	l := h.sender.(*voice).l
	stream := func() (msgs, last uint64) {
		info, err := l.store.Values.Info(t.Context())
		require.NoError(t, err)
		return info.State.Msgs, info.State.LastSeq
	}
	now := time.Now()
	require.NoError(t, l.sweep(t.Context(), now.Add(29*time.Minute)))
	msgs, last := stream()
	assert.Equal(t, []uint64{3, 3}, []uint64{msgs, last}, "nothing is old")

	was, err := l.store.Values.GetMsg(t.Context(), 3)
	require.NoError(t, err)
	require.NoError(t, l.sweep(t.Context(), now.Add(31*time.Minute)))
	msgs, last = stream()
	assert.Equal(t, []uint64{3, 6}, []uint64{msgs, last}, "stored anew")
	m, err := l.store.Values.GetMsg(t.Context(), 6)
	require.NoError(t, err)
	assert.Equal(t, was.Time.UTC().Format(time.RFC3339Nano), m.Header.Get(storedAnew), "it says when it was published")
	assert.Equal(t, "ref-A f 7/7, g 5/5; ref-B f 1/8", w.entries())

	w.publish("c", "f", 1)
	require.Eventually(t, func() bool { return strings.HasSuffix(h.took(), "f 1/8") }, 30*time.Second, time.Millisecond)
	l.mu.Lock()
	old := l.fold.Old(now.Add(time.Minute), 100)
	idle := l.fold.Idle(now.Add(time.Minute))
	l.mu.Unlock()
	assert.Len(t, old, 4)
	assert.Len(t, idle, 2, "what is stored anew is no news")

	require.NoError(t, l.sweep(t.Context(), now.Add(61*time.Minute)))
	msgs, _ = stream()
	assert.Zero(t, msgs)
	assert.Empty(t, w.entries())
	require.ErrorAs(t, h.update(batch("A", group("f", 7, 7), group("g", 5, 5))), new(*gone))
	w.publish("a", "f", 9)
	eventually(t, "f 9/9", func() string { return h.took()[max(0, len(h.took())-5):] })
	require.NoError(t, h.send(batch("C", group("f", 9, 9))))
	assert.EqualValues(t, 9, h.sender.(*voice).entries["C"].UpTo(0), "nothing was told of it before")
}

// TestAValueStoredAnewIsAsOldAsItWas: to a successor, too. A time that can't be
// is none.
func TestAValueStoredAnewIsAsOldAsItWas(t *testing.T) {
	w := newWorld(t)
	h := w.run().leads(t)
	now := time.Now()
	seqs := map[string]uint64{}
	for fingerprint, published := range map[string]string{
		"old": now.Add(-2 * time.Hour).Format(time.RFC3339Nano), "ahead": now.Add(10 * time.Hour).Format(time.RFC3339Nano), "garbage": "yesterday", "new": "",
	} {
		b, g := slackalert.Batch{Channel: "C1"}, slackalert.Group{Fingerprint: fingerprint, Message: "m", Total: 1, Run: "a", First: day}
		data, err := value.New(&b, &g, "", 0, now)
		require.NoError(t, err)
		msg := &nats.Msg{Subject: value.Subject("S", &b, &g, ""), Data: data, Header: nats.Header{}}
		if published != "" {
			msg.Header.Set(storedAnew, published)
		}
		ack, err := w.js.PublishMsg(t.Context(), msg)
		require.NoError(t, err)
		seqs[fingerprint] = ack.Sequence
	}
	require.Eventually(t, func() bool { return strings.Count(h.took(), "1/1") == 4 }, 30*time.Second, time.Millisecond)
	l := h.sender.(*voice).l
	l.mu.Lock()
	defer l.mu.Unlock()
	assert.Equal(t, []fold.Name{{Channel: "C1", Fingerprint: "old"}}, l.fold.Idle(now.Add(-time.Hour)))
	assert.Len(t, l.fold.Idle(now.Add(time.Hour)), 4)

	require.NoError(t, l.refresh(t.Context(), seqs["old"]))
	m, err := l.store.Values.GetMsg(t.Context(), 5)
	require.NoError(t, err)
	at, err := time.Parse(time.RFC3339Nano, m.Header.Get(storedAnew))
	require.NoError(t, err)
	assert.WithinDuration(t, now.Add(-2*time.Hour), at, 0, "however often it is")
}

func TestWhoSpeaks(t *testing.T) {
	w := newWorld(t)
	h := w.run().leads(t)
	w.publish("2", "f", 3)
	w.publish("1", "f", 3)
	w.publish("1", "g", 1)
	require.Eventually(t, func() bool { return strings.Contains(h.took(), "g 1/1") && strings.Contains(h.took(), "/6") }, 30*time.Second, time.Millisecond)
	var got slackalert.Batch
	w.slack.post = func(b slackalert.Batch) (string, error) { got = b; return "", nil }
	b := batch("A", group("f", 6, 6), group("g", 1, 1))
	b.Service, b.Host = "relay", "relay-1"
	require.NoError(t, h.send(b))
	assert.Equal(t, []string{"shop", "web-1, web-2", "C1"}, []string{got.Service, got.Host, got.Channel}, "not the relay")
	assert.Equal(t, []any{2, []string{"web-1", "web-2"}}, []any{got.Groups[0].Hosts, got.Groups[0].Named})
	assert.Zero(t, b.Groups[0].Hosts, "the handler's batch is as it was")
	assert.Equal(t, "- f 6/6, g 1/1", w.entries(), "Slack gave it no name")
	forgotten := group("forgotten", 1, 1)
	forgotten.Hosts = 3
	b.ID, b.Channel, b.Groups = "B", "", []slackalert.Group{forgotten}
	require.NoError(t, h.send(b))
	assert.Equal(t, []any{"C0", "relay", 3}, []any{got.Channel, got.Service, got.Groups[0].Hosts}, "as it came")
	assert.Equal(t, []string{"a, b, c", "a, b, c, …"}, []string{list([]string{"a", "b", "c"}), list([]string{"a", "b", "c", "d"})})
	_, edits := newVoice(&leader{Relay: New(Config{})}).sender().(slackalert.Updater)
	assert.False(t, edits, "as a webhook")
}
