// Command cron runs jobs with robfig/cron, each in a scope of its own.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"github.com/robfig/cron/v3"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

// job makes a job of cron's: an error it returns is an alert, and so is a panic,
// which cron.Recover then ends.
func job(name string, f func(context.Context) error) cron.Job {
	return cron.FuncJob(func() { _ = slackalert.Do(context.Background(), nil, name, f) })
}

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	var ran sync.WaitGroup
	once := func(name string, f func(context.Context) error) cron.Job {
		ran.Add(1)
		var first sync.Once
		return cron.NewChain(cron.Recover(cron.DiscardLogger)).Then(job(name, func(ctx context.Context) (err error) {
			first.Do(func() { defer ran.Done(); err = f(ctx) })
			return err
		}))
	}
	c := cron.New()
	c.Schedule(cron.Every(0), once("invoices", func(ctx context.Context) error {
		slog.InfoContext(ctx, "sending invoices")
		return errors.New("the mail server refused")
	}))
	c.Schedule(cron.Every(0), once("stock", func(context.Context) error { panic("negative stock") }))
	c.Start()
	ran.Wait()
	<-c.Stop().Done()
	return h.Close()
}
