package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/fleettest"
	"example.com/slackalert/fleet/internal/natsd"
	"example.com/slackalert/fleet/internal/relay"
	"example.com/slackalert/fleet/internal/value"
)

// startNATS is a server that ends with the test.
func startNATS(t *testing.T, change func(*server.Options)) *natsd.Server {
	s, err := natsd.Start(t.TempDir(), change)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

// connect is JetStream on a connection that never gives up.
func connect(t *testing.T, url string, more ...nats.Option) jetstream.JetStream {
	nc, err := nats.Connect(url, append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(50 * time.Millisecond), nats.RetryOnFailedConnect(true),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})}, more...)...)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return js
}

var day = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

// batch is one group that has counted so many.
func batch(fingerprint string, total int) slackalert.Batch {
	return slackalert.Batch{ID: fmt.Sprint(fingerprint, total), Channel: "C1", Service: "shop", Host: "web-1", Groups: []slackalert.Group{
		{Fingerprint: fingerprint, Level: slog.LevelError, Message: "payment failed", Count: total, Total: total, First: day, Last: day.Add(time.Second)},
	}}
}

// published is what the stream holds: by group, its count and what of it was
// told directly.
func published(t *testing.T, js jetstream.JetStream) map[string]string {
	s, err := js.Stream(t.Context(), "SLACKALERT")
	require.NoError(t, err)
	got := map[string]string{}
	info, err := s.Info(t.Context(), jetstream.WithSubjectFilter(">"))
	require.NoError(t, err)
	for subject := range info.State.Subjects {
		m, err := s.GetLastMsgForSubject(t.Context(), subject)
		require.NoError(t, err)
		h, text, err := value.Parse("SLACKALERT", subject, m.Data)
		require.NoError(t, err)
		g, err := value.Text(text)
		require.NoError(t, err)
		assert.Equal(t, "payment failed", g.Message)
		assert.Equal(t, 5, len(strings.Split(subject, ".")))
		got[h.Channel+"/"+h.Fingerprint] = fmt.Sprintf("%d-%d", h.Total, h.Direct)
	}
	return got
}

func TestAPublisherMakesTheStreamAndKeepsTheLastTotal(t *testing.T) {
	js := connect(t, natsd.URL(startNATS(t, nil)))
	p, err := NewPublisher(js, nil)
	require.NoError(t, err)
	assert.Error(t, p.Check(t.Context()), "the stream isn't there yet")
	require.NoError(t, p.Send(t.Context(), batch("f", 1)))
	require.NoError(t, p.Update(t.Context(), batch("f", 40)))
	two := batch("g", 7)
	two.Groups = append(two.Groups, batch("h", 8).Groups...)
	require.NoError(t, p.Send(t.Context(), two))
	assert.Equal(t, map[string]string{"C1/f": "40-0", "C1/g": "7-0", "C1/h": "8-0"}, published(t, js))
	assert.NoError(t, p.Check(t.Context()))
	assert.Empty(t, p.stored, "only of batches that failed")

	s, err := js.Stream(t.Context(), "SLACKALERT")
	require.NoError(t, err)
	c := s.CachedInfo().Config
	assert.Equal(t, []any{int64(1), jetstream.FileStorage, jetstream.DiscardNew, 24 * time.Hour, int64(1 << 30), 1},
		[]any{c.MaxMsgsPerSubject, c.Storage, c.Discard, c.MaxAge, c.MaxBytes, c.Replicas})
}

func TestAPublisherAndAHandler(t *testing.T) {
	js := connect(t, natsd.URL(startNATS(t, nil)))
	p, err := NewPublisher(js, nil)
	require.NoError(t, err)
	h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: p, Channel: "C1", BatchDelay: 10 * time.Millisecond})
	require.NoError(t, err)
	logger := slog.New(h)
	for range 500 {
		logger.Error("payment failed")
	}
	require.NoError(t, h.Close())
	got := published(t, js)
	require.Len(t, got, 1)
	for name, counts := range got {
		assert.True(t, strings.HasPrefix(name, "C1/"), name)
		assert.Equal(t, "500-0", counts)
	}
}

// TestABatchOfThousands: as a Shutdown may have.
func TestABatchOfThousands(t *testing.T) {
	js := connect(t, natsd.URL(startNATS(t, nil)))
	p, err := NewPublisher(js, nil)
	require.NoError(t, err)
	b := batch("f", 1)
	for i := range 6000 {
		b.Groups = append(b.Groups, batch(fmt.Sprint("g", i), 1).Groups...)
	}
	require.NoError(t, p.Send(t.Context(), b))
	s, err := js.Stream(t.Context(), "SLACKALERT")
	require.NoError(t, err)
	assert.EqualValues(t, 6001, s.CachedInfo().State.Msgs)
}

// errorOf is what a handler asks of a Sender's error.
func errorOf(err error) (unreachable, unknown bool) {
	var e interface {
		Unreachable() bool
		Unknown() bool
	}
	return errors.As(err, &e) && e.Unreachable(), errors.As(err, &e) && e.Unknown()
}

// TestAGroupThatIsTooLarge is refused, wherever it stands in a batch, and holds
// up no other.
func TestAGroupThatIsTooLarge(t *testing.T) {
	for _, tc := range []struct {
		name   string
		server func(*server.Options)
		stream *jetstream.StreamConfig
	}{
		{"for the server", func(o *server.Options) { o.MaxPayload = 2000 }, nil},
		{"for the stream", nil, &jetstream.StreamConfig{Name: "SLACKALERT", Subjects: []string{"SLACKALERT.>"}, MaxMsgSize: 2000}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			js := connect(t, natsd.URL(startNATS(t, tc.server)))
			if tc.stream != nil {
				_, err := js.CreateStream(t.Context(), *tc.stream)
				require.NoError(t, err)
			}
			p, err := NewPublisher(js, nil)
			require.NoError(t, err)
			large, small := batch("large", 1), batch("small", 1)
			large.Groups[0].Stack = strings.Repeat("x", 2000)
			for _, groups := range [][]slackalert.Group{{large.Groups[0], small.Groups[0]}, {small.Groups[0], large.Groups[0]}} {
				err = p.Send(t.Context(), slackalert.Batch{ID: "both", Channel: "C1", Groups: groups})
				unreachable, unknown := errorOf(err)
				var e interface{ Refused() bool }
				require.ErrorAs(t, err, &e)
				assert.Equal(t, []bool{false, false, true}, []bool{unreachable, unknown, e.Refused()}, "%v", err)
			}

			h, err := slackalert.New(slog.DiscardHandler, &slackalert.Options{Sender: p, Channel: "C2", BatchDelay: 10 * time.Millisecond})
			require.NoError(t, err)
			defer h.Close()
			slog.New(h).Log(t.Context(), slog.LevelError+4, "payment failed", "x", strings.Repeat("x ", 1500))
			slog.New(h).Error("payment failed")
			require.Eventually(t, func() bool { return h.Stats().Delivered == 1 }, 30*time.Second, 10*time.Millisecond)
			assert.EqualValues(t, 1, h.Stats().Pending)
		})
	}
}

// TestAnyGroupThatFailsFailsItsBatch, whatever comes after it.
func TestAnyGroupThatFailsFailsItsBatch(t *testing.T) {
	js := connect(t, natsd.URL(startNATS(t, nil)))
	p, err := NewPublisher(js, nil)
	require.NoError(t, err)
	bad := batch("bad", 1)
	bad.Groups[0].At = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) // there is no JSON of it
	for range maxPending {
		bad.Groups = append(bad.Groups, batch("good", 1).Groups...)
	}
	require.ErrorContains(t, p.Send(t.Context(), bad), "year outside of range")
}

func TestNATSAway(t *testing.T) {
	s := startNATS(t, nil)
	js := connect(t, natsd.URL(s))
	p, err := NewPublisher(js, nil)
	require.NoError(t, err)
	require.NoError(t, p.Send(t.Context(), batch("f", 1)))
	s.Stop()
	for _, send := range []func(context.Context, slackalert.Batch) error{p.Send, p.Update} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err = send(ctx, batch("f", 2))
		cancel()
		require.Error(t, err)
		unreachable, unknown := errorOf(err)
		assert.Equal(t, []bool{true, false}, []bool{unreachable, unknown}, "%v: a total may be published again", err)
		assert.NotContains(t, err.Error(), "nil", "the client knows no reason")
	}
	require.NoError(t, s.Start())
	require.Eventually(t, func() bool { return p.Send(t.Context(), batch("f", 3)) == nil }, 30*time.Second, 50*time.Millisecond)
	assert.Equal(t, map[string]string{"C1/f": "3-0"}, published(t, js))
}

func TestNoServerAtStart(t *testing.T) {
	s := startNATS(t, nil)
	s.Stop()
	js := connect(t, natsd.URL(s))
	p, err := NewPublisher(js, nil)
	require.NoError(t, err)
	require.ErrorContains(t, p.Send(t.Context(), batch("f", 3)), "not connected to NATS")
	require.NoError(t, s.Start())
	require.Eventually(t, func() bool { return p.Send(t.Context(), batch("f", 3)) == nil }, 30*time.Second, 50*time.Millisecond)
	assert.Equal(t, map[string]string{"C1/f": "3-0"}, published(t, js))
}

// TestTheStreamIsGone: it is made again.
func TestTheStreamIsGone(t *testing.T) {
	js := connect(t, natsd.URL(startNATS(t, nil)))
	p, err := NewPublisher(js, nil)
	require.NoError(t, err)
	require.NoError(t, p.Send(t.Context(), batch("f", 1)))
	require.NoError(t, js.DeleteStream(t.Context(), "SLACKALERT"))
	require.NoError(t, p.Update(t.Context(), batch("f", 2)))
	assert.Equal(t, map[string]string{"C1/f": "2-0"}, published(t, js))
}

func TestCheckLooksAtTheStream(t *testing.T) {
	js := connect(t, natsd.URL(startNATS(t, nil)))
	p, err := NewPublisher(js, nil)
	require.NoError(t, err)
	require.ErrorIs(t, p.Check(t.Context()), jetstream.ErrStreamNotFound)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "SLACKALERT", Subjects: []string{"SLACKALERT.*"}})
	require.NoError(t, err)
	require.ErrorContains(t, p.Check(t.Context()), `want "SLACKALERT.>" among them`)
}

func TestTheStreamIsFull(t *testing.T) {
	js := connect(t, natsd.URL(startNATS(t, nil)))
	p, err := NewPublisher(js, &Options{MaxBytes: 4000})
	require.NoError(t, err)
	full := error(nil)
	for i := range 40 {
		if full = p.Send(t.Context(), batch(fmt.Sprint("f", i), 1)); full != nil {
			break
		}
	}
	require.ErrorContains(t, full, "maximum bytes")
	unreachable, _ := errorOf(full)
	assert.True(t, unreachable)
	got := published(t, js)
	assert.Equal(t, "1-0", got["C1/f0"], "what is stored stays")
}

// TestAUserWithoutRights may publish, but not make the stream, or not even that.
func TestAUserWithoutRights(t *testing.T) {
	s := startNATS(t, func(o *server.Options) {
		o.Users = []*server.User{
			{Username: "admin", Password: "p"},
			{Username: "web", Password: "p", Permissions: &server.Permissions{
				Publish: &server.SubjectPermission{Allow: []string{"SLACKALERT.>"}}, Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
			}},
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	web := connect(t, natsd.URL(s), nats.UserInfo("web", "p"), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) { cancel() }))
	p, err := NewPublisher(web, nil)
	require.NoError(t, err)
	err = p.Send(ctx, batch("f", 1))
	require.ErrorContains(t, err, `Permissions Violation for Publish to "$JS.API.STREAM.INFO.SLACKALERT"`, "there is no stream, and it may not make one")
	unreachable, _ := errorOf(err)
	assert.True(t, unreachable)
	var e interface{ Mend() string }
	require.ErrorAs(t, err, &e)
	assert.Empty(t, e.Mend(), "somebody else may make it")
	assert.ErrorContains(t, p.Check(ctx), "Permissions Violation")

	admin := connect(t, natsd.URL(s), nats.UserInfo("admin", "p"))
	a, err := NewPublisher(admin, nil)
	require.NoError(t, err)
	require.NoError(t, a.Send(t.Context(), batch("g", 1)))
	require.NoError(t, p.Send(t.Context(), batch("f", 2)), "once it is there, to publish is all that is needed")
	assert.Equal(t, map[string]string{"C1/f": "2-0", "C1/g": "1-0"}, published(t, admin))

}

// TestCredentialsThatAreMended: base hears what to do, though the client says
// nothing at first; and it isn't long until the alert goes out.
func TestCredentialsThatAreMended(t *testing.T) {
	s := startNATS(t, func(o *server.Options) { o.Username, o.Password = "web", "old" })
	js := connect(t, natsd.URL(s), nats.UserInfo("web", "new"), nats.IgnoreAuthErrorAbort())
	p, err := NewPublisher(js, nil)
	require.NoError(t, err)
	base := &fleettest.Output{}
	h, err := slackalert.New(slog.NewTextHandler(base, nil), &slackalert.Options{Sender: p, Channel: "C1", BatchDelay: time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	slog.New(h).Error("payment failed")
	require.Eventually(t, func() bool {
		return strings.Contains(base.String(), `not connected to NATS: nats: Authorization Violation`) &&
			strings.Contains(base.String(), `do="let the program connect to NATS with credentials that it takes"`)
	}, 30*time.Second, 10*time.Millisecond, "%s", base)
	s.Stop()
	s.Change(func(o *server.Options) { o.Password = "new" })
	require.NoError(t, s.Start())
	require.Eventually(t, func() bool { return h.Stats().Delivered == 1 }, 30*time.Second, 10*time.Millisecond)
}

// sender notes what it is sent.
type sender struct {
	mu   sync.Mutex
	sent []slackalert.Batch
	err  error
}

func (s *sender) Send(_ context.Context, b slackalert.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.sent = append(s.sent, b)
	return nil
}

func TestDirect(t *testing.T) {
	s := startNATS(t, nil)
	js := connect(t, natsd.URL(s))
	slack := &sender{}
	p, err := NewPublisher(js, &Options{Direct: slack, DirectAfter: time.Hour})
	require.NoError(t, err)
	require.NoError(t, p.Send(t.Context(), batch("f", 1)))
	s.Stop()
	require.Eventually(t, func() bool { return !js.Conn().IsConnected() }, 30*time.Second, 10*time.Millisecond)
	require.Error(t, p.Send(t.Context(), batch("g", 5)), "not yet")
	require.Empty(t, slack.sent)
	p.down = time.Now().Add(-time.Hour)
	require.Error(t, p.Update(t.Context(), batch("f", 2)), "what repeats waits")
	slack.err = errors.New("Slack is away too")
	require.ErrorContains(t, p.Send(t.Context(), batch("g", 5)), "Slack is away too")
	slack.err = nil
	b := batch("g", 5)
	require.NoError(t, p.Send(t.Context(), b))
	require.Len(t, slack.sent, 1)
	assert.Equal(t, []string{"direct"}, slack.sent[0].Groups[0].Notes)
	assert.Empty(t, b.Groups[0].Notes, "the handler's batch is as it was")

	require.NoError(t, s.Start())
	require.Eventually(t, func() bool { return p.Update(t.Context(), batch("f", 2)) == nil }, 30*time.Second, 50*time.Millisecond)
	require.NoError(t, p.Update(t.Context(), batch("g", 9)))
	assert.Equal(t, map[string]string{"C1/f": "2-0", "C1/g": "9-5"}, published(t, js), "what was told directly is counted as told")
	require.NoError(t, p.Send(t.Context(), batch("h", 1)))
	assert.Len(t, slack.sent, 1, "NATS is back")
}

// TestDirectTellsNothingThatIsStored: a batch of which the stream took a part.
func TestDirectTellsNothingThatIsStored(t *testing.T) {
	s := startNATS(t, nil)
	js := connect(t, natsd.URL(s))
	slack := &sender{}
	p, err := NewPublisher(js, &Options{Direct: slack, DirectAfter: time.Hour, MaxBytes: 2000})
	require.NoError(t, err)
	b := batch("f0", 1)
	for i := range 9 {
		b.Groups = append(b.Groups, batch(fmt.Sprint("f", i+1), 1).Groups...)
	}
	require.Error(t, p.Send(t.Context(), b), "the stream is full after some")
	stored := len(published(t, js))
	require.NotZero(t, stored)
	require.Less(t, stored, 10)
	p.down = time.Now().Add(-time.Hour)
	require.NoError(t, p.Send(t.Context(), b))
	require.Len(t, slack.sent, 1)
	assert.Len(t, slack.sent[0].Groups, 10-stored)
	for _, g := range slack.sent[0].Groups {
		assert.NotContains(t, published(t, js), "C1/"+g.Fingerprint)
	}
	s.Stop()
	require.Eventually(t, func() bool { return !js.Conn().IsConnected() }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, p.Send(t.Context(), batch("f0", 1)), "the stream has it")
	assert.Len(t, slack.sent, 1, "nothing of it is left to tell")
}

// TestDirectRemembersSoMuch: beyond it, what was told directly is told again.
func TestDirectRemembersSoMuch(t *testing.T) {
	p, err := NewPublisher(connect(t, "nats://127.0.0.1:1"), &Options{Direct: &sender{}})
	require.NoError(t, err)
	tell := func(name string) { require.NoError(t, p.tell(t.Context(), batch(name, 1), nil)) }
	tell("f")
	for i := range maxDirect - 1 {
		p.direct[fmt.Sprint(i)] = 1
	}
	tell("g")
	tell("f")
	assert.Len(t, p.direct, maxDirect)
	f := batch("f", 1)
	assert.EqualValues(t, 2, p.direct[value.Subject("SLACKALERT", &f, &f.Groups[0], p.run)])
}

// TestTheCallersClient is the one whose requests pass the fence.
func TestTheCallersClient(t *testing.T) {
	own := &http.Client{Timeout: time.Minute, Transport: http.NewFileTransport(http.Dir(t.TempDir()))}
	var fence relay.Fence
	c := fenced(own, &fence)
	assert.Equal(t, []any{time.Minute, http.RoundTripper(&fence), own.Transport}, []any{c.Timeout, c.Transport, fence.Next})
	assert.NotSame(t, own, c, "it isn't changed")
	for _, none := range []*http.Client{nil, {Timeout: clientTimeout}} {
		c = fenced(none, &fence)
		assert.Equal(t, clientTimeout, c.Timeout)
		assert.IsType(t, &http.Transport{}, fence.Next)
		assert.NotSame(t, http.DefaultTransport, fence.Next)
	}
}

func TestOptions(t *testing.T) {
	js := connect(t, "nats://127.0.0.1:1")
	for _, tc := range []struct {
		name string
		js   jetstream.JetStream
		opts *Options
		want string
	}{
		{"no JetStream", nil, nil, "js is nil"},
		{"a stream's name with a dot", js, &Options{Stream: "a.b"}, `Stream is "a.b"`},
		{"six replicas", js, &Options{Replicas: 6}, "Replicas is 6"},
		{"replicas below zero", js, &Options{Replicas: -1}, "Replicas is -1"},
		{"a size below zero", js, &Options{MaxBytes: -1}, "MaxBytes is -1"},
		{"an age under a minute", js, &Options{MaxAge: time.Second}, "MaxAge is 1s"},
		{"a lease under a second", js, &Options{Lease: time.Millisecond}, "Lease is 1ms"},
		{"a time below zero", js, &Options{DirectAfter: -1}, "DirectAfter is -1ns"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := NewPublisher(tc.js, tc.opts)
			assert.ErrorContains(t, err, tc.want)
			err = Run(t.Context(), tc.js, slog.DiscardHandler, &slackalert.Options{Token: "xoxb-1", Channel: "C1"}, tc.opts)
			assert.ErrorContains(t, err, tc.want)
		})
	}
	for _, tc := range []struct {
		name  string
		base  slog.Handler
		slack *slackalert.Options
		want  string
	}{
		{"no base", nil, &slackalert.Options{Token: "xoxb-1", Channel: "C1"}, "base is nil"},
		{"no destination", slog.DiscardHandler, nil, "no destination"},
		{"no destination, which is optional elsewhere", slog.DiscardHandler, &slackalert.Options{Optional: true}, "no destination"},
		{"a Sender", slog.DiscardHandler, &slackalert.Options{Sender: &sender{}}, "Sender is set"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.ErrorContains(t, Run(t.Context(), js, tc.base, tc.slack, nil), tc.want)
		})
	}
	p, err := NewPublisher(js, nil)
	require.NoError(t, err)
	post, edit := p.Gaps()
	assert.Equal(t, []time.Duration{200 * time.Millisecond, 10 * time.Second}, []time.Duration{post, edit})
}
