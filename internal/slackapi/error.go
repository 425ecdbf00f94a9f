// This file says what became of a message that did not arrive as it should.

package slackapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode"
)

const (
	verbCheck = "check"
	verbFind  = "look in"
)

// call is one thing asked of Slack.
type call struct {
	verb    string // "post to", "edit in", verbCheck, verbFind
	channel string
	ts      string // of the message to edit
	hook    bool   // asked of a webhook
}

// where names the destination in texts.
func (w call) where() string {
	switch {
	case w.hook:
		return "the webhook"
	case w.verb == verbCheck:
		return "the token"
	case w.channel == "":
		return "the channel"
	case strings.HasPrefix(w.channel, "#"), strings.HasPrefix(w.channel, "@"), isID(w.channel):
		return w.channel
	}
	return "#" + w.channel
}

// isID tells an ID ("C0123") from a name, which is never in capitals.
func isID(channel string) bool {
	return strings.Trim(channel, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// Error is what every failing call returns, as a pointer. It keeps the text of
// what went wrong, cleaned of secrets, and never the error that text came from.
type Error struct {
	what    call
	status  int    // HTTP status; 0: none came
	code    string // Slack's own word
	reason  string // what else is known
	before  string // the refusal of the layout, when its plain text failed too
	after   time.Duration
	mend    string
	gone    bool
	refused bool // the message is at fault
	unsent  bool // surely
	unknown bool
	quota   bool
	causes  []error
}

// Error starts with "slack: ", says what was tried and where, and gives Slack's
// code or the HTTP status.
func (e *Error) Error() string {
	s := "slack: " + e.what.verb + " " + e.what.where() + ": " + e.answer()
	if e.before != "" {
		s += " (plain text, after " + e.before + ")"
	}
	return s
}

// answer is the part of the text that tells what came back.
func (e *Error) answer() string {
	var parts []string
	if e.status != 0 && (e.status != http.StatusOK || e.code == "") {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("HTTP %d %s", e.status, http.StatusText(e.status))))
	}
	if e.code != "" {
		parts = append(parts, e.code)
	}
	if e.reason != "" {
		parts = append(parts, e.reason)
	}
	if e.after != 0 {
		parts = append(parts, fmt.Sprintf("retry after %v", e.after))
	}
	return strings.Join(parts, ", ")
}

// RetryAfter is how long Slack asked to be left alone, in whole seconds and at
// least one, or 1 min when a quota is used up that doesn't come back by the
// second; 0: it did not say. Who waits says how long is too long.
//
// It is the method's that was called, in that workspace: Slack counts "per API
// method per workspace per app", so a limit on edits holds back edits in every
// channel of the token, and no post. [Error.Workspace] is the exception.
func (e *Error) RetryAfter() time.Duration { return e.after }

// Workspace says that what is used up is the workspace's share of messages:
// nothing that posts or edits will pass, in any channel, before RetryAfter.
func (e *Error) Workspace() bool { return e.quota }

// Mend is what a person must do before another attempt can succeed, as one
// imperative sentence; "": time may do.
func (e *Error) Mend() string { return e.mend }

// Gone says that the message can't be edited, now or later: post anew.
func (e *Error) Gone() bool { return e.gone }

// Unknown says that the message may stand in the channel: the request went out,
// and no answer came, or none that says, or Slack broke on the way.
func (e *Error) Unknown() bool { return e.unknown }

// Refused says that the message was refused for what it holds, as plain text
// too: it will be again, and another may pass.
func (e *Error) Refused() bool { return e.refused }

// Unreachable says that the request surely never went out: there was no
// connection, or no address, or the context had ended before.
func (e *Error) Unreachable() bool { return e.unsent }

// Unwrap gives those of the well-known errors that were the cause, so that
// errors.Is finds them. The error that came is not given: it may hold secrets.
func (e *Error) Unwrap() []error { return e.causes }

// known are the causes worth asking for; none of them has a text of its own
// making.
var known = []error{
	context.DeadlineExceeded, context.Canceled, os.ErrDeadlineExceeded,
	io.EOF, io.ErrUnexpectedEOF, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed,
}

// causesOf are the known errors behind err. ended is the context's error:
// net/http gives the context's cause instead, where there is one.
func causesOf(err, ended error) []error {
	var causes []error
	for _, k := range known {
		if errors.Is(err, k) || ended == k {
			causes = append(causes, k)
		}
	}
	return causes
}

// failed is the error of a call of which no more is known.
func (c *Client) failed(what call, reason string, causes ...error) *Error {
	what.channel = c.secrets.excerpt(what.channel, 100)
	return &Error{what: what, reason: reason, causes: causes}
}

// reasonOf is the text of err without the address that url.Error puts there.
func (x secrets) reasonOf(err error) string {
	for {
		u, ok := errors.AsType[*url.Error](err)
		if !ok {
			return x.excerpt(err.Error(), 300)
		}
		err = u.Err
	}
}

// excerpt makes foreign text fit for an error: one line, no secret, at most
// limit bytes. Cleaning comes first: half a secret would not be found.
func (x secrets) excerpt(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, valid(s))
	return cut(strings.TrimSpace(x.clean(s)), limit)
}
