package slackalert

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fakeslack"
)

// bot returns a handler with a bot token at a Slack on loopback.
func bot(t *testing.T, slackOpts *fakeslack.Options, change func(*Options)) (*fakeslack.Server, *Handler, *slog.Logger, *logs) {
	t.Helper()
	s, err := fakeslack.Start(slackOpts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	base := &logs{}
	o := &Options{
		Token: "xoxb-test", Channel: "#alerts", APIURL: s.APIURL(), Service: "shop", BatchDelay: 10 * time.Millisecond,
		HTTPClient: &http.Client{Timeout: ample},
	}
	if change != nil {
		change(o)
	}
	h, err := New(base, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return s, h, slog.New(h), base
}

func TestAnErrorReachesSlack(t *testing.T) {
	t.Parallel()
	s, h, log, base := bot(t, nil, nil)
	require.NoError(t, h.Check(t.Context()))
	assert.Empty(t, s.Messages(""), "Check sends nothing")
	ctx := With(t.Context(), "user", "bo", "path", "/pay")
	log.ErrorContext(ctx, "payment failed", "err", fmt.Errorf("charge: %w", os.ErrDeadlineExceeded), "password", "hunter2")
	require.NoError(t, h.Shutdown(t.Context()))
	got := s.Messages("#alerts")
	require.Len(t, got, 1)
	for _, want := range []string{"payment failed", "shop"} {
		assert.Contains(t, got[0].Text, want)
	}
	assert.NotEmpty(t, got[0].Blocks.BlockSet)
	assert.Empty(t, base.own())
}

func TestAnErrorReachesAWebhook(t *testing.T) {
	t.Parallel()
	s, err := fakeslack.Start(nil)
	require.NoError(t, err)
	defer s.Close()
	h, err := New(&logs{}, &Options{WebhookURL: s.WebhookURL("#hook")})
	require.NoError(t, err)
	require.NoError(t, h.Check(t.Context()))
	slog.New(h).Error("payment failed")
	require.NoError(t, h.Shutdown(t.Context()))
	require.Len(t, s.Messages("#hook"), 1)
}

func TestTwoHundredErrorsWhoseContextsEnd(t *testing.T) {
	t.Parallel()
	n := 200
	if testing.Short() {
		n = 90 // three messages, a second apart
	}
	for _, same := range []bool{true, false} {
		s, h, log, _ := bot(t, nil, func(o *Options) { o.BatchSize, o.BatchDelay = 40, time.Hour })
		for i := range n {
			ctx, cancel := context.WithCancel(t.Context())
			msg := "m"
			if !same {
				msg = letters(i)
			}
			log.ErrorContext(ctx, msg)
			cancel()
		}
		require.NoError(t, h.Shutdown(t.Context()))
		assert.EqualValues(t, n, h.Stats().Delivered)
		assert.LessOrEqual(t, len(s.Messages("")), n/40+1)
	}
}

func TestAThousandEqualErrors(t *testing.T) {
	t.Parallel()
	s, h, log, _ := bot(t, &fakeslack.Options{Rate: 900 * time.Millisecond}, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 125 {
				log.Error("db is down")
			}
		})
	}
	wg.Wait()
	require.NoError(t, h.Shutdown(t.Context()))
	got := s.Messages("#alerts")
	require.LessOrEqual(t, len(got), 2)
	assert.EqualValues(t, 1000, h.Stats().Delivered)
	if len(got) == 1 {
		assert.Contains(t, got[0].Text, "1,000")
	}
}

func TestRetryAfterOverHTTP(t *testing.T) {
	t.Parallel()
	s, h, log, base := bot(t, nil, nil)
	s.FailNext(1, fakeslack.Fault{Status: 429, RetryAfter: "2"})
	begun := time.Now()
	log.Error("m")
	require.NoError(t, h.Flush(t.Context()))
	assert.GreaterOrEqual(t, time.Since(begun), 2*time.Second)
	assert.Len(t, s.Messages(""), 1)
	require.NoError(t, h.Shutdown(t.Context())) // base hears after those who wait
	assert.Len(t, base.own(), 2, "it began, it is over: %v", base.own())
}

func TestFaultsOverHTTPLoseNothing(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fakeslack.Fault{
		"500":       {Status: 500},
		"503":       {Status: 503, RetryAfter: "1"},
		"internal":  {Error: "internal_error"},
		"html":      {Status: 200, Body: "<html>"},
		"cut":       {Drop: true},
		"no ts":     {Status: 200, Body: `{"ok":true}`},
		"redirect":  {Status: 302},
		"not in":    {Error: "not_in_channel"},
		"truncated": {Status: 200, Body: `{"ok":tr`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, h, log, _ := bot(t, nil, nil)
			s.FailNext(1, f)
			log.Error("m")
			_ = h.Flush(t.Context())
			require.NoError(t, h.Shutdown(t.Context()))
			assert.EqualValues(t, 1, h.Stats().Delivered)
			assert.EqualValues(t, 1, h.Stats().Failures)
			assert.NotEmpty(t, s.Messages(""))
		})
	}
}

func TestARefusedLayoutIsToldAsPlainText(t *testing.T) {
	t.Parallel()
	s, h, log, base := bot(t, nil, nil)
	for _, what := range []string{"payment failed", "and another"} {
		s.FailNext(1, fakeslack.Fault{Error: "invalid_blocks"})
		log.Error(what)
		require.NoError(t, h.Flush(t.Context()))
	}
	require.NoError(t, h.Shutdown(t.Context()))
	got := s.Messages("")
	require.Len(t, got, 2)
	assert.Empty(t, got[0].Blocks.BlockSet)
	assert.Contains(t, got[0].Text, "payment failed")
	require.Len(t, base.own(), 1, "once, not for each message")
	assert.Contains(t, base.own()[0], "refused a message's layout")
}

func TestEditsOverHTTP(t *testing.T) {
	t.Parallel()
	s, h, log, _ := bot(t, nil, nil)
	say := func() { log.Error("m") }
	say()
	require.NoError(t, h.Flush(t.Context()))
	for range 41 {
		say()
	}
	require.NoError(t, h.Shutdown(t.Context()))
	got := s.Messages("")
	require.Len(t, got, 1)
	assert.Equal(t, 1, got[0].Edits)
	assert.Contains(t, got[0].Text, "42")
	assert.Equal(t, Stats{Alerts: 42, Delivered: 42, Messages: 1, Updates: 1}, h.Stats())
}

// noisyTransport logs through the default logger, as a traced client may.
type noisyTransport struct{ log atomic.Pointer[slog.Logger] }

func (n *noisyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	n.log.Load().Error("a request", "host", r.Host)
	n.log.Load().ErrorContext(r.Context(), "a request with its context")
	return http.DefaultTransport.RoundTrip(r)
}

func TestAClientThatLogsThroughTheHandler(t *testing.T) {
	t.Parallel()
	n := &noisyTransport{}
	s, h, log, base := bot(t, nil, func(o *Options) { o.HTTPClient = &http.Client{Transport: n} })
	n.log.Store(log)
	log.Error("m")
	require.NoError(t, h.Flush(t.Context()))
	require.NoError(t, h.Shutdown(t.Context()))
	assert.Len(t, s.Messages(""), 1)
	assert.EqualValues(t, 1, h.Stats().Alerts)
	assert.Len(t, base.records, 3)
}

func TestTheTokenFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var leaked atomic.Bool
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Store(true) }))
	defer target.Close()
	front := httptest.NewServer(http.RedirectHandler(target.URL, http.StatusTemporaryRedirect))
	defer front.Close()
	h, err := New(&logs{}, &Options{Token: "xoxb-secret", Channel: "C1", APIURL: front.URL + "/"})
	require.NoError(t, err)
	slog.New(h).Error("m")
	err = h.Close()
	require.Error(t, err)
	assert.NotContains(t, err.Error()+h.Stats().LastError, "xoxb-secret")
	assert.False(t, leaked.Load())
}

// TestMain runs this instead of the tests where the variable is set.
const childEnv = "SLACKALERT_TEST_CHILD"

// child is a program that logs one error, closes and exits.
func child(apiURL string) {
	h, err := New(slog.NewJSONHandler(os.Stdout, nil), &Options{Token: "xoxb-test", Channel: "#exit", APIURL: apiURL})
	if err != nil {
		panic(err)
	}
	slog.SetDefault(slog.New(h))
	slog.Error("the last word")
	if h.Shutdown(context.Background()) != nil { // twenty that start at once take their time
		os.Exit(1)
	}
	os.Exit(0)
}

func TestTwentyProcessesThatExit(t *testing.T) {
	t.Parallel()
	s, err := fakeslack.Start(nil)
	require.NoError(t, err)
	defer s.Close()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childEnv+"="+s.APIURL())
			out, err := cmd.CombinedOutput()
			assert.NoError(t, err, string(out))
			assert.Contains(t, string(out), "the last word")
		})
	}
	wg.Wait()
	assert.Len(t, s.Messages("#exit"), 20)
}

func TestPanicsAreToldAndGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		h, _, base := newTest(t, d, nil)
		value := fmt.Errorf("broken: %w", os.ErrInvalid)
		func() {
			defer func() { assert.Equal(t, value, recover(), "the same value") }()
			defer h.Repanic()
			explode(value)
		}()
		assert.Equal(t, []string{"post 0s [1/1 panic: broken: invalid argument]"}, d.lines(), "delivered before the panic goes on")
		require.Len(t, base.records, 1)
		assert.Contains(t, base.records[0].Source().Function, "explode")
		func() { defer h.Repanic() }()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer h.Repanic()
			goexit()
		}()
		<-done
		func() {
			defer func() { assert.ErrorContains(t, recover().(error), "nil") }()
			defer h.Repanic()
			panic(nil) //nolint:govet // what is tested
		}()
		assert.EqualValues(t, 2, h.Stats().Alerts)
	})
}

func explode(v any) { panic(v) }

func TestStackOfAPanicBeginsWhereItPanicked(t *testing.T) {
	d := newDesk()
	h, _, _ := newTest(t, d, nil)
	func() {
		defer func() { _ = recover() }()
		defer h.Repanic()
		write(nil)
	}()
	g := d.all()[0].Groups[0]
	first, _, _ := strings.Cut(g.Stack, "\n")
	assert.True(t, strings.HasSuffix(first, ".write"), g.Stack)
	assert.Equal(t, "assignment to entry in nil map", g.Error)
	assert.Equal(t, slog.LevelError+4, g.Level)
	assert.Empty(t, g.Fields[1:], "the stack is no field")
}

func write(m map[string]int) { m["nil map"] = 1 }
