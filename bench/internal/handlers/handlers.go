// Package handlers makes every handler that the benchmarks compare, by name,
// each over a base and each delivering to the same server.
package handlers

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Handler is a handler to measure.
type Handler struct {
	slog.Handler

	// PerRecord says that each alert is a goroutine and a request of its own:
	// what waits grows without limit, so a benchmark has to stop now and then.
	PerRecord bool

	// Folds says that a group is remembered: its first alert costs more than
	// the next ones, and only a new handler has forgotten it.
	Folds bool

	// scope adds request attributes to a context; nil: they go into the logger.
	scope func(ctx context.Context, args ...any) context.Context

	// delivered and lost are what the handler itself says; nil: it says nothing.
	delivered, lost func() uint64

	// errors is how many failures it reported without a count of alerts.
	errors func() uint64

	// close delivers what waits and stops; nil: there is no such call.
	close func(ctx context.Context) error
}

// Names lists what New makes: the floors, then ours, then the peers.
func Names() []string {
	return []string{"discard", "base", "wrapped", "multi", "fanout", "router", "sentry", "otel"}
}

// New makes the named handler over base; url is the server's address.
func New(name string, base slog.Handler, url string) (*Handler, error) {
	switch name {
	case "discard":
		return &Handler{Handler: slog.DiscardHandler}, nil
	case "base":
		return &Handler{Handler: base}, nil
	case "wrapped":
		return wrapped(base, url)
	case "multi":
		return multi(base, url), nil
	case "fanout":
		return fanout(base, url), nil
	case "router":
		return router(base, url), nil
	case "sentry":
		return sentryLogs(base, url)
	case "otel":
		return otelLogs(base, url)
	}
	return nil, fmt.Errorf("handlers: %q: no such handler, have %s", name, strings.Join(Names(), ", "))
}

// Scope gives ctx and l the attributes of a request: through the context
// where the handler can, else through the logger.
func (h *Handler) Scope(ctx context.Context, l *slog.Logger, args ...any) (context.Context, *slog.Logger) {
	if h.scope == nil {
		return ctx, l.With(args...)
	}
	return h.scope(ctx, args...), l
}

// Close delivers what waits, as far as the handler can and ctx allows, and
// stops it.
func (h *Handler) Close(ctx context.Context) error {
	if h.close == nil {
		return nil
	}
	return h.close(ctx)
}

// Flushes reports whether Close delivers what waits.
func (h *Handler) Flushes() bool { return h.close != nil }

// Delivered returns how many alerts the handler says it delivered, nil if it
// says nothing of it.
func (h *Handler) Delivered() *uint64 { return ask(h.delivered) }

// Lost returns how many alerts the handler says it lost, nil if it says
// nothing of it.
func (h *Handler) Lost() *uint64 { return ask(h.lost) }

// Errors returns how many failures the handler reported without saying how
// many alerts they cost.
func (h *Handler) Errors() uint64 {
	if h.errors == nil {
		return 0
	}
	return h.errors()
}

func ask(count func() uint64) *uint64 {
	if count == nil {
		return nil
	}
	n := count()
	return &n
}

// JSON is the base that users have: slog's JSON, here written to nowhere.
func JSON() slog.Handler { return slog.NewJSONHandler(io.Discard, nil) }

// Noop is a base that takes records from Info up and does nothing with them,
// so that what a handler adds is seen alone.
type Noop struct{}

func (Noop) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (Noop) Handle(context.Context, slog.Record) error    { return nil }
func (n Noop) WithAttrs([]slog.Attr) slog.Handler         { return n }
func (n Noop) WithGroup(string) slog.Handler              { return n }
