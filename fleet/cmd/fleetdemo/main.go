// This file plays the demo: many processes, one message, and the death of who
// told it.

// Fleetdemo shows a fleet that speaks with one voice: 20 real processes log the
// same error to a NATS server and a Slack that run inside the demo. One message
// tells it. Then the relay that told it is killed, the processes go on, and
// another relay edits the same message. It exits with 0 only if that is so.
//
//	go run ./cmd/fleetdemo          # ends by itself, after half a minute
//	go run ./cmd/fleetdemo -serve   # stays, with Slack as a page
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"example.com/slackalert/fakeslack"
	"example.com/slackalert/fleet/internal/natsd"
)

const (
	programs = 20
	errorsOf = 1000 // each program's, in the first round
	moreOf   = 50   // and after the relay's death
	channel  = "C0DEMO"
	patience = 40 * time.Second
)

func main() {
	if playsRole() {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process
	serve := flag.Bool("serve", false, "stay when all is told, with Slack as a page")
	flag.Parse()
	if err := play(ctx, os.Stdout, *serve); err != nil {
		fmt.Fprintln(os.Stderr, "fleetdemo:", err)
		os.Exit(1)
	}
}

// demo is all that runs.
type demo struct {
	out    io.Writer
	slack  *fakeslack.Server
	nats   string
	relays []*process
}

// play goes through both rounds.
func play(ctx context.Context, out io.Writer, serve bool) error {
	ns, end, err := natsd.Temp()
	if err != nil {
		return err
	}
	defer end()
	slack, err := fakeslack.Start(nil)
	if err != nil {
		return err
	}
	defer slack.Close()
	d := &demo{out: out, slack: slack, nats: natsd.URL(ns)}
	defer d.stop()
	d.say("A NATS server, a Slack (%s), and two relays: one leads, one stands by.", slack.PageURL())
	for i := range 2 {
		if err := d.relay(ctx, fmt.Sprintf("relay-%d", i+1)); err != nil {
			return err
		}
	}
	first, err := d.round(ctx, errorsOf, programs*errorsOf)
	if err != nil {
		return err
	}
	if err := d.killLeader(ctx); err != nil {
		return err
	}
	second, err := d.round(ctx, moreOf, programs*(errorsOf+moreOf))
	if err != nil {
		return err
	}
	if first.TS != second.TS {
		return fmt.Errorf("another message was posted: %s, then %s; want one that is edited", first.TS, second.TS)
	}
	d.say("It is the same message (%s), edited %d times: by the dead relay, and by its successor.", second.TS, second.Edits)
	if serve {
		d.say("Slack stays at %s until Ctrl-C.", slack.PageURL())
		<-ctx.Done()
	}
	return nil
}

// round lets the programs log n errors each, and waits until Slack shows all.
func (d *demo) round(ctx context.Context, n, all int) (fakeslack.Message, error) {
	d.say("%d processes log the same error %d times each.", programs, n)
	began := time.Now()
	if err := d.programs(ctx, n); err != nil {
		return fakeslack.Message{}, err
	}
	d.say("All have ended after %.1f s. Slack is edited at most every 10 s; waiting for %s.", time.Since(began).Seconds(), thousands(all))
	for until := time.Now().Add(patience); ; {
		m := d.slack.Messages(channel)
		if len(m) > 1 {
			return fakeslack.Message{}, fmt.Errorf("there are %d messages; want one", len(m))
		}
		if len(m) == 1 && strings.Contains(m[0].Text, thousands(all)) {
			shown := strings.ReplaceAll(strings.TrimSpace(m[0].String()), "\n", "\n    │ ")
			d.say("After %.1f s there is one message; first what a phone shows of it:\n\n    ▌ %s\n    │ %s\n", time.Since(began).Seconds(), m[0].Text, shown)
			return m[0], nil
		}
		if time.Now().After(until) {
			return fakeslack.Message{}, fmt.Errorf("%v later Slack shows %q; want %s in it", patience, texts(m), thousands(all))
		}
		if !sleep(ctx, 50*time.Millisecond) {
			return fakeslack.Message{}, errors.New("interrupted")
		}
	}
}

// killLeader kills the relay that leads, and waits for the other.
func (d *demo) killLeader(ctx context.Context) error {
	leader, err := d.leader(ctx)
	if err != nil {
		return err
	}
	d.say("kill -9 %d: %s, which told it, is dead.", leader.Pid(), leader.name)
	died := time.Now()
	leader.Kill()
	d.relays = slices.DeleteFunc(d.relays, func(p *process) bool { return p == leader })
	next, err := d.leader(ctx)
	if err != nil {
		return err
	}
	d.say("%s leads after %.1f s.", next.name, time.Since(died).Seconds())
	return nil
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, "\n"+format+"\n", args...) }

func texts(all []fakeslack.Message) []string {
	var t []string
	for _, m := range all {
		t = append(t, m.Text)
	}
	return t
}

// thousands is a number as messages write it.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// sleep returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
