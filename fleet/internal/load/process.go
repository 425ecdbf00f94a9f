// This file starts the program again as NATS or as a relay, and reads its
// memory.

package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fleet"
	"example.com/slackalert/fleet/internal/natsd"
)

// What a process is told by its environment.
const (
	roleEnv  = "FLEETLOAD_ROLE"
	natsEnv  = "FLEETLOAD_NATS"
	slackEnv = "FLEETLOAD_SLACK"
)

// leads is what fleet.Run logs when it leads.
const leads = `"msg":"slackalert fleet: leading"`

// playsRole is what a process does that this program started; it returns false
// in the one that was called.
func playsRole() bool {
	var err error
	switch os.Getenv(roleEnv) {
	case "nats":
		err = asNATS()
	case "relay":
		err = asRelay()
	default:
		return false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", os.Getenv(roleEnv)+":", err)
		os.Exit(1)
	}
	return true
}

// untilClosed ends when who started the process has gone.
func untilClosed() {
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

func asNATS() error {
	s, end, err := natsd.Temp()
	if err != nil {
		return err
	}
	defer end()
	fmt.Println("url " + natsd.URL(s))
	untilClosed()
	return nil
}

func asRelay() error {
	nc, err := nats.Connect(os.Getenv(natsEnv), nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(context.Background())
	go func() { untilClosed(); end() }()
	return fleet.Run(ctx, js, slog.NewJSONHandler(os.Stdout, nil), &slackalert.Options{Token: "xoxb-load", Channel: channel, APIURL: os.Getenv(slackEnv)}, nil)
}

// process is one that was started.
type process struct {
	cmd *exec.Cmd
	out chan string // its lines; closed at its end
	in  func() error
}

func start(ctx context.Context, role string, env ...string) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, exe), out: make(chan string, 1000)}
	p.cmd.Env = append(append(os.Environ(), roleEnv+"="+role), env...)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.in = in.Close
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go lines(bufio.NewScanner(out), p.out)
	return p, nil
}

// wait is the rest of the first line that has the mark; without one the program
// ends.
func (p *process) wait(mark string) string {
	for line := range p.out {
		if _, rest, ok := strings.Cut(line, mark); ok {
			return rest
		}
	}
	panic(errEnded)
}

// memory is what a process holds and has held, in MiB, where the system says so.
func (p *process) memory() (now, peak int) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(data)) {
		for key, to := range map[string]*int{"VmRSS:": &now, "VmHWM:": &peak} {
			if rest, ok := strings.CutPrefix(line, key); ok {
				_, _ = fmt.Sscan(rest, to)
				*to /= 1024
			}
		}
	}
	return now, peak
}

// kill ends it, and waits: its folder goes with it.
func (p *process) kill() {
	_ = p.in()
	_ = p.cmd.Wait()
}
