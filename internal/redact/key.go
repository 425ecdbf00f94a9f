// This file says which keys name a secret.

package redact

import (
	"slices"
	"strings"
)

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
		{"password", phrase, []string{"less", "policy", "length", "expir", "changed", "set"}},
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
		if codes.has(code) && i >= 2 {
			if k := kindAt(key, i-2); k != none {
				return k
			}
		}
	}
	switch {
	case len(key) < 2 || !strings.Contains("gGsSwW", key[len(key)-1:]):
		return none
	case endsInWord(key, "pass"), endsInWord(key, "pw"):
		return phrase
	case endsInWord(key, "sig"):
		return minted
	}
	return none
}

// lastWords are too short to be looked for anywhere (bypass, config, pwned).
var lastWords = []string{"pass", "sig", "pw"}

// named reports whether a root begins at key[i], also one of those that must be
// the last word, and where it ends, or else the reading of it.
func named(key string, i int) (end int, ok bool) {
	rows := roots[key[i]&31]
	for r := range rows {
		at, ok := match(key, i, rows[r].name)
		if ok {
			return at, true
		}
		end = max(end, at)
	}
	for _, name := range lastWords {
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
	return i < len(key) && slices.ContainsFunc(names, func(name string) bool {
		_, ok := match(key, i, name)
		return ok
	})
}

// counted reports whether one of the counters ends before.
func counted(before string) bool {
	n := len(before)
	for n > 0 && !is(before[n-1], word) {
		n--
	}
	return slices.ContainsFunc(counters, func(name string) bool { return hasSuffixFold(before[:n], name) })
}

// endsInWord reports whether name is the last word of key.
func endsInWord(key, name string) bool {
	i := len(key) - len(name)
	return hasSuffixFold(key, name) && (i == 0 || !is(key[i-1], word) || isUpper(key[i]) && !isUpper(key[i-1]))
}

// hasSuffixFold is strings.HasSuffix without regard to case.
func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
