// Command stdlog tells what still goes through package log, and what net/http
// has to say.
package main

import (
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h)) // log.Printf logs through it from here on, at INFO

	slog.SetLogLoggerLevel(slog.LevelError) // or at ERROR: alerts
	log.Printf("payment of order %d failed", 1007)

	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no such order") }))
	s.Config.ErrorLog = slog.NewLogLogger(h, slog.LevelError) // without the middleware, net/http's word is all there is
	s.Start()
	defer s.Close()
	if _, err := http.Get(s.URL); err == nil {
		return errors.New("the request should have failed")
	}

	// log.Fatal ends the program without its deferred calls. Close first:
	//	h.Close()
	//	log.Fatal(err)
	return h.Close()
}
