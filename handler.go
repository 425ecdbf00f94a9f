// This file is slog's side: it hands records to the base handler, decides which
// of them are alerts, and captures those as text.

// Package slackalert tells Slack what goes wrong: a [log/slog] handler that
// wraps the handler that keeps your logs, and sends the serious records on.
//
// Wrap the handler you have, and make it the default:
//
//	h, err := slackalert.New(slog.NewJSONHandler(os.Stdout, nil), &slackalert.Options{
//		Token:   os.Getenv("SLACK_TOKEN"), // or WebhookURL, or a Sender of your own
//		Channel: "C0123456789",
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer h.Close() // tells what waits
//	slog.SetDefault(slog.New(h))
//
// # What becomes an alert
//
// A record at ERROR or above, and from INFO up one that carries an error code:
//
//	slog.Error("payment failed", "order", 1007, "error", err)
//	slog.Warn("sign-in refused", "error_code", "token_tampered")
//
// Options.Level, CodeLevel and CodeKey say otherwise, Codes gives single codes
// a title, a channel, somebody to mention and a runbook, or mutes them, and
// Filter has the last word. The base handler gets its records as ever, first.
//
// # Once at once, then as a count
//
// Alerts with the same level, code, source line, message and error are one
// group; numbers and ids in the texts make no difference. A group's first
// alert waits a second for company and goes out in one message with what else
// came. Its repeats are counted: a bot edits the count in its message, a
// webhook tells it when RepeatInterval has passed. There is at most one message
// a second and channel. While Slack can't be reached alerts fold together and
// wait; what it doesn't confirm is sent again. So an alert arrives at least
// once, and memory depends on how many kinds of alert there are, not on how
// many alerts.
//
// # Who, where, and what came before
//
// With and Add give all records of a request their attributes:
//
//	ctx = slackalert.With(ctx, "request_id", id)
//	slackalert.Add(ctx, "user", name) // seen by all who hold ctx
//	slog.ErrorContext(ctx, "payment failed", "error", err)
//
// Package slackhttp does so for HTTP servers, and turns panics and unlogged 5xx
// into alerts. With Options.Breadcrumbs an alert also shows what the request
// logged before it.
//
// # The end
//
// [Handler.Close] waits up to five seconds for what is untold, and
// [Handler.Flush] tells it before a Lambda freezes. os.Exit and log.Fatal run no
// deferred call. What can't be delivered is said, by an error and to base.
// [Handler.Stats] adds up at every moment.
package slackalert

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/fingerprint"
	"example.com/slackalert/internal/scope"
)

// Handler is a [slog.Handler] that hands every record to a base handler and
// tells Slack those that are alerts. It is safe for use by many goroutines.
// Handlers derived from it by WithAttrs and WithGroup share its groups, its
// goroutine and its Shutdown.
type Handler struct {
	core *core
	base slog.Handler // with this logger's attributes and groups
	top  slog.Handler // base before its first group
	with *with        // this logger's attributes and groups; nil = none
	code string       // found among them
	err  error        // the first error among them

	floor  slog.Level // from here up a record could be an alert
	steady bool       // nothing but floor and base decides what is enabled

	nested bool // base is a Handler itself, and adds the scope's attributes
}

// core is what all derived handlers share. Nothing in it changes after New but
// the batcher and what it says.
type core struct {
	config  config
	batch   *batcher
	sources fingerprint.Sources
	shut    atomic.Bool // Shutdown has begun
}

// with is an immutable list of what a logger added, innermost first.
type with struct {
	outer *with
	group string // opened here; "" = attrs
	attrs []slog.Attr
	path  []string // the groups open inside it
}

func (w *with) groups() []string {
	if w == nil {
		return nil
	}
	return w.path
}

// Enabled reports whether base wants the level, or a record of it could be an
// alert or a breadcrumb.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	if h.steady {
		return level >= h.floor || h.base.Enabled(ctx, level)
	}
	return level >= h.core.config.level.Level() || level >= h.core.config.codeLevel.Level() || h.base.Enabled(ctx, level) ||
		h.core.config.opts.Breadcrumbs > 0 && level >= slog.LevelDebug && scope.From(ctx) != nil
}

// Handle hands the record to base, if base wants it, and returns base's error.
// Then, if it is an alert, it is counted or captured, and waits to be told; the
// network is waited for only from SyncLevel up. Nothing of ctx or r is kept.
// After Shutdown records go to base alone.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	var err error
	s := scope.From(ctx)
	if h.base.Enabled(ctx, r.Level) {
		if s == nil || h.nested {
			err = h.base.Handle(ctx, r)
		} else {
			err = h.handleScoped(ctx, r, s.Attrs())
		}
	}
	if r.Level >= h.core.config.level.Level() {
		h.byLevel(ctx, r, s)
		return err
	}
	if r.Level < h.core.config.codeLevel.Level() {
		h.crumb(s, &r)
		return err
	}
	// Most records hold no code, and nothing it could be in. The pass that
	// finds that out stands here, in one piece, because it is what they pay.
	key, closer := h.core.config.opts.CodeKey, h.core.config.dotted
	r.Attrs(func(a slog.Attr) bool {
		if len(a.Key) == len(key) && a.Key == key {
			closer = true
		} else if k := a.Value.Kind(); k == slog.KindGroup || k == slog.KindLogValuer {
			closer = true
		}
		return !closer
	})
	if !closer && h.code == "" && (s == nil || !h.inScope(s, false)) {
		h.crumb(s, &r)
		return err
	}
	f := h.look(&r, s)
	if f.code != "" && !h.core.config.catalogue()[f.code].Mute {
		h.alert(ctx, &r, s, &f)
	} else {
		h.crumb(s, &r)
	}
	return err
}

// byLevel handles a record that is an alert by its level. One pass tells
// whether it has more than one value that may be its error.
func (h *Handler) byLevel(ctx context.Context, r slog.Record, s *scope.Scope) {
	key, closer, others, other := h.core.config.opts.CodeKey, h.core.config.dotted, 0, slog.Value{}
	r.Attrs(func(a slog.Attr) bool {
		if k := a.Value.Kind(); k == slog.KindGroup || k == slog.KindLogValuer || len(a.Key) == len(key) && a.Key == key {
			closer = true
		} else if k == slog.KindAny {
			others++
			other = a.Value
		}
		return true
	})
	f := found{code: h.code}
	switch {
	case closer || others > 1 || s != nil && h.inScope(s, true):
		f = h.look(&r, s)
	case others == 1:
		f.take(other.Any())
	}
	if f.err == nil {
		f.err = h.err
	}
	h.alert(ctx, &r, s, &f)
}

// inScope says whether a scope's attributes must be looked at: for a code, and
// for an error if one is wanted.
func (h *Handler) inScope(s *scope.Scope, errorToo bool) bool {
	for _, a := range s.Attrs() {
		switch k := a.Value.Kind(); {
		case k == slog.KindGroup, k == slog.KindLogValuer, a.Key == h.core.config.opts.CodeKey, k == slog.KindAny && errorToo:
			return true
		}
	}
	return false
}

// crumb remembers a record that is no alert.
func (h *Handler) crumb(s *scope.Scope, r *slog.Record) {
	if h.core.config.opts.Breadcrumbs > 0 && s != nil && r.Level >= slog.LevelDebug {
		s.Leave(h.core.config.opts.Breadcrumbs, h.with.groups(), *r)
	}
}

// handleScoped hands a record with the scope's attributes to base. They stand
// at the top level: under WithGroup the record is nested by hand.
func (h *Handler) handleScoped(ctx context.Context, r slog.Record, attrs []slog.Attr) error {
	if len(h.with.groups()) == 0 {
		r = r.Clone()
		r.AddAttrs(attrs...)
		return h.base.Handle(ctx, r)
	}
	n := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	n.AddAttrs(attrs...)
	inner := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool { inner = append(inner, a); return true })
	for w := h.with; w != nil && len(w.path) > 0; w = w.outer {
		if w.group == "" {
			inner = slices.Concat(w.attrs, inner)
		} else {
			inner = []slog.Attr{{Key: w.group, Value: slog.GroupValue(inner...)}}
		}
	}
	n.AddAttrs(inner...)
	return h.top.Handle(ctx, n)
}

// WithAttrs returns a handler whose records carry attrs too. Without attrs it
// returns h.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	n := *h
	n.base = h.base.WithAttrs(attrs)
	n.with = &with{outer: h.with, attrs: slices.Clone(attrs), path: h.with.groups()}
	if len(n.with.path) == 0 {
		n.top = n.base
	}
	f := found{}
	h.lookIn(&f, up(n.with.path), attrs)
	if f.code != "" {
		n.code = f.code
	}
	if n.err == nil {
		n.err = f.err
	}
	return &n
}

// WithGroup returns a handler whose records' attributes stand in a group. With
// an empty name it returns h.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	n := *h
	n.base = h.base.WithGroup(name)
	path := h.with.groups()
	n.with = &with{outer: h.with, group: name, path: append(path[:len(path):len(path)], name)}
	return &n
}

// found is what a search through a record's attributes finds.
type found struct {
	code string
	err  error
}

// take keeps a value that is an error, or a code under whatever key.
func (f *found) take(v any) {
	switch v := v.(type) {
	case error:
		if f.err == nil {
			f.err = v
		}
	case capture.Code:
		f.code = cmp.Or(f.code, string(v))
	}
}

// parents are the names of the groups around an attribute, innermost first.
type parents struct {
	name  string
	outer *parents
}

// up turns the names, outermost first, around.
func up(path []string) *parents {
	var p *parents
	for _, name := range path {
		p = &parents{name, p}
	}
	return p
}

// look searches the record, then its logger, then the scope, for the code and
// for the first error.
func (h *Handler) look(r *slog.Record, s *scope.Scope) found {
	var f found
	var around *parents
	if h.core.config.dotted {
		around = up(h.with.groups())
	}
	r.Attrs(func(a slog.Attr) bool {
		h.core.lookAt(&f, around, a)
		return f.code == "" || f.err == nil
	})
	if f.code == "" {
		f.code = h.code
	}
	if f.err == nil {
		f.err = h.err
	}
	if s != nil && (f.code == "" || f.err == nil) {
		h.lookIn(&f, nil, s.Attrs())
	}
	return f
}

func (h *Handler) lookIn(f *found, around *parents, attrs []slog.Attr) {
	for _, a := range attrs {
		h.core.lookAt(f, around, a)
	}
}

func (c *core) lookAt(f *found, around *parents, a slog.Attr) {
	if f.code == "" && c.isCode(around, a.Key) {
		f.code = codeText(capture.Resolve(a.Value))
	}
	switch a.Value.Kind() {
	case slog.KindAny:
		f.take(a.Value.Any())
	case slog.KindLogValuer:
		if v := capture.Resolve(a.Value); v.Kind() == slog.KindGroup || v.Kind() == slog.KindAny {
			c.lookAt(f, around, slog.Attr{Key: a.Key, Value: v})
		}
	case slog.KindGroup:
		in := around
		if c.config.dotted && a.Key != "" {
			in = &parents{a.Key, around}
		}
		for _, m := range a.Value.Group() {
			c.lookAt(f, in, m)
		}
	}
}

// isCode says whether key, in the groups around it, is CodeKey or ends in it.
func (c *core) isCode(around *parents, key string) bool {
	if !c.config.dotted {
		return len(key) == len(c.config.opts.CodeKey) && key == c.config.opts.CodeKey
	}
	rest := c.config.opts.CodeKey
	for key != "" && strings.HasSuffix(rest, key) {
		rest = rest[:len(rest)-len(key)]
		if rest == "" {
			return true
		}
		if rest[len(rest)-1] != '.' || around == nil {
			return false
		}
		rest, key, around = rest[:len(rest)-1], around.name, around.outer
	}
	return false
}

// threeDigits has the codes 100 to 999, so that a status needs no allocation.
var threeDigits = func() string {
	var b strings.Builder
	for n := 100; n < 1000; n++ {
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}()

// codeText is a resolved code as text; what says nothing is "".
func codeText(v slog.Value) string {
	switch v.Kind() {
	case slog.KindInt64:
		if n := v.Int64(); n >= 100 && n < 1000 {
			return threeDigits[(n-100)*3:][:3]
		}
	case slog.KindString:
		return v.String()
	case slog.KindGroup:
		return ""
	case slog.KindAny:
		if v.Any() == nil {
			return ""
		}
	}
	return capture.Value(v)
}

// alert has the last word on whether a record is an alert, and counts it.
func (h *Handler) alert(ctx context.Context, r *slog.Record, s *scope.Scope, f *found) {
	if s != nil {
		s.MarkAlert() // also where Filter says no: it has been logged, and judged
	}
	if h.core.config.nowhere || h.core.config.guard.Here() {
		return // nobody to tell; or an option's function logs, and would be asked again
	}
	if h.core.config.opts.Filter != nil && !h.core.config.opts.Filter(ctx, *r) {
		h.crumb(s, r)
		return
	}
	text := ""
	if f.err != nil {
		text = capture.ErrorText(f.err)
	}
	own := ""
	if h.core.config.opts.Fingerprint != nil {
		own = h.core.config.opts.Fingerprint(ctx, *r)
	}
	mark := fingerprint.New().String(own)
	if own == "" {
		mark = fingerprint.New().Uint(uint64(r.Level)).Uint(uint64(h.core.sources.Of(r.PC))).String(f.code).Text(r.Message).Text(text)
	}
	a := alert{at: r.Time, level: r.Level, channel: h.core.config.opts.Channel}
	if c := h.core.config.catalogue()[f.code].Channel; c != "" {
		a.channel = c
	}
	if h.core.config.opts.Route != nil {
		a.channel = cmp.Or(h.core.config.opts.Route(ctx, *r), a.channel)
	}
	a.id = uint64(mark.String(a.channel))
	a.urgent = h.core.config.syncLevel.set && r.Level >= h.core.config.syncLevel.Level()
	if a.urgent || !h.core.batch.again(&a) {
		if own == "" {
			own = strconv.FormatUint(uint64(mark), 16)
		}
		h.first(ctx, *r, s, *f, text, own, &a)
	}
}

// first does what the first alert of a group, or the first after it was told,
// needs: a lock, and perhaps a capture.
func (h *Handler) first(ctx context.Context, r slog.Record, s *scope.Scope, f found, text, mark string, a *alert) {
	if h.core.batch.inside(ctx) {
		return // logged by the delivery itself: telling it would make another
	}
	t, wants := h.core.batch.count(a)
	if wants {
		t = h.core.batch.begin(a, h.capture(r, s, f, text, mark))
	}
	if a.urgent && t.g != nil {
		ctx, cancel := context.WithTimeout(context.Background(), syncWait)
		defer cancel()
		_ = h.core.batch.await(ctx, []ticket{t}, func(ticket, time.Time) bool { return true }) // base hears of the failure from the lane
	}
}

// syncWait is how long Handle waits for an alert from SyncLevel up, and Repanic
// for its own.
const syncWait = 5 * time.Second

// capture turns a record into text. It runs in the caller's goroutine: what it
// reads may change as soon as Handle returns.
func (h *Handler) capture(r slog.Record, s *scope.Scope, f found, text, mark string) Group {
	c := capture.Alert{Settings: capture.Settings{Replace: h.core.config.opts.ReplaceAttr, NoRedact: h.core.config.opts.NoRedact}}
	g := Group{Fingerprint: capture.Cut(mark, maxMark), Level: r.Level, Code: c.Text(f.code), Source: r.Source()}
	if msg := c.Builtin(slog.String(slog.MessageKey, r.Message)).Value; msg.Kind() != slog.KindAny || msg.Any() != nil {
		g.Message = c.Text(capture.Value(msg))
	}
	if f.err != nil {
		g.Error = c.Text(capture.Chain(f.err, text))
	}
	if unixNano(r.Time) != 0 {
		if t := c.Builtin(slog.Time(slog.TimeKey, r.Time.Round(0))); t.Value.Kind() == slog.KindTime {
			g.First = t.Value.Time().UTC()
		}
	}
	g.Fields = make([]Field, 0, r.NumAttrs())
	c.Emit = func(key, value string) { g.Fields = append(g.Fields, Field{key, value}) }
	h.fields(&c, r, s)
	c.Close()
	g.Source = cmp.Or(c.Foreign.Source, g.Source)
	if c.Foreign.Stack != "" {
		g.Stack = c.Text(c.Foreign.Stack)
	} else if len(c.Stack) > 0 {
		g.Stack = c.Text(c.Stack.String())
	} else if st := capture.ErrorStack(f.err); st != "" {
		g.Stack = c.Text(st)
	} else if h.core.config.opts.AddStack {
		g.Stack = c.Text(capture.At(r.PC).String())
	}
	if h.core.config.opts.Breadcrumbs > 0 && s != nil {
		for _, crumb := range s.Crumbs(h.core.config.opts.Breadcrumbs) {
			g.Breadcrumbs = append(g.Breadcrumbs, c.Text(crumb.Text(r.Time, !h.core.config.opts.NoRedact)))
		}
	}
	return g
}

// maxMark bounds a fingerprint of the user's, in bytes.
const maxMark = 256

// fields collects the request's attributes, then the record's, then the
// logger's.
func (h *Handler) fields(c *capture.Alert, r slog.Record, s *scope.Scope) {
	if s != nil {
		for _, a := range s.AlertAttrs() {
			c.Add(nil, a)
		}
	}
	r.Attrs(func(a slog.Attr) bool {
		c.Add(h.with.groups(), a)
		return true
	})
	var outward []*with
	for w := h.with; w != nil; w = w.outer {
		outward = append(outward, w)
	}
	for i := len(outward) - 1; i >= 0; i-- {
		for _, a := range outward[i].attrs {
			c.Add(outward[i].path, a)
		}
	}
}

// Check asks Slack whether it accepts the token or the webhook, or a Sender
// that has a method Check(context.Context) error how it is. It sends nothing
// that anybody reads, and works after Shutdown too.
func (h *Handler) Check(ctx context.Context) error {
	return h.core.config.check(ctx)
}

// Flush tells what waits for BatchDelay and returns when it is told. Repeats
// inside RepeatInterval stay. It returns an error, and the alerts stay pending,
// when ctx ends first, or when an attempt fails for a cause that a person must
// mend; other failures are tried again until ctx ends, so give it a deadline.
// With nothing waiting, and after Shutdown, it returns nil.
func (h *Handler) Flush(ctx context.Context) error {
	return h.core.batch.flush(ctx)
}

// Shutdown tells everything, repeats too, and stops the goroutine. Alerts
// logged from its start on go to base alone. When ctx ends before all is told,
// or a cause that a person must mend stands in the way, what is left is lost:
// base gets one Warn record that says how much, and Shutdown returns an error
// with the same numbers. A second call waits for the first and returns the
// same. It doesn't close base.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.core.shut.Store(true)
	return h.core.batch.shutdown(ctx)
}

// Close is Shutdown with 5 s.
func (h *Handler) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	return h.Shutdown(ctx)
}

const closeWait = 5 * time.Second

// Stats counts since New. At every moment
// Alerts == Delivered + Pending + Lost.
type Stats struct {
	Alerts    uint64 // became alerts
	Delivered uint64 // of those, told in a message that was accepted, alone or in a count
	Pending   uint64 // of those, waiting
	Lost      uint64 // of those, given up at Shutdown
	Spooled   uint64 // of those, left in SpoolDir at Shutdown for the next start
	Messages  uint64 // accepted
	Updates   uint64 // edits accepted
	Failures  uint64 // attempts that failed
	LastError string // of the last of them; it holds no secret
}

// Stats may be polled: it costs a lock and a pass over the groups.
func (h *Handler) Stats() Stats {
	return h.core.batch.stats()
}

// With returns a context with a scope inside ctx's own. Its attributes, args as
// in [slog.With], stand at the top level of every record logged with the
// context, in base and in Slack. An attribute takes the place of an outer one
// with the same key. A scope holds 64 attributes; what is added beyond is
// counted in an attribute "scope_left_out".
func With(ctx context.Context, args ...any) context.Context {
	ctx, _ = scope.Open(ctx, scope.Args(args)...)
	return ctx
}

// Add adds attributes, args as in [slog.With], to the innermost scope of ctx,
// for everybody who holds a context of that scope. One with a key that the scope
// has already takes its place. Without a scope it does nothing. It may be
// called from many goroutines, also after the request has ended.
func Add(ctx context.Context, args ...any) {
	if s := scope.From(ctx); s != nil {
		s.Add(scope.Args(args)...)
	}
}
