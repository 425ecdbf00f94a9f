package value

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
)

var at = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

func group() (slackalert.Batch, slackalert.Group) {
	return slackalert.Batch{ID: "B1", Channel: "C1", Service: "shop", Host: "web-1"}, slackalert.Group{
		Fingerprint: "0123456789abcdef", Level: 8, Message: "payment\nfailed", Error: "no route",
		Fields: []slackalert.Field{{Key: "order", Value: "7"}},
		Count:  3, Total: 40, First: at, Last: at.Add(time.Minute), Run: "r1", UserSet: []byte{0x10},
	}
}

func TestAValueComesBackAsItWent(t *testing.T) {
	b, g := group()
	subject := Subject("S", &b, &g, "own")
	assert.Equal(t, "S.C1.0123456789abcdef.r1.dn5vc580lc00", subject)
	data, err := New(&b, &g, "own", 5, at)
	require.NoError(t, err)
	h, text, err := Parse("S", subject, data)
	require.NoError(t, err)
	assert.Equal(t, Head{V: 1, Channel: "C1", Fingerprint: "0123456789abcdef", Run: "r1", First: at.UnixNano(), Last: at.Add(time.Minute).UnixNano(),
		Sent: at.UnixNano(), Total: 40, Direct: 5, Host: "web-1", Service: "shop", Users: []byte{0x10}}, h)
	assert.EqualValues(t, 35, h.Counts())
	got, err := Text(text)
	require.NoError(t, err)
	g.UserSet = nil // stands in the head
	assert.Equal(t, g, got)
	assert.Equal(t, g.Last, Time(h.Last))
	assert.Zero(t, Time(0), "unknown")
}

func TestSubjects(t *testing.T) {
	for _, tc := range []struct {
		name                 string
		channel, fingerprint string
		run                  string
		first                time.Time
		want                 string
	}{
		{"plain words stand as they are", "C0123", "ab-c_D", "r", time.Unix(0, 36), "S.C0123.ab-c_D.r.10"},
		{"no channel and no time", "", "f", "r", time.Time{}, "S.=47DEQpj8HBSa-_TImW-5.f.r.0"},
		{"what would be two tokens", "a.b", "f", "r", time.Time{}, "S." + token("a.b") + ".f.r.0"},
		{"a year that nanoseconds can't say", "c", "f", "r", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), "S.c.f.r.0"},
		{"before 1970", "c", "f", "r", time.Unix(0, -36), "S.c.f.r.-10"},
		{"the process's run where the group has none", "c", "f", "", time.Time{}, "S.c.f.own.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, g := slackalert.Batch{Channel: tc.channel}, slackalert.Group{Fingerprint: tc.fingerprint, Run: tc.run, First: tc.first}
			got := Subject("S", &b, &g, "own")
			assert.Equal(t, tc.want, got)
			assert.Equal(t, 5, len(strings.Split(got, ".")))
		})
	}
}

func TestTokensAreSafeAndTellTextsApart(t *testing.T) {
	seen := map[string]string{}
	for _, s := range []string{"", " ", "*", ">", "a b", "a\tb", "a.b", "a..b", "=", "=47DEQpj8HBSa-_TImW-5", "ä", "\x00", "#ops", "ops", strings.Repeat("x", 40), strings.Repeat("x", 41), "OPS"} {
		got := token(s)
		assert.Regexp(t, `^(=[A-Za-z0-9_-]{20}|[A-Za-z0-9_-]{1,40})$`, got, "%q", s)
		assert.Empty(t, seen[got], "%q", s)
		seen[got] = s + "!"
	}
}

func TestWhatIsNoValue(t *testing.T) {
	b, g := group()
	subject := Subject("S", &b, &g, "")
	head := func(change func(map[string]any)) string {
		data, err := New(&b, &g, "", 0, at)
		require.NoError(t, err)
		first, _, _ := strings.Cut(string(data), "\n")
		m := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(first), &m))
		change(m)
		out, err := json.Marshal(m)
		require.NoError(t, err)
		return string(out)
	}
	for _, tc := range []struct{ name, data, want string }{
		{"nothing", "", "no value"},
		{"garbage", "\x00\xff{", "no value"},
		{"another's JSON", `{"hello":"world"}`, "its format is 0; want 1"},
		{"an array", `[1]`, "no value"},
		{"a total below zero", head(func(m map[string]any) { m["total"] = -1 }), "its total is -1"},
		{"more direct than in all", head(func(m map[string]any) { m["direct"] = 41 }), "of that direct 41"},
		{"a total that would overflow sums", head(func(m map[string]any) { m["total"] = int64(1) << 50 }), "its total is 1125899906842624"},
		{"another group's", head(func(m map[string]any) { m["fingerprint"] = "other" }), "it belongs on the subject S.C1.other.r1."},
		{"a newer format", head(func(m map[string]any) { m["v"] = 2 }), "newer format: 2"},
		{"a newer format with fields of other kinds", `{"v":7,"total":"many"}`, "newer format: 7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := Parse("S", subject, []byte(tc.data))
			require.ErrorContains(t, err, tc.want)
			assert.Equal(t, strings.Contains(tc.name, "newer"), strings.Contains(tc.want, "newer"))
			if strings.Contains(tc.name, "newer") {
				assert.ErrorIs(t, err, ErrNewer)
			}
		})
	}
	_, err := Text([]byte("{"))
	assert.ErrorContains(t, err, "no group")
}

func FuzzParse(f *testing.F) {
	b, g := group()
	data, _ := New(&b, &g, "", 5, at)
	f.Add(Subject("S", &b, &g, ""), data)
	f.Add("S.a.b.c.d", []byte("{}\n{}"))
	f.Fuzz(func(t *testing.T, subject string, data []byte) {
		h, _, err := Parse("S", subject, data)
		if err != nil {
			assert.Zero(t, h)
			return
		}
		assert.Equal(t, subject, h.subject("S"))
		assert.GreaterOrEqual(t, h.Counts(), int64(0))
	})
}
