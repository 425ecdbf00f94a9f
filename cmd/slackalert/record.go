// This file makes a record of a line's JSON, whichever logger wrote it.

package main

import (
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/slackalert/internal/capture"
)

// keys are the names under which loggers write what each record has. Of several
// the first that is there counts; a name with dots may also be a path.
type keys struct {
	level, message, time, err, stack []string
}

// The names of slog, zap, zerolog, logrus, pino, bunyan, Python's JSON loggers,
// Monolog, Rust's tracing, ECS and others.
var usualKeys = keys{
	level:   []string{"level", "severity", "levelname", "lvl", "log.level", "@level", "levelno", "loglevel"},
	message: []string{"msg", "message", "event", "@message", "short_message", "fields.message"},
	time:    []string{"time", "timestamp", "ts", "@timestamp", "asctime", "datetime", "t"},
	err:     []string{"error", "err", "exc_info", "exception", "error.message", "fields.error", "context.exception"},
	stack:   []string{"stack", "stacktrace", "stack_trace", "stackTrace", "traceback", "error.stack_trace", "errorVerbose"},
}

// failure is an error that is only a text here.
type failure string

func (f failure) Error() string { return string(f) }

// line is a line's members while they are taken, one after the other.
type line struct{ attrs []slog.Attr }

// record makes a record of a line's members. Without a level it is INFO: a code
// may still make an alert of it.
func (k *keys) record(attrs []slog.Attr) slog.Record {
	l := line{attrs}
	level, _ := l.takeFirst(k.level)
	written, _ := l.takeFirst(k.time)
	at := timeOf(written.Value)
	if at.IsZero() {
		at = time.Now()
	}
	message, _ := l.takeFirst(k.message)
	r := slog.NewRecord(at, levelOf(level), text(message.Value), 0)
	cause, stack := l.failure(k)
	if cause != "" {
		r.AddAttrs(slog.Any("error", failure(cause)))
	}
	if source := l.source(); source != nil || stack != "" {
		r.AddAttrs(slog.Any("source", capture.Foreign{Source: source, Stack: stack}))
	}
	r.AddAttrs(l.attrs...)
	return r
}

// failure takes the error and the stack: texts, or an object such as pino's.
func (l *line) failure(k *keys) (cause, stack string) {
	a, ok := l.takeFirst(k.err)
	if ok && a.Value.Kind() == slog.KindGroup {
		in := line{a.Value.Group()}
		kind, _ := in.takeFirst([]string{"type", "name", "class", "kind"})
		message, _ := in.takeFirst([]string{"message", "msg"})
		trace, _ := in.takeFirst([]string{"stack", "stacktrace", "stack_trace"})
		cause, stack = join(text(kind.Value), text(message.Value)), text(trace.Value)
		if len(in.attrs) > 0 {
			l.attrs = append(l.attrs, slog.Attr{Key: a.Key, Value: slog.GroupValue(in.attrs...)})
		}
	} else if ok {
		cause = text(a.Value)
	}
	if a, ok := l.takeFirst(k.stack); ok {
		stack = text(a.Value)
	}
	if strings.HasPrefix(cause, "Traceback (most recent call last)") { // Python's: the error stands last
		stack = cause
		cause = strings.TrimSpace(cause[strings.LastIndexByte(strings.TrimSpace(cause), '\n')+1:])
	}
	return cause, stack
}

func join(kind, message string) string {
	switch {
	case message == "":
		return kind
	case kind == "" || strings.HasPrefix(message, kind):
		return message
	}
	return kind + ": " + message
}

// source takes the place in the code: slog's object, "file.go:12" of zap,
// zerolog and logrus, or Python's three members.
func (l *line) source() *slog.Source {
	if a, ok := l.take("source"); ok {
		if a.Value.Kind() != slog.KindGroup {
			l.attrs = append(l.attrs, a)
			return nil
		}
		in := line{a.Value.Group()}
		function, _ := in.take("function")
		file, _ := in.take("file")
		number, _ := in.take("line")
		return &slog.Source{Function: text(function.Value), File: text(file.Value), Line: whole(number.Value)}
	}
	function, _ := l.takeFirst([]string{"func", "funcName", "function"})
	if a, ok := l.takeFirst([]string{"caller", "file"}); ok && a.Value.Kind() == slog.KindString {
		place := a.Value.String()
		colon := strings.LastIndexByte(place, ':')
		if n, err := strconv.Atoi(place[colon+1:]); err == nil && colon > 0 {
			return &slog.Source{Function: text(function.Value), File: place[:colon], Line: n}
		}
		l.attrs = append(l.attrs, a)
	}
	if a, ok := l.take("lineno"); ok {
		file, _ := l.takeFirst([]string{"pathname", "filename", "module"})
		return &slog.Source{Function: text(function.Value), File: text(file.Value), Line: whole(a.Value)}
	}
	if f := text(function.Value); f != "" {
		return &slog.Source{Function: f}
	}
	return nil
}

// takeFirst takes the first of keys that is there and says something.
func (l *line) takeFirst(keys []string) (slog.Attr, bool) {
	for _, key := range keys {
		if a, ok := l.take(key); ok && !isNothing(a.Value) {
			return a, true
		}
	}
	return slog.Attr{}, false
}

// take takes a member by its name, or, where the name has dots, by its path.
func (l *line) take(key string) (slog.Attr, bool) {
	for i, a := range l.attrs {
		if a.Key == key {
			l.attrs = slices.Delete(l.attrs, i, i+1)
			return a, true
		}
		outer, rest, dotted := strings.Cut(key, ".")
		if !dotted || a.Key != outer || a.Value.Kind() != slog.KindGroup {
			continue
		}
		in := line{a.Value.Group()}
		if found, ok := in.take(rest); ok {
			l.attrs[i].Value = slog.GroupValue(in.attrs...)
			return found, true
		}
	}
	return slog.Attr{}, false
}

func isNothing(v slog.Value) bool {
	return v.Kind() == slog.KindString && v.String() == "" || v.Kind() == slog.KindAny && v.Any() == nil
}

func text(v slog.Value) string {
	if isNothing(v) {
		return ""
	}
	return v.String()
}

func whole(v slog.Value) int {
	if v.Kind() == slog.KindInt64 {
		return int(v.Int64())
	}
	n, _ := strconv.Atoi(v.String())
	return n
}

// levelOf is INFO where it isn't known.
func levelOf(a slog.Attr) slog.Level {
	level, ok := levelText([]byte(text(a.Value)))
	if a.Value.Kind() == slog.KindInt64 {
		level, ok = levelNumber(a.Key, float64(a.Value.Int64()))
	}
	if !ok {
		return slog.LevelInfo
	}
	return level
}

// timeLayouts are those of the usual loggers; a time without a zone is local.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05,999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", time.DateTime}

// timeOf reads a time: a text, or a number since 1970 in seconds, milliseconds,
// microseconds or nanoseconds. It is zero where it can't be read.
func timeOf(v slog.Value) time.Time {
	s := text(v)
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		for _, layout := range timeLayouts {
			if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
				return t
			}
		}
		return time.Time{}
	}
	if !(n >= 1e8 && n <= 1e20) { // before 1973 it counts from something else; nor is it a time beyond 5000, nor NaN
		return time.Time{}
	}
	for n > 1e11 { // in seconds that would be after the year 5000
		n /= 1000
	}
	whole, part := math.Modf(n)
	return time.Unix(int64(whole), int64(part*1e9))
}
