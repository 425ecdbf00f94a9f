// Command json is the shortest way: JSON on stdout, and Slack.
package main

import (
	"errors"
	"io"
	"log/slog"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	slog.Info("order placed", "order", 1006)
	slog.Error("payment failed", "order", 1007, "error", errors.New("card declined"))
	slog.Warn("sign-in refused", "user", "ada", "error_code", "token_tampered")

	return h.Close() // in main: defer h.Close()
}
