package slackalert

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/cite"
	"example.com/slackalert/internal/inert"
)

var update = flag.Bool("update", false, "rewrite the messages in testdata")

// lunch is when the alerts of the examples happened.
var lunch = time.Date(2026, 11, 22, 12, 3, 4, 0, time.UTC)

// shopBuild is the build that the examples' source lines belong to.
var shopBuild = cite.Tree{Revision: "4f2c9e1d", Module: "example.com/shop"}

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
	{"quiet", func() Batch {
		return shop(with1(payment(), func(g *Group) { g.Count, g.Total, g.Last, g.Quiet = 9120, 9120, lunch.Add(10*time.Minute), true }))
	}},
	{"back", func() Batch {
		return shop(with1(payment(), func(g *Group) { g.Notes = []string{"back after 3 h"} }))
	}},
	{"late", func() Batch {
		return shop(with1(payment(), func(g *Group) { g.Notes = []string{"told 27 min late: Slack was unreachable"} }))
	}},
	{"many-users", func() Batch {
		return shop(with1(payment(), func(g *Group) {
			g.Count, g.Total, g.Last, g.Users = 4312, 4312, lunch.Add(42*time.Second), 318
			g.Hosts, g.Named = 20, []string{"web-1", "web-2", "web-3", "web-4", "web-5"}
		}))
	}},
	{"goes-on-for-a-day", func() Batch {
		return shop(with1(payment(), func(g *Group) {
			g.First, g.Last, g.Count, g.Total = lunch.Add(-26*time.Hour), lunch, 4312, 128904
			g.At = lunch.Add(-4 * time.Minute)
		}))
	}},
	{"forty-groups", func() Batch { return shop(kinds(40)...) }},
	{"hundred-groups", func() Batch { return shop(kinds(100)...) }},
	{"some-quiet", func() Batch {
		p := payment()
		p.Count, p.Total, p.Last, p.Quiet = 100, 100, lunch.Add(10*time.Second), true
		return shop(p, slow(), tampered())
	}},
	{"three-thousand-groups", func() Batch { return shop(kinds(3000)...) }},
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
			g.Fields = []Field{{"user", "<!here>"}, {"a:smile", "x:"}, {"path", "/main.go:100:5"}, {"method", "<@U02>"}}
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
	m := layout(Batch{Service: "shop"}, nil, cite.Tree{})
	assert.Equal(t, "No alerts in shop", m.text)
	assert.Equal(t, m.text, m.plain)
	assert.Empty(t, m.blocks)

	m = layout(Batch{Groups: []Group{{}}}, nil, cite.Tree{})
	assert.Equal(t, "🔵 (no message)", m.text)
	assert.Equal(t, "🔵 (no message)\nlevel INFO\n", lines(t, m))
	assert.Equal(t, "🔵: (no message)\nlevel: INFO", m.plain)

	m = layout(Batch{Groups: []Group{{}, {}}}, &Options{}, cite.Tree{})
	assert.Contains(t, texts(t, m), "🔵 (no message), and 1\u00a0more kind\n2 in all\n")
}

// What is worse than an error has a word; the number of a level stands among the
// attributes only.
func TestLevels(t *testing.T) {
	for _, c := range []struct {
		level         slog.Level
		message, want string
		attr          string
	}{
		{slog.LevelDebug, "x", "🟣 shop: x", "DEBUG"},
		{slog.LevelWarn, "x", "🟠 shop: x", "WARN"},
		{slog.LevelError, "x", "🔴 shop: x", ""},
		{slog.LevelError + 1, "x", "🔴 shop: x", "ERROR+1"},
		{slog.LevelError + 4, "out of disk", "🚨 FATAL shop: out of disk", "ERROR+4"},
		{slog.LevelError + 4, "panic: out of disk", "🚨 PANIC shop: out of disk", "ERROR+4"},
		{slog.LevelError + 8, "Panic in Respond: x", "🚨 PANIC shop: Panic in Respond: x", "ERROR+8"},
	} {
		m := layout(Batch{Service: "shop", Groups: []Group{{Level: c.level, Message: c.message}}}, nil, cite.Tree{})
		want := c.want + "\n"
		if c.attr != "" {
			want += "level " + c.attr + "\n"
		}
		assert.Equal(t, want, lines(t, m))
		assert.Equal(t, c.want, m.text)
	}
}

func TestHowOften(t *testing.T) {
	at := func(d time.Duration) time.Time { return lunch.Add(d) }
	for _, c := range []struct {
		name        string
		g           Group
		head, line  string
		push, aside string
	}{
		{"once", Group{Count: 1, Total: 1, First: lunch, Last: lunch}, "", "DATE", "", ""},
		{"once, by hand", Group{First: lunch}, "", "DATE", "", ""},
		{"only the last time", Group{Last: lunch}, "", "DATE", "", ""},
		{"many", Group{Count: 127, Total: 127, First: lunch, Last: at(10 * time.Second)}, " ×127", "127 in 10 s, since DATE", " ×127:", " (10 s)"},
		{"many at once", Group{Count: 127, Total: 127, First: lunch, Last: lunch}, " ×127", "127 times, since DATE", " ×127:", ""},
		{"many, long", Group{Count: 127, Total: 127, First: lunch, Last: at(time.Hour)}, " ×127", "127 in 60 min, since DATE, last DATE", " ×127:", " (60 min)"},
		{"no times", Group{Count: 127, Total: 127}, " ×127", "127 times", " ×127:", ""},
		{"goes on", Group{Count: 4312, Total: 9120, First: lunch, Last: at(10 * time.Minute)}, " ×9,120 (+4,312)", "9,120 in 10 min, since DATE, last DATE", " ×9,120 (+4,312):", " (10 min, since 12:03 UTC)"},
		{"one more", Group{Count: 1, Total: 2, First: lunch, Last: at(2 * time.Minute)}, " ×2 (+1)", "2 in 2 min, since DATE, last DATE", " ×2 (+1):", " (2 min, since 12:03 UTC)"},
		{"no times, goes on", Group{Count: 2, Total: 9}, " ×9 (+2)", "9 times", " ×9 (+2):", ""},
		{"since yesterday", Group{Count: 2, Total: 9, First: at(-26 * time.Hour), Last: lunch}, " ×9 (+2)", "9 in 26 h, since DATE, last DATE", " ×9 (+2):", " (26 h, since Nov 21 10:03 UTC)"},
		{"clock set back", Group{Count: 2, Total: 2, First: lunch, Last: at(-time.Hour)}, " ×2", "2 times, since DATE", " ×2:", ""},
		{"killed while it counted", Group{Count: 80, Total: 80, Least: true, First: lunch, Last: at(time.Second)}, " ×80 or more", "80 or more in 1 s, since DATE", " ×80 or more:", " (1 s)"},
		{"perhaps once", Group{Count: 1, Total: 1, Least: true}, " ×1 or more", "1 or more times", " ×1 or more:", ""},
		{"users", Group{Count: 9, Total: 9, Users: 1318}, " ×9", "9 times · 1,318 users", " ×9:", " (1,318 users)"},
		{"one user", Group{Count: 9, Total: 9, Users: 1}, " ×9", "9 times · 1 user", " ×9:", " (1 user)"},
		{"over", Group{Count: 9, Total: 9, Quiet: true, First: lunch, Last: at(2 * time.Minute)}, " ×9, DATE to DATE", "9 in 2 min", " ×9, quiet since 12:05 UTC:", " (2 min)"},
		{"over at once", Group{Quiet: true}, "", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.g.Message, c.g.Level = "x", slog.LevelError
			m := layout(Batch{Groups: []Group{c.g}}, nil, cite.Tree{})
			sign := "🔴"
			want := "🔴 x" + c.head
			switch {
			case c.g.Quiet && c.g.Last.IsZero():
				sign, want = "⚪", "⚪ quiet · x"
			case c.g.Quiet:
				sign, want = "⚪", "⚪ quiet since DATE · x"+c.head
			}
			if c.line != "" {
				want += "\n" + c.line
			}
			assert.Equal(t, want+"\n", lines(t, m))
			assert.Equal(t, sign+c.push+" x"+c.aside, m.text)
		})
	}
}

// The day is told where the time of day alone could be another day's.
func TestDays(t *testing.T) {
	formats := func(last time.Time) (all []string) {
		m := layout(Batch{Groups: []Group{{Message: "x", Count: 2, First: lunch, Last: last}}}, nil, cite.Tree{})
		for _, date := range regexp.MustCompile(`"format":"([^"]*)"`).FindAllStringSubmatch(string(encoded(t, m)), -1) {
			all = append(all, date[1])
		}
		return all
	}
	assert.Equal(t, []string{"{time}", "{time}"}, formats(lunch.Add(11*time.Hour)))
	assert.Equal(t, []string{"{date_short_pretty} {time}", "{date_short_pretty} {time}"}, formats(lunch.Add(13*time.Hour)))
}

func encoded(t *testing.T, m message) []byte {
	t.Helper()
	raw, err := json.Marshal(m.blocks)
	require.NoError(t, err)
	return raw
}

// Of many alerts the attributes are those of one of them, and it is said which;
// the user of one is none of all.
func TestExample(t *testing.T) {
	g := payment()
	g.Count, g.Total, g.At = 9, 9, lunch
	got := lines(t, layout(shop(g), nil, cite.Tree{}))
	assert.Contains(t, got, "\n9 times, since DATE · POST /pay → 500\nfirst: user 41 · request_id 9f86d081884c7d65 · order 1007 · amount 129.00\nweb-1\npay/pay.go:142\n")
	g.At = lunch.Add(time.Second)
	assert.Contains(t, lines(t, layout(shop(g), nil, cite.Tree{})), "\nlatest: user 41 · request_id")
	assert.Contains(t, lines(t, layout(shop(g), nil, cite.Tree{})), "\npay/pay.go:142\nDATE\n", "when that was")
	g.Fields = append(g.Fields, Field{"route", "POST /pay/{id}"})
	got = lines(t, layout(shop(g), nil, cite.Tree{}))
	assert.Contains(t, got, "since DATE · POST /pay/{id} → 500\nlatest: user 41 · path /pay · request_id", "what all of them asked for")
	g.Fields = []Field{{"user", "41"}, {"path", "/tmp"}, {"x", "1"}}
	assert.Contains(t, lines(t, layout(shop(g), nil, cite.Tree{})), "since DATE · path /tmp\nlatest: user 41 · x 1\n")
	g.Count, g.Total = 1, 1
	assert.Contains(t, lines(t, layout(shop(g), nil, cite.Tree{})), "\nuser 41 · path /tmp\nx 1\n", "of one, the user counts")
}

func TestHosts(t *testing.T) {
	five := []string{"web-1", "web-2", "web-3", "web-4", "web-5"}
	for _, c := range []struct {
		hosts int
		named []string
		want  string
	}{
		{0, nil, "web-1"}, {1, five[:1], "web-1"}, {1, []string{"web-7"}, "web-7"}, {2, five[:2], "on 2 hosts: web-1, web-2"}, {3, five[:3], "on 3 hosts: web-1, web-2, web-3"},
		{1000, five, "on 1,000 hosts: web-1, web-2, web-3, …"}, {20, nil, "on 20 hosts"},
	} {
		g := Group{Message: "x", Level: slog.LevelError, Hosts: c.hosts, Named: c.named}
		assert.Equal(t, "🔴 shop: x\n"+c.want+"\n", lines(t, layout(shop(g), nil, cite.Tree{})))
	}
	two := shop(Group{Message: "a", Hosts: 20, Named: five}, Group{Message: "b"})
	assert.Contains(t, lines(t, layout(two, nil, cite.Tree{})), "\non 20 hosts: web-1, web-2, web-3, …\n")
	assert.Contains(t, lines(t, layout(two, nil, cite.Tree{})), "2 in all\n", "no host is that of all")
	assert.Contains(t, lines(t, layout(two, nil, cite.Tree{})), "b\nlevel INFO\nweb-1\n")
	for n := range 2 {
		two.Groups[n] = Group{Message: "a", Hosts: 1, Named: five[3*n : 3*n+1]}
	}
	assert.Contains(t, lines(t, layout(two, nil, cite.Tree{})), "level INFO\nweb-4\n", "one host's, that another tells")
	assert.Contains(t, lines(t, layout(two, nil, cite.Tree{})), "level INFO\nweb-1\n")
}

// What a reader must know stands under the head, once if it holds for all.
func TestNotes(t *testing.T) {
	late, back := []string{"told 27 min late: Slack was unreachable"}, []string{"back after 3 h", "(direct)"}
	g := func(m string, notes []string) Group { return Group{Message: m, Level: slog.LevelError, Notes: notes} }
	m := layout(shop(g("x", back)), nil, cite.Tree{})
	assert.Equal(t, "🔴 shop: x\nback after 3 h · (direct)\nweb-1\n", lines(t, m))
	assert.Equal(t, "🔴 shop: x (back after 3 h, (direct))", m.text)
	assert.Contains(t, m.plain, "\nback after 3 h, (direct)\n")

	m = layout(shop(g("x", late), g("y", back)), nil, cite.Tree{})
	assert.Contains(t, lines(t, m), "🔴 x\ntold 27 min late: Slack was unreachable\n")
	assert.Contains(t, lines(t, m), "🔴 y\nback after 3 h · (direct)\n")
	m = layout(shop(g("x", late), g("y", late)), nil, cite.Tree{})
	assert.Contains(t, lines(t, m), "more kind\ntold 27 min late: Slack was unreachable\n2 in all\nweb-1\n")
	assert.Equal(t, 1, strings.Count(lines(t, m), "late"), "once, for it holds for all")
	for _, n := range []int{5, 40, 41} {
		b := shop(kinds(n)...)
		b.Groups[0].Notes = back
		assert.Equal(t, 1, strings.Count(lines(t, layout(b, nil, cite.Tree{})), "back after 3 h · (direct)"), n)
	}
}

// What is over is marked; what leads is what isn't.
func TestQuiet(t *testing.T) {
	over := with1(payment(), func(g *Group) { g.Quiet, g.Count = true, 9 })
	m := layout(shop(over, slow()), nil, cite.Tree{})
	assert.Contains(t, lines(t, m), "🟠 shop: query is slow ×26, and 1 more kind\n")
	assert.Contains(t, lines(t, m), "⚪ quiet since DATE · payment failed ×9\n")
	assert.True(t, strings.HasPrefix(m.text, "🟠 shop ×26: query is slow, and 1\u00a0more kind, 35 in all: ⚪ quiet ×9 payment failed"), m.text)

	m = layout(shop(over, with1(slow(), func(g *Group) { g.Quiet = true })), nil, cite.Tree{})
	assert.True(t, strings.HasPrefix(lines(t, m), "⚪ quiet since DATE · shop: payment failed ×9, and 1 more kind\n"), lines(t, m))
	assert.Equal(t, 1, strings.Count(lines(t, m), "quiet"), "of all at once")
	assert.True(t, strings.HasPrefix(m.text, "⚪ shop ×9, quiet since 12:03 UTC: payment failed, and"), m.text)
	assert.Equal(t, 2, strings.Count(m.plain, "\nquiet since 2026-11-22 12:03:"), m.plain)
	for _, n := range []int{5, 40, 41} {
		b := shop(kinds(n)...)
		b.Groups[0].Quiet = true
		got := strings.ReplaceAll(lines(t, layout(b, nil, cite.Tree{})), "*", "")
		assert.Contains(t, got, "⚪ quiet ×1 kind 1 of failure", n)
	}
}

// The biggest comes first, whatever order the batch has.
func TestBiggestFirst(t *testing.T) {
	g := func(m string, level slog.Level, count, total int, age time.Duration) Group {
		return Group{Message: m, Level: level, Count: count, Total: total, First: lunch.Add(-age)}
	}
	want := []string{"worst", "of many", "often", "old", "young", "mild"}
	groups := []Group{
		g("young", 8, 3, 3, 0), g("old", 8, 3, 3, time.Hour), g("mild", 4, 900, 900, 0), g("worst", 12, 1, 1, 0), g("often", 8, 40, 40, 0), g("of many", 8, 1, 90, 0),
	}
	for _, n := range []int{4, 6, 60} {
		b := shop(groups[:min(n, 6)]...)
		for len(b.Groups) < n {
			b.Groups = append(b.Groups, g("rest", 0, 1, 1, 0))
		}
		got, at := lines(t, layout(b, nil, cite.Tree{})), 0
		for _, w := range want {
			if !slices.ContainsFunc(b.Groups, func(g Group) bool { return g.Message == w }) {
				continue
			}
			next := strings.Index(got[at:], w)
			require.GreaterOrEqual(t, next, 0, "%d groups: %s", n, w)
			at += next
		}
		assert.Contains(t, layout(b, nil, cite.Tree{}).text, "worst")
	}
}

func TestSummary(t *testing.T) {
	g := func(level slog.Level, count, total int, first, last time.Duration) Group {
		return Group{Level: level, Message: "x", Count: count, Total: total, First: lunch.Add(first), Last: lunch.Add(last)}
	}
	head := func(groups ...Group) string {
		all := strings.SplitN(lines(t, layout(Batch{Service: "shop", Groups: groups}, nil, cite.Tree{})), "\n", 3)
		return all[0] + "|" + all[1]
	}
	assert.Equal(t, "🔴 shop: x ×100, and 2 more kinds|127 in 10 s, since DATE", head(g(0, 1, 1, 0, 0), g(8, 100, 100, time.Second, 9*time.Second), g(4, 26, 26, time.Second, 10*time.Second)))
	assert.Equal(t, "🔴 shop: x ×90 (+4), and 1 more kind|91 in 60 min, since DATE, last DATE", head(g(8, 4, 90, 0, time.Hour), g(4, 1, 1, 0, 0)))
	assert.Equal(t, "🔴 shop: x, and 1 more kind|2 in 3 s, since DATE", head(g(8, 1, 1, 0, 0), g(8, 1, 1, 3*time.Second, 3*time.Second)), "each once")
	long := layout(Batch{Service: "shop", Groups: []Group{{Message: strings.Repeat("long ", 90), Count: 12}, {}}}, nil, cite.Tree{})
	assert.Contains(t, lines(t, long), "… ×12, and 1 more kind\n", "a long message hides no count")
}

// Each group gets a fair share: what the first have to say can't starve the last.
func TestFairShares(t *testing.T) {
	for _, n := range []int{2, 4} {
		var groups []Group
		for i := range n {
			groups = append(groups, Group{
				Level: slog.LevelError, Message: fmt.Sprint(i, strings.Repeat(" words", 600)), Error: strings.Repeat("error ", 600), Count: i + 1,
				Stack: strings.Repeat("main.f\n\tmain.go:1\n", 100), Fields: []Field{{"user", strings.Repeat("u", 300)}},
			})
		}
		b := Batch{Groups: groups}
		m := layout(b, nil, cite.Tree{})
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
		assert.Greater(t, s.weight, 6000, "%d groups: room is left unused", n)
	}
}

// Of more than four groups each has two lines, of more than forty one.
func TestManyGroups(t *testing.T) {
	for _, n := range []int{5, 20, 22, 23, 24, 40, 41, 100, 5000} {
		b := shop(kinds(n)...)
		m := layout(b, shopOptions(), shopBuild)
		s := look(t, m)
		requireAllTold(t, b, s)
		got := lines(t, m)
		switch {
		case n <= 40:
			assert.Equal(t, n, strings.Count(got, "↳ POST /pay → 500 · user 41 · "), n)
			assert.Equal(t, n, strings.Count(got, "pay.go:142"), n)
			assert.NotContains(t, got, "pay\u2060", "a source line can be copied")
		case n <= 100:
			assert.NotContains(t, got, "more kinds ×", n)
			assert.Equal(t, n, strings.Count(got, "connection refused"), n)
		default:
			assert.Regexp(t, `\n🔴 … and 4,8\d\d more kinds ×[\d,]+\n$`, got)
			assert.Greater(t, strings.Count(got, "refused"), 180)
			for i := range b.Groups {
				b.Groups[i].Quiet = true
			}
			assert.Regexp(t, `\n⚪ … and [\d,]+ more kinds`, lines(t, layout(b, shopOptions(), shopBuild)), "what is over isn't red")
		}
		assert.NotContains(t, got, "kinds of alert")
	}
	bare := shop(kinds(5)...)
	for i := range bare.Groups {
		bare.Groups[i].Source, bare.Groups[i].Fields = nil, nil
	}
	assert.NotContains(t, lines(t, layout(bare, nil, shopBuild)), "↳", "of whom and where nothing is known")
	wide := shop(kinds(40)...)
	for i := range wide.Groups {
		wide.Groups[i].Source.File = "/build/shop/" + strings.Repeat("long/", 60) + "pay.go"
	}
	assert.Equal(t, 40, strings.Count(lines(t, layout(wide, shopOptions(), shopBuild)), "pay.go:142"), "without its link, if need be")
}

// lines are the lines of a message, as drawn.
func lines(t *testing.T, m message) string {
	t.Helper()
	var b strings.Builder
	draw := func(sep string, block slack.Block) {
		var all []string
		for _, p := range look(t, message{text: "x", blocks: []slack.Block{block}}).parts {
			if p.kind == "date" {
				p.text = "DATE"
			}
			all = append(all, dates.ReplaceAllString(p.text, "DATE"))
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
		{"all", []Field{{"status", "500"}, {"path", "/pay"}, {"method", "POST"}, {"user", "41"}, {"order", "7"}}, "user 41 · POST /pay → 500\norder 7"},
		{"no status", []Field{{"path", "/pay"}, {"method", "POST"}}, "POST /pay"},
		{"path alone", []Field{{"path", "/pay"}}, "path /pay"},
		{"status alone", []Field{{"status", "500"}, {"x", "1"}}, "status 500\nx 1"},
		{"no method", []Field{{"path", "/tmp/x"}, {"status", "open"}}, "path /tmp/x · status open"},
		{"no path", []Field{{"method", "GET"}, {"status", "500"}}, "method GET · status 500"},
		{"an empty method", []Field{{"method", ""}, {"path", "/pay"}}, `method "" · path /pay`},
		{"a route that says the same", []Field{{"route", "POST /pay"}, {"method", "POST"}, {"path", "/pay"}}, "POST /pay"},
		{"a route that says more", []Field{{"method", "POST"}, {"path", "/pay/7"}, {"route", "POST /pay/{id}"}}, "POST /pay/7 · route POST /pay/{id}"},
		{"a route and no path", []Field{{"method", "POST"}, {"route", "POST /pay/{id}"}}, "POST /pay/{id}"},
		{"a method that is its route, as gRPC's", []Field{{"method", "/shop.Pay/Charge"}, {"route", "/shop.Pay/Charge"}, {"status", "Internal"}}, "/shop.Pay/Charge → Internal"},
		{"two statuses", []Field{{"method", "GET"}, {"path", "/"}, {"status", "500"}, {"http.status", "502"}}, "GET / → 500 · http.status 502"},
		{"a long user", []Field{{"user", strings.Repeat("u", 41)}, {"x", "1"}}, "user " + strings.Repeat("u", 41) + " · x 1"},
		{"a long value", []Field{{"note", strings.Repeat("n", 121)}, {"user", "41"}, {"x", "1"}}, "user 41\nx 1\nnote " + strings.Repeat("n", 121)},
		{"lines", []Field{{"sql", "a\nb"}, {"x", "1"}}, "x 1\nsql\na\nb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := layout(Batch{Groups: []Group{{Level: slog.LevelError, Message: "x", Fields: c.fields}}}, nil, cite.Tree{})
			got := strings.TrimSuffix(lines(t, m), "\n")
			assert.Equal(t, "🔴 x\n"+c.want, got)
			assert.NotContains(t, m.text, "POST POST")
		})
	}
}

// A text that is too long says how much of it is missing.
func TestLongTextsAreCounted(t *testing.T) {
	g := Group{Message: strings.Repeat("m", 2000), Error: strings.Repeat("é", 2000), Fields: []Field{{"user", "41"}}}
	got := lines(t, layout(Batch{Groups: []Group{g}}, nil, cite.Tree{}))
	assert.Regexp(t, `\nm{500,600}… \(\+1,4\d\d characters\)\n`, got)
	assert.Regexp(t, `\né{900,1000}… \(\+1,0\d\d characters\)\n`, got)
	for _, part := range look(t, layout(Batch{Groups: []Group{g}}, nil, cite.Tree{})).parts {
		shown, more, cut := strings.Cut(part.text, "… (+")
		if n, _ := strconv.Atoi(strings.TrimSuffix(strings.ReplaceAll(more, ",", ""), " characters)")); cut {
			assert.Equal(t, 2000, n+utf8.RuneCountInString(shown))
		}
	}
}

// Of a long message a push tells how it begins and how it ends, for there is the
// cause; of very many attributes those beyond the first are counted.
// What capture left out and what there is no room for are one number.
func TestFieldsLeftOutAreCountedOnce(t *testing.T) {
	g := payment()
	for i := range 60 {
		g.Fields = append(g.Fields, Field{fmt.Sprint("key", i), strings.Repeat("x", 200)})
	}
	g.Fields = append(g.Fields, Field{"…", "(+20 fields)"})
	m := layout(shop(g), nil, cite.Tree{})
	shown, said := strings.Count(lines(t, m), "\nkey"), 0
	require.Equal(t, 1, strings.Count(lines(t, m), "fields)"))
	_, err := fmt.Sscanf(lines(t, m)[strings.Index(lines(t, m), "(+"):], "(+%d fields)", &said)
	require.NoError(t, err)
	assert.Equal(t, 80, shown+said, lines(t, m))
}

func TestLongPush(t *testing.T) {
	g := Group{Level: slog.LevelError, Message: "charge: " + strings.Repeat("retried: ", 60) + "connection refused"}
	for i := range 200 {
		g.Fields = append(g.Fields, Field{fmt.Sprint("k", i), "v"})
	}
	m := layout(shop(g), nil, cite.Tree{})
	assert.Regexp(t, `^🔴 shop: charge: retried: .* … .*retried: connection refused$`, m.text)
	assert.Less(t, units16(m.text), 200)
	assert.Contains(t, lines(t, m), "… (+72 fields)")
}

// Who is mentioned is only what the options say: once, in blocks and in text.
func TestMentions(t *testing.T) {
	opts := &Options{
		Codes:   map[string]Code{"a": {Mention: "<@U01>"}, "b": {Mention: "<@U01> and <!here>"}},
		Mention: func(g Group) string { return "<!subteam^S01>" + g.Message },
	}
	m := layout(Batch{Groups: []Group{{Code: "a", Message: "@everyone"}, {Code: "b", Message: "<@u02>"}}}, opts, cite.Tree{})
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
	assert.Equal(t, Blocks(b, nil), layout(b, opts, cite.Tree{}).blocks)
}

func TestOwnBlocks(t *testing.T) {
	b := shop(payment())
	own := func(blocks ...slack.Block) *Options {
		return &Options{Blocks: func(Batch) []slack.Block { return blocks }}
	}
	divider := slack.NewDividerBlock()
	assert.Equal(t, []slack.Block{divider}, layout(b, own(divider), cite.Tree{}).blocks)
	assert.Equal(t, Blocks(b, nil), layout(b, own(), cite.Tree{}).blocks, "nothing means the default")
	assert.Equal(t, Blocks(b, nil), layout(b, own(slack.NewContextBlock("")), cite.Tree{}).blocks, "nothing that can be sent, too")
	m := layout(b, own(slack.NewSectionBlock(plainOf(strings.Repeat("x", 9000)), nil, nil)), cite.Tree{})
	assert.Equal(t, strings.Repeat("x", 2999)+"…", texts(t, m))
	assert.Equal(t, layout(b, nil, cite.Tree{}).text, m.text, "the sentence stays")
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
			assert.Equal(t, want, layout(c.batch(), opts, cite.Tree{}).blocks)
		})
	}
}

func TestLinks(t *testing.T) {
	long := "https://logs.example/" + strings.Repeat("x", 2500)
	opts := &Options{Links: func(Group) []Link {
		return []Link{{"Logs", "https://logs.example/?a=b&c=<d>|"}, {"", "https://t.example"}, {"Bad", "javascript:alert(1)"}, {"Long", long}}
	}}
	m := layout(Batch{Groups: []Group{{Message: "x"}}}, opts, cite.Tree{})
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

// What is too long for small print is a link elsewhere, or none.
func TestLongAddresses(t *testing.T) {
	opts := &Options{SourceURL: "https://git.example/" + strings.Repeat("x", 2500) + "/{file}#L{line}", Links: func(Group) []Link {
		return []Link{{"A", "https://a.example/" + strings.Repeat("a", 965)}, {"B", "https://b.example/" + strings.Repeat("b", 1900)}, {"C", "https://c.example/" + strings.Repeat("c", 965)}}
	}}
	links := opts.Links
	for _, n := range []int{1, 2, 5, 8} {
		if n == 8 { // one alone has room for more than small print takes
			opts.Links = func(g Group) []Link { return links(g)[:max(0, min(3, 4-g.Count))] }
		}
		b := shop(kinds(n)...)
		s := look(t, layout(b, opts, shopBuild))
		if n > 1 {
			requireAllTold(t, b, s)
		}
		assert.Contains(t, lines(t, layout(b, opts, shopBuild)), "pay.go:142", n)
	}
}

func TestSourceLines(t *testing.T) {
	src := &slog.Source{Function: "example.com/shop/pay.Do", File: "/build/shop/pay/pay.go", Line: 7}
	opts := &Options{SourceURL: "https://git.example/{revision}/{file}#L{line}"}
	for _, c := range []struct {
		name string
		opts *Options
		v    cite.Tree
		src  *slog.Source
		want string
	}{
		{"linked", opts, cite.Tree{Revision: "4f2c", Module: "example.com/shop"}, src, "<https://git.example/4f2c/pay/pay.go#L7|pay/pay.go:7>"},
		{"modified", opts, cite.Tree{Revision: "4f2c", Module: "example.com/shop", Modified: true}, src, "<https://git.example/4f2c/pay/pay.go#L7|pay/pay.go:7 (modified)>"},
		{"no revision", opts, cite.Tree{Module: "example.com/shop"}, src, "pay/pay.go:7"},
		{"another module's", opts, cite.Tree{Revision: "4f2c", Module: "example.com/other"}, src, "pay/pay.go:7"},
		{"no template", nil, cite.Tree{Revision: "4f2c", Module: "example.com/shop"}, src, "pay/pay.go:7"},
		{"no line", opts, cite.Tree{}, &slog.Source{File: "a.go"}, "a.go"},
		{"no file", opts, cite.Tree{}, &slog.Source{Function: "main.main"}, "main.main"},
		{"nothing", opts, cite.Tree{}, &slog.Source{}, ""},
		{"no source", opts, cite.Tree{}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := layout(Batch{Groups: []Group{{Level: slog.LevelError, Message: "x", Source: c.src}}}, c.opts, c.v)
			assert.Equal(t, strings.TrimSuffix("🔴 x\n"+c.want, "\n"), texts(t, m))
		})
	}
}

// What the head, the error box or the code say isn't said again by a field.
func TestNothingTwice(t *testing.T) {
	g := Group{Level: slog.LevelError, Message: "boom", Error: "a: b\ncaused by: b", Code: "E1", Fields: []Field{
		{"err", "a: b"}, {"req.error_code", "E1"}, {"my_error_code", "E1"}, {"error_code", "E2"}, {"empty", ""}, {"same", "boom"},
	}}
	got := lines(t, layout(Batch{Groups: []Group{g}}, nil, cite.Tree{}))
	assert.Equal(t, "🔴 E1: boom\na: b\ncaused by: b\nmy_error_code E1 · error_code E2 · empty \"\" · same boom\n", got)
	long, longer := strings.Repeat("long ", 40)+"end", strings.Repeat("long ", 110)+"end"
	for _, c := range []struct{ message, err, want string }{
		{"boom", "boom", "🔴 boom\n"},
		{"", "boom", "🔴 boom\n"},
		{" ", "a\nb", "🔴 a\na\nb\n"},
		{"look :fire: here", "", "🔴 look :\u2060fire: here\n"},
		{"failed: boom", "boom", "🔴 failed: boom\n"},
		{"failed: a\nb", "a\nb", "🔴 failed: a\nfailed: a\nb\n"},
		{"failed: boom", "oops", "🔴 failed: boom\noops\n"},
		{"boom…", "", "🔴 boom…\n"},
		{"failed: " + long, long, "🔴 " + inert.Cut("failed: "+long, subjectLimit) + "\nfailed: " + long + "\n"},
		{"failed: " + longer, longer, "🔴 " + inert.Cut("failed: "+longer, subjectLimit) + "\nfailed: " + longer + "\n" + longer + "\n"},
	} {
		m := layout(Batch{Groups: []Group{{Level: slog.LevelError, Message: c.message, Error: c.err}}}, nil, cite.Tree{})
		assert.Equal(t, c.want, lines(t, m))
	}
	joined := "read a: closed\nread b: closed"
	m := layout(Batch{Groups: []Group{{Level: slog.LevelError, Message: "boom", Error: joined, Fields: []Field{{"err", joined}, {"x", "1"}}}}}, nil, cite.Tree{})
	assert.Equal(t, "🔴 boom\n"+joined+"\nx 1\n", lines(t, m), "an error of several lines, too")
	m = layout(Batch{Groups: []Group{{Level: slog.LevelError, Message: "boom", Error: longer, Fields: []Field{{"err", longer[:400] + "… (+153 bytes)"}, {"x", "1"}}}}}, nil, cite.Tree{})
	assert.Equal(t, "🔴 boom\n"+longer+"\nx 1\n", lines(t, m), "and one that was cut")
}

// A code with a title tells the title and the error; code and message stand
// among the attributes.
func TestTitles(t *testing.T) {
	opts := &Options{Codes: map[string]Code{"401": {Title: "Tampered token"}, "E2": {}, "E4": {Title: "Two\n lines "}}}
	for _, c := range []struct {
		name, code, message, err string
		fields                   []Field
		head, rest               string
	}{
		{"with an error", "401", "token rejected", "bad signature", []Field{{"error_code", "401"}, {"x", "1"}}, "Tampered token", "bad signature\nx 1 · error_code 401 · message token rejected\n"},
		{"without", "401", "token rejected", "", nil, "Tampered token", "token rejected\nerror_code 401\n"},
		{"the error as message", "401", "bad signature", "bad signature", nil, "Tampered token", "bad signature\nerror_code 401\n"},
		{"a message that ends with the error", "401", "order 7: bad signature", "bad signature", nil, "Tampered token", "bad signature\nerror_code 401 · message order 7: bad signature\n"},
		{"without a title", "E2", "token rejected", "bad signature", []Field{{"error_code", "E2"}}, "E2: token rejected", "bad signature\n"},
		{"what nobody gave a code", "unhandled", "no such order", "", []Field{{"error_code", "unhandled"}}, "no such order", "error_code unhandled\n"},
		{"of several lines", "E4", "token rejected", "", nil, "Two lines", "token rejected\nerror_code E4\n"},
		{"an error that begins with a line break", "E2", "token rejected", "\nbad signature", nil, "E2: token rejected", "bad signature\n"},
		{"unknown", "E3", "token rejected", "", []Field{{"error_code", "E3"}}, "E3: token rejected", "error_code E3 (unknown code)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := Group{Level: slog.LevelError, Code: c.code, Message: c.message, Error: c.err, Fields: c.fields}
			m := layout(Batch{Groups: []Group{g}}, opts, cite.Tree{})
			assert.Equal(t, "🔴 "+c.head+"\n"+c.rest, lines(t, m))
			assert.True(t, strings.HasPrefix(m.text, "🔴 "+c.head), m.text)
			assert.Contains(t, m.text, strings.TrimSpace(c.err))
			assert.NotContains(t, m.text, "401")
		})
	}
}

func TestInert(t *testing.T) {
	got := Inert("<!channel> & *pay* @here\n> see https://evil.example :fire: #general \u202e")
	assert.Equal(t, "&lt;!channel&gt; &amp; ∗pay∗ @\u2060here\n\u2060&gt; see https:\u2060//evil\u2060.example :\u2060fire: #\u2060general \\u{202e}", got)
	for _, h := range hostile {
		for line := range strings.SplitSeq(Inert(h), "\n") {
			requireInertMarkup(t, "Inert", line)
		}
		assert.NotContains(t, strings.TrimSuffix(Inert(h), "…"), "…", "nothing is cut")
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
