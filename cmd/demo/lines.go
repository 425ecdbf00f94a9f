// This file writes the demo's output: log lines as they come, cut to a line of
// the terminal, but of a storm's equal lines only the first few.

package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"sync"
	"unicode/utf8"
)

// lines is a writer of log lines, one a Write, that says how many it held back.
type lines struct {
	mu     sync.Mutex
	to     io.Writer
	all    int // lines written to it
	alerts int // of those, records that should reach Slack
	like   []byte
	shown  int // of those like that
	hidden int
	width  int    // signs of a log line that are shown; 0 = all
	note   string // said again every so many log lines; "" = never
	since  int    // log lines since it was said
}

// often is how many log lines may push the note out of sight.
const often = 15

// storm's lines that are shown.
const shownOfStorm = 3

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all++
	if bytes.Contains(line, []byte(`"level":"ERROR`)) || bytes.Contains(line, []byte(`"error_code":"`)) {
		l.alerts++
	}
	if l.like != nil && bytes.Contains(line, l.like) {
		if l.shown++; l.shown > shownOfStorm {
			l.hidden++
			return len(line), nil
		}
	}
	if l.since++; l.note != "" && l.since >= often {
		l.since = 0
		fmt.Fprintln(l.to, l.note)
	}
	if _, err := l.to.Write(cut(line, l.width)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// cut is a line of at most width signs, of which the last says that there were
// more.
func cut(line []byte, width int) []byte {
	if width <= 0 || utf8.RuneCount(line) <= width+1 { // and the line's end
		return line
	}
	end := 0
	for range width - 1 {
		_, size := utf8.DecodeRune(line[end:])
		end += size
	}
	return append(bytes.Clone(line[:end]), "…\n"...)
}

// keep says a note now, and again whenever log lines have pushed it up.
func (l *lines) keep(note string) {
	l.say("%s", note)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note, l.since = note, 0
}

// say writes a line of the demo's own.
func (l *lines) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.to, format+"\n", args...)
}

// fold holds lines with the message back, until unfold says how many.
func (l *lines) fold(message string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.like, l.shown, l.hidden = []byte(`"msg":`+strconv.Quote(message)), 0, 0
}

func (l *lines) unfold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hidden > 0 {
		fmt.Fprintf(l.to, "… %s more lines like these\n", thousands(l.hidden))
	}
	l.like = nil
}

// counted is how many lines came, and how many of them were alerts.
func (l *lines) counted() (all, alerts int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all, l.alerts
}

// thousands writes 5003 as 5,003.
func thousands[N int | uint64](n N) string {
	s := strconv.FormatUint(uint64(n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
