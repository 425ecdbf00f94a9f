package cite

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFile(t *testing.T) {
	shop := Tree{Module: "example.com/shop"}
	api := Tree{Module: "example.com/shop", Main: "cmd/api"}
	for _, c := range []struct {
		name           string
		tree           Tree
		file, function string
		want           string
	}{
		{"by function", shop, "/build/x/internal/pay/pay.go", "example.com/shop/internal/pay.(*Service).Charge.func1", "internal/pay/pay.go"},
		{"no folder in the file", shop, "pay.go", "example.com/shop/pay.Do", "pay/pay.go"},
		{"the module's root", shop, "/build/x/shop.go", "example.com/shop.Run", "shop.go"},
		{"a test", shop, "/build/x/pay/pay_test.go", "example.com/shop/pay_test.TestPay", "pay/pay_test.go"},
		{"a dot in the path", shop, "/b/v1.x/a.go", "example.com/shop/v1%2ex.Do", "v1.x/a.go"},
		{"trimmed", shop, "example.com/shop/cmd/api/main.go", "main.main", "cmd/api/main.go"},
		{"main, wherever it was built", api, "/src/cmd/api/main.go", "main.main", "cmd/api/main.go"},
		{"main, in a folder of the module's name", Tree{Module: "example.com/shop", Main: "cmd/shop"}, "/u/shop/cmd/shop/a.go", "main.main", "cmd/shop/a.go"},
		{"main, of another program", api, "/src/cmd/web/main.go", "main.main", ""},
		{"main, in the module's root", shop, "/home/u/shop/main.go", "main.main", "main.go"},
		{"main, elsewhere", shop, "/home/u/market/main.go", "main.main", ""},
		{"Windows", api, `C:\u\shop\cmd\api\b.go`, "main.main", "cmd/api/b.go"},
		{"a dependency", shop, "/go/pkg/mod/github.com/x/y@v1.2.3/y.go", "github.com/x/y.Do", ""},
		{"a dependency, trimmed", shop, "github.com/x/y@v1.2.3/y.go", "github.com/x/y.Do", ""},
		{"a module of a longer name", shop, "/b/shopping/a.go", "example.com/shopping.Do", ""},
		{"Go's own", shop, "/usr/local/go/src/net/http/server.go", "net/http.HandlerFunc.ServeHTTP", ""},
		{"climbing out", shop, "example.com/shop/../../etc/passwd", "", ""},
		{"nothing known", Tree{}, "/build/pay.go", "example.com/shop.Do", ""},
		{"nothing at all", Tree{}, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := c.tree.File(c.file, c.function)
			assert.Equal(t, c.want != "", ok)
			if ok {
				assert.Equal(t, c.want, got)
			}
		})
	}
}

func TestTreeOf(t *testing.T) {
	shop := debug.Module{Path: "example.com/shop"}
	for _, c := range []struct {
		name string
		info debug.BuildInfo
		want Tree
	}{
		{"a folder's program", debug.BuildInfo{Path: "example.com/shop/cmd/api", Main: shop}, Tree{Module: shop.Path, Main: "cmd/api"}},
		{"the module's own", debug.BuildInfo{Path: shop.Path, Main: shop}, Tree{Module: shop.Path}},
		{"files by their names", debug.BuildInfo{Path: "command-line-arguments"}, Tree{}},
		{"another module's", debug.BuildInfo{Path: "example.com/shopping/x", Main: shop}, Tree{Module: shop.Path}},
		{
			"of a revision, changed", debug.BuildInfo{Main: shop, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "4f2c"}, {Key: "vcs.modified", Value: "true"}}},
			Tree{Module: shop.Path, Revision: "4f2c", Modified: true},
		},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, treeOf(&c.info)) })
	}
}

func TestURL(t *testing.T) {
	tree := Tree{Revision: "4f2c9e1d"}
	const template = "https://git.example/blob/{revision}/{file}#L{line}"
	assert.Equal(t, "https://git.example/blob/4f2c9e1d/a/b.go#L7", tree.URL(template, "a/b.go", 7))
	assert.Equal(t, "https://git.example/blob/4f2c9e1d/a%20b/%7Bline%7D.go#L1", tree.URL(template, "a b/{line}.go", 0))
	assert.Empty(t, Tree{}.URL(template, "a/b.go", 7), "the revision isn't known")
	assert.Equal(t, "https://git.example/main/a.go", Tree{}.URL("https://git.example/main/{file}", "a.go", 7))
	assert.Equal(t, "https://git.example/{x}/{/a.go}{", tree.URL("https://git.example/{x}/{/{file}}{", "a.go", 7))
	assert.Empty(t, tree.URL("", "a.go", 7))
	assert.Empty(t, tree.URL(template, "", 7))
}

func TestShort(t *testing.T) {
	assert.Equal(t, "pay/pay.go", Short("/build/shop/internal/pay/pay.go"))
	assert.Equal(t, "pay.go", Short("pay.go"))
	assert.Equal(t, "main.go", Short("/main.go"))
	assert.Equal(t, "a/b.go", Short(`C:\a\b.go`))
	assert.Empty(t, Short(""))
}
