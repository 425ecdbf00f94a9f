// This file is a desk beside a lane: alerts come in at their times, what the
// lane wants told is written down as a line each, and answered as a test says.

package pace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// kind is a group's counts, and what a desk knows of it.
type kind struct {
	plan    Group[*kind, string]
	name    string
	n       uint64
	stirred bool // it has untold alerts, and its lane knows
	first   time.Time
	last    time.Time
}

func (k *kind) Take() uint64 { k.stirred = false; return k.n }

func (k *kind) Rests(told uint64) bool { k.stirred = k.n > told; return !k.stirred }

func (k *kind) Last() time.Time { return k.last }

type (
	attempt = Attempt[*kind, string]
	item    = Item[*kind, string]
)

// desk drives one lane.
type desk struct {
	t      *testing.T
	lane   *Lane[*kind, string]
	now    time.Time
	kinds  map[string]*kind
	script []say
	answer func(a *attempt) Result        // nil: Accepted
	took   func(a *attempt) time.Duration // nil: at once
	calls  func(a *attempt, r *Result)    // an edit is called off; nil: Yielded
	begins func(a *attempt)               // what else a test wants to know
	note   func(a *attempt, r Result, out Outcome[*kind, string])
	forgot func(k *kind) // nil: nothing is forgotten
	came   func(k *kind) // an alert was counted
	lines  []string
	ids    int
	parked []string
	said   []string
	quiet  bool // write down nothing
	posts  int
	edits  int
}

// say is one alert at its time, or something else to do then.
type say struct {
	at   time.Duration
	name string
	do   func()
}

// bot are the rules of a channel with a bot, webhook of one without.
var (
	webhook = Rules{Delay: time.Second, Size: 20, Dense: 100, Repeat: 5 * time.Minute, RepeatMax: 4 * time.Hour, PostGap: time.Second, EditGap: 10 * time.Second}
	bot     = func() Rules { r := webhook; r.Edits = true; return r }()
)

func newDesk(t *testing.T, r Rules) *desk {
	return &desk{t: t, lane: New[*kind, string](r, new(Budget)), now: start, kinds: make(map[string]*kind)}
}

func (d *desk) since() time.Duration { return d.now.Sub(start) }

// kind is the group of a name; capitals are more severe.
func (d *desk) kind(name string) *kind {
	k := d.kinds[name]
	if k == nil {
		k = &kind{name: name}
		k.plan = Group[*kind, string]{Payload: k}
		k.first = d.now
		if name != strings.ToLower(name) {
			k.plan.Level = 4
		}
		d.kinds[name] = k
	}
	return k
}

// alert counts one alert now.
func (d *desk) alert(name string) {
	k := d.kind(name)
	k.n++
	k.last = d.now
	if d.came != nil {
		d.came(k)
	}
	if !k.stirred {
		k.stirred = true
		d.lane.News(&k.plan, 0, d.now)
	}
}

// at plans alerts.
func (d *desk) at(at time.Duration, names ...string) *desk {
	for _, n := range names {
		d.script = append(d.script, say{at: at, name: n})
	}
	return d
}

// every plans alerts of a kind, from and until included.
func (d *desk) every(gap, from, until time.Duration, name string) *desk {
	for at := from; at <= until; at += gap {
		d.at(at, name)
	}
	return d
}

// run lets time go by.
func (d *desk) run(until time.Duration) *desk {
	d.t.Helper()
	slices.SortStableFunc(d.script, func(a, b say) int { return int(a.at - b.at) })
	for turns := 0; ; turns++ {
		if turns > 1_000_000 {
			d.t.Fatalf("the lane spins at %v", d.since())
		}
		next := earlier(d.lane.NextPost(d.now), d.lane.nextEditAt(d.now))
		if d.forgot != nil {
			next = d.lane.Next(d.now)
		}
		if len(d.script) > 0 {
			if at := start.Add(d.script[0].at); !next.Before(at) {
				next = at
			}
		}
		if next.After(start.Add(until)) {
			d.now = later(d.now, start.Add(until))
			return d
		}
		d.now = later(d.now, next)
		d.alerts()
		d.forget()
		d.step()
	}
}

// alerts counts what has come up to now.
func (d *desk) alerts() {
	for len(d.script) > 0 && !start.Add(d.script[0].at).After(d.now) {
		it := d.script[0]
		d.script = d.script[1:]
		if it.do != nil {
			it.do()
			continue
		}
		d.alert(it.name)
	}
}

// forget lets go of the groups that may be forgotten.
func (d *desk) forget() {
	for d.forgot != nil {
		g := d.lane.Forget(d.now)
		if g == nil {
			return
		}
		delete(d.kinds, g.Payload.name)
		d.forgot(g.Payload)
	}
}

// step carries what is due.
func (d *desk) step() {
	a := d.lane.Post(d.now)
	if a == nil {
		a = d.lane.Edit(d.now)
	}
	if a == nil {
		return
	}
	if a.Tries == 0 && a.Edits == nil {
		d.ids++
		a.ID = fmt.Sprint(d.ids)
	}
	if d.begins != nil {
		d.begins(a)
	}
	began := d.since()
	r := Result{}
	if d.answer != nil {
		r = d.answer(a)
	}
	if r.Kind == Accepted && a.Edits == nil {
		r.Ref = "ref" + a.ID
	}
	if d.took != nil {
		d.flight(a, &r)
	}
	out := d.lane.Settle(a, r, d.now)
	if r.Kind == Accepted && a.Edits == nil {
		d.posts++
	} else if r.Kind == Accepted {
		d.edits++
	}
	if d.note != nil {
		d.note(a, r, out)
	}
	if out.Parked != nil {
		d.parked = append(d.parked, out.Parked.Payload.name)
	}
	if out.Say != Nothing {
		d.said = append(d.said, fmt.Sprintf("%v %s", began, [...]string{"", "begins", "mend", "over"}[out.Say]))
	}
	if !d.quiet {
		d.lines = append(d.lines, line(began, a, r))
	}
}

// flight lets an attempt take its time, and an edit be called off.
func (d *desk) flight(a *attempt, r *Result) {
	for end := d.now.Add(d.took(a)); ; {
		next := end
		if len(d.script) > 0 {
			next = earlier(next, start.Add(d.script[0].at))
		}
		if y := d.lane.Yield(d.now); !y.After(next) && y.Before(end) {
			d.now = later(d.now, y)
			if d.calls != nil {
				d.calls(a, r)
			} else {
				*r = Result{Kind: Yielded}
			}
			return
		}
		d.now = next
		if d.now.Equal(end) {
			return
		}
		d.alerts()
	}
}

// want compares what was told.
func (d *desk) want(lines ...string) {
	d.t.Helper()
	if got := strings.Join(d.lines, "\n"); got != strings.Join(lines, "\n") {
		d.t.Errorf("told was\n%s\nwanted\n%s", got, strings.Join(lines, "\n"))
	}
}

func (l *Lane[T, S]) nextEditAt(now time.Time) time.Time {
	at, _ := l.nextEdit(now)
	return at
}

// bySeverity orders items as a reader would.
func bySeverity(x, y item) int {
	g, h := x.Group, y.Group
	return cmp.Or(cmp.Compare(h.Level, g.Level), cmp.Compare(y.UpTo, x.UpTo), g.Payload.first.Compare(h.Payload.first), cmp.Compare(g.seq, h.seq))
}

// line is an attempt as a test reads it.
func line(began time.Duration, a *attempt, r Result) string {
	what := "post"
	if a.Edits != nil {
		what = "edit"
	}
	s := fmt.Sprintf("%v %s%s", began, what, a.ID)
	if r.Kind != Accepted {
		s += [...]string{"", " failed", " unreachable", " refused", " unknown", " gone", " yielded"}[r.Kind]
	}
	for _, it := range slices.SortedStableFunc(slices.Values(a.Items), bySeverity) {
		s += fmt.Sprintf(" %s %d/%d", it.Group.Payload.name, it.UpTo-it.Before, it.UpTo)
		if it.Quiet {
			s += " quiet"
		}
		if it.Back > 0 && a.Edits == nil {
			s += fmt.Sprintf(" back after %v", it.Back.Round(time.Second))
		}
		if it.Late > 0 {
			s += fmt.Sprintf(" late %v: %s", it.Late.Round(time.Second), it.Why)
		}
		if it.Perhaps {
			s += " perhaps"
		}
	}
	return s
}
