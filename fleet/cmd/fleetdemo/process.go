// This file is the demo's processes: it starts itself again as a relay or as a
// program that logs.

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fleet"
	"example.com/slackalert/fleet/internal/again"
)

// What a process is told by its environment.
const (
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
	switch again.Role() {
	case "relay":
		err = asRelay()
	case "program":
		err = asProgram()
	default:
		return false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleetdemo:", again.Role(), os.Getenv(nameEnv)+":", err)
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
		again.UntilClosed()
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
		Sender: again.OnHost{Publisher: p, Host: os.Getenv(nameEnv)}, Channel: channel, Service: "shop", BatchDelay: 50 * time.Millisecond,
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

// process is one that the demo started.
type process struct {
	*again.Process
	name string
}

func (d *demo) start(ctx context.Context, role, name string, n int) (*process, error) {
	p, err := again.Start(ctx, role, nameEnv+"="+name, countEnv+"="+fmt.Sprint(n), natsEnv+"="+d.nats, slackEnv+"="+d.slack.APIURL())
	return &process{p, name}, err
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
		errs = append(errs, p.Wait())
	}
	return errors.Join(errs...)
}

// leader waits for one that leads.
func (d *demo) leader(ctx context.Context) (*process, error) {
	for until := time.Now().Add(patience); time.Now().Before(until); {
		for _, p := range d.relays {
			if p.Has(leads) {
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
		p.Kill()
	}
}
