// Package try lets the examples run without a Slack: it gives each a small one
// on loopback, and prints what arrived in the log and in the channel.
package try

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
)

// Main runs an example. Where SLACK_TOKEN and SLACK_CHANNEL are set it tells the
// real Slack, or the one at SLACK_API_URL. The example gets options to add to, and
// where its base handler is to write; it closes its handler before it returns.
func Main(example func(opts *slackalert.Options, logs io.Writer) error) {
	if err := run(os.Getenv, os.Stdout, example); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(env func(string) string, out io.Writer, example func(*slackalert.Options, io.Writer) error) error {
	opts := &slackalert.Options{Token: env("SLACK_TOKEN"), Channel: env("SLACK_CHANNEL"), APIURL: env("SLACK_API_URL"),
		Service: "shop", BatchDelay: 200 * time.Millisecond}
	if opts.Token != "" {
		return example(opts, out)
	}
	slack, err := fakeslack.Start(nil)
	if err != nil {
		return err
	}
	defer slack.Close()
	opts.Token, opts.Channel, opts.APIURL = "xoxb-example", "C0123456789", slack.APIURL()
	logs := new(log)
	err = example(opts, logs)
	fmt.Fprintf(out, "== the log\n%s", logs)
	for _, m := range slack.Messages("") {
		fmt.Fprintf(out, "\n== Slack, %s\n%s\n", m.Channel, m)
	}
	return errors.Join(err, slack.Close())
}

// log keeps lines that many goroutines write.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Get serves h on loopback and asks it for the paths, one after the other; each
// may begin with a method ("POST /pay").
func Get(h http.Handler, paths ...string) error {
	s := httptest.NewServer(h)
	defer s.Close()
	return Ask(s.URL, paths...)
}

// Ask asks a server that runs.
func Ask(url string, paths ...string) error {
	for _, path := range paths {
		method := http.MethodGet
		if m, p, ok := strings.Cut(path, " "); ok {
			method, path = m, p
		}
		req, err := http.NewRequest(method, url+path, nil)
		if err != nil {
			return err
		}
		req.Header.Set("X-Request-Id", "r-1")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			return err
		}
	}
	return nil
}
