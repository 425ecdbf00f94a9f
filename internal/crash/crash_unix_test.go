//go:build unix

package crash

import (
	"os"
	"syscall"
	"testing"
)

func init() {
	ways["quit"] = func() { send(syscall.SIGQUIT) }
	ways["kill"] = func() { send(syscall.SIGKILL) }
	ways["term"] = func() { send(syscall.SIGTERM) }
}

func send(s syscall.Signal) {
	_ = syscall.Kill(os.Getpid(), s)
	select {}
}

// leaveMemory takes all memory away that the process doesn't have yet.
func leaveMemory() {
	_ = syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: 1, Max: 1})
}

func TestSignals(t *testing.T) {
	for end, cause := range map[string]string{"quit": "SIGQUIT: quit", "kill": "", "term": ""} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			checkEnd(t, end, cause, "", "")
		})
	}
}
