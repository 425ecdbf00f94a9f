package draw

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func shown(t *testing.T, blocks []slack.Block) string {
	t.Helper()
	raw, err := json.Marshal(blocks)
	require.NoError(t, err)
	return string(raw)
}

// Some clients glue neighbouring sections into one line: what stands one below
// the other is one section.
func TestSectionsAreOne(t *testing.T) {
	var r Rich
	r.Section()
	r.Section(Text(""))
	assert.Empty(t, r.AppendTo(nil), "Slack refuses what is empty")
	r.Section(Bold("a"), Text(""), Text(" b"))
	r.Section(Text(""))
	r.Section(Slanted("c"))
	r.Preformatted("")
	r.Preformatted("box")
	r.Section(Text("d"))
	r.Section(Link("e", ""), Link("f", "https://f.example"))
	assert.JSONEq(t, `[{"type":"rich_text","elements":[
		{"type":"rich_text_section","elements":[
			{"type":"text","text":"a","style":{"bold":true}},{"type":"text","text":" b"},{"type":"text","text":"\n"},{"type":"text","text":"c","style":{"italic":true}}]},
		{"type":"rich_text_preformatted","border":0,"elements":[{"type":"text","text":"box"}]},
		{"type":"rich_text_section","elements":[
			{"type":"text","text":"d"},{"type":"text","text":"\n"},{"type":"text","text":"e"},{"type":"link","text":"f","url":"https://f.example"}]}
	]}]`, shown(t, r.AppendTo(nil)))
}

func TestContext(t *testing.T) {
	assert.Empty(t, Context(nil, Plain(""), Markup(" \n")), "Slack refuses what is blank")
	assert.JSONEq(t, `[{"type":"context","elements":[{"type":"plain_text","text":"a","emoji":false},{"type":"mrkdwn","text":"b","verbatim":true}]}]`,
		shown(t, Context(nil, Plain("a"), Plain(" "), Markup("b"))))
}

func TestDates(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 3, 4, 0, time.UTC)
	spans := []Span{{Text: "since ", Bold: true, At: at, As: Minute}, {Text: ", last "}, {Text: "never", At: time.Time{}}, {At: at, As: Dayed}}
	const dayed = "<!date^1795348984^{date_short_pretty} {time}|2026-11-22 12:03:04 UTC>"
	assert.Equal(t, "since <!date^1795348984^{time}|2026-11-22 12:03:04 UTC>, last never"+dayed, MarkupDates(spans))
	var r Rich
	r.Section(RichDates(spans)...)
	got := shown(t, r.AppendTo(nil))
	assert.Contains(t, got, `{"type":"text","text":"since ","style":{"bold":true}},{"type":"date","timestamp":1795348984,"format":"{time}","fallback":"2026-11-22 12:03:04 UTC"}`)
	assert.GreaterOrEqual(t, Weight(spans[3]), len(dayed))
	assert.False(t, Dated(time.Unix(0, 0)))
	assert.False(t, Dated(time.Unix(253_402_300_800, 0)), "Slack knows no year 10,000")
}

func TestAnchor(t *testing.T) {
	assert.Equal(t, "<https://a.example/?a=b&amp;c|a¦b &lt;c&gt;>", Anchor("a|b <c>", "https://a.example/?a=b&c"))
}
