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
// One file a process, RUN.spool, of package owned. From byte 4,096 on it has up
// to 1,023 slots of 16,384 bytes, sparse: 16,764,928 bytes at most. A slot:
//
//	  0  its head: CRC-32C of the rest of the head, little endian, and JSON, padded with zeros
//	512  data, at most 15,872 bytes: JSON, as its reader understands it
//
// A slot's data is written before its head, and neither crosses into another
// slot's page. The head lies within one page, so no kill tears it. A group's new
// example goes into another slot, with its counts, before the old one is freed,
// and so does a group into the file of who takes it over: who finds both takes the
// larger counts. A slot whose head is all zero is free; one whose checksums are
// wrong was torn by a power cut, and is skipped.
package spool

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/owned"
)

const (
	slotSize = 16 << 10
	headSize = 512

	// Slots is how many groups a file holds: more than a process keeps, those that it
	// took over included.
	Slots = 1023
	// Room is how long the data of a slot may be.
	Room = slotSize - headSize
)

// everyAlert is up to where each alert is written down.
const everyAlert = 16

// Counts is what is known of a group's alerts.
type Counts struct {
	Alerts uint64 `json:"alerts"`
	Last   int64  `json:"last"` // time of the last, Unix ns; 0 = unknown
	Told   Told   `json:"told"`
	Least  bool   `json:"least,omitempty"` // Alerts may be more: the process was killed while it counted
}

// Told is what was told of a group's alerts, and where.
type Told struct {
	Alerts   uint64        `json:"alerts"`   // told in all
	Before   uint64        `json:"before"`   // of those, told before the message
	Posted   int64         `json:"posted"`   // when the message was, Unix ns; 0 = never
	Interval time.Duration `json:"interval"` // before the next; 0 = unknown
	Groups   int           `json:"groups"`   // in the message; 0 = unknown
	ID       string        `json:"id"`       // of its batch
	Ref      string        `json:"ref"`      // by which it can be edited; "" = it can't
}

// head is what a slot says of its group beside the example.
type head struct {
	Counts
	Exact  bool   `json:"exact,omitempty"` // the count is final
	Length int    `json:"length"`          // of the data
	Sum    uint32 `json:"sum"`             // the data's CRC-32C
}

// Due reports whether the n-th alert that a process counts of a group must be
// written down: each of the first 16, then eight for each doubling. So what is
// written is at least 8/9 of what was counted. It costs next to nothing and may
// be asked for each alert.
func Due(n uint64) bool {
	return n <= everyAlert || n&(1<<(bits.Len64(n)-4)-1) == 0
}

func (h *head) raise(n uint64, last int64) {
	h.Alerts, h.Last = max(n, h.Alerts), max(last, h.Last)
}

var castle = crc32.MakeTable(crc32.Castagnoli)

// bytes are the head as it is written. An ID or a reference that there is no
// room for is forgotten: the next process posts anew.
func (h *head) bytes() []byte {
	text, err := json.Marshal(h)
	if err != nil || len(text) > headSize-4 {
		h.Told.ID, h.Told.Ref = "", ""
		text, _ = json.Marshal(h) // numbers
	}
	b := make([]byte, headSize)
	copy(b[4:], text)
	binary.LittleEndian.PutUint32(b, crc32.Checksum(b[4:], castle))
	return b
}

var free [headSize]byte

var errTorn = errors.New("spool: a slot is damaged")

// read reads a slot into b, which has room for it, and returns what stands in it;
// no data and no error where it is free.
func read(r io.ReaderAt, i int, b []byte) (h head, data []byte, err error) {
	n, err := r.ReadAt(b[:slotSize], offset(i))
	if err != nil && err != io.EOF {
		return h, nil, err
	}
	if n < headSize || bytes.Equal(b[:headSize], free[:]) {
		return h, nil, nil
	}
	data = b[headSize:n]
	if binary.LittleEndian.Uint32(b) != crc32.Checksum(b[4:headSize], castle) ||
		json.Unmarshal(bytes.TrimRight(b[4:headSize], "\x00"), &h) != nil ||
		h.Length < 1 || h.Length > len(data) || crc32.Checksum(data[:h.Length], castle) != h.Sum {
		return h, nil, errTorn
	}
	return h, data[:h.Length], nil
}

func offset(i int) int64 { return owned.Begin + int64(i)*slotSize }

// file is one file of slots: this process's own, or one that it took over.
type file struct {
	live int // of one that was taken over: its slots that are neither dropped nor moved. Store.mu guards it

	mu sync.RWMutex // held for reading while f is used, for writing while it is replaced
	f  *owned.File  // nil once closed, or while there is no room for it
}

var errClosed = errors.New("spool: it is closed")

// with uses the file, if there is one.
func (f *file) with(use func(*owned.File) error) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.f == nil {
		return errClosed
	}
	return use(f.f)
}

func (f *file) writeAt(b []byte, at int64) error {
	return f.with(func(g *owned.File) error { _, err := g.WriteAt(b, at); return err })
}

// put fills a free slot.
func (f *file) put(i int, h head, data []byte) error {
	if err := f.writeAt(data, offset(i)+headSize); err != nil {
		return err
	}
	return f.writeAt(h.bytes(), offset(i))
}

// replace copies a file that nobody can find any more, slot by slot, and goes on
// with the copy.
func (f *file) replace(fresh *owned.File) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, b := f.f, make([]byte, slotSize)
	for i := 0; i < Slots && old != nil; i++ { // nil: there never was room for one
		_, data, err := read(old, i, b)
		if err == nil && data != nil {
			_, err = fresh.WriteAt(b[:headSize+len(data)], offset(i))
		}
		if err != nil && err != errTorn {
			return errors.Join(err, fresh.Remove())
		}
	}
	if old != nil {
		_ = old.Close()
	}
	f.f = fresh
	return nil
}

// end gives the file up.
func (f *file) end(how func(*owned.File) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.f
	f.f = nil
	if g == nil {
		return nil
	}
	return how(g)
}

// Slot is where one group is kept. It may be used by many goroutines. A nil Slot
// keeps nothing.
type Slot struct {
	store *Store

	mu   sync.Mutex
	file *file // nil while it isn't on disk
	at   int   // in file
	head head
	data []byte // an example that isn't on disk, but is to be
	gone bool   // dropped

	earlier atomic.Uint64 // alerts that others counted
}

// do changes a slot, and tells of trouble.
func (s *Slot) do(change func() error) {
	if s == nil {
		return
	}
	s.mu.Lock()
	err := change()
	s.mu.Unlock()
	s.store.failed(err)
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
	s.do(func() error {
		if n <= s.head.Alerts && !final {
			return nil
		}
		s.head.raise(n, last)
		s.head.Exact = final
		return s.write()
	})
}

// Told writes down what was told of a group. An ID or a reference that a slot
// has no room for is forgotten: the next process posts anew.
func (s *Slot) Told(t Told) {
	s.do(func() error {
		s.head.raise(t.Alerts, 0)
		t.Alerts = max(t.Alerts, s.head.Told.Alerts)
		s.head.Told = t
		return s.write()
	})
}

// Put replaces the group's example. data is the slot's from then on.
func (s *Slot) Put(data []byte) {
	s.do(func() error { return s.place(data) })
}

// Move has a slot of a file that was taken over kept in this process's own:
// files, and the descriptors that hold them, must not pile up from start to
// start. data is as for Put, which it makes way for.
func (s *Slot) Move(data []byte) {
	s.do(func() error {
		if s.file == nil || s.file == s.store.file || s.data != nil {
			return nil
		}
		return s.place(data)
	})
}

// Drop frees the slot: the group is told, and nobody needs to know of it any
// more. What comes after it does nothing.
func (s *Slot) Drop() {
	s.do(func() error { s.gone = true; return s.leave() })
}

// Kept reports whether the group is on disk, in a file that nobody has removed,
// and not dropped: another process will find it. In a closed store that says how
// Close left it.
func (s *Slot) Kept() (kept bool) {
	s.do(func() error {
		if kept = s.file != nil; kept {
			_ = s.file.with(func(g *owned.File) error { kept = g.There(); return nil }) // closed: it stays true
		}
		return nil
	})
	return kept
}

// write writes the head down where it is on disk. s.mu is held.
func (s *Slot) write() error {
	if s.file == nil {
		return nil
	}
	return s.file.writeAt(s.head.bytes(), offset(s.at))
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
	h := s.head
	h.Length, h.Sum = len(data), crc32.Checksum(data, castle)
	i, err := s.store.take()
	if err == nil {
		if err = s.store.file.put(i, h, data); err == nil {
			err = s.leave()
			s.file, s.at, s.head = s.store.file, i, h
			return err
		}
		s.store.give(s.store.file, i)
	}
	if s.store.wait(s) {
		s.data = data
	}
	return err
}

// leave frees the slot on disk. s.mu is held.
func (s *Slot) leave() error {
	if s.data != nil {
		s.data = nil
		s.store.unwait(s)
	}
	f := s.file
	if f == nil {
		return nil
	}
	s.file = nil
	if err := f.writeAt(free[:], offset(s.at)); err != nil {
		return err // it stays taken: who finds it tells it again
	}
	s.store.give(f, s.at)
	return nil
}
