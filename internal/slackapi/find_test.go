package slackapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/slackalert/fakeslack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// marked is a message with an ID.
func marked(channel, id string) Message {
	m := message()
	m.Channel, m.ID = channel, id
	return m
}

func TestFindOnTheWire(t *testing.T) {
	s := serve(t, answering(`{"ok":true,"messages":[]}`))
	ref, err := s.bot().Find(t.Context(), "C1", "B7", time.Unix(1700000000, 123_456_789))
	require.NoError(t, err)
	assert.Empty(t, ref)
	r := s.last()
	assert.Equal(t, "/api/conversations.history", r.path)
	assert.Equal(t, "C1", r.form.Get("channel"))
	assert.Equal(t, "Bearer "+testToken, r.header.Get("Authorization"))
	assert.Equal(t, map[string]string{
		"oldest": "1699999880.123456", "inclusive": "true", "include_all_metadata": "true", "limit": "50",
	}, r.wire())

	_, err = s.bot().Find(t.Context(), "C1", "B7", time.Time{})
	require.NoError(t, err)
	assert.Equal(t, "0.000000", s.last().form.Get("oldest"), "no time is the beginning")
}

func TestFindByTheClockOfSlack(t *testing.T) {
	for ahead, oldest := range map[time.Duration]string{
		time.Hour + time.Second: "1699996280.000000", // this clock's; Slack's is the Date of its last answer
		-time.Hour:              "1699999880.000000", // what came before is read too
	} {
		s := serve(t, func(w http.ResponseWriter) {
			w.Header().Set("Date", time.Now().Add(-ahead).UTC().Format(http.TimeFormat))
			_, _ = io.WriteString(w, `{"ok":true,"messages":[]}`)
		})
		c := s.bot()
		for range 2 {
			_, err := c.Find(t.Context(), "C1", "B7", time.Unix(1700000000, 0))
			require.NoError(t, err)
		}
		assert.Equal(t, oldest, s.last().form.Get("oldest"))
	}
}

func TestTheIDOnTheWire(t *testing.T) {
	s := serve(t, answering(accept))
	const want = `{"event_type":"slackalert_batch","event_payload":{"id":"B7"}}`
	ref, err := s.bot().Post(t.Context(), marked("C1", "B7"))
	require.NoError(t, err)
	assert.JSONEq(t, want, s.last().form.Get("metadata"))
	require.NoError(t, s.bot().Edit(t.Context(), ref, marked("", "B7")))
	assert.NotContains(t, s.last().form, "metadata", "an edit keeps it")
	_, err = s.webhook().Post(t.Context(), marked("", "B7"))
	require.NoError(t, err)
	assert.NotContains(t, s.last().body, "B7", "webhooks take none")

	s = serve(t, answering(refusal("invalid_blocks"), accept))
	_, err = s.bot().Post(t.Context(), marked("C1", "B7"))
	require.NoError(t, err)
	assert.JSONEq(t, want, s.last().form.Get("metadata"), "the plain text is the same message")
	for _, code := range []string{"metadata_too_large", "invalid_metadata_format", "metadata_must_be_sent_from_app"} {
		s = serve(t, answering(refusal(code), accept))
		_, err = s.bot().Post(t.Context(), marked("C1", "B7"))
		require.NoError(t, err, "told, though it can't be found again")
		assert.NotContains(t, s.last().form, "metadata")
	}
}

func TestFind(t *testing.T) {
	s, bot, hook := fake(t)
	began := time.Now()
	first, err := bot.Post(t.Context(), marked("#payments", "B1"))
	require.NoError(t, err)
	second, err := bot.Post(t.Context(), marked("payments", "B2"))
	require.NoError(t, err)
	id, _, _ := splitRef(first)
	_, err = bot.Post(t.Context(), marked("C2", "B3"))
	require.NoError(t, err)
	_, err = hook.Post(t.Context(), message())
	require.NoError(t, err)
	m := marked("", "B1")
	m.Text = "edited"
	require.NoError(t, bot.Edit(t.Context(), first, m))

	for name, c := range map[string]struct {
		channel, id string
		since       time.Time
		want        string
	}{
		"by ID":                  {id, "B1", began, first},
		"by name":                {"payments", "B2", began, second},
		"by name with a #":       {"#payments", "B1", began, first},
		"from long ago":          {id, "B1", time.Time{}, first},
		"another batch":          {id, "B9", began, ""},
		"another channel":        {"C2", "B1", began, ""},
		"too early":              {id, "B1", began.Add(clockSlack + time.Minute), ""},
		"a clock that is ahead":  {id, "B1", began.Add(clockSlack - 5*time.Second), first},
		"a channel of nobody":    {"C404", "B1", began, ""},
		"half an ID":             {id, "B", began, ""},
		"the ID in another case": {id, "b1", began, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ref, err := bot.Find(t.Context(), c.channel, c.id, c.since)
			require.NoError(t, err)
			assert.Equal(t, c.want, ref)
		})
	}
	assert.Len(t, s.Messages(""), 4, "looking changes nothing")
}

func TestFindLooksThroughAllPages(t *testing.T) {
	_, bot, _ := fake(t)
	began := time.Now()
	want, err := bot.Post(t.Context(), marked("C1", "B7"))
	require.NoError(t, err)
	for range 2 * pageSize {
		_, err := bot.Post(t.Context(), marked("C1", "another"))
		require.NoError(t, err)
	}
	ref, err := bot.Find(t.Context(), "C1", "B7", began)
	require.NoError(t, err)
	assert.Equal(t, want, ref)

	s := serve(t, answering(`{"ok":true,"messages":[],"has_more":true,"response_metadata":{"next_cursor":"again"}}`))
	_, err = s.bot().Find(t.Context(), "C1", "B7", began)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, maxPages, s.count())
	assert.NotErrorIs(t, err, ErrNoHistory)
	assert.Equal(t, "slack: look in C1: more messages than can be looked through", err.Error())
}

func TestFindReadsLargePages(t *testing.T) {
	large := `{"ok":true,"messages":[` + strings.Repeat(`{"ts":"1.2","text":"`+strings.Repeat("x", 60_000)+`"},`, pageSize-1) +
		`{"ts":"1.1","metadata":` + `{"event_type":"slackalert_batch","event_payload":{"id":"B7"}}` + `}]}`
	s := serve(t, answering(large))
	ref, err := s.bot().Find(t.Context(), "C1", "B7", time.Now())
	require.NoError(t, err)
	assert.Equal(t, "C1/1.1", ref)
}

func TestFindMindsOnlyItsOwn(t *testing.T) {
	page := func(metadata string) string {
		return `{"ok":true,"messages":[{"ts":"1.1","metadata":` + metadata + `},{"ts":"1.2"}],"has_more":false}`
	}
	for metadata, want := range map[string]string{
		`{"event_type":"slackalert_batch","event_payload":{"id":"B7"}}`:                  "C1/1.1",
		`{"event_type":"slackalert_batch","event_payload":{"id":"B7","more":[{"a":1}]}}`: "C1/1.1",
		`{"event_type":"task_created","event_payload":{"id":"B7"}}`:                      "",
		`{"event_type":"slackalert_batch","event_payload":{"id":7}}`:                     "",
		`{"event_type":"slackalert_batch","event_payload":["B7"]}`:                       "",
		`{"event_type":"slackalert_batch"}`:                                              "",
		`"B7"`:                                                                           "",
		`null`:                                                                           "",
	} {
		s := serve(t, answering(page(metadata)))
		ref, err := s.bot().Find(t.Context(), "C1", "B7", time.Now())
		require.NoError(t, err, metadata)
		assert.Equal(t, want, ref, metadata)
	}
}

// sight is an answer of conversations.history, and what it means.
type sight struct {
	row
	blind bool // for good
}

func TestFindThatFails(t *testing.T) {
	of := func(code string) row { return row{status: 200, body: refusal(code), text: code} }
	for name, c := range map[string]sight{
		"a scope":             {row{status: 200, body: `{"ok":false,"error":"missing_scope","needed":"channels:history,groups:history","provided":"chat:write"}`, todo: "add the scope channels:history, for private channels groups:history, and reinstall the app"}, true},
		"no member":           {row{status: 200, body: refusal("not_in_channel"), todo: "invite the bot to C1 (/invite @bot)"}, true},
		"channel":             {of("channel_not_found"), true},
		"not permitted":       {row{status: 200, body: refusal("no_permission"), todo: "let the bot read the history of C1"}, true},
		"restricted":          {of("restricted_action"), true},
		"no such method":      {of("unknown_method"), true},
		"method gone":         {of("method_deprecated"), true},
		"an argument":         {of("invalid_ts_oldest"), true},
		"a word nobody knows": {of("method_not_supported_for_channel_type"), true},
		"a filter":            {row{status: 403, body: "<html>"}, true},
		"no route":            {row{status: 404}, true},
		"revoked":             {of("token_revoked"), false},
		"a bad token":         {row{status: 200, body: refusal("invalid_auth"), todo: "check the token"}, false},
		"a limit":             {row{status: 429, header: header("Retry-After", "7"), after: 7 * time.Second}, false},
		"a limit in a 200":    {of("ratelimited"), false},
		"broken":              {row{status: 200, body: refusal("fatal_error"), maybe: true}, false},
		"500":                 {row{status: 500, maybe: true}, false},
		"a redirect":          {row{status: 302, header: header("Location", "/x")}, false},
		"the proxy's own":     {row{status: 407}, false},
		"no JSON":             {row{status: 200, body: "welcome", maybe: true}, false},
		"cut":                 {row{status: 200, body: `{"ok":true,"messages":[{"ts":"1.1"`, maybe: true}, false},
		"another shape":       {row{status: 200, body: `{"ok":true,"messages":{}}`, maybe: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.answer)
			_, err := s.bot().Find(t.Context(), "C1", "B7", time.Now())
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.blind, errors.Is(err, ErrNoHistory), err)
			assert.Equal(t, c.blind, e.NoHistory())
			assert.Equal(t, c.after, e.RetryAfter())
			assert.Equal(t, c.maybe, e.Unknown())
			assert.False(t, e.Refused() || e.Gone())
			assert.Contains(t, e.Error(), c.text)
			assert.Contains(t, e.Mend(), c.todo)
			assert.Equal(t, 1, s.count())
			assertClean(t, err)
		})
	}
}

func TestFindThatNeedNotAsk(t *testing.T) {
	s, bot, hook := fake(t)
	_, err := hook.Find(t.Context(), "", "B7", time.Now())
	assert.ErrorIs(t, err, ErrNoHistory)
	assert.Equal(t, "slack: look in the webhook: a webhook can't read", err.Error())
	_, err = bot.Find(t.Context(), "C1", "", time.Now())
	assert.ErrorIs(t, err, ErrNoHistory)

	_, err = bot.Find(t.Context(), "#payments", "B7", time.Now())
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.NotErrorIs(t, err, ErrNoHistory, "the next message tells the ID")
	assert.Contains(t, e.Mend(), "give the channel's ID")
	for _, channel := range []string{"", "#", "payments"} {
		_, err = bot.Find(t.Context(), channel, "B7", time.Now())
		require.Error(t, err)
	}
	s.FailNext(1, fakeslack.Fault{Error: "not_in_channel"})
	_, err = bot.Post(t.Context(), marked("payments", "B7"))
	require.Error(t, err)
	_, err = bot.Find(t.Context(), "payments", "B7", time.Now())
	require.Error(t, err, "a refusal tells no ID")
	_, err = bot.Post(t.Context(), marked("payments", "B7"))
	require.NoError(t, err)
	ref, err := bot.Find(t.Context(), "#payments", "B7", time.Now())
	require.NoError(t, err)
	assert.NotEmpty(t, ref)
}

func TestNamesAreBounded(t *testing.T) {
	var n names
	for i := range maxNames + 5 {
		n.learn(fmt.Sprintf("channel-%d", i), "C1")
	}
	assert.Len(t, n.ids, maxNames)

	var few names
	few.learn("ops", "general") // no ID came
	few.learn("C1", "C1")
	assert.Empty(t, few.ids)
}
