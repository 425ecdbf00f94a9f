// Command river works jobs of a queue, River's on SQLite: one middleware tells
// those that fail.
package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
	_ "modernc.org/sqlite"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

// alerts gives each job a scope, and tells the error or the panic that ends it.
type alerts struct{ river.MiddlewareDefaults }

func (*alerts) Work(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
	ctx = slackalert.With(ctx, "job_id", job.ID, "attempt", job.Attempt)
	return slackalert.Do(ctx, nil, job.Kind, work)
}

type invoice struct {
	Order int `json:"order"`
}

func (invoice) Kind() string { return "invoice" }

func send(ctx context.Context, job *river.Job[invoice]) error {
	slog.InfoContext(ctx, "sending an invoice", "order", job.Args.Order)
	if job.Args.Order == 1008 {
		panic("an order without lines")
	}
	return errors.New("the mail server refused")
}

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	ctx := context.Background()
	client, failed, err := queue(ctx)
	if err != nil {
		return err
	}
	for _, order := range []int{1007, 1008} {
		if _, err := client.Insert(ctx, invoice{order}, &river.InsertOpts{MaxAttempts: 1}); err != nil {
			return err
		}
	}
	<-failed
	<-failed
	return errors.Join(client.Stop(ctx), h.Close())
}

// queue starts River, and says of jobs that they failed for good.
func queue(ctx context.Context) (*river.Client[*sql.Tx], <-chan *river.Event, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	migrator, err := rivermigrate.New(riversqlite.New(db), nil)
	if err != nil {
		return nil, nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(send))
	client, err := river.NewClient(riversqlite.New(db), &river.Config{
		Logger:     slog.New(slog.DiscardHandler), // River's own words would tell each panic again
		Middleware: []rivertype.Middleware{&alerts{}},
		Queues:     map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}},
		Workers:    workers,
	})
	if err != nil {
		return nil, nil, err
	}
	failed, _ := client.Subscribe(river.EventKindJobFailed)
	return client, failed, client.Start(ctx)
}
