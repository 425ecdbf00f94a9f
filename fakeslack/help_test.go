// This file is what the tests share: a server, plain requests, and the search
// for goroutines left behind.

package fakeslack

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if left := stray(); left != "" && code == 0 {
		os.Stderr.WriteString("goroutines left behind:\n" + left)
		code = 1
	}
	os.Exit(code)
}

// stray is the stack of a goroutine of ours that is still there after a while.
func stray() string {
	var left string
	for range 100 {
		left = ""
		buf := make([]byte, 1<<20)
		for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(g, "net/http") || strings.Contains(g, "fakeslack.(*") {
				left += g + "\n\n"
			}
		}
		if left == "" {
			return ""
		}
		time.Sleep(10 * time.Millisecond)
	}
	return left
}

func start(t testing.TB, opts *Options) *Server {
	t.Helper()
	s, err := Start(opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// answered is an HTTP answer, read to its end.
type answered struct {
	status int
	header http.Header
	body   string
}

func (a answered) json(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &m), a.body)
	return m
}

// code is the error of a Web API answer, "" if it is ok.
func (a answered) code(t testing.TB) string {
	t.Helper()
	m := a.json(t)
	if m["ok"] == true {
		return ""
	}
	return m["error"].(string)
}

// messages are the complaints of a Web API answer.
func (a answered) messages(t testing.TB) []string {
	t.Helper()
	meta, _ := a.json(t)["response_metadata"].(map[string]any)
	list, _ := meta["messages"].([]any)
	var all []string
	for _, m := range list {
		all = append(all, m.(string))
	}
	return all
}

// send posts a body as it is.
func send(t testing.TB, address, kind, body string) (answered, error) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	require.NoError(t, err)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return answered{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answered{res.StatusCode, res.Header, string(b)}, err
}

// call asks a method with a form; pairs are names and values. A token goes along
// unless one is named.
func call(t testing.TB, s *Server, method string, pairs ...string) answered {
	t.Helper()
	form := url.Values{"token": {"xoxb-test"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	a, err := send(t, s.APIURL()+method, "application/x-www-form-urlencoded", form.Encode())
	require.NoError(t, err)
	return a
}

// hook posts JSON to the channel's webhook.
func hook(t testing.TB, s *Server, channel, body string) answered {
	t.Helper()
	a, err := send(t, s.WebhookURL(channel), "application/json", body)
	require.NoError(t, err)
	return a
}

func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(b)
}

// heavy is rich text that weighs exactly n.
func heavy(n int) string {
	return `{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"` +
		strings.Repeat("a", n-anyBlockWeight) + `"}]}]}`
}
