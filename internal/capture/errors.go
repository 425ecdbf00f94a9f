// This file reads errors: their text, their chain, the stack they carry.

package capture

import (
	"reflect"
	"strings"
)

// maxChain bounds how many errors of a chain are looked at.
const maxChain = 32

// ErrorText is an error's text, and "<nil>" or "!PANIC: …" where it has none.
func ErrorText(err error) (s string) {
	defer func() {
		if r := recover(); r != nil {
			s = panicText(err, r)
		}
	}()
	return err.Error()
}

// Chain is the text of an error, and a line for each error it wraps whose text
// it doesn't repeat. Behind a text that is longer than what is looked at nothing is
// added, and of a long chain the start is taken.
func Chain(err error, text string) string {
	if k, ok := err.(*kept); ok {
		return k.chain
	}
	if len(text) > window {
		return text
	}
	var b strings.Builder
	b.WriteString(text)
	Walk(err, maxChain, func(e error) bool {
		t := ErrorText(e)
		if t = t[:min(len(t), window+1)]; !says(b.String(), t) {
			b.WriteString("\ncaused by: " + t)
		}
		return b.Len() <= window
	})
	return b.String()
}

// says reports whether a text has another in it, of several lines also where
// they were indented or put into one.
func says(text, part string) bool {
	if strings.Contains(text, part) {
		return true
	}
	return strings.Contains(part, "\n") && strings.Contains(oneLine(text), oneLine(part))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// ErrorStack is the stack that an error carries, the innermost of its chain:
// what a method StackTrace of pkg/errors and its kin returns, or a method Callers
// as go-errors has it. "" = none.
func ErrorStack(err error) string { return innermost(err).String() }

func innermost(err error) (found Stack) {
	if k, ok := err.(*kept); ok {
		return k.stack
	}
	Walk(err, maxChain, func(e error) bool {
		if s := stackOf(e); len(s) > 0 {
			found = s
		}
		return true
	})
	return found
}

// stackOf asks by method, so that no such package need be imported.
func stackOf(err error) (s Stack) {
	defer func() {
		if recover() != nil {
			s = nil
		}
	}()
	m := reflect.ValueOf(err).MethodByName("StackTrace")
	if !m.IsValid() {
		m = reflect.ValueOf(err).MethodByName("Callers")
	}
	if !m.IsValid() || m.Type().NumIn() != 0 || m.Type().NumOut() != 1 {
		return nil
	}
	t := m.Type().Out(0)
	if t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Uintptr {
		return nil
	}
	trace := m.Call(nil)[0]
	for i := range min(trace.Len(), maxPCs) {
		s = append(s, uintptr(trace.Index(i).Uint()))
	}
	return s
}

// Walk visits an error and what it wraps, outermost first and no more than so
// many, until visit returns false.
func Walk(err error, left int, visit func(error) bool) {
	var step func(error) bool
	step = func(e error) bool {
		if left--; left < 0 || e == nil || !visit(e) {
			return false
		}
		for _, in := range unwrap(e) {
			if !step(in) {
				return false
			}
		}
		return true
	}
	step(err)
}

func unwrap(err error) (in []error) {
	defer func() {
		if recover() != nil {
			in = nil
		}
	}()
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return []error{inner}
		}
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return nil
}
