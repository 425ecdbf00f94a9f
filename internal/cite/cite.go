// This file knows where in a source tree a file stands.

// Package cite names a source line and finds its address in a repository.
package cite

import (
	"cmp"
	"log/slog"
	"net/url"
	"path"
	"runtime/debug"
	"strconv"
	"strings"

	"example.com/slackalert/internal/inert"
	"example.com/slackalert/internal/origin"
)

// Tree is what is known of the source tree a program was built from. The zero
// Tree will do.
type Tree struct {
	Revision string // "" = unknown
	Modified bool   // built with changes that no revision has
	Module   string // path of the main module, "" = unknown
	Main     string // the folder of package main in it; "" = its own, or unknown
}

// Build is the tree that this program was built from.
func Build() Tree {
	if info, ok := debug.ReadBuildInfo(); ok {
		return treeOf(info)
	}
	return Tree{}
}

func treeOf(info *debug.BuildInfo) Tree {
	t := Tree{Module: info.Main.Path}
	if dir, ok := strings.CutPrefix(info.Path, t.Module+"/"); ok {
		t.Main = dir
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			t.Revision = s.Value
		case "vcs.modified":
			t.Modified = s.Value == "true"
		}
	}
	return t
}

// File returns the path of a source file within its module: file and function
// are as slog.Source has them. It is false when the file isn't recognisably
// one of the module's.
func (t Tree) File(file, function string) (string, bool) {
	file = strings.ReplaceAll(file, `\`, "/")
	if t.Module == "" {
		return "", false
	}
	if rel, ok := strings.CutPrefix(file, t.Module+"/"); ok { // built with -trimpath
		return rel, sound(rel)
	}
	if dir, ok := t.within(function); ok {
		return dir + file[strings.LastIndexByte(file, '/')+1:], true
	}
	// Functions of package main don't say where it stands, nor of which program
	// it is: a relay tells others' too. So the folder must be this program's.
	dir, base := path.Split(file)
	if !strings.HasPrefix(function, "main.") || !strings.HasSuffix(dir, "/"+cmp.Or(t.Main, path.Base(t.Module))+"/") {
		return "", false
	}
	return path.Join(t.Main, base), true
}

// within is the folder, within the module, of the package that function is in;
// it ends in a slash unless it is the module's own.
func (t Tree) within(function string) (dir string, ok bool) {
	return strings.CutPrefix(strings.TrimSuffix(origin.Package(function), "_test")+"/", t.Module+"/")
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
	template = strings.ReplaceAll(template, "{revision}", url.PathEscape(t.Revision)) // without braces, as what follows
	template = strings.ReplaceAll(template, "{file}", file)
	return strings.ReplaceAll(template, "{line}", strconv.Itoa(max(line, 1)))
}

// Place names a source line and links it after template, if the line is the
// program's own and the template asks for nothing that isn't known.
func (t Tree) Place(src *slog.Source, template string) (where, address string) {
	where = Short(src.File)
	if file, ok := t.File(src.File, src.Function); ok {
		where, address = file, inert.URL(t.URL(template, file, src.Line))
	}
	if where == "" {
		return src.Function, ""
	}
	if src.Line > 0 {
		where += ":" + strconv.Itoa(src.Line)
	}
	if t.Modified && address != "" {
		where += " (modified)"
	}
	return where, address
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
