// Package slackapi carries one message to Slack and says what became of it.
//
// One call is one attempt: nothing here waits, paces or tries again, but for a
// layout that Slack refuses, which is told once more as plain text. Whatever
// goes wrong is an [*Error] that says when to come back, what a person has to
// mend, and never a secret.
package slackapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/capture"
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
// everybody's and can't be closed with ours. HTTP/2 asks one that says nothing
// whether it lives, and has given it up before an attempt's time is over: else the
// next would use it too, for as long as TCP believes in it.
func newTransport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second}
	if everybodys, ok := http.DefaultTransport.(*http.Transport); ok {
		t = everybodys.Clone()
	}
	if t.HTTP2 == nil { // as Go 1.26 leaves it
		t.HTTP2 = new(http.HTTP2Config)
	}
	t.HTTP2.SendPingTimeout = cmp.Or(t.HTTP2.SendPingTimeout, ownTimeout/2)
	t.HTTP2.PingTimeout = cmp.Or(t.HTTP2.PingTimeout, ownTimeout/4)
	return t
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
		e := c.failed(what, "no message to edit")
		e.gone = true
		return e
	}
	_, err := c.tell(ctx, what, m)
	return err
}

// Check asks whether Slack takes what Post would send, and sends no message: a
// bot's token is tested; a webhook gets an empty payload, and it lives if Slack
// finds fault with just that.
func (c *Client) Check(ctx context.Context) error {
	what := call{verb: verbCheck, hook: c.hook != ""}
	if _, e := c.judge(what, c.ask(ctx, "auth.test", args{}, maxAnswer)); e != nil {
		e.refused, e.unknown = false, false // there is no message
		return e
	}
	return nil
}

// tell sends m and, if Slack refuses its layout, its plain text.
func (c *Client) tell(ctx context.Context, what call, m Message) (ref string, err error) {
	most := maxPosted
	if what.ts != "" {
		most = maxEdited
	}
	m.Text = cut(valid(m.Text), most)
	ref, refusal := c.send(ctx, what, m)
	if refusal == nil {
		return ref, nil
	}
	plain := m.plain()
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
	method := "chat.postMessage"
	if what.ts != "" {
		method = "chat.update"
	}
	ref, e = c.judge(what, c.ask(ctx, method, what.args(m), maxAnswer))
	if channel, _, ok := splitRef(ref); ok {
		c.names.learn(what.channel, channel)
	}
	return ref, e
}

// args are a request's arguments.
type args map[string]any

// args are those of chat.postMessage, chat.update and of a webhook. Slack itself
// shall find no links, names or markup in a text.
func (w call) args(m Message) args {
	all := args{"text": m.Text, "parse": "none"}
	if len(m.Blocks) > 0 {
		all["blocks"] = m.Blocks
	} else {
		all["mrkdwn"] = false
	}
	if w.ts == "" {
		all["unfurl_links"], all["unfurl_media"] = false, false
	}
	if w.hook {
		return all
	}
	all["channel"], all["link_names"] = w.channel, false
	switch {
	case w.ts == "" && m.ID != "": // an edit keeps what the message has
		all["metadata"] = tagOf(m.ID)
	case w.ts != "":
		all["ts"] = w.ts
		if len(m.Blocks) == 0 {
			all["blocks"] = []slack.Block{} // without a word of them the old ones would stay
		}
	}
	return all
}

// form are the arguments as the Web API takes them.
func (all args) form() (string, error) {
	form := make(url.Values)
	for name, value := range all {
		text, ok := value.(string)
		if !ok {
			b, err := json.Marshal(value)
			if err != nil {
				return "", err
			}
			text = string(b)
		}
		form.Set(name, text)
	}
	return form.Encode(), nil
}

// ask makes one request, of a method of the Web API or of the webhook, and brings
// back what was answered, of the body at most so much. A panic on the way, of a
// block that can't be written or of a caller's transport, is an answer too: it
// must not end the goroutine that delivers. A transport that calls
// [runtime.Goexit] ends the caller's goroutine, as it says: to run it on another
// would take from what it logs the mark of whose delivery that is.
func (c *Client) ask(ctx context.Context, method string, all args, limit int64) (a answer) {
	a.trip = &trip{}
	defer func() {
		if p := recover(); p != nil {
			a = answer{asked: a.asked, trip: a.trip, err: errors.New("panic: " + capture.Said(p))}
		}
		a.ended = ctx.Err()
	}()
	var req *http.Request
	if req, a.err = c.request(a.trip.watch(ctx), method, all); a.err != nil {
		return a
	}
	a.asked = true
	if a.err = ctx.Err(); a.err != nil {
		a.trip.early = true
		return a
	}
	c.exchange(req, limit, &a)
	return a
}

// request writes what is asked.
func (c *Client) request(ctx context.Context, method string, all args) (*http.Request, error) {
	address, kind := c.apiURL+method, "application/x-www-form-urlencoded"
	body, err := "", error(nil)
	if c.hook == "" {
		body, err = all.form()
	} else {
		var b []byte
		address, kind = c.hook, "application/json"
		b, err = json.Marshal(all)
		body = string(b)
	}
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", userAgent())
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, inTheClear(req.URL)
}

// exchange sends the request and reads the answer to its end, so that the
// connection serves again, or to the limit, so that it can't fill the memory.
//
// The answer is not for slack-go to read: it loses error codes and waits that
// it can't decode, and takes a message for failed whose echo has a block it
// doesn't know.
func (c *Client) exchange(req *http.Request, limit int64, a *answer) {
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
	a.body, a.err = io.ReadAll(io.LimitReader(resp.Body, limit))
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
