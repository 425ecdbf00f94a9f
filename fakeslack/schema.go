// This file is Slack's rules for blocks, as tables: what each object may and
// must hold. Nothing here is shared with the library that is judged by it.

package fakeslack

// kind is what JSON a value must be.
type kind int

const (
	aString kind = iota
	anInt
	aBool
	aList
	anObject // one of a family
	aText    // a text object of a family; max is that of the text inside
	anyJSON
)

// A rule is what one value must be.
type rule struct {
	kind     kind
	need     bool
	min, max int      // characters of a string, items of a list, value of a number; max 0 = no limit
	family   string   // of an object, or of a list's items
	items    *rule    // of a list whose items are no objects
	enum     []string // the only strings taken
	web      bool     // an http or https address
	address  bool     // an address of any scheme
}

// fields is an object: its members by name. A name that isn't there is refused.
type fields map[string]rule

// maxTextObject is the most any text object holds.
const maxTextObject = 3000

var (
	id        = rule{kind: aString, min: 1, max: 255}
	flag      = rule{kind: aBool}
	border    = rule{kind: anInt, max: 1}
	anchor    = rule{kind: aString, min: 1, need: true}
	plain     = rule{kind: aText, family: "plain", max: maxTextObject}
	confirm   = rule{kind: anObject, family: "confirm"}
	leafStyle = rule{kind: anObject, family: "style"}
	leaves    = rule{kind: aList, family: "leaf", min: 1, need: true}
	imageURL  = rule{kind: aString, min: 1, max: 3000, web: true}
	altText   = rule{kind: aString, min: 1, max: 2000, need: true}
	slackFile = rule{kind: anObject, family: "file"}
	textOf    = rule{kind: aString, min: 1, max: maxTextObject, need: true}
	date      = rule{kind: anInt, min: 1, need: true}
	language  = rule{kind: aString}
)

// within is r with another upper limit.
func within(r rule, most int) rule {
	r.max = most
	return r
}

// must is r for a member that has to be there.
func must(r rule) rule {
	r.need = true
	return r
}

var (
	plainText = fields{"text": textOf, "emoji": flag}
	mrkdwn    = fields{"text": textOf, "verbatim": flag}

	leafText = fields{"text": {kind: aString, min: 1, need: true}, "style": leafStyle}
	leafLink = fields{
		"url":  {kind: aString, min: 1, max: 3000, need: true, address: true},
		"text": {kind: aString, min: 1}, "unsafe": flag, "style": leafStyle,
	}

	image = fields{"image_url": imageURL, "slack_file": slackFile, "alt_text": altText}

	richText = fields{"block_id": id, "elements": {kind: aList, family: "rich", min: 1, need: true}}

	button = fields{
		"text":                must(within(plain, 75)),
		"action_id":           id,
		"url":                 {kind: aString, max: 3000, address: true},
		"value":               {kind: aString, max: 2000},
		"style":               {kind: aString, enum: []string{"primary", "danger"}},
		"accessibility_label": {kind: aString, max: 75},
		"confirm":             confirm,
	}

	// unjudged stands for what Slack knows and this server doesn't: taken as it
	// is, but for its ID.
	unjudged fields
)

// families are the objects that may stand in a place, by their type. An object
// that has no type stands under "".
var families = map[string]map[string]fields{
	"block": {
		"header": {
			"block_id": id,
			"text":     must(within(plain, 150)),
			"level":    {kind: anInt, min: 1, max: 4},
		},
		"section": {
			"block_id":  id,
			"text":      {kind: aText, family: "text", max: maxTextObject},
			"fields":    {kind: aList, min: 1, max: 10, items: &rule{kind: aText, family: "text", max: 2000}},
			"accessory": {kind: anObject, family: "accessory"},
			"expand":    flag,
		},
		"context": {"block_id": id, "elements": {kind: aList, family: "context", min: 1, max: 10, need: true}},
		"divider": {"block_id": id},
		"actions": {"block_id": id, "elements": {kind: aList, family: "action", min: 1, max: 25, need: true}},
		"context_actions": {"block_id": id, "elements": {kind: aList, family: "context action", min: 1, max: 5,
			need: true}},
		"image": {
			"block_id": id, "image_url": imageURL, "slack_file": slackFile, "alt_text": altText,
			"title": within(plain, 2000),
		},
		"rich_text": richText,
		"markdown":  {"block_id": id, "text": {kind: aString, min: 1, max: maxMarkdownText, need: true}},
		"table": {
			"block_id": id,
			"rows": {kind: aList, min: 1, max: 100, need: true, items: &rule{kind: aList, family: "cell", min: 1,
				max: 20}},
			"column_settings": {kind: aList, family: "column", max: 20},
		},
		"container": {
			"block_id":          id,
			"title":             within(plain, 150),
			"subtitle":          within(plain, 150),
			"child_blocks":      {kind: aList, family: "child", min: 1, max: 10},
			"is_collapsible":    flag,
			"default_collapsed": flag,
			"width":             {kind: aString},
		},
		"call": unjudged, "card": unjudged, "carousel": unjudged, "data_table": unjudged,
		"data_visualization": unjudged, "file": unjudged, "input": unjudged, "layout": unjudged,
		"plan": unjudged, "task_card": unjudged, "video": unjudged,
	},

	"plain": {"plain_text": plainText},
	"text":  {"plain_text": plainText, "mrkdwn": mrkdwn},
	// Of text in a context only third parties name a limit, and it is lower than
	// the text object's.
	"context": {
		"plain_text": {"text": within(textOf, 2000), "emoji": flag},
		"mrkdwn":     {"text": within(textOf, 2000), "verbatim": flag},
		"image":      image,
	},

	"action":         {"button": button},
	"accessory":      {"button": button, "image": image},
	"context action": {"icon_button": unjudged, "feedback_buttons": unjudged},
	"confirm": {"": {
		"title":   must(within(plain, 100)),
		"text":    {kind: aText, family: "text", max: 300, need: true},
		"confirm": must(within(plain, 30)),
		"deny":    must(within(plain, 30)),
		"style":   {kind: aString, enum: []string{"primary", "danger"}},
	}},
	"file": {"": {"id": {kind: aString, min: 1}, "url": imageURL}},

	"rich": {
		"rich_text_section":      {"elements": leaves},
		"rich_text_quote":        {"elements": leaves, "border": border},
		"rich_text_preformatted": {"elements": {kind: aList, family: "code", min: 1, need: true}, "border": border, "language": language},
		"rich_text_list": {
			"elements": {kind: aList, family: "item", min: 1, need: true},
			"style":    {kind: aString, need: true, enum: []string{"bullet", "ordered"}},
			"indent":   {kind: anInt, max: 8},
			"offset":   {kind: anInt},
			"border":   border,
		},
	},
	"item": {"rich_text_section": {"elements": leaves}},
	"code": {"text": leafText, "link": leafLink},
	"leaf": {
		"text":      leafText,
		"link":      leafLink,
		"emoji":     {"name": anchor, "unicode": {kind: aString}, "skin_tone": {kind: anInt, min: 1, max: 6}, "style": leafStyle},
		"user":      {"user_id": anchor, "style": leafStyle},
		"usergroup": {"usergroup_id": anchor, "style": leafStyle},
		"channel":   {"channel_id": anchor, "style": leafStyle},
		"team":      {"team_id": anchor, "style": leafStyle},
		"color":     {"value": anchor, "style": leafStyle},
		"broadcast": {"range": {kind: aString, need: true, enum: []string{"here", "channel", "everyone"}}, "style": leafStyle},
		"date": {
			"timestamp": date, "format": anchor, "fallback": {kind: aString, min: 1},
			"url": {kind: aString, min: 1, address: true}, "style": leafStyle,
		},
	},
	"style": {"": {
		"bold": flag, "italic": flag, "strike": flag, "code": flag, "underline": flag,
		"highlight": flag, "client_highlight": flag, "unlink": flag,
	}},

	"cell": {
		"raw_text":   {"text": textOf},
		"raw_number": unjudged,
		"rich_text":  richText,
	},
	"column": {"": {
		"align":      {kind: aString, enum: []string{"left", "center", "right"}},
		"is_wrapped": flag,
	}},
}

// otherInputs are interactive elements that are taken unjudged.
var otherInputs = []string{
	"overflow", "static_select", "external_select", "users_select", "conversations_select", "channels_select",
	"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select",
	"multi_channels_select", "datepicker", "datetimepicker", "timepicker", "checkboxes", "radio_buttons",
	"workflow_button", "rich_text_input",
}

// childBlocks are the blocks that a container may hold.
var childBlocks = []string{"header", "section", "context", "divider", "actions", "image", "rich_text", "table", "layout"}

// dateTokens are what a date's format may name in braces.
var dateTokens = []string{
	"date_num", "date_slash", "date", "date_short", "date_long", "date_long_full", "date_pretty",
	"date_short_pretty", "date_long_pretty", "day_divider_pretty", "time", "time_secs", "ago",
}
