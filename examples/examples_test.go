// Package examples builds each example, runs it as a person would, and checks
// what arrived in the log and in Slack.
package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// arrived are texts that the log, and Slack, must show; "!" before one that it
// must not.
type arrived struct{ log, slack []string }

var examples = map[string]arrived{
	"json": {
		log:   []string{"order placed", "payment failed", "token_tampered"},
		slack: []string{"payment failed", "card declined", "1007", "token_tampered", "ada", "!order placed"},
	},
	"http": {
		log:   []string{`"request_id":"r-1"`, "payment failed", "nil pointer", "503"},
		slack: []string{"payment failed", "card declined", "ada", "POST /orders/{id}/pay", "nil pointer", "503 Service Unavailable at GET /stock"},
	},
	"links": {
		log:   []string{`"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"`, "card declined"},
		slack: []string{"payment failed", "Loki", "Datadog", "Trace"},
	},
	"chi": {
		log:   []string{`"request_id":"r-1"`, "payment failed", "nil pointer", "503"},
		slack: []string{"payment failed", "card declined", "ada", "POST /orders/7/pay", "nil pointer", "503 Service Unavailable at GET /stock"},
	},
	"mux": {
		log:   []string{`"request_id":"r-1"`, `"route":"/orders/{id}/pay"`, "payment failed", "nil pointer", "503"},
		slack: []string{"payment failed", "card declined", "ada", "nil pointer", "503 Service Unavailable at GET /stock/{id}"},
	},
	"echo4": {
		log:   []string{`"route":"/orders/:id/pay"`, "card declined", "nil pointer", "Service Unavailable", "502", "!nothing-here"},
		slack: []string{"request failed", "card declined", "ada", "/orders/:id/pay", "nil pointer", "Service Unavailable", "502 Bad Gateway at GET /rates"},
	},
	"echo5": {
		log:   []string{"card declined", "nil pointer", "Service Unavailable", "502", "!nothing-here"},
		slack: []string{"request failed", "card declined", "ada", "/orders/:id/pay", "nil pointer", "Service Unavailable", "502 Bad Gateway at GET /rates"},
	},
	"fiber": {
		log: []string{`"request_id":"r-1"`, "card declined", "nil pointer", `"route":"/orders/:id"`, "Service Unavailable",
			"answered 502", "!nothing-here"},
		slack: []string{"request failed", "card declined", "ada", "nil pointer", "fiber/main.go", "Service Unavailable", "answered 502"},
	},
	"connect": {
		log:   []string{`"path":"/shop.Payments/Pay"`, "card declined", "an order without a number", "!internal error"},
		slack: []string{"call failed", "card declined", "ada", "an order without a number"},
	},
	"otel": {
		log:   []string{`"trace_id":"`, `"span_id":"`, "card declined", "no such order", "503"},
		slack: []string{"trace_id", "Trace", "card declined", "no such order", "503"},
	},
	"cron": {
		log:   []string{`"job":"invoices"`, "sending invoices", "the mail server refused", "negative stock"},
		slack: []string{"job invoices failed", "the mail server refused", "negative stock", "cron/main.go", "!sending invoices"},
	},
	"stdlog": {
		log:   []string{"payment of order 1007 failed", "no such order"},
		slack: []string{"payment of order 1007 failed", "http: panic serving", "no such order"},
	},
	"tint": {
		log:   []string{"\x1b[", "payment failed", "tint/main.go:23"},
		slack: []string{"payment failed", "card declined", "1007", "berlin"},
	},
	"multi": {
		log:   []string{`"request_id":"r-1"`, "request_id=r-1", "card declined"},
		slack: []string{"payment failed", "card declined", "r-1"},
	},
	"slogcontext": {
		log: []string{`"msg":"order placed","tenant":"acme","shop":"berlin"}`, `"tenant":"acme","shop":"berlin","pay":{"order":1007,"error":"card declined"}}`,
			`"tenant":"acme","shop":"berlin","job":"invoices"}`, "went on: an order without lines"},
		slack: []string{"payment failed", "card declined", "acme", "berlin", "an order without lines", "!order placed"},
	},
	"slogformatter": {
		log:   []string{`"ip":"*******","order":1007`, `"error":{"message":"card declined"`, "!192.0.2.7"},
		slack: []string{"payment failed", "card declined", "*******", "!192.0.2.7"},
	},
	"river": {
		log:   []string{`"job":"invoice"`, `"job_id":1`, "sending an invoice", "the mail server refused", "an order without lines"},
		slack: []string{"job invoice failed", "the mail server refused", "an order without lines", "attempt"},
	},
	"lambda": {
		log:   []string{`answered: "paid"`, "card declined", "an order without lines", `"request_id":"invocation-1"`},
		slack: []string{"job pay failed", "card declined", "an order without lines", "invocation-2"},
	},
	"cloudwatch": {
		log:   []string{"/shop web-1 {", "order placed", "card declined"},
		slack: []string{"payment failed", "card declined", "Logs"},
	},
	"agent": {
		log:   []string{`"request_id":"r-1"`, "card declined"},
		slack: []string{"payment failed", "card declined", "Logs"},
	},
	"zap": {
		log:   []string{`"level":"error"`, "payment failed", "order placed", "stock is negative"},
		slack: []string{"payment failed", "card declined", "stock is negative", "zap/main.go", "!order placed"},
	},
	"logrus": {
		log:   []string{`"level":"error"`, "payment failed", "order placed"},
		slack: []string{"payment failed", "card declined", "1007", "!order placed"},
	},
	"teams": {
		log: []string{"Teams got", "shop: payment failed", `"facts":[{"title":"order","value":"1007"},{"title":"error","value":"card declined"}]`},
	},
	"stats": {
		log:   []string{`"Alerts":1`, "slackalert_delivered_total 1", "slackalert_pending 0"},
		slack: []string{"payment failed"},
	},
	"grpc": {
		log:   []string{`"method":"/grpc.health.v1.Health/Check"`, "the database is gone", "a service without a name"},
		slack: []string{"the database is gone", "Unknown at /grpc.health.v1.Health/Check", "a service without a name", "ada"},
	},
	"python": {
		log:   []string{"order placed", "token_tampered", "ValueError: order 1007 has no card", "ValueError: order 1008 has no card"},
		slack: []string{"token_tampered", "payment failed", "ValueError: order 1007 has no card", "app.py", "exited with status 1", "!order placed"},
	},
	"gin": {
		log:   []string{`"request_id":"r-1"`, "payment failed", "nil pointer", "503"},
		slack: []string{"payment failed", "card declined", "ada", "nil pointer", "503 Service Unavailable at GET /stock"},
	},
}

func TestExamples(t *testing.T) {
	bin := t.TempDir()
	out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", bin+"/", "./...").CombinedOutput()
	require.NoError(t, err, string(out))
	dirs, err := filepath.Glob("*/main.go")
	require.NoError(t, err)
	for _, main := range dirs {
		name := filepath.Dir(main)
		if _, err := exec.LookPath("python3"); name == "python" && err != nil {
			t.Log("LEFT OUT: python; there is no python3 here")
			continue
		}
		t.Run(name, func(t *testing.T) {
			want, ok := examples[name]
			require.True(t, ok, "nothing is said of what must arrive")
			cmd := exec.Command(filepath.Join(bin, name))
			cmd.Env = append(cmd.Environ(), "SLACK_TOKEN=", "SLACK_CHANNEL=")
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			log, slack, ok := strings.Cut(string(out), "\n== Slack")
			require.Equal(t, len(want.slack) > 0, ok, "what arrived in Slack:\n%s", out)
			check(t, "log", log, want.log)
			check(t, "Slack", slack, want.slack)
		})
	}
	for name := range examples {
		assert.FileExists(t, filepath.Join(name, "main.go"))
	}
}

func check(t *testing.T, where, text string, wants []string) {
	for _, want := range wants {
		if unwanted, ok := strings.CutPrefix(want, "!"); ok {
			assert.NotContains(t, text, unwanted, where)
		} else {
			assert.Contains(t, text, want, where)
		}
	}
}

// The table of docs/integrations.md names each program, and no other; what it
// shows of code stands in one of them.
func TestTable(t *testing.T) {
	raw, err := os.ReadFile("../docs/integrations.md")
	require.NoError(t, err)
	doc := string(raw)
	dirs, err := filepath.Glob("*/main.go")
	require.NoError(t, err)
	var code strings.Builder
	for _, main := range dirs {
		assert.True(t, strings.Contains(doc, "](../examples/"+filepath.ToSlash(main)+")"), "the table has no row for %s", main)
		text, err := os.ReadFile(main)
		require.NoError(t, err)
		code.Write(text)
	}
	for _, link := range regexp.MustCompile(`\]\(\.\./examples/([^)]*)\)`).FindAllStringSubmatch(doc, -1) {
		assert.FileExists(t, filepath.FromSlash(link[1]))
	}
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(doc, -1) {
		assert.True(t, strings.Contains(code.String(), block[1]), "no program has\n%s", block[1])
	}
}
