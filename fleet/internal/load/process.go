// This file starts the program again as NATS or as a relay, and reads its
// memory.

package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fleet"
	"example.com/slackalert/fleet/internal/again"
	"example.com/slackalert/fleet/internal/natsd"
)

// What a process is told by its environment.
const (
	natsEnv  = "FLEETLOAD_NATS"
	slackEnv = "FLEETLOAD_SLACK"
)

// leads is what fleet.Run logs when it leads.
const leads = `"msg":"slackalert fleet: leading"`

// playsRole is what a process does that this program started; it returns false
// in the one that was called.
func playsRole() bool {
	var err error
	switch again.Role() {
	case "nats":
		err = asNATS()
	case "relay":
		err = asRelay()
	default:
		return false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", again.Role()+":", err)
		os.Exit(1)
	}
	return true
}

func asNATS() error {
	s, end, err := natsd.Temp()
	if err != nil {
		return err
	}
	defer end()
	fmt.Println("url " + natsd.URL(s))
	again.UntilClosed()
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
	go func() { again.UntilClosed(); end() }()
	return fleet.Run(ctx, js, slog.NewJSONHandler(os.Stdout, nil), &slackalert.Options{Token: "xoxb-load", Channel: channel, APIURL: os.Getenv(slackEnv)}, nil)
}

// memory is what a process holds and has held, in MiB, where the system says so.
func memory(p *again.Process) (now, peak int) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
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
