// Storm logs a great many alerts through one handler and tells what that cost
// the program and what became of them.
//
//	go run ./storm -h wrapped -n 1000000
//	go run ./storm -all -json results.json
//
// Each run is a process of its own; the server it delivers to is another, so
// that its memory and its time are not counted.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"example.com/slackalert/bench/internal/handlers"
)

type settings struct {
	handler, scenario, base string
	n                       int
	timeout, exit           time.Duration
	memory                  int // MiB
	all                     bool
	json                    string
	childURL                string // set: this is the process that logs
}

func main() {
	s, err := parse(os.Args[1:])
	if err == nil {
		if s.childURL != "" {
			err = logAndReport(s, os.Stdout)
		} else {
			err = measure(s, os.Stdout)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func parse(args []string) (settings, error) {
	var s settings
	f := flag.NewFlagSet("storm", flag.ContinueOnError)
	f.StringVar(&s.handler, "h", "wrapped", "handler: "+strings.Join(handlers.Names(), ", "))
	f.StringVar(&s.scenario, "scenario", "", "one of "+strings.Join(scenarioNames(), ", ")+"; default: all of them")
	f.StringVar(&s.base, "base", "noop", "what the handler wraps: noop, so that its own cost is seen, or json")
	f.IntVar(&s.n, "n", 1_000_000, "alerts of the scenario equal; the others log fewer, in proportion")
	f.DurationVar(&s.timeout, "timeout", time.Minute, "stop logging after this time")
	f.DurationVar(&s.exit, "exit", time.Minute, "how long a handler may deliver what waits when the callers are done")
	f.IntVar(&s.memory, "memory", 4096, "stop logging at this many MiB of resident memory")
	f.BoolVar(&s.all, "all", false, "every handler")
	f.StringVar(&s.json, "json", "", "write the results to this file")
	f.StringVar(&s.childURL, "child", "", "internal: log to the server at this address")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	return s, s.check(f.Args())
}

func (s settings) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("storm: unexpected argument %q", rest[0])
	case !slices.Contains(handlers.Names(), s.handler):
		return fmt.Errorf("storm: -h %q: want one of %s", s.handler, strings.Join(handlers.Names(), ", "))
	case s.scenario != "" && !slices.Contains(scenarioNames(), s.scenario):
		return fmt.Errorf("storm: -scenario %q: want one of %s", s.scenario, strings.Join(scenarioNames(), ", "))
	case s.base != "noop" && s.base != "json":
		return fmt.Errorf("storm: -base %q: want noop or json", s.base)
	case s.n < 1:
		return fmt.Errorf("storm: -n %d: want at least 1", s.n)
	case s.timeout <= 0 || s.exit <= 0 || s.memory <= 0:
		return fmt.Errorf("storm: -timeout %s, -exit %s and -memory %d: want more than 0", s.timeout, s.exit, s.memory)
	}
	return nil
}
