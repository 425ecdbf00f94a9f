package slackgrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"example.com/slackalert"
)

// desk is a server with the interceptors, its client, its log, and what would
// have been told.
type desk struct {
	t      *testing.T
	server *grpc.Server
	conn   *grpc.ClientConn
	h      *slackalert.Handler

	mu     sync.Mutex
	log    bytes.Buffer
	groups []slackalert.Group
}

func (d *desk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(p)
}

func (d *desk) Send(_ context.Context, b slackalert.Batch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.groups = append(d.groups, b.Groups...)
	return nil
}

// told ends the server when its calls have ended, which may be after their
// clients have gone, and returns the alerts that were told.
func (d *desk) told() []slackalert.Group {
	d.server.GracefulStop()
	require.NoError(d.t, d.h.Flush(d.t.Context()))
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.groups
}

// lines are the records that base got.
func (d *desk) lines() (all []map[string]any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for line := range strings.Lines(d.log.String()) {
		var m map[string]any
		require.NoError(d.t, json.Unmarshal([]byte(line), &m))
		all = append(all, m)
	}
	return all
}

// do is what the server does with a call; the text says which of them.
type do func(ctx context.Context) error

// open starts a server whose methods Unary and Stream do that.
func open(t *testing.T, opts *Options, f do, more ...grpc.ServerOption) *desk {
	d := &desk{t: t}
	var err error
	d.h, err = slackalert.New(slog.NewJSONHandler(d, nil), &slackalert.Options{Sender: d, BatchDelay: time.Minute})
	require.NoError(t, err)
	o := complete(opts)
	o.Logger = slog.New(d.h)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d.server = grpc.NewServer(append(more,
		grpc.ChainUnaryInterceptor(UnaryServerInterceptor(o), UnaryServerInterceptor(o)), // mounted twice: the inner one does nothing
		grpc.ChainStreamInterceptor(StreamServerInterceptor(o), StreamServerInterceptor(o)))...)
	d.server.RegisterService(service(f), nil)
	healthpb.RegisterHealthServer(d.server, health.NewServer())
	go func() { _ = d.server.Serve(l) }()
	d.conn, err = grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = d.conn.Close()
		d.server.Stop()
		assert.NoError(t, d.h.Close())
	})
	return d
}

func service(f do) *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: "shop.Payments", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: func(srv any, ctx context.Context, dec func(any) error, next grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.StringValue)
			if err := dec(in); err != nil {
				return nil, err
			}
			h := func(ctx context.Context, req any) (any, error) { return wrapperspb.String("paid"), f(ctx) }
			return next(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/shop.Payments/Unary"}, h)
		}}},
		Streams: []grpc.StreamDesc{{StreamName: "Stream", ServerStreams: true, ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			in := new(wrapperspb.StringValue)
			if err := s.RecvMsg(in); err != nil {
				return err
			}
			if err := s.SendMsg(in); err != nil {
				return err
			}
			return f(s.Context())
		}}},
	}
}

// unary and stream make a call and return how it ended.
func (d *desk) unary(ctx context.Context) error {
	return d.conn.Invoke(ctx, "/shop.Payments/Unary", wrapperspb.String("order"), new(wrapperspb.StringValue))
}

func (d *desk) stream(ctx context.Context) error {
	s, err := d.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/shop.Payments/Stream")
	if err == nil {
		err = s.SendMsg(wrapperspb.String("order"))
	}
	for err == nil {
		err = s.RecvMsg(new(wrapperspb.StringValue))
	}
	return err
}

func fields(g slackalert.Group) map[string]string {
	m := map[string]string{}
	for _, f := range g.Fields {
		m[f.Key] = f.Value
	}
	return m
}

var ways = map[string]func(*desk, context.Context) error{"Unary": (*desk).unary, "Stream": (*desk).stream}

func TestHowACallEnds(t *testing.T) {
	type result struct {
		name   string
		f      do
		code   codes.Code
		alert  string // its message; "" = none
		failed string // its error
	}
	for _, c := range []result{
		{"well", func(context.Context) error { return nil }, codes.OK, "", ""},
		{"an answer", func(context.Context) error { return status.Error(codes.NotFound, "no such order") }, codes.NotFound, "", ""},
		{"internal", func(context.Context) error { return status.Error(codes.Internal, "disk full") }, codes.Internal, "Internal at /shop.Payments/", "disk full"},
		{"no status", func(context.Context) error { return errors.New("refused") }, codes.Unknown, "Unknown at /shop.Payments/", "refused"},
		{"a status within", func(context.Context) error { return fmt.Errorf("charge: %w", status.Error(codes.DataLoss, "gone")) }, codes.DataLoss, "DataLoss at /shop.Payments/", "gone"},
		{"unavailable", func(context.Context) error { return status.Error(codes.Unavailable, "draining") }, codes.Unavailable, "Unavailable at /shop.Payments/", "draining"},
		{"a panic", func(context.Context) error { panic("no card") }, codes.Internal, "panic: no card", ""},
		{"an error as a panic", func(context.Context) error { panic(errors.New("no card")) }, codes.Internal, "panic: no card", "no card"},
		{"out of time", func(ctx context.Context) error { return context.DeadlineExceeded }, codes.DeadlineExceeded, "", ""},
	} {
		for way, call := range ways {
			t.Run(c.name+"/"+way, func(t *testing.T) {
				d := open(t, nil, c.f)
				err := call(d, context.Background())
				if c.code == codes.OK && way == "Stream" {
					require.ErrorContains(t, err, "EOF")
				} else {
					assert.Equal(t, c.code, status.Code(err), err)
				}
				told := d.told()
				if c.alert == "" {
					assert.Empty(t, told)
					return
				}
				require.Len(t, told, 1)
				g := told[0]
				want := c.alert
				if strings.HasSuffix(want, "/") {
					want += way
				}
				assert.Equal(t, want, g.Message)
				assert.Contains(t, g.Error, c.failed)
				assert.Equal(t, "unhandled", g.Code)
				f := fields(g)
				assert.Equal(t, "/shop.Payments/"+way, f["method"])
				assert.Equal(t, "/shop.Payments/"+way, f["route"])
				assert.Equal(t, c.code.String(), f["status"])
				assert.Equal(t, "127.0.0.1", f["peer"])
				assert.Len(t, f["request_id"], 32)
				assert.Contains(t, f["user_agent"], "grpc-go")
				assert.NotEmpty(t, f["duration"])
				if strings.HasPrefix(g.Message, "panic") {
					assert.Equal(t, slog.LevelError+4, g.Level)
					assert.True(t, strings.HasPrefix(g.Stack, "example.com/slackalert/slackgrpc.TestHowACallEnds"), g.Stack)
					assert.Contains(t, g.Source.File, "slackgrpc_test.go")
					assert.Equal(t, "internal server error", status.Convert(err).Message())
				}
				require.Len(t, d.lines(), 1, "base has it too, with what the alert shows")
				assert.Equal(t, c.code.String(), d.lines()[0]["status"])
			})
		}
	}
}

func TestWhatWasLoggedIsNotToldAgain(t *testing.T) {
	for way, call := range ways {
		var d *desk
		d = open(t, nil, func(ctx context.Context) error {
			slackalert.Add(ctx, "user", "ada")
			slog.New(d.h).ErrorContext(ctx, "payment failed", "error", "refused")
			return status.Error(codes.Internal, "failed")
		})
		assert.Equal(t, codes.Internal, status.Code(call(d, context.Background())))
		told := d.told()
		require.Len(t, told, 1)
		assert.Equal(t, "payment failed", told[0].Message)
		assert.Equal(t, "ada", fields(told[0])["user"])
		assert.Equal(t, "/shop.Payments/"+way, d.lines()[0]["method"])
		assert.NotContains(t, fields(told[0]), "status", "it isn't over")
	}
}

func TestWhoCalls(t *testing.T) {
	user := func(ctx context.Context) string {
		md, _ := metadata.FromIncomingContext(ctx)
		if md.Get("user")[0] == "bad" {
			panic("no such user")
		}
		return "user " + md.Get("user")[0]
	}
	fail := func(context.Context) error { return errors.New("x") }
	for _, c := range []struct {
		name string
		md   []string
		opts *Options
		key  string
		want string
	}{
		{"a user", []string{"user", "ada"}, &Options{User: user}, "user", "user ada"},
		{"a user that panics", []string{"user", "bad"}, &Options{User: user}, "user", "!PANIC: no such user"},
		{"an id", []string{"x-request-id", "r-1"}, nil, "request_id", "r-1"},
		{"a trace", []string{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, nil, "request_id", "4bf92f3577b34da6a3ce929d0e0e4736"},
		{"a proxy not trusted", []string{"x-forwarded-for", "192.0.2.1"}, nil, "peer", "127.0.0.1"},
		{"a proxy", []string{"x-forwarded-for", "192.0.2.9, 192.0.2.1"}, &Options{TrustForwarded: true}, "peer", "192.0.2.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := open(t, c.opts, fail)
			_ = d.unary(metadata.AppendToOutgoingContext(context.Background(), c.md...))
			require.Len(t, d.told(), 1)
			assert.Equal(t, c.want, fields(d.told()[0])[c.key])
		})
	}
	d := open(t, &Options{Code: "E500"}, fail)
	_ = d.unary(context.Background())
	assert.Equal(t, "E500", d.told()[0].Code)
}

// Each alert asks once who is hit until it is known, and counts them.
func TestUsersAreCounted(t *testing.T) {
	asked := 0
	var d *desk
	d = open(t, &Options{User: func(ctx context.Context) string {
		asked++
		md, _ := metadata.FromIncomingContext(ctx)
		return strings.Join(md.Get("user"), "")
	}}, func(ctx context.Context) error {
		for range 10 {
			slog.New(d.h).ErrorContext(ctx, "payment failed")
		}
		return nil
	})
	for i, md := range [][]string{nil, {"user", "ada"}, {"user", "bob"}} {
		require.NoError(t, d.unary(metadata.AppendToOutgoingContext(context.Background(), md...)))
		assert.Equal(t, 10+i, asked)
	}
	told := d.told()
	require.NotEmpty(t, told)
	assert.Equal(t, 2, told[len(told)-1].Users)
}

// A client that has gone is no failure of ours, whatever the handler makes of
// it; one whose time is over gets DeadlineExceeded.
func TestAClientThatIsGone(t *testing.T) {
	for way, call := range ways {
		t.Run(way, func(t *testing.T) {
			entered := make(chan struct{})
			d := open(t, nil, func(ctx context.Context) error {
				close(entered)
				<-ctx.Done()
				return errors.New("the query was cut off")
			})
			ctx, cancel := context.WithCancel(context.Background())
			go func() { <-entered; cancel() }()
			assert.Equal(t, codes.Canceled, status.Code(call(d, ctx)))
			assert.Empty(t, d.told())
		})
	}
	d := open(t, nil, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	assert.Equal(t, codes.DeadlineExceeded, status.Code(d.unary(ctx)))
	assert.Empty(t, d.told())
}

func TestHealthChecks(t *testing.T) {
	d := open(t, nil, nil)
	c := healthpb.NewHealthClient(d.conn)
	r, err := c.Check(context.Background(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	assert.Equal(t, healthpb.HealthCheckResponse_SERVING, r.Status)
	_, err = c.Check(context.Background(), &healthpb.HealthCheckRequest{Service: "none"})
	assert.Equal(t, codes.NotFound, status.Code(err))
	ctx, cancel := context.WithCancel(context.Background())
	w, err := c.Watch(ctx, &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	_, err = w.Recv()
	require.NoError(t, err)
	cancel()
	_, err = w.Recv()
	assert.Equal(t, codes.Canceled, status.Code(err))
	assert.Empty(t, d.told())
	assert.Empty(t, d.lines())
}

// What a handler's goroutine logs after the call shows how it ended.
func TestAfterTheCall(t *testing.T) {
	over, logged := make(chan struct{}), make(chan struct{})
	var d *desk
	d = open(t, nil, func(ctx context.Context) error {
		go func() {
			defer close(logged)
			<-over
			slog.New(d.h).ErrorContext(context.WithoutCancel(ctx), "receipt not sent")
		}()
		return nil
	})
	require.NoError(t, d.unary(context.Background()))
	close(over)
	<-logged
	require.Len(t, d.told(), 1)
	assert.Equal(t, "OK", fields(d.told()[0])["status"])
}

// Nothing is asked for and nothing logged where nobody wants the level.
func TestALoggerThatWantsNothing(t *testing.T) {
	asked := false
	i := UnaryServerInterceptor(&Options{Logger: slog.New(slog.DiscardHandler), User: func(context.Context) string { asked = true; return "" }})
	_, err := i(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: "/a/b"}, func(context.Context, any) (any, error) { return nil, errors.New("x") })
	assert.EqualError(t, err, "x")
	_, err = i(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: "/a/b"}, func(context.Context, any) (any, error) { panic("x") })
	assert.Equal(t, codes.Internal, status.Code(err))
	assert.False(t, asked)
}
