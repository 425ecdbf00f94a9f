package redact

import (
	"strings"
	"testing"
)

// Each of these, many times, once made or could make a scanner look at the same
// bytes again and again.
var unitsOfText = []string{
	"://", "://a:", "://a:b@", "eyJ", "-eyJ", "eyJ.", "password=", "password=\"", "password=\"a\"b", "password='", "password=[",
	"password={", "password:a ", "password=,", "password=a,", `password=\`, `\`, `\"`, `"\`, "token%3Da", "token%3Da,b=", "%3D",
	"-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-", ".-", " -", "--", " --a", " --token ", "@tcp(", "a:@tcp(", ":b@tcp(",
	"<token>", "<token>a", "authorization: a b c ", "authorization:a ", "authorization: digest ", "cookie: a ", "cookie:a=b ",
	"Bearer ", "bearer a ", "basic ", "basic YTpi ", "Basic YTpi", "xoxb-", "AKIA", "ghp_", "sk_live_", "ask_live_", "_", "sk-",
	"hooks.slack.com/services/", "/services/T0/B0/", `hooks.slack.com\/`, "a=", "a:b ", "token: ", "token: a ", "p-", "t_o_k_e_", "=", ":",
	"api key: ", `"api key": `, "password=a\"", "token=password: ", "token=Bearer ", "\xff", "é=", "token:a b", "secret:a ", "{a:",
	"token", "token-", "token ", "a token", "-token", " -token ", "<token ", "<token a=b>", "<a:token", "token\"", "token%22", "token*", "token]", "pw=",
	"api ", "p_a_s_s", "sic YTpi", "s/T", "services/T", "T0/B0/", "a@cp(", "cp(", "BEG", "-----BEG", "max tokens", "   tokens",
	`:\/\/,`, "pass-----", `\"%5Dcookie=://`, `:\/\/a:`, "password: a b ", `password: a b\n`, "password: |\n ", `password: >\n `, "tokens:\n- a1\n",
	"Key (token)=(", "(token, a)=(", "#//", "\x1a//", ":\x0f\x0f", `/token": `, "://h/token: ", "/token: a ", "authorization: token a", "authorization: token a= ", `cookie=a="`, "with password: a ",
	`\u0026sig=`, `\npw=`, "%26sig=", "pat", "pat-", "pat.a", "key-0", "1//0", ":AA", "SG.", "secret_", "api/webhooks/", "IQoJb3JpZ2lu",
	"password=&quot;a ", "password=&quot;", "token%3D%22a ", "token%253D%20", "authorization%3Abearer%20", "password is ", "password \"", "password(\"a",
	"password:\n  a1\n", "password:\n", "{a, password=a ", "-u a:", "-u a:\"b ", "--user a:b", "token='a''", "name=\"token\"\n\n", "<token><![CDATA[", "://aaaaaaaaaaaaaaa1@",
	"(token)values('", "(token)values(", "(token)values()(", ")values(", "(a values(", "(token)values('a'),", "a:b@/c", "@/c", "\"token\">", "\"token\">a", "\"token\">a</",
	"----sk-", "----api/webhooks/", "Duplicate entry '", "Duplicate entry ' for key '", "Duplicate entry 'a' for key 'token'",
}

// Of sixteen times the text the work is sixteen times as much; of a scanner that
// looks far ahead from each of many places it would be 256 times. Bytes are
// counted, not time: the test is exact.
func FuzzGrowth(f *testing.F) {
	for _, unit := range unitsOfText {
		f.Add("", unit, "")
	}
	f.Fuzz(func(t *testing.T, before, unit, after string) {
		if len(unit) == 0 || len(before)+len(unit)+len(after) > 200 {
			return
		}
		text := func(size int) string { return before + strings.Repeat(unit, size/len(unit)) + after }
		work := func(in string) int {
			t := scan{s: in}
			t.all()
			return t.work
		}
		small, big := text(4_000), text(64_000)
		if w, v := work(small), work(big); v > 24*(w+len(small)) {
			t.Fatalf("%q: %d bytes looked at in 4 kB, %d in 64 kB", unit, w, v)
		}
	})
}
