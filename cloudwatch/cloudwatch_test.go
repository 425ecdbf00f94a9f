package cloudwatch

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
)

var noon = time.Date(2025, 5, 30, 12, 0, 0, 0, time.UTC)

// The console's own addresses, as people published them: the parts between the
// signs, and how it wrote them.
func TestEscapeAsTheConsoleDoes(t *testing.T) {
	for written, text := range map[string]string{
		"2025-05-30T05*3a00*3a00.000Z":                                                      "2025-05-30T05:00:00.000Z",
		"*2faws*2flambda*2fshop":                                                            "/aws/lambda/shop",
		"arn*3aaws*3alogs*3aus-west-2*3a123456789012*3alog-group*3ashop":                    "arn:aws:logs:us-west-2:123456789012:log-group:shop",
		"fields*20*40timestamp*2c*20*40message*0a*7c*20sort*20*40timestamp*20desc":          "fields @timestamp, @message\n| sort @timestamp desc",
		"filter*20*40message*20like*20*2f*28Init*20Duration*7c*22coldstart*22*3atrue*29*2f": `filter @message like /(Init Duration|"coldstart":true)/`,
		"count*28*2a*29*20as*20runs":                                                        "count(*) as runs",
		"*40message*20*3d*7e*20*22Exception*22":                                             `@message =~ "Exception"`,
	} {
		assert.Equal(t, written, escape(text))
	}
}

func one(t *testing.T, g slackalert.Group, keys ...string) string {
	links := Links("eu-central-1", "/aws/lambda/shop", keys...)(g)
	require.Len(t, links, 1)
	assert.Equal(t, "Logs", links[0].Text)
	return links[0].URL
}

// read undoes the notation: the query and the rest.
func read(t *testing.T, address string) (query, rest string) {
	plain := regexp.MustCompile(`\*[0-9a-f]{2}`).ReplaceAllStringFunc(address, func(s string) string {
		c, err := url.PathUnescape("%" + s[1:])
		require.NoError(t, err)
		return c
	})
	before, after, ok := strings.Cut(plain, "~editorString~'")
	require.True(t, ok, plain)
	query, after, ok = strings.Cut(after, "~source~(~'")
	require.True(t, ok, plain)
	return query, before + " … " + after
}

func TestTheWholeAddress(t *testing.T) {
	g := slackalert.Group{Code: "E401", First: noon, Last: noon.Add(time.Hour)}
	assert.Equal(t, "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:logs-insights$3FqueryDetail$3D"+
		"~(end~'2025-05-30T13*3a01*3a00.000Z~start~'2025-05-30T11*3a59*3a00.000Z~timeType~'ABSOLUTE~tz~'UTC~editorString~'"+
		"fields*20*40timestamp*2c*20*40message*2c*20*40logStream*0a*7c*20filter*20*40message*20like*20*2fE401*2f"+
		"*0a*7c*20sort*20*40timestamp*20desc*0a*7c*20limit*20200~source~(~'*2faws*2flambda*2fshop))", one(t, g))
}

func TestWhatIsLookedFor(t *testing.T) {
	fields := []slackalert.Field{{Key: "user", Value: "41"}, {Key: "http.request_id", Value: "r-1"}, {Key: "trace_id", Value: "4bf9"}}
	for _, c := range []struct {
		name string
		g    slackalert.Group
		keys []string
		want string
	}{
		{"a request", slackalert.Group{Fields: fields, Code: "E401"}, nil, "/r-1/"},
		{"a key of one's own", slackalert.Group{Fields: fields}, []string{"user"}, "/41/"},
		{"the first key that is there", slackalert.Group{Fields: fields}, []string{"order", "trace_id", "user"}, "/4bf9/"},
		{"not the end of another name", slackalert.Group{Fields: []slackalert.Field{{Key: "my_request_id", Value: "x"}}, Code: "E1"}, nil, "/E1/"},
		{"what was hidden", slackalert.Group{Fields: []slackalert.Field{{Key: "request_id", Value: "[redacted]"}}, Code: "E1"}, nil, "/E1/"},
		{"what was cut", slackalert.Group{Fields: []slackalert.Field{{Key: "request_id", Value: "x… (+9 bytes)"}}, Code: "E1"}, nil, "/E1/"},
		{"an empty value", slackalert.Group{Fields: []slackalert.Field{{Key: "request_id"}}, Code: "E1"}, nil, "/E1/"},
		{"a message", slackalert.Group{Message: "payment (2) failed\nat x"}, nil, `/payment \(2\) failed/`},
		{"signs that a format escapes", slackalert.Group{Message: `no "user" <a/b> für 5'`}, nil, "/no .+user.+ .+a.+b.+ f.+r 5.+/"},
		{"a long message", slackalert.Group{Message: strings.Repeat("y", 199) + "é"}, nil, "/" + strings.Repeat("y", 199) + "/"},
		{"nothing", slackalert.Group{}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			query, _ := read(t, one(t, c.g, c.keys...))
			_, filter, found := strings.Cut(query, "| filter @message like ")
			filter, _, _ = strings.Cut(filter, "\n")
			assert.Equal(t, c.want, filter)
			assert.Equal(t, c.want != "", found)
		})
	}
}

func TestWhen(t *testing.T) {
	request := []slackalert.Field{{Key: "request_id", Value: "r"}}
	for _, c := range []struct {
		name string
		g    slackalert.Group
		want string
	}{
		{"no time", slackalert.Group{}, "end~0~start~-3600~timeType~'RELATIVE~unit~'seconds"},
		{"one alert", slackalert.Group{First: noon, Last: noon}, "end~'2025-05-30T12:01:00.000Z~start~'2025-05-30T11:59:00.000Z"},
		{"no last", slackalert.Group{First: noon}, "end~'2025-05-30T12:01:00.000Z~start~'2025-05-30T11:59:00.000Z"},
		{"two days", slackalert.Group{First: noon.Add(-48 * time.Hour), Last: noon}, "end~'2025-05-30T12:01:00.000Z~start~'2025-05-29T11:59:00.000Z"},
		{"a request", slackalert.Group{First: noon.Add(-2 * time.Hour), Last: noon.Add(time.Hour), At: noon, Fields: request}, "end~'2025-05-30T12:05:00.000Z~start~'2025-05-30T11:55:00.000Z"},
		{"another zone", slackalert.Group{First: noon.In(time.FixedZone("", 3600)), Last: noon}, "end~'2025-05-30T12:01:00.000Z~start~'2025-05-30T11:59:00.000Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, rest := read(t, one(t, c.g))
			assert.Contains(t, rest, c.want)
		})
	}
}

func TestRegions(t *testing.T) {
	for region, host := range map[string]string{
		"us-east-1": "us-east-1.console.aws.amazon.com", "cn-north-1": "cn-north-1.console.amazonaws.cn", "us-gov-west-1": "us-gov-west-1.console.amazonaws-us-gov.com",
	} {
		u, err := url.Parse(Links(region, "g")(slackalert.Group{})[0].URL)
		require.NoError(t, err)
		assert.Equal(t, host, u.Host)
		assert.Equal(t, region, u.Query().Get("region"))
	}
	assert.Empty(t, Links("", "g")(slackalert.Group{}))
	assert.Empty(t, Links("us-east-1", "")(slackalert.Group{}))
}

// The link gets to Slack whole: the layout takes it for an address of the web.
func TestTheLayoutTakesIt(t *testing.T) {
	g := slackalert.Group{Message: strings.Repeat("é'", 90), First: noon, Last: noon, Count: 1}
	blocks := slackalert.Blocks(slackalert.Batch{Groups: []slackalert.Group{g}}, &slackalert.Options{Links: Links("eu-central-1", "/shop")})
	assert.Contains(t, textOf(t, blocks), "logs-insights$3FqueryDetail$3D")
	long := one(t, slackalert.Group{Message: strings.Repeat("(/", 100)})
	assert.Less(t, len(long), 3000)
}

func textOf(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
