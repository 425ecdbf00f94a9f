// Command connect tells the panics and failures of a connect-go service.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
	"example.com/slackalert/slackhttp"
)

func main() { try.Main(example) }

// failures tells the errors that a client sees as the server's fault. With the
// protocols of gRPC the HTTP status is 200 whatever happens, so the middleware
// alone doesn't see them.
func failures(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		answer, err := next(ctx, req)
		switch connect.CodeOf(err) {
		case connect.CodeInternal, connect.CodeUnknown, connect.CodeDataLoss, connect.CodeUnavailable:
			if err != nil && ctx.Err() == nil {
				slog.ErrorContext(ctx, "call failed", "error", err)
			}
		}
		return answer, err
	}
}

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	type text = wrapperspb.StringValue
	pay := func(ctx context.Context, req *connect.Request[text]) (*connect.Response[text], error) {
		slackalert.Add(ctx, "user", "ada")
		if req.Msg.Value == "" {
			panic("an order without a number")
		}
		return nil, errors.New("card declined")
	}
	mux := http.NewServeMux()
	mux.Handle("/shop.Payments/Pay", connect.NewUnaryHandler("/shop.Payments/Pay", pay,
		connect.WithRecover(func(ctx context.Context, _ connect.Spec, _ http.Header, v any) error {
			slackalert.Panicked(ctx, nil, v)
			return connect.NewError(connect.CodeInternal, errors.New("internal error"))
		}), // first, so that failures doesn't tell its error once more
		connect.WithInterceptors(connect.UnaryInterceptorFunc(failures))))
	s := httptest.NewServer(slackhttp.Middleware(nil)(mux))
	defer s.Close()

	client := connect.NewClient[text, text](s.Client(), s.URL+"/shop.Payments/Pay", connect.WithGRPCWeb())
	for _, order := range []string{"1007", ""} {
		if _, err := client.CallUnary(context.Background(), connect.NewRequest(wrapperspb.String(order))); err == nil {
			return errors.New("the call should have failed")
		}
	}
	return h.Close()
}
