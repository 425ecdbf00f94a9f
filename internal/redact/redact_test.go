package redact

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	jwtHead = "eyJhbGciOiJIUzI1NiJ9"
	jwt     = jwtHead + ".eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
	akia    = "AKIAIOSFODNN7EXAMPLE"
	ghp     = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
	pem     = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq\nZ0Z0Z0==\n-----END RSA PRIVATE KEY-----"
)

func TestKey(t *testing.T) {
	for _, key := range []string{
		"password", "PASSWORD", "passwd", "pwd", "passphrase", "pass", "db_pass", "dbPass", "SMTP_PASS", "PGPASSWORD", "pw", "DB_PW", "creds",
		"db.password", "user-password-hash", "newPassword2", "secret", "client_secret", "clientSecret", "SECRETS",
		"token", "access_token", "refreshToken", "tokens", "auth_tokens", "X-Auth-Token", "token_id", "csrf-token", "ACCESS-TOKEN",
		"authorization", "Proxy-Authorization", "auth header", "AuthHeader", "cookie", "Cookies", "set-cookie", "securecookie",
		"apiKey", "API_KEY", "x-api-key", "Api Key", "apikeys", "private key", "private_key", "sshPrivateKey", "access key",
		"AWS_SECRET_ACCESS_KEY", "aws_access_key_id", "AccountKey", "credential", "Credentials", "session id", "sessionID",
		"PHPSESSID", "JSESSIONID", "signature", "X-Amz-Signature", "sig", "oauth_signature", "encryption_key",
		"APP_KEY", "DD-Application-Key", "x-functions-key", "NEW_RELIC_LICENSE_KEY", "client-key-data", "SAMLResponse", "seed phrase",
		"headers.Authorization", "password_reset_token", "token_count_secret", "ключ_password", "%22password%22", "bearer",
	} {
		assert.True(t, Key(key), key)
	}
	for _, key := range []string{
		"", "a", "user", "id", "key", "path", "status", "error", "message", "method", "author", "authority", "authorized",
		"keyboard", "primary_key", "monkey", "cache_key", "forwarded", "bypass", "compass", "passenger", "config", "design",
		"token_count", "tokens_used", "max_tokens", "maxTokens", "prompt_tokens", "number_of_tokens", "tokenizer", "tokenization",
		"token_type", "token_url", "token_expires_at", "secretary", "secret_name", "secretsmanager", "passwordless",
		"password_policy", "cookie_consent", "session", "sessions", "signal", "assign", "signature_method", "пароль",
		"pass_count", "pássword", "authorization_endpoint", "token_file", "private_key_file", "AWS_SHARED_CREDENTIALS_FILE",
		"secretPath", "password-file", "credentials_type",
	} {
		assert.False(t, Key(key), key)
	}
}

// A row of the tables below; an empty want means that in stays as it is.
type row struct{ name, in, want string }

func check(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			want := r.want
			if want == "" {
				want = r.in
			}
			assert.Equal(t, want, Text(r.in))
			assert.Equal(t, want, Text(want), "a second time")
			for n := range len(r.in) { // log text comes cut
				for _, cut := range []string{r.in[:n], r.in[n:]} {
					once := Text(cut)
					require.Equal(t, once, Text(once), "%q a second time", cut)
				}
			}
		})
	}
}

func TestTextURL(t *testing.T) {
	check(t, []row{
		{"password", "dial postgres://app:hunter2@db/x: refused", "dial postgres://app:[redacted]@db/x: refused"},
		{"no user", "redis://:hunter2@cache:6379/0", "redis://:[redacted]@cache:6379/0"},
		{"web", "GET https://bob:pa%40ss@example.com/a?b=c", "GET https://bob:[redacted]@example.com/a?b=c"},
		{"at in password", "postgres://app:p@ss@db/x", "postgres://app:[redacted]@db/x"},
		{"slash and at in password", "postgres://app:p@s/w@rd@db/x", "postgres://app:[redacted]@db/x"},
		{"slash in password of the web", "https://bob:p/ss@example.com/", "https://bob:[redacted]@example.com/"},
		{"digits and slash in password", "amqp://app:12/34@mq/x", "amqp://app:[redacted]@mq/x"},
		{"hash, question mark, colon", "amqp://app:a#b?c:d@mq/x", "amqp://app:[redacted]@mq/x"},
		{"brackets and signs", "amqp://app:a,b;c)d]e}f&g$h@mq/x", "amqp://app:[redacted]@mq/x"},
		{"quote", `amqp://app:a"b'c@mq/x`, `amqp://app:[redacted]@mq/x`},
		{"backslash", `amqp://app:a\b@mq/x`, `amqp://app:[redacted]@mq/x`},
		{"in quotes", `parse "mysql://app:hunter2@db/x": bad`, `parse "mysql://app:[redacted]@db/x": bad`},
		{"in JSON", `{"dsn":"mysql://app:hunter2@db/x","to":"bob@example.com"}`, `{"dsn":"mysql://app:[redacted]@db/x","to":"bob@example.com"}`},
		{"two", "amqp://a:x1@h,amqp://b:x2@h", "amqp://a:[redacted]@h,amqp://b:[redacted]@h"},
		{"hosts", "mongodb://app:hunter2@h1:27017,h2:27017/x", "mongodb://app:[redacted]@h1:27017,h2:27017/x"},
		{"e-mail as user", "smtp://bob@example.com:hunter2@mail:25", "smtp://bob@example.com:[redacted]@mail:25"},
		{"token as user", "https://" + ghp + ":x-oauth-basic@github.com/a", "https://[redacted]:[redacted]@github.com/a"},
		{"secret key as user", "https://secret=a:b@h/", "https://secret=[redacted]"},
		{"blank", `parse "postgres://app:my pass@db/x": net/url: invalid userinfo`, `parse "postgres://app:[redacted]@db/x": net/url: invalid userinfo`},
		{"slashes escaped", `{"u":"https:\/\/bob:hunter2@example.com\/a"}`, `{"u":"https:\/\/bob:[redacted]@example.com\/a"}`},
		{"query", "GET /a?token=abc&page=2&api_key=def", "GET /a?token=[redacted]&page=2&api_key=[redacted]"},
		{"signed", "https://b.s3.amazonaws.com/k?X-Amz-Date=2026&X-Amz-Signature=0af3 403", "https://b.s3.amazonaws.com/k?X-Amz-Date=2026&X-Amz-Signature=[redacted] 403"},
		{"shared access", "https://x.blob.core.windows.net/c?sv=2020&sig=aB%2Bc%3D&se=1", "https://x.blob.core.windows.net/c?sv=2020&sig=[redacted]&se=1"},
		{"after the port", "http://h:8080/a?token=abc", "http://h:8080/a?token=[redacted]"},
		{"escaped query", "/login?next=%2Fa%3Ftoken%3Dabc%26page%3D2", "/login?next=%2Fa%3Ftoken%3D[redacted]%26page%3D2"},
		{"escaped JSON", "q=%7B%22password%22%3A%22hunter2%22%2C%22a%22%3A1%7D", "q=%7B%22password%22%3A%22[redacted]%22%2C%22a%22%3A1%7D"},
		{"form", "user[name]=bob&user[password]=hunter2", "user[name]=bob&user[password]=[redacted]"},
		{"escaped form", "user%5Bpassword%5D=hunter2&a=b", "user%5Bpassword%5D=[redacted]&a=b"},
		{"mysql", "dsn app:hunter2@tcp(127.0.0.1:3306)/shop", "dsn app:[redacted]@tcp(127.0.0.1:3306)/shop"},
		{"mysql, odd", "open app:a:b@c/d'e@unix(/tmp/s)/shop", "open app:[redacted]@unix(/tmp/s)/shop"},
		{"mysql, default address", "dsn app:hunter2@/shop; import @/components/x, http://h:8080/@/x", "dsn app:[redacted]@/shop; import @/components/x, http://h:8080/@/x"},
		{"mysql around a token", "app:a-" + ghp + "-b@tcp(db)/x", "app:[redacted]@tcp(db)/x"},

		{"port", "http://host:8080/users?email=bob@example.com", ""},
		{"port, no path", "http://host:8080 bob@example.com", ""},
		{"user alone", "ssh://git@github.com/a/b", ""},
		{"user and port", "https://bob@host:8443/a", ""},
		{"at in path", "https://packages.example/@scope/pkg:1", ""},
		{"port, quoted", `"http://h:80 failed for bob@example.com" "http://h:80/a b@c"`, ""},
		{"image", "pull docker-pullable://registry:5000/shop@sha256:0a1b failed", ""},
		{"IPv6", "http://[::1]:8080/a@b", ""},
		{"scp", "git@github.com:org/repo.git", ""},
		{"mail", "bob@example.com: mailbox full", ""},
		{"call", "f@go(x)", ""},
		{"token as user", "nats://s3cr3tS3cr3tS3cr3t@h:4222", "nats://[redacted]@h:4222"},
		{"curl", "curl -u bob:hunter2 -x", "curl -u bob:[redacted] -x"},
		{"curl, long and quoted", `curl --user "bob:hunter2" https://h`, `curl --user "bob:[redacted]" https://h`},
		{"escaped twice", "?next=%252Fb%253Ftoken%253Dabc%2526a%253Db", "?next=%252Fb%253Ftoken%253D[redacted]%2526a%253Db"},
		{"escaped, within quotes", `%7B%22token%22%3A%22a%20b%22%7D "password"%3A"hunter 2"`, `%7B%22token%22%3A%22[redacted]%22%7D "password"%3A"[redacted]"`},
		{"escaped header", "h=Authorization%3A%20Bearer%20abc&x=1", "h=Authorization%3A%20Bearer%20[redacted]&x=1"},
		{"escaped blank before", "token%3D%20abc%26a=b", "token%3D%20[redacted]%26a=b"},
		{"escaped once and twice", "token%3Da%2526b%26c=d", "token%3D[redacted]%26c=d"},
		{"escaped words", "password%3Dsecret%20x authorization%3Aabc%20def", "password%3D[redacted]%20x authorization%3A[redacted]%20def"},
		{"HTML", "{&quot;password&quot;:&quot;hunter 2&quot;,&quot;a&quot;:1}", "{&quot;password&quot;:&quot;[redacted]&quot;,&quot;a&quot;:1}"},

		{"long name of a user", "ssh://deploy-user-of-shop@build-2026/repo", ""},
		{"no password before the blank", "dial amqp://h:name of bob@example.com", ""},
		{"call after an address", "mail a:b@c by tcp(x)", ""},
		{"user of a command", "sudo -u ann cmd2 x", ""},
		{"group of a container", "docker run -u 1000:1000 --user app:app x", ""},
		{"bare", "://", ""},
	})
}

func TestTextToken(t *testing.T) {
	check(t, []row{
		{"bearer", "sent Bearer abc123 to h", "sent Bearer [redacted] to h"},
		{"bearer, short", "Bearer xyz", "Bearer [redacted]"},
		{"bearer, any case", "bearer abc.def-ghi_jkl~+/==, x", "bearer [redacted], x"},
		{"bearer, escaped", "h=Bearer%20abc123", "h=Bearer%20[redacted]"},
		{"bearer, quoted", `"Bearer abc123"`, `"Bearer [redacted]"`},
		{"basic", "used Basic dXNlcjpwYXNz for h", "used Basic [redacted] for h"},
		{"basic, padded", "Basic YTpi", "Basic [redacted]"},
		{"jwt", "claims of " + jwt + " are stale", "claims of [redacted] are stale"},
		{"jwt, end of sentence", "got " + jwt + ".", "got [redacted]."},
		{"jwt, cut in the middle", "got " + jwt[:40] + "…", "got [redacted]…"},
		{"jwt, cut in the head", "got " + jwtHead[:12] + "...", "got [redacted]..."},
		{"jwt, no signature", jwtHead + ".e30.", "[redacted]."},
		{"jwt, after an escape", `\n` + jwt + ` %22` + jwt, `\n[redacted] %22[redacted]`},
		{"slack bot", "xoxb-123456789012-abcDEF", "[redacted]"},
		{"slack user", "(xoxp-1-2-3-abc)", "([redacted])"},
		{"slack others", "xoxa-2-abc xoxs-1-abc xoxr-1-abc xoxc-1-abc xoxd-a%2Fb%2B", "[redacted] [redacted] [redacted] [redacted] [redacted]"},
		{"slack rotated", "xoxe.xoxp-1-Mi0y xoxe-1-My0x", "[redacted] [redacted]"},
		{"slack app", "use xapp-1-A123-456-abc.", "use [redacted]."},
		{"webhook", `Post "https://hooks.slack.com/services/T000/B000/XXXX": EOF`, `Post "https://hooks.slack.com/services/[redacted]": EOF`},
		{"webhook, end of sentence", "at https://hooks.slack.com/services/T0/B0/xyz.", "at https://hooks.slack.com/services/[redacted]."},
		{"webhook of government", "https://hooks.slack-gov.com/services/T0/B0/xyz", "https://hooks.slack-gov.com/services/[redacted]"},
		{"webhook with port", "hooks.slack.com:443/services/T0/B0/xyz", "hooks.slack.com:443/services/[redacted]"},
		{"workflow", "https://hooks.slack.com/workflows/T0/A0/1/abc https://hooks.slack.com/triggers/T0/1/abc", "https://hooks.slack.com/workflows/[redacted] https://hooks.slack.com/triggers/[redacted]"},
		{"workflow of an organization", `hooks.slack.com\/triggers\/E01ABCDEF2\/1\/abc /triggers/E01ABCDEF2/1/abc %2Ftriggers%2FE01ABCDEF2%2F1%2Fabc`, `hooks.slack.com\/triggers\/[redacted] /triggers/[redacted] %2Ftriggers%2F[redacted]`},
		{"answer to a command", "https://hooks.slack.com/commands/T0/1/abc https://hooks.slack.com/actions/T0/1/abc", "https://hooks.slack.com/commands/[redacted] https://hooks.slack.com/actions/[redacted]"},
		{"webhook, slashes escaped", `"https:\/\/hooks.slack.com\/services\/T0\/B0\/xyz"`, `"https:\/\/hooks.slack.com\/services\/[redacted]"`},
		{"webhook, all escaped", "u=https%3A%2F%2Fhooks.slack.com%2Fservices%2FT0%2FB0%2Fxyz&a=b", "u=https%3A%2F%2Fhooks.slack.com%2Fservices%2F[redacted]&a=b"},
		{"webhook, upper case", "HTTPS://HOOKS.SLACK.COM/services/T0/B0/xyz", "HTTPS://HOOKS.SLACK.COM/services/[redacted]"},
		{"webhook, other host", "http://127.0.0.1:8080/services/T0/B0/xyz", "http://127.0.0.1:8080/services/[redacted]"},
		{"aws", "key " + akia + " is disabled", "key [redacted] is disabled"},
		{"aws, temporary", "ASIAIOSFODNN7EXAMPLE/20260102/us-east-1", "[redacted]/20260102/us-east-1"},
		{"github", ghp + " gho_16C7e42F292c6912E77 ghu_16C7e42F292c ghs_16C7e42F292c ghr_16C7e42F292c", "[redacted] [redacted] [redacted] [redacted] [redacted]"},
		{"github, fine", "github_pat_11ABC0_abcDEF", "[redacted]"},
		{"gitlab", "glpat-abcDEF12345_-", "[redacted]"},
		{"stripe", "sk_live_4eC39HqLyjWDarjt rk_live_4eC39HqLyjWDarjt", "[redacted] [redacted]"},
		{"google", "AIzaSyA1234567890abcdefghijklmnopqrstuv", "[redacted]"},
		{"openai", "sk-proj-abcDEF1234567890", "[redacted]"},
		{"pem", "key:\n" + pem + "\nend", "key:\n[redacted]\nend"},
		{"pem, escaped", `{"k":"` + strings.ReplaceAll(pem, "\n", `\n`) + `\n"}`, `{"k":"[redacted]\n"}`},
		{"pem, cut", "x " + pem[:50], "x [redacted]"},
		{"pem, kinds", "-----BEGIN PRIVATE KEY-----\nab\n-----END PRIVATE KEY----- -----BEGIN PGP PRIVATE KEY BLOCK-----\nab", "[redacted] [redacted]"},
		{"pem as a bare value", "private_key: " + pem + " end", "private_key: [redacted] end"},
		{"pem as a quoted value", "token='" + pem + "'", "token='[redacted]'"},
		{"two side by side", akia + " " + akia, "[redacted] [redacted]"},

		{"bearer prose", "bearer token is missing, bearer auth failed, Bearer authentication, bearer of news", ""},
		{"bearer challenge", `Bearer realm="api", error="invalid_token"`, ""},
		{"bearer at the end", "bearer", ""},
		{"basic prose", "basic auth failed, Basic authentication required, basic info", ""},
		{"jwt in a name", "keyJsonDecoder eyJ eyJson monkeyJumpedOver", ""},
		{"slack names", "xoxb- token, xoxb-…, xoxb-..., xoxo, xapp-", ""},
		{"no webhook", "/services/EU/1/x /api/services/TAX/2024/list", ""},
		{"slack host", "lookup hooks.slack.com: no such host; hooks.slack.com/services hooks.slack.com/services/", ""},
		{"upper case", "eyjABCDEFGHIJ /services/TEAMS/CATALOG/x", ""},
		{"services", "/services/Teams/Billing/x /services/T0 /services/list", ""},
		{"short look-alikes", "AKIA1234 AIzaBC ghp_x glpat-x sk_live_x sk-learn npm_config", ""},
		{"names", "disk_live_migrations weigh_p_abcdefgh task-force-of-a-name-that-goes-on-and-on-and-on-and-on", ""},
		{"certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", ""},
		{"rule", "---------- -----BEGIN", ""},
	})
}

func TestTextPair(t *testing.T) {
	check(t, []row{
		{"equals", "user=bob password=hunter2 host=db", "user=bob password=[redacted] host=db"},
		{"colon", "login with password: hunter2 failed", "login with password: [redacted] failed"},
		{"ini", "password = hunter2", "password = [redacted]"},
		{"go", `password := "hunter two"`, `password := "[redacted]"`},
		{"ruby", `:password=>"hunter two", "secret" => 'x y'`, `:password=>"[redacted]", "secret" => '[redacted]'`},
		{"php", "[password] => hunter2", "[password] => [redacted]"},
		{"logfmt", `msg="no" token="a b\" c" x=1`, `msg="no" token="[redacted]" x=1`},
		{"JSON", `{"user":"bob","password":"hun\"ter, two","n":1}`, `{"user":"bob","password":"[redacted]","n":1}`},
		{"JSON, spaced", `{"password" : "hunter two"}`, `{"password" : "[redacted]"}`},
		{"JSON, slash before the quote", `{"password":"hunter\\","n":1}`, `{"password":"[redacted]","n":1}`},
		{"JSON, number", `{"token":12345,"n":1}`, `{"token":[redacted],"n":1}`},
		{"JSON, list", `{"tokens":["a","b c"],"n":1}`, `{"tokens":[redacted],"n":1}`},
		{"JSON, object", `{"credentials":{"user":"x","p":{"a":"b"}},"n":1}`, `{"credentials":[redacted],"n":1}`},
		{"JSON, key with a space", `{"Api Key":"abc"}`, `{"Api Key":"[redacted]"}`},
		{"JSON, cut", `{"password":"hunter tw`, `{"password":"[redacted]`},
		{"JSON in JSON", `{"body":"{\"password\":\"hun \\\"ter\",\"n\":1}"}`, `{"body":"{\"password\":\"[redacted]\",\"n\":1}"}`},
		{"JSON in JSON in JSON", `"{\"b\":\"{\\\"password\\\":\\\"hun ter\\\",\\\"n\\\":1}\"}"`, `"{\"b\":\"{\\\"password\\\":\\\"[redacted]\\\",\\\"n\\\":1}\"}"`},
		{"in a JSON string", `{"msg":"login password=hunter2","n":1}`, `{"msg":"login password=[redacted]","n":1}`},
		{"in an escaped string", `{"msg":"{\"m\":\"password=hunter2\",\"n\":1}"}`, `{"msg":"{\"m\":\"password=[redacted]\",\"n\":1}"}`},
		{"go map", "map[password:hunter2 user:x]", "map[password:[redacted] user:x]"},
		{"go map, spaces", "map[password:my hunter two user:x]", "map[password:[redacted] user:x]"},
		{"go struct", "{Password:hunter2}", "{Password:[redacted]}"},
		{"go struct, spaces", "&{User:bob Password:correct horse}", "&{User:bob Password:[redacted]}"},
		{"go struct, nested", "{Conf:{User:bob Secret:map[a:b c:d]} X:1}", "{Conf:{User:bob Secret:[redacted]} X:1}"},
		{"go header", "map[Authorization:[Bearer abc] Cookie:[a=b; c=d] Host:[h]]", "map[Authorization:[redacted] Cookie:[redacted] Host:[h]]"},
		{"bearer, named apart", `{"name":"bearer","value":"a b"} <bearer>abc</bearer>`, `{"name":"bearer","value":"[redacted]"} <bearer>[redacted]</bearer>`},
		{"printed struct, a colon behind", "use {User:bob Password:correct horse}: refused, map[pwd:a b]: x, {pwd:a b c}…", "use {User:bob Password:[redacted]}: refused, map[pwd:[redacted]]: x, {pwd:[redacted]}…"},
		{"go syntax", `http.Header{"Authorization":[]string{"Bearer abc def"}, "A":1}`, `http.Header{"Authorization":[redacted], "A":1}`},
		{"dsn", "host=db password=abc user=x", "host=db password=[redacted] user=x"},
		{"dsn, semicolons", "Server=x;Password=abc;Database=y", "Server=x;Password=[redacted];Database=y"},
		{"azure", "AccountName=x;AccountKey=ab+/c==;EndpointSuffix=y", "AccountName=x;AccountKey=[redacted];EndpointSuffix=y"},
		{"closing signs within", "password=a,b;c)d]e}f&g user=x", "password=[redacted] user=x"},
		{"quotes within", `password=a"b'c user=x`, `password=[redacted] user=x`},
		{"apostrophe within quotes", `password='it's mine' user=x`, `password='[redacted]' user=x`},
		{"shell", "export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "export AWS_SECRET_ACCESS_KEY=[redacted]"},
		{"yaml", "password: hunter2\nuser: bob", "password: [redacted]\nuser: bob"},
		{"two words", "Api Key: abc, session id: 42x, pass phrase: x1", "Api Key: [redacted], session id: [redacted], pass phrase: [redacted]"},
		{"bold", "*Password:* hunter2 **Token**: abc", "*Password:* [redacted] **Token**: [redacted]"},
		{"header", "X-Api-Key: abc\r\nHost: h", "X-Api-Key: [redacted]\r\nHost: h"},
		{"cookie", "Host: h\nCookie: a=b; c=d e\nAccept: x", "Host: h\nCookie: [redacted]\nAccept: x"},
		{"cookie, set", "Set-Cookie: sid=abc; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\nX: y", "Set-Cookie: [redacted]\r\nX: y"},
		{"cookie, quoted value", `Cookie: a="b c"; d=e`, `Cookie: [redacted]`},
		{"cookie, in JSON", `{"req":"GET /\r\nCookie: a=b; c=d\r\nHost: h"}`, `{"req":"GET /\r\nCookie: [redacted]\r\nHost: h"}`},
		{"cookie, last in JSON", `{"req":"Cookie: a=b; c=d","n":1}`, `{"req":"Cookie: [redacted]","n":1}`},
		{"authorization", "Authorization: Bearer abc\nHost: h", "Authorization: Bearer [redacted]\nHost: h"},
		{"authorization, basic", "authorization: basic eA", "authorization: basic [redacted]"},
		{"authorization, equals", "authorization=Bearer abc123 x=1", "authorization=Bearer [redacted] x=1"},
		{"authorization, quoted", `"Authorization": "Bearer abc",`, `"Authorization": "[redacted]",`},
		{"authorization, digest", `Authorization: Digest username="bob", response="abc"` + "\nX: y", "Authorization: Digest [redacted]\nX: y"},
		{"authorization, digest in JSON", `{"h":"Authorization: Digest username=\"bob\", response=\"abc\"","n":1}`, `{"h":"Authorization: Digest [redacted]","n":1}`},
		{"authorization, aws", "Authorization: AWS4-HMAC-SHA256 Credential=x/y, SignedHeaders=host, Signature=abc", "Authorization: AWS4-HMAC-SHA256 [redacted]"},
		{"authorization, unknown", "Authorization: Acme abc123\nX: y", "Authorization: [redacted]\nX: y"},
		{"authorization, bare", "authorization: abc123 was sent to h", "authorization: [redacted] was sent to h"},
		{"token and scheme", "token=Bearer abc123 x", "token=[redacted] x"},
		{"key upon key", "secret=password: hunter2 x", "secret=[redacted] x"},
		{"xml", "<user>bob</user><Password>hunter two</Password>", "<user>bob</user><Password>[redacted]</Password>"},
		{"xml, name space and attribute", `<wsse:Password Type="#Text">hunter2</wsse:Password><a:Token>x</a:Token>`, `<wsse:Password Type="#Text">[redacted]</wsse:Password><a:Token>[redacted]</a:Token>`},
		{"name and value", `[{"name":"DB_PASSWORD","value":"hunter two"}] {Name:api_key Value:abc ValueFrom:nil}`, `[{"name":"DB_PASSWORD","value":"[redacted]"}] {Name:api_key Value:[redacted] ValueFrom:nil}`},
		{"name and value, escaped", `{\"Name\": \"DB_PASSWORD\", \"Value\": \"hunter two\"}`, `{\"Name\": \"DB_PASSWORD\", \"Value\": \"[redacted]\"}`},
		{"flags", "run --user bob --password hunter2 -token=abc -api-key abc", "run --user bob --password [redacted] -token=[redacted] -api-key [redacted]"},
		{"flags in a list", `["--password","hunter two","-v"] [--token abc]`, `["--password","[redacted]","-v"] [--token [redacted]]`},
		{"a word for a password", "invalid password: open", "invalid password: [redacted]"},
		{"error with a value", `invalid password: "hunter two"`, `invalid password: "[redacted]"`},
		{"is", "Password is: hunter2; incorrect API key provided: abc1; token received: abc1; the password was 'hunter 2'", "Password is: [redacted]; incorrect API key provided: [redacted]; token received: [redacted]; the password was '[redacted]'"},
		{"Java", "User(name=bob, password=correct horse, token=abc)", "User(name=bob, password=[redacted], token=[redacted])"},
		{"Java, braces", "User{password=correct horse}", "User{password=[redacted]}"},
		{"blank after the sign alone", "password= hunter2", "password= [redacted]"},
		{"ini, sign in the value", "password = a=b", "password = [redacted]"},
		{"words after one of no list", "with password=hunter2 and more) x", "with password=[redacted] and more) x"},
		{"sign after a closing sign", "password=a,=b x", "password=[redacted] x"},
		{"digits that go on", "pass=12ab tokens=12ab", "pass=[redacted] tokens=[redacted]"},
		{"quoted key of two words", `"my password": hunter2, "invalid password": "hunter2"`, `"my password": [redacted], "invalid password": "[redacted]"`},
		{"quoted word at the end of a line", "enter \"password\"\nuser: bob", ""},
		{"xml, no element", "<token <b>x</b>", ""},
		{"nothing in other languages", `password=NULL token=None secret=undefined pwd=unset {"name":"token","value":null}`, ""},
		{"padding", "password=a,b== x", "password=[redacted] x"},
		{"sign before a blank", "password=a,b: no", "password=[redacted] no"},
		{"escaped quotes alone", "password=%22a b%22&c=d", "password=%22[redacted]%22&c=d"},
		{"cookie, no pairs", "cookie: abc1 was sent", "cookie: [redacted] was sent"},
		{"authorization, padding", "authorization: abc1= was sent to h", "authorization: [redacted] was sent to h"},
		{"authorization, lists", "Authorization: Hawk id=\"a\", mac=\"b\"\nAuthorization: Signature keyId=\"a\",signature=\"b\"", "Authorization: Hawk [redacted]\nAuthorization: Signature [redacted]"},
		{"scheme at the end of a string", `{"m":"token=Bearer","n":"a b"}`, `{"m":"token=[redacted]","n":"a b"}`},
		{"scheme after a sign", "token=Basic eA== x", "token=[redacted] x"},
		{"in an attribute", `<a href="/x?token=abc">go</a> {"password=hunter2":1}`, `<a href="/x?token=[redacted]">go</a> {"password=[redacted]":1}`},
		{"before a tag", "password=abc;<br>", "password=[redacted];<br>"},
		{"escape within", `password=ab\ncd x`, `password=[redacted] x`},
		{"go struct, odd words", "{Password:a1 b2 User:c}", "{Password:[redacted] User:c}"},
		{"dots", "password....: hunter2.", "password....: [redacted]"},
		{"tabs", "password\t=\thunter2", "password\t=\t[redacted]"},
		{"no column", "token, and a=(b)", ""},
		{".env", "PASSWORD=correct horse\nHOST=h", "PASSWORD=[redacted]\nHOST=h"},
		{"xml, attributes", `<add key="ApiKey" value="abc"/><input name="password" value="hunter2">`, `<add key="ApiKey" value="[redacted]"/><input name="password" value="[redacted]">`},
		{"xml, named elsewhere", `<entry key="password">hunter2</entry><string name="api_key">abc1</string><a title="password">Forgot your password?</a>`, `<entry key="password">[redacted]</entry><string name="api_key">[redacted]</string><a title="password">Forgot your password?</a>`},
		{"insert", "INSERT INTO users (name, password) VALUES ('bob', 'hun)ter2'), ('ann', 'it''s'): timeout", "INSERT INTO users (name, password) VALUES ([redacted]): timeout"},
		{"insert, quoted", `{"sql":"insert into \"users\" (\"token\",\"n\")\tvalues\n\t('abc',1)","n":1}`, `{"sql":"insert into \"users\" (\"token\",\"n\")\tvalues\n\t([redacted])","n":1}`},
		{"insert, lines", "INSERT INTO users (name, password)\n  VALUES\n  ('bob', 'hunter2'),\n  ('ann', 'x')\nRETURNING id", "INSERT INTO users (name, password)\n  VALUES\n  ([redacted])\nRETURNING id"},
		{"insert, MySQL", `INSERT INTO users (name, password) VALUES ("bo'b", "hun)ter2"); x`, `INSERT INTO users (name, password) VALUES ([redacted]); x`},
		{"insert, MySQL escaped", `{"sql":"INSERT INTO t (token) VALUES (\"abc\")"}`, `{"sql":"INSERT INTO t (token) VALUES ([redacted])"}`},
		{"insert, cut", "INSERT INTO t (`token`) VALUES ('abc", "INSERT INTO t (`token`) VALUES ([redacted]"},
		{"insert of nothing", "INSERT INTO t (name, password) VALUES ($1, $2); INSERT INTO t (name) VALUES ('bob')", ""},
		{"insert of nothing, quoted", `"INSERT INTO t (name, password) VALUES ($1, $2)": "timeout"`, ""},
		{"xml, CDATA", "<password><![CDATA[hunter2]]></password>", "<password><![CDATA[[redacted]</password>"},
		{"part of a form", "name=\"password\"\r\n\r\nhunter2\r\n--x", "name=\"password\"\r\n\r\n[redacted]\r\n--x"},
		{"call", `WithPassword("hunter2")`, `WithPassword("[redacted]")`},
		{"what only looks like a token", "invalid token 'aB3dEf6hIj9lMn2p' api key aB3dEf6hIj9lMn2p bad", "invalid token '[redacted]' api key [redacted] bad"},
		{"doubled quote", "token: 'it''s mine' x", "token: '[redacted]' x"},
		{"name, no value", "{Name:DB_PASSWORD Value: ValueFrom:x}", ""},
		{"name and value, YAML", "- name: DB_PASSWORD\n  value: hunter2\n- name: a", "- name: DB_PASSWORD\n  value: [redacted]\n- name: a"},
		{"already", "password=[redacted] token: [redacted]", ""},
		{"already, and more", "password=[redacted]hunter2 x", "password=[redacted] x"},
		{"other languages", "비밀번호 password=hunter2 실패", "비밀번호 password=[redacted] 실패"},
		{"bad UTF-8", "\xffpassword=\xfe\xfd x\xff", "\xffpassword=[redacted] x\xff"},

		{"no value", "password= user=bob, password:, token=\nx", ""},
		{"nothing", `token=nil password:<nil> "secret":null has_password=true cookie: none`, ""},
		{"prose", "password is wrong; the secret is out; bad credentials for user bob; token expired", ""},
		{"lexer", "invalid token: expected ident; unexpected token: }", ""},
		{"lexer, brace", "unexpected token: { at line 3", ""},
		{"chain", "login: cannot fetch token: 401 Unauthorized", ""},
		{"chain on", "failed to refresh token: context deadline exceeded", ""},
		{"chain into a package", "parse token: json: cannot unmarshal", ""},
		{"chain to the end", "read secret: permission denied", ""},
		{"chain with a URL", `get token: Post "https://h/oauth": EOF`, ""},
		{"counts", "max_tokens=512 tokens_used: 12 token_count=3", ""},
		{"scope", "Token::Ident != token::Punct", ""},
		{"comparison", "if token != x && len(password)>=8", ""},
		{"reference", "secret://vault/path", ""},
		{"usage", "usage: login <password> <host>", ""},
		{"flags without", "flag needs an argument: --password", ""},
		{"flag prose", "--password is required", ""},
		{"plain", "order 41 of user=bob path=/a/b?page=2 took 3.2ms at 2026-01-02T15:04:05Z: dial tcp 10.0.0.1:5432: connect: connection refused", ""},
	})
}

// What databases, brokers, clouds, compilers and libraries say of secrets stays
// whole. In the file a line break within a text is ⏎.
func TestTextOfErrorsStays(t *testing.T) {
	b, err := os.ReadFile("testdata/errors.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(b)) {
		text := strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "⏎", "\n")
		assert.Equal(t, text, Text(text))
	}
}

// ordinary is text as a first alert has it, without a secret, of 200 bytes.
const ordinary = `order 8123 not shipped: query "select id from shipments where order_id=$1": dial tcp 10.20.30.40:5432: ` +
	`connect: connection refused (attempt 3, path=/api/v1/orders, took 12.5ms, user=anna; try again 4)`

func TestTextWithoutSecretCostsNothing(t *testing.T) {
	require.Len(t, ordinary, 200)
	require.Equal(t, ordinary, Text(ordinary))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = Text(ordinary) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = Key("x-request-header-id") }))
}

func TestTextWithSecretsAllocatesTwice(t *testing.T) {
	in := "dial postgres://app:hunter2@db/x with password=hunter2"
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = Text(in) }), 2.0)
}

// secrets of each kind, with what must not survive of them.
var secrets = []struct{ text, secret string }{
	{"password=%s", "hunter2x"},
	{"password: %s", "Hunter2x"},
	{`"api_key":"%s"`, "hun\\\" ter2x"},
	{`\"secret\":\"%s\"`, "hun ter2x"},
	{"map[token:%s user:x]", "hunter2x"},
	{"{Password:%s}", "hunter 2x"},
	{"?access_token=%s&a=b", "hunter2x"},
	{"Cookie: %s\n", "a=hunter; b=2x"},
	{"Authorization: Basic %s", "YTpi"},
	{"Bearer %s", "hunter2x"},
	{"postgres://app:%s@db/x", "h/u@n#t?er2x"},
	{"app:%s@tcp(db)/x", "h/u@n#t?er2x"},
	{"%s", jwt},
	{"%s", jwt[:30]},
	{"%s", "xoxb-123456789012-abcDEF"},
	{"%s", "xapp-1-A123-abc"},
	{"https://hooks.slack.com/services/%s", "T000/B000/XXXX"},
	{"%s", akia},
	{"%s", ghp},
	{"%s", "github_pat_11ABC0_abcDEF"},
	{"%s", "glpat-abcDEF12345"},
	{"%s", "sk_live_4eC39HqLyjWDarjt"},
	{"%s", "AIzaSyA1234567890abcdefghijklmnopqrstuv"},
	{"%s\n", pem},
	{"--password %s ", "hunter2x"},
	{"<token>%s</token>", "hunter 2x"},
	{"?a=token%%3D%s%%26b", "hunter2x"},
	{"\npassword: %s\n", "hunterx two"},
	{"\nsecret: |\n  %s\nx", "hunterx two\n  three"},
	{"Authorization: Token %s\n", "hunterx"},
	{`?b=c\u0026sig=%s\u0026d=e`, "hunter2x"},
	{"Key (a, token)=(%s)", "b, hunterx"},
	{"PASSWORD '%s'", "hunterx two"},
	{"%s", "hf" + "_" + "aB3cD4eF5gH6iJ7kL8mN9oP0qR1sT2uV3w"},
	{"%s", "SG" + ".aB3cD4eF5gH6iJ7kL8mN9o.P0qR1sT2uV3waB3cD4eF5gH6iJ7"},
}

func FuzzText(f *testing.F) {
	for _, s := range secrets {
		f.Add(fmt.Sprintf(s.text, s.secret), " x ", uint8(0))
	}
	for _, s := range []string{
		`password="a"b token='c' {"k":[1,{"token":`, `Cookie: [redacted]"a`, "authorization: a\"b c", `secret=&{a "b`, "api [redacted] key: x",
		"https://a[redacted]:x@h", "token%3D[redacted],b", `"[redacted]": x`, "password='[redacted]a'b", "token=a:@tcp(x)", "xoxb-1:x@tcp(",
	} {
		f.Add(s, s, uint8(len(s)))
	}
	f.Fuzz(func(t *testing.T, before, after string, pick uint8) {
		whole := before + after
		once := Text(whole)
		if twice := Text(once); twice != once {
			t.Fatalf("%q once\n%q twice\n%q", whole, once, twice)
		}
		if utf8.ValidString(whole) && !utf8.ValidString(once) {
			t.Fatalf("%q is no longer UTF-8: %q", whole, once)
		}
		if plain := strings.Map(bland, whole); Text(plain) != plain {
			t.Fatalf("%q has no secret, became %q", plain, Text(plain))
		}
		plant(t, around(before), around(after), int(pick)%len(secrets))
	})
}

// bland drops what every secret has one of: the sign between a key and its
// value, or one of Bearer, Basic and all makers' prefixes.
func bland(r rune) rune {
	if strings.ContainsRune(":=%>@/-_.aebxkAEBXK\"'`~V", r) {
		return -1
	}
	return r
}

// around leaves of s what can't open a quote, a bracket or a key before a
// secret, nor spell a part of one.
func around(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"'`\\[]{}()<>:=%@/&-_.,;", r) || r < 0x80 && is(byte(r), alnum) && !strings.ContainsRune("gmoqw ", r) {
			return -1
		}
		return r
	}, s)
}

func plant(t *testing.T, before, after string, n int) {
	t.Helper()
	s := secrets[n]
	in := before + " " + fmt.Sprintf(s.text, s.secret) + " " + after
	if out := Text(in); strings.Contains(out, s.secret) || !strings.Contains(out, Mark) {
		t.Fatalf("%q survives in %q", s.secret, out)
	}
}

// Every two kinds beside each other, in one text: no scanner hides another's
// secret from it.
func TestTextFindsAllOfSeveral(t *testing.T) {
	for i, a := range secrets {
		for _, b := range secrets[i:] {
			in := fmt.Sprintf(a.text, a.secret) + " and " + fmt.Sprintf(b.text, b.secret) + " end"
			out := Text(in)
			assert.NotContains(t, out, a.secret, in)
			assert.NotContains(t, out, b.secret, in)
			assert.Equal(t, out, Text(out), in)
		}
	}
}

// Random text out of the scanners' own signs finds more than random bytes.
func TestTextTwiceIsOnce(t *testing.T) {
	signs := []string{
		" ", " ", "\n", "\"", "'", "\\", "\\\"", "[", "]", "{", "}", "(", ")", ",", ";", "&", "=", ":", ": ", "://", "@", "@tcp(", "%3D", "%22", "%5D",
		"password", "token", "cookie", "authorization", "api key", "Bearer ", "basic ", "digest ", "YTpi", "xoxb-1", "eyJabcdefgh.", akia, ghp,
		"-----BEGIN PRIVATE KEY-----", "-----END ", "-----", "hooks.slack.com/services/", "/services/T0/B0/x", "--", "-", "<", ">", "</", "<token>",
		"a", "b=", "nil", "is", "expired", "401 ", "a:b", "\\n", "\\r", ".", "*", "_", Mark, "map", "&", "é", "\xff", "http", "p://",
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 40_000 {
		var b strings.Builder
		for range 2 + rnd.IntN(12) {
			b.WriteString(signs[rnd.IntN(len(signs))])
		}
		once := Text(b.String())
		require.Equal(t, once, Text(once), "%q", b.String())
	}
}

func BenchmarkText(b *testing.B) {
	for _, bm := range []struct{ name, in string }{
		{"clean200", ordinary},
		{"clean20", "order 8123 not found"},
		{"json200", `{"level":"INFO","order":8123,"user":{"id":41,"name":"anna"},"items":[{"sku":"A-1","n":2},{"sku":"B-2","n":1}],"total":"12.50","currency":"EUR","shipped":false,"address":{"city":"Wien","zip":"1010"}}`},
		{"url", "dial postgres://app:hunter2@db/x: connection refused"},
		{"pair", ordinary + " password=hunter2"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bm.in)))
			for b.Loop() {
				_ = Text(bm.in)
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for _, part := range []string{"://", "eyJ", "password=", "authorization: a b c ", "a:@tcp("} {
		in := strings.Repeat(part, 100_000/len(part))
		b.Run(part, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				_ = Text(in)
			}
		})
	}
}

func BenchmarkKey(b *testing.B) {
	for _, key := range []string{"user", "status_code", "request.header.accept", "password", "x-api-key", "aws_secret_access_key"} {
		b.Run(key, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = Key(key)
			}
		})
	}
}
