package slackalert

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/inert"
)

var update = flag.Bool("update", false, "rewrite the messages in testdata")

// lunch is when the alerts of the examples happened.
var lunch = time.Date(2026, 11, 22, 12, 3, 4, 0, time.UTC)

// shopBuild is the build that the examples' source lines belong to.
var shopBuild = version{revision: "4f2c9e1d", module: "example.com/shop"}

func shopOptions() *Options {
	return &Options{
		SourceURL: "https://git.example/shop/blob/{revision}/{file}#L{line}",
		Codes: map[string]Code{
			"401": {Title: "Tampered token", Mention: "<@U0SEC>", Runbook: "https://wiki.example/runbooks/401"},
		},
		Mention: func(g Group) string {
			if g.Level >= slog.LevelError+4 {
				return "<!subteam^S0ONCALL>"
			}
			return ""
		},
		Links: func(g Group) []Link {
			return []Link{{"Logs", "https://logs.example/search?q=" + g.Fingerprint + "&from=12:00"}}
		},
	}
}

func payment() Group {
	return Group{
		Fingerprint: "5fe2", Level: slog.LevelError, Message: "payment failed",
		Error:  "charge order 1007: dial tcp 10.0.3.7:5432: connect: connection refused",
		Source: &slog.Source{Function: "example.com/shop/internal/pay.(*Service).Charge", File: "/build/shop/internal/pay/pay.go", Line: 142},
		Fields: []Field{
			{"request_id", "9f86d081884c7d65"}, {"method", "POST"}, {"path", "/pay"}, {"user", "41"}, {"status", "500"},
			{"order", "1007"}, {"amount", "129.00"}, {"err", "charge order 1007: dial tcp 10.0.3.7:5432: connect: connection refused"},
		},
		Count: 1, Total: 1, First: lunch, Last: lunch,
	}
}

func tampered() Group {
	return Group{
		Fingerprint: "b1a0", Level: slog.LevelInfo, Code: "401", Message: "token rejected", Error: "token signature is invalid",
		Source: &slog.Source{Function: "example.com/shop/internal/auth.Check", File: "/build/shop/internal/auth/auth.go", Line: 58},
		Fields: []Field{
			{"http.method", "GET"}, {"http.path", "/account"}, {"http.status", "401"}, {"requestId", "b5bb9d80"},
			{"user.email", "eve@example.com"}, {"error_code", "401"}, {"remote", "203.0.113.9"},
		},
		Count: 1, Total: 1, First: lunch, Last: lunch,
	}
}

func slow() Group {
	return Group{
		Fingerprint: "77d0", Level: slog.LevelWarn, Message: "query is slow",
		Source: &slog.Source{Function: "example.com/shop/internal/db.Query", File: "/build/shop/internal/db/db.go", Line: 31},
		Fields: []Field{{"took", "4.2s"}, {"table", "orders"}},
		Count:  26, Total: 26, First: lunch.Add(2 * time.Second), Last: lunch.Add(9 * time.Second),
	}
}

func shop(groups ...Group) Batch {
	return Batch{ID: "0123456789abcdef", Channel: "C0SHOP", Service: "shop", Host: "web-1", Groups: groups}
}

// with returns a changed copy.
func with1(g Group, change func(*Group)) Group {
	change(&g)
	return g
}

const goStack = `example.com/shop/internal/pay.(*Service).Charge
	/build/shop/internal/pay/pay.go:142
example.com/shop/internal/pay.(*Service).ServeHTTP
	/build/shop/internal/pay/http.go:61
net/http.HandlerFunc.ServeHTTP
	/usr/local/go/src/net/http/server.go:2322
net/http.(*ServeMux).ServeHTTP
	/usr/local/go/src/net/http/server.go:2861`

// messages are the cases in which the layout is looked at.
var messages = []struct {
	name  string
	batch func() Batch
}{
	{"one", func() Batch { return shop(payment()) }},
	{"stack", func() Batch { return shop(with1(payment(), func(g *Group) { g.Stack = goStack })) }},
	{"breadcrumbs", func() Batch {
		return shop(with1(payment(), func(g *Group) {
			g.Breadcrumbs = []string{
				"-1.204s INFO cart loaded items=3",
				"-310ms DEBUG card checked brand=visa",
				"-80ms INFO charging order=1007 amount=129.00",
			}
		}))
	}},
	{"thirty-attributes", func() Batch {
		return shop(with1(payment(), func(g *Group) {
			for i := range 22 {
				g.Fields = append(g.Fields, Field{fmt.Sprintf("detail.%02d", i), strings.Repeat("some value ", 1+i%4)})
			}
			g.Fields = append(g.Fields, Field{"query", "SELECT *\nFROM orders\nWHERE id = $1"})
		}))
	}},
	{"coded-401", func() Batch { return shop(tampered()) }},
	{"unknown-code", func() Batch {
		return shop(with1(payment(), func(g *Group) { g.Code = "E_PAY"; g.Fields = append(g.Fields, Field{"error_code", "E_PAY"}) }))
	}},
	{"fatal", func() Batch {
		return shop(with1(payment(), func(g *Group) {
			g.Level, g.Message, g.Error = slog.LevelError+4, "panic: runtime error: index out of range [3] with length 3", ""
			g.Stack, g.Fields = goStack, g.Fields[:5]
		}))
	}},
	{"storm", func() Batch {
		return shop(with1(payment(), func(g *Group) { g.Count, g.Total, g.Last = 4312, 4312, lunch.Add(42*time.Second) }))
	}},
	{"storm-goes-on", func() Batch {
		return shop(with1(payment(), func(g *Group) { g.Count, g.Total, g.Last = 4312, 9120, lunch.Add(10*time.Minute) }))
	}},
	{"three-groups", func() Batch {
		p := payment()
		p.Count, p.Total, p.Last = 100, 100, lunch.Add(10*time.Second)
		return shop(p, slow(), tampered())
	}},
	{"twenty-groups", func() Batch { return shop(kinds(20)...) }},
	{"forty-seven-groups", func() Batch { return shop(kinds(47)...) }},
	{"after-an-outage", func() Batch {
		return shop(with1(payment(), func(g *Group) {
			g.First, g.Last, g.Count, g.Total = lunch.Add(-27*time.Hour), lunch, 1904, 1904
		}), slow())
	}},
	{"very-long", func() Batch {
		return shop(with1(payment(), func(g *Group) {
			g.Message = strings.Repeat("The payment could not be taken because the bank was away. ", 120)
			g.Error = strings.Repeat("and then this was wrapped: ", 300)
			g.Stack, g.Breadcrumbs = strings.Repeat(goStack+"\n", 40), slices40("-1s INFO step")
		}))
	}},
	{"korean", func() Batch {
		return shop(with1(payment(), func(g *Group) {
			g.Message, g.Error = "결제에 실패했습니다", "주문 1007: 은행 서버에 연결할 수 없습니다"
			g.Fields = []Field{{"user", "김민수"}, {"method", "POST"}, {"path", "/결제"}, {"상품", "겨울 외투"}}
		}))
	}},
	{"arabic", func() Batch {
		return shop(with1(payment(), func(g *Group) {
			g.Message, g.Error = "فشل الدفع", "الطلب 1007: تعذر الاتصال بخادم البنك"
			g.Fields = []Field{{"user", "ليلى"}, {"method", "POST"}, {"path", "/pay"}}
		}))
	}},
	{"hostile", func() Batch {
		return shop(with1(payment(), func(g *Group) {
			g.Message = "<!channel> @here *pay* _up_ ~now~ `rm` :fire: http://evil.example/ \u202egnp.exe"
			g.Error = "```\n<@U0BOSS> & <http://evil.example|click>\x00\x1b[31m```"
			g.Fields = []Field{{"user", "<!here>"}, {"a:smile", "x:"}, {"path", "/main.go:100:5"}, {"method", "@everyone"}}
		}))
	}},
}

func slices40(s string) (all []string) {
	for i := range 40 {
		all = append(all, fmt.Sprintf("%s %d", s, i))
	}
	return all
}

// kinds is n groups, the last third of them milder.
func kinds(n int) (groups []Group) {
	for i := range n {
		g := payment()
		g.Message = fmt.Sprintf("kind %d of failure in the %s", i+1, []string{"basket", "checkout", "search", "mailer"}[i%4])
		g.Count, g.Last = 1+i*i, lunch.Add(time.Duration(i)*time.Second)
		g.Total = g.Count
		if i >= n*2/3 {
			g.Level = slog.LevelWarn
		}
		groups = append(groups, g)
	}
	return groups
}

func TestMessages(t *testing.T) {
	for _, c := range messages {
		t.Run(c.name, func(t *testing.T) {
			got := drawn(t, layout(c.batch(), shopOptions(), shopBuild))
			file := filepath.Join("testdata", "messages", c.name+".json")
			if *update {
				require.NoError(t, os.WriteFile(file, got, 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			wanted, lines := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
			for i, line := range lines {
				if i >= len(wanted) || line != wanted[i] {
					t.Fatalf("%s:%d is now\n%s\nif that is right: go test -run TestMessages -update .", file, i+1, line)
				}
			}
			require.Len(t, lines, len(wanted))
		})
	}
}

// drawn is a message as a golden file has it.
func drawn(t *testing.T, m message) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(struct {
		Text   string        `json:"text"`
		Plain  string        `json:"plain"`
		Blocks []slack.Block `json:"blocks"`
	}{m.text, m.plain, m.blocks}))
	return b.Bytes()
}

// texts are all texts of a message's blocks, in order, one a line.
func texts(t *testing.T, m message) string {
	t.Helper()
	var lines []string
	for _, p := range look(t, m).parts {
		lines = append(lines, p.text)
	}
	return strings.Join(lines, "\n")
}

func TestLayoutOfNothing(t *testing.T) {
	assert.Nil(t, Blocks(Batch{}, nil))
	m := layout(Batch{Service: "shop"}, nil, version{})
	assert.Equal(t, "No alerts in shop", m.text)
	assert.Empty(t, m.blocks)

	m = layout(Batch{Groups: []Group{{}}}, nil, version{})
	assert.Equal(t, "INFO: (no message)", m.text)
	assert.Equal(t, "🔵 INFO · (no message)", texts(t, m))
	assert.Equal(t, "🔵 INFO: (no message)", m.plain)

	m = layout(Batch{Groups: []Group{{}, {}}}, &Options{}, version{})
	assert.Contains(t, texts(t, m), "2 kinds of alert, INFO")
}

func TestLevelsByRange(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelDebug - 4: "⚪ DEBUG-4", slog.LevelDebug: "⚪ DEBUG", slog.LevelInfo - 1: "⚪ DEBUG+3", slog.LevelInfo: "🔵 INFO",
		slog.LevelWarn - 1: "🔵 INFO+3", slog.LevelWarn: "🟠 WARN", slog.LevelError: "🔴 ERROR", slog.LevelError + 1: "🔴 ERROR+1",
		slog.LevelError + 4: "🚨 ERROR+4", 1000: "🚨 ERROR+992",
	} {
		assert.Equal(t, want+" · x", texts(t, layout(Batch{Groups: []Group{{Level: level, Message: "x"}}}, nil, version{})))
	}
}

func TestHowOften(t *testing.T) {
	at := func(d time.Duration) time.Time { return lunch.Add(d) }
	for _, c := range []struct {
		name         string
		count, total int
		first, last  time.Time
		head, line   string
		sentence     string
	}{
		{"once", 1, 1, lunch, lunch, "", "DATE", ""},
		{"once, by hand", 0, 0, lunch, time.Time{}, "", "DATE", ""},
		{"many", 127, 127, lunch, at(10 * time.Second), " ×127", "×127 in 10 s, since DATE", " ×127 in 10 s"},
		{"many at once", 127, 127, lunch, lunch, " ×127", "×127, since DATE", " ×127"},
		{"many, long", 127, 127, lunch, at(time.Hour), " ×127", "×127 in 60 min, since DATE, last DATE", " ×127 in 60 min"},
		{"no times", 127, 127, time.Time{}, time.Time{}, " ×127", "×127", " ×127"},
		{"only the last time", 1, 1, time.Time{}, lunch, "", "last DATE", ""},
		{"goes on", 4312, 4313, lunch, at(5 * time.Minute), " ×4,312 more", "×4,312 more in 5 min (4,313 in all), since DATE, last DATE", " ×4,312 more in 5 min (4,313 in all), since 12:03 UTC"},
		{"goes on for long", 4312, 9120, lunch, at(47 * time.Minute), " ×4,312 more", "×4,312 more (9,120 in 47 min), since DATE, last DATE", " ×4,312 more (9,120 in 47 min), since 12:03 UTC"},
		{"goes on, one more", 1, 2, lunch, at(2 * time.Minute), " ×1 more", "×1 more in 2 min (2 in all), since DATE, last DATE", " ×1 more in 2 min (2 in all), since 12:03 UTC"},
		{"goes on, no times", 2, 9, time.Time{}, time.Time{}, " ×2 more", "×2 more (9 in all)", " ×2 more (9 in all)"},
		{"goes on since yesterday", 2, 9, at(-26 * time.Hour), lunch, " ×2 more", "×2 more (9 in 26 h), since DATE, last DATE", " ×2 more (9 in 26 h), since Nov 21 10:03 UTC"},
		{"clock set back", 2, 2, lunch, at(-time.Hour), " ×2", "×2, since DATE", " ×2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := layout(Batch{Groups: []Group{{Message: "x", Count: c.count, Total: c.total, First: c.first, Last: c.last}}}, nil, version{})
			assert.Equal(t, "INFO: x"+c.sentence, m.text)
			want := "🔵 INFO · x" + c.head
			if c.line != "" {
				want += "\n" + c.line
			}
			assert.Equal(t, want, ours.ReplaceAllString(texts(t, m), "DATE"))
		})
	}
}

func TestSummary(t *testing.T) {
	g := func(level slog.Level, count, total int, first, last time.Duration) Group {
		return Group{Level: level, Message: "x", Count: count, Total: total, First: lunch.Add(first), Last: lunch.Add(last)}
	}
	head := func(groups ...Group) string {
		return strings.Split(texts(t, layout(Batch{Groups: groups}, nil, version{})), "\n")[0]
	}
	assert.Equal(t, "🔴 3 kinds of alert, 127 in 10 s, ERROR", head(g(0, 1, 1, 0, 0), g(8, 100, 100, time.Second, 9*time.Second), g(4, 26, 26, time.Second, 10*time.Second)))
	assert.Equal(t, "🔴 2 kinds of alert, 5 more, ERROR", head(g(8, 4, 90, 0, time.Hour), g(4, 1, 1, 0, 0)), "the time of some is not that of all")
	assert.Equal(t, "🔵 2 kinds of alert, INFO", head(Group{}, Group{}))
	assert.Equal(t, "🔴 2 kinds of alert in 3 s, ERROR", head(g(8, 1, 1, 0, 0), g(8, 1, 1, 3*time.Second, 3*time.Second)), "each once")
}

// Each group gets a fair share: what the first have to say can't starve the last.
func TestFairShares(t *testing.T) {
	for _, n := range []int{2, 13, 20, 21, 40} {
		var groups []Group
		for i := range n {
			groups = append(groups, Group{
				Level: slog.LevelError, Message: fmt.Sprint(i, strings.Repeat(" words", 600)), Error: strings.Repeat("error ", 600), Count: i + 1,
				Stack: strings.Repeat("main.f\n\tmain.go:1\n", 100), Fields: []Field{{"user", strings.Repeat("u", 300)}},
			})
		}
		b := Batch{Groups: groups}
		m := layout(b, nil, version{})
		s := look(t, m)
		requireAllTold(t, b, s)
		least, most, size := 1<<30, 0, 0
		for _, p := range append(s.parts, part{kind: "text", text: "🔴 "}) {
			if headSign.MatchString(p.text) && p.kind == "text" && size > 0 {
				least, most, size = min(least, size), max(most, size), 0
			}
			if p.kind == "text" && p.where != "" {
				size += units16(p.text)
			}
		}
		assert.Greater(t, least*3, most*2, "%d groups: from %d to %d units", n, least, most)
		assert.Greater(t, s.weight, 7000, "%d groups: room is left unused", n)
	}
}

// Of many groups only who and where is told, not the other attributes.
func TestManyGroupsTellWho(t *testing.T) {
	fields := []Field{{"order", "1007"}, {"user", "41"}, {"path", "/pay"}}
	many := func(n int, first []Field) string {
		var b Batch
		for i := range n {
			b.Groups = append(b.Groups, Group{Message: fmt.Sprint("kind ", i), Fields: fields})
		}
		b.Groups[0].Fields = first
		return lines(t, layout(b, nil, version{}))
	}
	assert.Contains(t, many(6, fields), "kind 0\nuser 41 · path /pay · order 1007\n")
	assert.Contains(t, many(12, fields), "kind 0\nuser 41 · path /pay\norder 1007\n", "what leads on would stand before the order")
	assert.Contains(t, many(13, fields), "kind 0\nuser 41 · path /pay\n… (+1 field)\n")
	for _, n := range []int{6, 12, 13} {
		assert.Regexp(t, "kind 0\nuser 41 · path /pay\n\n?🔵", many(n, fields[1:]), "%d groups", n)
	}
}

// lines are the lines of a message, as drawn.
func lines(t *testing.T, m message) string {
	t.Helper()
	var b strings.Builder
	draw := func(sep string, block slack.Block) {
		var all []string
		for _, p := range look(t, message{text: "x", blocks: []slack.Block{block}}).parts {
			all = append(all, p.text)
		}
		b.WriteString(strings.ReplaceAll(strings.Join(all, sep), "\u00a0", " ") + "\n")
	}
	for _, block := range m.blocks {
		rich, ok := block.(*slack.RichTextBlock)
		if !ok {
			draw("\n", block)
			continue
		}
		for _, e := range rich.Elements {
			draw("", slack.NewRichTextBlock("", e))
		}
	}
	return b.String()
}

// Who asked for what is one line, however much of it is known.
func TestRoute(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []Field
		want   string
	}{
		{"all", []Field{{"status", "500"}, {"path", "/pay"}, {"method", "POST"}, {"user", "41"}, {"order", "7"}}, "user 41 · POST /pay → 500 · order 7"},
		{"no status", []Field{{"path", "/pay"}, {"method", "POST"}}, "POST /pay"},
		{"path alone", []Field{{"path", "/pay"}}, "path /pay"},
		{"status alone", []Field{{"status", "500"}, {"x", "1"}}, "status 500 · x 1"},
		{"no method", []Field{{"path", "/tmp/x"}, {"status", "open"}}, "path /tmp/x · status open"},
		{"no path", []Field{{"method", "GET"}, {"status", "500"}}, "method GET · status 500"},
		{"an empty method", []Field{{"method", ""}, {"path", "/pay"}}, `method "" · path /pay`},
		{"a route that says the same", []Field{{"route", "POST /pay"}, {"method", "POST"}, {"path", "/pay"}}, "POST /pay"},
		{"a route that says more", []Field{{"method", "POST"}, {"path", "/pay/7"}, {"route", "POST /pay/{id}"}}, "POST /pay/7 · route POST /pay/{id}"},
		{"a route and no path", []Field{{"method", "POST"}, {"route", "POST /pay/{id}"}}, "POST /pay/{id}"},
		{"two statuses", []Field{{"method", "GET"}, {"path", "/"}, {"status", "500"}, {"http.status", "502"}}, "GET / → 500 · http.status 502"},
		{"a long value", []Field{{"note", strings.Repeat("n", 41)}, {"user", "41"}, {"x", "1"}}, "user 41 · x 1\nnote " + strings.Repeat("n", 41)},
		{"lines", []Field{{"sql", "a\nb"}, {"x", "1"}}, "x 1\nsql a\nb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := layout(Batch{Groups: []Group{{Message: "x", Fields: c.fields}}}, nil, version{})
			got := strings.TrimSuffix(lines(t, m), "\n")
			assert.Equal(t, "🔵 INFO · x\n"+c.want, got)
			assert.NotContains(t, m.text, "POST POST")
		})
	}
}

// A text that is too long says how much of it is missing.
func TestLongTextsAreCounted(t *testing.T) {
	g := Group{Message: strings.Repeat("m", 2000), Error: strings.Repeat("é", 2000), Fields: []Field{{"user", "41"}}}
	got := lines(t, layout(Batch{Groups: []Group{g}}, nil, version{}))
	assert.Regexp(t, `\nm{500,600}… \(\+1,4\d\d characters\)\n`, got)
	assert.Regexp(t, `\né{900,1000}… \(\+1,0\d\d characters\)\n`, got)
	for _, part := range look(t, layout(Batch{Groups: []Group{g}}, nil, version{})).parts {
		shown, more, cut := strings.Cut(part.text, "… (+")
		if n, _ := strconv.Atoi(strings.TrimSuffix(strings.ReplaceAll(more, ",", ""), " characters)")); cut {
			assert.Equal(t, 2000, n+utf8.RuneCountInString(shown))
		}
	}
}

// Who is mentioned is only what the options say: once, in blocks and in text.
func TestMentions(t *testing.T) {
	opts := &Options{
		Codes:   map[string]Code{"a": {Mention: "<@U01>"}, "b": {Mention: "<@U01> and <!here>"}},
		Mention: func(g Group) string { return "<!subteam^S01>" + g.Message },
	}
	m := layout(Batch{Groups: []Group{{Code: "a", Message: "@everyone"}, {Code: "b", Message: "<@u02>"}}}, opts, version{})
	assert.True(t, strings.HasSuffix(m.text, " <@U01> <!subteam^S01> <!here>"), m.text)
	assert.True(t, strings.HasSuffix(m.plain, " <@U01> <!subteam^S01> <!here>"), m.plain)
	kinds := map[string]int{}
	for _, p := range look(t, m).parts {
		kinds[p.kind]++
	}
	assert.Equal(t, map[string]int{"user": 1, "usergroup": 1, "broadcast": 1}, map[string]int{"user": kinds["user"], "usergroup": kinds["usergroup"], "broadcast": kinds["broadcast"]})
}

// A panic in what Blocks calls is no answer; the message is told.
func TestBlocksGuardsItsCaller(t *testing.T) {
	opts := &Options{
		Mention: func(Group) string { panic("mention") },
		Links:   func(Group) []Link { panic("links") },
		Blocks:  func(Batch) []slack.Block { panic("blocks") },
	}
	b := shop(payment())
	assert.Equal(t, Blocks(b, nil), Blocks(b, opts))
	assert.Equal(t, Blocks(b, nil), layout(b, opts, version{}).blocks)
}

func TestOwnBlocks(t *testing.T) {
	b := shop(payment())
	own := func(blocks ...slack.Block) *Options {
		return &Options{Blocks: func(Batch) []slack.Block { return blocks }}
	}
	divider := slack.NewDividerBlock()
	assert.Equal(t, []slack.Block{divider}, layout(b, own(divider), version{}).blocks)
	assert.Equal(t, Blocks(b, nil), layout(b, own(), version{}).blocks, "nothing means the default")
	assert.Equal(t, Blocks(b, nil), layout(b, own(slack.NewContextBlock("")), version{}).blocks, "nothing that can be sent, too")
	m := layout(b, own(slack.NewSectionBlock(plainOf(strings.Repeat("x", 9000)), nil, nil)), version{})
	assert.Equal(t, strings.Repeat("x", 2999)+"…", texts(t, m))
	assert.Equal(t, layout(b, nil, version{}).text, m.text, "the sentence stays")
}

func plainOf(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
}

// What stands built on the default layout isn't mended once more.
func TestDefaultPassesTheMender(t *testing.T) {
	for _, c := range messages {
		t.Run(c.name, func(t *testing.T) {
			opts := shopOptions()
			want := Blocks(c.batch(), opts)
			opts.Blocks = func(b Batch) []slack.Block { return Blocks(b, opts) }
			assert.Equal(t, want, layout(c.batch(), opts, version{}).blocks)
		})
	}
}

func TestLinks(t *testing.T) {
	long := "https://logs.example/" + strings.Repeat("x", 2500)
	opts := &Options{Links: func(Group) []Link {
		return []Link{{"Logs", "https://logs.example/?a=b&c=<d>|"}, {"", "https://t.example"}, {"Bad", "javascript:alert(1)"}, {"Long", long}}
	}}
	m := layout(Batch{Groups: []Group{{Message: "x"}}}, opts, version{})
	s := texts(t, m)
	assert.Contains(t, s, "<https://logs.example/?a=b&amp;c=%3Cd%3E%7C|Logs>\u00a0· <https://t.example|Link>")
	assert.Contains(t, s, "Bad: javascript:alert(1)")
	var urls []string
	for _, p := range look(t, m).parts {
		if p.url != "" {
			urls = append(urls, p.url)
		}
	}
	assert.Equal(t, []string{long}, urls, "too long for small print, it is a link of rich text")
}

func TestSourceLines(t *testing.T) {
	src := &slog.Source{Function: "example.com/shop/pay.Do", File: "/build/shop/pay/pay.go", Line: 7}
	opts := &Options{SourceURL: "https://git.example/{revision}/{file}#L{line}"}
	for _, c := range []struct {
		name string
		opts *Options
		v    version
		src  *slog.Source
		want string
	}{
		{"linked", opts, version{revision: "4f2c", module: "example.com/shop"}, src, "<https://git.example/4f2c/pay/pay.go#L7|pay/pay\u2060.go:7>"},
		{"modified", opts, version{revision: "4f2c", module: "example.com/shop", modified: true}, src, "<https://git.example/4f2c/pay/pay.go#L7|pay/pay\u2060.go:7 (modified)>"},
		{"no revision", opts, version{module: "example.com/shop"}, src, "pay/pay.go:7"},
		{"another module's", opts, version{revision: "4f2c", module: "example.com/other"}, src, "pay/pay.go:7"},
		{"no template", nil, version{revision: "4f2c", module: "example.com/shop"}, src, "pay/pay.go:7"},
		{"no line", opts, version{}, &slog.Source{File: "a.go"}, "a.go"},
		{"no file", opts, version{}, &slog.Source{Function: "main.main"}, "main.main"},
		{"nothing", opts, version{}, &slog.Source{}, ""},
		{"no source", opts, version{}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := layout(Batch{Groups: []Group{{Message: "x", Source: c.src}}}, c.opts, c.v)
			assert.Equal(t, strings.TrimSuffix("🔵 INFO · x\n"+c.want, "\n"), texts(t, m))
		})
	}
}

// What the head, the error box or the code say isn't said again by a field.
func TestNothingTwice(t *testing.T) {
	g := Group{Message: "boom", Error: "a: b\ncaused by: b", Code: "E1", Fields: []Field{
		{"err", "a: b"}, {"req.error_code", "E1"}, {"my_error_code", "E1"}, {"error_code", "E2"}, {"empty", ""}, {"same", "boom"},
	}}
	got := lines(t, layout(Batch{Groups: []Group{g}}, nil, version{}))
	assert.Equal(t, "🔵 INFO · E1 · boom\na: b\ncaused by: b\nmy_error_code E1 · error_code E2 · empty \"\" · same boom\n", got)
	long := strings.Repeat("long ", 40) + "end"
	for _, c := range []struct{ message, err, want string }{
		{"boom", "boom", "🔵 INFO · boom\n"},
		{"look :fire: here", "", "🔵 INFO · look :\u2060fire: here\n"},
		{"panic: boom", "boom", "🔵 INFO · panic: boom\n"},
		{"panic: a\nb", "a\nb", "🔵 INFO · panic: a\npanic: a\nb\n"},
		{"panic: boom", "oops", "🔵 INFO · panic: boom\noops\n"},
		{"boom…", "", "🔵 INFO · boom…\n"},
		{"panic: " + long, long, "🔵 INFO · " + inert.Cut("panic: "+long, headerLimit-units16("🔵 INFO ·   ")) + "\npanic: " + long + "\n" + long + "\n"},
	} {
		m := layout(Batch{Groups: []Group{{Message: c.message, Error: c.err}}}, nil, version{})
		assert.Equal(t, c.want, lines(t, m))
	}
}

func TestLayoutLeavesTheBatchAlone(t *testing.T) {
	b, again := shop(payment(), slow(), tampered()), shop(payment(), slow(), tampered())
	links := []Link{{"a", "https://a.example"}, {"b", "https://b.example"}}[:1]
	opts := shopOptions()
	opts.Links = func(Group) []Link { return links }
	layout(b, opts, shopBuild)
	assert.Equal(t, again, b)
	assert.Equal(t, "b", links[:2][1].Text, "the caller's array isn't written to")
}

func BenchmarkLayout(b *testing.B) {
	for _, n := range []int{1, 20} {
		b.Run(fmt.Sprintf("groups=%d", n), func(b *testing.B) {
			batch, opts := shop(kinds(n)...), shopOptions()
			b.ReportAllocs()
			for b.Loop() {
				layout(batch, opts, shopBuild)
			}
		})
	}
}
