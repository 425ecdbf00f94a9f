// This file checks that no two words are equal and none looks like a number.

package words

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLetters(t *testing.T) {
	seen := make(map[string]bool)
	plain := regexp.MustCompile(`^[g-z]{6}$`)
	for i := range 100_000 {
		w := Letters(i)
		assert.Regexp(t, plain, w)
		assert.False(t, seen[w], "%s comes again at %d", w, i)
		seen[w] = true
	}
}
