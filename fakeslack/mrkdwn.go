// This file reads Slack's mrkdwn into spans: what is marked up, what links, what
// mentions, and what is plain text after all.

package fakeslack

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parseMrkdwn reads text. With loose, bare addresses become links and bare
// @here, @channel and @everyone become mentions, as where Slack isn't told
// verbatim.
func parseMrkdwn(text string, loose bool) []span {
	p := parser{loose: loose}
	var all []span
	for {
		before, rest, opened := strings.Cut(text, "```")
		code, after, closed := strings.Cut(rest, "```")
		if !opened || !closed || strings.TrimSpace(code) == "" {
			return append(all, p.lines(text)...)
		}
		// A box stands on lines of its own: the line ends around it are its.
		all = append(all, p.lines(strings.TrimSuffix(before, "\n"))...)
		all = append(all, span{Kind: "pre", Kids: parser{literal: true}.inline(strings.Trim(code, "\n"))})
		text = strings.TrimPrefix(after, "\n")
	}
}

// parser reads spans of one text.
type parser struct {
	loose   bool // bare addresses and names count
	literal bool // within code: only brackets and entities count
}

// lines reads text outside of fences; lines that begin with ">" are a quote.
func (p parser) lines(text string) []span {
	var all []span
	var quoted, plain []string
	end := func() {
		if len(quoted) > 0 {
			all = append(all, span{Kind: "quote", Kids: p.inline(strings.Join(quoted, "\n"))})
		}
		if len(plain) > 0 {
			all = append(all, p.inline(strings.Join(plain, "\n"))...)
		}
		quoted, plain = nil, nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		rest, marked := strings.CutPrefix(strings.TrimPrefix(line, "&gt;"), ">")
		if marked = marked || strings.HasPrefix(line, "&gt;"); marked == (len(plain) > 0) {
			end()
		}
		if marked {
			quoted = append(quoted, strings.TrimPrefix(rest, " "))
		} else {
			plain = append(plain, line)
		}
	}
	end()
	return all
}

// inline reads a run of text.
func (p parser) inline(text string) []span {
	var all []span
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			all = append(all, span{Kind: "text", Text: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(text); {
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		if s, n := p.marked(text[i:], before, i == 0); n > 0 {
			flush()
			all = append(all, s)
			i += n
			continue
		}
		s, n := entity(text[i:])
		literal.WriteString(s)
		i += n
	}
	flush()
	return all
}

// entity is the character at the start of text, decoded, and its length there.
func entity(text string) (string, int) {
	switch {
	case text[0] != '&':
	case strings.HasPrefix(text, "&amp;"):
		return "&", len("&amp;")
	case strings.HasPrefix(text, "&lt;"):
		return "<", len("&lt;")
	case strings.HasPrefix(text, "&gt;"):
		return ">", len("&gt;")
	}
	_, n := utf8.DecodeRuneInString(text)
	return text[:n], n
}

func unescape(text string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

var (
	bareAddress = regexp.MustCompile(`^https?://[^\s<>|]*[^\s<>|.,;:!?'")\]}*_~` + "`" + `]`)
	bareName    = regexp.MustCompile(`^@(here|channel|everyone)\b`)
	emojiName   = regexp.MustCompile(`^:([a-z0-9_+'-]+):`)
)

// marked is the span that begins text, and how many bytes it takes; 0 if there
// is none. before is the rune before it.
func (p parser) marked(text string, before rune, first bool) (span, int) {
	apart := first || !isWord(before)
	switch {
	case text[0] == '<':
		return p.bracket(text)
	case p.literal:
	case text[0] == '`':
		return p.code(text)
	case strings.IndexByte("*_~", text[0]) >= 0 && apart:
		return p.emphasis(text)
	case text[0] == ':':
		if m := emojiName.FindStringSubmatch(text); m != nil {
			return emoji(m[1]), len(m[0])
		}
	case p.loose && text[0] == 'h' && apart:
		if address := bareAddress.FindString(text); address != "" {
			return link(unescape(address), []span{{Kind: "text", Text: unescape(address)}}), len(address)
		}
	case p.loose && text[0] == '@' && apart:
		if name := bareName.FindString(text); name != "" {
			return span{Kind: "broadcast", Text: name}, len(name)
		}
	}
	return span{}, 0
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// code is a run between two backticks on one line.
func (p parser) code(text string) (span, int) {
	inner, _, ok := strings.Cut(text[1:], "`")
	if !ok || strings.TrimSpace(inner) == "" || strings.Contains(inner, "\n") {
		return span{}, 0
	}
	return span{Kind: "code", Kids: parser{literal: true}.inline(inner)}, len(inner) + 2
}

var emphases = map[byte]string{'*': "bold", '_': "italic", '~': "strike"}

// farthest is how far the end of an emphasis is looked for, in bytes. It keeps
// the time for a long text of nothing but marks in bounds.
const farthest = 3000

// emphasis is a run between two equal marks on one line, with no space inside of
// the marks and no letter outside of them. The first mark that can end it does,
// so that none stands within itself and three deep is as deep as it gets.
func (p parser) emphasis(text string) (span, int) {
	mark := text[0]
	next, _ := utf8.DecodeRuneInString(text[1:])
	if len(text) < 3 || unicode.IsSpace(next) || text[1] == mark {
		return span{}, 0
	}
	for i := 2; i < min(len(text), farthest) && text[i] != '\n'; i++ {
		if text[i] != mark {
			continue
		}
		last, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+1:])
		if unicode.IsSpace(last) || last == rune(mark) || i+1 < len(text) && isWord(after) {
			continue
		}
		return span{Kind: emphases[mark], Kids: p.inline(text[1:i])}, i + 1
	}
	return span{}, 0
}

// bracket is what stands between < and >: a link, a mention, a date.
func (p parser) bracket(text string) (span, int) {
	end := strings.IndexByte(text, '>')
	if end < 2 || text[1] == '|' || strings.ContainsAny(text[1:end], "<\n") {
		return span{}, 0
	}
	inner, label, labelled := strings.Cut(text[1:end], "|")
	label = unescape(label)
	var s span
	switch {
	case strings.HasPrefix(inner, "!date^"):
		s = parseDate(inner, label)
	case strings.HasPrefix(inner, "!subteam^"):
		s = span{Kind: "mention", Text: orElse(label, "@"+strings.TrimPrefix(inner, "!subteam^"))}
	case inner[0] == '!':
		s = span{Kind: "broadcast", Text: "@" + inner[1:]}
	case inner[0] == '@':
		s = span{Kind: "mention", Text: inner}
	case inner[0] == '#':
		s = span{Kind: "mention", Text: "#" + orElse(label, inner[1:])}
	case strings.Contains(inner, ":"):
		address := unescape(inner)
		if !labelled || label == "" {
			label = address
		}
		s = link(address, []span{{Kind: "text", Text: label}})
	default:
		return span{}, 0
	}
	return s, end + 1
}

// parseDate reads "!date^UNIX^format^address".
func parseDate(inner, fallback string) span {
	parts := strings.SplitN(inner, "^", 4)
	if len(parts) < 3 {
		return span{Kind: "text", Text: fallback}
	}
	if _, err := strconv.ParseInt(parts[1], 10, 64); err != nil {
		return span{Kind: "text", Text: fallback}
	}
	s := span{Kind: "date", Unix: parts[1], Format: unescape(parts[2]), Text: orElse(fallback, parts[1])}
	if len(parts) == 4 {
		return link(unescape(parts[3]), []span{s})
	}
	return s
}

// parseEmoji reads plain text, in which names of emoji are all that counts.
func parseEmoji(text string) []span {
	var all []span
	for text != "" {
		at := strings.IndexByte(text, ':')
		if at < 0 {
			break
		}
		m := emojiName.FindStringSubmatch(text[at:])
		if m == nil {
			at++
			all, text = append(all, span{Kind: "text", Text: text[:at]}), text[at:]
			continue
		}
		if at > 0 {
			all = append(all, span{Kind: "text", Text: text[:at]})
		}
		all, text = append(all, emoji(m[1])), text[at+len(m[0]):]
	}
	if text != "" {
		all = append(all, span{Kind: "text", Text: text})
	}
	return all
}
