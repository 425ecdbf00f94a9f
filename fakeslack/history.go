// This file answers conversations.history: what a channel holds, newest first.

package fakeslack

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultHistory = 100
	maxHistory     = 999
)

// A window is the part of a channel that a request asks for.
type window struct {
	oldest, latest string // time stamps; "" = no bound
	inclusive      bool
	before         string // time stamp of the last message of the page before; "" = none
	limit          int
	metadata       bool
}

// history answers what a channel holds. Like Slack it wants the channel's ID,
// and tells a message's metadata only who asks for it.
func (s *Server) history(_ string, a args) reply {
	if !a.has("channel") {
		return refuse("invalid_arguments", "missing required field: channel [json-pointer:/channel]").webReply()
	}
	if !isChannelID(a["channel"]) {
		return refuse("channel_not_found").webReply()
	}
	w, bad := readWindow(a)
	if bad != nil {
		return bad.webReply()
	}
	if wait := s.limits.read(); wait > 0 {
		return busyReply(wait)
	}
	all, _, _ := s.store.all()
	found, more := w.of(all, a["channel"])
	messages := make([]any, len(found))
	for i, m := range found {
		messages[i] = m.told(w.metadata)
	}
	answer := map[string]any{"ok": true, "messages": messages, "has_more": more, "pin_count": 0}
	if more {
		answer["response_metadata"] = map[string]any{"next_cursor": "before:" + found[len(found)-1].ts}
	}
	return jsonReply(http.StatusOK, answer)
}

func readWindow(a args) (w window, bad *refusal) {
	w = window{oldest: a["oldest"], latest: a["latest"], limit: defaultHistory}
	w.inclusive, w.metadata = yes(a["inclusive"]), yes(a["include_all_metadata"])
	for name, ts := range map[string]string{"oldest": w.oldest, "latest": w.latest} {
		if _, err := strconv.ParseFloat(ts, 64); ts != "" && err != nil {
			return w, refuse("invalid_ts_" + name)
		}
	}
	if a.has("limit") {
		n, err := strconv.Atoi(a["limit"])
		if err != nil || n < 1 || n > maxHistory {
			return w, refuse("invalid_limit")
		}
		w.limit = n
	}
	if cursor := a["cursor"]; cursor != "" {
		before, ok := strings.CutPrefix(cursor, "before:")
		if !ok {
			return w, refuse("invalid_cursor")
		}
		w.before = before
	}
	return w, nil
}

func yes(s string) bool { return s == "true" || s == "1" }

// of is the page that w asks for, newest first, and whether there are more.
func (w window) of(all []*message, id string) (page []*message, more bool) {
	for _, m := range slices.Backward(all) {
		if m.id != id || !w.holds(m.ts) {
			continue
		}
		if len(page) == w.limit {
			return page, true
		}
		page = append(page, m)
	}
	return page, false
}

func (w window) holds(ts string) bool {
	at := compareTS
	switch {
	case w.before != "" && at(ts, w.before) >= 0,
		w.oldest != "" && (at(ts, w.oldest) < 0 || at(ts, w.oldest) == 0 && !w.inclusive),
		w.latest != "" && (at(ts, w.latest) > 0 || at(ts, w.latest) == 0 && !w.inclusive):
		return false
	}
	return true
}

// compareTS compares two time stamps, of which one may be a plain number of
// seconds.
func compareTS(a, b string) int {
	as, af, _ := strings.Cut(a, ".")
	bs, bf, _ := strings.Cut(b, ".")
	x, _ := strconv.ParseInt(as, 10, 64)
	y, _ := strconv.ParseInt(bs, 10, 64)
	if x != y {
		return int(max(min(x-y, 1), -1))
	}
	return strings.Compare(strings.TrimRight(af, "0"), strings.TrimRight(bf, "0"))
}

// told is the message as the history tells it.
func (m *message) told(metadata bool) map[string]any {
	e := m.echo()
	if len(m.metadata) > 0 {
		e["metadata"] = m.shownMetadata(metadata)
	}
	return e
}
