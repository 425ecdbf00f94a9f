// These tests make requests fail, and come too soon.

package fakeslack

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFaults(t *testing.T) {
	type want struct {
		status      int
		body, retry string
	}
	for name, c := range map[string]struct {
		fault     Fault
		api, hook want
	}{
		"status": {Fault{Status: 503},
			want{503, "Service Unavailable", ""}, want{503, "Service Unavailable", ""}},
		"429": {Fault{Status: 429},
			want{429, `{"error":"ratelimited","ok":false}`, ""}, want{429, `{"error":"rate_limited","ok":false,"retry_after":1}`, ""}},
		"retry": {Fault{RetryAfter: "1.5"},
			want{429, `{"error":"ratelimited","ok":false}`, "1.5"}, want{429, `{"error":"rate_limited","ok":false,"retry_after":1}`, "1.5"}},
		"retry 503": {Fault{Status: 503, RetryAfter: "7"},
			want{503, `{"error":"ratelimited","ok":false}`, "7"}, want{503, `{"error":"rate_limited","ok":false,"retry_after":1}`, "7"}},
		"error": {Fault{Error: "is_archived"},
			want{200, `{"error":"is_archived","ok":false}`, ""}, want{400, "is_archived", ""}},
		"error with status": {Fault{Error: "no_service", Status: 410},
			want{410, `{"error":"no_service","ok":false}`, ""}, want{410, "no_service", ""}},
		"known to webhooks": {Fault{Error: "channel_is_archived"},
			want{200, `{"error":"channel_is_archived","ok":false}`, ""}, want{410, "channel_is_archived", ""}},
		"error with retry": {Fault{Error: "rate_limited", RetryAfter: "2"},
			want{429, `{"error":"rate_limited","ok":false}`, "2"}, want{429, "rate_limited", "2"}},
		"body": {Fault{Body: "<html>"},
			want{200, "<html>", ""}, want{200, "<html>", ""}},
		"body with status": {Fault{Body: `{"ok":true}`, Status: 201, Error: "unsaid"},
			want{201, `{"ok":true}`, ""}, want{201, `{"ok":true}`, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, nil)
			s.FailNext(2, c.fault)
			a := call(t, s, "chat.postMessage", "channel", "C1", "text", "hi")
			assert.Equal(t, c.api, want{a.status, a.body, a.header.Get("Retry-After")})
			h := hook(t, s, "C1", `{"text":"hi"}`)
			assert.Equal(t, c.hook, want{h.status, h.body, h.header.Get("Retry-After")})
			assert.Empty(t, s.Messages(""), "what is answered in Slack's place isn't taken")
			assert.Empty(t, call(t, s, "chat.postMessage", "channel", "C1", "text", "hi").code(t), "only the next two")
		})
	}
}

func TestFaultsOfAnyMethod(t *testing.T) {
	s := start(t, nil)
	ts := call(t, s, "chat.postMessage", "channel", "C1", "text", "hi").json(t)["ts"].(string)
	s.FailNext(3, Fault{Error: "fatal_error"})
	assert.Equal(t, "fatal_error", call(t, s, "auth.test").code(t))
	assert.Equal(t, "fatal_error", call(t, s, "chat.update", "channel", "C1", "ts", ts, "text", "x").code(t))
	s.FailNext(2, Fault{Error: "internal_error"})
	assert.Equal(t, "internal_error", call(t, s, "nonsense").code(t), "a later call replaces")
	s.FailNext(0, Fault{Error: "unsaid"})
	assert.Empty(t, call(t, s, "auth.test").code(t))
	s.FailNext(-1, Fault{Error: "unsaid"})
	assert.Empty(t, call(t, s, "auth.test").code(t))
}

func TestRedirect(t *testing.T) {
	s := start(t, nil)
	s.FailNext(1, Fault{Status: 302})
	a := call(t, s, "chat.postMessage", "channel", "C1", "text", "hi")
	assert.Equal(t, 302, a.status)
	assert.Equal(t, "/api/chat.postMessage", a.header.Get("Location"))
}

func TestDrop(t *testing.T) {
	s := start(t, nil)
	for name, c := range map[string]struct {
		fault Fault
		want  error
	}{
		"before the answer": {Fault{Drop: true}, io.EOF},
		"within the answer": {Fault{Drop: true, Body: `{"ok":tr`}, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(s.Messages("C1"))
			s.FailNext(2, c.fault)
			_, err := send(t, s.APIURL()+"chat.postMessage", "application/json", `{"token":"x","channel":"C1","text":"hi"}`)
			require.ErrorIs(t, err, c.want)
			_, err = send(t, s.WebhookURL("C1"), "application/json", `{"text":"hi"}`)
			require.ErrorIs(t, err, c.want)
			assert.Len(t, s.Messages("C1"), before+2, "dropped, but taken")
		})
	}
}

func TestDelay(t *testing.T) {
	s := start(t, nil)
	s.FailNext(1, Fault{Delay: 50 * time.Millisecond})
	began := time.Now()
	assert.Empty(t, call(t, s, "chat.postMessage", "channel", "C1", "text", "hi").code(t))
	assert.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)
	assert.Len(t, s.Messages("C1"), 1)

	s.FailNext(1, Fault{Delay: time.Hour})
	client := http.Client{Timeout: 50 * time.Millisecond}
	_, err := client.Post(s.WebhookURL("C1"), "application/json", strings.NewReader(`{"text":"late"}`))
	var timeout interface{ Timeout() bool }
	require.True(t, errors.As(err, &timeout) && timeout.Timeout(), err)
	assert.Len(t, s.Messages("C1"), 2, "taken, although nobody hears of it")

	s.FailNext(1, Fault{Delay: time.Millisecond, Error: "fatal_error"})
	assert.Equal(t, "fatal_error", call(t, s, "chat.postMessage", "channel", "C1", "text", "hi").code(t))
	assert.Len(t, s.Messages("C1"), 2)
}

func TestRate(t *testing.T) {
	s := start(t, &Options{Rate: 1500 * time.Millisecond})
	post := func(channel string) answered { return call(t, s, "chat.postMessage", "channel", channel, "text", "hi") }
	assert.Empty(t, post("shop").code(t))
	busy := post("#shop")
	assert.Equal(t, 429, busy.status)
	assert.Equal(t, `{"error":"ratelimited","ok":false}`, busy.body)
	assert.Equal(t, "2", busy.header.Get("Retry-After"), "rounded up to whole seconds")

	h := hook(t, s, "shop", `{"text":"hi"}`)
	assert.Equal(t, 429, h.status, "a webhook's message is one of the channel's")
	assert.Equal(t, `{"error":"rate_limited","ok":false,"retry_after":2}`, h.body)
	assert.Empty(t, post("other").code(t), "channels are apart")
	assert.Equal(t, "no_text", call(t, s, "chat.postMessage", "channel", "shop", "text", "").code(t), "refusals don't count")
	assert.Len(t, s.Messages("shop"), 1)

	s.limits.mu.Lock()
	s.limits.last[channelID("shop")] = time.Now().Add(-1500 * time.Millisecond)
	s.limits.mu.Unlock()
	assert.Empty(t, post("shop").code(t))
}

func TestRateOfEdits(t *testing.T) {
	s := start(t, &Options{Rate: time.Second})
	ts := call(t, s, "chat.postMessage", "channel", "C1", "text", "0").json(t)["ts"].(string)
	for n := range perWindow {
		a := call(t, s, "chat.update", "channel", "C1", "ts", ts, "text", strconv.Itoa(n+1))
		require.Empty(t, a.code(t), n)
	}
	a := call(t, s, "chat.update", "channel", "C1", "ts", ts, "text", "51")
	assert.Equal(t, 429, a.status)
	wait, err := strconv.Atoi(a.header.Get("Retry-After"))
	require.NoError(t, err)
	assert.InDelta(t, 60, wait, 5)
	assert.Equal(t, 50, s.Messages("C1")[0].Edits)

	s.limits.mu.Lock()
	s.limits.edits[0] = time.Now().Add(-time.Minute)
	s.limits.mu.Unlock()
	assert.Empty(t, call(t, s, "chat.update", "channel", "C1", "ts", ts, "text", "51").code(t))
	assert.Equal(t, 429, call(t, s, "chat.update", "channel", "C1", "ts", ts, "text", "52").status, "one went, one came")
}
