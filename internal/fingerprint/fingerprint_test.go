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
	assert.NotEqual(t, hash(strings.Repeat("a b ", 600)+"end c"), hash(strings.Repeat("a b ", 600)+"end d"))
}

func TestEqualInEveryProcess(t *testing.T) {
	assert.Equal(t, "b33bff7e058a9ff8", hash("user 41 not found").Hex())
}

// byTheByte is what Text does, worked out slowly: the literal parts between the
// signs, by words.
func byTheByte(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if isUUID(s, i) && strings.ContainsAny(s[i:i+lenUUID], "0123456789") {
			b.WriteByte(sign)
			i += lenUUID
			continue
		}
		end := i
		for end < len(s) && class[s[end]] != other {
			end++
		}
		w := s[i:end]
		switch all := strings.Trim(w, "0123456789abcdefABCDEF") == ""; {
		case end == i:
			b.WriteByte(s[i])
			end++
		case !strings.ContainsAny(w, "0123456789"):
			b.WriteString(w)
		case len(w) == 3 && strings.Trim(w, "0123456789") == "" && isStatus(s, i, end):
			b.WriteString(w)
		case all && len(w) >= minHex, len(w) > 2 && strings.EqualFold(w[:2], "0x"):
			b.WriteByte(sign)
		default:
			for j := 0; j < len(w); j++ {
				if class[w[j]] != digit {
					b.WriteByte(w[j])
				} else if j == 0 || class[w[j-1]] != digit {
					b.WriteByte(sign)
				}
			}
		}
		i = end
	}
	return b.String()
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
		parts := strings.Split(byTheByte(s), string(rune(sign)))
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
