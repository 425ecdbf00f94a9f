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
)

// ErrHeld is what [Take] returns of a file whose owner lives.
var ErrHeld = errors.New("its owner lives")

// newSuffix ends the name of a file that is being made.
const newSuffix = ".new"

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
