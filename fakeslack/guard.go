// This file turns away what a foreign web page asks through a reader's browser:
// there is no password, and the messages may be somebody's.

package fakeslack

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// own lets through what is asked of this server under a name of loopback, and
// by nobody else's page. A foreign name in Host is that of a site whose owner
// made it point here; a foreign Origin, or Sec-Fetch-Site, that of a page that
// asks in its own interest. Programs send neither.
func own(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !isLoopback(r.Host):
			http.Error(w, "fakeslack: asked as "+r.Host+", which is no name of this machine's loopback", http.StatusForbidden)
		case foreign(r):
			http.Error(w, "fakeslack: asked by another site's page", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isLoopback says whether host, with or without a port, is loopback by its very
// name.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// foreign says whether a page of another site asks. To follow a link to the page
// is nobody's harm; whatever the API is asked is.
func foreign(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		return err != nil || u.Host != r.Host
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	return !(r.Method == http.MethodGet && r.URL.Path == "/")
}
