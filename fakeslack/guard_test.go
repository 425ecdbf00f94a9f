// These tests come as a foreign page would.

package fakeslack

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestForeignersAreRefused(t *testing.T) {
	s := start(t, nil)
	host := strings.TrimPrefix(s.base, "http://")
	_, port, _ := strings.Cut(host, ":")
	for name, c := range map[string]struct {
		method, path, host string
		header             [2]string
		want               int
	}{
		"a program":              {"POST", "/api/auth.test", host, [2]string{}, 200},
		"the page":               {"GET", "/", host, [2]string{}, 200},
		"by name":                {"GET", "/", "localhost:" + port, [2]string{}, 200},
		"IPv6":                   {"GET", "/", "[::1]:" + port, [2]string{}, 200},
		"without a port":         {"GET", "/", "127.0.0.1", [2]string{}, 200},
		"another port":           {"GET", "/", "localhost:1", [2]string{}, 200}, // forwarded
		"a rebound name":         {"GET", "/", "evil.example:" + port, [2]string{}, 403},
		"a name like ours":       {"GET", "/events", "127.0.0.1.evil.example", [2]string{}, 403},
		"another address":        {"POST", "/api/auth.test", "10.0.0.1:" + port, [2]string{}, 403},
		"its own origin":         {"POST", "/api/auth.test", host, [2]string{"Origin", "http://" + host}, 200},
		"a foreign origin":       {"POST", "/api/auth.test", host, [2]string{"Origin", "https://evil.example"}, 403},
		"another local page":     {"POST", "/services/x", host, [2]string{"Origin", "http://127.0.0.1:1"}, 403},
		"an origin of none":      {"POST", "/api/auth.test", host, [2]string{"Origin", "null"}, 403},
		"no origin at all":       {"POST", "/api/auth.test", host, [2]string{"Origin", "::"}, 403},
		"an image of a page":     {"GET", "/api/auth.test?token=x", host, [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"of a neighbour's":       {"GET", "/api/auth.test?token=x", host, [2]string{"Sec-Fetch-Site", "same-site"}, 403},
		"its own":                {"GET", "/api/auth.test?token=x", host, [2]string{"Sec-Fetch-Site", "same-origin"}, 200},
		"typed":                  {"GET", "/", host, [2]string{"Sec-Fetch-Site", "none"}, 200},
		"a link to the page":     {"GET", "/", host, [2]string{"Sec-Fetch-Site", "cross-site"}, 200},
		"a post of a page to it": {"POST", "/", host, [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest(c.method, s.base+c.path, strings.NewReader("token=x"))
			require.NoError(t, err)
			req.Host = c.host
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if c.header[0] != "" {
				req.Header.Set(c.header[0], c.header[1])
			}
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			defer res.Body.Close()
			assert.Equal(t, c.want, res.StatusCode, readAll(t, res.Body))
		})
	}
}

func TestLinksThatActAreRefused(t *testing.T) {
	s := start(t, nil)
	for address, ok := range map[string]bool{
		"https://e.x": true, "mailto:a@e.x": true, "slack://open": true,
		"javascript:alert(1)": false, "JavaScript:alert(1)": false, "javascript://e.x/%0aalert(1)": false,
		"data:text/html,x": false, "vbscript:x": false, "file:///etc/passwd": false, "blob:https://e.x/1": false,
	} {
		for _, block := range []string{
			`{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"a"},"url":"$"}]}`,
			leaf(`{"type":"link","url":"$"}`), leaf(`{"type":"date","timestamp":1,"format":"{date}","url":"$"}`),
		} {
			a := call(t, s, "chat.postMessage", "channel", "C1", "blocks", "["+strings.ReplaceAll(block, "$", address)+"]")
			assert.Equal(t, ok, a.code(t) == "", "%s in %s", address, block)
		}
	}
}
