// Package wake reads who is to be mentioned from configured text, and writes it
// where Slack acts on it. Nothing else in a message can mention anybody.
package wake

import (
	"regexp"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"example.com/slackalert/internal/inert"
)

const (
	most     = 10   // mentions of a message
	maxWords = 60   // of what stands beside a mention
	maxText  = 2000 // bytes that are read
)

// mention is one of [Forms], with or without a name, which Slack finds itself.
var mention = regexp.MustCompile(`<(?:(@|!subteam\^)([A-Z0-9]{1,32})|(!)(here|channel|everyone))(?:\|[^>]*)?>`)

// call is somebody to be woken, or words beside it, which have no sign.
type call struct{ sign, id string }

// Calls are the mentions of one message, each of them once.
type Calls []call

// Add takes the mentions of a configured text: <@U…>, <!subteam^S…>, <!here>,
// <!channel>, <!everyone>. What stands beside them is words.
func (c *Calls) Add(text string) {
	text = text[:min(len(text), maxText)]
	for text != "" && len(*c) < most {
		before, found, rest := next(text)
		if before = strings.TrimSpace(before); before != "" {
			c.add(call{"", inert.Text(before, maxWords, inert.Row)})
		}
		if found.sign != "" {
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
func Anybody(text string) bool { return mention.MatchString(text[:min(len(text), maxText)]) }

// next finds the first mention in text.
func next(text string) (before string, found call, after string) {
	m := mention.FindStringSubmatch(text)
	if m == nil {
		return text, call{}, ""
	}
	before, after, _ = strings.Cut(text, m[0])
	return before, call{m[1] + m[3], m[2] + m[4]}, after
}

// Rich is the mentions as elements of rich text.
func (c Calls) Rich() (line []slack.RichTextSectionElement) {
	for i, call := range c {
		if i > 0 {
			line = append(line, slack.NewRichTextSectionTextElement(" ", nil))
		}
		switch call.sign {
		case "@":
			line = append(line, slack.NewRichTextSectionUserElement(call.id, nil))
		case "!subteam^":
			line = append(line, slack.NewRichTextSectionUserGroupElement(call.id))
		case "!":
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
		if call.sign != "" {
			b.WriteString(" <" + call.sign + call.id + ">")
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
