// These tests read mrkdwn, also such that means harm.

package fakeslack

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// drawn is the HTML of spans.
func drawn(t *testing.T, spans []span) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, pages.ExecuteTemplate(&b, "spans", spans))
	return b.String()
}

// away is what every link carries.
const away = `" target="_blank" rel="noopener noreferrer">`

func TestMrkdwn(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"plain", "plain"},
		{"two\nlines", "two\nlines"},
		{"a &lt;b&gt; &amp;amp; & &quot;", "a &lt;b&gt; &amp;amp; &amp; &amp;quot;"},
		{"<b>", "&lt;b&gt;"},
		{"*bold* _italic_ ~strike~", "<b>bold</b> <i>italic</i> <s>strike</s>"},
		{"*_both_*, (*in*).", "<b><i>both</i></b>, (<b>in</b>)."},
		{"2*3*4 snake_case_name a~b~c", "2*3*4 snake_case_name a~b~c"},
		{"* a* *a * ** __", "* a* *a * ** __"},
		{"*a\nb*", "*a\nb*"},
		{"*a*b c*", "<b>a*b c</b>"},
		{"`code *x* &lt;` `` ` `", "<code>code *x* &lt;</code> `` ` `"},
		{"a `<https://e.x|l>`", `a <code><a class="link" href="https://e.x` + away + `l</a></code>`},
		{"x ```\none\n*two*``` y", "x <pre>one\n*two*</pre> y"},
		{"``` ``` ```open", "``` ``` ```open"},
		{"> one\n&gt; two\nthree", "<blockquote>one\ntwo</blockquote>three"},
		{"a > b\n>", "a &gt; b<blockquote></blockquote>"},
		{"<https://e.x/?a=1&amp;b=2>", `<a class="link" href="https://e.x/?a=1&amp;b=2` + away + `https://e.x/?a=1&amp;b=2</a>`},
		{"<mailto:a@e.x|*mail* &lt;me&gt;>", `<a class="link" href="mailto:a@e.x` + away + `*mail* &lt;me&gt;</a>`},
		{"<javascript:alert(1)|click>", `<span class="deadlink" title="javascript:alert(1)">click</span>`},
		{"<JavaScript:alert(1)>", `<span class="deadlink" title="JavaScript:alert(1)">JavaScript:alert(1)</span>`},
		{"<data:text/html,x|y>", `<span class="deadlink" title="data:text/html,x">y</span>`},
		{"<@U1> <@U1|ann> <#C1> <#C1|shop>", `<span class="mention">@U1</span> <span class="mention">@U1</span> <span class="mention">#C1</span> <span class="mention">#shop</span>`},
		{"<!here> <!subteam^S1> <!subteam^S1|@oncall>", `<span class="mention broadcast">@here</span> <span class="mention">@S1</span> <span class="mention">@oncall</span>`},
		{"<!date^1700000000^{date} at {time}|then>", `<time class="date" data-unix="1700000000" data-format="{date} at {time}">then</time>`},
		{"<!date^1^{ago}^https://e.x|then>", `<a class="link" href="https://e.x` + away + `<time class="date" data-unix="1" data-format="{ago}">then</time></a>`},
		{"<!date^x^{ago}|then> <!date^1|then>", "then then"},
		{":fire::nobody_knows: 12:30:45 :", `<span class="emoji" title=":fire:">🔥</span><span class="emoji" title=":nobody_knows:">:nobody_knows:</span> 12:30:45 :`},
		{"<> <|> <a\nb> < <x> a < b", "&lt;&gt; &lt;|&gt; &lt;a\nb&gt; &lt; &lt;x&gt; a &lt; b"},
	} {
		assert.Equal(t, c.want, drawn(t, parseMrkdwn(c.text, false)), "%q", c.text)
	}
}

func TestLooseMrkdwn(t *testing.T) {
	const link = `<a class="link" href="https://e.x/a?b=c` + away + `https://e.x/a?b=c</a>`
	for _, c := range []struct{ text, loose, strict string }{
		{"see https://e.x/a?b=c.", "see " + link + ".", "see https://e.x/a?b=c."},
		{"(https://e.x/a?b=c)", "(" + link + ")", "(https://e.x/a?b=c)"},
		{"xhttps://e.x https://", "xhttps://e.x https://", "xhttps://e.x https://"},
		{"https://e.x?a&amp;b", `<a class="link" href="https://e.x?a&amp;b` + away + `https://e.x?a&amp;b</a>`, "https://e.x?a&amp;b"},
		{"`https://e.x`", "<code>https://e.x</code>", "<code>https://e.x</code>"},
		{"hi @here, @channels a@everyone", `hi <span class="mention broadcast">@here</span>, @channels a@everyone`, "hi @here, @channels a@everyone"},
	} {
		assert.Equal(t, c.loose, drawn(t, parseMrkdwn(c.text, true)), "%q", c.text)
		assert.Equal(t, c.strict, drawn(t, parseMrkdwn(c.text, false)), "%q", c.text)
	}
}

func TestPlainText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"<!here> *a* &lt;", "&lt;!here&gt; *a* &amp;lt;"},
		{":x: at 12:30:45 :100: a:b", `<span class="emoji" title=":x:">❌</span> at 12:30:45 <span class="emoji" title=":100:">💯</span> a:b`},
	} {
		assert.Equal(t, c.want, drawn(t, parseEmoji(c.text)), "%q", c.text)
	}
}

func TestWords(t *testing.T) {
	assert.Equal(t, "a <b> link @here bold 🔥 then",
		words(parseMrkdwn("a &lt;b&gt; <https://e.x|link> <!here> *bold* :fire: <!date^1^{date}|then>", false)))
}

// FuzzMrkdwn holds that what is escaped names nobody and leads nowhere, and that
// nothing but the page's own elements comes of any text.
func FuzzMrkdwn(f *testing.F) {
	for _, seed := range []string{"", "<!here> *a* _b_", "```<@U1>```", "> <a|b>", "&lt;!date^1^{x}|y>", "*_~`*_~`", "<|>", "\xff<\x00>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, loose := range []bool{false, true} {
			assertOwnMarkup(t, drawn(t, parseMrkdwn(text, loose)))
		}
		escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
		html := drawn(t, parseMrkdwn(escaped, false))
		for _, sign := range []string{`class="link"`, `class="mention`, "<time", "deadlink"} {
			assert.NotContains(t, html, sign)
		}
	})
}
