package capture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each of these masks itself in its own way.
type (
	byString  string
	byFormat  struct{ V string }
	byLog     struct{ V string }
	byGroup   struct{ V string }
	byText    struct{ V string }
	byJSON    struct{ V string }
	byPointer struct{ V string }
	failing   struct{ V string }
	panicking struct{ V string }
	endless   struct{ V string }
)

func (byString) String() string             { return "***" }
func (byFormat) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "***") }
func (byLog) LogValue() slog.Value          { return slog.StringValue("***") }
func (byGroup) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("n", 1), slog.Any("v", byString("x")))
}
func (byText) MarshalText() ([]byte, error)  { return []byte("***"), nil }
func (byJSON) MarshalJSON() ([]byte, error)  { return []byte(`{"v": "***"}`), nil }
func (*byPointer) String() string            { return "***" }
func (failing) MarshalJSON() ([]byte, error) { return nil, io.EOF }
func (panicking) String() string             { panic("no text") }
func (e endless) LogValue() slog.Value       { return slog.AnyValue([]any{&e}) }

type Embedded struct {
	A, B int
}

// sameNames has fields of Embedded's names, called otherwise in JSON; Same has not.
type sameNames struct {
	A int `json:"a"`
	B int `json:"b"`
}

type Same struct{ A int }

type around struct {
	*around
	N int
}

type node struct {
	Name string
	Next *node
}

func TestPrinted(t *testing.T) {
	const secret = "hunter2"
	cycle := &node{Name: "a"}
	cycle.Next = cycle
	inMap := map[string]any{"a": 1}
	inMap["self"] = inMap
	round := &around{N: 1}
	round.around = round
	var deep any = 1
	for range 20 {
		deep = []any{deep}
	}
	for _, c := range []struct {
		name string
		in   any
		want string
	}{
		{"String", struct{ V byString }{secret}, `{"V":"***"}`},
		{"String of an element", []byString{secret}, `["***"]`},
		{"String of a map's value", map[string]byString{"k": secret}, `{"k":"***"}`},
		{"String of a map's key", map[byString]int{secret: 1}, `{"***":1}`},
		{"Format", struct{ V byFormat }{byFormat{secret}}, `{"V":"***"}`},
		{"Format at the top", byFormat{secret}, `***`},
		{"LogValue", struct{ V any }{byLog{secret}}, `{"V":"***"}`},
		{"LogValue, a group", []byGroup{{secret}}, `[{"n":1,"v":"***"}]`},
		{"MarshalText", struct{ V *byText }{&byText{secret}}, `{"V":"***"}`},
		{"MarshalJSON", struct{ V byJSON }{byJSON{secret}}, `{"V":{"v":"***"}}`},
		{"a pointer's method, of a value", struct{ V byPointer }{byPointer{secret}}, `{"V":"***"}`},
		{"an embedded one", struct {
			byFormat
			N int
		}{byFormat{secret}, 1}, `***`},
		{"an error", struct{ Err error }{io.EOF}, `{"Err":"EOF"}`},
		{"a duration", struct{ D time.Duration }{1500 * time.Millisecond}, `{"D":"1.5s"}`},
		{"a time", struct{ T time.Time }{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, `{"T":"2026-01-02T03:04:05Z"}`},
		{"a URL", struct{ U *url.URL }{&url.URL{Scheme: "https", Host: "h"}}, `{"U":"https://h"}`},
		{"raw JSON", struct{ R json.RawMessage }{json.RawMessage("{\n \"a\": 1}")}, `{"R":{"a":1}}`},
		{"fails", []failing{{secret}}, `["!ERROR: EOF"]`},
		{"panics", []panicking{{secret}}, `["!PANIC: no text"]`},
		{"names", struct {
			A, b int
			C    int    `json:"c"`
			D    string `json:"-"`
			E    string `json:",omitempty"`
			F    *int   `json:"f,omitzero"`
			Embedded
			*node
		}{A: 1, C: 2, D: secret, Embedded: Embedded{3, 4}}, `{"A":1,"c":2,"B":4}`},
		{"one that hides an embedded one's, left out", struct {
			Embedded
			Masked *int `json:"A,omitempty"`
		}{Embedded: Embedded{3, 4}}, `{"B":4}`},
		{"embedded under other names", struct {
			Embedded
			sameNames
			A int `json:"own"`
		}{Embedded: Embedded{3, 4}, sameNames: sameNames{5, 6}, A: 1}, `{"own":1,"A":3,"B":4,"a":5,"b":6}`},
		{"embedded twice", struct {
			Embedded
			Same
		}{Embedded{3, 4}, Same{5}}, `{"A":3,"B":4}`},
		{"embedded without end", round, `{"N":1}`},
		{"embedded under a name", struct {
			Embedded `json:"e"`
			A        int
		}{Embedded{3, 4}, 1}, `{"e":{"A":3,"B":4},"A":1}`},
		{"kinds", []any{true, -1, uint8(2), 1.5, 1e30, float32(0.1), "a\n<b>", nil, (*int)(nil), math.Inf(1), 1 + 2i}, `[true,-1,2,1.5,1e+30,0.1,"a\n<b>",null,null,+Inf,(1+2i)]`},
		{"a string kind", bytesKind("a\"b"), `a"b`},
		{"bytes", struct{ B, C []byte }{[]byte("text"), []byte{0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa}}, `{"B":"text","C":"(6 bytes)"}`},
		{"sorted", map[int]string{2: "b", 1: "a"}, `{"1":"a","2":"b"}`},
		{"array", [2]int{1, 2}, `[1,2]`},
		{"function", struct{ F func(int) }{func(int) {}}, `{"F":"func(int)"}`},
		{"contains itself", cycle, `{"Name":"a","Next":"…"}`},
		{"map contains itself", inMap, `{"a":1,"self":"…"}`},
		{"deep", deep, `[[[[[[[[["…"]]]]]]]]]`},
		{"LogValue without end", endless{}, `[[[[[[[["…"]]]]]]]]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Value(Resolve(slog.AnyValue(c.in)))
			if c.name == "LogValue without end" {
				assert.Less(t, len(got), 100)
				return
			}
			assert.Equal(t, c.want, got)
		})
	}
}

type bytesKind string

// What a printer writes of plain values is what JSON is.
func TestPrintedIsJSON(t *testing.T) {
	type inner struct {
		Name  string `json:"name"`
		Price float64
		Tags  []string
	}
	in := map[string]any{"a": []inner{{"x<y>", 1.25, []string{"é", "\x00"}}, {}}, "b": map[string]*inner{"k": nil}, "c": [3]bool{true}, "big": 1e21, "small": 1e-7}
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	require.NoError(t, enc.Encode(in))
	got, more := printed(in, 1<<20)
	assert.JSONEq(t, want.String(), got)
	assert.False(t, more)
}

// A value is not built whole before it is cut, whatever it is big in.
func TestPrintedIsBounded(t *testing.T) {
	const n = 1 << 17
	big := map[string]int{}
	for i := range n {
		big[fmt.Sprint("key", i)] = i
	}
	for _, c := range []struct {
		name string
		in   any
	}{
		{"string", []string{strings.Repeat("x", 64<<20)}},
		{"bytes", struct{ B []byte }{make([]byte, 64<<20)}},
		{"elements", make([]struct{}, n)},
		{"pointers", make([]*node, n)},
		{"map", big},
		{"slices of slices", lists(n)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s, more := printed(c.in, window)
			runtime.ReadMemStats(&after)
			assert.True(t, more)
			assert.Len(t, s, window)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
		})
	}
}

func lists(n int) (all [][]int) {
	for range n {
		all = append(all, []int{1, 2})
	}
	return all
}
