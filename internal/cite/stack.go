// This file shortens call stacks to what tells one frame from another.

package cite

import (
	"fmt"
	"strings"
)

// mostForeign is how many frames of others may stand above the program's own.
const mostForeign = 3

// frame is one call: two lines of a stack, or a line that isn't understood.
type frame struct {
	text string
	own  bool // of the program's module
	call bool // has a function and a source line
}

// Stack shortens a stack in which each call is "function\n\tfile:line": of the
// function's package the last element is left, of the file the path within its
// module or within Go's library. If many frames of others stand above the
// program's own, the first is left and the others are counted. Lines of another
// form stay, but for the tab, which is wide on a phone.
func (t Tree) Stack(stack string) string {
	frames := t.frames(strings.Split(stack, "\n"))
	above := 0
	for above < len(frames) && frames[above].call && !frames[above].own {
		above++
	}
	var b strings.Builder
	for i, f := range frames {
		if above > mostForeign && above < len(frames) && frames[above].own && 0 < i && i < above {
			if i == 1 {
				fmt.Fprintf(&b, "… (+%d calls)\n", above-1)
			}
			continue
		}
		b.WriteString(f.text + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (t Tree) frames(lines []string) (frames []frame) {
	for i := 0; i < len(lines); i++ {
		if i+1 < len(lines) {
			if f, ok := t.frame(lines[i], lines[i+1]); ok {
				frames = append(frames, f)
				i++
				continue
			}
		}
		line := lines[i]
		if rest, ok := strings.CutPrefix(line, "\t"); ok {
			line = "  " + rest
		}
		frames = append(frames, frame{text: line})
	}
	return frames
}

// frame understands two lines as a call.
func (t Tree) frame(function, at string) (frame, bool) {
	file, ok := strings.CutPrefix(at, "\t")
	colon := strings.LastIndex(file, ".go:")
	if !ok || colon < 0 || function == "" || strings.ContainsAny(function[:1], " \t") {
		return frame{}, false
	}
	file, line := file[:colon+len(".go")], file[colon+len(".go"):]
	name := bare(function)
	short, own := t.File(file, name)
	if !own {
		short = within(file, name)
	}
	own = own || strings.HasPrefix(function, "main.")
	return frame{text: function[strings.LastIndexByte(name, '/')+1:] + "\n  " + short + line, own: own, call: true}, true
}

// bare is a function up to its type arguments or receiver, which may have
// slashes, too.
func bare(function string) string {
	name, _, _ := strings.Cut(function, "[")
	name, _, _ = strings.Cut(name, "(")
	return name
}

// within is a file's path within its module or Go's library, or its last two
// elements.
func within(file, function string) string {
	file = strings.ReplaceAll(file, `\`, "/")
	if _, rel, ok := cutLast(file, "/pkg/mod/"); ok {
		return rel
	}
	dir := strings.LastIndexByte(function, '/') + 1
	last, _, _ := strings.Cut(function[dir:], ".")
	if i := strings.LastIndex(file, "/src/"+function[:dir]+last+"/"); i >= 0 {
		return file[i+len("/src/"):]
	}
	if strings.HasPrefix(file, "/") || strings.Contains(file, ":") {
		return Short(file)
	}
	return file // built with -trimpath
}
