package main

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert"
)

var group = slackalert.Group{
	Message: "payment of \"tea\" failed\nand more",
	At:      time.UnixMilli(1_700_000_300_000),
	Fields:  []slackalert.Field{{Key: "request_id", Value: `r "1" & {x}`}},
}

// A link is no longer than Slack takes, and its parts are what was asked for.
func parsed(t *testing.T, links []slackalert.Link) *url.URL {
	t.Helper()
	require.Len(t, links, 1)
	assert.Less(t, len(links[0].URL), 3000)
	u, err := url.Parse(links[0].URL)
	require.NoError(t, err)
	return u
}

// As Grafana's documentation has it, under "Generate Explore URLs from external
// tools".
func TestGrafana(t *testing.T) {
	u := parsed(t, grafana("https://grafana.example.com", "uid-1", `{service_name="shop"}`)(group))
	assert.Equal(t, "grafana.example.com/explore", u.Host+u.Path)
	assert.Equal(t, "1", u.Query().Get("schemaVersion"))
	var panes map[string]struct {
		Datasource string
		Queries    []struct {
			RefID, Expr string
			Datasource  struct{ Type, UID string }
		}
		Range struct{ From, To string }
	}
	require.NoError(t, json.Unmarshal([]byte(u.Query().Get("panes")), &panes))
	pane := panes["a"]
	assert.Equal(t, "uid-1", pane.Datasource)
	assert.Equal(t, "1700000000000", pane.Range.From)
	assert.Equal(t, "1700000600000", pane.Range.To)
	require.Len(t, pane.Queries, 1)
	assert.Equal(t, "A", pane.Queries[0].RefID)
	assert.Equal(t, "loki", pane.Queries[0].Datasource.Type)
	assert.Equal(t, "uid-1", pane.Queries[0].Datasource.UID)
	assert.Equal(t, `{service_name="shop"} |= "r \"1\" & {x}"`, pane.Queries[0].Expr)
}

func TestDatadog(t *testing.T) {
	u := parsed(t, datadog("app.datadoghq.com", "shop")(group))
	assert.Equal(t, "app.datadoghq.com/logs", u.Host+u.Path)
	assert.Equal(t, `service:shop @request_id:"r \"1\" & {x}"`, u.Query().Get("query"))
	assert.Equal(t, "1700000000000", u.Query().Get("from_ts"))
	assert.Equal(t, "1700000600000", u.Query().Get("to_ts"))
	assert.Equal(t, "false", u.Query().Get("live"))

	plain := group
	plain.Fields = nil
	u = parsed(t, datadog("app.datadoghq.com", "shop")(plain))
	assert.Equal(t, `service:shop "payment of \"tea\" failed"`, u.Query().Get("query"))
}

func TestTrace(t *testing.T) {
	view := trace("https://jaeger.example.com/trace/")
	assert.Empty(t, view(group), "an alert without a trace has no link")
	traced := group
	traced.Fields = []slackalert.Field{{Key: "trace_id", Value: "4bf9/2f35"}}
	assert.Equal(t, "https://jaeger.example.com/trace/4bf9%2F2f35", view(traced)[0].URL)
}
