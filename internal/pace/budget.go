// This file is the budget of edits that a bot's lanes share, and what is worked
// out with times.

package pace

import "time"

// Slack allows some 50 calls of chat.update a minute and workspace (Tier 3): a
// burst and a refill that together stay at that in every minute.
const (
	burst  = 10
	refill = 1500 * time.Millisecond
	spare  = burst / 2 // what a quiet mark leaves to counts
)

// Budget is how many edits may be made, by all lanes of a bot. The zero Budget
// is full. Whoever owns it guards it, with the same lock as the lanes.
//
// Slack's limits are per method and workspace: a Retry-After of an edit holds
// the edits of all lanes, and no post. That of a post is mostly the channel's
// own limit, which counts every way to write there, so it holds all of that
// lane's requests and no other lane's. Where the answer says that the workspace
// is at its limit, no lane tries anything.
type Budget struct {
	free  bool      // only Retry-After counts
	bank  float64   // edits that may be made
	since time.Time // when bank was counted
	hold  time.Time // no edit before: Slack said so
	still time.Time // no request of any lane before: the workspace is at its limit
}

// next is when an edit may be made that leaves so many to others.
func (b *Budget) next(leave float64, now time.Time) time.Time {
	b.bank = min(burst, b.bank+float64(now.Sub(b.since))/float64(refill))
	b.since = now
	if lack := 1 + leave - b.bank; lack > 0 && !b.free {
		now = now.Add(time.Duration(lack*float64(refill)) + time.Microsecond)
	}
	return later(now, b.hold)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
