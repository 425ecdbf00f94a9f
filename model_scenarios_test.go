// This file has what the random days found, each by itself.

package slackalert

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnEditGetsItsTimeThoughManyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var down atomic.Bool
		d.fail = func(what string, _ Batch) error {
			if what == "post" && down.Load() {
				return errDown
			}
			return nil
		}
		d.block = func(ctx context.Context, _ Batch) { assert.NoError(t, ctx.Err(), "called off before it began") }
		h, _, _ := newTest(t, editDesk{d}, func(o *Options) { o.BatchSize = 2; o.BatchDelay = time.Minute })
		say := func(s string) { _ = h.Handle(t.Context(), record(slog.LevelError, s)) }
		say("a")
		say("b")
		pass(time.Second)
		down.Store(true)
		for _, s := range []string{"c", "d", "e"} {
			say(s)
		}
		pass(time.Minute)
		say("a")
		pass(2 * time.Minute)
		assert.Equal(t, []string{"post 0s [1/1 a] [1/1 b]", "edit 2m1s [2/2 a] [1/1 b]"}, d.lines())
		down.Store(false)
		require.NoError(t, h.Close())
	})
}

func TestNobodySeesWhatASenderMakesOfItsBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var hangs atomic.Bool
		d.block = func(ctx context.Context, b Batch) {
			for _, g := range b.Groups {
				assert.Equal(t, []Field{{"k", "v"}}, g.Fields)
				g.Fields[0].Value = "scribbled"
			}
			if hangs.Load() {
				<-ctx.Done()
			}
		}
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func(s string) { log.Error(s, "k", "v") }
		say("a")
		say("b")
		pass(3 * time.Minute)
		say("b")
		pass(2*time.Minute + 2*time.Second)
		say("a") // posted anew: in the first message it stands as it stood
		pass(177 * time.Second)
		hangs.Store(true)
		pass(time.Second) // b is quiet
		say("c")          // its edit makes way, and comes again
		pass(500 * time.Millisecond)
		hangs.Store(false)
		pass(10 * time.Second)
		assert.Equal(t, []string{
			"post 1s [1/1 a] [1/1 b]", "edit 3m1s [2/2 b] [1/1 a]", "edit 5m0s [2/2 b] [1/1 a, quiet]",
			"post 5m3s [1/2 a, back after 5 min]", "post 8m1s [1/1 c]", "edit 8m2s [2/2 b, quiet] [1/1 a, quiet]",
		}, d.lines())
		require.NoError(t, h.Close())
	})
}

// limitedEdits refuses the first edit, and asks to wait.
func limitedEdits(wait time.Duration) func(string, Batch) error {
	var once sync.Once
	return func(what string, _ Batch) (err error) {
		if what == "edit" {
			once.Do(func() { err = retryAfter(wait) })
		}
		return err
	}
}

func TestUrgencyEndsWhenTheUrgentAlertIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.block = func(context.Context, Batch) { time.Sleep(500 * time.Millisecond) }
		h, log, _ := newTest(t, editDesk{d}, func(o *Options) {
			o.SyncLevel = slog.LevelError + 4
			o.Fingerprint = func(context.Context, slog.Record) string { return "one group" }
		})
		log.Error("m")
		pass(3 * time.Second)
		log.Log(t.Context(), slog.LevelError+4, "m")
		assert.Equal(t, 500*time.Millisecond, time.Since(d.start)-3*time.Second, "an urgent repeat is edited in at once")
		every(100*time.Millisecond, 600, func() { log.Error("m") })
		assert.Less(t, len(d.all()), 9, "the others wait for their edits")
		require.NoError(t, h.Close())
	})
}

func TestAnUrgentEditThatFailsWaitsBeforeTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		tried := 0
		d.fail = func(what string, _ Batch) error {
			if what == "edit" {
				tried++
				return errDown
			}
			return nil
		}
		h, log, _ := newTest(t, editDesk{d}, func(o *Options) { o.SyncLevel = slog.LevelError })
		say := func() { log.Error("m") }
		say()
		say()
		pass(3*time.Minute - time.Since(d.start))
		assert.LessOrEqual(t, tried, 10, "1 s doubling to 1 min")
		assert.Greater(t, tried, 5)
		require.NoError(t, h.Close())
		assert.Equal(t, []string{"post 0s [1/1 m]", "post 3m0s [1/2 m, told 3 min late: it could not be delivered]"}, d.lines(), "closing, what can't be edited is posted")
	})
}

func TestAnEditThatWorksDoesNotEndTheWaitOfPosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var tried []time.Duration
		d.fail = func(what string, b Batch) error {
			if what == "post" && b.Groups[0].Message == "new" {
				tried = append(tried, time.Since(d.start))
				return mend("invite the bot")
			}
			return nil
		}
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func(s string) { log.Error(s) }
		say("old")
		pass(2 * time.Second)
		say("new")
		every(time.Second, 200, func() { say("old") })
		s := time.Second
		assert.Equal(t, []time.Duration{3 * s, 63 * s, 183 * s}, tried)
		require.Error(t, h.Close(), "%v", d.lines())
	})
}

func TestOtherAlertsMayRiseInAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, editDesk{d}, func(o *Options) { o.MaxGroups = 1 })
		say := func(s string, l slog.Level) { log.Log(t.Context(), l, s) }
		say("a", slog.LevelError)
		say("b", slog.LevelError)
		pass(2 * time.Second)
		say("c", slog.LevelError+4)
		pass(time.Minute)
		assert.Contains(t, d.lines(), "edit 11s [2/2 other alerts (over 1 kinds), the first: b] [1/1 a]", "the most severe first")
		require.NoError(t, h.Close())
	})
}

func TestTheIDOfAToldBatchIsNotUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var down atomic.Bool
		limited := limitedEdits(time.Minute)
		d.fail = func(what string, b Batch) error {
			if what == "post" && down.Load() {
				return errDown
			}
			return limited(what, b)
		}
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func(s string) { log.Error(s) }
		say("a")
		say("b")
		pass(295 * time.Second)
		say("b") // its edit is refused: none for a minute
		pass(10 * time.Second)
		down.Store(true)
		say("a")
		say("c") // [a c] fails
		pass(52 * time.Second)
		down.Store(false)
		pass(6 * time.Minute)
		say("a")
		pass(time.Minute)
		ids := make(map[string]string)
		for _, a := range d.all() {
			if a.what == "post" {
				assert.NotContains(t, ids, a.ID, "%v", d.lines())
				ids[a.ID] = a.Groups[0].Message
			}
		}
		assert.Len(t, ids, 4)
		require.NoError(t, h.Close())
	})
}

func TestAnAnswerCountsThoughTheEditWasCalledOff(t *testing.T) {
	for _, c := range []struct {
		err   error
		edits int // two of them say that the groups are quiet
	}{{retryAfter(time.Minute), 4}, {gone{}, 3}} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk()
			var tried []time.Duration
			d.block = func(_ context.Context, b Batch) { time.Sleep(300 * time.Millisecond) }
			d.fail = func(what string, _ Batch) error {
				if what == "edit" {
					tried = append(tried, time.Since(d.start))
					if len(tried) == 1 {
						return c.err
					}
				}
				return nil
			}
			h, log, _ := newTest(t, answers{d}, nil)
			say := func(s string) { log.Error(s) }
			say("old")
			pass(2 * time.Second)
			say("old") // the edit begins at 11.3 s
			pass(8500 * time.Millisecond)
			say("new") // may go at 11.5 s
			pass(20 * time.Minute)
			require.Len(t, tried, c.edits, "%v %+v", d.lines(), h.Stats())
			assert.GreaterOrEqual(t, tried[1]-tried[0], time.Minute)
			require.NoError(t, h.Close())
		})
	}
}

// answers is a Sender that brings its answer also where its context has ended.
type answers struct{ *desk }

func (a answers) Send(ctx context.Context, b Batch) error {
	return a.take(context.WithoutCancel(ctx), "post", b)
}

func (a answers) Update(ctx context.Context, b Batch) error {
	return a.take(context.WithoutCancel(ctx), "edit", b)
}

func TestShutdownCallsOffAnEditThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, editDesk{d}, func(o *Options) { o.BatchDelay = 8 * time.Second })
		say := func(s string) { log.Error(s) }
		say("old")
		pass(10 * time.Second)
		edited := d.last().ID
		d.block = func(ctx context.Context, b Batch) {
			if b.ID == edited {
				<-ctx.Done()
			}
		}
		say("old") // the edit begins at 18 s
		pass(9 * time.Second)
		say("new")
		require.NoError(t, h.Close())
		assert.Equal(t, []string{"post 8s [1/1 old]", "post 19s [1/2 old] [1/1 new]"}, d.lines(), "and posts what it would have told")
	})
}

func TestAnEditThatHangsHasHalfOfShutdownsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func() { log.Error("m") }
		say()
		pass(2 * time.Second)
		edited := d.last().ID
		d.block = func(ctx context.Context, b Batch) {
			if b.ID == edited {
				<-ctx.Done()
			}
		}
		say()
		require.NoError(t, h.Close())
		assert.Equal(t, []string{"post 1s [1/1 m]", "post 4.5s [1/2 m]"}, d.lines())
	})
}

func TestShutdownTriesAgainThoughMuchHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		attempts := make(chan struct{})
		d.block = func(ctx context.Context, _ Batch) {
			select {
			case attempts <- struct{}{}:
				<-ctx.Done()
			default:
			}
		}
		h, log, _ := newTest(t, d, nil)
		log.Error("m")
		for range 10 { // the waits have become a minute long
			<-attempts
		}
		pass(time.Second) // the tenth is under way, and hangs
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		require.NoError(t, h.Shutdown(ctx))
		assert.Equal(t, 1, d.told())
	})
}

func TestAMessageWithNothingToAddIsNotEdited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(what string, b Batch) error {
			if what == "edit" && time.Since(d.start) < time.Minute {
				return retryAfter(10 * time.Minute)
			}
			return nil
		}
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func(s string) { log.Error(s) }
		say("a")
		pass(2 * time.Second)
		say("b")
		pass(13 * time.Second)
		say("a") // its edit is refused: none for 10 min
		pass(15 * time.Second)
		say("b")
		pass(5 * time.Minute)
		say("c")
		pass(20 * time.Minute)
		late := "told 5 min late: the Sender asked to wait"
		assert.Equal(t, []string{"post 1s [1/1 a]", "post 3s [1/1 b]", "post 5m1s [1/2 a, " + late + "] [1/2 b, " + late + "]", "post 5m31s [1/1 c]"}, d.lines()[:4],
			"what waits for an edit longer than for its interval is posted")
		for _, a := range d.all()[4:] {
			assert.NotContains(t, []string{d.all()[0].ID, d.all()[1].ID}, a.ID, "%v", d.lines())
		}
		require.NoError(t, h.Close())
	})
}
