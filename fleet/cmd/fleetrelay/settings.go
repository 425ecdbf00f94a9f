// This file reads the flags and the environment, and says in a line what is
// wrong with them.

package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"example.com/slackalert"
	"example.com/slackalert/fleet"
)

const usage = `usage: fleetrelay [flags]

Reads what the processes of a fleet publish to NATS, and tells Slack: one message
a kind of alert, with the count of all. Run two or more: one leads, the others
stand by.

From the environment, as secrets show in process lists:
  NATS_URL               where NATS is; several with commas; default nats://127.0.0.1:4222
  NATS_CREDS             a credentials file
  NATS_USER, NATS_PASSWORD, NATS_TOKEN
  NATS_CA, NATS_CERT, NATS_KEY   files for TLS
  SLACK_TOKEN            a bot token (scopes chat:write and, so that nothing is
                         posted twice, channels:history), with -channel
  SLACK_WEBHOOK_URL      or an incoming webhook
  SLACK_API_URL          where it isn't Slack's usual one

Flags:
`

// settings is what the user set.
type settings struct {
	nats    []nats.Option
	url     string
	servers []*url.URL // in it
	slack   slackalert.Options
	fleet   fleet.Options
	health  string
	check   bool
}

// read takes the settings from the command line and the environment.
func read(args []string, env func(string) string, out io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("fleetrelay", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.slack.Channel, "channel", env("SLACK_CHANNEL"), "the ID of the channel of alerts that have none; also SLACK_CHANNEL")
	codes := flags.String("codes", env("SLACKALERT_CODES"), "a JSON file with what is known of single codes; also SLACKALERT_CODES")
	flags.DurationVar(&s.slack.BatchDelay, "batch-delay", 0, "how long a first alert waits for company (default 1s)")
	flags.DurationVar(&s.slack.RepeatInterval, "repeat-interval", 0, "a kind of alert isn't posted again sooner (default 5m)")
	flags.DurationVar(&s.slack.RepeatMax, "repeat-max", 0, "the interval doubles up to this (default 4h)")
	flags.StringVar(&s.slack.SourceURL, "source-url", "", "template of a link to a source line: {revision}, {file}, {line}")
	flags.StringVar(&s.fleet.Stream, "stream", env("SLACKALERT_STREAM"), "the stream, as the processes name it (default SLACKALERT); also SLACKALERT_STREAM")
	flags.IntVar(&s.fleet.Replicas, "replicas", 0, "of the stream, if it is to be made (default 1)")
	flags.DurationVar(&s.fleet.MaxAge, "max-age", 0, "how long a kind is remembered (default 24h)")
	flags.Int64Var(&s.fleet.MaxBytes, "max-bytes", 0, "size of the stream, if it is to be made (default 1 GiB)")
	flags.DurationVar(&s.fleet.Lease, "lease", 0, "another relay goes on so long after a leader's death (default 3s)")
	flags.StringVar(&s.health, "health", env("HEALTH_ADDR"), "answer GET /livez and /readyz at this address, such as :8080; also HEALTH_ADDR")
	flags.BoolVar(&s.check, "check", false, "ask NATS and Slack whether they take what is given, and end")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(out, usage)
			flags.SetOutput(out)
			flags.PrintDefaults()
			return s, err
		}
		return s, fmt.Errorf("%w; see fleetrelay -h", err)
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("argument %q is not known; want flags only", flags.Arg(0))
	}
	s.slack.Token, s.slack.WebhookURL, s.slack.APIURL = env("SLACK_TOKEN"), env("SLACK_WEBHOOK_URL"), env("SLACK_API_URL")
	if s.slack.Token == "" && s.slack.WebhookURL == "" {
		return s, errors.New("Slack is missing; want SLACK_TOKEN with -channel, or SLACK_WEBHOOK_URL")
	}
	if err := s.readCodes(*codes); err != nil {
		return s, err
	}
	return s, s.readNATS(env)
}

func (s *settings) readCodes(file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("-codes: %w", err)
	}
	defer f.Close()
	if s.slack.Codes, err = slackalert.LoadCodes(f); err != nil {
		return fmt.Errorf("-codes: %s: %w", file, err)
	}
	return nil
}

// readNATS is how to connect. A relay waits for a server that isn't there yet,
// and for credentials that are put right.
func (s *settings) readNATS(env func(string) string) error {
	s.url = cmp.Or(env("NATS_URL"), nats.DefaultURL)
	s.nats = []nats.Option{nats.Name("slackalert fleetrelay"), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectBufSize(-1)} // what a leader couldn't write in time isn't written later
	// The client would try for ever what is no address.
	for one := range strings.SplitSeq(s.url, ",") {
		one = strings.TrimSpace(one)
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		if err != nil || u.Hostname() == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return errors.New("NATS_URL has an address that is none; want such as nats://nats:4222, several with commas")
		}
		s.servers = append(s.servers, u)
	}
	ways := 0
	for _, w := range []struct {
		given  string
		option func() nats.Option
	}{
		{env("NATS_CREDS"), func() nats.Option { return nats.UserCredentials(env("NATS_CREDS")) }},
		{env("NATS_USER"), func() nats.Option { return nats.UserInfo(env("NATS_USER"), env("NATS_PASSWORD")) }},
		{env("NATS_TOKEN"), func() nats.Option { return nats.Token(env("NATS_TOKEN")) }},
	} {
		if w.given != "" {
			ways++
			s.nats = append(s.nats, w.option())
		}
	}
	if ways > 1 {
		return errors.New("several of NATS_CREDS, NATS_USER and NATS_TOKEN are set; want one")
	}
	if ca := env("NATS_CA"); ca != "" {
		s.nats = append(s.nats, nats.RootCAs(ca))
	}
	cert, key := env("NATS_CERT"), env("NATS_KEY")
	if (cert == "") != (key == "") {
		return errors.New("one of NATS_CERT and NATS_KEY is missing; want both or none")
	}
	if cert != "" {
		s.nats = append(s.nats, nats.ClientCert(cert, key))
	}
	return nil
}
