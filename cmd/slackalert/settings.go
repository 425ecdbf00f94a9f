// This file reads the flags and the environment, and says in a line what is
// wrong with them.

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"example.com/slackalert"
)

const usage = `usage: program 2>&1 | slackalert [flags]
       slackalert [flags] -- command [argument ...]

Passes what a program prints on, unchanged, and tells Slack the serious lines:
JSON of slog, zap, zerolog, logrus, pino, bunyan, Monolog, Python's and the like,
at ERROR or above or with an error code. Other lines pass. With a command
it runs the command, forwards signals, ends with the command's exit status, and
tells a crash with the last lines of its stderr.

Where to, from the environment, as secrets show in process lists:
  SLACK_TOKEN         a bot token (scope chat:write), with -channel
  SLACK_WEBHOOK_URL   or an incoming webhook
  SLACK_API_URL       where it isn't Slack's usual one
Without any, lines pass and a word on stderr says that nobody is told.

Flags:
`

// settings is what the user set.
type settings struct {
	opts    slackalert.Options
	keys    keys
	check   bool
	command []string
}

// read takes the settings from the command line and the environment.
func read(args []string, env func(string) string, out io.Writer) (settings, error) {
	s := settings{keys: usualKeys}
	flags := flag.NewFlagSet("slackalert", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.opts.Channel, "channel", env("SLACK_CHANNEL"), "the channel's ID, with a bot token; also SLACK_CHANNEL")
	flags.StringVar(&s.opts.Service, "service", "", "what the messages call the program; default the command's name, without one \"slackalert\"")
	level := flags.String("level", "ERROR", "lines from this level up are alerts")
	flags.StringVar(&s.opts.CodeKey, "code-key", "error_code", "the key of an error code; dots make it a path")
	codes := flags.String("codes", "", "a JSON file with what is known of single codes")
	flags.StringVar(&s.opts.SpoolDir, "spool", "", "a folder in which alerts outlive this program")
	flags.BoolVar(&s.check, "check", false, "ask Slack whether it takes the token or the webhook, and end")
	lists := map[string]*[]string{"level-key": &s.keys.level, "message-key": &s.keys.message, "time-key": &s.keys.time, "error-key": &s.keys.err, "stack-key": &s.keys.stack}
	for name, list := range lists {
		flags.Var((*keyList)(list), name, "key of the "+strings.TrimSuffix(name, "-key")+", before the usual ones; several with commas")
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(out, usage)
			flags.SetOutput(out)
			flags.PrintDefaults()
			return s, err
		}
		return s, fmt.Errorf("%w; see slackalert -h", err)
	}
	return s, s.complete(args, flags.Args(), *level, *codes, env)
}

// complete checks what flags can't, and adds what doesn't come from them.
func (s *settings) complete(args, rest []string, level, codes string, env func(string) string) error {
	if len(rest) > 0 {
		if len(args) == len(rest) || args[len(args)-len(rest)-1] != "--" {
			return fmt.Errorf("argument %q is not known; want flags, and a command behind --", rest[0])
		}
		s.command = rest
	} else if len(args) > 0 && args[len(args)-1] == "--" {
		return errors.New("nothing stands behind --; want a command")
	}
	l, ok := levelText([]byte(level))
	if !ok {
		return fmt.Errorf("-level is %q; want a level such as ERROR, WARN or ERROR+4", level)
	}
	s.opts.Level = l
	if s.opts.CodeKey == "" {
		return errors.New(`-code-key is empty; want a key such as "error_code"`)
	}
	if codes != "" {
		f, err := os.Open(codes)
		if err != nil {
			return fmt.Errorf("-codes: %w", err)
		}
		defer f.Close()
		if s.opts.Codes, err = slackalert.LoadCodes(f); err != nil {
			return fmt.Errorf("-codes: %s: %w", codes, err)
		}
	}
	s.opts.Token, s.opts.WebhookURL, s.opts.APIURL = env("SLACK_TOKEN"), env("SLACK_WEBHOOK_URL"), env("SLACK_API_URL")
	if s.opts.WebhookURL != "" && s.opts.Token == "" {
		s.opts.APIURL = ""
	}
	if s.opts.Token == "" && s.opts.WebhookURL == "" {
		if s.check {
			return errors.New("Slack is missing; want SLACK_TOKEN with -channel, or SLACK_WEBHOOK_URL")
		}
		s.opts.Channel, s.opts.APIURL, s.opts.SpoolDir, s.opts.Optional = "", "", "", true
	}
	if s.opts.Service == "" && len(s.command) > 0 {
		s.opts.Service = strings.TrimSuffix(filepath.Base(s.command[0]), ".exe")
	}
	return nil
}

// glance is what these settings want to read of a line.
func (s *settings) glance() *glance {
	return newGlance(s.opts.Level.Level(), s.keys.level, s.opts.CodeKey)
}

// keyList puts keys before the usual ones.
type keyList []string

func (k *keyList) String() string { return "" }

func (k *keyList) Set(value string) error {
	var own []string
	for key := range strings.SplitSeq(value, ",") {
		if key = strings.TrimSpace(key); key == "" {
			return fmt.Errorf("got %q; want keys with commas between them", value)
		}
		own = append(own, key)
	}
	*k = append(own, *k...)
	return nil
}
