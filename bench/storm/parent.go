// This file runs the server and, one after another, the processes that log.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/slackalert/bench/internal/handlers"
	"example.com/slackalert/bench/internal/loopback"
	"example.com/slackalert/bench/internal/results"
)

// measure runs what the settings ask for, prints a table and writes the file.
func measure(s settings, out io.Writer) error {
	f := machine()
	for _, c := range scenarios() {
		if s.scenario != "" && s.scenario != c.name {
			continue
		}
		header(out, c, c.alerts(s.n))
		for _, name := range chosen(s) {
			r, err := run(s, c, name)
			if err != nil {
				return err
			}
			row(out, r)
			f.Runs = append(f.Runs, r)
		}
	}
	if s.json == "" {
		return nil
	}
	return f.Write(s.json)
}

// chosen returns the handlers to run: with -all, every one that takes alerts.
func chosen(s settings) []string {
	if !s.all {
		return []string{s.handler}
	}
	return slices.DeleteFunc(handlers.Names(), func(n string) bool { return n == "discard" })
}

// run starts a fresh server and the process that logs to it.
func run(s settings, c scenario, name string) (results.Run, error) {
	r := results.Run{Handler: name, Scenario: c.name, Slack: string(c.slack), Base: s.base, Asked: c.alerts(s.n)}
	url := loopback.Refusing
	var server *loopback.Server
	if c.slack != loopback.Down {
		var err error
		if server, err = loopback.Start(c.slack); err != nil {
			return r, err
		}
		defer server.Close()
		url = server.URL
	}
	r, err := child(s, r, url)
	if err != nil {
		return r, err
	}
	var counts loopback.Counts
	if server != nil {
		counts = server.Counts()
	}
	return settle(r, counts), nil
}

// settle adds what the server counted.
func settle(r results.Run, counts loopback.Counts) results.Run {
	r.Requests, r.Refused = counts.Requests, counts.Refused
	if r.Handler != "wrapped" { // ours says itself what a message told
		r.Delivered = counts.Alerts
	}
	if r.Handler != "base" {
		r.Lost = uint64(r.Logged) - min(uint64(r.Logged), r.Delivered)
	}
	if r.Handler == "sentry" && counts.SaidLost > 0 {
		r.SaidLost = &counts.SaidLost
	}
	return r
}

// child starts this program again to log. A process that doesn't end is
// killed; what it did is then unknown, and the result says so.
func child(s settings, r results.Run, url string) (results.Run, error) {
	exe, err := os.Executable()
	if err != nil {
		return r, fmt.Errorf("storm: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout+s.exit+30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "-child", url, "-h", r.Handler, "-scenario", r.Scenario, "-base", s.base,
		"-n", strconv.Itoa(s.n), "-timeout", s.timeout.String(), "-exit", s.exit.String(), "-memory", strconv.Itoa(s.memory))
	var said bytes.Buffer
	cmd.Stderr = &said
	text, err := cmd.Output()
	if err != nil {
		r.Stopped = "died: " + firstLine(said.String()+err.Error())
		return r, nil
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("storm: result of %s: %w", r.Handler, err)
	}
	return r, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line[:min(len(line), 200)]
}

// machine describes where and with what this runs.
func machine() results.File {
	f := results.File{
		Command:  "go run ./storm " + strings.Join(os.Args[1:], " "),
		Date:     time.Now().UTC().Format(time.DateOnly),
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		CPU:      cpuModel(),
		Cores:    runtime.NumCPU(),
		Versions: map[string]string{},
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return f
	}
	for _, m := range info.Deps {
		if slices.Contains(peers(), m.Path) {
			f.Versions[m.Path] = m.Version
		}
	}
	return f
}

func peers() []string {
	return []string{
		"github.com/samber/slog-slack/v2", "github.com/samber/slog-multi", "github.com/getsentry/sentry-go/slog",
		"go.opentelemetry.io/contrib/bridges/otelslog", "go.opentelemetry.io/otel/sdk/log", "github.com/slack-go/slack",
	}
}

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return "unknown"
}
