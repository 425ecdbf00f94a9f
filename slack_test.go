package slackalert

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fakeslack"
)

// ofSlack is what the errors of a Slack can be asked.
type ofSlack interface {
	error
	RetryAfter() time.Duration
	Workspace() bool
	Mend() string
	Unknown() bool
	Unreachable() bool
	Refused() bool
	Gone() bool
	NoHistory() bool
}

func errorOf(t *testing.T, err error) ofSlack {
	t.Helper()
	var e ofSlack
	require.ErrorAs(t, err, &e)
	return e
}

func fakeSlack(t *testing.T, opts *fakeslack.Options, change func(*Options)) (*fakeslack.Server, *Slack) {
	t.Helper()
	server, err := fakeslack.Start(opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	o := &Options{
		Token: "xoxb-test", Channel: "C123", APIURL: server.APIURL(), Service: "shop", HTTPClient: &http.Client{Timeout: ample},
	}
	if change != nil {
		change(o)
	}
	s, err := NewSlack(o)
	require.NoError(t, err)
	return server, s
}

func declined(id string, n int) Batch {
	at := time.Now().Add(-time.Second)
	return Batch{ID: id, Groups: []Group{{
		Level: slog.LevelError, Code: "card_declined", Message: "payment failed", Count: n, Total: n, First: at, Last: at, At: at,
	}}}
}

func TestSlackPostsEditsAndFinds(t *testing.T) {
	t.Parallel()
	server, s := fakeSlack(t, nil, nil)
	b := declined("B1", 1)
	ref, err := s.Find(t.Context(), b)
	require.NoError(t, err)
	assert.Empty(t, ref, "not yet")

	posted, err := s.Post(t.Context(), b)
	require.NoError(t, err)
	got := server.Messages("C123")
	require.Len(t, got, 1)
	assert.Contains(t, got[0].String(), "payment failed")
	assert.Contains(t, got[0].Text, "shop", "the service is the options'")

	require.NoError(t, s.Edit(t.Context(), posted, declined("B1", 4312)))
	got = server.Messages("C123")
	require.Len(t, got, 1)
	assert.Contains(t, got[0].Text, "4,312")
	assert.Equal(t, 1, got[0].Edits)

	ref, err = s.Find(t.Context(), b)
	require.NoError(t, err)
	assert.Equal(t, posted, ref, "edited or not")
	ref, err = s.Find(t.Context(), declined("B2", 1))
	require.NoError(t, err)
	assert.Empty(t, ref)

	elsewhere := declined("B3", 1)
	elsewhere.Channel = "C456"
	_, err = s.Post(t.Context(), elsewhere)
	require.NoError(t, err)
	assert.Len(t, server.Messages("C456"), 1)
	ref, err = s.Find(t.Context(), declined("B3", 1))
	require.NoError(t, err)
	assert.Empty(t, ref, "in the channel that is asked")
}

// What one process posted, another with the same token finds and edits.
func TestSlackFindsAnothersMessage(t *testing.T) {
	t.Parallel()
	server, one := fakeSlack(t, nil, nil)
	another, err := NewSlack(&Options{Token: "xoxb-test", Channel: "C123", APIURL: server.APIURL()})
	require.NoError(t, err)
	server.FailNext(1, fakeslack.Fault{Drop: true})
	_, err = one.Post(t.Context(), declined("B1", 1))
	e := errorOf(t, err)
	assert.True(t, e.Unknown())
	assert.False(t, e.Unreachable() || e.Refused() || e.Gone() || e.NoHistory() || e.Workspace())
	ref, err := another.Find(t.Context(), declined("B1", 1))
	require.NoError(t, err)
	require.NoError(t, another.Edit(t.Context(), ref, declined("B1", 2)))
	assert.Equal(t, 1, server.Messages("C123")[0].Edits)
}

func TestSlackByWebhook(t *testing.T) {
	t.Parallel()
	server, err := fakeslack.Start(nil)
	require.NoError(t, err)
	defer server.Close()
	s, err := NewSlack(&Options{WebhookURL: server.WebhookURL("ops")})
	require.NoError(t, err)
	b := declined("B1", 3)
	b.Channel = "elsewhere"
	ref, err := s.Post(t.Context(), b)
	require.NoError(t, err)
	assert.Empty(t, ref)
	assert.Len(t, server.Messages("ops"), 1)
	assert.True(t, errorOf(t, s.Edit(t.Context(), ref, b)).Gone())
	_, err = s.Find(t.Context(), b)
	assert.True(t, errorOf(t, err).NoHistory())
}

func TestWhatSlacksErrorsSay(t *testing.T) {
	t.Parallel()
	server, s := fakeSlack(t, nil, nil)
	ref, err := s.Post(t.Context(), declined("B1", 1))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		fault fakeslack.Fault
		is    func(ofSlack) bool
	}{
		"a limit":      {fakeslack.Fault{RetryAfter: "7"}, func(e ofSlack) bool { return e.RetryAfter() == 7*time.Second && !e.Workspace() }},
		"a day":        {fakeslack.Fault{RetryAfter: "86400"}, func(e ofSlack) bool { return e.RetryAfter() == 24*time.Hour }},
		"the quota":    {fakeslack.Fault{Status: 429, Error: "message_limit_exceeded"}, func(e ofSlack) bool { return e.Workspace() && e.RetryAfter() > 0 }},
		"a person":     {fakeslack.Fault{Error: "not_in_channel"}, func(e ofSlack) bool { return strings.Contains(e.Mend(), "invite the bot") }},
		"broken":       {fakeslack.Fault{Status: 502}, ofSlack.Unknown},
		"cut":          {fakeslack.Fault{Drop: true}, ofSlack.Unknown},
		"refused":      {fakeslack.Fault{Error: "msg_blocks_too_long"}, ofSlack.Refused},
		"gone":         {fakeslack.Fault{Error: "message_not_found"}, ofSlack.Gone},
		"out of reach": {fakeslack.Fault{}, ofSlack.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			if name == "out of reach" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithCancel(ctx)
				cancel()
			}
			server.FailNext(2, c.fault) // a refused layout is two requests
			defer server.FailNext(0, fakeslack.Fault{})
			assert.True(t, c.is(errorOf(t, s.Edit(ctx, ref, declined("B1", 2)))))
		})
	}
	server.Withhold("channels:history")
	_, err = s.Find(t.Context(), declined("B1", 1))
	e := errorOf(t, err)
	assert.True(t, e.NoHistory())
	assert.Contains(t, e.Mend(), "add the scope channels:history")
	assert.NotContains(t, err.Error(), "xoxb")
}

func TestNewSlackRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts *Options
		want string
	}{
		"nothing":             {nil, "slackalert: no destination"},
		"nothing, optional":   {&Options{Optional: true}, "slackalert: no destination"},
		"a Sender":            {&Options{Sender: &door{}}, "slackalert: Sender is set; want Token with Channel, or WebhookURL"},
		"no channel":          {&Options{Token: "xoxb-1"}, "Channel is missing"},
		"a negative number":   {&Options{Token: "xoxb-1", Channel: "C1", BatchSize: -1}, "BatchSize is -1"},
		"a token of a user":   {&Options{Token: "xoxp-1", Channel: "C1"}, "Token"},
		"an address, http":    {&Options{WebhookURL: "http://hooks.slack.example/services/geheim"}, "WebhookURL"},
		"a mention of nobody": {&Options{Token: "xoxb-1", Channel: "C1", Codes: map[string]Code{"a": {Mention: "@oncall"}}}, "Mention"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := NewSlack(c.opts)
			require.ErrorContains(t, err, c.want)
			assert.Nil(t, s)
			assert.NotContains(t, err.Error(), "geheim")
			assert.Equal(t, strings.HasPrefix(name, "nothing"), errors.Is(err, ErrNoDestination))
		})
	}
}

func TestSlackUsesTheOptionsOfTheLayout(t *testing.T) {
	t.Parallel()
	server, s := fakeSlack(t, nil, func(o *Options) {
		o.Codes = map[string]Code{"card_declined": {Title: "Card declined"}}
		o.Links = func(Group) []Link { return []Link{{"logs", "https://logs.example"}} }
		o.Mention = func(Group) string { panic("nobody on call") }
	})
	_, err := s.Post(t.Context(), declined("B1", 1))
	require.NoError(t, err, "a panic leaves its part out")
	read := server.Messages("C123")[0].String()
	assert.Contains(t, read, "Card declined")
	assert.Contains(t, read, "logs")

	server, s = fakeSlack(t, nil, func(o *Options) {
		o.Blocks = func(b Batch) []slack.Block {
			text := slack.NewTextBlockObject(slack.PlainTextType, "mine: "+b.Groups[0].Message, false, false)
			return []slack.Block{slack.NewHeaderBlock(text)}
		}
	})
	_, err = s.Post(t.Context(), declined("B1", 1))
	require.NoError(t, err)
	assert.Equal(t, "mine: payment failed", server.Messages("C123")[0].String())
}

func TestSlackFromManyGoroutines(t *testing.T) {
	t.Parallel()
	server, s := fakeSlack(t, nil, func(o *Options) { o.Channel = "#alerts" })
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 5 {
				b := declined(string(rune('a'+g))+string(rune('a'+i)), i+1)
				ref, err := s.Post(context.Background(), b)
				assert.NoError(t, err)
				assert.NoError(t, s.Edit(context.Background(), ref, b))
				found, err := s.Find(context.Background(), b)
				assert.NoError(t, err)
				assert.Equal(t, ref, found)
			}
		})
	}
	all.Wait()
	assert.Len(t, server.Messages("#alerts"), 20)
}

func TestSince(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		groups []Group
		want   time.Time
	}{
		"nothing":            {nil, ago(24 * time.Hour)},
		"no times":           {[]Group{{}}, ago(24 * time.Hour)},
		"an example":         {[]Group{{First: ago(9 * time.Hour), At: ago(time.Hour), Last: now}}, ago(70 * time.Minute)},
		"the earliest":       {[]Group{{At: ago(time.Minute)}, {At: ago(3 * time.Minute)}, {}}, ago(13 * time.Minute)},
		"without an example": {[]Group{{Last: ago(time.Minute)}}, ago(11 * time.Minute)},
		"a clock ahead":      {[]Group{{At: now.Add(time.Hour)}}, ago(10 * time.Minute)},
	} {
		assert.Equal(t, c.want, Batch{Groups: c.groups}.since(now), name)
	}
}

// paced is a Sender with a pace and a check of its own.
type paced struct {
	door
	check func() error
	post  time.Duration
}

func (p *paced) Gaps() (post, edit time.Duration) { return p.post, -time.Second }
func (p *paced) Check(context.Context) error      { return p.check() }

// inNeed is an error of which a person must mend the cause.
type inNeed struct{ do string }

func (inNeed) Error() string  { return "no entry" }
func (e inNeed) Mend() string { return e.do }

func TestASendersOwn(t *testing.T) {
	t.Parallel()
	var nobody *inNeed
	for name, c := range map[string]struct {
		check func() error
		want  string
	}{
		"well":           {func() error { return nil }, ""},
		"ill":            {func() error { return errors.New("no entry") }, "no entry"},
		"to be mended":   {func() error { return inNeed{"ring the bell"} }, "no entry: ring the bell"},
		"mends itself":   {func() error { return inNeed{} }, "no entry"},
		"panics":         {func() error { panic("oh") }, "slackalert: the Sender's Check panicked: oh"},
		"a nil in a box": {func() error { return nobody }, "panicked"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := New(&logs{}, &Options{Sender: &paced{check: c.check}})
			require.NoError(t, err)
			defer h.Close()
			if err := h.Check(t.Context()); c.want != "" {
				assert.ErrorContains(t, err, c.want)
			} else {
				assert.NoError(t, err)
			}
		})
	}
	post, edit := newSenderCarrier(&door{}).gaps()
	assert.Equal(t, []time.Duration{time.Second, 10 * time.Second}, []time.Duration{post, edit}, "Slack's")
	post, edit = newSenderCarrier(&paced{post: 200 * time.Millisecond}).gaps()
	assert.Equal(t, []time.Duration{200 * time.Millisecond, 0}, []time.Duration{post, edit}, "its own, and none below zero")
	_, err := newSenderCarrier(&door{}).find(t.Context(), Batch{}, time.Now())
	assert.ErrorIs(t, err, errNoHistory)
}

func TestCheckSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s, h, _, _ := bot(t, &fakeslack.Options{Token: "xoxb-another"}, nil)
	err := h.Check(t.Context())
	assert.EqualError(t, err, "slack: check the token: invalid_auth: check the token: Slack wants the bot token of an installed app (xoxb-…)")
	assert.NotEmpty(t, errorOf(t, err).Mend())
	require.NoError(t, s.Close())
	away, err := New(&logs{}, &Options{Token: "xoxb-test", Channel: "C1", APIURL: "http://127.0.0.1:1/api/"}) // s's port may be another's by now
	require.NoError(t, err)
	defer away.Close()
	err = away.Check(t.Context())
	assert.True(t, errorOf(t, err).Unreachable())
	assert.ErrorContains(t, err, "connection refused")

	gone, err := New(&logs{}, &Options{WebhookURL: "https://hooks.slack.example/services/T1/B1/geheim", HTTPClient: &http.Client{
		Transport: viaFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 404, Body: http.NoBody}, nil
		}),
	}})
	require.NoError(t, err)
	defer gone.Close()
	assert.ErrorContains(t, gone.Check(t.Context()), "make a new webhook")
}

// door is a Sender that takes everything.
type door struct{}

func (door) Send(context.Context, Batch) error { return nil }

// viaFunc is a transport.
type viaFunc func(*http.Request) (*http.Response, error)

func (f viaFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
