// This file keeps the messages, their channels and the addresses of webhooks.

package fakeslack

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

// maxMessages is how many are kept; the oldest go first.
const maxMessages = 10_000

// hookAuthor marks what came by webhook, which no bot may edit.
const hookAuthor = "webhook"

// A Message is one as it stands now: after Edits edits it reads like this.
type Message struct {
	Channel  string // as the sender wrote it
	TS, Text string
	Blocks   slack.Blocks
	Edits    int
}

// message is one that was taken. It isn't changed: an edit puts a new one in its
// place, so what was read under the lock may be used after it.
type message struct {
	content
	channel, id string // as written, and its ID
	ts          string
	author      string // token, or hookAuthor
	posted      time.Time
	edits       int
	editedTS    string
	version     uint64 // of the store, when it came to read like this
}

// store is the workspace.
type store struct {
	mu       sync.Mutex
	messages []*message        // oldest first
	hooks    map[string]string // path → channel
	lastTS   int64             // in microseconds
	version  uint64            // grows with each change
	changed  chan struct{}     // closed and replaced at each change
}

func (st *store) init() {
	st.hooks = make(map[string]string)
	st.changed = make(chan struct{})
}

// add takes a message.
func (st *store) add(channel, author string, c content) *message {
	st.mu.Lock()
	defer st.mu.Unlock()
	m := &message{content: c, channel: channel, id: channelID(channel), author: author, posted: time.Now()}
	m.ts = st.stamp()
	if len(st.messages) == maxMessages {
		st.messages = slices.Delete(st.messages, 0, 1)
	}
	st.messages = append(st.messages, m)
	st.touch(m)
	return m
}

// edit gives the message ts of the channel another content. Attachments and
// metadata that the edit doesn't name stay.
func (st *store) edit(id, ts, author string, c content) (*message, *refusal) {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := st.find(id, ts)
	if i < 0 {
		return nil, refuse("message_not_found")
	}
	m := *st.messages[i]
	if m.author != author {
		return nil, refuse("cant_update_message")
	}
	if c.attachments == nil {
		c.attachments = m.attachments
	}
	if c.metadata == nil {
		c.metadata = m.metadata
	}
	m.content = c
	m.edits++
	m.editedTS = st.stamp()
	st.messages[i] = &m
	st.touch(&m)
	return &m, nil
}

// knows tells whether the channel has the message ts.
func (st *store) knows(id, ts string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.find(id, ts) >= 0
}

// find is the index of a message, -1 for none. The lock is held.
func (st *store) find(id, ts string) int {
	return slices.IndexFunc(st.messages, func(m *message) bool { return m.ts == ts && m.id == id })
}

// touch wakes who waits for a change. The lock is held.
func (st *store) touch(m *message) {
	st.version++
	m.version = st.version
	close(st.changed)
	st.changed = make(chan struct{})
}

// stamp is a time stamp that no other message has. The lock is held.
func (st *store) stamp() string {
	st.lastTS = max(st.lastTS+1, time.Now().UnixMicro())
	return fmt.Sprintf("%d.%06d", st.lastTS/1e6, st.lastTS%1e6)
}

// all is every message, and the channel that is closed at the next change.
func (st *store) all() ([]*message, uint64, <-chan struct{}) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.messages), st.version, st.changed
}

// hook is the path of the channel's webhook.
func (st *store) hook(channel string) string {
	id := channelID(channel)
	path := teamID + "/B" + id[1:] + "/" + digest("webhook of "+id, 24)
	st.mu.Lock()
	defer st.mu.Unlock()
	if _, ok := st.hooks[path]; !ok {
		st.hooks[path] = channel
	}
	return path
}

func (st *store) hooked(path string) (channel string, live bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	channel, live = st.hooks[path]
	return channel, live
}

// Messages is what the channel holds as it stands now, edits applied, oldest
// first. A channel is meant by its ID or by its name, with or without "#"; "" is
// all channels. The result is the caller's own.
func (s *Server) Messages(channel string) []Message {
	messages, _, _ := s.store.all()
	found := []Message{}
	for _, m := range messages {
		if channel == "" || m.id == channelID(channel) {
			found = append(found, m.public())
		}
	}
	return found
}

func (m *message) public() Message {
	return Message{Channel: m.channel, TS: m.ts, Text: m.text, Blocks: decodeBlocks(m.blocks), Edits: m.edits}
}

// decodeBlocks reads blocks with the client's types. One that they can't read
// stands there as raw JSON: Slack may know more than its client.
func decodeBlocks(raw json.RawMessage) slack.Blocks {
	var all slack.Blocks
	if len(raw) == 0 || json.Unmarshal(raw, &all) == nil {
		return all
	}
	var each []json.RawMessage
	_ = json.Unmarshal(raw, &each) // was decoded before it was kept
	for _, b := range each {
		var one slack.Blocks
		if json.Unmarshal(fmt.Appendf(nil, "[%s]", b), &one) == nil {
			all.BlockSet = append(all.BlockSet, one.BlockSet...)
		} else if r, err := slack.BlockFromJSON(string(b)); err == nil {
			all.BlockSet = append(all.BlockSet, r)
		}
	}
	return all
}

// echo is the message as an answer repeats it: with an ID in every block.
func (m *message) echo() map[string]any {
	e := map[string]any{
		"type": "message", "text": m.text, "ts": m.ts, "team": teamID,
		"user": userID, "bot_id": botID, "app_id": appID,
	}
	if blocks, ok := decodeList(m.blocks); ok {
		e["blocks"] = withIDs(blocks)
	}
	if len(m.attachments) > 0 {
		e["attachments"] = m.attachments
	}
	if m.edits > 0 {
		e["edited"] = map[string]any{"user": userID, "ts": m.editedTS}
	}
	return e
}

func withIDs(blocks []any) []any {
	for i, b := range blocks {
		o := b.(map[string]any) // checked before it was kept
		if _, ok := o["block_id"]; !ok {
			o["block_id"] = fmt.Sprintf("fake%d", i)
		}
	}
	return blocks
}

// isChannelID tells an ID ("C0123") from a name.
func isChannelID(channel string) bool {
	if len(channel) < 2 || !strings.ContainsRune("CDG", rune(channel[0])) {
		return false
	}
	for _, r := range channel[1:] {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return false
		}
	}
	return true
}

// channelID is the ID of a channel meant by ID or by name. Equal names have
// equal IDs on every server.
func channelID(channel string) string {
	if isChannelID(channel) {
		return channel
	}
	return "C" + digest(strings.TrimPrefix(channel, "#"), 10)
}

func digest(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	return base32.StdEncoding.EncodeToString(sum[:])[:n]
}
