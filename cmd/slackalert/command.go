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
)

// runCommand runs a command, passes its output on, and returns its status.
func (p *pipe) runCommand(command []string, in io.Reader, out, log io.Writer) int {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin = in
	signals, stop := heard(forwarded())
	defer stop()
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
	passing.Go(func() { drain(pass(out, stdout, p.line), stdout) })
	passing.Go(func() {
		drain(pass(log, stderr, func(text []byte, whole bool) { last.add(text); p.line(text, whole) }), stderr)
	})
	asked := forward(cmd, signals)
	status := cmd.Wait()
	wait(&passing, stdout, stderr)
	return p.ended(command[0], status, asked(), &last)
}

// outputs gives the command pipes to write to. They are not exec's own, which
// Wait would close before all is read.
func outputs(cmd *exec.Cmd) (stdout, stderr *os.File, start func() error, err error) {
	stdout, outEnd, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	stderr, errEnd, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	cmd.Stdout, cmd.Stderr = outEnd, errEnd
	return stdout, stderr, func() error {
		defer outEnd.Close()
		defer errEnd.Close()
		return cmd.Start()
	}, nil
}

// drain keeps reading where writing failed: the command must not block. It goes
// on until nothing comes any more.
func drain(err error, from io.Reader) {
	if err != nil {
		_, _ = io.Copy(io.Discard, from) // nobody is left to be told
	}
}

// wait gives what still comes a while: a process that the command left behind
// may hold its output open for ever.
func wait(passing *sync.WaitGroup, outputs ...*os.File) {
	done := make(chan struct{})
	go func() { passing.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(grace):
		for _, f := range outputs {
			_ = f.SetReadDeadline(time.Now()) // ends the read
		}
		<-done
	}
	for _, f := range outputs {
		_ = f.Close() // it was only read
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

// tail keeps the last lines. One goroutine adds; when it has ended another may
// ask.
type tail struct {
	lines [lastLines][]byte
	n     int
}

func (t *tail) add(text []byte) {
	text = bytes.TrimRight(text, "\r")
	slot := &t.lines[t.n%lastLines]
	*slot = append((*slot)[:0], text[:min(len(text), lastBytes)]...)
	t.n++
}

func (t *tail) String() string {
	var b strings.Builder
	for i := max(0, t.n-lastLines); i < t.n; i++ {
		b.Write(t.lines[i%lastLines])
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(strings.ToValidUTF8(b.String(), "\uFFFD"), "\n")
}
