// This file proves that every handler delivers: a benchmark of one that sends
// nothing is worth nothing.

package bench

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/bench/internal/handlers"
	"example.com/slackalert/bench/internal/loopback"
)

func TestOneAlertArrives(t *testing.T) {
	for _, name := range handlers.Names()[2:] { // the floors deliver nothing
		t.Run(name, func(t *testing.T) {
			before, err := server.Counts()
			require.NoError(t, err)
			h := open(t, column{name: name, base: handlers.JSON}, loopback.Fast)
			l := slog.New(h)
			l.Info("no alert")
			alert(l, "payment failed")
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			require.NoError(t, h.Close(ctx))

			var now loopback.Counts
			arrived := func() bool { // one that can't flush delivers in its own time
				now, err = server.Counts()
				return err == nil && now.Alerts > before.Alerts
			}
			require.Eventually(t, arrived, 20*time.Second, time.Millisecond)
			assert.Equal(t, before.Alerts+1, now.Alerts, "the Info record is no alert")
			assert.Equal(t, before.Bad, now.Bad, "requests that the server could not read")
			if said := h.Delivered(); said != nil {
				assert.EqualValues(t, 1, *said)
			}
			if said := h.Lost(); said != nil {
				assert.EqualValues(t, 0, *said)
			}
		})
	}
}

func TestUnknownHandler(t *testing.T) {
	_, err := handlers.New("slak", handlers.JSON(), loopback.Refusing)
	assert.EqualError(t, err, `handlers: "slak": no such handler, have discard, base, wrapped, multi, fanout, router, sentry, otel`)
}
