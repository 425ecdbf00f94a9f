// This file is what a caller sets: the options, their defaults, what is wrong
// with them, and the destination they name.

package slackalert

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/slack-go/slack"
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
