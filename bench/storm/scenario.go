// This file says what is logged.

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"example.com/slackalert/bench/internal/loopback"
	"example.com/slackalert/bench/internal/words"
)

// scenario is one kind of storm.
type scenario struct {
	name   string
	share  float64 // of -n
	groups int     // how many messages there are; 0: all differ
	body   int     // bytes of the error's text; 0: a short one
	slack  loopback.Mode
	pace   time.Duration // between bursts of 10 from one goroutine; 0: as fast as 8 can
}

func scenarios() []scenario {
	return []scenario{
		{name: "equal", share: 1, groups: 1, slack: loopback.Limited},
		{name: "groups", share: 0.1, groups: 1000, slack: loopback.Limited},
		{name: "different", share: 0.1, body: 100_000, slack: loopback.Limited},
		{name: "down", share: 0.1, body: 100_000, slack: loopback.Down},
		{name: "paced", share: 0.005, groups: 20, slack: loopback.Fast, pace: 20 * time.Millisecond},
	}
}

const burst = 10 // alerts at once in a paced scenario: 500 a second

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.name)
	}
	return names
}

func scenarioNamed(name string) scenario {
	for _, s := range scenarios() {
		if s.name == name {
			return s
		}
	}
	panic("storm: scenario " + name) // checked with the flags
}

func (s scenario) alerts(n int) int { return max(1, int(float64(n)*s.share)) }

// texts returns a func that gives the message and the error of alert i. What
// differs, differs by letters. Each long text is a string of its own, as it
// would be in a program: a handler that holds it holds its memory.
func (s scenario) texts() func(i int) (string, error) {
	if s.groups == 0 {
		tail := strings.Repeat("x", s.body)
		return func(i int) (string, error) {
			w := words.Letters(i)
			return "payment by " + w + " failed", errors.New("unexpected answer: " + w + tail)
		}
	}
	refused := fmt.Errorf("charge card: %w", errors.New("connection refused"))
	messages := make([]string, s.groups)
	for g := range messages {
		messages[g] = "payment by " + words.Letters(g) + " failed"
	}
	return func(i int) (string, error) { return messages[i%len(messages)], refused }
}

func alert(l *slog.Logger, message string, err error) {
	l.LogAttrs(context.Background(), slog.LevelError, message,
		slog.String("method", "POST"), slog.String("path", "/orders"), slog.Int("status", 500),
		slog.Duration("took", 1500*time.Microsecond), slog.String("user", "u-lena"),
		slog.Any("error", err))
}
