// This file keeps the rates: messages of a channel, edits of a workspace.

package fakeslack

import (
	"sync"
	"time"
)

// Slack lets a workspace edit "50+" messages a minute; a message a second is the
// measure of the rest, so Rate stretches the minute too.
const (
	editsPerWindow = 50
	editWindow     = 60 // times Rate
)

// limits says how long a request comes too soon.
type limits struct {
	rate time.Duration // 0 = no limit

	mu    sync.Mutex
	last  map[string]time.Time // by channel ID, of the last message taken
	edits []time.Time          // of the last ones taken, oldest first
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
func (l *limits) edit() time.Duration {
	if l.rate == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	window := editWindow * l.rate
	if len(l.edits) == editsPerWindow {
		if wait := window - now.Sub(l.edits[0]); wait > 0 {
			return wait
		}
		l.edits = l.edits[1:]
	}
	l.edits = append(l.edits, now)
	return 0
}
