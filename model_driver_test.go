// This file lets the batcher live through random days: a seed says what is
// logged, how Slack does and how time goes. The referee, in Slack's place, holds
// every request and every sum against what is promised.

package slackalert

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Set MODEL_SEED to live one day again and see all that happens in it (time and
// again with -count: what happens in one moment may happen in another order),
// and MODEL_DAYS to live through more of them.
func TestRandomDays(t *testing.T) {
	if s := os.Getenv("MODEL_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		live(t, seed)
		return
	}
	days := 500
	if repeated(t) {
		days = 25
	}
	if s := os.Getenv("MODEL_DAYS"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err)
		days = n
	}
	first := rand.Uint64N(1e12)
	for i := range days {
		live(t, first+uint64(i))
	}
}

// live is one day.
func live(t *testing.T, seed uint64) {
	defer func() {
		if v := recover(); v != nil { // synctest found a deadlock, or goroutines that never end
			t.Errorf("MODEL_SEED=%d", seed)
			panic(v)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t, seed)
		defer func() { // where a promise was broken
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = d.h.Shutdown(ctx)
		}()
		for range 20 + d.rng.IntN(40) {
			d.step()
			d.check()
		}
		if d.rng.IntN(2) == 0 {
			d.rest()
		}
		d.shutdown()
		synctest.Wait()
		d.check()
	})
}

// kind is one sort of alert that the day knows.
type kind struct {
	name    string // what its message begins with
	group   string // its group's name
	level   slog.Level
	code    string
	channel string
}

// day is one seed's world. What the driver draws comes from rng, what a channel
// answers from that channel's own, so that a seed is the same day again.
type day struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand
	start time.Time
	opts  Options
	h     *Handler
	log   *slog.Logger
	base  *logs
	kinds []kind
	roomy bool // MaxGroups is more than there are kinds
	edits bool // the Sender is an Updater
	calm  bool // Slack never fails
	codes bool // the Fingerprint is the code, where there is one

	mu      sync.Mutex
	broken  []string // promises
	events  []string
	streets map[string]*street
	posters map[string]*poster
	closing time.Time // of Shutdown; zero = not yet
	books
	editing
}

// books are what the referee keeps of a day, to see that the sums are right.
type books struct {
	offered   int // alerts logged, those during Shutdown included
	shown     int // alerts told in what was accepted
	messages  int
	updates   int
	failures  int
	undecided []unanswered
	contents  map[string]string // by ID, of posts
	open      map[string]*lost  // by ID, posts of unknown outcome
	alerts    uint64            // Stats.Alerts of before: it never shrinks
}

// editing is what the referee knows of all channels' edits.
type editing struct {
	editAt     []time.Time // when edits began
	editHold   time.Time   // no edit before: an edit's Retry-After
	editHeld   time.Time   // when that came
	editHolder string      // and in which channel
}

// weather is how Slack does in one channel.
type weather struct {
	what    string
	edits   bool   // only edits feel it
	poison  string // a group that "picky" refuses
	refusal error
}

var weathers = []string{"fine", "slow", "flaky", "down", "away", "limited", "broken", "hangs", "mute", "gone", "panics", "exits", "picky"}

func newDay(t *testing.T, seed uint64) *day {
	d := &day{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), start: time.Now(),
		base: &logs{}, streets: make(map[string]*street), posters: make(map[string]*poster),
		books: books{contents: make(map[string]string), open: make(map[string]*lost)}}
	d.calm, d.edits = d.rng.IntN(4) == 0, d.rng.IntN(3) > 0
	d.opts = Options{
		Sender: referee{d}, Channel: "#main", Service: "shop",
		Codes:          map[string]Code{"pay": {Channel: "#pay"}, "ship": {Channel: "#ship"}, "quiet": {Mute: true}},
		BatchDelay:     pick(d.rng, time.Millisecond, 100*time.Millisecond, time.Second, time.Second, 5*time.Second),
		BatchSize:      pick(d.rng, 1, 2, 3, 20, 20),
		RepeatInterval: pick(d.rng, 2*time.Second, 30*time.Second, time.Minute, 5*time.Minute, 5*time.Minute),
		MaxGroups:      pick(d.rng, 1, 3, 0, 0, 0, 0),
	}
	d.opts.RepeatMax = pick(d.rng, 0, 0, d.opts.RepeatInterval, 5*d.opts.RepeatInterval)
	if d.edits {
		d.opts.Sender = editReferee{referee{d}}
	}
	if s := d.rng.IntN(6); s < 2 {
		d.opts.SyncLevel = []slog.Level{slog.LevelError, slog.LevelError + 4}[s]
	}
	channels := map[string]string{"": "#main", "pay": "#pay", "ship": "#ship"}
	codes := []string{"", "pay", "ship"}[:1+d.rng.IntN(3)]
	levels := []slog.Level{slog.LevelInfo, slog.LevelWarn, slog.LevelError, slog.LevelError, slog.LevelError + 4}
	mixed := d.rng.IntN(4) == 0 // groups of several levels
	switch d.codes = !mixed && d.rng.IntN(4) == 0; {
	case mixed:
		d.opts.Fingerprint = func(_ context.Context, r slog.Record) string { return name(r.Message) }
	case d.codes:
		d.opts.Fingerprint = func(_ context.Context, r slog.Record) string { return attrs(r)["error_code"] }
	}
	for i := range pick(d.rng, 1, 3, 10, 30, 60) {
		k := kind{name: "kind " + letters(i), level: pick(d.rng, levels...), code: pick(d.rng, codes...)}
		if mixed {
			k.name = "kind " + letters(i/2)
		}
		if k.code == "" {
			k.level = max(k.level, slog.LevelError)
		}
		k.channel, k.group = channels[k.code], k.name
		if d.codes && k.code != "" {
			k.group = k.code
		}
		d.kinds = append(d.kinds, k)
	}
	for _, c := range channels {
		d.streets[c] = &street{rng: rand.New(rand.NewPCG(seed, uint64(len(c)*256)+uint64(c[1]))), weather: weather{what: "fine"}, groups: make(map[string]*account)}
	}
	d.roomy = d.opts.MaxGroups == 0
	h, err := New(d.base, &d.opts)
	require.NoError(t, err)
	d.h, d.log = h, slog.New(h)
	return d
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// name is what stands before a message's number.
func name(msg string) string { return strings.TrimRight(msg, " 0123456789") }

// key is the name of a group that was told.
func (d *day) key(g Group) string {
	switch {
	case g.Fingerprint == otherAlerts:
		return otherAlerts
	case d.codes && g.Code != "":
		return g.Code
	}
	return name(g.Message)
}

// between draws a time, short ones as often as long ones.
func between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	return time.Duration(float64(lo) * math.Exp(r.Float64()*math.Log(float64(hi)/float64(lo))))
}

func (d *day) step() {
	switch n := d.rng.IntN(20); {
	case n < 8:
		d.burst()
	case n < 10:
		d.storm()
	case n < 15:
		d.pass(between(d.rng, time.Millisecond, pick(d.rng, time.Second, 20*time.Second, 10*time.Minute, 2*time.Hour)))
	case n < 17:
		d.flush(between(d.rng, time.Millisecond, 20*time.Second), d.rng.IntN(2) == 0)
	case n < 19:
		d.change()
	case d.rng.IntN(4) == 0:
		d.rest()
	}
}

func (d *day) pass(t time.Duration) {
	time.Sleep(t)
	synctest.Wait()
}

// burst logs many alerts in one moment, from several goroutines, while others
// look at the sum.
func (d *day) burst() {
	n := pick(d.rng, 1, 1, 2, 5, 30)
	var all sync.WaitGroup
	for range pick(d.rng, 1, 1, 3) {
		rng := rand.New(rand.NewPCG(d.rng.Uint64(), 2))
		one := d.rng.IntN(2) == 0
		all.Go(func() {
			k := pick(rng, d.kinds...)
			for range n {
				if !one {
					k = pick(rng, d.kinds...)
				}
				d.say(k, rng)
			}
		})
	}
	all.Go(func() { d.sum("beside the loggers") })
	all.Wait()
	synctest.Wait()
}

// storm logs on and on.
func (d *day) storm() {
	k, gap := pick(d.rng, d.kinds...), between(d.rng, time.Millisecond, 20*time.Second)
	for i := range 5 + d.rng.IntN(60) {
		if i%5 == 4 {
			d.say(pick(d.rng, d.kinds...), d.rng)
		}
		d.say(k, d.rng)
		d.pass(gap)
	}
}

// say logs one alert, and sometimes a record that is none.
func (d *day) say(k kind, rng *rand.Rand) {
	urgent := d.opts.SyncLevel != nil && k.level >= d.opts.SyncLevel.Level()
	d.mu.Lock()
	now := time.Now()
	s := d.streets[k.channel]
	g := s.group(k.group)
	d.logs(s, g, now, urgent)
	n, goes := g.logged, d.goes(s, g, now)
	d.event("log %s %v %s urgent=%v", k.channel, k.level, k.name, urgent)
	d.mu.Unlock()

	msg := k.name + " 7"
	if rng.IntN(2) == 0 {
		msg = k.name + " " + strconv.Itoa(rng.IntN(1000))
	}
	if rng.IntN(10) == 0 {
		d.log.Info("no alert")
		d.log.Info("no alert", "error_code", "quiet")
	}
	d.log.LogAttrs(context.Background(), k.level, msg, slog.String("error_code", k.code), slog.String("where", k.name))
	took := time.Since(now)

	d.mu.Lock()
	defer d.mu.Unlock()
	d.decide()
	// between two edits of all lanes: where the next comes too late, nobody waits for it
	const turn = 1500 * time.Millisecond
	goes = goes && s.failed.n == 0 && s.editRun.n == 0 && (g.on == nil || g.on.retry.IsZero()) && !time.Now().Before(d.editHold) && !g.replace && (d.edits || g.posted.Before(now)) // else the group was told meanwhile, and this one is held
	switch {
	case !urgent && took > 0:
		d.breaks("Handle waits for nothing below SyncLevel: it took %v", took)
	case took > 5*time.Second:
		d.breaks("Handle waits 5 s for SyncLevel: it took %v", took)
	case urgent && goes && took < 5*time.Second-turn && d.roomy && g.told.Before(now) && d.closing.IsZero():
		d.breaks("SyncLevel is told when Handle returns: it did after %v, but %s wasn't told", took, k.name)
	case urgent && took > 4500*time.Millisecond && n == 1 && n == g.logged && d.roomy && !s.rough && d.opts.BatchSize > 2 && d.closing.IsZero():
		d.breaks("SyncLevel waits no longer than it must: Handle returned after %v, though nothing was in the way of %s", took, k.name)
	}
}

// logs notes that an alert of a group is logged now. d.mu is held.
func (d *day) logs(s *street, g *account, now time.Time, urgent bool) {
	if away := now.Sub(g.latest); g.logged > 0 && away >= max(2*time.Hour, 2*g.interval) && (g.logged == g.shown || !d.roomy) {
		g.anew, g.posted, g.interval = true, time.Time{}, 0
	}
	s.stirred = now
	d.offered++
	g.logged++
	g.latest = now
	if g.since.IsZero() {
		g.since = now
	}
	if o := s.group(otherAlerts); !d.roomy {
		o.latest = now
	}
	if urgent {
		g.urgent, s.hurried = now, now
		s.group(otherAlerts).urgent = now
	}
}

// goes says that nothing keeps an urgent alert from being told: its group is
// posted or edited now, and no trouble is known. d.mu is held.
func (d *day) goes(s *street, g *account, now time.Time) bool {
	d.decide()
	edits := d.edits && g.on != nil && !g.replace && !g.on.again && g.on.retry.IsZero() && s.editRun.n == 0
	return !s.rough && s.failed.n == 0 && (edits || g.posted.IsZero() || !now.Before(g.posted.Add(g.interval)))
}

func (s *street) group(name string) *account {
	if s.groups[name] == nil {
		s.groups[name] = &account{}
	}
	return s.groups[name]
}

// flush flushes, in the background or not.
func (d *day) flush(within time.Duration, wait bool) {
	d.mu.Lock()
	d.event("flush within %v", within)
	first := make(map[string]*account)
	for c, s := range d.streets {
		s.hurried, s.stirred = time.Now(), time.Now()
		for name, g := range s.groups {
			if g.logged > 0 && g.shown == 0 {
				first[c+" "+name] = g
			}
		}
	}
	d.mu.Unlock()
	var all sync.WaitGroup
	all.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		begun := time.Now()
		err := d.h.Flush(ctx)
		parked := d.parked()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.event("flushed: %v", err)
		if time.Since(begun) > within {
			d.breaks("Flush took %v of %v", time.Since(begun), within)
		}
		for name, g := range first {
			if err == nil && d.roomy && g.shown == 0 && d.closing.IsZero() && !parked[name] {
				d.breaks("where Flush returns nil all that waited is told, but what is parked: %s isn't", name)
			}
		}
	})
	if wait {
		all.Wait()
	}
	synctest.Wait()
}

// change lets the weather turn in one channel.
func (d *day) change() {
	if d.calm {
		return
	}
	c, w := pick(d.rng, "#main", "#pay", "#ship"), weather{what: pick(d.rng, weathers...), edits: d.rng.IntN(3) == 0}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.streets[c]
	w.refusal = s.weather.refusal
	if w.what == "picky" {
		w.poison, w.refusal = pick(d.rng, d.kinds...).group, pick(d.rng, error(refused{}), errDown)
	}
	s.weather = w
	s.rough = s.rough || !w.edits && w.what != "fine" && w.what != "gone"
	d.event("weather %s: %s edits only: %v", c, w.what, w.edits)
}

// rest lets Slack be well and time go by: then every group was told, what
// stands in the messages is exact, and they say that it is over.
func (d *day) rest() {
	d.clear()
	d.pass(5 * time.Hour) // longer than any interval
	d.check()
	s := d.h.Stats()
	d.want(s.Pending == 0, "at rest all is told: %d alerts are pending", s.Pending)
	for c, s := range d.streets {
		logged, shown := 0, 0
		for name, g := range s.groups {
			logged, shown = logged+g.logged, shown+g.shown
			d.want(!d.roomy || g.logged == g.shown, "at rest what stands is exact: %s %s was logged %d times, shown are %d", c, name, g.logged, g.shown)
			if m := g.on; d.roomy && d.edits && m != nil && !m.again && !m.gone {
				d.want(m.quiet[name], "at rest it is said to be over: %s %s isn't", c, name)
			}
		}
		d.want(logged == shown, "at rest what stands is exact: in %s %d alerts were logged, shown are %d", c, logged, shown)
	}
}

// clear makes the weather fine everywhere.
func (d *day) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.streets {
		s.weather = weather{what: "fine", refusal: s.weather.refusal}
	}
	d.event("fine everywhere")
}

// shutdown ends the day, with enough time or not, and sometimes while somebody
// still logs.
func (d *day) shutdown() {
	within := pick(d.rng, 0, time.Millisecond, 700*time.Millisecond, 5*time.Second, 5*time.Second, time.Minute, 2*time.Hour)
	if d.rng.IntN(3) == 0 {
		d.clear()
	}
	d.amid()
	d.mu.Lock()
	begun, needs, first, counted := time.Now(), d.needs(), d.certain(within), d.offered
	d.closing = begun
	d.event("shutdown within %v, needs %v", within, needs)
	d.mu.Unlock()
	var beside sync.WaitGroup
	if d.rng.IntN(2) == 0 {
		beside.Go(d.besides)
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	err := d.h.Shutdown(ctx)
	took := time.Since(begun)
	beside.Wait()
	s := d.h.Stats()
	excused := errors.As(err, new(mend)) || errors.As(err, new(retryAfter)) // the answer to what was under way
	d.want(took <= within+time.Second, "Shutdown took %v of %v", took, within)
	d.want(s.Pending == 0, "%d alerts are pending after Shutdown", s.Pending)
	d.want(s.Alerts >= uint64(counted), "Stats.Alerts is %d, logged before Shutdown were %d", s.Alerts, counted)
	d.want(within < needs || s.Lost == 0 || excused, "Shutdown needed %v, had %v, and lost %d: %v", needs, within, s.Lost, err)
	for _, g := range first {
		d.want(g.shown > 0 || excused, "Shutdown had %v, nothing was in the way of posts, but a new alert was not told: %v", within, err)
	}
	d.lost(s, err)
	assert.Equal(d.t, err, d.h.Close(), "a second call says the same")
	d.say(d.kinds[0], d.rng)
	d.want(d.h.Stats().Alerts == s.Alerts, "an alert counts after Shutdown")
}

// amid lets Shutdown come into the middle of something.
func (d *day) amid() {
	k := pick(d.rng, d.kinds...)
	switch d.rng.IntN(4) {
	case 0: // a post, if the group isn't told already
		d.say(k, d.rng)
		time.Sleep(d.opts.BatchDelay + time.Duration(d.rng.IntN(200))*time.Millisecond)
		d.say(k, d.rng)
	case 1: // an edit that hangs
		if d.calm {
			return
		}
		d.say(k, d.rng)
		time.Sleep(d.opts.BatchDelay + 2*time.Second)
		d.mu.Lock()
		d.streets[k.channel].weather = weather{what: "hangs", edits: true, refusal: d.streets[k.channel].weather.refusal}
		d.mu.Unlock()
		d.say(k, d.rng)
		time.Sleep(d.opts.BatchDelay + 10*time.Second)
	}
	if d.rng.IntN(2) == 0 {
		k.name = fresh
		if !d.codes || k.code == "" {
			k.group = fresh
		}
		d.say(k, d.rng)
	}
}

// fresh is the name of a kind that nobody logs but amid.
const fresh = "kind new"

func (d *day) besides() {
	for range 20 {
		d.say(d.kinds[0], rand.New(rand.NewPCG(d.seed, 3)))
		d.sum("beside Shutdown")
	}
}
