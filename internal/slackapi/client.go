// Package slackapi carries one message to Slack and says what became of it.
//
// One call is one attempt: nothing here waits, paces or tries again, but for a
// layout that Slack refuses, which is told once more as plain text. Whatever
// goes wrong is an [*Error] that says when to come back, what a person has to
// mend, and never a secret.
package slackapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

const (
	userAgent  = "slackalert"
	ownTimeout = 10 * time.Second
	maxAnswer  = 1 << 20 // bytes of an answer that are read
)

// Message is what a channel gets to see. Its texts go out as they stand: who
// logged them is the caller's knowledge, and so is what had to be escaped.
type Message struct {
	Channel string        // bot only
	Text    string        // fallback text, sent as top-level text with the blocks
	Blocks  []slack.Block // none: Text alone
	Plain   string        // what is sent alone, as text, when Slack refuses the blocks; "" = Text
}

// Client carries messages to one bot's workspace or to one webhook. Its
// methods may be called from several goroutines at once.
type Client struct {
	// Refused hears of a layout that Slack refused although the message
	// arrived, as plain text. It is called by Post and Edit before they return;
	// nil: nobody hears. Set it before the first call.
	Refused func(err error)

	token, apiURL string // bot
	hook          string // webhook
	http          *http.Client
	own           bool // the connections are the client's own
	secrets       secrets
}

// NewBot returns a client that posts with token by Slack's Web API at apiURL;
// "" is Slack's own. The token is sent nowhere else. hc is copied, never
// changed; nil is an own client that gives up after 10 s. An hc without a
// Timeout leaves the time to the callers' contexts.
func NewBot(token, apiURL string, hc *http.Client) *Client {
	if apiURL == "" {
		apiURL = slack.APIURL
	}
	apiURL = strings.TrimRight(apiURL, "/") + "/"
	c := newClient(hc)
	c.token, c.apiURL = token, apiURL
	c.secrets = secretsOfBot(token, apiURL)
	return c
}

// NewWebhook returns a client that posts to an incoming webhook. hc as for
// [NewBot].
func NewWebhook(url string, hc *http.Client) *Client {
	c := newClient(hc)
	c.hook = url
	c.secrets = secretsOfURL(url)
	return c
}

func newClient(hc *http.Client) *Client {
	c := &Client{own: hc == nil, http: &http.Client{Timeout: ownTimeout}}
	if c.own {
		c.http.Transport = newTransport()
	} else {
		*c.http = *hc
	}
	// A redirect would turn the post into a get, and could carry the token to
	// somebody else. The answer is taken as it is.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// newTransport doesn't share http.DefaultTransport, whose connections are
// everybody's and can't be closed with ours.
func newTransport() *http.Transport {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t.Clone()
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second}
}

// Close closes the idle connections of an own client; a caller's are left
// alone. Calls under way go on, and a later call opens a new connection.
func (c *Client) Close() {
	if c.own {
		c.http.CloseIdleConnections()
	}
}

// Post sends m as a new message. ref names it for [Client.Edit]; a webhook's
// messages have none. When Slack refuses the layout, m.Plain is sent at once.
func (c *Client) Post(ctx context.Context, m Message) (ref string, err error) {
	return c.tell(ctx, call{verb: "post to", channel: m.Channel, hook: c.hook != ""}, m)
}

// Edit puts m in place of the message that ref names; m.Channel is not looked
// at. When [Error.Gone] says so, it can't be edited any more: post anew. So it
// is with every ref that didn't come from Post, and with a webhook.
func (c *Client) Edit(ctx context.Context, ref string, m Message) error {
	channel, ts, ok := splitRef(ref)
	what := call{verb: "edit in", channel: channel, ts: ts, hook: c.hook != ""}
	if !ok || what.hook {
		return &Error{what: what.clean(c.secrets), reason: "no message to edit", gone: true}
	}
	_, err := c.tell(ctx, what, m)
	return err
}

// Check asks whether Slack takes what Post would send, and sends no message: a
// bot's token is tested; a webhook gets an empty payload, and it lives if Slack
// finds fault with just that.
func (c *Client) Check(ctx context.Context) error {
	what := call{verb: "check", hook: c.hook != ""}
	if _, e := c.judge(what, c.ask(ctx, what, Message{})); e != nil {
		e.refused, e.unknown = false, false // there is no message
		return e
	}
	return nil
}

// tell sends m and, if Slack refuses its layout, its plain text.
func (c *Client) tell(ctx context.Context, what call, m Message) (ref string, err error) {
	m.Text = cut(valid(m.Text), what.maxText())
	ref, refusal := c.judge(what, c.ask(ctx, what, m))
	plain := m.plain()
	if refusal == nil {
		return ref, nil
	}
	if !refusal.refused || len(m.Blocks) == 0 && plain == m.Text {
		return "", refusal
	}
	ref, e := c.judge(what, c.ask(ctx, what, Message{Text: plain}))
	if e != nil {
		e.before = refusal.answer()
		return "", e
	}
	if c.Refused != nil {
		c.Refused(refusal)
	}
	return ref, nil
}

// plain is short enough for every method, because it is the last resort.
func (m Message) plain() string {
	if m.Plain == "" {
		return cut(m.Text, maxEdited)
	}
	return cut(valid(m.Plain), maxEdited)
}

// ask makes one request and brings back what was answered. A panic on the way,
// of a block that can't be written or of a caller's transport, is an answer
// too: it must not end the goroutine that delivers.
func (c *Client) ask(ctx context.Context, what call, m Message) (a answer) {
	a.trip = &trip{}
	defer func() {
		if p := recover(); p != nil {
			a = answer{asked: a.asked, trip: a.trip, err: fmt.Errorf("panic: %v", p)}
		}
		a.ended = ctx.Err()
	}()
	if what.hook {
		c.askHook(ctx, what, m, &a)
	} else {
		c.askBot(ctx, what, m, &a)
	}
	return a
}

// askBot lets slack-go write the request. The answer is not for slack-go to
// read: it loses error codes and waits that it can't decode, and takes a
// message for failed whose echo has a block it doesn't know.
func (c *Client) askBot(ctx context.Context, what call, m Message, a *answer) {
	api := slack.New(c.token, slack.OptionAPIURL(c.apiURL), slack.OptionHTTPClient(&carrier{c, a}))
	var err error
	switch {
	case what.verb == "check":
		_, err = api.AuthTestContext(ctx)
	case what.ts != "":
		_, _, _, err = api.UpdateMessageContext(ctx, what.channel, what.ts, options(m, true)...)
	default:
		_, _, err = api.PostMessageContext(ctx, what.channel, options(m, false)...)
	}
	if !a.asked {
		a.err = err
	}
}

// options are the arguments of m. Slack itself shall find no links, names or
// markup in a text.
func options(m Message, edit bool) []slack.MsgOption {
	o := []slack.MsgOption{
		slack.MsgOptionText(m.Text, false),
		slack.MsgOptionParse(false),
		slack.MsgOptionLinkNames(false),
	}
	if len(m.Blocks) == 0 {
		o = append(o, slack.MsgOptionDisableMarkdown())
	}
	if len(m.Blocks) > 0 || edit { // an edit without blocks says so, or the old ones stay
		o = append(o, slack.MsgOptionBlocks(m.Blocks...))
	}
	if !edit {
		o = append(o, slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	}
	return o
}

// carrier is the HTTP client that slack-go gets: it keeps the answer and hands
// slack-go an empty one.
type carrier struct {
	c *Client
	a *answer
}

func (r *carrier) Do(req *http.Request) (*http.Response, error) {
	r.c.exchange(req, r.a)
	if r.a.err != nil {
		return nil, r.a.err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// hookMessage is slack-go's payload and the one argument it lacks.
type hookMessage struct {
	slack.WebhookMessage
	Markdown *bool `json:"mrkdwn,omitempty"`
}

func (c *Client) askHook(ctx context.Context, what call, m Message, a *answer) {
	var payload any = struct{}{}
	if what.verb != "check" {
		payload = hookPayload(m)
	}
	body, err := json.Marshal(payload)
	if err != nil {
		a.err = err
		return
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.hook, bytes.NewReader(body))
	if err != nil {
		a.err = err
		return
	}
	req.Header.Set("Content-Type", "application/json")
	c.exchange(req, a)
}

func hookPayload(m Message) hookMessage {
	off := false
	h := hookMessage{WebhookMessage: slack.WebhookMessage{
		Text: m.Text, Parse: "none", UnfurlLinks: &off, UnfurlMedia: &off,
	}}
	if len(m.Blocks) > 0 {
		h.Blocks = &slack.Blocks{BlockSet: m.Blocks}
	} else {
		h.Markdown = &off
	}
	return h
}

// exchange sends req and reads the answer to its end, so that the connection
// serves again, or to the limit, so that it can't fill the memory.
func (c *Client) exchange(req *http.Request, a *answer) {
	a.asked = true
	req.Header.Set("User-Agent", userAgent)
	if a.err = req.Context().Err(); a.err != nil {
		a.trip.early = true
		return
	}
	resp, err := c.http.Do(req.WithContext(a.trip.watch(req.Context())))
	if err != nil {
		a.err = err
		return
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	a.body, a.err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
}
