// This file says why NATS doesn't do what it is asked, as far as its client knows.

package store

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/nats-io/nats.go"
)

// ErrAway is the error of what NATS isn't asked: nobody would hear it.
var ErrAway = errors.New("not connected to NATS")

// Why adds to an error what the client heard last: that it may not connect, of
// which it tells nobody until it has been connected once, or that it lacks a
// right, to which there is no other answer.
func Why(nc *nats.Conn, err error) error {
	why := nc.LastError()
	if why == nil || nc.IsConnected() && !errors.Is(why, nats.ErrPermissionViolation) {
		return err
	}
	return fmt.Errorf("%w: %w", err, why)
}

// Denied says whether an error is that NATS doesn't take the credentials. It asks
// the text: the client has several errors for one, and none for some.
func Denied(err error) bool {
	return denial.MatchString(err.Error())
}

var denial = regexp.MustCompile(`(?i)nats: (authorization violation|(user |account )?authentication )`)
