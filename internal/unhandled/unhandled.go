// This file logs what isn't a panic.

package unhandled

import (
	"context"
	"log/slog"
	"time"

	"example.com/slackalert/internal/capture"
)

// Code is that of what nobody gave another.
const Code = "unhandled"

// codeKey is the usual key of a code. The value's type says that it is one,
// whatever key the handler looks for.
const codeKey = "error_code"

// Handler is the logger's, or that of slog.Default.
func Handler(logger *slog.Logger) slog.Handler {
	if logger == nil {
		logger = slog.Default()
	}
	return logger.Handler()
}

// Log logs a failure at ERROR. pc is its source; 0 = unknown.
func Log(ctx context.Context, h slog.Handler, code, msg string, pc uintptr, attrs ...slog.Attr) {
	if !h.Enabled(ctx, slog.LevelError) {
		return
	}
	r := slog.NewRecord(time.Now(), slog.LevelError, msg, pc)
	r.AddAttrs(slog.Any(codeKey, capture.Code(code)))
	r.AddAttrs(attrs...)
	_ = h.Handle(ctx, r) // as a log call, it has nobody to tell
}
