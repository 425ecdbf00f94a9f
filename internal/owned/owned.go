// This file says what a file that belongs to a living process is.

// Package owned makes files that belong to one process while it lives, and
// takes over those whose owner is gone, however it went.
//
// A file is locked from the moment it stands under its name until its owner
// closes it or dies; the system ends the lock, so none is ever stale. On Unix
// the lock is flock's, on Windows it is that nobody else may open the file.
// Elsewhere [Create] fails with [errors.ErrUnsupported].
//
// Its name is RUN.KIND, its mode 0600. It begins with two lines, of [Begin]
// bytes at most: "slackalert KIND 1", and the JSON of its [Owner].
package owned

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Begin is how long the lines at the beginning of a file may be.
const Begin = 4096

const (
	format = "1"
	making = ".new" // ends the name of a file that is being made
)

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

// File is a file that belongs to this process.
type File struct {
	*os.File
	Path  string
	Owner Owner // who made it
	Begun int64 // how long its beginning is
}

// Create makes dir, 0700, if it is missing, and in it an owner's file of a kind.
// It stands under its name only when it is locked and has its beginning; a
// failure leaves nothing.
func Create(dir, kind string, o Owner) (*File, error) {
	who, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	begin := fmt.Appendf(nil, "slackalert %s %s\n%s\n", kind, format, who)
	if len(begin) >= Begin {
		return nil, fmt.Errorf("the names of its owner have %d bytes; want less than %d", len(who), Begin)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, o.Run+"."+kind)
	f, err := create(path, begin)
	if err != nil {
		return nil, err
	}
	return &File{f, path, o, int64(len(begin))}, nil
}

// There reports whether f stands under its name. It doesn't where somebody
// removed, renamed or replaced it.
func (f *File) There() bool {
	there, err := os.Lstat(f.Path)
	if err != nil {
		return false
	}
	mine, err := f.Stat()
	return err == nil && os.SameFile(mine, there)
}

// Remove removes the file, and gives it up.
func (f *File) Remove() error { return remove(f.File, f.Path) }

// read reads the beginning of a file of a kind.
func (f *File) read(kind string) error {
	b := make([]byte, Begin)
	n, err := f.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return err
	}
	what, rest, _ := bytes.Cut(b[:n], []byte("\n"))
	who, _, whole := bytes.Cut(rest, []byte("\n"))
	version, ours := bytes.CutPrefix(what, []byte("slackalert "+kind+" "))
	switch {
	case !ours:
		return errors.New("it is none of slackalert's")
	case string(version) != format:
		return fmt.Errorf("its format is %.20q; want %s", version, format)
	case !whole || json.Unmarshal(who, &f.Owner) != nil:
		return errors.New("its beginning is damaged")
	}
	f.Begun = int64(len(what) + len(who) + 2)
	return nil
}
