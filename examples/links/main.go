// Command links leads from an alert to its log records and its trace: in Grafana
// with Loki, in Datadog, and in a viewer of traces such as Jaeger. For CloudWatch
// there is package cloudwatch.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

// grafana links to Explore with a query for Loki: of the streams that selector
// names, such as {service_name="shop"}, the lines that hold the request's id,
// else the alert's code, else its message. base is Grafana's address, datasource
// the UID of its Loki.
func grafana(base, datasource, selector string) func(slackalert.Group) []slackalert.Link {
	type object = map[string]any
	return func(g slackalert.Group) []slackalert.Link {
		source := object{"type": "loki", "uid": datasource}
		query := object{"refId": "A", "datasource": source, "queryType": "range", "expr": selector + " |= " + strconv.Quote(wanted(g))}
		from, to := around(g)
		pane := object{"datasource": datasource, "queries": []object{query}, "range": object{"from": from, "to": to}}
		panes, err := json.Marshal(object{"a": pane})
		if err != nil {
			return nil
		}
		return []slackalert.Link{{Text: "Loki", URL: base + "/explore?schemaVersion=1&orgId=1&panes=" + url.QueryEscape(string(panes))}}
	}
}

// datadog links to the Log Explorer of a site such as app.datadoghq.com.
func datadog(site, service string) func(slackalert.Group) []slackalert.Link {
	return func(g slackalert.Group) []slackalert.Link {
		from, to := around(g)
		q := url.Values{"query": {"service:" + service + " " + strconv.Quote(wanted(g))}, "from_ts": {from}, "to_ts": {to}, "live": {"false"}}
		if id := field(g, "request_id"); id != "" {
			q.Set("query", "service:"+service+" @request_id:"+strconv.Quote(id))
		}
		return []slackalert.Link{{Text: "Datadog", URL: "https://" + site + "/logs?" + q.Encode()}}
	}
}

// trace links to a trace by its id: base is https://jaeger.example.com/trace/,
// or https://app.datadoghq.com/apm/trace/.
func trace(base string) func(slackalert.Group) []slackalert.Link {
	return func(g slackalert.Group) []slackalert.Link {
		if id := field(g, "trace_id"); id != "" {
			return []slackalert.Link{{Text: "Trace", URL: base + url.PathEscape(id)}}
		}
		return nil
	}
}

// all puts the links of several functions together.
func all(functions ...func(slackalert.Group) []slackalert.Link) func(slackalert.Group) []slackalert.Link {
	return func(g slackalert.Group) (links []slackalert.Link) {
		for _, f := range functions {
			links = append(links, f(g)...)
		}
		return links
	}
}

// wanted is the text that the group's lines in the logs hold.
func wanted(g slackalert.Group) string {
	for _, s := range []string{field(g, "request_id"), field(g, "trace_id"), g.Code} {
		if s != "" {
			return s
		}
	}
	line, _, _ := strings.Cut(g.Message, "\n")
	return line
}

func field(g slackalert.Group, key string) string {
	for _, f := range g.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return ""
}

// around is the time to look at, in milliseconds: that of the example shown.
func around(g slackalert.Group) (from, to string) {
	milli := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	return milli(g.At.Add(-5 * time.Minute)), milli(g.At.Add(5 * time.Minute))
}

func example(opts *slackalert.Options, logs io.Writer) error {
	opts.Links = all(
		grafana("https://grafana.example.com", "loki", `{service_name="shop"}`),
		datadog("app.datadoghq.com", "shop"),
		trace("https://jaeger.example.com/trace/"),
	)
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	ctx := slackalert.With(context.Background(), "request_id", "r-1", "trace_id", "4bf92f3577b34da6a3ce929d0e0e4736")
	slog.New(h).ErrorContext(ctx, "payment failed", "error", errors.New("card declined"))
	return h.Close()
}
