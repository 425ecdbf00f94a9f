package slackhttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"example.com/slackalert"
	"example.com/slackalert/slackhttp"
)

// printer stands for Slack.
type printer struct{}

func (printer) Send(_ context.Context, b slackalert.Batch) error {
	for _, g := range b.Groups {
		fmt.Println(g.Level, g.Code, g.Message)
		for _, f := range g.Fields {
			switch f.Key {
			case "user", "method", "path", "route", "status", "request_id":
				fmt.Println(" ", f.Key, f.Value)
			}
		}
	}
	return nil
}

func Example() {
	alerts, err := slackalert.New(slog.NewJSONHandler(io.Discard, nil), &slackalert.Options{Sender: printer{}})
	if err != nil {
		panic(err)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders/{id}/pay", func(w http.ResponseWriter, r *http.Request) {
		slackalert.Add(r.Context(), "user", "ann") // what authentication found out
		panic(errors.New("no connection to the till"))
	})
	shop := slackhttp.Middleware(&slackhttp.Options{Logger: slog.New(alerts)})(mux)

	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/orders/7/pay?card=4111", nil)
	r.Header.Set("X-Request-Id", "f3a9")
	shop.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	_ = alerts.Close() // tells what waits

	// Output:
	// 500 {"message":"internal server error","code":"unhandled"}
	// ERROR+4 unhandled panic: no connection to the till
	//   method POST
	//   path /orders/7/pay
	//   request_id f3a9
	//   user ann
	//   route POST /orders/{id}/pay
	//   status 500
}
