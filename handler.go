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
//
// With Options.SpoolDir an alert is on disk when the call returns: however the
// process ends, SIGKILL included, the next start on that folder tells it, and
// edits the messages of the one before. With CatchCrash it also tells what Go's
// runtime said when it ended the process. See docs/survive.md.
package slackalert

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"example.com/slackalert/internal/capture"
	"example.com/slackalert/internal/crash"
	"example.com/slackalert/internal/facts"
	"example.com/slackalert/internal/fingerprint"
	"example.com/slackalert/internal/owned"
	"example.com/slackalert/internal/scope"
	"example.com/slackalert/internal/snapshot"
	"example.com/slackalert/internal/tally"
)

// Handler is a [slog.Handler] that hands every record to a base handler and
// tells Slack those that are alerts. It is safe for use by many goroutines.
// Handlers derived from it by WithAttrs and WithGroup share its groups, its
// goroutines and its Shutdown.
type Handler struct {
	core *core
	base slog.Handler // with this logger's attributes and groups
	top  slog.Handler // base before its first group
	with *with        // this logger's attributes and groups; nil = none
	has  *facts.Facts // found among them; nil = nothing

	floor  slog.Level // from here up a record could be an alert
	steady bool       // nothing but floor and base decides what is enabled

	nested bool // base is a Handler itself, and adds the scope's attributes
}

// core is what all derived handlers share. Nothing in it changes after New but
// the batcher and what it says.
type core struct {
	config  config
	batch   *batcher
	finder  facts.Finder
	sources fingerprint.Sources
	shut    atomic.Bool    // Shutdown has begun
	crash   *crash.Catcher // what ends the process; nil = nobody catches it
	crashes *owned.Watch   // for what ended others; nil = nobody looks
}

// with is a list of what a logger added, innermost first. Nothing in it is
// shared with who added it, and but for the last field it doesn't change.
type with struct {
	outer *with
	group string      // opened here; "" = attrs
	attrs []slog.Attr // for alerts
	kept  []slog.Attr // for base, where a group is open
	path  []string    // the groups open inside it

	scoped atomic.Pointer[scoped]
}

// scoped is base with a scope's attributes before its first group.
type scoped struct {
	attrs []slog.Attr
	base  slog.Handler
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
// network is waited for only from SyncLevel up, at most 5 s, and not for a
// webhook's repeat within its interval. Nothing of ctx or r is kept. A nil ctx is
// an empty one. After Shutdown records go to base alone.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	var err error
	if ctx == nil {
		ctx = context.Background()
	}
	s := scope.From(ctx)
	if h.core.config.opts.ContextAttrs != nil {
		ctx, s = h.around(ctx, r, s)
	}
	if h.base.Enabled(ctx, r.Level) {
		if s == nil || h.nested {
			err = h.base.Handle(ctx, r)
		} else {
			err = h.handleScoped(ctx, r, s.Attrs())
		}
	}
	switch {
	case r.Level >= h.core.config.level.Level():
		h.judge(ctx, &r, s, true)
	case r.Level < h.core.config.codeLevel.Level(),
		!h.core.finder.MayHaveCode(&r) && (h.has == nil || h.has.Code == "") && (s == nil || !h.core.finder.May(s.Attrs(), false)):
		h.crumb(s, &r)
	default:
		h.judge(ctx, &r, s, false)
	}
	return err
}

// around asks for the attributes of contexts that others filled. They are a
// scope around ctx's own, for this record.
func (h *Handler) around(ctx context.Context, r slog.Record, s *scope.Scope) (context.Context, *scope.Scope) {
	if h.core.config.guard.Here() {
		return ctx, s // an option's function logs, and would be asked again
	}
	asked := false
	defer func() {
		if !asked { // the goroutine ends, but not before it has handled r; who ended it isn't asked again
			_ = h.Handle(ctx, r)
		}
	}()
	attrs := h.core.config.opts.ContextAttrs(ctx)
	if asked = true; len(attrs) > 0 {
		s = scope.Around(ctx, attrs)
		return s, s
	}
	return ctx, s
}

// judge finds out whether a record is an alert, be it by its level or because it
// has a code, and has it counted.
func (h *Handler) judge(ctx context.Context, r *slog.Record, s *scope.Scope, byLevel bool) {
	var e event
	defer func() {
		if !e.settled {
			h.rescue(ctx, *r, byLevel, &e)
		}
	}()
	if !byLevel || !h.core.finder.Glance(r, &e.Facts) {
		h.core.finder.Record(r, h.with.groups(), &e.Facts)
	}
	if !byLevel {
		h.complete(&e.Facts, s)
	}
	if byLevel || h.coded(&e) {
		h.alert(ctx, r, s, &e)
	} else {
		h.crumb(s, r)
	}
	e.settled = true
}

// coded says whether a code makes it an alert.
func (h *Handler) coded(e *event) bool {
	return e.Code != "" && !h.core.config.catalogue()[e.Code].Mute
}

// rescue counts an alert that could not be looked at to its end: a value or an
// option's function has ended the goroutine by runtime.Goexit, or panicked. It is
// told with what is known, and nothing foreign is asked any more.
func (h *Handler) rescue(ctx context.Context, r slog.Record, byLevel bool, e *event) {
	if h.core.config.nowhere || !byLevel && !h.coded(e) || h.core.config.guard.Here() {
		return
	}
	if e.blind = true; e.id == 0 {
		e.named = ""
		h.identify(ctx, &r, e)
	}
	h.first(ctx, r, nil, e)
}

// complete adds to what was found in a record what its logger has, then what its
// scope has.
func (h *Handler) complete(f *facts.Facts, s *scope.Scope) {
	f.Behind(h.has)
	if s == nil {
		return
	}
	if attrs := s.Attrs(); h.core.finder.May(attrs, true) {
		var of facts.Facts
		h.core.finder.Attrs(attrs, nil, &of)
		f.Behind(&of)
	}
	if f.User == 0 {
		f.User = facts.UserName(s.LateUser())
	}
}

// crumb remembers a record that is no alert.
func (h *Handler) crumb(s *scope.Scope, r *slog.Record) {
	if h.core.config.opts.Breadcrumbs > 0 && s != nil && r.Level >= slog.LevelDebug {
		s.Leave(h.core.config.opts.Breadcrumbs, h.with.groups(), *r)
	}
}

// handleScoped hands a record with the scope's attributes to base. They stand
// at the top level: under a group base gets what the logger added once more,
// behind them.
func (h *Handler) handleScoped(ctx context.Context, r slog.Record, attrs []slog.Attr) error {
	if len(h.with.groups()) > 0 {
		return h.with.under(h.top, attrs).Handle(ctx, r)
	}
	r = r.Clone()
	r.AddAttrs(attrs...)
	return h.base.Handle(ctx, r)
}

// under returns top with a scope's attributes and all that the logger added from
// its first group on. The last result is remembered: a request logs more than
// once. What a scope's values are may change, unless they are of plain kinds.
func (w *with) under(top slog.Handler, attrs []slog.Attr) slog.Handler {
	if last := w.scoped.Load(); last != nil && len(attrs) == len(last.attrs) && (len(attrs) == 0 || &attrs[0] == &last.attrs[0]) {
		return last.base
	}
	base := top
	if len(attrs) > 0 {
		base = top.WithAttrs(slices.Clone(attrs)) // base may keep and change the slice
	}
	base = w.replay(base)
	if !slices.ContainsFunc(attrs, func(a slog.Attr) bool {
		return a.Value.Kind() == slog.KindAny || a.Value.Kind() == slog.KindLogValuer || a.Value.Kind() == slog.KindGroup
	}) {
		w.scoped.Store(&scoped{attrs, base})
	}
	return base
}

// replay adds to base what w holds, from the first group on.
func (w *with) replay(base slog.Handler) slog.Handler {
	if len(w.path) == 0 {
		return base
	}
	if w.outer != nil {
		base = w.outer.replay(base)
	}
	if w.group != "" {
		return base.WithGroup(w.group)
	}
	return base.WithAttrs(slices.Clone(w.kept))
}

// WithAttrs returns a handler whose records carry attrs too, with the values
// they have now. Without attrs it returns h.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	n, path := *h, h.with.groups()
	n.with = &with{outer: h.with, path: path}
	var f facts.Facts
	h.core.finder.Attrs(attrs, path, &f)
	f.Err = capture.FreezeError(f.Err)
	if f.Behind(h.has); f != (facts.Facts{}) {
		n.has = &f
	}
	n.with.attrs = h.core.config.settings().Freeze(path, attrs)
	if len(path) > 0 {
		n.with.kept = snapshot.Attrs(attrs)
	}
	n.base = h.base.WithAttrs(attrs) // last: base may change the slice
	if len(path) == 0 {
		n.top = n.base
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

// alert has the last word on whether a record is an alert, and counts it.
func (h *Handler) alert(ctx context.Context, r *slog.Record, s *scope.Scope, e *event) {
	o := &h.core.config.opts
	if h.core.config.guard.Here() {
		return // an option's function logs, and would be asked again
	}
	if s != nil {
		s.MarkAlert() // also where Filter says no: it has been logged, and judged
	}
	if h.core.config.nowhere {
		return
	}
	if o.Filter != nil && !o.Filter(ctx, *r) {
		e.settled = true
		h.crumb(s, r)
		return
	}
	if s != nil || h.has != nil {
		h.complete(&e.Facts, s)
	}
	e.text = e.ErrorText()
	h.identify(ctx, r, e)
	if e.urgent || !h.core.batch.book.again(&e.alert) {
		h.first(ctx, *r, s, e)
	}
}

// event is what is known of a record that may be an alert, as it is found out.
type event struct {
	facts.Facts
	text    string // of its error
	named   string // its fingerprint, where it is the user's
	alert          // as batch.go wants it; id 0 = not known yet
	blind   bool   // nothing foreign is asked any more
	settled bool   // it was counted, or is none
}

// fingerprint is its fingerprint as text.
func (e *event) fingerprint() string { return cmp.Or(e.named, e.print.Hex()) }

// identify makes of an event the alert that is counted. The same thing happening
// again are records with one fingerprint of the user's, or else one level, code,
// place, message and error text, with numbers and ids made one sign; in one
// channel.
func (h *Handler) identify(ctx context.Context, r *slog.Record, e *event) {
	o := &h.core.config.opts
	if o.Fingerprint != nil && !e.blind {
		e.named = fingerprint.Own(o.Fingerprint(ctx, *r))
	}
	if e.named != "" {
		e.print = fingerprint.Parse(e.named)
	} else {
		hash := h.core.sources.Of(r.PC).Uint(uint64(r.Level))
		if e.Code != "" {
			hash = hash.String(e.Code)
		}
		e.print = hash.Text(r.Message).Text(e.text)
	}
	e.channel = o.Channel
	if e.Code != "" {
		e.channel = cmp.Or(h.core.config.catalogue()[e.Code].Channel, e.channel)
	}
	if o.Route != nil && !e.blind {
		e.channel = cmp.Or(o.Route(ctx, *r), e.channel)
	}
	e.at, e.level, e.user = tally.Nano(r.Time), r.Level, e.User
	e.urgent = h.core.config.syncLevel.IsSet() && r.Level >= h.core.config.syncLevel.Level()
	e.id = e.print.In(laneName(e.channel))
}

// first does what the first alert of a group, or the first after it was told,
// needs: a lock, and perhaps a capture.
func (h *Handler) first(ctx context.Context, r slog.Record, s *scope.Scope, e *event) {
	if h.core.batch.inside(ctx) {
		return // logged by the delivery itself: telling it would make another
	}
	t, wants := h.core.batch.count(&e.alert)
	if wants {
		t = h.core.batch.begin(&e.alert, h.capture(r, s, e))
	}
	e.settled = true
	if e.urgent && t.g != nil {
		_ = h.core.batch.spool.Sync() // base has heard of it
		ctx, cancel := context.WithTimeout(context.Background(), syncWait)
		defer cancel()
		_ = h.core.batch.await(ctx, []ticket{t}, true) // base hears of the failure from the lane
	}
}

// syncWait is how long Handle waits for an alert from SyncLevel up, and Repanic
// for its own.
const syncWait = 5 * time.Second

// capture turns a record into text. It runs in the caller's goroutine: what it
// reads may change as soon as Handle returns.
func (h *Handler) capture(r slog.Record, s *scope.Scope, e *event) Group {
	c := capture.Alert{Settings: h.core.config.settings()}
	if e.blind {
		c.Replace = nil
	}
	g := Group{Fingerprint: e.fingerprint(), Level: r.Level, Code: c.Text(e.Code), Source: r.Source()}
	if msg := c.Builtin(slog.String(slog.MessageKey, r.Message)).Value; msg.Kind() != slog.KindAny || msg.Any() != nil {
		g.Message = c.Text(capture.Value(msg))
	}
	switch {
	case e.Err != nil && !e.blind:
		g.Error = c.Text(capture.Chain(e.Err, e.text))
	case e.text != "":
		g.Error = c.Text(e.text)
	}
	if tally.Nano(r.Time) != 0 {
		if t := c.Builtin(slog.Time(slog.TimeKey, r.Time.Round(0))); t.Value.Kind() == slog.KindTime && tally.Nano(t.Value.Time()) != 0 {
			g.First = t.Value.Time().UTC()
		}
	}
	if e.blind {
		g.Fields = []Field{{"…", "(left out: what was asked for them ended the goroutine)"}}
		return g
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
	} else if st := capture.ErrorStack(e.Err); st != "" {
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
// that anybody reads, and works after Shutdown too. Its error says what to do. With
// Options.Optional and no destination it is [ErrNoDestination].
func (h *Handler) Check(ctx context.Context) error {
	return h.core.config.check(ctx)
}

// Flush tells what waits for BatchDelay and returns when it is told. Repeats
// inside RepeatInterval stay, and so does what is refused time and again. It
// returns an error, and the alerts stay pending, when ctx ends first, or when all
// that is left waits for something that a person must mend: the error says what.
// Other failures are tried again until ctx ends, so give it a deadline. It ends
// the wait after a failure once, and not where Slack asked to wait or a person
// must do something. With nothing waiting, and after Shutdown, it returns nil;
// called by a Sender it returns an error at once.
func (h *Handler) Flush(ctx context.Context) error {
	return h.core.batch.flush(ctx)
}

// Shutdown tells everything, repeats too, and stops the goroutines. Alerts
// logged from its start on go to base alone. When ctx ends before all is told,
// or a cause that a person must mend stands in the way, what is left stays in
// SpoolDir for the next start, and base gets one Warn record that says how much;
// with a ctx that has ended, nothing more is tried.
// Without SpoolDir it is lost: base hears that, and Shutdown returns an error
// with the same numbers. A second call waits for the first and returns the
// same. It doesn't close base.
//
// In SpoolDir also stays what was told less than its interval ago, so that a
// restart doesn't tell it anew. Where nothing is left, no file is; but that of
// CatchCrash stays until the next start: what ends the process may come yet.
func (h *Handler) Shutdown(ctx context.Context) error {
	if h.core.batch.inside(ctx) {
		return fmt.Errorf("slackalert: Shutdown: %w", errInside)
	}
	h.core.shut.Store(true)
	h.core.crashes.Close()
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
// Alerts == Delivered + Pending + Lost + Spooled.
type Stats struct {
	Alerts    uint64 // became alerts
	Delivered uint64 // of those, told in a message that was accepted, alone or in a count
	Pending   uint64 // of those, waiting
	Lost      uint64 // of those, given up at Shutdown and not spooled
	Spooled   uint64 // of those, left in SpoolDir at Shutdown for the next start
	Messages  uint64 // accepted
	Updates   uint64 // edits accepted
	Failures  uint64 // attempts that failed
	LastError string // of the last of them; it holds no secret
}

// Stats may be polled: it costs a pass over the groups, which holds nobody up.
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
