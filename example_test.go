package slackalert_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/slack-go/slack"

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
	h, logger := newExample(&slackalert.Options{})
	defer h.Close()

	ctx := slackalert.With(context.Background(), "request_id", "9f86d081", "path", "/pay")
	logger.ErrorContext(ctx, "payment failed", "order", 1007)
	// Output:
	// ERROR payment failed request_id=9f86d081 path=/pay order=1007
}

// Add reaches everybody who holds a context of the scope: what the
// authentication found out is known to the middleware around it.
func ExampleAdd() {
	h, logger := newExample(&slackalert.Options{})
	defer h.Close()

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

// A record with a code is an alert below ERROR too. What is known of single
// codes stands in a catalogue.
func ExampleOptions_codes() {
	h, logger := newExample(&slackalert.Options{
		Codes: map[string]slackalert.Code{
			"token_tampered": {
				Title:   "Tampered token",
				Channel: "#security",
				Mention: "<!subteam^S0123>",
				Runbook: "https://wiki.example/token-tampered",
			},
			"not_found": {Mute: true}, // no alert by its code
		},
	})
	defer h.Close()

	logger.Warn("sign-in refused", "error_code", "token_tampered")
	logger.Info("no such order", "error_code", "not_found")
	// Output:
	// #security WARN token_tampered sign-in refused error_code=token_tampered
}

// The same catalogue from a file, which embed can put into the program.
func ExampleLoadCodes() {
	codes, err := slackalert.LoadCodes(strings.NewReader(`{
		"token_tampered": {"title": "Tampered token", "mention": "<!subteam^S0123>"},
		"not_found":      {"mute": true}
	}`))
	fmt.Println(len(codes), codes["token_tampered"].Title, err)

	_, err = slackalert.LoadCodes(strings.NewReader(`{
		"token_tampered": {"titel": "Tampered token"}
	}`))
	fmt.Println(err)
	// Output:
	// 2 Tampered token <nil>
	// slackalert: codes: line 2: code "token_tampered": unknown field "titel"; want title, channel, mention, runbook or mute
}

// The catalogue may change while the program runs: a code is muted, or sent to
// another channel, without a deploy. Here a file is looked at now and then.
func ExampleHandler_SetCodes() {
	h, logger := newExample(&slackalert.Options{})
	defer h.Close()

	file := filepath.Join(os.TempDir(), fmt.Sprint("codes-", os.Getpid(), ".json"))
	defer os.Remove(file)
	var read time.Time
	reload := func() error {
		info, err := os.Stat(file)
		if err != nil || info.ModTime().Equal(read) {
			return err
		}
		data, err := os.Open(file)
		if err != nil {
			return err
		}
		defer data.Close()
		codes, err := slackalert.LoadCodes(data)
		if err != nil {
			return err // the old ones stay
		}
		read = info.ModTime()
		return h.SetCodes(codes)
	}
	// go func() {
	// 	for range time.Tick(10 * time.Second) {
	// 		if err := reload(); err != nil {
	// 			logger.Warn("codes are not read", "file", file, "error", err)
	// 		}
	// 	}
	// }()

	_ = os.WriteFile(file, []byte(`{"card_refused": {"channel": "#payments"}}`), 0o600)
	fmt.Println(reload())
	logger.Warn("the bank refuses a card", "error_code", "card_refused")

	_ = os.WriteFile(file, []byte(`{"card_refused": {"mention": "@oncall"}}`), 0o600)
	_ = os.Chtimes(file, time.Time{}, read.Add(time.Second))
	fmt.Println(reload())
	// Output:
	// <nil>
	// slackalert: codes: line 1: code "card_refused": mention is "@oncall", which calls nobody; want "<@U…>" for a user, "<!subteam^S…>" for a group, "<!here>", "<!channel>" or "<!everyone>" (the IDs stand in the profiles)
	// #payments WARN card_refused the bank refuses a card error_code=card_refused
}

// Route names the channel of an alert, by whatever the record or its context
// says. Where it returns "", a code's channel counts, else Options.Channel.
func ExampleOptions_route() {
	type tenant struct{}
	h, logger := newExample(&slackalert.Options{
		Route: func(ctx context.Context, r slog.Record) string {
			if ctx.Value(tenant{}) == "acme" {
				return "#acme"
			}
			if r.Level < slog.LevelError {
				return "#noise"
			}
			return ""
		},
	})
	defer h.Close()

	logger.ErrorContext(context.WithValue(context.Background(), tenant{}, "acme"), "payment failed")
	logger.Warn("sign-in refused", "error_code", "token_tampered")
	// Unordered output:
	// #acme ERROR payment failed
	// #noise WARN token_tampered sign-in refused error_code=token_tampered
}

// What others put into contexts, as a tracer its ids, stands in every record,
// in the logs and in Slack.
func ExampleOptions_contextAttrs() {
	type traceID struct{}
	h, logger := newExample(&slackalert.Options{
		ContextAttrs: func(ctx context.Context) []slog.Attr {
			id, ok := ctx.Value(traceID{}).(string)
			if !ok {
				return nil
			}
			return []slog.Attr{slog.String("trace_id", id)}
		},
	})
	defer h.Close()

	ctx := context.WithValue(context.Background(), traceID{}, "4bf92f3577b34da6")
	logger.WithGroup("order").ErrorContext(ctx, "payment failed", "number", 1007)
	// Output:
	// ERROR payment failed trace_id=4bf92f3577b34da6 order.number=1007
}

// On a laptop there is no token: the program starts all the same, says so once,
// and its alerts stay in the logs.
func ExampleOptions_optional() {
	base := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: noTime})
	h, err := slackalert.New(base, &slackalert.Options{
		Token:    os.Getenv("NO_SUCH_TOKEN"),
		Channel:  "C0123456789",
		Optional: true,
	})
	if err != nil {
		panic(err)
	}
	defer h.Close()

	slog.New(h).Error("payment failed")
	fmt.Println(h.Check(context.Background()))
	// Output:
	// level=WARN msg="slackalert: there is no destination: alerts stay in the logs" want="Token with Channel, WebhookURL or Sender"
	// level=ERROR msg="payment failed"
	// no destination; want one of Token with Channel, WebhookURL, Sender
}

// Filter has the last word. Here it leaves out what failed only because the
// client went away.
func ExampleOptions_filter() {
	h, logger := newExample(&slackalert.Options{
		Filter: func(_ context.Context, r slog.Record) bool {
			keep := true
			r.Attrs(func(a slog.Attr) bool {
				err, ok := a.Value.Any().(error)
				keep = !ok || !errors.Is(err, context.Canceled)
				return keep
			})
			return keep
		},
	})
	defer h.Close()

	logger.Error("query failed", "error", fmt.Errorf("read: %w", context.Canceled))
	logger.Error("query failed", "error", errors.New("connection refused"))
	// Output:
	// ERROR query failed error=connection refused
}

// ReplaceAttr changes or removes attributes on their way to Slack; the logs
// keep them. Values whose key names a secret are replaced without it.
func ExampleOptions_replaceAttr() {
	h, logger := newExample(&slackalert.Options{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == "email" {
				return slog.Attr{}
			}
			return a
		},
	})
	defer h.Close()

	logger.Error("sign-up failed", "user", 41, "email", "eve@example.com", "password", "hunter2")
	// Output:
	// ERROR sign-up failed user=41 password=[redacted]
}

// Blocks replaces the layout. Here a sentence stands above the default one, which
// [slackalert.Blocks] draws. Inert keeps what was logged from acting in mrkdwn.
func ExampleOptions_blocks() {
	server, err := fakeslack.Start(nil)
	if err != nil {
		panic(err)
	}
	defer server.Close()
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		WebhookURL: server.WebhookURL("#alerts"),
		Blocks: func(b slackalert.Batch) []slack.Block {
			text := "*Please look:* " + slackalert.Inert(b.Groups[0].Message)
			title := slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
			return append([]slack.Block{slack.NewSectionBlock(title, nil, nil)}, slackalert.Blocks(b, nil)...)
		},
		Service: "shop",
	})
	if err != nil {
		panic(err)
	}
	slog.New(h).Error("no reply from <!channel>")
	if err := h.Close(); err != nil {
		panic(err)
	}
	blocks := server.Messages("")[0].Blocks.BlockSet
	fmt.Println(blocks[0].(*slack.SectionBlock).Text.Text)
	fmt.Println(blocks[1].(*slack.HeaderBlock).Text.Text)
	// Output:
	// *Please look:* no reply from &lt;!channel&gt;
	// 🔴 shop: no reply from <!channel>
}

// With Breadcrumbs an alert shows what the same scope logged before it, what
// the base leaves out too.
func ExampleOptions_breadcrumbs() {
	h, logger := newExample(&slackalert.Options{Breadcrumbs: 10})
	defer h.Close()

	ctx := slackalert.With(context.Background(), "request_id", "9f86d081")
	logger.InfoContext(ctx, "order received", "order", 1007)
	logger.DebugContext(ctx, "card checked", "brand", "visa")
	logger.ErrorContext(ctx, "payment failed")
	// Output:
	// ERROR payment failed request_id=9f86d081
	//   before: INFO order received order=1007
	//   before: DEBUG card checked brand=visa
}

// mailer is a destination of one's own. An error makes slackalert try again,
// with what came since.
type mailer struct{ to string }

func (m mailer) Send(ctx context.Context, b slackalert.Batch) error {
	for _, g := range b.Groups {
		fmt.Printf("to %s: %s: %s %s ×%d\n", m.to, b.Service, g.Level, g.Message, g.Count)
	}
	return nil
}

// A Sender delivers to somewhere else than Slack.
func ExampleSender() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender:  mailer{to: "ops@example.com"},
		Service: "shop",
	})
	if err != nil {
		panic(err)
	}
	logger := slog.New(h)
	for user := range 3 {
		logger.Error("payment failed", "user", user)
	}
	if err := h.Close(); err != nil {
		panic(err)
	}
	// Output:
	// to ops@example.com: shop: ERROR payment failed ×3
}

// Mention names who is told at once: here those on call, of what is fatal.
func ExampleOptions_mention() {
	server, err := fakeslack.Start(nil)
	if err != nil {
		panic(err)
	}
	defer server.Close()
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		WebhookURL: server.WebhookURL("#alerts"),
		Mention: func(g slackalert.Group) string {
			if g.Level > slog.LevelError {
				return "<!subteam^S0ONCALL>"
			}
			return ""
		},
		Service: "shop",
	})
	if err != nil {
		panic(err)
	}
	slog.New(h).Log(context.Background(), slog.LevelError+4, "out of disk")
	if err := h.Close(); err != nil {
		panic(err)
	}
	fmt.Println(server.Messages("")[0].Text)
	// Output:
	// 🚨 FATAL shop: out of disk <!subteam^S0ONCALL>
}

// Fingerprint says what is the same thing happening again. Here all time-outs
// are, whatever timed out.
func ExampleOptions_fingerprint() {
	h, logger := newExample(&slackalert.Options{
		Fingerprint: func(_ context.Context, r slog.Record) string {
			timeout := false
			r.Attrs(func(a slog.Attr) bool {
				err, ok := a.Value.Any().(error)
				timeout = ok && errors.Is(err, context.DeadlineExceeded)
				return !timeout
			})
			if timeout {
				return "time-out"
			}
			return "" // the default grouping
		},
	})
	defer h.Close()

	logger.Error("query failed", "error", context.DeadlineExceeded)
	logger.Error("mail not sent", "error", fmt.Errorf("mail: %w", context.DeadlineExceeded))
	// Output:
	// ERROR query failed error=context deadline exceeded ×2
}

// Level may change while the program runs.
func ExampleOptions_level() {
	var level slog.LevelVar // INFO
	level.Set(slog.LevelWarn)
	h, logger := newExample(&slackalert.Options{Level: &level})
	defer h.Close()

	logger.Warn("disk is filling up")
	level.Set(slog.LevelError) // too loud
	logger.Warn("disk is filling up, still")
	// Output:
	// WARN disk is filling up
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
	orders, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: mailer{"orders@example.com"}, Service: "shop", Filter: of("orders")})
	if err != nil {
		panic(err)
	}
	search, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: mailer{"search@example.com"}, Service: "shop", Filter: of("search")})
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
	// to orders@example.com: shop: ERROR payment failed ×1
	// to search@example.com: shop: ERROR index is stale ×1
}

// Lambda freezes a program between invocations, and nothing is sent while it is
// frozen: Flush at the end of each.
func ExampleHandler_Flush() {
	h, logger := newExample(&slackalert.Options{}) // in main: it outlives invocations
	defer h.Close()

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
	h, logger := newExample(&slackalert.Options{})
	stats := expvar.Func(func() any { return h.Stats() })
	// expvar.Publish("slackalert", stats), once: it stands at /debug/vars

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

// Repanic tells a panic before it goes on, in main and in goroutines.
func ExampleHandler_Repanic() {
	h, _ := newExample(&slackalert.Options{})
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

// newExample is a handler, and a logger over it, that prints what goes to Slack.
// Its base keeps nothing.
func newExample(opts *slackalert.Options) (*slackalert.Handler, *slog.Logger) {
	opts.Sender = console{}
	h, err := slackalert.New(slog.DiscardHandler, opts)
	if err != nil {
		panic(err)
	}
	return h, slog.New(h)
}

// console prints each group of a batch.
type console struct{}

func (console) Send(_ context.Context, b slackalert.Batch) error {
	for _, g := range b.Groups {
		parts := []string{b.Channel, g.Level.String(), g.Code, g.Message}
		for _, f := range g.Fields {
			if f.Key != "stack" {
				parts = append(parts, f.Key+"="+f.Value)
			}
		}
		if g.Count > 1 {
			parts = append(parts, fmt.Sprint("×", g.Count))
		}
		fmt.Println(strings.Join(strings.Fields(strings.Join(parts, " ")), " "))
		for _, crumb := range g.Breadcrumbs {
			_, what, _ := strings.Cut(crumb, " ")
			fmt.Println("  before:", what)
		}
	}
	return nil
}

func noTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
