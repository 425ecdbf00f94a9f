package inert

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, in, leaf, line, markup string }{
		{"plain", "payment failed", "payment failed", "payment failed", "payment failed"},
		{"mention", "<!channel> @here", "<!channel> @here", "<!channel> @here", "&lt;!channel&gt; @\u2060here"},
		{"entities", "a & b &amp; <c>", "a & b &amp; <c>", "a & b &amp; <c>", "a &amp; b &amp;amp; &lt;c&gt;"},
		{"marks", "*b* ~s~ `c`", "*b* ~s~ `c`", "*b* ~s~ `c`", "∗b∗ ∼s∼ ˋcˋ"},
		{"underscores", "user_id _it_ _", "user_id _it_ _", "user_id _it_ _", "user_id ˍitˍ ˍ"},
		{"emoji", ":fire: a:b:c 12:03", ":fire: a:b:c 12:03", ":\u2060fire: a:\u2060b:c 12:03", ":\u2060fire: a:\u2060b:c 12:03"},
		{"no emoji", "a: b: c", "a: b: c", "a: b: c", "a: b: c"},
		{"address", "https://x.example/a", "https://x.example/a", "https://x.example/a", "https:\u2060//x\u2060.example/a"},
		{"numbers", "1.5 of 10.0.3.7", "1.5 of 10.0.3.7", "1.5 of 10.0.3.7", "1.5 of 10.0.3.7"},
		{"mail", "bob@evil.example", "bob@evil.example", "bob@evil.example", "bob@\u2060evil\u2060.example"},
		{"quote", "> a", "> a", "> a", "\u2060&gt; a"},
		{"channel", "#general # 1", "#general # 1", "#general # 1", "#\u2060general # 1"},
		{"lines", "a\n\tb\r\nc", "a\n\tb\nc", "a  b c", "a  b c"},
		{"controls", "\x00\x1b[m\x7f\r!", "␀␛[m␡␍!", "␀␛[m␡␍!", "␀␛[m␡␍!"},
		{"bidi", "a\u202eb\u2066c\u200f", `a\u{202e}b\u{2066}c\u{200f}`, `a\u{202e}b\u{2066}c\u{200f}`, `a\u{202e}b\u{2066}c\u{200f}`},
		{"zero width", "a\u200bb\u2060c\ufeff", `a\u{200b}b\u{2060}c\u{feff}`, `a\u{200b}b\u{2060}c\u{feff}`, `a\u{200b}b\u{2060}c\u{feff}`},
		{"separators", "a\u2028b\u0085", `a\u{2028}b\u{85}`, `a\u{2028}b\u{85}`, `a\u{2028}b\u{85}`},
		{"tags", "a\U000e0041", `a\u{e0041}`, `a\u{e0041}`, `a\u{e0041}`},
		{"bad bytes", "a\xff\xfeb", "a\ufffd\ufffdb", "a\ufffd\ufffdb", "a\ufffd\ufffdb"},
		{"family", "👩‍👧 ok", "👩‍👧 ok", "👩‍👧 ok", "👩‍👧 ok"},
		{"stray joiner", "a\u200db", `a\u{200d}b`, `a\u{200d}b`, `a\u{200d}b`},
		{"scripts", "한국어 العربية नमस्ते", "한국어 العربية नमस्ते", "한국어 العربية नमस्ते", "한국어 العربية नमस्ते"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.leaf, Text(c.in, 1000, Leaf))
			assert.Equal(t, c.line, Text(c.in, 1000, Line))
			assert.Equal(t, c.markup, Text(c.in, 1000, Markup))
		})
	}
}

func TestTextCuts(t *testing.T) {
	for _, c := range []struct {
		name, in string
		limit    int
		want     string
	}{
		{"fits", "abcd", 4, "abcd"},
		{"one too long", "abcde", 4, "abc…"},
		{"nothing", "abc", 0, ""},
		{"only the sign", "abc", 1, "…"},
		{"not through a rune", "가나다라마", 3, "가나…"},
		{"not through a pair", "😀😀😀", 4, "😀…"},
		{"not through a family", "ab👩‍👧‍👦", 6, "ab…"},
		{"not off an accent", "abe\u0301x", 4, "ab…"},
		{"not through what stands for a character", "ab\u202ecd", 9, "ab…"},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, Text(c.in, c.limit, Leaf)) })
	}
	assert.Equal(t, "a&amp;…", Text("a&&&", 8, Markup), "an entity stays whole")
	assert.Equal(t, "x가…", string(AppendBytes([]byte("x"), "가나다", 8, Markup)), "the limit is in bytes")
	assert.Equal(t, "가나다", string(AppendBytes(nil, "가나다", 9, Markup)))
	assert.Equal(t, "x", string(AppendBytes([]byte("x"), "가나다", 2, Markup)))
}

// A flood of accents has no place to cut it well; it is cut all the same.
func TestCutWithoutBoundary(t *testing.T) {
	got := Text("e"+strings.Repeat("\u0301", 500), 100, Leaf)
	assert.Greater(t, Len(got), 100-maxCluster-2)
}

func TestCut(t *testing.T) {
	assert.Equal(t, "abc", Cut("abc", 3))
	assert.Equal(t, "ab…", Cut("abcd", 3))
	assert.Equal(t, "가나다", Cut("가나다", 3), "units, not bytes")
	assert.Equal(t, "가…", Cut("가나다", 2))
	assert.Empty(t, Cut("abc", -1))
	assert.Equal(t, "<@here…", Cut("<@here> there", 7), "nothing else is changed")
}

func TestSqueeze(t *testing.T) {
	const refused = "charge order 1007: dial tcp 10.0.3.7:5432: connect: connection refused"
	for _, c := range []struct {
		name, in string
		limit    int
		want     string
	}{
		{"fits", "abc", 3, "abc"},
		{"an error", refused, 40, "charge order 1007: dial tcp … refused"},
		{"one word", "abcdefghijklmnop", 10, "abc … mnop"},
		{"units, not bytes", "가나다라마바사아자차카타", 10, "가나다 … 자차카타"},
		{"not through a family", "abcdefghijklmnop👩‍👧‍👦", 16, "abcdefghijklmno…"},
		{"too little room", "abcdef", 2, "a…"},
		{"none", "abcdef", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Squeeze(c.in, c.limit)
			assert.Equal(t, c.want, got)
			assert.LessOrEqual(t, Len(got), c.limit)
		})
	}
}

// Prose keeps its lines, and none of them is a quote; a label keeps a file's
// name, which can't be a link of its own there.
func TestProseAndLabel(t *testing.T) {
	assert.Equal(t, "a\n\u2060&gt; &lt;b&gt; ∗c∗ d\u2060.go", Text("a\n> <b> *c* d.go", 100, Prose))
	assert.Equal(t, "internal/pay/pay_test.go:142 &lt;b&gt; @\u2060here :\u2060fire: https:\u2060//x.y", Text("internal/pay/pay_test.go:142\n<b> @here :fire: https://x.y", 100, Label))
}

func TestURL(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"https://x.example/a?b=c&d=e#f", "https://x.example/a?b=c&d=e#f"},
		{"HTTP://x.example", "HTTP://x.example"},
		{"https://x.example/a b|c>d<e\"`\x00가", "https://x.example/a%20b%7Cc%3Ed%3Ce%22%60%00%EA%B0%80"},
		{"javascript:alert(1)", ""},
		{"slack://open", ""},
		{"//x.example", ""},
		{"https://", ""},
		{"https:///path", ""},
		{"x.example", ""},
		{"", ""},
		{"https://x.example/" + strings.Repeat("a", maxURL-18), "https://x.example/" + strings.Repeat("a", maxURL-18)},
		{"https://x.example/" + strings.Repeat("a", maxURL-17), ""},
		{"https://x.example/" + strings.Repeat("가", 500), ""},
	} {
		assert.Equal(t, c.want, URL(c.in))
	}
}

// FuzzText holds what every place promises, whatever the text and the limit.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a&b", ":a:b:", "👩‍👧‍👦", "\u202e\x00\xff", "https://a.example", "e\u0301\u0301", "\r\n\r"} {
		f.Add(s, 7)
		f.Add(s+s, 100)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit %= 500
		short := Squeeze(s, limit)
		require.LessOrEqual(t, Len(short), max(limit, 0))
		if head, tail, cut := strings.Cut(short, " … "); cut && utf8.ValidString(s) && short != s {
			require.True(t, strings.HasPrefix(s, head) && strings.HasSuffix(s, tail))
		}
		for p := Leaf; p <= Label; p++ {
			got := Text(s, limit, p)
			require.True(t, utf8.ValidString(got))
			units := len(utf16.Encode([]rune(got)))
			require.Equal(t, units, Len(got))
			require.LessOrEqual(t, units, max(limit, 0))
			if full := Text(s, 1<<30, p); got != full && limit > 0 {
				require.True(t, strings.HasSuffix(got, "…"))
				require.True(t, strings.HasPrefix(full, strings.TrimSuffix(got, "…")), "cut, not changed")
			}
			require.LessOrEqual(t, len(AppendBytes(nil, s, limit, p)), max(limit, 0))
		}
	})
}
