package capture

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/slackalert/internal/redact"
)

func TestSecretNames(t *testing.T) {
	tok := "gh" + "p_16C7e42F292c6912E7710c838347Ae178B4a"
	for _, c := range []struct {
		name   string
		groups []string
		attr   slog.Attr
		want   string
	}{
		{"key", nil, slog.String("password", "correct horse"), "password=[redacted]"},
		{"key that says no secret", nil, slog.Int("token_count", 3), "token_count=3"},
		{"group of the logger", []string{"a", "credentials"}, slog.String("user", "bob"), "a.credentials.user=[redacted]"},
		{"group, though the whole speaks of a secret only", []string{"token"}, slog.String("name", "bob"), "token.name=[redacted]"},
		{"group of the record", nil, slog.Group("credentials", "user", "bob"), "credentials.user=[redacted]"},
		{"deep", []string{"secrets"}, slog.Group("a", slog.Group("b", "c", 1)), "secrets.a.b.c=[redacted]"},
		{"group and key together", []string{"api"}, slog.String("key", "hunter2"), "api.key=[redacted]"},
		{"harmless group", []string{"request"}, slog.String("key", "hunter2"), "request.key=hunter2"},
		{"secret in a key", nil, slog.Int("user "+tok, 1), "user [redacted]=1"},
		{"secret in a group's name", []string{"by-" + tok}, slog.Int("n", 1), "by-[redacted].n=1"},
		{"number", nil, slog.Int("api_key", 12345), "api_key=[redacted]"},
		{"nested value", nil, slog.Any("v", map[string]any{"password": "correct horse", "n": 1}), `v={"n":1,"password":"[redacted]"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, []string{c.want}, shown(Settings{}, c.groups, c.attr))
			kept := Settings{}.Freeze(c.groups, []slog.Attr{c.attr})
			assert.Equal(t, []string{c.want}, shown(Settings{}, c.groups, kept...))
			for _, s := range shown(Settings{NoRedact: true}, c.groups, c.attr) {
				assert.NotContains(t, s, redact.Mark)
			}
		})
	}
}

// Wherever a text is cut, no part of a secret is left of it, also where what
// is hidden before it makes room for what lies behind the window.
func TestNoHalfSecrets(t *testing.T) {
	const password = "c0rrecthorsebatterystaple"
	hidden := "token=" + strings.Repeat("x1", 2500) + " "
	for name, text := range map[string]string{
		"URL":  "dial postgres://app:" + password + "@db/x: refused",
		"DSN":  "open app:" + password + "@tcp(db)/x",
		"pair": "login password=" + password + " refused",
	} {
		for _, before := range []string{"", hidden} {
			for at := window - 60; at < window+8; at++ {
				in := before + strings.Repeat("é ", (at-len(before))/3) + text + strings.Repeat(" x", window)
				for end := 6; end < len(password); end++ {
					if c := (Alert{}); strings.Contains(c.Text(in), password[:end]) {
						t.Fatalf("%s: %d bytes of it at %d", name, end, at)
					}
				}
			}
		}
	}
}

func TestTextSaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
	}{
		{"nothing", "abc", "abc"},
		{"all but a value's size", strings.Repeat("x", MaxValue+10), strings.Repeat("x", MaxValue) + "… (+10 bytes)"},
		{"beyond the window", strings.Repeat("x ", window), strings.Repeat("x ", MaxValue/2) + "… (+12288 bytes)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Alert{}
			assert.Equal(t, c.want, a.Text(c.in))
		})
	}
	a := Alert{}
	assert.Equal(t, "x… (more)", a.text("x"+strings.Repeat("y", halves), true))
}

// forever is a group without a name that holds itself.
type forever struct{}

func (forever) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("n", 1), slog.Any("", forever{}))
}

// What holds itself in groups without a name ends, too.
func TestGroupsWithoutNamesEnd(t *testing.T) {
	within := func(_ []string, a slog.Attr) slog.Attr { return slog.Group("", a) }
	for name, c := range map[string]struct {
		settings Settings
		attr     slog.Attr
		most     int
	}{
		"LogValue":    {Settings{}, slog.Any("", forever{}), MaxDepth},
		"ReplaceAttr": {Settings{Replace: within}, slog.Any("a", []int{1}), 0},
	} {
		t.Run(name, func(t *testing.T) {
			alert := Alert{Settings: c.settings}
			var keys []string
			alert.Emit = func(key, _ string) { keys = append(keys, key) }
			alert.Add(nil, c.attr)
			alert.Close()
			assert.Len(t, keys, c.most+1)
			assert.Equal(t, "…", keys[len(keys)-1])
			assert.NotPanics(t, func() { c.settings.Freeze(nil, []slog.Attr{c.attr}) })
		})
	}
}
