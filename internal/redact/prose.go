// This file tells words that go on with a sentence from secrets.

package redact

import "strings"

// prose reports whether what stands at i, after "key: " or "--key ", goes on
// with a sentence: "cannot fetch token: 401 Unauthorized". A secret that a
// person chose may be any word, so there the sentence must go on after it.
func prose(s string, i int, k kind) bool {
	end := i
	for end < len(s) && end-i < maxKey && !is(s[end], space) {
		end++
	}
	next := blanks(s, end)
	goesOn := next > end && next < len(s) && is(s[next], alnum)
	bare := strings.TrimRight(s[i:end], ":,.;!?")
	switch {
	case len(bare) <= 2 && !is(s[i], quote) && (bare == "" || !is(bare[0]|bare[len(bare)-1], word)):
		return true // "unexpected token: {"
	case k == chosen && !goesOn:
		return false
	case len(bare) == 3 && '1' <= bare[0] && bare[0] <= '5' && run(bare, 1, digit) == 3:
		return k != chosen && goesOn
	}
	return opensClause(lower(bare))
}

// lower returns w in lower case if it is a short word, else "".
func lower(w string) string {
	if len(w) > 16 {
		return ""
	}
	for i := range len(w) {
		if isUpper(w[i]) {
			return strings.ToLower(w)
		}
	}
	return w
}

// opensClause reports whether w is a word that errors open a clause with.
func opensClause(w string) bool {
	switch w {
	case "a", "an", "the", "this", "that", "it", "its", "your", "you", "we", "user",
		"is", "are", "was", "were", "be", "been", "has", "have", "had", "does", "did", "do",
		"not", "no", "cannot", "can't", "can", "could", "couldn't", "must", "should", "may", "will", "would",
		"failed", "failure", "failing", "error", "errors", "unable", "unexpected", "expected", "expecting",
		"invalid", "illegal", "malformed", "unknown", "unsupported", "unauthorized", "unauthenticated",
		"forbidden", "denied", "refused", "rejected", "revoked", "expired", "missing", "empty", "required",
		"mismatch", "wrong", "bad", "too", "already", "timeout", "timed", "context", "connection", "connect",
		"dial", "lookup", "read", "write", "open", "stat", "parse", "parsing", "decode", "decoding", "decrypt",
		"encode", "fetch", "fetching", "get", "post", "put", "request", "response", "status", "server", "client",
		"http", "https", "json", "jwt", "oauth", "oauth2", "rpc", "tls", "x509", "sql", "pq", "crypto", "asn1",
		"base64", "strconv", "net/http", "eof", "i/o", "access", "permission", "operation", "resource",
		"token", "secret", "signature", "password", "key", "cookie", "header", "credentials",
		"and", "or", "but", "if", "when", "while", "after", "before", "because", "since", "in", "on", "at",
		"got", "want", "creating", "generating", "of", "to", "for", "from", "with", "without", "by", "as", "than":
		return true
	}
	return false
}
