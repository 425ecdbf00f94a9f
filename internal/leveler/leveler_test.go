package leveler

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLevel(t *testing.T) {
	var changes slog.LevelVar
	changes.Set(slog.LevelWarn)
	for _, c := range []struct {
		of         slog.Leveler
		want       slog.Level
		set, fixed bool
	}{
		{nil, slog.LevelError, false, true},
		{slog.LevelInfo, slog.LevelInfo, true, true},
		{&changes, slog.LevelWarn, true, false},
	} {
		l := Of(c.of, slog.LevelError)
		assert.Equal(t, c.want, l.Level())
		assert.Equal(t, c.set, l.IsSet())
		assert.Equal(t, c.fixed, l.IsFixed())
	}
	l := Of(&changes, slog.LevelError)
	changes.Set(slog.LevelDebug)
	assert.Equal(t, slog.LevelDebug, l.Level())
}
