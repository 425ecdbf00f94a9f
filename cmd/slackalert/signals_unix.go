// This file knows the signals of Unix.

//go:build unix

package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// handled are the signals that a command gets, and that the pipe survives.
func handled() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCONT}
}

// asksToEnd says of those whether they ask a program to end.
func asksToEnd(s os.Signal) bool {
	return s == syscall.SIGINT || s == syscall.SIGTERM || s == syscall.SIGQUIT || s == syscall.SIGHUP
}

// fromTerminal says of a signal whether the terminal sent it to the command,
// too: ^C and ^\ go to all that run in front of it.
func fromTerminal(s os.Signal) bool {
	if s != syscall.SIGINT && s != syscall.SIGQUIT {
		return false
	}
	tty, err := os.Open("/dev/tty") // there is one only for what a terminal controls
	if err != nil {
		return false
	}
	return tty.Close() == nil
}

// ignoreBrokenPipe lets a write to a pipe that nobody reads return an error
// instead of ending the program, which has alerts to tell. The returned
// function undoes it.
func ignoreBrokenPipe() (undo func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGPIPE)
	return func() { signal.Stop(c) }
}

// exitStatus is the status to end with, and how the command ended.
func exitStatus(state *os.ProcessState) (status int, how string) {
	if w, ok := state.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return signalStatus + int(w.Signal()), fmt.Sprintf("was ended by signal %d (%s)", int(w.Signal()), w.Signal())
	}
	return state.ExitCode(), fmt.Sprintf("exited with status %d", state.ExitCode())
}
