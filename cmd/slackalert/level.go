// This file knows how loggers write their levels.

package main

import (
	"bytes"
	"log/slog"
	"strconv"
	"strings"
)

// highest is above every number that a logger writes for a level.
const highest = 1000

const levelFatal = slog.LevelError + 4

const longestName = len("informational")

// levelNamed knows the levels of slog, zap, zerolog, logrus, syslog, Python and
// others, in lower case.
func levelNamed(name []byte) (l slog.Level, ok bool) {
	switch string(name) {
	case "trace":
		return slog.LevelDebug - 4, true
	case "debug":
		return slog.LevelDebug, true
	case "info", "information", "informational":
		return slog.LevelInfo, true
	case "notice":
		return slog.LevelInfo + 2, true
	case "warn", "warning":
		return slog.LevelWarn, true
	case "error", "err", "eror", "severe":
		return slog.LevelError, true
	case "critical", "crit", "dpanic", "panic", "fatal", "alert", "emergency", "emerg":
		return levelFatal, true
	}
	return 0, false
}

// levelIn reads the level that JSON begins with.
func levelIn(text []byte, key string) (slog.Level, bool) {
	if len(text) > 0 && text[0] == '"' {
		name, _, whole := bytes.Cut(text[1:min(len(text), 40)], []byte(`"`))
		if !whole {
			return 0, false
		}
		return levelText(name)
	}
	n, digits := 0.0, 0
	for digits < len(text) && digits < 9 && text[digits] >= '0' && text[digits] <= '9' {
		n = n*10 + float64(text[digits]-'0')
		digits++
	}
	if digits == 0 {
		return 0, false
	}
	return levelNumber(key, n)
}

// levelText reads a level's name, in any case, or slog's with an offset
// ("ERROR+2"). The bytes aren't kept.
func levelText(name []byte) (slog.Level, bool) {
	name = bytes.TrimSpace(name)
	if len(name) > longestName {
		return 0, false
	}
	var lower [longestName]byte
	n := copy(lower[:], name)
	for i, c := range lower[:n] {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	if l, ok := levelNamed(lower[:n]); ok {
		return l, true
	}
	var l slog.Level
	if bytes.ContainsAny(name, "+-") && l.UnmarshalText(name) == nil {
		return l, true
	}
	if number, err := strconv.ParseFloat(string(name), 64); err == nil {
		return levelNumber("", number)
	}
	return 0, false
}

// levelNumber reads a level that is a number: syslog's from 0 to 7, Python's
// where the key says so, Monolog's from 100, else that of pino and bunyan.
func levelNumber(key string, n float64) (slog.Level, bool) {
	python := strings.HasSuffix(key, "levelno")
	switch {
	case !(n >= 0 && n <= highest): // nor a number
		return 0, false
	case n <= 7 && !python:
		return [...]slog.Level{levelFatal, levelFatal, levelFatal, slog.LevelError, slog.LevelWarn, slog.LevelInfo + 2, slog.LevelInfo, slog.LevelDebug}[int(n)], true
	case python:
		return slog.Level(n-40)*4/10 + slog.LevelError, true // 10 apart, ERROR is 40
	case n >= 100:
		return slog.Level(n-400)*4/100 + slog.LevelError, true // 100 apart, ERROR is 400
	}
	return slog.Level(n-50)*4/10 + slog.LevelError, true // 10 apart, error is 50
}
