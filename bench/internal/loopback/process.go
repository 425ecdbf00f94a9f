// This file runs a server in a process of its own, so that neither its memory
// nor its allocations count as the handler's.

package loopback

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
)

const childKey = "SLACKALERT_BENCH_LOOPBACK"

// RunIfChild serves and exits if the process was started by [Spawn]; else it
// returns at once. It is the first call of a TestMain that uses Spawn.
func RunIfChild() {
	if os.Getenv(childKey) == "" {
		return
	}
	s, err := Start(Fast)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.URL)
	in := bufio.NewScanner(os.Stdin) // ends when the parent does
	for in.Scan() {
		switch command := in.Text(); command {
		case "cut":
			s.Cut()
		case "counts":
		default:
			s.SetMode(Mode(command))
		}
		json.NewEncoder(os.Stdout).Encode(s.Counts())
	}
	os.Exit(0)
}

// Process is a server in a child process. It is for one goroutine.
type Process struct {
	URL string

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// Spawn starts this same program again as a server.
func Spawn() (*Process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("loopback: %w", err)
	}
	p := &Process{cmd: exec.Command(exe)}
	p.cmd.Env = append(os.Environ(), childKey+"=1")
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("loopback: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("loopback: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("loopback: %w", err)
	}
	p.out = bufio.NewReader(out)
	line, err := p.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("loopback: the server said no address: %w", err)
	}
	p.URL = strings.TrimSpace(line)
	return p, nil
}

// At returns the address of a server in mode m.
func (p *Process) At(m Mode) (string, error) {
	if m == Down {
		return Refusing, nil
	}
	_, err := p.say(string(m))
	return p.URL, err
}

// Cut closes every connection of the server and makes it fast, so that
// nothing hangs any more.
func (p *Process) Cut() error {
	if _, err := p.say(string(Fast)); err != nil {
		return err
	}
	_, err := p.say("cut")
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return err
}

// Counts returns what arrived since the start.
func (p *Process) Counts() (Counts, error) { return p.say("counts") }

func (p *Process) say(command string) (c Counts, err error) {
	if _, err := fmt.Fprintln(p.in, command); err != nil {
		return c, fmt.Errorf("loopback: %w", err)
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return c, fmt.Errorf("loopback: %w", err)
	}
	return c, json.Unmarshal(line, &c)
}

// Close ends the server's process.
func (p *Process) Close() error {
	p.in.Close()
	return p.cmd.Wait()
}
