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
	bearer      // the same, after a blank
	cookie      // pairs to the end of the line
	header      // a scheme, then the credentials
)

// Key reports whether key names a secret: password, secret, token,
// authorization, cookie, api key, private key, credential and their kin, in
// any spelling and anywhere in the key (apiKey, X-API-Key, "db.password").
// Keys that only speak of a secret are not meant: token_count, max_tokens,
// tokenizer, secretary, passwordless. The empty key names nothing.
func Key(key string) bool { return kindOf(key) != none }

// A root is a run of letters that makes a key secret, unless one of spare follows
// it. Those with last are too short to be looked for anywhere (bypass, config,
// pwned): they must be a key's last word.
type root struct {
	name  string
	kind  kind
	last  bool
	spare []string
}

// roots by the lower bits of their first letter. The letters are compared without
// regard to case and to what stands between them, so one name serves every
// spelling.
var roots = func() (t [32][]root) {
	add := func(k kind, last bool, names, spare string) {
		for _, name := range strings.Fields(names) {
			t[name[0]&31] = append(t[name[0]&31], root{name, k, last, strings.Fields(spare)})
		}
	}
	add(phrase, false, "password", "less policy length expir changed set file path")
	add(phrase, false, "passw", "ord")
	add(phrase, false, "passphrase passcode pwd seedphrase identifiedby", "") // CREATE USER a IDENTIFIED BY 'b'
	add(phrase, true, "pass pw", "")
	add(chosen, false, "secret", "ary ariat smanager manager name arn ref keyref file path")
	add(chosen, false, `apikey appkey applicationkey accesskey accountkey authkey basicauth encryptionkey functionskey
		keydata licensekey masterkey privatekey privkey signingkey sharedkey subscriptionkey`, "file path")
	add(minted, false, "token", `iz ise issue isvalid count used usage limit length type kind name uri url endpoint expir
		ttl budget bucket remaining size persec permin valid file path`)
	add(minted, false, "signature", "algorithm method version valid")
	add(minted, false, "credential creds samlresponse sessionid sessionkey sessid", "file path type provider")
	add(minted, true, "sig", "")
	add(bearer, false, "bearer", "")
	add(cookie, false, "cookie", "consent name domain policy banner")
	add(header, false, "authorization", "url uri endpoint server")
	add(header, false, "authheader", "")
	return t
}()

// counters stand before "tokens" where they are counted, not shown.
var counters = strings.Fields("max min num of prompt completion input output total used cached reasoning")

func kindOf(key string) kind {
	for i, code := 0, uint32(0); i < len(key); i++ {
		if i, code = next(key, i, code); i < len(key) && i >= 2 && signs[hash(code)]&ofKey != 0 {
			if k, _ := kindAt(key, i-2); k != none {
				return k
			}
		}
	}
	if n := len(key) - 2; n >= 0 && key[n+1]|0x20 == 'w' { // "pw" is shorter than what next finds
		k, _ := kindAt(key, n)
		return k
	}
	return none
}

// kindAt returns the kind of the root that begins at i, and where the root ends,
// or else the reading of it.
func kindAt(key string, i int) (k kind, end int) {
	rows, third := roots[key[i]&31], key[min(i+2, len(key)-1)]|0x20
	for r := range rows {
		if name := rows[r].name; len(name) > 2 && name[2] != third {
			continue
		}
		at, ok := match(key, i, rows[r].name)
		if ok && !spared(key[:run(key[:min(len(key), at+maxKey)], at, keyPart)], i, at, &rows[r]) {
			return rows[r].kind, at
		}
		end = max(end, at)
	}
	return none, end
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

// spared reports whether the root at key[i:end] is only spoken of, or not whole.
func spared(key string, i, end int, row *root) bool {
	if row.last {
		begins := i == 0 || !is(key[i-1], word) || isUpper(key[i]) && !isUpper(key[i-1])
		return !begins || end < len(key)
	}
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

// hasSuffixFold is strings.HasSuffix without regard to case.
func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// lowered is c, in lower case if it is a letter: no sign becomes another.
func lowered(c byte) byte {
	if isUpper(c) {
		return c | 0x20
	}
	return c
}
