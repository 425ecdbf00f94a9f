package cause

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/slackalert/internal/pace"
)

// full has all the methods that are asked for.
type full struct {
	after                                       time.Duration
	mend                                        string
	gone, unknown, refused, unreachable, shared bool
	asked                                       map[string]int
}

func (f *full) ask(what string) {
	if f.asked != nil {
		f.asked[what]++
	}
}

func (f *full) Error() string             { f.ask("Error"); return "full" }
func (f *full) RetryAfter() time.Duration { f.ask("RetryAfter"); return f.after }
func (f *full) Mend() string              { f.ask("Mend"); return f.mend }
func (f *full) Gone() bool                { f.ask("Gone"); return f.gone }
func (f *full) Unknown() bool             { f.ask("Unknown"); return f.unknown }
func (f *full) Refused() bool             { f.ask("Refused"); return f.refused }
func (f *full) Unreachable() bool         { f.ask("Unreachable"); return f.unreachable }
func (f *full) Workspace() bool           { f.ask("Workspace"); return f.shared }

// nasty panics whatever it is asked.
type nasty struct{ how any }

func (n nasty) Error() string             { panic(n.how) }
func (n nasty) RetryAfter() time.Duration { panic(n.how) }
func (n nasty) Mend() string              { panic(n.how) }
func (n nasty) Gone() bool                { panic(n.how) }
func (n nasty) Unknown() bool             { panic(n.how) }
func (n nasty) Refused() bool             { panic(n.how) }
func (n nasty) As(any) bool               { panic(n.how) }
func (n nasty) Is(error) bool             { panic(n.how) }
func (n nasty) Unwrap() error             { panic(n.how) }

// echo panics with itself.
type echo struct{}

func (e echo) Error() string { panic(e) }

// loop is an error that wraps itself.
type loop struct{ times int }

func (l *loop) Error() string { return "loop" }

func (l *loop) Unwrap() (in []error) { return slices.Repeat([]error{l}, l.times) }

// pointer is an error that looks at what it points to.
type pointer struct{ text string }

func (p *pointer) Error() string             { return p.text }
func (p *pointer) RetryAfter() time.Duration { return time.Duration(len(p.text)) }

type list []string

func (l list) Error() string { return l[0] }

func TestOf(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		name  string
		err   error
		ended bool
		want  Cause
	}{
		{"none", nil, false, Cause{}},
		{"none, though the time was over", nil, true, Cause{}},
		{"plain", errors.New("down"), false, Cause{Text: "down"}},
		{"plain, when the time was over", errors.New("down"), true, Cause{Text: "down", Unknown: true}},
		{"with a secret", errors.New("post: token=xoxb-123456789012-abcdefABCDEF"), false, Cause{Text: "post: token=[redacted]"}},
		{"asks to wait", &full{after: 3 * time.Second}, false, Cause{Text: "full", Wait: 3 * time.Second}},
		{"asks to wait less than nothing", &full{after: -1}, false, Cause{Text: "full"}},
		{"wrapped", fmt.Errorf("send: %w", &full{after: 1, shared: true}), false, Cause{Text: "send: full", Wait: 1, Workspace: true}},
		{"joined", errors.Join(errors.New("a"), &full{gone: true}), false, Cause{Text: "a\nfull", Gone: true}},
		{"a person must do something", &full{mend: "invite it"}, false, Cause{Text: "full", Mend: "invite it"}},
		{"with a secret in what to do", &full{mend: "use password=hunter2"}, false, Cause{Text: "full", Mend: "use password=[redacted]"}},
		{"no connection in time", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, false, Cause{Text: "dial: i/o timeout", Unreachable: true}},
		{"refused", &full{refused: true}, false, Cause{Text: "full", Refused: true}},
		{"unknown", &full{unknown: true}, false, Cause{Text: "full", Unknown: true}},
		{"knows better than the time", &full{}, true, Cause{Text: "full"}},
		{"unreachable", &full{unreachable: true}, false, Cause{Text: "full", Unreachable: true}},
		{"no connection", &url.Error{Op: "Post", URL: "https://a", Err: dial}, false, Cause{Text: "Post \"https://a\": dial: connection refused", Unreachable: true}},
		{"no host", fmt.Errorf("send: %w", &net.DNSError{Err: "no such host", Name: "a", IsTimeout: true}), false, Cause{Text: "send: lookup a: no such host", Unreachable: true}},
		{"time-out", context.DeadlineExceeded, false, Cause{Text: "context deadline exceeded", Unknown: true}},
		{"called off", context.Canceled, false, Cause{Text: "context canceled", Unknown: true}},
		{"cut off", io.ErrUnexpectedEOF, false, Cause{Text: "unexpected EOF", Unknown: true}},
		{"no answer", fmt.Errorf("read: %w", io.EOF), false, Cause{Text: "read: EOF", Unknown: true}},
		{"reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, false, Cause{Text: "read: connection reset by peer", Unknown: true}},
		{"nil of a type", (*pointer)(nil), false, Cause{Text: "(nil)"}},
		{"nil of a type, in another", fmt.Errorf("send: %w", (*pointer)(nil)), false, Cause{Text: "send: %!w(<nil>)"}},
		{"nil of a slice", list(nil), false, Cause{Text: "(nil)"}},
		{"empty, not nil", list{}, false, Cause{Text: "cause.list, whose Error panicked: runtime error: index out of range [0] with length 0"}},
		{"panics", nasty{"oh no"}, false, Cause{Text: "cause.nasty, whose Error panicked: oh no"}},
		{"panics with a secret", nasty{"password=hunter2"}, false, Cause{Text: "cause.nasty, whose Error panicked: password=[redacted]"}},
		{"panics with what panics", nasty{nasty{"oh no"}}, false, Cause{Text: "cause.nasty, whose Error panicked: !PANIC: oh no"}},
		{"panics with itself", echo{}, false, Cause{Text: "cause.echo, whose Error panicked: !PANIC"}},
		{"wraps itself", &loop{1}, false, Cause{Text: "loop"}},
		{"wraps itself many times, when the time was over", errors.Join(io.EOF, &loop{3}), true, Cause{Text: "EOF\nloop", Unknown: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Of(c.err, c.ended)
			if c.err != nil && !strings.Contains(c.name, "another") && !strings.Contains(c.name, "wraps itself") {
				c.want.Err = c.err
				assert.IsType(t, c.err, got.Err)
			}
			got.Err, c.want.Err = nil, nil
			if c.name == "nil of a type, in another" {
				got.Text, c.want.Text = "", "" // the standard library's
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestOfAsksOnce(t *testing.T) {
	f := &full{asked: make(map[string]int)}
	Of(f, true)
	for _, what := range []string{"Error", "RetryAfter", "Mend", "Gone", "Unknown", "Refused", "Unreachable", "Workspace"} {
		assert.Equal(t, 1, f.asked[what], what)
	}
}

func TestALongTextIsCut(t *testing.T) {
	c := Of(errors.New(strings.Repeat("x", 100_000)), false)
	assert.Less(t, len(c.Text), maxText+50)
	assert.Contains(t, c.Text, "bytes)")
}

func TestACauseIsAnError(t *testing.T) {
	err := fmt.Errorf("flush: %w", Of(io.ErrUnexpectedEOF, false))
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.EqualError(t, err, "flush: unexpected EOF")
	assert.EqualError(t, Of(&full{mend: "invite it"}, false), "full: invite it", "with what to do")
}

func TestResult(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		kind pace.Kind
		why  string
	}{
		{"none", nil, pace.Accepted, ""},
		{"plain", errors.New("down"), pace.Failed, "it could not be delivered"},
		{"asks to wait", &full{after: time.Second}, pace.Failed, "Slack asked to wait"},
		{"a person must do something", &full{mend: "invite it"}, pace.Failed, "Slack would not take it"},
		{"gone", &full{gone: true}, pace.Gone, "it could not be delivered"},
		{"refused", &full{refused: true, mend: "x"}, pace.Refused, "Slack refused it"},
		{"unknown", &full{unknown: true}, pace.Unknown, "Slack did not answer"},
		{"unreachable", &full{unreachable: true}, pace.Unreachable, "Slack was unreachable"},
	} {
		got := Of(c.err, false)
		r := got.Result("Slack")
		assert.Equal(t, c.kind, r.Kind, c.name)
		assert.Equal(t, c.why, r.Why, c.name)
	}
	c := Of(&full{after: time.Minute, mend: "x", shared: true}, false)
	r := c.Result("Slack")
	assert.Equal(t, time.Minute, r.Wait)
	assert.True(t, r.Mend)
	assert.True(t, r.Everywhere)
}
