// This file lays a batch out as one Slack message within Slack's limits.

package slackalert

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/card"
	"example.com/slackalert/internal/cite"
	"example.com/slackalert/internal/draw"
	"example.com/slackalert/internal/fit"
	"example.com/slackalert/internal/guard"
	"example.com/slackalert/internal/inert"
	"example.com/slackalert/internal/wake"
	"example.com/slackalert/internal/who"
	"example.com/slackalert/internal/words"
)

// Limits, in UTF-16 units as sent unless it says bytes; those of any message are
// in internal/fit.
const (
	headerLimit   = 150
	messageLimit  = 600
	serviceLimit  = 24 // so that a push shows the count behind it
	subjectLimit  = 90 // of what happened, in a head that can't say all of it
	sentenceLimit = 300
	briefLimit    = 40   // of a value that shares its line with others
	smallLimit    = 120  // of a value in small print
	printLimit    = 1800 // of all small print of a card
	plainLimit    = 3500 // bytes; the text of an edit may have 4,000

	mostCards  = 4   // of more kinds than this two lines each
	mostPairs  = 40  // of more kinds than this a line each
	lineLimit  = 84  // two lines of a phone
	leastLine  = 60  // a line with less tells nothing
	secondLine = 60  // what the line below it should have
	mostLines  = 250 // kinds that are looked at: more lines than fit
	mostFields = 128 // that are looked at, of a group
	mostCrumbs = 64
	mostLinks  = 10
)

// limits are the most that each part of a card may have.
type limits struct{ failure, value, stack, crumb, crumbs int }

// Of how many kinds share the message depends what each may have.
var (
	alone    = limits{failure: 1000, value: 1000, stack: 2000, crumb: 400, crumbs: 1500}
	together = limits{failure: 1000, value: 400, stack: 1500, crumb: 300, crumbs: 800}
)

// message is a batch as Slack gets it.
type message struct {
	text   string        // one sentence: all that a phone's push shows
	blocks []slack.Block // what is drawn
	plain  string        // the whole as text, for when Slack refuses the blocks
}

// Blocks returns the default layout of b, to build on in [Options.Blocks] or in
// a [Sender]: a card for each of up to four groups, two lines for each of up to
// forty, of more a line each; nil for none. The most severe come first, of those
// the most frequent, then the oldest, whatever their order in b. Slack's limits
// hold for any b; what doesn't fit is counted. Of opts it uses Codes, CodeKey,
// Mention, Links and SourceURL; nil means the defaults. It doesn't know the
// program's build: a source line is named but not linked. A panic in Mention or
// Links counts as an empty answer. Blocks keeps and changes nothing of its
// arguments; several goroutines may call it if they may call those functions.
func Blocks(b Batch, opts *Options) []slack.Block {
	if len(b.Groups) == 0 {
		return nil
	}
	return newSheet(b, opts, cite.Tree{}).blocks()
}

// Inert returns s so that it can't act in a mrkdwn text, for layouts of one's
// own: no mention, link, markup, emoji or quote comes of it, on any Slack
// client, whatever was logged. It reads the same: & < > are escaped, the signs
// * _ ~ ` become look-alikes, and the invisible U+2060 parts what would be an
// address, a mention or an emoji; what is invisible or turns text around is
// shown as its number; bytes that aren't UTF-8 become U+FFFD. Line ends stay. It
// gets up to nine times as long, and is for a text that Slack takes as mrkdwn,
// best with verbatim: in plain_text and in rich text the escapes would show.
func Inert(s string) string { return inert.Text(s, 9*len(s)+1, inert.Prose) }

// layout lays b out, by opts.Blocks if what that gives can be sent. opts may
// be nil.
func layout(b Batch, opts *Options, tree cite.Tree) message {
	s := newSheet(b, opts, tree)
	m := message{text: s.sentence(), plain: s.plain()}
	if s.opts.Blocks != nil {
		m.blocks = fit.Blocks(guard.Asked(func() []slack.Block { return s.opts.Blocks(b) }))
	}
	if len(m.blocks) == 0 && len(b.Groups) > 0 {
		m.blocks = s.blocks()
	}
	return m
}

// sheet is a batch being laid out.
type sheet struct {
	Batch
	opts    *Options
	tree    cite.Tree
	order   []*Group   // biggest first
	stories []story    // of the first of them
	often   card.Often // all groups together
	calls   wake.Calls // who is mentioned
	notes   []string   // what all groups have to note
	quiet   bool       // it is over for all
	apart   bool       // not all happened on the batch's host
}

func newSheet(b Batch, opts *Options, tree cite.Tree) *sheet {
	if opts == nil {
		opts = &Options{}
	}
	s := &sheet{Batch: b, opts: opts, tree: tree, quiet: len(b.Groups) > 0}
	s.order = make([]*Group, len(b.Groups))
	for i := range b.Groups {
		g := &b.Groups[i]
		s.order[i] = g
		s.count(g)
		s.mention(g)
		s.apart = s.apart || s.elsewhere(g) != ""
		if i == 0 {
			s.notes = g.Notes
		} else if !slices.Equal(s.notes, g.Notes) {
			s.notes = nil
		}
	}
	slices.SortStableFunc(s.order, bigger)
	s.stories = make([]story, min(len(s.order), mostLines))
	for i := range s.stories {
		s.stories[i].begin(s, s.order[i])
		if i == 0 || len(s.order) <= mostPairs {
			s.stories[i].tell(s, s.order[i])
		}
	}
	return s
}

// bigger orders groups: what is most severe, then most frequent, then oldest.
func bigger(a, b *Group) int {
	return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(total(b), total(a)), a.First.Compare(b.First))
}

// told is how many alerts of g the batch tells, and total how many there were;
// a group made by hand may not say.
func told(g *Group) int  { return max(g.Count, 1) }
func total(g *Group) int { return max(g.Total, told(g)) }

// count adds g to what is told of all together.
func (s *sheet) count(g *Group) {
	o := &s.often
	o.Told, o.Total = o.Told+told(g), o.Total+total(g)
	o.Least = o.Least || g.Least
	s.quiet = s.quiet && g.Quiet
	for _, t := range []time.Time{g.First, g.Last} {
		if draw.Dated(t) && (o.First.IsZero() || t.Before(o.First)) {
			o.First = t
		}
		if draw.Dated(t) && t.After(o.Last) {
			o.Last = t
		}
	}
}

// mention notes who wants to hear of g.
func (s *sheet) mention(g *Group) {
	if g.called {
		return
	}
	s.calls.Add(s.opts.Codes[g.Code].Mention)
	if s.opts.Mention != nil {
		s.calls.Add(guard.Asked(func() string { return s.opts.Mention(*g) }))
	}
}

// A story is what one group tells: facts as logged, each once, nothing cut and
// nothing inert.
type story struct {
	sign, word string // "🚨", "PANIC"; most severities have no word
	subject    string // what happened: the title of its code, else code and message, else the error
	message    string // where the subject can't be shown whole, or is a title
	failure    string // the error, unless the message says it
	leads      bool   // the subject is the error
	often      card.Often
	quiet      bool
	notes      []string
	users      int
	hosts      string // "" = the batch's, as of all
	example    string // whose attributes these are; "" = there is but one
	at         time.Time
	deed       who.Deed
	attrs      []who.Attr // the most telling first
	unlisted   int        // beside those
	stack      string
	crumbs     []string
	place      string // source line
	address    string // its link
	links      []Link
}

// begin notes what leads: it is all that a line needs.
func (st *story) begin(s *sheet, g *Group) {
	st.often = card.Often{Told: told(g), Total: total(g), Least: g.Least, First: g.First, Last: g.Last}
	st.quiet, st.users = g.Quiet, g.Users
	if len(s.order) == 1 || s.notes == nil {
		st.notes = g.Notes
	}
	message, failure := strings.TrimSpace(g.Message), strings.Trim(g.Error, "\r\n")
	st.sign, st.word = words.Sign(g.Level), words.Word(g.Level, message, g.Stack)
	if st.word != "" {
		message = strings.TrimPrefix(message, panicPrefix)
	}
	if st.quiet {
		st.sign, st.word = words.Over, ""
		if !s.quiet {
			st.word = "quiet"
		}
	}
	code, title, _ := s.coded(g)
	st.message, st.failure = message, failure
	switch {
	case title != "":
		st.subject = title
		if failure != "" && message != "" {
			st.message = "" // an attribute says it
		}
	case message != "":
		st.subject = words.Join(": ", lead(code), message)
	default:
		st.subject = words.Join(": ", lead(code), cmp.Or(strings.TrimSpace(failure), "(no message)"))
		st.leads = failure != ""
	}
	if title == "" && saysError(message, failure) {
		st.failure = ""
	}
}

// saysError reports whether the message is the error, or ends with it, as that
// of a panic does, and is so short that it is shown whole.
func saysError(message, failure string) bool {
	return message == failure || len(message) <= 500 && strings.HasSuffix(message, strings.TrimSpace(failure))
}

// coded is the code of g and what is known of it.
func (s *sheet) coded(g *Group) (code, title string, known bool) {
	if inert.Blank(g.Code) {
		return "", "", true
	}
	about, known := s.opts.Codes[g.Code]
	return g.Code, strings.Join(strings.Fields(about.Title), " "), known || len(s.opts.Codes) == 0 || lead(g.Code) == ""
}

// Whose attributes those are that a card of many alerts shows.
const first, latest = "first: ", "latest: "

// tell notes the rest.
func (st *story) tell(s *sheet, g *Group) {
	st.tellAttrs(s, g)
	st.stack, st.crumbs = strings.TrimSpace(g.Stack), g.Breadcrumbs
	st.at = cmp.Or(g.At, g.First)
	if !draw.Dated(st.at) {
		st.at = g.Last
	}
	if !st.often.Once() {
		st.example = first
		if g.At.After(g.First) {
			st.example = latest
		}
	}
	if st.hosts = s.elsewhere(g); s.apart && st.hosts == "" {
		st.hosts = s.Host
	}
	if g.Source != nil {
		st.place, st.address = s.tree.Place(g.Source, s.opts.SourceURL)
	}
	st.tellLinks(s, g)
}

// elsewhere is where g happened, if not on the batch's host alone: what one host
// counted, another may tell.
func (s *sheet) elsewhere(g *Group) string {
	switch {
	case g.Hosts > 1:
		return "on " + words.Among(g.Hosts, "host", g.Named)
	case len(g.Named) > 0 && g.Named[0] != s.Host:
		return g.Named[0]
	}
	return ""
}

// tellAttrs takes the attributes that say something new, who and where first.
func (st *story) tellAttrs(s *sheet, g *Group) {
	key := cmp.Or(s.opts.CodeKey, defaultCodeKey)
	code, title, known := s.coded(g)
	all := make([]who.Attr, 0, min(len(g.Fields), mostFields)+3)
	for _, f := range g.Fields {
		switch n := leftOut(f); {
		case n > 0:
			st.unlisted += n
		case repeats(f.Value, g.Error):
		case f.Value == g.Code && strings.HasSuffix("."+f.Key, "."+key): // said already, or said below
		case len(all) == mostFields:
			st.unlisted++
		default:
			all = append(all, who.Attr{Key: f.Key, Value: f.Value, Role: who.Of(f.Key)})
		}
	}
	add := func(key, value string) {
		all = append(all, who.Attr{Key: key, Value: value, Role: who.Other})
	}
	if code != "" && !known {
		code, title = code+" (unknown code)", code
	}
	if title != "" || lead(code) == "" && code != "" {
		add(key, code)
	}
	if message := strings.TrimSpace(g.Message); st.message == "" && !inert.Blank(message) && message != strings.TrimSpace(g.Error) {
		add("message", message)
	}
	if g.Level != slog.LevelError {
		add(slog.LevelKey, g.Level.String())
	}
	st.deed, st.attrs = who.Tell(all)
}

// leftOut is how many fields f stands for that capture left out.
func leftOut(f Field) (n int) {
	if f.Key == "…" {
		_, _ = fmt.Sscanf(f.Value, "(+%d fields)", &n)
	}
	return n
}

// repeats reports whether a value, cut or not, is what an error begins with.
func repeats(value, failure string) bool {
	whole, _, cut := strings.Cut(value, "… (+")
	rest, ok := strings.CutPrefix(failure, whole)
	return ok && whole != "" && (cut || rest == "" || rest[0] == '\n')
}

// tellLinks takes the caller's links and the code's runbook.
func (st *story) tellLinks(s *sheet, g *Group) {
	if s.opts.Links != nil {
		st.links = guard.Asked(func() []Link { return s.opts.Links(*g) })
	}
	st.links = st.links[:min(len(st.links), mostLinks)]
	if about := s.opts.Codes[g.Code]; about.Runbook != "" {
		st.links = append(slices.Clip(st.links), Link{"Runbook", about.Runbook})
	}
}

// lead is what stands before what happened: "🚨 PANIC shop".
func (st *story) lead(service string) string { return words.Join(" ", st.sign, st.word, service) }

// head is what leads a card, made inert for p: sign, service, what, how often;
// whole if it says all of the subject.
func (st *story) head(service string, most int, p inert.Place) (head string, whole bool) {
	lead := st.lead(inert.Cut(service, serviceLimit))
	if lead != st.sign {
		lead = inert.Text(lead+":", 2*serviceLimit, p)
	}
	what, whole := st.what(most-inert.Len(lead)-1, p)
	return lead + " " + what, whole
}

// what is what happened and how often.
func (st *story) what(most int, p inert.Place) (what string, whole bool) {
	tail := st.often.Behind()
	most -= inert.Len(tail)
	line := words.FirstLine(st.subject)
	what = inert.Text(line, most, p)
	if whole = what == inert.Text(line, 2*most, p); !whole {
		what = inert.Text(line, min(most, subjectLimit), p)
	}
	return what + tail, whole && line == st.subject
}

// card is the story made inert, each part within its limits.
func (st *story) card(s *sheet, l *limits) (c card.Card) {
	service, home, p := "", st.hosts, inert.Row
	if l == &alone { // else it is said of all
		service, home, p = s.Service, cmp.Or(st.hosts, s.Host), inert.Line
	}
	head, whole := st.head(service, headerLimit, p)
	c.Head = head
	c.Notes = inert.Text(strings.Join(st.notes, draw.Dot), sentenceLimit, inert.Row)
	if st.message != "" && !(whole && strings.HasSuffix(st.subject, st.message)) {
		c.Message = inert.Counted(st.message, messageLimit, inert.Leaf)
	}
	if !inert.Blank(st.failure) && !(st.leads && whole) {
		c.Error = inert.Counted(st.failure, l.failure, inert.Leaf)
	}
	if !st.often.Once() {
		c.Often = st.often.Line("times", !st.quiet)
	}
	st.fields(&c, l)
	c.Home = inert.Text(home, 200, inert.Line)
	if draw.Dated(st.at) && st.example != first {
		c.When = []draw.Span{{At: st.at, As: draw.Second}}
	}
	c.Source = card.NewSource(st.place, st.address, inert.Line)
	for _, link := range st.links {
		c.Links = append(c.Links, card.NewLink(link.Text, link.URL, inert.Row))
	}
	st.long(&c, s, l)
	return c
}

// long takes what is long into the card: stack and breadcrumbs.
func (st *story) long(c *card.Card, s *sheet, l *limits) {
	if st.stack != "" {
		end := min(len(st.stack), 16*l.stack) // more than is shown, whatever it is
		cut := strings.Count(st.stack[end:], "\n")
		stack := s.tree.Stack(st.stack[:end])
		c.Stack, c.StackLines = inert.Text(stack, l.stack, inert.Leaf), cut+strings.Count(stack, "\n")+1
	}
	for _, crumb := range st.crumbs[max(0, len(st.crumbs)-mostCrumbs):] {
		c.Crumbs = append(c.Crumbs, inert.Text(crumb, l.crumb, inert.Row))
	}
	c.Earlier, c.MostCrumbs = len(st.crumbs)-len(c.Crumbs), l.crumbs
}

// fields takes the attributes into the card. Who did what stands at full size;
// of many alerts it is what they have in common, not the example's user.
func (st *story) fields(c *card.Card, l *limits) {
	once := st.often.Once()
	c.Unlisted, c.Example = st.unlisted, st.example
	route, print := st.route(!once, inert.Row), 0
	told := route != ""
	for _, a := range st.attrs {
		if st.deed.Says(a, !once) {
			if route != "" {
				c.Loud = append(c.Loud, card.Field{Value: route})
				route = ""
			}
			continue
		}
		f := newField(a, l.value, inert.Leaf)
		size := inert.Len(f.Key) + inert.Len(f.Value) + len(" · ")
		switch {
		case a.Loud() && (once || !told && a.Role != who.User) && inert.Len(f.Value) <= briefLimit:
			c.Loud = append(c.Loud, f)
		case strings.Contains(f.Value, "\n") || inert.Len(f.Value) > smallLimit || print+size > printLimit:
			c.Long = append(c.Long, f)
		default:
			print += size
			c.Small = append(c.Small, newField(a, smallLimit, inert.Line))
		}
	}
	if !once && st.users > 0 {
		c.Loud = append(c.Loud, card.Field{Key: words.Plural(st.users, "user")})
	}
}

func newField(a who.Attr, most int, p inert.Place) card.Field {
	value := inert.Text(a.Value, most, p)
	if inert.Blank(value) {
		value = strconv.Quote(value)
	}
	return card.Field{Key: inert.Text(a.Key, 80, inert.Line), Value: value}
}

// arrow stays with what stands around it where the line is wrapped.
const arrow = "\u00a0→\u00a0"

// route is what was asked for and what came of it: "POST /pay → 500"; "" unless
// method and path are known.
func (st *story) route(pattern bool, p inert.Place) string {
	route := inert.Text(st.deed.Asked(pattern), 2*smallLimit, p)
	if status := st.deed[who.Status]; route != "" && status != "" {
		route += arrow + inert.Text(status, briefLimit, p)
	}
	return route
}

// brief is the story in two lines: head and line are made inert for p, the
// second line for mrkdwn.
func (st *story) brief(most, notes int, p inert.Place) (c card.Card) {
	c.Head, c.Line = st.line(most, p)
	c.Notes = inert.Text(strings.Join(st.notes, draw.Dot), notes, inert.Markup)
	many := !st.often.Once()
	loud := func(value string) string { return inert.Text(value, briefLimit, inert.Markup) }
	asked := st.route(many, inert.Markup)
	if asked == "" {
		path := cmp.Or(st.deed[who.Path], st.deed[who.Route])
		asked = loud(words.Join(" ", st.deed[who.Method], path, st.deed[who.Status]))
	}
	if asked != "" {
		c.Loud = []card.Field{{Value: asked}}
	}
	if many && st.users > 0 {
		c.Loud = append(c.Loud, card.Field{Value: words.Plural(st.users, "user")})
	} else if user := loud(st.deed[who.User]); user != "" {
		c.Loud = append(c.Loud, card.Field{Key: "user", Value: user})
	}
	c.Home = inert.Text(st.hosts, smallLimit, inert.Markup)
	file, p := st.place[strings.LastIndexByte(st.place, '/')+1:], inert.Label
	if strings.Count(file, ".") > 1 { // it could be a domain
		p = inert.Markup
	}
	c.Source = card.NewSource(file, st.address, p)
	for _, link := range st.links {
		if l := card.NewLink(link.Text, link.URL, inert.Markup); l.Markup != "" {
			c.Links = append(c.Links, l)
		}
	}
	c.Terse = true
	return c
}

// line is the story in one line: its count in head, what happened behind it.
func (st *story) line(most int, p inert.Place) (head, line string) {
	head = words.Join(" ", st.sign, st.word, st.often.Tally())
	what := words.FirstLine(st.subject)
	if failure := words.FirstLine(st.failure); failure != "" && !st.leads {
		what = inert.Squeeze(what, most/2) + ": " + failure
	}
	room := most - inert.Len(head) - 1
	return head, inert.Text(inert.Squeeze(what, room), room, p)
}

// blocks draws the sheet.
func (s *sheet) blocks() []slack.Block {
	if len(s.Groups) == 1 {
		return s.single()
	}
	blocks, used := s.top()
	switch n := len(s.Groups); {
	case n <= mostCards:
		return s.cards(blocks, used)
	case n <= mostPairs:
		return s.pairs(blocks, used)
	}
	return s.lines(blocks, used)
}

// single is the card of the only group.
func (s *sheet) single() []slack.Block {
	st := &s.stories[0]
	all := st.card(s, &alone)
	lead := st.over(s.Service, "", st.often)
	used := (card.MostBlocks+1)*fit.BlockWeight + s.calls.Weight() + len(lead)*inert.Len(all.Head) + draw.Weight(lead...)
	shown := all.Cut(fit.MaxWeight - used)
	if lead != nil {
		return shown.AppendTo(nil, draw.RichDates(lead), s.calls.Rich())
	}
	return shown.AppendTo([]slack.Block{slack.NewHeaderBlock(draw.Plain(shown.Head))}, nil, s.calls.Rich())
}

// over says since when it is quiet, and what it was; nil if it isn't over. A
// header can't tell times in the reader's zone, so this takes its place, and what
// is still open stands out beside it.
func (st *story) over(service, more string, o card.Often) []draw.Span {
	if !st.quiet {
		return nil
	}
	what, _ := st.what(headerLimit-len(more), inert.Row)
	what = draw.Dot + words.Join(": ", inert.Text(service, serviceLimit, inert.Row), what) + more
	spans := []draw.Span{{Text: words.Over + " quiet", Bold: true}, {Text: what, Bold: true}}
	if draw.Dated(o.Last) {
		spans[0] = draw.Span{Text: words.Over + " quiet since ", Bold: true, At: o.Last, As: o.Format()}
	}
	return append(spans, o.Period(", ")...)
}

// leader is the story that stands for all: the first that isn't over.
func (s *sheet) leader() *story {
	for i := range s.stories {
		if !s.stories[i].quiet {
			return &s.stories[i]
		}
	}
	return &s.stories[0]
}

// more counts the kinds beside one.
func (s *sheet) more() string {
	return ", and " + strings.Replace(words.Plural(len(s.Groups)-1, "more kind"), " ", "\u00a0", 1)
}

// top stands above several groups: what leads, how often all of them, where,
// and who is called. used is the room that it takes.
func (s *sheet) top() (blocks []slack.Block, used int) {
	leader, more := s.leader(), s.more()
	head, _ := leader.head(s.Service, headerLimit-len(more), inert.Line)
	home := inert.Text(s.Host, 100, inert.Line)
	if s.apart {
		home = ""
	}
	often := s.often.Line("in all", !s.quiet)
	notes := inert.Text(strings.Join(s.notes, draw.Dot), sentenceLimit, inert.Row)
	var above draw.Rich
	var lead []draw.Span
	if s.quiet {
		lead = leader.over(s.Service, more, s.often)
	}
	above.Section(draw.RichDates(lead)...)
	above.Section(draw.Slanted(notes))
	above.Section(s.calls.Rich()...)
	if lead == nil {
		blocks = append(blocks, slack.NewHeaderBlock(draw.Plain(head+more)))
	}
	blocks = above.AppendTo(blocks)
	blocks = draw.Context(blocks, draw.Markup(draw.MarkupDates(often)), draw.Plain(home))
	return blocks, headerLimit + inert.Len(home) + inert.Len(notes) + s.calls.Weight() + draw.Weight(append(often, lead...)...)
}

// cards gives each group a card.
func (s *sheet) cards(blocks []slack.Block, used int) []slack.Block {
	n := len(s.stories)
	all := make([]card.Card, n)
	for i := range all {
		all[i] = s.stories[i].card(s, &together)
	}
	used += fit.BlockWeight * (len(blocks) + n*(card.MostBlocks+1))
	room := card.Level(all, fit.MaxWeight-used)
	for i := range all {
		shown, head := all[i].Cut(room), []draw.Element{draw.Bold(all[i].Head)}
		if over := s.stories[i].over("", "", s.stories[i].often); over != nil && !s.quiet {
			head = draw.RichDates(over)
		}
		blocks = append(blocks, slack.NewDividerBlock())
		blocks = shown.AppendTo(blocks, head, nil)
	}
	return blocks
}

// pairs gives each group two lines; the first ones, as many as blocks allow, at
// full size, the others in small print.
func (s *sheet) pairs(blocks []slack.Block, used int) []slack.Block {
	n := len(s.stories)
	full := min(fit.MaxBlocks-len(blocks)-n, n)
	used += fit.BlockWeight * (len(blocks) + n + full)
	share := (fit.MaxWeight - used) / n
	most := min(max(share-secondLine, leastLine), lineLimit)
	notes := min(share-most-len("** \n↳  · "), smallLimit)
	all := make([]card.Card, n)
	for i := range all {
		p := inert.Row
		if i >= full {
			p = inert.Markup
		}
		all[i] = s.stories[i].brief(most, notes, p)
	}
	room := card.Level(all, fit.MaxWeight-used)
	for i := range all {
		shown := all[i].Cut(room)
		if i < full {
			blocks = shown.TwoLines(blocks)
		} else {
			blocks = shown.SmallPrint(blocks)
		}
	}
	return blocks
}

// lines gives each group a line, as long as there is room; the others are
// counted.
func (s *sheet) lines(blocks []slack.Block, used int) []slack.Block {
	left := fit.MaxWeight - used - fit.BlockWeight*(len(blocks)+1) - len(s.rest(0))
	most := min(max(left/len(s.Groups)-1, leastLine), lineLimit)
	var body draw.Rich
	shown := 0
	for ; shown < len(s.stories) && left > most; shown++ {
		st := &s.stories[shown]
		head, line := st.line(most, inert.Row)
		if notes := strings.Join(st.notes, draw.Dot); notes != "" {
			line = inert.Text(notes+": "+words.FirstLine(st.subject), most-inert.Len(head)-1, inert.Row)
		}
		body.Section(draw.Bold(head), draw.Text(" "+line))
		left -= inert.Len(head) + inert.Len(line) + len(" \n")
	}
	body.Section(draw.Bold(s.rest(shown)))
	return body.AppendTo(blocks)
}

// rest counts the groups from one on, with the worst level of those that aren't
// over.
func (s *sheet) rest(from int) string {
	if from == len(s.order) {
		return ""
	}
	n, sign := 0, words.Over
	for _, g := range s.order[from:] {
		if n += total(g); !g.Quiet && sign == words.Over {
			sign = words.Sign(g.Level)
		}
	}
	return sign + " … and " + words.Plural(len(s.order)-from, "more kind") + " ×" + words.Thousands(n)
}

// sentence is the text of the message: all that a phone's push shows and that
// a screen reader reads. What counts comes first, for a push is short.
func (s *sheet) sentence() string {
	if len(s.Groups) == 0 {
		return words.Join(" in ", "No alerts", inert.Text(s.Service, serviceLimit, inert.Markup))
	}
	st := s.leader()
	front := st.lead(inert.Cut(s.Service, serviceLimit)) + st.often.Behind()
	if s.quiet && draw.Dated(s.often.Last) {
		front += ", quiet since " + words.Clock(s.often.Last, s.often.Last)
	}
	if front != st.sign {
		front += ":"
	}
	front += " " + inert.Squeeze(words.FirstLine(st.subject), 160)
	if len(s.Groups) > 1 {
		return s.others(inert.Text(front, 150, inert.Markup), st) + s.calls.Text()
	}
	if failure := words.FirstLine(st.failure); failure != "" && !st.leads {
		front += ": " + inert.Squeeze(failure, 120)
	}
	tail := ""
	if did := st.did(); did != "" {
		tail = " (" + inert.Text(did, 120, inert.Markup) + ")"
	}
	return inert.Text(front, sentenceLimit-inert.Len(tail), inert.Markup) + tail + s.calls.Text()
}

// others names the other groups behind the one that leads.
func (s *sheet) others(text string, leader *story) string {
	text += s.more() + ", " + words.Thousands(s.often.Total) + " in all"
	sep := ": "
	for i := range s.stories {
		st := &s.stories[i]
		if st == leader {
			continue
		}
		what := words.Join(" ", st.lead("")+st.often.Behind(), words.FirstLine(st.subject))
		next := sep + inert.Text(what, 60, inert.Markup)
		if inert.Len(text)+inert.Len(next) > sentenceLimit {
			return text + sep + "…"
		}
		text, sep = text+next, "; "
	}
	return text
}

// did is what else a push tells: how long, since when, who did what:
// "42 s, 318 users, POST /pay, 500".
func (st *story) did() string {
	parts := slices.Clone(st.notes)
	user := st.deed[who.User]
	if user != "" {
		user = "user " + inert.Cut(user, briefLimit)
	}
	if !st.often.Once() {
		parts, user = append(parts, st.often.Took()), ""
		if st.often.Total > st.often.Told && draw.Dated(st.often.First) {
			parts = append(parts, "since "+words.Clock(st.often.First, st.often.Last))
		}
		if st.users > 0 {
			user = words.Plural(st.users, "user")
		}
	}
	asked := cmp.Or(st.deed.Asked(!st.often.Once()), st.deed[who.Path])
	return words.Join(", ", append(parts, user, inert.Cut(asked, briefLimit), inert.Cut(st.deed[who.Status], briefLimit))...)
}

// plain is the whole as text. Each group gets its share of the bytes, and what
// one doesn't need the next may have.
func (s *sheet) plain() string {
	b := make([]byte, 0, plainLimit)
	calls := s.calls.Text()
	n := min(len(s.stories), mostPairs)
	room := plainLimit - len(calls) - 80 // for the last line
	for i := range n {
		b = s.stories[i].appendTo(b, s, (room-len(b))/(n-i))
	}
	if rest := s.rest(n); rest != "" {
		b = append(b, rest...)
	}
	if len(s.Groups) == 0 {
		return s.sentence()
	}
	return strings.TrimSuffix(string(b), "\n") + calls
}

// appendTo writes the story as lines of text, in at most room bytes.
func (st *story) appendTo(b []byte, s *sheet, room int) []byte {
	end := len(b) + room
	line := func(text string, most int) {
		if most = min(most, end-len(b)-1); text != "" && most >= 32 {
			b = append(inert.AppendBytes(b, text, most, inert.Markup), '\n')
		}
	}
	half := func(least int) int { return max((end-len(b))/2, least) }
	line(st.lead(s.Service)+st.often.Behind()+": "+inert.Cut(st.subject, 800), half(80))
	line(strings.Join(st.notes, ", "), 200)
	if st.failure != "" && !st.leads {
		line("error: "+inert.Cut(st.failure, 1200), half(40))
	}
	fields := make([]byte, 0, 256)
	for _, a := range st.attrs {
		fields = append(append(append(append(fields, inert.Cut(a.Key, 60)...), ": "...), inert.Cut(a.Value, 120)...), ", "...)
	}
	line(strings.TrimSuffix(string(fields), ", "), half(40))
	line(words.Join(", ", cmp.Or(st.hosts, s.Host), st.place), 200)
	since, at := "since ", st.often.First
	if st.quiet {
		since, at = "quiet since ", st.often.Last
	}
	if draw.Dated(at) && end-len(b) > 40 {
		b = append(b, since+words.UTC(at)+"\n"...)
	}
	return b
}
