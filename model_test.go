// This file lets the batcher live through random days: a seed says what is
// logged, how Slack does and how time goes, and a referee in Slack's place holds
// every request, and every sum, against what is promised.

package slackalert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
	name    string // what its message begins with; its group's name
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

	mu         sync.Mutex
	broken     []string // promises
	events     []string
	streets    map[string]*street
	posters    map[string]*poster
	closing    time.Time // of Shutdown; zero = not yet
	offered    int       // alerts logged, those during Shutdown included
	shown      int       // alerts told in what was accepted
	messages   int
	updates    int
	failures   int
	undecided  []unanswered
	editAt     []time.Time // when edits began
	editHold   time.Time   // no edit before: an edit's Retry-After
	editHeld   time.Time   // when that came
	editHolder string      // and in which channel
	alerts     uint64      // Stats.Alerts of before: it never shrinks
}

// street is a channel as the referee sees it.
type street struct {
	rng      *rand.Rand
	weather  weather
	rough    bool   // its posts had trouble, some time
	busy     string // the request under way; "" = none
	groups   map[string]*account
	lastPost time.Time // end of the last post that people may have seen
	hold     time.Time // no request before: a post's Retry-After
	stirred  time.Time // the last alert or flush
	hurried  time.Time // a flush or an urgent alert asked for haste
	failed   failure   // the last post's; zero = it was accepted
	editRun  failure   // the last edits'
}

// failure is a run of failed posts.
type failure struct {
	at   time.Time
	n    int
	mend bool
	hard bool // Retry-After rules, not the run
	id   string
	keys []string
}

// more counts a failure to a run of its sort.
func (f *failure) more(err error) {
	m := errors.As(err, new(mend))
	if m != f.mend {
		f.n = 0
	}
	f.n, f.mend = f.n+1, m
}

// wait is how long the next attempt has to wait, at least.
func (f *failure) wait() time.Duration {
	if f.mend {
		return min(time.Minute<<min(f.n-1, 10), 10*time.Minute)
	}
	return min(time.Second<<min(f.n-1, 10), time.Minute)
}

// account is a group as the referee sees it.
type account struct {
	logged  int
	shown   int
	total   int       // as last told, since the group began
	last    time.Time // as last told
	since   time.Time // the first alert of a group that was never told
	urgent  time.Time // the last urgent alert
	told    time.Time // begin of the last accepted request that told more of it
	posted  time.Time // end of the last accepted post
	on      *poster   // its last message
	replace bool      // that message is gone
}

// unanswered is an edit that failed without an answer, or was called off.
type unanswered struct {
	ctx context.Context
	p   *poster
	err error
	at  time.Time
}

// poster is a message that people see.
type poster struct {
	id, channel string
	keys        []string
	counts      map[string]int
	shown       time.Time // end of the post, or of the last accepted edit
	retry       time.Time // no edit before, because the last one failed
	gone        bool
	again       bool // replaces one that was gone
}

// weather is how Slack does in one channel.
type weather struct {
	what  string
	edits bool // only edits feel it
}

var weathers = []string{"fine", "slow", "flaky", "down", "limited", "broken", "hangs", "mute", "gone", "panics"}

func newDay(t *testing.T, seed uint64) *day {
	d := &day{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), start: time.Now(),
		base: &logs{}, streets: make(map[string]*street), posters: make(map[string]*poster)}
	d.calm, d.edits = d.rng.IntN(4) == 0, d.rng.IntN(3) > 0
	d.opts = Options{
		Sender: referee{d}, Channel: "#main", Service: "shop",
		Codes:          map[string]Code{"pay": {Channel: "#pay"}, "ship": {Channel: "#ship"}, "quiet": {Mute: true}},
		BatchDelay:     pick(d.rng, time.Millisecond, 100*time.Millisecond, time.Second, time.Second, 5*time.Second),
		BatchSize:      pick(d.rng, 1, 2, 3, 20, 20),
		RepeatInterval: pick(d.rng, 2*time.Second, 30*time.Second, time.Minute, 5*time.Minute, 5*time.Minute),
		MaxGroups:      pick(d.rng, 1, 3, 0, 0, 0, 0),
	}
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
	if mixed {
		d.opts.Fingerprint = func(_ context.Context, r slog.Record) string { return name(r.Message) }
	}
	for i := range pick(d.rng, 1, 3, 10, 30, 60) {
		k := kind{name: "kind " + letters(i), level: pick(d.rng, levels...), code: pick(d.rng, codes...)}
		if mixed {
			k.name = "kind " + letters(i/2)
		}
		if k.code == "" {
			k.level = max(k.level, slog.LevelError)
		}
		k.channel = channels[k.code]
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

// name is the group of a message: what stands before its number.
func name(msg string) string {
	if strings.HasPrefix(msg, otherAlerts) {
		return otherAlerts
	}
	return strings.TrimRight(msg, " 0123456789")
}

// between draws a time, short ones as often as long ones.
func between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	return time.Duration(float64(lo) * math.Exp(r.Float64()*math.Log(float64(hi)/float64(lo))))
}

// breaks notes that a promise is broken; the driver ends the day then. d.mu is
// held.
func (d *day) breaks(format string, args ...any) {
	d.event("BROKEN: "+format, args...)
	d.broken = append(d.broken, fmt.Sprintf(format, args...))
}

// event remembers the last things that happened. d.mu is held.
func (d *day) event(format string, args ...any) {
	if len(d.events) >= 4000 {
		d.events = slices.Delete(d.events, 0, 2000)
	}
	d.events = append(d.events, time.Since(d.start).String()+" "+fmt.Sprintf(format, args...))
}

// want ends the day unless ok.
func (d *day) want(ok bool, format string, args ...any) {
	d.t.Helper()
	d.mu.Lock()
	if !ok {
		d.breaks(format, args...)
	}
	broken, events := d.broken, d.events
	d.mu.Unlock()
	if len(broken) > 0 {
		o, show := d.opts, 40
		if os.Getenv("MODEL_SEED") != "" {
			show = len(events)
		}
		d.t.Fatalf("MODEL_SEED=%d: %s\nedits=%v calm=%v delay=%v size=%d repeat=%v maxgroups=%d sync=%v kinds=%d mixed=%v\n%s", d.seed, strings.Join(broken, "\n"),
			d.edits, d.calm, o.BatchDelay, o.BatchSize, o.RepeatInterval, o.MaxGroups, o.SyncLevel, len(d.kinds), o.Fingerprint != nil,
			strings.Join(events[max(0, len(events)-show):], "\n"))
	}
}

// The driver.

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
	g := s.group(k.name)
	s.stirred = now
	d.offered++
	g.logged++
	if g.since.IsZero() {
		g.since = now
	}
	if urgent {
		g.urgent, s.hurried = now, now
		s.group(otherAlerts).urgent = now
	}
	n := g.logged
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
	switch {
	case !urgent && took > 0:
		d.breaks("Handle waited %v for an alert below SyncLevel", took)
	case took > 5*time.Second:
		d.breaks("Handle waited %v for SyncLevel", took)
	case urgent && took < 5*time.Second && d.roomy && g.told.Before(now) && !s.broken(now) && d.closing.IsZero():
		d.breaks("SyncLevel: Handle returned after %v, but %s wasn't told", took, k.name)
	case urgent && took > 3200*time.Millisecond && (n == 1 || !d.edits) && n == g.logged && d.roomy && !s.rough && d.opts.BatchSize > 2 && d.closing.IsZero():
		d.breaks("SyncLevel: Handle returned after %v, though nothing was in the way of %s", took, k.name)
	}
}

// broken says whether a post was refused since then for a cause that a person
// must mend: nobody waits for that.
func (s *street) broken(since time.Time) bool {
	return s.failed.mend && !s.failed.at.Before(since)
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
	var first []*account
	for _, s := range d.streets {
		s.hurried, s.stirred = time.Now(), time.Now()
		for _, g := range s.groups {
			if g.logged > 0 && g.shown == 0 {
				first = append(first, g)
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
		d.mu.Lock()
		defer d.mu.Unlock()
		d.event("flushed: %v", err)
		if time.Since(begun) > within {
			d.breaks("Flush took %v of %v", time.Since(begun), within)
		}
		for _, g := range first {
			if err == nil && d.roomy && g.shown == 0 && d.closing.IsZero() {
				d.breaks("Flush returned nil, and a group that waited was never told")
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
	c, w := pick(d.rng, "#main", "#pay", "#ship"), weather{pick(d.rng, weathers...), d.rng.IntN(3) == 0}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.streets[c]
	s.weather = w
	s.rough = s.rough || !w.edits && w.what != "fine" && w.what != "gone"
	d.event("weather %s: %s edits only: %v", c, w.what, w.edits)
}

// rest lets Slack be well and time go by: then every group was told, what
// stands in the messages is exact, and the groups are forgotten.
func (d *day) rest() {
	d.clear()
	d.pass(3 * time.Hour)
	d.check()
	s := d.h.Stats()
	d.want(s.Pending == 0, "at rest: %d alerts are pending", s.Pending)
	for c, s := range d.streets {
		logged, shown := 0, 0
		for name, g := range s.groups {
			logged, shown = logged+g.logged, shown+g.shown
			d.want(!d.roomy || g.logged == g.shown, "at rest: %s %s was logged %d times, shown are %d", c, name, g.logged, g.shown)
			g.total = 0 // forgotten
		}
		d.want(logged == shown, "at rest: in %s %d alerts were logged, shown are %d", c, logged, shown)
	}
}

// clear makes the weather fine everywhere.
func (d *day) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.streets {
		s.weather = weather{what: "fine"}
	}
	d.event("fine everywhere")
}

// sum checks what holds at every moment, from any goroutine.
func (d *day) sum(where string) {
	d.mu.Lock()
	before := d.alerts
	d.mu.Unlock()
	s := d.h.Stats()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.alerts = max(d.alerts, s.Alerts)
	switch {
	case s.Alerts != s.Delivered+s.Pending+s.Lost, s.Delivered > s.Alerts, s.Pending > s.Alerts:
		d.breaks("the sum, %s: %+v", where, s)
	case s.Alerts < before, s.Alerts > uint64(d.offered), s.Delivered > uint64(d.shown):
		d.breaks("the sum, %s: %+v, but there were %d alerts before, %d were logged, %d told", where, s, before, d.offered, d.shown)
	case d.closing.IsZero() && s.Lost > 0:
		d.breaks("%s %d alerts are lost before Shutdown", where, s.Lost)
	}
}

// check compares the counts while everything stands still.
func (d *day) check() {
	d.sum("at rest")
	s := d.h.Stats()
	d.mu.Lock()
	d.decide()
	switch {
	case d.closing.IsZero() && s.Alerts != uint64(d.offered):
		d.breaks("Stats.Alerts is %d, logged were %d", s.Alerts, d.offered)
	case s.Delivered != uint64(d.shown):
		d.breaks("Stats.Delivered is %d, shown are %d", s.Delivered, d.shown)
	case s.Messages != uint64(d.messages), s.Updates != uint64(d.updates), s.Failures != uint64(d.failures):
		d.breaks("Stats count %d messages, %d updates, %d failures; it were %d, %d, %d", s.Messages, s.Updates, s.Failures, d.messages, d.updates, d.failures)
	}
	for c, s := range d.streets {
		for name, g := range s.groups {
			if d.late(s, g) {
				d.breaks("%s waits for %v in %s, where nothing is in the way", name, time.Since(g.since), c)
			}
		}
	}
	d.mu.Unlock()
	d.ownTrouble()
	d.want(true, "")
}

// decide says of edits without an answer whether they failed or were called
// off for a new alert, as soon as that is known. d.mu is held.
func (d *day) decide() {
	d.undecided = slices.DeleteFunc(d.undecided, func(u unanswered) bool {
		switch cause := context.Cause(u.ctx); cause {
		case nil:
			return false
		case errYield:
			u.p.retry = u.at.Add(time.Second)
		default:
			d.failures++
			run := &d.streets[u.p.channel].editRun
			run.more(u.err)
			u.p.retry = u.at.Add(run.wait())
		}
		return true
	})
}

// late says whether a new alert waits too long where posts have no trouble,
// whatever becomes of edits and of other channels. d.mu is held.
func (d *day) late(s *street, g *account) bool {
	turns := time.Duration(len(d.kinds)/d.opts.BatchSize+2) * 1200 * time.Millisecond
	if s.rough || g.logged == 0 || g.shown > 0 || !d.roomy || !d.closing.IsZero() {
		return false
	}
	if d.opts.SyncLevel != nil || turns > d.opts.RepeatInterval {
		return false // the more urgent may come first time and again
	}
	return time.Since(g.since) > d.opts.BatchDelay+turns+time.Second
}

// ownTrouble checks what base hears: of each trouble once when it begins, once
// more if a person must mend it, once when it is over.
func (d *day) ownTrouble() {
	d.base.mu.Lock()
	defer d.base.mu.Unlock()
	said := make(map[string]string)
	for _, r := range d.base.records {
		if !strings.HasPrefix(r.Message, "slackalert:") {
			continue
		}
		a := attrs(r)
		what, is := a["channel"]+" "+a["attempt"], "again"
		if strings.Contains(r.Message, "they wait") {
			is = "waits"
			if a["do"] != "" {
				is = "mend"
			}
		}
		was := cmp.Or(said[what], "again")
		said[what] = is
		ok := is == "again" && was != "again" || is == "waits" && was == "again" || is == "mend" && was != "mend"
		if !strings.Contains(r.Message, "shutdown") {
			d.want(ok, "base hears of %s: %s after %s", what, is, was)
		}
	}
}

func attrs(r slog.Record) map[string]string {
	m := make(map[string]string)
	r.Attrs(func(a slog.Attr) bool { m[a.Key] = a.Value.String(); return true })
	return m
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
		d.streets[k.channel].weather = weather{"hangs", true}
		d.mu.Unlock()
		d.say(k, d.rng)
		time.Sleep(d.opts.BatchDelay + 10*time.Second)
	}
	if d.rng.IntN(2) == 0 {
		k.name = fresh
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

// needs is the time in which Shutdown can tell everything; 3 hours, and so
// more than it gets, where Slack has trouble. d.mu is held.
func (d *day) needs() time.Duration {
	wait, posts, edits := max(0, time.Until(d.editHold)), time.Duration(0), 0
	for _, s := range d.streets {
		if s.weather.what != "fine" {
			return 3 * time.Hour
		}
		wait = max(wait, time.Until(s.hold))
		posts = max(posts, d.turns(s))
		edits += s.waits(d.roomy)
	}
	recent := slices.IndexFunc(d.editAt, func(at time.Time) bool { return time.Since(at) < 80*time.Second })
	if recent >= 0 && len(d.editAt)-recent+edits > 10 {
		wait += time.Duration(edits+1) * 1500 * time.Millisecond
	}
	if d.edits {
		wait += time.Duration(edits) * 200 * time.Millisecond
	}
	return wait + posts + 500*time.Millisecond
}

// turns is how long a channel takes for its posts: what is under way, and then
// a message a second. d.mu is held.
func (d *day) turns(s *street) time.Duration {
	t := time.Duration(s.waits(d.roomy)/d.opts.BatchSize+1) * 1200 * time.Millisecond
	switch {
	case s.busy == "":
		return t
	case s.busy == "post" && s.rough, s.busy == "edit" && s.weather.what == "fine" && !d.calm:
		return t + 10*time.Second
	}
	return t + time.Second
}

// waits is how many groups have untold alerts, or may have. day.mu is held.
func (s *street) waits(roomy bool) (n int) {
	for _, g := range s.groups {
		if g.logged > g.shown || !roomy {
			n++
		}
	}
	return n
}

// certain are the groups that Shutdown will have told, whatever becomes of
// edits: those that were never told, where nothing is in the way of posts. d.mu
// is held.
func (d *day) certain(within time.Duration) (first []*account) {
	for _, s := range d.streets {
		fine := s.weather.what == "fine" || s.weather.what == "gone" || s.weather.edits
		if !d.roomy || !fine || s.rough && s.busy == "post" || time.Until(s.hold) > 0 || within < d.turns(s)+time.Second {
			continue
		}
		for _, g := range s.groups {
			if g.logged > 0 && g.shown == 0 {
				first = append(first, g)
			}
		}
	}
	return first
}

// lost checks that Shutdown's error, the record to base and the Stats say the
// same.
func (d *day) lost(s Stats, err error) {
	var said []string
	for _, r := range d.base.records {
		if a := attrs(r); strings.Contains(r.Message, "alerts are lost") {
			said = append(said, fmt.Sprintf("%s alerts of %s groups are lost, %s delivered", a["alerts_lost"], a["groups_lost"], a["alerts_delivered"]))
			assert.Equal(d.t, slog.LevelWarn, r.Level)
		}
	}
	if s.Lost == 0 {
		d.want(err == nil && len(said) == 0, "nothing is lost, but Shutdown says %v and base hears %v", err, said)
		return
	}
	groups := 0
	for _, st := range d.streets {
		for _, g := range st.groups {
			if g.shown < g.logged {
				groups++
			}
		}
	}
	d.want(err != nil && len(said) == 1, "%d are lost, but Shutdown says %v and base hears %v", s.Lost, err, said)
	text := fmt.Sprintf("%d alerts of ", s.Lost)
	d.want(strings.Contains(err.Error(), text) && strings.HasPrefix(said[0], text), "%d are lost, but Shutdown says %v and base hears %v", s.Lost, err, said)
	d.want(strings.HasSuffix(said[0], fmt.Sprintf(" %d delivered", s.Delivered)), "delivered are %d, but base hears %v", s.Delivered, said)
	if d.roomy && s.Alerts == uint64(d.offered) {
		text = fmt.Sprintf("%d alerts of %d groups are lost", s.Lost, groups)
		d.want(strings.Contains(err.Error(), text) && strings.HasPrefix(said[0], text), "%s, but Shutdown says %v and base hears %v", text, err, said)
	}
}

// The referee.

// referee is a Sender in Slack's place.
type referee struct{ *day }

// editReferee is one that can edit.
type editReferee struct{ referee }

func (r referee) Send(ctx context.Context, b Batch) error { return r.judge(ctx, "post", b) }

func (r editReferee) Update(ctx context.Context, b Batch) error { return r.judge(ctx, "edit", b) }

// reply is what Slack makes of one request.
type reply struct {
	after    time.Duration // how long it takes; below 0: for ever
	stubborn bool          // it doesn't heed the end of its context
	seen     bool          // people see the message although it failed
	panics   bool
	err      error
}

func (r referee) judge(ctx context.Context, what string, b Batch) error {
	begun := time.Now()
	b.Groups = slices.Clone(b.Groups)
	r.sum("in " + what)
	r.mu.Lock()
	s := r.streets[b.Channel]
	if s == nil {
		r.breaks("%s to %q, which no alert names", what, b.Channel)
		r.mu.Unlock()
		return errDown
	}
	r.event("%s %s begins: %s", what, b.Channel, describe(b))
	r.begins(ctx, what, s, b, begun)
	if what == "post" {
		r.postBegins(s, b, begun)
	} else {
		r.editBegins(s, b, begun)
	}
	rep := s.reply(what)
	r.mu.Unlock()

	err := rep.wait(ctx)
	r.sum("in " + what)
	r.mu.Lock()
	r.ends(ctx, what, s, b, begun, err, rep.seen)
	r.mu.Unlock()
	scribble(b)
	if rep.panics && err != nil {
		panic(err)
	}
	return err
}

func describe(b Batch) string {
	s := b.ID
	for _, g := range b.Groups {
		s += fmt.Sprintf(" [%d/%d %v %s]", g.Count, g.Total, g.Level, name(g.Message))
	}
	return s
}

// scribble spoils what a Sender was given: nobody may see that.
func scribble(b Batch) {
	for i, g := range b.Groups {
		for j := range g.Fields {
			g.Fields[j] = Field{"scribbled", "scribbled"}
		}
		if g.Source != nil {
			*g.Source = slog.Source{Function: "scribbled"}
		}
		b.Groups[i] = Group{}
	}
}

// reply draws what Slack answers. day.mu is held.
func (s *street) reply(what string) reply {
	w := s.weather.what
	if s.weather.edits && what == "post" || what == "post" && w == "gone" {
		w = "fine"
	}
	rep := reply{after: time.Duration(max(0, s.rng.IntN(300)-100)) * time.Millisecond, stubborn: s.rng.IntN(3) == 0}
	if what == "edit" && rep.stubborn {
		rep.after = time.Duration(s.rng.IntN(600)) * time.Millisecond
	}
	switch bad := s.rng.IntN(3) > 0; {
	case w == "slow":
		rep.after, rep.stubborn = between(s.rng, 100*time.Millisecond, 15*time.Second), false
	case w == "hangs":
		rep.after, rep.stubborn, rep.err = -1, false, errDown
	case w == "down", w == "flaky" && bad:
		rep.err = errDown
	case w == "panics" && bad:
		rep.err, rep.panics = errDown, true
	case w == "mute" && bad:
		rep.err, rep.seen = errDown, true
	case w == "limited" && bad:
		rep.err = fmt.Errorf("limited: %w", retryAfter(pick(s.rng, 0, time.Millisecond, time.Second, 2500*time.Millisecond, 30*time.Second, 10*time.Minute, 3*time.Hour)))
	case w == "broken":
		rep.err = mend("invite the bot")
	case w == "gone" && bad:
		rep.err = gone{}
	}
	return rep
}

func (r reply) wait(ctx context.Context) error {
	if r.stubborn {
		time.Sleep(r.after)
		return r.err
	}
	var answered <-chan time.Time
	if r.after >= 0 {
		answered = time.After(r.after)
	}
	select {
	case <-answered:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begins checks what holds for every request. d.mu is held.
func (d *day) begins(ctx context.Context, what string, s *street, b Batch, now time.Time) {
	if s.busy != "" {
		d.breaks("two requests at once to %s", b.Channel)
	}
	s.busy = what
	d.decide()
	if ctx.Err() != nil && d.closing.IsZero() && s.stirred != now {
		d.breaks("a %s begins with an ended context: %v", what, context.Cause(ctx))
	}
	if now.Before(s.hold) {
		d.breaks("%s to %s, %v before Retry-After has passed", what, b.Channel, s.hold.Sub(now))
	}
	if b.Service != "shop" || b.ID == "" || len(b.Groups) == 0 || len(b.Groups) > d.opts.BatchSize {
		d.breaks("a batch has %d groups, BatchSize is %d, id %q, service %q", len(b.Groups), d.opts.BatchSize, b.ID, b.Service)
	}
	for i, g := range b.Groups {
		d.group(b, g, now)
		if i == 0 {
			continue
		}
		if p := b.Groups[i-1]; p.Level < g.Level || p.Level == g.Level && p.First.After(g.First) {
			d.breaks("%s: groups are not sorted: %s", what, describe(b))
		}
	}
}

// group checks one group's content. d.mu is held.
func (d *day) group(b Batch, g Group, now time.Time) {
	key := name(g.Message)
	if key == otherAlerts {
		key = name(g.Message[strings.LastIndex(g.Message, ": ")+2:])
		if d.roomy {
			d.breaks("%s: other alerts, though there is room", b.Channel)
		}
	}
	known := slices.ContainsFunc(d.kinds, func(k kind) bool {
		return (k.name == key || key == fresh) && k.channel == b.Channel && k.code == g.Code && (k.level == g.Level || key != name(g.Message))
	})
	if !known || !slices.Contains(g.Fields, Field{"where", key}) || g.Source == nil || !strings.HasSuffix(g.Source.Function, "say") {
		d.breaks("%s holds what nobody logged: %+v", b.Channel, g)
	}
	if g.Count < 1 || g.Total < g.Count || g.Last.Before(g.First) || g.Last.After(now) {
		d.breaks("%s tells %d of %d, from %v to %v", key, g.Count, g.Total, g.First, g.Last)
	}
}

// postBegins checks the pace of posts, and that none is posted again too soon.
// d.mu is held.
func (d *day) postBegins(s *street, b Batch, now time.Time) {
	if gap := now.Sub(s.lastPost); gap < time.Second {
		d.breaks("two posts to %s within %v", b.Channel, gap)
	}
	if f := s.failed; f.n > 0 {
		d.retried(s, b, f, now)
	}
	if d.posters[b.ID] != nil {
		d.breaks("ID %s was accepted before", b.ID)
	}
	for _, g := range b.Groups {
		t := s.group(name(g.Message))
		if d.late(s, t) {
			d.breaks("%s comes after %v in %s, where nothing was in the way", g.Message, now.Sub(t.since), b.Channel)
		}
		soon := !t.posted.IsZero() && now.Before(t.posted.Add(d.opts.RepeatInterval))
		excused := !d.closing.IsZero() || !t.urgent.IsZero() && !t.urgent.Before(t.told) || t.replace && !t.on.again
		if soon && !excused {
			d.breaks("%s is posted again after %v, RepeatInterval is %v", g.Message, now.Sub(t.posted), d.opts.RepeatInterval)
		}
		switch {
		case t.total == 0 && g.Total == g.Count, t.total > 0 && g.Total == g.Count+t.total:
		case g.Total == g.Count && g.First.Sub(t.last) >= 2*d.opts.RepeatInterval: // forgotten
		default:
			d.breaks("%s tells %d of %d, told before were %d", g.Message, g.Count, g.Total, t.total)
		}
	}
}

// retried checks a post after one that failed. d.mu is held.
func (d *day) retried(s *street, b Batch, f failure, now time.Time) {
	wait := f.wait()
	if hurried := !s.hurried.Before(f.at) || !d.closing.IsZero(); !f.hard && !hurried && now.Sub(f.at) < wait {
		d.breaks("%s: after %d failures the next post comes after %v, not %v", b.Channel, f.n, now.Sub(f.at), wait)
	}
	for _, k := range f.keys {
		if !slices.ContainsFunc(b.Groups, func(g Group) bool { return name(g.Message) == k }) {
			return
		}
	}
	if f.id != "" && b.ID != f.id {
		d.breaks("%s: another attempt has the ID %s, not %s", b.Channel, b.ID, f.id)
	}
}

// editBegins checks the pace of edits, and that one tells more of the same
// groups. d.mu is held.
func (d *day) editBegins(s *street, b Batch, now time.Time) {
	if now.Before(d.editHold) && (now != d.editHeld || b.Channel == d.editHolder) { // else both were under way
		d.breaks("an edit, %v before Retry-After has passed", d.editHold.Sub(now))
	}
	if d.editAt = append(d.editAt, now); len(d.editAt) > 50 {
		if in := now.Sub(d.editAt[len(d.editAt)-51]); in < time.Minute {
			d.breaks("51 edits within %v", in)
		}
	}
	p := d.posters[b.ID]
	if p == nil || p.channel != b.Channel || p.gone {
		d.breaks("an edit of %s in %s, which isn't there", b.ID, b.Channel)
		return
	}
	urgent, grows := false, 0
	for i, g := range b.Groups {
		key := name(g.Message)
		t := s.group(key)
		if i >= len(p.keys) || !slices.Contains(p.keys, key) || len(b.Groups) != len(p.keys) {
			d.breaks("an edit of %v tells %s", p.keys, describe(b))
			return
		}
		grown := g.Count - p.counts[key]
		grows += grown
		if grown < 0 || t.on != p && grown > 0 || t.on == p && g.Total != t.total+grown {
			d.breaks("an edit tells %s %d/%d; before it told %d, of %d", key, g.Count, g.Total, p.counts[key], t.total)
		}
		urgent = urgent || !t.urgent.IsZero() && (!t.urgent.Before(t.told) || !t.urgent.Before(p.shown))
	}
	if grows == 0 {
		d.breaks("an edit that tells nothing new: %s", describe(b))
	}
	switch {
	case !d.closing.IsZero():
	case !p.retry.IsZero() && now.Before(p.retry) && !urgent:
		d.breaks("an edit of %s, %v too soon after one that failed", b.ID, p.retry.Sub(now))
	case p.retry.IsZero() && now.Sub(p.shown) < 10*time.Second && !urgent:
		d.breaks("an edit of %s after %v", b.ID, now.Sub(p.shown))
	}
}

// ends keeps what became of a request. d.mu is held.
func (d *day) ends(ctx context.Context, what string, s *street, b Batch, begun time.Time, err error, seen bool) {
	now := time.Now()
	s.busy = ""
	d.event("%s %s ends: %s: %v", what, b.Channel, b.ID, err)
	if took := now.Sub(begun); took > 11*time.Second {
		d.breaks("an attempt took %v", took)
	}
	switch {
	case what == "post" && err == nil:
		d.posted(s, b, begun, now)
	case what == "post":
		if seen {
			s.lastPost = now
		}
		d.failures++
		d.postFailed(s, b, err, now)
	case d.posters[b.ID] == nil: // broken already
	case err == nil:
		d.updates++
		d.edited(s, b, begun, now)
	default:
		d.editFailed(ctx, s, d.posters[b.ID], err, now)
	}
}

func (d *day) posted(s *street, b Batch, begun, now time.Time) {
	d.messages++
	s.lastPost, s.failed = now, failure{}
	p := &poster{id: b.ID, channel: b.Channel, counts: make(map[string]int), shown: now}
	d.posters[b.ID] = p
	for _, g := range b.Groups {
		key := name(g.Message)
		t := s.group(key)
		p.keys = append(p.keys, key)
		p.counts[key] = g.Count
		p.again = p.again || t.replace && g.Total > g.Count // else it was forgotten
		t.on, t.replace, t.posted = p, false, now
		d.tell(t, g, g.Count, begun)
	}
}

func (d *day) edited(s *street, b Batch, begun, now time.Time) {
	p := d.posters[b.ID]
	p.shown, p.retry, s.editRun = now, time.Time{}, failure{}
	for _, g := range b.Groups {
		key := name(g.Message)
		if more := g.Count - p.counts[key]; more > 0 {
			p.counts[key] = g.Count
			d.tell(s.group(key), g, more, begun)
			if slices.Contains(s.failed.keys, key) {
				s.failed.id, s.failed.keys = "", nil // the next post is another
			}
		}
	}
}

func (d *day) tell(t *account, g Group, more int, begun time.Time) {
	d.shown += more
	t.shown += more
	t.total, t.last, t.told = g.Total, g.Last, begun
}

func (d *day) postFailed(s *street, b Batch, err error, now time.Time) {
	f := failure{at: now, n: s.failed.n, mend: s.failed.mend, id: b.ID}
	f.more(err)
	if until, ok := holdOf(err, now); ok {
		s.hold, f.hard = until, true
	}
	for _, g := range b.Groups {
		f.keys = append(f.keys, name(g.Message))
	}
	s.failed = f
}

func (d *day) editFailed(ctx context.Context, s *street, p *poster, err error, now time.Time) {
	if until, ok := holdOf(err, now); ok {
		d.failures++
		s.editRun.more(err)
		p.retry = until
		if until.After(d.editHold) {
			d.editHold, d.editHeld, d.editHolder = until, now, p.channel
		}
		return
	}
	if !errors.Is(err, gone{}) {
		d.undecided = append(d.undecided, unanswered{ctx, p, err, now})
		return
	}
	d.failures++
	p.gone = true
	for _, key := range p.keys {
		if t := s.group(key); t.on == p {
			t.replace = true
		}
	}
}

// holdOf is until when an error asks to wait.
func holdOf(err error, now time.Time) (until time.Time, ok bool) {
	var r retryAfter
	if !errors.As(err, &r) || r <= 0 {
		return time.Time{}, false
	}
	return now.Add(min(max(time.Duration(r), time.Second), time.Hour)), true
}

// What the days found, each by itself.

func TestAnEditGetsItsTimeThoughManyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var down atomic.Bool
		d.fail = func(what string, _ Batch) error {
			if what == "post" && down.Load() {
				return errDown
			}
			return nil
		}
		d.block = func(ctx context.Context, _ Batch) { assert.NoError(t, ctx.Err(), "called off before it began") }
		h, _, _ := newTest(t, editDesk{d}, func(o *Options) { o.BatchSize = 2; o.BatchDelay = time.Minute })
		say := func(s string) { _ = h.Handle(t.Context(), record(slog.LevelError, s)) }
		say("a")
		say("b")
		pass(time.Second)
		down.Store(true)
		for _, s := range []string{"c", "d", "e"} {
			say(s)
		}
		pass(time.Minute)
		say("a")
		pass(2 * time.Minute)
		assert.Equal(t, []string{"post 0s [1/1 a] [1/1 b]", "edit 2m1s [2/2 a] [1/1 b]"}, d.lines())
		down.Store(false)
		require.NoError(t, h.Close())
	})
}

func TestNobodySeesWhatASenderMakesOfItsBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var hangs atomic.Bool
		d.block = func(ctx context.Context, b Batch) {
			for _, g := range b.Groups {
				assert.Equal(t, []Field{{"k", "v"}}, g.Fields)
				g.Fields[0].Value = "scribbled"
			}
			if hangs.Load() {
				<-ctx.Done()
			}
		}
		d.fail = limitedEdits(time.Minute)
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func(s string) { log.Error(s, "k", "v") }
		say("a")
		say("b")
		pass(295 * time.Second)
		say("b") // its edit is refused: none for a minute
		pass(10 * time.Second)
		say("a") // posted anew: in the first message it stands as it stood
		pass(50 * time.Second)
		hangs.Store(true)
		pass(time.Second)
		say("c") // the edit makes way, and comes again
		pass(500 * time.Millisecond)
		hangs.Store(false)
		pass(10 * time.Second)
		assert.Equal(t, []string{"post 1s [1/1 a] [1/1 b]", "post 5m6s [1/2 a]", "post 5m57s [1/1 c]", "edit 5m58s [1/1 a] [2/2 b]"}, d.lines())
		require.NoError(t, h.Close())
	})
}

// limitedEdits refuses the first edit, and asks to wait.
func limitedEdits(wait time.Duration) func(string, Batch) error {
	var once sync.Once
	return func(what string, _ Batch) (err error) {
		if what == "edit" {
			once.Do(func() { err = retryAfter(wait) })
		}
		return err
	}
}

func TestUrgencyEndsWhenTheUrgentAlertIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.block = func(context.Context, Batch) { time.Sleep(500 * time.Millisecond) }
		h, log, _ := newTest(t, d, func(o *Options) {
			o.SyncLevel = slog.LevelError + 4
			o.Fingerprint = func(context.Context, slog.Record) string { return "one group" }
		})
		log.Error("m")
		pass(3 * time.Second)
		var all sync.WaitGroup
		all.Go(func() { log.Log(t.Context(), slog.LevelError+4, "m") })
		every(100*time.Millisecond, 600, func() { log.Error("m") })
		all.Wait()
		assert.Len(t, d.all(), 2, "the rest waits for the end of RepeatInterval")
		require.NoError(t, h.Close())
	})
}

func TestAnUrgentEditThatFailsWaitsBeforeTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		tried := 0
		d.fail = func(what string, _ Batch) error {
			if what == "edit" {
				tried++
				return errDown
			}
			return nil
		}
		h, log, _ := newTest(t, editDesk{d}, func(o *Options) { o.SyncLevel = slog.LevelError })
		say := func() { log.Error("m") }
		say()
		say()
		pass(4 * time.Minute)
		assert.LessOrEqual(t, tried, 10, "1 s doubling to 1 min")
		require.Error(t, h.Close(), "%v", d.lines())
	})
}

func TestAnEditThatWorksDoesNotEndTheWaitOfPosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var tried []time.Duration
		d.fail = func(what string, b Batch) error {
			if what == "post" && b.Groups[0].Message == "new" {
				tried = append(tried, time.Since(d.start))
				return mend("invite the bot")
			}
			return nil
		}
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func(s string) { log.Error(s) }
		say("old")
		pass(2 * time.Second)
		say("new")
		every(time.Second, 200, func() { say("old") })
		s := time.Second
		assert.Equal(t, []time.Duration{3 * s, 63 * s, 183 * s}, tried)
		require.Error(t, h.Close(), "%v", d.lines())
	})
}

func TestOtherAlertsMayRiseInAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, editDesk{d}, func(o *Options) { o.MaxGroups = 1 })
		say := func(s string, l slog.Level) { log.Log(t.Context(), l, s) }
		say("a", slog.LevelError)
		say("b", slog.LevelError)
		pass(2 * time.Second)
		say("c", slog.LevelError+4)
		pass(time.Minute)
		assert.Contains(t, d.lines(), "edit 11s [2/2 other alerts (over 1 kinds), the first: b] [1/1 a]", "the most severe first")
		require.NoError(t, h.Close())
	})
}

func TestTheIDOfAToldBatchIsNotUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var down atomic.Bool
		limited := limitedEdits(time.Minute)
		d.fail = func(what string, b Batch) error {
			if what == "post" && down.Load() {
				return errDown
			}
			return limited(what, b)
		}
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func(s string) { log.Error(s) }
		say("a")
		say("b")
		pass(295 * time.Second)
		say("b") // its edit is refused: none for a minute
		pass(10 * time.Second)
		down.Store(true)
		say("a")
		say("c") // [a c] fails
		pass(52 * time.Second)
		down.Store(false) // the edit told a, the post tells c
		pass(6 * time.Minute)
		say("a")
		pass(time.Minute)
		ids := make(map[string]string)
		for _, a := range d.all() {
			if a.what == "post" {
				assert.NotContains(t, ids, a.ID, "%v", d.lines())
				ids[a.ID] = a.Groups[0].Message
			}
		}
		assert.Len(t, ids, 3)
		require.NoError(t, h.Close())
	})
}

func TestAnAnswerCountsThoughTheEditWasCalledOff(t *testing.T) {
	for _, c := range []struct {
		err   error
		edits int
	}{{retryAfter(time.Minute), 2}, {gone{}, 1}} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk()
			var tried []time.Duration
			d.block = func(_ context.Context, b Batch) { time.Sleep(300 * time.Millisecond) }
			d.fail = func(what string, _ Batch) error {
				if what == "edit" {
					tried = append(tried, time.Since(d.start))
					if len(tried) == 1 {
						return c.err
					}
				}
				return nil
			}
			h, log, _ := newTest(t, answers{d}, nil)
			say := func(s string) { log.Error(s) }
			say("old")
			pass(2 * time.Second)
			say("old") // the edit begins at 11.3 s
			pass(8500 * time.Millisecond)
			say("new") // may go at 11.5 s
			pass(20 * time.Minute)
			require.Len(t, tried, c.edits, "%v %+v", d.lines(), h.Stats())
			if c.edits == 2 {
				assert.GreaterOrEqual(t, tried[1]-tried[0], time.Minute)
			}
			require.NoError(t, h.Close())
		})
	}
}

// answers is a Sender that brings its answer also where its context has ended.
type answers struct{ *desk }

func (a answers) Send(ctx context.Context, b Batch) error {
	return a.take(context.WithoutCancel(ctx), "post", b)
}

func (a answers) Update(ctx context.Context, b Batch) error {
	return a.take(context.WithoutCancel(ctx), "edit", b)
}

func TestShutdownCallsOffAnEditThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, editDesk{d}, func(o *Options) { o.BatchDelay = 8 * time.Second })
		say := func(s string) { log.Error(s) }
		say("old")
		pass(10 * time.Second)
		d.block = func(ctx context.Context, b Batch) {
			if b.Groups[0].Message == "old" {
				<-ctx.Done()
			}
		}
		say("old") // the edit begins at 18 s
		pass(9 * time.Second)
		say("new")
		assert.ErrorContains(t, h.Close(), "1 alerts of 1 groups are lost")
		assert.Equal(t, []string{"post 8s [1/1 old]", "post 19s [1/1 new]"}, d.lines())
	})
}

func TestShutdownTriesAgainThoughMuchHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		attempts := make(chan struct{})
		d.block = func(ctx context.Context, _ Batch) {
			select {
			case attempts <- struct{}{}:
				<-ctx.Done()
			default:
			}
		}
		h, log, _ := newTest(t, d, nil)
		log.Error("m")
		for range 10 { // the waits have become a minute long
			<-attempts
		}
		pass(time.Second) // the tenth is under way, and hangs
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		require.NoError(t, h.Shutdown(ctx))
		assert.Equal(t, 1, d.told())
	})
}

func TestAMessageWithNothingToAddIsNotEdited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(what string, b Batch) error {
			if what == "edit" && time.Since(d.start) < time.Minute {
				return retryAfter(10 * time.Minute)
			}
			return nil
		}
		h, log, _ := newTest(t, editDesk{d}, func(o *Options) {
			o.SyncLevel, o.BatchSize = slog.LevelError+4, 1
			o.Fingerprint = func(_ context.Context, r slog.Record) string { return r.Message }
		})
		log.Error("a")
		log.Error("b")
		pass(15 * time.Second)
		log.Error("a") // its edit is refused: none for 10 min
		pass(15 * time.Second)
		log.Error("b")
		pass(5 * time.Minute)
		log.Log(t.Context(), slog.LevelError+4, "b") // posted anew
		pass(20 * time.Minute)
		assert.Equal(t, []string{"post 0s [1/1 a]", "post 1s [1/1 b]", "post 5m30s [2/3 b]", "edit 10m16s [2/2 a]"}, d.lines())
		require.NoError(t, h.Close())
	})
}
