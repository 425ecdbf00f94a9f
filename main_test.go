package slackalert

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"example.com/slackalert/internal/spool"
)

// TestMain refuses every dial that is not local, and a goroutine left behind.
func TestMain(m *testing.M) {
	spool.Fsync = func(*os.File) error { return nil } // a busy disk takes its time, and no test pulls the plug
	if api := os.Getenv(childEnv); api != "" {
		child(api)
	}
	if spec := os.Getenv(programEnv); spec != "" {
		program(spec)
	}
	if how := os.Getenv(lifeEnv); how != "" {
		liveAs(how)
	}
	flag.Parse()
	if p := flag.Lookup("test.parallel"); p.Value.String() == p.DefValue && flag.Lookup("test.fuzz").Value.String() == "" {
		_ = p.Value.Set("24") // what runs at once mostly waits: for a second, for a process
	}
	local := &net.Dialer{}
	http.DefaultTransport.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(addr)
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			panic("a test dialled " + addr)
		}
		return local.DialContext(ctx, network, addr)
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	fuzzing := flag.Lookup("test.fuzz").Value.String() != "" // the fuzzer leaves one of its own
	if code == 0 && !fuzzing && !settlesAt(before) {
		buf := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", buf[:runtime.Stack(buf, true)])
		code = 1
	}
	os.Exit(code)
}

// ran has the names of the tests that have begun.
var ran sync.Map

// repeated says that a test has run before in this process, with -count, or that
// there is little time: what takes long, and is no other then, may be shorter.
func repeated(tb testing.TB) bool {
	_, before := ran.LoadOrStore(tb.Name(), true)
	return before || testing.Short()
}

// settlesAt waits for goroutines that are about to end, on however busy a machine.
func settlesAt(n int) bool {
	for range 3000 {
		if runtime.NumGoroutine() <= n {
			return true
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
