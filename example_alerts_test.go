// These examples say which records become alerts, and what is known of their
// codes.

package slackalert_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/slackalert"
)

// desk stands for Slack here, and prints the channel, the level, the code and
// the message.
type desk struct{}

func (desk) Send(_ context.Context, b slackalert.Batch) error {
	for _, g := range b.Groups {
		fmt.Println(strings.Join(strings.Fields(fmt.Sprint(b.Channel, " ", g.Level, " ", g.Code, " ", g.Message)), " "))
	}
	return nil
}

// Level may change while the program runs.
func ExampleOptions_level() {
	var level slog.LevelVar // INFO
	level.Set(slog.LevelWarn)
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender: desk{}, // or Token and Channel, or WebhookURL
		Level:  &level,
	})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	logger.Warn("disk is filling up")
	level.Set(slog.LevelError) // too loud
	logger.Warn("disk is filling up, still")
	// Output:
	// WARN disk is filling up
}

// A record with a code is an alert below ERROR too. Here the code has the name
// that the program gives it, a path into a group, and counts from WARN up.
func ExampleOptions_codeKey() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender:    desk{},
		CodeKey:   "problem.code",
		CodeLevel: slog.LevelWarn,
	})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	logger.Warn("sign-in refused", slog.Group("problem", "code", "token_tampered"))
	logger.Warn("sign-in is slow")
	logger.Info("no such order", "problem.code", "not_found")
	// Output:
	// WARN token_tampered sign-in refused
}

// What is known of single codes stands in a catalogue.
func ExampleOptions_codes() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender: desk{},
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
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	logger.Warn("sign-in refused", "error_code", "token_tampered")
	logger.Info("no such order", "error_code", "not_found")
	// Output:
	// #security WARN token_tampered sign-in refused
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
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: desk{}})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

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
	// #payments WARN card_refused the bank refuses a card
}

// Filter has the last word. Here it leaves out what failed only because the
// client went away.
func ExampleOptions_filter() {
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender: desk{},
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
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	logger.Error("query failed", "error", fmt.Errorf("read: %w", context.Canceled))
	logger.Error("mail not sent", "error", errors.New("connection refused"))
	// Output:
	// ERROR mail not sent
}

// Route names the channel of an alert, by whatever the record or its context
// says. Where it returns "", a code's channel counts, else Options.Channel.
func ExampleOptions_route() {
	type tenant struct{}
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender: desk{},
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
	if err != nil {
		panic(err)
	}
	defer h.Close()
	logger := slog.New(h)

	logger.ErrorContext(context.WithValue(context.Background(), tenant{}, "acme"), "payment failed")
	logger.Warn("sign-in refused", "error_code", "token_tampered")
	// Unordered output:
	// #acme ERROR payment failed
	// #noise WARN token_tampered sign-in refused
}
