// This file says what a file that belongs to a living process is.

// Package owned makes files that belong to one process while it lives, and
// takes over those whose owner is gone, however it went.
//
// A file is locked from the moment it stands under its name until its owner
// closes it or dies; the system ends the lock, so none is ever stale. On Unix
// the lock is flock's, on Windows it is that nobody else may open the file.
// Elsewhere [Create] fails with [errors.ErrUnsupported].
package owned

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// ErrHeld is what [Take] returns of a file whose owner lives.
var ErrHeld = errors.New("its owner lives")

// Making ends the name of a file that is being made.
const Making = ".new"

// Is reports whether f is the file that stands under path now. It is not where
// somebody removed, renamed or replaced it.
func Is(f *os.File, path string) bool {
	there, err := os.Lstat(path)
	if err != nil {
		return false
	}
	mine, err := f.Stat()
	return err == nil && os.SameFile(mine, there)
}

// Take locks the file under path for reading and writing if its owner is gone.
// Of a file whose owner lives it returns [ErrHeld], of one that was removed
// meanwhile an error that is [fs.ErrNotExist].
func Take(path string) (*os.File, error) {
	f, err := lockOpen(path)
	if err != nil {
		return nil, err
	}
	if !Is(f, path) {
		_ = f.Close() // somebody else took it, and was done with it
		return nil, &fs.PathError{Op: "take", Path: path, Err: fs.ErrNotExist}
	}
	return f, nil
}

// Tidy removes what is left, for more than a minute, of a file that a process
// was making when it was killed.
func Tidy(path string) {
	info, err := os.Lstat(path)
	if err != nil || time.Since(info.ModTime()) < time.Minute {
		return
	}
	if f, err := Take(path); err == nil {
		_ = Remove(f, path) // or the next to look does
	}
}

// Owner is a process, as it writes of itself into its files.
type Owner struct {
	Service string    `json:"service"`
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Start   time.Time `json:"start"`
	Run     string    `json:"run"` // names its files: no other process has it
	Build   string    `json:"build,omitempty"`
	Raw     bool      `json:"raw,omitempty"` // secrets are left in what it writes
}
