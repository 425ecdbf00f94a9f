// These examples say where alerts go, and how they get there.

package slackalert_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
)

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

// An incoming webhook posts to the channel that it was made for. Its address is
// a secret: printed options don't show it.
func ExampleOptions_webhookURL() {
	server, err := fakeslack.Start(nil) // stands for Slack
	if err != nil {
		panic(err)
	}
	defer server.Close()
	opts := &slackalert.Options{WebhookURL: server.WebhookURL("#alerts"), Service: "shop"}
	h, err := slackalert.New(slog.DiscardHandler, opts)
	if err != nil {
		panic(err)
	}
	slog.New(h).Error("payment failed")
	if err := h.Close(); err != nil {
		panic(err)
	}
	fmt.Println(server.Messages("#alerts")[0].Text)
	fmt.Println("shown:", strings.Contains(fmt.Sprintf("%+v", *opts), opts.WebhookURL))
	// Output:
	// 🔴 shop: payment failed
	// shown: false
}

// transport counts requests on their way.
type transport struct{ sent int }

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.sent++
	return http.DefaultTransport.RoundTrip(r)
}

// HTTPClient is for a proxy, a CA of one's own, or another time limit; APIURL
// for GovSlack or a test server. A redirect is never followed.
func ExampleOptions_httpClient() {
	server, err := fakeslack.Start(nil)
	if err != nil {
		panic(err)
	}
	defer server.Close()
	way := new(transport) // in earnest &http.Transport{Proxy: …, TLSClientConfig: …}
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Token:      "xoxb-1",
		Channel:    "C0123456789",
		HTTPClient: &http.Client{Timeout: 5 * time.Second, Transport: way},
		APIURL:     server.APIURL(), // https://slack-gov.com/api/
	})
	if err != nil {
		panic(err)
	}
	slog.New(h).Error("payment failed")
	if err := h.Close(); err != nil {
		panic(err)
	}
	fmt.Println(way.sent, "request,", len(server.Messages("C0123456789")), "message")
	// Output:
	// 1 request, 1 message
}

// From SyncLevel up the call returns when the alert is delivered, or after 5 s:
// for what is logged just before a program ends without its deferred calls.
func ExampleOptions_syncLevel() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender:    mailer{to: "ops@example.com"},
		Service:   "shop",
		SyncLevel: slog.LevelError + 4,
	})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	slog.New(h).Log(context.Background(), slog.LevelError+4, "no database")
	fmt.Println("os.Exit(1)")
	// Output:
	// to ops@example.com: shop: ERROR+4 no database ×1
	// os.Exit(1)
}

// On a laptop there is no token: the program starts all the same, says so once,
// and its alerts stay in the logs.
func ExampleOptions_optional() {
	base := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
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

// down is a destination that nobody reaches.
type down struct{}

func (down) Send(context.Context, slackalert.Batch) error { return errors.New("no route to host") }

// With SpoolDir alerts outlive the process: what it couldn't tell, the next start
// on the folder tells. With CatchCrash that tells a crash, too.
func ExampleOptions_spoolDir() {
	dir, err := os.MkdirTemp("", "alerts") // in earnest a folder that outlives the process
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	start := func(s slackalert.Sender) *slackalert.Handler {
		h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
			Sender: s, Service: "shop", SpoolDir: dir, CatchCrash: true,
		})
		if err != nil {
			panic(err)
		}
		return h
	}

	h := start(down{})
	slog.New(h).Error("payment failed") // on disk when the call returns
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_ = h.Shutdown(ctx)
	fmt.Println("spooled:", h.Stats().Spooled)

	h = start(mailer{to: "ops@example.com"}) // the next start
	if err := h.Close(); err != nil {
		panic(err)
	}
	// Output:
	// spooled: 1
	// to ops@example.com: shop: ERROR payment failed ×1
}
