// This file says what became of a message that did not arrive as it should.

package slackapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// call is one thing asked of Slack.
type call struct {
	verb    string // "post to", "edit in", "check"
	channel string
	ts      string // of the message to edit
	hook    bool   // asked of a webhook
}

// where names the destination in texts.
func (w call) where() string {
	switch {
	case w.hook:
		return "the webhook"
	case w.verb == "check":
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

func (w call) clean(x secrets) call {
	w.channel = excerpt(x, w.channel, 100)
	w.ts = excerpt(x, w.ts, 40)
	return w
}

func (w call) maxText() int {
	if w.ts != "" {
		return maxEdited
	}
	return maxPosted
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
	fate    fate
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

// Workspace says that what is used up is the workspace's share of messages, not
// the method's rate: nothing that posts or edits will pass, in any channel,
// before RetryAfter.
func (e *Error) Workspace() bool { return e.quota }

// Mend is what a person must do before another attempt can succeed, as one
// imperative sentence; "": time may do.
func (e *Error) Mend() string { return e.mend }

// Gone says that the message can't be edited, now or later: post anew.
func (e *Error) Gone() bool { return e.gone }

// Unknown says that the request went out and the answer doesn't tell what
// became of it: none came in time, the connection was cut, the answer can't be
// read, or Slack or what stands before it broke on the way (5xx,
// internal_error). The message may stand in the channel.
func (e *Error) Unknown() bool { return e.unknown }

// Refused says that the message was refused for what it holds, as plain text
// too: it will be again, and another may pass.
func (e *Error) Refused() bool { return e.refused }

// Unreachable says that the request surely never went out: the host wasn't
// found, refused the connection, didn't answer in time or couldn't be trusted,
// the address is none, or the context had ended before. Nothing is known of
// the message, and nothing arrived.
func (e *Error) Unreachable() bool { return e.fate == never }

// Unwrap gives those of the well-known errors that were the cause, so that
// errors.Is finds them. The error that came is not given: it may hold secrets.
func (e *Error) Unwrap() []error { return e.causes }

// known are the causes worth asking for; none of them has a text of its own
// making.
var known = []error{
	context.DeadlineExceeded, context.Canceled, os.ErrDeadlineExceeded,
	io.EOF, io.ErrUnexpectedEOF, syscall.ECONNREFUSED, syscall.ECONNRESET,
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

// reasonOf is the text of err without the address that url.Error puts there.
func reasonOf(x secrets, err error) string {
	for {
		u, ok := errors.AsType[*url.Error](err)
		if !ok {
			return excerpt(x, err.Error(), 300)
		}
		err = u.Err
	}
}

// excerpt makes foreign text fit for an error: one line, no secret, at most
// limit bytes. Cleaning comes first: half a secret would not be found.
func excerpt(x secrets, s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, valid(s))
	return cut(strings.TrimSpace(x.clean(s)), limit)
}
