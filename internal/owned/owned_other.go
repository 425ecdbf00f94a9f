//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

// This file says that this system has no lock that ends with its process.

package owned

import (
	"errors"
	"os"
)

func create(string, []byte) (*os.File, error) { return nil, errors.ErrUnsupported }

func lockOpen(string) (*os.File, error) { return nil, errors.ErrUnsupported }

func remove(*os.File, string) error { return errors.ErrUnsupported }

// NoSpace reports false.
func NoSpace(error) bool { return false }
