// This file plays the demo: a shop, its visitors, and what Slack got of it.

// Demo shows slackalert at work: a small shop's HTTP service on loopback logs
// JSON on stdout through log/slog, real requests go wrong in it, and what they
// leave in Slack is drawn at the end. It exits with 0 only if all arrived that
// should have.
//
//	go run ./cmd/demo          # ends by itself, after some seconds
//	go run ./cmd/demo -serve   # stays, with a page
//	go run ./cmd/demo -links   # and links that open its messages in Slack's Block Kit Builder
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
	"example.com/slackalert/slackhttp"
)

//go:embed codes.json
var catalogue []byte

func main() { os.Exit(run(os.Args[1:], os.Getenv, os.Stdout, os.Stderr)) }

// The exit statuses.
const (
	arrived = 0
	missing = 1 // something didn't arrive, or couldn't be played
	wrong   = 2 // a setting
)

// run is main without the process: it takes what a process is given, and
// returns its exit status.
func run(args []string, env func(string) string, stdout, stderr io.Writer) int {
	s, err := read(args, env)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return arrived
	}
	fail := func(status int, err error) int {
		fmt.Fprintln(stderr, "demo:", oneLine(err))
		return status
	}
	if err != nil {
		return fail(wrong, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process
	d := &demo{settings: s, out: &lines{to: stdout, width: s.width}, pen: newPen(stdout, env)}
	defer d.close()
	if err := d.open(ctx); err != nil {
		return fail(wrong, err)
	}
	if err := d.play(ctx); err != nil {
		return fail(missing, err)
	}
	return arrived
}

// demo is all that runs.
type demo struct {
	settings
	out      *lines
	pen      pen
	slack    *fakeslack.Server // nil = the real one
	handler  *slackalert.Handler
	service  *http.Server
	visitors customers
}

// open starts Slack, the handler and the shop.
func (d *demo) open(ctx context.Context) error {
	codes, err := slackalert.LoadCodes(bytes.NewReader(catalogue))
	if err != nil {
		return err
	}
	opts := &slackalert.Options{Service: "shop", Breadcrumbs: 8, Codes: codes}
	if err := d.destination(opts); err != nil {
		return err
	}
	d.handler, err = slackalert.New(slog.NewJSONHandler(d.out, nil), opts)
	if err != nil {
		return err
	}
	asked, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := d.handler.Check(asked); err != nil {
		return err
	}
	slog.SetDefault(slog.New(d.handler))
	return d.start()
}

// destination sets where alerts go. The catalogue's channels and owners are
// those of a shop that isn't in the user's Slack.
func (d *demo) destination(opts *slackalert.Options) error {
	if d.toSlack() {
		opts.Token, opts.Channel, opts.APIURL, opts.WebhookURL = d.token, d.channel, d.api, d.webhook
		for name, c := range opts.Codes {
			c.Channel, c.Mention = "", ""
			opts.Codes[name] = c
		}
		return nil
	}
	var err error
	d.slack, err = fakeslack.Start(&fakeslack.Options{Rate: time.Second})
	if err != nil {
		return err
	}
	opts.Token, opts.Channel, opts.APIURL = "xoxb-demo", "#shop-alerts", d.slack.APIURL()
	return nil
}

// start opens the shop on a free port of loopback.
func (d *demo) start() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &shop{key: []byte(rand.Text())}
	d.service = &http.Server{Handler: slackhttp.Middleware(nil)(s.routes()), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = d.service.Serve(ln) }()
	d.visitors = customers{
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: stormClients}},
		url:    "http://" + ln.Addr().String(),
		token:  s.token,
		out:    d.out,
	}
	return nil
}

// close ends what open started; a second Shutdown of the handler does nothing.
func (d *demo) close() {
	if d.service != nil {
		_ = d.service.Close()
	}
	if d.handler != nil {
		_ = d.handler.Close()
	}
	if d.slack != nil {
		_ = d.slack.Close()
	}
}

// play makes the visits, then stays or reports.
func (d *demo) play(ctx context.Context) error {
	d.out.say("# a shop logs JSON for some seconds: 4 visits, then a storm of %s failures; its errors go to %s", thousands(stormSize), d.home())
	err := d.visitAll(ctx)
	if err == nil && d.serve {
		d.invite()
		d.out.keep("# the shop goes on; " + d.look() + ". Ctrl-C ends it")
		err = d.visitors.goOn(ctx)
	}
	switch {
	case ctx.Err() != nil && d.serve:
		err = nil // that is how it ends
	case ctx.Err() != nil:
		return errors.New("interrupted")
	}
	if err := errors.Join(err, d.finish()); err != nil {
		return err
	}
	r := d.report()
	d.show(r)
	if err := errors.Join(r.wrong()...); err != nil {
		return err
	}
	d.out.say("%s", d.next())
	return nil
}

// next is what to do after it.
func (d *demo) next() string {
	switch {
	case d.slack == nil:
		return "# all arrived. Next: " + d.look()
	case d.serve:
		return "# all arrived. Next: mount it in a program of yours, docs/integrations.md says where"
	}
	return "# all arrived. Next: go run ./cmd/demo -serve shows it on a page, and takes messages of your program"
}

// finish ends the shop, then tells what is left: what a request logs while it
// ends is told too.
func (d *demo) finish() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(d.service.Shutdown(ctx), d.handler.Close())
}

// home is where messages go, in words; no secret is among them.
func (d *demo) home() string {
	switch {
	case d.slack != nil:
		return "a Slack inside this program"
	case d.webhook != "":
		return "your Slack, by webhook"
	}
	return "your Slack, channel " + d.channel
}

// look is where to see them.
func (d *demo) look() string {
	switch {
	case d.slack != nil:
		return "see Slack at " + d.slack.PageURL()
	case d.webhook != "":
		return "look in the webhook's channel of your Slack"
	}
	return "look in " + d.channel + " of your Slack"
}

// invite says how a program of the user's reaches the Slack inside.
func (d *demo) invite() {
	if d.slack == nil {
		return
	}
	d.out.say("# a program of yours can send there too:")
	d.out.say("#   export SLACK_WEBHOOK_URL=%s", d.slack.WebhookURL("#webhook"))
	d.out.say("# or SLACK_TOKEN=xoxb-any SLACK_CHANNEL='#bot' SLACK_API_URL=%s", d.slack.APIURL())
}

// visitAll makes one visit of each kind, then the storm.
func (d *demo) visitAll(ctx context.Context) error {
	for _, v := range visits {
		d.out.say("# %s: %s %s → %d", v.what, v.method, v.path, v.status)
		if err := d.visitors.do(ctx, v); err != nil {
			return err
		}
		if v.flush {
			if err := d.flush(ctx); err != nil {
				return err
			}
		}
	}
	d.out.say("# a storm: %s payments fail, from %d clients", thousands(stormSize), stormClients)
	return d.visitors.storm(ctx)
}

func (d *demo) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return d.handler.Flush(ctx)
}
