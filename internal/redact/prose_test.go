package redact

import "testing"

// What follows a key without quotes: a secret, or a sentence that goes on.
func TestTextProse(t *testing.T) {
	check(t, []row{
		{"file and line", "panic in token.go:142: nil map", ""},
		{"more files and lines", "cookie.go:88 src/password.go:7:12 Token.java:142 (secret_test.py:3)", ""},
		{"file and cause", "open /etc/app/secret.yaml: no such file; parse credentials.json: bad", ""},
		{"file without a name", "token.x1: hunter2", "token.x1: [redacted]"},
		{"request that failed", `Post "https://h.example/oauth/token": dial tcp 10.0.0.1:443: connect: connection refused`, ""},
		{"request that failed, query", `Get "https://h/login?cookie": EOF; Get "https://h/?x=token": 503`, ""},
		{"request that failed, escaped", `{"error":"Post \"https://h/token\": dial tcp 10.0.0.1:443"}`, ""},
		{"address without quotes", "post https://h/token: abc1 tcp", ""},
		{"path", "open /run/secrets/token: ENOENT2", ""},
		{"key with a path", `{"vault.io/token":"abc def","n":1}`, `{"vault.io/token":"[redacted]","n":1}`},
		{"annotation", "vault.io/token: abc1", "vault.io/token: [redacted]"},
		{"cause", "fetch token: vault sealed", ""},
		{"cause with a colon", "fetch token: vault: sealed", ""},
		{"cause, one word", "fetch token: sealed", ""},
		{"cause in capitals", "fetch token: EOF; refresh token: NOT_FOUND here; get token: Unauthorized", ""},
		{"cause, package", "fetch token: google.golang.org/api: sealed; verify token: pkcs12: bad", ""},
		{"cause, status", "fetch token: 401", ""},
		{"cause, hyphen", "fetch token: re-auth needed", ""},
		{"secret's cause", "read secret: vault sealed; unwrap private key: timeout", ""},
		{"validation", "password: must be longer, token: is required", ""},
		{"validation, chain", "password: bcrypt: hash mismatch", ""},
		{"cause, exception", "get secret: ResourceNotFoundException: Secrets Manager can't find it; read token: java.io.IOException: closed", ""},
		{"cause behind a name", "secret: shop/db not found", ""},
		{"cause of a cookie", "read cookie: securecookie: the value is not valid; set-cookie: disabled here", ""},
		{"lexer", `unexpected token: ")" at line 3; unexpected token: <EOF>; unexpected token: ident`, ""},
		{"lexer, cut", `unexpected token: "`, ""},
		{"MySQL", "Error 1045: Access denied for user 'app'@'10.0.0.1' (using password: YES), (using password: NO)", ""},
		{"quoted name", `MountVolume.SetUp failed for volume "token": references non-existent secret key: ca.crt`, ""},
		{"more validation", "Password: String length must be 8; password: min 8 characters; login: password: incorrect; wrong password: 3 attempts left", ""},
		{"counts", `tokens: 1532 in, 88 out {"tokens":1532,"n":1} tokens=1532`, ""},
		{"place holders", "UPDATE users SET token = $1, password=? WHERE secret = $2", ""},
		{"no place holder", "password=$ecret token=?x", "password=[redacted] token=[redacted]"},
		{"SQL", "ALTER USER bob WITH PASSWORD 'hunter 2'; bad password \"hunter2\"", "ALTER USER bob WITH PASSWORD '[redacted]'; bad password \"[redacted]\""},
		{"SQL, MySQL's", "CREATE USER 'bob'@'%' IDENTIFIED BY 'hunter2'", "CREATE USER 'bob'@'%' IDENTIFIED BY '[redacted]'"},
		{"SQL, MySQL's with a plugin", "ALTER USER bob IDENTIFIED WITH mysql_native_password BY 'hunter2'", "ALTER USER bob IDENTIFIED WITH mysql_native_password BY '[redacted]'"},
		{"a quote that ends", `{"msg":"enter password ","n":1}`, ""},
		{"digit", "fetch token: abc1 was bad", "fetch token: [redacted] was bad"},
		{"both cases", "fetch token: abCd was bad", "fetch token: [redacted] was bad"},
		{"both cases, capitals first", "fetch token: ABcd was bad", "fetch token: [redacted] was bad"},
		{"long", "fetch token: abcdefghijklmnop was bad", "fetch token: [redacted] was bad"},
		{"sign", "fetch token: ab+cd was bad", "fetch token: [redacted] was bad"},
		{"long, then words", "token: abcdefghijklmnop expired at noon", "token: [redacted] expired at noon"},
		{"begins with a dash", "fetch token: -abc1 _abc1 x; token: _abc1", "fetch token: [redacted] _abc1 x; token: [redacted]"},

		{"several words", "password: correct horse battery staple", "password: [redacted]"},
		{"several words on a line", "user: bob\npassword: correct horse battery staple\nhost: h", "user: bob\npassword: [redacted]\nhost: h"},
		{"several words, then a key", "password: correct horse user: bob", "password: [redacted] user: bob"},
		{"several words, then a comma", "bob with password: correct horse, from h", "bob with password: [redacted], from h"},
		{"several words in JSON", `{"m":"password: correct horse battery","n":1}`, `{"m":"password: [redacted]","n":1}`},
		{"several words, escaped break", `{"m":"password: correct horse\nuser: bob"}`, `{"m":"password: [redacted]\nuser: bob"}`},
		{"several words, ini", "user = bob\npassword = correct horse\nhost = h", "user = bob\npassword = [redacted]\nhost = h"},
		{"short", "Api Key: abc, token: abc", "Api Key: [redacted], token: [redacted]"},
		{"quoted key in YAML", `"password": hunter2`, `"password": [redacted]`},
		{"object on lines", "\"credentials\": {\n \"user\": \"x\"\n}", "\"credentials\": [redacted]"},
		{"object", `"credentials": {"user": "x"}`, `"credentials": [redacted]`},
		{"capitals", "Passphrase: Correct Horse Battery", "Passphrase: [redacted]"},
		{"words after a secret of one", "login with password: hunter2 failed", "login with password: [redacted] failed"},

		{"YAML", "user: bob\npassword: |\n  correct horse\n\n  battery\nhost: h", "user: bob\npassword: |\n  [redacted]\nhost: h"},
		{"YAML, folded and deeper", "a:\n  - secret: >-\n      correct\n      horse\n    host: h", "a:\n  - secret: >-\n      [redacted]\n    host: h"},
		{"YAML at the end", "token: |2\n  correct horse", "token: |2\n  [redacted]"},
		{"YAML in JSON", `{"b":"user: bob\npassword: |\n  correct horse\nhost: h"}`, `{"b":"user: bob\npassword: |\n  [redacted]\nhost: h"}`},
		{"YAML list", "tokens:\n  - abc1\n  - def2\nhost: h", "tokens:\n  - [redacted]\nhost: h"},
		{"YAML list, not indented", "tokens:\n- abc1\n- def2\nhost: h", "tokens:\n- [redacted]\nhost: h"},
		{"YAML, next line", "db:\n  password:\n    hunter2\n  host: h", "db:\n  password:\n    [redacted]\n  host: h"},
		{"list of what is wrong", "password:\n - too short\n - no digit", ""},
		{"stack", "bad credentials:\n\tat a.go:12\n\tat b.go:3", ""},
	})
}

func TestTextHeader(t *testing.T) {
	check(t, []row{
		{"token", "Authorization: Token abcdef", "Authorization: Token [redacted]"},
		{"oauth", "Authorization: OAuth abcdef ghi\nX: y", "Authorization: OAuth [redacted]\nX: y"},
		{"key", "authorization: Key abcdef", "authorization: Key [redacted]"},
		{"jwt", "Authorization: JWT abc.def", "Authorization: JWT [redacted]"},
		{"secret", "Proxy-Authorization: Secret abcdef\r\nX: y", "Proxy-Authorization: Secret [redacted]\r\nX: y"},
		{"token, Rails", `Authorization: Token token="abcdef"`, `Authorization: Token [redacted]`},
		{"in JSON", `{"h":"Authorization: Token abcdef","n":1}`, `{"h":"Authorization: Token [redacted]","n":1}`},
		{"looks like prose", "Authorization: Token the1", "Authorization: Token [redacted]"},

		{"prose", "authorization: token expired; authorization: token is missing", ""},
		{"prose, key", "authorization: key not found", ""},
	})
}

// Keys that other signs stand before or around.
func TestTextSurroundings(t *testing.T) {
	check(t, []row{
		{"Go's JSON", `{"u":"https://b/c?sv=1\u0026sig=aB%2Bc\u0026se=1"}`, `{"u":"https://b/c?sv=1\u0026sig=[redacted]\u0026se=1"}`},
		{"Go's JSON, long key", `?a=1\u0026access_token=abc\u0026b=2`, `?a=1\u0026access_token=[redacted]\u0026b=2`},
		{"after an escaped break", `a\npw=abc\tsig=def`, `a\npw=[redacted]\tsig=[redacted]`},
		{"after an escaped ampersand", "a=b%26sig=abc", "a=b%26sig=[redacted]"},
		{"row of a database", `duplicate key value (SQLSTATE 23505): Key (token)=(abc def) already exists.`, `duplicate key value (SQLSTATE 23505): Key (token)=[redacted] already exists.`},
		{"row, several columns", `Key (email, api_token, n)=(a@b, abc, 1) is bad`, `Key (email, api_token, n)=[redacted] is bad`},
		{"row, first column", `Key (session_id, n)=(abc, 1) is bad`, `Key (session_id, n)=[redacted] is bad`},
		{"row, expression", `Key (lower(api_token::text))=(abc) is bad`, `Key (lower(api_token::text))=[redacted] is bad`},
		{"row, quoted column", `Key ("apiToken")=(abc) is bad`, `Key ("apiToken")=[redacted] is bad`},
		{"row, MySQL", "Error 1062 (23000): Duplicate entry 'a'b 1' for key 'users.api_token'", "Error 1062 (23000): Duplicate entry '[redacted]' for key 'users.api_token'"},
		{"row without a secret, MySQL", "Duplicate entry 'a@b' for key 'users.email', Duplicate entry 'x' for token", ""},
		{"row without a secret", "Key (email)=(a@b) already exists.", ""},
		{"comparison", "if len(password)==8", ""},
		{"flag before a value with a dash", "run --token -abc1defghijklmnopq --v", "run --token [redacted] --v"},
		{"flag before a flag", "run --token -v", ""},
	})
}
