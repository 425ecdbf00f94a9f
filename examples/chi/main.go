// Command chi mounts the middleware in a chi router.
package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
	"example.com/slackalert/slackhttp"
)

func main() { try.Main(example) }

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	r := chi.NewRouter()
	r.Use(slackhttp.Middleware(nil)) // before chi's Recoverer, which would keep panics to itself
	r.Post("/orders/{id}/pay", func(w http.ResponseWriter, r *http.Request) {
		slackalert.Add(r.Context(), "user", "ada")
		slog.ErrorContext(r.Context(), "payment failed", "error", errors.New("card declined"))
		http.Error(w, "try again", http.StatusBadGateway)
	})
	r.Get("/orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		var order *struct{ Total int }
		_, _ = io.WriteString(w, http.StatusText(order.Total))
	})
	r.Get("/stock", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable) // nothing logged: the middleware does
	})

	err = try.Get(r, "POST /orders/7/pay", "/orders/7", "/stock")
	return errors.Join(err, h.Close())
}
