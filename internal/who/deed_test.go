package who

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func attrs(pairs ...string) (all []Attr) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, Attr{pairs[i], pairs[i+1], Of(pairs[i])})
	}
	return all
}

func TestTell(t *testing.T) {
	for _, c := range []struct {
		name           string
		attrs          []Attr
		asked, pattern string
		order          string
	}{
		{"all", attrs("order", "7", "status", "500", "path", "/pay", "method", "POST", "user", "41", "amount", "1"), "POST /pay", "POST /pay", "user method path status order amount"},
		{"no method", attrs("path", "/tmp/x", "status", "open"), "", "", "path status"},
		{"no path", attrs("method", "GET"), "", "", "method"},
		{"blank", attrs("method", " ", "path", "/pay"), "", "", "method path"},
		{"a second blank", attrs("method", " ", "http.method", "GET", "path", "/pay"), "GET /pay", "GET /pay", "method http.method path"},
		{"a route that says the same", attrs("route", "POST /pay", "method", "POST", "path", "/pay"), "POST /pay", "POST /pay", "method path"},
		{"a route that says more", attrs("method", "POST", "path", "/pay/7", "route", "POST /pay/{id}"), "POST /pay/7", "POST /pay/{id}", "method path route"},
		{"a route alone", attrs("method", "POST", "route", "POST /pay/{id}"), "POST /pay/{id}", "POST /pay/{id}", "method route"},
		{"two paths", attrs("method", "GET", "url", "/a", "path", "/a", "uri", "/b"), "GET /a", "GET /a", "method url uri"},
		{"another method", attrs("method", "card", "path", "/tmp/x", "status", "paid"), "", "", "method path status"},
		{"gRPC's", attrs("method", "/shop.Orders/Pay", "path", "/shop.Orders/Pay"), "/shop.Orders/Pay", "/shop.Orders/Pay", "method path"},
		{"none", nil, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, told := Tell(c.attrs)
			assert.Equal(t, c.asked, d.Asked(false))
			assert.Equal(t, c.pattern, d.Asked(true))
			order := ""
			for i, a := range told {
				if i > 0 {
					order += " "
				}
				order += a.Key
			}
			assert.Equal(t, c.order, order)
		})
	}
}

// What the line says that leads, the attributes don't say again.
func TestSays(t *testing.T) {
	d, all := Tell(attrs("method", "GET", "path", "/a/7", "route", "/a/{id}", "status", "500", "http.status", "502", "user", "41", "x", "GET"))
	said := func(pattern bool) (keys []string) {
		for _, a := range all {
			if d.Says(a, pattern) {
				keys = append(keys, a.Key)
			}
		}
		return keys
	}
	assert.Equal(t, []string{"method", "path", "status"}, said(false))
	assert.Equal(t, []string{"method", "route", "status"}, said(true))
	d, all = Tell(attrs("path", "/a", "status", "500"))
	assert.Empty(t, said(false), "there is no such line without a method")
}
