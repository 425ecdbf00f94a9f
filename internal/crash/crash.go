// This file has what ends a process written down, and tells it to the next one.

// Package crash catches what the runtime says when it ends the process: an
// unrecovered panic, a fatal error, a signal that nobody handles. It stands in a
// file in a folder, from which the next process on that folder reads it. Nothing
// stands there after SIGKILL, SIGTERM, os.Exit or a normal end, nor when C code
// dies on a thread of its own, which doesn't come to Go's runtime.
//
// What is caught is the output that [debug.SetCrashOutput] is for. There is one
// of it in a process: whoever sets it last has it. GOTRACEBACK says how much it
// holds; with none it holds the values of panics alone, and fatal errors are
// not told.
//
// # Format
//
// RUN.crash, of package owned: after its beginning stands what the runtime
// wrote. A line of 96 bytes in between, "told" and blanks behind, names the panic
// that was told last: its goroutine, and the two words of its value.
package crash

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"example.com/slackalert/internal/owned"
)

const (
	kind     = "crash"
	toldLine = "told "
	maxRead  = 64 << 10 // of what the runtime wrote
)

// Catcher is a process's file. A nil Catcher catches nothing.
type Catcher struct{ f *owned.File } // held for its lock

// latest is what the runtime writes to, if anything is: of several Catchers in a
// process, the last one.
var (
	mu     sync.Mutex // held while another becomes the latest
	latest atomic.Pointer[Catcher]
)

// Catch makes dir, 0700, if it is missing, and has the runtime write what ends
// the process into a file in it. It lasts until the process ends, or another
// Catch: also what comes after a handler's Shutdown is caught, such as the panic
// that called it.
func Catch(dir string, owner owned.Owner) (*Catcher, error) {
	mu.Lock()
	defer mu.Unlock()
	f, err := owned.Create(dir, kind, owner)
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(toldOf("")); err == nil {
		err = debug.SetCrashOutput(f.File, debug.CrashOptions{})
	}
	if err != nil {
		return nil, errors.Join(err, f.Remove())
	}
	c := &Catcher{f}
	if old := latest.Swap(c); old != nil {
		_ = old.f.Remove() // nobody writes to it any more
	}
	return c, nil
}

// toldOf is the line that names a panic, in a length that can be written over.
func toldOf(mark string) []byte { return fmt.Appendf(nil, "%s%-90.90s\n", toldLine, mark) }

// Told notes that a panic has been told, or is kept elsewhere to be told: should
// it go on and end the process, the next start doesn't tell it. mark is its
// goroutine's number, and the two words of its value as a trace has them.
func (c *Catcher) Told(mark string) {
	if c != nil {
		f := latest.Load().f
		_, _ = f.WriteAt(toldOf(mark), f.Begun) // else it is told twice
	}
}

// NewWatch tells what ended other processes of the service, now, and each minute
// what ends one meanwhile, until Close. A file is removed when tell has
// returned; a crash may be told twice, if the process is killed in between.
// report hears once of each file that can't be read, and that somebody removed
// the own one: another isn't made, for the output may be the program's own by now.
func NewWatch(dir, service string, own *Catcher, tell func(Report), report func(msg string, args ...any)) *owned.Watch {
	s := owned.Sweeper{Dir: dir, Kind: kind, Service: service, Say: func(path string, err error) {
		if path != dir { // of which the spool speaks
			report("slackalert: a crash can't be read", "file", path, "error", err.Error())
		}
	}}
	return owned.NewWatch(func() {
		if own != nil && own == latest.Load() && !own.f.There() {
			report("slackalert: the file for what ends this process was removed, the next start won't tell it", "file", own.f.Path)
			own = nil
		}
		s.Sweep(func(f *owned.File) error {
			text, err := io.ReadAll(io.NewSectionReader(f, f.Begun, maxRead))
			if err != nil {
				return err
			}
			if r, ok := parse(string(text)); ok {
				r.Owner = f.Owner
				if info, err := f.Stat(); err == nil {
					r.At = info.ModTime().UTC()
				}
				tell(r)
			}
			return errors.Join(f.Truncate(f.Begun), f.Remove()) // in a folder that can't be written the file stays
		})
	})
}
