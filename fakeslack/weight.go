// This file weighs a whole message, for the one limit that Slack doesn't print.

package fakeslack

// maxWeight is what a message's blocks may weigh together; more is
// msg_blocks_too_long. Slack publishes neither the number nor the formula.
// Published measurements are met by text + 125 a divider + 100 a header + 70
// any other block:
//
//   - text alone, one divider added: the divider took 125 from the text;
//   - 20 and 40 headers left 10,563 and 7,875 for the rest: 134 a header, text
//     of about 30 included;
//   - 9,597 in 50 blocks was taken: a common block weighs 72 at most;
//   - 11,341 in 45 blocks was refused: it weighs more than 41. Of what is left,
//     70 is the strict end;
//   - text alone was refused from 13,297 in one series and from some 13,600 in
//     another: 13,200 is below both.
const (
	maxWeight      = 13_200
	dividerWeight  = 125
	headerWeight   = 100
	anyBlockWeight = 70
)

// weight is what the blocks, or the attachments with theirs, weigh.
func weight(list []any) int {
	sum := 0
	for _, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			continue
		}
		if nested, ok := m["blocks"].([]any); ok { // an attachment
			sum += weight(nested)
			continue
		}
		switch m["type"] {
		case nil: // an attachment of the old kind: text only
		case "divider":
			sum += dividerWeight
		case "header":
			sum += headerWeight
		default:
			sum += anyBlockWeight
		}
		sum += textWeight(m)
	}
	return sum
}

// textWeight is the length of every "text" inside v, and of a link's address
// where nothing else is shown for it.
func textWeight(v any) int {
	sum := 0
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			sum += textWeight(e)
		}
	case map[string]any:
		for name, e := range v {
			s, isString := e.(string)
			switch {
			case !isString:
				sum += textWeight(e)
			case name == "text", name == "url" && v["type"] == "link" && v["text"] == nil:
				sum += length(s)
			}
		}
	}
	return sum
}
