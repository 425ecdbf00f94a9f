// This file tests what is told, and when, as tables of times.

package pace

import (
	"testing"
	"time"
)

func TestAStormWithAWebhook(t *testing.T) {
	d := newDesk(t, webhook).every(time.Second, 0, 20*time.Minute, "a").at(3*time.Second, "b", "C")
	d.run(3 * time.Hour)
	d.want(
		"1s post1 a 2/2",
		"4s post2 C 1/1 b 1/1",
		"5m1s post3 a 300/302",
		"15m1s post4 a 600/902",
		"35m1s post5 a 299/1201",
	)
}
