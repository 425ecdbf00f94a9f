// This file puts a program through every trouble that Slack and the way there can
// have: it isn't slowed, nothing is lost silently, and base hears once.

package slackalert

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fakeslack"
)

// fault is one trouble, of a program and its world.
type fault struct {
	name      string
	fromStart bool // it stands before the first alert
	away      bool // there is no Slack at first
	forgets   bool // the Slack that comes back knows nothing of what was told before
	prepare   func(w *world, s *setup) error
	begin     func(w *world, p *runningProgram) error // nil: prepare did it
	over      func(w *world, p *runningProgram) error
	says      string // pattern of what base hears of it
	mend      bool   // a person must do something: nothing is tried for a minute
	unsure    bool   // what was sent may have arrived
	twice     bool   // and can't be looked up: it may be told twice
	silent    bool   // no attempt need fail
	heals     bool   // it is over before Shutdown
}

// failing is a fault that Slack itself makes.
func failing(name, says string, f fakeslack.Fault) fault {
	return fault{
		name: name, says: says,
		begin: func(w *world, _ *runningProgram) error { w.fails(f); return nil },
		over:  func(w *world, _ *runningProgram) error { w.fails(fakeslack.Fault{}); return nil },
	}
}

// hanging is a Slack that takes what it gets and doesn't answer. Only what is sent
// to it is given up soon, however long a healthy one takes on a busy machine.
func hanging(name string) fault {
	return fault{
		name: name, says: "no answer in time|deadline exceeded|Client.Timeout exceeded", unsure: true,
		begin: func(w *world, p *runningProgram) error {
			return p.turn(time.Second, func() error { w.fails(fakeslack.Fault{Delay: time.Hour}); return nil })
		},
		over: func(w *world, p *runningProgram) error {
			return p.turn(0, func() error { w.fails(fakeslack.Fault{}); return nil })
		},
	}
}

func but(f fault, change func(*fault)) fault {
	change(&f)
	return f
}

func webhook(w *world, s *setup) error {
	s.Webhook, s.URL = true, w.slack.WebhookURL(ledgerChannel)
	return nil
}

const half = `{"ok":tr`

// faults are all troubles.
func faults() []fault {
	cut := failing("cut in the middle of an answer", "unexpected EOF", fakeslack.Fault{Status: 200, Body: half, Drop: true})
	return []fault{
		{
			name: "down at start", fromStart: true, away: true, says: "connection refused",
			over: func(w *world, _ *runningProgram) error { return w.up() },
		}, {
			// A process on its way to exec may hold the port a moment longer.
			name: "goes away", forgets: true, says: "connection (refused|reset)",
			begin: func(w *world, p *runningProgram) error { return p.turn(0, w.down) },
			over:  func(w *world, _ *runningProgram) error { return w.up() },
		},
		hanging("hangs"),
		but(hanging("hangs, webhook"), func(f *fault) { f.twice, f.prepare = true, webhook }),
		but(cut, func(f *fault) { f.unsure = true }),
		but(cut, func(f *fault) {
			f.name, f.unsure, f.twice, f.prepare = "cut in the middle of an answer, webhook", true, true, webhook
		}),
		but(cut, func(f *fault) {
			f.name, f.unsure = "cut in the middle of an answer, clock an hour ahead", true
			f.prepare = func(_ *world, s *setup) error { s.Ahead = time.Hour; return nil }
		}),
		but(cut, func(f *fault) {
			f.name, f.unsure = "cut in the middle of an answer, clock an hour behind", true
			f.prepare = func(_ *world, s *setup) error { s.Ahead = -time.Hour; return nil }
		}),
		failing("garbage", "neither ok nor an error", fakeslack.Fault{Status: 200, Body: "<html>\x00\xff"}),
		failing("5xx", "HTTP 503", fakeslack.Fault{Status: 503}),
		failing("429", "HTTP 429", fakeslack.Fault{Status: 429, RetryAfter: "1"}),
		but(failing("token revoked", "token_revoked", fakeslack.Fault{Error: "token_revoked"}), func(f *fault) { f.mend = true }),
		{
			name: "DNS fails", fromStart: true, says: "server misbehaving",
			prepare: func(w *world, s *setup) (err error) {
				s.DNS, err = w.resolved()
				err = errors.Join(err, w.behindTLS())
				s.URL, s.CA = w.front.url(frontName), w.front.ca
				return err
			},
			over: func(w *world, _ *runningProgram) error { w.names.well.Store(true); return nil },
		}, {
			name: "TLS expired", fromStart: true, says: "certificate has expired",
			prepare: func(w *world, s *setup) error {
				err := w.behindTLS()
				w.front.expired.Store(true)
				s.URL, s.CA = w.front.url("127.0.0.1"), w.front.ca
				return err
			},
			over: func(w *world, _ *runningProgram) error { w.front.expired.Store(false); return nil },
		},
	}
}

// lasts is how long each trouble lasts, beyond the first attempt that fails.
func lasts() time.Duration {
	switch {
	case os.Getenv("SLACKALERT_FAULTS") == "long":
		return 30 * time.Second
	case testing.Short():
		return 200 * time.Millisecond
	}
	return 2 * time.Second
}

// outcome is how a program got through.
type outcome struct {
	calls, last report // measured in the trouble; after Shutdown
	arrived     ledger
	err         error
}

// run takes a program through f.
func (f fault) run(lasts time.Duration) (o outcome) {
	w, err := newWorld(!f.away)
	if err != nil {
		return outcome{err: err}
	}
	s := setup{URL: "http://" + w.addr + "/api/", Gap: gap()}
	if f.prepare != nil {
		err = f.prepare(w, &s)
	}
	var p *runningProgram
	if err == nil {
		p, err = startProgram(s)
	}
	if err == nil {
		o.calls, err = f.through(w, p, lasts)
		o.last = p.last
		err = errors.Join(err, p.end())
	}
	o.err = errors.Join(err, w.end())
	if o.arrived, err = w.ledger(); err != nil {
		o.err = errors.Join(o.err, err)
	}
	return o
}

// through is the program's day: some alerts before, many in the trouble, some
// after.
func (f fault) through(w *world, p *runningProgram, lasts time.Duration) (calls report, err error) {
	do := func(what order) {
		if err == nil {
			_, err = p.do(what)
		}
	}
	step := func(f func(*world, *runningProgram) error) {
		if err == nil && f != nil {
			err = f(w, p)
		}
	}
	if !f.fromStart {
		before := order{Do: "log", N: 5, Kinds: 5} // a webhook's repeats would wait for their interval
		if f.forgets {
			before.From = 100 // a message that is gone can't be edited
		}
		do(before)
		if err == nil {
			err = p.until("all is told", func(r report) bool { return r.Stats.Delivered == r.Logged })
		}
	}
	step(f.begin)
	do(order{Do: "log", N: 280, Kinds: 20})
	if err == nil && !f.silent {
		err = p.until("an attempt failed", func(r report) bool { return r.Stats.Failures > 0 })
	}
	do(order{Do: "measure", Kinds: 20, For: lasts})
	calls = p.last
	patience := 2 * time.Second
	if f.heals {
		step(f.over)
		do(order{Do: "log", N: 20, Kinds: 20, From: 10})
		do(order{Do: "flush", For: ample})
		if err == nil && !f.mend && p.last.Err != "" {
			err = errors.New(p.last.Err)
		}
		patience = ample
	}
	do(order{Do: "shutdown", For: patience})
	return calls, err
}

// start takes programs through all faults at once: they wait more than they
// work.
func start(all []fault) []<-chan outcome {
	var results []<-chan outcome
	for _, f := range all {
		c := make(chan outcome, 1)
		results = append(results, c)
		go func() { c <- f.run(lasts()) }()
	}
	return results
}

func TestFaults(t *testing.T) {
	t.Parallel()
	var all []fault
	for _, f := range faults() {
		if !testing.Short() {
			all = append(all, f)
		}
		f.name, f.heals = f.name+", over in time", true
		all = append(all, f)
	}
	results := start(all)
	for i, f := range all {
		t.Run(f.name, func(t *testing.T) { f.check(t, <-results[i]) })
	}
}

// check holds an outcome to what is promised.
func (f fault) check(t *testing.T, o outcome) {
	require.NoError(t, o.err)
	s, l := o.last.Stats, o.arrived
	t.Logf("%d logged, %d told in %d messages and %d edits, %d lost, %d arrived, %d of them twice; %d attempts failed; p99 of a call %v, of base alone %v",
		o.last.Logged, s.Delivered, s.Messages, s.Updates, s.Lost, l.sum(), l.twice, s.Failures, o.calls.Ours.P99, o.calls.Base.P99)
	assert.Equal(t, o.last.Logged, s.Alerts, "every alert is counted")
	assert.Equal(t, s.Alerts, s.Delivered+s.Pending+s.Lost+s.Spooled)
	assert.Zero(t, s.Pending, "nothing is left in between")
	arrived := uint64(l.sum())
	assert.LessOrEqual(t, arrived, s.Alerts, "nothing is told that wasn't logged")
	if f.heals {
		assert.Zero(t, s.Lost, o.last.Err)
		assert.Equal(t, s.Alerts, arrived, "all arrives")
		assert.Empty(t, o.last.Err)
	} else {
		assert.GreaterOrEqual(t, arrived+s.Lost, s.Alerts, "what didn't arrive is said to be lost")
		assert.Contains(t, o.last.Err, fmt.Sprintf("%d alerts of", s.Lost))
	}
	if !f.unsure {
		assert.Equal(t, s.Delivered, arrived, "what is counted as told arrived, and nothing else")
	}
	if !f.twice && (f.heals || !f.unsure) {
		assert.Zero(t, l.twice, "told twice")
	}
	f.checkSaid(t, o.last.Said)
}

// checkSaid wants base to hear of the trouble once, and once of its end.
func (f fault) checkSaid(t *testing.T, said []string) {
	begins, ends, lost := 0, 0, 0
	for _, s := range said {
		switch {
		case strings.Contains(s, "can't be delivered"):
			begins++
			if !f.silent {
				assert.Regexp(t, f.says, s)
			}
			assert.Equal(t, f.mend, strings.Contains(s, " do="), s)
		case strings.Contains(s, "delivered again"):
			ends++
		case strings.Contains(s, "alerts are lost"):
			lost++
		}
	}
	text := strings.Join(said, "\n")
	assert.Equal(t, f.heals, lost == 0, text)
	assert.LessOrEqual(t, begins, 1, text)
	if f.heals {
		assert.Equal(t, begins, ends, text)
	}
	if !f.silent {
		assert.Equal(t, 1, begins, text)
	}
}

// Run it with -benchtime=1x: one round is a program's whole day. It compares, in
// turn and in one process, calls of base alone with calls of the handler while
// the trouble lasts.
func BenchmarkCallsInTrouble(b *testing.B) {
	well := fault{name: "none", silent: true, heals: true}
	for _, f := range append([]fault{well}, faults()...) {
		b.Run("slack="+strings.ReplaceAll(f.name, " ", "_"), func(b *testing.B) {
			var o outcome
			for b.Loop() {
				o = f.run(2 * time.Second)
				require.NoError(b, o.err)
			}
			base, ours := o.calls.Base, o.calls.Ours
			b.ReportMetric(float64(base.P99), "base-p99-ns")
			b.ReportMetric(float64(ours.P99), "p99-ns")
			b.ReportMetric(float64(ours.P99)/float64(base.P99), "p99-ratio")
			b.ReportMetric(float64(base.P50), "base-p50-ns")
			b.ReportMetric(float64(ours.P50), "p50-ns")
		})
	}
}
