// This file shortens call stacks to what tells one frame from another.

package cite

import (
	"fmt"
	"slices"
	"strings"

	"example.com/slackalert/internal/origin"
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
		f, ok := t.frame(lines[i], lines[min(i+1, len(lines)-1)])
		if ok {
			i++
		} else if rest, tab := strings.CutPrefix(lines[i], "\t"); tab {
			f.text = "  " + rest
		} else {
			f.text = lines[i]
		}
		frames = append(frames, f)
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
	pkg := origin.Package(function)
	short, own := t.File(file, function)
	if !own {
		short = within(file, pkg)
	}
	f := frame{text: function[strings.LastIndexByte(pkg, '/')+1:] + "\n  " + short + line, pkg: pkg}
	f.own = own || pkg == "main"
	host, rest, deep := strings.Cut(pkg, "/")
	if f.library = !strings.Contains(host, "."); deep && !f.library {
		f.pkg = rest // without the host
	}
	return f, true
}

// within is the path of a package's file within its module or Go's library, or
// its last two elements.
func within(file, pkg string) string {
	file = strings.ReplaceAll(file, `\`, "/")
	if _, rel, ok := cutLast(file, "/pkg/mod/"); ok {
		return rel
	}
	if i := strings.LastIndex(file, "/src/"+pkg+"/"); i >= 0 {
		return file[i+len("/src/"):]
	}
	if strings.HasPrefix(file, "/") || strings.Contains(file, ":") {
		return Short(file)
	}
	return file // built with -trimpath
}
