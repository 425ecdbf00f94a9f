// Command otel shows the trace of a request in its records and its alerts, with
// a link to it. The trace is otelhttp's, around the middleware.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
	"example.com/slackalert/slackhttp"
)

func main() { try.Main(example) }

// ids are the attributes of the span that a context carries.
func ids(ctx context.Context) []slog.Attr {
	if s := trace.SpanContextFromContext(ctx); s.IsValid() {
		return []slog.Attr{slog.String("trace_id", s.TraceID().String()), slog.String("span_id", s.SpanID().String())}
	}
	return nil
}

// traceLink leads from an alert to its trace.
func traceLink(g slackalert.Group) []slackalert.Link {
	for _, f := range g.Fields {
		if f.Key == "trace_id" {
			return []slackalert.Link{{Text: "Trace", URL: "https://traces.example.com/trace/" + f.Value}}
		}
	}
	return nil
}

func example(opts *slackalert.Options, logs io.Writer) error {
	opts.ContextAttrs = ids
	opts.Links = traceLink
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders/{id}/pay", func(w http.ResponseWriter, r *http.Request) {
		slog.ErrorContext(r.Context(), "payment failed", "error", errors.New("card declined"))
	})
	mux.HandleFunc("GET /orders/{id}", func(http.ResponseWriter, *http.Request) { panic("no such order") })
	mux.HandleFunc("GET /stock", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })

	traces := sdk.NewTracerProvider() // with an exporter, in earnest
	handler := otelhttp.NewHandler(slackhttp.Middleware(nil)(mux), "shop", otelhttp.WithTracerProvider(traces))
	err = try.Get(handler, "POST /orders/7/pay", "/orders/7", "/stock")
	return errors.Join(err, traces.Shutdown(context.Background()), h.Close())
}
