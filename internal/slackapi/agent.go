// This file says who calls: the name and version that Slack's logs get.

package slackapi

import (
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
)

// userAgent is "slackalert/v1.2.3", and "slackalert/devel" where the build
// doesn't know its version.
var userAgent = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return "slackalert/" + versionIn(info, reflect.TypeFor[Client]().PkgPath())
})

// versionIn is the version of the module that pkg is of. The module is found by
// its path, which need not be the one it was written under.
func versionIn(info *debug.BuildInfo, pkg string) string {
	path, version := "", ""
	for _, m := range append(info.Deps, &info.Main) {
		inside := m.Path == pkg || strings.HasPrefix(pkg, m.Path+"/")
		if !inside || len(m.Path) <= len(path) {
			continue
		}
		path, version = m.Path, m.Version
		if m.Replace != nil {
			version = m.Replace.Version
		}
	}
	if version == "" || version == "(devel)" {
		return "devel"
	}
	return version
}
