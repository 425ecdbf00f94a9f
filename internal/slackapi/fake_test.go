package slackapi

import (
	"io"
	"testing"
	"time"

	"example.com/slackalert/fakeslack"
	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The strict fake knows Slack's rules from Slack's documents, and nothing of
// this package: what passes here was understood twice.

func fake(t *testing.T) (*fakeslack.Server, *Client, *Client) {
	s, err := fakeslack.Start(&fakeslack.Options{Token: testToken})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	bot, hook := NewBot(testToken, s.APIURL(), nil), NewWebhook(s.WebhookURL("ops"), nil)
	t.Cleanup(bot.Close)
	t.Cleanup(hook.Close)
	return s, bot, hook
}

func TestAStrictSlackTakesPostsAndEdits(t *testing.T) {
	s, bot, hook := fake(t)
	require.NoError(t, bot.Check(t.Context()))
	require.NoError(t, hook.Check(t.Context()))
	assert.Empty(t, s.Messages(""), "a check sends nothing")

	ref, err := bot.Post(t.Context(), message())
	require.NoError(t, err)
	m := message()
	m.Text = "ERROR card declined, twice"
	require.NoError(t, bot.Edit(t.Context(), ref, m))
	_, err = hook.Post(t.Context(), message())
	require.NoError(t, err)

	all := s.Messages("")
	require.Len(t, all, 2)
	assert.Equal(t, "ERROR card declined, twice", all[0].Text)
	assert.Equal(t, 1, all[0].Edits)
	assert.Len(t, all[0].Blocks.BlockSet, 1)
	assert.Equal(t, "ERROR card declined", all[1].Text)
}

func TestAStrictSlackRefusesALayout(t *testing.T) {
	s, bot, hook := fake(t)
	m := message()
	for range 51 {
		m.Blocks = append(m.Blocks, slack.NewDividerBlock())
	}
	for _, c := range []*Client{bot, hook} {
		heard := refusals(c)
		_, err := c.Post(t.Context(), m)
		require.NoError(t, err)
		require.Len(t, *heard, 1)
		assert.Contains(t, (*heard)[0].Error(), "invalid_blocks")
	}
	for _, told := range s.Messages("") {
		assert.Equal(t, m.Plain, told.Text)
		assert.Empty(t, told.Blocks.BlockSet)
	}

	ref, err := bot.Post(t.Context(), message())
	require.NoError(t, err)
	require.NoError(t, bot.Edit(t.Context(), ref, m))
	edited := s.Messages("")[2]
	assert.Equal(t, m.Plain, edited.Text)
	assert.Empty(t, edited.Blocks.BlockSet, "the old ones are gone")
}

func TestAStrictSlackFails(t *testing.T) {
	s, bot, hook := fake(t)
	for _, c := range []*Client{bot, hook} {
		s.FailNext(1, fakeslack.Fault{Status: 429, RetryAfter: "2"})
		_, err := c.Post(t.Context(), message())
		assert.Equal(t, 2*time.Second, later.check(t, err, 1).RetryAfter())

		s.FailNext(1, fakeslack.Fault{Drop: true})
		_, err = c.Post(t.Context(), message())
		later.check(t, err, 1)
		assert.ErrorIs(t, err, io.EOF)
	}
	assert.Len(t, s.Messages(""), 2, "what was cut off was taken")

	wrong := NewBot("xoxb-of-another-workspace", s.APIURL(), nil)
	t.Cleanup(wrong.Close)
	mend.check(t, wrong.Check(t.Context()), 1)
	ref, err := bot.Post(t.Context(), message())
	require.NoError(t, err)
	channel, _, _ := splitRef(ref)
	anew.check(t, bot.Edit(t.Context(), channel+"/17.1", message()), 1)
}
