// This file tests what a group that fails costs the others: the wait after it,
// and its place in a message.

package pace

import (
	"slices"
	"testing"
	"time"
)

// What was parked fails for itself, and nobody else waits for it.
func TestTheWaitAfterWhatIsParked(t *testing.T) {
	refused := []string{"1s post1 refused a 1/1 b 1/1 c 1/1", "2s post2 refused a 1/1", "3s post3 refused b 1/1 c 1/1", "4s post4 refused b 1/1", "5s post5 refused c 1/1"}
	for _, c := range []struct {
		name  string
		other time.Duration // when another is accepted; 0: never
		want  []string
	}{
		{"nothing was accepted", 0, []string{"1m2s post6 failed a 1/1 late 1m1s: the filter", "1m4s post7 failed b 1/1 late 1m3s: the filter", "1m5s post8 failed c 1/1 late 1m4s: the filter", "3m2s post9 failed a 1/1 late 3m1s: the filter"}},
		{"another was", 30 * s, []string{"31s post6 d 1/1", "1m2s post7 failed a 1/1 late 1m1s: the filter", "1m4s post8 failed b 1/1 late 1m3s: the filter", "1m5s post9 failed c 1/1 late 1m4s: the filter", "3m2s post10 failed a 1/1 late 3m1s: the filter"}},
		{"another is between them", 63 * s, []string{"1m2s post6 failed a 1/1 late 1m1s: the filter", "1m4s post7 d 1/1", "1m5s post8 failed b 1/1 late 1m4s: the filter", "1m6s post9 failed c 1/1 late 1m5s: the filter", "3m2s post10 failed a 1/1 late 3m1s: the filter"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, webhook)
			d.answer = func(a *attempt) Result {
				switch {
				case holds(a, "d"):
					return Result{}
				case d.since() < 10*s:
					return Result{Kind: Refused, Why: "the filter"}
				}
				return Result{Kind: Failed, Why: "the filter"}
			}
			d.at(0, "a", "b", "c")
			if c.other > 0 {
				d.at(c.other, "d")
			}
			d.run(3*m + 2500*time.Millisecond)
			d.want(append(slices.Clone(refused), c.want...)...)
			if len(d.said) > 0 || !slices.Equal(d.parked, []string{"a", "b", "c"}) {
				t.Errorf("said was %q, parked are %v", d.said, d.parked)
			}
		})
	}
}

// After failures a message holds one group: when one is due, the first in order.
func TestOneGroupAtATime(t *testing.T) {
	const ms = time.Millisecond
	failed := []string{"1s post1 failed a 1/1", "2s post2 failed a 1/1", "4s post3 failed a 1/1"}
	for _, c := range []struct {
		name string
		play func(d *desk)
		want []string
	}{
		{"it waits for company", func(d *desk) {
			d.at(7500*ms, "B")
		}, []string{"8s post4 B 1/1", "9s post5 a 1/1"}},
		{"it is due, too", func(d *desk) {
			d.at(7*s, "B")
		}, []string{"8s post4 B 1/1", "9s post5 a 1/1"}},
		{"haste made it due", func(d *desk) {
			d.at(7500*ms, "B").script = append(d.script, say{at: 7600 * ms, do: func() { d.lane.Hurry(d.now) }})
		}, []string{"7.6s post4 B 1/1", "8.6s post5 a 1/1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, webhook)
			until(5*s, Result{Kind: Failed})(d)
			d.at(0, "a")
			c.play(d)
			d.run(m)
			d.want(append(slices.Clone(failed), c.want...)...)
		})
	}
}

// A group whose interval ends while nothing can be edited is due then, and not
// when its edit would have been.
func TestWhatIsHeldIsDueWhenItsIntervalEnds(t *testing.T) {
	const ms = time.Millisecond
	d := newDesk(t, bot)
	d.answer = func(a *attempt) Result {
		if holds(a, "c") && d.since() < 5*m {
			return Result{Kind: Failed}
		}
		return Result{}
	}
	d.lane.budget.hold = start.Add(h) // another lane was told so
	d.at(0, "a").at(4*m+45100*ms, "c").at(5*m+500*ms, "a").run(5*m + 10*s)
	d.want("1s post1 a 1/1", "4m46.1s post2 failed c 1/1", "4m47.1s post3 failed c 1/1", "4m49.1s post4 failed c 1/1", "4m53.1s post5 failed c 1/1",
		"5m1.1s post6 a 1/2 back after 5m1s", "5m2.1s post7 c 1/1")
}
