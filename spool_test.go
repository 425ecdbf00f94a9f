package slackalert

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/owned"
	"example.com/slackalert/internal/spool"
)

// die leaves a handler's spool as SIGKILL does.
func die(h *Handler) {
	h.core.crashes.Close()
	_ = h.core.batch.spool.Close()
	h.core.batch.giveUp()
}

func spooling(dir string) func(*Options) { return func(o *Options) { o.SpoolDir = dir } }

func names(t *testing.T, dir string) []string {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	out := []string{}
	for _, e := range entries {
		out = append(out, filepath.Ext(e.Name()))
	}
	return out
}

func TestWhatAKilledProcessDidNotTellTheNextOneTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "spool")
		h, log, _ := newTest(t, newDesk(), spooling(dir))
		begun := time.Now().UTC()
		for i := range 100 {
			log.Error("often", "n", i)
			time.Sleep(time.Millisecond)
		}
		log.Warn("once", "error_code", "rare")
		log.Info("no alert")
		die(h)

		time.Sleep(time.Hour)
		d := newDesk()
		h, log, base := newTest(t, d, spooling(dir))
		assert.EqualValues(t, 97, h.Stats().Pending)
		log.Error("new")
		pass(2 * time.Second)
		got := d.all()
		require.Len(t, got, 1)
		require.Len(t, got[0].Groups, 3)
		host, _ := os.Hostname()
		for _, g := range got[0].Groups {
			switch g.Message {
			case "often":
				assert.Equal(t, 96, g.Count, "100 counts written at 96")
				assert.True(t, g.Least)
				assert.WithinDuration(t, begun, g.First, time.Millisecond)
				assert.WithinDuration(t, begun.Add(95*time.Millisecond), g.Last, 2*time.Millisecond)
				assert.Equal(t, []Field{{"n", "0"}}, g.Fields)
			case "once":
				assert.Equal(t, 1, g.Count)
				assert.False(t, g.Least)
				assert.Equal(t, "rare", g.Code)
			case "new":
				assert.Empty(t, g.Notes)
				continue
			default:
				t.Error(g.Message)
			}
			assert.Equal(t, []string{earlierRunOn(host)}, g.Notes)
		}
		assert.EqualValues(t, 98, h.Stats().Delivered)
		assert.Empty(t, base.own())
	})
}

func earlierRunOn(host string) string {
	if build() != "" {
		return "of an earlier run: host " + host + ", build " + build()
	}
	return "of an earlier run: host " + host
}

// A restart edits what was told, killed or not, and is no reason to post again.
func TestARestartEditsTheMessage(t *testing.T) {
	for name, end := range map[string]func(*Handler){"killed": die, "shut down": func(h *Handler) { _ = h.Close() }} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				d := newDesk()
				total := 0
				for range 10 {
					h, log, base := newTest(t, editDesk{d}, spooling(dir))
					for range 3 {
						log.Error("crash loop")
						total++
					}
					pass(11 * time.Second)
					end(h)
					assert.Empty(t, base.own())
				}
				got := d.all()
				posts := 0
				for _, a := range got {
					if a.what == "post" {
						posts++
					}
					assert.Equal(t, got[0].ID, a.ID)
				}
				last := got[len(got)-1].Groups
				assert.Equal(t, 1, posts)
				require.Len(t, last, 1)
				assert.Equal(t, total, last[0].Total)
				assert.Equal(t, total, last[0].Count)
				assert.Equal(t, got[0].Groups[0].First, last[0].First)
				assert.Equal(t, got[0].Groups[0].Run, last[0].Run)
			})
		})
	}
}

// With what can't be edited the interval holds across restarts, and doubles.
// A program that waited and then dies at once leaves nothing that the next one
// would tell again. A hundred groups are written down after one answer: that
// takes long enough to be seen.
func TestWhatFlushSaysIsToldIsWrittenDown(t *testing.T) {
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			dir, left := filepath.Join(t.TempDir(), "spool"), filepath.Join(t.TempDir(), "left")
			h, log, _ := newTest(t, newDesk(), spooling(dir))
			for i := range 100 {
				log.Error("kind " + letters(i))
			}
			require.NoError(t, h.Flush(t.Context()))
			require.NoError(t, os.CopyFS(left, os.DirFS(dir)))
			next, _, _ := newTest(t, newDesk(), spooling(left))
			assert.Zero(t, next.Stats().Pending)
			die(next)
		})
	}
}

func TestTheIntervalOutlivesTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d := newDesk()
		for range 60 { // an hour
			h, log, _ := newTest(t, d, spooling(dir))
			log.Error("crash loop")
			pass(time.Minute)
			die(h)
		}
		var at []time.Duration
		for _, a := range d.all() {
			at = append(at, a.at.Truncate(time.Minute))
		}
		assert.Equal(t, []time.Duration{0, 5 * time.Minute, 15 * time.Minute, 35 * time.Minute}, at)
	})
}

func TestShutdownLeavesWhatItCouldNotTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d := newDesk()
		d.fail = func(string, Batch) error { return errDown }
		h, log, base := newTest(t, d, spooling(dir))
		for range 100 {
			log.Error("often")
		}
		log.Error("once")
		require.NoError(t, h.Close(), "nothing is lost")
		st := h.Stats()
		assert.EqualValues(t, 101, st.Spooled)
		assert.EqualValues(t, 101, st.Alerts)
		assert.Zero(t, st.Lost+st.Pending+st.Delivered)
		own := base.own()
		assert.Contains(t, own[len(own)-1], "shutdown, alerts are left for the next start alerts_spooled=101 groups_spooled=2")
		assert.Equal(t, []string{".spool"}, names(t, dir))

		d = newDesk()
		h, _, _ = newTest(t, d, spooling(dir))
		pass(2 * time.Second)
		require.Len(t, d.all(), 1)
		assert.Equal(t, 101, d.told())
		assert.False(t, d.all()[0].Groups[0].Least, "Shutdown knew how many there were")
		pass(5 * time.Minute)
		require.NoError(t, h.Close())
		assert.Empty(t, names(t, dir), "nothing is left")
	})
}

func TestNothingToTellLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a", "b")
		h, log, _ := newTest(t, newDesk(), spooling(dir))
		log.Info("no alert")
		assert.Equal(t, []string{".spool"}, names(t, dir))
		require.NoError(t, h.Close())
		assert.Empty(t, names(t, dir))
	})
}

func TestForgottenGroupsLeaveTheSpool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d := newDesk()
		h, log, _ := newTest(t, d, spooling(dir))
		log.Error("long ago")
		pass(48 * time.Hour)
		die(h)
		h, _, _ = newTest(t, d, spooling(dir))
		assert.Empty(t, h.core.batch.lanes)
		die(h)
	})
}

func TestOtherAlertsAndLanesOutliveTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		options := func(o *Options) {
			o.SpoolDir, o.MaxGroups = dir, 3
			o.Route = func(_ context.Context, r slog.Record) string { return strings.Fields(r.Message)[0] }
		}
		h, log, _ := newTest(t, newDesk(), options)
		for i := range 10 {
			log.Error(fmt.Sprintf("#a kind %s", letters(i)))
		}
		for range 7 {
			log.Error("#b other")
		}
		die(h)
		d := newDesk()
		h, _, _ = newTest(t, d, options)
		assert.EqualValues(t, 17, h.Stats().Alerts)
		pass(3 * time.Second)
		assert.Equal(t, 17, d.told())
		for _, a := range d.all() {
			for _, g := range a.Groups {
				if strings.Contains(g.Message, "#b other") {
					assert.Equal(t, "#b", a.Channel)
					assert.Equal(t, 7, g.Count)
				}
			}
		}
	})
}

func TestAFreshExampleOutlivesTheProcess(t *testing.T) {
	for _, users := range [][]string{{"ann", "bob"}, {"ann", "bob", "cid"}} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			h, log, _ := newTest(t, newDesk(), spooling(dir))
			for i, user := range users {
				log.Error("failed", "user", user)
				pass(time.Duration(2-2*i) * time.Second)
			}
			die(h)
			d := newDesk()
			_, _, _ = newTest(t, d, spooling(dir))
			pass(6 * time.Minute)
			require.Len(t, d.all(), 1)
			g := d.all()[0].Groups[0]
			assert.Equal(t, []Field{{"user", "bob"}}, g.Fields)
			assert.Equal(t, len(users)-1, g.Count)
			assert.Equal(t, len(users), g.Total)
		})
	}
}

// While another process lives its alerts are its own; then they are found.
func TestAnotherProcessInTheFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		old, log, _ := newTest(t, newDesk(), spooling(dir))
		d := newDesk()
		_, other, _ := newTest(t, d, spooling(dir))
		both := func(log *slog.Logger) { log.Error("both") }
		both(other)
		pass(2 * time.Second)
		for range 5 {
			both(log)
			log.Error("one")
		}
		die(old)
		pass(time.Minute)
		require.Len(t, d.all(), 2)
		assert.Equal(t, "one", d.all()[1].Groups[0].Message)
		pass(5 * time.Minute)
		require.Len(t, d.all(), 3)
		assert.Equal(t, 6, d.all()[2].Groups[0].Total)
		assert.Equal(t, 5, d.all()[2].Groups[0].Count)
	})
}

// What several processes counted of one thing is added up, and what each of many
// short lives counts is not lost in the sum.
func TestCountsOfManyProcessesAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fail := func(log *slog.Logger) { log.Error("failed") }
		one, log1, _ := newTest(t, newDesk(), spooling(dir))
		two, log2, _ := newTest(t, newDesk(), spooling(dir))
		for range 64 {
			fail(log1)
			fail(log2)
		}
		die(one)
		die(two)
		for range 20 {
			h, log, _ := newTest(t, newDesk(), spooling(dir))
			fail(log)
			die(h)
		}
		d := newDesk()
		_, _, _ = newTest(t, d, spooling(dir))
		pass(2 * time.Second)
		require.Len(t, d.all(), 1)
		assert.Equal(t, 64+64+20, d.told())
	})
}

// A group that waits to be told when another process's message with it is taken
// over goes on in that message, and neither count is lost by the next kill.
func TestTakingOverAToldGroupWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fail := func(log *slog.Logger) { log.Error("failed") }
		d := newDesk()
		old, log, _ := newTest(t, editDesk{d}, spooling(dir))
		for range 10 {
			fail(log)
		}
		pass(2 * time.Second)
		h, log, _ := newTest(t, editDesk{d}, func(o *Options) { o.SpoolDir, o.BatchDelay = dir, 2*time.Minute })
		pass(30 * time.Second)
		for range 3 {
			fail(log)
		}
		die(old)
		pass(31 * time.Second) // it looks around
		die(h)
		_, _, _ = newTest(t, editDesk{d}, spooling(dir))
		pass(20 * time.Second)
		got := d.all()
		assert.Equal(t, 13, got[len(got)-1].Groups[0].Total)
		assert.Equal(t, got[0].ID, got[len(got)-1].ID)
	})
}

// A message of which not all is known is not edited: what isn't known would be
// gone from it. What comes is told in another.
func TestAMessageThatIsNotAllKnownStaysAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d := newDesk()
		fail := func(log *slog.Logger) { log.Error("failed") }
		h, log, _ := newTest(t, editDesk{d}, spooling(dir))
		fail(log)
		log.Error("another")
		pass(2 * time.Second)
		die(h)
		st, err := spool.Open(dir, owned.Owner{Service: "shop", Run: "thief"}, h.core.batch.guard.Tell)
		require.NoError(t, err)
		st.Adopt(func(all []spool.Left) {
			for _, r := range all[0].Records {
				if strings.Contains(string(r.Data), "another") {
					r.Slot.Drop()
				}
			}
		})
		require.NoError(t, st.Close())
		h, log, _ = newTest(t, editDesk{d}, spooling(dir))
		fail(log)
		pass(20 * time.Second)
		assert.Len(t, d.all(), 1)
		pass(5 * time.Minute)
		require.NoError(t, h.Close())
		got := d.all()
		for _, a := range got[1:] {
			assert.NotEqual(t, got[0].ID, a.ID)
		}
		assert.Equal(t, "post", got[1].what)
		assert.Equal(t, 1, got[1].Groups[0].Count)
		assert.Equal(t, 2, got[1].Groups[0].Total)
	})
}

// Of two slots of one count the one that knows more of what was told holds.
func TestACountThatIsWrittenTwiceIsToldOnce(t *testing.T) {
	for _, firstTold := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			st, err := spool.Open(dir, owned.Owner{Service: "shop", Run: "old"}, func(string, ...any) {})
			require.NoError(t, err)
			data := kept{Group: Group{Fingerprint: "one", Message: "m", Run: "old", First: time.Now()}}.encode()
			for _, told := range []bool{firstTold, !firstTold} {
				slot := st.Put(data, 3, 0)
				if told {
					slot.Told(spool.Told{Alerts: 3, Posted: time.Now().UnixNano(), Groups: 1, ID: "batch"})
				}
			}
			require.NoError(t, st.Close())
			d := newDesk()
			h, _, _ := newTest(t, d, spooling(dir))
			require.NoError(t, h.Close())
			assert.Empty(t, d.all())
		})
	}
}

func TestLongGroupsAreCutToWhatASlotHolds(t *testing.T) {
	long := func(n int) string { return strings.Repeat("<", n) } // six bytes each in JSON
	for _, tt := range []struct {
		name  string
		g     Group
		notes []string
	}{
		{"short", Group{Message: "m", Breadcrumbs: []string{"b"}, Stack: "s", Notes: []string{"n"}}, []string{"n"}},
		{"breadcrumbs", Group{Message: "m", Breadcrumbs: []string{long(3000)}, Stack: "s"}, []string{"too long to be kept: breadcrumbs"}},
		{"stack", Group{Message: "m", Breadcrumbs: []string{"b"}, Stack: long(3000), Notes: []string{"n"}}, []string{"n", "too long to be kept: breadcrumbs, stack"}},
		{"fields", Group{Message: "m", Fields: []Field{{"k", long(3000)}}}, []string{"too long to be kept: breadcrumbs, stack, fields"}},
		{"message", Group{Message: long(3000), Error: long(3000)}, []string{"too long to be kept: breadcrumbs, stack, fields, the end of the message"}},
		{"all that a name can be", Group{Fingerprint: long(256), Code: long(100), Message: long(4096), Error: long(4096)}, []string{"too long to be kept: breadcrumbs, stack, fields, the end of the message"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				data := kept{Channel: "#alerts", Group: tt.g}.encode()
				require.NotEmpty(t, data)
				require.LessOrEqual(t, len(data), spool.Room)
				for _, note := range tt.notes {
					assert.Contains(t, string(data), note)
				}
			})
		})
	}
}

// onlyFile is what the one file in a folder holds.
func onlyFile(t *testing.T, dir string) []byte {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	b, err := os.ReadFile(files[0])
	require.NoError(t, err)
	return b
}

func TestNoSecretIsWrittenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		h, log, _ := newTest(t, newDesk(), spooling(dir))
		log.Error("failed with xoxb-12345678901-abcdefghijklmnop", "password", "hunter2", "error", fmt.Errorf("dial https://bo:geheim@example.com: refused"))
		die(h)
		b := onlyFile(t, dir)
		assert.Contains(t, string(b), "failed with")
		for _, secret := range []string{"abcdefghijklmnop", "hunter2", "geheim"} {
			assert.NotContains(t, string(b), secret)
		}
	})
}

// What a process left in that doesn't redact is hidden by one that does, in new
// messages and in those that are edited.
func TestWhatANoRedactProcessLeftIsHidden(t *testing.T) {
	secrets := []string{"abcdefghijklmnop", "hunter2", "geheim", "1234", "sesame", "half of a"}
	long := strings.Repeat("long ", 815) + "https://bo:half of a" // and the cut goes through it
	for _, told := range []bool{false, true} {
		for _, noRedact := range []bool{false, true} {
			t.Run(fmt.Sprintf("told=%v,NoRedact=%v", told, noRedact), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					dir, d := t.TempDir(), newDesk()
					leave := func(no bool) func(*Options) {
						return func(o *Options) { o.SpoolDir, o.NoRedact, o.Breadcrumbs = dir, no, 3 }
					}
					h, log, _ := newTest(t, editDesk{d}, leave(true))
					ctx := With(t.Context(), "job", "one")
					log.InfoContext(ctx, "crumb", "secret", "sesame")
					fail := func(log *slog.Logger) {
						log.ErrorContext(ctx, "failed with xoxb-12345678901-abcdefghijklmnop", "password", "hunter2",
							slog.Group("pass", "number", 1234), "long", long+"secret@example.com", "error", fmt.Errorf("dial https://bo:geheim@example.com: refused"))
					}
					fail(log)
					if told {
						pass(time.Minute)
						fail(log)
					}
					die(h)
					d = newDesk()
					newTest(t, editDesk{d}, leave(noRedact))
					pass(time.Hour)
					require.NotEmpty(t, d.all())
					for _, a := range d.all() {
						all := fmt.Sprintf("%+v", a.Groups)
						assert.Contains(t, all, "failed with")
						for _, secret := range secrets {
							assert.Equal(t, noRedact, strings.Contains(all, secret), "%s in %s", secret, all)
						}
					}
				})
			})
		}
	}
}

// However often it starts while nothing can be told, one file has what all left,
// who left it, and what is to be hidden of it.
func TestWhatIsLeftTimeAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		st, err := spool.Open(dir, owned.Owner{Service: "shop", Run: "old", Host: "web-9", Build: "b1", Raw: true}, func(string, ...any) {})
		require.NoError(t, err)
		st.Put(kept{Group: Group{Fingerprint: "one", Message: "old, password=geheim", First: time.Now()}}.encode(), 1, 0)
		require.NoError(t, st.Close())
		for i := range 5 {
			h, log, base := newTest(t, newDesk(), func(o *Options) { o.SpoolDir, o.NoRedact = dir, true })
			log.Error("kind " + letters(i))
			die(h)
			assert.Equal(t, []string{".spool"}, names(t, dir))
			assert.Empty(t, base.own())
		}
		d := newDesk()
		h, _, _ := newTest(t, d, spooling(dir))
		require.NoError(t, h.Close())
		assert.Equal(t, 6, d.told())
		for _, g := range d.last().Groups {
			if strings.HasPrefix(g.Message, "old") {
				assert.Equal(t, []string{"of an earlier run: host web-9, build b1"}, g.Notes)
				assert.Equal(t, []string{"web-9"}, g.Named)
				assert.NotContains(t, g.Message, "geheim")
			}
		}
	})
}

// A process that is killed while it takes over what another left leaves some of it
// twice, in the old file and in its own: it is told once.
func TestKilledWhileItTookOver(t *testing.T) {
	say := func(log *slog.Logger, times int, msg string) {
		for range times {
			log.Error(msg)
		}
	}
	for _, oldFile := range []string{"0.spool", "z.spool"} { // read before the other, and behind
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			d := newDesk()
			h, log, _ := newTest(t, editDesk{d}, spooling(dir))
			say(log, 1, "told")
			say(log, 1, "with it")
			pass(11 * time.Second)
			say(log, 1, "told")
			say(log, 5, "untold")
			die(h)
			old := onlyFile(t, dir)
			h, log, _ = newTest(t, newDesk(), spooling(dir))
			say(log, 1, "told")
			say(log, 2, "untold")
			die(h)
			require.NoError(t, os.WriteFile(filepath.Join(dir, oldFile), old, 0o600))
			h, _, _ = newTest(t, editDesk{d}, spooling(dir))
			pass(11 * time.Minute)
			require.NoError(t, h.Close())
			totals, posts := map[string]int{}, map[string]int{}
			for _, a := range d.all() {
				for _, g := range a.Groups {
					totals[g.Message] = g.Total
					if a.what == "post" {
						posts[g.Message]++
					}
				}
			}
			assert.Equal(t, map[string]int{"told": 3, "with it": 1, "untold": 7}, totals)
			assert.Equal(t, map[string]int{"told": 1, "with it": 1, "untold": 1}, posts)
		})
	}
}

// Nobody waits for the disk where all goes well, but whoever waits for Slack, and
// the lane whose Slack didn't take what it had.
func TestWhoWaitsForTheDisk(t *testing.T) {
	var waits, tries atomic.Int64
	usual := spool.Fsync
	spool.Fsync = func(*os.File) error { waits.Add(1); return nil }
	defer func() { spool.Fsync = usual }()
	for _, tt := range []struct {
		name  string
		level slog.Level
		err   error
		waits int64 // by when the attempt is over
	}{
		{"an error", slog.LevelError, nil, 0},
		{"an error that fails", slog.LevelError, errDown, 1},
		{"an error of SyncLevel", slog.LevelError + 4, nil, 1},
		{"an error of SyncLevel that fails", slog.LevelError + 4, errDown, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				waits.Store(0)
				tries.Store(0)
				d := newDesk()
				d.block = func(context.Context, Batch) { time.Sleep(time.Second); tries.Add(1) }
				d.fail = func(string, Batch) error { return tt.err }
				_, log, _ := newTest(t, d, func(o *Options) { o.SpoolDir, o.SyncLevel = t.TempDir(), slog.LevelError+4 })
				go log.Log(t.Context(), tt.level, "m")
				synctest.Wait()
				assert.Equal(t, tt.level > slog.LevelError, waits.Load() == 1, "before it waits for Slack: %d", waits.Load())
				for tries.Load() == 0 {
					time.Sleep(100 * time.Millisecond)
				}
				synctest.Wait()
				assert.Equal(t, tt.waits, waits.Load())
			})
		})
	}
}

func TestAFolderThatCannotBeUsed(t *testing.T) {
	_, err := New(&logs{}, &Options{Sender: newDesk(), Service: strings.Repeat("s", 5000), SpoolDir: t.TempDir()})
	require.ErrorContains(t, err, "slackalert: SpoolDir is ")
	under := filepath.Join(os.Args[0], "under")
	_, err = New(&logs{}, &Options{Sender: newDesk(), SpoolDir: under})
	require.ErrorContains(t, err, "want a folder that this process may write to")
	h, err := New(&logs{}, &Options{Optional: true, SpoolDir: under})
	require.NoError(t, err, "without a destination nothing is kept")
	require.NoError(t, h.Close())
}

// A disk that is full at the start, as far as the test may make one, is said, and
// no reason not to start; what comes is told.
func TestADiskThatIsFullAtTheStart(t *testing.T) {
	dir := t.TempDir()
	full := exec.Command("mount", "-t", "tmpfs", "-o", "nr_inodes=2", "tmpfs", dir).Run() == nil
	if full {
		defer func() { require.NoError(t, exec.Command("umount", "-l", dir).Run()) }()
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "the last there is room for"), nil, 0o600))
	for _, folder := range []string{dir, filepath.Join(dir, "spool")} {
		d := newDesk()
		h, log, base := newTest(t, d, func(o *Options) { o.SpoolDir, o.CatchCrash = folder, true })
		log.Error("m")
		require.NoError(t, h.Close())
		assert.Equal(t, 1, d.told())
		if said := base.own(); full {
			assert.Len(t, said, 2)
			assert.Contains(t, said[0], "the spool can't be written")
			assert.Contains(t, said[1], "what ends this process can't be written down")
		} else {
			assert.Empty(t, said)
		}
	}
}

// What can't be found any more isn't left to anybody.
func TestAFolderThatIsGoneAtShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "spool")
		d := newDesk()
		d.fail = func(string, Batch) error { return errDown }
		h, log, _ := newTest(t, d, spooling(dir))
		log.Error("m")
		pass(time.Second)
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.WriteFile(dir, nil, 0o600))
		require.ErrorContains(t, h.Close(), "1 alerts of 1 groups are lost")
		s := h.Stats()
		assert.Equal(t, []uint64{1, 0}, []uint64{s.Lost, s.Spooled})
	})
}

// Who removes the files of a process as it ends takes nothing from the next.
func TestAFolderThatIsEmptiedBeforeShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d := newDesk()
		d.fail = func(string, Batch) error { return errDown }
		h, log, base := newTest(t, d, spooling(dir))
		log.Error("m")
		pass(time.Second)
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		require.NoError(t, err)
		for _, f := range files {
			require.NoError(t, os.Remove(f))
		}
		require.NoError(t, h.Close())
		assert.EqualValues(t, 1, h.Stats().Spooled)
		assert.Len(t, base.own(), 2, "the failure, and what is left")
		d = newDesk()
		h, _, _ = newTest(t, d, spooling(dir))
		require.NoError(t, h.Close())
		assert.Equal(t, 1, d.told())
	})
}

// BenchmarkKept is what SpoolDir costs: beside the same without, the first of a
// group, a repeat, and one of many goroutines.
func BenchmarkKept(b *testing.B) {
	for _, kept := range []bool{false, true} {
		with := func(b *testing.B) (*Handler, *slog.Logger) {
			o := &Options{Sender: newDesk(), MaxGroups: 1000, BatchDelay: time.Hour, BatchSize: 40}
			if kept {
				o.SpoolDir = b.TempDir()
			}
			h, err := New(nothing{}, o)
			require.NoError(b, err)
			b.Cleanup(func() { die(h) })
			return h, slog.New(h)
		}
		repeat := func(log *slog.Logger, i int) {
			log.LogAttrs(context.Background(), slog.LevelError, "payment failed", slog.String("method", "POST"), slog.String("path", "/pay"), slog.Int("status", 500), slog.Int("order", i), slog.Any("err", errDown))
		}
		b.Run(fmt.Sprintf("first/h=%v", kept), func(b *testing.B) {
			h, log := with(b)
			words := make([]string, 900)
			for i := range words {
				words[i] = letters(i)
			}
			for n := 0; b.Loop(); n++ {
				if n == len(words) {
					b.StopTimer()
					die(h)
					h, log = with(b)
					n = 0
					b.StartTimer()
				}
				log.LogAttrs(context.Background(), slog.LevelError, words[n], slog.String("method", "POST"), slog.String("path", "/pay"), slog.Int("status", 500), slog.Int("order", n), slog.Any("err", errDown))
			}
		})
		b.Run(fmt.Sprintf("repeat/h=%v", kept), func(b *testing.B) {
			_, log := with(b)
			for n := 0; b.Loop(); n++ {
				repeat(log, n)
			}
		})
		b.Run(fmt.Sprintf("repeat by all/h=%v", kept), func(b *testing.B) {
			_, log := with(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					repeat(log, 1)
				}
			})
		})
	}
}

// A folder that is named by where the program stands stays where it was.
func TestSpoolDirStaysWhereItWas(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	t.Chdir(first)
	d := newDesk()
	d.fail = func(string, Batch) error { return errDown }
	h, log, _ := newTest(t, d, spooling("sp"))
	log.Error("one")
	t.Chdir(second)
	log.Error("two")
	ended, end := context.WithCancel(t.Context())
	end()
	require.NoError(t, h.Shutdown(ended))
	assert.EqualValues(t, 2, h.Stats().Spooled)
	assert.Empty(t, names(t, second))

	d = newDesk()
	h, _, _ = newTest(t, d, spooling(filepath.Join(first, "sp")))
	require.NoError(t, h.Close())
	assert.Equal(t, 2, d.told())
}

// What no JSON can be made of, or what is too long by what captures don't cut,
// is kept nevertheless.
func TestOddAlertsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, long := t.TempDir(), strings.Repeat("<", 20_000)
		h, log, base := newTest(t, newDesk(), func(o *Options) {
			o.SpoolDir, o.Service = dir, strings.Repeat("s", 3800)
			o.ReplaceAttr = func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					a.Value = slog.TimeValue(time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC))
				}
				return a
			}
		})
		log.Error(long, "error_code", long, "error", long)
		for i, change := range []func(*Group){
			func(g *Group) { g.Code = long },
			func(g *Group) { g.Source = &slog.Source{Function: long, File: long} },
			func(g *Group) { g.Fingerprint = long },
			func(g *Group) {
				g.Code, g.Message, g.Error, g.Source = long, long, long, &slog.Source{Function: long, File: long}
			},
		} {
			b := elsewhere("web-1", 1)
			b.Groups[0].Fingerprint = fmt.Sprint(i)
			change(&b.Groups[0])
			h.Merge(b)
		}
		assert.Empty(t, base.own())
		die(h)
		d := newDesk()
		h, _, base = newTest(t, d, func(o *Options) { o.SpoolDir, o.Service = dir, strings.Repeat("s", 3800) })
		assert.EqualValues(t, 5, h.Stats().Pending)
		assert.Equal(t, []string{".spool"}, names(t, dir), "all fits again")
		require.NoError(t, h.Close())
		assert.Empty(t, base.own())
		assert.Len(t, d.last().Service, 3800)
	})
}

// "Other alerts" of an earlier run stay what they are, however often it starts.
func TestOtherAlertsOfManyRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d := newDesk()
		for run := range 4 {
			h, log, _ := newTest(t, d, func(o *Options) { o.SpoolDir, o.MaxGroups = dir, 1 })
			for i := range 5 {
				log.Error("kind " + letters(i))
			}
			if run < 3 {
				die(h)
			} else {
				require.NoError(t, h.Close())
			}
		}
		assert.Equal(t, 20, d.told())
		assert.Equal(t, 1, strings.Count(d.last().Groups[0].Message, otherAlerts), d.last().Groups[0].Message)
	})
}

// Kinds that began in one moment, as a clock of some systems has it, and are counted
// together for want of room, are no count that was written twice.
func TestOtherAlertsOfOneMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		h, log, _ := newTest(t, newDesk(), spooling(dir))
		for i := range 5 {
			log.Error("kind " + letters(i))
		}
		die(h)
		d := newDesk()
		h, _, _ = newTest(t, d, func(o *Options) { o.SpoolDir, o.MaxGroups = dir, 1 })
		require.NoError(t, h.Close())
		assert.Equal(t, 5, d.told())
	})
}
