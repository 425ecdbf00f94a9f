// This file speaks each protocol to the server and reads its counts.

package loopback

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	logs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	pb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

func TestLimitedSlack(t *testing.T) {
	s := start(t, Limited)
	assert.Equal(t, http.StatusOK, post(t, s.URL+"/api/chat.postMessage", "text=one", "").StatusCode)
	second := post(t, s.URL+"/api/chat.postMessage", "text=two", "")
	assert.Equal(t, http.StatusTooManyRequests, second.StatusCode)
	assert.Equal(t, "1", second.Header.Get("Retry-After"))
	assert.Equal(t, http.StatusOK, post(t, s.URL+"/api/chat.update", "text=edit", "").StatusCode, "an edit is no message")
	assert.Equal(t, Counts{Requests: 3, Refused: 1, Alerts: 1}, s.Counts())
}

func TestCollectorsHaveNoLimit(t *testing.T) {
	s := start(t, Limited)
	for range 3 {
		assert.Equal(t, http.StatusOK, post(t, s.URL+"/v1/logs", export(t, 2), "").StatusCode)
	}
	assert.Equal(t, Counts{Requests: 3, Alerts: 6}, s.Counts())
}

func TestCompressedExport(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, err := w.Write([]byte(export(t, 5)))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	s := start(t, Fast)
	assert.Equal(t, http.StatusOK, post(t, s.URL+"/v1/logs", z.String(), "gzip").StatusCode)
	assert.Equal(t, Counts{Requests: 1, Alerts: 5}, s.Counts())
}

func TestUnreadable(t *testing.T) {
	s := start(t, Fast)
	assert.Equal(t, http.StatusBadRequest, post(t, s.URL+"/v1/logs", "no protobuf", "").StatusCode)
	assert.Equal(t, http.StatusBadRequest, post(t, s.URL+"/v1/logs", "no gzip", "gzip").StatusCode)
	assert.Equal(t, http.StatusBadRequest, post(t, s.URL+"/api/1/envelope/", "{}", "").StatusCode)
	assert.Equal(t, Counts{Requests: 3, Bad: 3}, s.Counts())
}

func TestCountEnvelope(t *testing.T) {
	const report = `{"discarded_events":[{"category":"log_item","quantity":7},{"category":"log_byte","quantity":900}]}`
	for _, c := range []struct {
		name, body   string
		alerts, lost uint64
		err          string
	}{
		{name: "logs", body: "{}\n{\"type\":\"log\",\"length\":4,\"item_count\":3}\na\nbc\n", alerts: 3},
		{name: "two items", body: "{}\n" + item("log", `"item_count":2,`, "xx") + item("log", `"item_count":5,`, "y"), alerts: 7},
		{name: "report", body: "{}\n" + item("client_report", "", report), lost: 7},
		{name: "other kinds", body: "{}\n" + item("event", "", "{}")},
		{name: "empty", body: "{}", err: "loopback: envelope without items"},
		{name: "torn", body: "{}\n{\"type\":\"log\",\"length\":9}\nabc", err: "loopback: envelope item of 9 bytes, got 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			alerts, lost, err := countEnvelope([]byte(c.body))
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.alerts, alerts)
			assert.Equal(t, c.lost, lost)
		})
	}
}

func start(t *testing.T, m Mode) *Server {
	s, err := Start(m)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func post(t *testing.T, url, body, encoding string) *http.Response {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Encoding", encoding)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp
}

func export(t *testing.T, n int) string {
	records := make([]*pb.LogRecord, n)
	for i := range records {
		records[i] = &pb.LogRecord{SeverityText: "ERROR"}
	}
	body, err := proto.Marshal(&logs.ExportLogsServiceRequest{
		ResourceLogs: []*pb.ResourceLogs{{ScopeLogs: []*pb.ScopeLogs{{LogRecords: records}}}},
	})
	require.NoError(t, err)
	return string(body)
}

func item(kind, more, payload string) string {
	return `{"type":"` + kind + `",` + more + `"length":` + strconv.Itoa(len(payload)) + "}\n" + payload + "\n"
}
