package origin

import (
	"encoding/json"
	"path"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func name(f any) string { return runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name() }

type generic[T any] struct{}

func (generic[T]) M() {}

func TestWhose(t *testing.T) {
	for _, c := range []struct {
		function      string
		own, standard bool
	}{
		{"main.main", true, false},
		{"main.(*shop).pay.func1", true, false},
		{name(TestWhose), true, false},
		{name(func() {}), true, false},
		{name(generic[int].M), true, false},
		{name(assert.Equal), false, false},
		{name(strings.Cut), false, true},
		{name(json.Marshal), false, true},
		{name((*json.Decoder).Decode), false, true},
		{"vendor/golang.org/x/net/http2/hpack.(*Decoder).Write", false, true},
		{"net/http.HandlerFunc.ServeHTTP", false, true},
		{"github.com/go-chi/chi/v5.(*Mux).routeHTTP", false, false},
		{"gopkg.in/yaml%2ev3.Unmarshal", false, false},
	} {
		t.Run(c.function, func(t *testing.T) {
			assert.Equal(t, c.own, Own(c.function), "own")
			assert.Equal(t, c.standard, Standard(c.function), "standard")
		})
	}
}

func TestPackageOf(t *testing.T) {
	for function, want := range map[string]string{
		"main.main":                           "main",
		"shop/till.(*Till).Pay.func1":         "shop/till",
		"a.b/c.F[...]":                        "a.b/c",
		"a.b/c.(*T[go.shape.int/x]).M":        "a.b/c",
		"gopkg.in/yaml%2ev3.Unmarshal":        "gopkg.in/yaml.v3",
		"a.b/c_test.TestX":                    "a.b/c_test",
		"":                                    "",
		path.Dir(name(TestWhose)) + "/x.init": path.Dir(name(TestWhose)) + "/x",
	} {
		assert.Equal(t, want, Package(function), function)
	}
}

func TestWithin(t *testing.T) {
	for pkg, want := range map[string]bool{
		"shop.example/a": true, "shop.example/a/b": true, "shop.example/a_test": true,
		"shop.example/ab": false, "shop.example": false, "shop.example/a_testing": false,
	} {
		assert.Equal(t, want, within(pkg, "shop.example/a"), pkg)
	}
}

// What lies beside the main module on disk is the user's too.
func TestOwnModules(t *testing.T) {
	assert.Equal(t, []string{"shop.example/a", "shop.example/beside", "shop.example/folder"}, own(&debug.BuildInfo{
		Main: debug.Module{Path: "shop.example/a", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "shop.example/beside", Version: "(devel)"},
			{Path: "shop.example/folder", Version: "v1.0.0", Replace: &debug.Module{Path: "../folder"}},
			{Path: "shop.example/fork", Version: "v1.0.0", Replace: &debug.Module{Path: "shop.example/forked", Version: "v1.0.1"}},
			{Path: "github.com/go-chi/chi/v5", Version: "v5.5.0"},
		},
	}))
	assert.Empty(t, own(&debug.BuildInfo{}))
}
