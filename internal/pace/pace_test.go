// This file tests what is told, and when, as tables of times.

package pace

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const (
	s = time.Second
	m = time.Minute
	h = time.Hour
)

// small has messages of three groups, of six where many wait.
func small(r Rules) Rules { r.Size, r.Dense = 3, 6; return r }

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules Rules
		play  func(d *desk)
		want  []string
	}{
		{"the first waits for company", webhook, func(d *desk) {
			d.at(0, "a").at(s/2, "b", "C").run(h)
		}, []string{"1s post1 C 1/1 a 1/1 b 1/1"}},
		{"until a message is full", small(webhook), func(d *desk) {
			d.at(0, "a").at(s/5, "b", "c").run(h)
		}, []string{"200ms post1 a 1/1 b 1/1 c 1/1"}},
		{"one more than full waits for its own company", func() Rules { r := small(webhook); r.Delay = m; return r }(), func(d *desk) {
			d.at(0, "a", "b", "c").at(s, "d").run(h)
		}, []string{"0s post1 a 1/1 b 1/1 c 1/1", "1m1s post2 d 1/1"}},
		{"at most one message a second, the worst first", small(webhook), func(d *desk) {
			d.at(0, "a", "b", "c", "D", "e").run(h)
		}, []string{"0s post1 D 1/1 a 1/1 b 1/1", "1s post2 c 1/1 e 1/1"}},
		{"and of equals the first", small(webhook), func(d *desk) {
			d.at(0, "a", "b", "c", "d").run(h)
		}, []string{"0s post1 a 1/1 b 1/1 c 1/1", "1s post2 d 1/1"}},
		{"where many wait, messages are denser", small(webhook), func(d *desk) {
			d.at(0, "x", "y", "z").at(s/2, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j").run(h)
		}, []string{"0s post1 x 1/1 y 1/1 z 1/1", "1s post2 a 1/1 b 1/1 c 1/1 d 1/1 e 1/1 f 1/1", "2s post3 g 1/1 h 1/1 i 1/1", "3s post4 j 1/1"}},
		{"three messages' worth is not many", small(webhook), func(d *desk) {
			d.at(0, "x", "y", "z").at(s/2, "a", "b", "c", "d", "e", "f", "g", "h", "i").run(h)
		}, []string{"0s post1 x 1/1 y 1/1 z 1/1", "1s post2 a 1/1 b 1/1 c 1/1", "2s post3 d 1/1 e 1/1 f 1/1", "3s post4 g 1/1 h 1/1 i 1/1"}},
		{"severe, then many, then old", webhook, func(d *desk) {
			d.at(0, "old", "young").at(s/4, "many", "many", "SEVERE").run(h)
		}, []string{"1s post1 SEVERE 1/1 many 2/2 old 1/1 young 1/1"}},
		{"a storm with a webhook", webhook, func(d *desk) {
			d.every(s, 0, 20*m, "a").at(3*s, "b", "C").run(3 * h)
		}, []string{"1s post1 a 2/2", "4s post2 C 1/1 b 1/1", "5m1s post3 a 300/302", "15m1s post4 a 600/902", "35m1s post5 a 299/1201"}},
		{"a storm with a bot", bot, func(d *desk) {
			d.every(s, 0, 31*s, "a").at(3*s, "b").run(h)
		}, []string{"1s post1 a 2/2", "4s post2 b 1/1", "11s edit1 a 12/12", "21s edit1 a 22/22", "31s edit1 a 32/32", "5m3s edit2 b 1/1 quiet", "5m31s edit1 a 32/32 quiet"}},
		{"the tail of a storm is told though nothing follows", webhook, func(d *desk) {
			d.at(0, "a").at(2*s, "a").run(h)
		}, []string{"1s post1 a 1/1", "5m1s post2 a 1/2"}},
		{"with a bot, what goes on is posted anew", bot, func(d *desk) {
			d.every(2*m, 0, 12*m, "a").run(12 * m)
		}, []string{"1s post1 a 1/1", "2m1s edit1 a 2/2", "4m1s edit1 a 3/3", "6m1s post2 a 1/4", "8m1s edit2 a 2/5", "10m1s edit2 a 3/6"}},
		{"what is due within a fifth of its interval goes along", webhook, func(d *desk) {
			d.at(0, "a").at(30*s, "b").at(70*s, "c").at(2*m, "a", "b", "c").run(10 * m)
		}, []string{"1s post1 a 1/1", "31s post2 b 1/1", "1m11s post3 c 1/1", "5m1s post4 a 1/2 b 1/2", "6m11s post5 c 1/2"}},
		{"with a bot, too", bot, func(d *desk) {
			d.every(2*s, 0, 310*s, "a").every(2*s, 30*s, 310*s, "b").run(303 * s)
			d.lines = d.lines[len(d.lines)-1:]
		}, []string{"5m3s post3 a 1/152 b 1/137"}},
		{"it is over, and back within the interval", bot, func(d *desk) {
			d.every(m, 0, 10*m, "a").at(17*m, "a").run(23 * m)
			d.lines = d.lines[len(d.lines)-4:]
		}, []string{"10m1s edit2 a 5/11", "15m0s edit2 a 5/11 quiet", "17m1s post3 a 1/12 back after 7m0s", "22m0s edit3 a 1/12 quiet"}},
		{"an alert takes the mark away", bot, func(d *desk) {
			d.every(m, 0, 6*m, "a").at(14*m, "a").run(20 * m)
			d.lines = d.lines[len(d.lines)-4:]
		}, []string{"6m1s post2 a 1/7", "11m0s edit2 a 1/7 quiet", "14m1s edit2 a 2/8", "19m0s edit2 a 2/8 quiet"}},
		{"groups of one message are quiet one by one", bot, func(d *desk) {
			d.at(0, "a", "b").at(2*m, "b").run(h)
		}, []string{"1s post1 a 1/1 b 1/1", "2m1s edit1 b 2/2 a 1/1", "5m0s edit1 b 2/2 a 1/1 quiet", "7m0s edit1 b 2/2 quiet a 1/1 quiet"}},
		{"back after long", webhook, func(d *desk) {
			d.at(0, "a").at(3*h, "a").run(5 * h)
		}, []string{"1s post1 a 1/1", "3h0m1s post2 a 1/2 back after 3h0m0s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, c.rules)
			c.play(d)
			d.want(c.want...)
		})
	}
}

// posted are the times of the posts of a day in which a kind comes at times.
func postsOf(t *testing.T, r Rules, days int, names ...func(d *desk)) (perDay []int) {
	d := newDesk(t, r)
	for _, f := range names {
		f(d)
	}
	for i := range days {
		d.posts = 0
		d.quiet = true
		d.run(time.Duration(i+1) * 24 * h)
		perDay = append(perDay, d.posts)
	}
	return perDay
}

func TestADay(t *testing.T) {
	for _, c := range []struct {
		name   string
		gap    time.Duration
		length time.Duration // of one day; the second must not be worse
		most   []int
	}{
		{"goes on and on", 10 * s, 2 * 24 * h, []int{12, 6}},
		{"every ten minutes", 10 * m, 2 * 24 * h, []int{14, 7}},
		{"every hour", h, 2 * 24 * h, []int{14, 7}},
		{"every day", 24 * h, 2 * 24 * h, []int{1, 1}},
	} {
		for name, r := range map[string]Rules{"bot": bot, "webhook": webhook} {
			t.Run(c.name+", "+name, func(t *testing.T) {
				got := postsOf(t, r, 2, func(d *desk) { d.every(c.gap, 0, c.length-1, "a") })
				for i, n := range got {
					if n > c.most[i] || n == 0 {
						t.Errorf("day %d: %d posts, wanted are at most %d", i+1, n, c.most[i])
					}
				}
				t.Log(got)
			})
		}
	}
}

func TestFourLastingProblems(t *testing.T) {
	for name, r := range map[string]Rules{"bot": bot, "webhook": webhook} {
		d := newDesk(t, r)
		for i, gap := range []time.Duration{s, 2 * s, 3 * s, 7 * s} {
			d.every(gap, time.Duration(i)*13*s, 23*m, string(rune('a'+i)))
		}
		d.run(23 * m)
		if d.posts > 8 {
			t.Errorf("%s: %d posts: %v", name, d.posts, d.lines)
		}
		t.Log(name, d.posts)
	}
}

func TestTheIntervalDoublesAndBeginsAnew(t *testing.T) {
	d := newDesk(t, webhook).every(10*s, 0, 12*h, "a").at(18*h, "a").at(26*h, "a")
	var times []string
	d.note = func(a *attempt, _ Result, _ Outcome[*kind, string]) {
		times = append(times, fmt.Sprint(d.since(), " ", a.Items[0].Interval))
	}
	d.run(40 * h)
	want := []string{"1s 5m0s", "5m1s 10m0s", "15m1s 20m0s", "35m1s 40m0s", "1h15m1s 1h20m0s", "2h35m1s 2h40m0s", "5h15m1s 4h0m0s", "9h15m1s 4h0m0s", "13h15m1s 4h0m0s",
		"18h0m1s 4h0m0s", "26h0m1s 5m0s"} // quiet for 6 h, then for 8 h
	if !slices.Equal(times, want) {
		t.Errorf("%v", times)
	}
}
