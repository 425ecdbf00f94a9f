package slackapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	testToken = "xoxb-123456789012-abcDEF/ghi+JKL"
	testHook  = "https://hooks.slack.com/services/T0123456/B0123456/s3cr3tS3cr3tS3cr3t"
	hookPath  = "/services/T0123456/B0123456/s3cr3tS3cr3tS3cr3t"
	accept    = `{"ok":true,"channel":"C1","ts":"1700000000.000100"}`
)

// request is one that arrived.
type request struct {
	path, body string
	header     http.Header
	form       url.Values
}

// server answers every request with one func and remembers what came.
type server struct {
	*httptest.Server
	t        *testing.T
	mu       sync.Mutex
	requests []request
	conns    map[net.Conn]bool
}

func serve(t *testing.T, answer func(http.ResponseWriter)) *server {
	s := &server{t: t, conns: map[net.Conn]bool{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		s.mu.Lock()
		s.requests = append(s.requests, request{path: r.URL.Path, body: string(body), header: r.Header, form: form})
		s.mu.Unlock()
		answer(w)
	}))
	s.Config.ConnState = func(c net.Conn, _ http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.conns[c] = true
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *server) closing(c *Client) *Client {
	s.t.Cleanup(c.Close)
	return c
}

func (s *server) bot() *Client     { return s.closing(NewBot(testToken, s.URL+"/api", nil)) }
func (s *server) webhook() *Client { return s.closing(NewWebhook(s.URL+hookPath, nil)) }

func (s *server) all() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.requests...)
}

func (s *server) count() int    { return len(s.all()) }
func (s *server) last() request { r := s.all(); return r[len(r)-1] }

func (s *server) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func answering(bodies ...string) func(http.ResponseWriter) {
	var mu sync.Mutex
	return func(w http.ResponseWriter) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.WriteString(w, bodies[0])
		if len(bodies) > 1 {
			bodies = bodies[1:]
		}
	}
}

func message() Message {
	return Message{
		Channel: "#payments",
		Text:    "ERROR card declined",
		Blocks:  []slack.Block{slack.NewHeaderBlock(slack.NewTextBlockObject("plain_text", "ERROR", false, false))},
		Plain:   "ERROR card declined, plain",
	}
}

// wire is the arguments of a request but the channel.
func (r request) wire() map[string]string {
	m := map[string]string{}
	for k, v := range r.form {
		if k != "channel" {
			m[k] = strings.Join(v, "|")
		}
	}
	return m
}

const headerJSON = `[{"type":"header","text":{"type":"plain_text","text":"ERROR","emoji":false}}]`

func TestPostOnTheWire(t *testing.T) {
	s := serve(t, answering(accept))
	ref, err := s.bot().Post(t.Context(), message())
	require.NoError(t, err)
	assert.Equal(t, "C1/1700000000.000100", ref)
	r := s.last()
	assert.Equal(t, "/api/chat.postMessage", r.path)
	assert.Equal(t, "Bearer "+testToken, r.header.Get("Authorization"))
	assert.NotContains(t, r.body, "token", "once is enough")
	assert.Equal(t, "#payments", r.form.Get("channel"))
	assert.Equal(t, "slackalert/devel", r.header.Get("User-Agent"))
	assert.Equal(t, map[string]string{
		"text": "ERROR card declined", "blocks": headerJSON, "parse": "none", "link_names": "false",
		"unfurl_links": "false", "unfurl_media": "false",
	}, r.wire())
}

func TestPostOfTextAlone(t *testing.T) {
	s := serve(t, answering(accept))
	_, err := s.bot().Post(t.Context(), Message{Channel: "C1", Text: "a\xffb"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"text": "a\uFFFDb", "parse": "none", "link_names": "false", "mrkdwn": "false",
		"unfurl_links": "false", "unfurl_media": "false",
	}, s.last().wire())
}

func TestEditOnTheWire(t *testing.T) {
	s := serve(t, answering(accept))
	m := message()
	m.Channel = "elsewhere"
	require.NoError(t, s.bot().Edit(t.Context(), "C1/17.1", m))
	r := s.last()
	assert.Equal(t, "/api/chat.update", r.path)
	assert.Equal(t, "C1", r.form.Get("channel"))
	assert.Equal(t, map[string]string{
		"ts": "17.1", "text": "ERROR card declined", "blocks": headerJSON, "parse": "none", "link_names": "false",
	}, r.wire())
}

func TestEditToTextTakesTheBlocksAway(t *testing.T) {
	s := serve(t, answering(accept))
	require.NoError(t, s.bot().Edit(t.Context(), "C1/17.1", Message{Text: strings.Repeat("한", 3000)}))
	w := s.last().wire()
	assert.Equal(t, "[]", w["blocks"])
	assert.Equal(t, "false", w["mrkdwn"])
	assert.LessOrEqual(t, len(w["text"]), 4000)
	assert.Greater(t, len(w["text"]), 3990)
	assert.True(t, utf8.ValidString(w["text"]))
}

func TestWebhookOnTheWire(t *testing.T) {
	s := serve(t, answering("ok"))
	m := message()
	m.Text = "a\xffb"
	ref, err := s.webhook().Post(t.Context(), m)
	require.NoError(t, err)
	assert.Empty(t, ref)
	r := s.last()
	assert.Equal(t, hookPath, r.path)
	assert.Equal(t, "application/json", r.header.Get("Content-Type"))
	assert.JSONEq(t, `{"text":"a\ufffdb","parse":"none","unfurl_links":false,"unfurl_media":false,"blocks":`+headerJSON+`}`, r.body)

	_, err = s.webhook().Post(t.Context(), Message{Text: "x"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"text":"x","mrkdwn":false,"parse":"none","unfurl_links":false,"unfurl_media":false}`, s.last().body)
}

func TestEditOfWhatIsNoMessage(t *testing.T) {
	s := serve(t, answering(accept))
	for _, ref := range []string{"", "C1", "C1/", "/17.1"} {
		anew.check(t, s.bot().Edit(t.Context(), ref, message()), 1)
	}
	anew.check(t, s.webhook().Edit(t.Context(), "C1/17.1", message()), 1)
	assert.Zero(t, s.count())
}

// refusals collects what Client.Refused hears.
func refusals(c *Client) *[]error {
	heard := new([]error)
	c.Refused = func(err error) { *heard = append(*heard, err) }
	return heard
}

func TestARefusedLayoutArrivesAsText(t *testing.T) {
	s := serve(t, answering(refusal("invalid_blocks"), accept))
	c := s.bot()
	heard := refusals(c)
	ref, err := c.Post(t.Context(), message())
	require.NoError(t, err)
	assert.Equal(t, "C1/1700000000.000100", ref)
	require.Equal(t, 2, s.count())
	assert.Equal(t, map[string]string{
		"text": "ERROR card declined, plain", "mrkdwn": "false", "parse": "none", "link_names": "false",
		"unfurl_links": "false", "unfurl_media": "false",
	}, s.last().wire())
	require.Len(t, *heard, 1)
	e := plainly.check(t, (*heard)[0], 2)
	assert.Equal(t, "slack: post to #payments: invalid_blocks", e.Error())
}

func TestARefusedEditArrivesAsText(t *testing.T) {
	s := serve(t, answering(refusal("msg_blocks_too_long"), accept))
	c := s.bot()
	heard := refusals(c)
	require.NoError(t, c.Edit(t.Context(), "C1/17.1", message()))
	w := s.last().wire()
	assert.Equal(t, "17.1", w["ts"])
	assert.Equal(t, "[]", w["blocks"])
	assert.Equal(t, "ERROR card declined, plain", w["text"])
	assert.Len(t, *heard, 1)
}

func TestARefusedWebhookLayoutArrivesAsText(t *testing.T) {
	first := true
	s := serve(t, func(w http.ResponseWriter) {
		if first {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, "invalid_blocks")
			first = false
			return
		}
		_, _ = io.WriteString(w, "ok")
	})
	c := s.webhook()
	heard := refusals(c)
	m := message()
	m.Plain = ""
	_, err := c.Post(t.Context(), m)
	require.NoError(t, err)
	assert.Contains(t, s.last().body, `"text":"ERROR card declined"`)
	assert.NotContains(t, s.last().body, "blocks")
	require.Len(t, *heard, 1)
	assert.Equal(t, "slack: post to the webhook: HTTP 400 Bad Request, invalid_blocks", (*heard)[0].Error())
}

func TestPlainTextThatFailsTellsBoth(t *testing.T) {
	limit := `{"ok":false,"error":"ratelimited","retry_after":9}`
	s := serve(t, answering(refusal("invalid_blocks"), limit))
	c := s.bot()
	heard := refusals(c)
	_, err := c.Post(t.Context(), message())
	e := later.check(t, err, 1)
	assert.Equal(t, 9*time.Second, e.RetryAfter())
	assert.Equal(t, "slack: post to #payments: ratelimited, retry after 9s (plain text, after invalid_blocks)", e.Error())
	assert.Empty(t, *heard, "the error tells it")
}

func TestTextAloneIsNotSentTwice(t *testing.T) {
	s := serve(t, answering(refusal("no_text")))
	_, err := s.bot().Post(t.Context(), Message{Channel: "C1", Text: "x"})
	require.Error(t, err)
	assert.Equal(t, 1, s.count())
	_, err = s.bot().Post(t.Context(), Message{Channel: "C1", Text: strings.Repeat("x", 5000)})
	require.Error(t, err)
	assert.Equal(t, 3, s.count(), "a long text is tried once more, shorter")
	assert.Len(t, s.last().form.Get("text"), 4000)
}

// brokenBlock can't be written as JSON.
type brokenBlock struct{ panics bool }

func (brokenBlock) BlockType() slack.MessageBlockType { return "broken" }
func (brokenBlock) ID() string                        { return "" }
func (b brokenBlock) MarshalJSON() ([]byte, error) {
	if b.panics {
		panic("no JSON of " + testToken)
	}
	return nil, errors.New("no JSON of " + testToken)
}

func TestABlockWithoutJSON(t *testing.T) {
	for _, panics := range []bool{false, true} {
		m := message()
		m.Blocks = []slack.Block{brokenBlock{panics}}
		s := serve(t, answering(accept))
		c := s.bot()
		heard := refusals(c)
		_, err := c.Post(t.Context(), m)
		require.NoError(t, err)
		assert.Equal(t, 1, s.count(), "the plain text")
		require.Len(t, *heard, 1)
		assert.Contains(t, (*heard)[0].Error(), "no JSON of [redacted]")
		assertClean(t, (*heard)[0])

		s = serve(t, answering("ok"))
		_, err = s.webhook().Post(t.Context(), m)
		require.NoError(t, err)
		assert.Equal(t, 1, s.count())
	}
}

func TestAnAddressThatIsNone(t *testing.T) {
	_, err := NewWebhook("http://127.0.0.1:99999999/x\x7f/s3cr3tS3cr3tS3cr3t", nil).Post(t.Context(), message())
	e := mend.check(t, err, 1)
	assert.Contains(t, e.Mend(), "webhook URL")
	_, err = NewBot(testToken, "http://bad host\x7f/", nil).Post(t.Context(), message())
	mend.check(t, err, 1)
}

func TestARedirectIsNotFollowed(t *testing.T) {
	target := serve(t, answering(accept))
	for _, status := range []int{301, 302, 303, 307, 308} {
		r := row{status: status, header: header("Location", target.URL+"/api/chat.postMessage"), want: mend, text: "redirect"}
		s := serve(t, r.answer)
		caller := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
		for _, c := range []*Client{s.bot(), NewBot(testToken, s.URL, caller), s.webhook(), NewWebhook(s.URL+hookPath, caller)} {
			_, err := c.Post(t.Context(), message())
			mend.check(t, err, 1)
			assert.Error(t, c.Check(t.Context()))
		}
		assert.NoError(t, caller.CheckRedirect(nil, nil), "the caller's client is as it was")
		caller.CloseIdleConnections()
	}
	assert.Zero(t, target.count())
}

func TestTheCallersClientIsUsed(t *testing.T) {
	var urls []string
	caller := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		urls = append(urls, r.URL.String())
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(accept)), Request: r}, nil
	})}
	for _, apiURL := range []string{"", "https://slack-gov.com/api", "https://slack-gov.com/api/"} {
		_, err := NewBot(testToken, apiURL, caller).Post(t.Context(), message())
		require.NoError(t, err)
	}
	assert.Equal(t, []string{
		"https://slack.com/api/chat.postMessage",
		"https://slack-gov.com/api/chat.postMessage",
		"https://slack-gov.com/api/chat.postMessage",
	}, urls)
	assert.Nil(t, caller.CheckRedirect)
	assert.Equal(t, 10*time.Second, NewBot("x", "", nil).http.Timeout)
	assert.NotSame(t, http.DefaultTransport, NewBot("x", "", nil).http.Transport)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTimeOutBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		begin := time.Now()
		_, err := NewBot(testToken, "", &http.Client{Transport: hang, Timeout: 10 * time.Second}).Post(t.Context(), message())
		later.check(t, err, 1)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 10*time.Second, time.Since(begin))

		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err = NewWebhook(testHook, &http.Client{Transport: hang}).Post(ctx, message())
		later.check(t, err, 1)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 13*time.Second, time.Since(begin))
	})
}

func TestTimeOutWithinTheBody(t *testing.T) {
	for _, begun := range []string{"", `{"ok":true,"chan`, "o"} {
		release := make(chan struct{})
		s := serve(t, func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, begun)
			w.(http.Flusher).Flush()
			<-release
		})
		for _, c := range []*Client{s.bot(), s.webhook()} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			_, err := c.Post(ctx, message())
			cancel()
			e := later.check(t, err, 1)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Contains(t, e.Error(), "deadline exceeded")
		}
		close(release)
	}
}

func TestACancelledContext(t *testing.T) {
	s := serve(t, answering(accept))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []*Client{s.bot(), s.webhook()} {
		_, err := c.Post(ctx, message())
		later.check(t, err, 1)
		assert.ErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorIs(t, c.Check(ctx), context.Canceled)
	}
	assert.ErrorIs(t, s.bot().Edit(ctx, "C1/17.1", message()), context.Canceled)
	assert.Zero(t, s.count())
}

func TestACutConnection(t *testing.T) {
	const long = "\r\nContent-Length: 100\r\n\r\n"
	for _, sent := range []string{
		"", "HTTP/1.1 200 OK" + long + `{"ok":true,`, "HTTP/1.1 200 OK" + long + "ok",
		"HTTP/1.1 400 Bad Request" + long + "<html>",
	} {
		s := serve(t, func(w http.ResponseWriter) { cutAfter(w, sent) })
		for _, c := range []*Client{s.bot(), s.webhook()} {
			_, err := c.Post(t.Context(), message())
			later.check(t, err, 1)
			assert.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET), err.Error())
		}
	}
}

func cutAfter(w http.ResponseWriter, sent string) {
	conn, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	writeAndClose(conn, rw, sent)
}

func writeAndClose(conn net.Conn, rw *bufio.ReadWriter, sent string) {
	_, _ = rw.WriteString(sent)
	_ = rw.Flush()
	_ = conn.Close()
}

func TestNobodyListens(t *testing.T) {
	s := serve(t, answering(accept))
	s.Server.Close()
	for _, c := range []*Client{s.bot(), s.webhook()} {
		_, err := c.Post(t.Context(), message())
		e := later.check(t, err, 1)
		assert.ErrorIs(t, err, syscall.ECONNREFUSED)
		assert.Contains(t, e.Error(), "connection refused")
		assert.NotContains(t, e.Error(), s.URL)
	}
}

func TestATransportThatPanics(t *testing.T) {
	for with, want := range map[any]string{"with " + testToken: "with [redacted]", echo{}: "!PANIC"} {
		caller := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { panic(with) })}
		_, err := NewBot(testToken, "", caller).Post(t.Context(), message())
		e := later.check(t, err, 1)
		assert.Equal(t, "slack: post to #payments: panic: "+want, e.Error())
	}
}

// echo panics with itself when it is asked for its text.
type echo struct{}

func (e echo) Error() string { panic(e) }

// A transport that ends its goroutine, as a failed assertion in a test's does,
// ends the caller's; what is shared stays whole.
func TestATransportThatExits(t *testing.T) {
	exit := true
	caller := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if exit {
			runtime.Goexit()
		}
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(accept)), Request: r}, nil
	})}
	c := NewBot(testToken, "", caller)
	var all sync.WaitGroup
	all.Go(func() {
		_, _ = c.Post(context.Background(), message())
		t.Error("the goroutine goes on with half an attempt")
	})
	all.Wait()
	exit = false
	ref, err := c.Post(t.Context(), message())
	require.NoError(t, err)
	assert.NotEmpty(t, ref)
}

func TestConnectionsServeAgainAfterErrors(t *testing.T) {
	for _, r := range []row{
		{status: 500, body: strings.Repeat("x", 100_000)}, {status: 429}, {status: 302}, {status: 404, body: "no_service"},
		{status: 200, body: refusal("invalid_auth")}, {status: 200, body: "{" + strings.Repeat(" ", 100_000)},
	} {
		s := serve(t, r.answer)
		bot, hook := s.bot(), s.webhook()
		for range 20 {
			_, err := bot.Post(t.Context(), message())
			require.Error(t, err)
			_, err = hook.Post(t.Context(), message())
			require.Error(t, err)
		}
		assert.Equal(t, 2, s.connections(), "status %d", r.status)
	}
}

func TestAnAnswerWithoutEnd(t *testing.T) {
	ended := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter) {
		defer close(ended)
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", maxAnswer)); err != nil {
				return
			}
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c := NewBot(testToken, s.URL, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	_, err := c.Post(ctx, message())
	e := later.check(t, err, 1)
	assert.Less(t, len(e.Error()), 200)
	assert.NotErrorIs(t, err, context.DeadlineExceeded)
	select {
	case <-ended:
	case <-ctx.Done():
		t.Error("the connection stays open")
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, accept) }))
	c := NewBot(testToken, s.URL, nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := c.Post(t.Context(), message())
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Greater(t, runtime.NumGoroutine(), before)
	c.Close()
	c.Close()
	wait(t, func() bool { return !strings.Contains(stacks(), "persistConn") })

	_, err := c.Post(t.Context(), message())
	assert.NoError(t, err, "a closed client opens a new connection")
	c.Close()
	s.Close()
	wait(t, func() bool { return runtime.NumGoroutine() <= before })
}

// wait polls in the test's own goroutine, which assert.Eventually doesn't: the
// goroutines are counted.
func wait(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !done(); time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(end), stacks())
	}
}

func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// closer tells whether its idle connections were closed.
type closer struct {
	http.RoundTripper
	closed bool
}

func (c *closer) CloseIdleConnections() { c.closed = true }

func TestCloseLeavesTheCallersConnectionsAlone(t *testing.T) {
	transport := &closer{}
	NewBot(testToken, "", &http.Client{Transport: transport}).Close()
	assert.False(t, transport.closed)
}

func TestPostFromManyGoroutines(t *testing.T) {
	var mu sync.Mutex
	n := 0
	s := serve(t, func(w http.ResponseWriter) {
		mu.Lock()
		defer mu.Unlock()
		n++
		_, _ = fmt.Fprintf(w, `{"ok":true,"channel":"C1","ts":"%d"}`, n)
	})
	c := s.bot()
	m := message()
	refs := make(chan string, 8*20)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				ref, err := c.Post(t.Context(), m)
				assert.NoError(t, err)
				assert.NoError(t, c.Edit(t.Context(), ref, m))
				assert.NoError(t, c.Check(t.Context()))
				refs <- ref
			}
		})
	}
	all.Wait()
	close(refs)
	seen := map[string]bool{}
	for ref := range refs {
		seen[ref] = true
	}
	assert.Len(t, seen, 160)
	assert.Equal(t, 480, s.count())
	var blocks []any
	require.NoError(t, json.Unmarshal([]byte(s.all()[0].form.Get("blocks")), &blocks))
}

// A connection that says nothing any more, because something on the way forgot it,
// isn't taken for the next attempt: HTTP/2 would, for as long as TCP believes in it.
func TestADeadConnectionIsNotUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h2c := new(http.Protocols)
		h2c.SetUnencryptedHTTP2(true)
		l := make(pipes)
		server := &http.Server{Protocols: h2c, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, accept)
		})}
		go func() { _ = server.Serve(l) }()
		c := NewBot(testToken, "http://localhost/api/", nil)
		var dead []*atomic.Bool
		via := c.http.Transport.(*http.Transport)
		via.Protocols, via.Proxy = h2c, nil
		via.DialContext = func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			dead = append(dead, new(atomic.Bool))
			l <- there
			return mute{here, dead[len(dead)-1]}, nil
		}
		post := func() error {
			_, err := c.Post(t.Context(), message())
			synctest.Wait() // till the connection is at rest, and known to be free
			return err
		}
		require.NoError(t, post())
		require.NoError(t, post())
		require.Len(t, dead, 1, "one serves again")
		dead[0].Store(true)
		assert.Error(t, post())
		assert.NoError(t, post())
		assert.Len(t, dead, 2)
		c.Close()
		_ = server.Close()
	})
}

// mute is a connection that loses what is written to it.
type mute struct {
	net.Conn
	dead *atomic.Bool
}

func (m mute) Write(p []byte) (int, error) {
	if m.dead.Load() {
		return len(p), nil
	}
	return m.Conn.Write(p)
}

// pipes is a listener for those who are handed to it.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }
