// These examples say what an alert shows.

package slackalert_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
)

// reader stands for Slack here, and prints all that an alert has to show but
// its time and place.
type reader struct{}

func (reader) Send(_ context.Context, b slackalert.Batch) error {
	for _, g := range b.Groups {
		words := []string{b.Service + ":", g.Message}
		for _, f := range g.Fields {
			words = append(words, f.Key+"="+f.Value)
		}
		fmt.Println(strings.Join(words, " "))
		if g.Stack != "" {
			fmt.Println("  stack:", strings.Contains(g.Stack, "ExampleOptions_addStack"))
		}
		for _, crumb := range g.Breadcrumbs {
			_, what, _ := strings.Cut(crumb, " ") // behind the time
			fmt.Println("  before:", what)
		}
	}
	return nil
}

// Service is what stands before each message; by default the program's name.
func ExampleOptions_service() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: reader{}, Service: "shop (staging)"})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	slog.New(h).Error("payment failed")
	// Output:
	// shop (staging): payment failed
}

// AddStack shows the stack of the log call, of the first alert of a group.
// Panics have one without it.
func ExampleOptions_addStack() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: reader{}, Service: "shop", AddStack: true})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	slog.New(h).Error("payment failed")
	// Output:
	// shop: payment failed
	//   stack: true
}

// With Breadcrumbs an alert shows what the same scope logged before it, what
// the base leaves out too.
func ExampleOptions_breadcrumbs() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: reader{}, Service: "shop", Breadcrumbs: 10})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	ctx := slackalert.With(context.Background(), "request_id", "9f86d081")
	logger.InfoContext(ctx, "order received", "order", 1007)
	logger.DebugContext(ctx, "card checked", "brand", "visa")
	logger.ErrorContext(ctx, "payment failed")
	// Output:
	// shop: payment failed request_id=9f86d081
	//   before: INFO order received order=1007
	//   before: DEBUG card checked brand=visa
}

// What others put into contexts, as a tracer its ids, stands in every record,
// in the logs and in Slack.
func ExampleOptions_contextAttrs() {
	type traceID struct{}
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender:  reader{},
		Service: "shop",
		ContextAttrs: func(ctx context.Context) []slog.Attr {
			id, ok := ctx.Value(traceID{}).(string)
			if !ok {
				return nil
			}
			return []slog.Attr{slog.String("trace_id", id)}
		},
	})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	ctx := context.WithValue(context.Background(), traceID{}, "4bf92f3577b34da6")
	logger.WithGroup("order").ErrorContext(ctx, "payment failed", "number", 1007)
	// Output:
	// shop: payment failed trace_id=4bf92f3577b34da6 order.number=1007
}

// ReplaceAttr changes or removes attributes on their way to Slack; the logs
// keep them. Values whose key names a secret are replaced without it.
func ExampleOptions_replaceAttr() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender:  reader{},
		Service: "shop",
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == "email" {
				return slog.Attr{}
			}
			return a
		},
	})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	slog.New(h).Error("sign-up failed", "user", 41, "email", "eve@example.com", "password", "hunter2")
	// Output:
	// shop: sign-up failed user=41 password=[redacted]
}

// NoRedact shows all: for a channel of those who may see it, and a Sender that
// keeps it to them.
func ExampleOptions_noRedact() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: reader{}, Service: "shop", NoRedact: true})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	slog.New(h).Error("sign-up failed", "user", 41, "password", "hunter2")
	// Output:
	// shop: sign-up failed user=41 password=hunter2
}

// SourceURL makes a link of the source line. {revision} is the commit that the
// program was built from; a program that was built from none has no link then.
func ExampleOptions_sourceURL() {
	server, err := fakeslack.Start(nil)
	if err != nil {
		panic(err)
	}
	defer server.Close()
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		WebhookURL: server.WebhookURL("#alerts"),
		SourceURL:  "https://git.example/shop/blob/main/{file}?line={line}", // in earnest {revision}, not main
	})
	if err != nil {
		panic(err)
	}
	slog.New(h).Error("payment failed")
	if err := h.Close(); err != nil {
		panic(err)
	}
	blocks, _ := json.Marshal(server.Messages("#alerts")[0].Blocks)
	fmt.Println(regexp.MustCompile(`https://git\.example/[^?]*`).FindString(string(blocks)))
	// Output:
	// https://git.example/shop/blob/main/example_shown_test.go
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

// Links lead to logs, traces and dashboards.
func ExampleOptions_links() {
	links := func(g slackalert.Group) []slackalert.Link {
		q := url.Values{"from": {g.First.Format(time.RFC3339)}, "text": {g.Message}}
		return []slackalert.Link{{Text: "Logs", URL: "https://logs.example/search?" + q.Encode()}}
	}
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: reader{}, Service: "shop", Links: links})
	if err != nil {
		panic(err)
	}
	defer h.Close()

	first := time.Date(2026, 11, 22, 15, 4, 5, 0, time.UTC)
	fmt.Println(links(slackalert.Group{Message: "payment failed", First: first})[0].URL)
	// Output:
	// https://logs.example/search?from=2026-11-22T15%3A04%3A05Z&text=payment+failed
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
