package main

import (
	"context"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fakeslack"
	"example.com/slackalert/fleet/internal/fleettest"
	"example.com/slackalert/fleet/internal/natsd"
)

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

func TestSettings(t *testing.T) {
	s, err := read([]string{"-channel", "C1", "-stream", "ALERTS", "-replicas", "3", "-lease", "5s", "-health", ":9", "-repeat-max", "8h"}, env(map[string]string{
		"SLACK_TOKEN": "xoxb-1", "SLACK_CHANNEL": "C2", "NATS_URL": "nats://a,nats://b", "NATS_USER": "u", "NATS_PASSWORD": "p",
	}), nil)
	require.NoError(t, err)
	assert.Equal(t, []any{"C1", "xoxb-1", "ALERTS", 3, 5 * time.Second, 8 * time.Hour, ":9", "nats://a,nats://b"},
		[]any{s.slack.Channel, s.slack.Token, s.fleet.Stream, s.fleet.Replicas, s.fleet.Lease, s.slack.RepeatMax, s.health, s.url})
	s, err = read(nil, env(map[string]string{"SLACK_TOKEN": "xoxb-1", "SLACK_CHANNEL": "C2", "SLACKALERT_STREAM": "S", "HEALTH_ADDR": ":8"}), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"C2", "S", ":8", "nats://127.0.0.1:4222"}, []string{s.slack.Channel, s.fleet.Stream, s.health, s.url})
}

// TestAddresses may stand without a scheme, as clients of NATS take them.
func TestAddresses(t *testing.T) {
	s, err := read(nil, env(map[string]string{"SLACK_TOKEN": "xoxb-1", "NATS_URL": "nats:4222, tls://other"}), nil)
	require.NoError(t, err)
	assert.Equal(t, "nats:4222, tls://other", s.url)
}

// TestHealthBeforeItRuns: it lives, and isn't ready.
func TestHealthBeforeItRuns(t *testing.T) {
	nc, err := nats.Connect("nats://127.0.0.1:1", nats.RetryOnFailedConnect(true))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	for live, want := range map[bool]int{true: 200, false: 503} {
		w := httptest.NewRecorder()
		(&health{nc: nc}).answer(w, live)
		assert.Equal(t, want, w.Code)
	}
}

func TestCodes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "codes.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"token_tampered":{"title":"Somebody forged a token"}}`), 0o600))
	s, err := read([]string{"-codes", file}, env(map[string]string{"SLACK_TOKEN": "xoxb-1"}), nil)
	require.NoError(t, err)
	assert.Equal(t, "Somebody forged a token", s.slack.Codes["token_tampered"].Title)
}

// TestWhatItRefuses: in a line on stderr, with the status 2.
func TestWhatItRefuses(t *testing.T) {
	slack := map[string]string{"SLACK_TOKEN": "xoxb-1", "SLACK_CHANNEL": "C1"}
	with := func(pairs ...string) map[string]string {
		m := maps.Clone(slack)
		for pair := range slices.Chunk(pairs, 2) {
			m[pair[0]] = pair[1]
		}
		return m
	}
	for _, tc := range []struct {
		name string
		args []string
		env  map[string]string
		want string
	}{
		{"an unknown flag", []string{"-colour"}, slack, "-colour"},
		{"an argument", []string{"now"}, slack, `argument "now"`},
		{"no Slack", nil, nil, "want SLACK_TOKEN with -channel, or SLACK_WEBHOOK_URL"},
		{"a token without a channel", nil, map[string]string{"SLACK_TOKEN": "xoxb-1"}, "Channel is missing"},
		{"a stream's name that is none", []string{"-stream", "a.b"}, slack, `Stream is "a.b"`},
		{"codes that aren't there", []string{"-codes", "/nowhere"}, slack, "-codes"},
		{"two ways to say who it is", nil, with("NATS_USER", "u", "NATS_TOKEN", "t"), "want one"},
		{"half a certificate", nil, with("NATS_CERT", "c"), "NATS_KEY"},
		{"a CA that isn't there", nil, with("NATS_CA", "/nowhere"), "/nowhere"},
		{"a NATS address that is none", nil, with("NATS_URL", "nats:4222,http://nats"), "NATS_URL"},
		{"a health address that is none", []string{"-health", "nowhere"}, slack, "-health"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out, errs fleettest.Output
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			status := run(ctx, tc.args, env(tc.env), &out, &errs)
			assert.Equal(t, 2, status)
			assert.Contains(t, errs.String(), tc.want)
			assert.Equal(t, 1, strings.Count(errs.String(), "\n"), "%q", errs.String())
			assert.NotContains(t, errs.String(), "xoxb-1")
		})
	}
	var errs fleettest.Output
	assert.Zero(t, run(t.Context(), []string{"-h"}, env(nil), &fleettest.Output{}, &errs))
	assert.Contains(t, errs.String(), "NATS_CREDS")
}

func TestCheck(t *testing.T) {
	ns, err := natsd.Start(t.TempDir(), nil)
	require.NoError(t, err)
	t.Cleanup(ns.Stop)
	slack, err := fakeslack.Start(&fakeslack.Options{Token: "xoxb-1"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = slack.Close() })
	url := natsd.URL(ns)
	closed, err := natsd.Start(t.TempDir(), func(o *server.Options) {
		o.Users = []*server.User{
			{Username: "program", Password: "p", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"SLACKALERT.>"}}}},
		}
	})
	require.NoError(t, err)
	away, refused := "nats://127.0.0.1:1", natsd.URL(closed)
	program := strings.Replace(refused, "//", "//program:p@", 1)
	noRights := `NATS at 127\.0\.0\.1:\d+: nats: Authorization Violation; want NATS_CREDS, `
	t.Cleanup(closed.Stop)
	nc, err := nats.Connect(url)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ORDERS", Subjects: []string{"ORDERS.>"}, Retention: jetstream.WorkQueuePolicy})
	require.NoError(t, err)
	for _, tc := range []struct {
		name, url, token string
		args             []string
		want             string
	}{
		{"all well", url, "xoxb-1", nil, "NATS and Slack answer"},
		{"a wrong token", url, "xoxb-2", nil, "invalid_auth"},
		{"no NATS", away, "xoxb-1", nil, "NATS at 127.0.0.1:1: nats: no servers available"},
		{"no rights", refused, "xoxb-1", nil, "^fleetrelay: " + noRights + ".*\n$"},
		{"no rights at one, and the other away", refused + "," + away, "xoxb-1", nil, noRights},
		{"one away, and no rights at the other", away + "," + refused, "xoxb-1", nil, noRights},
		{"a program's rights", program, "xoxb-1", nil, `NATS: nats: permissions violation: Permissions Violation for Publish to "\$JS.API.INFO"`},
		{"one of two takes it", away + "," + url, "xoxb-1", nil, "NATS and Slack answer"},
		{"a stream's name that is none", url, "xoxb-1", []string{"-stream", "a.b"}, `Stream is "a.b"`},
		{"a stream for something else", url, "xoxb-1", []string{"-stream", "ORDERS"}, "has the retention WorkQueue"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var errs fleettest.Output
			status := run(t.Context(), append(tc.args, "-check"), env(map[string]string{
				"NATS_URL": tc.url, "SLACK_TOKEN": tc.token, "SLACK_CHANNEL": "C1", "SLACK_API_URL": slack.APIURL(),
			}), &fleettest.Output{}, &errs)
			assert.Regexp(t, tc.want, errs.String())
			assert.Equal(t, strings.Contains(tc.want, "Slack answer"), status == statusOK)
			assert.NotContains(t, errs.String(), "program:p")
		})
	}
}

// TestItWaitsForNATSAndItsCredentials: it lives meanwhile, says what is wrong
// when that shows, and is ready when that is over. It ends with its context.
func TestItWaitsForNATSAndItsCredentials(t *testing.T) {
	dir := t.TempDir()
	password := "old"
	ns, err := natsd.Start(dir, func(o *server.Options) { o.Username, o.Password = "u", password })
	require.NoError(t, err)
	ns.Stop()
	url := natsd.URL(ns)
	slack, err := fakeslack.Start(nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = slack.Close() })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := ln.Addr().String()
	require.NoError(t, ln.Close())

	var out fleettest.Output
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"-health", addr, "-lease", "1s"}, env(map[string]string{
			"NATS_URL": url, "NATS_USER": "u", "NATS_PASSWORD": "new", "SLACK_TOKEN": "xoxb-1", "SLACK_CHANNEL": "C1", "SLACK_API_URL": slack.APIURL(),
		}), &out, &fleettest.Output{})
	}()
	status := func(path string) (int, map[string]any) {
		resp, err := http.Get("http://" + addr + path)
		if err != nil {
			return 0, nil
		}
		defer resp.Body.Close()
		m := map[string]any{}
		_ = json.NewDecoder(resp.Body).Decode(&m)
		return resp.StatusCode, m
	}
	require.Eventually(t, func() bool { c, _ := status("/livez"); return c == 200 }, 30*time.Second, 10*time.Millisecond)
	says := func(error string) func() bool {
		said := regexp.MustCompile(`the relay can't work, it tries again","relay":"[^"]*","error":"` + error + `"`)
		return func() bool { return said.MatchString(out.String()) }
	}
	require.Eventually(t, says("not connected to NATS"), 10*time.Second, 10*time.Millisecond)
	code, _ := status("/readyz")
	assert.Equal(t, 503, code)
	require.NoError(t, ns.Start())
	require.Eventually(t, says("not connected to NATS: nats: Authorization Violation"), 30*time.Second, 10*time.Millisecond, "%s", &out)
	_, health := status("/readyz")
	assert.Contains(t, health["error"], "Authorization Violation")
	ns.Stop()
	ns.Change(func(o *server.Options) { o.Password = "new" })
	require.NoError(t, ns.Start())
	t.Cleanup(ns.Stop)
	assert.Eventually(t, func() bool {
		c, m := status("/readyz")
		return c == 200 && m["role"] == "leading" && m["nats"] == "CONNECTED"
	}, 30*time.Second, 20*time.Millisecond, "%s", &out)
	assert.NotContains(t, out.String(), `"new"`)
	cancel()
	select {
	case code := <-done:
		assert.Zero(t, code)
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
	assert.Contains(t, out.String(), "stepped down")
}
