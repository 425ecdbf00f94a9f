// This file reads what Go's runtime writes when it ends a process.

package crash

import (
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/origin"
	"example.com/slackalert/internal/owned"
)

// Report is what ended a process.
type Report struct {
	Owner  owned.Owner  // the process
	At     time.Time    // when, by the file's time; zero = unknown
	Cause  string       // such as "panic: no such tenant" or "fatal error: stack overflow"
	Stack  string       // of the goroutine that ended it, "function\n\tfile:line" a frame; without the runtime's. Not redacted
	Source *slog.Source // where it began: the program's own, if there is one; nil = unknown
}

// What is kept of a crash.
const (
	maxFrames = 32
	maxCause  = 4 << 10
)

// parse reads what the runtime wrote. It returns false where that is nothing, or
// tells the panic that was told.
func parse(text string) (r Report, ok bool) {
	mark := ""
	if rest, ok := strings.CutPrefix(text, toldLine); ok {
		mark, text, _ = strings.Cut(rest, "\n")
	}
	said, sections := split(text)
	if strings.TrimSpace(text) == "" || goesOn(strings.TrimSpace(mark), said, text, sections) {
		return Report{}, false
	}
	r.Cause = capture.Cut(cause(said, sections), maxCause)
	frames := crashed(sections)
	r.Stack = format(frames)
	if len(frames) > 0 {
		first := max(0, slices.IndexFunc(frames, func(f slog.Source) bool { return origin.Own(f.Function) }))
		r.Source = &frames[first]
	}
	return r, true
}

// goesOn says whether the panic that ended the process is the one that was told:
// it was recovered and panicked again, and nothing else panicked behind it.
func goesOn(mark, said, text string, sections []section) bool {
	goroutine, value, ok := strings.Cut(mark, " ")
	if !ok || !strings.Contains(said, " [recovered, repanicked]") || strings.Contains(said, "\n\tpanic: ") {
		return false
	}
	return len(sections) == 0 || strings.HasPrefix(sections[0].heading, "goroutine "+goroutine+" ") &&
		strings.Contains(strings.ReplaceAll(text, "?", ""), "\npanic("+value+")\n")
}

// section is one trace.
type section struct {
	heading string
	frames  []slog.Source
}

// isHeading says whether a trace begins with the line.
func isHeading(line string) bool {
	return line == "runtime stack:" || strings.HasPrefix(line, "goroutine ") && strings.HasSuffix(line, "]:")
}

// split parts what was said, which may have blank lines, from the traces.
func split(text string) (said string, sections []section) {
	lines := strings.Split(text, "\n")
	before := len(lines) // so many came before the first trace
	for i, line := range lines {
		if isHeading(line) {
			sections = append(sections, section{heading: line})
			before = min(before, i)
			continue
		}
		if last := len(sections) - 1; last >= 0 && i+1 < len(lines) {
			if f, ok := readFrame(line, lines[i+1]); ok {
				sections[last].frames = append(sections[last].frames, f)
			}
		}
	}
	return strings.TrimSpace(strings.Join(lines[:before], "\n")), sections
}

// readFrame reads the two lines of a call, such as
//
//	main.work(0x1, {0x4caf43?, 0x0?})
//		/src/main.go:12 +0x5e5 fp=0x2 sp=0x1 pc=0x3
func readFrame(call, at string) (slog.Source, bool) {
	at, ok := strings.CutPrefix(at, "\t")
	function, by := strings.CutPrefix(call, "created by ")
	if by {
		function, _, _ = strings.Cut(function, " in goroutine ")
	} else if end := strings.LastIndexByte(call, '('); end > 0 && strings.HasSuffix(call, ")") {
		function = call[:end]
	} else {
		return slog.Source{}, false
	}
	at, _, _ = strings.Cut(at, " +0x")
	colon := strings.LastIndexByte(at, ':')
	if !ok || colon < 0 {
		return slog.Source{}, false
	}
	line, err := strconv.Atoi(at[colon+1:])
	return slog.Source{Function: function, File: at[:colon], Line: line}, err == nil
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
	"stack overflow": "runtime.newstack",
	"out of memory": `runtime.sysMapOS runtime.sysUsedOS runtime.(*mcache).allocLarge runtime.(*mcache).refill
		runtime.(*mheap).sysAlloc runtime.(*mheap).allocNeedsZero runtime.persistentalloc1 runtime.stackalloc
		runtime.stackpoolalloc runtime.newArenaMayUnlock`,
	"the system gave no thread":  "runtime.newosproc",
	"too many threads":           "runtime.checkmcount",
	"unlock of unlocked mutex":   "internal/sync.(*Mutex).unlockSlow",
	"unlock of unlocked RWMutex": "sync.(*RWMutex).Unlock sync.(*RWMutex).rUnlockSlow",
}

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
			next := frames[j+1:]
			if ends[f.Function] && (len(next) == 0 || !ends[next[0].Function]) { // one calls the other, under GOTRACEBACK=system
				return "fatal error: " + behind(f, next, signal)
			}
		}
	}
	if len(sections) > 0 && !strings.Contains(sections[0].heading, "running") && sections[0].heading != "runtime stack:" {
		return "fatal error: all goroutines are asleep, a deadlock"
	}
	return "fatal error"
}

// behind says what the runtime found, by the frames behind its end.
func behind(end slog.Source, frames []slog.Source, signal string) string {
	if end.Function == "internal/runtime/maps.fatal" {
		return "concurrent access to a map that is written"
	}
	if name, _, ok := strings.Cut(strings.TrimPrefix(signal, "[signal "), " code="); ok {
		return name
	}
	if len(frames) == 0 {
		return "in " + end.Function
	}
	for known, functions := range causes {
		if slices.Contains(strings.Fields(functions), frames[0].Function) {
			return known
		}
	}
	return "in " + frames[0].Function
}

// crashed is the stack of the goroutine that ended the process, or, where that
// is the runtime's alone, of the first that is not.
func crashed(sections []section) []slog.Source {
	for _, s := range sections {
		frames := slices.DeleteFunc(s.frames, func(f slog.Source) bool { return isRuntime(f.Function) })
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
func format(frames []slog.Source) string {
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
