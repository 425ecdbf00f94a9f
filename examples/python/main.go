// Command python runs a Python program that logs JSON, as a Django service with
// one of the usual formatters does, behind the pipe. In earnest it is a line of
// a Dockerfile:
//
//	CMD ["slackalert", "--", "python", "app.py"]
package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

//go:embed app.py
var app []byte

func main() { try.Main(example) }

func example(opts *slackalert.Options, logs io.Writer) error {
	dir, err := os.MkdirTemp("", "slackalert")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "app.py")
	if err := os.WriteFile(file, app, 0o600); err != nil {
		return err
	}
	pipe := filepath.Join(dir, "slackalert")
	if out, err := exec.Command("go", "build", "-o", pipe, "example.com/slackalert/cmd/slackalert").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	cmd := exec.Command(pipe, "-service", opts.Service, "--", "python3", file)
	cmd.Env = append(os.Environ(), "SLACK_TOKEN="+opts.Token, "SLACK_CHANNEL="+opts.Channel, "SLACK_API_URL="+opts.APIURL)
	cmd.Stdout, cmd.Stderr = logs, logs
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil // as Python ends after an exception that nobody caught
	}
	return fmt.Errorf("the program should have ended with status 1: %w", err)
}
