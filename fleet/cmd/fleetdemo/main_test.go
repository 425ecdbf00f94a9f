package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The test's binary is the demo's processes, as the demo itself is.
func TestMain(m *testing.M) {
	if playsRole() {
		return
	}
	os.Exit(m.Run())
}

func TestTheDemo(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, play(t.Context(), &out, false), "%s", &out)
	for _, want := range []string{"×20,000", "×21,000", "on 20 hosts: web-1, web-2, web-3", "is dead", "It is the same message"} {
		assert.Contains(t, out.String(), want)
	}
	assert.NotContains(t, out.String(), "<!date", "it is drawn as people read it")
}
