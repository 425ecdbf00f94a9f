package slackalert

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
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

	"example.com/slackalert/internal/unhandled"
)

// vicious is an error that does what it likes when it is asked.
type vicious struct{ do func() }

func (h vicious) Error() string             { h.do(); return "vicious" }
func (h vicious) RetryAfter() time.Duration { h.do(); return 0 }
func (h vicious) Mend() string              { h.do(); return "" }
func (h vicious) As(any) bool               { h.do(); return false }
func (h vicious) Is(error) bool             { h.do(); return false }

// pointed is an error that is nil and not nil.
type pointed struct{ text string }

func (p *pointed) Error() string { return p.text }

// Whatever a Sender's error does, the alert is told by the next attempt, and
// another channel's in time.
func TestASendersErrorHarmsItsOwnLaneAlone(t *testing.T) {
	var log *slog.Logger
	for _, c := range []struct {
		name string
		err  error
		want string // LastError
	}{
		{"a nil of a type", (*pointed)(nil), "(nil)"},
		{"panics", vicious{func() { panic("oh no") }}, "vicious, whose Error panicked: oh no"},
		{"sleeps", vicious{func() { time.Sleep(3 * time.Second) }}, "vicious"},
		{"logs", vicious{func() { log.Error("in the error") }}, "vicious"},
		{"logs with a scope of its own", vicious{func() { log.ErrorContext(With(context.Background(), "a", 1), "in the error") }}, "vicious"},
		{"ends the goroutine", vicious{goexit}, "the delivery ended its goroutine (runtime.Goexit)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				tried := 0
				d.fail = func(_ string, b Batch) error {
					if b.Channel == "#bad" {
						if tried++; tried == 1 {
							return c.err
						}
					}
					return nil
				}
				h, l, base := newTest(t, d, func(o *Options) { o.Codes = map[string]Code{"x": {Channel: "#bad"}} })
				log = l
				log.Error("bad", "error_code", "x")
				pass(1100 * time.Millisecond)
				begun := time.Now()
				log.Error("fine")
				_ = h.Stats()
				assert.Zero(t, time.Since(begun), "nobody waits for it")
				pass(time.Minute)
				assert.Contains(t, d.lines(), "post 2.1s [1/1 fine]")
				assert.Equal(t, 2, d.told(), "%v %v", d.lines(), base.own())
				assert.Contains(t, h.Stats().LastError, c.want)
				assert.EqualValues(t, 2, h.Stats().Alerts)
				require.NoError(t, h.Close())
			})
		})
	}
}

// exits is a base that ends the goroutine that tells it of trouble.
type exits struct{ slog.Handler }

func (e exits) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "slackalert:") {
		runtime.Goexit()
	}
	return e.Handler.Handle(ctx, r)
}

func TestALaneGoesOnThoughForeignCodeEndsItsGoroutine(t *testing.T) {
	once := func(f func()) func() {
		var o sync.Once
		return func() { o.Do(f) }
	}
	for _, c := range []struct {
		name string
		make func(d *desk) (slog.Handler, *Options)
	}{
		{"Send", func(d *desk) (slog.Handler, *Options) {
			exit := once(goexit)
			d.block = func(context.Context, Batch) { exit() }
			return &logs{}, &Options{Sender: d}
		}},
		{"base", func(d *desk) (slog.Handler, *Options) {
			fail := errDown
			d.fail = func(string, Batch) (err error) { err, fail = fail, nil; return err }
			return exits{&logs{}}, &Options{Sender: d}
		}},
		{"a round trip", func(d *desk) (slog.Handler, *Options) {
			exit := once(goexit)
			rt := roundTrip(func(r *http.Request) (*http.Response, error) {
				exit()
				return answer(r, `ok`), d.take(r.Context(), "post", Batch{Groups: []Group{{Count: 1, Total: 1}}})
			})
			return &logs{}, &Options{WebhookURL: "https://hooks.slack.com/services/T/B/x", HTTPClient: &http.Client{Transport: rt}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				base, opts := c.make(d)
				h, err := New(base, opts)
				require.NoError(t, err)
				log := slog.New(h)
				log.Error("m")
				pass(time.Minute)
				assert.Len(t, d.all(), 1)
				log.Error("another")
				pass(time.Minute)
				assert.Len(t, d.all(), 2)
				require.NoError(t, h.Close())
			})
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(r *http.Request, body string) *http.Response {
	return &http.Response{StatusCode: 200, Request: r, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func TestADeliveryThatDoesNotReturnIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.block = func(_ context.Context, b Batch) {
			if b.Channel == "#stuck" {
				time.Sleep(time.Minute)
			}
		}
		h, log, base := newTest(t, d, func(o *Options) { o.Codes = map[string]Code{"x": {Channel: "#stuck"}} })
		log.Error("m", "error_code", "x")
		pass(20 * time.Second)
		assert.Empty(t, base.own(), "its time, 10 s, isn't over twice")
		pass(2 * time.Second)
		assert.Contains(t, strings.Join(base.own(), "\n"), "a delivery doesn't return, though its time is over twice; its channel waits for it channel=#stuck time=10s")
		log.Error("fine")
		pass(2 * time.Second)
		assert.Equal(t, 1, d.told())
		pass(10 * time.Minute)
		n := 0
		for _, s := range base.own() {
			if strings.Contains(s, "doesn't return") {
				n++
			}
		}
		assert.Equal(t, 1, n, "%v", base.own())
		_ = h.Close()
		pass(2 * time.Minute) // it comes back at last
	})
}

// inner is a Sender that calls its own handler.
type inner struct {
	*desk
	call func(context.Context) error
	errs []error
}

func (w *inner) Send(ctx context.Context, b Batch) error {
	w.errs = append(w.errs, w.call(ctx), w.call(context.Background()))
	return w.desk.Send(ctx, b)
}

func TestFlushAndShutdownWithinSendAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		call func(*Handler, context.Context) error
	}{
		{"Flush", (*Handler).Flush},
		{"Shutdown", (*Handler).Shutdown},
		{"Shutdown", func(h *Handler, _ context.Context) error { return h.Close() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &inner{desk: newDesk()}
				h, log, _ := newTest(t, w, nil)
				w.call = func(ctx context.Context) error { return c.call(h, ctx) }
				log.Error("m")
				pass(2 * time.Second)
				require.Len(t, w.errs, 2)
				for _, err := range w.errs {
					assert.EqualError(t, err, "slackalert: "+c.name+": called by the delivery itself, which it would wait for")
				}
				assert.Equal(t, []string{"post 1s [1/1 m]"}, w.lines())
				log.Error("another")
				pass(2 * time.Second)
				assert.Equal(t, 2, w.told(), "it goes on")
				require.NoError(t, h.Close())
			})
		})
	}
}

func TestOneLaneForBothNamesOfAChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		n := 0
		h, log, _ := newTest(t, d, func(o *Options) {
			o.Route = func(context.Context, slog.Record) string { n++; return []string{"#alerts", "alerts"}[n%2] }
		})
		say := func(s string) { log.Error(s) }
		for range 4 {
			say("m")
		}
		pass(1100 * time.Millisecond)
		say("a")
		say("b")
		pass(time.Minute)
		assert.Equal(t, []string{"post 1s [4/4 m]", "post 2.1s [1/1 a] [1/1 b]"}, d.lines(), "one group, and one pace")
		require.NoError(t, h.Close())
	})
}

func TestNoSecretOfASendersErrorIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(string, Batch) error { return errors.New("post https://u:hunter2@example.com: password=swordfish") }
		h, log, base := newTest(t, d, nil)
		log.Error("m")
		err := h.Close()
		require.Error(t, err)
		texts := append(base.own(), err.Error(), h.Stats().LastError)
		for _, s := range texts {
			assert.NotContains(t, s, "hunter2")
			assert.NotContains(t, s, "swordfish")
		}
		assert.Contains(t, h.Stats().LastError, "[redacted]")
	})
}

// A carrier in Slack's place that keeps its messages' IDs, as a bot's channel
// does.
type channel struct {
	*desk
	find_ func(b Batch) (string, error)
	finds int
}

func (c *channel) post(ctx context.Context, b Batch) (string, error) {
	return "ref of " + b.ID, c.take(ctx, "post", b)
}

func (c *channel) edit(ctx context.Context, ref string, b Batch) error {
	return c.take(ctx, "edit "+ref, b)
}

func (c *channel) find(ctx context.Context, b Batch, _ time.Time) (string, error) {
	c.finds++
	ref, err := c.find_(b)
	if _, slow := err.(silence); slow {
		<-ctx.Done()
	}
	return ref, err
}

func (c *channel) canEdit() bool                    { return true }
func (c *channel) gaps() (post, edit time.Duration) { return postGap, editGap }
func (c *channel) close()                           {}

// silence is an answer that doesn't come.
type silence struct{ unsure }

// blind says what would help.
type blind struct{ mend }

func (b blind) Is(err error) bool { return err == errNoHistory }

// The answer to the first post is lost.
func TestALostAnswer(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrived bool
		find    func(b Batch) (string, error)
		finds   int
		want    []string
		said    int
	}{
		{"the message is there", true, func(b Batch) (string, error) { return "found " + b.ID, nil }, 1,
			[]string{"post 1s [1/1 m]", "post 3s [1/1 another]", "edit found 12s [2/2 m]"}, 2},
		{"it isn't", false, func(Batch) (string, error) { return "", nil }, 1,
			[]string{"post 2s [1/1 m]", "post 3s [1/1 another]", "edit ref of 12s [2/2 m]"}, 2},
		{"nobody can say", false, func(Batch) (string, error) { return "", blind{"add the scope"} }, 1,
			[]string{"post 2s [1/1 m]", "post 3s [1/1 another]", "edit ref of 12s [2/2 m]"}, 3},
		{"nobody can say now", false, func(Batch) (string, error) { return "", errDown }, 1,
			[]string{"post 2s [1/1 m]", "post 3s [1/1 another]", "edit ref of 12s [2/2 m]"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				ch := &channel{desk: d, find_: c.find}
				h, log, base := newTest(t, d, nil)
				h.core.batch = newBatcher(ch, h.core.batch.settings)
				var ids []string
				d.fail = func(what string, b Batch) error {
					if what != "post" || b.Groups[0].Message != "m" {
						return nil
					}
					all, _ := json.Marshal(b)
					ids = append(ids, string(all))
					if len(ids) > 1 {
						return nil
					}
					if c.arrived {
						d.got = append(d.got, arrival{what, time.Since(d.start), b})
					}
					return unsure{}
				}
				say := func(s string) { log.Error(s) }
				say("m")
				pass(1500 * time.Millisecond)
				say("m")
				say("another")
				pass(time.Minute)
				var got []string
				for _, l := range d.lines() {
					l = strings.ReplaceAll(l, d.all()[0].ID+" ", "")
					got = append(got, l)
				}
				assert.ElementsMatch(t, c.want, got)
				assert.Equal(t, c.finds, ch.finds)
				for _, b := range ids {
					assert.Equal(t, ids[0], b, "one ID, one content")
				}
				assert.Len(t, base.own(), c.said, "%v", base.own())
				if c.said == 3 {
					assert.Contains(t, base.own()[1], "whether the message arrived can't be looked up: it is sent again channel= error=broken do=add the scope")
				}
				assert.EqualValues(t, 3, h.Stats().Delivered)
				require.NoError(t, h.Close())
			})
		})
	}
}

// Not even where the message is can be asked while the trouble lasts: it isn't
// sent again before the third try, or Shutdown.
func TestALostAnswerInTroubleThatLasts(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error // of looking
		fails int   // so many looks
		after time.Duration
		looks int
		posts int
	}{
		{"one look fails", unsure{}, 1, 10 * time.Minute, 2, 1},
		{"history is in trouble for ever", unsure{}, 1000, 10 * time.Minute, 3, 2},
		{"history is asked too often, once", retryAfter(time.Minute), 1, 10 * time.Minute, 2, 1},
		{"history is asked too often for ever", retryAfter(time.Minute), 1000, 10 * time.Minute, 3, 2},
		{"history doesn't answer", silence{}, 1000, 10 * time.Minute, 3, 2},
		{"and the program ends", retryAfter(time.Second), 1000, 2500 * time.Millisecond, 2, 2},
		{"and it ends where history doesn't answer", silence{}, 1000, 1500 * time.Millisecond, 1, 2},
		{"and it ends while history doesn't answer", silence{}, 1000, 2500 * time.Millisecond, 1, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				ch := &channel{desk: d}
				ch.find_ = func(b Batch) (string, error) {
					if ch.finds <= c.fails {
						return "", c.err
					}
					return "found " + b.ID, nil
				}
				h, log, _ := newTest(t, d, nil)
				h.core.batch = newBatcher(ch, h.core.batch.settings)
				d.block = func(context.Context, Batch) {} // no time is left: nothing arrives
				d.fail = func(what string, b Batch) error {
					if len(d.got) > 0 {
						return nil
					}
					d.got = append(d.got, arrival{what, time.Since(d.start), b})
					return unsure{} // it arrived, and its answer didn't
				}
				log.Error("m")
				pass(c.after)
				require.NoError(t, h.Close())
				posts := slices.DeleteFunc(d.all(), func(a arrival) bool { return a.what != "post" })
				assert.Len(t, posts, c.posts, "%v", d.lines())
				assert.Equal(t, c.looks, ch.finds)
				assert.EqualValues(t, 1, h.Stats().Delivered)
			})
		})
	}
}

func TestHistoryIsAskedOnceWhereItCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		ch := &channel{desk: d, find_: func(Batch) (string, error) { return "", blind{"add the scope"} }}
		h, log, base := newTest(t, d, nil)
		h.core.batch = newBatcher(ch, h.core.batch.settings)
		var tried []time.Duration
		d.fail = func(string, Batch) error {
			tried = append(tried, time.Since(d.start))
			return unsure{}
		}
		log.Error("m")
		pass(20 * time.Minute)
		s := time.Second
		assert.Equal(t, []time.Duration{1 * s, 2 * s, 62 * s, 182 * s, 422 * s, 902 * s}, tried, "1 s, then 1 min doubling to 10")
		assert.Equal(t, 1, ch.finds)
		assert.Len(t, base.own(), 2)
		d.fail = nil
		require.NoError(t, h.Close())
		assert.Equal(t, 1, d.told())
	})
}

func TestAGroupThatIsRefusedWaitsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var mended atomic.Bool
		d.fail = func(_ string, b Batch) error {
			for _, g := range b.Groups {
				if g.Message == "kind g" && !mended.Load() {
					return refused{}
				}
			}
			return nil
		}
		h, log, base := newTest(t, d, nil)
		for i := range 12 {
			log.Error("kind " + letters(i))
		}
		pass(30 * time.Second)
		assert.Equal(t, 11, d.told(), "the others are told")
		require.Len(t, base.own(), 1, "%v", base.own())
		assert.Contains(t, base.own()[0], `it waits alone and the others are told channel=`)
		assert.Contains(t, base.own()[0], `message=kind g error=not this one`)
		log.Error("later")
		pass(2 * time.Second)
		assert.Equal(t, 12, d.told(), "and told in time")
		mended.Store(true)
		pass(20 * time.Minute)
		assert.Equal(t, 13, d.told(), "it is tried again")
		assert.Zero(t, h.Stats().Pending)
		require.NoError(t, h.Close())
	})
}

func TestARefusedLayoutIsToldOnceWhateverBaseDoes(t *testing.T) {
	for name, base := range map[string]slog.Handler{"panics": touchy{&logs{}}, "ends the goroutine": exits{&logs{}}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var bodies []string
				rt := roundTrip(func(r *http.Request) (*http.Response, error) {
					body, _ := io.ReadAll(r.Body)
					bodies = append(bodies, string(body))
					if strings.Contains(string(body), `"blocks"`) {
						a := answer(r, "invalid_blocks")
						a.StatusCode = http.StatusBadRequest
						return a, nil
					}
					return answer(r, "ok"), nil
				})
				h, err := New(base, &Options{WebhookURL: "https://hooks.slack.com/services/T/B/x", HTTPClient: &http.Client{Transport: rt}})
				require.NoError(t, err)
				slog.New(h).Error("m")
				pass(time.Hour)
				assert.Len(t, bodies, 2, "blocks, then plain text, and that is it")
				assert.Equal(t, Stats{Alerts: 1, Delivered: 1, Messages: 1}, h.Stats())
				require.NoError(t, h.Close())
			})
		})
	}
}

// What a Sender's error says is asked once, on its lane: those who wait for
// Flush, Shutdown or Close get it as text.
func TestWhoWaitsDoesNotAskASendersError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var log *slog.Logger
		asked := 0
		d.fail = func(string, Batch) error {
			return vicious{func() {
				asked++
				log.Error("in the error")
				panic("oh no")
			}}
		}
		h, l, _ := newTest(t, d, nil)
		log = l
		log.Error("x")
		pass(1100 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		before := asked
		assert.ErrorContains(t, h.Flush(ctx), "oh no")
		assert.Less(t, asked-before, 2*before, "by the attempt that Flush hurried alone")
		before = asked
		ended, end := context.WithCancel(t.Context())
		end()
		assert.ErrorContains(t, h.Shutdown(ended), "1 alerts of 1 groups are lost")
		assert.ErrorContains(t, h.Close(), "1 alerts of 1 groups are lost", "and by a second call")
		assert.LessOrEqual(t, asked-before, before)
	})
}

func TestWhatAPersonMustDoIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.fail = func(string, Batch) error { return mend("call the admin, password=hunter2xyz") }
		h, log, _ := newTest(t, d, nil)
		log.Error("x")
		pass(1100 * time.Millisecond)
		const says = "broken: call the admin, password=[redacted]"
		assert.EqualError(t, h.Flush(t.Context()), "slackalert: alerts of 1 groups are not delivered yet: "+says)
		assert.EqualError(t, h.Close(), "slackalert: shutdown: 1 alerts of 1 groups are lost: "+says)
	})
}

// loud is an error that logs when it is asked for its text.
type loud struct{ log *slog.Logger }

func (l loud) Error() string { l.log.Error("in the panic's value"); return "loud" }

// What a panic's value logs when it is asked what it says comes from the
// function that panicked: it is no alert, and asks nobody anew.
func TestAPanicsValueThatLogsIsNoAlert(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(o *Options, fail func())
	}{
		{"Send", func(o *Options, fail func()) {
			o.Sender.(*desk).fail = func(string, Batch) error { fail(); return nil }
		}},
		{"Filter", func(o *Options, fail func()) {
			o.Filter = func(context.Context, slog.Record) bool { fail(); return true }
		}},
		{"Route", func(o *Options, fail func()) {
			o.Route = func(context.Context, slog.Record) string { fail(); return "" }
		}},
		{"ContextAttrs", func(o *Options, fail func()) {
			o.ContextAttrs = func(context.Context) []slog.Attr { fail(); return nil }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log *slog.Logger
				calls := 0
				fail := func() {
					if calls++; calls <= 5 {
						panic(loud{log})
					}
				}
				h, l, _ := newTest(t, newDesk(), func(o *Options) { c.set(o, fail) })
				log = l
				log.Error("one")
				pass(time.Hour)
				assert.EqualValues(t, 1, h.Stats().Alerts)
				assert.EqualValues(t, 1, h.Stats().Delivered)
				require.NoError(t, h.Close())
			})
		})
	}
}

// A Shutdown that is refused changes nothing.
func TestShutdownInsideSendChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		var h *Handler
		d.block = func(context.Context, Batch) {
			assert.ErrorContains(t, h.Shutdown(t.Context()), "called by the delivery itself")
		}
		h, log, _ := newTest(t, d, nil)
		log.Error("one")
		pass(2 * time.Second)
		require.Equal(t, 1, d.told())
		h.panicked(new(unhandled.Recovered("boom")))
		assert.EqualValues(t, 2, h.Stats().Alerts, "Repanic goes the way that is open, not another")
		d.block = nil
		require.NoError(t, h.Close())
	})
}
