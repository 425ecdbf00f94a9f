// Package inert makes logged text harmless: what it returns shows the text and
// does nothing else, on any Slack client. It cuts what is too long between
// characters and says so with "…".
//
// The only invisible character it ever adds is U+2060 (word joiner), and a
// U+2060 that was logged is shown as \u{2060}: deleting U+2060 from its result
// gives the logged text back, but for the signs listed at [Markup].
package inert

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/slackalert/internal/words"
)

// Place is where a text will stand; what could act differs from place to place.
type Place uint8

const (
	// Leaf is a text element of rich_text. Slack takes it literally, so only
	// characters that hide or reorder text are replaced.
	Leaf Place = iota
	// Row is Leaf on one line.
	Row
	// Line is a plain_text object, as a header has it: as Row, and :names: stay
	// names although a client may ignore emoji=false.
	Line
	// Markup is mrkdwn and the text of a message, on one line. & < > become
	// entities; * _ ~ ` become look-alikes, for mrkdwn has no escape for them
	// and clients differ in where an inserted character disarms them; mentions,
	// addresses and :names: are broken by U+2060.
	Markup
	// Prose is Markup of several lines.
	Prose
	// Label is what a link of mrkdwn shows, on one line: as Markup, but a
	// domain in it can't become a link of its own, so that a file's name can be
	// copied.
	Label
)

// joiner breaks a sequence without being seen and without a line break.
const joiner = "\u2060"

// maxName bounds the look-ahead for the end of an emoji's name; Slack's names
// have at most 100 characters.
const maxName = 100

// maxCluster is how many units a cut goes back to keep a character whole.
const maxCluster = 32

// Len is the length of s in UTF-16 units, in which Slack's limits are counted.
func Len(s string) int {
	n := 0
	for n < len(s) && s[n] < utf8.RuneSelf {
		n++
	}
	s = s[n:]
	for _, r := range s {
		n += units(r)
	}
	return n
}

// Text returns s made inert for p, in at most limit UTF-16 units.
func Text(s string, limit int, p Place) string {
	if len(s) <= limit && harmlessRun(s, p) == len(s) {
		return s
	}
	out := make([]byte, 0, min(len(s)+16, 3*max(limit, 0)+16))
	return string(write(out, s, limit, p, units))
}

// AppendBytes appends s made inert for p to out, in at most limit bytes.
func AppendBytes(out []byte, s string, limit int, p Place) []byte {
	return write(out, s, limit, p, utf8.RuneLen)
}

// Cut shortens s, as it is, to limit units. Of a text that is inert already it
// leaves an inert one, but for Markup: see [CutMarkup].
func Cut(s string, limit int) string {
	switch {
	case len(s) <= limit:
		return s
	case limit < 1:
		return ""
	}
	c := cutter{limit: limit, size: units}
	for i, r := range s {
		c.boundary(i, r)
		if c.used += units(r); c.used > limit {
			return s[:c.safe] + "…"
		}
	}
	return s
}

// CutMarkup is Cut for mrkdwn: it doesn't end within a <…> or &…; which would
// otherwise show as garbage or, worse, name somebody else.
func CutMarkup(s string, limit int) string {
	cut := Cut(s, limit)
	if cut == s || cut == "" {
		return cut
	}
	body := strings.TrimSuffix(cut, "…")
	if i := strings.LastIndexByte(body, '<'); i >= 0 && !strings.Contains(body[i:], ">") {
		body = body[:i]
	}
	if i := strings.LastIndexByte(body, '&'); i >= 0 && len(body)-i < 5 && !strings.Contains(body[i:], ";") {
		body = body[:i]
	}
	return body + "…"
}

// Counted is Text, but says how much of s is missing: "… (+1,400 characters)".
func Counted(s string, limit int, p Place) string {
	if len(s) <= limit || Len(s) <= limit {
		return Text(s, limit, p)
	}
	limit -= len(" (+1,000,000 characters)")
	kept := Cut(s, limit)
	shown := Text(kept, limit, p)
	if utf8.RuneCountInString(shown) != utf8.RuneCountInString(kept) {
		return shown // signs that stand for characters can't be counted as those
	}
	more := utf8.RuneCountInString(s) - utf8.RuneCountInString(kept) + 1
	return shown + " (+" + words.Plural(more, "character") + ")"
}

// Squeeze shortens s to limit units as Cut does, but in its middle, between
// words where it can: how a text begins and how it ends tell most, of an error
// the end is the cause.
func Squeeze(s string, limit int) string {
	if len(s) <= limit || Len(s) <= limit {
		return s
	}
	end := lastUnits(s, limit*2/5)
	head := Cut(s, limit-len(" ")-Len(end)-1)
	if end == "" || head == "" {
		return Cut(s, limit)
	}
	head = strings.TrimSuffix(head, "…")
	if word := strings.LastIndexByte(head, ' '); word > len(head)/2 {
		head = head[:word]
	}
	return strings.TrimRight(head, " ") + " … " + end
}

// lastUnits is the end of s, in at most limit units, whole words if there is a
// space among them.
func lastUnits(s string, limit int) string {
	left, prev := Len(s), rune(-1)
	for i, r := range s {
		if left <= limit && !extends(r) && prev != 0x200d {
			space := max(strings.IndexByte(s[i:], ' '), 0)
			return strings.TrimLeft(s[i+space:], " ")
		}
		left, prev = left-units(r), r
	}
	return ""
}

// Blank reports whether s shows nothing: Slack refuses texts without content.
func Blank(s string) bool { return strings.TrimSpace(s) == "" }

func units(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

func write(out []byte, s string, limit int, p Place, size func(rune) int) []byte {
	c := cutter{limit: limit, size: size}
	start, prev := len(out), rune(-1)
	for i := 0; i < len(s); {
		if n := min(harmlessRun(s[i:], p), limit-c.used-c.size('…')); n > 1 {
			out = append(out, s[i:i+n]...)
			c.used, i = c.used+n, i+n
			prev = rune(s[i-1])
			c.prev, c.safe, c.safeUsed = prev, len(out)-1-start, c.used-1
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		c.boundary(len(out)-start, r)
		piece := show(prev, r, s[i+n:], s[i:i+n], p)
		for _, q := range piece {
			c.used += size(q)
		}
		if c.used > limit {
			if limit < size('…') {
				return out[:start]
			}
			return append(out[:start+c.safe], "…"...)
		}
		out = append(out, piece...)
		prev, i = r, i+n
	}
	return out
}

// harmlessRun is how much of the beginning of s is ASCII without a sign that
// matters in p, as most logged text is all through.
func harmlessRun(s string, p Place) int {
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || signs[c]&(1<<p) != 0 {
			return i
		}
	}
	return len(s)
}

// signs has, for each ASCII character, a bit for each place where it needs a look.
var signs = func() (t [128]uint8) {
	const oneLine, markup = 1<<Row | 1<<Line | 1<<Markup | 1<<Label, 1<<Markup | 1<<Prose | 1<<Label
	for c := range 0x20 {
		t[c] = oneLine | 1<<Leaf | 1<<Prose
	}
	t['\n'], t['\t'] = oneLine, oneLine
	t[':'] = 1<<Line | markup
	for _, c := range "&<>*_~`@#" {
		t[c] = markup
	}
	t['.'] = 1<<Markup | 1<<Prose
	return t
}()

// show is how r, written raw, looks in p between prev (-1: at the start) and rest.
func show(prev, r rune, rest, raw string, p Place) string {
	switch {
	case r < 0x20 || r == 0x7f:
		return control(r, rest, p)
	case r < 0x7f:
		if signs[r]&(1<<p) == 0 {
			return raw
		}
		return sign(prev, r, rest, raw, p)
	case r == utf8.RuneError:
		return "\uFFFD"
	case hidden(r, prev):
		return `\u{` + strconv.FormatInt(int64(r), 16) + "}"
	}
	return raw
}

// control shows a C0 control character as its Unicode picture.
func control(r rune, rest string, p Place) string {
	switch {
	case r == '\r' && strings.HasPrefix(rest, "\n"):
		return ""
	case r == '\n' || r == '\t':
		if signs[r]&(1<<p) != 0 {
			return " "
		}
		return string(r)
	case r == 0x7f:
		return "␡"
	}
	return string(0x2400 + r)
}

// instead of these signs others are shown, wherever they stand.
var instead = [128]string{'&': "&amp;", '<': "&lt;", '*': "∗", '~': "∼", '`': "ˋ"}

// sign disarms a sign that could act in p.
func sign(prev, r rune, rest, raw string, p Place) string {
	next, _ := utf8.DecodeRuneInString(rest)
	if other := instead[r]; other != "" {
		return other
	}
	switch r {
	case ':':
		if p >= Markup && strings.HasPrefix(rest, "//") || namesEmoji(rest) {
			return ":" + joiner
		}
	case '>':
		if prev < 0 || p == Prose && prev == '\n' { // at the start of a line it would quote the line
			return joiner + "&gt;"
		}
		return "&gt;"
	case '_':
		if !ascii(prev) || !ascii(next) { // within a name it is no markup
			return "ˍ"
		}
	case '@', '#':
		if rest != "" && !unicode.IsSpace(next) {
			return raw + joiner
		}
	case '.':
		if wordy(prev) && (unicode.IsLetter(next) || next == '_') { // a domain, as 1.5 is none
			return joiner + "."
		}
	}
	return raw
}

// namesEmoji reports whether a colon followed by rest opens a :name:.
func namesEmoji(rest string) bool {
	n := 0
	for _, r := range rest {
		switch {
		case r == ':':
			return n > 0
		case n == maxName, r == ' ', r == '\n', r == '\t', r >= 0xa0 && unicode.IsSpace(r) && !hidden(r, -1):
			return false // other white space is shown as a sign
		}
		n++
	}
	return false
}

func ascii(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// wordy reports whether r could be part of a name; _ and ` are shown as letters.
func wordy(r rune) bool {
	return ascii(r) || r == '_' || r == '`' || r >= 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// hidden reports whether r, after prev, is invisible or changes the order of
// what is around it. Joiners are left where scripts and emoji need them.
func hidden(r, prev rune) bool {
	switch {
	case r < 0xa0 || r == 0xad || r == 0x34f:
		return true
	case r < 0x600:
		return false
	case r == 0x200c || r == 0x200d:
		return prev < 0x80 || hidden(prev, -1)
	case 0x600 <= r && r <= 0x605, r == 0x6dd, r == 0x70f, 0x890 <= r && r <= 0x891, r == 0x8e2, r == 0x110bd, r == 0x110cd:
		return false // visible signs that Unicode counts as format characters
	case r == 0x61c || r == 0x115f || r == 0x1160 || r == 0x17b4 || r == 0x17b5 || r == 0x180e || r == 0x3164 || r == 0xffa0:
		return true
	case r < 0x2000 || 0x2070 <= r && r < 0xfe00:
		return false
	}
	return r == 0x2028 || r == 0x2029 || r >= 0xe0000 && r < 0xe0100 || unicode.Is(unicode.Cf, r)
}

// cutter counts what is written, and remembers where it could stop so that the
// "…" still fits.
type cutter struct {
	limit int
	size  func(rune) int
	used  int
	prev  rune

	safe, safeUsed int // bytes and units before the last whole character
}

// boundary notes that r begins at byte at, if a text may end before it.
func (c *cutter) boundary(at int, r rune) {
	whole := r < 0x300 || !extends(r) && c.prev != 0x200d
	if (whole || c.used-c.safeUsed > maxCluster) && c.used+c.size('…') <= c.limit {
		c.safe, c.safeUsed = at, c.used
	}
	c.prev = r
}

// extends reports whether r belongs to the character before it.
func extends(r rune) bool {
	return r >= 0x300 && (unicode.Is(unicode.M, r) || r == 0x200d || r == 0x200c || 0x1f3fb <= r && r <= 0x1f3ff)
}

// maxURL is the longest address Slack takes.
const maxURL = 3000

// URL returns an address that can stand in a link of mrkdwn or rich_text; ""
// when it is none of the web's or too long for Slack.
func URL(address string) string {
	if len(address) > maxURL {
		return ""
	}
	scheme, rest, _ := strings.Cut(address, "://")
	if !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") || strings.Trim(rest[:min(len(rest), 1)], "/?#:@. ") == "" {
		return ""
	}
	if strings.IndexFunc(address, escaped) < 0 {
		return address
	}
	var b strings.Builder
	for i := range len(address) {
		if c := address[i]; escaped(rune(c)) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	if b.Len() > maxURL {
		return ""
	}
	return b.String()
}

// escaped reports whether c could end a link, hide in it, or isn't ASCII.
func escaped(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune("<>|\"`", c) }
