// This file says what a process publishes of a group: the subject, and the
// value on it.

// Package value is the format of what travels from the processes to the leader.
//
// A subject is STREAM.channel.fingerprint.run.first: one count of one process.
// The stream keeps the last value of each. A token that is no plain word is
// written as "=" and a hash.
//
// A value is two lines of JSON. The first has what is needed to count ([Head]).
// The second is the group with its texts, which is read only when somebody wants
// to show it. What a reader of version 1 can't read as such has another "v".
package value

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.com/slackalert"
)

// Version is the format that this package writes, and the newest it reads.
const Version = 1

// ErrNewer is the error of [Parse] for a value of a newer format.
var ErrNewer = errors.New("the value has a newer format")

// Head is what is needed to count a value.
type Head struct {
	V           int    `json:"v"`
	Channel     string `json:"channel"`
	Fingerprint string `json:"fingerprint"`
	Run         string `json:"run"`
	First       int64  `json:"first"` // all times in Unix ns, of the process's clock; 0 = unknown
	Last        int64  `json:"last"`
	Sent        int64  `json:"sent"`             // when it was published
	Total       int64  `json:"total"`            // alerts since First
	Direct      int64  `json:"direct,omitempty"` // of those, told past the fleet
	Least       bool   `json:"least,omitempty"`  // its process was killed while it counted
	Host        string `json:"host"`
	Service     string `json:"service"`
	Users       []byte `json:"users,omitempty"` // the group's user_set
}

// Counts is what the leader has to tell of the value.
func (h *Head) Counts() int64 { return h.Total - h.Direct }

// maxCount bounds what a value may claim, so that sums can't overflow.
const maxCount = 1 << 48

// Subject is where the value of a group belongs that a process counted. run
// stands in for a group's own Run where it has none.
func Subject(root string, b *slackalert.Batch, g *slackalert.Group, run string) string {
	h := Head{Channel: b.Channel, Fingerprint: g.Fingerprint, Run: cmp.Or(g.Run, run), First: nano(g.First)}
	return h.subject(root)
}

// New returns the value of a group, of which direct alerts were told past the
// fleet.
func New(b *slackalert.Batch, g *slackalert.Group, run string, direct int64, now time.Time) ([]byte, error) {
	h := Head{
		V: Version, Channel: b.Channel, Fingerprint: g.Fingerprint, Run: cmp.Or(g.Run, run),
		First: nano(g.First), Last: nano(g.Last), Sent: nano(now),
		Total: int64(g.Total), Direct: direct, Least: g.Least, Host: b.Host, Service: b.Service, Users: g.UserSet,
	}
	text := *g
	text.UserSet = nil // stands in the head
	head, err := json.Marshal(&h)
	if err != nil {
		return nil, fmt.Errorf("head of %q: %w", g.Message, err)
	}
	body, err := json.Marshal(&text)
	if err != nil {
		return nil, fmt.Errorf("group %q: %w", g.Message, err)
	}
	return append(append(head, '\n'), body...), nil
}

// Parse reads the head of a value and returns its text for [Text]. The error
// says what is wrong; it wraps [ErrNewer] where a newer reader could read it.
func Parse(root, subject string, data []byte) (h Head, text []byte, err error) {
	head, text, _ := bytes.Cut(data, []byte("\n"))
	if err := json.Unmarshal(head, &h); err != nil {
		var v struct {
			V int `json:"v"`
		}
		if json.Unmarshal(head, &v) == nil && v.V > Version {
			return Head{}, nil, fmt.Errorf("%w: %d", ErrNewer, v.V)
		}
		return Head{}, nil, fmt.Errorf("no value: %w", err)
	}
	switch {
	case h.V > Version:
		return Head{}, nil, fmt.Errorf("%w: %d", ErrNewer, h.V)
	case h.V != Version:
		return Head{}, nil, fmt.Errorf("its format is %d; want %d", h.V, Version)
	case h.Total < 0 || h.Direct < 0 || h.Direct > h.Total || h.Total > maxCount:
		return Head{}, nil, fmt.Errorf("its total is %d, of that direct %d; want 0 ≤ direct ≤ total ≤ %d", h.Total, h.Direct, int64(maxCount))
	case h.subject(root) != subject:
		return Head{}, nil, fmt.Errorf("it belongs on the subject %s", h.subject(root))
	}
	return h, text, nil
}

// Text reads the second line of a value.
func Text(text []byte) (slackalert.Group, error) {
	var g slackalert.Group
	if err := json.Unmarshal(text, &g); err != nil {
		return slackalert.Group{}, fmt.Errorf("no group: %w", err)
	}
	return g, nil
}

func (h *Head) subject(root string) string {
	return GroupSubject(root, h.Channel, h.Fingerprint) + "." + token(h.Run) + "." + strconv.FormatInt(h.First, 36)
}

// GroupSubject is what the subjects of all values of a group begin with.
func GroupSubject(root, channel, fingerprint string) string {
	return root + "." + token(channel) + "." + token(fingerprint)
}

// plainToken is the longest text that is its own token.
const plainToken = 40

// token is a text as one token of a subject.
func token(s string) string {
	plain := s != "" && len(s) <= plainToken && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
	if plain {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "=" + base64.RawURLEncoding.EncodeToString(sum[:15])
}

// nano is 0 where the time is unknown or can't be said in nanoseconds.
func nano(t time.Time) int64 {
	if y := t.Year(); y < 1700 || y > 2200 {
		return 0
	}
	return t.UnixNano()
}

// Time is the opposite of nano.
func Time(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}
