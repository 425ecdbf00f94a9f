// Package fleettest has what the tests of several rooms want.
package fleettest

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fleet/internal/natsd"
)

// Output keeps what is written, and may be read meanwhile. Its zero value is
// empty.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Has is how often a text was written.
func (o *Output) Has(text string) int { return strings.Count(o.String(), text) }

// Bucket is one of a server of its own, which ends with the test.
func Bucket(t testing.TB, config jetstream.KeyValueConfig) (jetstream.JetStream, jetstream.KeyValue) {
	s, err := natsd.Start(t.TempDir(), nil)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	nc, err := nats.Connect(natsd.URL(s))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	kv, err := js.CreateKeyValue(t.Context(), config)
	require.NoError(t, err)
	return js, kv
}
