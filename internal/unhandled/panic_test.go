package unhandled

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/internal/capture"
)

// recovered runs f and returns its panic.
func recovered(f func()) (p Panic) {
	defer func() {
		if v := recover(); v != nil {
			p = Recovered(v)
		}
	}()
	f()
	return Panic{}
}

func inlined(n []int) int { return n[5] }

func recovers() {
	defer func() { _ = recover() }()
	panic("swallowed")
}

// again recovers the panic of f, and panics with it.
func again(f func()) {
	defer func() { panic(recover()) }()
	f()
}

func TestWhereAPanicBegan(t *testing.T) {
	var p *struct{ n int }
	var m map[string]int
	var e any = 1
	for what, f := range map[string]func(){
		"panic":             func() { panic("x") },
		"error":             func() { panic(errors.New("x")) },
		"nil":               func() { panic(nil) },
		"nil pointer":       func() { p.n++ },
		"index":             func() { _ = inlined(nil) },
		"nil map":           func() { m["a"] = 1 },
		"type":              func() { _ = e.(string) },
		"division":          func() { _ = 1 / len(m) },
		"not comparable":    func() { panic([]int{1}) },
		"struct":            func() { panic(struct{ a, b int }{1, 2}) },
		"number":            func() { panic(7) },
		"deferred":          func() { defer func() { panic("y") }() },
		"second":            func() { defer func() { panic("y") }(); panic("x") },
		"after a recovered": func() { recovers(); panic("x") },
		"deep":              func() { deep(300) },
	} {
		for how, f := range map[string]func(){
			"": f, " again": func() { again(f) }, " and again": func() { again(func() { again(f) }) },
		} {
			t.Run(what+how, func(t *testing.T) {
				s := recovered(f).Stack
				require.NotEmpty(t, s)
				top := capture.Function(s[0])
				switch what {
				case "index":
					assert.True(t, strings.HasSuffix(top, "/unhandled.inlined"), top)
				case "deep":
					assert.True(t, strings.HasSuffix(top, "/unhandled.deep"), top)
				default:
					assert.Contains(t, top, "unhandled.TestWhereAPanicBegan.func")
				}
				text := s.String()
				assert.Contains(t, text, "panic_test.go:")
				assert.NotContains(t, text, "runtime.")
				assert.NotContains(t, text, "swallowed")
			})
		}
	}
}

func deep(n int) {
	if n == 0 {
		panic("x")
	}
	deep(n - 1)
}

// Each of many goroutines tells its own panic, of the same value, and only that.
func TestToldFromManyGoroutines(t *testing.T) {
	value := errors.New("x")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				outer := recovered(func() {
					defer func() {
						p := Recovered(recover())
						assert.False(t, p.Told)
						told.add(p.here)
						panic(p.Value)
					}()
					again(func() { panic(value) })
				})
				assert.True(t, outer.Told)
			}
		})
	}
	wg.Wait()
}

func TestTrace(t *testing.T) {
	var goroutine string
	var values []string
	func() {
		defer func() { _ = recover(); goroutine, values = trace(3) }()
		again(func() { panic(errors.New("x")) })
	}()
	assert.Regexp(t, "^[0-9]+$", goroutine)
	assert.Regexp(t, "^{0x[0-9a-f]+, 0x[0-9a-f]+}$", values[0])
	assert.True(t, same(values[0], values[1], nil))
	assert.False(t, same(values[1], values[2], nil), "not in the text")
	assert.False(t, same(values[2], values[3], nil), "both not in the text")
	assert.True(t, same("{0x1, 0x2}", "{0x0, 0x0}", &runtime.PanicNilError{}))
	assert.False(t, same("{0x1, 0x2}", "{0x0, 0x0}", "x"))
}
