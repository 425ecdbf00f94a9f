// This file makes text fit to be sent: valid, and within Slack's limits.

package slackapi

import (
	"strings"
	"unicode/utf8"
)

const (
	maxPosted = 40_000 // bytes; Slack cuts a posted text there and doesn't say so
	maxEdited = 4_000  // bytes; Slack refuses an edit with more
)

// valid replaces what isn't UTF-8: in a form it would go out as it is.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// cut shortens s to at most limit bytes, between runes, and not within an
// entity or a <…> sequence, whose rest would be shown as it is.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	s = s[:end]
	if i := strings.LastIndexByte(s, '<'); i > strings.LastIndexByte(s, '>') && len(s)-i < 256 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '&'); i >= 0 && len(s)-i < len("&amp;") && !strings.Contains(s[i:], ";") {
		s = s[:i]
	}
	return s + "…"
}
