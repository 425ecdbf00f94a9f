// This file serves the page: the messages as a reader of Slack would see them,
// and the stream of events that keeps it up to date.

package fakeslack

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed static
var static embed.FS

// pages is parsed once; executing it is safe from several goroutines. Nothing in
// it is marked as safe HTML: whatever a message holds is escaped.
var pages = template.Must(template.ParseFS(static, "static/page.html"))

const (
	// shown is how many messages the page begins with, the latest ones.
	shown = 200

	// told is how many messages one event tells at most, the latest ones; the
	// page keeps no more.
	told = 1000

	// gather is how long a change waits for more before pages are told.
	gather = 30 * time.Millisecond

	// stillHere is how often a quiet stream says that it is there; a reader that
	// has gone is noticed by it.
	stillHere = 15 * time.Second
)

// policy lets the page load its own files and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// A view is what one page shows.
type view struct {
	Version  string // of the store, to go on from
	Channel  string // ID; "" = all
	Title    string
	APIURL   string
	Channels []channelView
	Messages []messageView
	Older    int    // messages left out
	More     string // address that shows more of them
}

type channelView struct {
	ID, Name string
	Count    int
	Current  bool
}

// secure sets the headers of everything a browser gets.
func secure(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next(w, r)
	}
}

func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, "page", s.view(r.URL.Query())); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page.Bytes())
}

// view is what the query asks for: a channel, and how many messages of it.
func (s *Server) view(query url.Values) view {
	messages, version, _ := s.store.all()
	v := view{Channel: query.Get("channel"), APIURL: s.APIURL(), Version: s.versionName(version)}
	v.Channels = channelsOf(messages, v.Channel)
	v.Title = v.title()
	messages = ofChannel(messages, v.Channel)
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 {
		limit = shown
	}
	if v.Older = max(0, len(messages)-limit); v.Older > 0 {
		messages = messages[v.Older:]
		v.More = "?" + url.Values{"channel": {v.Channel}, "limit": {strconv.Itoa(limit * 5)}}.Encode()
	}
	v.Messages = drawAll(messages)
	return v
}

func (v view) title() string {
	for _, c := range v.Channels {
		if c.Current {
			return "#" + c.Name
		}
	}
	if v.Channel != "" {
		return "#" + v.Channel
	}
	return "All channels"
}

func ofChannel(messages []*message, id string) []*message {
	if id == "" {
		return messages
	}
	return slices.DeleteFunc(messages, func(m *message) bool { return m.id != id })
}

// channelsOf counts the messages of each channel, in order of name.
func channelsOf(messages []*message, current string) []channelView {
	var all []channelView
	at := make(map[string]int)
	for _, m := range messages {
		i, ok := at[m.id]
		if !ok {
			i = len(all)
			at[m.id] = i
			all = append(all, channelView{ID: m.id, Name: channelName(m), Current: m.id == current})
		}
		all[i].Count++
	}
	slices.SortFunc(all, func(a, b channelView) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return all
}

func channelName(m *message) string { return strings.TrimPrefix(m.channel, "#") }

// versionName names a state of this server's store: a page that outlives the
// server learns that the next one's is another.
func (s *Server) versionName(version uint64) string {
	return fmt.Sprintf("%s-%d", s.epoch, version)
}

// parseVersion reads what versionName wrote; false if another server did.
func (s *Server) parseVersion(name string) (uint64, bool) {
	epoch, number, _ := strings.Cut(name, "-")
	version, err := strconv.ParseUint(number, 10, 64)
	return version, err == nil && epoch == s.epoch
}

// serveEvents streams what changes. An event's ID is the version it leads to, so
// a browser that connects again gets all that it missed.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	seen, ok := s.parseVersion(cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("since")))
	if !ok {
		_, _ = fmt.Fprint(w, "event: reset\ndata: {}\n\n")
		return
	}
	out := http.NewResponseController(w)
	tick := time.NewTicker(stillHere)
	defer tick.Stop()
	_, err := fmt.Fprint(w, ": hello\n\n")
	for err == nil && out.Flush() == nil {
		messages, version, changed := s.store.all()
		if version != seen {
			err = s.sendChange(w, messages, seen, version, r.URL.Query().Get("channel"))
			seen = version
			continue
		}
		select {
		case <-changed:
			wait(r, gather)
		case <-tick.C:
			_, err = fmt.Fprint(w, ": still here\n\n")
		case <-r.Context().Done():
			return
		}
	}
}

// sendChange writes the event that leads from version seen to version.
func (s *Server) sendChange(w http.ResponseWriter, messages []*message, seen, version uint64, channel string) error {
	v := view{Channel: channel, Channels: channelsOf(messages, channel)}
	fresh := slices.DeleteFunc(ofChannel(messages, channel), func(m *message) bool { return m.version <= seen })
	v.Messages = drawAll(fresh[max(0, len(fresh)-told):])
	event := make(map[string]string)
	for _, part := range []string{"channels", "messages"} {
		var html bytes.Buffer
		if err := pages.ExecuteTemplate(&html, part, v); err != nil {
			return err
		}
		event[part] = html.String()
	}
	data, _ := json.Marshal(event) // one line: JSON has no raw line ends
	_, err := fmt.Fprintf(w, "id: %s\ndata: %s\n\n", s.versionName(version), data)
	return err
}
