// This file starts the pipe and ends it.

// Command slackalert stands behind any program that logs JSON, in whatever
// language: it passes the lines on and tells Slack the serious ones, with the
// grouping, the pace and the promises of package slackalert.
//
//	program 2>&1 | slackalert -channel C0123456789
//	slackalert -channel C0123456789 -- program argument
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"example.com/slackalert"
)

const (
	statusUsage = 2
	closeWait   = 5 * time.Second // for the rest of the input when told to end
	checkWait   = 15 * time.Second
)

func main() {
	signals, _ := heard() // to the very end: what was read last is told by then
	os.Exit(run(os.Args[1:], os.Getenv, signals, os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, env func(string) string, signals <-chan os.Signal, in io.Reader, out, log io.Writer) int {
	s, err := read(args, env, log)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(log, "slackalert:", oneLine(err))
		return statusUsage
	}
	h, err := slackalert.New(own{slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})}, &s.opts)
	if err != nil {
		fmt.Fprintln(log, "slackalert:", oneLine(err))
		return statusUsage
	}
	if s.check {
		return check(h, signals, log)
	}
	p := &pipe{handler: h, glance: s.glance(), keys: &s.keys}
	status := 0
	if len(s.command) > 0 {
		status = p.runCommand(s.command, signals, in, out, log)
	} else {
		status = p.filter(signals, in, out, log)
	}
	_ = h.Close() // it says on log what it couldn't tell, and heeds nobody who doesn't read there any more
	return status
}

func check(h *slackalert.Handler, signals <-chan os.Signal, log io.Writer) int {
	ctx, cancel := context.WithTimeout(context.Background(), checkWait)
	defer cancel()
	go func() {
		for !asksToEnd(<-signals) {
		}
		cancel()
	}()
	if err := h.Check(ctx); err != nil {
		fmt.Fprintln(log, "slackalert:", oneLine(err))
		return 1
	}
	fmt.Fprintln(log, "slackalert: Slack takes what is sent")
	return 0
}

// byteOrderMark stands before the first line of what some systems write.
var byteOrderMark = []byte("\ufeff")

// pipe makes alerts of lines.
type pipe struct {
	handler *slackalert.Handler
	glance  *glance
	keys    *keys
}

// line tells what a line says, if it is serious. Lines that aren't JSON pass.
func (p *pipe) line(text []byte, whole bool) {
	text = bytes.TrimPrefix(text, byteOrderMark)
	if !p.glance.wants(text) {
		return
	}
	attrs, ok := readObject(text, whole)
	if !ok {
		return
	}
	_ = p.handler.Handle(foreign, p.keys.record(attrs)) // own never fails
}

// filter passes in to out until in ends. A signal to end gives the program
// before it a while to end first: its last lines are the ones that matter. A
// second one doesn't.
func (p *pipe) filter(signals <-chan os.Signal, in io.Reader, out, log io.Writer) int {
	defer ignoreBrokenPipe()()
	ended := make(chan error, 1)
	go func() { ended <- pass(out, in, p.line) }()
	var late <-chan time.Time
	for {
		select {
		case err := <-ended:
			return statusOf(err, log)
		case s := <-signals:
			switch {
			case !asksToEnd(s):
			case late != nil:
				return 0
			default:
				late = time.After(closeWait)
			}
		case <-late:
			return 0
		}
	}
}

// heard returns a channel of the signals that are handled and that this process
// doesn't ignore: nohup, and a shell that runs it in the background, have them
// ignored, here and in a command that it starts.
func heard() (c chan os.Signal, stop func()) {
	c = make(chan os.Signal, 16)
	for _, s := range handled() {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
	return c, func() { signal.Stop(c) }
}

// statusOf is the exit status after the input ended: that of a program ended by
// SIGPIPE where nobody reads the output any more.
func statusOf(err error, log io.Writer) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, syscall.EPIPE):
		return signalStatus + 13
	}
	fmt.Fprintln(log, "slackalert:", oneLine(err))
	return 1
}

// foreignKey marks the context of records that were logged elsewhere.
type foreignKey struct{}

var foreign = context.WithValue(context.Background(), foreignKey{}, true)

// own is the base handler: the lines have been passed on already, so only
// slackalert's own troubles are to be said.
type own struct{ slog.Handler }

func (o own) Enabled(ctx context.Context, l slog.Level) bool {
	return ctx.Value(foreignKey{}) == nil && o.Handler.Enabled(ctx, l)
}

func (o own) WithAttrs(attrs []slog.Attr) slog.Handler { return own{o.Handler.WithAttrs(attrs)} }
func (o own) WithGroup(name string) slog.Handler       { return own{o.Handler.WithGroup(name)} }

// oneLine is an error without line breaks.
func oneLine(err error) string {
	return strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", "; "), "slackalert: ")
}
