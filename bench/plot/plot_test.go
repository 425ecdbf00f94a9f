// This file reads the figure back.

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/bench/internal/results"
)

// TestFigureIsOfItsFile keeps the picture and the numbers it was drawn from
// together.
func TestFigureIsOfItsFile(t *testing.T) {
	f, err := results.Read("../results.json")
	require.NoError(t, err)
	want, err := draw(f)
	require.NoError(t, err)
	got, err := os.ReadFile("../storm.svg")
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got), "draw it again: go run ./plot")
}

func TestFigure(t *testing.T) {
	f := results.File{CPU: "<cpu> & co", Command: "go run ./storm"}
	for _, s := range []string{"equal", "different"} {
		f.Runs = append(f.Runs,
			results.Run{Handler: "wrapped", Scenario: s, Asked: 1_000_000, Logged: 1_000_000, Delivered: 1_000_000, Calls: results.Calls{MeanNS: 640}, RSSMiB: 20},
			results.Run{Handler: "multi", Scenario: s, Asked: 1_000_000, Logged: 4000, Delivered: 10, Calls: results.Calls{MeanNS: 2_500_000}, RSSMiB: 4096, Stopped: "memory"},
		)
	}
	picture, err := draw(f)
	require.NoError(t, err)
	text := words(t, picture)
	for _, want := range []string{"1,000,000 equal alerts", "slackalert", "640 ns", "20 MiB", "all", "2.5 ms*", "4,096 MiB*", "0.25 %", "<cpu> & co"} {
		assert.Contains(t, text, want)
	}
}

func TestNoRuns(t *testing.T) {
	_, err := draw(results.File{})
	assert.EqualError(t, err, `plot: no run of the scenario "equal"`)
}

func TestScale(t *testing.T) {
	a := axis{x: 100, low: 10, high: 1000}
	assert.InDelta(t, 100, a.at(10), 0.01)
	assert.InDelta(t, 100+panel/2, a.at(100), 0.01)
	assert.InDelta(t, 100+panel, a.at(1000), 0.01)
	assert.InDelta(t, 100+panel, a.at(1e9), 0.01, "beyond the end")
	assert.InDelta(t, 100, a.at(0), 0.01, "nothing")
}

// words returns the texts of the picture, which has to be well-formed.
func words(t *testing.T, picture []byte) string {
	var out []string
	d := xml.NewDecoder(strings.NewReader(string(picture)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(out, "\n")
		}
		require.NoError(t, err)
		if chars, ok := token.(xml.CharData); ok {
			out = append(out, string(chars))
		}
	}
}
