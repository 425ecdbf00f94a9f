// These tests read messages as people do.

package fakeslack

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMessageString(t *testing.T) {
	s := start(t, nil)
	for name, c := range map[string]struct{ blocks, want string }{
		"header":           {`{"type":"header","text":{"type":"plain_text","text":":red_circle: shop: *boom*","emoji":true}}`, "🔴 shop: *boom*"},
		"no emoji":         {`{"type":"header","text":{"type":"plain_text","text":":red_circle:","emoji":false}}`, ":red_circle:"},
		"section":          {`{"type":"section","text":{"type":"mrkdwn","text":"*a* &lt;b&gt; <https://e.x|log> <!here>\nc"}}`, "a <b> log @here\nc"},
		"fields":           {`{"type":"section","fields":[{"type":"mrkdwn","text":"*User*\n41"},{"type":"plain_text","text":"x"}]}`, "User\n41\nx"},
		"accessory":        {`{"type":"section","text":{"type":"plain_text","text":"a"},"accessory":{"type":"button","text":{"type":"plain_text","text":"Go"}}}`, "a\n[Go]"},
		"fence and quote":  {"{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"a\\n```x\\ny```\\n>q\"}}", "a\n    x\n    y\n> q"},
		"context":          {`{"type":"context","elements":[{"type":"mrkdwn","text":"web-1"},{"type":"image","image_url":"https://e.x/","alt_text":"cat"},{"type":"plain_text","text":"pay.go:9"}]}`, "web-1  [cat]  pay.go:9"},
		"date":             {`{"type":"context","elements":[{"type":"mrkdwn","text":"<!date^1700000000^{time}^https://e.x|12:03>"}]}`, "12:03"},
		"divider":          {`{"type":"divider"}`, "---"},
		"image":            {`{"type":"image","image_url":"https://e.x/","alt_text":"cat","title":{"type":"plain_text","text":"T"}}`, "T\n[cat]"},
		"code":             {rich(`{"type":"rich_text_preformatted","elements":[{"type":"text","text":"dial tcp:\n refused"}]}`), "    dial tcp:\n     refused"},
		"rich":             {leaf(`{"type":"text","text":"a","style":{"bold":true}},{"type":"link","url":"https://e.x","text":"b"},{"type":"user","user_id":"U1"}`), "ab@U1"},
		"rich, last break": {leaf(`{"type":"text","text":"a\nb\n"}`), "a\nb"},
		"quote":            {rich(`{"type":"rich_text_quote","elements":[{"type":"text","text":"a\nb"}]}`), "> a\n> b"},
		"bullets":          {rich(`{"type":"rich_text_list","style":"bullet","indent":1,"elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a"}]}]}`), "  • a"},
		"numbers":          {rich(`{"type":"rich_text_list","style":"ordered","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a"}]},{"type":"rich_text_section","elements":[{"type":"text","text":"b"}]}]}`), "1. a\n2. b"},
		"table":            {`{"type":"table","rows":[[{"type":"raw_text","text":"a"},{"type":"raw_text","text":"b"}],[{"type":"raw_text","text":"c"}]]}`, "a | b\nc"},
		"markdown":         {`{"type":"markdown","text":"**a**"}`, "**a**"},
		"unknown":          {`{"type":"video","title":{"type":"plain_text","text":"v"}}`, "[video]"},
		"two":              {`{"type":"divider"},{"type":"header","text":{"type":"plain_text","text":"H"}}`, "---\nH"},
	} {
		t.Run(name, func(t *testing.T) {
			post(t, s, "C1", "a", "["+c.blocks+"]")
			all := s.Messages("C1")
			assert.Equal(t, c.want, all[len(all)-1].String())
			assert.False(t, strings.HasSuffix(c.want, "\n"))
		})
	}
	assert.Equal(t, "<it> broke @here", Message{Text: "&lt;it&gt; *broke* @here"}.String(), "without blocks its text")
	assert.Empty(t, Message{}.String())
}
