// This file logs real alerts and looks at what the page makes of them.

package browsertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
)

// chromium is the browser of all tests; each has tabs of its own. The first test
// starts it, so that a run without tests needs none.
var chromium struct {
	*Browser
	started sync.Once
	err     error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.Browser != nil {
		_ = chromium.Close()
	}
	os.Exit(code)
}

func open(t *testing.T, address string, v View) *Page {
	t.Helper()
	chromium.started.Do(func() { chromium.Browser, chromium.err = Start() })
	require.NoError(t, chromium.err)
	p, err := chromium.Open(address, v)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

var (
	phone   = View{Width: 390, Height: 844}
	desktop = View{Width: 1200, Height: 800}
)

// A stage is a handler that posts to a fakeslack, and a reader before its page.
type stage struct {
	*testing.T
	slack   *fakeslack.Server
	handler *slackalert.Handler
	log     *slog.Logger
	page    *Page
}

func newStage(t *testing.T, opts slackalert.Options) *stage {
	t.Helper()
	s := &stage{T: t}
	var err error
	s.slack, err = fakeslack.Start(nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.slack.Close()) })
	opts.Token, opts.Channel, opts.APIURL = "xoxb-browsertest", "#shop-alerts", s.slack.APIURL()
	opts.Service, opts.BatchDelay = "shop", 50*time.Millisecond
	s.handler, err = slackalert.New(slog.DiscardHandler, &opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.handler.Close()) })
	s.log = slog.New(s.handler)
	s.page = s.open(phone)
	return s
}

// open opens the page for one more reader, whose console must stay empty.
func (s *stage) open(v View) *Page {
	s.Helper()
	p := open(s.T, s.slack.PageURL(), v)
	s.Cleanup(func() { assert.Empty(s, p.Troubles()) })
	require.NoError(s, p.WaitFor(`document.getElementById("live").textContent === "live"`))
	return p
}

func (s *stage) waitFor(expression string) {
	s.Helper()
	require.NoError(s, s.page.WaitFor(expression))
}

func ask[T any](s *stage, expression string) T {
	s.Helper()
	answer, err := Ask[T](s.page, expression)
	require.NoError(s, err)
	return answer
}

// shown is the visible text of all messages.
func (s *stage) shown() string {
	s.Helper()
	return ask[string](s, `[...document.querySelectorAll("article .parts")].map((p) => p.innerText).join("\n")`)
}

// tell flushes, and returns how many messages there are.
func (s *stage) tell() int {
	s.Helper()
	require.NoError(s, s.handler.Flush(s.Context()))
	return len(s.slack.Messages(""))
}

func TestMessagesAppearWithoutReloading(t *testing.T) {
	s := newStage(t, slackalert.Options{Codes: map[string]slackalert.Code{"401": {Title: "Tampered token", Channel: "#security"}}})
	ask[bool](s, `window.notReloaded = true`)
	assert.Contains(t, ask[string](s, `document.body.innerText`), "Nothing has arrived yet.")

	ctx := slackalert.With(t.Context(), "user", "41", "method", "POST", "path", "/pay")
	s.log.ErrorContext(ctx, "payment failed", "err", errors.New("connection refused"))
	s.waitFor(`document.querySelectorAll("article").length === 1`)
	for _, want := range []string{"shop: payment failed", "connection refused", "41", "POST", "/pay", "shop"} {
		assert.Contains(t, s.shown(), want)
	}
	assert.NotContains(t, ask[string](s, `document.body.innerText`), "Nothing has arrived yet.")

	s.log.Info("token rejected", "error_code", "401")
	s.waitFor(`document.querySelectorAll("article").length === 2`)
	assert.Contains(t, s.shown(), "🔵 shop: Tampered token")
	assert.Equal(t, []string{"security", "shop-alerts"}, ask[[]string](s, `[...document.querySelectorAll("#channels .name")].map((n) => n.textContent)`))
	assert.True(t, ask[bool](s, `window.notReloaded`))
}

func TestEditShowsItsCount(t *testing.T) {
	s := newStage(t, slackalert.Options{})
	fail := func() { s.log.Error("payment failed") }
	fail()
	s.waitFor(`document.querySelector("article")`)
	assert.Zero(t, ask[int](s, `document.querySelectorAll(".edited").length`))
	ask[bool](s, `window.notReloaded = true`)
	ts := ask[string](s, `document.querySelector("article").dataset.ts`)

	for range 41 {
		fail()
	}
	require.NoError(t, s.handler.Close())
	s.waitFor(`document.querySelector(".edited")`)
	assert.Contains(t, s.shown(), "payment failed ×42")
	assert.Equal(t, "(edited)", ask[string](s, `document.querySelector(".edited").innerText`))
	assert.Equal(t, []string{ts}, ask[[]string](s, `[...document.querySelectorAll("article")].map((a) => a.dataset.ts)`))
	assert.True(t, ask[bool](s, `window.notReloaded`))
}

func TestStormIsOneMessage(t *testing.T) {
	s := newStage(t, slackalert.Options{})
	var storm sync.WaitGroup
	for range 8 {
		storm.Go(func() {
			for i := range 625 {
				s.log.Error("no connection to the database", "attempt", i)
			}
		})
	}
	storm.Wait()
	require.NoError(t, s.handler.Close())
	s.waitFor(`document.querySelector(".header")?.innerText.includes("×5,000")`)
	assert.Equal(t, 1, ask[int](s, `document.querySelectorAll("article").length`))
}

// hostile is what must stay text; what runs would set ran.
var hostile = []string{
	`<script>window.ran = 1</script>`, `"><img src=x onerror="window.ran=1">`, `' onmouseover='window.ran=1`, `<svg onload=window.ran=1>`,
	`javascript:window.ran=1`, `<javascript:window.ran=1|click>`, `[click](javascript:window.ran=1)`, `</pre></article><b>bold</b>`,
	"<!channel> <!here|here> <@U1> <#C1|x> <!subteam^S1> @here @everyone @channel #general",
	"*bold* _slanted_ ~gone~ `code` > quote", "```\nend of fence\n```", ":smile: :fire:", "&lt;!channel&gt; &amp;lt;@U1&gt;",
	"<https://evil.example|bank> https://evil.example/ evil.example mailto:a@evil.example", "\u202egnp.exe\u2066 \u200b\x00\x1b[31m",
}

func TestHostileTextIsInert(t *testing.T) {
	s := newStage(t, slackalert.Options{Breadcrumbs: 5, AddStack: true})
	attack := func(h string) {
		ctx := slackalert.With(t.Context(), "user", h, "path", h, h, h)
		s.log.InfoContext(ctx, h, "detail", h)
		s.log.ErrorContext(ctx, h, "error_code", h, "err", errors.New(h), "detail", h)
	}
	for _, h := range hostile {
		attack(h)
	}
	s.tell()
	var args []any // of one alert alone: that is another layout
	for i, h := range hostile {
		args = append(args, fmt.Sprintf("%d %s", i, h), h)
	}
	s.log.ErrorContext(slackalert.With(t.Context(), "user", hostile[8], "path", hostile[0]), strings.Join(hostile, "\n"), args...)
	s.waitFor(fmt.Sprintf(`document.querySelectorAll("article").length === %d`, s.tell()))
	ask[bool](s, `document.querySelectorAll("article .push").forEach((b) => b.click()), true`)
	s.assertInert()
}

func (s *stage) assertInert() {
	s.Helper()
	assert.False(s, ask[bool](s, `"ran" in window`), "a script ran")
	assert.Equal(s, 1, ask[int](s, `document.scripts.length`))
	const made = `[...document.querySelectorAll("article :is(.parts, .notification) :is(script, img, iframe, svg, style, a, i, s, code, blockquote, .mention, .emoji, .deadlink)")].map((e) => e.outerHTML)`
	assert.Empty(s, ask[[]string](s, made), "logged text became markup")
	assert.NotContains(s, ask[[]string](s, `[...document.querySelectorAll("b")].map((e) => e.textContent.trim())`), "bold")
	assert.NotContains(s, ask[string](s, `document.body.textContent`), "\u202e", "it turns what stands behind it around")
	shown := strings.ReplaceAll(s.shown(), "\u2060", "")
	for _, h := range []string{hostile[0], hostile[1], hostile[4], hostile[5], hostile[8], hostile[9], ":smile:", hostile[12], "<https://evil.example|bank>"} {
		assert.Contains(s, shown, h, "as it was logged")
	}
}

func TestCopyAndBuilder(t *testing.T) {
	s := newStage(t, slackalert.Options{})
	s.log.Error("payment failed <&> \"it\" \\u003c", "user", "41")
	s.waitFor(`document.querySelector("article .copy")`)
	sent := s.slack.Messages("")[0]

	require.NoError(t, s.page.AllowPasting())
	require.NoError(t, s.page.Click("article .copy"))
	s.waitFor(`document.querySelector("article .copy").textContent === "Copied"`)
	var copied struct {
		Text   string
		Blocks slack.Blocks
	}
	require.NoError(t, json.Unmarshal([]byte(ask[string](s, `navigator.clipboard.readText()`)), &copied))
	assert.Equal(t, sent.Text, copied.Text)
	assert.Equal(t, sent.Blocks, copied.Blocks)

	_, hash, ok := strings.Cut(ask[string](s, `document.querySelector("article .builder").href`), "https://app.slack.com/block-kit-builder/#")
	require.True(t, ok)
	plain, err := url.PathUnescape(hash)
	require.NoError(t, err)
	copied.Blocks = slack.Blocks{}
	require.NoError(t, json.Unmarshal([]byte(plain), &copied))
	assert.Equal(t, sent.Blocks, copied.Blocks)
}

// TestLooks takes the pictures, and holds what can be held of looks: nothing is
// wider than the window, and night is dark.
func TestLooks(t *testing.T) {
	s := newStage(t, slackalert.Options{Breadcrumbs: 5})
	ctx := slackalert.With(t.Context(), "user", "41", "path", "/"+strings.Repeat("segment/", 20), "blob", strings.Repeat("x", 300))
	s.log.InfoContext(ctx, "cart loaded", "items", 3)
	s.log.ErrorContext(ctx, "payment failed", "err", errors.New(strings.Repeat("y", 400)))
	s.tell()
	for _, code := range []string{"E1", "E2", "E3"} {
		s.log.WarnContext(context.Background(), "something of kind "+code, "error_code", code)
	}
	messages := s.tell()

	require.NoError(t, os.MkdirAll("pictures", 0o755))
	for _, v := range []View{phone, desktop} {
		for scheme, dark := range map[string]bool{"light": false, "dark": true} {
			v.Dark = dark
			p := s.open(v)
			drawn, err := Ask[int](p, `document.querySelectorAll("article").length`)
			require.NoError(t, err)
			assert.Equal(t, messages, drawn)
			wide, err := Ask[int](p, `document.documentElement.scrollWidth`)
			require.NoError(t, err)
			assert.LessOrEqual(t, wide, v.Width)
			shot, err := p.Picture("")
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join("pictures", fmt.Sprintf("page-%d-%s.png", v.Width, scheme)), shot, 0o644))
			picture, err := png.Decode(bytes.NewReader(shot))
			require.NoError(t, err)
			assert.Equal(t, image.Rect(0, 0, v.Width, v.Height), picture.Bounds())
			assert.Equal(t, dark, brightness(picture) < 0x80, "brightness %#x", brightness(picture))
		}
	}
}

// TestTouch holds that all that can be tapped on a phone is big enough for it.
func TestTouch(t *testing.T) {
	s := newStage(t, slackalert.Options{Links: func(slackalert.Group) []slackalert.Link {
		return []slackalert.Link{{Text: "Logs", URL: "https://logs.example"}}
	}})
	s.log.Error("payment failed")
	s.waitFor(`document.querySelector("article a.link")`)
	const small = `[...document.querySelectorAll("a, button")].filter((e) => e.getClientRects().length && (e.getBoundingClientRect().height < 24 || e.getBoundingClientRect().width < 24)).map((e) => e.outerHTML)`
	assert.Empty(t, ask[[]string](s, small))
	assert.GreaterOrEqual(t, ask[int](s, `[...document.querySelectorAll("a, button")].filter((e) => e.getClientRects().length).length`), 7)
}

// TestWithoutScripts holds that the page tells all it knows to who lets no
// script run, and offers nothing that can't work.
func TestWithoutScripts(t *testing.T) {
	s := newStage(t, slackalert.Options{})
	s.log.Error("payment failed", "user", "41")
	s.tell()
	v := phone
	v.NoScripts = true
	p := open(t, s.slack.PageURL(), v)
	text, err := Ask[string](p, `document.body.innerText`)
	require.NoError(t, err)
	assert.Regexp(t, `[A-Z][a-z]{2} \d+ \d\d:\d\d UTC`, text, "when it was posted")
	assert.Contains(t, text, time.Now().UTC().Format("2006-01-02"), "when it happened")
	assert.Contains(t, text, "🔴 shop: payment failed (user 41)", "what a phone's lock screen shows")
	seen, err := Ask[int](p, `[...document.querySelectorAll("button, #live")].filter((e) => e.getClientRects().length).length`)
	require.NoError(t, err)
	assert.Zero(t, seen, "buttons that do nothing")
}

// brightness is the mean of a picture's red, green and blue, 0 to 255.
func brightness(m image.Image) int {
	sum, b := 0, m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			red, green, blue, _ := m.At(x, y).RGBA()
			sum += int(red+green+blue) >> 8
		}
	}
	return sum / 3 / (b.Dx() * b.Dy())
}

// TestTroublesAreSeen holds that an empty console means something.
func TestTroublesAreSeen(t *testing.T) {
	slack, err := fakeslack.Start(nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, slack.Close()) })
	p := open(t, slack.PageURL(), phone)
	for cause, want := range map[string]string{
		`console.error("said so"), true`:                                                                 "said so",
		`setTimeout(() => { throw new Error("thrown") }), true`:                                          "thrown",
		`fetch("/no/such/thing").then(() => true)`:                                                       "404",
		`document.body.append(Object.assign(document.createElement("script"), {text: "1"})), true`:       "Content Security Policy",
		`document.body.append(Object.assign(document.createElement("img"), {src: "https://e.x"})), true`: "Content Security Policy",
	} {
		_, err := Ask[bool](p, cause)
		require.NoError(t, err)
		assert.Eventually(t, func() bool { return strings.Contains(strings.Join(p.Troubles(), "\n"), want) }, patience, 10*time.Millisecond, "%s: %s", cause, want)
	}
}
