// Package loopback is the one server that every handler of the benchmarks
// delivers to: it answers Slack's, Sentry's and OTLP's requests and counts the
// alerts that arrived.
//
// It checks no message: it has to be cheap, or the benchmarks would measure it.
package loopback

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	logs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"
)

// Mode is how the server behaves.
type Mode string

const (
	Fast    Mode = "fast"    // answers at once
	Slow    Mode = "slow"    // answers after 10 s
	Limited Mode = "limited" // Slack's endpoints take one message a second, else 429; the log collectors have no such limit
	Down    Mode = "down"    // refuses connections: not a mode of a Server, but the address of none
)

// Refusing is the address of a server that is down: nobody listens on the
// first privileged port, so a connection is refused at once.
const Refusing = "http://127.0.0.1:1"

const (
	slowness  = 10 * time.Second
	rate      = time.Second
	bodyLimit = 1 << 30
)

// Counts is what arrived.
type Counts struct {
	Requests uint64 `json:"requests"`
	Refused  uint64 `json:"refused"`   // answered with 429
	Alerts   uint64 `json:"alerts"`    // accepted; a Slack message counts as one
	SaidLost uint64 `json:"said_lost"` // given up by a Sentry client, by its own reports
	Bad      uint64 `json:"bad"`       // could not be read
}

// Server listens on a free port of 127.0.0.1.
type Server struct {
	URL string

	http     http.Server
	mode     atomic.Value // Mode
	requests atomic.Uint64
	refused  atomic.Uint64
	alerts   atomic.Uint64
	saidLost atomic.Uint64
	bad      atomic.Uint64
	posts    atomic.Uint64

	mu    sync.Mutex
	next  map[string]time.Time  // by channel: when the next message is taken
	conns map[net.Conn]struct{} // open ones, for Cut
}

// Start starts a server.
func Start(mode Mode) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("loopback: %w", err)
	}
	s := &Server{
		URL:   "http://" + l.Addr().String(),
		next:  make(map[string]time.Time),
		conns: make(map[net.Conn]struct{}),
	}
	s.mode.Store(mode)
	s.http.Handler = s.routes()
	s.http.ConnState = s.track
	s.http.ErrorLog = log.New(io.Discard, "", 0) // a peer that opens too many connections is no news
	go s.http.Serve(l)                           // ends with Close
	return s, nil
}

// Close stops the server and cuts its connections.
func (s *Server) Close() error { return s.http.Close() }

// SetMode changes the behaviour of requests to come.
func (s *Server) SetMode(m Mode) { s.mode.Store(m) }

// Counts returns what arrived since the start.
func (s *Server) Counts() Counts {
	return Counts{
		Requests: s.requests.Load(),
		Refused:  s.refused.Load(),
		Alerts:   s.alerts.Load(),
		SaidLost: s.saidLost.Load(),
		Bad:      s.bad.Load(),
	}
}

// Cut closes every open connection: what hangs ends.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

func (s *Server) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns[c] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		delete(s.conns, c)
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/{hook...}", s.slack(func(w http.ResponseWriter, _ []byte) {
		io.WriteString(w, "ok")
	}))
	mux.HandleFunc("POST /api/chat.postMessage", s.slack(s.posted))
	mux.HandleFunc("POST /api/chat.update", s.take(s.posted))
	mux.HandleFunc("POST /api/auth.test", s.take(s.posted))
	mux.HandleFunc("POST /api/1/envelope/", s.take(s.envelope))
	mux.HandleFunc("POST /v1/logs", s.take(s.otlp))
	return mux
}

// take reads a request's body, waits if the server is slow, and answers. A
// client that has gone meanwhile has delivered nothing.
func (s *Server) take(answer func(http.ResponseWriter, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		body, err := read(r)
		if err != nil {
			s.bad.Add(1)
			http.Error(w, "bad body", http.StatusBadRequest)
			return
		}
		if s.mode.Load() == Slow {
			select {
			case <-time.After(slowness):
			case <-r.Context().Done():
				return
			}
		}
		answer(w, body)
	}
}

// slack is take for the endpoints that post: one message a second if limited.
func (s *Server) slack(answer func(http.ResponseWriter, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.mode.Load() == Limited && !s.allow(r.URL.Path) {
			s.requests.Add(1)
			s.refused.Add(1)
			io.Copy(io.Discard, io.LimitReader(r.Body, bodyLimit)) // so that the connection is used again
			w.Header().Set("Retry-After", "1")
			http.Error(w, `{"ok":false,"error":"ratelimited"}`, http.StatusTooManyRequests)
			return
		}
		s.take(func(w http.ResponseWriter, body []byte) {
			s.alerts.Add(1)
			answer(w, body)
		})(w, r)
	}
}

// allow reports whether the message's turn has come. All messages of one run
// go to one channel, so the path stands for it.
func (s *Server) allow(channel string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.next[channel]) {
		return false
	}
	s.next[channel] = now.Add(rate)
	return true
}

func (s *Server) posted(w http.ResponseWriter, _ []byte) {
	w.Header().Set("Content-Type", "application/json")
	ts := strconv.FormatUint(1_700_000_000+s.posts.Add(1), 10) + ".000100"
	fmt.Fprintf(w, `{"ok":true,"channel":"C0BENCH","ts":%q}`, ts)
}

// envelope counts the log entries of a Sentry envelope and what its client
// reports say was given up.
func (s *Server) envelope(w http.ResponseWriter, body []byte) {
	alerts, lost, err := countEnvelope(body)
	if err != nil {
		s.bad.Add(1)
		http.Error(w, "bad envelope", http.StatusBadRequest)
		return
	}
	s.alerts.Add(alerts)
	s.saidLost.Add(lost)
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{}`)
}

// countEnvelope reads Sentry's envelope: a line of headers, then items of a
// header line and a payload of the length that it names.
func countEnvelope(body []byte) (alerts, lost uint64, err error) {
	_, rest, found := bytes.Cut(body, []byte("\n"))
	if !found {
		return 0, 0, errors.New("loopback: envelope without items")
	}
	for len(bytes.TrimSpace(rest)) > 0 {
		var head struct {
			Type      string `json:"type"`
			Length    int    `json:"length"`
			ItemCount uint64 `json:"item_count"`
		}
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		if err := json.Unmarshal(line, &head); err != nil {
			return alerts, lost, fmt.Errorf("loopback: envelope item: %w", err)
		}
		if head.Length < 0 || head.Length > len(after) {
			return alerts, lost, fmt.Errorf("loopback: envelope item of %d bytes, got %d", head.Length, len(after))
		}
		payload := after[:head.Length]
		rest = bytes.TrimPrefix(after[head.Length:], []byte("\n"))
		switch head.Type {
		case "log":
			alerts += head.ItemCount
		case "client_report":
			lost += countReport(payload)
		}
	}
	return alerts, lost, nil
}

func countReport(payload []byte) (lost uint64) {
	var report struct {
		Discarded []struct {
			Category string `json:"category"`
			Quantity uint64 `json:"quantity"`
		} `json:"discarded_events"`
	}
	if json.Unmarshal(payload, &report) != nil {
		return 0
	}
	for _, d := range report.Discarded {
		if d.Category == "log_item" { // log_byte tells the same loss again, in bytes
			lost += d.Quantity
		}
	}
	return lost
}

func (s *Server) otlp(w http.ResponseWriter, body []byte) {
	var req logs.ExportLogsServiceRequest
	if err := proto.Unmarshal(body, &req); err != nil {
		s.bad.Add(1)
		http.Error(w, "bad protobuf", http.StatusBadRequest)
		return
	}
	for _, resource := range req.ResourceLogs {
		for _, scope := range resource.ScopeLogs {
			s.alerts.Add(uint64(len(scope.LogRecords)))
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf") // an empty answer: all accepted
}

func read(r *http.Request) ([]byte, error) {
	body := io.Reader(io.LimitReader(r.Body, bodyLimit))
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = io.LimitReader(z, bodyLimit)
	}
	return io.ReadAll(body)
}
