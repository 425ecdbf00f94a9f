package slackapi

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestCut(t *testing.T) {
	for _, r := range []struct{ in, want string }{
		{"", ""},
		{"0123456789", "0123456789"},
		{"0123456789a", "0123456…"},
		{"한국어한국어", "한국…"},
		{"012345é789a", "012345…"},
		{"01234&amp;67", "01234…"},
		{"0&amp;1234567", "0&amp;1…"},
		{"012 &345678", "012 …"},
		{"0<!here>1234", "0…"},
		{"<a>01234567", "<a>0123…"},
	} {
		got := cut(r.in, 10)
		assert.Equal(t, r.want, got)
		assert.LessOrEqual(t, len(got), 10)
		assert.True(t, utf8.ValidString(got))
	}
	raw := "a < b " + strings.Repeat("x", 5000)
	assert.Greater(t, len(cut(raw, 4000)), 3990, "a lone sign far away is no reason to drop the rest")
}
