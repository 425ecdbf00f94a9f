// This file lays the figure out: for each storm a row of panels, for each
// handler a line that runs through them.

package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"strings"

	"example.com/slackalert/bench/internal/results"
)

//go:embed storm.svg.tmpl
var layout string

var page = template.Must(template.New("storm").Parse(layout))

const (
	width    = 860
	left     = 222 // where the first panel begins, right of the names
	gap      = 84  // between panels, for the values of the first
	panel    = 200
	told     = left + 2*panel + 2*gap // the last column
	line     = 24
	top      = 70 // of the first storm
	space    = 66 // between storms, for the axis and the next title
	footLine = 16
)

// figure is what the template draws: positions are worked out here.
type figure struct {
	Width, Height int
	Title         string
	Heads         []text
	Storms        []storm
	Foot          []text
}

type text struct {
	X, Y float64
	S    string
}

type storm struct {
	Title text
	Rows  []row
	Ticks []tick
}

type row struct {
	Class string // ours, peer or floor
	Y     float64
	Name  text
	Dots  []dot
	Told  text
}

type dot struct {
	From, X, Y float64
	Value      text
}

type tick struct {
	X, Top, Bottom float64
	Label          text
}

// axis is a panel's logarithmic scale.
type axis struct {
	x, low, high float64
	value        func(results.Run) float64
	label        func(float64) string
}

func axes() []axis {
	return []axis{
		{x: left, low: 100, high: 1e7, value: func(r results.Run) float64 { return float64(r.MeanNS) }, label: duration},
		{x: left + panel + gap, low: 10, high: 1e4, value: func(r results.Run) float64 { return r.RSSMiB }, label: memory},
	}
}

func (a axis) at(v float64) float64 {
	part := math.Log10(v/a.low) / math.Log10(a.high/a.low)
	return a.x + panel*min(max(part, 0), 1)
}

// draw returns the figure as SVG.
func draw(f results.File) ([]byte, error) {
	fig := figure{
		Width: width,
		Title: "What a storm of alerts costs the program that logs it",
		Heads: []text{{left, 52, "mean time of a call"}, {left + panel + gap, 52, "peak memory (RSS)"}, {told, 52, "alerts told"}},
	}
	y := float64(top)
	for _, s := range []string{"equal", "different"} {
		runs := inOrder(f.Runs, s)
		if len(runs) == 0 {
			return nil, fmt.Errorf("plot: no run of the scenario %q", s)
		}
		fig.Storms = append(fig.Storms, layStorm(runs, y))
		y += float64(len(runs)*line + space)
	}
	for i, s := range caption(f) {
		fig.Foot = append(fig.Foot, text{16, y + float64(i*footLine), s})
	}
	fig.Height = int(y) + len(fig.Foot)*footLine
	var out bytes.Buffer
	if err := page.Execute(&out, fig); err != nil {
		return nil, fmt.Errorf("plot: %w", err)
	}
	return out.Bytes(), nil
}

func layStorm(runs []results.Run, y float64) storm {
	s := storm{Title: text{16, y + 12, title(runs[0])}}
	first := y + 34
	bottom := first + float64((len(runs)-1)*line) + 10
	for i, r := range runs {
		s.Rows = append(s.Rows, layRow(r, first+float64(i*line)))
	}
	for _, a := range axes() {
		for v := a.low; v <= a.high*1.01; v *= 10 {
			s.Ticks = append(s.Ticks, tick{a.at(v), first - 12, bottom, text{a.at(v), bottom + 14, a.label(v)}})
		}
	}
	return s
}

func layRow(r results.Run, y float64) row {
	out := row{Class: class(r.Handler), Y: y, Name: text{left - 14, y + 4, names()[r.Handler]}, Told: text{told, y + 4, share(r)}}
	for _, a := range axes() {
		v := a.value(r)
		x := a.at(v)
		out.Dots = append(out.Dots, dot{a.x, x, y, text{x + 9, y + 4, a.label(v) + mark(r)}})
	}
	return out
}

// inOrder returns a storm's runs: ours, the peers, the floor.
func inOrder(all []results.Run, scenario string) []results.Run {
	var runs []results.Run
	for _, h := range []string{"wrapped", "otel", "sentry", "multi", "fanout", "router", "base"} {
		for _, r := range all {
			if r.Handler == h && r.Scenario == scenario {
				runs = append(runs, r)
			}
		}
	}
	return runs
}

func names() map[string]string {
	return map[string]string{
		"wrapped": "slackalert",
		"otel":    "otelslog, BatchProcessor",
		"sentry":  "sentry-go/slog",
		"multi":   "slog.MultiHandler, slog-slack",
		"fanout":  "slog-multi fan-out, slog-slack",
		"router":  "slog-multi router, slog-slack",
		"base":    "the base alone",
	}
}

func class(handler string) string {
	switch handler {
	case "wrapped":
		return "ours"
	case "base":
		return "floor"
	}
	return "peer"
}

func title(r results.Run) string {
	n := thousands(r.Asked)
	switch r.Scenario {
	case "equal":
		return n + " equal alerts"
	case "groups":
		return n + " alerts of 1,000 kinds"
	case "down":
		return n + " different alerts of 100 kB, Slack down"
	case "paced":
		return n + " alerts of 20 kinds, 500 a second, Slack fast"
	}
	return n + " different alerts of 100 kB"
}

// mark is put at the values of a run that did not log all it should.
func mark(r results.Run) string {
	if r.Stopped == "" {
		return ""
	}
	return "*"
}

// share says which part of the alerts arrived.
func share(r results.Run) string {
	if r.Handler == "base" {
		return ""
	}
	part := 100 * float64(r.Delivered) / float64(max(r.Logged, 1))
	switch {
	case r.Logged == 0:
		return "?"
	case r.Delivered == uint64(r.Logged):
		return "all"
	case r.Delivered == 0:
		return "none"
	case part < 0.01:
		return "< 0.01 %"
	case part < 1:
		return fmt.Sprintf("%.2f %%", part)
	}
	return fmt.Sprintf("%.0f %%", part)
}

func caption(f results.File) []string {
	lines := []string{
		"Eight goroutines log through slog.Logger over a base that does nothing. Slack takes one message a second and answers 429 to",
		"others, Sentry's and OpenTelemetry's collectors take all; handlers that can flush get the time of -exit at the end." + stopped(f.Runs),
		fmt.Sprintf("Logarithmic scales. %s, %d cores, %s, %s, %s.", f.CPU, f.Cores, f.Platform, f.Go, f.Date),
		"Command: " + f.Command,
	}
	var versions []string
	for _, m := range []string{
		"github.com/samber/slog-slack/v2", "github.com/samber/slog-multi", "github.com/getsentry/sentry-go/slog",
		"go.opentelemetry.io/contrib/bridges/otelslog", "go.opentelemetry.io/otel/sdk/log",
	} {
		short := strings.TrimPrefix(strings.TrimPrefix(m, "github.com/"), "go.opentelemetry.io/")
		versions = append(versions, short+" "+f.Versions[m])
	}
	return append(lines, strings.Join(versions, ", "))
}

func stopped(runs []results.Run) string {
	for _, r := range runs {
		if r.Stopped != "" {
			return " * Stopped early."
		}
	}
	return ""
}

func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return three(ns) + " ns"
	case ns < 1e6:
		return three(ns/1e3) + " µs"
	case ns < 1e9:
		return three(ns/1e6) + " ms"
	}
	return three(ns/1e9) + " s"
}

func memory(mib float64) string { return thousands(int(math.Round(mib))) + " MiB" }

// three writes a number of at least 1 with as many digits as can be read at
// a glance.
func three(v float64) string {
	if v < 10 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	}
	return fmt.Sprintf("%.0f", v)
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
