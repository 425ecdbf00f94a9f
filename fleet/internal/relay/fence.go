// This file stands between a leader and the network: no request goes out that
// the lease doesn't cover.

package relay

import (
	"errors"
	"net/http"
	"sync/atomic"

	"example.com/slackalert/fleet/internal/lease"
)

// Fence is an http.RoundTripper that lets requests pass while the lease is fresh,
// and ends them when it no longer is. It asks as late as can be: a leader may be
// frozen between any two of its steps.
type Fence struct {
	Next  http.RoundTripper
	lease atomic.Pointer[lease.Lease] // nil = it isn't leading
}

// errFenced is the error of a request that didn't go out.
var errFenced = errors.New("this relay doesn't lead any more")

// RoundTrip passes the request on, under the lease.
func (f *Fence) RoundTrip(r *http.Request) (*http.Response, error) {
	if l := f.lease.Load(); l == nil || !l.Fresh() {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper must
		}
		return nil, errFenced
	}
	return f.Next.RoundTrip(r)
}
