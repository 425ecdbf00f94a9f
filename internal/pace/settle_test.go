// This file tests what becomes of attempts that fail, and of what is left when
// a lane closes.

package pace

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// holds says whether an attempt tells of a kind.
func holds(a *attempt, name string) bool {
	return slices.ContainsFunc(a.Items, func(it item) bool { return it.Group.Payload.name == name })
}

// until answers with a failure before a time.
func until(at time.Duration, r Result) func(*desk) {
	return func(d *desk) {
		d.answer = func(*attempt) Result {
			if d.since() < at {
				return r
			}
			return Result{}
		}
	}
}

func TestFailures(t *testing.T) {
	down := Result{Kind: Unreachable, Why: "Slack was unreachable"}
	for _, c := range []struct {
		name  string
		rules Rules
		fails func(d *desk)
		play  func(d *desk)
		want  []string
		said  []string
	}{
		{"1 s doubling to 1 min", webhook, until(5*m, down), func(d *desk) {
			d.at(0, "a").run(h)
		}, []string{"1s post1 unreachable a 1/1", "2s post2 unreachable a 1/1", "4s post3 unreachable a 1/1", "8s post4 unreachable a 1/1", "16s post5 unreachable a 1/1",
			"32s post6 unreachable a 1/1", "1m4s post7 unreachable a 1/1 late 1m3s: Slack was unreachable", "2m4s post8 unreachable a 1/1 late 2m3s: Slack was unreachable",
			"3m4s post9 unreachable a 1/1 late 3m3s: Slack was unreachable", "4m4s post10 unreachable a 1/1 late 4m3s: Slack was unreachable",
			"5m4s post11 a 1/1 late 5m3s: Slack was unreachable"}, []string{"1s begins", "5m4s over"}},
		{"unknown after an outage: again after 1 s, and the same however long nobody is there", webhook, func(d *desk) {
			d.answer = func(*attempt) Result {
				switch at := d.since(); {
				case at < 40*s, at > 65*s && at < 3*h:
					return down
				case at <= 65*s:
					return Result{Kind: Unknown}
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a").run(4 * h)
			d.lines = []string{d.lines[6], d.lines[7], d.lines[len(d.lines)-1]}
		}, []string{"1m4s post7 unknown a 1/1 late 1m3s: Slack was unreachable", "1m5s post7 unknown a 1/1 late 1m3s: Slack was unreachable",
			"3h0m5s post7 a 1/1 late 1m3s: Slack was unreachable"}, nil},
		{"after an outage nothing is told in pieces", webhook, until(50*s, down), func(d *desk) {
			d.at(0, "a", "b").run(70 * s)
			d.lines = d.lines[len(d.lines)-1:]
		}, []string{"1m4s post7 a 1/1 late 1m3s: Slack was unreachable b 1/1 late 1m3s: Slack was unreachable"}, nil},
		{"nor after Retry-After", webhook, until(7*s, Result{Kind: Failed, Wait: 2 * s}), func(d *desk) {
			d.at(0, "a", "b").run(m)
			d.lines = d.lines[len(d.lines)-1:]
		}, []string{"7s post4 a 1/1 b 1/1"}, nil},
		{"what went along with it waits for its edit again", bot, func(d *desk) {
			d.answer = func(a *attempt) Result {
				if a.Edits == nil && d.ids == 2 {
					return down
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a").at(250*s, "a", "b").run(5 * m)
		}, []string{"1s post1 a 1/1", "4m11s post2 unreachable a 1/2 b 1/1", "4m11s edit1 a 2/2", "4m12s post3 b 1/1"}, nil},
		{"that a post was late stays in its message", bot, until(2*m, down), func(d *desk) {
			d.at(0, "a").at(4*m, "a").run(6 * m)
			d.lines = d.lines[len(d.lines)-2:]
		}, []string{"2m4s post8 a 1/1 late 2m3s: Slack was unreachable", "4m1s edit8 a 2/2 late 2m3s: Slack was unreachable"}, nil},
		{"a person must mend it", webhook, until(12*m, Result{Kind: Failed, Mend: true}), func(d *desk) {
			d.at(0, "a").run(h)
		}, []string{"1s post1 failed a 1/1", "1m1s post2 failed a 1/1", "3m1s post3 failed a 1/1 late 3m0s: ", "7m1s post4 failed a 1/1 late 7m0s: ", "15m1s post5 a 1/1 late 15m0s: "},
			[]string{"1s mend", "15m1s over"}},
		{"a run begins anew when a person must mend it", webhook, func(d *desk) {
			d.answer = func(*attempt) Result {
				switch {
				case d.since() < 20*s:
					return down
				case d.since() < 3*m:
					return Result{Kind: Failed, Mend: true}
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a").run(40 * s).lines = nil
			d.run(h)
		}, []string{"1m32s post7 failed a 1/1 late 1m31s: ", "3m32s post8 a 1/1 late 3m31s: "}, []string{"1s begins", "32s mend", "3m32s over"}},
		{"and when that is mended, but nothing reaches Slack", webhook, func(d *desk) {
			d.answer = func(*attempt) Result {
				switch {
				case d.since() < 5*m:
					return Result{Kind: Failed, Mend: true}
				case d.since() < 7*m+2*s:
					return down
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a").run(h)
			d.lines = d.lines[3:]
		}, []string{"7m1s post4 unreachable a 1/1 late 7m0s: ", "7m2s post5 a 1/1 late 7m1s: Slack was unreachable"}, []string{"1s mend", "7m2s over"}},
		{"what is accepted ends the wait of all", webhook, func(d *desk) {
			d.answer = func(a *attempt) Result {
				switch {
				case d.since() < 3*s:
					return Result{Kind: Unknown}
				case d.since() < m:
					return down
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "lost").at(15*s, "new").run(2 * m)
			d.lines = d.lines[len(d.lines)-3:]
		}, []string{"44s post5 unreachable new 1/1", "1m2s post1 lost 1/1", "1m3s post6 new 1/1"}, nil},
		{"Retry-After holds the lane, up to an hour", bot, func(d *desk) {
			n := 0
			d.answer = func(a *attempt) Result {
				if n++; n == 3 {
					return Result{Kind: Failed, Wait: 5 * h}
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a").at(30*s, "a").at(40*s, "b").at(50*s, "a").run(30 * m)
			d.lane.Hurry(d.now)
			d.run(62 * m)
		}, []string{"1s post1 a 1/1", "31s edit1 a 2/2", "41s post2 failed b 1/1", "1h0m41s post3 a 1/3 late 59m50s:  b 1/1 late 1h0m0s: ", "1h0m51s edit3 a 1/3 quiet late 59m50s:  b 1/1 quiet late 1h0m0s: "}, []string{"41s begins", "1h0m41s over"}},
		{"and at least a second", webhook, func(d *desk) {
			d.answer = func(*attempt) Result {
				if d.ids == 1 {
					return Result{Kind: Failed, Wait: 1}
				}
				return Result{}
			}
		}, func(d *desk) { d.at(0, "a").run(h) }, []string{"1s post1 failed a 1/1", "2s post2 a 1/1"}, []string{"1s begins", "2s over"}},
		{"Retry-After of an edit doesn't hold posts", bot, func(d *desk) {
			d.answer = func(a *attempt) Result {
				if a.Edits != nil && d.since() < 10*s {
					return Result{Kind: Failed, Wait: m}
				}
				return Result{}
			}
		}, func(d *desk) {
			d.lane.rules.EditGap = s
			d.at(0, "a").at(5*s, "a").at(10*s, "b").at(11*s, "b").run(2 * m)
		}, []string{"1s post1 a 1/1", "6s edit1 failed a 2/2", "11s post2 b 2/2", "1m6s edit1 a 2/2"}, nil},
		{"unknown: the same again, others meanwhile", webhook, func(d *desk) {
			d.answer = func(a *attempt) Result {
				if holds(a, "a") && d.since() < 7*m {
					return Result{Kind: Unknown}
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a", "b").at(3*s, "a", "c").at(100*s, "d").run(10 * m)
		}, []string{"1s post1 unknown a 1/1 b 1/1", "2s post1 unknown a 1/1 b 1/1", "4s post2 c 1/1", "1m2s post1 unknown a 1/1 b 1/1", "1m41s post3 d 1/1",
			"2m2s post1 unknown a 1/1 b 1/1", "6m2s post1 unknown a 1/1 b 1/1"}, nil},
		{"alone, one group that is refused", webhook, func(d *desk) {
			d.answer = func(a *attempt) Result {
				if holds(a, "x") && d.since() < 5*m {
					return Result{Kind: Refused, Why: "too long"}
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a", "b", "x", "y").at(2*s, "new").run(h)
		}, []string{"1s post1 refused a 1/1 b 1/1 x 1/1 y 1/1", "2s post2 a 1/1 b 1/1", "3s post3 refused x 1/1 y 1/1", "4s post4 new 1/1", "5s post5 refused x 1/1", "6s post6 y 1/1",
			"1m5s post7 refused x 1/1 late 1m4s: too long", "3m5s post8 refused x 1/1 late 3m4s: too long", "7m5s post9 x 1/1 late 7m4s: too long"}, nil},
		{"a message that is gone is posted anew", bot, func(d *desk) {
			d.answer = func(a *attempt) Result {
				if a.Edits != nil && (a.ID == "1" || a.ID == "2") {
					return Result{Kind: Gone}
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a", "b").at(20*s, "a").at(40*s, "b").at(60*s, "a").at(70*s, "a").at(80*s, "b").run(10 * m)
		}, []string{"1s post1 a 1/1 b 1/1", "21s edit1 gone a 2/2 b 1/1", "21s post2 a 1/2", "41s post3 b 1/2", "1m1s edit2 gone a 2/3", "1m21s edit3 b 2/3",
			"6m20s edit3 b 2/3 quiet", "10m21s post4 a 2/4"}[:7], nil},
		{"and once more, where the one before was there", bot, func(d *desk) {
			d.answer = func(a *attempt) Result {
				if a.Edits != nil && (a.ID == "1" || a.ID == "3") {
					return Result{Kind: Gone}
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a").at(20*s, "a").at(15*m, "a").at(16*m, "a").run(18 * m)
		}, []string{"1s post1 a 1/1", "21s edit1 gone a 2/2", "21s post2 a 1/2", "5m20s edit2 a 1/2 quiet", "15m1s post3 a 1/3 back after 14m40s",
			"16m1s edit3 gone a 2/4", "16m1s post4 a 1/4"}, nil},
		{"an edit that is refused waits for the end of the interval", bot, func(d *desk) {
			d.answer = func(a *attempt) Result {
				if a.Edits != nil && a.ID == "1" {
					return Result{Kind: Refused}
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a").every(20*s, 20*s, 90*s, "a").run(6 * m)
		}, []string{"1s post1 a 1/1", "21s edit1 refused a 2/2", "5m1s post2 a 4/5"}, nil},
		{"an edit that fails till the interval ends is posted", bot, func(d *desk) {
			d.answer = func(a *attempt) Result {
				if a.Edits != nil {
					return Result{Kind: Failed, Mend: true, Why: "no access"}
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a").at(20*s, "a").run(8 * m)
		}, []string{"1s post1 a 1/1", "21s edit1 failed a 2/2", "1m21s edit1 failed a 2/2", "3m21s edit1 failed a 2/2 late 3m0s: no access", "5m1s post2 a 1/2 late 4m40s: no access", "5m20s edit2 failed a 1/2 quiet late 4m40s: no access"},
			[]string{"21s mend"}},
		{"an edit that fails waits, and no other", bot, func(d *desk) {
			d.answer = func(a *attempt) Result {
				if a.Edits != nil && d.since() < 40*s {
					return down
				}
				return Result{}
			}
		}, func(d *desk) {
			d.at(0, "a").at(20*s, "a").at(25*s, "b").run(m)
		}, []string{"1s post1 a 1/1", "21s edit1 unreachable a 2/2", "22s edit1 unreachable a 2/2", "24s edit1 unreachable a 2/2", "26s post2 b 1/1", "28s edit1 unreachable a 2/2", "36s edit1 unreachable a 2/2", "52s edit1 a 2/2"},
			[]string{"21s begins", "52s over"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, c.rules)
			c.fails(d)
			c.play(d)
			d.want(c.want...)
			if c.said != nil && !slices.Equal(d.said, c.said) {
				t.Errorf("said was %q, wanted %q", d.said, c.said)
			}
		})
	}
}

// TestAPoisonousGroup has one group, or two, fail whatever they are told with,
// in all the ways that a carrier may say so or not: the first of a message, time
// and again, and the last.
func TestAPoisonousGroup(t *testing.T) {
	for _, kind := range []Kind{Failed, Refused, Unknown} {
		for _, poison := range [][]string{{"X"}, {"X", "y"}} {
			for _, more := range []bool{true, false} {
				t.Run(fmt.Sprintf("%d, %v, others come: %v", kind, poison, more), func(t *testing.T) {
					poisoned(t, kind, poison, more)
				})
			}
		}
	}
}

func poisoned(t *testing.T, kind Kind, poison []string, more bool) {
	d := newDesk(t, webhook)
	d.answer = func(a *attempt) Result {
		for _, x := range poison {
			if holds(a, x) {
				return Result{Kind: kind, Why: "the filter", Jitter: 0.5}
			}
		}
		return Result{}
	}
	for i := range 18 {
		d.at(0, fmt.Sprint("k", i))
	}
	d.at(0, poison...)
	for i := 0; more && i < 40; i++ {
		d.at(time.Duration(i)*10*m, fmt.Sprint("later ", i))
	}
	d.run(20 * h)
	for name, k := range d.kinds {
		if want := !slices.Contains(poison, name); want != (k.plan.Told() == 1) {
			t.Errorf("%s was told %d times", name, k.plan.Told())
		}
	}
	slices.Sort(d.parked)
	if !slices.Equal(d.parked, poison) && (more || kind == Refused) {
		t.Errorf("parked: %v", d.parked)
	}
	for _, x := range poison {
		if n := strings.Count(strings.Join(d.lines, "\n"), " "+x+" "); n > 20*60/5 && more {
			t.Errorf("%s was tried %d times", x, n)
		}
	}
}

func TestClose(t *testing.T) {
	for _, c := range []struct {
		name     string
		rules    Rules
		kinds    int
		told     bool // once before: with a bot each has its message
		deadline time.Duration
		trip     time.Duration
		posts    int
		edits    int
		within   time.Duration
	}{
		{"a few kinds are new", bot, 12, false, 5 * s, 300 * time.Millisecond, 1, 0, s},
		{"60 kinds with 60 messages", func() Rules { r := bot; r.Size, r.PostGap = 1, 0; return r }(), 60, true, 5 * s, 200 * time.Millisecond, 3, 0, 5 * s},
		{"3 kinds with 3 messages are edited", func() Rules { r := bot; r.Size = 1; return r }(), 3, true, 5 * s, 200 * time.Millisecond, 0, 3, s},
		{"1,000 kinds", bot, 1000, false, 5 * s, 300 * time.Millisecond, 3, 0, 5 * s},
		{"1,000 kinds, Slack is slow", bot, 1000, false, 5 * s, 1500 * time.Millisecond, 2, 0, 5 * s},
		{"1,000 kinds, little time", bot, 1000, false, s, 300 * time.Millisecond, 1, 0, s},
		{"1,000 kinds, no deadline", bot, 1000, false, 0, 300 * time.Millisecond, 10, 0, 16 * s},
		{"1,000 kinds held", webhook, 1000, true, 5 * s, 300 * time.Millisecond, 3, 0, 5 * s},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, c.rules)
			at := time.Duration(0)
			if c.told {
				for i := range c.kinds {
					d.at(time.Duration(i)*time.Millisecond, fmt.Sprint("k", i))
				}
				d.run(100 * s)
				at = 100 * s
				if got := len(d.kinds); got != c.kinds || d.kinds["k0"].plan.Told() != 1 {
					t.Fatalf("%d kinds", got)
				}
			}
			for i := range c.kinds {
				d.alert(fmt.Sprint("k", i))
			}
			if c.rules.Size == 1 { // each had its message; now they are of usual size
				d.lane.rules.Size, d.lane.rules.PostGap = 20, s
			}
			d.posts, d.edits = 0, 0
			d.took = func(*attempt) time.Duration { return c.trip }
			deadline := Never
			if c.deadline > 0 {
				deadline = start.Add(at + c.deadline)
			}
			d.lane.Close(deadline, d.now)
			d.run(at + c.within)
			for name, k := range d.kinds {
				if k.plan.Told() != k.n {
					t.Fatalf("%s: told %d of %d after %d posts, %d edits: %v", name, k.plan.Told(), k.n, d.posts, d.edits, d.now)
				}
			}
			if d.posts != c.posts || d.edits != c.edits || d.now.After(start.Add(at+c.within)) {
				t.Errorf("%d posts and %d edits until %v, wanted were %d and %d", d.posts, d.edits, d.since()-at, c.posts, c.edits)
			}
			if next := d.lane.Next(d.now); next != Never {
				t.Errorf("there is more at %v", next)
			}
		})
	}
}
