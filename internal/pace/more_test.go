// This file tests what a lane promises beside its times: haste, the budget of
// edits, messages of a process that is gone, and what is forgotten.

package pace

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// urge counts an alert that somebody waits for.
func (d *desk) urge(name string) *kind {
	d.alert(name)
	k := d.kinds[name]
	d.lane.News(&k.plan, k.n, d.now)
	return k
}

func TestHasteEndsTheWaitAfterFailuresOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Result
		want []string
	}{
		{"once in a run", Result{Kind: Unreachable}, []string{"1s", "1.5s", "3.5s", "7.5s", "15.5s"}},
		{"the same attempt, too", Result{Kind: Unknown}, []string{"1s", "1.5s"}},
		{"not where a person must mend it", Result{Kind: Failed, Mend: true}, []string{"1s"}},
		{"not before Retry-After", Result{Kind: Failed, Wait: 10 * s}, []string{"1s", "11s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, webhook)
			d.lane.rules.PostGap = s / 2
			var tried []string
			d.begins = func(*attempt) { tried = append(tried, fmt.Sprint(d.since())) }
			d.answer = func(*attempt) Result { return c.r }
			d.at(0, "a")
			for i := range 40 { // a flush with every request
				d.run(s + time.Duration(i)*s/2)
				d.lane.Hurry(d.now)
			}
			if !slices.Equal(tried, c.want) {
				t.Errorf("tried at %v, wanted at %v", tried, c.want)
			}
		})
	}
}

// A post that was on its way when haste was asked for may have begun when all
// was still bad: it is tried again soon, once.
func TestHasteWhileAPostIsOnItsWay(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Result
		want []string
	}{
		{"of unknown outcome", Result{Kind: Unknown}, []string{"1s", "12s", "23s", "2m33s"}},
		{"not told", Result{Kind: Unreachable}, []string{"1s", "12s", "23s", "37s"}},
		{"not where a person must mend it", Result{Kind: Failed, Mend: true}, []string{"1s", "1m11s"}},
		{"not before Retry-After", Result{Kind: Failed, Wait: 20 * s}, []string{"1s", "31s", "1m1s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, webhook)
			d.alert("a")
			var tried []string
			for len(tried) < len(c.want) {
				d.now = d.lane.NextPost(d.now)
				a := d.lane.Post(d.now)
				a.ID = "a"
				if tried = append(tried, fmt.Sprint(d.since())); len(tried) > 1 {
					d.lane.Hurry(d.now.Add(s))
				}
				d.now = d.now.Add(10 * s)
				d.lane.Settle(a, c.r, d.now)
			}
			if !slices.Equal(tried, c.want) {
				t.Errorf("tried at %v, wanted at %v", tried, c.want)
			}
		})
	}
}

func TestHasteEndsTheWaitForCompany(t *testing.T) {
	d := newDesk(t, small(bot))
	d.at(0, "a", "b").run(s / 2)
	d.lane.Hurry(d.now)
	d.run(600 * time.Millisecond)
	d.alert("c")
	d.run(h)
	d.want("500ms post1 a 1/1 b 1/1", "1.6s post2 c 1/1", "5m0s edit1 a 1/1 quiet b 1/1 quiet", "5m0.6s edit2 c 1/1 quiet")
}

func TestTheUrgentComeFirst(t *testing.T) {
	r := small(webhook)
	r.Dense = r.Size
	d := newDesk(t, r)
	d.at(0, "a", "b", "c").run(0)
	for c := 'A'; c <= 'Z'; c++ {
		d.at(s/4, string(c))
	}
	d.run(s / 2)
	d.urge("h")
	d.at(s/2, "i", "j", "k", "l", "m", "n").run(s / 2)
	if !d.kinds["h"].plan.Pressing(true, d.now) || !d.kinds["h"].plan.Pressing(false, d.now) {
		t.Error("nobody would wait for it")
	}
	d.run(s)
	d.want("0s post1 a 1/1 b 1/1 c 1/1", "1s post2 A 1/1 B 1/1 h 1/1")
}

func TestTheUrgentWaitForNoCompany(t *testing.T) {
	d := newDesk(t, webhook).at(0, "a").run(s / 4)
	d.urge("a")
	d.run(h).want("250ms post1 a 2/2")
}

func TestTheUrgentWithinTheInterval(t *testing.T) {
	d := newDesk(t, webhook).at(0, "a").run(2 * s)
	k := d.urge("a")
	if k.plan.Pressing(true, d.now) || k.plan.Pressing(false, d.now) {
		t.Error("a repeat with a webhook is waited for")
	}
	d.run(h)
	d.want("1s post1 a 1/1", "5m1s post2 a 1/2")

	d = newDesk(t, bot).at(0, "a").run(2 * s)
	k = d.urge("a")
	if !k.plan.Pressing(true, d.now) || k.plan.Pressing(false, d.now) {
		t.Error("an edit isn't waited for, or is flushed")
	}
	d.run(m)
	d.want("1s post1 a 1/1", "2s edit1 a 2/2")
}

func TestPressing(t *testing.T) {
	d := newDesk(t, small(webhook))
	d.answer = func(a *attempt) Result {
		switch {
		case holds(a, "lost"):
			return Result{Kind: Unknown}
		case holds(a, "bad"):
			return Result{Kind: Refused}
		}
		return Result{}
	}
	d.at(0, "told").at(2*s, "told").at(4*s, "lost").at(6*s, "bad").run(8 * s)
	d.alert("new")
	var names []string
	for name, k := range d.kinds {
		if k.plan.Pressing(false, d.now) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if want := []string{"lost", "new"}; !slices.Equal(names, want) {
		t.Errorf("pressing are %v, wanted %v", names, want)
	}
	if !slices.Equal(d.parked, []string{"bad"}) {
		t.Errorf("parked are %v", d.parked)
	}
}

func TestYield(t *testing.T) {
	d := newDesk(t, bot).at(0, "a").at(0, "b").run(2 * s)
	d.alert("a")
	d.now = start.Add(11 * s)
	a := d.lane.Edit(d.now)
	if y := d.lane.Yield(d.now); a == nil || y != Never {
		t.Fatalf("yield at %v", y)
	}
	d.alert("new")
	if y := d.lane.Yield(d.now); !y.Equal(start.Add(12 * s)) {
		t.Errorf("an edit yields at %v, the post is due at 12 s", y.Sub(start))
	}
	d.lane.posting.mend = true
	if y := d.lane.Yield(d.now); y != Never {
		t.Errorf("an edit yields at %v to a post that needs a person", y.Sub(start))
	}
	d.lane.posting.mend = false
	d.now = start.Add(12 * s)
	d.lane.Settle(a, Result{Kind: Yielded}, d.now)
	d.run(m)
	d.want("1s post1 a 1/1 b 1/1", "12s post2 new 1/1", "13s edit1 a 2/2 b 1/1")
	if d.lane.editing.n != 0 || len(d.said) > 0 {
		t.Error("to be called off is trouble")
	}
}

// An edit that made way is no trouble: who waits for it waits on, though the
// interval ends before the next.
func TestAnUrgentEditThatMadeWay(t *testing.T) {
	const ms = time.Millisecond
	r := bot
	r.Repeat = 2 * s
	d := newDesk(t, r)
	d.took = func(a *attempt) time.Duration {
		if a.Edits != nil && d.since() < 3*s {
			return s / 2
		}
		return 0
	}
	d.script = append(d.script, say{at: 2050 * ms, do: func() { d.urge("a") }})
	d.at(0, "a").at(1200*ms, "new").run(2300 * ms)
	if !d.kinds["a"].plan.Pressing(true, d.now) {
		t.Error("nobody waits for it")
	}
	d.run(4*s).want("1s post1 a 1/1", "2.05s edit1 yielded a 2/2", "2.2s post2 new 1/1", "3.2s edit1 a 2/2")
}

func TestAPostComesBeforeAnEdit(t *testing.T) {
	d := newDesk(t, bot).at(0, "a").run(2 * s)
	d.at(10*s, "new", "a").run(10 * s)
	d.now = start.Add(12 * s)
	if a := d.lane.Edit(d.now); a != nil {
		t.Error("an edit begins where a post is due")
	}
	d.run(m).want("1s post1 a 1/1", "12s post2 new 1/1", "12s edit1 a 2/2")
}

func TestTheBudgetOfEdits(t *testing.T) {
	var b Budget
	now, n := start, 0
	for ; now.Before(start.Add(m)); now = now.Add(100 * time.Millisecond) {
		if at := b.next(0, now); !at.After(now) {
			b.bank--
			n++
		}
	}
	if n != 49 && n != 50 {
		t.Errorf("%d edits in a minute", n)
	}
	if at := b.next(spare, now); at.Sub(now) < 5*refill {
		t.Errorf("a quiet mark leaves nothing to counts: %v", at.Sub(now))
	}
	b.hold = now.Add(h)
	if at := b.next(0, now); !at.Equal(now.Add(h)) {
		t.Errorf("an edit before Retry-After: %v", at)
	}
	free := Budget{free: true}
	free.bank--
	free.hold = start.Add(s)
	if at := free.next(spare, start); !at.Equal(start.Add(s)) {
		t.Errorf("without a budget an edit waits until %v", at)
	}
}

func TestALaneWithoutABudgetEditsAtItsOwnPace(t *testing.T) {
	r := bot
	r.EditGap, r.Delay = 0, time.Millisecond
	d := newDesk(t, r)
	d.lane = New[*kind, string](r, nil)
	d.at(0, "a").every(100*time.Millisecond, s, 10*s, "a").run(11 * s)
	if d.edits != 91 {
		t.Errorf("%d edits", d.edits)
	}
}

func TestLanesShareTheBudget(t *testing.T) {
	one := newDesk(t, bot)
	two := newDesk(t, bot)
	two.lane = New[*kind, string](bot, one.lane.budget)
	one.at(0, "a").at(2*s, "a").run(10 * s)
	two.at(0, "b").at(2*s, "b").run(10 * s)
	one.answer = func(*attempt) Result { return Result{Kind: Failed, Wait: m} }
	one.run(12 * s)
	two.run(72*s).want("1s post1 b 1/1", "1m11s edit1 b 2/2")

	one.answer = func(*attempt) Result { return Result{Kind: Failed, Wait: m, Everywhere: true} }
	one.run(72 * s) // and this is the workspace's limit
	two.lines = nil
	two.at(73*s, "new").run(4 * m).want("2m11s post2 new 1/1")
}

func TestResume(t *testing.T) {
	resumed := func(r Rules, at time.Duration) (*desk, *Message[*kind, string]) {
		d := newDesk(t, r)
		d.now = start.Add(at)
		k := d.kind("a")
		msg := &Message[*kind, string]{ID: "old", Ref: "refold", Items: []item{{Group: &k.plan, Before: 3, UpTo: 10, Shows: "a", Interval: 20 * m}}}
		d.lane.Resume(msg, start, d.now)
		if !msg.Items[0].Frozen {
			k.n += 10
		}
		return d, msg
	}
	d, _ := resumed(bot, m)
	d.at(2*m, "a").at(19*m, "a").at(21*m, "a").run(22 * m)
	d.want("2m1s editold a 8/11", "7m0s editold a 8/11 quiet", "19m1s editold a 9/12", "21m1s post1 a 1/13")

	d, _ = resumed(webhook, m)
	d.at(2*m, "a").run(h)
	d.want("20m0s post1 a 1/11")

	d, _ = resumed(bot, m)
	var forgotten time.Duration
	d.forgot = func(*kind) { forgotten = d.since() }
	d.run(30 * h)
	if d.want("5m0s editold a 7/10 quiet"); forgotten != 26*h {
		t.Errorf("what was resumed is forgotten after %v", forgotten)
	}

	d, _ = resumed(bot, 2*s)
	d.at(3*s, "a").run(m)
	d.want("10s editold a 8/11")

	d = newDesk(t, bot) // another's clock is ahead
	fast := d.kind("a")
	d.lane.Resume(&Message[*kind, string]{ID: "old", Ref: "r", Items: []item{{Group: &fast.plan, UpTo: 1, Last: start.Add(h)}}}, start, start)
	fast.n++
	d.run(2 * h).want("5m0s editold a 1/1 quiet")

	d = newDesk(t, bot) // it is perhaps told just now
	until(h, Result{Kind: Unknown})(d)
	lost := d.at(0, "a").run(2 * s).kinds["a"]
	both := &Message[*kind, string]{ID: "old", Ref: "r", Items: []item{{Group: &lost.plan, UpTo: 10}}}
	if d.lane.Resume(both, start, d.now); !both.Items[0].Frozen || lost.plan.Told() != 0 {
		t.Error("what is being told is resumed")
	}

	d = newDesk(t, bot)
	d.now = start.Add(18 * m)
	k := d.kind("a")
	old := &Message[*kind, string]{ID: "old", Ref: "refold", Items: []item{{Group: &k.plan, UpTo: 10, Shows: "a", Interval: 20 * m, Last: start.Add(17 * m)}}}
	d.lane.Resume(old, start, d.now)
	k.n += 10
	d.at(21*m, "a").run(30 * m) // it went on until a minute ago: it isn't quiet yet, nor back after 21 min
	d.want("21m1s post1 a 1/11", "26m0s edit1 a 1/11 quiet")

	d = newDesk(t, bot).at(0, "a").run(2 * s) // it was told by this process already
	k = d.kinds["a"]
	if k.plan.Interval() != 5*m || !k.plan.Posted().Equal(start.Add(s)) {
		t.Errorf("posted at %v, not again for %v", k.plan.Posted(), k.plan.Interval())
	}
	msg := &Message[*kind, string]{ID: "old", Ref: "r", Items: []item{{Group: &k.plan, UpTo: 10}}}
	d.lane.Resume(msg, start, d.now)
	if !msg.Items[0].Frozen || k.plan.Told() != 1 {
		t.Error("what was told here is resumed")
	}

	d = newDesk(t, bot) // it waits for company
	d.alert("a")
	d.alert("a")
	k = d.kinds["a"]
	msg = &Message[*kind, string]{ID: "old", Ref: "refold", Items: []item{{Group: &k.plan, UpTo: 10}}}
	d.lane.Resume(msg, start.Add(-m), d.now)
	k.n += 10
	d.run(m).want("1s editold a 12/12")
}

func TestForget(t *testing.T) {
	for _, r := range []Rules{bot, webhook} {
		d := newDesk(t, r)
		var gone []string
		d.forgot = func(k *kind) { gone = append(gone, fmt.Sprint(d.since(), " ", k.name)) }
		d.at(0, "a").every(m, 0, 10*m, "b").run(20 * m)
		if d.lane.Spare(d.now.Add(90*m)) != nil {
			t.Error("spared too soon")
		}
		d.run(40 * h)
		if want := []string{"26h0m0s a", "26h10m0s b"}; !slices.Equal(gone, want) {
			t.Errorf("forgotten are %v", gone)
		}
	}
	d := newDesk(t, webhook).at(0, "a", "b").run(h)
	if k := d.lane.Spare(start.Add(2 * h)); k == nil || k.Payload.name != "a" {
		t.Fatal("nothing is spared after two hours")
	}
	d.kinds["a"].n++ // an alert came in this moment
	d.lane.News(&d.kinds["a"].plan, 0, start.Add(2*h))
	d.now = start.Add(2 * h)
	d.run(3*h).want("1s post1 a 1/1 b 1/1", "2h0m1s post2 a 1/2 back after 2h0m0s")
}

func TestAnExampleIsWantedAfterEachPost(t *testing.T) {
	d := newDesk(t, bot)
	d.note = func(a *attempt, r Result, _ Outcome[*kind, string]) {
		g := a.Items[0].Group
		if g.Wants != (a.Edits == nil && r.Kind == Accepted) {
			t.Errorf("%s: wants an example: %v", line(d.since(), a, r), g.Wants)
		}
		g.Wants = false
	}
	d.answer = func(a *attempt) Result {
		if d.ids == 1 {
			return Result{Kind: Unreachable}
		}
		return Result{}
	}
	d.every(2*m, 0, 20*m, "a").run(h)
}

func TestALevelMayRise(t *testing.T) {
	r := small(bot)
	r.Size = 1
	d := newDesk(t, r).at(0, "a", "b")
	d.run(0)
	d.alert("c")
	d.lane.Raise(&d.kinds["c"].plan, 8)
	d.run(2500 * time.Millisecond)
	d.want("0s post1 a 1/1", "1s post2 c 1/1", "2s post3 b 1/1")
}

func TestCloseWhereAPersonMustMendPosting(t *testing.T) {
	d := newDesk(t, bot).at(0, "a", "b").run(2 * s)
	d.answer = func(a *attempt) Result {
		if a.Edits == nil {
			return Result{Kind: Failed, Mend: true}
		}
		return Result{}
	}
	d.took = func(*attempt) time.Duration { return s / 10 }
	d.at(3*s, "new").at(11*s, "a", "b").run(11 * s)
	d.lane.Close(d.now.Add(5*s), d.now)
	d.run(20 * s)
	d.want("1s post1 a 1/1 b 1/1", "4s post2 failed new 1/1", "11s post3 failed new 1/1", "11.1s edit1 a 2/2 b 2/2")
	if d.lane.Next(d.now) != Never {
		t.Error("the lane isn't done")
	}
}

func TestCloseTriesAgain(t *testing.T) {
	d := newDesk(t, webhook)
	d.answer = func(*attempt) Result {
		if d.since() < 10*m+4*s {
			return Result{Kind: Unknown}
		}
		return Result{}
	}
	d.at(0, "a").run(10 * m)
	d.lines = nil
	d.lane.Close(d.now.Add(10*s), d.now)
	d.run(10*m + 10*s)
	d.want("10m0s post1 unknown a 1/1", "10m1s post1 unknown a 1/1", "10m3s post1 unknown a 1/1", "10m7s post1 a 1/1")
}

func TestAnEditThatFailsWhileClosingIsPosted(t *testing.T) {
	d := newDesk(t, bot).at(0, "a").run(2 * s)
	d.answer = func(a *attempt) Result {
		if a.Edits != nil {
			return Result{Kind: Unreachable}
		}
		return Result{}
	}
	d.alert("a")
	d.lane.Close(d.now.Add(5*s), d.now)
	d.run(m).want("1s post1 a 1/1", "2s edit1 unreachable a 2/2", "2s post2 a 1/2")
}

func TestWhatWasLostIsSaidToBePerhapsTold(t *testing.T) {
	d := newDesk(t, webhook)
	d.answer = func(a *attempt) Result {
		if len(a.Items) > 1 && holds(a, "x") {
			return Result{Kind: Unknown}
		}
		return Result{}
	}
	d.at(0, "a", "x").every(m, m, h, "other").run(h)
	told := strings.Join(d.lines, "\n")
	for _, want := range []string{"a 1/1 late ", "x 1/1 late "} {
		i := strings.LastIndex(told, want)
		if i < 0 || !strings.Contains(told[i:i+60], "perhaps") {
			t.Errorf("no %q that is perhaps told before: %s", want, told)
		}
	}
}

func TestAnOutageIsNoGroupsFault(t *testing.T) {
	for _, begin := range []time.Duration{5 * s, 20 * s} { // x alone fails before: it is just found when all begins to fail
		d := newDesk(t, webhook)
		d.answer = func(a *attempt) Result {
			if at := d.since(); at > begin && at < h || holds(a, "x") && at < h {
				return Result{Kind: Failed}
			}
			return Result{}
		}
		for i := range 8 {
			d.at(10*s, fmt.Sprint("k", i))
		}
		d.at(0, "before").at(10*s, "x").run(3 * h)
		if !slices.Equal(d.parked, []string(nil)) {
			t.Errorf("from %v: parked are %v", begin, d.parked)
		}
		for name, k := range d.kinds {
			if k.plan.Told() != 1 {
				t.Errorf("from %v: %s was not told", begin, name)
			}
		}
	}
}

func TestAnOldRecordIsNotQuietAtOnce(t *testing.T) {
	d := newDesk(t, bot)
	d.came = func(k *kind) { k.last = start.Add(-9 * h) }
	d.at(0, "a").at(m, "a").run(h)
	d.want("1s post1 a 1/1", "1m1s edit1 a 2/2", "6m0s edit1 a 2/2 quiet")
}

func TestAnUrgentAlertWhileItsMessageIsEdited(t *testing.T) {
	d := newDesk(t, bot)
	d.took = func(*attempt) time.Duration { return s }
	d.script = append(d.script, say{at: 12500 * time.Millisecond, do: func() { d.urge("a") }})
	d.at(0, "a").at(5*s, "a").run(m)
	d.want("1s post1 a 1/1", "12s edit1 a 2/2", "13s edit1 a 3/3")
}

func TestCloseWithoutADeadlineEditsAll(t *testing.T) {
	r := bot
	r.Size, r.Dense, r.PostGap = 1, 1, 0
	d := newDesk(t, r)
	for i := range 20 {
		d.at(0, fmt.Sprint(i)).at(2*s, fmt.Sprint(i))
	}
	d.run(3 * s)
	d.lane.Close(Never, d.now)
	if d.run(m); d.edits != 20 {
		t.Errorf("%d edits of 20", d.edits)
	}
}

func TestCloseEditsWhereNothingCanBePosted(t *testing.T) {
	r := bot
	r.Size, r.Dense, r.PostGap = 1, 1, 0
	d := newDesk(t, r).at(0, "a", "b", "c", "d", "e", "f", "g", "h").run(2 * s)
	d.answer = func(a *attempt) Result {
		if a.Edits == nil {
			return Result{Kind: Failed, Mend: true}
		}
		return Result{}
	}
	d.at(3*s, "new").at(4*s, "a", "b", "c", "d", "e", "f", "g", "h").run(5 * s)
	d.lane.Close(d.now.Add(5*s), d.now)
	d.run(10 * s)
	if d.edits != 8 {
		t.Errorf("%d edits of 8: %q", d.edits, d.lines)
	}
}

func TestClosePostsWhatTheBudgetOfEditsHasNoTimeFor(t *testing.T) {
	r := bot
	r.Size, r.PostGap = 1, 0
	d := newDesk(t, r).at(0, "a", "b").at(2*s, "a", "b").run(3 * s)
	d.lines, d.lane.rules.Size = nil, 20
	d.lane.budget.next(0, d.now)
	d.lane.budget.bank = 0
	d.lane.Close(d.now.Add(5*s), d.now)
	d.run(8 * s).want("3s post3 a 1/2 b 1/2")
}

func TestCloseWhereAnEditHasTrouble(t *testing.T) {
	down, mend := Result{Kind: Unreachable, Why: "down"}, Result{Kind: Failed, Mend: true, Why: "no access"}
	unknown := Result{Kind: Unknown, Why: "no answer"}
	for _, c := range []struct {
		name       string
		fails      Result // edits; posts, too, where a person must mend it
		at, within time.Duration
		want       []string
	}{
		{"it hangs: half of the time is left for a post", Result{}, 12 * s, 10 * s, []string{"11s edit1 yielded a 2/2", "17s post2 a 1/2"}},
		{"it hangs, and there is time", Result{}, 12 * s, 0, []string{"11s edit1 a 2/2"}},
		{"it failed, and is posted late", down, 2 * m, 10 * s, []string{"2m0s edit1 unreachable a 2/2 late 1m54s: down", "2m0s post2 a 1/2 late 1m54s: down"}},
		{"it failed a moment ago: it may be on its way", unknown, 11*s + 300*time.Millisecond, 10 * s, []string{"12s edit1 unknown a 2/2", "12s post2 a 1/2"}},
		{"nothing is tried for ever", mend, 2 * m, 0, []string{"2m0s edit1 failed a 2/2 late 1m54s: no access", "2m0s post2 failed a 1/2 late 1m54s: no access"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, bot).at(0, "a").at(5*s, "a").run(2 * s)
			d.answer = func(a *attempt) Result {
				if a.Edits == nil && !c.fails.Mend {
					return Result{}
				}
				return c.fails
			}
			d.took = func(a *attempt) time.Duration {
				if a.Edits != nil && c.fails.Kind == Accepted {
					return m
				}
				return 0
			}
			d.script = append(d.script, say{at: c.at, do: func() {
				d.lines = nil
				deadline := Never
				if c.within > 0 {
					deadline = d.now.Add(c.within)
				}
				d.lane.Close(deadline, d.now)
			}})
			d.run(h).want(c.want...)
			if at := d.lane.Next(d.now); at != Never {
				t.Errorf("there is more at %v", at)
			}
			if said := strings.Join(d.said, ", "); c.fails == down && said != "11s begins, 2m0s over" {
				t.Errorf("said was %q", said)
			}
		})
	}
}

// Whoever heard that edits fail hears that they don't any more, also where the
// message is gone meanwhile.
func TestAMessageThatIsGoneEndsTrouble(t *testing.T) {
	d := newDesk(t, bot).at(0, "a").at(5*s, "a").run(2 * s)
	d.answer = func(a *attempt) Result {
		switch {
		case a.Edits == nil:
			return Result{}
		case d.now.Before(start.Add(12 * s)):
			return Result{Kind: Unreachable, Why: "down"}
		}
		return Result{Kind: Gone}
	}
	d.run(m).want("1s post1 a 1/1", "11s edit1 unreachable a 2/2", "12s edit1 gone a 2/2", "12s post2 a 1/2")
	if said := strings.Join(d.said, ", "); said != "11s begins, 12s over" {
		t.Errorf("said was %q", said)
	}
}

func TestClosePostsWhatCanNoLongerBeEdited(t *testing.T) {
	d := newDesk(t, bot).at(0, "a").at(2*s, "a").run(3 * s)
	d.lane.budget.next(0, d.now)
	d.lane.budget.bank = 0
	d.lane.Close(d.now.Add(10*s), d.now)
	d.lane.budget.hold = start.Add(h) // another lane was told so
	d.now = d.now.Add(2 * s)
	d.step()
	d.want("1s post1 a 1/1", "5s post2 a 1/2")
}

func TestCloseMarksNothing(t *testing.T) {
	d := newDesk(t, bot).at(0, "a").run(5*m - 1)
	d.now = start.Add(5 * m)
	if at := d.lane.nextEditAt(d.now); !at.Equal(d.now) {
		t.Fatalf("quiet is due at %v", at)
	}
	d.lane.Close(d.now.Add(5*s), d.now)
	if a := d.lane.Edit(d.now); a != nil || d.lane.nextEditAt(d.now) != Never {
		t.Error("quiet is marked while closing")
	}
}

// Where Slack doesn't answer, each message has its turn before one has a second.
func TestCloseTellsFirstWhatWasNotTried(t *testing.T) {
	r := webhook
	r.Size, r.Dense = 1, 1
	d := newDesk(t, r)
	d.took = func(*attempt) time.Duration { return 5 * s }
	d.answer = func(*attempt) Result { return Result{Kind: Unknown} }
	for _, name := range []string{"a", "b", "c", "d"} {
		d.alert(name)
	}
	d.lane.Close(start.Add(40*s), d.now)
	d.run(40*s).want("0s post1 unknown a 1/1", "6s post2 unknown b 1/1", "13s post3 unknown c 1/1", "22s post4 unknown d 1/1", "35s post1 unknown a 1/1")
}

func TestWhatIsLostIsTriedAgainThoughOthersComeAllTheTime(t *testing.T) {
	r := webhook
	r.Size, r.Dense = 1, 1
	d := newDesk(t, r)
	d.answer = func(a *attempt) Result {
		if holds(a, "lost") && d.since() < m {
			return Result{Kind: Unknown}
		}
		return Result{}
	}
	d.at(0, "lost")
	for i := range 240 {
		d.at(time.Duration(i)*s/2, fmt.Sprint(i))
	}
	d.run(160 * s)
	if d.kinds["lost"].plan.Told() != 1 {
		t.Error("it was not told")
	}
}

// The times of records are those of a clock that somebody may set; a process's
// own goes on.
func TestAGroupIsQuietByTheProcesssOwnClock(t *testing.T) {
	l, now := New[*kind, string](bot, nil), time.Now()
	k := &kind{name: "a", n: 2}
	k.plan.Payload = k
	l.News(&k.plan, 0, now)
	k.last = now.Add(time.Second / 2).Round(0)
	now = now.Add(time.Second)
	l.Settle(l.Post(now), Result{Ref: "ref"}, now)
	if last := k.plan.last; !last.Equal(k.last) || !strings.Contains(last.String(), " m=") {
		t.Errorf("the last alert was at %v, and is taken to be at %v", k.last, last)
	}
}

// A network that isn't there is no trouble of posts and one more of edits.
func TestAnOutageOfPostsAndEditsIsSaidOnce(t *testing.T) {
	outage := func(begin, end time.Duration) *desk {
		d := newDesk(t, bot)
		d.answer = func(*attempt) Result {
			if at := d.since(); at >= begin && at < end {
				return Result{Kind: Unreachable, Why: "down"}
			}
			return Result{}
		}
		return d
	}
	for _, c := range []struct {
		name string
		d    *desk
		want []string
	}{
		{"posts first", outage(2*s, 3*m).at(0, "a").at(2*s, "b").at(3*s, "a"), []string{"3s begins", "over"}},
		{"edits first", outage(2*s, 3*m).at(0, "a").at(3*s, "a").at(30*s, "b"), []string{"11s begins", "over"}},
		{"edits alone, and closed", func() *desk {
			d := outage(2*s, 15*s).at(0, "a").at(3*s, "a")
			d.script = append(d.script, say{at: 15 * s, do: func() { d.lane.Close(start.Add(16*s), d.now) }})
			return d
		}(), []string{"11s begins", "over"}},
	} {
		c.d.run(20 * m)
		got := slices.Clone(c.d.said)
		if len(got) == 2 {
			_, got[1], _ = strings.Cut(got[1], " ") // when that is, chance says
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: said was %v, wanted %v", c.name, got, c.want)
		}
	}
}

// That a message is gone ends the intervals of what stood in it, and with them
// changes when that is forgotten: a was told 20 h late, and stayed for those.
func TestWhatWasInAMessageThatIsGoneIsForgottenInItsTime(t *testing.T) {
	d := newDesk(t, bot)
	var forgot []string
	d.forgot = func(k *kind) { forgot = append(forgot, fmt.Sprint(k.name, " ", d.since())) }
	d.answer = func(a *attempt) Result {
		switch late := holds(a, "late"); {
		case late && a.Edits != nil:
			return Result{Kind: Gone}
		case late && d.since() < 20*h:
			return Result{Kind: Unreachable}
		}
		return Result{}
	}
	d.at(0, "soon").at(30*s, "late").at(m, "soon").run(50 * h)
	if want := []string{"late 26h0m30s", "soon 26h1m0s"}; !slices.Equal(forgot, want) {
		t.Errorf("forgotten were %q, wanted %q", forgot, want)
	}
}
