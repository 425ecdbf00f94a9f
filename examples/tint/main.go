// Command tint keeps its colours: any handler can be the base.
package main

import (
	"errors"
	"io"
	"log/slog"

	"github.com/lmittmann/tint"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(tint.NewTextHandler(logs, &tint.Options{AddSource: true}), opts)
	if err != nil {
		return err
	}
	log := slog.New(h).WithGroup("pay").With("shop", "berlin")
	log.Error("payment failed", "order", 1007, tint.Err(errors.New("card declined")))
	return h.Close()
}
