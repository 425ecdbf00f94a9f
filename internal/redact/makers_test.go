package redact

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A token of each row, put together here so that none stands in this file.
func TestMakers(t *testing.T) {
	bodies := map[class]string{hexc: "0a1b2c3d4e5f", upnum: "A1B2C3D4E5F6", alnum: "aB1cD2eF3gH4", tokenc: "aB1_cD2-eF3g", base64c: "aB1+cD2/eF3g", slackc: "aB1-cD2%eF3g", jwtc: "aB1.cD2-eF3g", hashc: "aB1$cD2/eF3g"}
	for _, row := range slices.Concat(prefixes[:]...) {
		t.Run(row.name, func(t *testing.T) {
			body := strings.Repeat(bodies[row.body], 10)[:row.least]
			token := row.name + strings.TrimSuffix(strings.TrimSuffix(body, "."), "-")
			token += bodies[row.body][:1]
			assert.Equal(t, "sent [redacted] to h", Text("sent "+token+" to h"))
			assert.Equal(t, `{"v":"[redacted]","n":1}`, Text(`{"v":"`+token+`","n":1}`))
			assert.Equal(t, "GET /a?v=[redacted]", Text("GET /a?v="+token))
			if row.least > 2 {
				short := "sent " + row.name + body[:row.least/2] + " to h"
				assert.Equal(t, short, Text(short))
			}
			if row.bound {
				assert.Equal(t, "sent x"+token+" to h", Text("sent x"+token+" to h"))
			}
		})
	}
}

func TestMakersRows(t *testing.T) {
	x := func(n int) string { return strings.Repeat("aB3", n)[:n] }
	check(t, []row{
		{"Telegram", "POST https://api.telegram.org/bot123456789:AA" + x(33) + "/sendMessage", "POST https://api.telegram.org/bot123456789[redacted]/sendMessage"},
		{"body that begins with a dash", "gl" + "pat--" + x(19) + " gl" + "pat-_" + x(19), "[redacted] [redacted]"},
		{"Discord's webhook", "https://discord.com/api/webhooks/1234567890123456789/" + x(68), "https://discord.com/[redacted]"},
		{"AWS", "session IQoJb3JpZ2luX2Vj" + x(60) + "+/== ended", "session [redacted] ended"},
		{"Fly", "use FlyV1 fm2_" + x(60) + ",fm2_" + x(60) + ", FlyV1 fo1_" + x(43), "use FlyV1 [redacted],[redacted], FlyV1 [redacted]"},

		{"lines and names", "sk-" + strings.Repeat("-", 60) + " key-value pattern path/to key-of-the-realm SKIP ACCESS SG.x hf_x", ""},
		{"commit", "at 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567 of pul-request", ""},
	})
}
