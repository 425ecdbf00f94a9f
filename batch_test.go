package slackalert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/cite"
)

// pass lets time go by, and everything happen that is due.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// every calls log n times, d apart, the first time at once.
func every(d time.Duration, n int, log func()) {
	for range n {
		log()
		pass(d)
	}
}

// odd is a BatchDelay with which nothing is due in the moment of an alert.
func odd(o *Options) { o.BatchDelay = time.Second + 5*time.Millisecond }

func TestFirstAlertWaitsForCompany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, d, nil)
		say := func(s string) { log.Error(s) }
		say("one")
		pass(600 * time.Millisecond)
		log.Log(t.Context(), slog.LevelError+4, "two")
		say("three")
		say("one")
		pass(time.Minute)
		assert.Equal(t, []string{"post 1s [1/1 two] [2/2 one] [1/1 three]"}, d.lines())
		assert.Equal(t, Stats{Alerts: 4, Delivered: 4, Messages: 1}, h.Stats())
		require.NoError(t, h.Close())
	})
}

func TestBatchSizeEndsTheWaitAndPaceHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, d, func(o *Options) { o.BatchSize = 3 })
		for i := range 8 {
			require.NoError(t, h.Handle(t.Context(), record(slog.LevelError, fmt.Sprint("kind ", letters(i)))))
		}
		pass(time.Minute)
		assert.Equal(t, []string{
			"post 0s [1/1 kind a] [1/1 kind b] [1/1 kind c]",
			"post 1s [1/1 kind d] [1/1 kind e] [1/1 kind f]",
			"post 2s [1/1 kind g] [1/1 kind h]",
		}, d.lines())
		require.NoError(t, h.Close())
	})
}

// record is a record without a source.
func record(level slog.Level, msg string) slog.Record {
	return slog.NewRecord(time.Now(), level, msg, 0)
}

// letters is a number without digits, which would be taken as one sign.
func letters(n int) string {
	s := string(rune('a' + n%26))
	if n >= 26 {
		return letters(n/26-1) + s
	}
	return s
}

func TestFiveHundredGroupsAtOncePerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, d, nil)
		for i := range 500 {
			_ = h.Handle(t.Context(), record(slog.LevelError, letters(i)))
			pass(2 * time.Millisecond)
		}
		pass(time.Hour)
		got := d.all()
		for i := 1; i < len(got); i++ {
			assert.GreaterOrEqual(t, got[i].at-got[i-1].at, time.Second)
		}
		assert.Equal(t, 500, d.told())
		assert.Less(t, len(got), 30, "dense")
		require.NoError(t, h.Close())
	})
}

func TestStormWithABot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, editDesk{d}, odd)
		say := func() { log.Error("db is down") }
		every(10*time.Millisecond, 6*60*100, say)
		pass(20 * time.Minute)
		want := []string{"post 1.005s [101/101 db is down]"}
		for s := 11; s <= 301; s += 10 {
			want = append(want, fmt.Sprintf("edit %v [%d/%[2]d db is down]", time.Duration(s)*time.Second+5*time.Millisecond, s*100+1))
		}
		want = append(want, "post 5m2.015s [101/30202 db is down]")
		for s := 312; s <= 352; s += 10 {
			want = append(want, fmt.Sprintf("edit %v [%d/%d db is down]", time.Duration(s)*time.Second+15*time.Millisecond, s*100+2-30101, s*100+2))
		}
		want = append(want, "edit 6m2.015s [5899/36000 db is down]", "edit 10m59.99s [5899/36000 db is down, quiet]")
		assert.Equal(t, want, d.lines())
		assert.Equal(t, Stats{Alerts: 36000, Delivered: 36000, Messages: 2, Updates: 37}, h.Stats())

		pass(10 * time.Second)
		say()
		pass(time.Minute)
		assert.Equal(t, "post 26m11.005s [1/36001 db is down, back after 20 min]", d.lines()[len(want)], "its interval, 10 min now, is over")
		pass(3 * time.Hour)
		say()
		pass(time.Minute)
		assert.Equal(t, "post 3h27m11.005s [1/36002 db is down, back after 3 h]", d.lines()[len(want)+2], "its interval begins anew")
		pass(27 * time.Hour)
		say()
		pass(time.Minute)
		assert.Equal(t, "post 30h28m11.005s [1/1 db is down]", d.lines()[len(want)+4], "it was forgotten")
		require.NoError(t, h.Close())
	})
}

func TestStormWithAWebhook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, d, odd)
		say := func() { log.Error("db is down") }
		every(10*time.Millisecond, 6*60*100, say)
		pass(time.Hour)
		assert.Equal(t, []string{
			"post 1.005s [101/101 db is down]",
			"post 5m1.005s [30000/30101 db is down]",
			"post 15m1.005s [5899/36000 db is down]",
		}, d.lines(), "the last count arrives though nothing follows it, after an interval that has doubled")
		assert.Equal(t, Stats{Alerts: 36000, Delivered: 36000, Messages: 3}, h.Stats())

		say()
		pass(time.Minute)
		assert.Equal(t, "post 1h6m1.005s [1/36001 db is down, back after 60 min]", d.lines()[3])
		require.NoError(t, h.Close())
	})
}

func TestAGroupThatGoesOnKeepsItsTotal(t *testing.T) {
	for _, c := range []struct {
		name   string
		sender func(*desk) Sender
		want   []string
	}{
		{"webhook", func(d *desk) Sender { return d }, []string{
			"post 1s [1/1 now and then]",
			"post 6m1s [1/2 now and then, back after 6 min]",
			"post 17m1s [1/3 now and then, back after 11 min]",
			"post 2h29m1s [1/4 now and then, back after 2 h]",
		}},
		{"bot", func(d *desk) Sender { return editDesk{d} }, []string{
			"post 1s [1/1 now and then]",
			"edit 5m0s [1/1 now and then, quiet]",
			"post 6m1s [1/2 now and then, back after 6 min]",
			"edit 11m0s [1/2 now and then, quiet, back after 6 min]",
			"post 17m1s [1/3 now and then, back after 11 min]",
			"edit 22m0s [1/3 now and then, quiet, back after 11 min]",
			"post 2h29m1s [1/4 now and then, back after 2 h]",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				h, log, _ := newTest(t, c.sender(d), nil)
				say := func() { log.Error("now and then") }
				for _, wait := range []time.Duration{6 * time.Minute, 11 * time.Minute, 132 * time.Minute, time.Minute} {
					say()
					pass(wait)
				}
				assert.Equal(t, c.want, d.lines())
				require.NoError(t, h.Close())
			})
		})
	}
}

func TestAnEditKeepsTellingAllGroupsOfItsMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func(s string) { log.Error(s) }
		say("a")
		say("b")
		pass(3 * time.Second)
		say("b")
		pass(20 * time.Second)
		say("a")
		pass(6 * time.Minute)
		say("a")
		pass(2 * time.Second)
		say("b") // over five minutes: posted anew, and so no edit of the first message
		pass(time.Minute)
		assert.Equal(t, []string{
			"post 1s [1/1 a] [1/1 b]",
			"edit 11s [2/2 b] [1/1 a]", // the more frequent first
			"edit 24s [2/2 a] [2/2 b]",
			"edit 5m3s [2/2 a] [2/2 b, quiet]",
			"edit 5m23s [2/2 a, quiet] [2/2 b, quiet]",
			"post 6m24s [1/3 a, back after 6 min]",
			"post 6m26s [1/3 b, back after 6 min]",
		}, d.lines())
		got := d.all()
		assert.Equal(t, got[0].ID, got[1].ID)
		assert.NotEqual(t, got[0].ID, got[5].ID)
		require.NoError(t, h.Close())
	})
}

func TestAnEditOfAMessageThatIsGonePostsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(what string, _ Batch) error {
			if what == "edit" {
				return gone{}
			}
			return nil
		}
		h, log, base := newTest(t, editDesk{d}, odd)
		every(time.Second, 60, func() { log.Error("m") })
		pass(10 * time.Minute)
		assert.Equal(t, []string{
			"post 1.005s [2/2 m]",
			"post 11.005s [10/12 m]",
			"post 10m11.005s [48/60 m]", // the replacement is gone too: editing can't be relied on, and the interval has doubled
		}, d.lines())
		assert.Empty(t, base.own())
		require.NoError(t, h.Close())
	})
}

func TestEditsHaveARateOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, editDesk{d}, func(o *Options) { o.BatchDelay, o.RepeatInterval = time.Millisecond, time.Hour })
		for range 10 {
			for i := range 60 { // a message each
				_ = h.Handle(t.Context(), record(slog.LevelError, letters(i)))
				pass(1100 * time.Millisecond)
			}
		}
		pass(time.Hour)
		var edits []time.Duration
		for _, a := range d.all() {
			if a.what == "edit" {
				edits = append(edits, a.at)
			}
		}
		require.Greater(t, len(edits), 100)
		for i := 50; i < len(edits); i++ {
			assert.GreaterOrEqual(t, edits[i]-edits[i-50], time.Minute)
		}
		assert.Equal(t, 600, d.told())
		require.NoError(t, h.Close())
	})
}

func TestAnEditNeverDelaysANewAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var slow atomic.Bool
		d.block = func(ctx context.Context, b Batch) {
			if slow.Load() && b.Groups[0].Message == "old" {
				<-ctx.Done() // Slack hangs
			}
		}
		h, log, base := newTest(t, editDesk{d}, nil)
		say := func(s string) { log.Error(s) }
		say("old")
		pass(2 * time.Second)
		slow.Store(true)
		say("old")
		pass(10 * time.Second) // the edit began at 11 s
		say("new")
		pass(1100 * time.Millisecond)
		slow.Store(false)
		pass(time.Minute)
		assert.Equal(t, []string{"post 1s [1/1 old]", "post 13s [1/1 new]", "edit 14s [2/2 old]"}, d.lines())
		assert.Empty(t, base.own(), "making way is no failure")
		require.NoError(t, h.Close())
	})
}

// A problem that goes on is told at once, after 5 minutes and after 15, or more
// often with a RepeatMax: who was called at once isn't called again by the second
// message, but by each that follows.
func TestNobodyIsCalledAgainAtOnce(t *testing.T) {
	for _, max := range []time.Duration{0, 5 * time.Minute, 7 * time.Minute, 10 * time.Minute} {
		t.Run(max.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				opts := Options{Codes: map[string]Code{"E1": {Mention: "<@U01>"}}, Mention: func(Group) string { return "<@U02>" }}
				_, log, _ := newTest(t, editDesk{d}, func(o *Options) { o.RepeatMax = max })
				say := func() { log.Error("payment failed", "error_code", "E1") }
				every(5*time.Second, 40*12, say)
				pass(5 * time.Hour)
				every(5*time.Second, 6*12, say)
				var called []bool
				for _, a := range d.all() {
					if text := layout(a.Batch, &opts, cite.Tree{}).text; a.what == "post" {
						called = append(called, strings.Contains(text, "<@U01>"))
						assert.Equal(t, called[len(called)-1], strings.Contains(text, "<@U02>"))
					} else {
						assert.Equal(t, called[len(called)-1], strings.Contains(text, "<@U01>"), "an edit leaves the mention as it is")
					}
				}
				require.GreaterOrEqual(t, len(called), 6)
				assert.Equal(t, []bool{true, false, true, true}, called[:4])
				assert.NotContains(t, called[2:len(called)-1], false)
				assert.Equal(t, []bool{true, false}, called[len(called)-2:], "after hours of quiet it begins anew")
			})
		})
	}
}

func TestFailedBatchFoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var tried []string
		var ids []string
		d.fail = func(_ string, b Batch) error {
			tried = append(tried, time.Since(d.start).Truncate(time.Second).String())
			ids = append(ids, b.ID)
			if len(tried) < 5 {
				return errDown
			}
			return nil
		}
		h, log, base := newTest(t, d, odd)
		say := func() { log.Error("m") }
		every(time.Second, 10, say)
		log.Log(t.Context(), slog.LevelError+4, "came later")
		every(time.Second, 20, say)
		pass(10 * time.Minute)
		require.Len(t, tried, 7, "four fail, then each group is told alone, and RepeatInterval later one tells the rest")
		assert.Equal(t, 31, d.told())
		assert.Equal(t, "came later", d.all()[0].Groups[0].Message, "what came since is told, the most severe first")
		slices.Sort(ids)
		assert.Len(t, slices.Compact(ids), 7, "one ID, one content")
		own := base.own()
		require.Len(t, own, 2)
		assert.Contains(t, own[0], "alerts can't be delivered, they wait channel= attempt=post error=down alerts_waiting=2 groups_waiting=1")
		assert.Contains(t, own[1], "alerts are delivered again")
		st := h.Stats()
		assert.EqualValues(t, 4, st.Failures)
		assert.Equal(t, "down", st.LastError)
		require.NoError(t, h.Close())
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for _, c := range []struct{ asked, waited time.Duration }{
		{2 * time.Second, 2 * time.Second}, {30 * time.Second, 30 * time.Second},
		{time.Millisecond, time.Second}, {24 * time.Hour, time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk()
			n := 0
			d.fail = func(string, Batch) error {
				if n++; n == 1 {
					return fmt.Errorf("wrapped: %w", retryAfter(c.asked))
				}
				return nil
			}
			h, log, _ := newTest(t, d, nil)
			log.Error("m")
			pass(1500 * time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second/10)
			assert.ErrorIs(t, h.Flush(ctx), context.DeadlineExceeded, "not even a flush goes before it")
			cancel()
			pass(2 * time.Hour)
			require.Len(t, d.all(), 1)
			assert.Equal(t, time.Second+c.waited, d.all()[0].at)
			require.NoError(t, h.Close())
		})
	}
}

func TestACauseThatAPersonMustMend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var tried []time.Duration
		var mended atomic.Bool
		d.fail = func(_ string, b Batch) error {
			if b.Channel == "#payments" && !mended.Load() {
				tried = append(tried, time.Since(d.start))
				return mend("invite the bot to #payments")
			}
			return nil
		}
		h, log, base := newTest(t, d, func(o *Options) { o.Codes = map[string]Code{"pay": {Channel: "#payments"}} })
		log.Error("a", "error_code", "pay")
		log.Error("fine")
		pass(40 * time.Minute)
		assert.Equal(t, []string{"post 1s [1/1 fine]"}, d.lines(), "the other channel is not late")
		s := time.Second
		assert.Equal(t, []time.Duration{1 * s, 61 * s, 181 * s, 421 * s, 901 * s, 1501 * s, 2101 * s}, tried, "1 min doubling to 10")
		require.Len(t, base.own(), 1)
		assert.Contains(t, base.own()[0], `channel=#payments attempt=post error=broken alerts_waiting=1 groups_waiting=1 do=invite the bot to #payments`)
		mended.Store(true)
		pass(10 * time.Minute)
		assert.Equal(t, "post 45m1s [1/1 a, told 45 min late: the Sender would not take it]", d.lines()[1])
		require.Len(t, base.own(), 2)
		assert.Contains(t, base.own()[1], "delivered again channel=#payments")
		require.NoError(t, h.Close())
	})
}

func TestAHangingChannelDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.block = func(ctx context.Context, b Batch) {
			if b.Channel == "#hangs" {
				<-ctx.Done()
			}
		}
		h, log, _ := newTest(t, d, func(o *Options) { o.Codes = map[string]Code{"x": {Channel: "#hangs"}} })
		log.Error("hangs", "error_code", "x")
		pass(1500 * time.Millisecond)
		log.Error("fine")
		pass(5 * time.Second)
		assert.Equal(t, []string{"post 2.5s [1/1 fine]"}, d.lines())
		assert.Error(t, h.Close())
	})
}

func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, d, nil)
		require.NoError(t, h.Flush(t.Context()), "nothing waits")
		say := func() { log.Error("m") }
		say()
		require.NoError(t, h.Flush(t.Context()))
		assert.Equal(t, []string{"post 0s [1/1 m]"}, d.lines())
		say()
		require.NoError(t, h.Flush(t.Context()), "a repeat inside RepeatInterval stays")
		assert.Len(t, d.all(), 1)
		require.NoError(t, h.Shutdown(t.Context()))
		assert.Equal(t, "post 1s [1/2 m]", d.lines()[1], "Shutdown tells it")
		require.NoError(t, h.Flush(t.Context()), "after Shutdown")
	})
}

// What Shutdown gave up waits for nothing: it has said so itself.
func TestFlushAfterALossIsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(string, Batch) error { return errDown }
		h, log, _ := newTest(t, d, nil)
		log.Error("m")
		require.Error(t, h.Close())
		assert.EqualValues(t, 1, h.Stats().Lost)
		assert.NoError(t, h.Flush(t.Context()))
	})
}

func TestFlushSaysWhatStandsInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var err error = mend("invite the bot")
		var fails atomic.Pointer[error]
		fails.Store(&err)
		d.fail = func(string, Batch) error { return *fails.Load() }
		h, log, _ := newTest(t, d, nil)
		log.Error("m")
		begun := time.Now()
		assert.ErrorIs(t, h.Flush(t.Context()), err)
		assert.Zero(t, time.Since(begun), "a person must mend it: no use in waiting")
		assert.EqualValues(t, 1, h.Stats().Pending)

		assert.ErrorContains(t, h.Flush(t.Context()), "broken: invite the bot", "with what to do")
		assert.EqualValues(t, 1, h.Stats().Failures, "and a flush is no reason to try before the minute is over")

		fails.Store(&errDown)
		pass(61 * time.Second)
		begun = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		got := h.Flush(ctx)
		assert.ErrorIs(t, got, context.DeadlineExceeded)
		assert.ErrorIs(t, got, errDown)
		assert.Equal(t, 30*time.Second, time.Since(begun))
		fails.Store(new(error))
		require.NoError(t, h.Close())
		assert.Equal(t, 1, d.told())
	})
}

func TestShutdownTellsEverythingWithinItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func(s string) { log.Error(s) }
		say("a")
		pass(2 * time.Second)
		say("a")
		say("b")
		require.NoError(t, h.Close())
		assert.Equal(t, []string{"post 1s [1/1 a]", "post 2s [1/1 b]", "edit 2s [2/2 a]"}, d.lines())
		assert.Equal(t, Stats{Alerts: 3, Delivered: 3, Messages: 2, Updates: 1}, h.Stats())
	})
}

func TestShutdownTellsWhatCameWhileItPosted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.block = func(context.Context, Batch) { time.Sleep(time.Second) }
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func() { log.Error("a") }
		say()
		pass(1500 * time.Millisecond) // the post is under way
		say()
		require.NoError(t, h.Close())
		assert.Equal(t, []string{"post 2s [1/1 a]", "edit 3s [2/2 a]"}, d.lines())
	})
}

func TestShutdownSaysWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(_ string, b Batch) error {
			if b.Groups[0].Message == "fine" {
				return nil
			}
			return errDown
		}
		h, log, base := newTest(t, d, nil)
		log.Error("fine")
		pass(3 * time.Second)
		for range 5 {
			log.Error("a")
		}
		log.Error("b")
		begun := time.Now()
		err := h.Close()
		assert.Less(t, time.Since(begun), 6*time.Second)
		require.ErrorIs(t, err, errDown)
		assert.ErrorContains(t, err, "6 alerts of 2 groups are lost")
		own := base.own()
		assert.Contains(t, own[len(own)-1], "shutdown, alerts are lost alerts_lost=6 groups_lost=2 alerts_delivered=1 error=down")
		st := h.Stats()
		assert.EqualValues(t, 6, st.Lost)
		assert.EqualValues(t, 0, st.Pending)

		assert.Equal(t, err, h.Close(), "a second call returns the same")
		log.Error("later")
		assert.EqualValues(t, 7, h.Stats().Alerts, "later alerts go to base alone")
		assert.Equal(t, "later", base.records[len(base.records)-1].Message)
	})
}

// deaf is a base that never comes back from what slackalert says.
type deaf struct {
	slog.Handler
	until <-chan struct{}
}

func (deaf) Enabled(context.Context, slog.Level) bool { return true }

func (b deaf) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "slackalert: ") {
		<-b.until
	}
	return nil
}

func TestCloseReturnsThoughBaseDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, until := newDesk(), make(chan struct{})
		d.fail = func(string, Batch) error { return errDown }
		h, err := New(deaf{slog.DiscardHandler, until}, &Options{Sender: d})
		require.NoError(t, err)
		slog.New(h).Error("m")
		begun := time.Now()
		assert.EqualError(t, h.Close(), "slackalert: shutdown: 1 alerts of 1 groups are lost: down")
		assert.LessOrEqual(t, time.Since(begun), closeWait+2*closeGrace)
		close(until)
	})
}

// A channel whose trouble base doesn't come back from hearing of goes on.
func TestAlertsAreToldThoughBaseDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, until, tries := newDesk(), make(chan struct{}), 0
		d.fail = func(string, Batch) error {
			if tries++; tries == 1 {
				return errDown
			}
			return nil
		}
		h, err := New(deaf{slog.DiscardHandler, until}, &Options{Sender: d})
		require.NoError(t, err)
		slog.New(h).Error("m")
		pass(time.Minute)
		assert.Equal(t, 1, d.told())
		require.NoError(t, h.Close())
		close(until)
	})
}

// Nor does it wait for base to hear why a message is sent again, and in which form.
func TestAlertsAreSentAgainThoughBaseDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		answers := []string{"", `{"ok":false,"error":"missing_scope"}`, `{"ok":false,"error":"invalid_blocks"}`, `{"ok":true,"ts":"1.0"}`}
		rt := roundTrip(func(r *http.Request) (*http.Response, error) {
			body := answers[len(asked)]
			asked = append(asked, r.URL.Path)
			return answer(r, body), nil
		})
		until := make(chan struct{})
		h, err := New(deaf{slog.DiscardHandler, until}, &Options{Token: "xoxb-1", Channel: "C1", HTTPClient: &http.Client{Transport: rt}})
		require.NoError(t, err)
		slog.New(h).Error("m")
		pass(time.Minute)
		const post = "/api/chat.postMessage"
		assert.Equal(t, []string{post, "/api/conversations.history", post, post}, asked)
		assert.EqualValues(t, 1, h.Stats().Delivered)
		require.NoError(t, h.Close())
		close(until)
	})
}

// Nor does Close wait for base to hear of the spool, which is asked while others wait.
func TestCloseReturnsThoughBaseDoesNotHearOfTheSpool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dir, until := newDesk(), filepath.Join(t.TempDir(), "spool"), make(chan struct{})
		h, err := New(deaf{slog.DiscardHandler, until}, &Options{Sender: d, SpoolDir: dir})
		require.NoError(t, err)
		slog.New(h).Error("m")
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.WriteFile(dir, nil, 0o600))
		timer := time.AfterFunc(time.Minute, func() { close(until) })
		begun := time.Now()
		require.NoError(t, h.Close())
		assert.LessOrEqual(t, time.Since(begun), closeWait+2*closeGrace)
		assert.EqualValues(t, 1, h.Stats().Delivered)
		if timer.Stop() {
			close(until)
		}
	})
}

func TestShutdownDoesNotWaitForWhatCannotBe(t *testing.T) {
	for _, cause := range []error{mend("invite the bot"), retryAfter(time.Hour)} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk()
			d.fail = func(string, Batch) error { return cause }
			h, log, _ := newTest(t, d, nil)
			log.Error("m")
			begun := time.Now()
			assert.ErrorIs(t, h.Close(), cause)
			assert.Zero(t, time.Since(begun))
		})
	}
}

func TestShutdownTriesOnceMoreDespiteABackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var err error = mend("invite the bot")
		d.fail = func(string, Batch) error { return err }
		h, log, _ := newTest(t, d, nil)
		log.Error("m")
		pass(10 * time.Second)
		err = nil
		require.NoError(t, h.Close())
		assert.Equal(t, 1, d.told())
	})
}

func TestShutdownFromManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.block = func(ctx context.Context, b Batch) { time.Sleep(time.Second) }
		h, log, _ := newTest(t, d, nil)
		log.Error("m")
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				assert.NoError(t, h.Shutdown(t.Context()))
				assert.EqualValues(t, 1, h.Stats().Delivered)
			})
		}
		wg.Wait()
	})
}

func TestSenderThatDoesNotHeedItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.block = func(context.Context, Batch) { time.Sleep(time.Hour) }
		h, log, _ := newTest(t, d, nil)
		log.Error("m")
		pass(2 * time.Second)
		begun := time.Now()
		assert.ErrorContains(t, h.Close(), "the Sender didn't return")
		assert.Equal(t, closeWait+closeGrace, time.Since(begun))
		pass(2 * time.Hour)
		st := h.Stats()
		assert.Equal(t, st.Alerts, st.Delivered+st.Pending+st.Lost)
		assert.EqualValues(t, 1, st.Lost)
	})
}

func TestOtherAlertsBeyondMaxGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, d, func(o *Options) { o.MaxGroups = 3 })
		for i := range 10 {
			r := record(slog.LevelError, "kind "+letters(i))
			r.AddAttrs(slog.Int("i", i))
			_ = h.Handle(t.Context(), r)
			_ = h.Handle(t.Context(), r)
		}
		pass(time.Minute)
		groups := d.all()[0].Groups
		require.Len(t, groups, 4)
		assert.Equal(t, 2, groups[1].Count)
		assert.Equal(t, 14, groups[0].Count)
		assert.Equal(t, "other alerts (over 3 kinds), the first: kind d", groups[0].Message)
		assert.Equal(t, "other alerts", groups[0].Fingerprint)
		assert.Equal(t, []Field{{"i", "3"}}, groups[0].Fields)
		pass(3 * time.Hour)
		_ = h.Handle(t.Context(), record(slog.LevelError, "kind "+letters(8)))
		pass(time.Minute)
		assert.Equal(t, "kind i", d.all()[1].Groups[0].Message, "there is room again")
		require.NoError(t, h.Close())
	})
}

func TestSyncLevel(t *testing.T) {
	for _, c := range []struct {
		name   string
		sender func(*desk) Sender
		want   []string
	}{
		{"webhook", func(d *desk) Sender { return d }, []string{"post 0s [1/1 fatal] [1/1 waits]"}},
		{"bot", func(d *desk) Sender { return editDesk{d} }, []string{"post 0s [1/1 fatal] [1/1 waits]", "edit 0s [2/2 fatal] [1/1 waits]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				h, log, _ := newTest(t, c.sender(d), func(o *Options) { o.SyncLevel, o.BatchSize = slog.LevelError+4, 2 })
				log.Error("waits")
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				fatal := func() { log.Log(ctx, slog.LevelError+4, "fatal") }
				fatal()
				assert.Equal(t, c.want[:1], d.lines(), "before Handle returns")
				fatal()
				assert.Equal(t, c.want, d.lines(), "a repeat is told by an edit, or counted till its interval is over")
				assert.Zero(t, time.Since(d.start))
				require.NoError(t, h.Close())
			})
		})
	}
}

// Nobody waits for what isn't tried in his time, whether that comes out while he
// waits or has before.
func TestSyncLevelDoesNotWaitForWhatIsNotTried(t *testing.T) {
	const trip = time.Second
	for _, c := range []struct {
		name string
		err  error
		edit bool // it is the edit that fails
	}{
		{"a person must mend it", mend("invite the bot"), false},
		{"not for an hour", retryAfter(time.Hour), false},
		{"a person must mend editing", mend("allow it to edit"), true},
		{"no edit for a minute", retryAfter(time.Minute), true},
	} {
		failing := func(t *testing.T) (*desk, *Handler, *slog.Logger) {
			d := newDesk()
			d.fail = func(what string, _ Batch) error {
				if c.edit && what == "post" {
					return nil
				}
				return c.err
			}
			d.block = func(context.Context, Batch) { time.Sleep(trip) }
			h, log, _ := newTest(t, editDesk{d}, func(o *Options) { o.SyncLevel, o.BatchDelay = slog.LevelError, time.Millisecond })
			if c.edit {
				require.NoError(t, h.Handle(t.Context(), record(slog.LevelError, "a")))
				require.Equal(t, 1, d.told())
			}
			return d, h, log
		}
		t.Run(c.name+"/it fails while somebody waits", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, h, _ := failing(t)
				begun := time.Now()
				require.NoError(t, h.Handle(t.Context(), record(slog.LevelError, "a")))
				assert.Equal(t, trip, time.Since(begun), "till it has failed")
				for range 30 {
					require.NoError(t, h.Handle(t.Context(), record(slog.LevelError, "a")))
				}
				assert.Equal(t, trip, time.Since(begun))
				assert.EqualValues(t, 1, h.Stats().Failures)
				_ = h.Close()
			})
		})
		t.Run(c.name+"/it has failed before", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, h, _ := failing(t)
				hash := h.core.sources.Of(0).Uint(uint64(slog.LevelError)).Text("a").Text("")
				a := &alert{place: placeIn("", hash), level: slog.LevelError, urgent: true}
				tk := h.core.batch.begin(a, Group{Message: "a"})
				pass(trip)
				assert.EqualValues(t, 1, h.Stats().Failures)
				begun := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), syncWait)
				defer cancel()
				assert.Error(t, h.core.batch.await(ctx, []ticket{tk}, true))
				assert.Zero(t, time.Since(begun))
				_ = h.Close()
			})
		})
	}
}

func TestAWebhookIsNotFloodedBySyncLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, d, func(o *Options) { o.SyncLevel = slog.LevelError })
		every(time.Second, 30, func() { log.Error("m") })
		assert.Equal(t, []string{"post 0s [1/1 m]"}, d.lines())
		pass(10 * time.Minute)
		assert.Equal(t, []string{"post 0s [1/1 m]", "post 5m0s [29/30 m]"}, d.lines())
		require.NoError(t, h.Close())
	})
}

func TestSyncLevelComesFirstWhereMuchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.block = func(ctx context.Context, b Batch) { time.Sleep(500 * time.Millisecond) }
		h, log, _ := newTest(t, d, func(o *Options) { o.SyncLevel = slog.LevelError; o.Level = slog.LevelWarn })
		for i := range 600 {
			_ = h.Handle(t.Context(), record(slog.LevelWarn, letters(i)))
		}
		begun := time.Now()
		log.Error("now")
		assert.LessOrEqual(t, time.Since(begun), 3*time.Second)
		last := d.all()[len(d.all())-1]
		assert.Equal(t, "now", last.Groups[0].Message)
		assert.Len(t, last.Groups, 100, "together with what waits")
		_ = h.Close()
	})
}

func TestSyncLevelWaitsFiveSecondsAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.block = func(ctx context.Context, _ Batch) { <-ctx.Done() }
		h, log, _ := newTest(t, d, func(o *Options) { o.SyncLevel = slog.LevelError })
		log.Error("m")
		assert.Equal(t, 5*time.Second, time.Since(d.start))
		assert.Error(t, h.Close())
	})
}

func TestSyncLevelWaitsForTheLastTryInItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var tried []time.Duration
		d.fail = func(string, Batch) error {
			tried = append(tried, time.Since(d.start))
			return errDown
		}
		h, log, _ := newTest(t, d, func(o *Options) { o.SyncLevel = slog.LevelError })
		log.Error("m")
		require.Len(t, tried, 3, "at once, after 1 s and after 2 more; the next would be after 4 more")
		assert.Equal(t, tried[2], time.Since(d.start))
		assert.Error(t, h.Close())
	})
}

// talkative is a Sender that logs, with its context and without.
type talkative struct {
	*desk
	log *slog.Logger
}

func (s *talkative) Send(ctx context.Context, b Batch) error {
	s.log.ErrorContext(ctx, "sending", "id", b.ID)
	s.log.Error("sending, without context")
	return s.desk.Send(ctx, b)
}

func (s *talkative) Update(ctx context.Context, b Batch) error {
	s.log.Error("sending, without context")
	return s.take(ctx, "edit", b)
}

func TestSenderThatLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &talkative{desk: newDesk()}
		h, log, base := newTest(t, s, nil)
		s.log = log
		log.Error("m")
		pass(24 * time.Hour)
		assert.Equal(t, []string{"post 1s [1/1 m]", "edit 5m0s [1/1 m, quiet]"}, s.lines())
		assert.Len(t, base.records, 4, "base has them")
		require.NoError(t, h.Close())
	})
}

func TestSenderThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		n := 0
		d.fail = func(string, Batch) error {
			if n++; n == 1 {
				panic("oh no")
			}
			return nil
		}
		h, log, base := newTest(t, d, nil)
		log.Error("m")
		pass(time.Minute)
		assert.Equal(t, 1, d.told())
		assert.Contains(t, base.own()[0], "the delivery panicked: oh no")
		require.NoError(t, h.Close())
	})
}

func TestOneGoroutineAndNonePerRecord(t *testing.T) {
	before := runtime.NumGoroutine()
	h, log, _ := newTest(t, newDesk(), nil)
	assert.LessOrEqual(t, runtime.NumGoroutine(), before, "New starts nothing")
	for range 1000 {
		log.Error("m")
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before+1)
	require.NoError(t, h.Close())
	assert.True(t, settlesAt(before), "Close ends it")
}

// hasty is a desk with a pace of its own.
type hasty struct{ editDesk }

func (hasty) Gaps() (post, edit time.Duration) { return 20 * time.Millisecond, 20 * time.Millisecond }

// lanes counts the goroutines of lanes, those of every handler.
func lanes() int {
	stacks := make([]byte, 16<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), ".(*batcher).work(")
}

// Whatever channels a program invents, those beyond a limit go to the default
// one, and a channel that is quiet for long enough ends.
func TestChannelsWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, channel := newDesk(), ""
		h, log, base := newTest(t, d, func(o *Options) {
			o.Channel, o.MaxGroups = "#ops", 2*maxLanes
			o.Route = func(context.Context, slog.Record) string { return channel }
		})
		before := lanes()
		const more = 50
		for i := range maxLanes + more {
			channel = fmt.Sprint("#c", i)
			log.Error("m")
		}
		h.Merge(Batch{Channel: "#merged", Groups: []Group{{Fingerprint: "f", Message: "merged", Count: 7}}})
		h.Resume(Batch{Channel: "#resumed", Groups: []Group{{Fingerprint: "f", Message: "resumed", Count: 7, Total: 7}}}, "ref", time.Now())
		synctest.Wait()
		assert.Equal(t, maxLanes+1, lanes()-before)
		pass(time.Minute)
		assert.Equal(t, Stats{Alerts: maxLanes + more + 7, Delivered: maxLanes + more + 7, Messages: maxLanes + 1}, h.Stats())
		for _, a := range d.all() {
			if a.Channel == "#ops" {
				assert.Len(t, a.Groups, 2)
				assert.Equal(t, more+7, a.Groups[0].Count+a.Groups[1].Count)
			}
		}
		require.Len(t, base.own(), 1)
		assert.Contains(t, base.own()[0], "more channels than are kept apart")
		assert.Contains(t, base.own()[0], "channels=1000 channel=#c1000 default=#ops")
		pass(48 * time.Hour)
		assert.Zero(t, lanes()-before, "they are forgotten")
		assert.EqualValues(t, maxLanes+more+7, h.Stats().Alerts)
		channel = "#new"
		log.Error("m")
		pass(time.Minute)
		assert.Equal(t, "#new", d.all()[len(d.all())-1].Channel)
		assert.EqualValues(t, maxLanes+more+8, h.Stats().Delivered)
		require.NoError(t, h.Close())
	})
}

// Who deletes what was told, so that it can't be marked as quiet, or archives the
// channel, keeps no goroutine.
func TestAChannelEndsThoughItsLastEditFailed(t *testing.T) {
	for _, cause := range []error{gone{}, mend("unarchive it")} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk()
			d.fail = func(what string, _ Batch) error {
				if what == "edit" {
					return cause
				}
				return nil
			}
			h, log, _ := newTest(t, editDesk{d}, nil)
			before := lanes()
			log.Error("m")
			pass(48 * time.Hour)
			assert.Equal(t, []string{"post 1s [1/1 m]"}, d.lines())
			assert.Zero(t, lanes()-before, "it is forgotten")
			log.Error("m")
			pass(time.Minute)
			assert.Equal(t, 2, d.told())
			require.NoError(t, h.Close())
		})
	}
}

func TestAChannelEndsWhereItsGroupMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, channel := newDesk(), "#a"
		h, log, _ := newTest(t, d, func(o *Options) {
			o.MaxGroups = 1
			o.Route = func(context.Context, slog.Record) string { return channel }
		})
		log.Error("m")
		pass(3 * time.Hour)
		before := lanes()
		channel = "#b"
		log.Error("m")
		pass(time.Minute)
		assert.Equal(t, before, lanes(), "one has begun, one has ended")
		assert.Equal(t, "m", d.all()[1].Groups[0].Message, "it isn't among others")
		assert.Equal(t, Stats{Alerts: 2, Delivered: 2, Messages: 2}, h.Stats())
		require.NoError(t, h.Close())
	})
}

func TestTheSumHoldsFromEveryGoroutine(t *testing.T) {
	t.Parallel()
	d := newDesk()
	n := 0
	d.fail = func(string, Batch) error {
		if n++; n%3 == 0 {
			return errDown
		}
		return nil
	}
	h, log, _ := newTest(t, hasty{editDesk{d}}, func(o *Options) { o.MaxGroups = 50; o.BatchDelay = time.Millisecond })
	done := make(chan struct{})
	var watchers, loggers sync.WaitGroup
	for range 2 {
		watchers.Go(func() {
			for last := uint64(0); ; {
				s := h.Stats()
				if s.Alerts != s.Delivered+s.Pending+s.Lost || s.Alerts < last {
					t.Errorf("%+v after %d alerts", s, last)
					return
				}
				last = s.Alerts
				select {
				case <-done:
					return
				case <-time.After(50 * time.Microsecond): // to look without end would take the processors from those who log
				}
			}
		})
	}
	const each = 2_000
	for g := range 4 {
		loggers.Go(func() {
			for i := range each {
				log.Error("kind " + letters((i+g)%80))
				if i%500 == 0 {
					ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
					_ = h.Flush(ctx)
					cancel()
				}
			}
		})
	}
	loggers.Wait()
	assert.EqualValues(t, 4*each, h.Stats().Alerts)
	err := h.Close()
	close(done)
	watchers.Wait()
	s := h.Stats()
	assert.EqualValues(t, 4*each, s.Delivered+s.Lost)
	if s.Lost > 0 {
		assert.ErrorContains(t, err, fmt.Sprintf("%d alerts", s.Lost))
	}
	assert.EqualValues(t, s.Delivered, d.told())
}

func TestAlertsLoggedDuringShutdownAreToldOrNotCounted(t *testing.T) {
	t.Parallel()
	for range 50 {
		d := newDesk()
		h, log, _ := newTest(t, d, func(o *Options) { o.BatchDelay = time.Millisecond })
		var wg sync.WaitGroup
		var over atomic.Bool
		for range 4 {
			wg.Go(func() { // before it, all through it, and behind it
				for after := 0; after < 20; runtime.Gosched() {
					if over.Load() {
						after++
					}
					log.Error("m")
				}
			})
		}
		runtime.Gosched()
		assert.NoError(t, h.Shutdown(t.Context()))
		over.Store(true)
		wg.Wait()
		s := h.Stats()
		assert.Equal(t, s.Alerts, s.Delivered)
		assert.EqualValues(t, s.Delivered, d.told())
	}
}

func TestRepeatsAndNoAlertsAllocateNothing(t *testing.T) {
	h, err := New(nothing{}, &Options{Sender: newDesk()})
	require.NoError(t, err)
	log, ctx := slog.New(h), context.Background()
	failure := errors.New("connection refused")
	repeat := func() {
		log.LogAttrs(ctx, slog.LevelError, "payment failed", slog.String("a", "b"), slog.Int("error_code", 401), slog.Int("n", 1), slog.String("c", "d"), slog.Any("err", failure))
	}
	repeat()
	assert.Zero(t, testing.AllocsPerRun(1000, repeat))
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		log.LogAttrs(ctx, slog.LevelInfo, "order placed", slog.String("a", "b"), slog.Int("n", 1), slog.String("c", "d"), slog.Bool("e", true), slog.Int("f", 2))
	}))
	require.NoError(t, h.Close())
}

// The longest of durations is an interval as good as for ever.
func TestTheLongestInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		lost := 0
		d.fail = func(what string, _ Batch) error {
			if what == "edit" && lost == 0 {
				lost++
				return gone{}
			}
			return nil
		}
		h, log, _ := newTest(t, editDesk{d}, func(o *Options) { o.RepeatInterval = math.MaxInt64 })
		every(time.Minute, 60*24, func() { log.Error("on and on") })
		posts := 0
		for _, a := range d.all() {
			if a.what == "post" {
				posts++
			}
		}
		assert.Equal(t, 2, posts, "once, and once for the message that was gone")
		require.NoError(t, h.Close())
	})
}
