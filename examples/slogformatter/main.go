// Command slogformatter formats the logs by slog-formatter, below, and Slack's
// copy by ReplaceAttr.
package main

import (
	"errors"
	"io"
	"log/slog"

	slogformatter "github.com/samber/slog-formatter"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

var masked = slogformatter.IPAddressFormatter("ip")

func inSlack(groups []string, a slog.Attr) slog.Attr {
	if v, ok := masked(groups, a); ok {
		a.Value = v
	}
	return a
}

func example(opts *slackalert.Options, logs io.Writer) error {
	opts.ReplaceAttr = inSlack
	base := slogformatter.NewFormatterHandler(slogformatter.ErrorFormatter("error"), masked)(slog.NewJSONHandler(logs, nil))
	h, err := slackalert.New(base, opts)
	if err != nil {
		return err
	}
	log := slog.New(h).With("ip", "192.0.2.7")
	log.Info("order placed")
	log.Error("payment failed", "order", 1007, "error", errors.New("card declined"))
	return h.Close()
}
