//go:build unix

package spool

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"example.com/slackalert/internal/owned"
	"github.com/stretchr/testify/require"
)

// truth is what a child did, in memory that it shares with the test: it is not
// killed with it. Each number is raised before an act, and its second after.
type truth struct {
	kinds atomic.Uint64 // begun
	kind  [4096]struct {
		tried, done         atomic.Uint64 // alerts
		tellTried, tellDone atomic.Uint64 // of those, told
		dropTried           atomic.Uint64
	}
}

func mapTruth(path string) (*truth, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Truncate(int64(unsafe.Sizeof(truth{}))); err != nil {
		return nil, err
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(unsafe.Sizeof(truth{})), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return (*truth)(unsafe.Pointer(&b[0])), nil
}

// kindData is the example of a kind; Pad makes it as long as a real one's, and
// Version another.
type kindData struct {
	Run     string
	Kind    int
	Version int
	Pad     string
}

func (k kindData) encode() []byte {
	k.Pad = string(make([]byte, 20*max(k.Kind%50, 0))) // \u0000 each: up to 6 kB
	data, _ := json.Marshal(k)
	return data
}

func init() { jobs["load"] = load }

// load begins 40 kinds a second and repeats them, tells them, gives them other
// examples and forgets them, until it is killed. It takes over what others left,
// and holds it.
func load(args []string) error {
	dir, run := args[0], args[1]
	tr, err := mapTruth(filepath.Join(filepath.Dir(dir), run+".truth"))
	if err != nil {
		return err
	}
	st, err := Open(dir, owned.Owner{Service: "shop", Run: run}, func(msg string, args ...any) { fmt.Fprintln(os.Stderr, msg, args) })
	if err != nil {
		return err
	}
	st.Adopt(func(all []Left) {
		for _, r := range records(all) {
			r.Slot.Told(r.Told)
		}
	})
	type kind struct {
		slot *Slot
		n    atomic.Uint64
	}
	var kinds [4096]kind
	var begun atomic.Int64 // as tr.kinds, but where the race detector sees it
	count := func(i int) {
		k, t := &kinds[i], &tr.kind[i]
		t.tried.Add(1)
		if n := k.n.Add(1); Due(n) {
			k.slot.Count(n, time.Now().UnixNano(), false)
		}
		t.done.Add(1)
	}
	pick := func() int { return rand.IntN(int(begun.Load())+1) - 1 } // -1: none
	for range 2 {
		go func() {
			for ; ; time.Sleep(20 * time.Microsecond) {
				for range 20 {
					if i := pick(); i >= 0 {
						count(i)
					}
				}
			}
		}()
	}
	go func() {
		for version := 1; ; time.Sleep(500 * time.Microsecond) {
			i := pick()
			data := kindData{Run: run, Kind: i, Version: version}.encode()
			for range 10 { // so that many a kill strikes between two writes
				if i >= 0 {
					kinds[i].slot.Put(data)
				}
			}
			version++
		}
	}()
	go func() {
		for ; ; time.Sleep(10 * time.Millisecond) {
			i := pick()
			if i < 0 {
				continue
			}
			k, t := &kinds[i], &tr.kind[i]
			if rand.IntN(10) == 0 {
				t.dropTried.Store(1)
				k.slot.Drop()
				continue
			}
			n := k.n.Load()
			t.tellTried.Store(n)
			k.slot.Told(Told{Alerts: n, Posted: 1, ID: "an id", Ref: "a reference"})
			t.tellDone.Store(n)
		}
	}()
	for i := range kinds {
		tr.kind[i].tried.Add(1)
		kinds[i].n.Store(1)
		kinds[i].slot = st.Put(kindData{Run: run, Kind: i}.encode(), 1, 1)
		tr.kind[i].done.Add(1)
		tr.kinds.Add(1)
		begun.Add(1)
		time.Sleep(25 * time.Millisecond)
	}
	return nil
}

// kills is how many processes the tests kill, three quarters of them in one
// folder with others.
func kills(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("SPOOL_KILLS"))
	if err != nil {
		return 20
	}
	require.Positive(t, n)
	return n
}

// figures is what the kills came to.
type figures struct {
	mu                  sync.Mutex
	kills, kinds, twice int
	alerts              uint64
	worst               float64 // of what is written of what was counted
}

// check compares what is found with what a child did.
func (f *figures) check(t *testing.T, tr *truth, run string, found map[string]Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kills++
	for i := range int(tr.kinds.Load()) {
		k := &tr.kind[i]
		r, ok := found[run+"/"+strconv.Itoa(i)]
		if !ok {
			require.NotZero(t, k.dropTried.Load(), "kind %d is lost", i)
			continue
		}
		f.kinds++
		f.alerts += k.done.Load()
		require.LessOrEqual(t, r.Alerts, k.tried.Load(), "kind %d", i)
		require.GreaterOrEqual(t, 5*r.Alerts, 4*k.done.Load(), "kind %d", i)
		if k.done.Load() < everyAlert {
			require.GreaterOrEqual(t, r.Alerts, k.done.Load(), "kind %d", i)
		}
		require.Equal(t, r.Alerts >= everyAlert, r.Least)
		f.worst = min(f.worst, float64(r.Alerts)/float64(k.done.Load()))
		require.GreaterOrEqual(t, r.Told.Alerts, k.tellDone.Load(), "kind %d", i)
		require.LessOrEqual(t, r.Told.Alerts, k.tellTried.Load(), "kind %d", i)
		if r.Told.Alerts > 0 {
			require.Equal(t, Told{Alerts: r.Told.Alerts, Posted: 1, ID: "an id", Ref: "a reference"}, r.Told)
		}
	}
}

// gather adopts all, as the process after the kills does.
func (f *figures) gather(t *testing.T, dir string) map[string]Record {
	st, h := open(t, dir, "after")
	found := map[string]Record{}
	st.Adopt(func(all []Left) {
		for _, r := range records(all) {
			var k kindData
			require.NoError(t, json.Unmarshal(r.Data, &k))
			name := k.Run + "/" + strconv.Itoa(k.Kind)
			if old, ok := found[name]; ok {
				f.mu.Lock()
				f.twice++
				f.mu.Unlock()
				if old.Alerts > r.Alerts {
					continue
				}
			}
			found[name] = r
		}
	})
	require.Empty(t, h.all())
	return found
}

// killed starts a child and kills it after a random time.
func killed(t *testing.T, dir, run string) *truth {
	cmd := child("load", dir, run)
	require.NoError(t, cmd.Start())
	time.Sleep(30*time.Millisecond + rand.N(300*time.Millisecond))
	require.NoError(t, cmd.Process.Kill())
	require.ErrorContains(t, cmd.Wait(), "killed", "it ended by itself")
	tr, err := mapTruth(filepath.Join(filepath.Dir(dir), run+".truth"))
	require.NoError(t, err)
	return tr
}

func TestKillsLoseNothing(t *testing.T) {
	f := figures{worst: 1}
	var wg sync.WaitGroup
	var alone atomic.Int64
	for range 4 {
		wg.Go(func() {
			for alone.Add(1) <= int64(kills(t)/4) {
				dir := filepath.Join(t.TempDir(), "spool")
				tr := killed(t, dir, "alone")
				f.check(t, tr, "alone", f.gather(t, dir))
			}
		})
	}
	// Three processes in one folder, each started again once: the others go on,
	// and what starts takes over what is left.
	for range (kills(t)*3/4 + 5) / 6 {
		dir := filepath.Join(t.TempDir(), "spool")
		truths := make([]*truth, 6)
		var three sync.WaitGroup
		for i := range 3 {
			three.Go(func() {
				for again := range 2 {
					truths[i+3*again] = killed(t, dir, fmt.Sprint("run", i+3*again))
				}
			})
		}
		three.Wait()
		found := f.gather(t, dir)
		for i, tr := range truths {
			f.check(t, tr, fmt.Sprint("run", i), found)
		}
	}
	wg.Wait()
	require.Positive(t, f.kinds)
	t.Logf("%d kills: %d kinds found, 0 lost, %d alerts, counts at least %.3f of the truth, %d examples twice", f.kills, f.kinds, f.alerts, f.worst, f.twice)
}

func init() { jobs["full"] = full }

// full lets files grow to a limit only, and takes the limit away.
func full(args []string) error {
	dir, after := args[0], make(chan string, 8)
	st, err := Open(dir, owned.Owner{Service: "shop", Run: "full"}, func(msg string, args ...any) { after <- msg })
	if err != nil {
		return err
	}
	limit := syscall.Rlimit{}
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	small := limit
	small.Cur = 300 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		return err
	}
	var slots []*Slot
	for i := range 40 {
		slots = append(slots, st.Put(kindData{Run: "full", Kind: i}.encode(), 1, 1))
	}
	kept := 0
	for _, s := range slots {
		s.Count(2, 2, false)
		if s.Kept() {
			kept++
		}
	}
	fmt.Println("kept", kept, "reports", len(after))
	if len(args) > 1 { // there is room again
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		if err := st.Sync(); err != nil {
			return err
		}
		fmt.Println("reports", len(after))
	}
	return syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

func TestAFullDisk(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		out  string
		kept int
	}{
		{"stays full", nil, "kept 19 reports 1\n", 19},
		{"has room again", []string{"again"}, "kept 19 reports 1\nreports 2\n", 40},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			out, err := child("full", append([]string{dir}, tt.args...)...).Output()
			require.IsType(t, &exec.ExitError{}, err)
			require.Equal(t, tt.out, string(out))
			_, _, found := adopted(t, dir, "after")
			require.Len(t, found, tt.kept)
			for _, r := range found {
				require.EqualValues(t, 2, r.Alerts)
			}
		})
	}
}

// A file system that is full, where the test may make one: then it is the disk
// that says so, and at the next start too.
func TestAFullFileSystem(t *testing.T) {
	dir := t.TempDir()
	mounted := exec.Command("mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", dir).Run() == nil
	if mounted {
		defer func() { require.NoError(t, exec.Command("umount", "-l", dir).Run()) }()
	}
	synctest.Test(t, func(t *testing.T) {
		st, h := open(t, dir, "one")
		kept := 0
		for i := range 100 {
			if st.Put(kindData{Kind: i}.encode(), 1, 1).Kept() {
				kept++
			}
		}
		require.Equal(t, mounted, kept < 100)
		require.Equal(t, mounted, len(h.all()) == 1)
		require.NoError(t, st.Close())

		st, h = open(t, dir, "two")
		var found []Record
		st.Adopt(func(all []Left) { found = all[0].Records })
		require.Len(t, found, kept)
		s := st.Put([]byte(`"new"`), 1, 1)
		require.Equal(t, mounted, !s.Kept())
		require.Equal(t, mounted, len(h.all()) == 1)
		for _, r := range found {
			r.Slot.Drop()
		}
		time.Sleep(61 * time.Second)
		synctest.Wait()
		require.True(t, s.Kept())
		require.Equal(t, mounted, len(h.all()) == 1)
		require.Equal(t, []string{"two.spool"}, files(t, dir))
		require.NoError(t, st.Close())
	})
}
