// This file gives out slots, takes over the files of others, and notices what became of its own.

package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/owned"
)

const (
	kind   = "spool"
	pause  = time.Minute // before a file that couldn't be made is tried again
	atOnce = 64          // files that are taken over, and open, at a time
)

// Fsync waits until what was written to a file is on its disk. A test of who
// waits puts another in its place.
var Fsync = (*os.File).Sync

// Store is one process's spool. Its methods may be called by many goroutines.
type Store struct {
	owner   owned.Owner
	sweeper owned.Sweeper
	report  func(msg string, args ...any) // trouble, once; called without a slot's lock or mu
	watch   *owned.Watch                  // each minute; nil before Adopt
	file    *file                         // new groups go here

	troubled atomic.Bool // base knows of a trouble that isn't over

	mu      sync.Mutex
	free    []int          // slots of file
	taken   []*file        // taken over from others, and not empty yet
	waiting map[*Slot]bool // not on disk, but to be
	paused  time.Time      // no file is made before
	closed  bool
}

// Left is a file that a process left behind.
type Left struct {
	Owner   owned.Owner
	Records []Record
}

// Record is a group in it.
type Record struct {
	Slot *Slot // keeps it, and goes on keeping it
	Data []byte
	Counts
}

var (
	errFull    = fmt.Errorf("spool: all its %d slots are taken", Slots)
	errMissing = errors.New("spool: its file is missing")
)

// Open makes dir, 0700, if it is missing, and in it the file of this process.
// report is told of trouble, once when it begins and once when it is over; a full
// disk is trouble, what else is in the way is an error. An owner needs a Run of
// its own, which names the file.
func Open(dir string, owner owned.Owner, report func(msg string, args ...any)) (*Store, error) {
	st := &Store{owner: owner, report: report, waiting: map[*Slot]bool{}, file: &file{}, free: make([]int, Slots)}
	st.sweeper = owned.Sweeper{Dir: dir, Kind: kind, Service: owner.Service, Say: func(path string, err error) {
		report("slackalert: a spool can't be adopted", "file", path, "error", err.Error())
	}}
	for i := range st.free {
		st.free[i] = Slots - 1 - i
	}
	err := st.keep()
	if err != nil && !owned.NoSpace(err) {
		return nil, err
	}
	st.failed(err)
	return st, nil
}

// Put keeps a group of n alerts, the last of them at last. It never fails: what
// can't be written waits in memory until it can, and report hears of it. data is
// the slot's from then on.
func (st *Store) Put(data []byte, n uint64, last int64) *Slot {
	if st == nil {
		return nil
	}
	s := st.New()
	s.head.raise(n, last)
	s.Put(data)
	return s
}

// New returns a slot that is nowhere until it has its first example. What is
// counted until then is written down with that.
func (st *Store) New() *Slot {
	if st == nil {
		return nil
	}
	return &Slot{store: st}
}

// take gives out a slot. The file is looked for first: somebody may have
// removed it.
func (st *Store) take() (int, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return 0, errClosed
	}
	if err := st.keep(); err != nil {
		return 0, err
	}
	last := len(st.free) - 1
	if last < 0 {
		return 0, errFull
	}
	i := st.free[last]
	st.free = st.free[:last]
	return i, nil
}

// give takes a slot back.
func (st *Store) give(f *file, i int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if f == st.file {
		st.free = append(st.free, i)
	} else {
		f.live--
	}
}

// bury removes the files that were taken over and are empty now, once what was
// moved out of them is on the disk.
func (st *Store) bury() {
	var empty []*file
	st.mu.Lock()
	st.taken = slices.DeleteFunc(st.taken, func(f *file) bool {
		if f.live == 0 {
			empty = append(empty, f)
		}
		return f.live == 0
	})
	st.mu.Unlock()
	if len(empty) > 0 {
		_ = st.fsync()
	}
	for _, f := range empty {
		_ = f.end((*owned.File).Remove) // or whoever finds it does
	}
}

func (st *Store) fsync() error {
	return st.file.with(func(f *owned.File) error { return Fsync(f.File) })
}

// keep sees that the file is where it should be, and else makes it anew and
// copies what it holds. A failed attempt isn't repeated for a minute. st.mu is
// held.
func (st *Store) keep() error {
	if f := st.file.f; f != nil && f.There() {
		return nil
	}
	if time.Now().Before(st.paused) {
		return errMissing
	}
	fresh, err := owned.Create(st.sweeper.Dir, kind, st.owner)
	if err == nil {
		// Where the program has closed its standard error, this may be what the
		// runtime takes for it: what it writes there comes behind all slots.
		_, _ = fresh.Seek(offset(Slots), io.SeekStart)
		if err = st.file.replace(fresh); err == nil {
			return nil
		}
	}
	st.paused = time.Now().Add(pause)
	return err
}

// wait remembers that a slot's example is to be written, unless too many are.
func (st *Store) wait(s *Slot) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.waiting) >= Slots || st.closed {
		return false
	}
	st.waiting[s] = true
	return true
}

func (st *Store) unwait(s *Slot) {
	st.mu.Lock()
	defer st.mu.Unlock()
	delete(st.waiting, s)
}

// failed tells of trouble when it begins.
func (st *Store) failed(err error) {
	if err == nil || errors.Is(err, errClosed) || st.troubled.Swap(true) {
		return
	}
	st.report("slackalert: the spool can't be written, alerts that come now don't outlive the process", "dir", st.sweeper.Dir, "error", err.Error())
}

// Sync makes the file anew if somebody removed it, writes what couldn't be
// written when it came, and waits until all is on the disk. Its error was told
// to report, unless that knows of one already.
func (st *Store) Sync() error {
	if st == nil {
		return nil
	}
	return st.tend(true)
}

// tend is Sync, with or without waiting for the disk.
func (st *Store) tend(wait bool) (err error) {
	st.bury()
	st.mu.Lock()
	err = st.keep()
	waiting := slices.Collect(maps.Keys(st.waiting))
	st.mu.Unlock()
	for _, s := range waiting {
		s.mu.Lock()
		if s.data != nil && err == nil {
			err = s.place(s.data)
		}
		s.mu.Unlock()
	}
	if st.troubled.Load() { // nothing else may be left to try it with
		err = errors.Join(err, st.file.writeAt([]byte{0}, owned.Begin-1))
	}
	if wait {
		err = errors.Join(err, st.fsync())
	}
	st.failed(err)
	if err == nil && st.troubled.Swap(false) {
		st.report("slackalert: the spool is written again", "dir", st.sweeper.Dir)
	}
	return err
}

// Adopt calls adopt with what processes of the same service left behind, if
// there is any, and then each minute with what is left behind meanwhile, until
// Close. Each record's slot is this process's from then on; the file is removed
// when all are dropped, or moved by [Slot.Move]. A group that was given another
// example, or moved, when its process was killed may come twice, in two files or
// calls even: the larger counts hold. Files of other services are left to them.
// It may be called once.
func (st *Store) Adopt(adopt func([]Left)) {
	st.watch = owned.NewWatch(func() {
		_ = st.tend(false) // which says what it has to say
		var all []Left
		hand := func() {
			if len(all) > 0 {
				adopt(all)
				st.bury()
				all = nil
			}
		}
		st.sweeper.Sweep(func(g *owned.File) error {
			left, err := st.takeOver(g)
			if len(left.Records) > 0 {
				all = append(all, left)
			}
			if len(all) == atOnce {
				hand()
			}
			return err
		})
		hand()
	})
}

// takeOver reads the slots of a file whose owner is gone. One without any is
// removed.
func (st *Store) takeOver(g *owned.File) (Left, error) {
	f, left := &file{f: g}, Left{Owner: g.Owner}
	b, torn := make([]byte, slotSize), 0
	for i := range Slots {
		h, data, err := read(g, i, b)
		switch {
		case err == errTorn:
			torn++
		case err != nil:
			return Left{}, err
		case data != nil:
			h.Least = h.Least || !h.Exact && h.Alerts >= everyAlert
			s := &Slot{store: st, file: f, at: i, head: h}
			s.earlier.Store(h.Alerts)
			left.Records = append(left.Records, Record{Slot: s, Data: bytes.Clone(data), Counts: h.Counts})
		}
	}
	if torn > 0 {
		st.sweeper.Say(g.Path, fmt.Errorf("%d of its slots are damaged, %d are not", torn, len(left.Records)))
	}
	if f.live = len(left.Records); f.live == 0 {
		_ = g.Remove() // or the next to look does
		return left, nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.taken = append(st.taken, f)
	return left, nil
}

// Close removes the file if it holds nothing, gives up the others, on disk, to
// whoever comes next, and ends Adopt. Slots do nothing from then on. A second
// Close does nothing.
func (st *Store) Close() error {
	if st == nil {
		return nil
	}
	st.watch.Close()
	st.bury()
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return nil
	}
	st.closed = true
	leave := func(g *owned.File) error { return errors.Join(Fsync(g.File), g.Close()) }
	var err error
	for _, f := range st.taken {
		err = errors.Join(err, f.end(leave))
	}
	if len(st.free) == Slots {
		leave = (*owned.File).Remove
	}
	return errors.Join(err, st.file.end(leave))
}
