// This file passes a stream on unchanged and hands its lines to somebody who
// may take longer.

package main

import (
	"bytes"
	"io"
	"sync"
)

const (
	chunkSize = 256 << 10
	chunks    = 8        // that may wait to be read
	lineSize  = 64 << 10 // of a line that is handed on; it is passed whole
)

// pass copies from to until its end, each piece as it comes, and calls line
// with each line, without its end and cut to lineSize, from another goroutine.
// The bytes are line's until it returns. Where writing fails pass says so, and
// what was read by then is still handed on. It returns when line has had all.
func pass(to io.Writer, from io.Reader, line func(text []byte, whole bool)) (err error) {
	full, free := make(chan []byte, chunks), make(chan []byte, chunks)
	for range chunks {
		free <- make([]byte, chunkSize)
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		l := lines{line: line}
		for b := range full {
			l.add(b)
			free <- b[:chunkSize]
		}
		l.end()
	})
	defer reader.Wait()
	defer close(full)
	for {
		b := <-free
		n, failed := from.Read(b)
		if n > 0 {
			_, err = to.Write(b[:n])
			full <- b[:n]
		}
		switch {
		case err != nil:
			return err
		case failed == io.EOF:
			return nil
		case failed != nil:
			return failed
		}
		if n == 0 {
			free <- b
		}
	}
}

// lines cuts a stream into lines.
type lines struct {
	line func(text []byte, whole bool)
	rest []byte // of a line that began in an earlier piece
	cut  bool   // rest isn't all of it
}

func (l *lines) add(b []byte) {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			l.keep(b)
			return
		}
		if len(l.rest) > 0 || l.cut {
			l.keep(b[:end])
			l.end()
		} else if text := b[:end]; len(text) > 0 {
			l.line(text[:min(len(text), lineSize)], len(text) <= lineSize)
		}
		b = b[end+1:]
	}
}

func (l *lines) keep(b []byte) {
	room := lineSize - len(l.rest)
	l.cut = l.cut || len(b) > room
	l.rest = append(l.rest, b[:min(len(b), room)]...)
}

// end hands on what has no line end, or had it elsewhere.
func (l *lines) end() {
	if len(l.rest) > 0 {
		l.line(l.rest, !l.cut)
	}
	l.rest, l.cut = l.rest[:0], false
}
