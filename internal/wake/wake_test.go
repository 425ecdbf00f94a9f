package wake

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCalls(t *testing.T) {
	for _, c := range []struct{ in, text, rich string }{
		{"", "", `null`},
		{"<@U01>", " <@U01>", `[{"type":"user","user_id":"U01"}]`},
		{"<!subteam^S01|@oncall>", " <!subteam^S01>", `[{"type":"usergroup","usergroup_id":"S01"}]`},
		{"<!here>", " <!here>", `[{"type":"broadcast","range":"here"}]`},
		{"<!channel|channel>", " <!channel>", `[{"type":"broadcast","range":"channel"}]`},
		{"look, <@U01>!", " <@U01>", `[{"type":"text","text":"look,"},{"type":"text","text":" "},{"type":"user","user_id":"U01"},{"type":"text","text":" "},{"type":"text","text":"!"}]`},
		{"@here", "", `[{"type":"text","text":"@here"}]`},
		{"<@u01>", "", `[{"type":"text","text":"<@u01>"}]`},
		{"<@U01 U02>", "", `[{"type":"text","text":"<@U01 U02>"}]`},
		{"<!date^1^{date}|x>", "", `[{"type":"text","text":"<!date^1^{date}|x>"}]`},
		{"<http://x.example|x>", "", `[{"type":"text","text":"<http://x.example|x>"}]`},
		{"<#C01>", "", `[{"type":"text","text":"<#C01>"}]`},
		{"<<@U01>", " <@U01>", `[{"type":"text","text":"<"},{"type":"text","text":" "},{"type":"user","user_id":"U01"}]`},
		{"<@U01", "", `[{"type":"text","text":"<@U01"}]`},
		{"<@U" + strings.Repeat("1", 32) + ">", "", `[{"type":"text","text":"<@U` + strings.Repeat("1", 32) + `>"}]`},
		{"<@>", "", `[{"type":"text","text":"<@>"}]`},
		{"a\u202eb", "", `[{"type":"text","text":"a\\u{202e}b"}]`},
	} {
		t.Run(c.in, func(t *testing.T) {
			var calls Calls
			calls.Add(c.in)
			assert.Equal(t, c.text, calls.Text())
			var b strings.Builder
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			require.NoError(t, e.Encode(calls.Rich()))
			assert.JSONEq(t, c.rich, b.String())
		})
	}
}

func TestCallsOnceAndFew(t *testing.T) {
	var calls Calls
	calls.Add("<@U01> <@U02>")
	calls.Add("<@U02> <@U01|bob>")
	assert.Equal(t, " <@U01> <@U02>", calls.Text())
	for i := range 30 {
		calls.Add("<@U0" + strings.Repeat("1", i+2) + ">")
	}
	assert.Len(t, calls, most)
	assert.LessOrEqual(t, calls.Weight(), most*(maxWords+1))
	calls = nil
	calls.Add(strings.Repeat("<", 1_000_000) + "<@U01>") // as quick as a short one
	assert.Empty(t, calls.Text())
}

func TestAnybody(t *testing.T) {
	for _, text := range []string{"<@U1>", "<@W1|bo>", "<!subteam^S1>", "<!here>", "<!channel>", "<!everyone>", "who: <@U1> please"} {
		assert.True(t, Anybody(text), text)
	}
	for _, text := range []string{"", "@oncall", "@here", "U0SEC", "<@oncall>", "<!subteam^oncall>", "<here>", "<@U1"} {
		assert.False(t, Anybody(text), text)
	}
}
