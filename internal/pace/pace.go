// Package pace decides what is told next, and when, for one channel. It holds
// no clock, lock, goroutine or connection: time is a parameter, what happened
// goes in, what to do comes out, and the caller carries it.
//
// A group's way:
//
//	                News                    Post                 accepted
//	quiet ───────────────────► company ───────────────► flying ───────────► quiet
//	  │                          ▲                        │
//	  │ News within its          │ gone, or closing       ├ not told ──► where it came from
//	  │ interval                 │ and no time to edit    ├ unknown ───► open: the same attempt again
//	  ├─────────► edit ──────────┤                        └ refused ───► halved; alone: parked
//	  │            │ Edit        │
//	  │            └► flying ──► quiet
//	  └─────────► held ──────────┘ at the interval's end
//	  │ none for Repeat, and its message can be edited
//	  └─────────► flying (Quiet) ──► quiet
//	  │ none for 2 h or two intervals
//	  └─────────► forgotten
//
// A group that is due within a fifth of its interval goes along with what is
// posted, whether it is held or waits for an edit.
package pace

import "time"

// Counter is what a lane asks of a group's counts. Alerts are counted beside
// the lane, by many goroutines; whoever serves this owns the races between
// "told" and "one more".
type Counter interface {
	// Take returns how many alerts were counted so far, and promises that the
	// next one is announced by News.
	Take() uint64
	// Rests says whether no more than told were counted. Where it is true the
	// next alert is announced by News; where it is false the ones to come need
	// not be.
	Rests(told uint64) bool
	// Last is the time of the latest alert; zero = unknown. A time before the
	// alert's News or after now is taken for that.
	Last() time.Time
}

// Rules are a lane's numbers.
type Rules struct {
	Delay     time.Duration // how long the first alert waits for company
	Size      int           // groups in one message, and the size that ends the wait
	Dense     int           // the same where more than three messages' worth wait; below Size: Size
	Repeat    time.Duration // a group's first interval, and how long it is quiet until that is told
	RepeatMax time.Duration // what the interval doubles up to; below Repeat: Repeat
	PostGap   time.Duration // least time between two posts
	EditGap   time.Duration // least time between two edits of one message
	Edits     bool          // messages can be edited
}

// Lane is the plan of one channel. It is not safe for concurrent use: its owner
// holds one lock around it, its groups, and the Budget it shares. Not more than
// one attempt is in flight at a time.
type Lane[T Counter, S any] struct {
	rules  Rules
	budget *Budget
}

// Group is one kind of alert as a lane sees it. Set Payload, Level and First
// before its first News; it belongs to one lane.
type Group[T Counter, S any] struct {
	Payload T
	Level   int       // later changed by Lane.Raise alone
	First   time.Time // of its first alert; orders equals
	Wants   bool      // the next alert is to be captured as example: set by each accepted post, cleared by the caller when it has captured
}

// Told is how many of the group's alerts were told.
func (g *Group[T, S]) Told() uint64 { panic("not built yet") }

// Interval is how long the group is not posted again since its last post; 0 =
// it wasn't posted yet, or its interval begins anew.
func (g *Group[T, S]) Interval() time.Duration { panic("not built yet") }

// Posted is when the group was last posted; zero = never.
func (g *Group[T, S]) Posted() time.Time { panic("not built yet") }

// Pressing says whether untold alerts of the group are posted as soon as the
// lane can: what Flush waits for. False: nothing is untold, or it is a repeat
// within the interval (held, or waiting for an edit), or it is parked.
func (g *Group[T, S]) Pressing(now time.Time) bool { panic("not built yet") }

// Item is one group's part in a message.
type Item[T Counter, S any] struct {
	Group  *Group[T, S]
	Before uint64 // alerts told before this message: Count is UpTo - Before
	UpTo   uint64 // alerts told with it: Total
	Shows  S      // the caller's: how the group stands there. Preset where Frozen
	Frozen bool   // the group was posted anew since: it stands as it stood

	Quiet    bool          // it is over: none for Repeat
	Since    time.Time     // when the first alert that this attempt tells came
	Back     time.Duration // how long it was quiet before Since; 0: not for Repeat
	Late     time.Duration // how late it is told because delivery failed; 0: not more than a minute
	Why      string        // Result.Why of the failure that made it late
	Perhaps  bool          // perhaps told before: an attempt of unknown outcome was given up
	Interval time.Duration // the group's interval once this is accepted
}

// Message is what was posted and can be edited.
type Message[T Counter, S any] struct {
	ID, Ref string
	Items   []Item[T, S] // as it stands there
}

// Attempt is a message on its way. The caller sets ID and the items' Shows when
// Tries is 0, and never after: the same *Attempt again is the same content.
type Attempt[T Counter, S any] struct {
	ID    string         // the caller's for a post; of an edit it is the message's
	Items []Item[T, S]   // most severe first, then most frequent, then oldest
	Edits *Message[T, S] // what it changes; nil for a post
	Quiet bool           // an edit that only tells that groups are quiet
	Tries int            // how often it was tried before, each time with unknown outcome
	Began time.Time      // of the first try
}

// Kind is what became of an attempt.
type Kind uint8

const (
	Accepted    Kind = iota
	Failed           // surely not told: 429, auth, and anything plain
	Unreachable      // surely never went out
	Refused          // for what it holds
	Unknown          // it went out, the answer doesn't say
	Gone             // the message to edit is
	Yielded          // an edit was called off, without an answer
)

// Result is what became of an attempt, worked out once by the caller.
type Result struct {
	Kind   Kind
	Ref    string        // of what was posted; "" = it can't be edited
	Wait   time.Duration // Retry-After; 0 = none; 1 s to 1 h counts
	Mend   bool          // a person must do something
	Why    string        // what was the matter, for readers: "Slack was unreachable"
	Jitter float64       // 0 to 1, random: stretches a wait by up to a quarter
}

// Say is what the caller's log should hear of a lane's trouble.
type Say uint8

const (
	Nothing Say = iota
	Begins      // a run of failures has begun
	Mending     // and now a person must do something
	Over        // it is over
)

// Outcome is what a settled attempt means to the caller.
type Outcome[T Counter, S any] struct {
	Told   uint64       // alerts told by it
	Say    Say          // of posting or editing, whichever was tried
	Parked *Group[T, S] // it fails alone: the rest is told without it, and it is tried again later; nil = none
}

// Trouble is a run of failed attempts.
type Trouble struct {
	Since time.Time // the first failure; zero = none
	N     int
	Mend  bool // a person must do something
	Why   string
}

// New returns the plan of a channel. budget is shared by the lanes of a bot;
// nil = edits are not counted.
func New[T Counter, S any](r Rules, budget *Budget) *Lane[T, S] {
	return &Lane[T, S]{rules: r, budget: budget}
}

// News says that the group has untold alerts. Call it for the first alert after
// Take, or after Rests was true; more calls do nothing. look is when the lane
// has something to do next, zero = nothing: where it is before the time the
// caller sleeps until, wake up. After it, ask Yield.
func (l *Lane[T, S]) News(g *Group[T, S], now time.Time) (look time.Time) { panic("not built yet") }

// Urge says, after News, that somebody waits until upTo alerts of the group are
// told. What would be a first post or an edit becomes due, and first into a
// batch; a repeat that is held stays so: see Pressing.
func (l *Lane[T, S]) Urge(g *Group[T, S], upTo uint64, now time.Time) (look time.Time) {
	panic("not built yet")
}

// Raise changes a group's level.
func (l *Lane[T, S]) Raise(g *Group[T, S], level int) { panic("not built yet") }

// Hurry makes due what waits for company, and ends the wait after failures,
// once a run of them, and not where a person must mend something or where
// Retry-After rules.
func (l *Lane[T, S]) Hurry(now time.Time) { panic("not built yet") }

// Close makes everything due: what can't be edited in the time that is left is
// posted, and the last post takes all that is left. deadline zero = there is
// none. After Close, alerts may be announced but no group is forgotten; where
// the next time is after the deadline or zero, the lane is done.
func (l *Lane[T, S]) Close(deadline, now time.Time) { panic("not built yet") }

// NextPost is when Post gives an attempt; zero = nothing waits to be posted, or
// the lane is closing and a person must mend something. It may be long past.
func (l *Lane[T, S]) NextPost() time.Time { panic("not built yet") }

// NextEdit is when Edit gives an attempt; zero = nothing waits for one. Another
// lane's edit may have made it later when that time comes: ask again.
func (l *Lane[T, S]) NextEdit(now time.Time) time.Time { panic("not built yet") }

// Post begins the next post; nil = it isn't time. A post comes before an edit.
func (l *Lane[T, S]) Post(now time.Time) *Attempt[T, S] { panic("not built yet") }

// Edit begins the next edit; nil = it isn't time.
func (l *Lane[T, S]) Edit(now time.Time) *Attempt[T, S] { panic("not built yet") }

// Yield is when the edit in flight has to be called off because something more
// important is due; zero = never, or none is in flight.
func (l *Lane[T, S]) Yield(now time.Time) time.Time { panic("not built yet") }

// Settle ends the attempt in flight.
func (l *Lane[T, S]) Settle(a *Attempt[T, S], r Result, now time.Time) Outcome[T, S] {
	panic("not built yet")
}

// Posting is the trouble that posts have.
func (l *Lane[T, S]) Posting() Trouble { panic("not built yet") }

// Editing is the trouble that edits have.
func (l *Lane[T, S]) Editing() Trouble { panic("not built yet") }

// Tried is how many posts were settled.
func (l *Lane[T, S]) Tried() int { panic("not built yet") }

// Pressing are the groups that are posted as soon as the lane can.
func (l *Lane[T, S]) Pressing(now time.Time) []*Group[T, S] { panic("not built yet") }

// Resume says that a message was posted, and accepted at told, by a process
// that is gone. Items need Group, UpTo, and where they are known Before, Shows
// and Interval (0 = Repeat). A group that this lane has posted since is left
// alone. Ref "" = it can't be edited, and only its interval counts.
func (l *Lane[T, S]) Resume(m *Message[T, S], told, now time.Time) { panic("not built yet") }

// NextForget is when Forget gives a group; zero = never.
func (l *Lane[T, S]) NextForget() time.Time { panic("not built yet") }

// Forget gives up one group that was quiet for so long that its interval would
// begin anew; nil = none. The lane holds nothing of it any more; should an
// alert come in this moment, News takes it in again.
func (l *Lane[T, S]) Forget(now time.Time) *Group[T, S] { panic("not built yet") }
