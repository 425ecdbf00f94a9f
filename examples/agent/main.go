// Command agent is the usual way into CloudWatch: JSON on stdout, which ECS,
// Lambda or an agent takes there. Only the link is special.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"example.com/slackalert"
	"example.com/slackalert/cloudwatch"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

func example(opts *slackalert.Options, stdout io.Writer) error {
	opts.Links = cloudwatch.Links("eu-central-1", "/ecs/shop", "request_id")
	h, err := slackalert.New(slog.NewJSONHandler(stdout, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	ctx := slackalert.With(context.Background(), "request_id", "r-1")
	slog.ErrorContext(ctx, "payment failed", "error", errors.New("card declined"))
	return h.Close()
}
