// This file says which keys name a secret.

package redact

// A kind is what a key promises of its value: it decides how far the value
// reaches and which words in its place are prose.
type kind uint8

const (
	none   kind = iota
	phrase      // by a person: any words may be it
	chosen      // out of a file: any word may be it
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

// roots by the lower bits of their first letter. The letters are compared without regard to
// case and to what stands between them, so one row serves every spelling.
var roots = [32][]root{
	'a' & 31: {
		{"apikey", chosen, nil},
		{"appkey", chosen, nil},
		{"applicationkey", chosen, nil},
		{"accesskey", chosen, nil},
		{"accountkey", chosen, nil},
		{"authorization", header, []string{"url", "uri", "endpoint", "server"}},
		{"authheader", header, nil},
		{"authkey", chosen, nil},
	},
	'b' & 31: {
		{"bearer", minted, nil},
		{"basicauth", chosen, nil},
	},
	'c' & 31: {
		{"cookie", cookie, []string{"consent", "name", "domain", "policy", "banner"}},
		{"credential", minted, nil},
		{"creds", minted, nil},
	},
	'e' & 31: {{"encryptionkey", chosen, nil}},
	'f' & 31: {{"functionskey", chosen, nil}},
	'i' & 31: {{"identifiedby", phrase, nil}}, // SQL
	'k' & 31: {{"keydata", chosen, nil}},      // client-key-data of a kubeconfig
	'l' & 31: {{"licensekey", chosen, nil}},
	'm' & 31: {{"masterkey", chosen, nil}},
	'p' & 31: {
		{"password", phrase, []string{"less", "policy", "length", "expir", "changed"}},
		{"passw", phrase, []string{"ord"}},
		{"passphrase", phrase, nil},
		{"passcode", phrase, nil},
		{"pwd", phrase, nil},
		{"privatekey", chosen, nil},
		{"privkey", chosen, nil},
	},
	's' & 31: {
		{"secret", chosen, []string{"ary", "ariat", "smanager", "manager", "name", "arn", "ref", "keyref"}},
		{"samlresponse", minted, nil},
		{"seedphrase", phrase, nil},
		{"sessionid", minted, nil},
		{"sessionkey", minted, nil},
		{"sessid", minted, nil},
		{"signature", minted, []string{"algorithm", "method", "version", "valid"}},
		{"signingkey", chosen, nil},
		{"sharedkey", chosen, nil},
		{"subscriptionkey", chosen, nil},
	},
	't' & 31: {{"token", minted, []string{
		"iz", "ise", "issue", "isvalid", "count", "used", "usage", "limit", "length", "type", "kind", "name", "uri",
		"url", "endpoint", "expir", "ttl", "budget", "bucket", "remaining", "size", "persec", "permin", "valid",
	}}},
}

// counters stand before "tokens" where they are counted, not shown.
var counters = []string{
	"max", "min", "num", "of", "prompt", "completion", "input", "output", "total", "used", "cached", "reasoning",
}

func kindOf(key string) kind {
	for i, code := 0, uint32(0); i < len(key); i++ {
		code = code<<5 | uint32(key[i]&31)
		if keyCodes.has(code) && i >= 2 {
			if k := kindAt(key, i-2); k != none {
				return k
			}
		}
	}
	if n := len(key); n > 1 && endings[key[n-1]&31] {
		return kindAtEnd(key)
	}
	return none
}

// named reports whether a root begins at key[i], also one of those that only
// kindAtEnd knows, and where the reading of it ended.
func named(key string, i int) (end int, ok bool) {
	for _, row := range roots[key[i]&31] {
		at, ok := match(key, i, row.name)
		if ok {
			return at, true
		}
		end = max(end, at)
	}
	for _, name := range []string{"pass", "sig", "pw"} {
		at, ok := match(key, i, name)
		if ok {
			return at, true
		}
		end = max(end, at)
	}
	return end, false
}

// kindAt returns the kind of the root that begins at i.
func kindAt(key string, i int) kind {
	rows := roots[key[i]&31]
	for r := range rows {
		row := &rows[r]
		if row.name[2] != key[i+2]|0x20 {
			continue
		}
		if end, ok := match(key, i, row.name); ok && !spared(key, i, end, row) {
			return row.kind
		}
	}
	return none
}

// endings has five bits of the last letters of the names in kindAtEnd.
var endings = [32]bool{'s' & 31: true, 'g' & 31: true, 'w' & 31: true}

// kindAtEnd knows the names that are too short to be looked for anywhere
// (bypass, config, pwned): only as the last word of a key they are secret.
func kindAtEnd(key string) kind {
	switch {
	case endsInWord(key, "pass"), endsInWord(key, "pw"):
		return phrase
	case endsInWord(key, "sig"):
		return minted
	}
	return none
}

// match reports whether name begins at key[i], read without regard to case and
// to separators behind its first letter, and where the reading ended. Another of
// its kind ends it, so that many in a row are read once.
func match(key string, i int, name string) (end int, ok bool) {
	if key[i]|0x20 != name[0] {
		return i, false
	}
	for n := 1; n < len(name); n++ {
		for i++; i < len(key) && key[i]|0x20 != name[n]; i++ {
			if is(key[i], word) {
				return i, false
			}
		}
		if i == len(key) {
			return i, false
		}
	}
	return i + 1, true
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

// follows reports whether one of names is next in key, from i on.
func follows(key string, i int, names []string) bool {
	for i < len(key) && !is(key[i], word) {
		i++
	}
	if i == len(key) {
		return false
	}
	for _, name := range names {
		if _, ok := match(key, i, name); ok {
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

// endsInWord reports whether name is the last word of key.
func endsInWord(key, name string) bool {
	if !hasSuffixFold(key, name) {
		return false
	}
	i := len(key) - len(name)
	return i == 0 || !is(key[i-1], word) || isUpper(key[i]) && !isUpper(key[i-1])
}

// hasSuffixFold is strings.HasSuffix for a suffix without upper-case letters,
// without regard to the case of s.
func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && equalFold(s[len(s)-len(suffix):], suffix)
}

// equalFold reports whether s is lower, a string without upper-case letters,
// without regard to the case of s.
func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if isUpper(c) {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
