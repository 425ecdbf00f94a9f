// This file says what arrived, and whether that is all that should have.

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
)

// report is what was logged and what was told.
type report struct {
	lines, alerts int // of the log
	stats         slackalert.Stats
	messages      []fakeslack.Message
	inside        bool // messages are those of the Slack inside
	longer        bool // there was more traffic than one round
}

func (d *demo) report() report {
	r := report{stats: d.handler.Stats(), inside: d.slack != nil, longer: d.serve}
	r.lines, r.alerts = d.out.counted()
	if r.inside {
		r.messages = d.slack.Messages("")
	}
	return r
}

// show prints a report.
func (d *demo) show(r report) {
	if r.inside && !r.longer {
		d.out.say("\n# what arrived in Slack\n")
		for i, m := range r.messages {
			d.pen.message(i+1, m)
		}
	}
	if r.inside && d.links {
		d.out.say("# the same in Slack's Block Kit Builder\n")
		for i, m := range r.messages {
			d.out.say("[%d] %s\n", i+1, builderURL(m))
		}
	}
	s := r.stats
	d.out.say("# counts")
	d.out.say("logged  %s lines, %s of them alerts", thousands(r.lines), thousands(r.alerts))
	d.out.say("told    %s alerts in %s messages; edits %s", thousands(s.Delivered), thousands(s.Messages), thousands(s.Updates))
	d.out.say("        %s pending, %s lost, %s attempts failed", thousands(s.Pending), thousands(s.Lost), thousands(s.Failures))
}

// wrong is what is missing, or too much.
func (r report) wrong() []error {
	var errs []error
	s := r.stats
	if s.Delivered != uint64(r.alerts) || s.Alerts != s.Delivered {
		errs = append(errs, fmt.Errorf("%s alerts were logged, %s were told", thousands(r.alerts), thousands(s.Delivered)))
	}
	if want := stormSize + 3; !r.longer && r.alerts != want {
		errs = append(errs, fmt.Errorf("%s alerts were logged; want %s", thousands(r.alerts), thousands(want)))
	}
	if !r.inside || r.longer {
		return errs
	}
	for _, v := range visits {
		for _, want := range v.sees {
			if !slices.ContainsFunc(r.messages, shows(want)) {
				errs = append(errs, fmt.Errorf("%s: no message shows %q", v.what, want))
			}
		}
	}
	return append(errs, r.wrongStorm()...)
}

// wrongStorm is what is wrong with the one message that a storm should be.
func (r report) wrongStorm() []error {
	var errs []error
	told := 0
	for _, m := range r.messages {
		if !shows("payment_failed")(m) {
			continue
		}
		told++
		if count := "×" + thousands(stormSize); !shows(count)(m) {
			errs = append(errs, errors.New("the storm: its message doesn't show "+count))
		}
	}
	if told != 1 {
		errs = append(errs, fmt.Errorf("the storm is told in %d messages; want 1", told))
	}
	return errs
}

// shows says whether a message reads like text somewhere.
func shows(text string) func(fakeslack.Message) bool {
	return func(m fakeslack.Message) bool { return strings.Contains(m.String(), text) }
}
