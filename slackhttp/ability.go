// This file keeps what the server's ResponseWriter is able to do besides: flush,
// be hijacked, read from a file, push, tell that the client has gone.

package slackhttp

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// A type assertion asks for methods, so each set of abilities must be a type: a
// writer that had them all would promise what the server can't do. These are
// the sets that servers have, and what wraps their writers leaves. Each is one
// pointer, so none costs an allocation.
type (
	flushes struct{ *writer } // a recorder; a wrapper over HTTP/2
	hijacks struct{ flushes } // a wrapper over HTTP/1.1
	http1   struct{ hijacks } // HTTP/1.1
	http2   struct{ flushes } // HTTP/2
	pushes  struct{ *writer } // http.TimeoutHandler
)

func (w flushes) Flush() { _ = w.FlushError() }

func (w flushes) FlushError() error {
	w.began()
	return http.NewResponseController(w.under).Flush()
}

// CloseNotify is the way before contexts, which gin's streams still take. Where
// the server hasn't got it, the channel never tells.
func (w flushes) CloseNotify() <-chan bool {
	if n, ok := w.under.(interface{ CloseNotify() <-chan bool }); ok {
		return n.CloseNotify()
	}
	return nil
}

func (w hijacks) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.under).Hijack()
	if err == nil {
		w.hijacked.Store(true)
	}
	return conn, rw, err
}

func (w http1) ReadFrom(src io.Reader) (int64, error) {
	w.began()
	return w.under.(io.ReaderFrom).ReadFrom(src)
}

func (w http2) Push(target string, o *http.PushOptions) error {
	return w.under.(http.Pusher).Push(target, o)
}
func (w pushes) Push(target string, o *http.PushOptions) error {
	return w.under.(http.Pusher).Push(target, o)
}

// view returns the writer with the abilities of the server's. Of a set that no
// server has, what is only faster without (ReadFrom, Push) is left out, and
// what can be hijacked is said to flush.
func (w *writer) view() http.ResponseWriter {
	_, reads := w.under.(io.ReaderFrom)
	_, canPush := w.under.(http.Pusher)
	canFlush := able[http.Flusher](w.under) || able[interface{ FlushError() error }](w.under)
	switch {
	case able[http.Hijacker](w.under) && reads:
		return http1{hijacks{flushes{w}}}
	case able[http.Hijacker](w.under):
		return hijacks{flushes{w}}
	case canFlush && canPush:
		return http2{flushes{w}}
	case canFlush:
		return flushes{w}
	case canPush:
		return pushes{w}
	}
	return w
}

// able looks for Flush and Hijack behind wrappers too, as
// http.ResponseController does: it would reach past this writer otherwise,
// which must know of them. ReadFrom and Push behind a wrapper would pass that
// wrapper by.
func able[T any](w http.ResponseWriter) bool {
	for {
		if _, ok := w.(T); ok {
			return true
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
}
