// Command logrus makes alerts of what a program logs with logrus: a hook.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/sirupsen/logrus"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

// hook tells entries; logrus itself writes them.
type hook struct{ slog.Handler }

func (hook) Levels() []logrus.Level {
	return []logrus.Level{logrus.PanicLevel, logrus.FatalLevel, logrus.ErrorLevel}
}

func (h hook) Fire(e *logrus.Entry) error {
	r := slog.NewRecord(e.Time, slog.LevelError+slog.Level(4*min(1, int(logrus.ErrorLevel-e.Level))), e.Message, 0)
	for key, value := range e.Data {
		r.AddAttrs(slog.Any(key, value))
	}
	ctx := e.Context
	if ctx == nil {
		ctx = context.Background()
	}
	return h.Handle(ctx, r)
}

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.DiscardHandler, opts)
	if err != nil {
		return err
	}
	log := logrus.New()
	log.SetOutput(logs)
	log.SetFormatter(&logrus.JSONFormatter{})
	log.AddHook(hook{h})

	log.Info("order placed")
	log.WithError(errors.New("card declined")).WithField("order", 1007).Error("payment failed")
	return h.Close()
}
