package slackalert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A message shows the first alert since its group was last posted, in full.
func TestAFreshExampleAfterEachPost(t *testing.T) {
	for _, c := range []struct {
		name   string
		sender func(*desk) Sender
		want   []string // request, field and error of each message
	}{
		{"webhook", func(d *desk) Sender { return d }, []string{
			"post 1s n=1 at 0s: cause 1", "post 5m1s n=4 at 30s: cause 4", "post 15m1s n=6 at 6m0s: cause 6",
		}},
		{"bot", func(d *desk) Sender { return editDesk{d} }, []string{
			"post 1s n=1 at 0s: cause 1", "edit 31s n=4 at 30s: cause 4", "post 6m1s n=4 at 30s: cause 4", "edit 6m11s n=7 at 6m2s: cause 7",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				h, log, _ := newTest(t, c.sender(d), func(o *Options) {
					o.Breadcrumbs = 2
					o.Fingerprint = func(context.Context, slog.Record) string { return "one" }
				})
				n := 0
				say := func() {
					n++
					ctx := With(t.Context(), "request", n)
					log.InfoContext(ctx, "before "+letters(n))
					log.ErrorContext(ctx, "failed", "error", fmt.Errorf("cause %d", n))
				}
				say()
				say()
				say()
				pass(30 * time.Second)
				say() // the example of what comes next
				say()
				pass(330 * time.Second)
				say()
				pass(2 * time.Second)
				say()
				pass(9*time.Minute + 30*time.Second)
				var got []string
				for _, a := range d.all() {
					g := a.Groups[0]
					assert.Equal(t, "one", g.Fingerprint)
					assert.Equal(t, d.start.UTC(), g.First)
					assert.Len(t, g.Breadcrumbs, 1)
					assert.NotNil(t, g.Source)
					if !g.Quiet {
						got = append(got, fmt.Sprintf("%s %v n=%s at %v: %s", a.what, a.at, g.Fields[0].Value, g.At.Sub(d.start), g.Error))
					}
				}
				assert.Equal(t, c.want, got, "%v", d.lines())
				require.NoError(t, h.Close())
			})
		})
	}
}

// nimble is a desk that needs no time between two messages, and can't edit.
type nimble struct{ *desk }

func (nimble) Gaps() (post, edit time.Duration) { return 0, 0 }

// What is captured while others log is captured once, and nothing is lost
// between the answer and the next alert.
func TestTheFreshExampleIsCapturedOnceAndCostsNothing(t *testing.T) {
	d := newDesk()
	var captured sync.Map
	h, err := New(nothing{}, &Options{Sender: nimble{d}, BatchDelay: time.Millisecond, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		captured.Store(a.Key, true)
		return a
	}})
	require.NoError(t, err)
	log, ctx := slog.New(h), context.Background()
	say := func() { log.LogAttrs(ctx, slog.LevelError, "m", slog.Int("k", 1)) }
	say()
	for d.told() == 0 {
		runtime.Gosched()
	}
	say() // the fresh one
	assert.Zero(t, testing.AllocsPerRun(1000, say))
	require.NoError(t, h.Close())
	assert.Equal(t, 1003, d.told())
}

func TestCloseLosesNothingWhileSlackIsWell(t *testing.T) {
	for _, c := range []struct {
		name                string
		groups, apart, more int
		posts               int // at Close, at most
	}{
		{"12 messages whose groups go on", 12, 1100, 100, 3},
		{"25 messages whose groups go on", 25, 1100, 100, 3},
		{"60 messages whose groups go on", 60, 1100, 20, 3},
		{"1,000 kinds that were never told", 1000, 0, 0, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				d.block = func(context.Context, Batch) { time.Sleep(100 * time.Millisecond) }
				h, _, _ := newTest(t, editDesk{d}, func(o *Options) { o.BatchDelay, o.RepeatInterval = 10*time.Millisecond, time.Hour })
				say := func(i int) { _ = h.Handle(t.Context(), record(slog.LevelError, letters(i))) }
				for i := range c.groups {
					say(i)
					pass(time.Duration(c.apart) * time.Millisecond)
				}
				posts := len(d.all())
				for range c.more {
					for i := range c.groups {
						say(i)
					}
				}
				n := c.groups * (1 + c.more)
				assert.EqualValues(t, n, h.Stats().Alerts)
				begun := time.Now()
				require.NoError(t, h.Close())
				assert.LessOrEqual(t, time.Since(begun), 5*time.Second)
				assert.EqualValues(t, n, h.Stats().Delivered)
				left := 0
				for _, a := range d.all()[posts:] {
					if a.what == "post" {
						left++
					}
				}
				assert.LessOrEqual(t, left, c.posts)
			})
		})
	}
}

func TestCloseEditsThoughPostsNeedAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(what string, b Batch) error {
			if what == "post" && b.Groups[0].Message == "new" {
				return mend("invite the bot")
			}
			return nil
		}
		h, log, _ := newTest(t, editDesk{d}, nil)
		say := func(s string) { log.Error(s) }
		say("old")
		pass(2 * time.Second)
		for range 10 {
			say("old")
		}
		say("new")
		err := h.Close()
		assert.ErrorContains(t, err, "1 alerts of 1 groups are lost: broken: invite the bot")
		assert.EqualValues(t, 11, h.Stats().Delivered)
	})
}

func TestFlushDoesNotUndoTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(string, Batch) error { return mend("the token was revoked: make another") }
		h, log, _ := newTest(t, d, nil)
		for i := range 30 { // a request a second
			log.Error("m " + letters(i))
			err := h.Flush(t.Context())
			assert.ErrorContains(t, err, "the token was revoked", "the error says what to do")
			pass(time.Second)
		}
		assert.EqualValues(t, 1, h.Stats().Failures)
		require.Error(t, h.Close())
	})
}

func TestFlushWaitsForTheChannelsThatAreWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.block = func(_ context.Context, b Batch) {
			if b.Channel == "#slow" {
				time.Sleep(3 * time.Second)
			}
		}
		d.fail = func(_ string, b Batch) error {
			if b.Channel == "#broken" {
				return mend("invite the bot")
			}
			return nil
		}
		h, log, _ := newTest(t, d, func(o *Options) { o.Codes = map[string]Code{"a": {Channel: "#slow"}, "b": {Channel: "#broken"}} })
		log.Error("a", "error_code", "a")
		log.Error("b", "error_code", "b")
		require.Error(t, h.Flush(t.Context()))
		assert.Equal(t, 3*time.Second, time.Since(d.start))
		assert.Equal(t, 1, d.told())
		require.Error(t, h.Close())
	})
}

func TestManyGroupsWaitAndNoCallIsSlow(t *testing.T) {
	h, err := New(nothing{}, &Options{Sender: sendFunc(func(context.Context) error { return errDown }), MaxGroups: 1_000_000})
	require.NoError(t, err)
	log := slog.New(h)
	for i := range 10_000 {
		log.Error("kind " + letters(i))
	}
	s := h.Stats()
	assert.EqualValues(t, 10_000, s.Pending)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorContains(t, h.Shutdown(ctx), "10000 alerts of 10000 groups are lost")
}

func TestALastMessageTellsAllThatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.block = func(context.Context, Batch) { time.Sleep(1500 * time.Millisecond) }
		h, _, _ := newTest(t, d, func(o *Options) { o.MaxGroups = 5000 })
		for i := range 3000 {
			_ = h.Handle(t.Context(), record(slog.LevelError, letters(i)))
		}
		require.NoError(t, h.Close())
		assert.Equal(t, 3000, d.told(), "%d messages", len(d.all()))
	})
}

// A panic of base in the middle of a delivery is no failure of the delivery.
type touchy struct{ slog.Handler }

func (b touchy) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "slackalert:") {
		panic("base can't bear it")
	}
	return b.Handler.Handle(ctx, r)
}

func TestABaseThatPanicsChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		n := 0
		d.fail = func(string, Batch) error {
			if n++; n == 1 {
				return errDown
			}
			return nil
		}
		h, err := New(touchy{&logs{}}, &Options{Sender: d})
		require.NoError(t, err)
		slog.New(h).Error("m")
		pass(time.Minute)
		assert.Equal(t, 1, d.told())
		d.fail = func(string, Batch) error { return errors.New("down again") }
		slog.New(h).Error("another")
		assert.ErrorContains(t, h.Close(), "1 alerts of 1 groups are lost", "and Shutdown ends")
	})
}

func TestShutdownWhoseContextIsCancelledWakesTheLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(string, Batch) error { return retryAfter(10 * time.Second) }
		h, log, _ := newTest(t, d, nil)
		log.Error("m")
		pass(2 * time.Second)
		ctx, cancel := context.WithCancel(t.Context()) // without a deadline the lane would wait
		time.AfterFunc(time.Second, cancel)
		err := h.Shutdown(ctx)
		assert.ErrorContains(t, err, "1 alerts of 1 groups are lost")
		assert.NotContains(t, err.Error(), "didn't return")
		assert.Equal(t, 3*time.Second, time.Since(d.start))
	})
}

// What a delivery's other goroutines log with its context is no alert either.
func TestWhatIsLoggedWithTheDeliverysContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, base := newTest(t, d, nil)
		d.block = func(ctx context.Context, _ Batch) {
			var all sync.WaitGroup
			all.Go(func() { log.ErrorContext(ctx, "sending") })
			all.Wait()
		}
		log.Error("m")
		pass(time.Hour)
		assert.Equal(t, []string{"post 1s [1/1 m]"}, d.lines())
		assert.Len(t, base.records, 2)
		require.NoError(t, h.Close())
	})
}

// An alert that comes while a post is under way is no example; the first after
// it is.
func TestTheExampleIsTheFirstAlertAfterThePost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, editDesk{d}, nil)
		d.block = func(context.Context, Batch) { time.Sleep(time.Second) }
		say := func(n int) { log.Error("m", "n", n) }
		say(1)
		pass(1500 * time.Millisecond)
		say(2)
		pass(time.Second)
		say(3)
		say(4)
		pass(20 * time.Second)
		require.Equal(t, []string{"post 2s [1/1 m]", "edit 13s [4/4 m]"}, d.lines())
		assert.Equal(t, "3", d.last().Groups[0].Fields[0].Value)
		require.NoError(t, h.Close())
	})
}

func TestRepeatsNeedNoLockWhileTheirLaneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(string, Batch) error { return errDown }
		h, log, _ := newTest(t, d, nil)
		log.Error("m")
		pass(2500 * time.Millisecond) // two attempts have failed
		b := h.core.batch
		b.mu.Lock()
		for _, g := range b.all {
			assert.NotZero(t, g.Again(0, 0))
		}
		b.mu.Unlock()
		d.fail = nil
		require.NoError(t, h.Close())
		assert.Equal(t, 2, d.told())
	})
}

func TestAGroupRisesWithItsExample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, d, func(o *Options) {
			o.BatchSize = 1
			o.Fingerprint = func(_ context.Context, r slog.Record) string { return r.Message }
		})
		say := func(l slog.Level, s string) { log.Log(t.Context(), l, s) }
		for _, s := range []string{"a", "b", "c"} {
			say(slog.LevelError, s)
			pass(2 * time.Second)
		}
		say(slog.LevelError, "a")
		say(slog.LevelError, "b")
		say(slog.LevelError+4, "c")
		require.NoError(t, h.Close())
		assert.Equal(t, "c", d.all()[3].Groups[0].Message, "%v", d.lines())
		assert.Equal(t, slog.LevelError+4, d.all()[3].Groups[0].Level)
	})
}

func TestAnEditMakesWayForWhatWaitedBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		hangs := false
		d.block = func(ctx context.Context, b Batch) {
			if hangs && b.Groups[0].Message == "old" {
				<-ctx.Done()
			}
		}
		h, log, _ := newTest(t, editDesk{d}, func(o *Options) { o.BatchDelay = 5 * time.Second })
		say := func(s string) { log.Error(s) }
		say("old")
		pass(6 * time.Second)
		hangs = true
		say("old")
		pass(8 * time.Second)
		say("new") // at 14 s; the edit begins at 15 s
		pass(6 * time.Second)
		assert.Equal(t, []string{"post 5s [1/1 old]", "post 19s [1/1 new]"}, d.lines())
		hangs = false
		require.NoError(t, h.Close())
	})
}

// In a message that tells of another group, one that was posted anew stands as
// it stood: its example, too.
func TestWhatStandsInAnOldMessageStandsAsItStood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, editDesk{d}, nil)
		n := 0
		say := func(s string) { n++; log.Error(s, "n", n) }
		say("a") // 1
		say("b") // 2
		pass(3 * time.Minute)
		say("b") // 3
		pass(2*time.Minute + 2*time.Second)
		say("a") // 4: posted anew
		pass(20 * time.Second)
		say("a") // 5
		pass(10 * time.Minute)
		first := d.all()[0].ID
		var stood []Group
		for _, a := range d.all() {
			if a.ID == first && a.at > 6*time.Minute {
				stood = a.Groups
			}
		}
		require.Len(t, stood, 2, "b is quiet: %v", d.lines())
		assert.Equal(t, []Field{{"n", "3"}}, stood[0].Fields)
		assert.Equal(t, []Field{{"n", "1"}}, stood[1].Fields)
		assert.Equal(t, d.start.UTC(), stood[1].Last)
		require.NoError(t, h.Close())
	})
}

// tardy is a Sender that answers long after its context has ended, and well.
type tardy struct{ *desk }

func (tardy) Send(ctx context.Context, b Batch) error {
	time.Sleep(time.Hour)
	return nil
}

func TestAnAnswerAfterShutdownChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, log, _ := newTest(t, tardy{newDesk()}, nil)
		log.Error("m")
		pass(2 * time.Second)
		require.Error(t, h.Close())
		want := h.Stats()
		assert.Equal(t, Stats{Alerts: 1, Lost: 1}, want)
		pass(2 * time.Hour)
		assert.Equal(t, want, h.Stats())
	})
}

func TestWhatOthersCountedIsInNoStatsWhenForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, _ := newTest(t, editDesk{d}, nil)
		h.Resume(elsewhere("web-1", 100), "ref", time.Now())
		h.Merge(elsewhere("web-1", 1))
		pass(48 * time.Hour)
		assert.Empty(t, h.core.batch.lanes, "forgotten")
		assert.EqualValues(t, 1, h.Stats().Alerts)
		assert.EqualValues(t, 1, h.Stats().Delivered)
		require.NoError(t, h.Close())
	})
}

// What is lost because it could be neither edited in nor posted is said with what
// stood in the way of the post; with the edit's trouble where no post was tried.
func TestShutdownSaysWhatStoodInTheWay(t *testing.T) {
	errEdit, errPost := errors.New("no edits today"), errors.New("no posts either")
	for _, c := range []struct {
		name     string
		hangs    bool          // the edit is on its way when Shutdown begins
		time     time.Duration // of Shutdown; 0 = it is over
		want, no error
		tried    []string // from then on
	}{
		{"an edit that failed, no time", false, 0, errEdit, errPost, []string{}},
		{"an edit under way, no time", true, 0, errEdit, errPost, []string{}},
		{"an edit, and then a post", false, 5 * time.Second, errPost, errEdit, []string{"edit", "post", "post", "post"}},
		{"an edit that is cut off, and then a post", true, 5 * time.Second, errPost, errEdit, []string{"post", "post"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				var tried []string
				s := scripted{func(ctx context.Context, what string) error {
					switch tried = append(tried, what); {
					case what == "edit":
						if c.hangs {
							<-ctx.Done()
						}
						return errEdit
					case time.Since(d.start) < 2*time.Second:
						return nil
					}
					return errPost
				}}
				h, log, _ := newTest(t, s, nil)
				say := func() { log.Error("m") }
				say()
				pass(2 * time.Second)
				say()
				pass(10 * time.Second)
				require.Equal(t, []string{"post", "edit"}, tried)
				ctx, cancel := context.WithTimeout(t.Context(), c.time)
				defer cancel()
				err := h.Shutdown(unhurried{ctx})
				assert.ErrorIs(t, err, c.want)
				assert.NotErrorIs(t, err, c.no)
				assert.ErrorContains(t, err, "1 alerts of 1 groups are lost")
				assert.Equal(t, c.tried, tried[2:])
			})
		})
	}
}

// unhurried is a context that lets everybody else go first, before it says whether
// it has ended.
type unhurried struct{ context.Context }

func (u unhurried) Done() <-chan struct{} {
	synctest.Wait()
	return u.Context.Done()
}

// scripted is a Sender whose attempts become what a function says.
type scripted struct {
	do func(ctx context.Context, what string) error
}

func (s scripted) Send(ctx context.Context, _ Batch) error   { return s.do(ctx, "post") }
func (s scripted) Update(ctx context.Context, _ Batch) error { return s.do(ctx, "edit") }

// Who shares a place in the book is counted all the same, and who came last has it.
func TestKindsThatShareAPlaceInTheBook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, log, _ := newTest(t, d, nil)
		b := h.core.batch
		b.book = make(book, 1)
		repeat := func(g *group) bool { return b.book.again(&alert{place: place{id: g.id}}) }
		say := func(text string) { log.Error(text) }
		for range 10 {
			say("one")
			say("two")
			say("two")
		}
		one, two := b.all[0], b.all[1]
		assert.False(t, repeat(one))
		assert.True(t, repeat(two))
		say("one")
		assert.True(t, repeat(one))
		require.NoError(t, h.Close())
		assert.Equal(t, 33, d.told())
	})
}

func TestTheBookHasRoom(t *testing.T) {
	for _, c := range []struct{ n, places int }{{0, 256}, {31, 256}, {32, 512}, {1000, 8192}, {1_000_000, 1 << 16}} {
		assert.Len(t, newBook(c.n), c.places)
	}
}

func TestAForgottenGroupLeavesTheBook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, log, _ := newTest(t, newDesk(), nil)
		log.Error("m")
		b := h.core.batch
		id := b.all[0].id
		assert.NotNil(t, b.book.place(id).Load())
		pass(27 * time.Hour)
		assert.Nil(t, b.book.place(id).Load())
	})
}
