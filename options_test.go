package slackalert

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewSaysWhatIsWrong(t *testing.T) {
	d := newDesk()
	json := slog.NewJSONHandler(os.Stdout, nil)
	for _, c := range []struct {
		name string
		base slog.Handler
		opts *Options
		want []string // field, what came, what is wanted
	}{
		{"nil base", nil, &Options{Sender: d}, []string{"base is nil", "want the handler"}},
		{"slog's default", slog.Default().Handler(), &Options{Sender: d}, []string{"base is slog's default handler", "deadlocks", "want another"}},
		{"nil options", json, nil, []string{"no destination", "want one of Token with Channel, WebhookURL, Sender"}},
		{"no destination", json, &Options{}, []string{"no destination"}},
		{"channel alone", json, &Options{Channel: "C1"}, []string{"Token is missing"}},
		{"two destinations", json, &Options{Token: "xoxb-geheim", Channel: "C1", Sender: d}, []string{"Sender and Token are set", "want exactly one"}},
		{"three destinations", json, &Options{Token: "xoxb-geheim", Channel: "C1", Sender: d, WebhookURL: "https://hooks.example/geheim"}, []string{"Sender and Token and WebhookURL"}},
		{"no channel", json, &Options{Token: "xoxb-geheim"}, []string{"Channel is missing", "C0123456789"}},
		{"a token with a line feed", json, &Options{Token: "xoxb-geheim\n", Channel: "C1"}, []string{"Token has characters", "xoxb-…"}},
		{"webhook over http", json, &Options{WebhookURL: "http://hooks.example/geheim"}, []string{"WebhookURL", `"http"`, "want https"}},
		{"webhook no URL", json, &Options{WebhookURL: "geheim"}, []string{"WebhookURL", "is no URL", "want https://…"}},
		{"webhook that can't be parsed", json, &Options{WebhookURL: "https://geheim\x7f/"}, []string{"WebhookURL"}},
		{"webhook with a channel", json, &Options{WebhookURL: "https://hooks.example/geheim", Channel: "#ops"}, []string{`Channel is "#ops"`, "leave Channel empty"}},
		{"API over http", json, &Options{Token: "xoxb-geheim", Channel: "C1", APIURL: "http://api.example/"}, []string{"APIURL", `"http://api.example/"`, "want https"}},
		{"API with a password", json, &Options{Token: "xoxb-geheim", Channel: "C1", APIURL: "http://u:geheim@api.example/"}, []string{"APIURL"}},
		{"negative delay", json, &Options{Sender: d, BatchDelay: -time.Second}, []string{"BatchDelay is -1s", "0 (the default) or more"}},
		{"negative interval", json, &Options{Sender: d, RepeatInterval: -1}, []string{"RepeatInterval is -1ns"}},
		{"negative size", json, &Options{Sender: d, BatchSize: -1}, []string{"BatchSize is -1", "0 (the default) to 40"}},
		{"size over 40", json, &Options{Sender: d, BatchSize: 41}, []string{"BatchSize is 41", "to 40"}},
		{"negative groups", json, &Options{Sender: d, MaxGroups: -5}, []string{"MaxGroups is -5"}},
		{"negative breadcrumbs", json, &Options{Sender: d, Breadcrumbs: -5}, []string{"Breadcrumbs is -5"}},
		{"codes with channels on a webhook", json, &Options{WebhookURL: "https://hooks.example/geheim", Codes: map[string]Code{"E1": {Channel: "#pay"}}}, []string{`Codes["E1"].Channel is "#pay"`, "want a bot token"}},
		{"several at once", json, &Options{Sender: d, BatchSize: 41, MaxGroups: -5}, []string{"BatchSize is 41", "MaxGroups is -5"}},
		{"a source template without a line", json, &Options{Sender: d, SourceURL: "git.example/{file}"}, []string{`SourceURL is "git.example/{file}"`, "want https://…"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := New(c.base, c.opts)
			require.Error(t, err)
			assert.Nil(t, h)
			assert.True(t, strings.HasPrefix(err.Error(), "slackalert: "), err.Error())
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "geheim", "a secret in an error")
		})
	}
}

func TestWhatMayBeGiven(t *testing.T) {
	for name, o := range map[string]*Options{
		"bot":               {Token: "xoxb-1", Channel: "#ops"},
		"GovSlack":          {Token: "xoxb-1", Channel: "#ops", APIURL: "https://slack-gov.com/api/"},
		"webhook":           {WebhookURL: "https://hooks.example/services/T/B/x"},
		"loopback":          {WebhookURL: "http://127.0.0.1:1/x"},
		"loopback by name":  {Token: "xoxb-1", Channel: "C1", APIURL: "http://localhost:1/"},
		"loopback on IPv6":  {Token: "xoxb-1", Channel: "C1", APIURL: "http://[::1]:1/"},
		"sender":            {Sender: newDesk(), BatchSize: 40},
		"sender's channels": {Sender: newDesk(), Channel: "#ops", Codes: map[string]Code{"E1": {Channel: "#pay"}}},
		"source links":      {Sender: newDesk(), SourceURL: "https://git.example/shop/blob/{revision}/{file}#L{line}"},
	} {
		h, err := New(&logs{}, o)
		require.NoError(t, err, name)
		require.NoError(t, h.Close())
	}
}

func TestOptionsAreCopied(t *testing.T) {
	client := &http.Client{}
	var o *Options
	s, h, log, _ := bot(t, nil, func(opts *Options) {
		opts.HTTPClient, opts.Codes = client, map[string]Code{"E1": {Title: "one"}}
		o = opts
	})
	before := *o
	o.Codes["E1"] = Code{Mute: true}
	log.Info("m", "error_code", "E1")
	require.NoError(t, h.Close())
	assert.Len(t, s.Messages(""), 1, "what is changed after New changes nothing")
	assert.Nil(t, client.CheckRedirect)
	assert.Equal(t, before.BatchSize, o.BatchSize)
	assert.Nil(t, o.Filter)
}

func TestLoadCodes(t *testing.T) {
	codes, err := LoadCodes(strings.NewReader(`{
		"E401": {"title": "Tampered token", "channel": "#sec", "mention": "<@U1>", "runbook": "https://r.example/401"},
		"E404": {"mute": true}
	}`))
	require.NoError(t, err)
	assert.Equal(t, map[string]Code{
		"E401": {Title: "Tampered token", Channel: "#sec", Mention: "<@U1>", Runbook: "https://r.example/401"},
		"E404": {Mute: true},
	}, codes)
	codes, err = LoadCodes(strings.NewReader("{}"))
	require.NoError(t, err)
	assert.Empty(t, codes)
}

func TestLoadCodesSaysLineAndField(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "line 1: unexpected "},
		{"no object", "[]", "line 1: the catalogue is [; want an object"},
		{"no code object", "{\n\"E1\": 5}", `line 2: code "E1" is 5; want an object`},
		{"unknown field", "{\n\n\"E1\": {\n\"titel\": \"x\"}}", `line 4: code "E1": unknown field "titel"; want title, channel, mention, runbook or mute`},
		{"wrong type", "{\"E1\": {\n\"title\": 5}}", `line 2: code "E1": title is 5; want a string`},
		{"wrong mute", "{\"E1\": {\"mute\": \"yes\"}}", `line 1: code "E1": mute is yes; want true or false`},
		{"nested", "{\"E1\": {\"title\": {}}}", `line 1: code "E1": title is {; want a string`},
		{"twice", "{\"E1\": {},\n\"E1\": {}}", `line 2: code "E1" is given twice`},
		{"field twice", "{\"E1\": {\"mute\": true,\n\"mute\": true}}", `line 2: code "E1": field "mute" is given twice`},
		{"behind", "{}\n{}", "line 2: more follows the catalogue"},
		{"cut", "{\"E1\": {\"title\": \"x\"", "line 1: unexpected "},
		{"syntax", "{\"E1\": {\"title\" \"x\"}}", "line 1: invalid character"},
	} {
		t.Run(c.name, func(t *testing.T) {
			codes, err := LoadCodes(strings.NewReader(c.in))
			assert.Nil(t, codes)
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "slackalert: codes: ")
		})
	}
	_, err := LoadCodes(failingReader{})
	assert.ErrorIs(t, err, errDown)
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errDown }

func TestLooksThatPanic(t *testing.T) {
	s, h, log, base := bot(t, nil, func(o *Options) {
		o.Mention = func(Group) string { panic("mention") }
		o.Links = func(Group) []Link { panic(errors.New("links")) }
		o.Blocks = func(Batch) []slack.Block { panic("blocks") }
	})
	log.Error("payment failed")
	require.NoError(t, h.Close())
	require.Len(t, s.Messages(""), 1)
	assert.NotEmpty(t, s.Messages("")[0].Blocks.BlockSet, "the default layout")
	own := strings.Join(base.own(), "\n")
	for _, option := range []string{"Mention", "Links", "Blocks"} {
		assert.Equal(t, 1, strings.Count(own, "option="+option+" "), own)
	}
}
