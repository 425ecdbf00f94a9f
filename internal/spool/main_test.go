package spool

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"example.com/slackalert/internal/owned"
	"github.com/stretchr/testify/require"
)

// childEnv names the job of a test binary that runs as another process.
const childEnv = "SPOOL_TEST_CHILD"

// jobs are what a child process can be asked to do, by name.
var jobs = map[string]func(args []string) error{}

func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		if err := jobs[job](os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is a process that does a job.
func child(job string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childEnv+"="+job)
	cmd.Stderr = os.Stderr
	return cmd
}

// heard is what a store reported.
type heard struct {
	mu   sync.Mutex
	msgs []string
}

func (h *heard) report(msg string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.msgs = append(h.msgs, fmt.Sprint(append([]any{msg}, args...)...))
}

// all returns what was heard since it was asked last.
func (h *heard) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	msgs := h.msgs
	h.msgs = nil
	return msgs
}

func open(t testing.TB, dir, run string) (*Store, *heard) {
	h := &heard{}
	st, err := Open(dir, owned.Owner{Service: "shop", Host: "web-1", PID: os.Getpid(), Run: run, Build: "1a2b3c4"}, h.report)
	require.NoError(t, err)
	t.Cleanup(func() { _ = st.Close() }) // a second Close does nothing
	return st, h
}

// adopted is what a new process finds in dir.
func adopted(t testing.TB, dir, run string) (st *Store, owners []owned.Owner, found map[string]Record) {
	st, h := open(t, dir, run)
	found = map[string]Record{}
	st.Adopt(func(all []Left) {
		for _, left := range all {
			owners = append(owners, left.Owner)
			for _, r := range left.Records {
				if old, ok := found[string(r.Data)]; !ok || old.Alerts < r.Alerts {
					found[string(r.Data)] = r
				}
			}
		}
	})
	require.Empty(t, h.all())
	return st, owners, found
}

func files(t testing.TB, dir string) []string {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func records(all []Left) (out []Record) {
	for _, left := range all {
		out = append(out, left.Records...)
	}
	return out
}
