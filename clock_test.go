// This file sets the clock while alerts come: an hour forth, an hour back.

package slackalert

import (
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A process's own time goes on when its clock is set; what jumps is the time in
// the records.
func TestAClockThatIsSet(t *testing.T) {
	for _, c := range []struct {
		name  string
		jump  time.Duration
		quiet []string // by the latest record, but not by one of the future
	}{
		{"not set", 0, []string{"edit 5m32s [30/30 new, quiet]", "edit 5m32s [33/33 old, quiet]"}},
		{"forth and back", time.Hour, []string{"edit 5m34.005s [30/30 new, quiet]", "edit 5m41.005s [33/33 old, quiet]"}},
		{"back and forth", -time.Hour, []string{"edit 5m32s [30/30 new, quiet]", "edit 5m32s [33/33 old, quiet]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := editDesk{newDesk()}
				h, _, base := newTest(t, d, odd)
				var ahead time.Duration
				log := func(what string) {
					require.NoError(t, h.Handle(t.Context(), slog.NewRecord(time.Now().Add(ahead), slog.LevelError, what, 0)))
				}
				every(time.Second, 3, func() { log("old") })
				ahead = c.jump
				every(time.Second, 20, func() { log("old"); log("new") })
				ahead = 0 // and set right again
				every(time.Second, 10, func() { log("old"); log("new") })
				pass(time.Hour)
				log("old")
				pass(time.Minute)
				assert.Equal(t, slices.Concat([]string{
					"post 1.005s [2/2 old]", "post 4.005s [2/2 new]",
					"edit 11.005s [12/12 old]", "edit 14.005s [12/12 new]", "edit 21.005s [22/22 old]", "edit 24.005s [22/22 new]",
					"edit 31.005s [32/32 old]", "edit 34.005s [30/30 new]", "edit 41.005s [33/33 old]",
				}, c.quiet, []string{"post 1h0m34.005s [1/34 old, back after 60 min]"}), d.lines())
				assert.Empty(t, base.own())
				require.NoError(t, h.Close())
				s := h.Stats()
				assert.EqualValues(t, 64, s.Alerts)
				assert.EqualValues(t, 64, s.Delivered)
			})
		})
	}
}
