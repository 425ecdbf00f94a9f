// Command slogcontext shows what slog-context keeps in contexts, in the logs and
// in Slack: at the top level under groups, and for panics, too.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	slogctx "github.com/veqryn/slog-context"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

func fromContext(ctx context.Context) []slog.Attr {
	return slices.Concat(slogctx.ExtractPrepended(ctx, time.Time{}, 0, ""), slogctx.ExtractAppended(ctx, time.Time{}, 0, ""))
}

func example(opts *slackalert.Options, logs io.Writer) error {
	opts.ContextAttrs = fromContext // in the place of slogctx.NewHandler
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	log := slog.New(h)
	ctx := slogctx.Append(slogctx.Prepend(context.Background(), "tenant", "acme"), "shop", "berlin")
	log.InfoContext(ctx, "order placed")
	log.WithGroup("pay").ErrorContext(ctx, "payment failed", "order", 1007, "error", errors.New("card declined"))
	func() {
		defer func() { fmt.Fprintln(logs, "went on:", recover()) }()
		_ = slackalert.Do(ctx, log, "invoices", func(context.Context) error { panic("an order without lines") })
	}()
	return h.Close()
}
