package fleet

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fakeslack"
	"example.com/slackalert/fleet/internal/again"
	"example.com/slackalert/fleet/internal/natsd"
)

func startSlack(t *testing.T) *fakeslack.Server {
	s, err := fakeslack.Start(&fakeslack.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// message is one of Slack's, read back.
type message struct {
	ts     string
	edits  int
	groups []shown
}

func messages(t *testing.T, s *fakeslack.Server) []message {
	var all []message
	for _, m := range s.Messages("C1") {
		r := message{ts: m.TS, edits: m.Edits}
		for _, b := range m.Blocks.BlockSet {
			section, ok := b.(*slack.SectionBlock)
			require.True(t, ok, "%+v", b)
			var g shown
			require.NoError(t, json.Unmarshal([]byte(section.Text.Text), &g), "%s", section.Text.Text)
			r.groups = append(r.groups, g)
		}
		all = append(all, r)
	}
	return all
}

// TestTwentyProcessesOneMessage: real processes, a thousand equal errors each.
func TestTwentyProcessesOneMessage(t *testing.T) {
	ns, s := startNATS(t, nil), startSlack(t)
	relay := spawn(t, "relay", natsEnv+"="+natsd.URL(ns), slackEnv+"="+s.APIURL())
	var programs []*again.Process
	for i := range 20 {
		programs = append(programs, spawn(t, "program", natsEnv+"="+natsd.URL(ns), hostEnv+fmt.Sprintf("=web-%d", i+1), countEnv+"=1000"))
	}
	for _, p := range programs {
		require.NoError(t, p.Wait())
	}
	assert.Eventually(t, func() bool {
		m := messages(t, s)
		return len(m) > 0 && m[0].groups[0].Total >= 20000
	}, 30*time.Second, 50*time.Millisecond, "%s", relay.Log())
	m := messages(t, s)
	require.Len(t, m, 1)
	t.Logf("%+v", m)
	g := m[0].groups[0]
	assert.Equal(t, []any{20000, 20000, 20, []string{"web-1", "web-2", "web-3", "web-4", "web-5"}, "payment failed", "shop"},
		[]any{g.Count, g.Total, g.Hosts, g.Named, g.Message, g.Service})
}
