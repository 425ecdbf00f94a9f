package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What waits may be more than a request takes.
func TestManyLongLines(t *testing.T) {
	var logs bytes.Buffer
	aws := standIn(&logs)
	defer aws.Close()
	s := newStream(cloudwatchlogs.New(cloudwatchlogs.Options{
		Region: "eu-central-1", BaseEndpoint: &aws.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "key", ""),
	}), "/shop", "web-1")
	long := strings.Repeat("x", 100_000)
	for n := range 50 {
		_, err := fmt.Fprintf(s, "line %d %s\n", n, long)
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	assert.Equal(t, 50, strings.Count(logs.String(), "line "))
}
