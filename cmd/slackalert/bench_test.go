package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// The pipe beside cat and, where there is one, jq: lines of 200 bytes of which
// one in a hundred is an alert. BENCH_MB sets how many megabytes (default 64).
func BenchmarkPass(b *testing.B) {
	mb := 64
	if s := os.Getenv("BENCH_MB"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(b, err)
		mb = n
	}
	file := filepath.Join(b.TempDir(), "log")
	writeLog(b, file, mb<<20)
	d := newDesk(b)
	for _, c := range []struct {
		name string
		cmd  func() *exec.Cmd
	}{
		{"cat", func() *exec.Cmd { return exec.Command("cat") }},
		{"slackalert", func() *exec.Cmd { return d.child("") }},
		{"jq", func() *exec.Cmd { return exec.Command("jq", "-c", ".") }},
	} {
		if _, err := exec.LookPath(c.cmd().Args[0]); err != nil {
			continue
		}
		b.Run("h="+c.name, func(b *testing.B) {
			b.SetBytes(int64(mb) << 20)
			for b.Loop() {
				through(b, file, c.cmd())
			}
		})
	}
}

// through sends a file through a command by pipes on both sides.
func through(b *testing.B, file string, cmd *exec.Cmd) {
	f, err := os.Open(file)
	require.NoError(b, err)
	defer f.Close()
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	go func() {
		_, _ = io.Copy(struct{ io.Writer }{in}, f) // no splice: a program writes
		_ = in.Close()
	}()
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{out}, make([]byte, 256<<10))
	require.NoError(b, err)
	require.NoError(b, cmd.Wait())
}

func writeLog(b *testing.B, file string, size int) {
	f, err := os.Create(file)
	require.NoError(b, err)
	w := bufio.NewWriter(f)
	for n, i := 0, 0; n < size; i++ {
		level := "INFO"
		if i%100 == 0 {
			level = "ERROR"
		}
		line := fmt.Sprintf(`{"time":"2026-03-01T12:00:00.%09dZ","level":%q,"msg":"order placed","user":%d,"order":%d,"method":"POST","path":"/orders","status":201,"request_id":"9f86d081884c7d659a2feaa0c55ad015"}`, i, level, i%997, i)
		m, _ := fmt.Fprintf(w, "%-199s\n", line)
		n += m
	}
	require.NoError(b, w.Flush())
	require.NoError(b, f.Close())
}
