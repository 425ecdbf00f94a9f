// This file lets a lane live through random days: a seed says what comes, how
// Slack does and how time goes, and a referee, which knows nothing of the lane
// but what it tells, holds every attempt against what is promised.

package pace

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Set PACE_SEED to live one day again and see all that happens in it, and
// PACE_DAYS to live through more of them.
func TestRandomDays(t *testing.T) {
	if v := os.Getenv("PACE_SEED"); v != "" {
		seed, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		live(t, seed, true)
		return
	}
	days := 5000
	if v := os.Getenv("PACE_DAYS"); v != "" {
		days, _ = strconv.Atoi(v)
	}
	first := rand.Uint64N(1e12)
	for i := range days {
		if !live(t, first+uint64(i), false) {
			live(t, first+uint64(i), true) // again, and say how it was
			return
		}
	}
}

// day is one seed's world, and its referee.
type day struct {
	*desk
	seed   uint64
	rng    *rand.Rand
	rules  Rules
	names  []string
	calm   bool // Slack never fails
	rough  bool // posts had trouble, some time
	edgy   bool // edits had
	broken []string

	weather   string
	editsOnly bool
	poison    string

	accounts map[*kind]*account
	posters  map[string]*poster
	seen     map[string][]item // what an ID held
	unknown  map[*attempt]*retry
	run      failures
	said     Say
	sayer    int // 0 = posts, 1 = edits
	closing  bool
	spared   bool // room is wanted
	times
}

// times are when what the referee must know of happened, or is over.
type times struct {
	lastPost time.Time // the end of the last post
	tried    time.Time // when it began
	accepted time.Time
	hurried  time.Time
	hold     time.Time
	still    time.Time
	editHold time.Time
	editAt   []time.Time
}

// failures are the posts that failed in a row for reasons that excuse what they
// held.
type failures struct {
	n     int
	mend  bool
	hard  bool // Retry-After rules
	began time.Time
	at    time.Time
	early bool // haste ended the wait once
}

// retry is an attempt of unknown outcome.
type retry struct {
	began time.Time // of the last try
	at    time.Time // its end
	tries int       // of unknown outcome
	plain bool      // so was the last
}

// account is a group as the referee sees it.
type account struct {
	times    []time.Time // of its alerts
	shown    uint64
	told     time.Time // end of the last that told it
	posted   time.Time
	interval time.Duration
	on       *poster
	gone     bool   // its last message was
	marked   bool   // and says that it is quiet
	failed   int    // attempts since it was told
	urgent   uint64 // somebody waits until so many are told
	pinned   *attempt
}

// poster is a message that people see.
type poster struct {
	id    string
	shown time.Time
	retry time.Time // no edit before: the last one failed
	gone  bool
	again bool
	rush  bool // haste was asked for
	told  map[string]uint64
}

// live is one day; false = a promise was broken.
func live(t *testing.T, seed uint64, tell bool) bool {
	d := newDay(t, seed)
	d.quiet = !tell
	defer func() {
		if v := recover(); v != nil {
			t.Errorf("PACE_SEED=%d\n%s", seed, strings.Join(d.lines[max(0, len(d.lines)-40):], "\n"))
			panic(v)
		}
	}()
	for range 10 + d.rng.IntN(25) {
		d.hour()
		d.check()
	}
	if d.rng.IntN(2) == 0 {
		d.rest()
	}
	d.close()
	if len(d.broken) > 0 && tell {
		show := d.lines
		if i := slices.Index(show, d.broken[0]); os.Getenv("PACE_SEED") == "" {
			show = show[max(0, i-40) : i+1]
		}
		t.Errorf("PACE_SEED=%d %+v calm=%v kinds=%d\n%s\n%s", seed, d.rules, d.calm, len(d.names), strings.Join(show, "\n"), d.broken[0])
	}
	return len(d.broken) == 0
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// between draws a time, short ones as often as long ones.
func between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	return time.Duration(float64(lo) * math.Exp(r.Float64()*math.Log(float64(hi)/float64(lo))))
}

func newDay(t *testing.T, seed uint64) *day {
	rng := rand.New(rand.NewPCG(seed, 1))
	size := pick(rng, 1, 2, 3, 20, 20)
	r := Rules{
		Delay: pick(rng, time.Millisecond, 100*time.Millisecond, s, s, 5*s), Size: size, Dense: size * pick(rng, 1, 2, 5),
		Repeat: pick(rng, 2*s, 30*s, m, 5*m, 5*m), RepeatMax: pick(rng, 5*m, h, 4*h), PostGap: s, EditGap: 10 * s, Edits: rng.IntN(3) > 0,
	}
	d := &day{
		desk: newDesk(t, r), seed: seed, rng: rng, rules: r, calm: rng.IntN(4) == 0, weather: "fine",
		accounts: make(map[*kind]*account), posters: make(map[string]*poster), seen: make(map[string][]item), unknown: make(map[*attempt]*retry),
	}
	for i := range pick(rng, 1, 3, 10, 30, 60) {
		name := string(rune('a'+i%26)) + strconv.Itoa(i/26)
		if rng.IntN(4) == 0 {
			name = strings.ToUpper(name)
		}
		d.names = append(d.names, name)
	}
	d.desk.answer, d.desk.took, d.desk.calls = d.answer, d.took, d.calls
	d.desk.begins, d.desk.note, d.desk.forgot, d.desk.came = d.begins, d.ends, d.forgot, d.came
	return d
}

func (d *day) breaks(format string, args ...any) {
	msg := fmt.Sprintf("%v BROKEN: ", d.since()) + fmt.Sprintf(format, args...)
	d.broken = append(d.broken, msg)
	d.lines = append(d.lines, msg)
}

func (d *day) event(format string, args ...any) {
	if d.quiet {
		return
	}
	d.lines = append(d.lines, fmt.Sprintf("%v -- ", d.since())+fmt.Sprintf(format, args...))
}

// The driver.

// hour is one of the things that happen in a day.
func (d *day) hour() {
	switch n := d.rng.IntN(20); {
	case n < 7:
		for range pick(d.rng, 1, 1, 2, 5, 30) {
			d.say(0, pick(d.rng, d.names...))
		}
		d.pass(between(d.rng, time.Millisecond, 20*s))
	case n < 9:
		d.storm()
	case n < 14:
		d.pass(between(d.rng, time.Millisecond, pick(d.rng, s, 20*s, 10*m, 2*h)))
	case n < 15:
		d.pass(between(d.rng, m, pick(d.rng, 9*h, 30*h)))
	case n < 16:
		for range pick(d.rng, 1, 1, 10) {
			d.hurry()
			d.pass(between(d.rng, time.Millisecond, 2*s))
		}
	case n < 18:
		d.turn()
	case n < 19:
		if k := d.kinds[pick(d.rng, d.names...)]; k != nil {
			d.lane.Raise(&k.plan, d.rng.IntN(12))
		}
	case d.rng.IntN(3) == 0:
		d.rest()
	}
}

func (d *day) pass(t time.Duration) {
	d.desk.run(d.since() + t)
	for d.rng.IntN(8) == 0 && !d.closing {
		g := d.lane.Spare(d.now)
		if g == nil {
			return
		}
		d.spared = true
		delete(d.kinds, g.Payload.name)
		d.forgot(g.Payload)
		d.spared = false
	}
}

func (d *day) say(in time.Duration, name string) {
	it := say{at: d.since() + in, name: name}
	if d.rng.IntN(8) == 0 {
		it.do = func() {
			d.alert(name)
			k := d.kinds[name]
			d.accounts[k].urgent = k.n
			if p := d.accounts[k].on; p != nil {
				p.rush = true
			}
			d.rushed()
			d.event("urgent %s", name)
			d.lane.News(&k.plan, k.n, d.now)
		}
	}
	d.script = append(d.script, it)
}

// storm has one kind come on and on, and others between.
func (d *day) storm() {
	name, gap := pick(d.rng, d.names...), between(d.rng, time.Millisecond, 40*s)
	n := 5 + d.rng.IntN(60)
	for i := range n {
		d.say(time.Duration(i)*gap, name)
		if i%5 == 4 {
			d.say(time.Duration(i)*gap, pick(d.rng, d.names...))
		}
	}
	d.pass(time.Duration(n) * gap)
}

func (d *day) hurry() {
	d.rushed()
	d.event("hurry")
	d.lane.Hurry(d.now)
}

// rushed notes that haste was asked for.
func (d *day) rushed() { d.hurried = d.now }

// turn lets the weather change.
func (d *day) turn() {
	if d.calm {
		return
	}
	d.weather = pick(d.rng, "fine", "slow", "flaky", "down", "limited", "broken", "hangs", "mute", "gone", "refuses", "poison", "poison mute")
	d.editsOnly, d.poison = d.rng.IntN(3) == 0, pick(d.rng, d.names...)
	d.rough = d.rough || !d.editsOnly && d.weather != "fine" && d.weather != "gone"
	d.edgy = d.edgy || d.weather != "fine"
	d.event("weather %s, edits only: %v, poison %s", d.weather, d.editsOnly, d.poison)
}

// rest lets Slack be well and time go by: then all is told.
func (d *day) rest() {
	d.weather = "fine"
	d.event("rest")
	d.pass(h + 11*m)          // Retry-After, and the longest wait after failures
	d.pass(d.rules.RepeatMax) // what is held
	d.pass(10*m + 20*s)       // and goes on
	for _, k := range d.kinds {
		if a := d.accounts[k]; a.shown != k.n {
			d.breaks("at rest: %s came %d times, shown are %d", k.name, k.n, a.shown)
		}
		if a := d.accounts[k]; a.on != nil && !a.on.gone && !a.marked && d.now.Sub(a.last()) > d.rules.Repeat+m && !d.edgy {
			d.breaks("at rest: nothing says that %s is over", k.name)
		}
	}
}

// close ends the day, with enough time or not.
func (d *day) close() {
	within := pick(d.rng, time.Millisecond, s, 5*s, 5*s, m)
	if d.rng.IntN(3) == 0 {
		for range pick(d.rng, 1, 10, 100) {
			d.alert(pick(d.rng, d.names...))
		}
	}
	d.event("close within %v", within)
	d.closing = true
	sure := within >= 5*s && d.calm
	d.lane.Close(d.now.Add(within), d.now)
	d.pass(within)
	for _, k := range d.kinds {
		if a := d.accounts[k]; sure && a.shown != k.n {
			d.breaks("closed within %v: %s came %d times, shown are %d", within, k.name, k.n, a.shown)
		}
	}
}

// Slack.

func (d *day) took(a *attempt) time.Duration {
	if d.weather == "hangs" && (a.Edits != nil || !d.editsOnly) {
		return 10 * s
	}
	if d.weather == "slow" && (a.Edits != nil || !d.editsOnly) {
		return between(d.rng, 100*time.Millisecond, 9*s)
	}
	return time.Duration(max(0, d.rng.IntN(400)-100)) * time.Millisecond
}

func (d *day) answer(a *attempt) Result {
	r := Result{Jitter: d.rng.Float64(), Why: d.weather}
	bad, poisoned := d.rng.IntN(3) > 0, holds(a, d.poison)
	if a.Edits == nil && (d.editsOnly || d.weather == "gone") {
		return r
	}
	switch d.weather {
	case "flaky":
		if bad {
			r.Kind = Failed
		}
	case "down":
		r.Kind = Unreachable
	case "hangs":
		r.Kind = Unknown
	case "broken":
		r.Kind, r.Mend = Failed, true
	case "mute":
		if bad {
			r.Kind = Unknown
		}
	case "gone":
		if bad && a.Edits != nil {
			r.Kind = Gone
		}
	case "limited":
		if bad {
			r.Kind, r.Wait = Failed, pick(d.rng, time.Millisecond, s, 2500*time.Millisecond, 30*s, 10*m, 3*h)
			r.Everywhere = d.rng.IntN(3) == 0
			d.rough = d.rough || r.Everywhere
		}
	case "refuses":
		if poisoned {
			r.Kind = Refused
		}
	case "poison":
		if poisoned {
			r.Kind = Failed
		}
	case "poison mute":
		if poisoned {
			r.Kind = Unknown
		}
	}
	return r
}

// calls answers an edit that is called off: some have their answer by then.
func (d *day) calls(_ *attempt, r *Result) {
	if d.rng.IntN(3) > 0 {
		*r = Result{Kind: Yielded}
	}
}

// The referee.

func (a *account) last() time.Time { return a.times[len(a.times)-1] }

// quiet is how long the group had been quiet before its first untold alert, if
// all before was told by then.
func (a *account) quiet() time.Duration {
	if i := a.shown; i > 0 && i < uint64(len(a.times)) && a.times[i].After(a.told) {
		return a.times[i].Sub(a.times[i-1])
	}
	return 0
}

// anew says whether the group's interval begins anew.
func (a *account) anew() bool {
	return a.quiet() >= max(2*h, 2*a.interval) && !a.times[a.shown].Before(a.posted.Add(a.interval))
}

// within says whether the group was posted so recently that it isn't due.
func (a *account) within(now time.Time) bool {
	return !a.posted.IsZero() && !a.anew() && now.Before(a.posted.Add(a.interval))
}

func (d *day) came(k *kind) {
	a := d.accounts[k]
	if a == nil {
		a = &account{}
		d.accounts[k] = a
	}
	a.times = append(a.times, d.now)
	a.marked = false
	d.event("alert %s %d", k.name, k.n)
	if int(k.n) != len(a.times) {
		d.breaks("%s counts %d, came %d", k.name, k.n, len(a.times))
	}
}

func (d *day) forgot(k *kind) {
	a := d.accounts[k]
	d.event("forgot %s", k.name)
	away := d.now.Sub(a.last())
	switch {
	case a.shown != k.n:
		d.breaks("%s is forgotten, of %d alerts %d were told", k.name, k.n, a.shown)
	case away < max(2*h, 2*a.interval)+24*h && !d.spared, away < max(2*h, 2*a.interval), a.within(d.now):
		d.breaks("%s is forgotten %v after its last alert, its interval is %v", k.name, away, a.interval)
	case a.on != nil && !a.on.gone && !a.marked && !d.edgy:
		d.breaks("%s is forgotten, and nothing says that it is over", k.name)
	}
}

// late says whether a new kind waits too long where posts have no trouble,
// whatever becomes of edits.
func (d *day) late(a *account) bool {
	turns := time.Duration(len(d.names)/d.rules.Size+2) * (d.rules.PostGap + 400*time.Millisecond)
	return !d.rough && a.shown == 0 && d.now.Sub(a.times[0]) > d.rules.Delay+turns && turns < d.rules.Repeat
}

func (d *day) check() {
	for _, k := range d.kinds {
		a := d.accounts[k]
		if k.plan.Told() != a.shown {
			d.breaks("%s: told is %d, shown are %d", k.name, k.plan.Told(), a.shown)
		}
		if d.late(a) {
			d.breaks("%s waits for %v, where nothing is in the way", k.name, d.now.Sub(a.times[0]))
		}
	}
}

// begins checks what holds for every attempt.
func (d *day) begins(a *attempt) {
	if d.now.Before(d.hold) || d.now.Before(d.still) {
		d.breaks("a request, before Retry-After has passed")
	}
	if len(a.Items) == 0 || a.ID == "" {
		d.breaks("an attempt of nothing: %v", line(0, a, Result{}))
	}
	if a.Edits != nil {
		d.editBegins(a)
		return
	}
	d.tried = d.now
	if d.now.Sub(d.lastPost) < d.rules.PostGap {
		d.breaks("two posts within %v", d.now.Sub(d.lastPost))
	}
	if was, ok := d.seen[a.ID]; ok && (!slices.Equal(was, a.Items) || d.unknown[a] == nil) {
		d.breaks("one ID, two contents, or tried again though its outcome is known: %s", line(0, a, Result{}))
	}
	if d.posters[a.ID] != nil {
		d.breaks("post %s was accepted before", a.ID)
	}
	d.seen[a.ID] = slices.Clone(a.Items)
	if r := d.unknown[a]; r != nil {
		d.repeated(a, r)
		return
	}
	if a.Tries != 0 {
		d.breaks("post %s is new, and was tried %d times", a.ID, a.Tries)
	}
	d.postBegins(a)
}

// hasty says whether haste lets a failed post be tried again now: at once if it
// came after it, after a second if it came while it was on its way.
func (d *day) hasty(began, at time.Time) bool {
	return !d.hurried.Before(at) || !d.hurried.Before(began) && d.now.Sub(at) >= s
}

// repeated checks when an attempt of unknown outcome is tried again.
func (d *day) repeated(a *attempt, r *retry) {
	wait := s
	if r.tries > 1 && r.plain {
		wait = min(m<<(r.tries-2), 10*m)
	}
	rushed := d.hasty(r.began, r.at)
	worked := d.accepted.After(r.at) && d.now.Sub(r.at) >= m
	if d.now.Sub(r.at) < wait && !rushed && !worked && !d.closing {
		d.breaks("post %s, tried %d times with unknown outcome, is tried again after %v", a.ID, r.tries, d.now.Sub(r.at))
	}
}

// postBegins checks a new post.
func (d *day) postBegins(a *attempt) {
	f := d.run
	wait := min(s<<min(max(f.n-1, 0), 10), m)
	if f.mend {
		wait = min(m<<min(max(f.n-1, 0), 10), 10*m)
	}
	if f.n > 0 && !f.hard && !d.closing && d.now.Sub(f.at) < wait {
		if !d.hasty(f.began, f.at) || f.mend || f.early {
			d.breaks("after %d failures the next post comes after %v, not %v", f.n, d.now.Sub(f.at), wait)
		}
		d.run.early = true
	}
	waiting, ripe := 0, d.closing
	for _, k := range d.kinds {
		if g := d.accounts[k]; g.shown < k.n && g.pinned == nil && !g.within(d.now) {
			waiting++
			since := g.times[g.shown]
			waited := d.now.Sub(since) >= d.rules.Delay || since.Before(g.posted.Add(g.interval)) || !d.hurried.Before(since)
			ripe = ripe || g.failed > 0 || waited
		}
	}
	if most := d.rules.Size; len(a.Items) > most && !d.closing && d.accounts[it0(a).Payload].failed == 0 && (waiting <= 3*most || len(a.Items) > d.rules.Dense) {
		d.breaks("%d groups in a message of %d, or of %d where many wait; %d do", len(a.Items), most, d.rules.Dense, waiting)
	}
	for _, it := range a.Items {
		k := it.Group.Payload
		g := d.accounts[k]
		d.postItem(a, it, k, g)
		ripe = ripe || g.failed > 0
	}
	if !ripe && waiting < d.rules.Size {
		d.breaks("nothing was due: %s", line(0, a, Result{}))
	}
}

func (d *day) postItem(a *attempt, it item, k *kind, g *account) {
	if g.pinned != nil {
		d.breaks("%s is told in %s, and %s may have told it", k.name, a.ID, g.pinned.ID)
	}
	if it.Before != g.shown || it.UpTo != k.n || it.UpTo <= it.Before || it.Quiet || it.Frozen {
		d.breaks("%s tells %d to %d, told are %d of %d", k.name, it.Before, it.UpTo, g.shown, k.n)
		return
	}
	if d.late(g) {
		d.breaks("%s comes after %v, where nothing was in the way", k.name, d.now.Sub(g.times[0]))
	}
	early := g.posted.Add(g.interval - g.interval/5)
	if g.within(d.now) && d.now.Before(early) && !d.closing && g.failed == 0 {
		d.breaks("%s is posted again after %v, its interval is %v", k.name, d.now.Sub(g.posted), g.interval)
	}
	want := min(2*g.interval, d.rules.RepeatMax)
	if g.interval == 0 || g.anew() {
		want = d.rules.Repeat
	}
	if want = max(want, d.rules.Repeat); it.Interval != want {
		d.breaks("%s: its interval will be %v, not %v", k.name, it.Interval, want)
	}
	back := g.quiet()
	if back < d.rules.Repeat {
		back = 0
	}
	if it.Back != back && !g.times[g.shown].Equal(g.told) {
		d.breaks("%s is back after %v, not %v", k.name, it.Back, back)
	}
	if it.Late > 0 && (!d.rough && !d.edgy || it.Late <= m || it.Late > d.now.Sub(g.times[g.shown])+10*s) {
		d.breaks("%s is late by %v, first alert %v ago", k.name, it.Late, d.now.Sub(g.times[g.shown]))
	}
}

// editBegins checks an edit.
func (d *day) editBegins(a *attempt) {
	if d.now.Before(d.editHold) {
		d.breaks("an edit, %v before Retry-After has passed", d.editHold.Sub(d.now))
	}
	if d.editAt = append(d.editAt, d.now); len(d.editAt) > 50 && d.now.Sub(d.editAt[len(d.editAt)-51]) < m {
		d.breaks("51 edits within a minute")
	}
	p := d.posters[a.ID]
	if p == nil || p.gone || a.Edits.Ref != "ref"+a.ID || len(a.Items) != len(p.told) {
		d.breaks("an edit of %s, which isn't there", a.ID)
		return
	}
	urgent, grows, marks := p.rush, false, false
	p.rush = false
	for _, it := range a.Items {
		k := it.Group.Payload
		g := d.accounts[k]
		if g == nil || d.kinds[k.name] != k {
			if it.UpTo != p.told[k.name] {
				d.breaks("an edit tells of %s, which is forgotten", k.name)
			}
			continue
		}
		urgent = urgent || g.urgent > g.shown
		grows = grows || it.UpTo > p.told[k.name]
		marks = marks || it.Quiet && !g.marked && g.on == p
		d.editItem(p, it, k, g)
	}
	switch {
	case len(a.tells) == 0 && (grows || !marks):
		d.breaks("an edit that marks nothing, or tells a count: %s", line(0, a, Result{}))
	case len(a.tells) > 0 && !grows:
		d.breaks("an edit that tells nothing: %s", line(0, a, Result{}))
	case len(a.tells) == 0 && d.closing:
		d.breaks("quiet is marked while closing")
	case !p.retry.IsZero() && d.now.Before(p.retry) && !d.closing:
		d.breaks("an edit of %s, %v too soon after one that failed", a.ID, p.retry.Sub(d.now))
	case p.retry.IsZero() && d.now.Sub(p.shown) < d.rules.EditGap && !urgent && !d.closing:
		d.breaks("an edit of %s after %v", a.ID, d.now.Sub(p.shown))
	}
}

func (d *day) editItem(p *poster, it item, k *kind, g *account) {
	told := p.told[k.name]
	switch away := d.now.Sub(g.last()); {
	case it.UpTo < told, it.UpTo > told && (g.on != p || it.UpTo != k.n || g.pinned != nil):
		d.breaks("an edit tells %s up to %d; it told %d, of %d", k.name, it.UpTo, told, k.n)
	case it.Quiet && !it.Frozen && (away < d.rules.Repeat || it.UpTo != k.n || g.on != p):
		d.breaks("%s is said to be quiet after %v", k.name, away)
	case !it.Quiet && !it.Frozen && away >= d.rules.Repeat && told == k.n:
		d.breaks("%s is not said to be quiet after %v", k.name, away)
	}
}

// ends keeps what became of an attempt.
func (d *day) ends(a *attempt, r Result, out Outcome[*kind, string]) {
	which := 0
	if a.Edits != nil {
		which = 1
		d.editEnds(a, r, out)
	} else {
		d.lastPost = d.now
		d.postEnds(a, r, out)
	}
	was := d.said
	if out.Say == Over && was == Nothing || out.Say == Begins && was != Nothing || out.Say == Mending && was == Mending || r.Kind == Accepted && was != Nothing && d.sayer == which && out.Say != Over {
		d.breaks("says %d after %d", out.Say, was)
	}
	if out.Say == Over {
		d.said = Nothing
	} else if out.Say != Nothing {
		d.said, d.sayer = out.Say, which
	}
	if r.Wait > 0 {
		until := d.now.Add(min(max(r.Wait, s), h))
		if r.Everywhere {
			d.still = later(d.still, until)
		}
		if which == 0 {
			d.hold = later(d.hold, until)
		} else {
			d.editHold = later(d.editHold, until)
		}
	}
}

func (d *day) postEnds(a *attempt, r Result, out Outcome[*kind, string]) {
	if r.Kind == Accepted {
		d.posted(a, out)
		return
	}
	lost := d.unknown[a] != nil
	delete(d.unknown, a)
	most := 0
	for _, it := range a.Items {
		g := d.accounts[it.Group.Payload]
		g.pinned = nil
		g.failed++
		most = max(most, g.failed)
		if out.Told != 0 {
			d.breaks("%d are told by a post that failed", out.Told)
		}
	}
	if slices.Contains(d.lane.again, a) {
		d.pin(a, r)
	} else if (r.Kind == Unknown || lost) && r.Kind != Refused && most < blame {
		d.breaks("post %s has an unknown outcome, and is not tried again", a.ID)
	}
	excused := r.Wait > 0 || r.Mend || r.Kind == Unreachable
	alone := !lost && slices.Contains(d.parked, it0(a).Payload.name)
	if !excused && (alone || !d.accepted.IsZero()) || r.Kind == Refused {
		d.run = failures{} // it may be what it holds
		return
	}
	if r.Mend != d.run.mend {
		d.run = failures{}
	}
	d.run.n, d.run.mend, d.run.began, d.run.at, d.run.hard = d.run.n+1, r.Mend, d.tried, d.now, r.Wait > 0
}

func it0(a *attempt) *Group[*kind, string] { return a.Items[0].Group }

// pin notes that an attempt is to be tried again.
func (d *day) pin(a *attempt, r Result) {
	n := &retry{began: d.tried, at: d.now, tries: a.Tries, plain: r.plain()}
	d.unknown[a] = n
	for _, it := range a.Items {
		d.accounts[it.Group.Payload].pinned = a
	}
}

func (d *day) posted(a *attempt, out Outcome[*kind, string]) {
	d.accepted, d.run = d.now, failures{}
	delete(d.unknown, a)
	p := &poster{id: a.ID, shown: d.now, told: make(map[string]uint64)}
	d.posters[a.ID] = p
	told := uint64(0)
	for _, it := range a.Items {
		k := it.Group.Payload
		g := d.accounts[k]
		p.told[k.name] = it.UpTo
		told += it.UpTo - g.shown
		p.again = p.again || g.gone
		g.posted, g.interval, g.gone, g.failed, g.pinned = d.now, it.Interval, false, 0, nil
		if d.rules.Edits {
			g.on = p
		}
		g.shown, g.told = it.UpTo, d.now
		if !it.Group.Wants {
			d.breaks("%s wants no new example after it was posted", k.name)
		}
		it.Group.Wants = false
	}
	if told != out.Told {
		d.breaks("%d are told, %d it says", told, out.Told)
	}
}

func (d *day) editEnds(a *attempt, r Result, out Outcome[*kind, string]) {
	p := d.posters[a.ID]
	told := uint64(0)
	switch r.Kind {
	case Accepted:
		p.shown, p.retry = d.now, time.Time{}
		for _, it := range a.Items {
			k := it.Group.Payload
			g := d.accounts[k]
			if more := it.UpTo - p.told[k.name]; more > 0 {
				told += more
				p.told[k.name], g.shown, g.told, g.failed = it.UpTo, it.UpTo, d.now, 0
			}
			g.marked = g.marked || it.Quiet && g.on == p && uint64(len(g.times)) == it.UpTo
		}
	case Gone, Refused:
		p.gone = true
		for k, g := range d.accounts {
			if g.on == p && d.kinds[k.name] == k {
				if g.gone = true; r.Kind == Gone && !p.again {
					g.posted = earlier(g.posted, d.now.Add(-g.interval)) // its interval is over
				}
				g.on = nil
			}
		}
	default:
		p.retry, p.rush = d.now.Add(s), true
	}
	if told != out.Told {
		d.breaks("%d are told, %d it says", told, out.Told)
	}
}
