// This file is a program that goes on logging while Slack is in trouble. It runs
// in a process of its own, does what its parent orders, and reports.

package slackalert

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
)

// programEnv holds the program's setup. TestMain runs it instead of the tests
// where the variable is set.
const programEnv = "SLACKALERT_TEST_PROGRAM"

// setup is what a program is started with.
type setup struct {
	URL     string // of the API, or the webhook's
	Webhook bool
	CA      []byte        // PEM of who signs for https; nil = the system's
	DNS     string        // address of the name server; "" = the system's
	Limit   time.Duration // how long a request may take; 0 = ample
	Ahead   time.Duration // how far the program's clock is ahead of Slack's, where it asks for history
	Gap     time.Duration // between two messages, and two edits of one; 0 = Slack's

	SpoolDir, Notes string
}

// An order is what a program does next.
type order struct {
	Do    string // log, measure, flush, shutdown, storm, calm, stats, hold, limit
	N     int    // alerts to log
	Kinds int    // so many kinds, From on
	From  int
	For   time.Duration
}

// A report is what a program says after each order.
type report struct {
	Stats      Stats
	Logged     uint64
	Said       []string // what slackalert told base, so far
	Err        string   // of flush and shutdown
	Base, Ours times    // of measure: calls of base alone, and with the handler
	Heap       uint64   // what lives after a collection
	Goroutines int
}

// ample is more time than a healthy Slack takes, on however busy a machine.
const ample = 2 * time.Minute

// times are those of many calls.
type times struct{ P50, P99, Max time.Duration }

func timesOf(all []time.Duration) times {
	if len(all) == 0 {
		return times{}
	}
	slices.Sort(all)
	return times{all[len(all)/2], all[len(all)*99/100], all[len(all)-1]}
}

// keeper is a base that writes JSON, and keeps what slackalert itself tells it.
type keeper struct {
	slog.Handler
	mu   sync.Mutex
	said []string
}

func (k *keeper) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "slackalert:") {
		s := r.Message
		r.Attrs(func(a slog.Attr) bool { s += " " + a.String(); return true })
		k.mu.Lock()
		k.said = append(k.said, s)
		k.mu.Unlock()
	}
	return k.Handler.Handle(ctx, r)
}

// inProgram is the program's side.
type inProgram struct {
	base   *keeper
	h      *Handler
	way    *way
	alone  *slog.Logger
	log    *slog.Logger
	logged atomic.Uint64
	storm  sync.WaitGroup
	calm   chan struct{} // closed to end the storm
	fault  string        // what was wrong in it; read after it
	notes  *os.File      // what was logged, for those who come after a kill; nil = nobody does
}

// program reads orders from its parent and ends with it.
func program(spec string) {
	p, err := newProgram(spec)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var o order
		if in.Decode(&o) != nil || out.Encode(p.do(o)) != nil {
			os.Exit(0)
		}
	}
}

func newProgram(spec string) (*inProgram, error) {
	var s setup
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		return nil, err
	}
	sink, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	p := &inProgram{base: &keeper{Handler: slog.NewJSONHandler(sink, nil)}, way: s.way()}
	o := &Options{
		Token: "xoxb-test", Channel: ledgerChannel, APIURL: s.URL,
		HTTPClient: &http.Client{Timeout: ample, Transport: p.way}, Blocks: ledgerBlocks, BatchDelay: 10 * time.Millisecond, SpoolDir: s.SpoolDir,
	}
	if s.Webhook {
		o.Token, o.Channel, o.APIURL, o.WebhookURL = "", "", "", s.URL
	}
	if s.Notes != "" {
		if p.notes, err = os.OpenFile(s.Notes, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return nil, err
		}
	}
	if p.h, err = New(p.base, o); err != nil {
		return nil, err
	}
	if s.Gap > 0 {
		p.h.core.batch.rules.PostGap, p.h.core.batch.rules.EditGap = s.Gap, s.Gap // of lanes that are still to be made
	}
	p.alone, p.log = slog.New(p.base), slog.New(p.h)
	return p, nil
}

// way is a program's way to Slack.
type way struct {
	http.RoundTripper
	leave func()       // closes idle connections
	mu    sync.RWMutex // locked from "hold" to "limit": no request is under way
	limit time.Duration
}

func (w *way) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.limit == 0 {
		return w.RoundTripper.RoundTrip(r)
	}
	return (&http.Client{Timeout: w.limit, Transport: w.RoundTripper}).Do(r)
}

func (s setup) way() *way {
	t := http.DefaultTransport.(*http.Transport).Clone()
	dialer := &net.Dialer{}
	if s.DNS != "" {
		dialer.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "udp", s.DNS)
		}}
	}
	t.DialContext = dialer.DialContext
	if s.CA != nil {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(s.CA)
		t.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return &way{RoundTripper: wrongClock{t, s.Ahead}, leave: t.CloseIdleConnections, limit: s.Limit}
}

// wrongClock shows a program Slack's times as if its own clock were ahead.
type wrongClock struct {
	http.RoundTripper
	ahead time.Duration
}

func (c wrongClock) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "conversations.history") {
		var err error
		if r, err = c.asked(r); err != nil {
			return nil, err
		}
	}
	resp, err := c.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		resp.Header.Set("Date", date.Add(-c.ahead).Format(http.TimeFormat))
	}
	return resp, nil
}

// asked is a request for history as Slack would get it from the program.
func (c wrongClock) asked(r *http.Request) (*http.Request, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	oldest, err := strconv.ParseFloat(r.PostForm.Get("oldest"), 64)
	if err != nil {
		return nil, err
	}
	r.PostForm.Set("oldest", strconv.FormatFloat(oldest+c.ahead.Seconds(), 'f', 6, 64))
	body := r.PostForm.Encode()
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	return r, nil
}

func (p *inProgram) do(o order) report {
	var r report
	ctx, cancel := context.WithTimeout(context.Background(), o.For)
	defer cancel()
	var err error
	switch o.Do {
	case "log":
		for i := range o.N {
			p.alert(p.log, o.From+i%o.Kinds)
		}
	case "measure":
		r.Base, r.Ours = p.measure(ctx, o)
	case "flush":
		err = p.h.Flush(ctx)
	case "shutdown":
		err = p.h.Shutdown(ctx)
	case "hold":
		p.way.mu.Lock()
		p.way.leave() // what is left on them fails as it likes
	case "limit":
		p.way.limit = o.For
		p.way.mu.Unlock()
	case "storm":
		p.begin(o)
	case "calm":
		close(p.calm)
		p.storm.Wait()
		if p.fault != "" {
			err = errors.New(p.fault)
		}
	}
	if err != nil {
		r.Err = err.Error()
	}
	if r.Stats, r.Logged = p.h.Stats(), p.logged.Load(); o.Do == "stats" {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		r.Heap, r.Goroutines = m.HeapAlloc, runtime.NumGoroutine()
	}
	p.base.mu.Lock()
	r.Said = slices.Clone(p.base.said)
	p.base.mu.Unlock()
	return r
}

var errRefused = errors.New("connection refused")

func (p *inProgram) alert(log *slog.Logger, kind int) {
	log.LogAttrs(context.Background(), slog.LevelError, kindPrefix+letters(kind),
		slog.Int("order", 7), slog.String("method", "POST"), slog.String("path", "/pay"), slog.Any("err", errRefused))
	p.logged.Add(1)
}

// measure times calls of the base alone and with the handler, in turn, until ctx
// ends.
func (p *inProgram) measure(ctx context.Context, o order) (base, ours times) {
	const most, row = 200_000, 63 // calls in all, so that its memory has a bound; and without a pause
	pause := max(time.Millisecond, o.For*row/most)
	var alone, both []time.Duration
	for i := 0; ctx.Err() == nil && i < most; i++ {
		kind := o.From + i/2%o.Kinds
		if i%row == 0 { // the first call after it, which is slow, is now one of base, now one of ours
			time.Sleep(pause)
		}
		begun := time.Now()
		if i%2 == 0 {
			p.alone.LogAttrs(ctx, slog.LevelError, kindPrefix+letters(kind),
				slog.Int("order", 7), slog.String("method", "POST"), slog.String("path", "/pay"), slog.Any("err", errRefused))
			alone = append(alone, time.Since(begun))
			continue
		}
		p.alert(p.log, kind)
		both = append(both, time.Since(begun))
	}
	return timesOf(alone), timesOf(both)
}

// The ledger is the layout of these tests: it says of each group how many alerts
// were told in all, and behind a dash how many of them this message tells, where
// that is fewer.
const (
	ledgerChannel = "C0LEDGER"
	kindPrefix    = "kind "
)

func ledgerBlocks(b Batch) []slack.Block {
	var all []slack.Block
	var line strings.Builder
	put := func() {
		text := slack.NewTextBlockObject(slack.PlainTextType, strings.TrimSpace(line.String()), false, false)
		all = append(all, slack.NewSectionBlock(text, nil, nil))
		line.Reset()
	}
	for _, g := range b.Groups {
		kind := "*"
		if g.Fingerprint != otherAlerts {
			kind = strings.TrimPrefix(g.Message, kindPrefix)
		}
		fmt.Fprintf(&line, "%s=%s", kind, strconv.FormatInt(int64(g.Total), 36))
		if g.Count != g.Total {
			fmt.Fprintf(&line, "-%s", strconv.FormatInt(int64(g.Count), 36))
		}
		if line.WriteByte(' '); line.Len() > 2900 {
			put()
		}
	}
	if line.Len() > 0 {
		put()
	}
	return all
}

// running is the parent's side of a program.
type runningProgram struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	orders *json.Encoder
	out    *json.Decoder
	errors bytes.Buffer
	last   report
}

func startProgram(s setup) (*runningProgram, error) {
	spec, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	p := &runningProgram{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), programEnv+"="+string(spec))
	p.cmd.Stderr = &p.errors
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.orders, p.out = json.NewEncoder(p.in), json.NewDecoder(out)
	return p, p.cmd.Start()
}

// do gives an order and returns when it is done.
func (p *runningProgram) do(o order) (report, error) {
	p.last = report{}
	if err := p.orders.Encode(o); err != nil {
		return p.last, fmt.Errorf("%s: %w; %s", o.Do, err, &p.errors)
	}
	if err := p.out.Decode(&p.last); err != nil {
		return p.last, fmt.Errorf("%s: %w; %s", o.Do, err, &p.errors)
	}
	return p.last, nil
}

// turn changes what Slack does, and how long a request may take, while none is
// under way; the next has a connection of its own.
func (p *runningProgram) turn(limit time.Duration, change func() error) error {
	_, err := p.do(order{Do: "hold"})
	if err == nil {
		err = change()
	}
	if err == nil {
		_, err = p.do(order{Do: "limit", For: limit})
	}
	return err
}

// until asks for reports until one is as wanted, for a minute at most.
func (p *runningProgram) until(what string, ok func(report) bool) error {
	for range 3000 {
		if r, err := p.do(order{Do: "stats"}); err != nil || ok(r) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("waited in vain until %s: %+v", what, p.last)
}

// end ends the program, if it hasn't yet.
func (p *runningProgram) end() error {
	_ = p.in.Close()
	if err := p.cmd.Wait(); err != nil || p.errors.Len() > 0 {
		return fmt.Errorf("the program ended with %w, and said %s", err, &p.errors)
	}
	return nil
}
