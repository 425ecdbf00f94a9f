package slackalert_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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
	if testing.Short() {
		t.Log("left to the long form: it builds programs")
		return
	}
	t.Parallel()
	if built.Swap(true) {
		return // with -count: it would build the same again
	}
	var examples strings.Builder
	files, err := filepath.Glob("example*_test.go")
	require.NoError(t, err)
	for _, name := range append(files, "slackhttp/example_test.go") {
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
				if doc != "README.md" { // its programs are built by the tests that run them
					build(t, found[1])
				}
				continue
			}
			assert.True(t, strings.Contains(examples.String(), unindented(found[1])), "%s shows what stands in no example:\n%s", doc, found[1])
		}
	}
}

// built says that this process has built the documentation's programs.
var built atomic.Bool

var (
	mdLink  = regexp.MustCompile(`\]\(([^)\s]+)\)|src="([^"]+)"`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// A link leads to what is there, and to a heading that it has.
func TestDocsLinks(t *testing.T) {
	docs, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	top, err := filepath.Glob("*.md")
	require.NoError(t, err)
	checked := 0
	for _, doc := range append(docs, top...) {
		text, err := os.ReadFile(doc)
		require.NoError(t, err)
		for _, found := range mdLink.FindAllStringSubmatch(string(text), -1) {
			file, anchor, _ := strings.Cut(found[1]+found[2], "#")
			target := filepath.Join(filepath.Dir(doc), file)
			if file == "" {
				target = doc
			}
			if strings.Contains(file, "://") || elsewhere(target) {
				continue
			}
			checked++
			_, err := os.Stat(target)
			if assert.NoError(t, err, doc) && anchor != "" {
				assert.Contains(t, slugs(t, target), anchor, "%s links to a heading that %s hasn't", doc, target)
			}
		}
	}
	assert.Greater(t, checked, 10)
}

// docs/design.md says what each room and each file of the root is for.
func TestDesignNamesAll(t *testing.T) {
	text, err := os.ReadFile("docs/design.md")
	require.NoError(t, err)
	rooms, err := filepath.Glob("internal/*")
	require.NoError(t, err)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range append(rooms, files...) {
		if !strings.HasSuffix(name, "_test.go") {
			assert.Regexp(t, `\b`+regexp.QuoteMeta(filepath.Base(name))+`\b`, string(text))
		}
	}
}

// What CONTRIBUTING.md has one run as a command is one.
func TestDocsCommands(t *testing.T) {
	text, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	commands := regexp.MustCompile(`[a-z.]+/run\b`).FindAllString(string(text), -1)
	assert.Greater(t, len(commands), 3)
	for _, name := range commands {
		if elsewhere(name) {
			continue
		}
		info, err := os.Stat(name)
		if assert.NoError(t, err) {
			assert.NotZero(t, info.Mode()&0o100, "%s can't be executed", name)
		}
	}
}

// elsewhere says that a file is a nested module's which isn't here: a copy of
// the root alone is tested, too.
func elsewhere(file string) bool {
	module, _, _ := strings.Cut(filepath.ToSlash(file), "/")
	if !slices.Contains([]string{"bench", "browsertest", "examples", "fleet", "slackgrpc", "tools"}, module) {
		return false
	}
	_, err := os.Stat(module)
	return err != nil
}

// slugs are what the headings of a document are called in links.
func slugs(t *testing.T, doc string) []string {
	t.Helper()
	text, err := os.ReadFile(doc)
	require.NoError(t, err)
	var all []string
	for _, found := range heading.FindAllStringSubmatch(string(text), -1) {
		all = append(all, strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-"))
	}
	return all
}

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

// What docs/slack-app.md says is to be done is what is said when it happens.
func TestDocsMend(t *testing.T) {
	text, err := os.ReadFile("docs/slack-app.md")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(text), "| `error` ends in |")
	server, err := fakeslack.Start(nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, server.Close()) }()
	checked := 0
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*) \\| (.*) \\|$").FindAllStringSubmatch(table, -1) {
		opts := &slackalert.Options{Token: "xoxb-1", Channel: "#alerts", APIURL: server.APIURL()}
		if strings.Contains(row[1], "webhook") {
			opts = &slackalert.Options{WebhookURL: server.WebhookURL("#alerts")}
		}
		slack, err := slackalert.NewSlack(opts)
		require.NoError(t, err)
		for _, code := range regexp.MustCompile("`(.*?)`").FindAllStringSubmatch(row[1], -1) {
			server.FailNext(1, fakeslack.Fault{Error: code[1]})
			_, err = slack.Post(t.Context(), slackalert.Batch{ID: "x", Channel: opts.Channel, Groups: []slackalert.Group{{Message: "m", Count: 1, Total: 1}}})
			var mend interface{ Mend() string }
			require.ErrorAs(t, err, &mend)
			assert.Equal(t, row[2], mend.Mend(), code[1])
			assert.True(t, strings.HasSuffix(err.Error(), code[1]), err)
			checked++
		}
	}
	assert.Equal(t, 8, checked)
}

// What SECURITY.md says is redacted is, and what it says isn't, isn't.
func TestSecurity(t *testing.T) {
	text, err := os.ReadFile("SECURITY.md")
	require.NoError(t, err)
	redacted, shown, ok := strings.Cut(string(text), "## What is not")
	require.True(t, ok)
	want := make(map[string]string) // by what is logged
	for _, row := range regexp.MustCompile("(?m)^\\| `(.*)` \\| `(.*)` \\|$").FindAllStringSubmatch(redacted, -1) {
		want[row[1]] = row[2]
	}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*`) \\|").FindAllStringSubmatch(shown, -1) {
		for _, one := range strings.Split(strings.Trim(row[1], "`"), "`, `") {
			want[one] = one
		}
	}
	assert.Greater(t, len(want), 12)
	got := make(shows)
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: got, MaxGroups: 100})
	require.NoError(t, err)
	n := 0
	for logged := range want {
		n++
		slog.New(h).Error(strings.Repeat("x", n), "logged", logged) // each a kind of its own
	}
	require.NoError(t, h.Close())
	for logged, shown := range want {
		assert.True(t, got[shown], "%s becomes something else than %s: %v", logged, shown, got)
	}
}

// shows is a Sender that remembers the first attribute of each alert.
type shows map[string]bool

func (s shows) Send(_ context.Context, b slackalert.Batch) error {
	for _, g := range b.Groups {
		s[g.Fields[0].Value] = true
	}
	return nil
}

// Each option stands in an example that runs.
func TestOptionsHaveExamples(t *testing.T) {
	files, err := filepath.Glob("example*_test.go")
	require.NoError(t, err)
	shown := make(map[string]bool)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if of, ok := literal.Type.(*ast.SelectorExpr); ok && of.Sel.Name == "Options" {
				for _, e := range literal.Elts {
					if set, ok := e.(*ast.KeyValueExpr); ok {
						shown[fmt.Sprint(set.Key)] = true
					}
				}
			}
			return true
		})
	}
	options := reflect.TypeFor[slackalert.Options]()
	for i := range options.NumField() {
		assert.True(t, shown[options.Field(i).Name], "no example sets %s", options.Field(i).Name)
	}
}

// The README's first program, as a newcomer starts it.
func TestFirstProgram(t *testing.T) {
	if testing.Short() {
		t.Log("left to the long form: it builds programs")
		return
	}
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	slack, err := fakeslack.Start(nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, slack.Close()) }()
	program := build(t, goBlock.FindStringSubmatch(string(text))[1])
	run := func(webhook string) string {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(os.Environ(), "SLACK_WEBHOOK_URL="+webhook)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	out := run(slack.WebhookURL("#alerts"))
	assert.Equal(t, 2, strings.Count(out, `"level"`), "both records are in the logs")
	require.Len(t, slack.Messages("#alerts"), 1)
	assert.Contains(t, slack.Messages("#alerts")[0].Text, "payment failed: card refused (user 41)")

	out = run("") // as on a laptop
	assert.Equal(t, 3, strings.Count(out, `"level"`), out)
	assert.Equal(t, 1, strings.Count(out, "there is no destination"), out)
}

// The README's server, told to end while a request is under way: that is
// answered, and its alert told.
func TestServerProgram(t *testing.T) {
	if testing.Short() {
		t.Log("left to the long form: it builds programs")
		return
	}
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	slack, err := fakeslack.Start(nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, slack.Close()) }()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())

	cmd := exec.CommandContext(t.Context(), build(t, goBlock.FindAllStringSubmatch(string(text), -1)[1][1]))
	cmd.Env = append(os.Environ(), "SLACK_TOKEN=xoxb-1", "SLACK_CHANNEL=#alerts", "SLACK_API_URL="+slack.APIURL(), "ADDRESS="+address)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	for takes(address) != nil { // until it listens
		runtime.Gosched()
	}

	card, rest := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+"/orders/7/pay", card)
	require.NoError(t, err)
	r.Header.Set("Expect", "100-continue") // so that the body is sent when the handler reads it
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute, DisableKeepAlives: true}}
	answered := make(chan string, 1)
	go func() {
		resp, err := client.Do(r)
		if err != nil {
			answered <- err.Error()
			return
		}
		_ = resp.Body.Close()
		answered <- resp.Status
	}()
	_, err = io.WriteString(rest, `{"number":`) // it is read: the request is under way
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	for takes(address) == nil { // until it takes no more
		runtime.Gosched()
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		require.FailNow(t, "it ended while a request was under way", "%v\n%s", err, &out)
	case <-time.After(200 * time.Millisecond): // one that doesn't wait has ended by then
	}
	_, err = io.WriteString(rest, `"4111"}`)
	require.NoError(t, err)
	require.NoError(t, rest.Close())
	assert.Equal(t, "402 Payment Required", <-answered)
	require.NoError(t, <-ended, &out)
	require.Len(t, slack.Messages("#alerts"), 1)
	assert.Contains(t, slack.Messages("#alerts")[0].Text, "card_refused")
	assert.NotContains(t, out.String(), "cut off")
}

// One whose address is taken tells why, and its status says that it failed.
func TestServerProgramFails(t *testing.T) {
	if testing.Short() {
		t.Log("left to the long form: it builds programs")
		return
	}
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	slack, err := fakeslack.Start(nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, slack.Close()) }()
	cmd := exec.CommandContext(t.Context(), build(t, goBlock.FindAllStringSubmatch(string(text), -1)[1][1]))
	cmd.Env = append(os.Environ(), "SLACK_TOKEN=xoxb-1", "SLACK_CHANNEL=#alerts", "SLACK_API_URL="+slack.APIURL(), "ADDRESS=127.0.0.1:-1")
	out, err := cmd.CombinedOutput()
	require.Error(t, err, string(out))
	assert.Equal(t, 1, cmd.ProcessState.ExitCode())
	require.Len(t, slack.Messages("#alerts"), 1)
	assert.Contains(t, slack.Messages("#alerts")[0].Text, "no server")
}

// takes says whether somebody listens at an address.
func takes(address string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// build makes a program of source, with this module.
func build(t *testing.T, source string) (program string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/main.go", []byte(source), 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", dir+"/program.exe", dir+"/main.go").CombinedOutput()
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
