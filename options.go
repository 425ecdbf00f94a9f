// This file is what a caller sets: the options, their defaults, and what is
// wrong with them.

package slackalert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/check"
	"example.com/slackalert/internal/facts"
	"example.com/slackalert/internal/guard"
	"example.com/slackalert/internal/leveler"
	"example.com/slackalert/internal/pace"
	"example.com/slackalert/internal/redact"
	"example.com/slackalert/internal/wake"
)

// Options says where alerts go, which records are alerts, how they are paced
// and what they show. The zero value of a field is its default; only a
// destination has none. [New] copies Options and never writes to it, so one
// value may serve several handlers.
//
// A function that panics is told to base once, and its default is used; one that
// ends its goroutine (runtime.Goexit) is not called again. What it logs through
// the handler goes to base and is no alert.
//
// A channel, be it from Route, Codes or [Handler.Merge], has a goroutine until
// its alerts are forgotten, a day after their interval would begin anew. There
// are 1,000 at most: what is for further ones goes to Channel, and base hears of
// it once. [Handler.Resume] does nothing for these.
type Options struct {
	// Where: a bot token and a channel, or an incoming webhook, or a Sender.
	// Exactly one of the three (with Optional: or none).

	Token      string                                          // bot token, "xoxb-…"; needs the scope chat:write
	Channel    string                                          // channel ID ("C…"), or a public channel's name; with Token, or what a Sender takes for one
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
	MaxGroups      int                                             // groups remembered; beyond it alerts are counted together; default 1,000, at most 1,000,000, with SpoolDir 1,000

	// What an alert shows.

	Service      string                                       // shown in every message; default: the program's name
	AddStack     bool                                         // the call stack of the first alert of a group
	Breadcrumbs  int                                          // earlier records of the same scope shown with an alert; default 0, at most 100
	ContextAttrs func(ctx context.Context) []slog.Attr        // attributes that others put into contexts (trace ids): in every record, base's too, as a scope around ctx's own
	ReplaceAttr  func(groups []string, a slog.Attr) slog.Attr // as in slog.HandlerOptions, for what goes to Slack only
	SourceURL    string                                       // template of a link to a source line: {revision}, {file}, {line}; no link where the build knows no revision and it is asked for
	NoRedact     bool                                         // by default secrets are replaced by [redacted]
	Mention      func(g Group) string                         // e.g. "<!subteam^S0123>"; "" = nobody; not asked for a group's second message, RepeatInterval after the first
	Links        func(g Group) []Link                         // to logs, traces, dashboards
	Blocks       func(b Batch) []slack.Block                  // replaces the layout, where it returns any; limits are enforced on its result too

	// How it is delivered.

	HTTPClient *http.Client // default: own client, 10 s
	APIURL     string       // default Slack's; GovSlack or a test server
	SyncLevel  slog.Leveler // alerts from here up are delivered (at most 5 s) before Handle returns, but a webhook's repeats within their interval, which are counted; nil = none
	SpoolDir   string       // alerts outlive the process in this folder, which processes of one Service may share; "" = they don't
	CatchCrash bool         // with SpoolDir: a fatal crash is told at the next start, unless the program calls debug.SetCrashOutput itself after New
}

// Format prints the options without what is secret in them, whatever the verb.
func (o Options) Format(s fmt.State, verb rune) {
	type plain Options // has no methods
	for _, secret := range []*string{&o.Token, &o.WebhookURL} {
		if *secret != "" {
			*secret = redact.Mark
		}
	}
	_, _ = fmt.Fprintf(s, fmt.FormatString(s, verb), plain(o))
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
	defaultRepeatMax      = 4 * time.Hour
	century               = 100 * 365 * 24 * time.Hour // an interval that is as good as for ever, and can be doubled
	defaultMaxGroups      = 1000
	attemptTimeout        = 10 * time.Second
	maxBatchSize          = 40
	maxBreadcrumbs        = 100
	maxMaxGroups          = 1_000_000
)

// config is Options with its defaults, checked, and what follows from them.
type config struct {
	opts                        Options
	level, codeLevel, syncLevel leveler.Level
	nowhere                     bool // Optional, and no destination
	codes                       *atomic.Pointer[map[string]Code]
	guard                       *guard.Guard
	check                       func(context.Context) error
}

// ErrNoDestination is what the error of [New] wraps without Token, WebhookURL
// and Sender, and what [Handler.Check] returns with Optional.
var ErrNoDestination = errors.New("no destination; want one of Token with Channel, WebhookURL, Sender")

// New returns a handler that wraps base, the handler that keeps the logs as
// they were. It sends nothing: the first alert of a channel starts its
// goroutine, [Handler.Shutdown] ends the last. The error names the option, what came
// and what is wanted; it holds no secret.
//
// base must not log through the handler it serves, nor through a logger that
// ends there, such as slog's default one once it is set: each record would make
// another, without end. Where base has trouble of its own to tell, it tells it
// elsewhere.
func New(base slog.Handler, opts *Options) (*Handler, error) {
	c, err := newConfig(opts)
	if err := errors.Join(check.Base(base), err); err != nil {
		return nil, fmt.Errorf("slackalert: %w", err)
	}
	tell := guard.ToBase(base)
	c.guardAll(tell)
	carrier := c.carrier()
	h := &Handler{core: &core{config: c, finder: facts.NewFinder(c.opts.CodeKey)}, base: base, top: base}
	h.floor = min(c.level.Level(), c.codeLevel.Level())
	_, h.nested = base.(*Handler)
	h.steady = c.level.IsFixed() && c.codeLevel.IsFixed() && c.opts.Breadcrumbs == 0
	host, _ := os.Hostname() // a message without one is better than no message
	h.core.batch = newBatcher(carrier, settings{
		guard: guard.New(tell), timeout: c.timeout(), maxGroups: c.opts.MaxGroups, service: c.opts.Service, host: host, channel: c.opts.Channel, where: c.where(),
		rules: pace.Rules{Delay: c.opts.BatchDelay, Size: c.opts.BatchSize, Repeat: c.opts.RepeatInterval, RepeatMax: c.opts.RepeatMax},
	})
	if err := h.openSpool(); err != nil {
		return nil, fmt.Errorf("slackalert: %w", err)
	}
	if c.nowhere {
		c.guard.Tell("slackalert: there is no destination: alerts stay in the logs", "want", "Token with Channel, WebhookURL or Sender")
	}
	return h, nil
}

// newConfig checks options and fills in their defaults. It copies what the
// caller could still change.
func newConfig(opts *Options) (config, error) {
	if opts == nil {
		opts = &Options{}
	}
	c := config{opts: *opts, codes: new(atomic.Pointer[map[string]Code])}
	c.fill()
	return c, errors.Join(c.checkNil(), c.checkDestination(), c.checkNumbers(), c.checkPlaces(), c.setCodes(c.opts.Codes))
}

// checkNil looks at what can be there and nil all the same.
func (c *config) checkNil() error {
	o := &c.opts
	err := errors.Join(check.NotNil("Sender", o.Sender), check.NotNil("Level", o.Level), check.NotNil("CodeLevel", o.CodeLevel), check.NotNil("SyncLevel", o.SyncLevel))
	if o.HTTPClient != nil {
		err = errors.Join(err, check.NotNil("HTTPClient.Transport", o.HTTPClient.Transport), check.NotNil("HTTPClient.Jar", o.HTTPClient.Jar))
	}
	return err
}

func (c *config) checkDestination() error {
	o := &c.opts
	var given []string
	for _, d := range []struct {
		name string
		is   bool
	}{{"Sender", o.Sender != nil}, {"Token", o.Token != ""}, {"WebhookURL", o.WebhookURL != ""}} {
		if d.is {
			given = append(given, d.name)
		}
	}
	switch {
	case len(given) == 0 && o.Optional:
		c.nowhere = true
	case len(given) == 0 && o.Channel != "":
		return fmt.Errorf("Token is missing; Channel is set, which wants a bot token: %w", ErrNoDestination)
	case len(given) == 0:
		return ErrNoDestination
	case len(given) > 1:
		return fmt.Errorf("%s are set; want exactly one of Token, WebhookURL, Sender", strings.Join(given, " and "))
	case o.Token != "":
		err := check.Token(o.Token, o.APIURL == "")
		if o.Channel == "" {
			err = errors.Join(err, errors.New("Channel is missing; Token wants the channel to post to, such as \"C0123456789\""))
		}
		return err
	case o.WebhookURL != "" && o.Channel != "":
		return fmt.Errorf("Channel is %q with WebhookURL; a webhook posts to the channel it was made for: leave Channel empty", o.Channel)
	case o.WebhookURL != "" && o.Route != nil:
		return errors.New("Route is set with WebhookURL; a webhook posts to the channel it was made for: want a bot token, or no Route")
	}
	return nil
}

func (c *config) checkPlaces() error {
	o := &c.opts
	errs := []error{
		check.URL("WebhookURL", o.WebhookURL, false), check.URL("APIURL", o.APIURL, true), check.Template("SourceURL", o.SourceURL),
	}
	if o.Sender == nil { // a Sender's channels are what it takes for one
		errs = append(errs, check.Channel("Channel", o.Channel))
	}
	if o.CatchCrash && o.SpoolDir == "" {
		errs = append(errs, errors.New("CatchCrash is set without SpoolDir; want the folder that keeps the trace until the next start"))
	}
	return errors.Join(errs...)
}

// checkNumbers looks at what was given, with the defaults filled in.
func (c *config) checkNumbers() error {
	o := &c.opts
	errs := []error{
		check.Duration("BatchDelay", o.BatchDelay), check.Duration("RepeatInterval", o.RepeatInterval), check.Duration("RepeatMax", o.RepeatMax),
		check.Number("BatchSize", o.BatchSize, maxBatchSize), check.Number("MaxGroups", o.MaxGroups, maxMaxGroups),
		check.Number("Breadcrumbs", o.Breadcrumbs, maxBreadcrumbs),
	}
	if o.SpoolDir != "" && o.MaxGroups > defaultMaxGroups {
		errs = append(errs, fmt.Errorf("MaxGroups is %d with SpoolDir, which keeps %d groups; want 0 (the default) to %[2]d", o.MaxGroups, defaultMaxGroups))
	}
	if o.RepeatMax >= time.Millisecond && o.RepeatMax < o.RepeatInterval {
		errs = append(errs, fmt.Errorf("RepeatMax is %v, under RepeatInterval, %v; want 0 (the default) or no less", o.RepeatMax, o.RepeatInterval))
	}
	return errors.Join(errs...)
}

func (c *config) fill() {
	o := &c.opts
	o.CodeKey = cmp.Or(o.CodeKey, defaultCodeKey)
	o.BatchDelay = cmp.Or(o.BatchDelay, defaultBatchDelay)
	o.BatchSize = cmp.Or(o.BatchSize, defaultBatchSize)
	o.RepeatInterval = cmp.Or(o.RepeatInterval, defaultRepeatInterval)
	o.RepeatMax = cmp.Or(o.RepeatMax, max(defaultRepeatMax, o.RepeatInterval))
	o.RepeatInterval, o.RepeatMax = min(o.RepeatInterval, century), min(o.RepeatMax, century)
	o.MaxGroups = cmp.Or(o.MaxGroups, defaultMaxGroups)
	if o.Service == "" {
		o.Service = strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	}
	c.level = leveler.Of(o.Level, slog.LevelError)
	c.codeLevel = leveler.Of(o.CodeLevel, slog.LevelInfo)
	c.syncLevel = leveler.Of(o.SyncLevel, 0)
}

// settings is what the text of an alert has to be like.
func (c *config) settings() capture.Settings {
	return capture.Settings{Replace: c.opts.ReplaceAttr, NoRedact: c.opts.NoRedact}
}

// where is who takes the batches, in words.
func (c *config) where() string {
	if c.opts.Sender != nil {
		return "the Sender"
	}
	return "Slack"
}

// timeout is how long one attempt may take.
func (c *config) timeout() time.Duration {
	if c.opts.HTTPClient != nil && c.opts.HTTPClient.Timeout > 0 {
		return min(c.opts.HTTPClient.Timeout, century)
	}
	return attemptTimeout
}

// guardAll makes the caller's functions safe to call, and known for what they
// are while they run.
func (c *config) guardAll(tell func(string, ...any)) {
	o, g := &c.opts, guard.New(tell)
	c.guard = g
	o.Filter = guard.Func2(g, "Filter", true, o.Filter)
	o.Fingerprint = guard.Func2(g, "Fingerprint", "", o.Fingerprint)
	o.Route = guard.Func2(g, "Route", "", o.Route)
	o.ContextAttrs = guard.Func(g, "ContextAttrs", nil, o.ContextAttrs)
	o.Links = guard.Func(g, "Links", nil, o.Links)
	o.Blocks = guard.Func(g, "Blocks", nil, o.Blocks)
	if f := o.ReplaceAttr; f != nil {
		o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			return guard.Call(g, "ReplaceAttr", a, func() slog.Attr { return f(slices.Clip(groups), a) })
		}
	}
	if f := guard.Func(g, "Mention", "", o.Mention); f != nil {
		o.Mention = func(group Group) string {
			who := f(group)
			if who != "" && !wake.Anybody(who) {
				g.Once("slackalert: an option's function returned a mention that calls nobody", "Mention", "mention", who, "want", wake.Forms)
			}
			return who
		}
	}
}
