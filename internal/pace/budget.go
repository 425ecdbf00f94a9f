// This file is the budget of edits that a bot's lanes share.

package pace

import "time"

// Slack allows 50 calls of chat.update a minute and workspace (Tier 3): a burst
// and a refill that together stay below that in every minute.
const (
	burst  = 10
	refill = 1500 * time.Millisecond
	spare  = burst / 2 // what a quiet mark leaves to counts
)

// Budget is how many edits may be made, by all lanes of a bot. The zero Budget
// is full. Whoever owns it guards it, with the same lock as the lanes.
type Budget struct {
	bank  float64
	since time.Time // when bank was counted
	hold  time.Time // no edit before: Slack said so
}

// next is when an edit may be made that leaves so many to others.
func (b *Budget) next(leave float64, now time.Time) time.Time {
	if b == nil {
		return now
	}
	b.count(now)
	at := now
	if lack := 1 + leave - b.bank; lack > 0 {
		at = now.Add(time.Duration(lack*float64(refill)) + time.Microsecond)
	}
	return later(at, b.hold)
}

func (b *Budget) count(now time.Time) {
	b.bank = min(burst, b.bank+float64(now.Sub(b.since))/float64(refill))
	b.since = now
}

// spend takes one edit.
func (b *Budget) spend(now time.Time) {
	if b != nil {
		b.count(now)
		b.bank--
	}
}

// wait lets no lane edit before until.
func (b *Budget) wait(until time.Time) {
	if b != nil {
		b.hold = later(b.hold, until)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
