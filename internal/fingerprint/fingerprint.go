// Package fingerprint says which records are the same thing happening again:
// those with the same level, code, source function and line, message and error
// text, where numbers and ids in the two texts count as one sign.
package fingerprint

import (
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// Hash is equal in every process of one build.
type Hash uint64

// Odd numbers of 32 set bits: what is multiplied stays well mixed.
const (
	k0 = 0xa0761d6478bd642f
	k1 = 0xe7037ed1a0b428db
	k2 = 0x8ebc6af09c88c6e3
	k3 = 0x589965cc75374cc3
)

// sign stands for a number or an id.
const sign = 0x1A

// MaxText bounds a fingerprint as text, in bytes.
const MaxText = 256

// lenHex is the length of a hash as text.
const lenHex = 16

// New returns the hash of nothing.
func New() Hash { return k3 }

// mix folds the 128 bits of a product.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// Uint adds a number.
func (h Hash) Uint(n uint64) Hash { return Hash(mix(n^k0, uint64(h)^k1)) }

// String adds s as it is. What is added next can't be taken for a part of it.
func (h Hash) String(s string) Hash {
	n, x := len(s), uint64(h)
	for len(s) >= 16 {
		x = mix(load64(s)^k1, load64(s[8:])^x)
		s = s[16:]
	}
	var a, b uint64
	switch {
	case len(s) >= 8:
		a, b = load64(s), load64(s[len(s)-8:])
	case len(s) >= 4:
		a, b = load32(s), load32(s[len(s)-4:])
	case len(s) > 0:
		a = uint64(s[0])<<16 | uint64(s[len(s)>>1])<<8 | uint64(s[len(s)-1])
	}
	return Hash(mix(k1^uint64(n), mix(a^k1, b^x^k2)))
}

func load64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func load32(s string) uint64 {
	_ = s[3]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

// Hex is the hash as text, of the same length always.
func (h Hash) Hex() string {
	s := strconv.FormatUint(uint64(h), 16)
	return "0000000000000000"[len(s):] + s
}

// Own makes a fingerprint of a text of the user's: at most MaxText bytes of it,
// which tell all texts apart.
func Own(s string) string {
	if len(s) <= MaxText {
		return s
	}
	end := MaxText - lenHex - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…" + New().String(s).Hex()
}

// Parse returns what a fingerprint's text stands for: the hash whose Hex it is,
// or else that of the text.
func Parse(text string) Hash {
	if len(text) == lenHex {
		if n, err := strconv.ParseUint(text, 16, 64); err == nil && Hash(n).Hex() == text {
			return Hash(n)
		}
	}
	return New().String(text)
}

// In is the identity of what has the fingerprint h in a channel: a lane's
// groups, and the way to them without a lock, are found by it.
func (h Hash) In(channel string) uint64 {
	if channel == "" {
		return uint64(h)
	}
	return uint64(h.String(channel))
}
