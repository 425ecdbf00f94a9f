// This file starts the running program once more, in a role.

// Package again lets the demo, the measurement and the tests be several
// processes, on hosts of their own: each is the same program, told by its
// environment what to be.
package again

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"example.com/slackalert"
)

const roleEnv = "FLEET_ROLE"

// Role is what this process was started as; "" = by a person.
func Role() string { return os.Getenv(roleEnv) }

// UntilClosed returns when who started this process has closed it, or is gone.
func UntilClosed() { _, _ = bufio.NewReader(os.Stdin).ReadString('\n') }

// Process is one that was started. Its methods may be called from many goroutines.
type Process struct {
	cmd  *exec.Cmd
	in   io.Closer
	done chan struct{} // closed when it has ended
	err  error         // of its end; read after done

	mu    sync.Mutex
	lines []string // of its output
}

// Start starts this program in a role, with more in its environment. It is
// killed when ctx ends.
func Start(ctx context.Context, role string, env ...string) (*Process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.CommandContext(ctx, exe), done: make(chan struct{})}
	p.cmd.Env = append(append(os.Environ(), roleEnv+"="+role), env...)
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
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
			p.mu.Lock()
			p.lines = append(p.lines, lines.Text())
			p.mu.Unlock()
		}
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Rest is the rest of the first line that has the mark.
func (p *Process) Rest(mark string) (rest string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		if _, rest, ok := strings.Cut(l, mark); ok {
			return rest, true
		}
	}
	return "", false
}

// Has says whether the process has printed this.
func (p *Process) Has(text string) bool { _, ok := p.Rest(text); return ok }

// Await waits for the first line that has the mark, and returns the rest of it.
func (p *Process) Await(mark string) (string, error) {
	for {
		if rest, ok := p.Rest(mark); ok {
			return rest, nil
		}
		select {
		case <-p.done:
			return "", io.ErrUnexpectedEOF
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Log is all that the process has printed since it was forgotten.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// Forget drops what was printed so far.
func (p *Process) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = nil
}

// Signal sends a signal, unless the process has ended.
func (p *Process) Signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// Pid is the process's number.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Wait waits for its end.
func (p *Process) Wait() error { <-p.done; return p.err }

// Close lets the process end, and waits for that.
func (p *Process) Close() error { _ = p.in.Close(); return p.Wait() }

// Kill ends it at once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// OnHost lets a publisher of this machine stand for one of another.
type OnHost struct {
	Publisher
	Host string
}

// Publisher is a fleet's.
type Publisher interface {
	slackalert.Updater
	slackalert.Pacer
}

// Send sends b as from the host.
func (o OnHost) Send(ctx context.Context, b slackalert.Batch) error {
	b.Host = o.Host
	return o.Publisher.Send(ctx, b)
}

// Update updates b as from the host.
func (o OnHost) Update(ctx context.Context, b slackalert.Batch) error {
	b.Host = o.Host
	return o.Publisher.Update(ctx, b)
}
