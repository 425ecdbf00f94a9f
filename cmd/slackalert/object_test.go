package main

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
)

// same holds a value to what encoding/json makes of it.
func same(t *testing.T, raw json.RawMessage, v slog.Value) {
	switch raw[0] {
	case '{':
		var want map[string]json.RawMessage
		assert.NoError(t, json.Unmarshal(raw, &want))
		assert.Len(t, v.Group(), len(want), "%s", raw)
		for _, a := range v.Group() {
			same(t, want[a.Key], a.Value)
		}
	case '"':
		var want string
		assert.NoError(t, json.Unmarshal(raw, &want))
		assert.Equal(t, want, v.Any())
	case 'n':
		assert.Nil(t, v.Any())
	default:
		assert.Equal(t, string(raw), v.String())
	}
}

// What is read is what encoding/json reads, wherever a line ends and whatever
// sign of it becomes another.
func TestReadObject(t *testing.T) {
	const line = ` {"a": "x\"\u00e9é}{", "b" :{"c":[1,{"d":"]"}],"e":{"x":1.50}} ,"f":-1.5,"n":12,"g":true, "h":null,"i":"" } `
	texts := []string{line, "{}", ""}
	for i := range line {
		for _, sign := range []string{"", `"`, `\`, "{", "}", "]", ",", ":", "0", " ", "\x00", "\xff"} {
			texts = append(texts, line[:i]+sign, line[:i]+sign+line[i:], line[:i]+sign+line[i+1:])
		}
	}
	for _, text := range texts {
		var want map[string]json.RawMessage
		all, ok := readObject([]byte(text), true)
		if assert.Equal(t, json.Unmarshal([]byte(text), &want) == nil, ok, "%q", text) && ok {
			same(t, json.RawMessage(text[len(text)-len(unblank([]byte(text))):]), slog.GroupValue(all...))
		}
	}
}

// Of a line that was cut counts what stands before the cut.
func TestReadObjectThatWasCut(t *testing.T) {
	for text, want := range map[string]int{
		`{"a":"x","b":12`: 1, `{"a":"x","b":"y`: 1, `{"a":"x","b":{"c":1,`: 1, `{"a":"x",`: 1, `{"a":"x"`: 0, `{"a`: 0, `{`: 0, `["a",`: 0, "x": 0,
	} {
		all, ok := readObject([]byte(text), false)
		assert.Len(t, all, want, text)
		assert.Equal(t, want > 0, ok, text)
	}
}
