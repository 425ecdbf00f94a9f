// This file reads what Go's runtime writes when it ends a process.

package crash

import (
	"strconv"
	"strings"
	"time"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/origin"
	"example.com/slackalert/internal/owned"
)

// Report is what ended a process.
type Report struct {
	Owner owned.Owner // the process
	At    time.Time   // when, by the file's time; zero = unknown
	Cause string      // such as "panic: no such tenant" or "fatal error: stack overflow"
	Panic bool        // an unrecovered panic
	Stack string      // of the goroutine that ended it, "function\n\tfile:line" a frame; without the runtime's. Not redacted
	Frame             // that it began in: the program's own, if there is one
}

// Frame is one call of a stack; its zero value is none.
type Frame struct {
	Function, File string
	Line           int
}

// What is kept of a crash.
const (
	maxFrames = 32
	maxCause  = 4 << 10
)

// parse reads what the runtime wrote. It returns false where that is nothing, or
// tells a panic that has been told.
func parse(text string) (r Report, ok bool) {
	rest, told := strings.CutPrefix(text, toldLine)
	for strings.HasPrefix(rest, toldLine) {
		rest = rest[len(toldLine):]
	}
	said, trace := split(rest)
	sections := sectionsOf(trace)
	r.Panic = strings.HasPrefix(said, "panic: ")
	if strings.TrimSpace(rest) == "" || r.Panic && told {
		return Report{}, false
	}
	r.Cause = capture.Cut(cause(said, sections), maxCause)
	frames := crashed(sections)
	r.Stack = format(frames)
	for i, f := range frames {
		if own := origin.Own(f.Function); i == 0 || own {
			r.Frame = f
			if own {
				break
			}
		}
	}
	return r, true
}

// split parts what was said from the traces. What is said may have blank lines.
func split(text string) (said, trace string) {
	for at := 0; at < len(text); {
		line, _, more := strings.Cut(text[at:], "\n")
		if isHeading(line) {
			return strings.TrimSpace(text[:at]), text[at:]
		}
		if !more {
			break
		}
		at += len(line) + 1
	}
	return strings.TrimSpace(text), ""
}

// isHeading says whether a trace begins with the line.
func isHeading(line string) bool {
	return line == "runtime stack:" || strings.HasPrefix(line, "goroutine ") && strings.HasSuffix(line, "]:")
}

// section is one trace.
type section struct {
	heading string
	frames  []Frame
}

func sectionsOf(trace string) (sections []section) {
	lines := strings.Split(trace, "\n")
	for i, line := range lines {
		if isHeading(line) {
			sections = append(sections, section{heading: line})
			continue
		}
		if len(sections) == 0 || i+1 == len(lines) {
			continue
		}
		if f, ok := readFrame(line, lines[i+1]); ok {
			s := &sections[len(sections)-1]
			s.frames = append(s.frames, f)
		}
	}
	return sections
}

// readFrame reads the two lines of a call, such as
//
//	main.work(0x1, {0x4caf43?, 0x0?})
//		/src/main.go:12 +0x5e5 fp=0x2 sp=0x1 pc=0x3
func readFrame(call, at string) (Frame, bool) {
	at, ok := strings.CutPrefix(at, "\t")
	function, by := strings.CutPrefix(call, "created by ")
	if by {
		function, _, _ = strings.Cut(function, " in goroutine ")
	} else if end := strings.LastIndexByte(call, '('); end > 0 && strings.HasSuffix(call, ")") {
		function = call[:end]
	} else {
		return Frame{}, false
	}
	at, _, _ = strings.Cut(at, " +0x")
	colon := strings.LastIndexByte(at, ':')
	if !ok || colon < 0 {
		return Frame{}, false
	}
	line, err := strconv.Atoi(at[colon+1:])
	return Frame{Function: function, File: at[:colon], Line: line}, err == nil
}

// ends are the functions by which the runtime ends the process, and what it
// said before it got there: that is not among what is caught. What is written
// of causes holds for Go 1.26; one that isn't known is told by its function.
var ends = map[string]bool{
	"runtime.throw": true, "runtime.fatal": true, "internal/runtime/maps.fatal": true,
	"internal/sync.throw": true, "internal/sync.fatal": true, "sync.throw": true, "sync.fatal": true,
}

// causes are told by the first frame behind the end.
var causes = map[string]string{
	"runtime.newstack":                  "stack overflow",
	"runtime.sysMapOS":                  outOfMemory,
	"runtime.sysUsedOS":                 outOfMemory,
	"runtime.(*mcache).allocLarge":      outOfMemory,
	"runtime.(*mcache).refill":          outOfMemory,
	"runtime.(*mheap).sysAlloc":         outOfMemory,
	"runtime.(*mheap).allocNeedsZero":   outOfMemory,
	"runtime.persistentalloc1":          outOfMemory,
	"runtime.stackalloc":                outOfMemory,
	"runtime.stackpoolalloc":            outOfMemory,
	"runtime.newArenaMayUnlock":         outOfMemory,
	"runtime.newosproc":                 "the system gave no thread",
	"runtime.checkmcount":               "too many threads",
	"internal/sync.(*Mutex).unlockSlow": "unlock of unlocked mutex",
	"sync.(*RWMutex).Unlock":            "unlock of unlocked RWMutex",
	"sync.(*RWMutex).rUnlockSlow":       "unlock of unlocked RWMutex",
}

const outOfMemory = "out of memory"

// cause is what was said, or, where the runtime said it elsewhere, what its
// stack says.
func cause(said string, sections []section) string {
	signal := ""
	if strings.HasPrefix(said, "[signal ") {
		signal, said = said, ""
	}
	if said != "" {
		if name, _, ok := strings.Cut(said, "\nPC="); ok { // a signal; what follows are its registers
			if strings.Contains(said, "signal arrived during cgo execution") {
				name += ", in cgo"
			}
			return name
		}
		return said
	}
	for i := range sections {
		frames := sections[i].frames
		for j, f := range frames {
			if ends[f.Function] {
				return "fatal error: " + behind(f, frames[j+1:], signal)
			}
		}
	}
	if len(sections) > 0 && !strings.Contains(sections[0].heading, "running") && sections[0].heading != "runtime stack:" {
		return "fatal error: all goroutines are asleep, a deadlock"
	}
	return "fatal error"
}

// behind says what the runtime found, by the frames behind its end.
func behind(end Frame, frames []Frame, signal string) string {
	if end.Function == "internal/runtime/maps.fatal" {
		return "concurrent access to a map that is written"
	}
	if name, _, ok := strings.Cut(strings.TrimPrefix(signal, "[signal "), " code="); ok {
		return name
	}
	if len(frames) == 0 {
		return "in " + end.Function
	}
	if known, ok := causes[frames[0].Function]; ok {
		return known
	}
	return "in " + frames[0].Function
}

// crashed is the stack of the goroutine that ended the process, or, where that
// is the runtime's alone, of the first that is not.
func crashed(sections []section) []Frame {
	for _, s := range sections {
		var frames []Frame
		for _, f := range s.frames {
			if !isRuntime(f.Function) {
				frames = append(frames, f)
			}
		}
		if len(frames) > 0 {
			return frames
		}
	}
	return nil
}

func isRuntime(function string) bool {
	return capture.IsRuntime(function) || strings.HasPrefix(function, "internal/runtime/") || function == "panic" || ends[function]
}

// format writes frames as capture.Stack does. Calls of one place by itself are
// one line with their number.
func format(frames []Frame) string {
	var b strings.Builder
	n := 0
	for i := 0; i < len(frames); {
		f, same := frames[i], 1
		for i+same < len(frames) && frames[i+same] == f {
			same++
		}
		if n++; n > maxFrames {
			b.WriteString("…\n")
			break
		}
		b.WriteString(f.Function + "\n\t" + f.File + ":" + strconv.Itoa(f.Line) + "\n")
		if same > 1 {
			b.WriteString("… (the same call " + strconv.Itoa(same) + " times)\n")
		}
		i += same
	}
	return strings.TrimSuffix(b.String(), "\n")
}
