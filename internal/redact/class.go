// This file sorts bytes into the classes the scanners step over.

package redact

// A class is a set of bytes.
type class uint16

const (
	word    class = 1 << iota // letters, digits and what is not ASCII: never between the letters of a key
	keyPart                   // of a bare key
	alnum                     // ASCII letters and digits
	digit                     // 0 to 9
	upnum                     // upper-case letters and digits: AWS
	base64c                   // either alphabet of base64, padding too
	tokenc                    // letters, digits, - and _
	slackc                    // of a Slack token or the path of a webhook
	jwtc                      // tokenc and the dots between
	hashc                     // of a password's hash as crypt writes it
	space                     // ASCII white space
	closer                    // may end a bare value
	quote                     // ", ' and `
	slash                     // the backslash
	hexc                      // lower-case hexadecimal digits
	lowerc                    // a to z
)

const digits = "0123456789"

var classes = func() (t [256]class) {
	set := func(c class, members string) {
		for i := range len(members) {
			t[members[i]] |= c
		}
	}
	const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const letters = upper + "abcdefghijklmnopqrstuvwxyz"
	set(word|keyPart|alnum|base64c|tokenc|slackc|jwtc|hashc, digits+letters)
	set(digit, digits)
	set(hexc, digits+"abcdef")
	set(lowerc, letters[len(upper):])
	set(upnum, digits+upper)
	set(keyPart, "_.-$")
	set(base64c, "+/=-_")
	set(tokenc, "-_")
	set(slackc, "-_.%+/=")
	set(jwtc, "-_.~")
	set(hashc, "$./=,+-")
	set(space, " \t\n\v\f\r")
	set(closer, ",;&)]}")
	set(quote, "\"'`")
	set(slash, `\`)
	for c := 0x80; c <= 0xff; c++ {
		t[c] |= word
	}
	return t
}()

func is(c byte, set class) bool { return classes[c]&set != 0 }

// run returns where the bytes of set that begin at i end.
func run(s string, i int, set class) int {
	for i < len(s) && is(s[i], set) {
		i++
	}
	return i
}

// blanks returns where the spaces and tabs that begin at i end.
func blanks(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}
