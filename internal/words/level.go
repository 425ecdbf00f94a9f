// This file tells how bad something is.

package words

import (
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fatal is where what is worse than an error begins.
const fatal = slog.LevelError + 4

// Sign is a sign that differs by range of levels; what is worse than an error
// differs in shape, too.
func Sign(l slog.Level) string {
	switch {
	case l >= fatal:
		return "🚨"
	case l >= slog.LevelError:
		return "🔴"
	case l >= slog.LevelWarn:
		return "🟠"
	case l >= slog.LevelInfo:
		return "🔵"
	}
	return "🟣"
}

// Over is the sign of what is over.
const Over = "⚪"

// Word is what is worse than an error, "PANIC" or "FATAL", and "" of the others,
// which the sign tells. It is a panic if the message begins with that word, as
// those of this library do and of most that recover, or the stack with the call.
func Word(l slog.Level, message, stack string) string {
	switch {
	case l < fatal:
		return ""
	case begins(message, "panic"), strings.HasPrefix(stack, "panic("), strings.Contains(stack, "\npanic("):
		return "PANIC"
	}
	return "FATAL"
}

// begins reports whether s begins with a word, however that is written.
func begins(s, word string) bool {
	if len(s) < len(word) || !strings.EqualFold(s[:len(word)], word) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(s[len(word):])
	return !unicode.IsLetter(next) && !unicode.IsDigit(next)
}
