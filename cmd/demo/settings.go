// This file reads what the user set, and says in a line what is wrong with it.

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// settings is where the messages go, whether the demo stays, and how much of it
// is shown.
type settings struct {
	serve, links                 bool
	width                        int // signs of a log line that are shown; 0 = all
	token, channel, api, webhook string
}

// toSlack says that the real Slack is meant, not the one inside.
func (s settings) toSlack() bool { return s.token != "" || s.webhook != "" }

// usualWidth is what fits where the terminal's width isn't known.
const usualWidth = 100

const usage = `usage: demo [-serve] [-links]

Runs a small shop whose errors arrive in a Slack inside this program, and shows
what arrived. With -serve it stays, shows them on a page, and goes on shopping.
With -links it ends with links that open the messages in Slack's Block Kit Builder.

Log lines are cut at COLUMNS, or 100 signs; COLUMNS=0 shows all of them.

To send to the real Slack set either
  SLACK_TOKEN and SLACK_CHANNEL   a bot token (scope chat:write), and a channel the bot is in
                                  (SLACK_API_URL too, where it isn't Slack's usual one)
  SLACK_WEBHOOK_URL               an incoming webhook
`

// read takes the settings from the command line and the environment.
func read(args []string, env func(string) string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&s.serve, "serve", false, "")
	flags.BoolVar(&s.links, "links", false, "")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return s, err
		}
		return s, fmt.Errorf("%w; want -serve, -links or nothing", err)
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("argument %q is not known; want -serve, -links or nothing", flags.Arg(0))
	}
	s.token, s.channel, s.api = env("SLACK_TOKEN"), env("SLACK_CHANNEL"), env("SLACK_API_URL")
	s.webhook = env("SLACK_WEBHOOK_URL")
	s.width = usualWidth
	if n, err := strconv.Atoi(env("COLUMNS")); err == nil && n >= 0 {
		s.width = n
	}
	return s, s.check()
}

// check finds what doesn't go together. What is wrong with a single value
// slackalert.New says.
func (s settings) check() error {
	switch {
	case s.token != "" && s.webhook != "":
		return errors.New("SLACK_TOKEN and SLACK_WEBHOOK_URL are both set; want one of them")
	case s.token != "" && s.channel == "":
		return errors.New("SLACK_CHANNEL is missing; SLACK_TOKEN wants the channel to post to, such as C0123456789")
	case s.webhook != "" && s.channel != "":
		return errors.New("SLACK_CHANNEL is set with SLACK_WEBHOOK_URL; a webhook posts to the channel it was made for: unset it")
	case s.channel != "" && s.token == "":
		return errors.New("SLACK_TOKEN is missing; SLACK_CHANNEL is set, which wants a bot token")
	case s.api != "" && s.token == "":
		return errors.New("SLACK_TOKEN is missing; SLACK_API_URL is set, which wants a bot token")
	}
	return nil
}

// oneLine is an error without line breaks.
func oneLine(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
