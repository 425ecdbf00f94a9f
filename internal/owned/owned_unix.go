//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

// This file locks with flock, whose locks end with their process.

package owned

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// create makes the file path, which must not exist, and returns it locked, with
// begin written to it. Nobody sees it unlocked or empty.
func create(path string, begin []byte) (*os.File, error) {
	f, err := os.OpenFile(path+making, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	err = lock(f)
	if err == nil {
		_, err = f.Write(begin)
	}
	if err == nil {
		err = os.Rename(path+making, path)
	}
	if err != nil {
		_ = os.Remove(path + making) // what counts is the first error
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errHeld
		case !errors.Is(err, syscall.EINTR):
			return &fs.PathError{Op: "flock", Path: f.Name(), Err: err}
		}
	}
}

func lockOpen(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

func remove(f *os.File, path string) error {
	err := os.Remove(path) // before another can take it
	return errors.Join(err, f.Close())
}

// NoSpace reports whether err says that the disk is full.
func NoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
