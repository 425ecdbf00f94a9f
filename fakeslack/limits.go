// This file keeps the rates: messages of a channel, edits and looks into history
// of a workspace.

package fakeslack

import (
	"sync"
	"time"
)

// Slack lets an app edit "50+" messages of a workspace a minute, and look into
// its channels as often; a message a second is the measure of the rest, so Rate
// stretches the minute too.
const (
	perWindow = 50
	aWindow   = 60 // times Rate
)

// limits says how long a request comes too soon.
type limits struct {
	rate time.Duration // 0 = no limit

	mu    sync.Mutex
	last  map[string]time.Time // by channel ID, of the last message taken
	edits []time.Time          // of the last ones taken, oldest first
	reads []time.Time          // likewise
}

// post is how much too soon a message for the channel comes: 0 means that it is
// taken.
func (l *limits) post(channel string) time.Duration {
	if l.rate == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if last, ok := l.last[channel]; ok {
		if wait := l.rate - now.Sub(last); wait > 0 {
			return wait
		}
	}
	if l.last == nil {
		l.last = make(map[string]time.Time)
	}
	l.last[channel] = now
	return 0
}

// edit is how much too soon an edit comes.
func (l *limits) edit() time.Duration { return l.tier(&l.edits) }

// read is how much too soon a look into the history comes.
func (l *limits) read() time.Duration { return l.tier(&l.reads) }

// tier takes one more request of a method, if it doesn't come too soon.
func (l *limits) tier(taken *[]time.Time) time.Duration {
	if l.rate == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if len(*taken) == perWindow {
		if wait := aWindow*l.rate - now.Sub((*taken)[0]); wait > 0 {
			return wait
		}
		*taken = (*taken)[1:]
	}
	*taken = append(*taken, now)
	return 0
}
