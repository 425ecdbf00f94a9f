// This file tells whether a request can have reached Slack.

package slackapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
)

// trip is how far a request got, as the transport itself says it. A transport
// of the caller's that doesn't use net/http's may say nothing.
type trip struct {
	early  bool        // the context had ended before
	sought atomic.Bool // a connection was looked for
	got    atomic.Bool // and found: from here on bytes may have left
}

// watch returns a context whose request notes its way in t. What was noted is
// never taken back: a transport that tries again may fail to connect after it
// has sent everything once.
func (t *trip) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { t.sought.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.got.Store(true) },
	})
}

// fate is what is known of a request that brought no whole answer.
type fate uint8

const (
	out   fate = iota // it may have arrived
	never             // it can't have: there was no connection
	kept              // the caller's transport refused it, as far as its error tells
)

// fate goes by what the transport said of its connection, and only without
// that by the error: who wraps net/http's transport passes on the former, and
// may have made the latter.
func (a answer) fate() fate {
	switch {
	case a.trip.early:
		return never
	case a.trip.got.Load(), a.status != 0:
		return out
	case a.trip.sought.Load(), unconnected(a.err):
		return never
	case lost(a.err):
		return out
	}
	return kept
}

// unconnected says whether err is one of making a connection: of finding the
// host, of reaching it, of trusting it.
func unconnected(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	_, dns := errors.AsType[*net.DNSError](err)
	_, cert := errors.AsType[*tls.CertificateVerificationError](err)
	_, expired := errors.AsType[x509.CertificateInvalidError](err)
	return dns || cert || expired || errors.Is(err, syscall.ECONNREFUSED)
}

// lost says whether err is one of a connection on which something was sent, or
// of an answer that didn't come in time.
func lost(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() || len(causesOf(err, nil)) > 0
}
