// Package cite names a source line and finds its address in a repository.
package cite

import (
	"net/url"
	"path"
	"strconv"
	"strings"
)

// Tree is what is known of the source tree a program was built from.
type Tree struct {
	Revision string // "" = unknown
	Module   string // path of the main module, "" = unknown
	Dir      string // the folder of the main module when it was built, "" = unknown
}

// File returns the path of a source file within its module: file and function
// are as slog.Source has them. It is false when the file isn't recognisably
// one of the module's.
func (t Tree) File(file, function string) (string, bool) {
	file = strings.ReplaceAll(file, `\`, "/")
	if t.Dir != "" {
		if rel, ok := strings.CutPrefix(file, strings.TrimSuffix(t.Dir, "/")+"/"); ok {
			return rel, sound(rel)
		}
	}
	if t.Module == "" {
		return "", false
	}
	if rel, ok := strings.CutPrefix(file, t.Module+"/"); ok { // built with -trimpath
		return rel, sound(rel)
	}
	if dir, ok := t.within(function); ok {
		return path.Join(dir, path.Base(file)), true
	}
	if !strings.HasPrefix(function, "main.") {
		return "", false
	}
	// A program's main package has lost its import path: look for the folder
	// that has the module's name.
	_, rel, ok := cutLast(file, "/"+path.Base(t.Module)+"/")
	return rel, ok && sound(rel)
}

// within is the folder, within the module, of the package that function is in.
func (t Tree) within(function string) (string, bool) {
	slash := strings.LastIndexByte(function, '/') + 1
	dot := strings.IndexByte(function[slash:], '.')
	if dot < 0 {
		return "", false
	}
	pkg := strings.ReplaceAll(function[:slash+dot], "%2e", ".")
	pkg = strings.TrimSuffix(pkg, "_test")
	if pkg == t.Module {
		return "", true
	}
	return strings.CutPrefix(pkg, t.Module+"/")
}

// sound reports whether rel can be a path in this module: no other module's,
// no climbing out.
func sound(rel string) bool {
	return rel != "" && !strings.Contains(rel, "@") && path.Clean(rel) == rel && !strings.HasPrefix(rel, "..") && rel[0] != '/'
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// URL fills a template that has {revision}, {file} and {line}; "" when it is
// empty or asks for something that isn't known. file is a path within the module.
func (t Tree) URL(template, file string, line int) string {
	if template == "" || file == "" || t.Revision == "" && strings.Contains(template, "{revision}") {
		return ""
	}
	file = strings.ReplaceAll(url.PathEscape(file), "%2F", "/")
	template = strings.ReplaceAll(template, "{revision}", url.PathEscape(t.Revision))
	template = strings.ReplaceAll(template, "{line}", strconv.Itoa(max(line, 1)))
	return strings.ReplaceAll(template, "{file}", file) // last: a file may be called {line}
}

// Short is the end of a path that tells a reader most: folder and file.
func Short(file string) string {
	file = strings.ReplaceAll(file, `\`, "/")
	dir, base := path.Split(file)
	if dir = path.Base(dir); dir == "." || dir == "/" {
		return base
	}
	return dir + "/" + base
}
