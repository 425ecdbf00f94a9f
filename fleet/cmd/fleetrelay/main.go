// This file starts the relay, says how it is, and ends it.

// Fleetrelay tells Slack what the processes of a fleet publish to NATS: package
// fleet's Run as a program, for a container. Two or more may run; one leads.
//
//	NATS_URL=nats://nats:4222 SLACK_TOKEN=xoxb-… fleetrelay -channel C0123456789 -health :8080
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fleet"
	"example.com/slackalert/fleet/internal/relay"
	"example.com/slackalert/fleet/internal/store"
)

// The exit statuses.
const (
	statusOK     = 0
	statusFailed = 1
	statusUsage  = 2
)

const (
	checkWait = 15 * time.Second
	dialWait  = 5 * time.Second // for each server
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run is main without the process: it logs JSON to out, and says to errs why it
// can't begin.
func run(ctx context.Context, args []string, env func(string) string, out, errs io.Writer) int {
	s, err := read(args, env, errs)
	if errors.Is(err, flag.ErrHelp) {
		return statusOK
	}
	fail := func(status int, err error) int {
		fmt.Fprintln(errs, "fleetrelay:", strings.ReplaceAll(err.Error(), "\n", "; "))
		return status
	}
	if err != nil {
		return fail(statusUsage, err)
	}
	if s.check {
		if err := check(ctx, &s); err != nil {
			return fail(statusFailed, err)
		}
		fmt.Fprintln(errs, "fleetrelay: NATS and Slack answer")
		return statusOK
	}
	base := slog.NewJSONHandler(out, nil)
	nc, err := connect(&s, slog.New(base))
	if err != nil {
		return fail(statusUsage, err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return fail(statusFailed, err)
	}
	h := &health{nc: nc}
	if s.health != "" {
		end, err := h.serve(s.health)
		if err != nil {
			return fail(statusUsage, err)
		}
		defer end()
	}
	if err := fleet.Run(relay.Observed(ctx, h.relay.Store), js, base, &s.slack, &s.fleet); err != nil {
		return fail(statusUsage, err)
	}
	return statusOK
}

// connect doesn't wait for the server. What goes wrong with the connection is
// logged, once as long as it stays the same.
func connect(s *settings, logger *slog.Logger) (*nats.Conn, error) {
	var last atomic.Value
	last.Store("")
	say := func(err error) {
		if err != nil && last.Swap(err.Error()) != err.Error() {
			logger.Warn("fleetrelay: NATS", "error", err.Error())
		}
	}
	opts := append([]nats.Option{
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { say(err) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { say(err) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { say(err) }),
		nats.ConnectHandler(func(nc *nats.Conn) {
			last.Store("")
			logger.Info("fleetrelay: connected to NATS", "server", nc.ConnectedUrlRedacted())
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			last.Store("")
			logger.Info("fleetrelay: connected to NATS again", "server", nc.ConnectedUrlRedacted())
		}),
	}, s.nats...)
	nc, err := nats.Connect(s.url, opts...)
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	return nc, nil
}

// check asks both sides, and changes nothing.
func check(ctx context.Context, s *settings) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkWait, fmt.Errorf("no answer in %v", checkWait))
	defer cancel()
	errs := []error{checkNATS(ctx, s)}
	h, err := slackalert.New(slog.DiscardHandler, &s.slack)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	return errors.Join(append(errs, h.Check(ctx), h.Close())...)
}

// checkNATS asks for JetStream, and for the stream's settings where it is there.
func checkNATS(ctx context.Context, s *settings) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	nc, err := dial(s, func(_ *nats.Conn, _ *nats.Subscription, err error) { end(err) }) // a right that is missing has no other answer
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	p, err := fleet.NewPublisher(js, &s.fleet)
	if err != nil {
		return err
	}
	if _, err = js.AccountInfo(ctx); err == nil {
		err = p.Check(ctx)
	}
	if err == nil || errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	return fmt.Errorf("NATS: %w", cmp.Or(context.Cause(ctx), err))
}

// dial connects to one of the servers now, or says what each of them says: of
// several, and of one that is tried again, the client doesn't tell.
func dial(s *settings, say nats.ErrHandler) (*nats.Conn, error) {
	var errs []error
	for _, u := range s.servers {
		nc, err := nats.Connect(u.String(), append(slices.Clip(s.nats), nats.RetryOnFailedConnect(false), nats.Timeout(dialWait), nats.ErrorHandler(say))...)
		if err == nil {
			return nc, nil
		}
		err = fmt.Errorf("NATS at %s: %w", u.Host, err)
		if store.Denied(err) {
			err = fmt.Errorf("%w; want NATS_CREDS, NATS_USER with NATS_PASSWORD, or NATS_TOKEN as it knows them", err)
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// health answers how the relay is.
type health struct {
	nc    *nats.Conn
	relay atomic.Pointer[relay.Relay] // nil = not yet running
}

func (h *health) serve(addr string) (end func(), err error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-health: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { h.answer(w, true) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { h.answer(w, false) })
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(ln) }()
	return func() { _ = srv.Close() }, nil
}

// answer says 200 where all is well. To live, it is enough to run: a relay that
// waits for NATS isn't better off when it is restarted.
func (h *health) answer(w http.ResponseWriter, live bool) {
	s := struct {
		NATS string `json:"nats"`
		relay.Status
	}{NATS: h.nc.Status().String()}
	ok := false
	if r := h.relay.Load(); r != nil {
		s.Status = r.Status()
		ok = s.Working() && h.nc.IsConnected()
	}
	w.Header().Set("Content-Type", "application/json")
	if !ok && !live {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(s) // who asked is gone: nobody to tell
}
