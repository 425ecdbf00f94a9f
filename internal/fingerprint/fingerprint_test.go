package fingerprint

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func hash(s string) Hash { return New().Text(s) }

func TestTheSame(t *testing.T) {
	for _, c := range [][2]string{
		{"user 41 not found", "user 42 not found"},
		{"user 9 not found", "user 1000000 not found"},
		{"trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace 00f067aa0ba902b7aabbccddeeff0011"},
		{"id 550e8400-e29b-41d4-a716-446655440000 gone", "id 00000000-aaaa-bbbb-cccc-ddddeeeeffff gone"},
		{"at 0x7ffe12", "at 0xdeadbeef"},
		{"10.0.0.1:5432 refused", "192.168.1.20:80 refused"},
		{"took 1.5s", "took 12.25s"},
		{"pod shop-7d9f8b6c5d-x", "pod shop-5f6d7c8b9a-x"},
		{"ERR41", "ERR42"},
		{"naïve 1", "naïve 2"},
		{"StatusCode: 403, RequestID: 7XKF5PBJ0FS7M4ZS, api error", "StatusCode: 403, RequestID: 9GTRWQPLMNBVCX2Z, api error"},
		{"HostID: 2xVcvqJqKnUd1uzOdUTlY9Zl3Qb4ECk0YyM0QqYZ3G1q3w2w2l9RC6YGLPFt6ttkLnUWMnnTkxM=, x", "HostID: eftixk72aD6Ap51TnqcoF8eFidJG9Z/2mkiDFu8yU9AS1ed4OpIszj7UDNEHGran, x"},
		{"order 01ARZ3NDEKTSV4RRFFQ69G5FAV", "order 01BX5ZZKBKACTAV9WEVGEMMVRZ"},
		{"charge ch_3MqLiJLkdIwHu7ix0snN0B15", "charge ch_1JZpYz2eZvKYlo2CkX0aBcDe"},
		{"user_550e8400-e29b-41d4-a716-446655440000", "user_aaaaaaaa-e29b-41d4-a716-aaaaaaaaaaaa"},
		{`pods "shop-7d9f8b6c5d-x2k4p" not found`, `pods "shop-5f6d7c8b9a-qwzrt" not found`},
		{`pods "shop-bcdfghjklm-x2kp4" not found`, `pods "shop-bcdfghjklm-9lmnb" not found`},
		{"token is expired by 5m3s", "token is expired by 59.2s"},
		{"took 250µs", "took 1m30.5s"},
		{"size 1.5MiB", "size 512KiB"},
		{"balance 1,234.56", "balance 12"},
		{"value 1.234567e+06", "value 41"},
		{"at 2024-01-02T03:04:05Z", "at 2024-11-12T13:14:15.123456Z"},
		{"at 03:04:05", "at 13:14:15.5"},
		{"dial tcp [2001:db8::1]:443", "dial tcp [fe80:db8:85a3::8a2e:370:7334]:443"},
		{"from 00:1a:2b:3c:4d:5e", "from 1a:aa:bb:cc:dd:ee"},
		{"Duplicate entry 'bob.x@mail.example.com' for key", "Duplicate entry 'ann2@example.org' for key"},
		{"ids [1,2,3]", "ids [41]"},
	} {
		assert.Equal(t, hash(c[0]), hash(c[1]), c)
	}
}

func TestNotTheSame(t *testing.T) {
	for _, c := range [][2]string{
		{"timeout", "refused"},
		{"user not found", "user 1 not found"},
		{"decade", "facade"}, // hexadecimal by chance
		{"e2e failed", "b2b failed"},
		{"a", "a "},
		{"", "1"},
		{"naïve", "naive"},
		{"1 of x", "x of 1"},
		{"/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV/pay", "/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV/refund"},
		{"https://api.example.com/v1/Accounts/4/Messages/send", "https://api.example.com/v1/Accounts/4/Calls/send"},
		{"read /srv/Images/2024/summer/holiday/album/first", "read /srv/Images/2024/summer/holiday/album/other"},
		{"operation error S3: ListObjectsV2", "operation error S3: ListBucketsV2"},
		{"OAuth2TokenSource failed", "OAuth2ClientError failed"},
		{"3DS authentication failed", "2FA authentication failed"},
		{"sha256:12 of a", "sha512:a of a"},
		{"a.go:12:5: x", "b.go:12:5: x"},
		{"left-pad@1.3.0 missing", "right-pad@1.3.0 missing"},
		{"@alice at work", "@carol at work"},
		{"AADSTS7000215: x", "AADERR7000215: x"},
	} {
		assert.NotEqual(t, hash(c[0]), hash(c[1]), c)
	}
	assert.NotEqual(t, New().Text("a").Text("b"), New().Text("ab").Text(""))
	assert.NotEqual(t, hash("1"), hash("\x1a"), "a sign that was logged")
	assert.NotEqual(t, New().String("1"), New().String("2"), "String takes it as it is")
	assert.NotEqual(t, New().Uint(1), New().Uint(2))
}

func TestAStatusStays(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"answered 503", "answered 401", false},
		{"status 503", "status 500", false},
		{"Status: 503", "Status: 500", false},
		{"status=503 in", "status=500 in", false},
		{`{"status":503}`, `{"status":500}`, false},
		{"http_status=503", "http_status=500", false},
		{"statusCode: 503", "statusCode: 500", false},
		{"HTTPStatus 503", "HTTPStatus 500", false},
		{"status code (503)", "status code (500)", false},
		{"HTTP 503", "HTTP 429", false},
		{"HTTP/1.1 503 x", "HTTP/1.1 500 x", false},
		{"http/2 503 x", "http/2 500 x", false},
		{"error code: 100", "error code: 599", false},
		{"order 7: status 503", "order 8: status 500", false},
		{"order 7: status 503", "order 8: status 503", true},
		{"status 503 of order 7", "status 503 of order 81", true},
		{"status 600", "status 700", true},
		{"status 099", "status 050", true},
		{"status 1503", "status 1500", true},
		{"status 503.5", "status 500.5", true},
		{"answered 192.168.0.1:80", "answered 127.0.0.1:81", true},
		{"code 404-1", "code 405-1", true},
		{"code 404-", "code 405-", false},
		{"googleapi: Error 403: Forbidden, x", "googleapi: Error 404: Forbidden, x", false},
		{"request failed with 404", "request failed with 500", false},
		{"server returned 503 Service Unavailable", "server returned 404 Service Unavailable", false},
		{"query returned 120 rows", "query returned 503 rows", true},
		{"batch failed with 117 errors", "batch failed with 404 errors", true},
		{"order 503", "order 500", true},
		{"barcode 503", "barcode 500", true},
		{"1.1 503", "1.1 500", true},
		{"xhttp/1.1 503", "xhttp/1.1 500", true},
		{"code503", "code500", true},
		{"503", "500", true},
	} {
		assert.Equal(t, c.same, hash(c.a) == hash(c.b), "%q %q", c.a, c.b)
	}
}

func TestOfALongTextStartAndEndCount(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	assert.NotEqual(t, hash("a"+long), hash("b"+long))
	assert.NotEqual(t, hash(long+"a"), hash(long+"b"))
	assert.Equal(t, hash(long+"a"+long), hash(long+"b"+long))
	for n := range 500 { // an id of any length, wherever the middle begins and ends
		words := strings.Repeat("frame of a stack, ", 110) + strings.Repeat("y", n)
		assert.Equal(t, hash("id 1 "+words+" at 2 "+words+" line 3 "+words), hash("id 100000 "+words+" at 0xabcdef "+words+" line 33 "+words), n)
	}
	for _, unit := range []string{"1", "1.", "1e-", "1:"} { // however long it is, so much is looked at
		_, end := New().text(strings.Repeat(unit, 100_000), 0, false, reach)
		assert.LessOrEqual(t, end, 4*reach, "%q", unit)
	}
	assert.NotEqual(t, hash(strings.Repeat("a b ", 600)+"end c"), hash(strings.Repeat("a b ", 600)+"end d"))
}

func TestEqualInEveryProcess(t *testing.T) {
	assert.Equal(t, "b33bff7e058a9ff8", hash("user 41 not found").Hex())
}

// byTheByte is what Text does, worked out slowly: what stands between the signs.
func byTheByte(s string) (parts []string) {
	from := 0
	for i := 0; i < len(s); {
		begin, end := nextMail(s, i)
		if begin != i {
			begin, end = i+1, i+1
			if class[s[i]]&digit != 0 {
				begin, end = number(s, from, i)
			}
		}
		if begin < end {
			parts, from = append(parts, s[from:begin]), end
		}
		i = end
	}
	return append(parts, s[from:])
}

func FuzzTextIsWhatItReads(f *testing.F) {
	for _, s := range []string{"user 41", "abcdef12-abcd-abcd-abcd-abcdefabcdef", "abcdefab-abcd-abcd-abcd-abcdefabcde1 x", "x7abcdef12 status 503 e2e", "0x1 0X 12345678", "a1b2c3d4e5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > reach || strings.IndexByte(s, sign) >= 0 {
			return
		}
		want := New()
		parts := byTheByte(s)
		for _, p := range parts[:len(parts)-1] {
			want = want.String(p).Uint(sign)
		}
		if want = want.String(parts[len(parts)-1]); want != hash(s) {
			t.Errorf("%q isn't read as %q", s, parts)
		}
	})
}

func TestIsHex(t *testing.T) {
	for b := range 256 {
		for at := range 8 {
			x := load64("0afA9F1c")&^(0xFF<<(8*at)) | uint64(b)<<(8*at)
			assert.Equal(t, class[b]&(digit|hexa) != 0, isHex(x), "%q at %d", byte(b), at)
		}
	}
}

// Where one text ends and the next begins can't be taken for another place, also
// where of a long one only start and end count.
func TestTextsKeepTheirPlace(t *testing.T) {
	long := strings.Repeat("x", reach)
	seen := map[Hash]string{}
	for _, texts := range [][2]string{
		{"a 1", ""}, {"a ", ""}, {"", "a 1"}, {"a 1 b", "c"}, {"a ", " b"}, {"a", "1 b"}, {"a1", "b"},
		{long + "y", "z"}, {long, "yz"}, {long, "y"}, {long + "y", ""}, {long + "yz", ""},
	} {
		h := New().Text(texts[0]).Text(texts[1])
		assert.Empty(t, seen[h], "%q", texts)
		seen[h] = texts[0] + "|" + texts[1]
	}
}

func TestOwnTexts(t *testing.T) {
	long := strings.Repeat("é", 200)
	assert.Equal(t, "pay", Own("pay"))
	for _, c := range [][2]string{{long + "a", long + "b"}, {long, long + "é"}, {"0000000000000001", "0000000000000002"}, {"a", "b"}, {"", "a"}} {
		a, b := Own(c[0]), Own(c[1])
		assert.NotEqual(t, a, b)
		assert.NotEqual(t, Parse(a), Parse(b))
		assert.LessOrEqual(t, len(a), MaxText)
		assert.True(t, utf8.ValidString(a))
		assert.Equal(t, a, Own(a))
	}
	for _, h := range []Hash{0, 1, hash("x"), 1<<64 - 1} {
		assert.Equal(t, h, Parse(h.Hex()))
	}
	assert.Equal(t, New().String("+000000000000001"), Parse("+000000000000001"))
	assert.Equal(t, New().String("000000000000000A"), Parse("000000000000000A"))
	assert.NotEqual(t, hash("x").In("a"), hash("x").In("b"))
}

// What a code and its own fingerprint make alike, or two that are swapped, or
// levels far apart, must not meet.
func TestPartsKeepTheirPlace(t *testing.T) {
	seen := map[Hash]string{}
	add := func(what string, h Hash) {
		assert.Empty(t, seen[h], "%s", what)
		seen[h] = what
	}
	for _, a := range []string{"", "a", "b", "ab", "ba"} {
		for _, b := range []string{"", "a", "b", "ab", "ba"} {
			add(a+"|"+b, New().String(a).String(b))
		}
	}
	for _, n := range []uint64{0, 1, 1 << 16, 1 << 32, 1 << 48, 1<<64 - 4} {
		add(fmt.Sprint(n), New().Uint(n))
	}
}

func TestSources(t *testing.T) {
	var s, other Sources
	pcs := make([]uintptr, 2)
	here := func(pc []uintptr) { runtime.Callers(2, pc) }
	for range func(yield func() bool) { here(pcs[:1]); here(pcs[1:]) } {
	}
	require.NotEqual(t, pcs[0], pcs[1])
	assert.Equal(t, s.Of(pcs[0]), s.Of(pcs[0]))
	assert.Equal(t, s.Of(pcs[0]), other.Of(pcs[0]))
	assert.Equal(t, s.Of(pcs[0]), s.Of(pcs[1]), "one line, whatever its PC")
	assert.NotEqual(t, s.Of(pcs[0]), s.Of(0))
	for pc := range uintptr(5000) { // more than it remembers
		s.Of(pc)
	}
	assert.Equal(t, other.Of(pcs[0]), s.Of(pcs[0]))
	assert.Zero(t, testing.AllocsPerRun(100, func() { s.Of(pcs[0]) }))
}

func FuzzNumbersDoNotMatter(f *testing.F) {
	f.Add("user ", " not found", uint64(41), uint64(42))
	f.Fuzz(func(t *testing.T, before, after string, m, n uint64) {
		if len(before)+len(after) > reach/2 {
			return
		}
		// Between spaces, or the neighbours would be part of the word.
		text := func(n uint64) string { return before + " " + itoa(n) + " " + after }
		if hash(text(m)) != hash(text(n)) {
			t.Errorf("%q and %q are not the same", text(m), text(n))
		}
	})
}

func itoa(n uint64) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func BenchmarkText(b *testing.B) {
	for _, c := range []struct{ name, s string }{
		{"plain", "payment of the order failed: dial tcp localhost: connection refused"},
		{"ids", "payment of order 8ac3f1 failed: dial tcp 10.0.0.1:5432: connection refused"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.s)))
			b.ReportAllocs()
			for b.Loop() {
				hash(c.s)
			}
		})
	}
}
