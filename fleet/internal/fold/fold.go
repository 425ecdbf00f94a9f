// This file adds up what processes have counted, and says what of it is new.

// Package fold is the leader's arithmetic: values in, differences out. It knows
// no network and no clock, and a value that comes twice, late or out of order
// changes nothing.
package fold

import (
	"cmp"
	"hash/maphash"
	"slices"
	"time"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/value"
	"example.com/slackalert/internal/sketch"
)

const (
	maxNamed   = 5               // hosts that a message names
	clockSlack = 5 * time.Second // beyond it a process's clock is put right, to the minute
	newEpisode = 2 * time.Hour   // without news, after which hosts are counted anew
	toldSlack  = time.Minute     // what was published longer before the leader told of it was in what it told, most likely
)

// Name is a group, in all processes together.
type Name struct{ Channel, Fingerprint string }

// Fold holds the counts. Its methods may not be called at the same time.
type Fold struct {
	seed   maphash.Seed
	groups map[Name]*group
	dirty  map[Name]*group // with news since the last Take
}

// group is one kind of alert in all processes.
type group struct {
	runs map[run]counted
	sum  int64     // of the runs' counts
	out  int64     // of that, handed out by Take, or told before
	news time.Time // when sum last grew
	told time.Time // when an earlier leader last told of it; zero = it didn't

	hosts    map[uint64]struct{} // hashes
	named    []string            // the first of them by name
	services []string
	least    bool // some of it was counted by a process that was killed

	// Of what came since the last Take.
	since bool // something did
	old   bool // though nothing but what was most likely told by an earlier leader
	text  []byte
	off   time.Duration // of its process's clock
	first time.Time
	last  time.Time
	users sketch.Sketch
	notes []string
}

// run is one count of one process.
type run struct {
	hash  uint64
	first int64
}

type counted struct {
	n   int64
	seq uint64    // of its value in the stream
	at  time.Time // when that was stored
}

// New returns a fold that has seen nothing.
func New() *Fold {
	return &Fold{seed: maphash.MakeSeed(), groups: make(map[Name]*group), dirty: make(map[Name]*group)}
}

// Add counts a value that the stream stored as seq at stored. at is when it was
// published: earlier, where it was stored anew. It says whether the sum of its
// group has grown.
func (f *Fold) Add(h *value.Head, text []byte, seq uint64, stored, at time.Time) bool {
	name := Name{h.Channel, h.Fingerprint}
	g := f.group(name)
	key := run{maphash.String(f.seed, h.Run), h.First}
	old := g.runs[key]
	n := max(old.n, h.Counts())
	if seq >= old.seq {
		g.runs[key] = counted{n, seq, stored}
	}
	g.seenOn(f.seed, h, at)
	g.least = g.least || h.Least
	if n == old.n {
		if g.news.IsZero() {
			g.news = at // known, though all of it was told directly
		}
		return false
	}
	g.sum += n - old.n
	g.take(h, text, at)
	f.dirty[name] = g
	return true
}

func (f *Fold) group(name Name) *group {
	g := f.groups[name]
	if g == nil {
		g = &group{runs: make(map[run]counted), hosts: make(map[uint64]struct{})}
		f.groups[name] = g
	}
	return g
}

// seenOn notes the value's host and service.
func (g *group) seenOn(seed maphash.Seed, h *value.Head, at time.Time) {
	if !g.news.IsZero() && at.Sub(g.news) > newEpisode {
		clear(g.hosts)
		g.named = nil
	}
	if h.Service != "" && len(g.services) < maxNamed && !slices.Contains(g.services, h.Service) {
		g.services = append(g.services, h.Service)
	}
	hash := maphash.String(seed, h.Host)
	if _, known := g.hosts[hash]; known || h.Host == "" {
		return
	}
	g.hosts[hash] = struct{}{}
	i, _ := slices.BinarySearchFunc(g.named, h.Host, byName)
	g.named = slices.Insert(g.named, i, h.Host)
	g.named = g.named[:min(len(g.named), maxNamed)]
}

// byName puts web-2 before web-10.
func byName(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// take keeps what the next Take shows of the group: the first text, the span of
// time, who was hit.
func (g *group) take(h *value.Head, text []byte, at time.Time) {
	off := offset(h, at)
	first, last := right(value.Time(h.First), off), right(value.Time(h.Last), off)
	if at.After(g.news) {
		g.news = at
	}
	old := at.Before(g.told.Add(-toldSlack))
	switch {
	case !g.since, g.old && !old:
		g.since, g.old, g.text, g.off = true, old, text, off
		g.first, g.last, g.users = first, last, sketch.Sketch{}
	case old:
		return
	}
	if g.first.IsZero() || !first.IsZero() && first.Before(g.first) {
		g.first = first
	}
	if last.After(g.last) {
		g.last = last
	}
	if users, err := sketch.Parse(h.Users); err == nil { // else it is of a newer format: the count is right all the same
		g.users.Merge(users)
	}
}

// offset is by how much a process's clock is behind the server's; 0 where they
// agree.
func offset(h *value.Head, at time.Time) time.Duration {
	off := at.Sub(value.Time(h.Sent))
	if h.Sent == 0 || off.Abs() <= clockSlack {
		return 0
	}
	return off
}

// right is a time of a process put right, to the minute: no more is known.
func right(t time.Time, off time.Duration) time.Time {
	if t.IsZero() || off == 0 {
		return t
	}
	return t.Add(off).Truncate(time.Minute)
}

// Told says that n alerts of a group were told by an earlier leader, at that
// time. It is said before the first Add.
func (f *Fold) Told(name Name, n int64, at time.Time) {
	g := f.group(name)
	g.out = max(g.out, n)
	if at.After(g.told) {
		g.told = at
	}
}

// Unpublished are the groups that were told, and of which no value came: what was
// published of them is gone. They are forgotten.
func (f *Fold) Unpublished() []Name {
	var gone []Name
	for name, g := range f.groups {
		if len(g.runs) == 0 {
			gone = append(gone, name)
			f.Forget(name)
		}
	}
	return gone
}

// Note gives the group's next difference a note for its readers.
func (f *Fold) Note(name Name, note string) {
	if g := f.groups[name]; g != nil && !slices.Contains(g.notes, note) {
		g.notes = append(g.notes, note)
	}
}

// Take returns what is new since the last Take: a batch a channel, whose groups'
// Count is the difference. bad has an error for each text that couldn't be read;
// its count is told all the same.
func (f *Fold) Take() (batches []slackalert.Batch, bad []error) {
	byChannel := make(map[string]*slackalert.Batch)
	for name, g := range f.dirty {
		diff := g.sum - g.out
		if diff <= 0 { // values of what is told were lost: they come again, or their processes are gone
			g.rest()
			continue
		}
		group, err := g.show(name, diff)
		if err != nil {
			bad = append(bad, err)
		}
		g.out = g.sum
		b := byChannel[name.Channel]
		if b == nil {
			b = &slackalert.Batch{Channel: name.Channel}
			byChannel[name.Channel] = b
		}
		b.Groups = append(b.Groups, group)
		g.rest()
	}
	clear(f.dirty)
	for _, b := range byChannel {
		slices.SortFunc(b.Groups, func(a, b slackalert.Group) int { return a.First.Compare(b.First) })
		batches = append(batches, *b)
	}
	return batches, bad
}

// rest forgets what is kept from one Take to the next.
func (g *group) rest() {
	g.since, g.old, g.text, g.users, g.notes = false, false, nil, sketch.Sketch{}, nil
}

// show is the group with its difference.
func (g *group) show(name Name, diff int64) (slackalert.Group, error) {
	s, err := value.Text(g.text)
	if err != nil {
		s = slackalert.Group{Message: "(a process published this without a text that can be read)"}
	}
	s.Fingerprint, s.Run, s.Quiet = name.Fingerprint, "", false
	s.Count, s.Total = int(diff), int(g.sum)
	s.First, s.Last, s.At = g.first, g.last, right(s.At, g.off)
	s.Hosts, s.Named = len(g.hosts), slices.Clone(g.named)
	s.Least, s.Users, s.UserSet = g.least, g.users.Count(), g.users.Bytes()
	s.Notes = append(s.Notes, g.notes...)
	return s, err
}

// Knows says whether a group is remembered.
func (f *Fold) Knows(name Name) bool { return f.groups[name] != nil }

// Services are the programs that counted the group, up to five.
func (f *Fold) Services(name Name) []string {
	if g := f.groups[name]; g != nil {
		return g.services
	}
	return nil
}

// Hosts are the first hosts of a group by name, up to five, and how many there
// are.
func (f *Fold) Hosts(name Name) (named []string, n int) {
	if g := f.groups[name]; g != nil {
		return g.named, len(g.hosts)
	}
	return nil, 0
}

// Size is how many groups, and pairs of group and run, are remembered.
func (f *Fold) Size() (groups, pairs int) {
	for _, g := range f.groups {
		pairs += len(g.runs)
	}
	return len(f.groups), pairs
}

// Idle are the groups without news since then.
func (f *Fold) Idle(since time.Time) []Name {
	var idle []Name
	for name, g := range f.groups {
		if g.news.Before(since) && f.dirty[name] == nil {
			idle = append(idle, name)
		}
	}
	return idle
}

// Old are the values, by their place in the stream, that were stored before that
// time: at most n.
func (f *Fold) Old(stored time.Time, n int) []uint64 {
	var old []uint64
	for _, g := range f.groups {
		for _, c := range g.runs {
			if len(old) == n {
				return old
			}
			if c.seq != 0 && c.at.Before(stored) {
				old = append(old, c.seq)
			}
		}
	}
	return old
}

// Forget drops a group.
func (f *Fold) Forget(name Name) {
	delete(f.groups, name)
	delete(f.dirty, name)
}
