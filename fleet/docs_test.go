package fleet

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fleet/internal/natsd"
)

// TestTheRightsInTheDocumentation are enough, for programs and relays, from the
// first stream to a take-over; and a program can't read.
func TestTheRightsInTheDocumentation(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/fleet.md")
	require.NoError(t, err)
	conf := regexp.MustCompile("(?s)```conf\n(.*?)```").FindSubmatch(doc)
	require.NotNil(t, conf)
	file := filepath.Join(t.TempDir(), "nats.conf")
	require.NoError(t, os.WriteFile(file, conf[1], 0o600))
	c, err := server.ProcessConfigFile(file)
	require.NoError(t, err)
	ns, s := startNATS(t, func(o *server.Options) { o.Users = c.Users }), startSlack(t)

	as := func(user string) string {
		return "nats://" + user + ":change-me@" + natsd.URL(ns)[len("nats://"):]
	}
	stop := runRelay(t, as("relay"), readable(s.APIURL()))
	admin := connect(t, as("relay"))
	require.Eventually(t, func() bool { _, err := admin.Stream(t.Context(), "SLACKALERT"); return err == nil }, 30*time.Second, 10*time.Millisecond)
	h := newProgram(t, as("program"), "web-1", nil)
	logTo(h, "one", 3)
	eventually(t, "[one: 3 in 1]", func() string { return totals(t, s) })
	stop()
	runRelay(t, as("relay"), readable(s.APIURL()))
	logTo(h, "one", 4)
	eventually(t, "[one: 7 in 1]", func() string { return totals(t, s) })

	// What a relay does once a minute, and fleetrelay -check.
	for _, name := range []string{"SLACKALERT", "KV_SLACKALERT_told"} {
		stream, err := admin.Stream(t.Context(), name)
		require.NoError(t, err)
		assert.NoError(t, stream.Purge(t.Context(), jetstream.WithPurgeSubject("SLACKALERT.none")))
	}
	stream, err := admin.Stream(t.Context(), "SLACKALERT")
	require.NoError(t, err)
	_, err = stream.GetMsg(t.Context(), stream.CachedInfo().State.LastSeq)
	assert.NoError(t, err)
	_, err = admin.AccountInfo(t.Context())
	assert.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	program := connect(t, as("program"), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) { cancel() }))
	_, err = program.Stream(ctx, "SLACKALERT")
	assert.Error(t, err)
	assert.ErrorIs(t, program.Conn().LastError(), nats.ErrPermissionViolation)
}
