package slackapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/redact"
)

// hidden are the strings that no error may hold, plain or encoded.
var hidden = []string{testToken, testHook, hookPath, "s3cr3tS3cr3tS3cr3t"}

// assertClean walks everything that can be got out of err.
func assertClean(t *testing.T, err error) {
	t.Helper()
	texts := []string{fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), fmt.Sprintf("%q", err)}
	var e *Error
	if errors.As(err, &e) {
		texts = append(texts, e.Mend(), fmt.Sprintf("%+v", *e), fmt.Sprintf("%#v", *e))
		for _, cause := range e.Unwrap() {
			texts = append(texts, fmt.Sprintf("%+v", cause), fmt.Sprintf("%#v", cause))
			assert.Contains(t, append([]error{ErrNoHistory}, known...), cause)
		}
	}
	for _, text := range texts {
		for depth := 0; depth < 4; depth++ {
			for _, secret := range hidden {
				require.NotContains(t, text, secret)
			}
			text = decode(text)
		}
	}
}

// spellings are ways in which a secret may come back.
func spellings(secret string) []string {
	var hex, upper, json, gohex strings.Builder
	for _, b := range []byte(secret) {
		fmt.Fprintf(&hex, "%%%02x", b)
		fmt.Fprintf(&upper, "%%%02X", b)
		fmt.Fprintf(&json, `\u00%02x`, b)
		fmt.Fprintf(&gohex, `\x%02x`, b)
	}
	return []string{
		secret, hex.String(), upper.String(), json.String(), gohex.String(),
		url.QueryEscape(secret), url.PathEscape(secret), url.QueryEscape(url.QueryEscape(secret)),
		strings.ReplaceAll(secret, "/", `\/`), strings.ReplaceAll(secret, "c", "%63"),
		"\x1b[1m" + secret + "\x00", secret + secret, strings.Repeat("x", 90) + secret, strings.Repeat("x", 290) + secret,
	}
}

func TestNoErrorHoldsASecret(t *testing.T) {
	for _, secret := range hidden {
		for i, s := range spellings(secret) {
			t.Run(fmt.Sprint(secret[:4], i), func(t *testing.T) {
				fail := roundTrip(func(*http.Request) (*http.Response, error) {
					return nil, fmt.Errorf("via proxy: %w", &url.Error{Op: "Post", URL: s, Err: errors.New("cannot reach " + s)})
				})
				echo := func(status int, body string) roundTrip {
					return func(*http.Request) (*http.Response, error) {
						h := http.Header{"Location": {s}, "Retry-After": {s}}
						return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
					}
				}
				quoted := fmt.Sprintf(`{"ok":false,"error":%q,"needed":%q,"response_metadata":{"messages":[%q]}}`, "x", "x", "x")
				quoted = strings.ReplaceAll(quoted, `"x"`, `"`+jsonText(s)+`"`)
				for _, transport := range []roundTrip{fail, echo(404, s), echo(200, s), echo(200, quoted), echo(302, s), echo(500, s), echo(400, quoted)} {
					assertFailsClean(t, transport)
				}
			})
		}
	}
}

// jsonText is s within quotes, unless it is written in JSON's manner already.
func jsonText(s string) string {
	if strings.HasPrefix(s, `\u`) || strings.Contains(s, `\/`) {
		return s
	}
	q := strings.NewReplacer(`\`, `\\`, "\x1b", `\u001b`, "\x00", `\u0000`)
	return q.Replace(s)
}

func assertFailsClean(t *testing.T, transport roundTrip) {
	t.Helper()
	hc := &http.Client{Transport: transport}
	// One client knows both secrets nowhere, so each is tried with its own.
	_, err := NewBot(testToken, "", hc).Post(t.Context(), message())
	assertHides(t, err, testToken)
	assertHides(t, NewBot(testToken, "", hc).Edit(t.Context(), "C1/17.1", message()), testToken)
	assertHides(t, NewBot(testToken, "", hc).Check(t.Context()), testToken)
	_, err = NewBot(testToken, "", hc).Find(t.Context(), "C1", "B7", time.Now())
	assertHides(t, err, testToken)
	_, err = NewWebhook(testHook, hc).Post(t.Context(), message())
	assertHides(t, err, hidden[1:]...)
	assertHides(t, NewWebhook(testHook, hc).Check(t.Context()), hidden[1:]...)
}

func assertHides(t *testing.T, err error, secrets ...string) {
	t.Helper()
	require.Error(t, err)
	var e *Error
	require.ErrorAs(t, err, &e)
	text := fmt.Sprintf("%+v %#v %s %v %#v", err, *e, e.Mend(), e.Unwrap(), e.Unwrap())
	for depth := 0; depth < 5; depth++ {
		for _, secret := range secrets {
			require.NotContains(t, text, secret)
		}
		text = decode(text)
	}
}

func TestNoErrorHoldsHalfASecret(t *testing.T) {
	for n := 250; n < 300; n++ {
		text := strings.Repeat("x", n) + " " + testToken
		hc := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New(text) })}
		_, err := NewBot(testToken, "", hc).Post(t.Context(), message())
		require.Error(t, err)
		require.NotContains(t, err.Error(), "xoxb")
	}
}

func TestAChannelThatIsASecretIsNotShown(t *testing.T) {
	s := serve(t, answering(refusal("channel_not_found")))
	_, err := s.bot().Post(t.Context(), Message{Channel: testToken, Text: "x"})
	assertClean(t, err)
	assert.Contains(t, err.Error(), redact.Mark)
}

func TestSecretsOfAnAddress(t *testing.T) {
	x := secretsOfURL("https://user:pa55word@relay.example/services/T1/B2?key=abcdef&v=1#frag")
	for _, s := range []string{"pa55word", "user:pa55word", "/services/T1/B2?key=abcdef&v=1", "/services/T1/B2", "abcdef", "frag"} {
		assert.Equal(t, "a "+redact.Mark+" b", x.clean("a "+s+" b"))
	}
	for _, s := range []string{"services", "relay.example", "1", "user", "100% of \\ it", "%zz %4"} {
		assert.Equal(t, s, x.clean(s))
	}
	assert.Equal(t, redact.Mark, secretsOfURL("::no address::").clean("::no address::"))
	assert.Equal(t, "x", secretsOfURL("").clean("x"))
	assert.Equal(t, "x", secretsOfBot("", "").clean("x"))
	assert.Equal(t, redact.Mark, secretsOfURL("https://relay.example/"+strings.Repeat("k", 20)).clean(strings.Repeat("k", 20)))
	assert.Equal(t, "at "+redact.Mark+" "+redact.Mark, secretsOfBot("t", "https://u:pass@h/").clean("at u:pass pass"))
}
