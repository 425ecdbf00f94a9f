// This file is the referee of the random days: each promise with its sentence.

package slackalert

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
)

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

// failure is a run of failed attempts.
type failure struct {
	at   time.Time
	n    int
	mend bool
	hard bool // Retry-After rules, not the run
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
	logged   int
	shown    int
	total    int           // as last told, since the group began
	last     time.Time     // as last told
	since    time.Time     // the first alert of a group that was never told
	latest   time.Time     // the latest alert
	urgent   time.Time     // the last urgent alert
	told     time.Time     // begin of the last accepted request that told more of it
	posted   time.Time     // end of the last accepted post
	interval time.Duration // it is not posted again sooner
	anew     bool          // it was quiet for so long that it may have been forgotten
	on       *poster       // its last message
	replace  bool          // that message is gone
	open     string        // ID of an attempt with it whose outcome isn't known
}

// unanswered is an edit that failed without an answer, or was called off.
type unanswered struct {
	ctx context.Context
	p   *poster
	err error
	at  time.Time
}

// lost is an attempt whose outcome isn't known.
type lost struct {
	began time.Time
	tried time.Time // when the last try began
	at    time.Time
	tries int  // of unknown outcome
	again bool // so was the last
}

// hasty says whether haste lets it be tried again now: at once if it came after
// the last try, after a second if it came while that was on its way.
func (l *lost) hasty(hurried, now time.Time) bool {
	return !hurried.Before(l.at) || !hurried.Before(l.tried) && now.Sub(l.at) >= time.Second
}

// poster is a message that people see.
type poster struct {
	id, channel string
	keys        []string
	counts      map[string]int
	quiet       map[string]bool
	shown       time.Time // end of the post, or of the last accepted edit
	retry       time.Time // no edit before, because the last one failed
	gone        bool
	again       bool // replaces one that was gone
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
		o, show := d.opts, 60
		if os.Getenv("MODEL_SEED") != "" {
			show = len(events)
		}
		d.t.Fatalf("MODEL_SEED=%d: %s\nedits=%v calm=%v delay=%v size=%d repeat=%v maxgroups=%d sync=%v kinds=%d mixed=%v\n%s", d.seed, strings.Join(broken, "\n"),
			d.edits, d.calm, o.BatchDelay, o.BatchSize, o.RepeatInterval, o.MaxGroups, o.SyncLevel, len(d.kinds), o.Fingerprint != nil,
			strings.Join(events[max(0, len(events)-show):], "\n"))
	}
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
				d.breaks("a new alert is told, whatever becomes of edits and of other channels: %s waits for %v in %s", name, time.Since(g.since), c)
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
		a, is := attrs(r), ""
		what := a["channel"]
		switch {
		case strings.Contains(r.Message, "they wait") && a["do"] != "":
			is = "mend"
		case strings.Contains(r.Message, "they wait"):
			is = "waits"
		case strings.Contains(r.Message, "delivered again"):
			is = "again"
		case strings.Contains(r.Message, "it waits alone"):
			continue // once for each group that fails alone
		case strings.Contains(r.Message, "shutdown"):
			continue
		default:
			d.want(false, "base hears what it shouldn't: %s", r.Message)
		}
		was := cmp.Or(said[what], "again")
		said[what] = is
		ok := is == "again" && was != "again" || is == "waits" && was == "again" || is == "mend" && was != "mend"
		d.want(ok, "base hears of %s: %s after %s", what, is, was)
	}
}

// parked are the groups that base was told to wait alone, with their channels.
func (d *day) parked() map[string]bool {
	d.base.mu.Lock()
	defer d.base.mu.Unlock()
	all := make(map[string]bool)
	for _, r := range d.base.records {
		if a := attrs(r); strings.Contains(r.Message, "it waits alone") {
			all[a["channel"]+" "+name(a["message"])] = true
			all[a["channel"]+" "+a["fingerprint"]] = true
		}
	}
	return all
}

func attrs(r slog.Record) map[string]string {
	m := make(map[string]string)
	r.Attrs(func(a slog.Attr) bool { m[a.Key] = a.Value.String(); return true })
	return m
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
	n := s.waits(d.roomy)
	t := time.Duration(n/d.opts.BatchSize+1) * 1200 * time.Millisecond
	if s.rough {
		t += time.Duration(n) * 1200 * time.Millisecond // some may be tried alone
	}
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
	exits    bool // it ends the goroutine
	err      error
}

// unsure, never and refused say what became of a request.
type unsure struct{}

func (unsure) Error() string { return "it may have arrived" }
func (unsure) Unknown() bool { return true }

type never struct{}

func (never) Error() string     { return "nobody is there" }
func (never) Unreachable() bool { return true }

type refused struct{}

func (refused) Error() string { return "not this one" }
func (refused) Refused() bool { return true }

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
	var keys []string
	for _, g := range b.Groups {
		keys = append(keys, r.key(g))
	}
	rep := s.reply(what, keys)
	r.mu.Unlock()

	err := rep.wait(ctx)
	r.sum("in " + what)
	r.mu.Lock()
	r.ends(ctx, what, s, b, begun, err, rep.seen)
	r.mu.Unlock()
	scribble(b)
	switch {
	case rep.panics && err != nil:
		panic(err)
	case rep.exits && err != nil:
		runtime.Goexit()
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
func (s *street) reply(what string, keys []string) reply {
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
	case w == "away":
		rep.err = never{}
	case w == "panics" && bad:
		rep.err, rep.panics = errDown, true
	case w == "exits" && bad:
		rep.err, rep.exits = errDown, true
	case w == "mute" && bad:
		rep.err, rep.seen = unsure{}, true
	case w == "picky" && what == "post" && slices.Contains(keys, s.weather.poison):
		rep.err = s.weather.refusal
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
		d.breaks("a channel has one request at a time: two are under way to %s", b.Channel)
	}
	s.busy = what
	d.decide()
	if ctx.Err() != nil && d.closing.IsZero() && s.stirred != now {
		d.breaks("a request gets its time: a %s begins with an ended context: %v", what, context.Cause(ctx))
	}
	if now.Before(s.hold) {
		d.breaks("no request comes before Retry-After has passed: a %s to %s is %v early", what, b.Channel, s.hold.Sub(now))
	}
	crowd := d.closing.IsZero() && d.roomy && !s.rough && s.waits(true) <= 3*d.opts.BatchSize
	if b.Service != "shop" || b.ID == "" || len(b.Groups) == 0 || what == "post" && crowd && len(b.Groups) > d.opts.BatchSize || d.closing.IsZero() && len(b.Groups) > dense {
		d.breaks("a batch has up to BatchSize groups, %d, but under pressure: here are %d; id %q, service %q", d.opts.BatchSize, len(b.Groups), b.ID, b.Service)
	}
	for i, g := range b.Groups {
		d.group(b, g, now)
		if i == 0 {
			continue
		}
		p := b.Groups[i-1]
		if c := cmp.Or(cmp.Compare(g.Level, p.Level), cmp.Compare(g.Total, p.Total), p.First.Compare(g.First)); c > 0 {
			d.breaks("groups stand most severe first, then most frequent, then oldest: %s", describe(b))
		}
	}
}

// group checks one group's content. d.mu is held.
func (d *day) group(b Batch, g Group, now time.Time) {
	shown := name(g.Message)
	if g.Fingerprint == otherAlerts {
		shown = name(g.Message[strings.LastIndex(g.Message, ": ")+2:])
		if d.roomy {
			d.breaks("nothing is counted as another while there is room: other alerts in %s", b.Channel)
		}
	}
	known := slices.ContainsFunc(d.kinds, func(k kind) bool {
		return (k.name == shown || shown == fresh) && k.channel == b.Channel && k.code == g.Code && (k.level == g.Level || g.Fingerprint == otherAlerts)
	})
	if !known || !slices.Contains(g.Fields, Field{"where", shown}) || g.Source == nil || !strings.HasSuffix(g.Source.Function, "say") {
		d.breaks("a group shows what was logged: in %s stands %+v", b.Channel, g)
	}
	if g.Count < 1 || g.Total < g.Count || g.Last.Before(g.First) || g.Last.After(now) || g.At.Before(g.First) || g.At.After(now) {
		d.breaks("%s tells %d of %d, from %v to %v, and shows that of %v", shown, g.Count, g.Total, g.First, g.Last, g.At)
	}
	for _, n := range g.Notes {
		if strings.HasPrefix(n, "told ") && d.calm {
			d.breaks("late is said where delivery failed: %s in calm weather: %s", shown, n)
		}
	}
}

// postBegins checks the pace of posts, and that none is posted again too soon.
// d.mu is held.
func (d *day) postBegins(s *street, b Batch, now time.Time) {
	if gap := now.Sub(s.lastPost); gap < time.Second {
		d.breaks("there is at most one message a second: two posts to %s come within %v", b.Channel, gap)
	}
	if f := s.failed; f.mend && !f.hard && d.open[b.ID] == nil && d.closing.IsZero() && now.Sub(f.at) < f.wait() {
		d.breaks("what a person must mend is tried after 1 min doubling to 10, and a flush changes nothing: after %d failures %s is tried after %v", f.n, b.Channel, now.Sub(f.at))
	}
	d.sameID(s, b, now)
	due := slices.ContainsFunc(b.Groups, func(g Group) bool {
		t := s.group(d.key(g))
		return t.posted.IsZero() || !now.Before(t.posted.Add(d.interval(t))) || t.replace
	})
	for _, g := range b.Groups {
		t := s.group(d.key(g))
		if d.late(s, t) {
			d.breaks("a new alert is told, whatever becomes of edits and of other channels: %s comes after %v in %s", g.Message, now.Sub(t.since), b.Channel)
		}
		along := t.posted.Add(d.interval(t) - d.interval(t)/5)
		soon := !t.posted.IsZero() && (now.Before(along) || !due && !s.rough)
		if excused := !d.closing.IsZero() || t.replace && !t.on.again; soon && !excused {
			d.breaks("a group is not posted again within its interval, %v, but for its last fifth if another is due: %s comes after %v", t.interval, g.Message, now.Sub(t.posted))
		}
		switch {
		case t.total == 0 && g.Total == g.Count, t.total > 0 && g.Total == g.Count+t.total, (t.anew || !d.roomy) && g.Total == g.Count:
		default:
			d.breaks("Total is all since First: %s tells %d of %d, told before were %d", g.Message, g.Count, g.Total, t.total)
		}
		if g.Quiet {
			d.breaks("what is posted isn't quiet: %s", g.Message)
		}
	}
}

// interval is in which time a group isn't posted again. Where groups share
// "other alerts", nobody knows when that began anew.
func (d *day) interval(t *account) time.Duration {
	if !d.roomy {
		return d.opts.RepeatInterval
	}
	return t.interval
}

// sameID checks that one ID is one content, and that an attempt whose outcome
// isn't known comes again unchanged or not at all. d.mu is held.
func (d *day) sameID(s *street, b Batch, now time.Time) {
	all, _ := json.Marshal(b)
	was, l := d.contents[b.ID], d.open[b.ID]
	d.contents[b.ID] = string(all)
	switch {
	case was == "":
	case was != string(all):
		d.breaks("one ID is one content: %s was\n%s, and is\n%s", b.ID, was, all)
	case l == nil:
		d.breaks("an ID comes again only where its outcome isn't known: %s", b.ID)
	case l.again && l.tries > 1 && d.closing.IsZero() && now.Sub(l.at) < time.Minute && !l.hasty(s.hurried, now):
		d.breaks("an attempt of unknown outcome comes again after 1 s, then after 1 min at least: %s after %v", b.ID, now.Sub(l.at))
	}
	for _, g := range b.Groups {
		t := s.group(d.key(g))
		if t.open != "" && t.open != b.ID && !slices.Contains(g.Notes, "perhaps told before") {
			d.breaks("what came since waits until the outcome is known: %s is in %s, %s is open", g.Message, b.ID, t.open)
		}
	}
}

// editBegins checks the pace of edits, and that one tells more of the same
// groups, or that they are quiet. d.mu is held.
func (d *day) editBegins(s *street, b Batch, now time.Time) {
	if now.Before(d.editHold) && (now != d.editHeld || b.Channel == d.editHolder) { // else both were under way
		d.breaks("a Retry-After of an edit holds all edits: one is %v early", d.editHold.Sub(now))
	}
	if d.editAt = append(d.editAt, now); len(d.editAt) > 50 {
		if in := now.Sub(d.editAt[len(d.editAt)-51]); in < time.Minute {
			d.breaks("there are at most 50 edits a minute: 51 came within %v", in)
		}
	}
	p := d.posters[b.ID]
	if p == nil || p.channel != b.Channel || p.gone {
		d.breaks("an edit of %s in %s, which isn't there", b.ID, b.Channel)
		return
	}
	urgent, grows, marks := false, 0, 0
	for i, g := range b.Groups {
		key := d.key(g)
		t := s.group(key)
		if i >= len(p.keys) || !slices.Contains(p.keys, key) || len(b.Groups) != len(p.keys) {
			d.breaks("an edit shows the groups of its message: %v tells %s", p.keys, describe(b))
			return
		}
		grown := g.Count - p.counts[key]
		grows += grown
		if grown < 0 || t.on != p && grown > 0 || t.on == p && g.Total != t.total+grown {
			d.breaks("an edit tells %s %d/%d; before it told %d, of %d", key, g.Count, g.Total, p.counts[key], t.total)
		}
		if g.Quiet && !p.quiet[key] {
			marks++
		}
		if away := now.Sub(t.latest); g.Quiet && (grown > 0 || d.roomy && d.closing.IsZero() && away > 0 && away < d.opts.RepeatInterval-time.Millisecond && !p.quiet[key]) {
			d.breaks("quiet is what had no alert for RepeatInterval: %s grows by %d and had one %v ago", key, grown, away)
		}
		urgent = urgent || !t.urgent.IsZero() && (!t.urgent.Before(t.told) || !t.urgent.Before(p.shown))
	}
	if grows == 0 && marks == 0 {
		d.breaks("an edit says something new, and that a group is quiet once: %s", describe(b))
	}
	switch {
	case !d.closing.IsZero():
	case !p.retry.IsZero() && now.Before(p.retry) && !urgent:
		d.breaks("an edit that failed waits: %s is %v early", b.ID, p.retry.Sub(now))
	case p.retry.IsZero() && now.Sub(p.shown) < 10*time.Second && !urgent:
		d.breaks("a message is edited every 10 s at most: %s after %v", b.ID, now.Sub(p.shown))
	}
}

// ends keeps what became of a request. d.mu is held.
func (d *day) ends(ctx context.Context, what string, s *street, b Batch, begun time.Time, err error, seen bool) {
	now := time.Now()
	s.busy = ""
	d.event("%s %s ends: %s: %v", what, b.Channel, b.ID, err)
	if took := now.Sub(begun); took > 11*time.Second {
		d.breaks("an attempt has 10 s: it took %v", took)
	}
	switch {
	case what == "post" && err == nil:
		d.posted(s, b, begun, now)
	case what == "post":
		if seen {
			s.lastPost = now
		}
		d.failures++
		d.postFailed(s, b, err, begun, now)
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
	if l := d.open[b.ID]; l != nil {
		begun = l.began // what came since isn't in it
		delete(d.open, b.ID)
	}
	p := &poster{id: b.ID, channel: b.Channel, counts: make(map[string]int), quiet: make(map[string]bool), shown: now}
	d.posters[b.ID] = p
	for _, g := range b.Groups {
		key := d.key(g)
		t := s.group(key)
		p.keys = append(p.keys, key)
		p.counts[key] = g.Count
		p.again = p.again || t.replace && g.Total > g.Count // else it was forgotten
		t.interval = min(2*t.interval, cmp.Or(d.opts.RepeatMax, max(4*time.Hour, d.opts.RepeatInterval)))
		if t.posted.IsZero() {
			t.interval = d.opts.RepeatInterval
		}
		t.on, t.replace, t.posted, t.anew, t.open = p, false, now, false, ""
		d.tell(t, g, g.Count, begun)
	}
}

func (d *day) edited(s *street, b Batch, begun, now time.Time) {
	p := d.posters[b.ID]
	p.shown, p.retry, s.editRun = now, time.Time{}, failure{}
	for _, g := range b.Groups {
		key := d.key(g)
		p.quiet[key] = g.Quiet
		if more := g.Count - p.counts[key]; more > 0 {
			p.counts[key] = g.Count
			d.tell(s.group(key), g, more, begun)
		}
	}
}

func (d *day) tell(t *account, g Group, more int, begun time.Time) {
	d.shown += more
	t.shown += more
	t.total, t.last, t.told = g.Total, g.Last, begun
}

func (d *day) postFailed(s *street, b Batch, err error, begun, now time.Time) {
	f := failure{at: now, n: s.failed.n, mend: s.failed.mend}
	f.more(err)
	if until, ok := holdOf(err, now); ok {
		s.hold, f.hard = until, true
	}
	s.failed = f
	unknown := errors.As(err, new(unsure)) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	l := d.open[b.ID]
	if l == nil && !unknown {
		return
	}
	if l == nil {
		l = &lost{began: begun}
		d.open[b.ID] = l
		for _, g := range b.Groups {
			s.group(d.key(g)).open = b.ID
		}
	}
	l.tried, l.at, l.again = begun, now, unknown
	if unknown {
		l.tries++
	}
}

func (d *day) editFailed(ctx context.Context, s *street, p *poster, err error, now time.Time) {
	until, held := holdOf(err, now)
	switch {
	case held:
		d.failures++
		s.editRun.more(err)
		p.retry = until
		if until.After(d.editHold) {
			d.editHold, d.editHeld, d.editHolder = until, now, p.channel
		}
	case errors.As(err, new(mend)):
		d.failures++
		s.editRun.more(err)
		p.retry = now.Add(s.editRun.wait())
	case errors.Is(err, gone{}):
		d.failures++
		p.gone = true
		for _, key := range p.keys {
			if t := s.group(key); t.on == p {
				t.replace = true
			}
		}
	default:
		d.undecided = append(d.undecided, unanswered{ctx, p, err, now})
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
