// These examples are the package at work: a handler, a request, a job, a panic,
// a team, the end.

package slackalert_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
)

// A handler that wraps the one that keeps the logs: the error is written there,
// and told in Slack.
func Example() {
	server, err := fakeslack.Start(nil) // stands for Slack here
	if err != nil {
		panic(err)
	}
	defer server.Close()

	base := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: noTime})
	h, err := slackalert.New(base, &slackalert.Options{
		Token:   "xoxb-1",
		Channel: "#alerts",
		Service: "shop",
		APIURL:  server.APIURL(), // leave it out to reach Slack
	})
	if err != nil {
		panic(err)
	}
	logger := slog.New(h) // or slog.SetDefault(slog.New(h))

	logger.Info("order received", "order", 1007)
	logger.Error("payment failed", "user", 41, "error", errors.New("connection refused"))

	if err := h.Close(); err != nil { // tells what waits
		panic(err)
	}
	for _, m := range server.Messages("#alerts") {
		fmt.Println("Slack:", m.Text)
	}
	// Output:
	// level=INFO msg="order received" order=1007
	// level=ERROR msg="payment failed" user=41 error="connection refused"
	// Slack: 🔴 shop: payment failed: connection refused (user 41)
}

// What a request knows of itself goes into its context, and stands in every
// record logged with it.
func ExampleWith() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: printer{}})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	ctx := slackalert.With(context.Background(), "request_id", "9f86d081", "path", "/pay")
	logger.ErrorContext(ctx, "payment failed", "order", 1007)
	// Output:
	// ERROR payment failed request_id=9f86d081 path=/pay order=1007
}

// Add reaches everybody who holds a context of the scope: what the
// authentication found out is known to the middleware around it.
func ExampleAdd() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: printer{}})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	authenticate := func(ctx context.Context) { slackalert.Add(ctx, "user", 41) }
	middleware := func(ctx context.Context) {
		ctx = slackalert.With(ctx, "path", "/pay")
		authenticate(ctx)
		logger.ErrorContext(ctx, "request failed")
	}
	middleware(context.Background())
	// Output:
	// ERROR request failed path=/pay user=41
}

// Do runs a job in a scope. The error that it returns is an alert, and so is a
// panic, which goes on.
func ExampleDo() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: printer{}})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h) // nil: slog's default

	err = slackalert.Do(context.Background(), logger, "invoices", func(ctx context.Context) error {
		slackalert.Add(ctx, "month", "2026-11")
		return errors.New("the mail server refused")
	})
	fmt.Println("returned:", err)
	// Output:
	// returned: the mail server refused
	// ERROR job invoices failed job=invoices month=2026-11 error_code=unhandled error=the mail server refused
}

// Panicked tells what a framework's own recovery would keep to itself. It waits
// for nothing.
func ExamplePanicked() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: printer{}})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	serve := func(ctx context.Context, orders map[int]string) (status int) {
		defer func() {
			if v := recover(); v != nil {
				slackalert.Panicked(ctx, logger, v)
				status = 500
			}
		}()
		orders[1007] = "tea"
		return 200
	}
	fmt.Println(serve(slackalert.With(context.Background(), "path", "/orders"), nil))
	// Output:
	// 500
	// ERROR+4 panic: assignment to entry in nil map path=/orders error_code=unhandled error=assignment to entry in nil map
}

// Repanic tells a panic before it goes on, in main and in goroutines.
func ExampleHandler_Repanic() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: printer{}})
	if err != nil {
		panic(err)
	}
	defer h.Close()

	work := func(orders map[int]string) {
		defer h.Repanic()
		orders[1007] = "tea"
	}
	defer func() { fmt.Println("still panicking:", recover()) }()
	work(nil)
	// Output:
	// ERROR+4 panic: assignment to entry in nil map error=assignment to entry in nil map
	// still panicking: assignment to entry in nil map
}

// Two teams, each with a handler of its own: one base keeps the logs, and
// Filter says whose an alert is.
func Example_teams() {
	of := func(team string) func(context.Context, slog.Record) bool {
		return func(_ context.Context, r slog.Record) bool {
			theirs := false
			r.Attrs(func(a slog.Attr) bool {
				theirs = a.Key == "team" && a.Value.String() == team
				return !theirs
			})
			return theirs
		}
	}
	orders, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: printer{to: "orders:"}, Filter: of("orders")})
	if err != nil {
		panic(err)
	}
	search, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: printer{to: "search:"}, Filter: of("search")})
	if err != nil {
		panic(err)
	}
	base := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: noTime})
	logger := slog.New(slog.NewMultiHandler(base, orders, search))

	logger.Error("payment failed", "team", "orders")
	logger.Error("index is stale", "team", "search")
	if err := errors.Join(orders.Close(), search.Close()); err != nil {
		panic(err)
	}
	// Output:
	// level=ERROR msg="payment failed" team=orders
	// level=ERROR msg="index is stale" team=search
	// orders: ERROR payment failed team=orders
	// search: ERROR index is stale team=search
}

// Lambda freezes a program between invocations, and nothing is sent while it is
// frozen: Flush at the end of each.
func ExampleHandler_Flush() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: printer{}}) // in main: it outlives invocations
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	handle := func(ctx context.Context, order int) error {
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			_ = h.Flush(ctx) // a failure is in the logs, and the alert is told with the next
		}()
		logger.ErrorContext(ctx, "payment failed", "order", order)
		return nil
	}

	// lambda.Start(handle)
	_ = handle(context.Background(), 1007)
	fmt.Println("frozen")
	// Output:
	// ERROR payment failed order=1007
	// frozen
}

// Stats may be polled, as expvar does.
func ExampleHandler_Stats() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: printer{}})
	if err != nil {
		panic(err)
	}
	stats := expvar.Func(func() any { return h.Stats() })
	// expvar.Publish("slackalert", stats), once: it stands at /debug/vars

	logger := slog.New(h)
	for range 1000 {
		logger.Error("payment failed")
	}
	if err := h.Close(); err != nil {
		panic(err)
	}
	fmt.Println(stats)
	// Output:
	// ERROR payment failed ×1000
	// {"Alerts":1000,"Delivered":1000,"Pending":0,"Lost":0,"Spooled":0,"Messages":1,"Updates":0,"Failures":0,"LastError":""}
}

// printer stands for Slack where an example is about something else. In earnest
// there are Token and Channel in its place, or WebhookURL.
type printer struct{ to string }

func (p printer) Send(_ context.Context, b slackalert.Batch) error {
	for _, g := range b.Groups {
		words := []string{p.to, g.Level.String(), g.Message}
		for _, f := range g.Fields {
			if f.Key != "stack" {
				words = append(words, f.Key+"="+f.Value)
			}
		}
		if g.Count > 1 {
			words = append(words, fmt.Sprint("×", g.Count))
		}
		fmt.Println(strings.TrimSpace(strings.Join(words, " ")))
	}
	return nil
}

// noTime leaves out what is different each time.
func noTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
