// This file is the demo's processes: it starts itself again as a relay or as a
// program that logs.

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fleet"
)

// What a process is told by its environment.
const (
	roleEnv  = "FLEETDEMO_ROLE"
	nameEnv  = "FLEETDEMO_NAME"
	countEnv = "FLEETDEMO_COUNT"
	natsEnv  = "FLEETDEMO_NATS"
	slackEnv = "FLEETDEMO_SLACK"
)

// leads is what fleet.Run logs when it leads.
const leads = `"msg":"slackalert fleet: leading"`

// playsRole is what a process does that the demo started; it returns false in the
// demo itself.
func playsRole() bool {
	var err error
	switch os.Getenv(roleEnv) {
	case "relay":
		err = asRelay()
	case "program":
		err = asProgram()
	default:
		return false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleetdemo:", os.Getenv(roleEnv), os.Getenv(nameEnv)+":", err)
		os.Exit(1)
	}
	return true
}

func connect() (jetstream.JetStream, error) {
	nc, err := nats.Connect(os.Getenv(natsEnv), nats.MaxReconnects(-1))
	if err != nil {
		return nil, err
	}
	return jetstream.New(nc)
}

// asRelay is what cmd/fleetrelay is.
func asRelay() error {
	js, err := connect()
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(context.Background())
	go func() { // the demo's end is this process's
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		end()
	}()
	return fleet.Run(ctx, js, slog.NewJSONHandler(os.Stdout, nil), &slackalert.Options{Token: "xoxb-demo", Channel: channel, APIURL: os.Getenv(slackEnv)}, nil)
}

// asProgram is a program as many have it: a handler, and errors.
func asProgram() error {
	js, err := connect()
	if err != nil {
		return err
	}
	p, err := fleet.NewPublisher(js, nil)
	if err != nil {
		return err
	}
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender: onHost{p, os.Getenv(nameEnv)}, Channel: channel, Service: "shop", BatchDelay: 50 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(os.Getenv(countEnv))
	if err != nil {
		return err
	}
	logger := slog.New(h)
	for i := range n {
		logger.Error("payment failed", "error", errors.New("connect to db-1:5432: no route to host"), "user", fmt.Sprint("u", i%300))
		time.Sleep(time.Millisecond)
	}
	return h.Close()
}

// onHost lets a process of this machine stand for one on a machine of its own.
type onHost struct {
	*fleet.Publisher
	host string
}

func (o onHost) Send(ctx context.Context, b slackalert.Batch) error {
	b.Host = o.host
	return o.Publisher.Send(ctx, b)
}

func (o onHost) Update(ctx context.Context, b slackalert.Batch) error {
	b.Host = o.host
	return o.Publisher.Update(ctx, b)
}

// process is one that the demo started.
type process struct {
	name  string
	cmd   *exec.Cmd
	leads atomic.Bool
	done  chan struct{} // closed when it has ended
	err   error         // of its end; read after done
}

// start starts the demo's program in a role.
func (d *demo) start(ctx context.Context, role, name string, n int) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: exec.CommandContext(ctx, exe), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), roleEnv+"="+role, nameEnv+"="+name, countEnv+"="+fmt.Sprint(n), natsEnv+"="+d.nats, slackEnv+"="+d.slack.APIURL())
	p.cmd.Stderr = os.Stderr
	if _, err := p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.Contains(lines.Text(), leads) {
				p.leads.Store(true)
			}
		}
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill ends the process at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
	p.leads.Store(false)
}

func (d *demo) relay(ctx context.Context, name string) error {
	p, err := d.start(ctx, "relay", name, 0)
	if err == nil {
		d.relays = append(d.relays, p)
	}
	return err
}

// programs runs all programs to their end.
func (d *demo) programs(ctx context.Context, n int) error {
	var all []*process
	for i := range programs {
		p, err := d.start(ctx, "program", fmt.Sprintf("web-%d", i+1), n)
		if err != nil {
			return err
		}
		all = append(all, p)
	}
	var errs []error
	for _, p := range all {
		<-p.done
		errs = append(errs, p.err)
	}
	return errors.Join(errs...)
}

// leader waits for one that leads.
func (d *demo) leader(ctx context.Context) (*process, error) {
	for until := time.Now().Add(patience); time.Now().Before(until); {
		for _, p := range d.relays {
			if p.leads.Load() {
				return p, nil
			}
		}
		if !sleep(ctx, 5*time.Millisecond) {
			return nil, errors.New("interrupted")
		}
	}
	return nil, fmt.Errorf("no relay leads after %v", patience)
}

func (d *demo) stop() {
	for _, p := range d.relays {
		p.kill()
	}
}
