// Command http is a service on net/http: the middleware around its routes, and
// an end that waits for requests, then for Slack.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
	"example.com/slackalert/slackhttp"
)

func main() { try.Main(example) }

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders/{id}/pay", func(w http.ResponseWriter, r *http.Request) {
		slackalert.Add(r.Context(), "user", "ada")
		slog.ErrorContext(r.Context(), "payment failed", "error", errors.New("card declined"))
		http.Error(w, "try again", http.StatusBadGateway)
	})
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		var order *struct{ Total int }
		_, _ = io.WriteString(w, http.StatusText(order.Total))
	})
	mux.HandleFunc("GET /stock", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable) // nothing logged: the middleware does
	})
	return mux
}

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: slackhttp.Middleware(nil)(routes()), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err = try.Ask("http://"+l.Addr().String(), "POST /orders/7/pay", "/orders/7", "/stock")
	stop() // in earnest: <-ctx.Done()
	<-ctx.Done()

	wait, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = errors.Join(err, server.Shutdown(wait)) // requests end, and log
	if failed := <-served; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	return errors.Join(err, h.Close()) // then what they logged is told
}
