//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

// This file says that this system has no lock that ends with its process.

package owned

import (
	"errors"
	"os"
)

// Create returns [errors.ErrUnsupported].
func Create(string, []byte) (*os.File, error) { return nil, errors.ErrUnsupported }

func lockOpen(string) (*os.File, error) { return nil, errors.ErrUnsupported }

// Remove removes a file that this process owns, and gives it up.
func Remove(f *os.File, path string) error {
	return errors.Join(os.Remove(path), f.Close())
}

// NoSpace reports false.
func NoSpace(error) bool { return false }
