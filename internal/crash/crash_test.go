package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"example.com/slackalert/internal/owned"
	"github.com/stretchr/testify/require"
)

// childEnv names the end of a test binary that runs as another process.
const childEnv = "CRASH_TEST_CHILD"

func TestMain(m *testing.M) {
	end := os.Getenv(childEnv)
	if end == "" {
		os.Exit(m.Run())
	}
	c, err := Catch(os.Args[1], me)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if end == "toldByFirst" {
		second := me
		second.Run = "two"
		if _, err := Catch(os.Args[1], second); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	caught = c
	ways[end]()
	os.Exit(0)
}

var me = owned.Owner{Service: "shop", Host: "web-1", PID: 7, Run: "one", Build: "1a2b3c4", Start: time.Unix(1e9, 0).UTC()}

var caught *Catcher

// tell notes that a panic was told, by its value as a trace shows it.
func tell(v any) {
	words := *(*[2]uintptr)(unsafe.Pointer(&v))
	buf := make([]byte, 64)
	g, _, _ := strings.Cut(strings.TrimPrefix(string(buf[:runtime.Stack(buf, false)]), "goroutine "), " ")
	caught.Told(fmt.Sprintf("%s {%#x, %#x}", g, words[0], words[1]))
}

// tellAndGoOn is what a deferred function does that tells panics.
func tellAndGoOn() {
	v := recover()
	tell(v)
	panic(v)
}

// ways are ways to end.
var ways = map[string]func(){
	"normal": func() {},
	"exit":   func() { os.Exit(3) },
	"panic":  func() { defer cleanUp(); work("no such tenant") },
	"error":  func() { panic(errors.New("two\n\nlines\ngoroutine 7")) },
	"nil":    func() { var p *time.Time; fmt.Println(p.Year()) },
	"goroutine": func() {
		go func() { work("elsewhere") }()
		select {}
	},
	"told":        func() { defer tellAndGoOn(); panic("no such tenant") },
	"toldByFirst": func() { defer tellAndGoOn(); panic("no such tenant") },
	"told, and another": func() {
		defer func() { panic("while cleaning up") }()
		defer tellAndGoOn()
		panic("the first")
	},
	"told, and over": func() {
		why := any("the same")
		func() {
			defer func() { tell(recover()) }()
			panic(why)
		}()
		panic(why)
	},
	"told elsewhere": func() {
		why := any("the same")
		done := make(chan bool)
		go func() {
			defer close(done)
			defer func() { tell(recover()) }()
			panic(why)
		}()
		<-done
		defer func() { panic(recover()) }()
		panic(why)
	},
	"another told": func() {
		func() {
			defer func() { tell(recover()) }()
			panic("one")
		}()
		defer func() { panic(recover()) }()
		panic("another")
	},
	"again": func() {
		defer func() { panic(recover()) }()
		work("recovered")
	},
	"another": func() {
		defer func() { panic("while cleaning up") }()
		work("the first")
	},
	"map": func() {
		m := map[int]int{}
		for i := range 8 {
			go func() {
				for {
					m[i]++
				}
			}()
		}
		select {}
	},
	"stack":    func() { debug.SetMaxStack(1 << 20); fmt.Println(recurse(1)) },
	"unlock":   func() { new(sync.Mutex).Unlock() },
	"unlockRW": func() { new(sync.RWMutex).RUnlock() },
	"memory":   func() { hoard() },
}

func cleanUp() {}

//go:noinline
func work(why string) { panic(why) }

//
//lint:ignore SA5007 it is to overflow the stack
//go:noinline
func recurse(n int) int { return recurse(n+1) + n }

var hoarded [][]byte

func hoard() {
	leaveMemory()
	for {
		hoarded = append(hoarded, make([]byte, 64<<20))
	}
}

// end lets a child end in one of the ways and returns what stands in dir.
func end(t *testing.T, how, dir string) {
	how, level, _ := strings.Cut(how, " under ")
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), childEnv+"="+how, "GOTRACEBACK="+level)
	_ = cmd.Run() // it was to fail
}

// told is what the next process tells of dir.
func told(t *testing.T, dir string) []Report {
	reports := []Report{}
	w := NewWatch(dir, "shop", nil, func(r Report) { reports = append(reports, r) }, func(msg string, args ...any) { t.Error(msg, args) })
	w.Close()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
	return reports
}

func TestEachEnd(t *testing.T) {
	for _, tt := range []struct {
		end, cause, frame, stack string // cause: "" = nothing is told
	}{
		{"normal", "", "", ""},
		{"exit", "", "", ""},
		{"told", "", "", ""},
		{"toldByFirst", "", "", ""},
		{"told under none", "", "", ""},
		{"told under system", "", "", ""},
		{"told, and another", "panic: the first [recovered, repanicked]\n\tpanic: while cleaning up", "", ""},
		{"told, and over", "panic: the same", "", ""},
		{"told elsewhere", "panic: the same [recovered, repanicked]", "", ""},
		{"another told", "panic: another [recovered, repanicked]", "", ""},
		{"panic", "panic: no such tenant", "work", "crash.work"},
		{"error", "panic: two\n\t\n\tlines\n\tgoroutine 7", "init", ""},
		{"nil", "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV", "init", ""},
		{"goroutine", "panic: elsewhere", "work", "crash.work"},
		{"again", "panic: recovered [recovered, repanicked]", "", "crash.work"},
		{"another", "panic: the first\n\tpanic: while cleaning up", "", "crash.work"},
		{"map", "fatal error: concurrent access to a map that is written", "init", ""},
		{"stack", "fatal error: stack overflow", "recurse", "times)"},
		{"unlock", "fatal error: unlock of unlocked mutex", "init", "sync.(*Mutex).Unlock"},
		{"unlockRW", "fatal error: unlock of unlocked RWMutex", "init", "sync.(*RWMutex).RUnlock"},
		{"memory", "fatal error: out of memory", "hoard", ""},
		{"panic under system", "panic: no such tenant", "work", "crash.work"},
		{"map under system", "fatal error: concurrent access to a map that is written", "init", ""},
		{"stack under crash", "fatal error: stack overflow", "recurse", "times)"},
		{"unlock under all", "fatal error: unlock of unlocked mutex", "init", "sync.(*Mutex).Unlock"},
		{"unlock under system", "fatal error: unlock of unlocked mutex", "init", "sync.(*Mutex).Unlock"},
		{"unlockRW under system", "fatal error: unlock of unlocked RWMutex", "init", "sync.(*RWMutex).RUnlock"},
		{"memory under system", "fatal error: out of memory", "hoard", ""},
	} {
		t.Run(tt.end, func(t *testing.T) {
			t.Parallel()
			checkEnd(t, tt.end, tt.cause, tt.frame, tt.stack)
		})
	}
}

func checkEnd(t *testing.T, how, cause, frame, stack string) {
	dir := filepath.Join(t.TempDir(), "spool")
	end(t, how, dir)
	reports := told(t, dir)
	if cause == "" {
		require.Empty(t, reports)
		return
	}
	require.Len(t, reports, 1)
	r := reports[0]
	require.Equal(t, me, r.Owner)
	require.WithinDuration(t, time.Now(), r.At, time.Minute)
	require.True(t, strings.HasPrefix(r.Cause, cause), "%q", r.Cause)
	require.Contains(t, r.Source.Function, frame)
	require.Contains(t, r.Source.Function, "crash.", "its own")
	require.Contains(t, r.Source.File, "crash_")
	require.Positive(t, r.Source.Line)
	require.Contains(t, r.Stack, stack)
	for i, line := range strings.Split(r.Stack, "\n") {
		require.Equal(t, !strings.HasPrefix(line, "…") && i%2 == 1, strings.HasPrefix(line, "\t") && strings.Contains(line, ".go:"), r.Stack)
		require.False(t, strings.HasPrefix(line, "runtime."), r.Stack)
		if strings.HasPrefix(line, "…") {
			break // what follows has another beat
		}
	}
}

// C code dies on a thread of Go's, or on one that Go knows nothing of.
func TestEndsInC(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "dies")
	build := exec.Command("go", "build", "-o", bin, "./testdata/cgo")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		require.Contains(t, string(out), "C compiler", "only where there is none the program can't be built")
		return
	}
	for _, tt := range []struct{ end, cause string }{
		{"segv", "SIGSEGV: segmentation violation, in cgo"},
		{"abort", "SIGABRT: abort, in cgo"},
		{"thread", ""},
	} {
		t.Run(tt.end, func(t *testing.T) {
			dir := t.TempDir()
			require.Error(t, exec.Command(bin, dir, tt.end).Run())
			reports := told(t, dir)
			if tt.cause == "" {
				require.Empty(t, reports)
				return
			}
			require.Len(t, reports, 1)
			require.Equal(t, tt.cause, reports[0].Cause)
			require.Contains(t, reports[0].Source.Function, "main.")
		})
	}
}

func TestWatchesOthersEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		other, err := owned.Create(dir, kind, owned.Owner{Service: "shop", Run: "other"})
		require.NoError(t, err)
		mail, err := owned.Create(dir, kind, owned.Owner{Service: "mail", Run: "mail"})
		require.NoError(t, err)
		_, err = mail.WriteString("panic: not ours\n")
		require.NoError(t, err)
		require.NoError(t, mail.Close())
		require.NoError(t, os.WriteFile(filepath.Join(dir, "foreign.crash"), []byte("core dump"), 0o600))
		var tells, reports atomic.Int64
		w := NewWatch(dir, "shop", nil, func(r Report) {
			require.Equal(t, "panic: late", r.Cause)
			tells.Add(1)
		}, func(_ string, args ...any) {
			require.Contains(t, fmt.Sprint(args...), "foreign.crash")
			reports.Add(1)
		})
		require.Zero(t, tells.Load(), "its owner lives")
		_, err = other.WriteString("panic: late\n\ngoroutine 1 [running]:\n")
		require.NoError(t, err)
		require.NoError(t, other.Close())
		time.Sleep(61 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, tells.Load())
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.EqualValues(t, 1, tells.Load())
		require.EqualValues(t, 1, reports.Load())
		w.Close()
		require.NoFileExists(t, filepath.Join(dir, "other.crash"))
		require.FileExists(t, filepath.Join(dir, "mail.crash"))
		require.FileExists(t, filepath.Join(dir, "foreign.crash"))
	})
}

// A crash whose file can't be removed is told once.
func TestAFileThatStaysIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "spool")
		f, err := owned.Create(dir, kind, me)
		require.NoError(t, err)
		_, err = f.WriteString("panic: once\n")
		require.NoError(t, err)
		require.NoError(t, f.Close())
		tells := 0
		w := NewWatch(dir, "shop", nil, func(Report) {
			tells++
			require.NoError(t, os.Rename(dir, dir+".away")) // so that it can't be removed
		}, func(msg string, args ...any) { t.Error(msg, args) })
		require.NoError(t, os.Rename(dir+".away", dir))
		require.FileExists(t, f.Path)
		time.Sleep(5 * time.Minute)
		w.Close()
		require.Equal(t, 1, tells)
		require.NoFileExists(t, f.Path)
	})
}

func TestWhoRemovesTheFileIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, err := owned.Create(t.TempDir(), kind, me)
		require.NoError(t, err)
		own := &Catcher{f}
		defer latest.Store(latest.Swap(own))
		var said []string
		w := NewWatch(filepath.Dir(f.Path), "shop", own, nil, func(msg string, _ ...any) { said = append(said, msg) })
		require.NoError(t, f.Remove())
		time.Sleep(5 * time.Minute)
		w.Close()
		require.Len(t, said, 1)
		require.Contains(t, said[0], "was removed")
	})
}

// A program that makes handler after handler has one file of them, and the one
// that the runtime writes to.
func TestTheLatestCatcherAloneHasAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		defer func() { require.NoError(t, debug.SetCrashOutput(nil, debug.CrashOptions{})) }()
		defer latest.Store(nil)
		for i := range 5 {
			c, err := Catch(dir, owned.Owner{Service: "shop", Run: fmt.Sprint("run", i)})
			require.NoError(t, err)
			defer NewWatch(dir, "shop", c, nil, func(msg string, args ...any) { t.Error(msg, args) }).Close()
		}
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.Equal(t, "run4.crash", entries[0].Name())
		_, err = latest.Load().f.WriteString("it is open")
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.NoError(t, latest.Load().f.Remove())
	})
}

func TestReadsABoundedPart(t *testing.T) {
	dir := t.TempDir()
	long := `slackalert crash 1` + "\n" + `{"service":"shop"}` + "\npanic: long\n\ngoroutine 1 [running]:\n" + strings.Repeat("main.f(0x1)\n\t/src/f.go:1 +0x1\n", 1<<16)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "long.crash"), []byte(long), 0o600))
	r := told(t, dir)[0]
	require.Equal(t, "panic: long", r.Cause)
	require.Less(t, len(r.Stack), 200)
	require.Contains(t, r.Stack, "the same call 218")
}

func TestCatchSaysWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Catch(file, me)
	require.ErrorContains(t, err, file)
	(*Catcher)(nil).Told("1 {0x1, 0x2}")
}
