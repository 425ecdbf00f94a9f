// These tests ask what a channel holds, with the scopes for it and without.

package fakeslack

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const marked = `{"event_type":"slackalert_batch","event_payload":{"id":"B7"}}`

// texts are what an answer of conversations.history tells, and its cursor.
func texts(t *testing.T, a answered) (all []string, cursor string) {
	t.Helper()
	m := a.json(t)
	require.Equal(t, true, m["ok"], a.body)
	for _, v := range m["messages"].([]any) {
		all = append(all, v.(map[string]any)["text"].(string))
	}
	meta, _ := m["response_metadata"].(map[string]any)
	cursor, _ = meta["next_cursor"].(string)
	assert.Equal(t, m["has_more"], cursor != "")
	return all, cursor
}

func TestHistory(t *testing.T) {
	s := start(t, nil)
	var ts []string
	for n := range 5 {
		ts = append(ts, call(t, s, "chat.postMessage", "channel", "C1", "text", strconv.Itoa(n)).json(t)["ts"].(string))
		hook(t, s, "C2", `{"text":"elsewhere"}`)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"all":                {nil, "43210"},
		"oldest":             {[]string{"oldest", ts[2]}, "43"},
		"oldest, inclusive":  {[]string{"oldest", ts[2], "inclusive", "true"}, "432"},
		"latest":             {[]string{"latest", ts[2]}, "10"},
		"latest, inclusive":  {[]string{"latest", ts[2], "inclusive", "1"}, "210"},
		"between":            {[]string{"oldest", ts[0], "latest", ts[4]}, "321"},
		"seconds":            {[]string{"oldest", "1"}, "43210"},
		"the future":         {[]string{"oldest", strconv.FormatInt(time.Now().Unix()+9, 10)}, ""},
		"not inclusive":      {[]string{"oldest", ts[2], "inclusive", "false"}, "43"},
		"one more than five": {[]string{"limit", "6"}, "43210"},
		"just five":          {[]string{"limit", "5"}, "43210"},
	} {
		t.Run(name, func(t *testing.T) {
			all, cursor := texts(t, call(t, s, "conversations.history", append(c.args, "channel", "C1")...))
			assert.Equal(t, c.want, strings.Join(all, ""))
			assert.Empty(t, cursor)
		})
	}
	all, cursor := texts(t, call(t, s, "conversations.history", "channel", "C1", "limit", "2", "oldest", ts[0]))
	assert.Equal(t, []string{"4", "3"}, all)
	call(t, s, "chat.postMessage", "channel", "C1", "text", "between the pages")
	all, cursor = texts(t, call(t, s, "conversations.history", "channel", "C1", "limit", "2", "oldest", ts[0], "cursor", cursor))
	assert.Equal(t, []string{"2", "1"}, all)
	assert.Empty(t, cursor)
}

func TestHistoryRefused(t *testing.T) {
	s := start(t, nil)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no channel": {nil, "invalid_arguments"},
		"a name":     {[]string{"channel", "shop"}, "channel_not_found"},
		"limit 0":    {[]string{"channel", "C1", "limit", "0"}, "invalid_limit"},
		"limit 1000": {[]string{"channel", "C1", "limit", "1000"}, "invalid_limit"},
		"no limit":   {[]string{"channel", "C1", "limit", "many"}, "invalid_limit"},
		"oldest":     {[]string{"channel", "C1", "oldest", "yesterday"}, "invalid_ts_oldest"},
		"latest":     {[]string{"channel", "C1", "latest", "now"}, "invalid_ts_latest"},
		"cursor":     {[]string{"channel", "C1", "cursor", "x"}, "invalid_cursor"},
		"no token":   {[]string{"channel", "C1", "token", ""}, "not_authed"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, call(t, s, "conversations.history", c.args...).code(t))
		})
	}
}

func TestMetadataIsKept(t *testing.T) {
	s := start(t, nil)
	m := call(t, s, "chat.postMessage", "channel", "C1", "text", "a", "metadata", marked).json(t)
	assert.Equal(t, "B7", m["message"].(map[string]any)["metadata"].(map[string]any)["event_payload"].(map[string]any)["id"])
	call(t, s, "chat.update", "channel", "C1", "ts", m["ts"].(string), "text", "b")
	told := func(all string) map[string]any {
		a := call(t, s, "conversations.history", "channel", "C1", "include_all_metadata", all).json(t)
		return a["messages"].([]any)[0].(map[string]any)["metadata"].(map[string]any)
	}
	assert.Equal(t, map[string]any{"event_type": "slackalert_batch", "event_payload": map[string]any{"id": "B7"}}, told("true"), "an edit that doesn't name it")
	assert.Equal(t, map[string]any{"event_type": "slackalert_batch"}, told("false"), "the payload is for those who ask")
	call(t, s, "chat.update", "channel", "C1", "ts", m["ts"].(string), "text", "b", "metadata", strings.ReplaceAll(marked, "B7", "B8"))
	assert.Equal(t, map[string]any{"id": "B8"}, told("1")["event_payload"])
	call(t, s, "chat.update", "channel", "C1", "ts", m["ts"].(string), "text", "b", "metadata", "{}")
	call(t, s, "chat.postMessage", "channel", "C1", "text", "a")
	assert.NotContains(t, call(t, s, "conversations.history", "channel", "C1").body, "metadata", "taken away, and never given")
}

func TestMetadataRefused(t *testing.T) {
	s := start(t, nil)
	for name, c := range map[string]struct{ metadata, want string }{
		"good":             {marked, ""},
		"objects":          {`{"event_type":"a_1","event_payload":{"a":{"b":1},"c":[{"d":true}]}}`, ""},
		"empty payload":    {`{"event_type":"a","event_payload":{}}`, ""},
		"nothing":          {`{}`, "invalid_metadata_format"},
		"no JSON":          {`{`, "invalid_metadata_format"},
		"a list":           {`[]`, "invalid_metadata_format"},
		"no type":          {`{"event_payload":{}}`, "invalid_metadata_format"},
		"a type with -":    {`{"event_type":"slack-alert","event_payload":{}}`, "invalid_metadata_format"},
		"an empty type":    {`{"event_type":"","event_payload":{}}`, "invalid_metadata_format"},
		"a number as type": {`{"event_type":7,"event_payload":{}}`, "invalid_metadata_format"},
		"no payload":       {`{"event_type":"a"}`, "invalid_metadata_format"},
		"payload null":     {`{"event_type":"a","event_payload":null}`, "invalid_metadata_format"},
		"payload of text":  {`{"event_type":"a","event_payload":"x"}`, "invalid_metadata_format"},
		"something more":   {`{"event_type":"a","event_payload":{},"x":1}`, "invalid_metadata_format"},
		"null in it":       {`{"event_type":"a","event_payload":{"x":null}}`, "invalid_metadata_schema"},
		"null in its list": {`{"event_type":"a","event_payload":{"x":[{"y":null}]}}`, "invalid_metadata_schema"},
		"a list of text":   {`{"event_type":"a","event_payload":{"x":["y"]}}`, "invalid_metadata_schema"},
		"too large":        {`{"event_type":"a","event_payload":{"x":"` + strings.Repeat("y", 4000) + `"}}`, "metadata_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, call(t, s, "chat.postMessage", "channel", "C1", "text", "a", "metadata", c.metadata).code(t))
		})
	}
	assert.Equal(t, "invalid_payload", hook(t, s, "C1", `{"text":"a","metadata":`+marked+`}`).body, "webhooks take none")
}

func TestWithhold(t *testing.T) {
	s := start(t, nil)
	s.Withhold("channels:history")
	m := call(t, s, "conversations.history", "channel", "C1").json(t)
	assert.Equal(t, "missing_scope", m["error"])
	assert.Equal(t, "channels:history", m["needed"])
	assert.Equal(t, "chat:write,groups:history", m["provided"])
	assert.Empty(t, call(t, s, "conversations.history", "channel", "G1").code(t), "a private channel wants the other")
	assert.Empty(t, call(t, s, "chat.postMessage", "channel", "C1", "text", "a").code(t))

	s.Withhold("groups:history", "chat:write")
	assert.Equal(t, "missing_scope", call(t, s, "conversations.history", "channel", "G1").code(t))
	assert.Equal(t, "missing_scope", call(t, s, "chat.postMessage", "channel", "C1", "text", "a").code(t))
	assert.Empty(t, call(t, s, "auth.test").code(t), "which wants none")
	s.Withhold()
	assert.Empty(t, call(t, s, "conversations.history", "channel", "G1").code(t))
}

func TestRateOfHistory(t *testing.T) {
	s := start(t, &Options{Rate: time.Second})
	for range perWindow {
		require.Empty(t, call(t, s, "conversations.history", "channel", "C1").code(t))
	}
	assert.Equal(t, 429, call(t, s, "conversations.history", "channel", "C1").status)
	assert.Empty(t, call(t, s, "chat.postMessage", "channel", "C1", "text", "a").code(t), "methods are apart")
}
