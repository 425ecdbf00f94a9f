package slackhttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/slackhttp"
)

// TestMain refuses a goroutine left behind.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	for n := 0; code == 0 && runtime.NumGoroutine() > before; n++ {
		if n == 3000 { // they may be about to end, on a busy machine
			buf := make([]byte, 1<<20)
			fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", buf[:runtime.Stack(buf, true)])
			code = 1
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		time.Sleep(10 * time.Millisecond)
	}
	os.Exit(code)
}

// ward is a handler with a logger, what its base wrote, and what it told.
type ward struct {
	t   *testing.T
	h   *slackalert.Handler
	log *slog.Logger

	mu     sync.Mutex
	base   bytes.Buffer
	groups []slackalert.Group
}

func newWard(t *testing.T, opts slackalert.Options) *ward {
	w := &ward{t: t}
	opts.Sender = w
	h, err := slackalert.New(slog.NewJSONHandler(w, nil), &opts)
	require.NoError(t, err)
	w.h, w.log = h, slog.New(h)
	t.Cleanup(func() { _ = h.Close() })
	return w
}

func (w *ward) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.base.Write(b)
}

func (w *ward) Send(_ context.Context, b slackalert.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups = append(w.groups, b.Groups...)
	return nil
}

// told ends the handler and returns what it told, in the order of the logging.
func (w *ward) told() []slackalert.Group {
	w.t.Helper()
	require.NoError(w.t, w.h.Close())
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortStableFunc(w.groups, func(a, b slackalert.Group) int { return a.First.Compare(b.First) })
	return w.groups
}

// one is told where one alert is expected.
func (w *ward) one() slackalert.Group {
	w.t.Helper()
	groups := w.told()
	require.Len(w.t, groups, 1)
	require.Equal(w.t, 1, groups[0].Count)
	return groups[0]
}

// lines are what the base wrote.
func (w *ward) lines() (lines []map[string]any) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for dec := json.NewDecoder(bytes.NewReader(w.base.Bytes())); dec.More(); {
		var line map[string]any
		require.NoError(w.t, dec.Decode(&line))
		lines = append(lines, line)
	}
	return lines
}

func (w *ward) wrap(opts slackhttp.Options, f http.HandlerFunc) http.Handler {
	opts.Logger = w.log
	return slackhttp.Middleware(&opts)(f)
}

// field is the value of a group's only field of that key, "" without one.
func field(t *testing.T, g slackalert.Group, key string) string {
	t.Helper()
	var values []string
	for _, f := range g.Fields {
		if f.Key == key {
			values = append(values, f.Value)
		}
	}
	require.LessOrEqual(t, len(values), 1, "%s: %q", key, values)
	return strings.Join(values, "")
}
