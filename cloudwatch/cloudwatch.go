// This file makes links into the console of CloudWatch Logs Insights.

// Package cloudwatch links an alert to its log records in Amazon CloudWatch
// Logs: the console opens with the group's time and a query that finds them.
//
//	Links: cloudwatch.Links("eu-central-1", "/aws/lambda/shop", "request_id"),
//
// It asks nothing of AWS and needs none of its libraries.
package cloudwatch

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"example.com/slackalert"
	"example.com/slackalert/internal/redact"
)

const (
	around     = 5 * time.Minute // of the example, where one request is looked for
	margin     = time.Minute     // before the first alert and behind the last
	longest    = 24 * time.Hour  // that a query looks back from the last alert
	limit      = 200             // records shown
	maxValue   = 200             // bytes of a value that a query looks for
	maxPattern = 200             // and of the pattern: a link in Slack has at most 3,000, and each sign may take three
)

// defaults are the keys looked for where the caller names none.
var defaults = []string{"request_id", "trace_id"}

// Links returns what [slackalert.Options.Links] wants: one link, "Logs", to
// Logs Insights for the log group (a name such as "/aws/lambda/shop", or an
// ARN) in a region such as "eu-central-1".
//
// The query looks for the value of the first of keys that the alert has among
// its fields, at the end of its name if it stands in a group ("http.request_id"
// for request_id), within five minutes of the example shown. Without keys these
// are request_id and trace_id. Where the alert has none of them, the query looks
// for its code, else for its message, from a minute before the first alert to a
// minute after the last, at most a day; where nothing is known of the time, in
// the last hour.
//
// An empty region or logGroup gives no links. The returned function may be
// called from several goroutines.
func Links(region, logGroup string, keys ...string) func(slackalert.Group) []slackalert.Link {
	if len(keys) == 0 {
		keys = defaults
	}
	keys = slices.Clone(keys)
	return func(g slackalert.Group) []slackalert.Link {
		if region == "" || logGroup == "" {
			return nil
		}
		return []slackalert.Link{{Text: "Logs", URL: address(region, logGroup, g, keys)}}
	}
}

// address is the console's for a query about g.
func address(region, logGroup string, g slackalert.Group, keys []string) string {
	query, one := filter(g, keys)
	query = "fields @timestamp, @message, @logStream" + query + "\n| sort @timestamp desc\n| limit " + fmt.Sprint(limit)
	detail := "~(" + period(g, one) + "~editorString~'" + escape(query) + "~source~(~'" + escape(logGroup) + "))"
	// The console's router splits at these signs, so it wants them as $XX.
	return "https://" + console(region) + "/cloudwatch/home?region=" + url.QueryEscape(region) +
		"#logsV2:logs-insights$3FqueryDetail$3D" + detail
}

// console is the host of a region's console, by AWS's partitions.
func console(region string) string {
	region = strings.ToLower(url.PathEscape(region))
	switch {
	case strings.HasPrefix(region, "cn-"):
		return region + ".console.amazonaws.cn"
	case strings.HasPrefix(region, "us-gov-"):
		return region + ".console.amazonaws-us-gov.com"
	}
	return region + ".console.aws.amazon.com"
}

// filter is the part of the query that finds the records; one says that it
// finds those of one request.
func filter(g slackalert.Group, keys []string) (query string, one bool) {
	for _, key := range keys {
		if v := value(g.Fields, key); v != "" {
			return "\n| filter @message like " + pattern(v), true
		}
	}
	switch {
	case usable(g.Code):
		return "\n| filter @message like " + pattern(g.Code), false
	case usable(start(g.Message)):
		return "\n| filter @message like " + pattern(start(g.Message)), false
	}
	return "", false
}

// value is that of the first field with the key, in a group or not, that can be
// looked for.
func value(fields []slackalert.Field, key string) string {
	for _, f := range fields {
		if in, ok := strings.CutSuffix(f.Key, key); ok && (in == "" || strings.HasSuffix(in, ".")) && usable(f.Value) {
			return f.Value
		}
	}
	return ""
}

// usable says whether a text stands in the logs as it stands in the alert: not
// one that was cut or hidden.
func usable(s string) bool {
	return strings.TrimSpace(s) != "" && len(s) <= maxValue && !strings.Contains(s, redact.Mark) && !strings.Contains(s, "… (+")
}

// start is the first line of a message, or as much of it as a query needs.
func start(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	if len(line) > maxValue {
		line = strings.ToValidUTF8(line[:maxValue], "")
	}
	return line
}

// pattern is a regular expression for a text in whatever format it was logged:
// what a format may write in another way, such as a quotation mark in JSON, and
// what isn't ASCII, is any sign.
func pattern(s string) string {
	var b strings.Builder
	b.WriteByte('/')
	any := false
	for _, r := range s {
		plain := r > ' ' && r < 0x7f && !strings.ContainsRune(`"\/'<>&`, r) || r == ' '
		switch {
		case plain:
			b.WriteString(regexp.QuoteMeta(string(r)))
		case !any:
			b.WriteString(".+")
		}
		any = !plain
		if b.Len() > maxPattern {
			break
		}
	}
	b.WriteByte('/')
	return b.String()
}

// period is the query's time, as the console writes it.
func period(g slackalert.Group, one bool) string {
	first, last := g.First, g.Last
	if last.IsZero() {
		last = first
	}
	if one && !g.At.IsZero() {
		first, last = g.At.Add(margin-around), g.At.Add(around-margin)
	}
	if first.IsZero() || last.IsZero() {
		return "end~0~start~-3600~timeType~'RELATIVE~unit~'seconds"
	}
	if last.Sub(first) > longest {
		first = last.Add(-longest)
	}
	return "end~'" + stamp(last.Add(margin)) + "~start~'" + stamp(first.Add(-margin)) + "~timeType~'ABSOLUTE~tz~'UTC"
}

func stamp(t time.Time) string {
	return escape(t.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// escape writes a string within the console's notation, in which * stands for
// what % is in other addresses. Only ASCII comes here but for an odd log group.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "*%02x", c)
		}
	}
	return b.String()
}
