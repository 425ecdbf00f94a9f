package fit

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func plain(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
}

func mrkdwn(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, s, false, true)
}

func header(s string) slack.Block  { return slack.NewHeaderBlock(plain(s)) }
func section(s string) slack.Block { return slack.NewSectionBlock(mrkdwn(s), nil, nil) }

// raw is blocks that Slack's library doesn't make.
func raw(s string) slack.Block { return slack.MustBlockFromJSON(s) }

func shown(t *testing.T, blocks []slack.Block) string {
	t.Helper()
	b, err := json.Marshal(blocks)
	require.NoError(t, err)
	return string(b)
}

func TestLeavesAloneWhatFits(t *testing.T) {
	given := []slack.Block{header("a"), section("b"), slack.NewDividerBlock(), *slack.NewDividerBlock(),
		slack.NewRichTextBlock("", slack.NewRichTextSection(slack.NewRichTextSectionTextElement("c", nil)))}
	got := Blocks(given)
	require.Len(t, got, len(given))
	for i := range given {
		assert.Equal(t, given[i], got[i])
	}
	assert.Empty(t, Blocks(nil))
}

func TestMends(t *testing.T) {
	long := strings.Repeat("x", 5000)
	cut := func(n int) string { return strings.Repeat("x", n-1) + "…" }
	for _, c := range []struct {
		name string
		give slack.Block
		want string // "" = left out without a word
	}{
		{"header", header(long), `[{"type":"header","text":{"type":"plain_text","text":"` + cut(150) + `","emoji":false}}]`},
		{"section", section(long), `[{"type":"section","text":{"type":"mrkdwn","text":"` + cut(3000) + `","verbatim":true}}]`},
		{"by value", *slack.NewHeaderBlock(plain(long)), `[{"type":"header","text":{"type":"plain_text","text":"` + cut(150) + `","emoji":false}}]`},
		{"field", slack.NewSectionBlock(nil, []*slack.TextBlockObject{plain(long), plain(" "), nil}, nil), `[{"type":"section","fields":[{"type":"plain_text","text":"` + cut(2000) + `","emoji":false}]}]`},
		{"context", slack.NewContextBlock("", plain(long), plain("")), `[{"type":"context","elements":[{"type":"plain_text","text":"` + cut(2000) + `","emoji":false}]}]`},
		{"button", slack.NewActionBlock("", slack.NewButtonBlockElement("a", "v", plain(long))), `[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"` + cut(75) + `","emoji":false},"action_id":"a","value":"v"}]}]`},
		{"emoji on mrkdwn", raw(`{"type":"section","text":{"type":"mrkdwn","text":"a","emoji":true}}`), `[{"type":"section","text":{"type":"mrkdwn","text":"a"}}]`},
		{"control characters", section("a\x00b\nc"), "[{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"a\ufffdb\\nc\",\"verbatim\":true}}]"},
		{"long block_id", raw(`{"type":"divider","block_id":"` + long + `"}`), `[{"type":"divider"}]`},
		{"long address", raw(`{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"link","url":"https://` + long + `"},{"type":"text","text":"a"}]}]}`),
			`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a"}]}]}]`},
		{"a type to come", raw(`{"type":"sparkline","points":[1,2.50,3],"text":"` + long + `"}`), `[{"type":"sparkline","points":[1,2.50,3],"text":"` + cut(3000) + `"}]`},
		{"empty section", slack.NewSectionBlock(nil, nil, nil), ""},
		{"empty text", section(" \n"), ""},
		{"empty context", slack.NewContextBlock(""), ""},
		{"empty rich text", slack.NewRichTextBlock(""), ""},
		{"rich text of nothing", slack.NewRichTextBlock("", slack.NewRichTextSection(slack.NewRichTextSectionTextElement("", nil))), ""},
		{"nil", nil, ""},
		{"typed nil", (*slack.SectionBlock)(nil), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Blocks([]slack.Block{c.give})
			if c.want == "" {
				assert.Empty(t, got)
				return
			}
			assert.JSONEq(t, c.want, shown(t, got))
		})
	}
}

// What can't be mended is left out, and said to be.
func TestLeavesOut(t *testing.T) {
	for name, b := range map[string]slack.Block{
		"no type":     &slack.SectionBlock{Text: plain("a")},
		"broken JSON": slack.NewRichTextBlock("", slack.RichTextUnknown{Raw: "{"}),
		"a panic":     panicking{"no"},
		"an echo":     panicking{echo{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Blocks([]slack.Block{header("a"), b})
			require.Len(t, got, 2)
			assert.Contains(t, shown(t, got[1:]), "… (+1 block)")
		})
	}
}

// panicking is a block that panics with something.
type panicking struct{ with any }

func (panicking) BlockType() slack.MessageBlockType { return slack.MBTDivider }
func (panicking) ID() string                        { return "" }
func (p panicking) MarshalJSON() ([]byte, error)    { panic(p.with) }

// echo panics with itself when it is asked for its text.
type echo struct{}

func (e echo) Error() string { panic(e) }

func TestSameBlockIDTwice(t *testing.T) {
	got := shown(t, Blocks([]slack.Block{raw(`{"type":"divider","block_id":"a"}`), raw(`{"type":"divider","block_id":"a"}`)}))
	assert.JSONEq(t, `[{"type":"divider","block_id":"a"},{"type":"divider"}]`, got)
}

func TestTooManyBlocks(t *testing.T) {
	var given []slack.Block
	for i := range 60 {
		given = append(given, section(fmt.Sprint(i)))
	}
	got := Blocks(given)
	require.Len(t, got, 50)
	assert.Contains(t, shown(t, got[49:]), "… (+11 blocks)")
	require.Len(t, Blocks(given[:50]), 50)
	assert.Contains(t, shown(t, Blocks(given[:50])), `"49"`, "fifty are none too many")
}

func TestTooHeavy(t *testing.T) {
	var given []slack.Block
	for range 20 {
		given = append(given, section(strings.Repeat("x", 2900)))
	}
	got := Blocks(given)
	assert.Len(t, got, 20, "texts are cut before blocks go")
	sum := 0
	for _, b := range got {
		text := shown(t, []slack.Block{b})
		assert.Contains(t, text, "…")
		sum += strings.Count(text, "x") + 1 + 125
	}
	assert.LessOrEqual(t, sum, 12_000)

	// Blocks weigh, too: 40 of them leave 7,000 for texts.
	given = nil
	for range 40 {
		given = append(given, section(strings.Repeat("x", 175)))
	}
	assert.Equal(t, given, Blocks(given))
	assert.NotEqual(t, append(given, slack.NewDividerBlock()), Blocks(append(given, slack.NewDividerBlock())))

	// Rich text of many small texts can't be cut; it goes, and the rest stays.
	var leaves []slack.RichTextSectionElement
	for range 3000 {
		leaves = append(leaves, slack.NewRichTextSectionTextElement("12345", nil))
	}
	got = Blocks([]slack.Block{header("a"), slack.NewRichTextBlock("", slack.NewRichTextSection(leaves...)), section("b")})
	require.Len(t, got, 3)
	assert.Contains(t, shown(t, got), `"b"`)
	assert.Contains(t, shown(t, got), "… (+1 block)")
}

// A cut never leaves half a mention or half an entity.
func TestCutsMarkupBetweenTokens(t *testing.T) {
	for _, c := range []struct{ tail, want string }{
		{"<@U0123456789>xxxxxxx", "…"},
		{"&amp;&amp;&amp;", "…"},
		{"<@U1> xxxxxxxxx", "<@U1> …"},
	} {
		lead := strings.Repeat("x", 2993)
		var got []struct{ Text struct{ Text string } }
		require.NoError(t, json.Unmarshal([]byte(shown(t, Blocks([]slack.Block{section(lead + c.tail)}))), &got))
		assert.Equal(t, c.want, strings.TrimLeft(strings.TrimPrefix(got[0].Text.Text, lead), "&amp;"))
	}
}

func TestCallersBlocksStayAsTheyAre(t *testing.T) {
	b := slack.NewHeaderBlock(plain(strings.Repeat("x", 200)))
	before := shown(t, []slack.Block{b})
	Blocks([]slack.Block{b})
	assert.Equal(t, before, shown(t, []slack.Block{b}))
}

// FuzzBlocks gives the mender JSON that nobody meant for it.
func FuzzBlocks(f *testing.F) {
	f.Add(`{"type":"section","text":{"type":"mrkdwn","text":"a"},"fields":[null,1,"x",[]]}`, 3)
	f.Add(`{"type":"rich_text","elements":[{"type":"rich_text_list","style":"bullet","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a"}]}]}]}`, 60)
	f.Add(`{"type":"container","title":{"type":"plain_text","text":"t"},"child_blocks":[{"type":"divider"}]}`, 20)
	f.Add(`{"type":"actions","elements":[{"type":"static_select","options":[{"text":{"type":"plain_text","text":"a"},"value":"b"}]}]}`, 1)
	f.Fuzz(func(t *testing.T, text string, times int) {
		b, err := slack.BlockFromJSON(text)
		if err != nil {
			return
		}
		var given []slack.Block
		for range times % 70 {
			given = append(given, b)
		}
		got := Blocks(given)
		require.LessOrEqual(t, len(got), 50)
		var decoded []any
		require.NoError(t, json.Unmarshal([]byte(shown(t, got)), &decoded))
		weight := 0
		for _, b := range decoded {
			weight += 125 + measure(t, b)
		}
		require.LessOrEqual(t, weight, 12_000)
		again := Blocks(got)
		require.Equal(t, shown(t, got), shown(t, again), "what fits is left alone")
	})
}

// measure counts the texts in v, and holds that none is empty or too long.
func measure(t *testing.T, v any) (n int) {
	switch v := v.(type) {
	case []any:
		for _, child := range v {
			n += measure(t, child)
		}
	case map[string]any:
		if kind := v["type"]; kind == "plain_text" || kind == "mrkdwn" {
			text, _ := v["text"].(string)
			require.NotEmpty(t, strings.TrimSpace(text))
			require.LessOrEqual(t, len([]rune(text)), 3000)
		}
		for key, child := range v {
			if text, ok := child.(string); ok && key == "text" {
				n += len([]rune(text))
			} else {
				n += measure(t, child)
			}
		}
	}
	return n
}
