// This file asks an error of somebody else's what it means.

// Package cause asks an error what it means: once, in one place, and so that
// nothing the error does when it is asked harms more than who asks. A method
// that panics has said nothing; one that takes its time takes the caller's; one
// that logs does so in the caller's goroutine. Ask outside every lock.
package cause

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"syscall"
	"time"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/pace"
	"example.com/slackalert/internal/redact"
)

const (
	maxText  = 2 << 10 // bytes that are kept of an error's text
	maxChain = 10_000  // errors in one; what has more is taken for one that wraps itself
)

// Cause is what an error said of itself. It is an error, too, for those who wait
// for what failed; the zero Cause is none.
type Cause struct {
	Err         error         // as it came, for errors.Is; nil = it worked
	Text        string        // without secrets
	Wait        time.Duration // RetryAfter; 0 = not said
	Mend        string        // what a person must do; "" = nothing
	Gone        bool          // the message to edit is
	Unknown     bool          // it went out, and the answer doesn't say what became of it
	Refused     bool          // for what it holds
	Unreachable bool          // it surely never went out
	Workspace   bool          // Wait is for all that goes to that workspace
}

// Error is the text, and what to do about it.
func (c Cause) Error() string {
	if c.Mend == "" {
		return c.Text
	}
	return c.Text + ": " + c.Mend
}

// Unwrap is the error as it came.
func (c Cause) Unwrap() error { return c.Err }

// Of asks err. nil gives the zero Cause. ended says that the context of the call
// had ended: an error that says nothing itself of what became of the request is
// then one that doesn't know.
func Of(err error, ended bool) Cause {
	if err == nil {
		return Cause{}
	}
	c := Cause{Err: err, Text: text(err)}
	left := maxChain
	if capture.Walk(err, maxChain, func(error) bool { left--; return true }); left == 0 {
		c.Err, c.Unknown = errors.New(c.Text), ended // errors.Is and As would look for ever
		return c
	}
	ask(err, func(e interface{ RetryAfter() time.Duration }) { c.Wait = max(e.RetryAfter(), 0) })
	ask(err, func(e interface{ Mend() string }) { c.Mend = capture.Cut(redact.Text(e.Mend()), maxText) })
	ask(err, func(e interface{ Gone() bool }) { c.Gone = e.Gone() })
	ask(err, func(e interface{ Refused() bool }) { c.Refused = e.Refused() })
	ask(err, func(e interface{ Workspace() bool }) { c.Workspace = e.Workspace() })
	ask(err, func(error) { c.fate(err, ended) })
	return c
}

// ask calls f with the first in err's chain that is an E. What panics meanwhile,
// be it what looks for one, has said nothing.
func ask[E any](err error, f func(E)) {
	defer func() { _ = recover() }()
	var e E
	if errors.As(err, &e) {
		f(e)
	}
}

// fate says whether the request went out. Where the error has no method for
// that, its kind tells.
func (c *Cause) fate(err error, ended bool) {
	var u interface{ Unknown() bool }
	var n interface{ Unreachable() bool }
	knows, never := errors.As(err, &u), errors.As(err, &n)
	if knows || never {
		c.Unknown, c.Unreachable = knows && u.Unknown(), never && n.Unreachable()
		return
	}
	var op *net.OpError
	if errors.As(err, new(*net.DNSError)) || errors.As(err, &op) && op.Op == "dial" || errors.Is(err, syscall.ECONNREFUSED) {
		c.Unreachable = true
		return
	}
	var t interface{ Timeout() bool }
	c.Unknown = ended && c.silent() || errors.As(err, &t) && t.Timeout()
	for _, cut := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, context.Canceled} {
		c.Unknown = c.Unknown || errors.Is(err, cut)
	}
}

// Result is what it means to the plan. where is who was asked to take something.
func (c *Cause) Result(where string) pace.Result {
	r := pace.Result{Kind: pace.Failed, Wait: c.Wait, Everywhere: c.Workspace, Mend: c.Mend != "", Why: "it could not be delivered"}
	switch {
	case c.Err == nil:
		r.Kind, r.Why = pace.Accepted, ""
	case c.Gone:
		r.Kind = pace.Gone
	case c.Refused:
		r.Kind, r.Why = pace.Refused, where+" refused it"
	case c.Unreachable:
		r.Kind, r.Why = pace.Unreachable, where+" was unreachable"
	case c.Unknown:
		r.Kind, r.Why = pace.Unknown, where+" did not answer"
	case c.Wait > 0:
		r.Why = where + " asked to wait"
	case c.Mend != "":
		r.Why = where + " would not take it"
	}
	return r
}

// silent says that the error said nothing of itself.
func (c *Cause) silent() bool { return c.Wait == 0 && c.Mend == "" && !c.Gone && !c.Refused }

// text is what the error says, or why it can't.
func text(err error) (s string) {
	defer func() {
		switch v := recover(); {
		case v == nil:
		case isNil(err):
			s = "(nil)"
		default:
			s = capture.Cut(redact.Text(fmt.Sprintf("%T, whose Error panicked: %s", err, capture.Said(v))), maxText)
		}
	}()
	return capture.Cut(redact.Text(err.Error()), maxText)
}

func isNil(err error) bool {
	switch v := reflect.ValueOf(err); v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Interface, reflect.Chan:
		return v.IsNil()
	}
	return false
}
