package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fakeslack"
)

// The test binary is the pipe itself, and the commands it runs, where the
// environment says so.
func TestMain(m *testing.M) {
	switch os.Getenv("SLACKALERT_TEST") {
	case "":
		os.Exit(m.Run())
	case "pipe":
		main()
	default:
		os.Exit(command(os.Getenv("SLACKALERT_TEST")))
	}
}

// command is what a program does that the pipe runs.
func command(what string) int {
	switch what {
	case "crash":
		for i := range 30 {
			fmt.Fprintln(os.Stderr, "line", i)
		}
		fmt.Println(`{"level":"info","msg":"out"}`)
		return 3
	case "cat":
		_, _ = io.Copy(os.Stdout, os.Stdin)
	case "wait": // until the input ends
		fmt.Println("ready")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "leave": // somebody who keeps the output open
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "SLACKALERT_TEST=wait")
		c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
		_ = c.Start()
	}
	return 0
}

// desk is a Slack and how to run the pipe against it.
type desk struct {
	t     testing.TB
	slack *fakeslack.Server
}

func newDesk(t testing.TB) desk {
	s, err := fakeslack.Start(nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return desk{t, s}
}

func (d desk) env(key string) string {
	return map[string]string{"SLACK_TOKEN": "xoxb-1-a", "SLACK_API_URL": d.slack.APIURL(), "SLACK_CHANNEL": "C1"}[key]
}

// pipe runs the pipe in this process.
func (d desk) pipe(in string, args ...string) (out, log string, status int) {
	var o, l bytes.Buffer
	status = run(args, d.env, nil, strings.NewReader(in), &o, &l)
	return o.String(), l.String(), status
}

// child starts the pipe as a process of its own.
func (d desk) child(what string, args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "SLACKALERT_TEST=pipe", "SLACK_TOKEN=xoxb-1-a", "SLACK_CHANNEL=C1", "SLACK_API_URL="+d.slack.APIURL())
	if what != "" {
		c.Args = append(c.Args, "--", "env", "SLACKALERT_TEST="+what, os.Args[0])
	}
	return c
}

// told is all that Slack shows.
func (d desk) told() string {
	var all []string
	for _, m := range d.slack.Messages("") {
		all = append(all, fmt.Sprintf("%s %+v", m.Text, blocksText(d.t, m)))
	}
	return strings.Join(all, "\n")
}

func blocksText(t testing.TB, m fakeslack.Message) string {
	b, err := m.Blocks.MarshalJSON()
	require.NoError(t, err)
	return string(b)
}

func TestLinesOfManyLoggers(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       []string // "" = no alert
	}{
		{"slog", `{"time":"2026-03-01T12:00:00.5Z","level":"ERROR","source":{"function":"pay.charge","file":"/app/pay/pay.go","line":142},"msg":"payment failed","error":"refused","order":1007}`, []string{"payment failed", "refused", "1007", "pay.go:142"}},
		{"slog above", `{"time":"2026-03-01T12:00:00Z","level":"ERROR+4","msg":"down"}`, []string{"down"}},
		{"zap", `{"level":"error","ts":1772366400.5,"caller":"pay/pay.go:142","msg":"payment failed","error":"refused","stacktrace":"pay.charge\n\t/app/pay/pay.go:142"}`, []string{"payment failed", "refused", "pay/pay.go:142", "pay.charge"}},
		{"zerolog", `{"level":"error","error":"refused","time":1772366400,"message":"payment failed"}`, []string{"payment failed", "refused"}},
		{"logrus", `{"error":"refused","level":"fatal","msg":"payment failed","time":"2026-03-01T12:00:00Z","func":"pay.charge","file":"/app/pay.go:142"}`, []string{"payment failed", "refused", "pay.go:142"}},
		{"pino", `{"level":50,"time":1772366400123,"pid":1,"hostname":"web-1","err":{"type":"TypeError","message":"x is not a function","stack":"TypeError: x is not a function\n    at pay (/app/pay.js:14:2)","code":"E_PAY"},"msg":"payment failed"}`, []string{"payment failed", "TypeError: x is not a function", "/app/pay.js:14:2", "E_PAY"}},
		{"bunyan", `{"name":"shop","hostname":"web-1","pid":1,"level":60,"msg":"payment failed","time":"2026-03-01T12:00:00.000Z","v":0}`, []string{"payment failed", "web-1"}},
		{"python", `{"asctime":"2026-03-01 12:00:00,123","levelname":"ERROR","name":"shop.pay","message":"payment failed","pathname":"/app/pay.py","lineno":14,"funcName":"charge","exc_info":"Traceback (most recent call last):\n  File \"/app/pay.py\", line 14, in charge\nValueError: no card"}`, []string{"payment failed", "ValueError: no card", "pay.py:14", "line 14, in charge"}},
		{"python by number", `{"levelno":40,"message":"payment failed"}`, []string{"payment failed"}},
		{"ecs", `{"@timestamp":"2026-03-01T12:00:00.000Z","log.level":"error","message":"payment failed","error":{"message":"refused","type":"E","stack_trace":"at x"}}`, []string{"payment failed", "refused"}},
		{"gelf", `{"version":"1.1","host":"web-1","short_message":"payment failed","level":3,"timestamp":1772366400.1}`, []string{"payment failed"}},
		{"monolog", `{"message":"payment failed","context":{"order":7,"exception":{"class":"RuntimeException","message":"no card","code":0,"file":"/app/Pay.php:14"}},"level":400,"level_name":"ERROR","channel":"app","datetime":"2026-03-01T12:00:00.123456+00:00","extra":{}}`, []string{"payment failed", "RuntimeException: no card", "Pay.php:14"}},
		{"monolog's warning", `{"message":"slow","context":{},"level":300,"level_name":"WARNING","channel":"app","datetime":"2026-03-01T12:00:00.123456+00:00"}`, []string{""}},
		{"tracing", `{"timestamp":"2026-03-01T12:00:00.000000Z","level":"ERROR","fields":{"message":"payment failed","error":"refused"},"target":"shop::pay"}`, []string{".test: payment failed", "refused", "shop::pay"}},
		{"a code", `{"level":"info","msg":"sign-in refused","error_code":"E401"}`, []string{"E401", "sign-in refused"}},
		{"blanks", `  { "level" : "error" , "msg"	: "payment failed" }  `, []string{"payment failed"}},
		{"blanks as Python writes them", `{"levelname": "ERROR", "message": "payment failed"}`, []string{"payment failed"}},
		{"a nested level before", `{"ctx":{"level":"info"},"level":"error","msg":"payment failed"}`, []string{"payment failed"}},
		{"a byte order mark", "\ufeff" + `{"level":"error","msg":"payment failed"}`, []string{"payment failed"}},
		{"carriage return", "{\"level\":\"error\",\"msg\":\"payment failed\"}\r", []string{"payment failed"}},
		{"info", `{"level":"info","msg":"an error was avoided"}`, []string{""}},
		{"warn of pino", `{"level":40,"msg":"slow"}`, []string{""}},
		{"an empty code", `{"level":"info","msg":"fine","error_code":""}`, []string{""}},
		{"plain", `2026-03-01 ERROR payment failed`, []string{""}},
		{"broken", `{"level":"error","msg":"payment`, []string{""}},
		{"two objects", `{"level":"error","msg":"a"} {"level":"error"}`, []string{""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			out, log, status := d.pipe(c.line + "\n")
			assert.Equal(t, c.line+"\n", out)
			assert.Empty(t, log)
			assert.Zero(t, status)
			if c.want[0] == "" {
				assert.Empty(t, d.slack.Messages(""))
				return
			}
			for _, want := range c.want {
				assert.Contains(t, d.told(), want)
			}
		})
	}
}

func TestTimesAndLevels(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, s := range []string{`"2026-03-01T12:00:00Z"`, `"2026-03-01T13:00:00+01:00"`, `"2026-03-01T13:00:00+0100"`, "1772366400", "1772366400.0", "1772366400000", "1772366400000000", "1772366400000000000"} {
		attrs, ok := readObject([]byte(`{"time":`+s+`}`), true)
		require.True(t, ok, s)
		assert.True(t, noon.Equal(usualKeys.record(attrs).Time), s)
	}
	before := time.Now()
	for _, s := range []string{`"soon"`, "12", "null", "-1", `""`, `"inf"`, `"-inf"`, `"nan"`, "1e300"} {
		attrs, _ := readObject([]byte(`{"time":`+s+`}`), true)
		assert.False(t, usualKeys.record(attrs).Time.Before(before), s)
	}
	for s, want := range map[string]string{`"Warning"`: "WARN", `"EMERG"`: "ERROR+4", `"ERROR+2"`: "ERROR+2", `"50"`: "ERROR", "30": "INFO", "10": "DEBUG-4", `"what"`: "INFO", `"nan"`: "INFO", `"inf"`: "INFO", "1e300": "INFO", "1e9": "INFO", "100": "DEBUG", "250": "INFO+2", "400": "ERROR", "500": "ERROR+4", "-3": "INFO", `{"a":1}`: "INFO"} {
		attrs, _ := readObject([]byte(`{"level":`+s+`}`), true)
		assert.Equal(t, want, usualKeys.record(attrs).Level.String(), s)
	}
}

// What comes out is what went in, byte for byte, however it is cut.
func TestNothingIsChanged(t *testing.T) {
	d := newDesk(t)
	var in bytes.Buffer
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		b := make([]byte, rng.IntN(5000))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		in.Write(b)
	}
	in.WriteString("\n" + `{"level":"error","msg":"after binary data"}` + "\n")
	in.WriteString(`{"level":"error","msg":"a long one","x":"` + strings.Repeat("y", 10<<20) + `"}` + "\n")
	in.WriteString(`{"level":"error","msg":"without an end"}`)
	want := in.String()
	out, _, status := d.pipe(want)
	assert.True(t, want == out)
	assert.Zero(t, status)
	for _, msg := range []string{"after binary data", "a long one", "without an end"} {
		assert.Contains(t, d.told(), msg)
	}
}

// A line goes on before the next is there.
func TestAtOnce(t *testing.T) {
	d := newDesk(t)
	from, in := io.Pipe()
	out, to := io.Pipe()
	var ended sync.WaitGroup
	ended.Go(func() { run(nil, d.env, nil, from, to, io.Discard); _ = to.Close() })
	buf := make([]byte, 100)
	for _, line := range []string{"a\n", "half", " a line\n"} {
		_, _ = io.WriteString(in, line)
		n, err := out.Read(buf)
		require.NoError(t, err)
		assert.Equal(t, line, string(buf[:n]))
	}
	_ = in.Close()
	ended.Wait()
}

func TestBadInput(t *testing.T) {
	d := newDesk(t)
	broken := filepath.Join(t.TempDir(), "codes.json")
	require.NoError(t, os.WriteFile(broken, []byte(`{"E1": {"titel": "x"}}`), 0o600))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-level", "loud"}, `-level is "loud"; want a level`},
		{[]string{"more"}, `argument "more" is not known`},
		{[]string{"--"}, "nothing stands behind --"},
		{[]string{"-codes", "/no/such/file"}, "-codes: open /no/such/file"},
		{[]string{"-codes", broken}, "titel"},
		{[]string{"-level-key", "a,,b"}, "want keys with commas between them"},
		{[]string{"-code-key", ""}, "-code-key is empty"},
		{[]string{"-channel", "a b"}, `slackalert: Channel is "a b"`},
		{[]string{"-color"}, "flag provided but not defined: -color"},
	} {
		out, log, status := d.pipe("x\n", c.args...)
		assert.Empty(t, out)
		assert.Contains(t, log, c.want)
		assert.Equal(t, 1, strings.Count(log, "\n"), log)
		assert.Equal(t, statusUsage, status)
	}
	_, help, status := d.pipe("", "-h")
	assert.Zero(t, status)
	assert.Contains(t, help, "-message-key")
}

func TestFlags(t *testing.T) {
	d := newDesk(t)
	codes := filepath.Join(t.TempDir(), "codes.json")
	require.NoError(t, os.WriteFile(codes, []byte(`{"E1": {"title": "No card"}}`), 0o600))
	_, log, status := d.pipe(`{"log":{"wie":"WARN"},"was":"payment failed","warum":"refused","fehler":{"nr":"E1"}}`+"\n",
		"-level", "warn", "-level-key", "log.wie", "-message-key", "was", "-error-key", "warum", "-code-key", "fehler.nr", "-codes", codes, "-service", "shop", "-channel", "C2")
	assert.Empty(t, log)
	assert.Zero(t, status)
	require.Len(t, d.slack.Messages("C2"), 1)
	for _, want := range []string{"No card", "refused", "shop"} {
		assert.Contains(t, d.told(), want)
	}
}

func TestCheck(t *testing.T) {
	d := newDesk(t)
	_, log, status := d.pipe("", "-check")
	assert.Equal(t, "slackalert: Slack takes what is sent\n", log)
	assert.Zero(t, status)
	d.slack.FailNext(1, fakeslack.Fault{Error: "invalid_auth"})
	_, log, status = d.pipe("", "-check")
	assert.Contains(t, log, "invalid_auth")
	assert.Equal(t, 1, status)

	var out, errs bytes.Buffer
	assert.Equal(t, statusUsage, run([]string{"-check"}, func(string) string { return "" }, nil, strings.NewReader(""), &out, &errs))
	assert.Equal(t, "slackalert: Slack is missing; want SLACK_TOKEN with -channel, or SLACK_WEBHOOK_URL\n", errs.String())
}

func TestOwnTroubleIsSaid(t *testing.T) {
	d := newDesk(t)
	d.slack.FailNext(100, fakeslack.Fault{Error: "invalid_auth"})
	in := `{"level":"error","msg":"payment failed"}` + "\n"
	out, log, status := d.pipe(in)
	assert.Equal(t, in, out)
	assert.Contains(t, log, "invalid_auth")
	assert.NotContains(t, log, "payment failed", "it has been passed on already")
	assert.Zero(t, status)
}

// A reader that fails is said, and what came before is told.
func TestAnInputThatFails(t *testing.T) {
	d := newDesk(t)
	var out, log bytes.Buffer
	in := io.MultiReader(strings.NewReader(`{"level":"error","msg":"payment failed"}`+"\n"), failing{})
	assert.Equal(t, 1, run(nil, d.env, nil, in, &out, &log))
	assert.Equal(t, "slackalert: the disk is gone\n", log.String())
	assert.Contains(t, d.told(), "payment failed")
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }
