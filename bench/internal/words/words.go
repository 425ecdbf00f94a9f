// Package words makes texts that differ by letters, so that no grouping that
// takes digits and hex ids as one sign folds them.
package words

// alphabet has no digit of a hexadecimal number in it.
const alphabet = "ghijklmnopqrstuvwxyz"

// Letters writes i in six letters; texts of different i below 64 million differ.
func Letters(i int) string {
	var b [6]byte
	for at := range b {
		b[at] = alphabet[i%len(alphabet)]
		i /= len(alphabet)
	}
	return string(b[:])
}
