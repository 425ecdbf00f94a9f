// This file is what is known of one call, and when.

package slackgrpc

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"example.com/slackalert/internal/ident"
	"example.com/slackalert/internal/scope"
)

// The most of each that is shown, in bytes.
const (
	maxMethod = 256
	maxPeer   = 64
	maxAgent  = 256
	maxUser   = 256
)

// call is one call on its way. Goroutines that outlive it may still ask for its
// attributes.
type call struct {
	opts   *Options
	ctx    context.Context // as the call came
	scope  *scope.Scope
	hit    scope.User
	method string
	start  time.Time
	code   codes.Code   // written before took
	took   atomic.Int64 // duration in ns when it is over; 0 before
}

// begin opens the scope.
func begin(ctx context.Context, opts *Options, method string) *call {
	c := &call{opts: opts, ctx: ctx, method: ident.Clean(method, maxMethod), start: time.Now()}
	md, _ := metadata.FromIncomingContext(ctx)
	c.scope = scope.OpenLate(ctx, c,
		slog.String("method", c.method),
		slog.String("peer", ident.Clean(c.peer(md), maxPeer)),
		slog.String("request_id", ident.RequestID(md.Get)),
	)
	return c
}

func (c *call) peer(md metadata.MD) string {
	connection := ""
	if p, ok := peer.FromContext(c.ctx); ok && p.Addr != nil {
		connection = p.Addr.String()
	}
	if c.opts.TrustForwarded {
		return ident.Remote(connection, md.Get("x-forwarded-for"))
	}
	return ident.Remote(connection, nil)
}

// stop notes how the call ended.
func (c *call) stop(code codes.Code) {
	c.code = code
	c.took.Store(max(1, int64(time.Since(c.start))))
}

// Late returns what alerts show.
func (c *call) Late(has func(key string) bool) []slog.Attr {
	attrs := make([]slog.Attr, 0, 5)
	text := func(key, s string, most int) {
		if s != "" && !has(key) {
			attrs = append(attrs, slog.String(key, ident.Clean(s, most)))
		}
	}
	if !has("user") { // or nobody need be asked
		text("user", c.hit.Shown(c.user), maxUser)
	}
	text("route", c.method, maxMethod)
	took := time.Duration(c.took.Load())
	if took != 0 {
		text("status", c.code.String(), maxMethod)
	} else {
		took = time.Since(c.start)
	}
	if !has("duration") {
		attrs = append(attrs, slog.Duration("duration", took.Round(time.Microsecond)))
	}
	if md, ok := metadata.FromIncomingContext(c.ctx); ok {
		if agent := md.Get("user-agent"); len(agent) > 0 {
			text("user_agent", agent[0], maxAgent)
		}
	}
	return attrs
}

// User is who is counted as hit by an alert that doesn't say it.
func (c *call) User() string {
	return ident.Clean(c.hit.Counted(c.user), maxUser) // as the scope would have it
}

// user asks outside the scope: a User that logs an alert would be asked again
// for that one.
func (c *call) user() string {
	if c.opts.User == nil {
		return ""
	}
	return scope.Ask(func() string { return c.opts.User(scope.Hidden(c.ctx)) })
}
