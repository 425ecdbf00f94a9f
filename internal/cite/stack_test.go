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
func TestStackFoldsWhatIsNotOwn(t *testing.T) {
	call := func(function, file string) string { return function + "\n\t" + file + ":1\n" }
	own := call("main.run", "/build/shop/main.go")
	mux := call("net/http.(*ServeMux).ServeHTTP", "/go/src/net/http/server.go")
	json := call("encoding/json.x", "/go/src/encoding/json/x.go")
	chi := call("github.com/go-chi/chi/v5.(*Mux).ServeHTTP", "/go/pkg/mod/github.com/go-chi/chi/v5@v5.1.0/mux.go")
	const run = "main.run\n  main.go:1\n"
	for _, c := range []struct{ name, in, want string }{
		{"behind", own + strings.Repeat(mux, 6), run + "… (+6 net/http)"},
		{"before and behind", json + json + own + mux + own, "json.x\n  encoding/json/x.go:1\n… (+1 encoding/json)\n" + run + "… (+1 net/http)\n" + run},
		{"of several", own + chi + mux + chi, run + "… (+3 go-chi/chi/v5, net/http)"},
		{"of many", own + chi + mux + json + call("a.com/x.F", "x.go") + call("b.com/y.F", "y.go"), run + "… (+5 go-chi/chi/v5, net/http, encoding/json, …)"},
		{"none own", chi + mux + mux + chi, "v5.(*Mux).ServeHTTP\n  github.com/go-chi/chi/v5@v5.1.0/mux.go:1\n… (+2 net/http)\nv5.(*Mux).ServeHTTP\n  github.com/go-chi/chi/v5@v5.1.0/mux.go:1"},
		{"lines between", own + "goroutine 7:\n" + mux, run + "goroutine 7:\n… (+1 net/http)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, strings.TrimSuffix(c.want, "\n"), Tree{Module: "example.com/shop"}.Stack(strings.TrimSuffix(c.in, "\n")))
		})
	}
}
