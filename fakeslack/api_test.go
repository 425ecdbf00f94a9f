// These tests ask the Web API and the webhooks, by hand and with the client.

package fakeslack

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestToken(t *testing.T) {
	strict, easy := start(t, &Options{Token: "xoxb-right"}), start(t, nil)
	for _, method := range []string{"auth.test", "chat.postMessage", "chat.update"} {
		assert.Equal(t, "not_authed", call(t, strict, method, "token", "").code(t))
		assert.Equal(t, "not_authed", call(t, easy, method, "token", "").code(t))
		assert.Equal(t, "invalid_auth", call(t, strict, method, "token", "xoxb-wrong").code(t))
	}
	assert.Empty(t, call(t, strict, "auth.test", "token", "xoxb-right").code(t))
	assert.Empty(t, call(t, easy, "auth.test").code(t))

	req, err := http.NewRequest(http.MethodPost, strict.APIURL()+"auth.test", nil)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer xoxb-right")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	a := answered{body: readAll(t, res.Body)}
	assert.Empty(t, a.code(t))
}

func TestRequestForm(t *testing.T) {
	s := start(t, nil)
	form := "application/x-www-form-urlencoded"
	for name, c := range map[string]struct{ kind, body, want string }{
		"form":             {form, "token=x&channel=C1&text=hi", ""},
		"form, charset":    {form + "; charset=UTF-8", "token=x&channel=C1&text=hi", ""},
		"JSON":             {"application/json; charset=utf-8", `{"token":"x","channel":"C1","text":"hi","mrkdwn":false}`, ""},
		"JSON, blocks":     {"application/json", `{"token":"x","channel":"C1","blocks":[{"type":"divider"}],"thread_ts":null}`, ""},
		"JSON, blocks too": {"application/json", `{"token":"x","channel":"C1","blocks":"[{\"type\":\"divider\"}]"}`, ""},
		"no type":          {"", "token=x", "missing_post_type"},
		"other type":       {"text/plain", "token=x", "invalid_post_type"},
		"odd type":         {"a/b/c;;", "token=x", "invalid_post_type"},
		"charset":          {form + "; charset=koi8-r", "token=x", "invalid_charset"},
		"bad escape":       {form, "token=%zz", "invalid_form_data"},
		"bad UTF-8":        {form, "token=x&channel=C1&text=%ff", "invalid_form_data"},
		"no JSON":          {"application/json", `{"token"`, "invalid_json"},
		"JSON list":        {"application/json", `[]`, "json_not_object"},
		"JSON null":        {"application/json", `null`, "json_not_object"},
		"null is nothing":  {"application/json", `{"token":"x","channel":null,"text":"hi"}`, "invalid_arguments"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := send(t, s.APIURL()+"chat.postMessage", c.kind, c.body)
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, a.status)
			assert.Equal(t, c.want, a.code(t))
		})
	}
	assert.Equal(t, "unknown_method", call(t, s, "chat.shout").code(t))

	res, err := http.Get(s.APIURL() + "auth.test?token=x")
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Empty(t, answered{body: readAll(t, res.Body)}.code(t))
}

func TestPostMessage(t *testing.T) {
	s := start(t, nil)
	blocks := `[{"type":"header","text":{"type":"plain_text","text":"Boom","emoji":false}},{"type":"divider","block_id":"mine"}]`
	a := call(t, s, "chat.postMessage", "channel", "C123", "text", "it &lt;broke&gt;", "blocks", blocks)
	m := a.json(t)
	assert.Equal(t, true, m["ok"])
	assert.Equal(t, "C123", m["channel"])
	echo := m["message"].(map[string]any)
	assert.Equal(t, m["ts"], echo["ts"])
	assert.Equal(t, "it &lt;broke&gt;", echo["text"])
	sent := echo["blocks"].([]any)
	require.Len(t, sent, 2)
	assert.NotEmpty(t, sent[0].(map[string]any)["block_id"], "Slack names blocks that have no ID")
	assert.Equal(t, "mine", sent[1].(map[string]any)["block_id"])

	got := s.Messages("C123")
	require.Len(t, got, 1)
	assert.Equal(t, m["ts"], got[0].TS)
	assert.Equal(t, "C123", got[0].Channel)
	assert.Equal(t, "it &lt;broke&gt;", got[0].Text)
	assert.Zero(t, got[0].Edits)
	require.Len(t, got[0].Blocks.BlockSet, 2)
	header := got[0].Blocks.BlockSet[0].(*slack.HeaderBlock)
	assert.Equal(t, "Boom", header.Text.Text)
	assert.Empty(t, header.BlockID, "messages stand as they were sent")
}

func TestMessagesByChannel(t *testing.T) {
	s := start(t, nil)
	call(t, s, "chat.postMessage", "channel", "#shop", "text", "1")
	id := call(t, s, "chat.postMessage", "channel", "shop", "text", "2").json(t)["channel"].(string)
	hook(t, s, "shop", `{"text":"3"}`)
	call(t, s, "chat.postMessage", "channel", "C9", "text", "4")
	assert.True(t, isChannelID(id), id)
	for channel, want := range map[string]string{"shop": "123", "#shop": "123", id: "123", "C9": "4", "": "1234", "C8": ""} {
		var got string
		for _, m := range s.Messages(channel) {
			got += m.Text
		}
		assert.Equal(t, want, got, "channel %q", channel)
	}
}

func TestPostRefused(t *testing.T) {
	s := start(t, nil)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no channel":         {[]string{"text", "hi"}, "invalid_arguments"},
		"empty channel":      {[]string{"text", "hi", "channel", ""}, "channel_not_found"},
		"no text":            {[]string{"channel", "C1"}, "no_text"},
		"empty text":         {[]string{"channel", "C1", "text", " \n"}, "no_text"},
		"empty blocks":       {[]string{"channel", "C1", "blocks", "[]"}, "no_text"},
		"blocks no JSON":     {[]string{"channel", "C1", "blocks", "[{"}, "invalid_blocks_format"},
		"blocks no list":     {[]string{"channel", "C1", "blocks", `{}`}, "invalid_blocks_format"},
		"blocks and more":    {[]string{"channel", "C1", "blocks", `[] []`}, "invalid_blocks_format"},
		"blocks null":        {[]string{"channel", "C1", "blocks", `null`}, "invalid_blocks_format"},
		"markdown and text":  {[]string{"channel", "C1", "markdown_text", "a", "text", "b"}, "markdown_text_conflict"},
		"markdown too long":  {[]string{"channel", "C1", "markdown_text", strings.Repeat("a", 12001)}, "msg_too_long"},
		"metadata":           {[]string{"channel", "C1", "text", "a", "metadata", "{}"}, "invalid_metadata_format"},
		"attachments":        {[]string{"channel", "C1", "attachments", "{}"}, "invalid_attachments"},
		"attachment":         {[]string{"channel", "C1", "attachments", "[1]"}, "invalid_attachments"},
		"attached null":      {[]string{"channel", "C1", "attachments", `[{"blocks":{}}]`}, "invalid_attachments"},
		"attached block":     {[]string{"channel", "C1", "attachments", `[{"blocks":[{"type":"x"}]}]`}, "invalid_attachments"},
		"101 attachments":    {[]string{"channel", "C1", "attachments", "[{}" + strings.Repeat(",{}", 100) + "]"}, "too_many_attachments"},
		"attached blocks":    {[]string{"channel", "C1", "attachments", `[{"blocks":[` + heavy(13201) + `]}]`}, "msg_blocks_too_long"},
		"attached too heavy": {[]string{"channel", "C1", "attachments", `[{"text":"` + strings.Repeat("a", 13201) + `"}]`}, "msg_blocks_too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, call(t, s, "chat.postMessage", c.args...).code(t))
		})
	}
	assert.Empty(t, s.Messages(""), "what is refused isn't taken")
}

func TestPostTaken(t *testing.T) {
	s := start(t, nil)
	for name, args := range map[string][]string{
		"markdown":    {"markdown_text", strings.Repeat("a", 12000)},
		"metadata":    {"text", "a", "metadata", `{"event_type":"alert","event_payload":{"id":"1"}}`},
		"attachments": {"attachments", `[{"color":"#f00","blocks":[{"type":"divider"}]}]`},
		"only blocks": {"blocks", `[{"type":"divider"}]`, "text", ""},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Empty(t, call(t, s, "chat.postMessage", append(args, "channel", "C1")...).code(t))
		})
	}
}

func TestLongTextIsCut(t *testing.T) {
	s := start(t, nil)
	call(t, s, "chat.postMessage", "channel", "C1", "text", "a"+strings.Repeat("😀", 20_000))
	got := s.Messages("C1")[0].Text
	assert.Equal(t, 39_999, length(got), "no half of a rune is left")
}

func TestThread(t *testing.T) {
	s := start(t, nil)
	ts := call(t, s, "chat.postMessage", "channel", "C1", "text", "parent").json(t)["ts"].(string)
	reply := call(t, s, "chat.postMessage", "channel", "C1", "text", "child", "thread_ts", ts).json(t)
	assert.Equal(t, ts, reply["message"].(map[string]any)["thread_ts"])
	gone := call(t, s, "chat.postMessage", "channel", "C1", "text", "child", "thread_ts", "1.1").json(t)
	assert.NotContains(t, gone["message"], "thread_ts")
}

func TestUpdate(t *testing.T) {
	s := start(t, nil)
	blocks := `[{"type":"divider"}]`
	m := call(t, s, "chat.postMessage", "channel", "shop", "text", "one", "blocks", blocks).json(t)
	id, ts := m["channel"].(string), m["ts"].(string)

	a := call(t, s, "chat.update", "channel", id, "ts", ts, "text", "two").json(t)
	assert.Equal(t, true, a["ok"])
	assert.Equal(t, ts, a["ts"])
	assert.Equal(t, "two", a["text"])
	assert.NotEmpty(t, a["message"].(map[string]any)["edited"])

	got := s.Messages("shop")
	require.Len(t, got, 1)
	assert.Equal(t, 1, got[0].Edits)
	assert.Equal(t, "two", got[0].Text)
	assert.Empty(t, got[0].Blocks.BlockSet, "text alone removes the blocks")
	call(t, s, "chat.update", "channel", id, "ts", ts, "blocks", blocks)
	assert.Equal(t, 2, s.Messages("shop")[0].Edits)
	assert.Len(t, s.Messages("shop")[0].Blocks.BlockSet, 1)
}

func TestUpdateKeepsAttachments(t *testing.T) {
	s := start(t, nil)
	attached := `[{"color":"good","text":"a"}]`
	ts := call(t, s, "chat.postMessage", "channel", "C1", "attachments", attached).json(t)["ts"].(string)
	a := call(t, s, "chat.update", "channel", "C1", "ts", ts, "text", "x").json(t)
	assert.Len(t, a["message"].(map[string]any)["attachments"], 1, "what an edit doesn't name stays")
	a = call(t, s, "chat.update", "channel", "C1", "ts", ts, "text", "x", "attachments", "[]").json(t)
	assert.Empty(t, a["message"].(map[string]any)["attachments"])
}

func TestUpdateRefused(t *testing.T) {
	s := start(t, nil)
	m := call(t, s, "chat.postMessage", "channel", "shop", "text", "one").json(t)
	id, ts := m["channel"].(string), m["ts"].(string)
	hook(t, s, "shop", `{"text":"hooked"}`)
	hooked := s.Messages("shop")[1].TS
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no channel":    {[]string{"ts", ts, "text", "x"}, "invalid_arguments"},
		"no ts":         {[]string{"channel", id, "text", "x"}, "invalid_arguments"},
		"a name":        {[]string{"channel", "shop", "ts", ts, "text", "x"}, "channel_not_found"},
		"unknown ts":    {[]string{"channel", id, "ts", "1700000000.000100", "text", "x"}, "message_not_found"},
		"other channel": {[]string{"channel", "C9", "ts", ts, "text", "x"}, "message_not_found"},
		"a webhook's":   {[]string{"channel", id, "ts", hooked, "text", "x"}, "cant_update_message"},
		"another bot's": {[]string{"channel", id, "ts", ts, "text", "x", "token", "xoxb-2"}, "cant_update_message"},
		"nothing":       {[]string{"channel", id, "ts", ts}, "no_text"},
		"4,001":         {[]string{"channel", id, "ts", ts, "text", strings.Repeat("x", 4001)}, "msg_too_long"},
		"4,002 bytes":   {[]string{"channel", id, "ts", ts, "text", strings.Repeat("한", 1334)}, "msg_too_long"},
		"blocks":        {[]string{"channel", id, "ts", ts, "blocks", `[{"type":"x"}]`}, "invalid_blocks"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, call(t, s, "chat.update", c.args...).code(t))
		})
	}
	assert.Equal(t, "one", s.Messages("shop")[0].Text)
	for _, long := range []string{strings.Repeat("x", 4000), strings.Repeat("한", 1333)} {
		assert.Empty(t, call(t, s, "chat.update", "channel", id, "ts", ts, "text", long).code(t))
	}
}

func TestSlackGo(t *testing.T) {
	s := start(t, &Options{Token: "xoxb-1"})
	c := slack.New("xoxb-1", slack.OptionAPIURL(s.APIURL()))
	who, err := c.AuthTestContext(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "fakeslack", who.Team)

	blocks := slack.MsgOptionBlocks(everyKind()...)
	id, ts, err := c.PostMessageContext(t.Context(), "#shop", slack.MsgOptionText("hi", false), blocks)
	require.NoError(t, err)
	_, _, _, err = c.UpdateMessageContext(t.Context(), id, ts, slack.MsgOptionText("hi again", false), blocks)
	require.NoError(t, err)
	got := s.Messages("shop")
	require.Len(t, got, 1)
	assert.Equal(t, everyKind(), got[0].Blocks.BlockSet)

	_, _, err = c.PostMessageContext(t.Context(), "#shop", slack.MsgOptionBlocks(slack.NewHeaderBlock(
		slack.NewTextBlockObject(slack.PlainTextType, strings.Repeat("a", 151), false, false))))
	var refused slack.SlackErrorResponse
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "invalid_blocks", refused.Err)
	assert.Equal(t, []string{"[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"},
		refused.ResponseMetadata.Messages)

	_, err = slack.New("xoxb-2", slack.OptionAPIURL(s.APIURL())).AuthTestContext(t.Context())
	require.EqualError(t, err, "invalid_auth")
	require.NoError(t, slack.PostWebhookContext(t.Context(), s.WebhookURL("shop"), &slack.WebhookMessage{Text: "hi",
		Blocks: &slack.Blocks{BlockSet: everyKind()}}))
	http.DefaultClient.CloseIdleConnections()
}

// everyKind is a block of each kind that alerts are made of, as the client
// builds them.
func everyKind() []slack.Block {
	text := slack.NewTextBlockObject(slack.MarkdownType, "*a* <https://example.com|b>", false, true)
	plain := slack.NewTextBlockObject(slack.PlainTextType, "a", false, false)
	button := slack.NewButtonBlockElement("go", "1", plain)
	button.URL = "https://example.com"
	leaf := slack.NewRichTextSectionTextElement("a", &slack.RichTextSectionTextStyle{Bold: true})
	link := slack.NewRichTextSectionLinkElement("https://example.com", "b", nil)
	return []slack.Block{
		slack.NewHeaderBlock(plain),
		slack.NewSectionBlock(text, []*slack.TextBlockObject{text, plain}, nil),
		slack.NewContextBlock("c", text, slack.NewImageBlockElement("https://example.com/a.png", "a")),
		slack.NewDividerBlock(),
		slack.NewActionBlock("", button),
		slack.NewImageBlock("https://example.com/a.png", "a", "", plain),
		slack.NewRichTextBlock("",
			slack.NewRichTextSection(leaf, link, slack.NewRichTextSectionEmojiElement("fire", 0, nil),
				slack.NewRichTextSectionUserElement("U1", nil), slack.NewRichTextSectionChannelElement("C1", nil),
				slack.NewRichTextSectionUserGroupElement("S1"), slack.NewRichTextSectionBroadcastElement("here"),
				slack.NewRichTextSectionDateElement(1700000000, "{date_short} {time}", nil, nil)),
			&slack.RichTextPreformatted{Type: slack.RTEPreformatted, Elements: []slack.RichTextSectionElement{leaf, link}},
			&slack.RichTextQuote{Type: slack.RTEQuote, Elements: []slack.RichTextSectionElement{leaf}},
			slack.NewRichTextList(slack.RTEListBullet, 0, slack.NewRichTextSection(leaf))),
	}
}

func TestWebhook(t *testing.T) {
	s := start(t, nil)
	assert.Equal(t, s.WebhookURL("#shop"), s.WebhookURL("shop"))
	assert.NotEqual(t, s.WebhookURL("shop"), s.WebhookURL("shop2"))
	assert.Regexp(t, `/services/T[A-Z0-9]+/B[A-Z0-9]+/\w{24}$`, s.WebhookURL("a b/c?"))
	weird := hook(t, s, "a b/c?", `{"text":"hi"}`)
	assert.Equal(t, "ok", weird.body)
	assert.Len(t, s.Messages("a b/c?"), 1)

	long := strings.Repeat("a", 3001)
	for name, c := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"text":            {`{"text":"hi","channel":"#elsewhere","replace_original":false}`, 200, "ok"},
		"blocks":          {`{"blocks":[{"type":"divider"}]}`, 200, "ok"},
		"empty":           {``, 400, "invalid_payload"},
		"no JSON":         {`{"text"`, 400, "invalid_payload"},
		"no object":       {`"hi"`, 400, "invalid_payload"},
		"nothing":         {`{}`, 400, "no_text"},
		"bad blocks":      {`{"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"` + long + `"}}]}`, 400, "invalid_blocks"},
		"blocks no list":  {`{"blocks":{}}`, 400, "invalid_blocks"},
		"too heavy":       {`{"blocks":[` + heavy(13_201) + `]}`, 400, "invalid_blocks"},
		"bad attachments": {`{"attachments":[{"blocks":[{}]}]}`, 400, "invalid_attachments"},
		"bad metadata":    {`{"text":"a","metadata":{}}`, 400, "invalid_payload"},
	} {
		t.Run(name, func(t *testing.T) {
			a := hook(t, s, "shop", c.body)
			assert.Equal(t, c.status, a.status)
			assert.Equal(t, c.want, a.body)
		})
	}
	assert.Len(t, s.Messages("shop"), 2)
	assert.Empty(t, s.Messages("elsewhere"))

	for _, dead := range []string{"T0/B0/x", "", strings.TrimPrefix(s.WebhookURL("shop"), s.base+"/services/") + "x"} {
		a, err := send(t, s.base+"/services/"+dead, "application/json", `{"text":"hi"}`)
		require.NoError(t, err)
		assert.Equal(t, 404, a.status)
		assert.Equal(t, "no_service", a.body)
	}
	a, err := send(t, s.WebhookURL("shop"), "application/x-www-form-urlencoded", url.Values{"payload": {`{"text":"form"}`}}.Encode())
	require.NoError(t, err)
	assert.Equal(t, "ok", a.body)
	res, err := http.Get(s.WebhookURL("shop"))
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, 400, res.StatusCode)
}
