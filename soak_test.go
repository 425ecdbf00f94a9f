// This file lets a program log for long, while troubles come and go, Slack starts
// anew and so does the program: the sums hold, and nothing grows.

package slackalert

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fakeslack"
)

var soakFor = flag.Duration("soak", 4*time.Second, "how long TestSoak lets each of its programs run")

// stormers are the goroutines that log.
const stormers = 8

// begin starts a storm: goroutines that log alerts of o.Kinds kinds, few of them
// often, until they are calmed; and one that adds up.
func (p *inProgram) begin(o order) {
	p.calm = make(chan struct{})
	for n := range stormers {
		p.storm.Go(func() { p.storming(n, o.Kinds) })
	}
	p.storm.Go(p.summing)
}

// pause says whether the storm goes on after d.
func (p *inProgram) pause(d time.Duration) bool {
	select {
	case <-p.calm:
		return false
	case <-time.After(d):
		return true
	}
}

// storming is one goroutine of a storm. What it has logged it notes where a
// process that is killed leaves it: an alert later at most.
func (p *inProgram) storming(n, kinds int) {
	r := rand.New(rand.NewPCG(uint64(n), uint64(time.Now().UnixNano())))
	common := rand.NewZipf(r, 1.3, 8, uint64(kinds-1))
	var mine uint64
	for i := 0; i%8 != 0 || p.pause(5*time.Millisecond); i++ {
		kind := int(common.Uint64())
		if i%4 == 0 {
			kind = r.IntN(kinds)
		}
		log := p.log
		if i%16 == 1 { // derived, and dropped
			log = slog.New(p.h.WithAttrs([]slog.Attr{slog.Int("n", i)}).WithGroup("g")).With("user", i%100)
		}
		p.alert(log, kind)
		if mine++; p.notes != nil {
			_, _ = p.notes.WriteAt(binary.NativeEndian.AppendUint64(nil, mine), int64(8*n))
		}
	}
}

// summing wants the sum of Stats to hold at every moment.
func (p *inProgram) summing() {
	var last Stats
	for p.pause(time.Millisecond) {
		before := p.logged.Load()
		s := p.h.Stats()
		after := p.logged.Load() + stormers // counted, and not noted yet
		switch {
		case s.Delivered+s.Lost+s.Spooled+s.Pending != s.Alerts, s.Pending > s.Alerts:
			p.wrong(fmt.Sprintf("the sum is wrong: %+v", s))
		case s.Alerts < before, s.Alerts > after && p.notes == nil:
			p.wrong(fmt.Sprintf("%d to %d are logged, and counted as %+v", before, after, s))
		case s.Alerts < last.Alerts, s.Delivered < last.Delivered:
			p.wrong(fmt.Sprintf("counts fall: %+v after %+v", s, last))
		}
		last = s
	}
}

// wrong keeps the first thing that was wrong in a storm.
func (p *inProgram) wrong(what string) {
	if p.fault == "" {
		p.fault = what
	}
}

// soak is a long run.
type soak struct {
	w     *world
	p     *runningProgram
	setup setup
	rand  *rand.Rand
	kinds int
	lasts time.Duration
	step  time.Duration // how long a trouble lasts, about

	restarts, kills   int
	heap, heapAtFirst uint64
	goroutines        int
	spool             int64 // bytes, at most
	files             int
	logged            uint64 // by programs that were killed
}

// weather changes what Slack does. Only what is sent while it hangs is given up
// soon: an edit that is given up may come behind a later one.
func (s *soak) weather() error {
	troubles := []fakeslack.Fault{
		{}, {}, {}, {Status: 503}, {Status: 429, RetryAfter: "1"}, {Status: 200, Body: half, Drop: true},
		{Drop: true}, {Status: 200, Body: "<html>"}, {Error: "internal_error"}, {Delay: time.Hour},
	}
	n, next := s.rand.IntN(len(troubles)+1), fakeslack.Fault{}
	if n < len(troubles) {
		next = troubles[n]
	}
	if err := s.turn(next); err != nil || n < len(troubles) {
		return err
	}
	s.restarts++
	if err := s.w.down(); err != nil {
		return err
	}
	time.Sleep(s.step / 4)
	return s.w.up()
}

func (s *soak) turn(next fakeslack.Fault) error {
	s.setup.Limit = 0
	if next.Delay > 0 {
		s.setup.Limit = time.Second
	}
	return s.p.turn(s.setup.Limit, func() error { s.w.fails(next); return nil })
}

// look notes how big the program is.
func (s *soak) look() error {
	r, err := s.p.do(order{Do: "stats"})
	if s.heapAtFirst == 0 {
		s.heapAtFirst = r.Heap
	}
	s.heap, s.goroutines = max(s.heap, r.Heap), max(s.goroutines, r.Goroutines)
	if s.setup.SpoolDir == "" {
		return err
	}
	var bytes int64
	files := 0
	walked := filepath.WalkDir(s.setup.SpoolDir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files++
			if i, err := e.Info(); err == nil { // it may be gone again
				bytes += i.Size()
			}
		}
		return nil
	})
	s.spool, s.files = max(s.spool, bytes), max(s.files, files)
	return errors.Join(err, walked)
}

// start starts the program, or starts it again.
func (s *soak) start() (err error) {
	if s.p, err = startProgram(s.setup); err == nil {
		_, err = s.p.do(order{Do: "storm", Kinds: s.kinds})
	}
	return err
}

// kill ends the program without a word, and counts what it had logged.
func (s *soak) kill() error {
	s.kills++
	if err := s.p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = s.p.end() // killed
	n, err := noted(s.setup.Notes)
	s.logged += n
	return err
}

// noted is how many alerts the storm of a program had logged.
func noted(file string) (n uint64, err error) {
	b, err := os.ReadFile(file)
	for ; len(b) >= 8; b = b[8:] {
		n += binary.NativeEndian.Uint64(b)
	}
	return n, errors.Join(err, os.Truncate(file, 0))
}

// run lets it all happen, then the trouble end, and the program.
func (s *soak) run() (last report, err error) {
	if err = s.start(); err != nil {
		return last, err
	}
	for begun, killed := time.Now(), time.Now(); time.Since(begun) < s.lasts && err == nil; {
		err = errors.Join(s.weather(), s.look())
		time.Sleep(time.Duration(float64(s.step) * (0.5 + s.rand.Float64())))
		if s.setup.SpoolDir != "" && time.Since(killed) > 3*s.step && err == nil {
			err = errors.Join(s.look(), s.kill(), s.start())
			killed = time.Now()
		}
	}
	if err == nil {
		err = s.turn(fakeslack.Fault{})
	}
	if err == nil {
		if last, err = s.p.do(order{Do: "calm"}); last.Err != "" {
			err = errors.New(last.Err)
		}
	}
	if err == nil {
		last, err = s.p.do(order{Do: "shutdown", For: ample})
	}
	return last, errors.Join(err, s.look(), s.p.end())
}

func newSoak(t *testing.T, change func(*setup)) *soak {
	w, err := newWorld(true)
	require.NoError(t, err)
	s := &soak{w: w, kinds: 2000, lasts: *soakFor, step: max(*soakFor/100, 300*time.Millisecond)}
	if testing.Short() {
		s.kinds, s.lasts, s.step = 40, 500*time.Millisecond, 100*time.Millisecond
	}
	s.setup = setup{URL: "http://" + w.addr + "/api/", Gap: gap()}
	change(&s.setup)
	s.rand = rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	return s
}

// check wants nothing to have grown.
func (s *soak) check(t *testing.T, last report, l ledger) {
	t.Logf("%d logged, %d told in %d messages and %d edits, %d arrived, %d of them twice; %d attempts failed, %d starts of Slack, %d kills; heap %.1f MiB after %.1f, %d goroutines, spool %.1f MiB in %d files",
		last.Logged+s.logged, last.Stats.Delivered, last.Stats.Messages, last.Stats.Updates, l.sum(), l.twice, last.Stats.Failures,
		s.restarts, s.kills, float64(s.heap)/(1<<20), float64(s.heapAtFirst)/(1<<20), s.goroutines, float64(s.spool)/(1<<20), s.files)
	assert.Empty(t, last.Err)
	assert.Less(t, s.heap, uint64(24<<20), "bytes that live")
	assert.Less(t, s.goroutines, stormers+20)
}

func TestSoak(t *testing.T) {
	t.Parallel()
	s := newSoak(t, func(*setup) {})
	last, err := s.run()
	require.NoError(t, errors.Join(err, s.w.end()))
	l, err := s.w.ledger()
	require.NoError(t, err)
	s.check(t, last, l)
	assert.Equal(t, last.Logged, last.Stats.Alerts, "every alert is counted")
	assert.Zero(t, last.Stats.Lost)
	assert.Zero(t, last.Stats.Pending)
	assert.EqualValues(t, last.Logged, l.sum(), "all that was logged arrived")
}

// Killed again and again, each program tells what the one before left.
func TestSoakWithKills(t *testing.T) {
	t.Parallel()
	s := newSoak(t, func(s *setup) {
		s.Gap = 0 // New makes lanes, for what it adopts
		s.SpoolDir, s.Notes = t.TempDir(), filepath.Join(t.TempDir(), "notes")
	})
	last, err := s.run()
	require.NoError(t, errors.Join(err, s.w.end()))
	l, err := s.w.ledger()
	require.NoError(t, err)
	s.check(t, last, l)
	assert.Zero(t, last.Stats.Lost)
	assert.Zero(t, last.Stats.Pending)
	assert.Equal(t, last.Stats.Alerts, last.Stats.Delivered, "what was left is told, too")
	logged := last.Logged + s.logged
	assert.GreaterOrEqual(t, float64(l.sum()+l.twice), 0.8*float64(logged), "of %d", logged)
	assert.Less(t, s.spool, int64(4*17<<20), "bytes in the spool, of few programs at once")
}
