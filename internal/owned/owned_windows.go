// This file locks by not sharing: what a process has open nobody else can open.

package owned

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

const (
	sharingViolation = syscall.Errno(32)  // ERROR_SHARING_VIOLATION
	diskFull         = syscall.Errno(112) // ERROR_DISK_FULL
)

// create makes the file path, which must not exist, and returns it locked, with
// begin written to it. It is locked from the moment it exists.
func create(path string, begin []byte) (*os.File, error) {
	f, err := open(path, syscall.CREATE_NEW)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(begin); err != nil {
		_ = remove(f, path) // what counts is the first error
		return nil, err
	}
	return f, nil
}

func lockOpen(path string) (*os.File, error) {
	return open(path, syscall.OPEN_EXISTING)
}

func open(path string, how uint32) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, how, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, errHeld
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// remove gives the file up first, because Windows removes no open file: nothing
// that others must not take may be in it.
func remove(f *os.File, path string) error {
	err := f.Close()
	return errors.Join(err, os.Remove(path))
}

// NoSpace reports whether err says that the disk is full.
func NoSpace(err error) bool {
	return errors.Is(err, diskFull)
}
