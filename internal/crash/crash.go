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
// RUN.crash, of mode 0600, locked by its process: the line "slackalert crash 1",
// a line with the JSON of an owned.Owner, and what the runtime wrote. A line
// "told" in between says that the panic that follows has been told.
package crash

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/owned"
)

const (
	suffix   = ".crash"
	magic    = "slackalert crash 1\n"
	toldLine = "told\n"
	lookEach = time.Minute
	maxRead  = 64 << 10 // of what the runtime wrote
	maxOwner = 8 << 10
)

// Catcher is a process's file. A nil Catcher catches nothing.
type Catcher struct{ f *os.File } // held for its lock

// latest is the file that the runtime writes to, if any is: of several Catchers
// in a process, the last one's.
var latest atomic.Pointer[os.File]

// Catch makes dir, 0700, if it is missing, and has the runtime write what ends
// the process into a file in it. It lasts until the process ends: also what
// comes after a handler's Shutdown is caught, such as the panic that called it.
func Catch(dir string, owner owned.Owner) (*Catcher, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	who, err := json.Marshal(owner)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, owner.Run+suffix)
	f, err := owned.Create(path, []byte(magic+string(who)+"\n"))
	if err != nil {
		return nil, err
	}
	if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil {
		return nil, errors.Join(err, owned.Remove(f, path))
	}
	latest.Store(f)
	return &Catcher{f}, nil
}

// Told notes that the panic that is about to end the process has been told, or
// is kept elsewhere to be told. If no panic follows nothing comes of it.
func (c *Catcher) Told() {
	if c != nil {
		_, _ = latest.Load().WriteString(toldLine) // else it is told twice
	}
}

// Watcher looks for what ended other processes.
type Watcher struct {
	dir, service string
	tell         func(Report)
	report       func(msg string, args ...any)

	mu     sync.Mutex // held while it looks
	timer  *time.Timer
	closed bool
	said   map[string]bool // files that report has heard of
}

// Watch tells what ended other processes of the service, now, and each minute
// what ends one meanwhile, until Close. A file is removed when tell has
// returned; a crash may be told twice, if the process is killed in between.
// report hears once of each file that can't be read.
func Watch(dir, service string, tell func(Report), report func(msg string, args ...any)) *Watcher {
	w := &Watcher{dir: dir, service: service, tell: tell, report: report, said: map[string]bool{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(lookEach, w.again)
	w.look()
	return w
}

func (w *Watcher) again() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.look()
		w.timer.Reset(lookEach)
	}
}

// Close ends the watch, and waits until nothing is told any more. A nil Watcher
// has none.
func (w *Watcher) Close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.timer.Stop()
}

func (w *Watcher) look() {
	entries, _ := os.ReadDir(w.dir) // a folder that can't be read has nothing to tell
	for _, e := range entries {
		path := filepath.Join(w.dir, e.Name())
		if strings.HasSuffix(path, suffix+owned.Making) {
			owned.Tidy(path)
		}
		if !e.Type().IsRegular() || !strings.HasSuffix(path, suffix) {
			continue
		}
		if err := w.take(path); err != nil && !w.said[path] {
			w.said[path] = true
			w.report("slackalert: a crash can't be read", "file", path, "error", err.Error())
		}
	}
}

// take tells what one file holds, if its owner is gone and was of this service,
// and removes it.
func (w *Watcher) take(path string) error {
	f, err := owned.Take(path)
	switch {
	case errors.Is(err, owned.ErrHeld), errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	owner, text, err := read(f)
	if err != nil || owner.Service != w.service {
		_ = f.Close() // nothing was written
		return err
	}
	if r, ok := parse(text); ok {
		r.Owner, r.At = owner, modified(f)
		w.tell(r)
	}
	return owned.Remove(f, path)
}

// modified is when a file was written last.
func modified(f *os.File) time.Time {
	info, err := f.Stat()
	if err != nil {
		return time.Time{}
	}
	return info.ModTime().UTC()
}

// read returns whose file it is and what the runtime wrote.
func read(f *os.File) (owner owned.Owner, text string, err error) {
	b, err := io.ReadAll(io.LimitReader(f, maxOwner+maxRead))
	if err != nil {
		return owner, "", err
	}
	b, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok {
		return owner, "", errors.New("it is none of slackalert's, or of another version")
	}
	who, rest, ok := bytes.Cut(b, []byte("\n"))
	if !ok {
		return owner, "", errors.New("it ends too soon")
	}
	if err := json.Unmarshal(who, &owner); err != nil {
		return owner, "", fmt.Errorf("it doesn't say whose it is: %w", err)
	}
	return owner, string(rest[:min(len(rest), maxRead)]), nil
}
