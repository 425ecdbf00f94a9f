// Plot draws the figure of the README from a file that storm wrote, or prints
// its numbers as a Markdown table.
//
//	go run ./plot -in results.json -out storm.svg
//	go run ./plot -in results.json -table
package main

import (
	"flag"
	"fmt"
	"os"

	"example.com/slackalert/bench/internal/results"
)

func main() {
	in := flag.String("in", "results.json", "file that storm -json wrote")
	out := flag.String("out", "storm.svg", "picture to write")
	asTable := flag.Bool("table", false, "print the numbers instead")
	flag.Parse()
	if err := run(*in, *out, *asTable); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in, out string, asTable bool) error {
	f, err := results.Read(in)
	if err != nil {
		return err
	}
	if asTable {
		table(os.Stdout, f)
		return nil
	}
	picture, err := draw(f)
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, picture, 0o644); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}
