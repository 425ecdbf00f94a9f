// This file says which keys name a secret.

package redact

// A kind is what a key promises of its value: it decides how far the value
// reaches and which words in its place are prose.
type kind uint8

const (
	none   kind = iota
	chosen      // by a person or out of a file: any word may be it
	minted      // by a machine: a plain English word is not it
	cookie      // pairs to the end of the line
	header      // a scheme, then the credentials
)

// Key reports whether key names a secret: password, secret, token,
// authorization, cookie, api key, private key, credential and their kin, in
// any spelling and anywhere in the key (apiKey, X-API-Key, "db.password").
// Keys that only speak of a secret are not meant: token_count, max_tokens,
// tokenizer, secretary, passwordless. The empty key names nothing.
func Key(key string) bool { return kindOf(key) != none }

// A root is a run of letters that makes a key secret, unless one of spare
// follows it.
type root struct {
	name  string
	kind  kind
	spare []string
}

// roots by their first letter. The letters are compared without regard to
// case and to what stands between them, so one row serves every spelling.
var roots = [26][]root{
	'a' - 'a': {
		{"apikey", chosen, nil},
		{"accesskey", chosen, nil},
		{"accountkey", chosen, nil},
		{"authorization", header, []string{"url", "uri", "endpoint", "server"}},
		{"authheader", header, nil},
		{"authkey", chosen, nil},
	},
	'b' - 'a': {
		{"bearer", minted, nil},
		{"basicauth", chosen, nil},
	},
	'c' - 'a': {
		{"cookie", cookie, []string{"consent", "name", "domain", "policy", "banner"}},
		{"credential", minted, nil},
	},
	'e' - 'a': {{"encryptionkey", chosen, nil}},
	'm' - 'a': {{"masterkey", chosen, nil}},
	'p' - 'a': {
		{"passw", chosen, []string{"ordless", "ordpolicy", "ordlength", "ordexpir", "ordchanged"}},
		{"passphrase", chosen, nil},
		{"passcode", chosen, nil},
		{"pwd", chosen, nil},
		{"privatekey", chosen, nil},
		{"privkey", chosen, nil},
	},
	's' - 'a': {
		{"secret", chosen, []string{"ary", "ariat", "smanager", "manager", "name", "arn", "ref", "keyref"}},
		{"sessionid", minted, nil},
		{"sessionkey", minted, nil},
		{"sessid", minted, nil},
		{"signature", minted, []string{"algorithm", "method", "version", "valid"}},
		{"signingkey", chosen, nil},
		{"sharedkey", chosen, nil},
		{"subscriptionkey", chosen, nil},
	},
	't' - 'a': {{"token", minted, []string{
		"iz", "ise", "issue", "isvalid", "count", "used", "usage", "limit", "length", "type", "kind", "name", "uri",
		"url", "endpoint", "expir", "ttl", "budget", "bucket", "remaining", "size", "persec", "permin", "valid",
	}}},
}

// counters stand before "tokens" where they are counted, not shown.
var counters = []string{
	"max", "min", "num", "of", "prompt", "completion", "input", "output", "total", "used", "cached", "reasoning",
}

func kindOf(key string) kind {
	first := byte(0xff)
	for i := range len(key) {
		second := (key[i] | 0x20) - 'a'
		if first < 26 && second < 26 && openings[first]>>second&1 != 0 {
			if k := kindAt(key, i-1); k != none {
				return k
			}
		}
		first = second
	}
	switch {
	case first == 's'-'a' && endsInWord(key, "pass"):
		return chosen
	case first == 'g'-'a' && endsInWord(key, "sig"):
		return minted
	}
	return none
}

// openings has, by the first letter of a root, a bit for each second letter:
// few words of other keys get past it.
var openings = func() (t [26]uint32) {
	for first, rows := range roots {
		for _, row := range rows {
			t[first] |= 1 << (row.name[1] - 'a')
		}
	}
	return t
}()

// kindAt returns the kind of the root that begins at i.
func kindAt(key string, i int) kind {
	rows := roots[(key[i]|0x20)-'a']
	for r := range rows {
		row := &rows[r]
		if end := match(key, i, row.name); end > 0 && !spared(key, i, end, row) {
			return row.kind
		}
	}
	return none
}

// match returns where name ends in key, read from i on without regard to case
// and separators, or -1.
func match(key string, i int, name string) int {
	for n := 0; n < len(name); i++ {
		switch {
		case i == len(key):
			return -1
		case key[i]|0x20 == name[n]:
			n++
		case is(key[i], word):
			return -1
		}
	}
	return i
}

// spared reports whether the root at key[i:end] is only spoken of.
func spared(key string, i, end int, row *root) bool {
	if follows(key, end, row.spare) {
		return true
	}
	if end == len(key) || key[end]|0x20 != 's' {
		return false
	}
	return follows(key, end+1, row.spare) || row.name == "token" && counted(key[:i])
}

func follows(key string, i int, names []string) bool {
	for _, name := range names {
		if match(key, i, name) > 0 {
			return true
		}
	}
	return false
}

// counted reports whether one of the counters ends before.
func counted(before string) bool {
	n := len(before)
	for n > 0 && !is(before[n-1], word) {
		n--
	}
	for _, name := range counters {
		if hasSuffixFold(before[:n], name) {
			return true
		}
	}
	return false
}

// endsInWord reports whether name is the last word of key: these are too
// short to be looked for anywhere (bypass, config).
func endsInWord(key, name string) bool {
	if !hasSuffixFold(key, name) {
		return false
	}
	i := len(key) - len(name)
	return i == 0 || !is(key[i-1], word) || isUpper(key[i]) && !isUpper(key[i-1])
}

// hasSuffixFold is strings.HasSuffix for a suffix of lower-case letters,
// without regard to the case of s.
func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && equalFold(s[len(s)-len(suffix):], suffix)
}

// equalFold reports whether s is lower, a string of lower-case letters,
// without regard to the case of s.
func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		if s[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
