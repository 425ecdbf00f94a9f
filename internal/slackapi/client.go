// Package slackapi carries one message to Slack and says what became of it.
//
// One call is one attempt: nothing here waits, paces or tries again, but for a
// layout that Slack refuses, which is told once more as plain text. Whatever
// goes wrong is an [*Error] that says when to come back, what a person has to
// mend, and never a secret.
package slackapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
)

const (
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
	ID      string        // bot only: what Find finds it by; every app in the workspace may read it; "" = none
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
	agent         string
	http          *http.Client
	own           bool // the connections are the client's own
	secrets       secrets
	names         names
	ahead         atomic.Int64 // how far the clock here is ahead of Slack's, by its last answer
}

// NewBot returns a client that posts with token by Slack's Web API at apiURL;
// "" is Slack's own. The token is sent nowhere else, in the Authorization
// header alone: Slack takes it in the form too, but what looks into bodies on
// the way seldom knows which part of them is a password. hc is copied, never
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
	c := &Client{own: hc == nil, agent: userAgent(), http: &http.Client{Timeout: ownTimeout}}
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
	a := c.ask(ctx, func(a *answer) {
		if what.hook {
			c.sendJSON(ctx, struct{}{}, a)
		} else {
			c.sendForm(ctx, "auth.test", url.Values{}, a)
		}
	})
	if _, e := c.judge(what, a); e != nil {
		e.refused, e.unknown = false, false // there is no message
		return e
	}
	return nil
}

// tell sends m and, if Slack refuses its layout, its plain text.
func (c *Client) tell(ctx context.Context, what call, m Message) (ref string, err error) {
	m.Text = cut(valid(m.Text), what.maxText())
	ref, refusal := c.send(ctx, what, m)
	plain := m.plain()
	if refusal == nil {
		return ref, nil
	}
	if !refusal.refused || len(m.Blocks) == 0 && plain.Text == m.Text {
		return "", refusal
	}
	if strings.Contains(refusal.code, "metadata") {
		plain.ID = ""
	}
	ref, e := c.send(ctx, what, plain)
	if e != nil {
		e.before = refusal.answer()
		return "", e
	}
	if c.Refused != nil {
		c.Refused(refusal)
	}
	return ref, nil
}

// plain is m without what Slack can find fault with. It is short enough for
// every method, because it is the last resort.
func (m Message) plain() Message {
	text := m.Text
	if m.Plain != "" {
		text = valid(m.Plain)
	}
	return Message{Text: cut(text, maxEdited), ID: m.ID}
}

// send makes one attempt.
func (c *Client) send(ctx context.Context, what call, m Message) (ref string, e *Error) {
	ref, e = c.judge(what, c.ask(ctx, func(a *answer) {
		if what.hook {
			c.sendJSON(ctx, hookPayload(m), a)
			return
		}
		method := "chat.postMessage"
		if what.ts != "" {
			method = "chat.update"
		}
		form, err := arguments(what, m)
		if err != nil {
			a.err = err
			return
		}
		c.sendForm(ctx, method, form, a)
	}))
	if channel, _, ok := splitRef(ref); ok {
		c.names.learn(what.channel, channel)
	}
	return ref, e
}

// ask lets request make one request and brings back what was answered. A panic
// on the way, of a block that can't be written or of a caller's transport, is
// an answer too: it must not end the goroutine that delivers. A transport that
// calls [runtime.Goexit] ends the caller's goroutine, as it says: to run it on
// another would take from what it logs the mark of whose delivery that is.
func (c *Client) ask(ctx context.Context, request func(*answer)) (a answer) {
	a.trip = &trip{}
	defer func() {
		if p := recover(); p != nil {
			a = answer{asked: a.asked, trip: a.trip, err: fmt.Errorf("panic: %v", p)}
		}
		a.ended = ctx.Err()
	}()
	request(&a)
	return a
}

// arguments are those of chat.postMessage and chat.update. Slack itself shall
// find no links, names or markup in a text.
func arguments(what call, m Message) (url.Values, error) {
	form := url.Values{"channel": {what.channel}, "text": {m.Text}, "parse": {"none"}, "link_names": {"false"}}
	if what.ts != "" {
		form.Set("ts", what.ts)
		form.Set("blocks", "[]") // without a word of them the old ones would stay
	} else {
		form.Set("unfurl_links", "false")
		form.Set("unfurl_media", "false")
		if m.ID != "" { // an edit keeps what the message has
			form.Set("metadata", metadata(m.ID))
		}
	}
	if len(m.Blocks) > 0 {
		blocks, err := json.Marshal(m.Blocks)
		if err != nil {
			return nil, err
		}
		form.Set("blocks", string(blocks))
	} else {
		form.Set("mrkdwn", "false")
	}
	return form, nil
}

// hookMessage is slack-go's payload and the one argument it lacks.
type hookMessage struct {
	slack.WebhookMessage
	Markdown *bool `json:"mrkdwn,omitempty"`
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

// sendJSON posts to the webhook.
func (c *Client) sendJSON(ctx context.Context, payload any, a *answer) {
	body, err := json.Marshal(payload)
	if err != nil {
		a.err = err
		return
	}
	c.exchange(ctx, c.hook, "application/json", string(body), a)
}

// sendForm asks a method of the Web API.
func (c *Client) sendForm(ctx context.Context, method string, form url.Values, a *answer) {
	c.exchange(ctx, c.apiURL+method, "application/x-www-form-urlencoded", form.Encode(), a)
}

// exchange makes the request and reads the answer to its end, so that the
// connection serves again, or to the limit, so that it can't fill the memory.
//
// The answer is not for slack-go to read: it loses error codes and waits that
// it can't decode, and takes a message for failed whose echo has a block it
// doesn't know.
func (c *Client) exchange(ctx context.Context, address, kind, body string, a *answer) {
	req, err := http.NewRequestWithContext(a.trip.watch(ctx), http.MethodPost, address, strings.NewReader(body))
	if err == nil {
		err = inTheClear(req.URL)
	}
	if err != nil {
		a.err = err
		return
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", c.agent)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	a.asked = true
	if a.err = ctx.Err(); a.err != nil {
		a.trip.early = true
		return
	}
	resp, err := c.http.Do(req)
	if err != nil {
		a.err = err
		return
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.ahead.Store(int64(time.Since(date)))
	}
	a.body, a.err = io.ReadAll(io.LimitReader(resp.Body, max(a.limit, maxAnswer)))
}

// inTheClear refuses to send what is secret over plain HTTP, but to this
// machine itself.
func inTheClear(u *url.URL) error {
	host := u.Hostname()
	ip := net.ParseIP(host)
	if u.Scheme == "https" || u.Scheme == "http" && (host == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return &url.Error{Op: "Post", Err: errors.New("not over " + strconv.Quote(u.Scheme) + ", want https (http on loopback only)")}
}
