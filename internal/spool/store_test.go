package spool

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/slackalert/internal/owned"
	"github.com/stretchr/testify/require"
)

// corrupt writes b into a file at an offset.
func corrupt(t *testing.T, path string, at int64, b string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte(b), at)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestWhatCantBeAdoptedIsSaidOnceAndLeft(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, path string)
		found int
		said  string
		left  bool
	}{
		{"sound", func(*testing.T, string) {}, 3, "", true},
		{"foreign", func(t *testing.T, path string) { corrupt(t, path, 0, "SQLite format 3") }, 0, "none of slackalert's", true},
		{"empty", func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) }, 0, "none of slackalert's", true},
		{"newer", func(t *testing.T, path string) { corrupt(t, path, 17, "2") }, 0, `its format is "2"; want 1`, true},
		{"torn beginning", func(t *testing.T, path string) { corrupt(t, path, 40, "\x00\x00") }, 0, "its beginning is damaged", true},
		{"torn head", func(t *testing.T, path string) { corrupt(t, path, offset(1)+16, "\xff") }, 2, "1 of its slots are damaged, 2 are not", true},
		{"torn data", func(t *testing.T, path string) { corrupt(t, path, offset(2)+512, "?") }, 2, "1 of its slots are damaged, 2 are not", true},
		{"length gone mad", func(t *testing.T, path string) { corrupt(t, path, offset(0)+4, "\xff\xff\xff\xff") }, 2, "1 of its slots are damaged, 2 are not", true},
		{"short", func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, offset(1)+516)) }, 1, "1 of its slots are damaged, 1 are not", true},
		{"only a page", func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, owned.Begin)) }, 0, "", false},
		{"another service's", func(t *testing.T, path string) {
			corrupt(t, path, 0, "slackalert spool 1\n{\"service\":\"mail\",\"run\":\"one\"}\n")
		}, 0, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				st, _ := open(t, dir, "one")
				for range 3 {
					st.Put([]byte(`"a group's data"`), 2, 3)
				}
				require.NoError(t, st.Close())
				tt.spoil(t, filepath.Join(dir, "one.spool"))

				st, h := open(t, dir, "two")
				found := 0
				st.Adopt(func(all []Left) { found += len(all[0].Records) })
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				require.Equal(t, tt.found, found)
				if said := h.all(); tt.said == "" {
					require.Empty(t, said)
				} else {
					require.Len(t, said, 1)
					require.Contains(t, said[0], tt.said)
				}
				st.Put([]byte(`1`), 1, 1) // the program goes on
				require.NoError(t, st.Close())
				require.Equal(t, tt.left, strings.Contains(strings.Join(files(t, dir), " "), "one.spool"))
			})
		})
	}
}

func TestADamagedSlotGoesWithTheOthers(t *testing.T) {
	dir := t.TempDir()
	st, _ := open(t, dir, "one")
	st.Put([]byte(`1`), 1, 1)
	st.Put([]byte(`2`), 1, 1)
	require.NoError(t, st.Close())
	corrupt(t, filepath.Join(dir, "one.spool"), offset(0)+16, "\xff")
	st, _ = open(t, dir, "two")
	st.Adopt(func(all []Left) {
		require.Len(t, all[0].Records, 1)
		all[0].Records[0].Slot.Drop()
	})
	require.Equal(t, []string{"two.spool"}, files(t, dir))
}

func TestLooksAgainEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		old, _ := open(t, dir, "old")
		old.Put([]byte(`1`), 1, 1)
		st, h := open(t, dir, "new")
		var found atomic.Int64
		st.Adopt(func(all []Left) { found.Add(int64(len(all[0].Records))) })
		require.EqualValues(t, 0, found.Load(), "its owner lives")
		time.Sleep(61 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 0, found.Load(), "its owner lives")
		require.NoError(t, old.Close())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.EqualValues(t, 1, found.Load())
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.EqualValues(t, 1, found.Load(), "adopted twice")
		require.Empty(t, h.all())
		require.NoError(t, st.Close())
	})
}

func TestHalfMadeFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{"old.spool.new": 2 * time.Minute, "young.spool.new": time.Second, "other.new": time.Hour} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-age)))
	}
	adopted(t, dir, "one")
	require.Equal(t, []string{"one.spool", "other.new", "young.spool.new"}, files(t, dir))
}

func TestSomebodyRemovesTheFile(t *testing.T) {
	for name, remove := range map[string]func(dir string) error{
		"the file":   func(dir string) error { return os.Remove(filepath.Join(dir, "one.spool")) },
		"the folder": os.RemoveAll,
		"moves it":   func(dir string) error { return os.Rename(dir, dir+".old") },
	} {
		for when, next := range map[string]func(*Store) *Slot{
			"a new group": func(st *Store) *Slot { return st.Put([]byte(`"new"`), 1, 1) },
			"a minute":    func(*Store) *Slot { time.Sleep(61 * time.Second); synctest.Wait(); return nil },
		} {
			t.Run(name+", then "+when, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					dir := filepath.Join(t.TempDir(), "spool")
					st, h := open(t, dir, "one")
					st.Adopt(nil)
					a := st.Put([]byte(`"a"`), 1, 1)
					b := st.Put([]byte(`"b"`), 1, 1)
					require.NoError(t, remove(dir))
					a.Count(2, 2, false)
					next(st)
					b.Count(3, 3, false)
					require.Empty(t, h.all(), "nothing was lost")
					require.NoError(t, st.Close())
					_, _, found := adopted(t, dir, "two")
					require.EqualValues(t, 2, found[`"a"`].Alerts)
					require.EqualValues(t, 3, found[`"b"`].Alerts)
				})
			})
		}
	}
}

// What couldn't be moved yet outlives the file that it was in.
func TestSomebodyRemovesAFileThatWasTakenOver(t *testing.T) {
	dir := t.TempDir()
	st, _ := open(t, dir, "one")
	st.Put([]byte(`"a"`), 1, 1)
	require.NoError(t, st.Close())
	st, _, found := adopted(t, dir, "two")
	good := st.file.f
	bad := unwritable(t, st.file)
	slot := found[`"a"`].Slot
	slot.Move([]byte(`"a"`))
	require.NoError(t, os.Remove(filepath.Join(dir, "one.spool")))
	slot.Count(5, 5, false)
	require.False(t, slot.Kept())
	st.file.f = good
	require.NoError(t, bad.Close())
	require.NoError(t, st.Sync())
	require.True(t, slot.Kept())
	require.NoError(t, st.Close())
	_, _, found = adopted(t, dir, "three")
	require.EqualValues(t, 5, found[`"a"`].Alerts)
}

func TestAFolderThatCantBeMadeIsTriedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "spool")
		st, h := open(t, dir, "one")
		st.Adopt(nil)
		old := st.Put([]byte(`"old"`), 1, 1)
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.WriteFile(dir, nil, 0o600)) // a file where the folder was
		s := st.Put([]byte(`"new"`), 1, 1)
		require.Len(t, h.all(), 1)
		require.NoError(t, os.Remove(dir))
		other := st.Put([]byte(`"other"`), 1, 1)
		s.Count(2, 2, false)
		require.NoDirExists(t, dir, "tried again within the minute")
		time.Sleep(61 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"one.spool"}, files(t, dir))
		said := h.all()
		require.Len(t, said, 1)
		require.Contains(t, said[0], "written again")
		for _, s := range []*Slot{s, old, other} {
			require.True(t, s.Kept())
		}
		require.NoError(t, st.Close())
		_, _, found := adopted(t, dir, "two")
		require.Len(t, found, 3)
		require.EqualValues(t, 2, found[`"new"`].Alerts)
	})
}

// Who writes to the descriptor, such as the runtime to a standard error that was
// closed and became the file's, harms no slot.
func TestWhatOthersWriteStandsBehindTheSlots(t *testing.T) {
	dir := t.TempDir()
	st, _ := open(t, dir, "one")
	st.Put([]byte(`"kept"`), 1, 1)
	_, err := st.file.f.WriteString(strings.Repeat("panic: ", slotSize))
	require.NoError(t, err)
	require.NoError(t, st.Close())
	_, _, found := adopted(t, dir, "two")
	require.Contains(t, found, `"kept"`)
}

// unwritable has a file open for reading only.
func unwritable(t *testing.T, f *file) *owned.File {
	bad := *f.f
	var err error
	bad.File, err = os.Open(f.f.Path)
	require.NoError(t, err)
	f.f = &bad
	return &bad
}

// What can't be written, in whichever way, is written when it can.
func TestAFileThatCantBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		st, h := open(t, dir, "one")
		st.Adopt(nil)
		old := st.Put([]byte(`"old"`), 1, 1)
		changed := st.Put([]byte(`"before"`), 1, 1)
		good := st.file.f
		bad := unwritable(t, st.file)
		s := st.Put([]byte(`"new"`), 1, 1)
		dropped := st.Put([]byte(`"dropped"`), 1, 1)
		require.False(t, s.Kept())
		old.Count(2, 2, false)
		changed.Put([]byte(`"after"`))
		dropped.Drop()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Error(t, st.Sync())
		require.Len(t, h.all(), 1)

		st.file.f = good
		require.NoError(t, bad.Close())
		s.Count(3, 3, false)
		old.Count(4, 4, false)
		require.NoError(t, st.Sync())
		require.Len(t, h.all(), 1)
		require.NoError(t, st.Close())
		_, _, found := adopted(t, dir, "two")
		require.Len(t, found, 3)
		require.EqualValues(t, 4, found[`"old"`].Alerts)
		require.EqualValues(t, 3, found[`"new"`].Alerts)
		require.Contains(t, found, `"after"`)
	})
}

func TestManyGroupsThatCantBeWritten(t *testing.T) {
	st, h := open(t, t.TempDir(), "one")
	good := st.file.f
	bad := unwritable(t, st.file)
	var slots []*Slot
	for range 2 * Slots {
		slots = append(slots, st.Put([]byte(`1`), 1, 1))
	}
	require.Len(t, st.waiting, Slots, "what waits is bounded")
	require.Len(t, h.all(), 1)
	st.file.f = good
	require.NoError(t, st.Sync())
	require.Empty(t, st.waiting)
	require.Contains(t, h.all()[0], "written again")
	kept := slices.DeleteFunc(slots, func(s *Slot) bool { return !s.Kept() })
	require.Len(t, kept, Slots)

	st.file.f = bad
	kept[0].Count(2, 2, false)
	require.Len(t, h.all(), 1)
	require.Error(t, st.Sync())
	require.Empty(t, h.all(), "it isn't written again, though nothing waits")
	st.file.f = good
	require.NoError(t, bad.Close())
}

// A file that was removed and can't be copied is not made anew by half.
func TestAFileThatCantBeCopied(t *testing.T) {
	dir := t.TempDir()
	st, h := open(t, dir, "one")
	st.Put([]byte(`"old"`), 1, 1)
	require.NoError(t, os.Remove(st.file.f.Path))
	require.NoError(t, st.file.f.Close())
	s := st.Put([]byte(`"new"`), 1, 1)
	require.False(t, s.Kept())
	require.Len(t, h.all(), 1)
	require.Empty(t, files(t, dir))
}

// A slot is given to nobody else where the one before it couldn't be freed.
func TestAFileThatWasTakenOverCantBeWritten(t *testing.T) {
	dir := t.TempDir()
	st, _ := open(t, dir, "one")
	st.Put([]byte(`"old"`), 1, 1)
	require.NoError(t, st.Close())
	st, _, found := adopted(t, dir, "two")
	good := st.taken[0].f
	bad := unwritable(t, st.taken[0])
	found[`"old"`].Slot.Put([]byte(`"changed"`))
	st.Put([]byte(`"new"`), 1, 1)
	require.NoError(t, good.Close())
	require.NoError(t, bad.Close())
	_ = st.Close() // the file that was taken over is closed already
	_, _, found = adopted(t, dir, "three")
	require.Contains(t, found, `"changed"`)
	require.Contains(t, found, `"new"`)
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	for _, tt := range []struct {
		name, dir string
		owner     owned.Owner
		want      string
	}{
		{"a file for a folder", filepath.Join(dir, "file"), owned.Owner{Run: "one"}, "file"},
		{"a folder under a file", filepath.Join(dir, "file", "spool"), owned.Owner{Run: "one"}, "file"},
		{"a name too long", dir, owned.Owner{Run: strings.Repeat("r", 300)}, "name too long"},
		{"an owner too long", dir, owned.Owner{Run: "one", Host: strings.Repeat("h", 5000)}, "want less than 4096"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(tt.dir, tt.owner, nil)
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, []string{"file"}, files(t, dir))
		})
	}
}

// However many processes left a file, few are open at a time, and none stays.
func TestWhatIsMovedLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	const many = 2*atOnce + 1
	for i := range many {
		st, _ := open(t, dir, fmt.Sprint("old", i))
		st.Put(fmt.Appendf(nil, "%d", i), uint64(i+1), 3).Told(Told{Alerts: 1, ID: "batch"})
		require.NoError(t, st.Close())
	}
	st, _ := open(t, dir, "new")
	var all []Record
	st.Adopt(func(left []Left) {
		require.LessOrEqual(t, len(left), atOnce)
		for _, r := range records(left) {
			r.Slot.Move(append(r.Data, " moved"...))
			r.Slot.Move([]byte("again"))
			all = append(all, r)
		}
	})
	require.Len(t, all, many)
	require.Equal(t, []string{"new.spool"}, files(t, dir))
	all[0].Slot.Drop()
	all[0].Slot.Move(all[0].Data)
	require.NoError(t, st.Close())
	_, _, found := adopted(t, dir, "newer")
	require.Len(t, found, many-1)
	for _, r := range all[1:] {
		got := found[string(r.Data)+" moved"]
		require.Equal(t, r.Counts.Alerts, got.Alerts)
		require.Equal(t, r.Told, got.Told)
	}
}

// What can't be moved stays where it is, and what is newer is not moved over.
func TestWhatCantBeMovedStays(t *testing.T) {
	dir := t.TempDir()
	st, _ := open(t, dir, "one")
	st.Put([]byte(`"stays"`), 1, 1)
	st.Put([]byte(`"renewed"`), 1, 1)
	require.NoError(t, st.Close())
	st, _, found := adopted(t, dir, "two")
	good := st.file.f
	bad := unwritable(t, st.file)
	found[`"renewed"`].Slot.Put([]byte(`"new"`))
	for _, r := range found {
		r.Slot.Move(r.Data)
		require.True(t, r.Slot.Kept())
	}
	require.Equal(t, []string{"one.spool", "two.spool"}, files(t, dir))
	st.file.f = good
	require.NoError(t, st.Sync())
	require.NoError(t, bad.Close())
	require.NoError(t, st.Sync()) // what was moved is written, so the file may go
	require.Equal(t, []string{"two.spool"}, files(t, dir))
	require.NoError(t, st.Close())
	_, _, found = adopted(t, dir, "three")
	require.Len(t, found, 2)
	require.Contains(t, found, `"stays"`)
	require.Contains(t, found, `"new"`)
}

func TestAWholeFileIsMoved(t *testing.T) {
	dir := t.TempDir()
	st, _ := open(t, dir, "old")
	for range Slots {
		st.Put([]byte(`"left"`), 1, 1)
	}
	require.NoError(t, st.Close())
	st, heard := open(t, dir, "new")
	st.Adopt(func(left []Left) {
		for _, r := range records(left) {
			r.Slot.Move(r.Data)
		}
	})
	require.Equal(t, []string{"new.spool"}, files(t, dir))
	require.NoError(t, st.Close())
	require.Empty(t, heard.all())
}
