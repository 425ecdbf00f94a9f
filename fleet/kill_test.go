package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
	"example.com/slackalert/fleet/internal/again"
	"example.com/slackalert/fleet/internal/natsd"
)

// newKind is an error text that is no other's: digits and ids would be.
func newKind() string {
	b := []byte("kind ")
	for range 10 {
		b = append(b, byte('g'+rand.IntN(20)))
	}
	return string(b)
}

// kills is how many leaders die in each test: FLEET_KILLS, 5 by default.
func kills(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("FLEET_KILLS"))
	if os.Getenv("FLEET_KILLS") == "" {
		return 5
	}
	require.NoError(t, err)
	return n
}

// relays are several relay processes, of which one leads.
type relays struct {
	t     *testing.T
	env   []string
	all   []*again.Process
	times []time.Duration
}

func newRelays(t *testing.T, n int, env ...string) *relays {
	r := &relays{t: t, env: env}
	for range n {
		r.all = append(r.all, spawn(t, "relay", env...))
	}
	return r
}

// leader waits for one of the relays to lead.
func (r *relays) leader() *again.Process {
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(2 * time.Millisecond) {
		for _, c := range r.all {
			if c.Has(`fleet: leading"`) {
				return c
			}
		}
	}
	for _, c := range r.all {
		r.t.Log(c.Log())
	}
	require.FailNow(r.t, "no relay leads after 20 s")
	return nil
}

// replace kills a leader, starts another relay in its place, and waits until one
// leads. It notes how long that took.
func (r *relays) replace(c *again.Process) {
	died := time.Now()
	c.Kill()
	r.all = slices.DeleteFunc(r.all, func(o *again.Process) bool { return o == c })
	r.all = append(r.all, spawn(r.t, "relay", r.env...))
	r.leader()
	r.times = append(r.times, time.Since(died))
}

// took is the fastest, the middle and the slowest fail-over.
func (r *relays) took() string {
	if len(r.times) == 0 {
		return "no fail-over"
	}
	slices.Sort(r.times)
	ms := func(i int) time.Duration { return r.times[i].Round(time.Millisecond) }
	return fmt.Sprintf("fail-over in %v, %v, %v (fastest, middle, slowest of %d)", ms(0), ms(len(r.times)/2), ms(len(r.times)-1), len(r.times))
}

// load is programs in this process that log errors of several kinds, and know
// how many.
type load struct {
	t        *testing.T
	handlers []*slackalert.Handler
	counts   sync.Map // message → *atomic.Int64
	stop     context.CancelFunc
	running  sync.WaitGroup
}

func newLoad(t *testing.T, url string, programs int, replicas int) *load {
	l := &load{t: t}
	ctx, stop := context.WithCancel(t.Context())
	l.stop = stop
	for i := range programs {
		p, err := NewPublisher(connect(t, url), &Options{Replicas: replicas})
		require.NoError(t, err)
		h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: fast{again.OnHost{Publisher: p, Host: fmt.Sprint("web-", i+1)}}, Channel: "C1", Service: "shop", BatchDelay: 20 * time.Millisecond})
		require.NoError(t, err)
		l.handlers = append(l.handlers, h)
		l.running.Go(func() {
			for ctx.Err() == nil {
				l.log(h, fmt.Sprint("kind ", string(rune('a'+rand.IntN(8)))), 1+rand.IntN(20))
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
		})
	}
	return l
}

// fast is a publisher that tells of repeats at once: a test has no 10 s.
type fast struct{ again.OnHost }

func (fast) Gaps() (post, edit time.Duration) { return 20 * time.Millisecond, 100 * time.Millisecond }

// log logs n errors of a kind.
func (l *load) log(h *slackalert.Handler, kind string, n int) {
	logger := slog.New(h)
	for range n {
		logger.Error(kind)
	}
	c, _ := l.counts.LoadOrStore(kind, new(atomic.Int64))
	c.(*atomic.Int64).Add(int64(n))
}

// end stops logging and returns when all is published.
func (l *load) end() {
	l.stop()
	l.running.Wait()
	for _, h := range l.handlers {
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		assert.NoError(l.t, h.Shutdown(ctx))
		cancel()
	}
}

// settle waits until Slack shows what was logged. It says how many kinds are
// wrong, and how many messages tell of a kind that another told before.
func (l *load) settle(s *fakeslack.Server) (wrong, twice int, alerts int64) {
	for until := time.Now().Add(40 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		wrong, _, _ = l.compare(s)
		if wrong == 0 || time.Now().After(until) {
			break
		}
	}
	time.Sleep(300 * time.Millisecond) // what is told too much comes later
	return l.compare(s)
}

func (l *load) compare(s *fakeslack.Server) (wrong, twice int, alerts int64) {
	last := map[string]int{}
	for _, m := range messages(l.t, s) {
		again := false
		for _, g := range m.groups {
			_, before := last[g.Message]
			again = again || before
			last[g.Message] = g.Total
		}
		if again {
			twice++
		}
	}
	l.counts.Range(func(kind, n any) bool {
		want := n.(*atomic.Int64).Load()
		alerts += want
		if last[kind.(string)] != int(want) {
			wrong++
		}
		return true
	})
	return wrong, twice, alerts
}

// TestLeadersAreKilledAtRandom: under load, at any moment of their work.
func TestLeadersAreKilledAtRandom(t *testing.T) {
	t.Parallel()
	ns, s := startNATS(t, nil), startSlack(t)
	n := kills(t)
	r := newRelays(t, 3, natsEnv+"="+natsd.URL(ns), slackEnv+"="+s.APIURL())
	l := newLoad(t, natsd.URL(ns), 10, 1)
	for range n {
		leader := r.leader()
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
		l.log(l.handlers[0], newKind(), 3)
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
		r.replace(leader)
	}
	l.end()
	wrong, twice, alerts := l.settle(s)
	t.Logf("%d kills, %d alerts: %d counts wrong, %d told twice; %s", n, alerts, wrong, twice, r.took())
	assert.Zero(t, wrong)
	assert.Zero(t, twice)
}

// TestLeadersAreKilledBeforeTheNote: between Slack's answer and the note of it.
// Where the app may read the channel's history the successor finds the message;
// where it may not, it posts again, and says that it may be so.
func TestLeadersAreKilledBeforeTheNote(t *testing.T) {
	for _, tc := range []struct {
		name, trap string
		history    bool
	}{
		{"posts, with history", "post", true},
		{"posts, without history", "post", false},
		{"edits", "edit", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ns, s := startNATS(t, nil), startSlack(t)
			if !tc.history {
				s.Withhold("channels:history")
			}
			n := kills(t)
			r := newRelays(t, 2, natsEnv+"="+natsd.URL(ns), slackEnv+"="+s.APIURL(), trapEnv+"="+tc.trap)
			l := newLoad(t, natsd.URL(ns), 3, 1)
			for range n {
				leader := r.leader()
				l.log(l.handlers[0], newKind(), 3)
				require.Eventually(t, func() bool { return leader.Has("trapped") }, 30*time.Second, time.Millisecond, "%s", leader.Log())
				r.replace(leader)
			}
			for _, c := range r.all { // the last ones have no trap
				c.Kill()
			}
			r.env = append(r.env, trapEnv+"=")
			r.all = []*again.Process{spawn(t, "relay", r.env...)}
			l.end()
			wrong, twice, alerts := l.settle(s)
			t.Logf("%d kills, %d alerts: %d counts wrong, %d told twice; %s", n+1, alerts, wrong, twice, r.took())
			assert.Zero(t, wrong)
			if tc.history {
				assert.Zero(t, twice)
			} else {
				assert.LessOrEqual(t, twice, n+2)
				assert.NotZero(t, twice, "the trap didn't work")
				assertMarked(t, s)
			}
		})
	}
}

// assertMarked: whatever is told again says that it may be.
func assertMarked(t *testing.T, s *fakeslack.Server) {
	seen := map[string]bool{}
	for _, m := range messages(t, s) {
		for _, g := range m.groups {
			if seen[g.Message] {
				assert.Contains(t, g.Notes, "perhaps told before", "%+v", g)
			}
			seen[g.Message] = true
		}
	}
}

// TestFrozenLeaders: a leader stops for 6 s, twice its lease, and goes on as if
// nothing had been.
func TestFrozenLeaders(t *testing.T) {
	t.Parallel()
	ns, s := startNATS(t, nil), startSlack(t)
	n := (kills(t)*2 + 4) / 5 // 2 by default, 20 of 50
	r := newRelays(t, 2, natsEnv+"="+natsd.URL(ns), slackEnv+"="+s.APIURL())
	l := newLoad(t, natsd.URL(ns), 5, 1)
	for range n {
		leader := r.leader()
		l.log(l.handlers[0], newKind(), 3)
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
		leader.Signal(syscall.SIGSTOP)
		stopped := time.Now()
		r.all = slices.DeleteFunc(r.all, func(o *again.Process) bool { return o == leader })
		r.leader()
		r.times = append(r.times, time.Since(stopped))
		time.Sleep(time.Until(stopped.Add(6 * time.Second)))
		leader.Forget()
		leader.Signal(syscall.SIGCONT)
		r.all = append(r.all, leader) // it stands by from now on
	}
	l.end()
	wrong, twice, alerts := l.settle(s)
	t.Logf("%d freezes, %d alerts: %d counts wrong, %d told twice; %s", n, alerts, wrong, twice, r.took())
	assert.Zero(t, wrong)
	assert.Zero(t, twice)
}

// TestAServerOfThreeIsKilled: the cluster goes on, and so does the fleet.
func TestAServerOfThreeIsKilled(t *testing.T) {
	t.Parallel()
	servers, err := natsd.Cluster(t.TempDir(), 3)
	require.NoError(t, err)
	for _, ns := range servers {
		t.Cleanup(ns.Stop)
	}
	s := startSlack(t)
	r := newRelays(t, 2, natsEnv+"="+natsd.URL(servers...), slackEnv+"="+s.APIURL(), rEnv+"=3")
	l := newLoad(t, natsd.URL(servers...), 5, 3)
	r.leader()
	time.Sleep(time.Second)
	for _, ns := range servers[:2] { // one after the other
		ns.Stop()
		l.log(l.handlers[0], newKind(), 3)
		time.Sleep(3 * time.Second)
		l.log(l.handlers[1], newKind(), 3)
		require.NoError(t, ns.Start())
		time.Sleep(2 * time.Second)
	}
	l.end()
	wrong, twice, alerts := l.settle(s)
	t.Logf("two servers stopped in turn, %d alerts: %d counts wrong, %d told twice", alerts, wrong, twice)
	assert.Zero(t, wrong)
	assert.Zero(t, twice)
}

// TestTheServerIsRestarted: the only one, under load.
func TestTheServerIsRestarted(t *testing.T) {
	t.Parallel()
	ns, s := startNATS(t, nil), startSlack(t)
	r := newRelays(t, 2, natsEnv+"="+natsd.URL(ns), slackEnv+"="+s.APIURL())
	l := newLoad(t, natsd.URL(ns), 5, 1)
	r.leader()
	for range 2 {
		time.Sleep(500 * time.Millisecond)
		l.log(l.handlers[0], newKind(), 3)
		ns.Stop()
		time.Sleep(time.Second)
		l.log(l.handlers[0], newKind(), 3)
		require.NoError(t, ns.Start())
		time.Sleep(3 * time.Second)
	}
	l.end()
	wrong, twice, alerts := l.settle(s)
	t.Logf("two restarts, %d alerts: %d counts wrong, %d told twice", alerts, wrong, twice)
	assert.Zero(t, wrong)
	assert.Zero(t, twice)
}
