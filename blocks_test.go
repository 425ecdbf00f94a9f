package slackalert

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/require"
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

// kinds is n groups, the later the milder.
func kinds(n int) (groups []Group) {
	for i := range n {
		g := payment()
		g.Message = fmt.Sprintf("kind %d of failure in the %s", i+1, []string{"basket", "checkout", "search", "mailer"}[i%4])
		g.Count, g.Last = 1+i*i, lunch.Add(time.Duration(i)*time.Second)
		g.Total = g.Count
		if i%3 == 2 {
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
