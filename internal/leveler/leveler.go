// Package leveler keeps a level that was asked for, and saves the call where it
// can't change.
package leveler

import "log/slog"

// Level is one. Its zero value is INFO, which nobody asked for.
type Level struct {
	fixed slog.Level
	asked slog.Leveler // nil = fixed
	set   bool
}

// Of keeps l, or byDefault where l is nil.
func Of(l slog.Leveler, byDefault slog.Level) Level {
	switch l := l.(type) {
	case nil:
		return Level{fixed: byDefault}
	case slog.Level:
		return Level{fixed: l, set: true}
	}
	return Level{asked: l, set: true}
}

// Level is what it is now.
func (l *Level) Level() slog.Level {
	if l.asked != nil {
		return l.asked.Level()
	}
	return l.fixed
}

// IsSet says whether somebody asked for it.
func (l *Level) IsSet() bool { return l.set }

// IsFixed says whether it can't change.
func (l *Level) IsFixed() bool { return l.asked == nil }
