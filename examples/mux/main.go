// Command mux mounts the middleware in a gorilla/mux router.
package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/gorilla/mux"

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

	r := mux.NewRouter()
	r.Use(func(next http.Handler) http.Handler { // the route, which only mux knows
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if route, err := mux.CurrentRoute(r).GetPathTemplate(); err == nil {
				slackalert.Add(r.Context(), "route", route)
			}
			next.ServeHTTP(w, r)
		})
	})
	r.HandleFunc("/orders/{id}/pay", func(w http.ResponseWriter, r *http.Request) {
		slackalert.Add(r.Context(), "user", "ada")
		slog.ErrorContext(r.Context(), "payment failed", "error", errors.New("card declined"))
		w.WriteHeader(http.StatusBadGateway)
	}).Methods("POST")
	r.HandleFunc("/orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		var order *struct{ Total int }
		_, _ = io.WriteString(w, http.StatusText(order.Total))
	})
	r.HandleFunc("/stock/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })

	// Around the router, so that what mux itself answers is told, too.
	err = try.Get(slackhttp.Middleware(nil)(r), "POST /orders/7/pay", "/orders/7", "/stock/9")
	return errors.Join(err, h.Close())
}
