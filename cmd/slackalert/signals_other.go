// This file knows the signals of other systems.

//go:build !unix

package main

import (
	"fmt"
	"os"
	"syscall"
)

func handled() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

func asksToEnd(os.Signal) bool { return true }

// fromTerminal: an interrupt goes to all programs of a console.
func fromTerminal(os.Signal) bool { return true }

func ignoreBrokenPipe() (undo func()) { return func() {} }

func exitStatus(state *os.ProcessState) (status int, how string) {
	return state.ExitCode(), fmt.Sprintf("exited with status %d", state.ExitCode())
}
