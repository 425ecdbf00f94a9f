// This file lays a batch out as one Slack message within Slack's limits.

package slackalert

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/cite"
	"example.com/slackalert/internal/fit"
	"example.com/slackalert/internal/inert"
)

// Limits, in UTF-16 units as sent unless it says bytes. Slack refuses a
// message of about 13,200 units, blocks included, without saying why.
const (
	messageWeight = 12_000 // of all texts and blocks together
	blockWeight   = 125    // what a block counts besides its text
	headerLimit   = 150
	sectionFields = 10 // fields of one section
	contextLimit  = 2000
	sentenceLimit = 300
	plainLimit    = 3500 // bytes; the text of an edit may have 4,000

	mostGroups = 40  // that are shown; those beyond are counted
	mostFields = 128 // of a group
	mostCrumbs = 64
	mostLinks  = 10
	mostPings  = 10

	opening    = 240 // of message, error and fields, before anything gets more
	noteWeight = 80  // "… (+12 fields, stack, 8 breadcrumbs, 2 links, source, time)"
	dateWeight = 60  // a date with its format and what stands for it
)

// message is a batch as Slack gets it.
type message struct {
	text   string        // one sentence: all that a phone's push shows
	blocks []slack.Block // what is drawn
	plain  string        // the whole as text, for when Slack refuses the blocks
}

// version is what the build knows of itself; the zero value will do.
type version struct {
	revision string // of the version control, "" = unknown
	modified bool   // built with changes that no revision has
	module   string // path of the main module
	dir      string // the folder it was built in; "" with -trimpath
}

// Blocks returns the default layout of b, to build on in [Options.Blocks] or in
// a [Sender]: a card for one group, a summary and a compact form of each for
// several, nil for none. Slack's limits hold for any b; of more than 40 groups
// the rest is counted. Of opts it uses Codes, CodeKey, RepeatInterval, Mention,
// Links and SourceURL; nil means the defaults. It doesn't know the program's
// build: a source line is named but not linked. A panic in Mention or Links
// counts as an empty answer. Blocks keeps and changes nothing of its arguments;
// several goroutines may call it if they may call those functions.
func Blocks(b Batch, opts *Options) []slack.Block {
	if len(b.Groups) == 0 {
		return nil
	}
	return newSheet(b, opts, version{}).blocks()
}

// layout lays b out, by opts.Blocks if what that gives can be sent. opts may
// be nil.
func layout(b Batch, opts *Options, v version) message {
	s := newSheet(b, opts, v)
	m := message{text: s.sentence(), plain: s.plain()}
	if s.opts.Blocks != nil {
		m.blocks = fit.Blocks(asked(func() []slack.Block { return s.opts.Blocks(b) }))
	}
	if len(m.blocks) == 0 && len(b.Groups) > 0 {
		m.blocks = s.blocks()
	}
	return m
}

// asked calls a function of the caller's; a panic in it is no answer. Whoever
// has options from New guards them, and tells; this is for Blocks.
func asked[T any](f func() T) (answer T) {
	defer func() { _ = recover() }()
	return f()
}

// sheet is a batch being laid out.
type sheet struct {
	Batch
	opts   *Options
	v      version
	cards  []card // the groups that are shown
	alerts int    // told by the batch
	hidden int    // of those, in groups that are not shown
	pings  []ping
}

func newSheet(b Batch, opts *Options, v version) *sheet {
	if opts == nil {
		opts = &Options{}
	}
	s := &sheet{Batch: b, opts: opts, v: v}
	s.cards = make([]card, min(len(b.Groups), mostGroups))
	for i := range b.Groups {
		g := &b.Groups[i]
		s.alerts += told(g)
		s.ping(g)
		if i < len(s.cards) {
			s.cards[i].fill(s, g)
		} else {
			s.hidden += told(g)
		}
	}
	return s
}

// told is how many alerts of g the batch tells; one made by hand may not say.
func told(g *Group) int { return max(g.Count, 1) }

// ongoing reports whether alerts of g were told before.
func ongoing(g *Group) bool { return g.Total > told(g) }

// A card is a group with its texts made inert, each cut to the most it may
// have, and what they cost.
type card struct {
	*Group
	sign, subject, tally string // the head: what, how bad, how often
	message, err         string
	stack                string
	stackLines           int
	fields               []field
	unlisted             int // fields beyond mostFields
	crumbs               []string
	where, address       string // source line as logged, and its link
	when                 []span
	links                []link
	cost                 costs
}

type costs struct{ head, message, err, fields, stack, crumbs, where, when, all int }

// field is an attribute; the role says whether it tells who or where.
type field struct {
	key, value string
	role       int
	raw        *Field
}

// span is a piece of a sentence about time: our own words, then a time.
type span struct {
	text string
	at   time.Time
}

// link is an address shown with a group; url is "" if it can't be one.
type link struct{ label, url, markup string }

// room is the most each part of a card may have, and where it stands.
type room struct {
	head, message, err, value, stack, crumb int
	headline, fields                        inert.Place
}

func (s *sheet) room() room {
	switch n := len(s.cards); {
	case n == 1:
		return room{headerLimit, 3000, 3000, 1000, 3000, 400, inert.Line, inert.Plain}
	case n <= 20:
		return room{150, 800, 800, 200, 700, 200, inert.Row, inert.Row}
	}
	return room{110, 400, 400, 100, 300, 100, inert.Row, inert.Row}
}

func (c *card) fill(s *sheet, g *Group) {
	r := s.room()
	c.Group = g
	c.message = inert.Text(strings.TrimSpace(g.Message), r.message, inert.Leaf)
	if !inert.Blank(g.Error) && g.Error != g.Message {
		c.err = inert.Text(strings.TrimRight(g.Error, "\n"), r.err, inert.Leaf)
	}
	if stack := strings.TrimSpace(g.Stack); stack != "" {
		c.stackLines = strings.Count(stack, "\n") + 1
		c.stack = inert.Text(strings.ReplaceAll(stack, "\n\t", "\n  "), r.stack, inert.Leaf) // a tab is wide on a phone
	}
	for _, crumb := range g.Breadcrumbs[max(0, len(g.Breadcrumbs)-mostCrumbs):] {
		c.crumbs = append(c.crumbs, inert.Text(crumb, r.crumb, inert.Row))
	}
	c.headline(s, r)
	c.listFields(s, r)
	c.listLinks(s)
	c.when = s.times(g)
	if g.Source != nil {
		c.where, c.address = s.source(g.Source)
	}
	c.weigh()
}

// headline says what happened in a line: the code and its title, else the
// message, else the error.
func (c *card) headline(s *sheet, r room) {
	c.sign, c.tally = levelSign(c.Level)+" "+c.Level.String(), c.counted()
	left := r.head - inert.Len(c.sign) - inert.Len(c.tally) - len(" ·  ")
	code, title := s.coded(c.Group)
	line := ""
	if !title {
		line = firstLine(c.saying())
	}
	c.subject = inert.Text(joined(" · ", code, line), left, r.headline)
	if strings.HasSuffix(c.subject, c.message) {
		c.message = "" // the head says all of it
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// saying is what the alert says, as logged.
func (c *card) saying() string {
	switch {
	case !inert.Blank(c.Message):
		return strings.TrimSpace(c.Message)
	case !inert.Blank(c.Error):
		return strings.TrimSpace(c.Error)
	}
	return "(no message)"
}

// coded is the code of g with what is known of it, and whether it has a title.
func (s *sheet) coded(g *Group) (code string, title bool) {
	if inert.Blank(g.Code) {
		return "", false
	}
	code = inert.Cut(g.Code, 60)
	about, known := s.opts.Codes[g.Code]
	if !known && len(s.opts.Codes) > 0 {
		return code + " (unknown code)", false
	}
	return joined(" ", code, about.Title), !inert.Blank(about.Title)
}

// joined joins what isn't blank.
func joined(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, inert.Blank), sep)
}

// levelSign is a sign that differs by range of levels, fatal ones by shape too.
func levelSign(l slog.Level) string {
	switch {
	case l >= slog.LevelError+4:
		return "🚨"
	case l >= slog.LevelError:
		return "🔴"
	case l >= slog.LevelWarn:
		return "🟠"
	case l >= slog.LevelInfo:
		return "🔵"
	}
	return "⚪"
}

// counted is how often, if it was more than once.
func (c *card) counted() string {
	switch n := told(c.Group); {
	case ongoing(c.Group):
		return "×" + thousands(n) + " more"
	case n > 1:
		return "×" + thousands(n)
	}
	return ""
}

func (c *card) head() string { return joined(" ", c.sign+" · "+c.subject, c.tally) }

// listFields takes the attributes that say something new, who and where first.
func (c *card) listFields(s *sheet, r room) {
	key := cmp.Or(s.opts.CodeKey, "error_code")
	for i := range c.Fields {
		f := &c.Fields[i]
		switch {
		case f.Value != "" && f.Value == firstLine(c.Error), f.Value == c.Code && (f.Key == key || strings.HasSuffix(f.Key, "."+key)):
			continue // said already
		case len(c.fields) == mostFields:
			c.unlisted++
			continue
		}
		// The colon is part of what is made inert: it could end a :name:.
		name := strings.TrimSuffix(inert.Text(f.Key+":", 80, r.fields), ":")
		value := inert.Text(f.Value, r.value, r.fields)
		if inert.Blank(value) {
			value = strconv.Quote(value)
		}
		c.fields = append(c.fields, field{name, value, role(f.Key), f})
	}
	slices.SortStableFunc(c.fields, func(a, b field) int { return a.role - b.role })
}

func (f *field) cost() int { return inert.Len(f.key) + inert.Len(f.value) + 3 }

// listLinks takes the caller's links and the code's runbook.
func (c *card) listLinks(s *sheet) {
	var all []Link
	if s.opts.Links != nil {
		all = asked(func() []Link { return s.opts.Links(*c.Group) })
	}
	all = all[:min(len(all), mostLinks)]
	if about := s.opts.Codes[c.Code]; about.Runbook != "" {
		all = append(slices.Clip(all), Link{"Runbook", about.Runbook})
	}
	for _, l := range all {
		c.links = append(c.links, newLink(l))
	}
}

// newLink makes a link of l, or a text where its address is none of the web's.
func newLink(l Link) link {
	address := inert.URL(l.URL)
	label := l.Text
	switch {
	case address == "":
		return link{label: inert.Text(joined(": ", l.Text, l.URL), 200, inert.Row)}
	case inert.Blank(label):
		label = "Link"
	}
	return link{inert.Text(label, 75, inert.Row), address, anchor(address, label)}
}

// anchor is a link in mrkdwn.
func anchor(address, label string) string {
	label = strings.ReplaceAll(inert.Text(label, 150, inert.Markup), "|", "¦")
	return "<" + strings.ReplaceAll(address, "&", "&amp;") + "|" + label + ">"
}

// source names a source line, and links it where the build knows how.
func (s *sheet) source(src *slog.Source) (where, address string) {
	address, modified := sourceLink(src, s.opts, s.v)
	where = cite.Short(src.File)
	if rel, ok := s.v.tree().File(src.File, src.Function); ok {
		where = rel
	}
	if where == "" {
		return src.Function, ""
	}
	if src.Line > 0 {
		where += ":" + strconv.Itoa(src.Line)
	}
	if modified {
		where += " (modified)"
	}
	return where, address
}

func (v version) tree() cite.Tree {
	return cite.Tree{Revision: v.revision, Module: v.module, Dir: v.dir}
}

// sourceLink is the address of a source line after opts.SourceURL, "" if the
// line isn't the program's own or the revision isn't known; modified says that
// the tree differed from the revision.
func sourceLink(src *slog.Source, opts *Options, v version) (address string, modified bool) {
	if src == nil || opts.SourceURL == "" {
		return "", false
	}
	file, ok := v.tree().File(src.File, src.Function)
	if !ok {
		return "", false
	}
	address = inert.URL(v.tree().URL(opts.SourceURL, file, src.Line))
	return address, v.modified && address != ""
}

// times tells how often since when, and when last.
func (s *sheet) times(g *Group) []span {
	text := ""
	if told(g) > 1 || ongoing(g) {
		text = s.howOften(g)
	}
	first, last := dated(g.First), dated(g.Last)
	switch {
	case !first && !last && text == "":
		return nil
	case !first && !last:
		return []span{{text: text}}
	case text == "" && first:
		return []span{{at: g.First}}
	case text == "":
		return []span{{at: g.Last}}
	case !first:
		return []span{{text + ", last ", g.Last}}
	case !last || g.Last.Sub(g.First) < time.Minute:
		return []span{{text + ", since ", g.First}}
	}
	return []span{{text + ", since ", g.First}, {", last ", g.Last}}
}

// howOften is the count and the time it took. Of a group that goes on only the
// time of all its alerts is known; it is that of the latest ones as long as the
// group is no older than the interval at which it is told.
func (s *sheet) howOften(g *Group) string {
	every := cmp.Or(s.opts.RepeatInterval, 5*time.Minute)
	took := ""
	if d := g.Last.Sub(g.First); dated(g.First) && d >= time.Second {
		took = " in " + duration(d)
		if ongoing(g) && d > every+every/4 {
			return fmt.Sprintf("×%s more (%s%s)", thousands(told(g)), thousands(g.Total), took)
		}
	}
	if ongoing(g) {
		return fmt.Sprintf("×%s more%s (%s in all)", thousands(told(g)), took, thousands(g.Total))
	}
	return "×" + thousands(told(g)) + took
}

// dated reports whether Slack can show t.
func dated(t time.Time) bool { return t.Unix() > 0 && t.Unix() < 253_402_300_800 }

// utc is t for clients that can't show it in the reader's zone.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// duration is d in the largest unit that doesn't round it away.
func duration(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return strconv.Itoa(max(1, int(d.Round(time.Second)/time.Second))) + " s"
	case d < 90*time.Minute:
		return strconv.Itoa(int(d.Round(time.Minute)/time.Minute)) + " min"
	case d < 36*time.Hour:
		return strconv.Itoa(int(d.Round(time.Hour)/time.Hour)) + " h"
	}
	return thousands(int(d.Round(24*time.Hour)/(24*time.Hour))) + " d"
}

// thousands writes 4312 as 4,312.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// weigh finds what each part costs if shown in full.
func (c *card) weigh() {
	k := &c.cost
	k.head = inert.Len(c.sign) + inert.Len(c.subject) + inert.Len(c.tally) + len(" ·  ") + noteWeight
	k.message, k.err, k.stack = inert.Len(c.message), inert.Len(c.err), inert.Len(c.stack)
	for i := range c.fields {
		k.fields += c.fields[i].cost()
	}
	for _, crumb := range c.crumbs {
		k.crumbs += inert.Len(crumb) + 1
	}
	if c.where != "" {
		k.where = min(inert.Len(c.where), 150) + 3
	}
	for _, p := range c.when {
		k.when += len(p.text) + dateWeight
	}
	k.all = k.head + k.message + k.err + k.fields + k.stack + k.crumbs + k.where + 2*len(c.address) + k.when
	for _, l := range c.links {
		k.all += l.cost()
	}
}

func (l *link) cost() int { return inert.Len(l.markup) + inert.Len(l.label) + len(l.url) + 3 }

// shares is how much of its room each part of a card gets.
type shares struct {
	message, err, fields, stack, crumbs int
	where, linked, when                 bool // linked: the source line
	links                               []link
}

// split shares room out. The order is that of worth: how it begins, who, when
// and where, links; then the rest of each, breadcrumbs last.
func (c *card) split(room int) shares {
	var s shares
	some := func(got *int, most int) {
		n := max(0, min(most-*got, room))
		*got, room = *got+n, room-n
	}
	all := func(cost int) bool {
		ok := cost > 0 && cost <= room
		if ok {
			room -= cost
		}
		return ok
	}
	k := c.cost
	some(&s.message, min(k.message, opening))
	some(&s.err, min(k.err, opening))
	some(&s.fields, min(k.fields, opening))
	s.when = all(k.when)
	s.where = all(k.where)
	s.linked = s.where && all(2*len(c.address))
	for _, l := range c.links {
		if all(l.cost()) {
			s.links = append(s.links, l)
		}
	}
	some(&s.message, min(k.message, s.message+room/2))
	some(&s.err, k.err)
	some(&s.message, k.message)
	some(&s.fields, k.fields)
	if room >= min(k.stack, 100) {
		some(&s.stack, k.stack)
	}
	if room >= min(k.crumbs, 100) {
		some(&s.crumbs, k.crumbs)
	}
	return s
}

// waterline is the most that each may weigh so that together they keep the budget:
// who needs less leaves the rest to the others.
func waterline(weights []int, budget int) int {
	for i, w := range slices.Sorted(slices.Values(weights)) {
		share := budget / (len(weights) - i)
		if w > share {
			return share
		}
		budget -= w
	}
	return math.MaxInt
}

// shown is the fields that fit into room, the last one cut if need be, and how
// many are left out.
func (c *card) shown(room int) (shown []field, left int) {
	for i := range c.fields {
		f := c.fields[i]
		if over := f.cost() - room; over > 0 {
			keep := inert.Len(f.value) - over
			if keep < 24 {
				return shown, len(c.fields) - i + c.unlisted
			}
			f.value = inert.Cut(f.value, keep)
		}
		room -= f.cost()
		shown = append(shown, f)
	}
	return shown, c.unlisted
}

// topLines is as many of the stack's first lines as fit, and how many more
// there are.
func (c *card) topLines(limit int) string {
	s := c.stack
	if inert.Len(s) > limit {
		s = inert.Cut(s, limit)
	}
	if !strings.HasSuffix(s, "…") {
		return s
	}
	s = inert.Cut(s, limit-len("… (+1000 lines)"))
	if i := strings.LastIndexByte(s, '\n'); i > 0 {
		s = s[:i]
	}
	if more := c.stackLines - strings.Count(s, "\n") - 1; more > 0 {
		return fmt.Sprintf("%s\n… (+%d lines)", s, more)
	}
	return s
}

// lastCrumbs is as many of the latest breadcrumbs as fit.
func (c *card) lastCrumbs(limit int) string {
	from, room := len(c.crumbs), limit-len("… (+1000 earlier)")
	if limit >= c.cost.crumbs {
		room = limit
	}
	for from > 0 && inert.Len(c.crumbs[from-1])+1 <= room {
		from--
		room -= inert.Len(c.crumbs[from]) + 1
	}
	text := strings.Join(c.crumbs[from:], "\n")
	if earlier := len(c.Breadcrumbs) - len(c.crumbs) + from; earlier > 0 {
		text = fmt.Sprintf("… (+%d earlier)\n%s", earlier, text)
	}
	return text
}

// leftOut says what isn't shown of a card.
func (c *card) leftOut(s shares, fields int) string {
	var parts []string
	if fields > 0 {
		parts = append(parts, plural(fields, "field"))
	}
	if c.stack != "" && s.stack == 0 {
		parts = append(parts, "stack")
	}
	if len(c.crumbs) > 0 && s.crumbs == 0 {
		parts = append(parts, plural(len(c.Breadcrumbs), "breadcrumb"))
	}
	if n := len(c.links) - len(s.links); n > 0 {
		parts = append(parts, plural(n, "link"))
	}
	if c.err != "" && s.err == 0 {
		parts = append(parts, "error")
	}
	if c.where != "" && !s.where {
		parts = append(parts, "source")
	}
	if len(c.when) > 0 && !s.when {
		parts = append(parts, "time")
	}
	if len(parts) == 0 {
		return ""
	}
	return "… (+" + strings.Join(parts, ", ") + ")"
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return thousands(n) + " " + noun
}

// blocks draws the sheet.
func (s *sheet) blocks() []slack.Block {
	if len(s.cards) == 1 && len(s.Groups) == 1 {
		return s.single()
	}
	return s.several()
}

// single is the card of the only group.
func (s *sheet) single() []slack.Block {
	c := &s.cards[0]
	home := inert.Text(joined(" · ", s.Service, s.Host), 200, inert.Plain)
	left := c.split(messageWeight - 5*blockWeight - c.cost.head - inert.Len(home) - s.pingCost() - 100)
	fields, missing := c.shown(left.fields)
	blocks := []slack.Block{slack.NewHeaderBlock(plainText(c.head()))}

	var body rich
	body.section(text(inert.Cut(c.message, left.message)))
	body.preformatted(inert.Cut(c.err, left.err))
	body.section(s.pinged()...)
	blocks = body.appendTo(blocks)

	fields, beside := sideBySide(fields)
	if len(beside) > 0 {
		blocks = append(blocks, slack.NewSectionBlock(nil, beside, nil))
	}
	var detail rich
	detail.section(listed(fields, "\n")...)
	if left.stack > 0 {
		detail.section(bold("Stack"))
		detail.preformatted(c.topLines(left.stack))
	}
	if left.crumbs > 0 {
		detail.section(bold("What came before"))
		detail.preformatted(c.lastCrumbs(left.crumbs))
	}
	short, long := c.anchors(left.links)
	detail.section(linked(long)...)
	detail.section(text(c.leftOut(left, missing)))
	blocks = detail.appendTo(blocks)

	var line []slack.MixedElement
	if home != "" {
		line = append(line, plainText(home))
	}
	if left.where {
		line = append(line, c.place(left.linked))
	}
	if left.when {
		line = append(line, markup(inMarkup(c.when)))
	}
	if short != "" {
		line = append(line, markup(short))
	}
	if len(line) > 0 {
		blocks = append(blocks, slack.NewContextBlock("", line...))
	}
	return blocks
}

// sideBySide takes the fields that are short enough to stand in two columns.
func sideBySide(fields []field) (rest []field, beside []*slack.TextBlockObject) {
	for _, f := range fields {
		if len(beside) == sectionFields || inert.Len(f.value) > 80 || strings.Contains(f.value, "\n") {
			rest = append(rest, f)
			continue
		}
		beside = append(beside, plainText(f.key+": "+f.value))
	}
	return rest, beside
}

// place is the source line as an element of a context block.
func (c *card) place(linked bool) slack.MixedElement {
	if !linked {
		return plainText(inert.Text(c.where, 150, inert.Plain))
	}
	return markup(anchor(c.address, c.where))
}

// anchors takes the links that fit into one element of a context block.
func (c *card) anchors(links []link) (short string, long []link) {
	for _, l := range links {
		next := joined(" · ", short, l.markup)
		if l.url == "" || inert.Len(next) > contextLimit {
			long = append(long, l)
			continue
		}
		short = next
	}
	return short, long
}

// several sums the groups up and gives each a compact card.
func (s *sheet) several() []slack.Block {
	n := len(s.cards)
	blocks := []slack.Block{slack.NewHeaderBlock(plainText(s.summary()))}
	var line []slack.MixedElement
	if home := inert.Text(joined(" · ", s.Service, s.Host), 200, inert.Plain); home != "" {
		line = append(line, plainText(home))
	}
	if first, last := s.period(); dated(first) {
		line = append(line, markup(inMarkup([]span{{"since ", first}, {", last ", last}})))
	}
	if len(line) > 0 {
		blocks = append(blocks, slack.NewContextBlock("", line...))
	}
	var wake rich
	wake.section(s.pinged()...)
	blocks = wake.appendTo(blocks)

	// A card a block, with dividers, as long as that leaves room for words.
	each, dividers := 1, n <= 12
	if n > 20 {
		each = 4
	}
	taken := len(blocks) + (n+each-1)/each + 1
	if dividers {
		taken += n
	}
	room := s.waterline(messageWeight - taken*blockWeight - headerLimit - 200 - 2*dateWeight - 60 - s.pingCost())
	for i := 0; i < n; i += each {
		if dividers {
			blocks = append(blocks, slack.NewDividerBlock())
		}
		var body rich
		for j := i; j < min(i+each, n); j++ {
			s.cards[j].compact(&body, room)
		}
		blocks = body.appendTo(blocks)
	}
	if more := len(s.Groups) - n; more > 0 {
		text := fmt.Sprintf("… (+%s more, %s)", plural(more, "kind"), plural(s.hidden, "alert"))
		blocks = append(blocks, slack.NewContextBlock("", plainText(text)))
	}
	return blocks
}

// summary is the header over several groups.
func (s *sheet) summary() string {
	worst, told := slog.Level(math.MinInt), thousands(s.alerts)
	for i := range s.Groups {
		worst = max(worst, s.Groups[i].Level)
	}
	first, last := s.period()
	switch more := slices.ContainsFunc(s.Groups, func(g Group) bool { return ongoing(&g) }); {
	case more:
		told += " more"
	case dated(first) && last.Sub(first) >= time.Second:
		told += " in " + duration(last.Sub(first))
	}
	return fmt.Sprintf("%s %s of alert, %s, %s", levelSign(worst), plural(len(s.Groups), "kind"), told, worst)
}

// period is from the first alert of all groups to the last.
func (s *sheet) period() (first, last time.Time) {
	for i := range s.Groups {
		g := &s.Groups[i]
		if dated(g.First) && (first.IsZero() || g.First.Before(first)) {
			first = g.First
		}
		if g.Last.After(last) {
			last = g.Last
		}
		if g.First.After(last) {
			last = g.First
		}
	}
	return first, last
}

// waterline is the room of each card: all it needs, or the same for all that
// need more.
func (s *sheet) waterline(budget int) int {
	weights := make([]int, len(s.cards))
	for i := range s.cards {
		weights[i] = s.cards[i].cost.all
	}
	return waterline(weights, budget)
}

// compact writes the card as one of several.
func (c *card) compact(r *rich, room int) {
	left := c.split(min(room, c.cost.all) - c.cost.head)
	fields, missing := c.shown(left.fields)
	head := []slack.RichTextSectionElement{bold(c.head())}
	if left.message > 0 {
		head = append(head, text("\n"+inert.Cut(c.message, left.message)))
	}
	r.section(head...)
	r.preformatted(inert.Cut(c.err, left.err))
	r.section(listed(fields, " · ")...)
	if left.stack > 0 {
		r.preformatted(c.topLines(left.stack))
	}
	if left.crumbs > 0 {
		r.preformatted(c.lastCrumbs(left.crumbs))
	}
	var line []slack.RichTextSectionElement
	if left.where {
		address := c.address
		if !left.linked {
			address = ""
		}
		line = apart(line, linkTo(inert.Text(c.where, 150, inert.Row), address))
	}
	if left.when {
		line = apart(line, inRich(c.when)...)
	}
	for _, l := range left.links {
		line = apart(line, linkTo(l.label, l.url))
	}
	if note := c.leftOut(left, missing); note != "" {
		line = apart(line, text(note))
	}
	r.section(line...)
}

// rich collects the elements of a rich_text block. What is empty isn't added:
// Slack refuses it.
type rich struct{ elements []slack.RichTextElement }

func (r *rich) section(elements ...slack.RichTextSectionElement) {
	elements = slices.DeleteFunc(elements, func(e slack.RichTextSectionElement) bool {
		t, ok := e.(*slack.RichTextSectionTextElement)
		return ok && t.Text == ""
	})
	if len(elements) > 0 {
		r.elements = append(r.elements, slack.NewRichTextSection(elements...))
	}
}

func (r *rich) preformatted(s string) {
	if s != "" {
		r.elements = append(r.elements, &slack.RichTextPreformatted{
			Type: slack.RTEPreformatted, Elements: []slack.RichTextSectionElement{text(s)},
		})
	}
}

func (r *rich) appendTo(blocks []slack.Block) []slack.Block {
	if len(r.elements) == 0 {
		return blocks
	}
	return append(blocks, slack.NewRichTextBlock("", r.elements...))
}

func text(s string) *slack.RichTextSectionTextElement {
	return slack.NewRichTextSectionTextElement(s, nil)
}

func bold(s string) *slack.RichTextSectionTextElement {
	return slack.NewRichTextSectionTextElement(s, &slack.RichTextSectionTextStyle{Bold: true})
}

// linkTo is a link, or the label alone where there is no address.
func linkTo(label, address string) slack.RichTextSectionElement {
	if address == "" {
		return text(label)
	}
	return slack.NewRichTextSectionLinkElement(address, label, nil)
}

// apart appends to a line what is set apart from what stands there.
func apart(line []slack.RichTextSectionElement, more ...slack.RichTextSectionElement) []slack.RichTextSectionElement {
	if len(line) > 0 {
		line = append(line, text(" · "))
	}
	return append(line, more...)
}

func linked(links []link) (line []slack.RichTextSectionElement) {
	for _, l := range links {
		line = apart(line, linkTo(l.label, l.url))
	}
	return line
}

// listed is the fields in a section of rich text.
func listed(fields []field, sep string) []slack.RichTextSectionElement {
	var line []slack.RichTextSectionElement
	for i, f := range fields {
		value := " " + f.value
		if i < len(fields)-1 {
			value += sep
		}
		line = append(line, bold(f.key), text(value))
	}
	return line
}

// plainText is a text object that Slack takes literally.
func plainText(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
}

// markup is a text object for dates and links of ours.
func markup(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, s, false, true)
}

// dateFormat shows a time in the reader's zone.
const dateFormat = "{date_short_pretty} {time_secs}"

func inMarkup(when []span) string {
	var b strings.Builder
	for _, p := range when {
		b.WriteString(p.text)
		if dated(p.at) {
			fmt.Fprintf(&b, "<!date^%d^%s|%s>", p.at.Unix(), dateFormat, utc(p.at))
		}
	}
	return b.String()
}

func inRich(when []span) (line []slack.RichTextSectionElement) {
	for _, p := range when {
		if p.text != "" {
			line = append(line, text(p.text))
		}
		if dated(p.at) {
			fallback := utc(p.at)
			line = append(line, slack.NewRichTextSectionDateElement(p.at.Unix(), dateFormat, nil, &fallback))
		}
	}
	return line
}

// ping is somebody to be woken, or words beside it.
type ping struct{ kind, id string }

// ping takes the mentions of a group, each once in a message.
func (s *sheet) ping(g *Group) {
	say := s.opts.Codes[g.Code].Mention
	if s.opts.Mention != nil {
		say += " " + asked(func() string { return s.opts.Mention(*g) })
	}
	for _, p := range parsePings(say) {
		if len(s.pings) < mostPings && !slices.Contains(s.pings, p) {
			s.pings = append(s.pings, p)
		}
	}
}

// parsePings finds <@U…>, <!subteam^S…>, <!here>, <!channel> and <!everyone>;
// what stands beside them is words and mentions nobody.
func parsePings(say string) (pings []ping) {
	words := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			pings = append(pings, ping{"text", inert.Text(s, 60, inert.Row)})
		}
	}
	for len(pings) < mostPings {
		open := strings.IndexByte(say, '<')
		size := strings.IndexByte(say[max(open, 0):], '>')
		if open < 0 || size < 0 {
			break
		}
		p, ok := parsePing(say[open+1 : open+size])
		if !ok {
			words(say[:open+1])
			say = say[open+1:]
			continue
		}
		words(say[:open])
		pings = append(pings, p)
		say = say[open+size+1:]
	}
	words(say)
	return pings
}

func parsePing(inner string) (ping, bool) {
	inner, _, _ = strings.Cut(inner, "|") // a name that Slack finds itself
	if id, ok := strings.CutPrefix(inner, "@"); ok {
		return ping{"user", id}, isID(id)
	}
	if id, ok := strings.CutPrefix(inner, "!subteam^"); ok {
		return ping{"usergroup", id}, isID(id)
	}
	all, _ := strings.CutPrefix(inner, "!")
	return ping{"broadcast", all}, inner != all && slices.Contains([]string{"here", "channel", "everyone"}, all)
}

// isID reports whether id has the form of Slack's: capitals and digits.
func isID(id string) bool {
	return id != "" && len(id) <= 32 && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func (s *sheet) pinged() (line []slack.RichTextSectionElement) {
	for _, p := range s.pings {
		if len(line) > 0 {
			line = append(line, text(" "))
		}
		switch p.kind {
		case "user":
			line = append(line, slack.NewRichTextSectionUserElement(p.id, nil))
		case "usergroup":
			line = append(line, slack.NewRichTextSectionUserGroupElement(p.id))
		case "broadcast":
			line = append(line, slack.NewRichTextSectionBroadcastElement(p.id))
		default:
			line = append(line, text(p.id))
		}
	}
	return line
}

func (s *sheet) pingCost() (cost int) {
	for _, p := range s.pings {
		cost += inert.Len(p.id) + len(p.kind)
	}
	return cost
}

// pingText is the mentions for the text of a message, words left out.
func (s *sheet) pingText() string {
	var b strings.Builder
	for _, p := range s.pings {
		if form, ok := pingForms[p.kind]; ok {
			b.WriteString(" <" + form + p.id + ">")
		}
	}
	return b.String()
}

var pingForms = map[string]string{"user": "@", "usergroup": "!subteam^", "broadcast": "!"}

// sentence is the text of the message: all that a phone's push shows and that
// a screen reader reads.
func (s *sheet) sentence() string {
	in := ""
	if !inert.Blank(s.Service) {
		in = " in " + inert.Cut(s.Service, 40)
	}
	switch {
	case len(s.Groups) == 0:
		return "No alerts" + inert.Text(in, 60, inert.Markup)
	case len(s.Groups) == 1:
		return s.cards[0].sentence(s, in) + s.pingText()
	}
	told := inert.Text(fmt.Sprintf("%s of alert%s, %s in all:", plural(len(s.Groups), "kind"), in, thousands(s.alerts)), 120, inert.Markup)
	for i := range s.cards {
		c, sep := &s.cards[i], " "
		if i > 0 {
			sep = "; "
		}
		what := inert.Text(c.Level.String()+" "+c.what(s, false), 60, inert.Markup)
		next := sep + joined(" ", what, c.tally)
		if inert.Len(told)+inert.Len(next) > sentenceLimit {
			told += "; …"
			break
		}
		told += next
	}
	return told + s.pingText()
}

// sentence tells the only group.
func (c *card) sentence(s *sheet, in string) string {
	tail := ""
	if c.tally != "" {
		tail = " " + s.howOften(c.Group)
		if ongoing(c.Group) && dated(c.First) {
			tail += ", since " + clock(c.First, c.Last)
		}
	}
	if who := c.who(); who != "" {
		tail += " (" + inert.Text(who, 80, inert.Markup) + ")"
	}
	front := c.Level.String() + in + ": " + c.what(s, true)
	return inert.Text(front, sentenceLimit-inert.Len(tail), inert.Markup) + tail
}

// clock is a time for those whose zone isn't known.
func clock(t, now time.Time) string {
	if d := now.Sub(t); d < 0 || d > 20*time.Hour {
		return t.UTC().Format("Jan 2 15:04 UTC")
	}
	return t.UTC().Format("15:04 UTC")
}

// what is the code, the message and perhaps the error, as logged but short.
func (c *card) what(s *sheet, withError bool) string {
	code, _ := s.coded(c.Group)
	said := inert.Cut(c.saying(), 160)
	failed := ""
	if withError && !strings.Contains(said, firstLine(c.Error)) {
		failed = inert.Cut(firstLine(c.Error), 160)
	}
	return joined(": ", code, said, failed)
}

// who is who did what, of the fields that say so: "user 41, POST /pay, 500".
func (c *card) who() string {
	var of [roleCount]string
	for _, f := range c.fields {
		if f.role < roleCount && of[f.role] == "" {
			of[f.role] = inert.Cut(f.raw.Value, 40)
		}
	}
	user := joined(" ", "user", of[roleUser])
	if of[roleUser] == "" {
		user = ""
	}
	return joined(", ", user, joined(" ", of[roleMethod], of[rolePath]), of[roleStatus])
}

// What a field tells, in the order in which fields are shown.
const (
	roleUser = iota
	roleMethod
	rolePath
	roleStatus
	roleRequest
	roleCount
)

// roles knows common keys, in lower case and without signs.
var roles = map[string]int{
	"user": roleUser, "userid": roleUser, "username": roleUser, "useremail": roleUser, "userlogin": roleUser,
	"uid": roleUser, "login": roleUser, "account": roleUser, "accountid": roleUser, "customer": roleUser,
	"customerid": roleUser, "enduserid": roleUser, "actor": roleUser, "principal": roleUser,
	"method": roleMethod, "httpmethod": roleMethod, "requestmethod": roleMethod, "httprequestmethod": roleMethod,
	"path": rolePath, "httppath": rolePath, "requestpath": rolePath, "urlpath": rolePath, "uri": rolePath,
	"requesturi": rolePath, "url": rolePath, "httpurl": rolePath, "httptarget": rolePath, "route": rolePath,
	"httproute": rolePath, "endpoint": rolePath,
	"status": roleStatus, "statuscode": roleStatus, "httpstatus": roleStatus, "httpstatuscode": roleStatus,
	"responsestatus": roleStatus, "httpresponsestatuscode": roleStatus,
	"requestid": roleRequest, "reqid": roleRequest, "xrequestid": roleRequest, "traceid": roleRequest,
	"correlationid": roleRequest, "xamzntraceid": roleRequest, "traceparent": roleRequest,
}

// role is what the key of a field tells. Of a dotted key the last parts count
// where the first ones name a request: user in http.user, not in db.user.
func role(key string) int {
	for rest := key; ; {
		if r, ok := roles[squash(rest)]; ok {
			return r
		}
		head, tail, ok := strings.Cut(rest, ".")
		if !ok || !slices.Contains([]string{"http", "request", "req", "rpc", "ctx", "scope", "auth", "session"}, strings.ToLower(head)) {
			return roleCount
		}
		rest = tail
	}
}

// squash makes spellings of a key alike.
func squash(key string) string {
	if len(key) > 40 {
		return ""
	}
	return strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r == '_' || r == '-' || r == '.' || r == ' ':
			return -1
		}
		return r
	}, key)
}

// plain is the whole as text. Each group gets its share of the bytes, and what
// one doesn't need the next may have.
func (s *sheet) plain() string {
	var b strings.Builder
	pings := s.pingText()
	left := plainLimit - len(pings)
	if len(s.Groups) > 1 {
		b.WriteString(s.summary() + "\n")
	}
	from := joined(", ", inert.Cut(s.Service, 60), inert.Cut(s.Host, 60))
	if from != "" {
		b.WriteString(inert.Text(from, 200, inert.Markup) + "\n")
	}
	for i := range s.cards {
		more := 40 // for the last line
		share := (left - b.Len() - more) / (len(s.cards) - i)
		s.cards[i].write(&b, s, share)
	}
	if more := len(s.Groups) - len(s.cards); more > 0 {
		fmt.Fprintf(&b, "… (+%s more)\n", plural(more, "kind"))
	}
	return strings.TrimSuffix(b.String(), "\n") + pings
}

// write writes the card as lines of text, in at most room bytes.
func (c *card) write(b *strings.Builder, s *sheet, room int) {
	line := func(text, tail string, most int) {
		most = min(most, room-1) - len(tail)
		if text == "" || most < 32 {
			return
		}
		text = inert.Bytes(text, most, inert.Markup) + tail + "\n"
		b.WriteString(text)
		room -= len(text)
	}
	tail := ""
	if c.tally != "" {
		tail = " " + s.howOften(c.Group)
	}
	line(c.sign+": "+inert.Cut(c.what(s, false), 800), tail, max(room/2, 80))
	if c.err != "" {
		line("error: "+inert.Cut(c.Error, 1200), "", max(room/2, 40))
	}
	var fields []string
	for _, f := range c.fields[:min(len(c.fields), 16)] {
		fields = append(fields, inert.Cut(f.raw.Key, 60)+": "+inert.Cut(f.raw.Value, 120))
	}
	line(strings.Join(fields, ", "), "", max(room/2, 40))
	line(c.where, "", 200)
	if dated(c.First) && room > 40 {
		b.WriteString("since " + utc(c.First) + "\n")
	}
}
