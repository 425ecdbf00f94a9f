// This file looks at a base handler.

package check

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
)

// Base refuses no handler, a nil one, and slog's default handler, also inside a
// [slog.MultiHandler] or another handler that holds it in a field: under
// slog.SetDefault it waits for a lock that its caller has.
func Base(base slog.Handler) error {
	const want = "want the handler that keeps your logs, such as slog.NewJSONHandler(os.Stdout, nil)"
	if base == nil {
		return errors.New("base is nil; " + want)
	}
	v := reflect.ValueOf(base)
	if canBeNil(v) && v.IsNil() {
		return fmt.Errorf("base is a nil %T; %s", base, want)
	}
	if !holdsDefault(v, make(map[uintptr]bool), maxLook) {
		return nil
	}
	what := "base is"
	if !isDefault(v.Type()) {
		what = fmt.Sprintf("base, a %T, holds", base)
	}
	return errors.New(what + " slog's default handler, which deadlocks under slog.SetDefault; want another, such as slog.NewTextHandler(os.Stderr, nil)")
}

// maxLook bounds how deep handlers in handlers are looked into.
const maxLook = 16

var (
	handlerType = reflect.TypeFor[slog.Handler]()
	loggerType  = reflect.TypeFor[*slog.Logger]()
)

// isDefault: the type has no name that another package could write.
func isDefault(t reflect.Type) bool { return t.String() == "*slog.defaultHandler" }

func canBeNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Slice, reflect.Chan, reflect.Interface:
		return true
	}
	return false
}

// holdsDefault looks into fields that hold handlers, and nothing else: a field
// of a handler is written before it is used, whereas what else it has may be
// changing at this moment.
func holdsDefault(v reflect.Value, seen map[uintptr]bool, deep int) bool {
	if deep == 0 || !v.IsValid() || canBeNil(v) && v.IsNil() {
		return false
	}
	switch v.Kind() {
	case reflect.Interface:
		return holdsDefault(v.Elem(), seen, deep)
	case reflect.Pointer:
		if isDefault(v.Type()) {
			return true
		}
		if seen[v.Pointer()] {
			return false
		}
		seen[v.Pointer()] = true
		return holdsDefault(v.Elem(), seen, deep-1)
	case reflect.Slice, reflect.Array:
		for i := range min(v.Len(), 1000) {
			if holdsDefault(v.Index(i), seen, deep-1) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); holdsHandlers(f.Type()) && holdsDefault(f, seen, deep-1) {
				return true
			}
		}
	}
	return false
}

func holdsHandlers(t reflect.Type) bool {
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	return t == loggerType || t.Implements(handlerType) || reflect.PointerTo(t).Implements(handlerType)
}
