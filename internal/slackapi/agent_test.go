package slackapi

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestUserAgent(t *testing.T) {
	module := func(path, version string) *debug.Module { return &debug.Module{Path: path, Version: version} }
	replaced := module("example.org/alerts", "v1.0.0")
	replaced.Replace = module("../alerts", "")
	for name, c := range map[string]struct {
		main debug.Module
		deps []*debug.Module
		want string
	}{
		"itself":             {*module("example.org/alerts", "(devel)"), nil, "devel"},
		"itself, stamped":    {*module("example.org/alerts", "v0.0.0-20261127091627-c90661f0a1b2+dirty"), nil, "v0.0.0-20261127091627-c90661f0a1b2+dirty"},
		"required":           {*module("shop", "(devel)"), []*debug.Module{module("example.org/alertsmith", "v9.9.9"), module("example.org/alerts", "v1.2.3")}, "v1.2.3"},
		"in a nested one":    {*module("example.org", "v9.9.9"), []*debug.Module{module("example.org/alerts", "v1.2.3")}, "v1.2.3"},
		"vendored unseen":    {*module("shop", "v9.9.9"), []*debug.Module{module("example.org/alert", "v9.9.9")}, "devel"},
		"replaced by folder": {*module("shop", "v9.9.9"), []*debug.Module{replaced}, "devel"},
		"no information":     {debug.Module{}, nil, "devel"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, versionIn(&debug.BuildInfo{Main: c.main, Deps: c.deps}, "example.org/alerts/internal/slackapi"))
		})
	}
	assert.True(t, strings.HasPrefix(userAgent(), "slackalert/"))
}
