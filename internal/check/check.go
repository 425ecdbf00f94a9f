// Package check says what is wrong with a setting: its name, what came, what is
// wanted. An error shows no secret.
package check

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unicode"
)

// Token wants a bot token. Another server than Slack's may have tokens of its
// own form; what is none anywhere is refused there too.
func Token(token string, ofSlack bool) error {
	const want = "want a bot token, \"xoxb-…\", from \"OAuth & Permissions\" of the app"
	switch {
	case strings.ContainsAny(token, "\"'`“”‘’"):
		return errors.New("Token has quotes in it; " + want + ", without quotes")
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("Token has characters that no token has, such as spaces; " + want)
	case strings.HasPrefix(token, "xoxb-"), strings.HasPrefix(token, "xoxe.xoxb-"):
		return nil
	}
	for _, other := range []struct{ prefix, what string }{
		{"xapp-", "an app-level token"},
		{"xoxp-", "a user's token"},
		{"xoxe.xoxp-", "a user's token"},
		{"xoxe-", "a refresh token"},
		{"xoxa-", "a workspace token"},
		{"xoxr-", "a refresh token"},
		{"xoxc-", "a client's token"},
		{"xoxs-", "a client's token"},
		{"xoxd-", "a cookie"},
		{"https://", "a URL"},
		{"Bearer ", "a header"},
	} {
		if strings.HasPrefix(token, other.prefix) {
			return fmt.Errorf("Token begins with %q, which is %s; %s", other.prefix, other.what, want)
		}
	}
	if ofSlack {
		return errors.New("Token doesn't begin with \"xoxb-\"; " + want)
	}
	return nil
}

// Channel wants a channel's ID, or a public channel's name.
func Channel(field, channel string) error {
	const want = "want a channel's ID, such as \"C0123456789\", or a public channel's name"
	switch {
	case strings.Contains(channel, "://"), strings.Contains(channel, "slack.com/"):
		return fmt.Errorf("%s is %q, a URL; %s (the ID is its last part)", field, channel, want)
	case strings.ContainsFunc(channel, unicode.IsSpace):
		return fmt.Errorf("%s is %q, with blanks; %s", field, channel, want)
	case strings.ContainsAny(channel, "\"'`<>") || channel == "#":
		return fmt.Errorf("%s is %q; %s", field, channel, want)
	}
	return nil
}

// URL refuses what would send a secret in the clear. The value of a field that
// is a secret itself is not shown.
func URL(field, value string, show bool) error {
	if value == "" {
		return nil
	}
	shown := "what was given"
	u, err := url.Parse(value)
	if show && err == nil {
		shown = fmt.Sprintf("%q", u.Redacted())
	}
	switch {
	case strings.ContainsFunc(value, unicode.IsSpace), strings.ContainsAny(value, "\"'`<>“”‘’"):
		return fmt.Errorf("%s: %s has blanks or quotes in it; want https://…", field, shown)
	case err != nil || u.Hostname() == "":
		return fmt.Errorf("%s: %s is no URL; want https://…", field, shown)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%s: %s has the scheme %q; want https (http on loopback only)", field, shown, u.Scheme)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Template wants a link with placeholders.
func Template(field, value string) error {
	const want = "want https://… with {revision}, {file} and {line}"
	switch {
	case value == "":
		return nil
	case !strings.HasPrefix(value, "https://") && !strings.HasPrefix(value, "http://"):
		return fmt.Errorf("%s is %q; %s", field, value, want)
	case !strings.Contains(value, "{revision}") && !strings.Contains(value, "{file}") && !strings.Contains(value, "{line}"):
		return fmt.Errorf("%s is %q, which has no placeholder: all lines would have one link; %s", field, value, want)
	}
	return nil
}

// Duration wants 0 or a time that was meant: a number without a unit is
// nanoseconds.
func Duration(field string, d time.Duration) error {
	switch {
	case d < 0:
		return fmt.Errorf("%s is %v; want 0 (the default) or 1ms and more", field, d)
	case d > 0 && d < time.Millisecond:
		return fmt.Errorf("%s is %v; want 0 (the default) or 1ms and more: were seconds meant, it is %d * time.Second", field, d, d)
	}
	return nil
}

// NotNil refuses a value that is there, and is a nil pointer or its like: what
// asks it would fail at the first alert, not now.
func NotNil(field string, value any) error {
	if v := reflect.ValueOf(value); v.IsValid() && canBeNil(v) && v.IsNil() {
		return fmt.Errorf("%s is a nil %T; want one that was made, or leave %s out", field, value, field)
	}
	return nil
}

// Number wants 0 to most.
func Number(field string, n, most int) error {
	if n < 0 || n > most {
		return fmt.Errorf("%s is %d; want 0 (the default) to %d", field, n, most)
	}
	return nil
}
