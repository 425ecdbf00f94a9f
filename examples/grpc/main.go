// Command grpc tells the panics and failures of a gRPC service by the
// interceptors of package slackgrpc. The service is the one for health checks:
// it needs no generated code of this program's.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
	"example.com/slackalert/slackgrpc"
)

func main() { try.Main(example) }

type service struct {
	grpc_health_v1.UnimplementedHealthServer
}

func (service) Check(ctx context.Context, in *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	slackalert.Add(ctx, "user", "ada")
	if in.Service == "" {
		panic("a service without a name")
	}
	return nil, errors.New("the database is gone") // Unknown to the client, an alert here
}

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	s := grpc.NewServer(
		grpc.ChainUnaryInterceptor(slackgrpc.UnaryServerInterceptor(nil)),
		grpc.ChainStreamInterceptor(slackgrpc.StreamServerInterceptor(nil)),
	)
	grpc_health_v1.RegisterHealthServer(s, service{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = s.Serve(l) }()

	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	client := grpc_health_v1.NewHealthClient(conn)
	for _, name := range []string{"shop", ""} {
		if _, err := client.Check(context.Background(), &grpc_health_v1.HealthCheckRequest{Service: name}); err == nil {
			return errors.New("the call should have failed")
		}
	}
	err = conn.Close()
	s.GracefulStop()
	return errors.Join(err, h.Close())
}
