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
	"unicode/utf8"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/card"
	"example.com/slackalert/internal/cite"
	"example.com/slackalert/internal/draw"
	"example.com/slackalert/internal/fit"
	"example.com/slackalert/internal/inert"
	"example.com/slackalert/internal/wake"
	"example.com/slackalert/internal/who"
	"example.com/slackalert/internal/words"
)

// Limits, in UTF-16 units as sent unless it says bytes. Slack refuses a
// message of about 13,200 units, blocks included, without saying why.
const (
	messageWeight = 12_000 // of all texts and blocks together
	blockWeight   = 125    // what a block counts besides its text
	headerLimit   = 150
	contextLimit  = 2000
	sentenceLimit = 300
	briefLimit    = 40   // of a value that shares its line with others
	plainLimit    = 3500 // bytes; the text of an edit may have 4,000

	mostGroups = 40  // that are shown; those beyond are counted
	mostFields = 128 // that are looked at, of a group
	mostCrumbs = 64
	mostLinks  = 10
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
	tiles  []tile     // the groups that are shown
	alerts int        // told by the batch
	hidden int        // of those, in groups that are not shown
	calls  wake.Calls // who is mentioned

	first, last time.Time // of all groups
}

func newSheet(b Batch, opts *Options, v version) *sheet {
	if opts == nil {
		opts = &Options{}
	}
	s := &sheet{Batch: b, opts: opts, v: v}
	s.first, s.last = period(b.Groups)
	s.tiles = make([]tile, min(len(b.Groups), mostGroups))
	for i := range b.Groups {
		g := &b.Groups[i]
		s.alerts += told(g)
		s.mention(g)
		if i < len(s.tiles) {
			s.tiles[i].fill(s, g)
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

// mention notes who wants to hear of g.
func (s *sheet) mention(g *Group) {
	s.calls.Add(s.opts.Codes[g.Code].Mention)
	if s.opts.Mention != nil {
		s.calls.Add(asked(func() string { return s.opts.Mention(*g) }))
	}
}

// home is where the batch comes from.
func (s *sheet) home() string {
	return inert.Text(words.Join(draw.Dot, s.Service, s.Host), 200, inert.Line)
}

// A tile is one group with its card, and what the sentences need of it.
type tile struct {
	*Group
	card.Card
	sign    string    // "🔴 ERROR"
	tally   string    // "×127"
	often   string    // "×127 in 10 s"
	place   string    // source line, as logged
	telling []telling // the attributes, the most telling first
	deed    deed
}

// deed is who did what: the attribute that tells each, nil where none does.
type deed [who.Other]*Field

// telling is an attribute and what it tells.
type telling struct {
	*Field
	role who.Role
}

// room is the most that each part of a card may have, and where it stands.
type room struct {
	head, message, err, value, stack, crumb, crumbs int
	line, text, error                               inert.Place
	dense                                           bool // of the attributes only who and where
}

// Of many cards, those whose errors may have a box, and those that may have
// space between them.
const (
	mostBoxed   = 6
	mostDivided = 12
)

func (s *sheet) room() room {
	switch n := len(s.tiles); {
	case n == 1:
		return room{headerLimit, 600, 1000, 1000, 3000, 400, 2000, inert.Line, inert.Leaf, inert.Leaf, false}
	case n <= 4:
		return room{150, 600, 1000, 400, 1500, 300, 800, inert.Row, inert.Row, inert.Leaf, false}
	case n <= mostBoxed:
		return room{150, 600, 800, 200, 700, 200, 500, inert.Row, inert.Row, inert.Leaf, false}
	case n <= mostDivided:
		return room{150, 600, 800, 200, 700, 200, 500, inert.Row, inert.Row, inert.Row, false}
	case n <= 20:
		return room{150, 500, 400, 100, 400, 100, 200, inert.Row, inert.Row, inert.Row, true}
	}
	return room{110, 400, 300, 100, 300, 100, 200, inert.Row, inert.Row, inert.Row, true}
}

func (t *tile) fill(s *sheet, g *Group) {
	r := s.room()
	t.Group = g
	t.sign = levelSign(g.Level) + " " + g.Level.String()
	if t.tally = tally(g); t.tally != "" {
		t.often = s.howOften(g)
	}
	t.Card.Message = capped(strings.TrimSpace(g.Message), r.message, inert.Leaf)
	t.headline(s, r)
	if !inert.Blank(g.Error) && !t.saysError() {
		t.Card.Error = capped(strings.TrimRight(g.Error, "\n"), r.err, r.error)
	}
	t.fields(s, r)
	t.stack(s, r)
	for _, crumb := range g.Breadcrumbs[max(0, len(g.Breadcrumbs)-mostCrumbs):] {
		t.Crumbs = append(t.Crumbs, inert.Text(crumb, r.crumb, inert.Row))
	}
	t.Earlier, t.MostCrumbs = len(g.Breadcrumbs)-len(t.Crumbs), r.crumbs
	t.When = t.times(s.brief())
	if g.Source != nil {
		t.place, t.Address = s.source(g.Source)
		t.Where = inert.Text(t.place, 150, inert.Line)
	}
	t.links(s)
}

// headline says what happened in a line: the code and its title, else the
// message, else the error.
func (t *tile) headline(s *sheet, r room) {
	room := r.head - inert.Len(t.sign) - inert.Len(t.tally) - len(" ·  ")
	code, titled := s.coded(t.Group)
	line := ""
	if !titled {
		line = words.FirstLine(t.saying())
	}
	subject := words.Join(" · ", code, line)
	shown := inert.Text(subject, room, r.line)
	t.Head = words.Join(" ", t.sign+" · "+shown, t.tally)
	if strings.HasSuffix(subject, strings.TrimSpace(t.Group.Message)) && shown == inert.Text(subject, 2*room, r.line) {
		t.Card.Message = "" // the head says all of it
	}
}

// saysError reports whether the message is the error, or ends with it, as that
// of a panic does, and is so short that it is shown whole.
func (t *tile) saysError() bool {
	message := strings.TrimSpace(t.Group.Message)
	return t.Group.Error == t.Group.Message || len(message) <= 160 && strings.HasSuffix(message, strings.TrimSpace(t.Group.Error))
}

// capped is s made inert for p in at most limit units; what is cut is counted.
func capped(s string, limit int, p inert.Place) string {
	if len(s) <= limit || inert.Len(s) <= limit {
		return inert.Text(s, limit, p)
	}
	limit -= len(" (+1,000,000 characters)")
	kept := inert.Cut(s, limit)
	shown := inert.Text(kept, limit, p)
	if utf8.RuneCountInString(shown) != utf8.RuneCountInString(kept) {
		return shown // signs that stand for characters can't be counted as those
	}
	more := utf8.RuneCountInString(s) - utf8.RuneCountInString(kept) + 1
	return shown + " (+" + words.Plural(more, "character") + ")"
}

// saying is what the alert says, as logged.
func (t *tile) saying() string {
	switch {
	case !inert.Blank(t.Group.Message):
		return strings.TrimSpace(t.Group.Message)
	case !inert.Blank(t.Group.Error):
		return strings.TrimSpace(t.Group.Error)
	}
	return "(no message)"
}

// coded is the code of g with what is known of it, and whether it has a title.
func (s *sheet) coded(g *Group) (code string, titled bool) {
	if inert.Blank(g.Code) {
		return "", false
	}
	code = inert.Cut(g.Code, 60)
	about, known := s.opts.Codes[g.Code]
	if !known && len(s.opts.Codes) > 0 {
		return code + " (unknown code)", false
	}
	return words.Join(" ", code, about.Title), !inert.Blank(about.Title)
}

// levelSign is a sign that differs by range of levels; what is worse than an
// error differs in shape, too.
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

// tally is how often, if it was more than once.
func tally(g *Group) string {
	switch n := told(g); {
	case ongoing(g):
		return "×" + words.Thousands(n) + " more"
	case n > 1:
		return "×" + words.Thousands(n)
	}
	return ""
}

// fields takes the attributes that say something new, who and where first.
func (t *tile) fields(s *sheet, r room) {
	failure, listed := words.FirstLine(t.Group.Error), 0
	t.telling = make([]telling, 0, min(len(t.Group.Fields), mostFields))
	for i := range t.Group.Fields {
		f := &t.Group.Fields[i]
		if f.Value != "" && f.Value == failure || f.Value == t.Code && s.isCodeKey(f.Key) {
			continue // said already
		}
		if listed++; listed > mostFields {
			continue
		}
		t.telling = append(t.telling, telling{f, who.Of(f.Key)})
	}
	slices.SortStableFunc(t.telling, func(a, b telling) int { return int(a.role - b.role) })
	listed -= t.findDeed()
	if r.dense {
		t.telling = slices.DeleteFunc(t.telling, func(f telling) bool { return f.role == who.Other })
	}
	t.Unlisted = listed - len(t.telling)
	t.Card.Fields = make([]card.Field, 0, len(t.telling))
	route := t.route(r)
	for _, f := range t.telling {
		switch {
		case route != "" && f.Field == t.deed[who.Method]:
			t.Card.Fields = append(t.Card.Fields, card.Field{Value: route, Who: true})
		case route != "" && (f.Field == t.deed[who.Path] || f.Field == t.deed[who.Status]):
		default:
			t.Card.Fields = append(t.Card.Fields, newField(f, r))
		}
	}
}

func newField(f telling, r room) card.Field {
	value := inert.Text(f.Value, r.value, r.text)
	if inert.Blank(value) {
		value = strconv.Quote(value)
	}
	return card.Field{Key: inert.Text(f.Key, 80, inert.Row), Value: value, Who: f.role != who.Other}
}

// findDeed notes the first attribute of each role. It drops routes that only
// repeat method and path, as those of Go's ServeMux may, and returns how many.
func (t *tile) findDeed() (dropped int) {
	bare := func(f *Field) string { // the path of "POST /pay"
		if method := t.deed[who.Method]; method != nil {
			return strings.TrimPrefix(f.Value, method.Value+" ")
		}
		return f.Value
	}
	for _, f := range t.telling {
		if f.role == who.Other || inert.Blank(f.Value) {
			continue
		}
		had := t.deed[f.role]
		if had == nil || f.role == who.Path && bare(had) != had.Value && bare(f.Field) == f.Value {
			t.deed[f.role] = f.Field
		}
	}
	path, n := t.deed[who.Path], len(t.telling)
	t.telling = slices.DeleteFunc(t.telling, func(f telling) bool {
		return f.role == who.Path && f.Field != path && path != nil && bare(f.Field) == bare(path)
	})
	return n - len(t.telling)
}

// route is what was asked for and what came of it: "POST /pay → 500"; "" unless
// method and path are known.
func (t *tile) route(r room) string {
	method, path, status := t.deed[who.Method], t.deed[who.Path], t.deed[who.Status]
	if method == nil || path == nil {
		return ""
	}
	asked := method.Value + " " + strings.TrimPrefix(path.Value, method.Value+" ")
	route := inert.Text(asked, r.value, inert.Row)
	if status != nil {
		route += " → " + inert.Text(status.Value, briefLimit, inert.Row)
	}
	return route
}

// isCodeKey reports whether key, in a group or not, holds the code.
func (s *sheet) isCodeKey(key string) bool {
	in, ok := strings.CutSuffix(key, cmp.Or(s.opts.CodeKey, defaultCodeKey))
	return ok && (in == "" || strings.HasSuffix(in, "."))
}

func (t *tile) stack(s *sheet, r room) {
	stack := strings.TrimSpace(t.Group.Stack)
	if stack == "" {
		return
	}
	all := strings.Count(stack, "\n")
	end := min(len(stack), 16*r.stack) // more than is shown, whatever it is
	all -= strings.Count(stack[:end], "\n")
	stack = s.tree().Stack(stack[:end])
	t.StackLines = all + strings.Count(stack, "\n") + 1
	t.Card.Stack = inert.Text(stack, r.stack, inert.Leaf)
}

// links takes the caller's links and the code's runbook.
func (t *tile) links(s *sheet) {
	var all []Link
	if s.opts.Links != nil {
		all = asked(func() []Link { return s.opts.Links(*t.Group) })
	}
	all = all[:min(len(all), mostLinks)]
	if about := s.opts.Codes[t.Code]; about.Runbook != "" {
		all = append(slices.Clip(all), Link{"Runbook", about.Runbook})
	}
	for _, l := range all {
		t.Links = append(t.Links, newLink(l, len(s.tiles) == 1))
	}
}

// newLink makes a link of l, or a text where its address is none of the web's.
func newLink(l Link, inMarkup bool) card.Link {
	address := inert.URL(l.URL)
	if address == "" {
		return card.Link{Label: inert.Text(words.Join(": ", l.Text, l.URL), 200, inert.Row)}
	}
	label := l.Text
	if inert.Blank(label) {
		label = "Link"
	}
	link := card.Link{Label: inert.Text(label, 75, inert.Row), URL: address}
	if inMarkup {
		link.Markup = draw.Anchor(label, address)
	}
	return link
}

// tree is the source tree that the program was built from.
func (s *sheet) tree() cite.Tree {
	return cite.Tree{Revision: s.v.revision, Module: s.v.module, Dir: s.v.dir}
}

// source names a source line and links it after opts.SourceURL, if the line is
// the program's own and the template asks for nothing that isn't known.
func (s *sheet) source(src *slog.Source) (where, address string) {
	tree := s.tree()
	where = cite.Short(src.File)
	if file, ok := tree.File(src.File, src.Function); ok {
		where, address = file, inert.URL(tree.URL(s.opts.SourceURL, file, src.Line))
	}
	if where == "" {
		return src.Function, ""
	}
	if src.Line > 0 {
		where += ":" + strconv.Itoa(src.Line)
	}
	if s.v.modified && address != "" {
		where += " (modified)"
	}
	return where, address
}

// halfDay is the time in which a time of day says enough.
const halfDay = 12 * time.Hour

// brief reports whether times of day will do: the line under the summary has
// the date.
func (s *sheet) brief() bool {
	return len(s.tiles) > 1 && s.last.Sub(s.first) < halfDay
}

// times tells how often since when, and when last.
func (t *tile) times(brief bool) []draw.Span {
	span := func(text string, at time.Time) draw.Span { return draw.Span{Text: text, At: at, Brief: brief} }
	soon := brief || t.Last.Sub(t.First) < halfDay
	first, last := draw.Dated(t.First), draw.Dated(t.Last)
	also := ""
	if t.tally != "" {
		also = ", "
	}
	switch {
	case !first && !last && t.tally == "":
		return nil
	case !first && !last:
		return []draw.Span{{Text: t.often}}
	case !first:
		return []draw.Span{span(t.often+also+"last ", t.Last)}
	case also == "":
		return []draw.Span{span("", t.First)}
	case !last || t.Last.Sub(t.First) < time.Minute:
		return []draw.Span{span(t.often+", since ", t.First)}
	}
	return []draw.Span{span(t.often+", since ", t.First), {Text: ", last ", At: t.Last, Brief: soon}}
}

// howOften is the count and the time it took. Of a group that goes on only the
// time of all its alerts is known; it is that of the latest ones as long as the
// group is no older than the interval at which it is told.
func (s *sheet) howOften(g *Group) string {
	every := cmp.Or(s.opts.RepeatInterval, defaultRepeatInterval)
	n, took := words.Thousands(told(g)), ""
	if d := g.Last.Sub(g.First); draw.Dated(g.First) && d >= time.Second {
		took = " in " + words.Duration(d)
		if ongoing(g) && d > every+every/4 {
			return "×" + n + " more (" + words.Thousands(g.Total) + took + ")"
		}
	}
	if ongoing(g) {
		return "×" + n + " more" + took + " (" + words.Thousands(g.Total) + " in all)"
	}
	return "×" + n + took
}

// blocks draws the sheet.
func (s *sheet) blocks() []slack.Block {
	if len(s.Groups) == 1 {
		return s.single(&s.tiles[0])
	}
	return s.several()
}

// single is the card of the only group: what happened, to whom, where and when;
// then what is long.
func (s *sheet) single(t *tile) []slack.Block {
	home := s.home()
	shown := t.Cut(messageWeight - 4*blockWeight - inert.Len(home) - s.calls.Weight() - 130)
	blocks := []slack.Block{slack.NewHeaderBlock(draw.Plain(t.Head))}
	brief, long := parted(shown.Fields)

	var body draw.Rich
	body.Section(draw.Text(shown.Message))
	body.Preformatted(shown.Error)
	body.Section(s.calls.Rich()...)
	body.Section(listed(brief)...)
	blocks = body.AppendTo(blocks)

	where := draw.Plain(shown.Where)
	if shown.Address != "" {
		where = draw.Markup(draw.Anchor(shown.Where, shown.Address))
	}
	links, others := anchors(shown.Links)
	blocks = draw.Context(blocks, draw.Plain(home), where, draw.Markup(draw.MarkupDates(shown.When)), draw.Markup(links))

	var detail draw.Rich
	detail.Section(listed(long)...)
	if shown.Stack != "" {
		detail.Section(draw.Bold("Stack"))
		detail.Preformatted(shown.Stack)
	}
	if shown.Crumbs != "" {
		detail.Section(draw.Bold("What came before"))
		detail.Preformatted(shown.Crumbs)
	}
	detail.Section(others...)
	detail.Section(draw.Text(shown.Note))
	return detail.AppendTo(blocks)
}

// parted parts the fields that share a line from those that need their own.
func parted(fields []card.Field) (brief, long []card.Field) {
	for _, f := range fields {
		if f.Key != "" && inert.Len(f.Value) > briefLimit || strings.Contains(f.Value, "\n") {
			long = append(long, f)
		} else {
			brief = append(brief, f)
		}
	}
	return brief, long
}

// anchors takes the links that fit into one element of a context block; the
// others are for rich text.
func anchors(links []card.Link) (line string, others []draw.Element) {
	for _, l := range links {
		if next := words.Join(draw.Dot, line, l.Markup); l.URL != "" && inert.Len(next) <= contextLimit {
			line = next
		} else {
			others = draw.Apart(others, draw.Link(l.Label, l.URL))
		}
	}
	return line, others
}

// listed is the fields in a section of rich text: the brief ones on a line, then
// each of the others on its own.
func listed(fields []card.Field) []draw.Element {
	brief, long := parted(fields)
	pairs := make([][2]string, 0, len(fields))
	for i, f := range append(brief, long...) {
		value, end := f.Value, draw.Dot
		if f.Key != "" {
			value = " " + value
		}
		switch {
		case i == len(fields)-1:
			end = ""
		case i >= len(brief)-1:
			end = "\n"
		}
		pairs = append(pairs, [2]string{f.Key, value + end})
	}
	return draw.Pairs(pairs...)
}

// several sums the groups up and gives each a compact card.
func (s *sheet) several() []slack.Block {
	blocks := []slack.Block{slack.NewHeaderBlock(draw.Plain(s.summary()))}
	period := ""
	if draw.Dated(s.first) {
		spans := []draw.Span{{Text: "since ", At: s.first}, {Text: ", last ", At: s.last, Brief: s.last.Sub(s.first) < halfDay}}
		if s.last.Sub(s.first) < time.Second {
			spans = spans[:1]
		}
		period = draw.MarkupDates(spans)
	}
	blocks = draw.Context(blocks, draw.Plain(s.home()), draw.Markup(period))
	var calls draw.Rich
	calls.Section(s.calls.Rich()...)
	blocks = calls.AppendTo(blocks)

	// Room for words matters more than the space between many cards.
	n, each, divided := len(s.tiles), 1, len(s.tiles) <= mostDivided
	if !divided {
		each = 4
	}
	taken := len(blocks) + (n+each-1)/each + 1
	if divided {
		taken += n
	}
	room := s.level(messageWeight - taken*blockWeight - headerLimit - 400 - s.calls.Weight())
	for i := 0; i < n; i += each {
		if divided {
			blocks = append(blocks, slack.NewDividerBlock())
		}
		var body draw.Rich
		for j := i; j < min(i+each, n); j++ {
			s.tiles[j].compact(&body, room, n <= mostBoxed)
		}
		blocks = body.AppendTo(blocks)
	}
	if more := len(s.Groups) - n; more > 0 {
		blocks = draw.Context(blocks, draw.Plain(fmt.Sprintf("… (+%s, %s)", words.Plural(more, "more kind"), words.Plural(s.hidden, "alert"))))
	}
	return blocks
}

// level is the room of each card: all it needs, or the same for all that need
// more.
func (s *sheet) level(budget int) int {
	weights := make([]int, len(s.tiles))
	for i := range s.tiles {
		weights[i] = s.tiles[i].Weight()
	}
	return card.Level(weights, budget)
}

// compact writes the card as one of several. One of many has no box for its
// error, and what doesn't tell who and where comes after the line that leads on.
func (t *tile) compact(r *draw.Rich, room int, boxed bool) {
	shown := t.Cut(room)
	head := []draw.Element{draw.Bold(t.Head)}
	if shown.Message != "" {
		head = append(head, draw.Text("\n"+shown.Message))
	}
	fields, rest := shown.Fields, []card.Field(nil)
	if !boxed {
		n := slices.IndexFunc(append(fields[:len(fields):len(fields)], card.Field{}), func(f card.Field) bool { return !f.Who })
		fields, rest = fields[:n], fields[n:]
		if shown.Error != "" {
			head = append(head, draw.Text("\n"+shown.Error))
			shown.Error = ""
		}
	}
	r.Section(head...)
	r.Preformatted(shown.Error)
	r.Section(listed(fields)...)
	r.Section(lead(&shown)...)
	r.Section(listed(rest)...)
	r.Preformatted(shown.Stack)
	r.Preformatted(shown.Crumbs)
}

// lead is the line that leads on: source, times, links, and what isn't shown.
func lead(shown *card.Shown) (line []draw.Element) {
	if shown.Where != "" {
		line = draw.Apart(line, draw.Link(shown.Where, shown.Address))
	}
	line = draw.Apart(line, draw.RichDates(shown.When)...)
	for _, l := range shown.Links {
		line = draw.Apart(line, draw.Link(l.Label, l.URL))
	}
	if shown.Note != "" {
		line = draw.Apart(line, draw.Text(shown.Note))
	}
	return line
}

// summary is the header over several groups.
func (s *sheet) summary() string {
	worst, goesOn := slog.Level(math.MinInt), false
	for i := range s.Groups {
		worst = max(worst, s.Groups[i].Level)
		goesOn = goesOn || ongoing(&s.Groups[i])
	}
	told := ""
	if goesOn {
		told = ", " + words.Thousands(s.alerts) + " more"
	} else {
		if s.alerts > len(s.Groups) { // else each was told once
			told = ", " + words.Thousands(s.alerts)
		}
		if took := s.last.Sub(s.first); draw.Dated(s.first) && took >= time.Second {
			told += " in " + words.Duration(took)
		}
	}
	return fmt.Sprintf("%s %s of alert%s, %s", levelSign(worst), words.Plural(len(s.Groups), "kind"), told, worst)
}

// period is from the first alert of all groups to the last.
func period(groups []Group) (first, last time.Time) {
	for i := range groups {
		for _, t := range []time.Time{groups[i].First, groups[i].Last} {
			if draw.Dated(t) && (first.IsZero() || t.Before(first)) {
				first = t
			}
			if draw.Dated(t) && t.After(last) {
				last = t
			}
		}
	}
	return first, last
}

// sentence is the text of the message: all that a phone's push shows and that
// a screen reader reads.
func (s *sheet) sentence() string {
	in := ""
	if !inert.Blank(s.Service) {
		in = " in " + inert.Cut(s.Service, 40)
	}
	switch len(s.Groups) {
	case 0:
		return "No alerts" + inert.Text(in, 60, inert.Markup)
	case 1:
		return s.tiles[0].sentence(s, in) + s.calls.Text()
	}
	text := fmt.Sprintf("%s of alert%s, %s in all:", words.Plural(len(s.Groups), "kind"), in, words.Thousands(s.alerts))
	text = inert.Text(text, 120, inert.Markup)
	for i := range s.tiles {
		t, sep := &s.tiles[i], " "
		if i > 0 {
			sep = "; "
		}
		what := inert.Text(t.Level.String()+" "+t.what(s, false), 60, inert.Markup)
		next := sep + words.Join(" ", what, t.tally)
		if inert.Len(text)+inert.Len(next) > sentenceLimit {
			text += "; …"
			break
		}
		text += next
	}
	return text + s.calls.Text()
}

// sentence tells the only group.
func (t *tile) sentence(s *sheet, in string) string {
	tail := ""
	if t.tally != "" {
		tail = " " + t.often
	}
	if ongoing(t.Group) && draw.Dated(t.First) {
		tail += ", since " + words.Clock(t.First, t.Last)
	}
	if did := t.did(); did != "" {
		tail += " (" + inert.Text(did, 80, inert.Markup) + ")"
	}
	front := t.Level.String() + in + ": " + t.what(s, true)
	return inert.Text(front, sentenceLimit-inert.Len(tail), inert.Markup) + tail
}

// what is the code, the message and perhaps the error, as logged but short.
func (t *tile) what(s *sheet, withError bool) string {
	code, _ := s.coded(t.Group)
	said, failed := inert.Cut(t.saying(), 160), ""
	if withError && !strings.Contains(said, words.FirstLine(t.Group.Error)) {
		failed = inert.Cut(words.FirstLine(t.Group.Error), 160)
	}
	return words.Join(": ", code, said, failed)
}

// did is who did what: "user 41, POST /pay, 500".
func (t *tile) did() string {
	by := func(role who.Role) string {
		if f := t.deed[role]; f != nil {
			return inert.Cut(f.Value, 40)
		}
		return ""
	}
	user, path := by(who.User), by(who.Path)
	if user != "" {
		user = "user " + user
	}
	if method := by(who.Method); method != "" {
		path = words.Join(" ", method, strings.TrimPrefix(path, method+" "))
	}
	return words.Join(", ", user, path, by(who.Status))
}

// plain is the whole as text. Each group gets its share of the bytes, and what
// one doesn't need the next may have.
func (s *sheet) plain() string {
	b := make([]byte, 0, plainLimit)
	if len(s.Groups) > 1 {
		b = append(append(b, s.summary()...), '\n')
	}
	if from := words.Join(", ", inert.Cut(s.Service, 60), inert.Cut(s.Host, 60)); from != "" {
		b = append(inert.AppendBytes(b, from, 400, inert.Markup), '\n')
	}
	calls := s.calls.Text()
	room := plainLimit - len(calls) - 40 // for the last line
	for i := range s.tiles {
		b = s.tiles[i].appendTo(b, s, (room-len(b))/(len(s.tiles)-i))
	}
	if more := len(s.Groups) - len(s.tiles); more > 0 {
		b = append(b, "… (+"+words.Plural(more, "more kind")+")\n"...)
	}
	return strings.TrimSuffix(string(b), "\n") + calls
}

// appendTo writes the tile as lines of text, in at most room bytes.
func (t *tile) appendTo(b []byte, s *sheet, room int) []byte {
	end := len(b) + room
	line := func(text, tail string, most int) {
		most = min(most, end-len(b)-1) - len(tail)
		if text == "" || most < 32 {
			return
		}
		b = inert.AppendBytes(b, text, most, inert.Markup)
		b = append(append(b, tail...), '\n')
	}
	half := func(least int) int { return max((end-len(b))/2, least) }
	tail := ""
	if t.tally != "" {
		tail = " " + t.often
	}
	line(t.sign+": "+inert.Cut(t.what(s, false), 800), tail, half(80))
	if t.Card.Error != "" {
		line("error: "+inert.Cut(t.Group.Error, 1200), "", half(40))
	}
	fields := make([]byte, 0, 256)
	for i, f := range t.telling {
		if len(fields) > end-len(b) {
			break
		}
		if i > 0 {
			fields = append(fields, ", "...)
		}
		fields = append(append(append(fields, inert.Cut(f.Key, 60)...), ": "...), inert.Cut(f.Value, 120)...)
	}
	line(string(fields), "", half(40))
	line(t.place, "", 200)
	if draw.Dated(t.First) && end-len(b) > 40 {
		b = append(append(append(b, "since "...), words.UTC(t.First)...), '\n')
	}
	return b
}

// Inert returns s so that it can't act in a mrkdwn text, for layouts of one's
// own.
func Inert(s string) string {
	panic("not built yet")
}
