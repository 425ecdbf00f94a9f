// This file prints results as a table, row by row as they come.

package main

import (
	"fmt"
	"io"
	"time"

	"example.com/slackalert/bench/internal/results"
)

const layout = "%-8s %9s %9s %9s %8s %8s %8s %9s %8s %8s %8s %10s %8s %9s %9s %9s %9s  %s\n"

func header(out io.Writer, c scenario, n int) {
	fmt.Fprintf(out, "\n%s: %d alerts, Slack %s\n", c.name, n, c.slack)
	fmt.Fprintf(out, layout, "handler", "logged", "wall", "cpu", "mean", "p50", "p99", "max", "rss", "heap", "live", "goroutines",
		"requests", "delivered", "lost", "said lost", "cpu/alert", "")
}

func row(out io.Writer, r results.Run) {
	fmt.Fprintf(out, layout, r.Handler, fmt.Sprint(r.Logged), millis(r.WallMS), millis(r.CPUMS),
		short(r.MeanNS), short(r.P50NS), short(r.P99NS), short(r.MaxNS), mebi(r.RSSMiB), mebi(r.HeapMiB), mebi(r.LiveMiB),
		fmt.Sprint(r.Goroutines), fmt.Sprint(r.Requests), fmt.Sprint(r.Delivered), fmt.Sprint(r.Lost), said(r.SaidLost),
		fmt.Sprintf("%.2fµs", r.CPUPerAlert()), note(r))
}

func note(r results.Run) string {
	switch {
	case r.Stopped == "memory" || r.Stopped == "time":
		return fmt.Sprintf("stopped: %s, after %.1f s", r.Stopped, r.WallMS/1000)
	case r.Stopped != "":
		return r.Stopped
	case r.Handler == "base":
		return "the floor"
	case !r.Flushes:
		return "has no flush"
	}
	text := fmt.Sprintf("exit took %.1f s", r.ExitMS/1000)
	if r.Errors > 0 {
		text += fmt.Sprintf(", %d errors reported", r.Errors)
	}
	return text
}

func said(n *uint64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func millis(v float64) string { return short(int64(v * 1e6)) }

func mebi(v float64) string { return fmt.Sprintf("%.1fM", v) }

// short writes a duration with three digits.
func short(ns int64) string {
	d := time.Duration(ns)
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%dns", ns)
	case d < time.Millisecond:
		return fmt.Sprintf("%.3gµs", d.Seconds()*1e6)
	case d < time.Second:
		return fmt.Sprintf("%.3gms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.3gs", d.Seconds())
}
