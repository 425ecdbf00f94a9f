// This file folds alerts into groups, holds them, and releases them as batches.

package slackalert

import (
	"context"
	"log/slog"
	"time"
)

// Batch is the groups told in one message.
type Batch struct {
	ID      string  `json:"id"`      // unique; the same for every attempt and edit
	Channel string  `json:"channel"` // "" with a webhook
	Service string  `json:"service"`
	Host    string  `json:"host"`
	Groups  []Group `json:"groups"` // most severe first, then oldest
}

// Group is alerts that are the same thing happening again: a count, and the
// first of them in full.
type Group struct {
	Fingerprint string       `json:"fingerprint"` // stable across processes and restarts
	Level       slog.Level   `json:"level"`
	Code        string       `json:"code,omitempty"`
	Message     string       `json:"message"`
	Error       string       `json:"error,omitempty"`  // text of the first attribute that holds an error
	Source      *slog.Source `json:"source,omitempty"` // nil if unknown
	Stack       string       `json:"stack,omitempty"`
	Fields      []Field      `json:"fields,omitempty"` // request scope, then record, then logger; keys joined with dots
	Breadcrumbs []string     `json:"breadcrumbs,omitempty"`
	Count       int          `json:"count"` // alerts told by this batch
	Total       int          `json:"total"` // alerts since First
	First       time.Time    `json:"first,omitzero"`
	Last        time.Time    `json:"last,omitzero"`
}

// Field is one attribute of an alert, as text.
type Field struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// A Sender delivers a batch as one message.
//
// Send is called from one goroutine per channel. When it returns nil the batch
// counts as told. When it fails the groups fold back and a later batch carries
// them with what came since. An error that has a method
// RetryAfter() time.Duration says when to try again.
type Sender interface {
	Send(ctx context.Context, b Batch) error
}

// An Updater is a Sender that can also change what it sent: b.ID was sent
// before, its counts have grown.
type Updater interface {
	Sender
	Update(ctx context.Context, b Batch) error
}
