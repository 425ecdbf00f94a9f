package slackalert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/cookiejar"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/scope"
	"example.com/slackalert/internal/wake"
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
		{"typed nil base", (*logs)(nil), &Options{Sender: d}, []string{"base is a nil *slackalert.logs", "want the handler"}},
		{"slog's default in a MultiHandler", slog.NewMultiHandler(json, slog.Default().Handler()), &Options{Sender: d}, []string{"holds slog's default handler"}},
		{"slog's default in a wrapper", within{slog.Default().Handler(), nil}, &Options{Sender: d}, []string{"base, a slackalert.within, holds slog's default handler"}},
		{"a quoted token", json, &Options{Token: `"xoxb-geheim"`, Channel: "C1"}, []string{"Token has quotes", "without quotes"}},
		{"an app's token", json, &Options{Token: "xapp-geheim", Channel: "C1"}, []string{`Token begins with "xapp-"`, "want a bot token"}},
		{"a user's token", json, &Options{Token: "xoxp-geheim", Channel: "C1"}, []string{`Token begins with "xoxp-"`, "want a bot token"}},
		{"a channel with blanks", json, &Options{Token: "xoxb-geheim", Channel: "my alerts"}, []string{`Channel is "my alerts", with blanks`, "want a channel's ID"}},
		{"a channel's URL", json, &Options{Token: "xoxb-geheim", Channel: "https://shop.slack.com/archives/C1"}, []string{"a URL", "want a channel's ID"}},
		{"Route on a webhook", json, &Options{WebhookURL: "https://hooks.example/geheim", Route: func(context.Context, slog.Record) string { return "" }}, []string{"Route is set with WebhookURL", "want a bot token"}},
		{"a source template without a placeholder", json, &Options{Sender: d, SourceURL: "https://git.example/"}, []string{"SourceURL is", "no placeholder"}},
		{"nanoseconds", json, &Options{Sender: d, BatchDelay: 5}, []string{"BatchDelay is 5ns", "5 * time.Second"}},
		{"nanoseconds of an interval", json, &Options{Sender: d, RepeatInterval: 300}, []string{"RepeatInterval is 300ns", "300 * time.Second"}},
		{"RepeatMax under RepeatInterval", json, &Options{Sender: d, RepeatMax: time.Minute}, []string{"RepeatMax is 1m0s, under RepeatInterval, 5m0s"}},
		{"negative RepeatMax", json, &Options{Sender: d, RepeatMax: -1}, []string{"RepeatMax is -1ns"}},
		{"CatchCrash without SpoolDir", json, &Options{Sender: d, CatchCrash: true}, []string{"CatchCrash is set without SpoolDir"}},
		{"a SpoolDir that is a file", json, &Options{Sender: d, SpoolDir: os.Args[0]}, []string{"SpoolDir is ", "want a folder"}},
		{"more groups than a SpoolDir keeps", json, &Options{Sender: d, SpoolDir: os.TempDir(), MaxGroups: 1001}, []string{"MaxGroups is 1001 with SpoolDir", "to 1000"}},
		{"a mention that calls nobody", json, &Options{Sender: d, Codes: map[string]Code{"E1": {Mention: "@oncall"}}}, []string{`Codes["E1"].Mention is "@oncall", which calls nobody`, `"<@U…>"`}},
		{"a code's channel with blanks", json, &Options{Token: "xoxb-geheim", Channel: "C1", Codes: map[string]Code{"E1": {Channel: "a b"}}}, []string{`Codes["E1"].Channel is "a b"`}},
		{"typed nil Sender", json, &Options{Sender: (*desk)(nil)}, []string{"Sender is a nil *slackalert.desk", "want one that was made"}},
		{"typed nil levels", json, &Options{Sender: d, Level: (*slog.LevelVar)(nil), CodeLevel: (*slog.LevelVar)(nil), SyncLevel: (*slog.LevelVar)(nil)}, []string{"slackalert: Level is a nil *slog.LevelVar", "CodeLevel is a nil *slog.LevelVar", "SyncLevel is a nil *slog.LevelVar"}},
		{"typed nil Transport", json, &Options{Sender: d, HTTPClient: &http.Client{Transport: (*http.Transport)(nil)}}, []string{"HTTPClient.Transport is a nil *http.Transport"}},
		{"typed nil Jar", json, &Options{Sender: d, HTTPClient: &http.Client{Jar: (*cookiejar.Jar)(nil)}}, []string{"HTTPClient.Jar is a nil *cookiejar.Jar"}},
		{"channel alone", json, &Options{Channel: "C1"}, []string{"Token is missing"}},
		{"two destinations", json, &Options{Token: "xoxb-geheim", Channel: "C1", Sender: d}, []string{"Sender and Token are set", "want exactly one"}},
		{"three destinations", json, &Options{Token: "xoxb-geheim", Channel: "C1", Sender: d, WebhookURL: "https://hooks.example/geheim"}, []string{"Sender and Token and WebhookURL"}},
		{"no channel", json, &Options{Token: "xoxb-geheim"}, []string{"Channel is missing", "C0123456789"}},
		{"a token with a line feed", json, &Options{Token: "xoxb-geheim\n", Channel: "C1"}, []string{"Token has characters", "xoxb-…"}},
		{"webhook over http", json, &Options{WebhookURL: "http://hooks.example/geheim"}, []string{"WebhookURL", `"http"`, "want https"}},
		{"webhook with a blank", json, &Options{WebhookURL: "https://hooks.slack.com/services/geheim "}, []string{"WebhookURL", "has blanks or quotes in it", "want https://…"}},
		{"webhook with a quote", json, &Options{WebhookURL: "https://hooks.slack.com/services/geheim'"}, []string{"WebhookURL", "has blanks or quotes in it", "want https://…"}},
		{"webhook without a host", json, &Options{WebhookURL: "https://:443/geheim"}, []string{"WebhookURL", "is no URL", "want https://…"}},
		{"webhook no URL", json, &Options{WebhookURL: "geheim"}, []string{"WebhookURL", "is no URL", "want https://…"}},
		{"webhook that can't be parsed", json, &Options{WebhookURL: "https://geheim\x7f/"}, []string{"WebhookURL"}},
		{"webhook with a channel", json, &Options{WebhookURL: "https://hooks.example/geheim", Channel: "#ops"}, []string{`Channel is "#ops"`, "leave Channel empty"}},
		{"API over http", json, &Options{Token: "xoxb-geheim", Channel: "C1", APIURL: "http://api.example/"}, []string{"APIURL", `"http://api.example/"`, "want https"}},
		{"API with a password", json, &Options{Token: "xoxb-geheim", Channel: "C1", APIURL: "http://u:geheim@api.example/"}, []string{"APIURL"}},
		{"negative delay", json, &Options{Sender: d, BatchDelay: -time.Second}, []string{"BatchDelay is -1s", "0 (the default) or 1ms and more"}},
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
		"optional":          {Optional: true, Channel: "C1"},
		"a long interval":   {Sender: newDesk(), RepeatInterval: 8 * time.Hour},
		"another server's":  {Token: "token", Channel: "C1", APIURL: "http://localhost:1/"},
		"mentions":          {Sender: newDesk(), Codes: map[string]Code{"E1": {Mention: "<@U1> or <!subteam^S2> please"}}},
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
		{"empty", "", "line 1: unexpected EOF; want one JSON object"},
		{"no object", "[]", "line 1: the catalogue is [; want an object"},
		{"no code object", "{\n\"E1\": 5}", `line 2: code "E1" is 5; want an object`},
		{"unknown field", "{\n\n\"E1\": {\n\"titel\": \"x\"}}", `line 4: code "E1": unknown field "titel"; want title, channel, mention, runbook or mute`},
		{"wrong type", "{\"E1\": {\n\"title\": 5}}", `line 2: code "E1": title is 5; want a string`},
		{"wrong mute", "{\"E1\": {\"mute\": \"yes\"}}", `line 1: code "E1": mute is yes; want true or false`},
		{"nested", "{\"E1\": {\"title\": {}}}", `line 1: code "E1": title is {; want a string`},
		{"nameless", "{\"\": {}}", "line 1: a code is empty; want its text"},
		{"twice", "{\"E1\": {},\n\"E1\": {}}", `line 2: code "E1" is given twice`},
		{"field twice", "{\"E1\": {\"mute\": true,\n\"mute\": true}}", `line 2: code "E1": field "mute" is given twice`},
		{"a mention of nobody", "{\"E1\":\n{\"mention\": \"@here\"}}", `line 2: code "E1": mention is "@here", which calls nobody; want "<@U…>"`},
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

func TestLooksThatEndTheGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		rt := roundTrip(func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			bodies = append(bodies, string(body))
			return answer(r, "ok"), nil
		})
		base := &logs{}
		h, err := New(base, &Options{
			WebhookURL: "https://hooks.slack.com/services/T/B/x", HTTPClient: &http.Client{Transport: rt},
			Mention: func(Group) string { goexit(); return "" },
			Links:   func(Group) []Link { goexit(); return nil },
			Blocks:  func(Batch) []slack.Block { goexit(); return nil },
		})
		require.NoError(t, err)
		slog.New(h).Error("payment failed")
		pass(time.Minute)
		require.Len(t, bodies, 1, "%v", base.own())
		assert.Contains(t, bodies[0], "payment failed")
		assert.EqualValues(t, 1, h.Stats().Delivered)
		own := strings.Join(base.own(), "\n")
		for _, option := range []string{"Mention", "Links", "Blocks"} {
			assert.Equal(t, 1, strings.Count(own, "(runtime.Goexit); it is not called again, its default is used option="+option), own)
		}
		require.NoError(t, h.Close())
	})
}

// A client may have a time-out that is as good as none.
func TestAnEndlessTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		rt := roundTrip(func(r *http.Request) (*http.Response, error) {
			told++
			return answer(r, "ok"), r.Context().Err()
		})
		h, err := New(&logs{}, &Options{
			WebhookURL: "https://hooks.slack.com/services/T/B/x", HTTPClient: &http.Client{Transport: rt, Timeout: math.MaxInt64},
		})
		require.NoError(t, err)
		slog.New(h).Error("payment failed")
		pass(time.Minute)
		assert.Equal(t, 1, told)
		assert.Equal(t, Stats{Alerts: 1, Delivered: 1, Messages: 1}, h.Stats())
		require.NoError(t, h.Close())
	})
}

func TestAMentionThatCallsNobody(t *testing.T) {
	s, h, log, base := bot(t, nil, func(o *Options) {
		o.Mention = func(g Group) string { return "@oncall" }
	})
	log.Error("one")
	log.Error("two")
	require.NoError(t, h.Close())
	assert.NotEmpty(t, s.Messages(""))
	assert.Equal(t, []string{`slackalert: an option's function returned a mention that calls nobody option=Mention mention=@oncall want=` + wake.Forms}, base.own())
}

func TestOptionsShowNoSecret(t *testing.T) {
	o := Options{Token: "xoxb-geheim", WebhookURL: "https://hooks.example/geheim", Channel: "C1"}
	for _, v := range []any{o, &o, struct{ Opts Options }{o}, []Options{o}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			s := fmt.Sprintf(verb, v)
			assert.NotContains(t, s, "geheim", verb)
			assert.Contains(t, s, "[redacted]", verb)
			assert.Contains(t, s, "C1", verb)
		}
	}
	assert.Equal(t, "xoxb-geheim", o.Token)
	assert.NotContains(t, fmt.Sprintf("%+v", Options{}), "redacted", "what is empty is seen to be")
	var buf strings.Builder
	slog.New(slog.NewTextHandler(&buf, nil)).Info("m", "options", o, "pointer", &o)
	assert.NotContains(t, buf.String(), "geheim")
}

// An exported field, also one of an embedded type, could be written to from
// outside while the handler runs; h.Token and h.Filter = nil compiled once.
func TestNothingIsPublicByEmbedding(t *testing.T) {
	h := reflect.TypeFor[Handler]()
	for _, f := range reflect.VisibleFields(h) {
		assert.False(t, f.IsExported(), f.Name)
		assert.False(t, f.Anonymous, f.Name)
	}
	var methods []string
	for i := range reflect.PointerTo(h).NumMethod() {
		methods = append(methods, reflect.PointerTo(h).Method(i).Name)
	}
	assert.Equal(t, []string{
		"Check", "Close", "Enabled", "Flush", "Handle", "Merge", "Repanic", "Resume", "SetCodes", "Shutdown", "Stats", "WithAttrs", "WithGroup",
	}, methods)
	for _, f := range reflect.VisibleFields(reflect.TypeFor[config]()) {
		assert.False(t, f.Anonymous, f.Name)
	}
}

func TestSetCodes(t *testing.T) {
	d := newDesk()
	h, log, _ := newTest(t, d, func(o *Options) { o.Codes = map[string]Code{"E1": {Mute: true}} })
	derived := log.With("a", 1)
	derived.Info("muted", "error_code", "E1")
	codes := map[string]Code{"E1": {Channel: "#pay"}, "E2": {Mute: true}}
	require.NoError(t, h.SetCodes(codes))
	codes["E1"] = Code{Mute: true}
	derived.Info("told", "error_code", "E1")
	derived.Info("muted", "error_code", "E2")
	err := h.SetCodes(map[string]Code{"E1": {Mute: true, Mention: "@here"}})
	require.ErrorContains(t, err, `slackalert: Codes["E1"].Mention is "@here", which calls nobody`)
	derived.Info("told", "error_code", "E1")
	require.NoError(t, h.SetCodes(nil))
	derived.Info("told elsewhere", "error_code", "E1")
	require.NoError(t, h.Close())
	require.NoError(t, h.SetCodes(codes), "after Close too")
	got := map[string]int{}
	for _, a := range d.all() {
		for _, g := range a.Groups {
			got[a.Channel+" "+g.Message] += g.Count
		}
	}
	assert.Equal(t, map[string]int{"#pay told": 2, " told elsewhere": 1}, got)
}

func TestMessagesShowTheCodesOfTheMoment(t *testing.T) {
	s, h, log, _ := bot(t, nil, func(o *Options) { o.Codes = map[string]Code{"E1": {Title: "Old title"}} })
	require.NoError(t, h.SetCodes(map[string]Code{"E1": {Title: "New title"}}))
	log.Error("m", "error_code", "E1")
	require.NoError(t, h.Close())
	require.Len(t, s.Messages(""), 1)
	text := fmt.Sprint(s.Messages("")[0].Text)
	assert.Contains(t, text, "New title")
}

func TestSetCodesWhileItLogs(t *testing.T) {
	h, log, _ := newTest(t, newDesk(), nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 200 {
				log.Info("m", "error_code", "E1")
				assert.NoError(t, h.SetCodes(map[string]Code{"E1": {Mute: i%2 == 0}}))
			}
		})
	}
	wg.Wait()
	require.NoError(t, h.Close())
}

func TestOptionalWithoutADestination(t *testing.T) {
	base := &logs{}
	h, err := New(base, &Options{Optional: true, Channel: "C1", Filter: func(context.Context, slog.Record) bool { panic("nobody asks") }})
	require.NoError(t, err)
	ctx := With(t.Context())
	slog.New(h).ErrorContext(ctx, "m")
	assert.True(t, scope.From(ctx).Alerted(), "the middleware needn't tell it again")
	assert.ErrorIs(t, h.Check(t.Context()), ErrNoDestination)
	require.NoError(t, h.Flush(t.Context()))
	require.NoError(t, h.Close())
	assert.Equal(t, Stats{}, h.Stats())
	require.Len(t, base.records, 2)
	assert.Equal(t, []string{"slackalert: there is no destination: alerts stay in the logs want=Token with Channel, WebhookURL or Sender"}, base.own())

	for _, o := range []*Options{nil, {}, {Channel: "C1"}} {
		_, err := New(base, o)
		assert.ErrorIs(t, err, ErrNoDestination)
	}
	_, err = New(base, &Options{Optional: true, Token: "xoxb-1"})
	assert.ErrorContains(t, err, "Channel is missing", "what is there must be right")
}

func TestOwnTroubleWhereBaseWantsNoWarnings(t *testing.T) {
	for level, want := range map[slog.Level]slog.Level{slog.LevelInfo: slog.LevelWarn, slog.LevelError: slog.LevelError} {
		base := &logs{min: level}
		h, err := New(base, &Options{Optional: true})
		require.NoError(t, err)
		require.Len(t, base.own(), 1)
		assert.Equal(t, want, base.records[0].Level)
		require.NoError(t, h.Close())
	}
}

func TestRouteNamesAChannel(t *testing.T) {
	d := newDesk()
	h, log, base := newTest(t, d, func(o *Options) {
		o.Codes = map[string]Code{"pay": {Channel: "#payments"}}
		o.Route = func(ctx context.Context, r slog.Record) string {
			switch r.Message {
			case "panics":
				panic("route")
			case "as ever":
				return ""
			}
			return "#" + r.Level.String()
		}
	})
	log.Error("a")
	log.Warn("b", "error_code", "pay")
	log.Error("as ever", "error_code", "pay")
	log.Error("panics")
	require.NoError(t, h.Close())
	got := map[string]string{}
	for _, a := range d.all() {
		got[a.Groups[0].Message] = a.Channel
	}
	assert.Equal(t, map[string]string{"a": "#ERROR", "b": "#WARN", "as ever": "#payments", "panics": ""}, got)
	require.Len(t, base.own(), 1)
	assert.Contains(t, base.own()[0], "option=Route")
}

// What an option's function logs through the handler goes to base and is no
// alert: it would be asked about that again, without end.
func TestOptionsFunctionsThatLog(t *testing.T) {
	d := newDesk()
	var log *slog.Logger
	say := func(what string) {
		log.Error(what + " logs")
		log.With("a", 1).ErrorContext(context.Background(), what+" logs")
	}
	h, log, base := newTest(t, d, func(o *Options) {
		o.Filter = func(context.Context, slog.Record) bool { say("Filter"); return true }
		o.Fingerprint = func(context.Context, slog.Record) string { say("Fingerprint"); return "" }
		o.Route = func(context.Context, slog.Record) string { say("Route"); return "" }
		o.ReplaceAttr = func(_ []string, a slog.Attr) slog.Attr { say("ReplaceAttr"); return a }
		o.Links = func(Group) []Link { say("Links"); return nil }
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { log.Error("m", "k", "v") })
	}
	wg.Wait()
	require.NoError(t, h.Close())
	assert.EqualValues(t, 4, h.Stats().Alerts)
	assert.Equal(t, []string{"m"}, []string{d.all()[0].Groups[0].Message})
	n := map[string]int{}
	for _, r := range base.records {
		n[r.Message]++
	}
	assert.Equal(t, 8, n["Filter logs"])
	assert.NotZero(t, n["ReplaceAttr logs"])
}
