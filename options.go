// This file is what a caller sets: the options, their defaults, what is wrong
// with them, and the destination they name.

package slackalert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

// Options says where alerts go, which records are alerts, how they are paced
// and what they show. The zero value of a field is its default; only a
// destination has none. [New] copies Options and never writes to it, so one
// value may serve several handlers.
type Options struct {
	// Where: a bot token and a channel, or an incoming webhook, or a Sender.
	// Exactly one of the three (with Optional: or none).

	Token      string                                          // bot token, "xoxb-…"; needs the scope chat:write
	Channel    string                                          // channel ID ("C…"), or a public channel's name; with Token
	WebhookURL string                                          // https://hooks.slack.com/services/…
	Sender     Sender                                          // own delivery
	Route      func(ctx context.Context, r slog.Record) string // the channel of an alert; "" = its Code's, else Channel; not with a webhook
	Optional   bool                                            // no destination is no error: one WARN to base, alerts stay in the logs

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
	RepeatMax      time.Duration                                   // RepeatInterval doubles with each post up to this; default 4 h
	MaxGroups      int                                             // groups remembered; beyond it alerts are counted together; default 1,000

	// What an alert shows.

	Service      string                                       // shown in every message; default: the program's name
	AddStack     bool                                         // the call stack of the first alert of a group
	Breadcrumbs  int                                          // earlier records of the same scope shown with an alert; default 0
	ContextAttrs func(ctx context.Context) []slog.Attr        // attributes that others put into contexts (trace ids): in every record, base\'s too, as a scope around ctx\'s own
	ReplaceAttr  func(groups []string, a slog.Attr) slog.Attr // as in slog.HandlerOptions, for what goes to Slack only
	SourceURL    string                                       // template of a link to a source line: {revision}, {file}, {line}
	NoRedact     bool                                         // by default secrets are replaced by [redacted]
	Mention      func(g Group) string                         // e.g. "<!subteam^S0123>"; "" = nobody
	Links        func(g Group) []Link                         // to logs, traces, dashboards
	Blocks       func(b Batch) []slack.Block                  // replaces the layout; limits are enforced on its result too

	// How it is delivered.

	HTTPClient *http.Client // default: own client, 10 s
	APIURL     string       // default Slack's; GovSlack or a test server
	SyncLevel  slog.Leveler // alerts from here up are delivered (at most 5 s) before Handle returns; nil = none
	SpoolDir   string       // alerts outlive the process in this folder; "" = they don\'t
	CatchCrash bool         // with SpoolDir: a fatal crash is told at the next start
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
	opts                        Options
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

// ErrNoDestination is what the error of [New] wraps without Token, WebhookURL
// and Sender, and what [Handler.Check] returns with Optional.
var ErrNoDestination = errors.New("no destination; want one of Token with Channel, WebhookURL, Sender")

// New returns a handler that wraps base, the handler that keeps the logs as
// they were. It starts nothing and sends nothing: the first alert of a channel
// starts its goroutine, [Handler.Shutdown] ends it. The error names the option,
// what came and what is wanted; it holds no secret.
func New(base slog.Handler, opts *Options) (*Handler, error) {
	if opts == nil {
		opts = &Options{}
	}
	c := config{opts: *opts}
	if err := errors.Join(checkBase(base), c.checkDestination(), c.checkNumbers(), c.checkCodes()); err != nil {
		return nil, fmt.Errorf("slackalert: %w", err)
	}
	c.fill()
	h := &Handler{core: &core{}, base: base, top: base}
	tell := func(msg string, args ...any) { tellBase(base, msg, args...) }
	c.guard(tell)
	carrier := c.carrier(tell)
	h.core.config = c
	h.floor = min(c.level.fixed, c.codeLevel.fixed)
	h.mayLoop = !isSlogs(base)
	_, h.nested = base.(*Handler)
	h.steady = c.level.asked == nil && c.codeLevel.asked == nil && c.opts.Breadcrumbs == 0
	host, _ := os.Hostname() // a message without one is better than no message
	h.core.batch = &batcher{
		carrier: carrier, report: tell, timeout: c.timeout(),
		delay: c.opts.BatchDelay, repeat: c.opts.RepeatInterval, size: c.opts.BatchSize, maxGroups: c.opts.MaxGroups,
		service: c.opts.Service, host: host,
	}
	h.core.batch.init()
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
	for name, is := range map[string]bool{"Token": c.opts.Token != "", "WebhookURL": c.opts.WebhookURL != "", "Sender": c.opts.Sender != nil} {
		if is {
			given = append(given, name)
		}
	}
	slices.Sort(given)
	switch {
	case len(given) == 0 && c.opts.Channel != "":
		return errors.New("Token is missing; Channel is set, which wants a bot token")
	case len(given) == 0:
		return ErrNoDestination
	case len(given) > 1:
		return fmt.Errorf("%s are set; want exactly one of Token, WebhookURL, Sender", strings.Join(given, " and "))
	case c.opts.Token != "" && c.opts.Channel == "":
		return errors.New("Channel is missing; Token wants the channel to post to, such as \"C0123456789\"")
	case c.opts.Token != "" && strings.ContainsFunc(c.opts.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("Token has characters that no token has, such as spaces; want a bot token, \"xoxb-…\"")
	case c.opts.WebhookURL != "" && c.opts.Channel != "":
		return fmt.Errorf("Channel is %q with WebhookURL; a webhook posts to the channel it was made for: leave Channel empty", c.opts.Channel)
	}
	return errors.Join(checkURL("WebhookURL", c.opts.WebhookURL, false), checkURL("APIURL", c.opts.APIURL, true), c.checkSource())
}

func (c *config) checkSource() error {
	if c.opts.SourceURL != "" && !strings.HasPrefix(c.opts.SourceURL, "https://") && !strings.HasPrefix(c.opts.SourceURL, "http://") {
		return fmt.Errorf("SourceURL is %q; want https://… with {revision}, {file} and {line}", c.opts.SourceURL)
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
	}{{"BatchDelay", c.opts.BatchDelay}, {"RepeatInterval", c.opts.RepeatInterval}} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("%s is %v; want 0 (the default) or more", d.field, d.value))
		}
	}
	for _, n := range []struct {
		field     string
		value, to int
	}{{"BatchSize", c.opts.BatchSize, maxBatchSize}, {"MaxGroups", c.opts.MaxGroups, 1_000_000}, {"Breadcrumbs", c.opts.Breadcrumbs, maxBreadcrumbs}} {
		if n.value < 0 || n.value > n.to {
			errs = append(errs, fmt.Errorf("%s is %d; want 0 (the default) to %d", n.field, n.value, n.to))
		}
	}
	return errors.Join(errs...)
}

// fill sets the defaults, and copies what the caller could still change.
func (c *config) fill() {
	c.opts.Codes = maps.Clone(c.opts.Codes)
	c.opts.CodeKey = cmp.Or(c.opts.CodeKey, defaultCodeKey)
	c.dotted = strings.Contains(c.opts.CodeKey, ".")
	c.opts.BatchDelay = cmp.Or(c.opts.BatchDelay, defaultBatchDelay)
	c.opts.BatchSize = cmp.Or(c.opts.BatchSize, defaultBatchSize)
	c.opts.RepeatInterval = cmp.Or(c.opts.RepeatInterval, defaultRepeatInterval)
	c.opts.MaxGroups = cmp.Or(c.opts.MaxGroups, defaultMaxGroups)
	if c.opts.Service == "" {
		c.opts.Service = strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	}
	c.level = newLeveler(c.opts.Level, slog.LevelError)
	c.codeLevel = newLeveler(c.opts.CodeLevel, slog.LevelInfo)
	c.syncLevel = newLeveler(c.opts.SyncLevel, 0)
}

// timeout is how long one attempt may take.
func (c *config) timeout() time.Duration {
	if c.opts.HTTPClient != nil && c.opts.HTTPClient.Timeout > 0 {
		return c.opts.HTTPClient.Timeout
	}
	return attemptTimeout
}

// guard makes the caller's functions safe to call: a panic is told to base
// once, and the default is used. It is the one place that does so.
func (c *config) guard(tell func(string, ...any)) {
	if f := c.opts.Filter; f != nil {
		once := new(sync.Once)
		c.opts.Filter = func(ctx context.Context, r slog.Record) (keep bool) {
			defer recovered(once, tell, "Filter", func() { keep = true })
			return f(ctx, r)
		}
	}
	if f := c.opts.Fingerprint; f != nil {
		once := new(sync.Once)
		c.opts.Fingerprint = func(ctx context.Context, r slog.Record) (s string) {
			defer recovered(once, tell, "Fingerprint", func() { s = "" })
			return f(ctx, r)
		}
	}
	if f := c.opts.ReplaceAttr; f != nil {
		once := new(sync.Once)
		c.opts.ReplaceAttr = func(groups []string, a slog.Attr) (out slog.Attr) {
			defer recovered(once, tell, "ReplaceAttr", func() { out = a })
			return f(groups, a)
		}
	}
	c.guardLooks(tell)
}

func (c *config) guardLooks(tell func(string, ...any)) {
	if f := c.opts.Mention; f != nil {
		once := new(sync.Once)
		c.opts.Mention = func(g Group) (s string) {
			defer recovered(once, tell, "Mention", func() { s = "" })
			return f(g)
		}
	}
	if f := c.opts.Links; f != nil {
		once := new(sync.Once)
		c.opts.Links = func(g Group) (l []Link) {
			defer recovered(once, tell, "Links", func() { l = nil })
			return f(g)
		}
	}
	if f := c.opts.Blocks; f != nil {
		once := new(sync.Once)
		c.opts.Blocks = func(b Batch) (l []slack.Block) {
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
