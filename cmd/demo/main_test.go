package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fakeslack"
)

// TestMain lets the test binary be the demo's process.
func TestMain(m *testing.M) {
	if os.Getenv("DEMO_PROCESS") != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is the demo as a process of its own, with nothing in its environment
// but env.
func process(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append([]string{"DEMO_PROCESS=1", "GORACE=" + os.Getenv("GORACE")}, env...)
	return cmd
}

// played is what a process of the demo printed, and its exit status.
func played(t *testing.T, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := process(t, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestDemo(t *testing.T) {
	stdout, stderr, status := played(t, []string{"COLUMNS=0"}, "-links")
	require.Equal(t, 0, status, stderr)
	assert.Empty(t, stderr)
	assertEnds(t, stdout)
	for _, want := range []string{
		"a good order: POST /orders → 201",
		"… 4,997 more lines like these",
		"Tampered token",
		"user 41",
		"POST /orders",
		"request_id ",
		"DEBUG price found item=tea",
		"(*shop).cart",
		"nil pointer dereference",
		"shop: Payment provider refuses ×5,000\n",
		"#shop-alerts",
		"#shop-security",
		"logged  5,006 lines, 5,003 of them alerts",
		"(edited)",
		"told    5,003 alerts in 3 messages; edits ",
		"0 pending, 0 lost, 0 attempts failed",
	} {
		assert.True(t, strings.Contains(stdout, want), want) // Contains would print all of it
	}
	assert.False(t, strings.Contains(stdout, "\x1b"), "styles are for terminals")
	assertLines(t, stdout)
}

// assertEnds checks that the first line says what is coming, and the last what to
// do next.
func assertEnds(t *testing.T, stdout string) {
	t.Helper()
	assert.True(t, strings.HasPrefix(stdout, "# a shop logs JSON for some seconds: 4 visits, then a storm of 5,000 failures; its errors go to "))
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	assert.Contains(t, lines[len(lines)-1], "# all arrived. Next: ")
}

// assertLines checks the machine's part of the output: log lines are JSON, and
// links hold blocks.
func assertLines(t *testing.T, stdout string) {
	t.Helper()
	logged, links := 0, 0
	for line := range strings.Lines(stdout) {
		assert.True(t, line[0] == '#' || !strings.Contains(line, "TEA10"), "the query is no business of a log's: %s", line)
		if strings.HasPrefix(line, "{") {
			logged++
			assert.True(t, json.Valid([]byte(line)), line)
		}
		if _, fragment, ok := strings.Cut(line, "https://app.slack.com/block-kit-builder/#"); ok {
			links++
			raw, err := url.PathUnescape(strings.TrimSpace(fragment))
			require.NoError(t, err)
			var m struct{ Blocks []any }
			require.NoError(t, json.Unmarshal([]byte(raw), &m))
			assert.NotEmpty(t, m.Blocks)
		}
	}
	assert.Equal(t, 9, logged, "6 of the visits, 3 of the storm")
	assert.Equal(t, 3, links, "one a message")
}

// A Slack that isn't inside: here another on loopback.
func TestDemoElsewhere(t *testing.T) {
	slack, err := fakeslack.Start(&fakeslack.Options{Rate: time.Second, Token: "xoxb-right"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, slack.Close()) })
	hook := slack.WebhookURL("#by-hook")
	for _, tt := range []struct {
		name, channel string
		env           []string
		messages      int
		looks         string
	}{
		{"bot", "#by-bot", []string{"SLACK_TOKEN=xoxb-right", "SLACK_CHANNEL=#by-bot", "SLACK_API_URL=" + slack.APIURL()}, 3, "look in #by-bot of your Slack"},
		{"webhook", "#by-hook", []string{"SLACK_WEBHOOK_URL=" + hook}, 4, "look in the webhook's channel"}, // the storm's rest is a message
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, status := played(t, tt.env)
			require.Equal(t, 0, status, stderr)
			for _, want := range []string{tt.looks, "told    5,003 alerts"} {
				assert.True(t, strings.Contains(stdout, want), want)
			}
			assertEnds(t, stdout)
			for line := range strings.Lines(stdout) {
				if strings.HasPrefix(line, "{") {
					assert.LessOrEqual(t, utf8.RuneCountInString(line), usualWidth+1, "a log line takes one of the terminal")
				}
			}
			assert.False(t, strings.Contains(stdout, "block-kit-builder"), "links are for who asks for them")
			assert.False(t, strings.Contains(stdout, "services/"), "the webhook's address is a secret")
			messages := slack.Messages(tt.channel)
			assert.Len(t, messages, tt.messages)
			said := fmt.Sprint(messages)
			assert.Contains(t, said, "Payment provider refuses ×")
			assert.NotContains(t, said, "@S0", "a made-up owner mentions nobody")
		})
	}
}

func TestDemoServes(t *testing.T) {
	cmd := process(t, nil, "-serve")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	page, invited := "", false
	for page == "" && lines.Scan() {
		invited = invited || strings.Contains(lines.Text(), "SLACK_WEBHOOK_URL=http://127.0.0.1:")
		_, rest, _ := strings.Cut(lines.Text(), "see Slack at ")
		page, _, _ = strings.Cut(rest, ". Ctrl-C")
	}
	require.NotEmpty(t, page, "the page's address")
	answer, err := http.Get(page)
	require.NoError(t, err)
	_ = answer.Body.Close()
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	for more := 0; more < 2 && lines.Scan(); { // the shop goes on
		if strings.HasPrefix(lines.Text(), "{") {
			more++
		}
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(out)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait(), "%s", &errs)
	assert.Empty(t, errs.String())
	assert.True(t, invited)
	assert.Contains(t, string(rest), "0 pending, 0 lost")
}

func TestInterrupted(t *testing.T) {
	cmd := process(t, nil)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	require.NoError(t, cmd.Start())
	require.True(t, bufio.NewScanner(out).Scan())
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	_, _ = io.Copy(io.Discard, out)
	require.Error(t, cmd.Wait())
	assert.Equal(t, "demo: interrupted\n", errs.String())
	assert.Equal(t, missing, cmd.ProcessState.ExitCode())
}

// A webhook that dies after it was asked: the demo must not say that all is
// well.
func TestNotArrived(t *testing.T) {
	var asked atomic.Int32
	slack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			http.Error(w, "no_text", http.StatusBadRequest)
			return
		}
		http.Error(w, "no_service", http.StatusNotFound)
	}))
	defer slack.Close()
	_, stderr, status := played(t, []string{"SLACK_WEBHOOK_URL=" + slack.URL + "/services/T0/B0/SECRET"})
	assert.Equal(t, missing, status)
	assert.Contains(t, stderr, "no_service")
	assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	assert.NotContains(t, stderr, "SECRET")
}

func TestWrongSettings(t *testing.T) {
	slack, err := fakeslack.Start(&fakeslack.Options{Token: "xoxb-right"})
	require.NoError(t, err)
	defer func() { assert.NoError(t, slack.Close()) }()
	const secret = "xoxb-SECRET"
	for name, tt := range map[string]struct {
		args []string
		env  map[string]string
		says string
	}{
		"unknown flag":           {[]string{"-page"}, nil, "-page"},
		"unknown argument":       {[]string{"serve"}, nil, `argument "serve" is not known`},
		"flag that isn't a bool": {[]string{"-serve=perhaps"}, nil, `"perhaps"`},
		"token without channel":  {nil, map[string]string{"SLACK_TOKEN": secret}, "SLACK_CHANNEL is missing"},
		"channel without token":  {nil, map[string]string{"SLACK_CHANNEL": "C1"}, "SLACK_TOKEN is missing"},
		"API without token":      {nil, map[string]string{"SLACK_API_URL": "https://slack-gov.com/api/"}, "SLACK_TOKEN is missing"},
		"token and webhook": {nil, map[string]string{"SLACK_TOKEN": secret, "SLACK_CHANNEL": "C1", "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/SECRET"},
			"SLACK_TOKEN and SLACK_WEBHOOK_URL are both set"},
		"webhook and channel":   {nil, map[string]string{"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/SECRET", "SLACK_CHANNEL": "C1"}, "SLACK_CHANNEL is set with SLACK_WEBHOOK_URL"},
		"webhook over http":     {nil, map[string]string{"SLACK_WEBHOOK_URL": "http://hooks.slack.com/services/T0/B0/SECRET"}, `scheme "http"`},
		"webhook that is none":  {nil, map[string]string{"SLACK_WEBHOOK_URL": "SECRET"}, "no URL"},
		"token with spaces":     {nil, map[string]string{"SLACK_TOKEN": secret + " ", "SLACK_CHANNEL": "C1"}, "spaces"},
		"token that is refused": {nil, map[string]string{"SLACK_TOKEN": secret, "SLACK_CHANNEL": "C1", "SLACK_API_URL": slack.APIURL()}, "invalid_auth"},
		"API over http":         {nil, map[string]string{"SLACK_TOKEN": secret, "SLACK_CHANNEL": "C1", "SLACK_API_URL": "http://slack.example/api/"}, `scheme "http"`},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(tt.args, func(key string) string { return tt.env[key] }, &stdout, &stderr)
			assert.Equal(t, wrong, status)
			assert.Empty(t, stdout.String())
			assert.Contains(t, stderr.String(), tt.says)
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line: %q", stderr.String())
			assert.NotContains(t, stderr.String(), "SECRET")
		})
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	assert.Equal(t, 0, run([]string{"-h"}, func(string) string { return "" }, &stdout, &stderr))
	assert.Contains(t, stdout.String(), "SLACK_WEBHOOK_URL")
	assert.Empty(t, stderr.String())
}
