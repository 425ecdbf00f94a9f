// This file tests that a lane with very many groups waiting does no more for
// one of them than a lane with few.

package pace

import (
	"strconv"
	"testing"
	"time"
)

// crowded is a lane with n groups waiting, and one more in hand.
func crowded(tb testing.TB, n int) (*desk, *kind) {
	d := newDesk(nil, bot)
	d.quiet = true
	for i := range n {
		k := d.kind(strconv.Itoa(i))
		k.plan.Level = i * 7919 % 5
		d.now = d.now.Add(time.Microsecond)
		d.alert(k.name)
	}
	return d, d.kind("one more")
}

// compared counts how often groups are compared with each other in f.
func compared(l *Lane[*kind, string], f func()) (n int) {
	for _, h := range []*queue[*Group[*kind, string]]{&l.soon, &l.rank, &l.held, &l.along, &l.old} {
		was := h.before
		h.before = func(a, b *Group[*kind, string]) bool { n++; return was(a, b) }
		defer func() { h.before = was }()
	}
	f()
	return n
}

func TestManyGroupsCostNoMoreThanFew(t *testing.T) {
	d, k := crowded(t, 100_000)
	if n := compared(d.lane, func() { d.alert(k.name) }); n > 100 {
		t.Errorf("an alert compares %d times", n)
	}
	d.now = d.now.Add(m)
	var a *attempt
	if n := compared(d.lane, func() { a = d.lane.Post(d.now) }); n > 15_000 {
		t.Errorf("a post compares %d times", n)
	}
	if len(a.Items) != 100 {
		t.Errorf("%d groups in a message", len(a.Items))
	}
	if n := compared(d.lane, func() { d.lane.Settle(a, Result{Ref: "r"}, d.now) }); n > 15_000 {
		t.Errorf("its end compares %d times", n)
	}
	if n := compared(d.lane, func() { d.lane.Hurry(d.now) }); n > 0 {
		t.Errorf("haste compares %d times", n)
	}
}

func BenchmarkNewKind(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		b.Run("waiting="+strconv.Itoa(n), func(b *testing.B) {
			d, _ := crowded(b, n)
			worst := time.Duration(0)
			i := 0
			for b.Loop() {
				name := "new " + strconv.Itoa(i)
				i++
				k := d.kind(name)
				k.n, k.stirred = 1, true
				begun := time.Now()
				d.lane.News(&k.plan, 0, d.now)
				worst = max(worst, time.Since(begun))
			}
			b.ReportMetric(float64(worst.Nanoseconds()), "worst-ns")
		})
	}
}
