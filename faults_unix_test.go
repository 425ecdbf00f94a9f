//go:build unix

// This file stops a program in the midst of its work, and lets it go on.

package slackalert

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAProgramThatIsStopped(t *testing.T) {
	t.Parallel()
	signal := func(s syscall.Signal) func(*world, *runningProgram) error {
		return func(_ *world, p *runningProgram) error { return p.cmd.Process.Signal(s) }
	}
	f := fault{name: "stopped", silent: true, unsure: true, heals: true}
	f.begin = func(w *world, p *runningProgram) error {
		if _, err := p.do(order{Do: "log", N: 100, Kinds: 10}); err != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond) // its message is about to go out, or on its way
		if err := signal(syscall.SIGSTOP)(w, p); err != nil {
			return err
		}
		time.Sleep(lasts())
		return signal(syscall.SIGCONT)(w, p)
	}
	o := f.run(lasts() / 10)
	f.check(t, o)
	assert.LessOrEqual(t, o.last.Stats.Failures, uint64(1))
}
