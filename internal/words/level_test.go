package words

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSign(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelDebug - 4: "🟣", slog.LevelDebug: "🟣", slog.LevelInfo - 1: "🟣", slog.LevelInfo: "🔵", slog.LevelWarn - 1: "🔵",
		slog.LevelWarn: "🟠", slog.LevelError: "🔴", slog.LevelError + 3: "🔴", slog.LevelError + 4: "🚨", 1000: "🚨",
	} {
		assert.Equal(t, want, Sign(level), level)
	}
}

func TestWord(t *testing.T) {
	for _, c := range []struct {
		level          slog.Level
		message, stack string
		want           string
	}{
		{slog.LevelError, "panic: boom", "", ""},
		{slog.LevelError + 4, "panic: boom", "", "PANIC"},
		{slog.LevelError + 4, "panic in Respond: boom", "", "PANIC"},
		{slog.LevelError + 4, "Panic recovered", "", "PANIC"},
		{slog.LevelError + 4, "panic", "", "PANIC"},
		{slog.LevelError + 4, "panicking clients", "", "FATAL"},
		{slog.LevelError + 4, "out of disk", "", "FATAL"},
		{slog.LevelError + 4, "recovered", "goroutine 7 [running]:\npanic({0x1, 0x2})\n\t/go/src/runtime/panic.go:1", "PANIC"},
		{slog.LevelError + 8, "recovered", "panic(0x1)", "PANIC"},
		{slog.LevelError + 8, "", "main.panic()\n\tmain.go:1", "FATAL"},
	} {
		assert.Equal(t, c.want, Word(c.level, c.message, c.stack), c.message)
	}
}
