package slackalert

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/sketch"
)

// told is the last batch that a desk got.
func (d *desk) last() Batch { a := d.all(); return a[len(a)-1].Batch }

// elsewhere is what another process tells: n more of one group.
func elsewhere(host string, n int) Batch {
	at := time.Now().UTC()
	return Batch{ID: "x", Service: "shop", Host: host, Groups: []Group{{
		Fingerprint: "00c0ffee00c0ffee", Level: slog.LevelError, Message: "m of " + host, Fields: []Field{{"host", host}},
		Count: n, Total: n, First: at, Last: at, At: at, Run: "run of " + host,
	}}}
}

func TestMergeCountsAsAlertsDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, editDesk{d}, nil)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() { h.Merge(elsewhere(fmt.Sprint("web-", i), 1000)) })
		}
		all.Wait()
		assert.Zero(t, time.Since(d.start), "it doesn't wait")
		assert.Equal(t, Stats{Alerts: 20_000, Pending: 20_000}, h.Stats())
		pass(2 * time.Second)
		require.Len(t, d.all(), 1)
		g := d.last().Groups[0]
		assert.Equal(t, 20_000, g.Count)
		assert.Equal(t, 20_000, g.Total)
		assert.Equal(t, 20, g.Hosts)
		assert.Len(t, g.Named, 5)
		assert.Equal(t, "00c0ffee00c0ffee", g.Fingerprint)
		assert.Equal(t, h.core.batch.run, g.Run, "this process's count")

		h.Merge(elsewhere("web-3", 5))
		pass(20 * time.Second)
		assert.Equal(t, 20_005, d.last().Groups[0].Count, "edited in")
		assert.Equal(t, g.Message, d.last().Groups[0].Message, "the text of the first one seen")
		assert.Equal(t, 20, d.last().Groups[0].Hosts)
		assert.Equal(t, Stats{Alerts: 20_005, Delivered: 20_005, Messages: 1, Updates: 1}, h.Stats())
		require.NoError(t, h.Close())
		h.Merge(elsewhere("web-3", 5))
		assert.EqualValues(t, 20_005, h.Stats().Alerts, "after Shutdown it does nothing")
	})
}

func TestMergeMeetsWhatIsLoggedHere(t *testing.T) {
	for _, c := range []struct {
		name  string
		print func(context.Context, slog.Record) string
		first string // which comes first
	}{
		{"default grouping, logged first", nil, "log"},
		{"own grouping, logged first", func(context.Context, slog.Record) string { return "mine" }, "log"},
		{"own grouping, merged first", func(context.Context, slog.Record) string { return "mine" }, "merge"},
		{"own grouping that looks like a hash", func(context.Context, slog.Record) string { return "00c0ffee00c0ffee" }, "merge"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				h, log, _ := newTest(t, d, func(o *Options) { o.Fingerprint = c.print })
				say := func() { log.Error("m") }
				b := elsewhere("web-1", 10)
				if c.print != nil {
					b.Groups[0].Fingerprint = c.print(context.Background(), slog.Record{})
				}
				if c.first == "log" {
					say()
					pass(2 * time.Second)
					b.Groups[0].Fingerprint = d.last().Groups[0].Fingerprint
				}
				h.Merge(b)
				say()
				require.NoError(t, h.Close())
				g := d.last().Groups
				require.Len(t, g, 1)
				if c.first == "log" {
					assert.Equal(t, 12, g[0].Total)
				} else {
					assert.Equal(t, 11, g[0].Total)
				}
				assert.Equal(t, 2, g[0].Hosts, "here, and there: %v", g[0].Named)
			})
		})
	}
}

func TestMergeAddsUsersHostsAndNotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, editDesk{d}, nil)
		users := func(from, to uint64) []byte {
			var s sketch.Sketch
			for u := from; u < to; u++ {
				s.Add(u + 1)
			}
			return s.Bytes()
		}
		a, b := elsewhere("web-1", 3), elsewhere("web-2", 3)
		a.Groups[0].UserSet, b.Groups[0].UserSet = users(0, 6), users(4, 9)
		a.Groups[0].Notes, b.Groups[0].Notes = []string{"of an earlier run"}, []string{"of an earlier run", "(direct)"}
		b.Groups[0].Hosts, b.Groups[0].Named, b.Groups[0].Least = 3, []string{"web-2", "web-3", "web-4"}, true
		b.Groups[0].First = a.Groups[0].First.Add(-time.Hour)
		h.Merge(a)
		h.Merge(b)
		pass(2 * time.Second)
		g := d.last().Groups[0]
		assert.Equal(t, 9, g.Users)
		assert.Equal(t, []string{"of an earlier run", "(direct)"}, g.Notes)
		assert.Equal(t, 4, g.Hosts)
		assert.Equal(t, []string{"web-1", "web-2", "web-3", "web-4"}, g.Named)
		assert.True(t, g.Least)
		assert.Equal(t, b.Groups[0].First, g.First)

		more := elsewhere("web-9", 0)
		more.Groups[0].UserSet = users(20, 21)
		h.Merge(more)
		pass(time.Minute)
		assert.Len(t, d.all(), 1, "users and hosts alone are no news")
		h.Merge(elsewhere("web-1", 1))
		pass(time.Minute)
		g = d.last().Groups[0]
		assert.Equal(t, 10, g.Users)
		assert.Equal(t, 5, g.Hosts)
		assert.Equal(t, []string{"of an earlier run", "(direct)"}, g.Notes, "an edit says what its message said")
		pass(5 * time.Minute)
		h.Merge(elsewhere("web-1", 1))
		pass(time.Minute)
		assert.NotContains(t, d.last().Groups[0].Notes, "(direct)", "another message needn't")
		require.NoError(t, h.Close())
	})
}

func TestMergeGoesWhereTheCodeGoes(t *testing.T) {
	for _, c := range []struct{ name, channel, code, want string }{
		{"by its own channel", "#theirs", "pay", "#theirs"},
		{"by its code", "", "pay", "#payments"},
		{"else", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				h, _, _ := newTest(t, d, func(o *Options) { o.Codes = map[string]Code{"pay": {Channel: "#payments"}} })
				b := elsewhere("web-1", 1)
				b.Channel, b.Groups[0].Code = c.channel, c.code
				h.Merge(b)
				pass(2 * time.Second)
				assert.Equal(t, c.want, d.last().Channel)
				require.NoError(t, h.Close())
			})
		})
	}
}

func TestMergeTakesWhatItGets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, d, func(o *Options) { o.MaxGroups = 2 })
		h.Merge(Batch{})
		h.Merge(Batch{Groups: []Group{{}}})
		h.Merge(Batch{Groups: []Group{{Count: -5, Fingerprint: "negative"}}})
		h.Merge(Batch{Groups: []Group{{Count: 1, UserSet: []byte("garbage"), Fingerprint: "a"}}})
		for i := range 10 {
			h.Merge(Batch{Groups: []Group{{Count: 2, Fingerprint: "kind " + letters(i), Message: letters(i)}}})
		}
		b := elsewhere("web-1", 1)
		h.Merge(b)
		b.Groups[0].Fields[0].Value = "scribbled"
		pass(2 * time.Second)
		assert.EqualValues(t, 22, h.Stats().Delivered)
		assert.Equal(t, "other alerts", d.last().Groups[0].Fingerprint)
		require.NoError(t, h.Close())
	})
}

func TestResumeEditsWhatAnotherTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, editDesk{d}, nil)
		was := elsewhere("web-1", 100)
		was.Groups[0].Count, was.Groups[0].Total = 30, 100
		h.Resume(was, "their ref", time.Now().Add(-time.Minute))
		was.Groups[0].Fields[0].Value = "scribbled"
		assert.Zero(t, h.Stats(), "what others told is not in Stats")
		pass(time.Second)
		h.Merge(elsewhere("web-1", 5))
		pass(10 * time.Second)
		require.Equal(t, []string{"edit 2s [35/105 m of web-1]"}, d.lines())
		assert.Equal(t, "x", d.last().ID, "it keeps the ID of the message")
		assert.Equal(t, "run of web-1", d.last().Groups[0].Run)
		assert.Equal(t, Stats{Alerts: 5, Delivered: 5, Updates: 1}, h.Stats())
		pass(4 * time.Minute)
		h.Merge(elsewhere("web-1", 1))
		pass(2 * time.Second)
		assert.Equal(t, "post 4m12s [1/106 m of web-1]", d.lines()[1], "its interval counts from then: over after 4 min")
		pass(5 * time.Minute)
		h.Merge(elsewhere("web-1", 1))
		pass(time.Minute)
		assert.Equal(t, "edit 9m21s [2/107 m of web-1]", d.lines()[len(d.all())-1], "and has doubled")
		require.NoError(t, h.Close())
	})
}

// What goes on is not quiet, nor back, because its message is old; and its
// interval, which the batch has, isn't over before its time.
func TestResumeGoesOnWithTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, editDesk{d}, nil)
		h.Merge(elsewhere("web-1", 1))
		pass(time.Second)
		assert.Equal(t, 5*time.Minute, d.last().Groups[0].Interval)
		require.NoError(t, h.Close())

		d = newDesk()
		h, _, _ = newTest(t, editDesk{d}, nil)
		was := elsewhere("web-1", 100)
		was.Groups[0].Interval = 40 * time.Minute
		was.Groups[0].Last = was.Groups[0].Last.Add(-time.Second)
		h.Resume(was, "their ref", time.Now().Add(-38*time.Minute))
		pass(time.Second)
		h.Merge(elsewhere("web-1", 5))
		pass(2 * time.Minute)
		h.Merge(elsewhere("web-1", 1))
		pass(2 * time.Second)
		assert.Equal(t, []string{"edit 2s [105/105 m of web-1]", "post 2m2s [1/106 m of web-1]"}, d.lines())
		assert.Equal(t, 80*time.Minute, d.last().Groups[0].Interval, "it has doubled")
		assert.Empty(t, d.last().Groups[0].Notes)
		require.NoError(t, h.Close())
	})
}

func TestResumeLeavesAloneWhatWasToldHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, editDesk{d}, nil)
		h.Merge(elsewhere("web-1", 1))
		pass(2 * time.Second)
		was := elsewhere("web-1", 100)
		h.Resume(was, "their ref", time.Now())
		h.Merge(elsewhere("web-1", 1))
		pass(time.Minute)
		assert.Equal(t, []string{"post 1s [1/1 m of web-1]", "edit 11s [2/2 m of web-1]"}, d.lines())
		assert.Equal(t, d.all()[0].ID, d.all()[1].ID)
		require.NoError(t, h.Close())
		h.Resume(was, "their ref", time.Now())
		assert.EqualValues(t, 2, h.Stats().Alerts)
	})
}

func TestResumeMeetsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, editDesk{d}, nil)
		h.Merge(elsewhere("web-1", 2))
		h.Resume(elsewhere("web-1", 100), "their ref", time.Now().Add(-time.Minute))
		assert.EqualValues(t, 2, h.Stats().Pending)
		pass(time.Minute)
		assert.Equal(t, []string{"edit 1s [102/102 m of web-1]"}, d.lines())
		assert.Equal(t, Stats{Alerts: 2, Delivered: 2, Updates: 1}, h.Stats())
		require.NoError(t, h.Close())
	})
}

func TestWhatComesOverWhatIsNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, editDesk{d}, nil)
		h.Resume(Batch{}, "ref", time.Now())
		h.Resume(Batch{Groups: []Group{{Count: -1, Total: -1}}}, "ref", time.Time{})
		h.Resume(elsewhere("web-1", 3), "", time.Now())
		h.Merge(elsewhere("web-1", 1))
		pass(6 * time.Minute)
		assert.Equal(t, "post 5m0s [1/4 m of web-1]", d.lines()[0], "without a ref only its interval counts")
		require.NoError(t, h.Close())
	})
}

// Within Run and First Total never falls, whatever is forgotten and begins anew.
func TestTotalNeverFallsWithinRunAndFirst(t *testing.T) {
	for _, timeless := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk()
			h, _, _ := newTest(t, editDesk{d}, func(o *Options) { o.MaxGroups = 1 })
			say := func(msg string) {
				r := slog.NewRecord(time.Now(), slog.LevelError, msg, 0)
				if timeless {
					r.Time = time.Time{}
				}
				_ = h.Handle(t.Context(), r)
			}
			for range 6 {
				for range 3 {
					say("a")
					pass(time.Minute)
				}
				pass(3 * time.Hour)
				say("b") // takes a's place
				pass(3 * time.Hour)
			}
			totals := map[string]int{}
			for _, a := range d.all() {
				for _, g := range a.Groups {
					key := g.Fingerprint + g.Run + g.First.String()
					assert.GreaterOrEqual(t, g.Total, totals[key], "%v", d.lines())
					totals[key] = g.Total
				}
			}
			assert.Len(t, totals, 12)
			require.NoError(t, h.Close())
		})
	}
}

func TestABatchTravelsAsJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, editDesk{d}, nil)
		log.ErrorContext(With(t.Context(), "user", "u-1"), "m", "error", errDown)
		pass(7 * time.Minute)
		log.ErrorContext(With(t.Context(), "user", "u-1"), "m", "error", errDown)
		require.NoError(t, h.Close())
		for _, a := range d.all() {
			text, err := json.Marshal(a.Batch)
			require.NoError(t, err)
			var b Batch
			require.NoError(t, json.Unmarshal(text, &b))
			assert.Equal(t, a.Batch, b)
		}
	})
}

// Whatever another process claims, the sums hold.
func TestMergeBelievesWhatCanBeTrue(t *testing.T) {
	for _, c := range []struct {
		name   string
		counts []int
		want   uint64
	}{
		{"below zero", []int{-1, math.MinInt, 3}, 3},
		{"the largest", []int{math.MaxInt}, maxClaim},
		{"the largest, time and again", []int{math.MaxInt, math.MaxInt, math.MaxInt, 5}, 3*maxClaim + 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				h, _, _ := newTest(t, editDesk{d}, nil)
				for _, n := range c.counts {
					h.Merge(elsewhere("web-1", n))
					s := h.Stats()
					assert.LessOrEqual(t, s.Pending, s.Alerts)
					pass(time.Minute)
				}
				s := h.Stats()
				assert.Equal(t, c.want, s.Alerts)
				assert.Equal(t, c.want, s.Delivered)
				assert.EqualValues(t, c.want, d.last().Groups[0].Total)
				require.NoError(t, h.Close())
			})
		})
	}
}

func TestMergedTimesAndNamesHaveJSONAndNotesABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, d, nil)
		for i := range 1000 {
			b := elsewhere("web-1", 1)
			g := &b.Groups[0]
			g.First = time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC)
			g.Last, g.At = g.First, g.First
			g.Notes = []string{fmt.Sprint("note ", i)}
			h.Merge(b)
		}
		require.NoError(t, h.Close())
		assert.Len(t, d.last().Groups[0].Notes, maxNotes)
		_, err := json.Marshal(d.last())
		assert.NoError(t, err)
	})
}

// What a process tells of itself with a clock that was ahead, or in odd numbers,
// silences nobody.
func TestResumeOfOddBatches(t *testing.T) {
	for _, total := range []int{math.MinInt, -1, 0, 7, math.MaxInt} {
		for _, told := range []time.Duration{0, time.Hour, 10 * 365 * 24 * time.Hour} {
			t.Run(fmt.Sprint(total, " told in ", told), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := newDesk()
					h, log, _ := newTest(t, editDesk{d}, func(o *Options) {
						o.Fingerprint = func(context.Context, slog.Record) string { return "00c0ffee00c0ffee" }
					})
					b := elsewhere("web-1", 1)
					b.Groups[0].Total = total
					for range 2 {
						h.Resume(b, "ref", time.Now().Add(told))
						assert.Zero(t, h.Stats(), "it counts nothing")
					}
					log.Error("one")
					assert.Equal(t, Stats{Alerts: 1, Pending: 1}, h.Stats())
					pass(time.Minute)
					s := h.Stats()
					assert.EqualValues(t, 1, s.Delivered)
					require.NotEmpty(t, d.all())
					assert.Positive(t, d.last().Groups[0].Total)
					require.NoError(t, h.Close())
				})
			})
		}
	}
}

func TestASetOfHosts(t *testing.T) {
	names := make(hostNames)
	var a, b hostSet
	for i := range 200 {
		names.add(&b, "other "+strconv.Itoa(i))
	}
	for i := range 20 {
		names.add(&a, "web-"+strconv.Itoa(i%7))
	}
	names.add(&a, "")
	assert.Equal(t, 7, a.n)
	assert.Equal(t, []string{"web-0", "web-1", "web-2", "web-3", "web-4"}, a.first)
	assert.Equal(t, 200, b.n)
	for i := range maxNames {
		names.add(new(hostSet), strconv.Itoa(i))
	}
	names.add(&b, "one too many")
	assert.Equal(t, 200, b.n)
	names.add(&b, "web-3")
	assert.Equal(t, 201, b.n)
}
