// Package slackgrpc tells Slack who, where and what of the calls of a gRPC
// server: what package slackhttp is for net/http.
//
//	alerts, err := slackalert.New(slog.NewJSONHandler(os.Stdout, nil), &slackalert.Options{ … })
//	…
//	slog.SetDefault(slog.New(alerts))
//	server := grpc.NewServer(
//		grpc.ChainUnaryInterceptor(slackgrpc.UnaryServerInterceptor(nil)),
//		grpc.ChainStreamInterceptor(slackgrpc.StreamServerInterceptor(nil)),
//	)
//
// # What a call carries
//
// The interceptors open a scope, as slackalert.With does. Handlers log with
// the call's context (a stream's is stream.Context()), and add to its scope what
// they find out:
//
//	slackalert.Add(ctx, "user", claims.Subject)
//	slog.ErrorContext(ctx, "payment failed", "error", err)
//
// In the base's lines stand, at the top level:
//
//	method      the full one, "/shop.Payments/Charge"
//	peer        the address of the connection, or of x-forwarded-for with Options.TrustForwarded
//	request_id  from the metadata, as slackhttp takes it from headers; else a new one
//
// An alert shows besides, as they are when it is made:
//
//	user        from Options.User, if it knows
//	route       the full method
//	status      the code's name, when the call is over
//	duration    since the call came, or of the whole call when it is over
//	user_agent  up to 256 bytes
//
// What was added to the scope under one of these keys takes its place. Of the
// metadata only what is named on this page is read, and of messages nothing.
//
// # What becomes an alert
//
// A panic is logged at ERROR+4 with Options.Code, its error, and the stack of
// where it panicked. The client gets Internal, "internal server error";
// [runtime.Goexit] passes.
//
// An error that ends a call as Internal, Unknown, DataLoss or Unavailable is
// logged at ERROR with Options.Code, unless an alert was logged with the call's
// context, or one made from it. Unknown is what an error becomes that has no
// status. Other codes are answers: they are no alerts, nor is the end of a call
// whose client has gone, whatever the code.
//
// # Where to mount it
//
// First in the chain, outside everything whose panics it should tell. A panic
// in a goroutine that a handler starts ends the program, as ever: see
// slackalert.Handler.Repanic. Mounted twice, the inner one does nothing.
package slackgrpc

import (
	"context"
	"errors"
	"log/slog"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/slackalert/internal/scope"
	"example.com/slackalert/internal/unhandled"
)

// Options says what the interceptors tell. The zero value of a field is its
// default. Its functions may be called from many goroutines.
type Options struct {
	// Logger takes the records of panics and of errors about which nothing was
	// logged. Default slog.Default(), at the time of the call. Only alerts of a
	// slackalert.Handler count as logged: with another one every such error is
	// told.
	Logger *slog.Logger

	// Code is that of panics and unlogged errors; default "unhandled".
	Code string

	// User says who makes the call, from its context, which has the metadata and
	// the peer; "" = unknown. It is asked when an alert is made, until it is known,
	// in the goroutine that logs it, and not if the scope has a "user". Different
	// users are counted by it. A panic in it is shown as the user. The context is
	// that of the interceptor: what interceptors behind it have found out they add
	// to the scope.
	User func(ctx context.Context) string

	// TrustForwarded takes the peer from the right end of the metadata's
	// x-forwarded-for: the address that the proxy nearest to this server saw.
	// Only behind a proxy of yours, or clients choose what they are called.
	TrustForwarded bool
}

func complete(opts *Options) *Options {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Code == "" {
		o.Code = unhandled.Code
	}
	return &o
}

// UnaryServerInterceptor returns the interceptor for calls with one request and
// one answer. Nil opts are defaults; opts are copied. It serves many calls at
// once.
func UnaryServerInterceptor(opts *Options) grpc.UnaryServerInterceptor {
	o := complete(opts)
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
		if within(ctx) {
			return next(ctx, req)
		}
		c := begin(ctx, o, info.FullMethod)
		err = c.run(func(ctx context.Context) (err error) {
			answer, err = next(ctx, req)
			return err
		})
		return answer, err
	}
}

// StreamServerInterceptor is [UnaryServerInterceptor] for streams, which are
// over when their handler returns.
func StreamServerInterceptor(opts *Options) grpc.StreamServerInterceptor {
	o := complete(opts)
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		if within(stream.Context()) {
			return next(srv, stream)
		}
		c := begin(stream.Context(), o, info.FullMethod)
		return c.run(func(ctx context.Context) error { return next(srv, scoped{stream, ctx}) })
	}
}

// scoped is a stream whose context carries the scope.
type scoped struct {
	grpc.ServerStream
	ctx context.Context
}

func (s scoped) Context() context.Context { return s.ctx }

// within says whether the context is of a call that runs within an interceptor
// already.
func within(ctx context.Context) (is bool) {
	if s := scope.From(ctx); s != nil {
		s.Outer(func(l scope.Later) bool {
			c, ok := l.(*call)
			is = ok && c.took.Load() == 0
			return is
		})
	}
	return is
}

// run calls the handler and tells how it ended, if that is to be told.
func (c *call) run(f func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.stop(codes.Internal)
			p := unhandled.Recovered(v)
			if h := c.logger(unhandled.PanicLevel); h != nil {
				p.Log(c.scope, h, "panic: ", c.opts.Code)
			}
			err = status.Error(codes.Internal, "internal server error")
		}
	}()
	err = f(c.scope)
	c.stop(codeOf(err))
	if err != nil && c.isFailure(err) {
		c.failed(err)
	}
	return err
}

// codeOf is the code that the client gets.
func codeOf(err error) codes.Code {
	if s, ok := status.FromError(err); ok {
		return s.Code()
	}
	return status.FromContextError(err).Code()
}

// isFailure says whether an error is one that somebody must hear of.
func (c *call) isFailure(err error) bool {
	switch codeOf(err) {
	case codes.Internal, codes.Unknown, codes.DataLoss, codes.Unavailable:
		return !errors.Is(c.scope.Err(), context.Canceled) && !c.scope.Alerted()
	}
	return false
}

func (c *call) failed(err error) {
	if h := c.logger(slog.LevelError); h != nil {
		unhandled.Log(c.scope, h, c.opts.Code, codeOf(err).String()+" at "+c.method, 0, slog.Any("error", err))
	}
}

// logger is the handler to log with; nil = nobody wants the level. What alerts
// show of the call is added to the scope then, so that the base has it too.
func (c *call) logger(level slog.Level) slog.Handler {
	h := unhandled.Handler(c.opts.Logger)
	if !h.Enabled(c.scope, level) {
		return nil
	}
	c.scope.Add(c.Late(c.scope.Has)...)
	return h
}
