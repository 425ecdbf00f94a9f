// This file finds the files whose owner is gone.

package owned

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// errHeld says that a file's owner lives.
var errHeld = errors.New("its owner lives")

// take locks the file under path for reading and writing if its owner is gone.
// Of a file whose owner lives it returns errHeld, of one that was removed
// meanwhile an error that is [fs.ErrNotExist].
func take(path string) (*File, error) {
	g, err := lockOpen(path)
	if err != nil {
		return nil, err
	}
	f := &File{File: g, Path: path}
	if !f.There() {
		_ = f.Close() // somebody else took it, and was done with it
		return nil, &fs.PathError{Op: "take", Path: path, Err: fs.ErrNotExist}
	}
	return f, nil
}

// Sweeper takes over what processes of a service left in a folder. One goroutine
// uses it.
type Sweeper struct {
	Dir, Kind, Service string

	// Say hears of each file that can't be taken over, once, and so of Dir.
	Say func(path string, err error)

	said map[string]bool
}

// Sweep calls take with each file whose owner is gone. What take returns an
// error of is given up again; files of other services are left to them.
func (s *Sweeper) Sweep(take func(*File) error) {
	entries, err := os.ReadDir(s.Dir)
	s.say(s.Dir, err)
	for _, e := range entries {
		switch path := filepath.Join(s.Dir, e.Name()); {
		case !e.Type().IsRegular():
		case strings.HasSuffix(path, "."+s.Kind):
			s.say(path, s.one(path, take))
		case strings.HasSuffix(path, "."+s.Kind+making):
			tidy(path)
		}
	}
}

func (s *Sweeper) say(path string, err error) {
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errHeld) || s.said[path] {
		return
	}
	if s.said == nil {
		s.said = make(map[string]bool)
	}
	s.said[path] = true
	s.Say(path, err)
}

func (s *Sweeper) one(path string, use func(*File) error) error {
	f, err := take(path)
	if err != nil {
		return err
	}
	err = f.read(s.Kind)
	mine := err == nil && f.Owner.Service == s.Service
	if mine {
		err = use(f)
	}
	if !mine || err != nil {
		_ = f.Close() // nothing was written
	}
	return err
}

// tidy removes what is left, for more than a minute, of a file that a process
// was making when it was killed.
func tidy(path string) {
	info, err := os.Lstat(path)
	if err != nil || time.Since(info.ModTime()) < time.Minute {
		return
	}
	if f, err := take(path); err == nil {
		_ = f.Remove() // or the next to look does
	}
}

// Watch is what is done each minute.
type Watch struct {
	mu     sync.Mutex // held while it is done
	timer  *time.Timer
	closed bool
}

// NewWatch calls look, and then each minute until Close.
func NewWatch(look func()) *Watch {
	w := &Watch{}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(time.Minute, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.closed {
			look()
			w.timer.Reset(time.Minute)
		}
	})
	look()
	return w
}

// Close ends the watch, and waits for the look that is under way. A nil Watch has
// none.
func (w *Watch) Close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.timer.Stop()
}
