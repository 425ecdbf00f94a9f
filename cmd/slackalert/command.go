// This file runs a command in the pipe's stead of a program before it.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"example.com/slackalert/internal/capture"
)

const (
	signalStatus  = 128 // and the signal's number, as shells say it
	notFound      = 127
	notExecutable = 126
	lastLines     = 20              // of stderr, told with a crash
	lastBytes     = 400             // of each
	grace         = 2 * time.Second // for output that outlives the command
	settle        = 100 * time.Millisecond
	lastReads     = 4 // of chunkSize: more than a pipe holds
)

// runCommand runs a command, passes its output on, and returns its status. Like
// cat it waits for who reads the output, without bound until it is told to end;
// a crash is told before that.
func (p *pipe) runCommand(command []string, signals <-chan os.Signal, in io.Reader, out, log io.Writer) int {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin = in
	defer ignoreBrokenPipe()()
	stdout, stderr, start, err := outputs(cmd)
	if err == nil {
		err = start()
	}
	if err != nil {
		return p.notStarted(command[0], err, log)
	}
	var last tail
	var passing sync.WaitGroup
	passing.Go(func() { passOn(out, stdout, p.line) })
	passing.Go(func() {
		passOn(log, stderr, func(text []byte, whole bool) { last.add(text); p.line(text, whole) })
	})
	asked := forward(cmd, signals)
	err = cmd.Wait()
	toldToEnd := asked()
	passed := make(chan struct{})
	go func() { passing.Wait(); close(passed) }()
	finish(passed, stdout, stderr)
	status := p.ended(command[0], err, toldToEnd, &last)
	await(passed, signals, toldToEnd)
	return status
}

// outputs gives the command pipes to write to. They are not exec's own, which
// Wait would close before all is read.
func outputs(cmd *exec.Cmd) (stdout, stderr *output, start func() error, err error) {
	outEnd, to, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	errEnd, toErr, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	cmd.Stdout, cmd.Stderr = to, toErr
	return &output{outEnd, lastReads}, &output{errEnd, lastReads}, func() error {
		defer to.Close()
		defer toErr.Close()
		return cmd.Start()
	}, nil
}

// output is where a command's output is read. When its deadline has passed it
// still reads what the pipe holds: who takes the output may have been slow.
type output struct {
	*os.File
	reads int // that are left then
}

func (o *output) Read(b []byte) (int, error) {
	n, err := o.File.Read(b)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	if o.reads == 0 {
		return 0, io.EOF
	}
	o.reads--
	_ = o.SetReadDeadline(time.Now().Add(settle))
	n, err = o.File.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}

// passOn passes an output on to its end. Where nobody takes it any more the
// command is to find out, as it would without the pipe. Where else writing
// fails, as on a full disk, the command and its alerts go on.
func passOn(to io.Writer, from *output, line func(text []byte, whole bool)) {
	err := pass(to, from, line)
	if err != nil && !errors.Is(err, syscall.EPIPE) {
		_ = pass(io.Discard, from, line)
	}
	_ = from.Close() // it was only read
}

// finish gives what still comes a while: a process that the command left behind
// may hold its output open for ever.
func finish(passed <-chan struct{}, outputs ...*output) {
	select {
	case <-passed:
	case <-time.After(grace):
		for _, o := range outputs {
			_ = o.SetReadDeadline(time.Now()) // ends the read
		}
	}
}

// await waits until all has been passed on. Told to end it waits only a while,
// and told so now it doesn't.
func await(passed <-chan struct{}, signals <-chan os.Signal, toldToEnd bool) {
	var late <-chan time.Time
	if toldToEnd {
		late = time.After(closeWait)
	}
	for {
		select {
		case <-passed:
			return
		case <-late:
			return
		case s := <-signals:
			if asksToEnd(s) {
				return
			}
		}
	}
}

// forward hands signals on until the command has ended. asked says, then,
// whether one of them asked it to end.
func forward(cmd *exec.Cmd, signals <-chan os.Signal) (asked func() bool) {
	stop, stopped := make(chan struct{}), make(chan bool)
	go func() {
		end := false
		for {
			select {
			case s := <-signals:
				if fromTerminal(s) { // the command has got it itself
					end = true
					continue
				}
				end = end || asksToEnd(s)
				_ = cmd.Process.Signal(s) // it may have ended just now
			case <-stop:
				stopped <- end
				return
			}
		}
	}()
	return func() bool { close(stop); return <-stopped }
}

// notStarted tells that there was no command to run.
func (p *pipe) notStarted(name string, err error, log io.Writer) int {
	fmt.Fprintln(log, "slackalert:", oneLine(err))
	p.tell(fmt.Sprintf("%s can't be started", name), slog.Any("error", err))
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return notFound
	}
	return notExecutable
}

// ended tells a crash and returns the status to end with. A command that was
// asked to end, and did, has not crashed.
func (p *pipe) ended(name string, err error, asked bool, last *tail) int {
	var exit *exec.ExitError
	if err == nil {
		return 0
	}
	if !errors.As(err, &exit) {
		p.tell(fmt.Sprintf("%s: its end is not known", name), slog.Any("error", err))
		return 1
	}
	status, how := exitStatus(exit.ProcessState)
	if !asked {
		p.tell(name+" "+how, slog.Int("exit_status", status), slog.Any("stderr", capture.Foreign{Stack: last.String()}))
	}
	return status
}

// tell alerts what the pipe itself has seen.
func (p *pipe) tell(message string, attrs ...slog.Attr) {
	r := slog.NewRecord(time.Now(), levelFatal, message, 0)
	r.AddAttrs(attrs...)
	_ = p.handler.Handle(foreign, r) // own never fails
}

// tail keeps the last lines.
type tail struct {
	mu    sync.Mutex
	lines [lastLines][]byte
	n     int
}

func (t *tail) add(text []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text = bytes.TrimRight(text, "\r")
	slot := &t.lines[t.n%lastLines]
	*slot = append((*slot)[:0], text[:min(len(text), lastBytes)]...)
	t.n++
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for i := max(0, t.n-lastLines); i < t.n; i++ {
		b.Write(t.lines[i%lastLines])
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(strings.ToValidUTF8(b.String(), "\uFFFD"), "\n")
}
