package slackalert

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// What is checked here is written from Slack's rules and shares nothing with
// the layout: not its counter, not its idea of what acts.

// part is a text found in a message's JSON.
type part struct {
	where  string // the types on the way to it
	kind   string // mrkdwn, plain_text, or a rich text's element
	text   string
	url    string
	single bool // stands on a line of its own
}

// seen is all that a message's JSON shows.
type seen struct {
	parts  []part
	blocks int
	weight int
}

func units16(s string) int { return len(utf16.Encode([]rune(s))) }

// look decodes the blocks as Slack gets them and holds each to its limits.
func look(t *testing.T, m message) *seen {
	t.Helper()
	raw, err := json.Marshal(m.blocks)
	require.NoError(t, err)
	require.NotContains(t, string(raw), ":null", "a null is refused")
	var blocks []map[string]any
	require.NoError(t, json.Unmarshal(raw, &blocks))
	s := &seen{blocks: len(blocks), weight: 125 * len(blocks)}
	require.LessOrEqual(t, len(blocks), 50)
	for _, b := range blocks {
		s.block(t, b)
	}
	require.LessOrEqual(t, s.weight, 12_000, "the whole message")

	require.NotEmpty(t, strings.TrimSpace(m.text))
	require.True(t, utf8.ValidString(m.text) && utf8.ValidString(m.plain))
	require.LessOrEqual(t, len(m.text), 4000)
	require.LessOrEqual(t, units16(m.text), 300+500, m.text)
	require.LessOrEqual(t, len(m.plain), 3500)
	return s
}

func (s *seen) block(t *testing.T, b map[string]any) {
	t.Helper()
	switch kind := b["type"]; kind {
	case "header":
		s.object(t, "header", b["text"], 150)
		require.Equal(t, "plain_text", b["text"].(map[string]any)["type"])
	case "section":
		require.True(t, b["text"] != nil || b["fields"] != nil)
		if b["text"] != nil {
			s.object(t, "section", b["text"], 3000)
		}
		fields, _ := b["fields"].([]any)
		require.LessOrEqual(t, len(fields), 10)
		for _, f := range fields {
			s.object(t, "fields", f, 2000)
		}
	case "context":
		elements := b["elements"].([]any)
		require.NotEmpty(t, elements)
		require.LessOrEqual(t, len(elements), 10)
		for _, e := range elements {
			s.object(t, "context", e, 2000)
		}
	case "rich_text":
		require.NotEmpty(t, b["elements"])
		for _, e := range b["elements"].([]any) {
			s.rich(t, e.(map[string]any))
		}
	case "divider":
	default:
		t.Fatalf("a block of type %v", kind)
	}
}

func (s *seen) object(t *testing.T, where string, v any, limit int) {
	t.Helper()
	o := v.(map[string]any)
	text := o["text"].(string)
	require.NotEmpty(t, strings.TrimSpace(text), "an empty text is refused")
	require.LessOrEqual(t, units16(text), limit, where)
	s.weight += units16(text)
	switch o["type"] {
	case "plain_text":
		require.Equal(t, false, o["emoji"])
		require.NotContains(t, o, "verbatim")
	case "mrkdwn":
		require.Equal(t, true, o["verbatim"])
		require.NotContains(t, o, "emoji")
	default:
		t.Fatalf("a text of type %v", o["type"])
	}
	s.parts = append(s.parts, part{where: where, kind: o["type"].(string), text: text, single: where != "section"})
}

func (s *seen) rich(t *testing.T, e map[string]any) {
	t.Helper()
	elements := e["elements"].([]any)
	require.NotEmpty(t, elements)
	for _, v := range elements {
		leaf := v.(map[string]any)
		p := part{where: e["type"].(string), kind: leaf["type"].(string)}
		p.text, _ = leaf["text"].(string)
		p.url, _ = leaf["url"].(string)
		switch p.kind {
		case "text":
			require.NotEmpty(t, p.text)
		case "link":
			require.NotEmpty(t, p.url)
			require.LessOrEqual(t, units16(p.url), 3000)
		case "date":
			s.weight += units16(leaf["fallback"].(string)) + units16(leaf["format"].(string))
			require.Positive(t, leaf["timestamp"])
		case "user", "usergroup", "broadcast":
		default:
			t.Fatalf("an element of type %v", p.kind)
		}
		require.Contains(t, []string{"rich_text_section", "rich_text_preformatted"}, p.where)
		require.True(t, p.where == "rich_text_section" || p.kind == "text")
		require.LessOrEqual(t, units16(p.text), 3000)
		s.weight += units16(p.text) + units16(p.url)
		s.parts = append(s.parts, p)
	}
}

// Those sequences that the layout itself may put where markup acts.
var (
	dates = regexp.MustCompile(`<!date\^[0-9]+\^(?:\{date_short_pretty\} )?\{time(?:_secs)?\}\|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC>`)
	heads = regexp.MustCompile(`^\*(?:🚨|🔴|🟠|🔵|🟣|⚪)(?: PANIC| FATAL| quiet)? ×[0-9,]+(?: or more)?(?: \(\+[0-9,]+\))?\* `)
	ours  = regexp.MustCompile(dates.String() + `|<!subteam\^S0FUZZ>|<@U0FUZZ>|` + heads.String())
)

// anchored is a link: its label is looked at, its address may not end early.
var anchored = regexp.MustCompile(`<https?://[!-;=?-{}~]+\|([^<>|\n]*)>`)

// clocks are times of ours, for those whose zone isn't known.
var clocks = regexp.MustCompile(`(?m)since (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|([A-Z][a-z]{2} \d+ )?\d\d:\d\d) UTC`)

// files are source lines, which can be copied: there is no domain .go.
var files = regexp.MustCompile(`(?m)[\pL\pN_]\.go(?::[0-9]+|([^\pL\pN._-]|$))`)

// acts is what could act in mrkdwn or in a message's text.
var acts = []*regexp.Regexp{
	regexp.MustCompile(`[<>]`),                           // mentions, links
	regexp.MustCompile(`&(?:[^agl]|$|[agl](?:[^mt]|$))`), // entities that aren't ours
	regexp.MustCompile(`(?m)^&gt;`),                      // a quote
	regexp.MustCompile("[*~`]"),                          // bold, struck, code
	regexp.MustCompile(`(?:^|[^0-9A-Za-z])_`),            // what opens italics
	regexp.MustCompile(`@[\pL\pN_]`),                     // @here, addresses
	regexp.MustCompile(`#[\pL\pN_]`),                     // channels
	regexp.MustCompile(`:[^\s:…\x{2060}][^\s:…]{0,98}:`), // emoji
	regexp.MustCompile(`://`),                            // addresses
	regexp.MustCompile(`[\pL\pN]\.[^\P{L}ˋ]`),            // domains; ˋ stands for a backtick
}

var emoji = regexp.MustCompile(`:[^\s:…\x{2060}][^\s:…]{0,98}:`)

// invisible hides or reorders text. U+2060 is what the layout breaks with.
var invisible = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f-\x9f\x{ad}\x{34f}\x{61c}\x{115f}\x{1160}\x{180e}\x{200b}\x{200e}\x{200f}` +
	`\x{2028}-\x{202e}\x{2061}-\x{206f}\x{3164}\x{feff}\x{ffa0}\x{fff9}-\x{fffb}\x{e0000}-\x{e007f}]`)

// requireInert holds that nothing logged acts.
func requireInert(t *testing.T, m message, s *seen) {
	t.Helper()
	requireInertMarkup(t, "text", m.text)
	requireInertMarkup(t, "plain", m.plain)
	for _, p := range s.parts {
		require.NotRegexp(t, invisible, p.text)
		switch p.kind {
		case "mrkdwn":
			requireInertMarkup(t, p.where, p.text)
		case "plain_text":
			require.NotRegexp(t, emoji, p.text)
		case "link":
			require.Regexp(t, `^https?://[!-;=?-{}~]+$`, p.url)
		}
		if p.single {
			require.LessOrEqual(t, strings.Count(p.text, "\n"), 1) // two lines a group
		}
	}
}

func requireInertMarkup(t *testing.T, where, text string) {
	t.Helper()
	require.NotRegexp(t, invisible, text, where)
	rest := ours.ReplaceAllString(text, "")
	rest = clocks.ReplaceAllString(rest, "")
	rest = files.ReplaceAllString(rest, "$1")
	for _, found := range anchored.FindAllStringSubmatch(rest, -1) {
		rest = strings.Replace(rest, found[0], "", 1)
		for _, act := range acts[:len(acts)-1] { // a domain can't be a link in a link
			require.NotRegexp(t, act, found[1], "a link's label in %s", where)
		}
	}
	for _, act := range acts {
		require.NotRegexp(t, act, rest, where)
	}
}

// unmade turns what stands for a character back into it.
var unmade = regexp.MustCompile(`\\u\{[0-9a-f]{1,6}\}|[\x{2400}-\x{241f}]|\x{2421}`)

var badBytes = regexp.MustCompile(`\x{fffd}+`)

// read is a text as a reader takes it, whatever invisible characters it was
// shown with: logged and shown text must read the same.
func read(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	s = unmade.ReplaceAllStringFunc(s, func(f string) string {
		r, size := utf8.DecodeRuneInString(f)
		if size < len(f) {
			n, _ := strconv.ParseInt(f[3:len(f)-1], 16, 32)
			return string(rune(n))
		}
		if r == '␡' {
			return "\x7f"
		}
		return string(r - 0x2400)
	})
	s = strings.ReplaceAll(s, "\u2060", "")
	s = badBytes.ReplaceAllString(s, "\ufffd")
	return strings.Join(strings.Fields(s), " ")
}

// requireReadable holds that of the only group everything logged is shown, or
// that the message says that something isn't.
func requireReadable(t *testing.T, g Group, s *seen) {
	t.Helper()
	var all []string
	for _, p := range s.parts {
		if p.kind == "text" || p.kind == "plain_text" {
			all = append(all, p.text)
		}
	}
	shown := read(strings.Join(all, "\n"))
	if strings.Contains(shown, "…") {
		return
	}
	logged := []string{g.Message, g.Error, g.Code}
	if g.Level >= slog.LevelError+4 { // the word says it
		logged[0] = strings.TrimPrefix(strings.TrimSpace(g.Message), "panic: ")
	}
	for line := range strings.Lines(g.Stack) { // of a path the last element, at least
		slashes := "/"
		if strings.Contains(line, ".go:") {
			slashes = `/\`
		}
		logged = append(logged, line[strings.LastIndexAny(line, slashes)+1:])
	}
	logged = append(logged, g.Breadcrumbs...)
	for _, f := range g.Fields {
		logged = append(logged, f.Value)
		if first, _, _ := strings.Cut(g.Error, "\n"); f.Key != "error_code" && f.Value != first && !toldByForm.MatchString(f.Key) {
			logged = append(logged, f.Key) // else it is said elsewhere
		}
	}
	for _, l := range logged {
		require.Contains(t, shown, read(l))
	}
}

// toldByForm are keys that needn't be shown: "POST /pay → 500" says what is what.
var toldByForm = regexp.MustCompile(`(?i)method|path|ur[il]|route|endpoint|target|status`)

// requireAllTold holds that every group stands there, the biggest first, with
// its sign and its count, or is counted.
func requireAllTold(t *testing.T, b Batch, s *seen) {
	t.Helper()
	want := slices.Clone(b.Groups)
	slices.SortStableFunc(want, func(x, y Group) int {
		return cmp.Or(cmp.Compare(y.Level, x.Level), cmp.Compare(max(y.Count, y.Total, 1), max(x.Count, x.Total, 1)), x.First.Compare(y.First))
	})
	named, counted := 0, 0
	for i, p := range s.parts {
		if more := kindsMore.FindStringSubmatch(p.text); more != nil {
			counted, _ = strconv.Atoi(strings.ReplaceAll(more[1], ",", ""))
			continue
		}
		text := strings.TrimPrefix(p.text, "*")
		rest := p.kind == "text" && p.where == "rich_text_section" || p.kind == "mrkdwn" && p.where == "context"
		if !rest || !headSign.MatchString(text) || named == len(want) {
			continue
		}
		g := want[named]
		if !strings.HasPrefix(text, signOf(g)) {
			continue
		}
		leads := false
		if strings.HasPrefix(text, "⚪ quiet") { // with a time in it
			for _, next := range s.parts[i+1 : min(i+3, len(s.parts))] {
				text += next.text
				leads = leads || leadsAll.MatchString(text)
			}
		}
		if leads {
			continue
		}
		if g.Count > 1 || g.Total > 1 {
			require.Contains(t, strings.ReplaceAll(text, ",", ""), fmt.Sprintf("×%d", max(g.Count, g.Total, 1)))
		}
		named++
	}
	require.Equal(t, len(want), named+counted)
	if len(want) <= 100 {
		require.Zero(t, counted)
	}
}

// signOf is how a group's level is shown.
func signOf(g Group) string {
	switch {
	case g.Quiet:
		return "⚪"
	case g.Level >= slog.LevelError+4:
		return "🚨"
	case g.Level >= slog.LevelError:
		return "🔴"
	case g.Level >= slog.LevelWarn:
		return "🟠"
	case g.Level >= slog.LevelInfo:
		return "🔵"
	}
	return "🟣"
}

var (
	kindsMore = regexp.MustCompile(`^\S+ … and ([\d,]+) more kinds? ×[\d,]+$`)
	leadsAll  = regexp.MustCompile(`, and [\d,]+\x{a0}more kinds?$`)
	headSign  = regexp.MustCompile(`^(🚨|🔴|🟠|🔵|🟣|⚪) `)
)

// hostile are texts that would do something if they could.
var hostile = []string{
	"", " ", "payment failed", "<!channel>", "@here", "<@U1>", "@everyone look", "<http://evil.example|click>", "http://evil.example/x",
	"evil.example", "mail bob@evil.example", "*bold* _it_ ~st~ `code`", "```\nfence\n```", ":fire:", "a:b:c", "main.go:100:5", "std::vector::push",
	"> quote", "&gt; quote", "&amp;", "a & b <c>", "\u202egnp.exe", "\u200b", "\ufeffx", "\x00\x1b[31m", "\r\n", "line\nline", "#general",
	"<!date^1^{date}|x>", "👩‍👩‍👧‍👦 family 🇰🇷", "한국어 메시지", "رسالة عربية", "\xff\xfe bad", "e\u0301\u0301\u0301", "\U000e0041tag", "|", "{revision}",
	"…", `\u{202e}`, "␀", ":smile", "smile:", "_", "a_b", "_a_", "@", "#", ".", "x.", strings.Repeat("long ", 900), strings.Repeat("가", 3100),
	strings.Repeat("\u0301", 500), strings.Repeat("😀", 2000), strings.Repeat(":", 300), strings.Repeat("\n", 300), strings.Repeat("&", 400),
}

func FuzzBlocks(f *testing.F) {
	seeds := hostile
	if repeated(f) {
		seeds = seeds[:3]
	}
	for i, s := range seeds {
		next := hostile[(i*7+3)%len(hostile)]
		f.Add(s, next, s, next, s, 8, uint16(1), 1, 1, int64(60), uint32(i*7977), uint8(0))
		f.Add(next, s, next, s, "", 4, uint16(i), i*i, i*i+i%3, int64(i), uint32(i*10031), uint8(i))
		f.Add(s, next, key(i), s, "known", 12, uint16(i*i/2), i, i, int64(i*1000), uint32(1<<20-1-i*97), uint8(3))
	}
	f.Fuzz(func(t *testing.T, msg, failure, key, value, code string, level int, groups uint16, count, total int, after int64, flags uint32, times uint8) {
		b, opts := fuzzed(msg, failure, key, value, code, level, groups, count, total, after, flags, times)
		requireSound(t, b, layout(b, opts, shopBuild))
		requireSound(t, b, message{text: "x", plain: "x", blocks: Blocks(b, opts)})
	})
}

// key is one that tells who did what, now and then.
func key(i int) string { return []string{"method", "path", "status", "route", "url"}[i%5] }

func requireSound(t *testing.T, b Batch, m message) {
	t.Helper()
	s := look(t, m)
	requireInert(t, m, s)
	switch len(b.Groups) {
	case 0:
	case 1:
		requireReadable(t, b.Groups[0], s)
		requireCountFirst(t, b.Groups[0], m.text)
	default:
		requireAllTold(t, b, s)
	}
}

// requireCountFirst holds that a push, of which a phone shows 45 characters,
// tells the count.
func requireCountFirst(t *testing.T, g Group, text string) {
	t.Helper()
	if n := max(g.Count, g.Total); n > 1 && text != "x" {
		before, _, _ := strings.Cut(strings.ReplaceAll(text, ",", ""), fmt.Sprintf("×%d", n))
		require.Less(t, utf8.RuneCountInString(strings.ReplaceAll(before, "\u2060", "")), 45, text)
	}
}

// fuzzed makes a batch; each flag adds something.
func fuzzed(message, failure, key, value, code string, level int, groups uint16, count, total int, after int64, flags uint32, times uint8) (Batch, *Options) {
	on := func(bit int) bool { return flags&(1<<bit) != 0 }
	opts := &Options{Codes: map[string]Code{"known": {Title: message, Mention: "<@U0FUZZ>", Runbook: "https://wiki.example/" + value}}}
	if on(0) {
		opts.Codes[code] = Code{Title: value}
	}
	if on(1) {
		opts.Mention = func(Group) string { return "<!subteam^S0FUZZ>" }
	}
	if on(2) {
		opts.Links = func(Group) []Link {
			return []Link{{message, "https://logs.example/?q=" + value}, {value, failure}, {"Long", "https://logs.example/" + strings.Repeat("x", 2500)}}
		}
	}
	if on(3) {
		opts.SourceURL = "https://git.example/blob/{revision}/{file}#L{line}"
	}
	b := Batch{Service: "shop", Host: "web-1"}
	if on(4) {
		b.Service, b.Host = value, key
	}
	again := func(s string, n int) string { return strings.Repeat(s, min(n, 1+16_384/(len(s)+1))) } // as much as capture lets through
	for i := range int(groups % 400) {
		g := Group{Level: slog.Level(level - i), Message: message, Error: failure, Code: code, Count: count, Total: total}
		if on(5) {
			g.Message = again(message, 1+int(times))
			g.Error = again(failure, 1+int(times)/2)
		}
		g.Fields = append(g.Fields, Field{key, value}, Field{"user", message}, Field{"error_code", code})
		g.Fields = append(g.Fields, Field{"method", value}, Field{"path", message}, Field{"status", failure})[:len(g.Fields)+3*int(flags&1)]
		if on(6) && i%8 == 0 {
			for j := range int(times) {
				g.Fields = append(g.Fields, Field{fmt.Sprint(key, j), again(value, j%5)[:min(1000, len(value)*(j%5))]})
			}
		}
		if on(7) && i%4 == 0 {
			g.Stack = again(message+"\n\t"+value+"\n", 1+int(times))
		}
		if on(8) && i%4 == 1%max(1, int(groups)) {
			for j := range int(times) {
				g.Breadcrumbs = append(g.Breadcrumbs, fmt.Sprint(j, failure))
			}
		}
		if on(9) {
			g.Source = &slog.Source{Function: "example.com/shop/" + key + ".Do", File: "/build/shop/" + value + ".go", Line: count}
		}
		if on(10) {
			g.First = time.Unix(1_795_348_984, 0)
			g.Last = g.First.Add(time.Duration(after) * time.Second)
		}
		if on(11) {
			g.First, g.Last = time.Unix(after, 0), time.Unix(int64(total), 0)
		}
		if on(12) && i%2 == 0 {
			g.Code = "known"
		}
		if on(13) {
			g.Notes = []string{failure, again(value, 1+int(times))[:min(100, len(value))]}[:1+i%2]
		}
		if on(14) {
			g.Hosts, g.Named = count, []string{value, key, "web-3", message}
		}
		if on(15) {
			g.Users = total - i
		}
		g.Quiet = on(16) && (on(17) || i%3 == 0)
		g.Least = on(18) && i%5 == 0
		if on(19) {
			g.At = time.Unix(after, 0)
		}
		b.Groups = append(b.Groups, g)
	}
	return b, opts
}
