// This file is what a caller sets: the options, their defaults, what is wrong
// with them, and the destination they name.

package slackalert

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/slackapi"
)

// Options says where alerts go, which records are alerts, how they are paced
// and what they show. The zero value of a field is its default; only a
// destination has none. [New] copies Options and never writes to it, so one
// value may serve several handlers.
type Options struct {
	// Where: a bot token and a channel, or an incoming webhook, or a Sender.
	// Exactly one of the three.

	Token      string // bot token, "xoxb-…"; needs the scope chat:write
	Channel    string // channel ID ("C…"), or a public channel's name; with Token
	WebhookURL string // https://hooks.slack.com/services/…
	Sender     Sender // own delivery

	// Which records are alerts.

	Level     slog.Leveler                                  // default slog.LevelError
	CodeKey   string                                        // default "error_code"; dots make it a path
	CodeLevel slog.Leveler                                  // a record with a code is an alert from here up; default slog.LevelInfo
	Codes     map[string]Code                               // what is known of single codes
	Filter    func(ctx context.Context, r slog.Record) bool // last word: false keeps the record out of Slack

	// How alerts are grouped and paced.

	Fingerprint    func(ctx context.Context, r slog.Record) string // "" = the default grouping
	BatchDelay     time.Duration                                   // how long the first alert waits for company; default 1 s
	BatchSize      int                                             // groups in one message, and the size that ends the wait; default 20, at most 40
	RepeatInterval time.Duration                                   // a group told is not posted again sooner; default 5 min
	MaxGroups      int                                             // groups remembered; beyond it alerts are counted together; default 1,000

	// What an alert shows.

	Service     string                                       // shown in every message; default: the program's name
	AddStack    bool                                         // the call stack of the first alert of a group
	Breadcrumbs int                                          // earlier records of the same scope shown with an alert; default 0
	ReplaceAttr func(groups []string, a slog.Attr) slog.Attr // as in slog.HandlerOptions, for what goes to Slack only
	SourceURL   string                                       // template of a link to a source line: {revision}, {file}, {line}
	NoRedact    bool                                         // by default secrets are replaced by [redacted]
	Mention     func(g Group) string                         // e.g. "<!subteam^S0123>"; "" = nobody
	Links       func(g Group) []Link                         // to logs, traces, dashboards
	Blocks      func(b Batch) []slack.Block                  // replaces the layout; limits are enforced on its result too

	// How it is delivered.

	HTTPClient *http.Client // default: own client, 10 s
	APIURL     string       // default Slack's; GovSlack or a test server
	SyncLevel  slog.Leveler // alerts from here up are delivered (at most 5 s) before Handle returns; nil = none
}

// Code is what is known of one error code.
type Code struct {
	Title   string `json:"title,omitempty"`   // shown beside the code
	Channel string `json:"channel,omitempty"` // instead of Options.Channel; bot token or Sender only
	Mention string `json:"mention,omitempty"` // e.g. "<@U0123>"
	Runbook string `json:"runbook,omitempty"` // URL
	Mute    bool   `json:"mute,omitempty"`    // never an alert by its code; by its level still
}

// Link is a named address shown with an alert.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// The defaults, and the bounds of what may be asked for.
const (
	defaultCodeKey        = "error_code"
	defaultBatchDelay     = time.Second
	defaultBatchSize      = 20
	defaultRepeatInterval = 5 * time.Minute
	defaultMaxGroups      = 1000
	attemptTimeout        = 10 * time.Second
	maxBatchSize          = 40
	maxBreadcrumbs        = 100
)

// config is Options with its defaults, checked, and what follows from them.
type config struct {
	Options
	level, codeLevel, syncLevel leveler
	dotted                      bool // CodeKey is a path
	check                       func(context.Context) error
}

// leveler saves the call where a level can't change.
type leveler struct {
	fixed slog.Level
	asked slog.Leveler
	set   bool
}

func (l *leveler) Level() slog.Level {
	if l.asked != nil {
		return l.asked.Level()
	}
	return l.fixed
}

func newLeveler(l slog.Leveler, byDefault slog.Level) leveler {
	switch l := l.(type) {
	case nil:
		return leveler{fixed: byDefault}
	case slog.Level:
		return leveler{fixed: l, set: true}
	}
	return leveler{asked: l, set: true}
}

// New returns a handler that wraps base, the handler that keeps the logs as
// they were. It starts nothing and sends nothing: the first alert of a channel
// starts its goroutine, [Handler.Shutdown] ends it. The error names the option,
// what came and what is wanted; it holds no secret.
func New(base slog.Handler, opts *Options) (*Handler, error) {
	if opts == nil {
		opts = &Options{}
	}
	c := config{Options: *opts}
	if err := errors.Join(checkBase(base), c.checkDestination(), c.checkNumbers(), c.checkCodes()); err != nil {
		return nil, fmt.Errorf("slackalert: %w", err)
	}
	c.fill()
	h := &Handler{core: &core{seed: maphash.MakeSeed()}, base: base, top: base}
	tell := func(msg string, args ...any) { tellBase(base, msg, args...) }
	c.guard(tell)
	carrier := c.carrier(tell)
	h.config = c
	h.floor = min(c.level.fixed, c.codeLevel.fixed)
	h.mayLoop = !isSlogs(base)
	_, h.nested = base.(*Handler)
	h.steady = c.level.asked == nil && c.codeLevel.asked == nil && c.Breadcrumbs == 0
	host, _ := os.Hostname() // a message without one is better than no message
	h.batch = &batcher{
		carrier: carrier, report: tell, timeout: c.timeout(),
		delay: c.BatchDelay, repeat: c.RepeatInterval, size: c.BatchSize, maxGroups: c.MaxGroups,
		service: c.Service, host: host,
	}
	h.batch.init()
	return h, nil
}

// isSlogs says whether base is one of slog's own, which don't log themselves.
func isSlogs(base slog.Handler) bool {
	switch base.(type) {
	case *slog.JSONHandler, *slog.TextHandler:
		return true
	}
	return false
}

func checkBase(base slog.Handler) error {
	if base == nil {
		return errors.New("base is nil; want the handler that keeps your logs, such as slog.NewJSONHandler(os.Stdout, nil)")
	}
	if fmt.Sprintf("%T", base) == "*slog.defaultHandler" {
		return errors.New("base is slog's default handler, which deadlocks under slog.SetDefault; want another, such as slog.NewTextHandler(os.Stderr, nil)")
	}
	return nil
}

func (c *config) checkDestination() error {
	var given []string
	for name, is := range map[string]bool{"Token": c.Token != "", "WebhookURL": c.WebhookURL != "", "Sender": c.Sender != nil} {
		if is {
			given = append(given, name)
		}
	}
	slices.Sort(given)
	switch {
	case len(given) == 0 && c.Channel != "":
		return errors.New("Token is missing; Channel is set, which wants a bot token")
	case len(given) == 0:
		return errors.New("no destination; want one of Token with Channel, WebhookURL, Sender")
	case len(given) > 1:
		return fmt.Errorf("%s are set; want exactly one of Token, WebhookURL, Sender", strings.Join(given, " and "))
	case c.Token != "" && c.Channel == "":
		return errors.New("Channel is missing; Token wants the channel to post to, such as \"C0123456789\"")
	case c.Token != "" && strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("Token has characters that no token has, such as spaces; want a bot token, \"xoxb-…\"")
	case c.WebhookURL != "" && c.Channel != "":
		return fmt.Errorf("Channel is %q with WebhookURL; a webhook posts to the channel it was made for: leave Channel empty", c.Channel)
	}
	return errors.Join(checkURL("WebhookURL", c.WebhookURL, false), checkURL("APIURL", c.APIURL, true), c.checkSource())
}

func (c *config) checkSource() error {
	if c.SourceURL != "" && !strings.HasPrefix(c.SourceURL, "https://") && !strings.HasPrefix(c.SourceURL, "http://") {
		return fmt.Errorf("SourceURL is %q; want https://… with {revision}, {file} and {line}", c.SourceURL)
	}
	return nil
}

// checkURL refuses what would send a secret in the clear. The value of a field
// that is a secret itself is not shown.
func checkURL(field, value string, show bool) error {
	if value == "" {
		return nil
	}
	shown := "what was given"
	u, err := url.Parse(value)
	if show && err == nil {
		shown = fmt.Sprintf("%q", u.Redacted())
	}
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("%s: %s is no URL; want https://…", field, shown)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%s: %s has the scheme %q; want https (http on loopback only)", field, shown, u.Scheme)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *config) checkNumbers() error {
	var errs []error
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"BatchDelay", c.BatchDelay}, {"RepeatInterval", c.RepeatInterval}} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("%s is %v; want 0 (the default) or more", d.field, d.value))
		}
	}
	for _, n := range []struct {
		field     string
		value, to int
	}{{"BatchSize", c.BatchSize, maxBatchSize}, {"MaxGroups", c.MaxGroups, 1_000_000}, {"Breadcrumbs", c.Breadcrumbs, maxBreadcrumbs}} {
		if n.value < 0 || n.value > n.to {
			errs = append(errs, fmt.Errorf("%s is %d; want 0 (the default) to %d", n.field, n.value, n.to))
		}
	}
	return errors.Join(errs...)
}

func (c *config) checkCodes() error {
	for _, code := range slices.Sorted(maps.Keys(c.Codes)) {
		if ch := c.Codes[code].Channel; ch != "" && c.WebhookURL != "" {
			return fmt.Errorf("Codes[%q].Channel is %q; a webhook posts to the channel it was made for: want a bot token, or no channel", code, ch)
		}
	}
	return nil
}

// fill sets the defaults, and copies what the caller could still change.
func (c *config) fill() {
	c.Codes = maps.Clone(c.Codes)
	c.CodeKey = cmp.Or(c.CodeKey, defaultCodeKey)
	c.dotted = strings.Contains(c.CodeKey, ".")
	c.BatchDelay = cmp.Or(c.BatchDelay, defaultBatchDelay)
	c.BatchSize = cmp.Or(c.BatchSize, defaultBatchSize)
	c.RepeatInterval = cmp.Or(c.RepeatInterval, defaultRepeatInterval)
	c.MaxGroups = cmp.Or(c.MaxGroups, defaultMaxGroups)
	if c.Service == "" {
		c.Service = strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	}
	c.level = newLeveler(c.Level, slog.LevelError)
	c.codeLevel = newLeveler(c.CodeLevel, slog.LevelInfo)
	c.syncLevel = newLeveler(c.SyncLevel, 0)
}

// timeout is how long one attempt may take.
func (c *config) timeout() time.Duration {
	if c.HTTPClient != nil && c.HTTPClient.Timeout > 0 {
		return c.HTTPClient.Timeout
	}
	return attemptTimeout
}

// guard makes the caller's functions safe to call: a panic is told to base
// once, and the default is used. It is the one place that does so.
func (c *config) guard(tell func(string, ...any)) {
	if f := c.Filter; f != nil {
		once := new(sync.Once)
		c.Filter = func(ctx context.Context, r slog.Record) (keep bool) {
			defer recovered(once, tell, "Filter", func() { keep = true })
			return f(ctx, r)
		}
	}
	if f := c.Fingerprint; f != nil {
		once := new(sync.Once)
		c.Fingerprint = func(ctx context.Context, r slog.Record) (s string) {
			defer recovered(once, tell, "Fingerprint", func() { s = "" })
			return f(ctx, r)
		}
	}
	if f := c.ReplaceAttr; f != nil {
		once := new(sync.Once)
		c.ReplaceAttr = func(groups []string, a slog.Attr) (out slog.Attr) {
			defer recovered(once, tell, "ReplaceAttr", func() { out = a })
			return f(groups, a)
		}
	}
	c.guardLooks(tell)
}

func (c *config) guardLooks(tell func(string, ...any)) {
	if f := c.Mention; f != nil {
		once := new(sync.Once)
		c.Mention = func(g Group) (s string) {
			defer recovered(once, tell, "Mention", func() { s = "" })
			return f(g)
		}
	}
	if f := c.Links; f != nil {
		once := new(sync.Once)
		c.Links = func(g Group) (l []Link) {
			defer recovered(once, tell, "Links", func() { l = nil })
			return f(g)
		}
	}
	if f := c.Blocks; f != nil {
		once := new(sync.Once)
		c.Blocks = func(b Batch) (l []slack.Block) {
			defer recovered(once, tell, "Blocks", func() { l = nil })
			return f(b)
		}
	}
}

// recovered is deferred around a caller's function.
func recovered(once *sync.Once, tell func(string, ...any), option string, byDefault func()) {
	v := recover()
	if v == nil {
		return
	}
	byDefault()
	once.Do(func() {
		tell("slackalert: an option's function panicked; its default is used", "option", option, "panic", fmt.Sprint(v))
	})
}

// tellBase says something of slackalert's own to base: never through the
// handler itself.
func tellBase(base slog.Handler, msg string, args ...any) {
	ctx := context.Background()
	if !base.Enabled(ctx, slog.LevelWarn) {
		return
	}
	r := slog.NewRecord(time.Now(), slog.LevelWarn, msg, 0)
	r.Add(args...)
	_ = base.Handle(ctx, r) // base failed to hear of a failure: nobody is left to tell
}

// carrier returns what takes batches where the options say.
func (c *config) carrier(tell func(string, ...any)) carrier {
	if c.Sender != nil {
		u, _ := c.Sender.(Updater)
		c.check = func(ctx context.Context) error {
			if s, ok := c.Sender.(interface{ Check(context.Context) error }); ok {
				return s.Check(ctx)
			}
			return nil
		}
		return senderCarrier{c.Sender, u}
	}
	var client *slackapi.Client
	if c.WebhookURL != "" {
		client = slackapi.NewWebhook(c.WebhookURL, c.HTTPClient)
	} else {
		client = slackapi.NewBot(c.Token, c.APIURL, c.HTTPClient)
	}
	client.Refused = func(err error) {
		tell("slackalert: Slack refused a message's layout, it was told as plain text", "error", err.Error())
	}
	c.check = client.Check
	opts, v := c.Options, readVersion()
	return &slackCarrier{client, c.Token != "", func(b Batch) slackapi.Message {
		m := layout(b, &opts, v)
		return slackapi.Message{Channel: b.Channel, Text: m.text, Blocks: m.blocks, Plain: m.plain}
	}}
}

// slackCarrier lays batches out and carries them to Slack.
type slackCarrier struct {
	client *slackapi.Client
	bot    bool
	layout func(Batch) slackapi.Message
}

func (c *slackCarrier) post(ctx context.Context, b Batch) (string, error) {
	return c.client.Post(ctx, c.layout(b))
}

func (c *slackCarrier) edit(ctx context.Context, ref string, b Batch) error {
	return c.client.Edit(ctx, ref, c.layout(b))
}

func (c *slackCarrier) canEdit() bool { return c.bot }
func (c *slackCarrier) close()        { c.client.Close() }

// senderCarrier hands batches to the caller's Sender.
type senderCarrier struct {
	sender  Sender
	updater Updater // nil = it can't edit
}

func (c senderCarrier) post(ctx context.Context, b Batch) (string, error) {
	return b.ID, c.sender.Send(ctx, b)
}

func (c senderCarrier) edit(ctx context.Context, _ string, b Batch) error {
	return c.updater.Update(ctx, b)
}

func (c senderCarrier) canEdit() bool { return c.updater != nil }
func (c senderCarrier) close()        {}

// readVersion asks the build what it was built from.
func readVersion() version {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version{}
	}
	v := version{module: info.Main.Path}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.revision = s.Value
		case "vcs.modified":
			v.modified = s.Value == "true"
		}
	}
	return v
}

// LoadCodes reads a catalogue of codes for Options.Codes: a JSON object of code
// to the fields of [Code] in snake_case,
//
//	{"E401": {"title": "Tampered token", "mention": "<@U0123>", "runbook": "https://…", "mute": false}}
//
// An error names the line and the field. Fields that Code doesn't have, codes
// and fields given twice, and anything behind the object are refused. An empty
// object is an empty catalogue.
func LoadCodes(r io.Reader) (map[string]Code, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("slackalert: codes: %w", err)
	}
	c := catalogue{dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	codes := map[string]Code{}
	err = c.object("the catalogue", func(code string) error {
		if _, ok := codes[code]; ok || code == "" {
			return c.errorf("code %q is given twice or empty; want each code once", code)
		}
		into, err := c.code(code)
		codes[code] = into
		return err
	})
	if err == nil {
		if _, err = c.dec.Token(); err == io.EOF {
			return codes, nil
		}
		err = c.errorf("more follows the catalogue; want one JSON object")
	}
	return nil, err
}

// catalogue reads JSON a token at a time, to know the line of a mistake.
type catalogue struct {
	dec  *json.Decoder
	data []byte
}

func (c *catalogue) errorf(format string, args ...any) error {
	line := 1 + bytes.Count(c.data[:min(int(c.dec.InputOffset()), len(c.data))], []byte("\n"))
	return fmt.Errorf("slackalert: codes: line %d: %w", line, fmt.Errorf(format, args...))
}

// object reads an object; member is called behind each key and reads its value.
func (c *catalogue) object(what string, member func(key string) error) error {
	t, err := c.token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return c.errorf("%s is %v; want an object", what, t)
	}
	for c.dec.More() {
		key, err := c.token()
		if err != nil {
			return err
		}
		if err := member(key.(string)); err != nil {
			return err
		}
	}
	_, err = c.token()
	return err
}

func (c *catalogue) token() (json.Token, error) {
	t, err := c.dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, c.errorf("%w", err)
	}
	return t, nil
}

func (c *catalogue) code(name string) (code Code, err error) {
	seen := map[string]bool{}
	err = c.object(fmt.Sprintf("code %q", name), func(field string) error {
		if seen[field] {
			return c.errorf("code %q: field %q is given twice", name, field)
		}
		seen[field] = true
		texts := map[string]*string{"title": &code.Title, "channel": &code.Channel, "mention": &code.Mention, "runbook": &code.Runbook}
		if texts[field] == nil && field != "mute" {
			return c.errorf("code %q: unknown field %q; want title, channel, mention, runbook or mute", name, field)
		}
		v, err := c.token()
		if err != nil {
			return err
		}
		ok, want := false, "a string"
		if field == "mute" {
			code.Mute, ok = v.(bool)
			want = "true or false"
		} else {
			*texts[field], ok = v.(string)
		}
		if !ok {
			return c.errorf("code %q: %s is %v; want %s", name, field, v, want)
		}
		return nil
	})
	return code, err
}
