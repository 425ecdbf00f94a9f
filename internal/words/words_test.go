package words

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 4312: "4,312", 1234567: "1,234,567", -1: "-1", -999: "-999", -1000: "-1,000"} {
		assert.Equal(t, want, Thousands(n))
	}
}

func TestPlural(t *testing.T) {
	assert.Equal(t, "1 field", Plural(1, "field"))
	assert.Equal(t, "0 fields", Plural(0, "field"))
	assert.Equal(t, "4,312 fields", Plural(4312, "field"))
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1 s", 400 * time.Millisecond: "1 s", 10 * time.Second: "10 s", 89 * time.Second: "89 s", 90 * time.Second: "2 min",
		5 * time.Minute: "5 min", 89 * time.Minute: "89 min", 3 * time.Hour: "3 h", 35 * time.Hour: "35 h", 49 * time.Hour: "2 d", 1<<63 - 1: "106,751 d",
	} {
		assert.Equal(t, want, Duration(d), d)
	}
}

func TestClock(t *testing.T) {
	noon := time.Date(2026, 11, 22, 13, 3, 0, 0, time.FixedZone("", 3600))
	assert.Equal(t, "12:03 UTC", Clock(noon, noon.Add(time.Hour)))
	assert.Equal(t, "Nov 22 12:03 UTC", Clock(noon, noon.Add(24*time.Hour)), "the day isn't clear")
	assert.Equal(t, "Nov 22 12:03 UTC", Clock(noon, time.Time{}))
	assert.Equal(t, "2026-11-22 12:03:00 UTC", UTC(noon))
}

func TestJoin(t *testing.T) {
	assert.Equal(t, "a, b", Join(", ", "", "a", " ", "b", "\n"))
	assert.Empty(t, Join(", "))
	assert.Equal(t, "a", FirstLine("a\nb\nc"))
	assert.Equal(t, "a", FirstLine("a"))
}

func TestAmong(t *testing.T) {
	five := []string{"a", "b", "c", "d", "e"}
	assert.Equal(t, "20 hosts: a, b, c, …", Among(20, "host", five))
	assert.Equal(t, "3 hosts: a, b, c", Among(3, "host", five[:3]))
	assert.Equal(t, "2 hosts: a, …", Among(2, "host", five[:1]))
	assert.Equal(t, "1,000 hosts", Among(1000, "host", nil))
}
