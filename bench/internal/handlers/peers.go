// This file makes the peers, each set up as its documentation shows for
// errors only.

package handlers

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/getsentry/sentry-go"
	sentryslog "github.com/getsentry/sentry-go/slog"
	"github.com/go-logr/logr/funcr"
	slogmulti "github.com/samber/slog-multi"
	slogslack "github.com/samber/slog-slack/v2"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	sdk "go.opentelemetry.io/otel/sdk/log"
)

func slack(url string) slog.Handler {
	return slogslack.Option{Level: slog.LevelError, WebhookURL: url + "/services/T0/B0/bench"}.NewSlackHandler()
}

// multi is what the standard library offers: two handlers side by side.
func multi(base slog.Handler, url string) *Handler {
	return &Handler{Handler: slog.NewMultiHandler(base, slack(url)), PerRecord: true}
}

func fanout(base slog.Handler, url string) *Handler {
	return &Handler{Handler: slogmulti.Fanout(base, slack(url)), PerRecord: true}
}

func router(base slog.Handler, url string) *Handler {
	h := slogmulti.Router().
		Add(base).
		Add(slack(url), slogmulti.LevelIs(slog.LevelError)).
		Handler()
	return &Handler{Handler: h, PerRecord: true}
}

// sentryLogs sends Sentry's structured logs. Its losses reach the server in
// client reports.
func sentryLogs(base slog.Handler, url string) (*Handler, error) {
	client, err := sentry.NewClient(sentry.ClientOptions{
		Dsn: strings.Replace(url, "http://", "http://public@", 1) + "/1",
	})
	if err != nil {
		return nil, fmt.Errorf("handlers: %w", err)
	}
	ctx := sentry.SetHubOnContext(context.Background(), sentry.NewHub(client, sentry.NewScope()))
	logs := sentryslog.Option{LogLevel: []slog.Level{slog.LevelError, sentryslog.LevelFatal}}.NewSentryHandler(ctx)
	return &Handler{
		Handler: slog.NewMultiHandler(base, logs),
		close: func(ctx context.Context) error {
			defer client.Close()
			if !client.FlushWithContext(ctx) {
				return fmt.Errorf("handlers: sentry: not all was flushed")
			}
			return nil
		},
	}, nil
}

var dropped = regexp.MustCompile(`"dropped"=(\d+)`)

// otelLogs sends through OpenTelemetry's batch processor over OTLP/HTTP. Its
// losses are a line of its own log.
func otelLogs(base slog.Handler, url string) (*Handler, error) {
	exporter, err := otlploghttp.New(context.Background(), otlploghttp.WithEndpointURL(url+"/v1/logs"))
	if err != nil {
		return nil, fmt.Errorf("handlers: %w", err)
	}
	var lost, failed atomic.Uint64
	otel.SetLogger(funcr.New(func(_, args string) {
		if m := dropped.FindStringSubmatch(args); m != nil {
			n, _ := strconv.ParseUint(m[1], 10, 64)
			lost.Add(n)
		}
	}, funcr.Options{Verbosity: 1}))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) { failed.Add(1) })) // by default a line on stderr
	provider := sdk.NewLoggerProvider(sdk.WithProcessor(sdk.NewBatchProcessor(exporter)))
	bridge := otelslog.NewHandler("bench", otelslog.WithLoggerProvider(provider))
	return &Handler{
		Handler: slog.NewMultiHandler(base, errorsOnly{bridge}),
		lost:    lost.Load,
		errors:  failed.Load,
		close: func(ctx context.Context) error {
			err := provider.Shutdown(ctx)
			if err != nil {
				failed.Add(1)
			}
			return err
		},
	}, nil
}

// errorsOnly keeps records below Error from a handler that has no level of
// its own.
type errorsOnly struct{ slog.Handler }

func (h errorsOnly) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelError && h.Handler.Enabled(ctx, l)
}

func (h errorsOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return errorsOnly{h.Handler.WithAttrs(attrs)}
}

func (h errorsOnly) WithGroup(name string) slog.Handler {
	return errorsOnly{h.Handler.WithGroup(name)}
}
