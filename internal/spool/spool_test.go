package spool

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/slackalert/internal/owned"
	"github.com/stretchr/testify/require"
)

func TestDueKeepsEightNinths(t *testing.T) {
	written, writes := uint64(0), 0
	for n := uint64(1); n <= 1<<20; n++ {
		if Due(n) {
			written = n
			writes++
		}
		if 9*written < 8*n {
			t.Fatalf("%d of %d are written", written, n)
		}
		if n == 16 {
			require.Equal(t, 16, writes)
		}
	}
	require.Equal(t, 16+16*8, writes)
	require.True(t, Due(1<<63))
	require.False(t, Due(1<<64-1))
}

func TestWhatWasWrittenIsFound(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "spool")
	st, _ := open(t, dir, "one")
	a := st.Put([]byte(`"a"`), 1, 10)
	a.Count(2, 20, false)
	b := st.Put([]byte(`"b"`), 1, 10)
	b.Count(40, 50, false)
	b.Told(Told{Alerts: 30, Before: 7, Posted: 45, Interval: time.Hour, Groups: 3, ID: "batch", Ref: "C1/1.5"})
	c := st.Put([]byte(`"c"`), 1, 10)
	c.Count(40, 50, true)
	d := st.Put([]byte(`"d"`), 3, 0)
	d.Told(Told{Alerts: 5, Posted: 1, ID: strings.Repeat("i", 600), Ref: "r"})
	d.Drop()
	d.Count(9, 9, true)
	e := st.Put([]byte(`"e1"`), 3, 5)
	e.Told(Told{Alerts: 3, ID: strings.Repeat("i", 45), Ref: strings.Repeat("r", 143)})
	e.Put([]byte(`"e2"`))
	e.Count(4, 6, false)
	f := st.New()
	f.Count(2, 3, false)
	require.False(t, f.Kept())
	f.Put([]byte(`"f"`))
	f.Told(Told{Alerts: 9, ID: "i", Ref: strings.Repeat("r", 600)})
	require.True(t, a.Kept())
	require.False(t, d.Kept())

	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, "drwx------", info.Mode().String())
	info, err = os.Stat(filepath.Join(dir, "one.spool"))
	require.NoError(t, err)
	require.Equal(t, "-rw-------", info.Mode().String())
	require.NoError(t, st.Close())
	a.Count(100, 100, true)
	require.Nil(t, (*Store)(nil).Put(nil, 1, 1))

	_, owners, found := adopted(t, dir, "two")
	require.Len(t, owners, 1)
	require.Equal(t, owned.Owner{Service: "shop", Host: "web-1", PID: os.Getpid(), Run: "one", Build: "1a2b3c4"}, owners[0])
	got := map[string]Counts{}
	for data, r := range found {
		got[data] = r.Counts
	}
	require.Equal(t, map[string]Counts{
		`"a"`:  {Alerts: 2, Last: 20},
		`"b"`:  {Alerts: 40, Last: 50, Least: true, Told: Told{Alerts: 30, Before: 7, Posted: 45, Interval: time.Hour, Groups: 3, ID: "batch", Ref: "C1/1.5"}},
		`"c"`:  {Alerts: 40, Last: 50},
		`"e2"`: {Alerts: 4, Last: 6, Told: Told{Alerts: 3, ID: strings.Repeat("i", 45), Ref: strings.Repeat("r", 143)}},
		`"f"`:  {Alerts: 9, Last: 3, Told: Told{Alerts: 9}},
	}, got)
}

func TestAHeadNeverFalls(t *testing.T) {
	dir := t.TempDir()
	st, _ := open(t, dir, "one")
	s := st.Put([]byte(`1`), 1, 1)
	var wg sync.WaitGroup
	for g := range uint64(8) {
		wg.Go(func() {
			for n := range uint64(500) {
				s.Count(n*8+g, int64(n*8+g), false)
				if n%50 == 0 {
					s.Put([]byte(`1`))
				}
			}
		})
	}
	wg.Wait()
	s.Count(7, 7, false)
	s.Told(Told{Alerts: 5})
	s.Told(Told{Alerts: 3})
	require.NoError(t, st.Close())
	_, _, found := adopted(t, dir, "two")
	require.Equal(t, Counts{Alerts: 3999, Last: 3999, Told: Told{Alerts: 5}, Least: true}, found["1"].Counts)
}

func TestALeastCountStaysOne(t *testing.T) {
	dir := t.TempDir()
	st, _ := open(t, dir, "one")
	st.Put([]byte(`1`), 1, 1).Count(20, 1, false)
	require.NoError(t, st.Close())
	st, _, found := adopted(t, dir, "two")
	require.True(t, found["1"].Least)
	require.EqualValues(t, 20, found["1"].Slot.Earlier())
	found["1"].Slot.Inherit(21, 2)
	require.EqualValues(t, 21, found["1"].Slot.Earlier())
	found["1"].Slot.Count(21, 2, true)
	require.NoError(t, st.Close())
	_, _, found = adopted(t, dir, "three")
	require.Equal(t, Counts{Alerts: 21, Last: 2, Least: true}, found["1"].Counts)
}

// A count that was final is no longer so when it goes on.
func TestAFinalCountGoesOn(t *testing.T) {
	dir := t.TempDir()
	st, _ := open(t, dir, "one")
	st.Put([]byte(`1`), 1, 1).Count(20, 1, true)
	require.NoError(t, st.Close())
	st, _, found := adopted(t, dir, "two")
	require.False(t, found["1"].Least)
	found["1"].Slot.Count(21, 2, false)
	require.NoError(t, st.Close())
	_, _, found = adopted(t, dir, "three")
	require.True(t, found["1"].Least)
}

func TestNothingLeftNothingStays(t *testing.T) {
	dir := t.TempDir()
	st, _ := open(t, dir, "one")
	require.Equal(t, []string{"one.spool"}, files(t, dir))
	s := st.Put([]byte(`1`), 1, 1)
	st.Put([]byte(`2`), 1, 1).Drop()
	require.NoError(t, st.Close())
	require.NoError(t, st.Close())
	require.Equal(t, []string{"one.spool"}, files(t, dir))
	require.True(t, s.Kept())

	st, _, found := adopted(t, dir, "two")
	require.Len(t, found, 1)
	require.Equal(t, []string{"one.spool", "two.spool"}, files(t, dir))
	found["1"].Slot.Drop()
	require.NoError(t, st.Sync())
	require.Equal(t, []string{"two.spool"}, files(t, dir))
	require.NoError(t, st.Close())
	require.Empty(t, files(t, dir))
}

func TestTheFileIsBounded(t *testing.T) {
	dir := t.TempDir()
	st, h := open(t, dir, "one")
	data := bytes.Repeat([]byte("1"), Room)
	var slots []*Slot
	for range Slots {
		slots = append(slots, st.Put(data, 1, 1))
	}
	require.Empty(t, h.all())
	info, err := os.Stat(filepath.Join(dir, "one.spool"))
	require.NoError(t, err)
	require.EqualValues(t, 4096+1023*16384, info.Size())
	require.Less(t, info.Size(), int64(16<<20))

	more := st.Put([]byte(`"more"`), 1, 1)
	st.Put([]byte(`"and more"`), 1, 1).Drop()
	require.False(t, more.Kept())
	require.Len(t, h.all(), 1)
	slots[500].Drop()
	more.Count(2, 2, false)
	require.NoError(t, st.Sync())
	require.True(t, more.Kept())
	require.Contains(t, h.all()[0], "written again")
	st.Put(bytes.Repeat([]byte("1"), Room+1), 1, 1)
	require.Contains(t, h.all()[0], "15873 bytes of data; want 1 to 15872")

	require.NoError(t, st.Close())
	_, _, found := adopted(t, dir, "two")
	require.EqualValues(t, 2, found[`"more"`].Alerts)
}

// A file as it was written by this version's first build must be read for ever.
func TestTheFormatIsTheOneWrittenDown(t *testing.T) {
	dir := t.TempDir()
	st, _ := open(t, dir, "one")
	st.Put([]byte(`"x"`), 3, 4).Told(Told{Alerts: 1, Before: 2, Posted: 5, ID: "id", Ref: "ref"})
	b, err := os.ReadFile(filepath.Join(dir, "one.spool"))
	require.NoError(t, err)
	begin := `slackalert spool 1` + "\n" + `{"service":"shop","host":"web-1","pid":` + fmt.Sprint(os.Getpid()) +
		`,"start":"0001-01-01T00:00:00Z","run":"one","build":"1a2b3c4"}` + "\n\x00"
	require.Equal(t, begin, string(b[:len(begin)]))
	head := `{"alerts":3,"last":4,"told":{"alerts":1,"before":2,"posted":5,"interval":0,"groups":0,"id":"id","ref":"ref"},"length":3,"sum":763683701}` + "\x00"
	require.Equal(t, head, string(b[4100:4100+len(head)]))
	require.Equal(t, "\x64\x89\x66\xdc", string(b[4096:4100]))
	require.Equal(t, `"x"`, string(b[4096+512:]))
}
