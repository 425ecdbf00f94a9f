// Command zap shows both ways for a program that logs with zap: slog's records
// into zap's core, and zap's own entries into alerts.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
	"go.uber.org/zap/zapcore"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

// tell makes alerts of zap's entries. A hook gets no fields: what should be
// shown belongs into the message.
func tell(h slog.Handler) func(zapcore.Entry) error {
	return func(e zapcore.Entry) error {
		if e.Level < zapcore.ErrorLevel {
			return nil
		}
		level := slog.LevelError + slog.Level(4*min(e.Level-zapcore.ErrorLevel, 1))
		return h.Handle(context.Background(), slog.NewRecord(e.Time, level, e.Message, e.Caller.PC))
	}
}

func example(opts *slackalert.Options, logs io.Writer) error {
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(logs), zapcore.InfoLevel)

	// What is logged with slog goes through zap's core.
	h, err := slackalert.New(zapslog.NewHandler(core), opts)
	if err != nil {
		return err
	}
	slog.New(h).Error("payment failed", "order", 1007, "error", errors.New("card declined"))

	// What is logged with zap has been written already: nothing below the handler.
	alerts, err := slackalert.New(slog.DiscardHandler, opts)
	if err != nil {
		return err
	}
	log := zap.New(zapcore.RegisterHooks(core, tell(alerts)), zap.AddCaller())
	log.Info("order placed")
	log.Error("stock is negative")
	return errors.Join(h.Close(), alerts.Close())
}
