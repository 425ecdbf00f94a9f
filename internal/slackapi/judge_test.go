package slackapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// outcome is what a failing answer asks of the caller.
type outcome int

const (
	later   outcome = iota // time may do
	mend                   // a person must do something
	anew                   // post anew
	plainly                // the plain text was sent, and refused as well
)

func (o outcome) check(t *testing.T, err error, requests int) *Error {
	t.Helper()
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.True(t, strings.HasPrefix(e.Error(), "slack: "), e.Error())
	want := 1
	if o == plainly {
		want = 2
	}
	assert.Equal(t, want, requests, "requests")
	assert.Equal(t, o == mend || o == plainly, e.Mend() != "", "mend: %q", e.Mend())
	assert.Equal(t, o == anew, e.Gone(), "gone")
	assert.Equal(t, o == plainly, e.Refused(), "refused")
	assert.False(t, e.Unknown() && (o != later || e.Unreachable()), "unknown")
	assertClean(t, err)
	return e
}

// row is one answer of Slack's, and what becomes of it.
type row struct {
	name   string
	status int
	header http.Header
	body   string
	want   outcome
	after  time.Duration
	maybe  bool   // it may stand in the channel
	quota  bool   // the workspace's
	text   string // part of the error's text
	todo   string // part of Mend
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func (r row) answer(w http.ResponseWriter) {
	for k, v := range r.header {
		w.Header()[k] = v
	}
	w.WriteHeader(r.status)
	_, _ = io.WriteString(w, r.body)
}

func refusal(code string) string { return fmt.Sprintf(`{"ok":false,"error":%q}`, code) }

// forEver is more than a Duration holds.
const forEver = math.MaxInt64 / time.Second * time.Second

func TestRetryAfterOfALimit(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for name, r := range map[string]struct {
		header http.Header
		inBody string
		want   time.Duration
	}{
		"good":                 {header("Retry-After", "3"), "", 3 * time.Second},
		"spaces":               {header("Retry-After", " 3 "), "", 3 * time.Second},
		"a fraction":           {header("Retry-After", "1.5"), "", 2 * time.Second},
		"zero":                 {header("Retry-After", "0"), "", time.Second},
		"negative":             {header("Retry-After", "-5"), "", time.Second},
		"a day":                {header("Retry-After", "86400"), "", 24 * time.Hour},
		"overflow":             {header("Retry-After", "9223372036854775807"), "", forEver},
		"beyond a float":       {header("Retry-After", "1e999"), "", forEver},
		"below a float":        {header("Retry-After", "-1e999"), "", time.Second},
		"not a number":         {header("Retry-After", "NaN"), "", 0},
		"no number":            {header("Retry-After", "soon"), "", 0},
		"empty":                {header("Retry-After", ""), "", 0},
		"missing":              {header(), "", 0},
		"a date":               {header("Retry-After", date(90*time.Second)), "", 90 * time.Second},
		"a date gone by":       {header("Retry-After", date(-time.Minute)), "", time.Second},
		"a date far off":       {header("Retry-After", date(1000*time.Hour)), "", 1000 * time.Hour},
		"the server's clock":   {header("Retry-After", date(time.Hour/2), "Date", date(time.Hour/2-7*time.Second)), "", 7 * time.Second},
		"in the body":          {header(), "4", 4 * time.Second},
		"in the body, as text": {header(), "4.2", 5 * time.Second},
		"header before body":   {header("Retry-After", "3"), "9", 3 * time.Second},
		"NaN header, body":     {header("Retry-After", "NaN"), "9", 9 * time.Second},
		"odd header, body":     {header("Retry-After", "soon"), "9", 9 * time.Second},
		"odd body":             {header(), "{}", 0},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, r.want, retryAfter(r.header, r.inBody, now))
		})
	}
	halfway := now.Add(500 * time.Millisecond)
	assert.Equal(t, 2*time.Second, retryAfter(header("Retry-After", date(2*time.Second)), "", halfway), "rounded up")
}

// botRows are the rows of Slack's tables for chat.postMessage.
func botRows() []row {
	rows := []row{
		{name: "429", status: 429, header: header("Retry-After", "3"), body: refusal("ratelimited"), after: 3 * time.Second, text: "HTTP 429 Too Many Requests, ratelimited, retry after 3s"},
		{name: "429, spaces", status: 429, header: header("Retry-After", " 3 "), after: 3 * time.Second},
		{name: "429, zero", status: 429, header: header("Retry-After", "0"), after: time.Second},
		{name: "429, negative", status: 429, header: header("Retry-After", "-5"), after: time.Second},
		{name: "429, overflow", status: 429, header: header("Retry-After", "9223372036854775807"), after: forEver},
		{name: "429, fraction", status: 429, header: header("Retry-After", "1.5"), after: 2 * time.Second},
		{name: "429, date", status: 429, header: header("Retry-After", "Sun, 22 Nov 2026 12:00:30 GMT", "Date", "Sun, 22 Nov 2026 12:00:00 GMT"), after: 30 * time.Second},
		{name: "429, no header", status: 429, body: refusal("ratelimited")},
		{name: "429, in the body", status: 429, body: `{"retry_after":2,"ok":false,"error":"rate_limited"}`, after: 2 * time.Second},
		{name: "429, no header, quota", quota: true, status: 429, body: refusal("message_limit_exceeded"), after: time.Minute, text: "message_limit_exceeded"},
		{name: "429, no header, quota as text", quota: true, status: 429, body: "message_limit_exceeded", after: time.Minute},
		{name: "quota that says when", quota: true, status: 200, header: header("Retry-After", "300"), body: refusal("message_limit_exceeded"), after: 5 * time.Minute},
		{name: "429, HTML", status: 429, body: "<html>slow down</html>"},
		{name: "429, a code of another class", status: 429, body: refusal("invalid_auth")},
		{name: "limit in a 200", status: 200, body: `{"ok":false,"error":"ratelimited"}`, text: "ratelimited"},
		{name: "limit in a 200, with a header", status: 200, header: header("Retry-After", "7"), body: refusal("rate_limited"), after: 7 * time.Second},
		{name: "500", status: 500, maybe: true, text: "HTTP 500"},
		{name: "502, HTML", status: 502, maybe: true, body: "<html><title>bad gateway</title></html>", text: "HTTP 502 Bad Gateway"},
		{name: "503 with a wait", status: 503, maybe: true, header: header("Retry-After", "20"), after: 20 * time.Second},
		{name: "504", status: 504, maybe: true},
		{name: "500 with a code nobody knows", status: 500, maybe: true, body: refusal("oops"), text: "oops"},
		{name: "500 with a code", status: 500, body: refusal("invalid_auth"), want: mend},
		{name: "408", status: 408},
		{name: "425", status: 425},
		{name: "401", status: 401, want: mend},
		{name: "403, HTML", status: 403, body: "<html>", want: mend, text: "HTTP 403", todo: "check the API URL"},
		{name: "404", status: 404, want: mend, todo: "check the API URL"},
		{name: "407", status: 407, want: mend, todo: "proxy"},
		{name: "400", status: 400, want: plainly},
		{name: "400 with a code", status: 400, body: refusal("invalid_blocks"), want: plainly, text: "invalid_blocks"},
		{name: "413", status: 413, want: plainly},
		{name: "201", status: 201, maybe: true, text: "HTTP 201"},
		{name: "204", status: 204, maybe: true},
		{name: "301", status: 301, header: header("Location", "/elsewhere"), want: mend, text: "redirect", todo: "proxy"},
		{name: "302", status: 302, header: header("Location", "/elsewhere"), want: mend},
		{name: "303", status: 303, header: header("Location", "/elsewhere"), want: mend},
		{name: "307", status: 307, header: header("Location", "/elsewhere"), want: mend},
		{name: "308", status: 308, header: header("Location", "/elsewhere"), want: mend},
		{name: "302 to nowhere", status: 302, want: mend},
		{name: "empty", status: 200, maybe: true, text: "neither ok nor an error"},
		{name: "HTML", status: 200, maybe: true, body: "<html><body>Welcome to the airport</body></html>"},
		{name: "plain text", status: 200, maybe: true, body: "welcome"},
		{name: "truncated", status: 200, maybe: true, body: `{"ok":tru`},
		{name: "truncated before the ts", status: 200, maybe: true, body: `{"ok":true,"channel":"C1","ts":"17000`},
		{name: "null", status: 200, maybe: true, body: `null`},
		{name: "{}", status: 200, maybe: true, body: `{}`},
		{name: "[]", status: 200, maybe: true, body: `[]`},
		{name: "ok false", status: 200, body: `{"ok":false}`},
		{name: "ok in quotes", status: 200, maybe: true, body: `{"ok":"true","ts":"1.2"}`},
		{name: "ok without ts", status: 200, maybe: true, body: `{"ok":true,"channel":"C1"}`, text: "ok without a ts"},
		{name: "ok, empty ts", status: 200, maybe: true, body: `{"ok":true,"channel":"C1","ts":""}`},
		{name: "ok, ts of no text", status: 200, maybe: true, body: `{"ok":true,"channel":"C1","ts":{"a":1}}`},
		{name: "odd errors, list", status: 200, body: `{"ok":false,"errors":[{"strange":1}],"error":"is_archived"}`, want: mend, text: "is_archived"},
		{name: "odd errors, object", status: 200, body: `{"ok":false,"error":"is_archived","errors":{}}`, want: mend, text: "is_archived"},
		{name: "scope", status: 200, body: `{"ok":false,"error":"missing_scope","needed":"chat:write.public","provided":"chat:write"}`, want: mend, text: "needed chat:write.public, provided chat:write", todo: "add the scope chat:write.public"},
		{name: "why refused", status: 200, body: `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"]}}`, want: plainly, text: "no more than 50 items allowed"},
		{name: "odd metadata", status: 200, body: `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":7}}`, want: plainly, text: "invalid_blocks"},
		{name: "a code nobody knows", status: 200, body: refusal("brand_new_fault"), want: plainly, text: "brand_new_fault", todo: "brand_new_fault"},
		{name: "a code as long as a page", status: 200, body: refusal(strings.Repeat("x", 5000)), want: plainly, text: strings.Repeat("x", 97) + "…"},
		{name: "a code of control characters", status: 200, body: `{"ok":false,"error":"a\nb\u0000c"}`, want: plainly, text: "a b c"},
	}
	return append(rows, codeRows()...)
}

// codeRows are Slack's codes, each by its class, as they come in a 200. They
// are written out here and not read from the table they test.
func codeRows() (rows []row) {
	add := func(like row, codes string) {
		for code := range strings.FieldsSeq(codes) {
			r := like
			r.name, r.status, r.body, r.text = code, 200, refusal(code), code
			rows = append(rows, r)
		}
	}
	add(row{}, `ratelimited rate_limited request_timeout team_added_to_org org_login_required external_channel_migrating`)
	add(row{maybe: true}, `internal_error fatal_error service_unavailable update_failed`)
	add(row{quota: true, after: time.Minute}, `message_limit_exceeded`)
	add(row{want: mend}, `not_authed invalid_auth account_inactive token_revoked token_expired missing_scope no_permission
		not_allowed_token_type access_denied accesslimited ekm_access_denied team_access_not_granted
		two_factor_setup_required enterprise_is_restricted`)
	add(row{want: mend}, `channel_not_found not_in_channel is_archived restricted_action restricted_action_read_only_channel
		restricted_action_thread_only_channel restricted_action_non_threadable_channel restricted_action_thread_locked
		cannot_reply_to_message messages_tab_disabled team_not_found`)
	add(row{want: plainly}, `invalid_blocks invalid_blocks_format msg_blocks_too_long msg_too_long no_text invalid_attachments
		too_many_attachments attachment_payload_limit_exceeded invalid_metadata_format invalid_metadata_schema
		metadata_too_large metadata_must_be_sent_from_app markdown_text_conflict invalid_arguments invalid_arg_name
		invalid_array_arg invalid_charset invalid_form_data invalid_post_type missing_post_type as_user_not_supported
		only_one_table_allowed`)
	add(row{want: mend, todo: "update this library"}, `deprecated_endpoint method_deprecated`)
	add(row{want: anew}, `message_not_found cant_update_message edit_window_closed is_inactive block_mismatch streaming_state_conflict`)
	add(row{want: mend, todo: "invite the bot to #payments (/invite @bot)"}, `not_in_channel`)
	add(row{want: mend, todo: "unarchive #payments or choose another channel"}, `is_archived`)
	add(row{want: mend, todo: "reinstall the app: the token was revoked"}, `token_revoked`)
	add(row{want: mend, todo: "add the scope chat:write"}, `missing_scope`)
	return rows
}

func TestPostByABot(t *testing.T) {
	for _, r := range botRows() {
		t.Run(r.name, func(t *testing.T) {
			s := serve(t, r.answer)
			ref, err := s.bot().Post(t.Context(), message())
			assert.Empty(t, ref)
			r.check(t, err, s.count())
		})
	}
}

func TestEditByABot(t *testing.T) {
	for _, r := range botRows() {
		t.Run(r.name, func(t *testing.T) {
			s := serve(t, r.answer)
			r.check(t, s.bot().Edit(t.Context(), "#payments/1700000000.000100", message()), s.count())
		})
	}
}

func (r row) check(t *testing.T, err error, requests int) {
	t.Helper()
	e := r.want.check(t, err, requests)
	assert.Equal(t, r.after, e.RetryAfter())
	assert.Equal(t, r.maybe, e.Unknown(), "unknown")
	assert.Equal(t, r.quota, e.Workspace(), "quota")
	assert.False(t, e.Unreachable(), "it was answered")
	assert.Contains(t, e.Error(), r.text)
	assert.Contains(t, e.Mend(), r.todo)
}

// hookRows are the rows of Slack's table for incoming webhooks.
func hookRows() []row {
	return []row{
		{name: "invalid_payload", status: 400, body: "invalid_payload", want: plainly, text: "HTTP 400 Bad Request, invalid_payload"},
		{name: "user_not_found", status: 400, body: "user_not_found", want: mend, todo: "make a new webhook"},
		{name: "no_text", status: 400, body: "no_text", want: plainly},
		{name: "invalid_blocks", status: 400, body: "invalid_blocks", want: plainly},
		{name: "invalid_attachments", status: 400, body: "invalid_attachments", want: plainly},
		{name: "too_many_attachments", status: 400, body: "too_many_attachments", want: plainly},
		{name: "missing_text", status: 400, body: "missing_text_or_fallback_or_attachments", want: plainly},
		{name: "a code nobody knows", status: 400, body: "brand_new_fault", want: plainly, text: "brand_new_fault"},
		{name: "as JSON", status: 400, body: refusal("invalid_blocks"), want: plainly, text: "invalid_blocks"},
		{name: "action_prohibited", status: 403, body: "action_prohibited", want: mend, todo: "administrator"},
		{name: "general", status: 403, body: "posting_to_general_channel_denied", want: mend, todo: "#general"},
		{name: "invalid_token", status: 403, body: "invalid_token", want: mend, text: "invalid_token", todo: "make a new webhook: this one no longer exists"},
		{name: "403", status: 403, want: mend, todo: "make a new webhook"},
		{name: "channel_not_found", status: 404, body: "channel_not_found", want: mend, todo: "make a new webhook"},
		{name: "no_service", status: 404, body: "no_service\n", want: mend, text: "HTTP 404 Not Found, no_service", todo: "make a new webhook: this one no longer exists"},
		{name: "no_service_id", status: 404, body: "no_service_id", want: mend, todo: "this one no longer exists"},
		{name: "no_team", status: 404, body: "no_team", want: mend, todo: "this one no longer exists"},
		{name: "no_active_hooks", status: 404, body: "no_active_hooks", want: mend, todo: "this one no longer exists"},
		{name: "team_disabled", status: 404, body: "team_disabled", want: mend, todo: "reactivate the workspace"},
		{name: "404", status: 404, body: "<html>", want: mend, todo: "make a new webhook"},
		{name: "channel_is_archived", status: 410, body: "channel_is_archived", want: mend, todo: "unarchive the webhook's channel"},
		{name: "410", status: 410, want: mend, todo: "make a new webhook"},
		{name: "429", status: 429, header: header("Retry-After", "30"), body: `{"retry_after":1,"ok":false,"error":"rate_limited"}`, after: 30 * time.Second, text: "rate_limited"},
		{name: "429 without a header", status: 429, body: `{"retry_after":1,"ok":false,"error":"rate_limited"}`, after: time.Second},
		{name: "429 without a word", status: 429},
		{name: "429 quota", quota: true, status: 429, body: "message_limit_exceeded", after: time.Minute},
		{name: "rollup_error", status: 500, maybe: true, body: "rollup_error", text: "rollup_error"},
		{name: "503", status: 503, maybe: true, header: header("Retry-After", "5"), body: "<html>", after: 5 * time.Second, text: "HTTP 503"},
		{name: "302", status: 302, header: header("Location", "/elsewhere"), want: mend, todo: "proxy"},
		{name: "a portal's page", status: 200, maybe: true, body: "<html>Welcome</html>", text: "neither ok nor an error"},
		{name: "empty", status: 200, maybe: true, text: "neither ok nor an error"},
		{name: "another word", status: 200, maybe: true, body: "accepted"},
		{name: "an error in a 200", status: 200, body: "invalid_token", want: mend, text: "invalid_token"},
		{name: "an error in a 200, as JSON", status: 200, body: refusal("no_service"), want: mend, text: "no_service"},
	}
}

func TestPostByAWebhook(t *testing.T) {
	for _, r := range hookRows() {
		t.Run(r.name, func(t *testing.T) {
			s := serve(t, r.answer)
			ref, err := s.webhook().Post(t.Context(), message())
			assert.Empty(t, ref)
			r.check(t, err, s.count())
			assert.Contains(t, err.Error(), "the webhook")
		})
	}
}

func TestAPageIsNoCode(t *testing.T) {
	for _, body := range []string{"<html>not here</html>", strings.Repeat("not here ", 30), "not\nhere", `["not here"]`} {
		s := serve(t, row{status: 404, body: body}.answer)
		_, err := s.webhook().Post(t.Context(), message())
		assert.EqualError(t, err, "slack: post to the webhook: HTTP 404 Not Found")
	}
}

func TestAccepted(t *testing.T) {
	for name, r := range map[string]struct {
		status int
		body   string
		ref    string
	}{
		"the usual":               {200, `{"ok":true,"channel":"C1","ts":"17.1","message":{"text":"x"}}`, "C1/17.1"},
		"no channel":              {200, `{"ok":true,"ts":"17.1"}`, "#payments/17.1"},
		"a warning":               {200, `{"ok":true,"channel":"C1","ts":"17.1","warning":"missing_charset"}`, "C1/17.1"},
		"201":                     {201, `{"ok":true,"channel":"C1","ts":"17.1"}`, "C1/17.1"},
		"blocks nobody knows":     {200, `{"ok":true,"channel":"C1","ts":"17.1","message":{"blocks":[{"type":"context","elements":[{"type":"hologram"}]}]}}`, "C1/17.1"},
		"blocks of another shape": {200, `{"ok":true,"channel":"C1","message":{"blocks":{"a":7},"ts":9},"ts":"17.1"}`, "C1/17.1"},
		"odd errors":              {200, `{"ok":true,"channel":"C1","errors":{},"ts":"17.1"}`, "C1/17.1"},
		"cut within the echo":     {200, `{"ok":true,"channel":"C1","ts":"17.1","message":{"text":"x`, "C1/17.1"},
		"more than is read":       {200, `{"ok":true,"channel":"C1","ts":"17.1","message":"` + strings.Repeat("x", maxAnswer) + `"}`, "C1/17.1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, row{status: r.status, body: r.body}.answer)
			ref, err := s.bot().Post(t.Context(), message())
			require.NoError(t, err)
			assert.Equal(t, r.ref, ref)
			assert.NoError(t, s.bot().Edit(t.Context(), ref, message()))
			assert.Equal(t, 2, s.count())
		})
	}
	for _, body := range []string{"ok", "ok\n", `{"ok":true}`} {
		s := serve(t, row{status: 200, body: body}.answer)
		ref, err := s.webhook().Post(t.Context(), message())
		assert.NoError(t, err, body)
		assert.Empty(t, ref)
	}
}

func TestCheckOfABot(t *testing.T) {
	s := serve(t, row{status: 200, body: `{"ok":true,"url":"https://shop.slack.com/","team":"Shop","user":"bot","bot_id":"B1"}`}.answer)
	require.NoError(t, s.bot().Check(t.Context()))
	assert.Equal(t, "/api/auth.test", s.last().path)

	for code, o := range map[string]outcome{
		"invalid_auth": mend, "token_revoked": mend, "account_inactive": mend, "ratelimited": later,
		"fatal_error": later, "brand_new_fault": mend,
	} {
		s := serve(t, row{status: 200, body: refusal(code)}.answer)
		e := o.check(t, s.bot().Check(t.Context()), 1)
		assert.Contains(t, e.Error(), "slack: check the token: "+code)
	}
	s = serve(t, row{status: 503, header: header("Retry-After", "4")}.answer)
	assert.Equal(t, 4*time.Second, later.check(t, s.bot().Check(t.Context()), 1).RetryAfter())
	s = serve(t, row{status: 200, body: `{}`}.answer)
	later.check(t, s.bot().Check(t.Context()), 1)
}

func TestCheckOfAWebhook(t *testing.T) {
	for _, body := range []string{"no_text", "invalid_payload", "missing_text_or_fallback_or_attachments", refusal("no_text")} {
		s := serve(t, row{status: 400, body: body}.answer)
		require.NoError(t, s.webhook().Check(t.Context()), body)
		assert.Equal(t, "{}", s.last().body, "nothing that could be shown")
	}
	for _, r := range []row{
		{name: "gone", status: 404, body: "no_service", want: mend, text: "no_service", todo: "make a new webhook"},
		{name: "archived", status: 410, body: "channel_is_archived", want: mend},
		{name: "limit", status: 429, header: header("Retry-After", "2"), after: 2 * time.Second},
		{name: "down", status: 503},
		{name: "no Slack", status: 200, body: "ok"},
		{name: "no Slack either", status: 400, body: "go away", want: mend, text: "go away"},
		{name: "another status", status: 500, body: "no_text", want: mend},
		{name: "no fault", status: 400, body: "invalid_blocks", want: mend},
		{name: "redirect", status: 302, want: mend},
	} {
		t.Run(r.name, func(t *testing.T) {
			s := serve(t, r.answer)
			r.check(t, s.webhook().Check(t.Context()), s.count())
		})
	}
}

// FuzzJudge: whatever is answered, it is a success with a ref or an error that
// keeps its promises.
func FuzzJudge(f *testing.F) {
	for _, r := range append(botRows(), hookRows()...) {
		f.Add(r.status, r.header.Get("Retry-After"), []byte(r.body), byte(r.status))
	}
	f.Add(200, "", []byte(`{"ok":true,"channel":"C1","ts":"17.1"}`), byte(0))
	f.Add(404, "", []byte(`no `+testToken), byte(1))
	f.Add(404, "", []byte(`{"error":"`+testHook+`"}`), byte(2))
	f.Add(500, "", []byte(strings.ReplaceAll(testToken, "x", "%78")), byte(4))
	bot, hook := NewBot(testToken, "http://127.0.0.1/api", nil), NewWebhook(testHook, nil)
	f.Fuzz(func(t *testing.T, status int, after string, body []byte, kind byte) {
		a := answer{asked: kind&8 == 0, trip: &trip{}, status: status, header: header("Retry-After", after), body: body}
		if kind&4 != 0 {
			a.err = errors.New(string(body))
		}
		c, what := bot, call{verb: "post to", channel: "C1"}
		if kind&1 != 0 {
			c, what.hook = hook, true
		}
		if kind&2 != 0 {
			what = call{verb: "check", hook: what.hook}
		}
		ref, e := c.judge(what, a)
		if e == nil {
			_, ts, ok := splitRef(ref)
			require.True(t, what.hook || what.verb == "check" || ok && ts != "", "ref %q", ref)
			require.True(t, status >= 200 && status < 300 || what.hook && what.verb == "check", "status %d", status)
			return
		}
		require.Empty(t, ref)
		require.True(t, e.after == 0 || e.after >= time.Second && e.after%time.Second == 0, "%v", e.after)
		require.NotContains(t, e.Mend(), "\n")
		require.Less(t, len(e.Error()), 1000)
		if what.hook {
			assertHides(t, e, hidden[1:]...)
		} else {
			assertHides(t, e, testToken)
		}
	})
}

func TestCausesAreFound(t *testing.T) {
	own := errors.New("the five seconds are over, " + testToken)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, own)
	defer cancel()
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter) { <-release })
	defer close(release)
	_, err := s.bot().Post(ctx, message())
	later.check(t, err, 1)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.NotErrorIs(t, err, context.Canceled)
	assert.Contains(t, err.Error(), "the five seconds are over")
}

// brokenBody is an answer whose body can't be read, and nobody knows why.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("boom") }
func (brokenBody) Close() error             { return nil }

func TestAnAnswerThatCantBeRead(t *testing.T) {
	hc := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: brokenBody{}}, nil
	})}
	_, err := NewBot(testToken, "", hc).Post(t.Context(), message())
	assert.True(t, later.check(t, err, 1).Unknown(), "it went out")
}
