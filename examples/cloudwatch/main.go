// Command cloudwatch has CloudWatch Logs as its base by PutLogEvents, with the
// AWS SDK, against a stand-in on loopback. A program whose stdout an agent reads
// needs none of it: see command agent.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"example.com/slackalert"
	links "example.com/slackalert/cloudwatch"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

// stream is an io.Writer for a base handler: lines wait for a second, or until
// there are many, and go out together.
type stream struct {
	client        *cloudwatchlogs.Client
	group, stream string

	mu    sync.Mutex
	lines []types.InputLogEvent
	full  chan struct{} // capacity 1: Write sends when there are many
	done  chan struct{} // closed by Close
	ended sync.WaitGroup
	err   error // of the last request that failed
}

const (
	many      = 1000 // lines that don't wait for the second to end
	mostLines = 10_000
	mostBytes = 1 << 20 // of one request, and each line counts 26 more
)

func newStream(client *cloudwatchlogs.Client, group, name string) *stream {
	s := &stream{client: client, group: group, stream: name, full: make(chan struct{}, 1), done: make(chan struct{})}
	s.ended.Go(s.run)
	return s
}

func (s *stream) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, types.InputLogEvent{Message: aws.String(string(bytes.TrimSpace(line))), Timestamp: aws.Int64(time.Now().UnixMilli())})
	if len(s.lines) >= many {
		select {
		case s.full <- struct{}{}:
		default:
		}
	}
	return len(line), nil
}

func (s *stream) run() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.put()
		case <-s.full:
			s.put()
		case <-s.done:
			s.put()
			return
		}
	}
}

func (s *stream) put() {
	s.mu.Lock()
	lines := s.lines
	s.lines = nil
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for len(lines) > 0 {
		n, bytes := 1, weight(lines[0])
		for ; n < min(len(lines), mostLines) && bytes+weight(lines[n]) <= mostBytes; n++ {
			bytes += weight(lines[n])
		}
		_, err := s.client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: &s.group, LogStreamName: &s.stream, LogEvents: lines[:n]})
		if err != nil {
			s.err = err
		}
		lines = lines[n:]
	}
}

func weight(line types.InputLogEvent) int { return len(*line.Message) + 26 }

// Close sends what waits. Close the handler first: its last words go to base.
func (s *stream) Close() error {
	close(s.done)
	s.ended.Wait()
	return s.err
}

func example(opts *slackalert.Options, logs io.Writer) error {
	aws := standIn(logs)
	defer aws.Close()
	client := cloudwatchlogs.New(cloudwatchlogs.Options{
		Region: "eu-central-1", BaseEndpoint: &aws.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "key", ""),
	})
	s := newStream(client, "/shop", "web-1")

	opts.Links = links.Links("eu-central-1", "/shop", "request_id")
	h, err := slackalert.New(slog.NewJSONHandler(s, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	ctx := slackalert.With(context.Background(), "request_id", "r-1")
	slog.InfoContext(ctx, "order placed")
	slog.ErrorContext(ctx, "payment failed", "error", errors.New("card declined"))
	return errors.Join(h.Close(), s.Close())
}

// standIn takes what PutLogEvents sends, and writes its lines to logs.
func standIn(logs io.Writer) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			LogGroupName, LogStreamName string `json:",omitempty"`
			LogEvents                   []struct{ Message string }
		}
		body := http.MaxBytesReader(w, r.Body, 2*mostBytes) // as JSON it is somewhat more
		if r.Header.Get("X-Amz-Target") != "Logs_20140328.PutLogEvents" || json.NewDecoder(body).Decode(&in) != nil {
			http.Error(w, "not PutLogEvents", http.StatusBadRequest)
			return
		}
		for _, e := range in.LogEvents {
			_, _ = io.WriteString(logs, in.LogGroupName+" "+in.LogStreamName+" "+e.Message+"\n")
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = io.WriteString(w, "{}")
	}))
}
