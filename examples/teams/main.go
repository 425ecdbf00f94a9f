// Command teams tells a channel of Microsoft Teams instead: a Sender of one's
// own has the grouping, the pace and the promises.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

// teams posts to the webhook of a workflow.
type teams struct {
	url    string
	client *http.Client
}

// limited says when Teams wants to be asked again.
type limited struct{ wait time.Duration }

func (l limited) Error() string             { return "teams: too many requests" }
func (l limited) RetryAfter() time.Duration { return l.wait }

func (t teams) Send(ctx context.Context, b slackalert.Batch) error {
	body, err := json.Marshal(card(b))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := t.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		return limited{10 * time.Second}
	case resp.StatusCode >= 300:
		return fmt.Errorf("teams: %s", resp.Status)
	}
	return nil
}

type object = map[string]any

// card is an adaptive card: a line a group, and who and where below it.
func card(b slackalert.Batch) object {
	var body []object
	for _, g := range b.Groups {
		head := g.Message
		if g.Count > 1 {
			head = fmt.Sprintf("%s ×%d", head, g.Count)
		}
		facts := []object{} // the error is one of them
		for _, f := range g.Fields {
			facts = append(facts, object{"title": f.Key, "value": f.Value})
		}
		body = append(body,
			object{"type": "TextBlock", "text": b.Service + ": " + head, "weight": "bolder", "wrap": true},
			object{"type": "FactSet", "facts": facts})
	}
	content := object{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
	return object{"type": "message", "attachments": []object{{"contentType": "application/vnd.microsoft.card.adaptive", "content": content}}}
}

func example(opts *slackalert.Options, logs io.Writer) error {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // in earnest, the workflow's URL
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(logs, "Teams got %s\n", body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer s.Close()

	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), &slackalert.Options{
		Sender: teams{s.URL, &http.Client{Timeout: 10 * time.Second}}, Service: opts.Service, BatchDelay: opts.BatchDelay,
	})
	if err != nil {
		return err
	}
	slog.New(h).Error("payment failed", "order", 1007, "error", errors.New("card declined"))
	return h.Close()
}
