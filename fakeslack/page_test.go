// These tests read the page and its events as a browser gets them.

package fakeslack

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func get(t testing.TB, address string) answered {
	t.Helper()
	res, err := http.Get(address)
	require.NoError(t, err)
	defer res.Body.Close()
	return answered{res.StatusCode, res.Header, readAll(t, res.Body)}
}

// post posts blocks to a channel and returns the message's ts.
func post(t testing.TB, s *Server, channel, text, blocks string) string {
	t.Helper()
	a := call(t, s, "chat.postMessage", "channel", channel, "text", text, "blocks", blocks)
	require.Empty(t, a.code(t), a.body)
	return a.json(t)["ts"].(string)
}

func TestPageHeaders(t *testing.T) {
	s := start(t, nil)
	for _, path := range []string{"", "static/page.css", "static/page.js", "static/icon.svg", "events"} {
		a := get(t, s.PageURL()+path)
		assert.Equal(t, 200, a.status, path)
		assert.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
		assert.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"))
		csp := a.header.Get("Content-Security-Policy")
		assert.True(t, strings.HasPrefix(csp, "default-src 'none'; script-src 'self';"), csp)
		assert.NotContains(t, csp, "unsafe")
	}
	assert.Equal(t, 404, get(t, s.PageURL()+"static/page.go").status)
	assert.Equal(t, 404, get(t, s.PageURL()+"elsewhere").status)
}

func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	s := start(t, nil)
	post(t, s, "C1", "x", `[{"type":"image","image_url":"https://example.com/a.png","alt_text":"a graph"}]`)
	page := get(t, s.PageURL()).body
	for _, m := range regexp.MustCompile(`(?:src|<link[^>]* href)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		assert.True(t, strings.HasPrefix(m[1], "/static/"), m[1])
	}
	assert.Contains(t, page, `<a href="https://example.com/a.png" target="_blank" rel="noopener noreferrer">a graph</a>`)
	for _, file := range []string{"page.css", "page.js"} {
		b, err := static.ReadFile("static/" + file)
		require.NoError(t, err)
		assert.NotRegexp(t, `https?://|@import|url\(`, string(b), file)
	}
}

// mrkdwnSaying is a text object as JSON.
func mrkdwnSaying(s string) string { return `{"type":"mrkdwn","text":"` + s + `"}` }

// drawings are blocks, and a part of what the page draws for each.
var drawings = map[string]string{
	`{"type":"header","text":{"type":"plain_text","text":"Boom :fire:"}}`:                 `<div class="header level1" dir="auto">Boom <span class="emoji" title=":fire:">🔥</span></div>`,
	`{"type":"header","level":3,"text":{"type":"plain_text","text":":x:","emoji":false}}`: `<div class="header level3" dir="auto">:x:</div>`,
	section(mrkdwnSaying("*a*")): `<div class="section"><div class="text" dir="auto"><b>a</b></div></div>`,
	`{"type":"section","fields":[` + mrkdwnSaying("a") + "," + mrkdwnSaying("b") + `]}`:                                                      `<div class="fields"><div class="field" dir="auto">a</div><div class="field" dir="auto">b</div></div>`,
	`{"type":"section","text":` + mrkdwnSaying("a") + `,"accessory":` + buttonWith("") + `}`:                                                 `<div class="accessory"><span class="button default">a</span></div>`,
	`{"type":"context","elements":[` + mrkdwnSaying("<https://e.x|l>") + `,{"type":"image","image_url":"https://e.x/i","alt_text":"icon"}]}`: `<div class="context"><span class="words" dir="auto"><a class="link" href="https://e.x` + away + `l</a></span><span class="icon" title="icon">▣</span></div>`,
	section(`{"type":"mrkdwn","text":"@here","verbatim":true}`):                                                                              `dir="auto">@here</div>`,
	section(`{"type":"mrkdwn","text":"@here"}`):                                                                                              `dir="auto"><span class="mention broadcast">@here</span></div>`,
	`{"type":"divider"}`: `<hr class="divider">`,
	actions(buttonWith(`,"url":"https://e.x","style":"danger"`)):                                                                            `<div class="actions"><a class="button danger" href="https://e.x` + away + `a</a></div>`,
	leaf(`{"type":"text","text":"a","style":{"bold":true,"code":true}},{"type":"text","text":"*b* :x: &lt;"}`):                              `<b><code>a</code></b>*b* :x: &amp;lt;`,
	leaf(`{"type":"link","url":"https://e.x/"},{"type":"link","url":"tel:1","text":"call"}`):                                                `<a class="link" href="https://e.x/` + away + `https://e.x/</a><span class="deadlink" title="tel:1">call</span>`,
	leaf(`{"type":"user","user_id":"U1"},{"type":"usergroup","usergroup_id":"S1"},{"type":"channel","channel_id":"C1"}`):                    `<span class="mention">@U1</span><span class="mention">@S1</span><span class="mention">#C1</span>`,
	leaf(`{"type":"broadcast","range":"here"},{"type":"emoji","name":"x"}`):                                                                 `<span class="mention broadcast">@here</span><span class="emoji" title=":x:">❌</span>`,
	leaf(`{"type":"date","timestamp":1700000000,"format":"{date_num} {time}","fallback":"then"}`):                                           `<time class="date" data-unix="1700000000" data-format="{date_num} {time}">then</time>`,
	leaf(`{"type":"date","timestamp":1,"format":"{ago}","url":"https://e.x"}`):                                                              `<a class="link" href="https://e.x` + away + `<time class="date" data-unix="1" data-format="{ago}">1</time></a>`,
	leaf(`{"type":"team","team_id":"T1"}`):                                                                                                  `[team]`,
	rich(`{"type":"rich_text_preformatted","language":"go","elements":[` + leafOf(3) + `]}`):                                                `<pre data-language="go" dir="auto">aaa</pre>`,
	rich(`{"type":"rich_text_quote","elements":[` + leafOf(3) + `]}`):                                                                       `<blockquote dir="auto">aaa</blockquote>`,
	rich(`{"type":"rich_text_list","style":"ordered","indent":1,"elements":[{"type":"rich_text_section","elements":[` + leafOf(2) + `]}]}`): `<ol class="indent1"><li dir="auto">aa</li></ol>`,
	rich(`{"type":"rich_text_list","style":"bullet","elements":[{"type":"rich_text_section","elements":[` + leafOf(2) + `]}]}`):             `<ul class="indent0"><li dir="auto">aa</li></ul>`,
	`{"type":"table","rows":[[{"type":"raw_text","text":"a"},` + leaf(leafOf(2)) + `]],"column_settings":[{"align":"right"}]}`:              `<td class="right" dir="auto">a</td><td class="left" dir="auto"><div class="text" dir="auto">aa</div></td>`,
	`{"type":"container","title":{"type":"plain_text","text":"t"},"child_blocks":[{"type":"divider"}]}`:                                     `<div class="container"><div class="title">t</div><hr class="divider"></div>`,
	`{"type":"markdown","text":"**a**"}`:                                                                                                    `<div class="text" dir="auto">**a**</div>`,
	`{"type":"video","title":"x"}`:                                                                                                          `<div class="other">video: not drawn here</div>`,
	actions(`{"type":"overflow"}`):                                                                                                          `<div class="actions"><div class="other">overflow: not drawn here</div></div>`,
	`{"type":"image","slack_file":{"id":"F1"},"alt_text":"shot","title":{"type":"plain_text","text":"t"}}`:                                  `<figure class="image"><figcaption>t</figcaption>shot</figure>`,
}

func TestPageShowsEachKind(t *testing.T) {
	s := start(t, nil)
	for block, want := range drawings {
		ts := post(t, s, "C1", "", "["+block+"]")
		page := get(t, s.PageURL()).body
		_, article, found := strings.Cut(page, `data-ts="`+ts+`"`)
		require.True(t, found)
		article, _, _ = strings.Cut(article, "</article>")
		assert.Contains(t, article, want, block)
		assertOwnMarkup(t, page)
	}
}

func TestPageShowsWhoAndEdits(t *testing.T) {
	s := start(t, nil)
	ts := post(t, s, "C1", "one", "")
	hook(t, s, "#ops", `{"text":"by *hook*","attachments":[{"color":"good","pretext":"p","title":"T","title_link":"https://e.x","text":"_x_","fields":[{"title":"k","value":"v"}],"blocks":[{"type":"divider"}],"footer":"f"},{"color":"red\" onload=\"x"}]}`)
	page := get(t, s.PageURL()).body
	assert.Contains(t, page, `id="m`+ts+`" data-ts="`+ts+`" data-channel="C1" data-edits="0"`)
	assert.NotContains(t, page, `class="edited"`)
	assert.Contains(t, page, `<b class="author">incoming-webhook</b>`)
	assert.Contains(t, page, "by <b>hook</b>")
	assert.Contains(t, page, `fill="#2eb67d"`)
	assert.Contains(t, page, `fill="#dddddd"`)
	assert.Contains(t, page, `<b><a class="link" href="https://e.x`+away+`T</a></b>`)
	assert.Contains(t, page, "<b>k</b>\nv")

	for range 2 {
		call(t, s, "chat.update", "channel", "C1", "ts", ts, "text", "two &lt;2&gt; <!here>")
	}
	page = get(t, s.PageURL()).body
	assert.Contains(t, page, `data-edits="2"`)
	assert.Contains(t, page, `<span class="edited" title="edited 2 times">(edited)</span>`)
	assert.Contains(t, page, `<p class="notification" dir="auto">two &lt;2&gt; @here</p>`, "the notification is without marks")
	assert.NotContains(t, page, ">one<")
}

func TestPageOfAChannel(t *testing.T) {
	s := start(t, nil)
	post(t, s, "#shop", "in shop", "")
	post(t, s, "#ops", "in ops", "")
	all := get(t, s.PageURL()).body
	assert.Contains(t, all, "<title>All channels · fakeslack</title>")
	assert.Less(t, strings.Index(all, ">ops<"), strings.Index(all, ">shop<"), "in order of name")
	one := get(t, s.PageURL()+"?channel="+channelID("shop")).body
	assert.Contains(t, one, "<title>#shop · fakeslack</title>")
	assert.Contains(t, one, "in shop")
	assert.NotContains(t, one, "in ops")
	assert.Contains(t, one, ">ops<", "the other channel is named")
	none := get(t, s.PageURL()+"?channel=C404").body
	assert.NotContains(t, none, "<article")
	assert.Contains(t, none, "<title>#C404 · fakeslack</title>")
	assert.Contains(t, none, "Nothing has arrived yet.")
}

func TestPageShowsTheLatest(t *testing.T) {
	s := start(t, nil)
	for i := range shown + 1 {
		s.store.add("C1", "t", content{text: fmt.Sprintf("number %d.", i)})
	}
	page := get(t, s.PageURL()).body
	assert.Equal(t, shown, strings.Count(page, "<article"))
	assert.NotContains(t, page, "number 0.")
	assert.Contains(t, page, `<a href="?channel=&amp;limit=1000">1 earlier</a>`)
	assert.Equal(t, shown+1, strings.Count(get(t, s.PageURL()+"?limit=1000").body, "<article"))
}

func TestPageCopiesWhatWasSent(t *testing.T) {
	s := start(t, nil)
	blocks := `[{"type":"section","text":{"type":"mrkdwn","text":"a < b & \"c\" + \u003cd\u003e \\u003c ü","verbatim":true}}]`
	post(t, s, "C1", "hi", blocks)
	page := get(t, s.PageURL()).body

	raw := htmlAttribute(t, page, "data-json")
	assert.True(t, strings.HasPrefix(raw, "{\n  \"text\": \"hi\",\n  \"blocks\": [\n    {\n      \"type\": \"section\","), raw)
	var copied struct {
		Text   string
		Blocks json.RawMessage
	}
	require.NoError(t, json.Unmarshal([]byte(raw), &copied))
	assert.Equal(t, "hi", copied.Text)
	assert.JSONEq(t, blocks, string(copied.Blocks))

	_, hash, ok := strings.Cut(htmlAttribute(t, page, `class="builder" href`), "https://app.slack.com/block-kit-builder/#")
	require.True(t, ok)
	assert.NotContains(t, hash, "+", "a builder reads + as itself")
	decoded, err := url.PathUnescape(hash)
	require.NoError(t, err)
	assert.JSONEq(t, `{"blocks":`+blocks+`}`, decoded)

	post(t, s, "C2", "no blocks", "")
	assert.NotContains(t, get(t, s.PageURL()+"?channel=C2").body, "block-kit-builder")
}

func htmlAttribute(t *testing.T, page, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, name+`="`)
	require.True(t, ok)
	value, _, _ := strings.Cut(rest, `"`)
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&#43;", "+", "&amp;", "&").Replace(value)
}

var (
	tag       = regexp.MustCompile(`<(/?)([a-zA-Z!][^\s>/]*)([^>]*)>`)
	attribute = regexp.MustCompile(`([a-zA-Z-]+)(?:="([^"]*)")?`)
	elements  = strings.Fields(`!doctype html head meta title link script body aside p nav main header h1 span a div button
		article img b time hr blockquote pre code ol ul li i s u figure figcaption div table tbody tr td svg rect`)
)

// assertOwnMarkup holds that html has only elements that the template has, no
// handler, no inline style, no script but the page's, and no address that runs.
// The template escapes > in attributes, so a tag ends at the first.
func assertOwnMarkup(t testing.TB, html string) {
	t.Helper()
	for _, m := range tag.FindAllStringSubmatch(html, -1) {
		require.Contains(t, elements, m[2], m[0])
		if m[2] == "script" && m[1] == "" {
			require.Equal(t, `<script src="/static/page.js" defer>`, m[0])
		}
		for _, a := range attribute.FindAllStringSubmatch(m[3], -1) {
			name, value := a[1], a[2]
			require.False(t, strings.HasPrefix(name, "on") || name == "style", m[0])
			if name == "href" || name == "src" {
				require.Regexp(t, `^(https?:|mailto:|/|\?|#)`, value, m[0])
			}
		}
	}
}

// hostile is what must stay text wherever it stands.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</pre></article><b>`,
	`javascript:alert(1)`, `{{.}}`, "`\n</title>", `<!--`, `]]>`, `data:text/html,<script>alert(1)</script>`, "\u202e\x00\x1b[31m",
}

func TestPageHostileTextIsInert(t *testing.T) {
	s := start(t, nil)
	for _, h := range hostile {
		q := func(format string) string {
			b, err := json.Marshal(h)
			require.NoError(t, err)
			return strings.ReplaceAll(format, "$", string(b))
		}
		for _, block := range []string{
			`{"type":"header","block_id":$,"text":{"type":"plain_text","text":$}}`,
			`{"type":"section","text":{"type":"mrkdwn","text":$},"fields":[{"type":"mrkdwn","text":$,"verbatim":true},{"type":"plain_text","text":$}]}`,
			`{"type":"context","elements":[{"type":"mrkdwn","text":$},{"type":"image","image_url":"https://e.x/","alt_text":$}]}`,
			`{"type":"image","image_url":"https://e.x/?\"><script>","alt_text":$,"title":{"type":"plain_text","text":$}}`,
			`{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"a"},"url":"slack://alert(1)","value":$}]}`,
			`{"type":"video","title":$,"video_url":$}`,
			rich(`{"type":"rich_text_preformatted","language":$,"elements":[{"type":"text","text":$}]}`),
			leaf(`{"type":"text","text":$},{"type":"link","url":"https://e.x/\"onclick=","text":$},{"type":"link","url":"slack://alert(1)","text":$},
				{"type":"emoji","name":$},{"type":"user","user_id":$},{"type":"date","timestamp":1,"format":"{date}\"><script>","fallback":$}`),
			`{"type":"markdown","text":$}`,
			`{"type":"table","rows":[[{"type":"raw_text","text":$}]]}`,
		} {
			post(t, s, "C1", h, q("["+block+"]"))
		}
		hook(t, s, h, q(`{"text":$,"attachments":[{"color":$,"title":$,"title_link":$,"text":$,"footer":$,"fields":[{"title":$,"value":$}]}]}`))
	}
	page := get(t, s.PageURL()).body
	assert.Equal(t, len(hostile)*11, strings.Count(page, "<article"))
	assertOwnMarkup(t, page)
	assert.Equal(t, 1, strings.Count(page, "<script"))
	assert.NotContains(t, page, `href="javascript`)
	assertOwnMarkup(t, get(t, s.PageURL()+"?channel="+url.QueryEscape(hostile[1])).body)

	changes := follow(t, s, "", s.versionName(0))
	event := changes.next(t)
	assertOwnMarkup(t, event.parts["messages"])
	assertOwnMarkup(t, event.parts["channels"])
}

// events reads a stream of server-sent events.
type events struct {
	body io.Closer
	in   *bufio.Scanner
}

type event struct {
	id, kind string
	parts    map[string]string
}

func follow(t *testing.T, s *Server, channel, since string) *events {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.PageURL()+"events?"+url.Values{"channel": {channel}, "since": {"nonsense"}}.Encode(), nil)
	require.NoError(t, err)
	req.Header.Set("Last-Event-ID", since)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	assert.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	in := bufio.NewScanner(res.Body)
	in.Buffer(nil, 16<<20)
	return &events{res.Body, in}
}

// next is the next event; its kind is "end" where the stream ends.
func (e *events) next(t *testing.T) event {
	t.Helper()
	var got event
	for e.in.Scan() {
		name, value, _ := strings.Cut(e.in.Text(), ": ")
		switch name {
		case "id":
			got.id = value
		case "event":
			got.kind = value
		case "data":
			require.NoError(t, json.Unmarshal([]byte(value), &got.parts))
		case "":
			if got.parts != nil {
				return got
			}
		}
	}
	return event{kind: "end"}
}

func TestEvents(t *testing.T) {
	s := start(t, nil)
	ts := post(t, s, "#shop", "before", "")
	since := htmlAttribute(t, get(t, s.PageURL()).body, "data-version")
	here, elsewhere := follow(t, s, "", since), follow(t, s, "C404", since)

	post(t, s, "#shop", "after", "")
	e := here.next(t)
	assert.Contains(t, e.parts["messages"], "after")
	assert.NotContains(t, e.parts["messages"], "before", "only what changed")
	assert.Contains(t, e.parts["channels"], `<span class="count">2</span>`)

	e2 := elsewhere.next(t)
	assert.Empty(t, e2.parts["messages"])
	assert.Contains(t, e2.parts["channels"], ">shop<")

	call(t, s, "chat.update", "channel", channelID("shop"), "ts", ts, "text", "edited now")
	e = here.next(t)
	assert.Contains(t, e.parts["messages"], `data-ts="`+ts+`" data-channel="`+channelID("shop")+`" data-edits="1"`)
	assert.Contains(t, e.parts["messages"], "edited now")
	assert.NotContains(t, e.parts["messages"], "after")

	again := follow(t, s, "", since).next(t)
	assert.Equal(t, e.id, again.id)
	assert.Equal(t, 2, strings.Count(again.parts["messages"], "<article"), "who was away gets all that was missed")

	assert.Equal(t, "reset", follow(t, s, "", "another-1").next(t).kind)
	assert.Equal(t, "reset", follow(t, s, "", "").next(t).kind)

	require.NoError(t, s.Close())
	assert.Equal(t, "end", here.next(t).kind)
}

func TestEventsOfAStorm(t *testing.T) {
	s := start(t, nil)
	page := follow(t, s, "", s.versionName(0))
	for i := range 500 {
		s.store.add("C1", "t", content{text: fmt.Sprintf("number %d.", i)})
	}
	var ids []string
	var articles int
	for articles < 500 {
		e := page.next(t)
		require.NotEqual(t, "end", e.kind)
		ids = append(ids, e.id)
		articles += strings.Count(e.parts["messages"], "<article")
	}
	assert.Equal(t, 500, articles, "each once")
	assert.Len(t, slices.Compact(ids), len(ids))
}

func TestReaderWhoLeavesIsForgotten(t *testing.T) {
	s := start(t, nil)
	page := follow(t, s, "", s.versionName(0))
	page.body.Close()
	done := make(chan struct{})
	go func() { s.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("Close waits for a reader who has gone")
	}
}
