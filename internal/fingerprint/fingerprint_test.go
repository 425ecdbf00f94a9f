package fingerprint

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func hash(s string) Hash { return New().Text(s) }

func TestTheSame(t *testing.T) {
	for _, c := range [][2]string{
		{"user 41 not found", "user 42 not found"},
		{"user 9 not found", "user 1000000 not found"},
		{"trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace 00f067aa0ba902b7aabbccddeeff0011"},
		{"id 550e8400-e29b-41d4-a716-446655440000 gone", "id 00000000-aaaa-bbbb-cccc-ddddeeeeffff gone"},
		{"at 0x7ffe12", "at 0xdeadbeef"},
		{"10.0.0.1:5432 refused", "192.168.1.20:80 refused"},
		{"took 1.5s", "took 12.25s"},
		{"pod shop-7d9f8b6c5d-x", "pod shop-5f6d7c8b9a-x"},
		{"ERR41", "ERR42"},
		{"naïve 1", "naïve 2"},
	} {
		assert.Equal(t, hash(c[0]), hash(c[1]), c)
	}
}

func TestNotTheSame(t *testing.T) {
	for _, c := range [][2]string{
		{"timeout", "refused"},
		{"user not found", "user 1 not found"},
		{"decade", "facade"}, // hexadecimal by chance
		{"e2e failed", "b2b failed"},
		{"a", "a "},
		{"", "1"},
		{"naïve", "naive"},
		{"1 of x", "x of 1"},
	} {
		assert.NotEqual(t, hash(c[0]), hash(c[1]), c)
	}
	assert.NotEqual(t, New().Text("a").Text("b"), New().Text("ab").Text(""))
	assert.NotEqual(t, New().String("1"), New().String("2"), "String takes it as it is")
	assert.NotEqual(t, New().Uint(1), New().Uint(2))
}

func TestOfALongTextStartAndEndCount(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	assert.NotEqual(t, hash("a"+long), hash("b"+long))
	assert.NotEqual(t, hash(long+"a"), hash(long+"b"))
	assert.Equal(t, hash(long+"a"+long), hash(long+"b"+long))
}

func TestEqualInEveryProcess(t *testing.T) {
	assert.Equal(t, Hash(0xd68f296ea1d53b42), hash("user 41 not found"))
}

func FuzzNumbersDoNotMatter(f *testing.F) {
	f.Add("user ", " not found", uint64(41), uint64(42))
	f.Fuzz(func(t *testing.T, before, after string, m, n uint64) {
		if len(before)+len(after) > Reach {
			return
		}
		// Between spaces, or the neighbours would be part of the word.
		text := func(n uint64) string { return before + " " + itoa(n) + " " + after }
		if hash(text(m)) != hash(text(n)) {
			t.Errorf("%q and %q are not the same", text(m), text(n))
		}
	})
}

func itoa(n uint64) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func BenchmarkText(b *testing.B) {
	s := "payment of order 8ac3f1 failed: dial tcp 10.0.0.1:5432: connection refused"
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		hash(s)
	}
}
