// This file watches an answer being written, and hides nothing of the server's
// ResponseWriter.

package slackhttp

import (
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"

	"example.com/slackalert/internal/origin"
)

// writer notes the status, and whether anything was sent. Other goroutines may
// ask while the handler writes.
type writer struct {
	under    http.ResponseWriter
	status   atomic.Int32 // 0 = nothing sent
	hijacked atomic.Bool
	where    uintptr // the line that set a status of 500 and above; written before status
}

func (w *writer) Header() http.Header { return w.under.Header() }

// WriteHeader lets the server look first: it panics on a status that is none,
// and then nothing was sent.
func (w *writer) WriteHeader(status int) {
	w.under.WriteHeader(status)
	if status < 200 && status != http.StatusSwitchingProtocols || w.status.Load() != 0 {
		return // only informational, or superfluous
	}
	if status >= http.StatusInternalServerError {
		w.where = caller()
	}
	w.status.Store(int32(status))
}

func (w *writer) Write(b []byte) (int, error) {
	w.began()
	return w.under.Write(b)
}

func (w *writer) WriteString(s string) (int, error) {
	w.began()
	return io.WriteString(w.under, s)
}

// Unwrap is for http.ResponseController: deadlines, full duplex.
func (w *writer) Unwrap() http.ResponseWriter { return w.under }

func (w *writer) began() {
	if w.status.Load() == 0 {
		w.status.CompareAndSwap(0, http.StatusOK)
	}
}

// caller is the line of the program's own code that set the status: routers,
// libraries and what wraps the writer only passed it on. 0 where there is none,
// as behind a router that writes the status after the handlers returned.
func caller() uintptr {
	own := reflect.ValueOf((*handler).ServeHTTP).Pointer()
	var pcs [64]uintptr
	for _, pc := range pcs[:runtime.Callers(3, pcs[:])] {
		f := runtime.FuncForPC(pc - 1)
		if f == nil {
			continue
		}
		if f.Entry() == own {
			return 0 // what is below wraps the request, and didn't answer it
		}
		name := f.Name()
		if origin.Own(name) && !strings.HasSuffix(name, ".WriteHeader") && !strings.HasSuffix(name, ".Write") {
			return pc
		}
	}
	return 0
}
