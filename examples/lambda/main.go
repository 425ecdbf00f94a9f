// Command lambda is an AWS Lambda function whose errors and panics are told
// before the runtime freezes or ends it. It runs against a stand-in of Lambda's
// runtime API, which freezes it the moment it has answered.
package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		function()
		return
	}
	try.Main(example)
}

type order struct{ Number int }

func pay(ctx context.Context, o order) (string, error) {
	slackalert.Add(ctx, "order", o.Number)
	slog.InfoContext(ctx, "paying")
	switch o.Number {
	case 1007:
		return "", errDeclined
	case 1008:
		panic("an order without lines")
	}
	return "paid", nil
}

// function is the whole of what Lambda starts.
func function() {
	h, err := slackalert.New(slog.NewJSONHandler(os.Stderr, nil), &slackalert.Options{
		Token: os.Getenv("SLACK_TOKEN"), Channel: os.Getenv("SLACK_CHANNEL"), APIURL: os.Getenv("SLACK_API_URL"),
		Service:    "shop",
		BatchDelay: time.Millisecond, // nobody keeps an invocation company
	})
	if err != nil {
		slog.Error("no alerts", "error", err)
		os.Exit(1)
	}
	slog.SetDefault(slog.New(h))
	lambda.Start(func(ctx context.Context, o order) (answer string, err error) {
		if c, ok := lambdacontext.FromContext(ctx); ok {
			ctx = slackalert.With(ctx, "request_id", c.AwsRequestID)
		}
		defer flush(h) // before the answer: after it nothing runs until the next invocation
		err = slackalert.Do(ctx, nil, lambdacontext.FunctionName, func(ctx context.Context) error {
			answer, err = pay(ctx, o)
			return err
		})
		return answer, err
	})
}

// flush waits for Slack, but not so long that it becomes the failure.
func flush(h *slackalert.Handler) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = h.Flush(ctx) // base has heard of it
}

func example(opts *slackalert.Options, logs io.Writer) error {
	return runtime(opts, logs)
}
