package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
	"example.com/slackalert/fleet/internal/again"
	"example.com/slackalert/fleet/internal/natsd"
	"example.com/slackalert/fleet/internal/relay"
)

// runRelay runs a relay in this process until the test, or stop, ends it.
func runRelay(t *testing.T, url string, opts *slackalert.Options) (stop func()) {
	r, err := newRelay(connect(t, url), slog.DiscardHandler, opts, nil)
	require.NoError(t, err)
	r.Handler = func(base slog.Handler, opts *slackalert.Options) (relay.Handler, error) {
		if u, ok := opts.Sender.(slackalert.Updater); ok {
			opts.Sender = hasty{u}
		}
		return slackalert.New(base, opts)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); assert.NoError(t, r.Run(ctx)) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// newProgram is a handler that publishes.
func newProgram(t *testing.T, url, host string, change func(*slackalert.Options)) *slackalert.Handler {
	p, err := NewPublisher(connect(t, url), nil)
	require.NoError(t, err)
	o := &slackalert.Options{Sender: fast{again.OnHost{Publisher: p, Host: host}}, Channel: "C1", Service: "shop", BatchDelay: 20 * time.Millisecond}
	if change != nil {
		change(o)
	}
	h, err := slackalert.New(slog.DiscardHandler, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// logTo logs from one line: another would be another kind.
func logTo(h *slackalert.Handler, kind string, n int) {
	for range n {
		slog.New(h).Error(kind)
	}
}

// totals is what Slack shows: of each kind its latest total, and in how many
// messages it stands.
func totals(t *testing.T, s *fakeslack.Server) string {
	last, posts := map[string]int{}, map[string]int{}
	for _, m := range messages(t, s) {
		for _, g := range m.groups {
			last[g.Message] = g.Total
			posts[g.Message]++
		}
	}
	var all []string
	for kind, n := range last {
		all = append(all, fmt.Sprintf("%s: %d in %d", kind, n, posts[kind]))
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}

func eventually(t *testing.T, want string, got func() string) {
	t.Helper()
	assert.Eventually(t, func() bool { return got() == want }, 30*time.Second, 10*time.Millisecond)
	assert.Equal(t, want, got())
}

// TestFingerprintsOfOnesOwn, and what a process counts together, are groups as
// any: for the successor too.
func TestFingerprintsOfOnesOwn(t *testing.T) {
	t.Parallel()
	ns, s := startNATS(t, nil), startSlack(t)
	own := func(o *slackalert.Options) {
		o.MaxGroups = 1
		o.Fingerprint = func(_ context.Context, r slog.Record) string { return "checkout.timeout > " + r.Message }
	}
	a, b := newProgram(t, natsd.URL(ns), "web-1", own), newProgram(t, natsd.URL(ns), "web-2", own)
	log := func() {
		for _, h := range []*slackalert.Handler{a, b} {
			logger := slog.New(h)
			for _, kind := range []string{"one", "two", "three"} {
				logger.Error(kind)
			}
		}
	}
	stop := runRelay(t, natsd.URL(ns), readable(s.APIURL()))
	log()
	eventually(t, "[one: 2 in 1 other alerts (over 1 kinds), the first: two: 4 in 1]", func() string { return totals(t, s) })
	stop()
	log()
	runRelay(t, natsd.URL(ns), readable(s.APIURL()))
	eventually(t, "[one: 4 in 1 other alerts (over 1 kinds), the first: two: 8 in 1]", func() string { return totals(t, s) })
}

// TestAWebhook can't be edited or looked into: a count is told at the end of
// RepeatInterval, by whoever leads then.
func TestAWebhook(t *testing.T) {
	t.Parallel()
	ns, s := startNATS(t, nil), startSlack(t)
	opts := readable("")
	opts.Token, opts.Channel, opts.APIURL, opts.WebhookURL, opts.RepeatInterval = "", "", "", s.WebhookURL("C1"), 4*time.Second
	h := newProgram(t, natsd.URL(ns), "web-1", nil)
	stop := runRelay(t, natsd.URL(ns), opts)
	began := time.Now()
	logTo(h, "one", 1)
	eventually(t, "[one: 1 in 1]", func() string { return totals(t, s) })
	stop()
	logTo(h, "one", 6)
	runRelay(t, natsd.URL(ns), opts)
	eventually(t, "[one: 7 in 2]", func() string { return totals(t, s) })
	assert.GreaterOrEqual(t, time.Since(began), opts.RepeatInterval, "counted from the dead leader's post")
	assert.Equal(t, []int{1, 6}, []int{messages(t, s)[0].groups[0].Count, messages(t, s)[1].groups[0].Count})
}

// TestAKilledProgramsSpool: what it counted is published by its successor, under
// its run: nothing counts twice.
func TestAKilledProgramsSpool(t *testing.T) {
	t.Parallel()
	ns, s, dir := startNATS(t, nil), startSlack(t), t.TempDir()
	runRelay(t, natsd.URL(ns), readable(s.APIURL()))
	env := []string{natsEnv + "=" + natsd.URL(ns), hostEnv + "=web-1", spoolEnv + "=" + dir}
	c := spawn(t, "program", append(env, countEnv+"=1000")...)
	require.Eventually(t, func() bool { return c.Has("logged") }, 30*time.Second, 5*time.Millisecond)
	c.Kill()
	killed := totals(t, s)
	next := spawn(t, "program", append(env, countEnv+"=1")...)
	require.Eventually(t, func() bool { return next.Has("logged") }, 30*time.Second, 5*time.Millisecond)
	n := 0
	assert.Eventually(t, func() bool {
		m := messages(t, s)
		if len(m) > 0 {
			n = m[len(m)-1].groups[0].Total
		}
		return n > 800
	}, 30*time.Second, 20*time.Millisecond)
	time.Sleep(500 * time.Millisecond)
	t.Logf("told when killed: %s; in the end: %s", killed, totals(t, s))
	assert.Len(t, messages(t, s), 1)
	n = messages(t, s)[0].groups[0].Total
	assert.LessOrEqual(t, n, 1001)
	assert.GreaterOrEqual(t, n, 801)
}

// TestDirectAndBack: what was told while NATS was away isn't told again.
func TestDirectAndBack(t *testing.T) {
	t.Parallel()
	ns, s, direct := startNATS(t, nil), startSlack(t), &sender{}
	runRelay(t, natsd.URL(ns), readable(s.APIURL()))
	js := connect(t, natsd.URL(ns))
	p, err := NewPublisher(js, &Options{Direct: direct, DirectAfter: 500 * time.Millisecond})
	require.NoError(t, err)
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: fast{again.OnHost{Publisher: p, Host: "web-1"}}, Channel: "C1", BatchDelay: 20 * time.Millisecond})
	require.NoError(t, err)
	logTo(h, "one", 1)
	eventually(t, "[one: 1 in 1]", func() string { return totals(t, s) })
	ns.Stop()
	logTo(h, "two", 5)
	told := func() int { direct.mu.Lock(); defer direct.mu.Unlock(); return len(direct.sent) }
	require.Eventually(t, func() bool { return told() == 1 }, 30*time.Second, 10*time.Millisecond)
	assert.Equal(t, []any{5, []string{"direct"}}, []any{direct.sent[0].Groups[0].Count, direct.sent[0].Groups[0].Notes})
	logTo(h, "one", 3)
	logTo(h, "two", 3)
	require.NoError(t, ns.Start())
	eventually(t, "[one: 4 in 1 two: 3 in 1]", func() string { return totals(t, s) })
	require.NoError(t, h.Close())
	assert.Equal(t, 1, told())
}

// TestSlackIsAway: what can't be told waits in the stream, whoever leads.
func TestSlackIsAway(t *testing.T) {
	t.Parallel()
	ns, s := startNATS(t, nil), startSlack(t)
	h := newProgram(t, natsd.URL(ns), "web-1", nil)
	s.FailNext(1000, fakeslack.Fault{Status: 503})
	stop := runRelay(t, natsd.URL(ns), readable(s.APIURL()))
	logTo(h, "one", 5)
	require.NoError(t, h.Flush(t.Context()))
	time.Sleep(300 * time.Millisecond)
	stop()
	runRelay(t, natsd.URL(ns), readable(s.APIURL()))
	time.Sleep(300 * time.Millisecond)
	assert.Empty(t, messages(t, s))
	s.FailNext(0, fakeslack.Fault{})
	eventually(t, "[one: 5 in 1]", func() string { return totals(t, s) })
}
