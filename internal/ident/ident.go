// Package ident reads what a client says of itself, and believes little of it.
package ident

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"unicode"

	"example.com/slackalert/internal/capture"
)

const (
	maxID      = 128
	maxAddress = 64
	hexChars   = "0123456789abcdef"
	idChars    = hexChars + "ghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~:/+=@|;"
)

// RequestID returns the id the request came with, or a new one. values are
// those of a header, named as net/http names it. A header that is there twice
// says nothing: one of the two was not meant for us.
func RequestID(values func(header string) []string) string {
	if id := one(values("X-Request-Id")); isID(id) {
		return id
	}
	if id := root(one(values("X-Amzn-Trace-Id"))); isID(id) {
		return id
	}
	if id := traceID(one(values("Traceparent"))); id != "" {
		return id
	}
	return newID()
}

func one(values []string) string {
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

func isID(s string) bool { return s != "" && len(s) <= maxID && strings.Trim(s, idChars) == "" }

// root is the id all parts of an AWS trace share: "Self=…;Root=1-…-…;Sampled=1".
func root(s string) string {
	if len(s) > 4*maxID {
		return ""
	}
	for field := range strings.SplitSeq(s, ";") {
		if id, ok := strings.CutPrefix(strings.TrimSpace(field), "Root="); ok {
			return id
		}
	}
	return ""
}

// traceID is that of "00-<32 hex>-<16 hex>-<2 hex>"; later versions may go on.
func traceID(s string) string {
	if len(s) < 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' || !isHex(s[:2]) || s[:2] == "ff" {
		return ""
	}
	if len(s) > 55 && (s[:2] == "00" || s[55] != '-') {
		return ""
	}
	id, parent := s[3:35], s[36:52]
	if !isHex(id) || !isHex(parent) || !isHex(s[53:55]) || strings.Trim(id, "0") == "" || strings.Trim(parent, "0") == "" {
		return ""
	}
	return id
}

func isHex(s string) bool { return strings.Trim(s, hexChars) == "" }

// newID needs not be hard to guess: nothing is allowed to who knows it.
func newID() string {
	var raw [16]byte
	binary.LittleEndian.PutUint64(raw[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(raw[8:], rand.Uint64())
	var text [32]byte
	hex.Encode(text[:], raw[:])
	return string(text[:])
}

// Remote is a client's address without its port. forwarded are the values of
// X-Forwarded-For: the right end of the last one is the address that the proxy
// nearest to this server saw. None, or an odd one: it is the connection's.
func Remote(connection string, forwarded []string) string {
	if len(forwarded) > 0 {
		line := forwarded[len(forwarded)-1]
		if s := address(strings.TrimSpace(line[strings.LastIndexByte(line, ',')+1:])); s != "" {
			return s
		}
	}
	if host, _, err := net.SplitHostPort(connection); err == nil {
		return host
	}
	return connection
}

// address is s if it is an IP address, without port and zone.
func address(s string) string {
	if len(s) > maxAddress {
		return ""
	}
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() == "" {
			return s
		}
		return a.WithZone("").String()
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().WithZone("").String()
	}
	return ""
}

// Clean returns s with at most about n bytes, and no character that acts on who
// reads it. What needs no change is not copied.
func Clean(s string, n int) string {
	if len(s) <= n && isPlain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) {
			return unicode.ReplacementChar
		}
		return r
	}, capture.Cut(s, n))
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
