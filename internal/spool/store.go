// This file gives out slots, takes over the files of others, and notices what became of its own.

package spool

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/owned"
)

const (
	suffix   = ".spool"
	lookEach = time.Minute // for files whose owner has gone, for room on the disk, for a file that was removed
)

// Fsync waits until what was written to a file is on its disk. A test of who
// waits puts another in its place.
var Fsync = (*os.File).Sync

// Store is one process's spool. Its methods may be called by many goroutines.
type Store struct {
	dir    string
	owner  owned.Owner
	report func(msg string, args ...any) // trouble, once; called without a slot's lock or mu

	troubled atomic.Bool // base knows of a trouble that isn't over

	mu      sync.Mutex
	file    *file          // new groups go here
	taken   []*file        // taken over from others, and not empty yet
	waiting map[*Slot]bool // not on disk, but to be
	pause   time.Time      // no file is made before
	closed  bool

	looking sync.Mutex // held while one looks around; taken before mu
	timer   *time.Timer
	adopt   func([]Left)
	said    map[string]bool // files that report has heard of
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

var errFull = fmt.Errorf("spool: all its %d slots are taken", Slots)

// Open makes dir, 0700, if it is missing, and in it the file of this process.
// report is told of trouble, once when it begins and once when it is over; a full
// disk is trouble, what else is in the way is an error. An owner needs a Run of
// its own, which names the file.
func Open(dir string, owner owned.Owner, report func(msg string, args ...any)) (*Store, error) {
	st := &Store{dir: dir, owner: owner, report: report, waiting: map[*Slot]bool{}, said: map[string]bool{}}
	page, err := pageOf(owner)
	if err != nil {
		return nil, err
	}
	st.file = &file{path: filepath.Join(dir, owner.Run+suffix), page: page, made: true, free: make([]int, Slots)}
	for i := range st.file.free {
		st.file.free[i] = Slots - 1 - i
	}
	st.file.f, err = st.create(st.file)
	if err != nil && !owned.NoSpace(err) {
		return nil, err
	}
	if err != nil {
		st.pause = time.Now().Add(lookEach)
		st.failed(err)
	}
	st.looking.Lock() // tick reads timer
	defer st.looking.Unlock()
	st.timer = time.AfterFunc(lookEach, st.tick)
	return st, nil
}

// create makes a file that holds nothing but its first page.
func (st *Store) create(f *file) (*os.File, error) {
	if err := os.MkdirAll(st.dir, 0o700); err != nil {
		return nil, err
	}
	return owned.Create(f.path, f.page)
}

// Put keeps a group of n alerts, the last of them at last. It never fails: what
// can't be written waits in memory until it can, and report hears of it.
func (st *Store) Put(data []byte, n uint64, last int64) *Slot {
	if st == nil {
		return nil
	}
	s := st.New()
	s.raise(n, last)
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
func (st *Store) take() (*file, int, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return nil, 0, errClosed
	}
	f := st.file
	if err := st.keep(f); err != nil {
		return nil, 0, err
	}
	if len(f.free) == 0 {
		return nil, 0, errFull
	}
	i := f.free[len(f.free)-1]
	f.free = f.free[:len(f.free)-1]
	f.live++
	return f, i, nil
}

// give takes a slot back. A file that was taken over goes with its last one.
func (st *Store) give(f *file, i int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	f.live--
	if f.made {
		f.free = append(f.free, i)
		return
	}
	if f.live == 0 && !st.closed {
		st.taken = slices.DeleteFunc(st.taken, func(t *file) bool { return t == f })
		_ = f.remove() // empty: whoever finds it removes it
	}
}

// keep sees that a file is where it should be, and else makes it anew and copies
// what it holds. A failed attempt isn't repeated for a minute. st.mu is held.
func (st *Store) keep(f *file) error {
	if owned.Is(f.f, f.path) {
		return nil
	}
	if time.Now().Before(st.pause) {
		return errMissing
	}
	fresh, err := st.create(f)
	if err == nil {
		err = f.replace(fresh)
	}
	if err != nil {
		st.pause = time.Now().Add(lookEach)
		return fmt.Errorf("%w: %w", errMissing, err)
	}
	return nil
}

var errMissing = errors.New("spool: its file was removed")

// replace copies a file that nobody can find any more, slot by slot, and goes on
// with the copy.
func (f *file) replace(fresh *os.File) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.f == nil { // there never was room for one
		f.f = fresh
		return nil
	}
	b := make([]byte, slotSize)
	for i := range Slots {
		n, err := f.f.ReadAt(b, offset(i))
		if err != nil && err != io.EOF {
			_ = owned.Remove(fresh, f.path)
			return err
		}
		if n < headSize || length(b) == 0 {
			continue
		}
		if _, err := fresh.WriteAt(b[:min(n, headSize+length(b))], offset(i)); err != nil {
			_ = owned.Remove(fresh, f.path)
			return err
		}
	}
	_ = f.f.Close() // nobody can find it
	f.f = fresh
	return nil
}

// length is that of a slot's data; 0 = it is free, or torn.
func length(head []byte) int {
	n := le.Uint32(head[atLength:])
	if n > Room || crc32.Checksum(head[atLength:headSize], castle) != le.Uint32(head[atSum:]) {
		return 0
	}
	return int(n)
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
	st.report("slackalert: the spool can't be written, alerts that come now don't outlive the process", "dir", st.dir, "error", err.Error())
}

// tick looks after the store each minute.
func (st *Store) tick() {
	st.looking.Lock()
	defer st.looking.Unlock()
	st.mu.Lock()
	closed := st.closed
	st.mu.Unlock()
	if !closed {
		_ = st.Sync() // which says what it has to say
		st.look()
		st.timer.Reset(lookEach)
	}
}

// Sync makes files anew that somebody removed, writes what couldn't be written
// when it came, and waits until all is on the disk. Its error was told to
// report, unless that knows of one already.
func (st *Store) Sync() error {
	if st == nil {
		return nil
	}
	st.mu.Lock()
	files := append([]*file{st.file}, st.taken...)
	var err error
	for _, f := range files {
		err = errors.Join(err, st.keep(f))
	}
	st.mu.Unlock()
	err = errors.Join(err, st.retry())
	for _, f := range files {
		err = errors.Join(err, f.sync())
	}
	st.failed(err)
	if err == nil && st.troubled.Swap(false) {
		st.report("slackalert: the spool is written again", "dir", st.dir)
	}
	return err
}

// retry writes what waits. Where nothing does, it tries whether it could.
func (st *Store) retry() error {
	if !st.troubled.Load() {
		return nil
	}
	st.mu.Lock()
	waiting := slices.Collect(maps.Keys(st.waiting))
	st.mu.Unlock()
	err := st.file.writeAt(st.file.page, 0)
	for _, s := range waiting {
		s.mu.Lock()
		if s.data != nil {
			err = errors.Join(err, s.place(s.data))
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return err
}

func (f *file) sync() error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.f == nil {
		return nil
	}
	return Fsync(f.f)
}

// Adopt calls adopt with what processes of the same service left behind, if
// there is any, and then each minute with what is left behind meanwhile, until
// Close. Each record's slot is this process's from then on; with the last that
// is dropped the file is removed. A group that was given another example when
// its process was killed may come twice, in two files or calls even: the larger
// counts hold. Files of other services are left to them.
func (st *Store) Adopt(adopt func([]Left)) {
	st.looking.Lock()
	defer st.looking.Unlock()
	st.adopt = adopt
	st.look()
}

// look takes over the files whose owner is gone. st.looking is held.
func (st *Store) look() {
	if st.adopt == nil {
		return
	}
	entries, err := os.ReadDir(st.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		st.sayOnce(st.dir, err)
	}
	var all []Left
	for _, e := range entries {
		switch path := filepath.Join(st.dir, e.Name()); {
		case !e.Type().IsRegular() || st.mine(path):
		case strings.HasSuffix(path, suffix):
			if left := st.takeOver(path); len(left.Records) > 0 {
				all = append(all, left)
			}
		case strings.HasSuffix(path, suffix+owned.Making):
			owned.Tidy(path)
		}
	}
	if len(all) > 0 {
		st.adopt(all)
	}
}

// mine says whether this process owns a file already.
func (st *Store) mine(path string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return path == st.file.path || slices.ContainsFunc(st.taken, func(f *file) bool { return f.path == path })
}

// sayOnce tells of a file that can't be adopted.
func (st *Store) sayOnce(path string, err error) {
	if !st.said[path] {
		st.said[path] = true
		st.report("slackalert: a spool can't be adopted", "file", path, "error", err.Error())
	}
}

// takeOver adopts one file, if its owner is gone and was of this service.
// st.looking is held.
func (st *Store) takeOver(path string) (left Left) {
	g, err := owned.Take(path)
	switch {
	case errors.Is(err, owned.ErrHeld), errors.Is(err, fs.ErrNotExist):
		return left
	case err != nil:
		st.sayOnce(path, err)
		return left
	}
	f := &file{path: path, f: g}
	if left.Owner, f.page, err = readOwner(g); err == nil && left.Owner.Service == st.owner.Service {
		left.Records, err = st.readAll(f)
	}
	switch {
	case err != nil:
		st.sayOnce(path, err)
		_ = g.Close() // nothing was written
		return Left{}
	case left.Owner.Service != st.owner.Service:
		_ = g.Close() // nothing was written
		return Left{}
	case len(left.Records) == 0:
		_ = f.remove() // or the next to look does
		return Left{}
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.taken = append(st.taken, f)
	return left
}

// readAll reads a file that is to be taken over. st.looking is held.
func (st *Store) readAll(f *file) ([]Record, error) {
	records, torn, err := st.read(f)
	if torn > 0 {
		st.sayOnce(f.path, fmt.Errorf("%d of its slots are damaged, %d are not", torn, len(records)))
	}
	return records, err
}

// read reads the slots that are taken, and counts those that are damaged.
func (st *Store) read(f *file) (records []Record, torn int, err error) {
	var head [headSize]byte
	for i := range Slots {
		n, err := f.f.ReadAt(head[:], offset(i))
		if err != nil && err != io.EOF {
			return nil, 0, err
		}
		if n < headSize {
			break
		}
		if head == [headSize]byte{} {
			continue
		}
		data := make([]byte, length(head[:]))
		if _, err := f.f.ReadAt(data, offset(i)+headSize); err != nil && err != io.EOF {
			return nil, 0, err
		}
		if len(data) == 0 || crc32.Checksum(data, castle) != le.Uint32(head[atDataSum:]) {
			torn++
			continue
		}
		c := counts(head[:])
		if c.Least {
			le.PutUint32(head[atFlags:], least)
		}
		s := &Slot{store: st, file: f, at: i, head: head}
		s.earlier.Store(c.Alerts)
		records = append(records, Record{Slot: s, Data: data, Counts: c})
	}
	f.live = len(records)
	return records, torn, nil
}

// Close removes the files that hold nothing, gives up the others, on disk, to
// whoever comes next, and ends Adopt. Slots do nothing from then on. A second
// Close does nothing.
func (st *Store) Close() error {
	if st == nil {
		return nil
	}
	st.looking.Lock()
	defer st.looking.Unlock()
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return nil
	}
	st.closed = true
	st.timer.Stop()
	var errs []error
	for _, f := range append(st.taken, st.file) {
		if f.live == 0 && f.made {
			errs = append(errs, f.remove())
		} else {
			errs = append(errs, f.close())
		}
	}
	return errors.Join(errs...)
}

// close leaves the file to whoever comes next.
func (f *file) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.f
	f.f = nil
	if g == nil {
		return nil
	}
	return errors.Join(Fsync(g), g.Close())
}
