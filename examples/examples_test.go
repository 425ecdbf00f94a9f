// Package examples builds each example, runs it as a person would, and checks
// what arrived in the log and in Slack.
package examples

import (
	"os/exec"
	"path/filepath"
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
	"chi": {
		log:   []string{`"request_id":"r-1"`, "payment failed", "nil pointer", "503"},
		slack: []string{"payment failed", "card declined", "ada", "POST /orders/7/pay", "nil pointer", "503 Service Unavailable at GET /stock"},
	},
	"gin": {
		log:   []string{`"request_id":"r-1"`, "payment failed", "nil pointer", "503"},
		slack: []string{"payment failed", "card declined", "ada", "nil pointer", "503 Service Unavailable at GET /stock"},
	},
}

func TestExamples(t *testing.T) {
	bin := t.TempDir()
	out, err := exec.Command("go", "build", "-o", bin+"/", "./...").CombinedOutput()
	require.NoError(t, err, string(out))
	dirs, err := filepath.Glob("*/main.go")
	require.NoError(t, err)
	for _, main := range dirs {
		name := filepath.Dir(main)
		t.Run(name, func(t *testing.T) {
			want, ok := examples[name]
			require.True(t, ok, "nothing is said of what must arrive")
			cmd := exec.Command(filepath.Join(bin, name))
			cmd.Env = append(cmd.Environ(), "SLACK_TOKEN=", "SLACK_CHANNEL=")
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			log, slack, ok := strings.Cut(string(out), "\n== Slack")
			require.True(t, ok, "nothing arrived in Slack:\n%s", out)
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
