// This file starts the server, routes what comes in, and stops it.

// Package fakeslack is a strict Slack on loopback, for tests and demos. It
// speaks real HTTP: chat.postMessage, chat.update, conversations.history,
// auth.test and incoming webhooks. It refuses what Slack refuses, in Slack's own words, and where
// Slack's rule isn't known it takes the stricter reading. It shows what arrived
// as values ([Server.Messages]) and drawn on a page ([Server.PageURL]).
//
// In a test:
//
//	slack, _ := fakeslack.Start(nil)
//	defer slack.Close()
//	h, _ := slackalert.New(base, &slackalert.Options{Token: "xoxb-1", Channel: "C1", APIURL: slack.APIURL()})
//
// After the program has logged and flushed, slack.Messages("C1") is what people
// would read: each is a value, and its String is what stands in the channel.
// [Server.FailNext] makes Slack slow, busy, broken or gone, or lose its answers;
// [Server.Withhold] takes the app's scopes.
package fakeslack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Options says where the server listens and how patient it is. The zero value
// is a server on a free port that takes any token and any rate.
type Options struct {
	// Addr is the loopback address to listen on, "127.0.0.1:8080" or ":8080".
	// Default: a free port of 127.0.0.1.
	Addr string

	// Rate is the least time between two messages of a channel, however they
	// are posted; what comes sooner is answered 429 with Retry-After. Slack's is
	// one second. Edits have a rate of their own, Slack's 50 a minute: 50 in any
	// 60 times Rate. 0 = none.
	Rate time.Duration

	// Token is the only one taken. Default: any that isn't empty.
	Token string
}

// A Server is a Slack workspace in memory. It keeps the last 10,000 messages.
// All methods may be called from several goroutines and after Close.
type Server struct {
	opts  Options
	base  string // "http://127.0.0.1:port"
	http  *http.Server
	epoch string             // tells this server from an earlier one at its address
	stop  context.CancelFunc // ends every request's context

	running sync.WaitGroup // the accepting goroutine and one per connection
	closing sync.Once

	store  store
	faults faults
	limits limits
	scopes grants
}

// Start listens and serves until [Server.Close]. Nil options are the defaults.
func Start(opts *Options) (*Server, error) {
	s := &Server{}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Rate < 0 {
		return nil, fmt.Errorf("fakeslack: Rate is %v, want 0 or more", s.opts.Rate)
	}
	ln, err := listen(s.opts.Addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.base = "http://" + ln.Addr().String()
	s.epoch = strconv.FormatInt(time.Now().UnixNano(), 36)
	s.store.init()
	s.limits.rate = s.opts.Rate
	s.http = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		ConnState:         s.track,
		// A cut connection ends a request's context only once its body is read.
		BaseContext: func(net.Listener) context.Context { return ctx },
		// The default is the log package, which slog.SetDefault may have pointed
		// at the very handler that posts here.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	s.running.Go(func() { _ = s.http.Serve(ln) })
	return s, nil
}

// listen opens addr, which must be loopback: there is no password.
func listen(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("fakeslack: Addr: %w", err)
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("fakeslack: Addr is %q, want a loopback address such as 127.0.0.1:8080", addr)
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("fakeslack: %w", err)
	}
	return ln, nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("/services/{path...}", s.serveWebhook)
	mux.HandleFunc("GET /{$}", secure(s.servePage))
	mux.HandleFunc("GET /events", secure(s.serveEvents))
	mux.HandleFunc("GET /static/{file}", secure(http.FileServerFS(static).ServeHTTP))
	return own(mux)
}

// track counts connections, so that Close can wait for the goroutine of each.
// New ones are announced by the goroutine that accepts, so none comes after it
// has ended.
func (s *Server) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.running.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.running.Done()
	}
}

// Close cuts all connections and returns when no goroutine of the server is
// left. Messages stay readable. Calling it again waits too and changes nothing.
func (s *Server) Close() error {
	var err error
	s.closing.Do(func() {
		s.stop()
		err = s.http.Close()
		if errors.Is(err, net.ErrClosed) {
			err = nil
		}
		s.running.Wait()
	})
	return err
}

// APIURL is what a Slack client takes as its API's address. It ends in "/".
func (s *Server) APIURL() string { return s.base + "/api/" }

// PageURL is the page that shows the messages, drawn.
func (s *Server) PageURL() string { return s.base + "/" }
