// Command multi fans out with slog-multi: the handler is one of several, or has
// several below it.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	slogmulti "github.com/samber/slog-multi"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

func example(opts *slackalert.Options, logs io.Writer) error {
	// Two bases below it. The other way round, the handler inside a Fanout, works
	// too, but then the scope's attributes reach its own base only.
	both := slogmulti.Fanout(slog.NewJSONHandler(logs, nil), slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelError}))
	h, err := slackalert.New(both, opts)
	if err != nil {
		return err
	}
	ctx := slackalert.With(context.Background(), "request_id", "r-1")
	slog.New(h).ErrorContext(ctx, "payment failed", "error", errors.New("card declined"))
	return h.Close()
}
