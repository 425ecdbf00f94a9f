// This file shortens call stacks to what tells one frame from another.

package cite

import (
	"fmt"
	"slices"
	"strings"
)

// frame is one call: two lines of a stack, or a line that isn't understood.
type frame struct {
	text    string
	pkg     string // whose call it is; "" = a line of another form
	own     bool   // of the program's module
	library bool   // of Go's
}

// mostNamed is how many packages are named where calls are folded.
const mostNamed = 3

// Stack shortens a stack in which each call is "function\n\tfile:line": of the
// function's package the last element is left, of the file the path within its
// module or within Go's library. Calls in Go's library and in modules not the
// program's own are folded, "… (+6 net/http)", but for the one the stack begins
// with; where nothing is recognisably the program's own, only Go's are. Lines of
// another form stay, but for the tab, which is wide on a phone.
func (t Tree) Stack(stack string) string {
	frames := t.frames(strings.Split(stack, "\n"))
	ours := slices.ContainsFunc(frames, func(f frame) bool { return f.own })
	var b strings.Builder
	for i := 0; i < len(frames); {
		n := i
		for n > 0 && n < len(frames) && frames[n].pkg != "" && !frames[n].own && (ours || frames[n].library) {
			n++
		}
		if n > i {
			b.WriteString(folded(frames[i:n]) + "\n")
			i = n
			continue
		}
		b.WriteString(frames[i].text + "\n")
		i++
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// folded stands for frames that aren't shown.
func folded(frames []frame) string {
	var names []string
	for _, f := range frames {
		if !slices.Contains(names, f.pkg) {
			names = append(names, f.pkg)
		}
	}
	if len(names) > mostNamed {
		names = append(names[:mostNamed], "…")
	}
	return fmt.Sprintf("… (+%d %s)", len(frames), strings.Join(names, ", "))
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
	f := frame{text: function[strings.LastIndexByte(name, '/')+1:] + "\n  " + short + line}
	f.own = own || strings.HasPrefix(function, "main.")
	f.pkg, f.library = packageOf(name)
	return f, true
}

// packageOf is the path of a function's package, without the host of a module
// that isn't Go's, and whether it is Go's.
func packageOf(name string) (pkg string, library bool) {
	slash := strings.LastIndexByte(name, '/') + 1
	last, _, _ := strings.Cut(name[slash:], ".")
	pkg = name[:slash] + last
	host, rest, ok := strings.Cut(pkg, "/")
	if !strings.Contains(host, ".") {
		return pkg, true
	}
	if !ok {
		return pkg, false
	}
	return rest, false
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
