// This file runs small storms as whole processes, and checks the gauges.

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/bench/internal/handlers"
	"example.com/slackalert/bench/internal/results"
)

// TestMain lets the test's program be the one that logs, as storm's is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-child" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestEveryHandler runs a small storm through each: whole processes, the
// table and the file.
func TestEveryHandler(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	s, err := parse([]string{"-all", "-scenario", "equal", "-n", "500", "-exit", "20s", "-json", path})
	require.NoError(t, err)
	var table bytes.Buffer
	require.NoError(t, measure(s, &table))
	f, err := results.Read(path)
	require.NoError(t, err)
	require.Len(t, f.Runs, len(handlers.Names())-1)
	for _, r := range f.Runs {
		t.Run(r.Handler, func(t *testing.T) {
			assert.Contains(t, table.String(), "\n"+r.Handler+" ")
			assert.Empty(t, r.Stopped)
			assert.Equal(t, 500, r.Logged)
			assert.Positive(t, r.WallMS)
			assert.Positive(t, r.RSSMiB)
			assert.LessOrEqual(t, r.P50NS, r.P99NS)
			assert.LessOrEqual(t, r.P99NS, r.MaxNS)
			if r.Handler == "base" {
				assert.Zero(t, r.Requests)
				return
			}
			assert.Positive(t, r.Requests)
			assert.EqualValues(t, 500, r.Delivered+r.Lost)
		})
	}
	assert.NotEmpty(t, f.Versions["github.com/samber/slog-slack/v2"], "versions of the peers")
	assert.NotEqual(t, "unknown", f.CPU)
}

// TestOursLosesNothing is the row that the others are compared with.
func TestOursLosesNothing(t *testing.T) {
	s, err := parse([]string{"-h", "wrapped", "-n", "20000"})
	require.NoError(t, err)
	r, err := run(s, scenarioNamed("equal"), "wrapped")
	require.NoError(t, err)
	assert.EqualValues(t, 20_000, r.Delivered)
	assert.Zero(t, r.Lost)
	require.NotNil(t, r.SaidLost)
	assert.Zero(t, *r.SaidLost)
	assert.LessOrEqual(t, r.Requests, uint64(3), "a storm is one message, its edits and one more at the end")
}

func TestStopped(t *testing.T) {
	s, err := parse([]string{"-h", "base", "-n", "100000000", "-timeout", "20ms"})
	require.NoError(t, err)
	r, err := run(s, scenarioNamed("equal"), "base")
	require.NoError(t, err)
	assert.Equal(t, "time", r.Stopped)
	assert.Less(t, r.Logged, r.Asked)

	s.timeout, s.memory = time.Minute, 1
	r, err = run(s, scenarioNamed("equal"), "base")
	require.NoError(t, err)
	assert.Equal(t, "memory", r.Stopped)
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-h", "slak"}, `storm: -h "slak": want one of discard, base, wrapped, multi, fanout, router, sentry, otel`},
		{[]string{"-scenario", "flood"}, `storm: -scenario "flood": want one of equal, groups, different, down, paced`},
		{[]string{"-base", "text"}, `storm: -base "text": want noop or json`},
		{[]string{"-n", "0"}, `storm: -n 0: want at least 1`},
		{[]string{"-timeout", "0s"}, `storm: -timeout 0s, -exit 1m0s and -memory 4096: want more than 0`},
		{[]string{"wrapped"}, `storm: unexpected argument "wrapped"`},
	} {
		_, err := parse(c.args)
		assert.EqualError(t, err, c.want)
	}
}

func TestScenariosDiffer(t *testing.T) {
	for _, c := range scenarios() {
		text := c.texts()
		messages := make(map[string]bool)
		n := min(c.alerts(1_000_000), 2000)
		for i := range n {
			m, err := text(i)
			messages[m] = true
			assert.GreaterOrEqual(t, len(err.Error()), c.body)
		}
		want := c.groups
		if want == 0 {
			want = n
		}
		assert.Len(t, messages, want, c.name)
	}
}

func TestQuantiles(t *testing.T) {
	var c calls
	for i := range 1000 {
		c.add(time.Duration(i+1) * time.Microsecond)
	}
	assert.InEpsilon(t, 500*time.Microsecond, c.quantile(0.5), 0.13)
	assert.InEpsilon(t, 990*time.Microsecond, c.quantile(0.99), 0.13)
	assert.Equal(t, time.Millisecond, c.max)
	assert.Equal(t, 500_500*time.Microsecond, c.sum)
	for d := time.Duration(8); d < time.Hour; d = d*9/8 + 1 {
		assert.GreaterOrEqual(t, upper(bucket(d)), d)
		assert.LessOrEqual(t, float64(upper(bucket(d))), float64(d)*1.13)
	}
}
