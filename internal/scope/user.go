// This file asks who is hit.

package scope

import (
	"sync/atomic"

	"example.com/slackalert/internal/capture"
)

// User is who makes a request, of whom the program may know only later: each
// alert asks until there is an answer, and once, first for the count of users,
// then for what is shown. The zero User has no answer yet.
type User struct {
	answer atomic.Pointer[string] // the last one; nil = none
}

// Counted is who is counted as hit by an alert; ask says "" while nobody knows.
func (u *User) Counted(ask func() string) string {
	answer := u.answer.Load()
	if answer == nil || *answer == "" {
		name := ask()
		answer = &name
		u.answer.Store(answer)
	}
	return *answer
}

// Shown is who is shown, which Counted may have asked for the same alert.
func (u *User) Shown(ask func() string) string {
	answer := u.answer.Load()
	if answer == nil {
		return ask()
	}
	if *answer == "" {
		u.answer.CompareAndSwap(answer, nil) // the next alert asks anew
	}
	return *answer
}

// Forget lets who may know better be asked.
func (u *User) Forget() { u.answer.Store(nil) }

// Ask calls a function of the program's; a panic in it is the answer.
func Ask(user func() string) (name string) {
	defer func() {
		if v := recover(); v != nil {
			name = "!PANIC: " + capture.Said(v)
		}
	}()
	return user()
}
