// This file looks for a message in its channel's history.

package slackapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	eventType = "slackalert_batch"

	// clockSlack is how far the clock that since was read from may be ahead of
	// Slack's, beside what Slack's last answer says of that: what stands there a
	// little earlier costs a line more to read.
	clockSlack = 2 * time.Minute

	// pageSize keeps a page of the largest messages below maxPage, and maxPages
	// what is asked for below Slack's 50 requests a minute.
	pageSize = 50
	maxPage  = 8 << 20
	maxPages = 20

	maxNames = 10_000
)

// ErrNoHistory is what an error of [Client.Find] is when the app can't read the
// channel's history: a scope is missing, or the bot is no member, or it is a
// webhook. [Error.Mend] says what would help; asking again is of no use before.
var ErrNoHistory = errors.New("the channel's history can't be read")

// NoHistory says that ErrNoHistory is the cause.
func (e *Error) NoHistory() bool { return slices.Contains(e.causes, ErrNoHistory) }

// tag is the metadata of a message: what it carries besides what people see.
// Every app of the workspace can read it: an ID, and no text.
type tag struct {
	Type    string `json:"event_type"`
	Payload struct {
		ID string `json:"id"`
	} `json:"event_payload"`
}

func tagOf(id string) (t tag) {
	t.Type, t.Payload.ID = eventType, id
	return t
}

// Find looks in the channel for the message that was posted with the ID, not
// before since, and returns its ref. No ref and no error: it isn't there. An
// error of which ErrNoHistory is a cause is final; any other says that it isn't
// known yet: ask again, not before [Error.RetryAfter].
//
// History wants the channel's ID. A name's is known to the client that posted
// there, by Slack's answer; until then Find answers with an error that says so
// and is not ErrNoHistory.
func (c *Client) Find(ctx context.Context, channel, id string, since time.Time) (ref string, err error) {
	what := call{verb: verbFind, channel: channel, hook: c.hook != ""}
	place, known := c.names.find(channel)
	switch {
	case what.hook:
		return "", c.failed(what, "a webhook can't read", ErrNoHistory)
	case id == "":
		return "", c.failed(what, "there is no ID to find it by", ErrNoHistory)
	case !known:
		e := c.failed(what, "the channel's ID isn't known yet")
		e.mend = "give the channel's ID instead of its name: history is found by that alone"
		return "", e
	}
	// Never later: what stands between may have a clock of its own.
	since = since.Add(-clockSlack - max(time.Duration(c.ahead.Load()).Truncate(time.Minute), 0))
	all := args{
		"channel": place, "oldest": stamp(since), "inclusive": true, "include_all_metadata": true, "limit": pageSize,
	}
	for range maxPages {
		p, e := c.page(ctx, what, all)
		if e != nil {
			return "", e
		}
		if ts := p.find(id); ts != "" {
			return place + "/" + ts, nil
		}
		if p.Next.Cursor == "" {
			return "", nil
		}
		all["cursor"] = p.Next.Cursor
	}
	e := c.failed(what, "more messages than can be looked through")
	e.unknown = true
	return "", e
}

// stamp is t as Slack's messages carry it.
func stamp(t time.Time) string {
	us := max(t.UnixMicro(), 0)
	return strconv.FormatInt(us/1e6, 10) + "." + strconv.FormatInt(1e6+us%1e6, 10)[1:]
}

// page is one answer of conversations.history.
type page struct {
	Messages []struct {
		TS       string          `json:"ts"`
		Metadata json.RawMessage `json:"metadata"` // others' may have any shape
	} `json:"messages"`
	Next struct {
		Cursor string `json:"next_cursor"`
	} `json:"response_metadata"`
}

func (p page) find(id string) (ts string) {
	for _, m := range p.Messages {
		var t tag
		if json.Unmarshal(m.Metadata, &t) == nil && t == tagOf(id) {
			return m.TS
		}
	}
	return ""
}

func (c *Client) page(ctx context.Context, what call, all args) (p page, e *Error) {
	a := c.ask(ctx, "conversations.history", all, maxPage)
	if _, e := c.judge(what, a); e != nil {
		if e.final() {
			e.causes = append(e.causes, ErrNoHistory)
		}
		e.refused = false // there is no message
		return page{}, e
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		e := c.failed(what, c.secrets.reasonOf(err))
		e.status, e.unknown = a.status, true
		return page{}, e
	}
	return p, nil
}

// final says of an error of conversations.history whether it is for this app
// and this channel, not for now and not for all that the app does.
func (e *Error) final() bool {
	ofSlack := e.status/100 == 2 || e.status/100 == 4 && e.status != http.StatusProxyAuthRequired
	return ofSlack && (e.mend != "" || e.refused) && codes[e.code] != token
}

// names are the IDs of the channels that are known by name, as Slack's answers
// told them. The zero value knows none.
type names struct {
	mu  sync.Mutex
	ids map[string]string
}

func plainName(channel string) string { return strings.TrimPrefix(channel, "#") }

func (n *names) learn(channel, id string) {
	if channel == id || !isID(id) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ids == nil {
		n.ids = make(map[string]string)
	}
	if len(n.ids) < maxNames {
		n.ids[plainName(channel)] = id
	}
}

// find gives the ID of a channel: what was learnt, or the channel itself if it
// is one.
func (n *names) find(channel string) (id string, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id, known = n.ids[plainName(channel)]; known {
		return id, true
	}
	return channel, channel != "" && isID(channel)
}
