//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACrashIsTold(t *testing.T) {
	d := newDesk(t)
	c := d.child("crash", "-service", "shop")
	var out, log bytes.Buffer
	c.Stdout, c.Stderr = &out, &log
	var exit *exec.ExitError
	require.ErrorAs(t, c.Run(), &exit)
	assert.Equal(t, 3, exit.ExitCode())
	assert.Equal(t, "{\"level\":\"info\",\"msg\":\"out\"}\n", out.String())
	assert.Equal(t, 30, strings.Count(log.String(), "\n"))
	for _, want := range []string{"exited with status 3", "line 10", "line 29", "shop"} {
		assert.Contains(t, d.told(), want)
	}
	assert.NotContains(t, d.told(), "line 9\\n", "only the last 20 lines")
}

func TestTheCommandsInputAndEnd(t *testing.T) {
	d := newDesk(t)
	in := `{"level":"error","msg":"payment failed"}` + "\n"
	c := d.child("cat")
	c.Stdin = strings.NewReader(in)
	out, err := c.Output()
	require.NoError(t, err)
	assert.Equal(t, in, string(out))
	assert.Contains(t, d.told(), "payment failed")

	c = d.child("", "--", filepath.Join(t.TempDir(), "none"))
	var exit *exec.ExitError
	require.ErrorAs(t, c.Run(), &exit)
	assert.Equal(t, notFound, exit.ExitCode())
	assert.Contains(t, d.told(), "can't be started")
}

// A signal that asks the command to end is handed on, and no crash; any other
// end by a signal is one.
func TestSignals(t *testing.T) {
	unignore(t)
	for _, c := range []struct {
		signal syscall.Signal
		direct bool // to the command itself
		crash  bool
	}{{syscall.SIGTERM, false, false}, {syscall.SIGHUP, false, false}, {syscall.SIGKILL, true, true}} {
		t.Run(c.signal.String(), func(t *testing.T) {
			d := newDesk(t)
			p := d.child("")
			p.Args = append(p.Args, "--", "sh", "-c", `echo $$; exec env SLACKALERT_TEST=wait "$0"`, os.Args[0])
			out, err := p.StdoutPipe()
			require.NoError(t, err)
			_, err = p.StdinPipe()
			require.NoError(t, err)
			require.NoError(t, p.Start())
			var pid int
			_, err = fmt.Fscanln(out, &pid)
			require.NoError(t, err)
			var ready string
			_, err = fmt.Fscanln(out, &ready)
			require.NoError(t, err)
			if c.direct {
				require.NoError(t, syscall.Kill(pid, c.signal))
			} else {
				require.NoError(t, p.Process.Signal(c.signal))
			}
			var exit *exec.ExitError
			require.ErrorAs(t, p.Wait(), &exit)
			assert.Equal(t, signalStatus+int(c.signal), exit.ExitCode())
			assert.Equal(t, c.crash, strings.Contains(d.told(), "was ended by signal"), d.told())
		})
	}
}

// What nohup has ignored stays so, here and in the command.
func TestAnIgnoredSignal(t *testing.T) {
	d := newDesk(t)
	p := d.child("", "--", "sh", "-c", "kill -HUP $$; echo still here")
	p.Args = append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`}, p.Args...)
	p.Path = "/bin/sh"
	out, err := p.Output()
	require.NoError(t, err)
	assert.Equal(t, "still here\n", string(out))

	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	_, stop := heard()
	defer stop()
	assert.True(t, signal.Ignored(syscall.SIGHUP))
}

// Where nobody reads the output any more the pipe ends as cat would, but tells
// what it has read.
func TestABrokenPipe(t *testing.T) {
	d := newDesk(t)
	c := d.child("")
	in, err := c.StdinPipe()
	require.NoError(t, err)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	c.Stdout = w
	require.NoError(t, c.Start())
	_ = w.Close()
	_ = r.Close()
	_, err = io.WriteString(in, `{"level":"error","msg":"payment failed"}`+"\n")
	require.NoError(t, err)
	var exit *exec.ExitError
	require.ErrorAs(t, c.Wait(), &exit)
	assert.Equal(t, signalStatus+int(syscall.SIGPIPE), exit.ExitCode())
	assert.Contains(t, d.told(), "payment failed")
}

// A command finds out that nobody reads its output, as it would without the pipe.
func TestABrokenPipeOfACommand(t *testing.T) {
	d := newDesk(t)
	c := d.child("", "--", "sh", "-c", "while :; do echo y; done")
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	_, err = io.ReadFull(out, make([]byte, 10))
	require.NoError(t, err)
	_ = out.Close()
	var exit *exec.ExitError
	require.ErrorAs(t, c.Wait(), &exit)
	assert.Equal(t, signalStatus+int(syscall.SIGPIPE), exit.ExitCode())
}

// Where its output can't be written for another reason the command goes on, and
// its alerts are told.
func TestAFullDisk(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	_, err = io.WriteString(w, "1\n")
	require.NoError(t, err)
	var lines []string
	passOn(full{w}, &output{File: r}, func(text []byte, _ bool) { lines = append(lines, string(text)) })
	assert.Equal(t, []string{"1", "2"}, lines)
}

// full fails as a full disk does, and lets the command print its last line.
type full struct{ command *os.File }

func (f full) Write([]byte) (int, error) {
	_, _ = io.WriteString(f.command, "2\n")
	_ = f.command.Close()
	return 0, syscall.ENOSPC
}

// A reader who doesn't read keeps the output, not the news of a crash. A signal
// ends the waiting for him.
func TestNobodyReads(t *testing.T) {
	unignore(t)
	d := newDesk(t)
	c := d.child("", "--", "sh", "-c", "head -c 100000 /dev/zero; exit 3")
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	c.Stdout = w
	require.NoError(t, c.Start())
	_ = w.Close()
	for !strings.Contains(d.told(), "exited with status 3") {
		time.Sleep(10 * time.Millisecond)
	}
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	var exit *exec.ExitError
	require.ErrorAs(t, c.Wait(), &exit)
	assert.Equal(t, 3, exit.ExitCode())
}

// What a command has printed arrives, however late it is read, and although
// somebody keeps the output open.
func TestWhatThePipeHolds(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	want := strings.Repeat("a line\n", 5000)
	_, err = io.WriteString(w, want)
	require.NoError(t, err)
	require.NoError(t, r.SetReadDeadline(time.Now()))
	var got bytes.Buffer
	passOn(&got, &output{r, lastReads}, func([]byte, bool) {})
	assert.Equal(t, want, got.String())
}

// Told to end, the pipe waits for what the program before it still prints.
func TestTheLastLinesAreRead(t *testing.T) {
	unignore(t)
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) { endAndRead(t, s) })
	}
}

// unignore lets children get signals that were ignored where the tests were
// started, as in the background of a shell or by nohup: what is caught here is
// not ignored there.
func unignore(t *testing.T) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, handled()...)
	t.Cleanup(func() { signal.Stop(c) })
}

func endAndRead(t *testing.T, end syscall.Signal) {
	d := newDesk(t)
	c := d.child("")
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	_, _ = io.WriteString(in, "up\n")
	_, err = io.ReadFull(out, make([]byte, len("up\n")))
	require.NoError(t, err)
	require.NoError(t, c.Process.Signal(end))
	_, err = io.WriteString(in, `{"level":"error","msg":"the last words"}`+"\n")
	require.NoError(t, err)
	_ = in.Close()
	require.NoError(t, c.Wait())
	assert.Contains(t, d.told(), "the last words")
}

// Told to end, the pipe waits a while for the program before it; told again, it
// doesn't. What came before it listened counts, too.
func TestToldToEnd(t *testing.T) {
	unignore(t) // what signals start is not of the bubble
	for _, c := range []struct {
		name    string
		signals []os.Signal
		waits   time.Duration
	}{
		{"once", []os.Signal{syscall.SIGTERM}, closeWait},
		{"another signal", []os.Signal{syscall.SIGWINCH, syscall.SIGINT, syscall.SIGCONT}, closeWait},
		{"twice", []os.Signal{syscall.SIGINT, syscall.SIGTERM}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				signals := make(chan os.Signal, len(c.signals))
				for _, s := range c.signals {
					signals <- s
				}
				in, program := io.Pipe()
				defer program.Close()
				begun := time.Now()
				assert.Zero(t, run(nil, func(string) string { return "" }, signals, in, io.Discard, io.Discard))
				assert.Equal(t, c.waits, time.Since(begun))
			})
		})
	}
}

// A signal that comes while the last lines are being told ends nothing.
func TestASignalWhileTheRestIsTold(t *testing.T) {
	unignore(t)
	asked, answer := make(chan struct{}, 16), make(chan struct{})
	slack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-answer
		_, _ = io.WriteString(w, `{"ok":true,"channel":"C1","ts":"1.1"}`)
	}))
	defer slack.Close()
	c := newDesk(t).child("")
	c.Env = append(c.Env, "SLACK_API_URL="+slack.URL+"/api/")
	c.Stdin = strings.NewReader(`{"level":"error","msg":"payment failed"}` + "\n")
	require.NoError(t, c.Start())
	<-asked
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	close(answer)
	assert.NoError(t, c.Wait())
}

// Who holds the output open here does so until the pipe's input ends, and that
// is when the pipe has.
func TestOutputThatOutlivesTheCommand(t *testing.T) {
	c := newDesk(t).child("leave")
	_, err := c.StdinPipe()
	require.NoError(t, err)
	assert.NoError(t, c.Run())
}
