package slackapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/slackalert/fakeslack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// told is what an error says of whether the message arrived.
type told string

const (
	maybe   told = "unknown"
	nowhere told = "unreachable"
	not     told = "not told" // and why is another matter
)

func toldBy(e *Error) told {
	switch {
	case e.Unknown() && e.Unreachable():
		return "both"
	case e.Unknown():
		return maybe
	case e.Unreachable():
		return nowhere
	}
	return not
}

// raw is a listener that treats each connection as it is told.
func raw(t *testing.T, treat func(net.Conn)) (hostPort string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			treat(c)
			_ = c.Close()
		}
	}()
	return ln.Addr().String()
}

// readRequest reads one request to its end.
func readRequest(c net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

// answerThenCut reads the request and sends the beginning of an answer.
func answerThenCut(sent string) func(net.Conn) {
	return func(c net.Conn) {
		readRequest(c)
		_, _ = io.WriteString(c, sent)
	}
}

// patient is a client that waits for what is going to happen, however busy the
// machine is.
func patient(t *testing.T, change func(*http.Transport)) *http.Client {
	tr := newTransport()
	tr.Proxy = nil
	if change != nil {
		change(tr)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: time.Minute}
}

// hurried is one that waits for what never comes.
func hurried(hc *http.Client) *http.Client {
	hc.Timeout = 50 * time.Millisecond
	return hc
}

// onceSent gives up as soon as the request is out, as a time-out would.
func onceSent(hc *http.Client) *http.Client {
	inner := hc.Transport
	hc.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		ctx, giveUp := context.WithCancelCause(r.Context())
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			WroteRequest: func(httptrace.WroteRequestInfo) { giveUp(context.DeadlineExceeded) },
		})
		return inner.RoundTrip(r.WithContext(ctx))
	})
	return hc
}

// plight is one way in which a request ends without an answer that says enough.
type plight struct {
	name string
	want told
	make func(t *testing.T) (base string, hc *http.Client)
}

// served is a plight of a listener.
func served(name string, want told, treat func(net.Conn)) plight {
	return plight{name, want, func(t *testing.T) (string, *http.Client) {
		return "http://" + raw(t, treat), patient(t, nil)
	}}
}

// carried is a plight of a transport of the caller's that uses no connection of
// net/http's.
func carried(name string, want told, err error) plight {
	return plight{name, want, func(*testing.T) (string, *http.Client) {
		return "https://slack.example", &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, err })}
	}}
}

func plights() []plight {
	hang := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n"
	return []plight{
		served("cut when connected", maybe, func(net.Conn) {}),
		served("cut within the request", maybe, func(c net.Conn) {
			_, _ = io.ReadFull(c, make([]byte, 10))
			_ = c.(*net.TCPConn).SetLinger(0) // a reset
		}),
		served("cut after the request", maybe, readRequest),
		served("cut within the head", maybe, answerThenCut(head)),
		served("cut within the body", maybe, answerThenCut(head+"\r\n"+`{"ok":true,"channel":"C1",`)),
		served("cut within a 502", maybe, answerThenCut("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\n<ht")),
		served("cut within a 403", not, answerThenCut("HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n<ht")),
		served("no HTTP", maybe, answerThenCut("SSH-2.0-OpenSSH_9.6\r\n")),
		served("a head without end", maybe, answerThenCut("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 12<<20))),
		{"nothing for an answer", maybe, func(t *testing.T) (string, *http.Client) {
			return "http://" + raw(t, hang), onceSent(patient(t, nil))
		}},
		{"nobody listens", nowhere, func(t *testing.T) (string, *http.Client) { return "http://" + deaf(t), patient(t, nil) }},
		{"a context that has ended", nowhere, func(t *testing.T) (string, *http.Client) {
			ended := roundTrip(func(*http.Request) (*http.Response, error) { panic("asked") })
			return "ended", &http.Client{Transport: ended}
		}},
		carried("a filter of the caller's", not, errors.New("egress to slack.example is not allowed")),
		carried("a cut that it tells", maybe, fmt.Errorf("via relay: %w", io.ErrUnexpectedEOF)),
		carried("a reset that it tells", maybe, &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}),
		carried("a time-out that it tells", maybe, os.ErrDeadlineExceeded),
		carried("a refusal that it tells", nowhere, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}),
		carried("a time-out of its dial", nowhere, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}),
		carried("a host that it doesn't find", nowhere, &net.DNSError{Err: "no such host", Name: "slack.example", IsNotFound: true}),
		{"a panic of its", not, func(*testing.T) (string, *http.Client) {
			return "https://slack.example", &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { panic("oh") })}
		}},
	}
}

// deaf is an address at which nobody listens.
func deaf(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return ln.Addr().String()
}

// roads are plights on the way to a connection.
func roads() []plight {
	dial := func(dial func(context.Context, string, string) (net.Conn, error)) func(t *testing.T) (string, *http.Client) {
		return func(t *testing.T) (string, *http.Client) {
			return "https://slack.example", hurried(patient(t, func(tr *http.Transport) { tr.DialContext = dial }))
		}
	}
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server")
	}}
	return []plight{
		{"a name server that is away", nowhere, dial((&net.Dialer{Resolver: resolver}).DialContext)},
		{"a dial without end", nowhere, dial(func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})},
		{"a dialer with words of its own", nowhere, dial(func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("vpn: no route")
		})},
		{"a proxy that is away", nowhere, proxied(func(t *testing.T) string { return deaf(t) })},
		{"a proxy that doesn't let through", nowhere, proxied(func(t *testing.T) string {
			return raw(t, answerThenCut("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))
		})},
	}
}

// handshakes are plights of a connection that is there, and of one that was.
func handshakes() []plight {
	return []plight{
		{"a handshake without end", nowhere, func(t *testing.T) (string, *http.Client) {
			silent := raw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
			return "https://" + silent, hurried(patient(t, nil))
		}},
		{"a handshake with no TLS", nowhere, func(t *testing.T) (string, *http.Client) {
			return "https://" + raw(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }), patient(t, nil)
		}},
		{"a certificate of nobody's", nowhere, func(t *testing.T) (string, *http.Client) {
			return secureServer(t).URL, patient(t, nil)
		}},
		{"an expired certificate", nowhere, func(t *testing.T) (string, *http.Client) {
			s := secureServer(t)
			return s.URL, patient(t, func(tr *http.Transport) {
				tr.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
				tr.TLSClientConfig.Time = func() time.Time { return s.Certificate().NotAfter.Add(time.Hour) }
			})
		}},
		{"HTTP/2, the stream is reset", maybe, func(t *testing.T) (string, *http.Client) {
			s := secureServer(t)
			return s.URL, patient(t, func(tr *http.Transport) {
				tr.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			})
		}},
		{"one that tries again, in vain", maybe, func(t *testing.T) (string, *http.Client) {
			once, gone := raw(t, readRequest), deaf(t)
			hc := patient(t, nil)
			inner := hc.Transport
			hc.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				if res, err := inner.RoundTrip(r); err == nil {
					return res, nil
				}
				again := r.Clone(r.Context())
				again.URL.Host = gone
				again.Body, _ = r.GetBody()
				return inner.RoundTrip(again)
			})
			return "http://" + once, hc
		}},
	}
}

// secureServer speaks HTTP/2 and breaks off whatever it is asked.
func secureServer(t *testing.T) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func proxied(by func(*testing.T) string) func(t *testing.T) (string, *http.Client) {
	return func(t *testing.T) (string, *http.Client) {
		proxy := &url.URL{Scheme: "http", Host: by(t)}
		return "https://slack.example", patient(t, func(tr *http.Transport) { tr.Proxy = http.ProxyURL(proxy) })
	}
}

func TestWhetherItArrived(t *testing.T) {
	for _, p := range slices.Concat(plights(), roads(), handshakes()) {
		t.Run(p.name, func(t *testing.T) {
			ctx := t.Context()
			base, hc := p.make(t)
			if base == "ended" {
				base = "https://slack.example"
				var cancel context.CancelFunc
				ctx, cancel = context.WithCancel(ctx)
				cancel()
			}
			bot, hook := NewBot(testToken, base, hc), NewWebhook(base+hookPath, hc)
			_, posted := bot.Post(ctx, message())
			_, hooked := hook.Post(ctx, message())
			_, found := bot.Find(ctx, "C1", "B7", time.Now())
			for what, err := range map[string]error{"post": posted, "webhook": hooked, "edit": bot.Edit(ctx, "C1/17.1", message()), "find": found} {
				var e *Error
				require.ErrorAs(t, err, &e, what)
				assert.Equal(t, p.want, toldBy(e), "%s: %v", what, e)
				assert.False(t, e.Refused() || e.Gone(), what)
				assertClean(t, err)
			}
		})
	}
}

// A lost answer is one thing, a lost message another: the fake took each of
// these.
func TestTakenAndLost(t *testing.T) {
	for name, f := range map[string]fakeslack.Fault{
		"cut":                   {Drop: true},
		"cut within the answer": {Drop: true, Body: `{"ok":true,`},
		"a 502 after all":       {Drop: true, Status: 502},
		"too late":              {Delay: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := fakeslack.Start(&fakeslack.Options{Token: testToken})
			require.NoError(t, err)
			defer s.Close()
			bot := NewBot(testToken, s.APIURL(), patient(t, nil))
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			if f.Delay > 0 {
				go func() { // once it is taken
					for len(s.Messages("")) == 0 {
						time.Sleep(time.Millisecond)
					}
					giveUp()
				}()
			}
			before := time.Now()
			m := message()
			m.Channel, m.ID = "C123", "B7"
			s.FailNext(1, f)
			_, err = bot.Post(ctx, m)
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, maybe, toldBy(e), e)
			ref, err := bot.Find(t.Context(), "C123", "B7", before)
			require.NoError(t, err)
			require.Len(t, s.Messages(""), 1)
			assert.Equal(t, "C123/"+s.Messages("")[0].TS, ref)
			assert.NoError(t, bot.Edit(t.Context(), ref, m))
		})
	}
}

func TestRefusedMeansAsPlainTextToo(t *testing.T) {
	s := serve(t, answering(refusal("invalid_blocks"), refusal("no_text")))
	_, err := s.bot().Post(t.Context(), message())
	assert.True(t, plainly.check(t, err, 2).Refused())

	s = serve(t, answering(refusal("invalid_blocks"), refusal("fatal_error")))
	_, err = s.bot().Post(t.Context(), message())
	e := later.check(t, err, 1)
	assert.Equal(t, maybe, toldBy(e), "of the plain text nothing is known")

	s = serve(t, answering(refusal("invalid_blocks"), refusal("not_in_channel")))
	_, err = s.bot().Post(t.Context(), message())
	assert.False(t, mend.check(t, err, 1).Refused())
}

func TestNothingSecretGoesOverPlainHTTP(t *testing.T) {
	asked := 0
	hc := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		asked++
		return nil, errors.New("asked")
	})}
	for address, fine := range map[string]bool{
		"http://slack.example": false, "http://127.0.0.1.slack.example": false, "ftp://slack.example": false, "slack.example": false,
		"http://10.0.0.1": false, "HTTP://slack.example": false, "https://slack.example": true, "http://127.0.0.1:1": true,
		"http://[::1]:1": true, "http://localhost": true,
	} {
		asked = 0
		_, posted := NewBot(testToken, address, hc).Post(t.Context(), message())
		_, hooked := NewWebhook(address+hookPath, hc).Post(t.Context(), message())
		checked := NewBot(testToken, address, hc).Check(t.Context())
		for _, err := range []error{posted, hooked, checked} {
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, !fine, e.Unreachable(), address)
			assert.Equal(t, !fine, strings.Contains(e.Mend(), "https"), address)
			assertClean(t, err)
		}
		assert.Equal(t, map[bool]int{true: 3, false: 0}[fine], asked, address)
	}
}
