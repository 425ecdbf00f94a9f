// Package origin says whose code a function is: the program's own, the
// standard library's, or that of a module the program depends on.
package origin

import (
	"cmp"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
)

// Own says of a function's name, as [runtime.Frame] has it, whether it is the
// program's own: of package main, of the main module, or of a module that lies
// beside it on disk (a workspace, a replacement by a folder). What was built
// without modules is all its own but the standard library.
func Own(function string) bool {
	pkg, own := Package(function), modules()
	return pkg == "main" || len(own) == 0 && !looksStandard(pkg) ||
		slices.ContainsFunc(own, func(path string) bool { return within(pkg, path) })
}

// Standard says whether a function is the standard library's.
func Standard(function string) bool {
	return looksStandard(Package(function)) && !Own(function)
}

// looksStandard: of what can be downloaded the first element has a dot.
func looksStandard(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return !strings.Contains(first, ".")
}

// Package returns the import path of a function's package: the name up to
// the first dot of its last element, where the linker escapes the path's own.
func Package(function string) string {
	if end := strings.IndexAny(function, "[("); end >= 0 { // type arguments, a receiver
		function = function[:end]
	}
	slash := strings.LastIndexByte(function, '/') + 1
	last, _, _ := strings.Cut(function[slash:], ".")
	if plain, err := url.PathUnescape(last); err == nil {
		last = plain
	}
	return function[:slash] + last
}

// within says whether a package is of the module at path; an external test of
// the module's root is.
func within(pkg, path string) bool {
	rest, ok := strings.CutPrefix(pkg, path)
	return ok && (rest == "" || rest[0] == '/' || rest == "_test")
}

// modules are the paths of the program's own modules: none where it was built
// without.
var modules = sync.OnceValue(func() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	return own(info)
})

// own are of all modules the main one, and those built from a folder of the
// user's.
func own(info *debug.BuildInfo) (paths []string) {
	if info.Main.Path != "" {
		paths = append(paths, info.Main.Path)
	}
	for _, dep := range info.Deps {
		if from := cmp.Or(dep.Replace, dep); from.Version == "" || from.Version == "(devel)" {
			paths = append(paths, dep.Path)
		}
	}
	return paths
}
