// This file keeps what a process must not forget, so that another finds it however the process ended.

// Package spool is a file of slots, one a group of alerts: its example, which
// is written once, and its counts, which are written over in place. What [Store.Put]
// and [Slot.Count] wrote outlives the process, killed or not, because it is
// with the system when they return; only [Store.Sync] waits for the disk, so a
// power cut may take the last second. There is no log, nothing is compacted,
// and nothing live is renamed.
//
// # Format 1
//
// One file a process, RUN.spool, of mode 0600, locked by its owner. All numbers
// are little endian, all checksums CRC-32C.
//
//	page 0, of 4,096 bytes: who wrote it
//	   0  "slackalert spool"
//	  16  uint32  format, 1
//	  20  uint32  length of the JSON
//	  24  uint32  checksum of the JSON
//	  28  JSON of an owned.Owner
//	then up to 1,023 slots of 16,384 bytes, sparse: 16,764,928 bytes at most
//	   0  uint32  checksum of the bytes 4 to 255
//	   4  uint32  length of the data; 0 = the slot is free
//	   8  uint32  checksum of the data
//	  12  uint32  1 = alerts is exact, 2 = it never can be again
//	  16  uint64  alerts
//	  24  int64   time of the last alert, Unix ns; 0 = unknown
//	  32  uint64  of the alerts, told
//	  40  uint64  of those, told before the message that told the last
//	  48  int64   when that message was posted, Unix ns; 0 = never
//	  56  uint8   length of the message's ID, at most 45, and the ID
//	 102  uint16  groups in the message; 0 = unknown
//	 104  int64   the interval before the next message, ns; 0 = unknown
//	 112  uint8   length of the message's reference, at most 143, and the reference
//	 256  data, at most 16,128 bytes: JSON, as its reader understands it
//
// A slot's data is written before its head, and neither crosses into another
// slot's page. The head lies within one page, so no kill tears it. A group's new
// example goes into another slot, with its counts, before the old one is freed:
// who finds both takes the larger counts. A slot that is all zero is free; one
// whose checksums are wrong was torn by a power cut, and is skipped.
package spool

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/bits"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/owned"
)

const (
	format   = 1
	pageSize = 4096
	slotSize = 16 << 10
	headSize = 256
	maxID    = 45
	maxRef   = 143

	// Slots is how many groups a file holds.
	Slots = 1023
	// Room is how long the data of a slot may be.
	Room = slotSize - headSize
)

const (
	atSum     = 0
	atLength  = 4
	atDataSum = 8
	atFlags   = 12
	atAlerts  = 16
	atLast    = 24
	atTold    = 32
	atBefore  = 40
	atPosted  = 48
	atID      = 56
	atGroups  = 102
	atNext    = 104
	atRef     = 112
)

const (
	exact = 1 << 0
	least = 1 << 1
)

// everyAlert is up to where each alert is written down.
const everyAlert = 16

var (
	magic  = []byte("slackalert spool")
	castle = crc32.MakeTable(crc32.Castagnoli)
	le     = binary.LittleEndian
)

// Counts is what is known of a group's alerts.
type Counts struct {
	Alerts uint64
	Last   int64 // time of the last, Unix ns; 0 = unknown
	Told   Told
	Least  bool // Alerts may be more: the process was killed while it counted
}

// Told is what was told of a group's alerts, and where.
type Told struct {
	Alerts   uint64        // told in all
	Before   uint64        // of those, told before the message
	Posted   int64         // when the message was, Unix ns; 0 = never
	Interval time.Duration // before the next; 0 = unknown
	Groups   int           // in the message; 0 = unknown
	ID       string        // of its batch
	Ref      string        // by which it can be edited; "" = it can't
}

// Due reports whether the n-th alert that a process counts of a group must be
// written down: each of the first 16, then eight for each doubling. So what is
// written is at least 8/9 of what was counted. It costs next to nothing and may
// be asked for each alert.
func Due(n uint64) bool {
	return n <= everyAlert || n&(1<<(bits.Len64(n)-4)-1) == 0
}

// Fit encodes v as JSON that a slot has room for. While it has none, it calls
// the next of less, each of which makes v smaller, and encodes again.
func Fit(v any, less ...func()) ([]byte, error) {
	for {
		data, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		if len(data) <= Room {
			return data, nil
		}
		if len(less) == 0 {
			return nil, fmt.Errorf("spool: %d bytes of JSON; want at most %d", len(data), Room)
		}
		less[0]()
		less = less[1:]
	}
}

// pageOf is the first page of a file.
func pageOf(o owned.Owner) ([]byte, error) {
	data, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	b := make([]byte, pageSize)
	if len(data) > pageSize-28 {
		return nil, fmt.Errorf("spool: the owner's names have %d bytes; want at most %d", len(data), pageSize-28)
	}
	copy(b, magic)
	le.PutUint32(b[16:], format)
	le.PutUint32(b[20:], uint32(len(data)))
	le.PutUint32(b[24:], crc32.Checksum(data, castle))
	copy(b[28:], data)
	return b, nil
}

var (
	errForeign = errors.New("it is none of slackalert's")
	errTorn    = errors.New("its first page is damaged")
)

// readOwner reads the first page of a file.
func readOwner(r io.ReaderAt) (o owned.Owner, b []byte, err error) {
	b = make([]byte, pageSize)
	switch _, err := r.ReadAt(b, 0); {
	case err != nil && err != io.EOF:
		return o, nil, err
	case !bytes.HasPrefix(b, magic):
		return o, nil, errForeign
	case le.Uint32(b[16:]) != format:
		return o, nil, fmt.Errorf("its format is %d; want %d", le.Uint32(b[16:]), format)
	}
	n := le.Uint32(b[20:])
	if n > pageSize-28 || crc32.Checksum(b[28:28+n], castle) != le.Uint32(b[24:]) {
		return o, nil, errTorn
	}
	return o, b, json.Unmarshal(b[28:28+n], &o)
}

// file is one file of slots. Its owner is this process, be it that it made the
// file or that it took it over.
type file struct {
	path string
	page []byte // its first
	made bool   // by this process: new groups go here

	mu   sync.RWMutex // held for reading while f is used, for writing while it is replaced
	f    *os.File     // nil once closed
	free []int        // slots; of a file this process made. Store.mu guards it and live
	live int
}

var errClosed = errors.New("spool: it is closed")

func offset(i int) int64 { return pageSize + int64(i)*slotSize }

func (f *file) writeAt(b []byte, at int64) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.f == nil {
		return errClosed
	}
	_, err := f.f.WriteAt(b, at)
	return err
}

// Slot is where one group is kept. It may be used by many goroutines. A nil Slot
// keeps nothing.
type Slot struct {
	store *Store

	mu   sync.Mutex
	file *file // nil while it isn't on disk
	at   int   // in file
	head [headSize]byte
	data []byte // an example that isn't on disk, but is to be
	gone bool   // dropped

	earlier atomic.Uint64 // alerts that others counted
}

// Earlier is how many of a group's alerts were counted by other processes. Due
// is about those that come after.
func (s *Slot) Earlier() uint64 {
	if s == nil {
		return 0
	}
	return s.earlier.Load()
}

// Inherit is Count where others counted what is new of n.
func (s *Slot) Inherit(n uint64, last int64) {
	if s != nil {
		s.earlier.Store(n)
		s.Count(n, last, false)
	}
}

// Count writes down that a group's alerts are n, the last of them at last (Unix
// ns; 0 = unknown). Counts that come late are no harm: what is written never
// falls. final says that n is all there were, and that the count is exact.
func (s *Slot) Count(n uint64, last int64, final bool) {
	if s == nil {
		return
	}
	s.mu.Lock()
	var err error
	if n > le.Uint64(s.head[atAlerts:]) || final {
		s.raise(n, last)
		flags := le.Uint32(s.head[atFlags:]) &^ exact
		if final {
			flags |= exact
		}
		le.PutUint32(s.head[atFlags:], flags)
		err = s.write()
	}
	s.mu.Unlock()
	s.store.failed(err)
}

func (s *Slot) raise(n uint64, last int64) {
	le.PutUint64(s.head[atAlerts:], max(n, le.Uint64(s.head[atAlerts:])))
	le.PutUint64(s.head[atLast:], uint64(max(last, int64(le.Uint64(s.head[atLast:])))))
}

// Told writes down what was told of a group. An ID or a reference that a slot
// has no room for is forgotten: the next process posts anew.
func (s *Slot) Told(t Told) {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.raise(t.Alerts, 0)
	le.PutUint64(s.head[atTold:], max(t.Alerts, le.Uint64(s.head[atTold:])))
	le.PutUint64(s.head[atBefore:], t.Before)
	le.PutUint64(s.head[atPosted:], uint64(t.Posted))
	le.PutUint64(s.head[atNext:], uint64(t.Interval))
	le.PutUint16(s.head[atGroups:], uint16(min(t.Groups, math.MaxUint16)))
	if len(t.ID) > maxID || len(t.Ref) > maxRef {
		t.ID, t.Ref = "", ""
	}
	putText(s.head[atID:atGroups], t.ID)
	putText(s.head[atRef:], t.Ref)
	err := s.write()
	s.mu.Unlock()
	s.store.failed(err)
}

// putText writes a length and a text.
func putText(b []byte, s string) {
	clear(b)
	b[0] = byte(len(s))
	copy(b[1:], s)
}

func text(b []byte) string {
	n := int(b[0])
	if n > len(b)-1 {
		return ""
	}
	return string(b[1 : 1+n])
}

// Put replaces the group's example.
func (s *Slot) Put(data []byte) {
	if s == nil {
		return
	}
	s.mu.Lock()
	err := s.place(data)
	s.mu.Unlock()
	s.store.failed(err)
}

// Drop frees the slot: the group is told, and nobody needs to know of it any
// more. What comes after it does nothing.
func (s *Slot) Drop() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.gone = true
	err := s.leave()
	s.mu.Unlock()
	s.store.failed(err)
}

// Kept reports whether the group is on disk, and not dropped: another process
// will find it. In a closed store that says how Close left it.
func (s *Slot) Kept() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file != nil
}

// write writes the head down where it is on disk. s.mu is held.
func (s *Slot) write() error {
	if s.gone || s.file == nil {
		return nil
	}
	le.PutUint32(s.head[atSum:], crc32.Checksum(s.head[atLength:], castle))
	return s.file.writeAt(s.head[:], offset(s.at))
}

// place writes data and head into a free slot, then frees the old one. Where
// that fails data waits in memory until it can be written; the old example, if
// there was one, stays as long. s.mu is held.
func (s *Slot) place(data []byte) error {
	if s.gone {
		return nil
	}
	if len(data) == 0 || len(data) > Room {
		return fmt.Errorf("spool: %d bytes of data; want 1 to %d", len(data), Room)
	}
	f, i, err := s.store.take()
	if err == nil {
		if err = s.settle(f, i, data); err == nil {
			return nil
		}
		s.store.give(f, i)
	}
	if s.store.wait(s) {
		s.data = bytes.Clone(data)
	}
	return err
}

// settle moves to a slot. s.mu is held.
func (s *Slot) settle(f *file, i int, data []byte) error {
	if err := f.writeAt(data, offset(i)+headSize); err != nil {
		return err
	}
	head := s.head
	le.PutUint32(head[atLength:], uint32(len(data)))
	le.PutUint32(head[atDataSum:], crc32.Checksum(data, castle))
	le.PutUint32(head[atSum:], crc32.Checksum(head[atLength:], castle))
	if err := f.writeAt(head[:], offset(i)); err != nil {
		_ = f.writeAt(make([]byte, headSize), offset(i)) // what counts is the first error
		return err
	}
	err := s.leave()
	s.file, s.at, s.head = f, i, head
	return err
}

// leave frees the slot on disk. s.mu is held.
func (s *Slot) leave() error {
	if s.data != nil {
		s.data = nil
		s.store.unwait(s)
	}
	if s.file == nil {
		return nil
	}
	f, i := s.file, s.at
	s.file = nil
	if err := f.writeAt(make([]byte, headSize), offset(i)); err != nil {
		return err // it stays taken: who finds it tells it again
	}
	s.store.give(f, i)
	return nil
}

// counts reads a head.
func counts(head []byte) Counts {
	c := Counts{Alerts: le.Uint64(head[atAlerts:]), Last: int64(le.Uint64(head[atLast:]))}
	flags := le.Uint32(head[atFlags:])
	c.Least = flags&least != 0 || flags&exact == 0 && c.Alerts >= everyAlert
	c.Told = Told{
		Alerts: le.Uint64(head[atTold:]), Before: le.Uint64(head[atBefore:]), Posted: int64(le.Uint64(head[atPosted:])),
		Interval: time.Duration(le.Uint64(head[atNext:])), Groups: int(le.Uint16(head[atGroups:])), ID: text(head[atID:atGroups]), Ref: text(head[atRef:]),
	}
	return c
}

// remove removes the file and gives it up.
func (f *file) remove() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.f
	f.f = nil
	if g == nil {
		return nil
	}
	return owned.Remove(g, f.path)
}
