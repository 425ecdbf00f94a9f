// This file prints results as the Markdown tables of the README.

package main

import (
	"fmt"
	"io"
	"time"

	"example.com/slackalert/bench/internal/results"
)

func table(out io.Writer, f results.File) {
	for _, s := range []string{"equal", "groups", "different", "down", "paced"} {
		runs := inOrder(f.Runs, s)
		if len(runs) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s\n\n", title(runs[0]))
		fmt.Fprintln(out, "| handler | logged | wall | CPU | call: mean | p50 | p99 | max | peak RSS | heap held | goroutines | requests | told | lost | said lost | CPU an alert, in all |")
		fmt.Fprintln(out, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
		for _, r := range runs {
			fmt.Fprintf(out, "| %s | %s%s | %s | %s | %s | %s | %s | %s | %s | %.1f MiB | %s | %s | %s | %s | %s | %s |\n",
				names()[r.Handler], thousands(r.Logged), mark(r), wall(r.WallMS), wall(r.CPUMS),
				duration(float64(r.MeanNS)), duration(float64(r.P50NS)), duration(float64(r.P99NS)), duration(float64(r.MaxNS)),
				memory(r.RSSMiB), r.LiveMiB, thousands(r.Goroutines), thousands(int(r.Requests)),
				thousands(int(r.Delivered)), thousands(int(r.Lost)), said(r.SaidLost), duration(r.CPUPerAlert()*1e3))
		}
	}
}

func wall(ms float64) string {
	return fmt.Sprintf("%.2f s", (time.Duration(ms * 1e6)).Seconds())
}

func said(n *uint64) string {
	if n == nil {
		return "–"
	}
	return thousands(int(*n))
}
