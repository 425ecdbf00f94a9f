// This file keeps what the server's ResponseWriter is able to do besides: flush,
// be hijacked, read from a file, push.

package slackhttp

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// A type assertion asks for methods, so each set of abilities must be a type:
// a writer that had them all would promise what the server can't do. Each type
// adds one ability to another and is one pointer, so none costs an allocation.
type (
	wF    struct{ *writer }
	wH    struct{ *writer }
	wFH   struct{ wF }
	wR    struct{ *writer }
	wFR   struct{ wF }
	wHR   struct{ wH }
	wFHR  struct{ wFH } // HTTP/1.1
	wP    struct{ *writer }
	wFP   struct{ wF } // HTTP/2
	wHP   struct{ wH }
	wFHP  struct{ wFH }
	wRP   struct{ wR }
	wFRP  struct{ wFR }
	wHRP  struct{ wHR }
	wFHRP struct{ wFHR }
)

func (w wF) Flush()                                              { _ = w.flush() }
func (w wF) FlushError() error                                   { return w.flush() }
func (w wH) Hijack() (net.Conn, *bufio.ReadWriter, error)        { return w.hijack() }
func (w wFH) Hijack() (net.Conn, *bufio.ReadWriter, error)       { return w.hijack() }
func (w wR) ReadFrom(src io.Reader) (int64, error)               { return w.readFrom(src) }
func (w wFR) ReadFrom(src io.Reader) (int64, error)              { return w.readFrom(src) }
func (w wHR) ReadFrom(src io.Reader) (int64, error)              { return w.readFrom(src) }
func (w wFHR) ReadFrom(src io.Reader) (int64, error)             { return w.readFrom(src) }
func (w wP) Push(target string, opts *http.PushOptions) error    { return w.push(target, opts) }
func (w wFP) Push(target string, opts *http.PushOptions) error   { return w.push(target, opts) }
func (w wHP) Push(target string, opts *http.PushOptions) error   { return w.push(target, opts) }
func (w wFHP) Push(target string, opts *http.PushOptions) error  { return w.push(target, opts) }
func (w wRP) Push(target string, opts *http.PushOptions) error   { return w.push(target, opts) }
func (w wFRP) Push(target string, opts *http.PushOptions) error  { return w.push(target, opts) }
func (w wHRP) Push(target string, opts *http.PushOptions) error  { return w.push(target, opts) }
func (w wFHRP) Push(target string, opts *http.PushOptions) error { return w.push(target, opts) }

func (w *writer) flush() error {
	w.began()
	return http.NewResponseController(w.under).Flush()
}

func (w *writer) hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.under).Hijack()
	if err == nil {
		w.hijacked.Store(true)
	}
	return conn, rw, err
}

func (w *writer) readFrom(src io.Reader) (int64, error) {
	w.began()
	return w.under.(io.ReaderFrom).ReadFrom(src)
}

func (w *writer) push(target string, opts *http.PushOptions) error {
	return w.under.(http.Pusher).Push(target, opts)
}

const (
	canFlush = 1 << iota
	canHijack
	canRead
	canPush
)

// view returns the writer with exactly the abilities of the server's.
func (w *writer) view() http.ResponseWriter {
	switch w.abilities() {
	case canFlush:
		return wF{w}
	case canHijack:
		return wH{w}
	case canFlush | canHijack:
		return wFH{wF{w}}
	case canRead:
		return wR{w}
	case canFlush | canRead:
		return wFR{wF{w}}
	case canHijack | canRead:
		return wHR{wH{w}}
	case canFlush | canHijack | canRead:
		return wFHR{wFH{wF{w}}}
	case canPush:
		return wP{w}
	case canFlush | canPush:
		return wFP{wF{w}}
	case canHijack | canPush:
		return wHP{wH{w}}
	case canFlush | canHijack | canPush:
		return wFHP{wFH{wF{w}}}
	case canRead | canPush:
		return wRP{wR{w}}
	case canFlush | canRead | canPush:
		return wFRP{wFR{wF{w}}}
	case canHijack | canRead | canPush:
		return wHRP{wHR{wH{w}}}
	case canFlush | canHijack | canRead | canPush:
		return wFHRP{wFHR{wFH{wF{w}}}}
	}
	return w
}

// abilities looks for Flush and Hijack behind wrappers too, as
// http.ResponseController does: it would reach past this writer otherwise,
// which must know of them. ReadFrom and Push behind a wrapper would pass that
// wrapper by.
func (w *writer) abilities() (set int) {
	if able[http.Flusher](w.under) || able[interface{ FlushError() error }](w.under) {
		set |= canFlush
	}
	if able[http.Hijacker](w.under) {
		set |= canHijack
	}
	if _, ok := w.under.(io.ReaderFrom); ok {
		set |= canRead
	}
	if _, ok := w.under.(http.Pusher); ok {
		set |= canPush
	}
	return set
}

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
