package slackalert_test

import (
	"encoding/json"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
)

var (
	goBlock   = regexp.MustCompile("(?s)```go\n(.*?)```")
	jsonBlock = regexp.MustCompile("(?s)```json\n(.*?)```")
)

// What the documents show is a program that builds, or stands in an example
// that runs.
func TestDocs(t *testing.T) {
	t.Parallel()
	if built.Swap(true) {
		return // with -count: it would build the same again
	}
	var examples strings.Builder
	for _, name := range []string{"example_test.go", "slackhttp/example_test.go"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		examples.WriteString(unindented(string(text)))
	}
	docs, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	for _, doc := range append(docs, "README.md") {
		if filepath.Base(doc) == "integrations.md" {
			continue // the examples' own test reads it
		}
		text, err := os.ReadFile(doc)
		require.NoError(t, err)
		for _, found := range goBlock.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(found[1], "package main") {
				gofmt, err := format.Source([]byte(found[1]))
				require.NoError(t, err, doc)
				assert.Equal(t, string(gofmt), found[1], doc)
				build(t, found[1])
				continue
			}
			assert.True(t, strings.Contains(examples.String(), unindented(found[1])), "%s shows what stands in no example:\n%s", doc, found[1])
		}
	}
}

// built says that this process has built the documentation's programs.
var built atomic.Bool

// What the documents have one paste is read by who will read it.
func TestDocsJSON(t *testing.T) {
	tuning, err := os.ReadFile("docs/tuning.md")
	require.NoError(t, err)
	codes, err := slackalert.LoadCodes(strings.NewReader(jsonBlock.FindStringSubmatch(string(tuning))[1]))
	require.NoError(t, err)
	assert.Len(t, codes, 2)

	app, err := os.ReadFile("docs/slack-app.md")
	require.NoError(t, err)
	var manifest struct {
		OAuth struct {
			Scopes struct{ Bot []string }
		} `json:"oauth_config"`
	}
	require.NoError(t, json.Unmarshal([]byte(jsonBlock.FindStringSubmatch(string(app))[1]), &manifest))
	assert.Equal(t, []string{"chat:write"}, manifest.OAuth.Scopes.Bot)
}

// The README's first program, as a newcomer starts it.
func TestFirstProgram(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	slack, err := fakeslack.Start(nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, slack.Close()) }()
	cmd := exec.CommandContext(t.Context(), build(t, goBlock.FindStringSubmatch(string(text))[1]))
	cmd.Env = append(os.Environ(), "SLACK_WEBHOOK_URL="+slack.WebhookURL("#alerts"))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, 2, strings.Count(string(out), `"level"`), "both records are in the logs")
	require.Len(t, slack.Messages("#alerts"), 1)
	assert.Contains(t, slack.Messages("#alerts")[0].Text, "payment failed: card refused (user 41)")
}

// build makes a program of source, with this module.
func build(t *testing.T, source string) (program string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/main.go", []byte(source), 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dir+"/program.exe", dir+"/main.go").CombinedOutput()
	require.NoError(t, err, "%s\n%s", out, source)
	return dir + "/program.exe"
}

// unindented is text without what stands before its lines.
func unindented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimLeft(line, "\t "))
	}
	return b.String()
}
