package cite

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStack(t *testing.T) {
	tree := Tree{Module: "example.com/shop"}
	for _, c := range []struct{ name, in, want string }{
		{"own", "example.com/shop/internal/pay.(*Service).Charge\n\t/build/shop/internal/pay/pay.go:142", "pay.(*Service).Charge\n  internal/pay/pay.go:142"},
		{"Go's", "net/http.HandlerFunc.ServeHTTP\n\t/usr/local/go/src/net/http/server.go:2322", "http.HandlerFunc.ServeHTTP\n  net/http/server.go:2322"},
		{"another module's", "github.com/x/y/z.Do\n\t/home/bob/go/pkg/mod/github.com/x/y@v1.2.3/z/z.go:7", "z.Do\n  github.com/x/y@v1.2.3/z/z.go:7"},
		{"built with -trimpath", "net/http.Get\n\tnet/http/client.go:9", "http.Get\n  net/http/client.go:9"},
		{"somewhere", "corp/x.Do\n\t/srv/a/b/c/x.go:1", "x.Do\n  c/x.go:1"},
		{"on Windows", "corp/x.Do\n\tC:\\a\\b\\c\\x.go:1", "x.Do\n  c/x.go:1"},
		{"type arguments and addresses", "example.com/shop/a.Map[example.com/shop/b.T](...)\n\t/build/shop/a/a.go:3 +0x1d", "a.Map[example.com/shop/b.T](...)\n  a/a.go:3 +0x1d"},
		{"another form", "goroutine 1 [running]:\nat /x/y.js:1\n\tthere", "goroutine 1 [running]:\nat /x/y.js:1\n  there"},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, tree.Stack(c.in)) })
	}
}

// A reader wants to see the program's own calls, and where it began.
func TestStackShowsOwnCalls(t *testing.T) {
	tree := Tree{Module: "example.com/shop"}
	foreign, own := "\nencoding/json.x\n\t/go/src/encoding/json/x.go:1", "\nmain.run\n\t/build/shop/main.go:2"
	of := func(n int) string {
		return strings.TrimSpace(strings.Repeat(foreign, n) + own + strings.Repeat(foreign, 5))
	}
	assert.Equal(t, 6+2+10, strings.Count(tree.Stack(of(3)), "\n")+1, "few stay")
	assert.True(t, strings.HasPrefix(tree.Stack(of(6)), "json.x\n  encoding/json/x.go:1\n… (+5 calls)\nmain.run\n  main.go:2\njson.x\n"), tree.Stack(of(6)))
	assert.NotContains(t, tree.Stack(strings.Repeat(foreign, 9)[1:]), "…", "nothing is the program's own")
}
