// Package wake reads who is to be mentioned from configured text, and writes it
// where Slack acts on it. Nothing else in a message can mention anybody.
package wake

import (
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/inert"
)

const (
	most      = 10   // mentions of a message
	maxWords  = 60   // of what stands beside a mention
	maxText   = 2000 // bytes that are read
	maxIDSize = 32
)

// call is somebody to be woken, or words beside it.
type call struct{ kind, id string }

// Calls are the mentions of one message, each of them once.
type Calls []call

// Add takes the mentions of a configured text: <@U…>, <!subteam^S…>, <!here>,
// <!channel>, <!everyone>. What stands beside them is words.
func (c *Calls) Add(text string) {
	text = text[:min(len(text), maxText)]
	for text != "" && len(*c) < most {
		before, found, rest := next(text)
		if before = strings.TrimSpace(before); before != "" {
			c.add(call{"words", inert.Text(before, maxWords, inert.Row)})
		}
		if found.kind != "" {
			c.add(found)
		}
		text = rest
	}
}

func (c *Calls) add(found call) {
	if len(*c) < most && !slices.Contains(*c, found) {
		*c = append(*c, found)
	}
}

// Forms are the mentions that Slack acts on, as text for who wrote another.
const Forms = `"<@U…>" for a user, "<!subteam^S…>" for a group, "<!here>", "<!channel>" or "<!everyone>" (the IDs stand in the profiles)`

// Anybody says whether a configured text mentions anybody.
func Anybody(text string) bool {
	_, found, _ := next(text[:min(len(text), maxText)])
	return found.kind != ""
}

// next finds the first mention in text.
func next(text string) (before string, found call, after string) {
	for from := 0; ; from++ {
		open := strings.IndexByte(text[from:], '<')
		if open < 0 {
			return text, call{}, ""
		}
		from += open
		inner, rest, ok := strings.Cut(text[from+1:], ">")
		if !ok {
			return text, call{}, ""
		}
		if found, ok = parse(inner); ok {
			return text[:from], found, rest
		}
	}
}

// parse reads what stands between < and >.
func parse(inner string) (call, bool) {
	inner, _, _ = strings.Cut(inner, "|") // a name that Slack finds itself
	if id, ok := strings.CutPrefix(inner, "@"); ok {
		return call{"user", id}, isID(id)
	}
	if id, ok := strings.CutPrefix(inner, "!subteam^"); ok {
		return call{"usergroup", id}, isID(id)
	}
	all, ok := strings.CutPrefix(inner, "!")
	return call{"broadcast", all}, ok && (all == "here" || all == "channel" || all == "everyone")
}

// isID reports whether id has the form of Slack's.
func isID(id string) bool {
	return id != "" && len(id) <= maxIDSize && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// Rich is the mentions as elements of rich text.
func (c Calls) Rich() (line []slack.RichTextSectionElement) {
	for i, call := range c {
		if i > 0 {
			line = append(line, slack.NewRichTextSectionTextElement(" ", nil))
		}
		switch call.kind {
		case "user":
			line = append(line, slack.NewRichTextSectionUserElement(call.id, nil))
		case "usergroup":
			line = append(line, slack.NewRichTextSectionUserGroupElement(call.id))
		case "broadcast":
			line = append(line, slack.NewRichTextSectionBroadcastElement(call.id))
		default:
			line = append(line, slack.NewRichTextSectionTextElement(call.id, nil))
		}
	}
	return line
}

// Text is the mentions for the text of a message, each after a space; the words
// are left out.
func (c Calls) Text() string {
	var b strings.Builder
	for _, call := range c {
		switch call.kind {
		case "user":
			b.WriteString(" <@" + call.id + ">")
		case "usergroup":
			b.WriteString(" <!subteam^" + call.id + ">")
		case "broadcast":
			b.WriteString(" <!" + call.id + ">")
		}
	}
	return b.String()
}

// Weight is what the mentions count in a message.
func (c Calls) Weight() (units int) {
	for _, call := range c {
		units += inert.Len(call.id) + 1
	}
	return units
}
