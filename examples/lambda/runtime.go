// This file stands in for AWS: the runtime API of Lambda, as far as a function
// needs it.

package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"example.com/slackalert"
)

var errDeclined = errors.New("card declined")

// runtime gives the function three invocations: one that is well, one that
// fails, and one that panics, which ends the process. After each answer it
// freezes the process for a while, as Lambda does.
func runtime(opts *slackalert.Options, logs io.Writer) error {
	events := []string{`{"Number":1006}`, `{"Number":1007}`, `{"Number":1008}`}
	function := exec.Command(os.Args[0])
	var mu sync.Mutex
	next := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasSuffix(r.URL.Path, "/invocation/next") {
			if next == len(events) {
				return // an empty event: the function has ended by then
			}
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("invocation-%d", next))
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			_, _ = io.WriteString(w, events[next])
			next++
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(logs, "answered: %s\n", body)
		w.WriteHeader(http.StatusAccepted)
		_ = function.Process.Signal(syscall.SIGSTOP)
		time.AfterFunc(300*time.Millisecond, func() { _ = function.Process.Signal(syscall.SIGCONT) })
	}))
	defer api.Close()
	function.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=pay",
		"SLACK_TOKEN="+opts.Token, "SLACK_CHANNEL="+opts.Channel, "SLACK_API_URL="+opts.APIURL)
	function.Stderr = logs
	err := function.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) { // the runtime ends a function that panicked
		return fmt.Errorf("the function should have ended with a status: %w", err)
	}
	return nil
}
