package fold

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/value"
	"example.com/slackalert/internal/sketch"
)

var day = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

func ns(d time.Duration) int64 { return day.Add(d).UnixNano() }

// head is a value of the group "f" in "c".
func head(run string, total int64, change ...func(*value.Head)) *value.Head {
	h := &value.Head{V: 1, Channel: "c", Fingerprint: "f", Run: run, First: ns(0), Last: ns(time.Second), Sent: ns(2 * time.Second), Total: total, Host: run, Service: "shop"}
	for _, c := range change {
		c(h)
	}
	return h
}

func text(message string) []byte { return fmt.Appendf(nil, `{"message":%q,"level":"ERROR"}`, message) }

// counts are what Take says, by fingerprint.
func counts(t *testing.T, f *Fold) map[string]int {
	batches, bad := f.Take()
	require.Empty(t, bad)
	got := map[string]int{}
	for _, b := range batches {
		for _, g := range b.Groups {
			got[b.Channel+"/"+g.Fingerprint] += g.Count
		}
	}
	return got
}

func TestDifferences(t *testing.T) {
	type step struct {
		add  *value.Head
		want int // of c/f, after it
	}
	direct := func(n int64) func(*value.Head) { return func(h *value.Head) { h.Direct = n } }
	later := func(h *value.Head) { h.First = ns(3 * time.Hour) }
	for _, tc := range []struct {
		name  string
		told  int64
		steps []step
	}{
		{"one process", 0, []step{{head("a", 1), 1}, {head("a", 40), 39}, {head("a", 1000), 960}}},
		{"three processes", 0, []step{{head("a", 5), 5}, {head("b", 5), 5}, {head("c", 7), 7}, {head("b", 6), 1}}},
		{"the same value twice", 0, []step{{head("a", 5), 5}, {head("a", 5), 0}}},
		{"an old value late", 0, []step{{head("a", 5), 5}, {head("a", 9), 4}, {head("a", 5), 0}, {head("a", 10), 1}}},
		{"a group that a process began anew", 0, []step{{head("a", 5), 5}, {head("a", 2, later), 2}, {head("a", 3, later), 1}}},
		{"what was told directly", 0, []step{{head("a", 5, direct(5)), 0}, {head("a", 8, direct(5)), 3}}},
		{"part of it was told directly", 0, []step{{head("a", 5), 5}, {head("a", 9, direct(4)), 0}, {head("a", 10, direct(4)), 1}}},
		{"an earlier leader told some", 7, []step{{head("a", 5), 0}, {head("b", 5), 3}, {head("a", 6), 1}}},
		{"an earlier leader told what the stream has lost", 7, []step{{head("a", 5), 0}, {head("a", 7), 0}, {head("a", 9), 2}}},
		{"nothing counted", 0, []step{{head("a", 0), 0}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := New()
			if tc.told > 0 {
				f.Told(Name{"c", "f"}, tc.told, day)
			}
			for i, s := range tc.steps {
				f.Add(s.add, text("m"), uint64(i+1), day, day)
				assert.Equal(t, s.want, counts(t, f)["c/f"], "step %d", i+1)
			}
			assert.Empty(t, f.dirty)
			assert.Empty(t, counts(t, f))
		})
	}
}

// TestAnyOrderAnyRepetition: whatever order values come in, however often, and
// wherever an earlier leader stopped, the differences add up to the totals.
func TestAnyOrderAnyRepetition(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		f, want, sum := New(), map[string]int{}, map[string]int{}
		var values []*value.Head
		for p := range 1 + r.IntN(5) {
			for g := range 1 + r.IntN(4) {
				total := int64(0)
				for range 1 + r.IntN(6) {
					total += r.Int64N(100)
					values = append(values, &value.Head{V: 1, Channel: fmt.Sprint(g % 2), Fingerprint: fmt.Sprint(g), Run: fmt.Sprint(p), Total: total})
				}
				want[fmt.Sprintf("%d/%d", g%2, g)] += int(total)
			}
		}
		for name, n := range want {
			if told := r.IntN(n + 1); r.IntN(2) == 0 && told > 0 {
				f.Told(Name{name[:1], name[2:]}, int64(told), day)
				sum[name] = told
			}
		}
		values = append(values, values...)
		r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		for i, h := range values {
			f.Add(h, text("m"), uint64(i), day, day)
			if r.IntN(4) == 0 {
				for name, n := range counts(t, f) {
					sum[name] += n
				}
			}
		}
		for name, n := range counts(t, f) {
			sum[name] += n
		}
		for name, n := range want {
			require.Equal(t, n, sum[name], "seed %d, group %s", seed, name)
		}
	}
}

func TestWhatADifferenceShows(t *testing.T) {
	users := func(ids ...uint64) []byte {
		var s sketch.Sketch
		for _, id := range ids {
			s.Add(id)
		}
		b := s.Bytes()
		return b
	}
	f := New()
	f.Add(head("web-10", 3, func(h *value.Head) { h.First, h.Last, h.Users = ns(5*time.Second), ns(6*time.Second), users(1, 2) }), text("from web-10"), 1, day, day)
	f.Add(head("web-2", 4, func(h *value.Head) {
		h.First, h.Last, h.Users, h.Least = ns(1*time.Second), ns(7*time.Second), users(2, 3), true
	}), text("from web-2"), 2, day, day)
	f.Add(head("web-2", 4, func(h *value.Head) { h.First = ns(time.Second) }), text("from web-2 again"), 3, day, day)
	f.Note(Name{"c", "f"}, "perhaps told before")
	f.Note(Name{"c", "unknown"}, "perhaps told before")
	batches, bad := f.Take()
	require.Empty(t, bad)
	require.Len(t, batches, 1)
	require.Len(t, batches[0].Groups, 1)
	g := batches[0].Groups[0]
	set := g.UserSet
	g.UserSet = nil
	assert.Equal(t, slackalert.Group{
		Fingerprint: "f", Level: 8, Message: "from web-10", Count: 7, Total: 7, First: day.Add(time.Second), Last: day.Add(7 * time.Second),
		Users: 3, Hosts: 2, Named: []string{"web-2", "web-10"}, Least: true, Notes: []string{"perhaps told before"},
	}, g)
	parsed, err := sketch.Parse(set)
	require.NoError(t, err)
	assert.Equal(t, 3, parsed.Count())
	assert.Equal(t, []string{"shop"}, f.Services(Name{"c", "f"}))

	f.Add(head("web-3", 1), text("from web-3"), 4, day, day)
	batches, _ = f.Take()
	g = batches[0].Groups[0]
	assert.Equal(t, []any{"from web-3", 1, 8, 3, []string(nil)}, []any{g.Message, g.Count, g.Total, g.Hosts, g.Notes}, "the next difference has its own text, and no note")
}

func TestFiveHostsAreNamedByName(t *testing.T) {
	f := New()
	for _, i := range rand.Perm(20) {
		f.Add(head(fmt.Sprintf("web-%d", i+1), 1), text("m"), 1, day, day)
	}
	named, n := f.Hosts(Name{"c", "f"})
	assert.Equal(t, 20, n)
	assert.Equal(t, []string{"web-1", "web-2", "web-3", "web-4", "web-5"}, named)
}

func TestHostsOfAnEarlierDayAreNotCounted(t *testing.T) {
	f := New()
	f.Add(head("a", 1), text("m"), 1, day, day)
	f.Add(head("b", 1), text("m"), 2, day.Add(time.Hour), day.Add(time.Hour))
	f.Add(head("c", 1), text("m"), 3, day.Add(4*time.Hour), day.Add(4*time.Hour))
	named, n := f.Hosts(Name{"c", "f"})
	assert.Equal(t, []any{[]string{"c"}, 1}, []any{named, n})
}

// TestClocks: where a process's clock is off, its times are put right by what
// the server's says, to the minute.
func TestClocks(t *testing.T) {
	for _, tc := range []struct {
		name        string
		off         time.Duration
		first, last time.Duration
	}{
		{"right", 0, 0, 70 * time.Second},
		{"a second off", time.Second, time.Second, 71 * time.Second},
		{"an hour fast", time.Hour, 0, time.Minute},
		{"an hour slow", -time.Hour, 0, time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := New()
			f.Add(head("a", 1, func(h *value.Head) {
				h.First, h.Last, h.Sent = ns(tc.off), ns(tc.off+70*time.Second), ns(tc.off+71*time.Second)
			}), text("m"), 1, day.Add(71*time.Second), day.Add(71*time.Second))
			batches, _ := f.Take()
			assert.Equal(t, []time.Time{day.Add(tc.first), day.Add(tc.last)}, []time.Time{batches[0].Groups[0].First, batches[0].Groups[0].Last})
		})
	}
}

// TestASuccessorShowsWhatIsNew: of a group that was told before, the text, the
// times and the users are of what came since.
func TestASuccessorShowsWhatIsNew(t *testing.T) {
	f := New()
	told := day.Add(time.Hour)
	f.Told(Name{"c", "f"}, 5, told)
	f.Told(Name{"c", "f"}, 3, day) // in an earlier message
	f.Add(head("a", 5), text("old"), 1, day, day)
	f.Add(head("b", 2, func(h *value.Head) { h.First, h.Last = ns(2*time.Hour), ns(3*time.Hour); h.Sent = h.Last }), text("new"), 2, told, day.Add(3*time.Hour))
	f.Add(head("c", 1), text("old too"), 3, day, day)
	batches, _ := f.Take()
	g := batches[0].Groups[0]
	assert.Equal(t, []any{3, "new", day.Add(2 * time.Hour), day.Add(3 * time.Hour)}, []any{g.Count, g.Message, g.First, g.Last})
}

func TestTextsThatCantBeRead(t *testing.T) {
	f := New()
	f.Add(head("a", 3, func(h *value.Head) { h.Users = []byte{0xff} }), []byte("{"), 1, day, day)
	batches, bad := f.Take()
	assert.Len(t, bad, 1)
	assert.Equal(t, 3, batches[0].Groups[0].Count)
	assert.NotEmpty(t, batches[0].Groups[0].Message)
}

// TestWhatIsNoNews: a count that comes again, or late, makes no group younger or
// older, and takes no value's place.
func TestWhatIsNoNews(t *testing.T) {
	direct := func(h *value.Head) { h.Direct = h.Total }
	for _, tc := range []struct {
		name  string
		first *value.Head
	}{
		{"told by the leader", head("a", 5)},
		{"all of it told directly", head("a", 5, direct)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := New()
			assert.Equal(t, tc.first.Direct == 0, f.Add(tc.first, text("x"), 7, day, day))
			assert.False(t, f.Add(tc.first, text("x"), 5, day.Add(-time.Hour), day.Add(-time.Hour)))
			assert.Equal(t, []uint64{7}, f.Old(day.Add(time.Second), 9))
			assert.False(t, f.Add(tc.first, text("x"), 8, day.Add(time.Hour), day.Add(time.Hour)))
			f.Take()
			assert.Empty(t, f.Idle(day), "it isn't older")
			assert.Len(t, f.Idle(day.Add(time.Second)), 1, "nor younger")

			f.Add(head("b", 1), text("x"), 9, day, day.Add(-time.Hour)) // its clock, or its way, is slow
			f.Take()
			assert.Empty(t, f.Idle(day))
		})
	}
}

func TestForgetting(t *testing.T) {
	f := New()
	f.Told(Name{"c", "gone"}, 9, day)
	f.Add(head("a", 1), text("m"), 1, day, day)
	f.Add(head("b", 1), text("m"), 2, day.Add(time.Hour), day.Add(time.Hour))
	f.Add(head("a", 2, func(h *value.Head) { h.Fingerprint = "g" }), text("m"), 3, day.Add(2*time.Hour), day.Add(2*time.Hour))
	assert.Equal(t, []Name{{"c", "gone"}}, f.Unpublished())
	groups, pairs := f.Size()
	assert.Equal(t, []int{2, 3}, []int{groups, pairs})
	assert.Empty(t, f.Idle(day.Add(5*time.Hour)), "what has not been handed out is not idle")
	counts(t, f)
	assert.Equal(t, []Name{{"c", "f"}}, f.Idle(day.Add(90*time.Minute)))
	old := f.Old(day.Add(90*time.Minute), 10)
	slices.SortFunc(old, cmp.Compare)
	assert.Equal(t, []uint64{1, 2}, old)
	assert.Len(t, f.Old(day.Add(90*time.Minute), 1), 1)
	f.Forget(Name{"c", "f"})
	f.Add(head("a", 4), text("m"), 5, day, day)
	assert.Equal(t, map[string]int{"c/f": 4}, counts(t, f), "what was forgotten begins anew")
}

// BenchmarkAdd is one value read and counted, of 10,000 processes that go on
// counting.
func BenchmarkAdd(b *testing.B) {
	const processes = 10_000
	bt := slackalert.Batch{Channel: "C0123456789", Service: "shop"}
	g := slackalert.Group{Fingerprint: "0123456789abcdef", Message: "payment failed", Error: "no route to host", First: day, Last: day}
	subjects, values := make([]string, 2*processes), make([][]byte, 2*processes)
	for i := range subjects {
		g.Total, g.Run, bt.Host = i, fmt.Sprint(i%processes), fmt.Sprint("web-", i%processes)
		subjects[i] = value.Subject("S", &bt, &g, "")
		values[i], _ = value.New(&bt, &g, "", 0, day) // its error is of JSON
	}
	f := New()
	for i := 0; b.Loop(); i++ {
		h, text, err := value.Parse("S", subjects[i%len(subjects)], values[i%len(values)])
		if err != nil {
			b.Fatal(err)
		}
		f.Add(&h, text, uint64(i), day, day)
	}
}
