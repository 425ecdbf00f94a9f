// These tests hold each of Slack's limits, exactly at it and one over.

package fakeslack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// judge posts blocks and says what Slack's schema complains of.
func judge(t *testing.T, s *Server, blocks string) (code string, messages []string) {
	t.Helper()
	a := call(t, s, "chat.postMessage", "channel", "C1", "text", "x", "blocks", blocks)
	code, messages = a.code(t), a.messages(t)
	if code == "invalid_blocks" {
		var errs []string
		for _, e := range a.json(t)["errors"].([]any) {
			errs = append(errs, "[ERROR] "+e.(string))
		}
		require.Equal(t, messages, errs, "errors say the same without the mark")
	}
	return code, messages
}

func a(n int) string { return strings.Repeat("a", n) }

// items is n times what make gives, as the inside of a JSON list.
func items(n int, item func(i int) string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = item(i)
	}
	return strings.Join(all, ",")
}

func repeat(n int, item string) string { return items(n, func(int) string { return item }) }

// plainOf, mrkdwnOf are text objects with n characters.
func plainOf(n int) string  { return `{"type":"plain_text","text":"` + a(n) + `"}` }
func mrkdwnOf(n int) string { return `{"type":"mrkdwn","text":"` + a(n) + `"}` }

func leafOf(n int) string { return `{"type":"text","text":"` + a(n) + `"}` }

func webOf(n int) string { return "https://e.x/" + a(n-len("https://e.x/")) }

// rich is a rich_text block with one element.
func rich(element string) string { return `{"type":"rich_text","elements":[` + element + `]}` }

func leaf(l string) string {
	return rich(`{"type":"rich_text_section","elements":[` + l + `]}`)
}

func section(text string) string { return `{"type":"section","text":` + text + `}` }

func actions(elements string) string { return `{"type":"actions","elements":[` + elements + `]}` }

func buttonWith(more string) string {
	return `{"type":"button","text":` + plainOf(1) + more + `}`
}

func confirmOf(title, text, yes, no int) string {
	return actions(buttonWith(fmt.Sprintf(`,"confirm":{"title":%s,"text":%s,"confirm":%s,"deny":%s}`,
		plainOf(title), mrkdwnOf(text), plainOf(yes), plainOf(no))))
}

func tableOf(rows, cells, chars int) string {
	cell := `{"type":"raw_text","text":"` + a(chars) + `"}`
	return `{"type":"table","rows":[` + repeat(rows, "["+repeat(cells, cell)+"]") + `]}`
}

// atLimits are blocks that are right with max and wrong with one more.
var atLimits = map[string]struct {
	max   int
	block func(n int) string
	want  string
}{
	"block_id":      {255, func(n int) string { return `{"type":"divider","block_id":"` + a(n) + `"}` }, "must be less than 256 characters [json-pointer:/blocks/0/block_id]"},
	"header":        {150, func(n int) string { return `{"type":"header","text":` + plainOf(n) + `}` }, "must be less than 151 characters [json-pointer:/blocks/0/text/text]"},
	"header level":  {4, func(n int) string { return fmt.Sprintf(`{"type":"header","text":%s,"level":%d}`, plainOf(1), n) }, "must be less than or equal to 4 [json-pointer:/blocks/0/level]"},
	"section":       {3000, func(n int) string { return section(mrkdwnOf(n)) }, "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
	"section plain": {3000, func(n int) string { return section(plainOf(n)) }, "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
	"fields":        {10, func(n int) string { return `{"type":"section","fields":[` + repeat(n, mrkdwnOf(1)) + `]}` }, "no more than 10 items allowed [json-pointer:/blocks/0/fields]"},
	"field":         {2000, func(n int) string { return `{"type":"section","fields":[` + mrkdwnOf(1) + "," + mrkdwnOf(n) + `]}` }, "must be less than 2001 characters [json-pointer:/blocks/0/fields/1/text]"},
	"context":       {10, func(n int) string { return `{"type":"context","elements":[` + repeat(n, plainOf(1)) + `]}` }, "no more than 10 items allowed [json-pointer:/blocks/0/elements]"},
	"context text":  {2000, func(n int) string { return `{"type":"context","elements":[` + mrkdwnOf(n) + `]}` }, "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/text]"},
	"actions":       {25, func(n int) string { return actions(repeat(n, buttonWith(""))) }, "no more than 25 items allowed [json-pointer:/blocks/0/elements]"},
	"context actions": {5, func(n int) string {
		return `{"type":"context_actions","elements":[` + repeat(n, `{"type":"icon_button"}`) + `]}`
	}, "no more than 5 items allowed [json-pointer:/blocks/0/elements]"},
	"button":        {75, func(n int) string { return actions(`{"type":"button","text":` + plainOf(n) + `}`) }, "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"},
	"button url":    {3000, func(n int) string { return actions(buttonWith(`,"url":"` + webOf(n) + `"`)) }, "must be less than 3001 characters [json-pointer:/blocks/0/elements/0/url]"},
	"button value":  {2000, func(n int) string { return actions(buttonWith(`,"value":"` + a(n) + `"`)) }, "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]"},
	"action_id":     {255, func(n int) string { return actions(buttonWith(`,"action_id":"` + a(n) + `"`)) }, "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]"},
	"button label":  {75, func(n int) string { return actions(buttonWith(`,"accessibility_label":"` + a(n) + `"`)) }, "must be less than 76 characters [json-pointer:/blocks/0/elements/0/accessibility_label]"},
	"confirm title": {100, func(n int) string { return confirmOf(n, 1, 1, 1) }, "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]"},
	"confirm text":  {300, func(n int) string { return confirmOf(1, n, 1, 1) }, "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]"},
	"confirm yes":   {30, func(n int) string { return confirmOf(1, 1, n, 1) }, "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]"},
	"confirm no":    {30, func(n int) string { return confirmOf(1, 1, 1, n) }, "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/deny/text]"},
	"image url":     {3000, func(n int) string { return `{"type":"image","alt_text":"a","image_url":"` + webOf(n) + `"}` }, "must be less than 3001 characters [json-pointer:/blocks/0/image_url]"},
	"image alt":     {2000, func(n int) string { return `{"type":"image","image_url":"https://e.x/","alt_text":"` + a(n) + `"}` }, "must be less than 2001 characters [json-pointer:/blocks/0/alt_text]"},
	"image title": {2000, func(n int) string {
		return `{"type":"image","image_url":"https://e.x/","alt_text":"a","title":` + plainOf(n) + `}`
	}, "must be less than 2001 characters [json-pointer:/blocks/0/title/text]"},
	"link": {3000, func(n int) string { return leaf(`{"type":"link","text":"a","url":"` + webOf(n) + `"}`) }, "must be less than 3001 characters [json-pointer:/blocks/0/elements/0/elements/0/url]"},
	"code border": {1, func(n int) string {
		return rich(fmt.Sprintf(`{"type":"rich_text_preformatted","elements":[%s],"border":%d}`, leafOf(1), n))
	}, "must be less than or equal to 1 [json-pointer:/blocks/0/elements/0/border]"},
	"list indent": {8, func(n int) string {
		return rich(fmt.Sprintf(`{"type":"rich_text_list","style":"bullet","indent":%d,"elements":[{"type":"rich_text_section","elements":[%s]}]}`, n, leafOf(1)))
	}, "must be less than or equal to 8 [json-pointer:/blocks/0/elements/0/indent]"},
	"markdown": {12000, func(n int) string { return `{"type":"markdown","text":"` + a(n) + `"}` }, "must be less than 12001 characters [json-pointer:/blocks/0/text]"},
	"markdown blocks": {6000, func(n int) string {
		return `{"type":"markdown","text":"` + a(6000) + `"},{"type":"markdown","text":"` + a(n) + `"}`
	}, "must be less than 12001 characters [json-pointer:/blocks/1/text]"},
	"table rows":  {100, func(n int) string { return tableOf(n, 1, 1) }, "no more than 100 items allowed [json-pointer:/blocks/0/rows]"},
	"table cells": {20, func(n int) string { return tableOf(1, n, 1) }, "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"},
	"table text":  {2500, func(n int) string { return tableOf(2, 2, n) }, "must be less than 10001 characters [json-pointer:/blocks/0/rows]"},
	"container": {10, func(n int) string {
		return `{"type":"container","child_blocks":[` + repeat(n, `{"type":"divider"}`) + `]}`
	}, "no more than 10 items allowed [json-pointer:/blocks/0/child_blocks]"},
	"container title": {150, func(n int) string { return `{"type":"container","title":` + plainOf(n) + `}` }, "must be less than 151 characters [json-pointer:/blocks/0/title/text]"},
	"blocks":          {50, func(n int) string { return repeat(n, section(plainOf(1))) }, "no more than 50 items allowed [json-pointer:/blocks]"},
}

func TestLimits(t *testing.T) {
	s := start(t, nil)
	for name, c := range atLimits {
		t.Run(name, func(t *testing.T) {
			code, messages := judge(t, s, "["+c.block(c.max)+"]")
			assert.Empty(t, code, "at the limit: %s", messages)
			code, messages = judge(t, s, "["+c.block(c.max+1)+"]")
			assert.Equal(t, "invalid_blocks", code, "one over")
			assert.Equal(t, []string{"[ERROR] " + c.want}, messages)
		})
	}
}

func TestLengthIsUTF16(t *testing.T) {
	s := start(t, nil)
	header := func(text string) string {
		return `[{"type":"header","text":{"type":"plain_text","text":"` + text + `"}}]`
	}
	for text, want := range map[string]string{
		strings.Repeat("한", 150):      "",
		strings.Repeat("한", 151):      "invalid_blocks",
		strings.Repeat("😀", 75):       "",
		strings.Repeat("😀", 75) + "a": "invalid_blocks",
		a(146) + "&lt;":               "",
		a(147) + "&lt;":               "invalid_blocks", // as sent, not as read
	} {
		code, _ := judge(t, s, header(text))
		assert.Equal(t, want, code, text)
	}
}

// wrongShapes are blocks of the wrong form, and the one complaint about each.
var wrongShapes = map[string]struct{ block, want string }{
	"number":              {`1`, "must provide an object [json-pointer:/blocks/0]"},
	"null":                {`null`, "must provide an object [json-pointer:/blocks/0]"},
	"no type":             {`{}`, "missing required field: type [json-pointer:/blocks/0]"},
	"type a number":       {`{"type":1}`, "missing required field: type [json-pointer:/blocks/0]"},
	"unknown block":       {`{"type":"sektion"}`, "unsupported type: sektion [json-pointer:/blocks/0/type]"},
	"alert":               {`{"type":"alert","text":"a"}`, "unsupported type: alert [json-pointer:/blocks/0/type]"},
	"unknown member":      {`{"type":"divider","color":"red"}`, "invalid additional property: color [json-pointer:/blocks/0]"},
	"block_id a number":   {`{"type":"divider","block_id":1}`, "must be a string [json-pointer:/blocks/0/block_id]"},
	"block_id empty":      {`{"type":"divider","block_id":""}`, "must be more than 0 characters [json-pointer:/blocks/0/block_id]"},
	"block_id twice":      {`{"type":"divider","block_id":"x"},{"type":"video","block_id":"x"}`, "`block_id`: \"x\" already exists [json-pointer:/blocks/1/block_id]"},
	"unjudged, block_id":  {`{"type":"video","block_id":1}`, "must be a string [json-pointer:/blocks/0/block_id]"},
	"header empty":        {`{"type":"header","text":` + plainOf(0) + `}`, "must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
	"header mrkdwn":       {`{"type":"header","text":` + mrkdwnOf(1) + `}`, "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"},
	"header without":      {`{"type":"header"}`, "missing required field: text [json-pointer:/blocks/0]"},
	"header a string":     {`{"type":"header","text":"a"}`, "must provide an object [json-pointer:/blocks/0/text]"},
	"header level 0":      {`{"type":"header","text":` + plainOf(1) + `,"level":0}`, "must be greater than or equal to 1 [json-pointer:/blocks/0/level]"},
	"header level 1.5":    {`{"type":"header","text":` + plainOf(1) + `,"level":1.5}`, "must be an integer [json-pointer:/blocks/0/level]"},
	"section empty":       {`{"type":"section"}`, "must define either `text` or `fields` [json-pointer:/blocks/0/type]"},
	"section no fields":   {`{"type":"section","fields":[]}`, "no less than 1 items allowed [json-pointer:/blocks/0/fields]"},
	"section text empty":  {section(mrkdwnOf(0)), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
	"section expand":      {`{"type":"section","text":` + mrkdwnOf(1) + `,"expand":"yes"}`, "must be a boolean [json-pointer:/blocks/0/expand]"},
	"field empty":         {`{"type":"section","fields":[` + mrkdwnOf(0) + `]}`, "must be more than 0 characters [json-pointer:/blocks/0/fields/0/text]"},
	"fields no list":      {`{"type":"section","fields":{}}`, "must be an array [json-pointer:/blocks/0/fields]"},
	"text without":        {section(`{"type":"mrkdwn"}`), "missing required field: text [json-pointer:/blocks/0/text]"},
	"text null":           {section(`{"type":"mrkdwn","text":null}`), "must be a string [json-pointer:/blocks/0/text/text]"},
	"emoji on mrkdwn":     {section(`{"type":"mrkdwn","text":"a","emoji":false}`), "invalid additional property: emoji [json-pointer:/blocks/0/text]"},
	"verbatim on plain":   {section(`{"type":"plain_text","text":"a","verbatim":true}`), "invalid additional property: verbatim [json-pointer:/blocks/0/text]"},
	"accessory":           {`{"type":"section","text":` + mrkdwnOf(1) + `,"accessory":{"type":"knob"}}`, "unsupported type: knob [json-pointer:/blocks/0/accessory/type]"},
	"context empty":       {`{"type":"context","elements":[]}`, "no less than 1 items allowed [json-pointer:/blocks/0/elements]"},
	"context null":        {`{"type":"context","elements":null}`, "must be an array [json-pointer:/blocks/0/elements]"},
	"context button":      {`{"type":"context","elements":[` + buttonWith("") + `]}`, "unsupported type: button [json-pointer:/blocks/0/elements/0/type]"},
	"context emoji":       {`{"type":"context","elements":[{"type":"mrkdwn","text":"a","emoji":true}]}`, "invalid additional property: emoji [json-pointer:/blocks/0/elements/0]"},
	"context text empty":  {`{"type":"context","elements":[` + mrkdwnOf(0) + `]}`, "must be more than 0 characters [json-pointer:/blocks/0/elements/0/text]"},
	"context image alt":   {`{"type":"context","elements":[{"type":"image","image_url":"https://e.x/"}]}`, "missing required field: alt_text [json-pointer:/blocks/0/elements/0]"},
	"actions empty":       {actions(""), "no less than 1 items allowed [json-pointer:/blocks/0/elements]"},
	"actions image":       {actions(`{"type":"image"}`), "unsupported type: image [json-pointer:/blocks/0/elements/0/type]"},
	"button mrkdwn":       {actions(`{"type":"button","text":` + mrkdwnOf(1) + `}`), "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/text/type]"},
	"button style":        {actions(buttonWith(`,"style":"default"`)), "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"},
	"button url":          {actions(buttonWith(`,"url":"example.com"`)), "must be a valid url [json-pointer:/blocks/0/elements/0/url]"},
	"action_id twice":     {actions(buttonWith(`,"action_id":"x"`) + "," + buttonWith(`,"action_id":"x"`)), "`action_id`: \"x\" already exists [json-pointer:/blocks/0/elements/1/action_id]"},
	"confirm":             {actions(buttonWith(`,"confirm":[]`)), "must provide an object [json-pointer:/blocks/0/elements/0/confirm]"},
	"confirm a type":      {actions(buttonWith(`,"confirm":{"type":"x","title":` + plainOf(1) + `,"text":` + plainOf(1) + `,"confirm":` + plainOf(1) + `,"deny":` + plainOf(1) + `}`)), "invalid additional property: type [json-pointer:/blocks/0/elements/0/confirm]"},
	"image alt":           {`{"type":"image","image_url":"https://e.x/"}`, "missing required field: alt_text [json-pointer:/blocks/0]"},
	"image alt empty":     {`{"type":"image","image_url":"https://e.x/","alt_text":""}`, "must be more than 0 characters [json-pointer:/blocks/0/alt_text]"},
	"image without":       {`{"type":"image","alt_text":"a"}`, "must define either `image_url` or `slack_file` [json-pointer:/blocks/0]"},
	"image both":          {`{"type":"image","alt_text":"a","image_url":"https://e.x/","slack_file":{"id":"F1"}}`, "must define either `image_url` or `slack_file` [json-pointer:/blocks/0]"},
	"image file":          {`{"type":"image","alt_text":"a","image_url":"file:///etc/passwd"}`, "must be a valid url [json-pointer:/blocks/0/image_url]"},
	"image title":         {`{"type":"image","alt_text":"a","image_url":"https://e.x/","title":` + mrkdwnOf(1) + `}`, "unsupported type: mrkdwn [json-pointer:/blocks/0/title/type]"},
	"rich text empty":     {`{"type":"rich_text","elements":[]}`, "no less than 1 items allowed [json-pointer:/blocks/0/elements]"},
	"rich text null":      {`{"type":"rich_text","elements":null}`, "must be an array [json-pointer:/blocks/0/elements]"},
	"rich text of text":   {rich(leafOf(1)), "unsupported type: text [json-pointer:/blocks/0/elements/0/type]"},
	"rich section empty":  {leaf(""), "no less than 1 items allowed [json-pointer:/blocks/0/elements/0/elements]"},
	"leaf empty":          {leaf(leafOf(0)), "must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]"},
	"leaf unknown":        {leaf(`{"type":"mrkdwn","text":"a"}`), "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/elements/0/type]"},
	"leaf style":          {leaf(`{"type":"text","text":"a","style":{"blink":true}}`), "invalid additional property: blink [json-pointer:/blocks/0/elements/0/elements/0/style]"},
	"leaf style a string": {leaf(`{"type":"text","text":"a","style":{"bold":"yes"}}`), "must be a boolean [json-pointer:/blocks/0/elements/0/elements/0/style/bold]"},
	"link without":        {leaf(`{"type":"link","text":"a"}`), "missing required field: url [json-pointer:/blocks/0/elements/0/elements/0]"},
	"link no address":     {leaf(`{"type":"link","url":"a b"}`), "must be a valid url [json-pointer:/blocks/0/elements/0/elements/0/url]"},
	"link no host":        {leaf(`{"type":"link","url":"https:///x"}`), "must be a valid url [json-pointer:/blocks/0/elements/0/elements/0/url]"},
	"link nothing":        {leaf(`{"type":"link","url":"mailto:"}`), "must be a valid url [json-pointer:/blocks/0/elements/0/elements/0/url]"},
	"emoji without":       {leaf(`{"type":"emoji"}`), "missing required field: name [json-pointer:/blocks/0/elements/0/elements/0]"},
	"user without":        {leaf(`{"type":"user","user_id":""}`), "must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/user_id]"},
	"usergroup without":   {leaf(`{"type":"usergroup"}`), "missing required field: usergroup_id [json-pointer:/blocks/0/elements/0/elements/0]"},
	"channel without":     {leaf(`{"type":"channel"}`), "missing required field: channel_id [json-pointer:/blocks/0/elements/0/elements/0]"},
	"broadcast":           {leaf(`{"type":"broadcast","range":"all"}`), "must be a valid enum value [json-pointer:/blocks/0/elements/0/elements/0/range]"},
	"date without":        {leaf(`{"type":"date","format":"{date}"}`), "missing required field: timestamp [json-pointer:/blocks/0/elements/0/elements/0]"},
	"date a string":       {leaf(`{"type":"date","format":"{date}","timestamp":"1"}`), "must be an integer [json-pointer:/blocks/0/elements/0/elements/0/timestamp]"},
	"date no format":      {leaf(`{"type":"date","timestamp":1}`), "missing required field: format [json-pointer:/blocks/0/elements/0/elements/0]"},
	"date plain":          {leaf(`{"type":"date","timestamp":1,"format":"now"}`), "must contain a date token [json-pointer:/blocks/0/elements/0/elements/0/format]"},
	"date token":          {leaf(`{"type":"date","timestamp":1,"format":"{date} {tyme}"}`), "unknown date token: tyme [json-pointer:/blocks/0/elements/0/elements/0/format]"},
	"code emoji":          {rich(`{"type":"rich_text_preformatted","elements":[{"type":"emoji","name":"fire"}]}`), "unsupported type: emoji [json-pointer:/blocks/0/elements/0/elements/0/type]"},
	"code empty":          {rich(`{"type":"rich_text_preformatted","elements":[]}`), "no less than 1 items allowed [json-pointer:/blocks/0/elements/0/elements]"},
	"code language":       {rich(`{"type":"rich_text_preformatted","elements":[` + leafOf(1) + `],"language":1}`), "must be a string [json-pointer:/blocks/0/elements/0/language]"},
	"code border -1":      {rich(`{"type":"rich_text_preformatted","elements":[` + leafOf(1) + `],"border":-1}`), "must be greater than or equal to 0 [json-pointer:/blocks/0/elements/0/border]"},
	"quote empty":         {rich(`{"type":"rich_text_quote","elements":[]}`), "no less than 1 items allowed [json-pointer:/blocks/0/elements/0/elements]"},
	"list of text":        {rich(`{"type":"rich_text_list","style":"bullet","elements":[` + leafOf(1) + `]}`), "unsupported type: text [json-pointer:/blocks/0/elements/0/elements/0/type]"},
	"list style":          {rich(`{"type":"rich_text_list","style":"roman","elements":[{"type":"rich_text_section","elements":[` + leafOf(1) + `]}]}`), "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"},
	"markdown empty":      {`{"type":"markdown","text":""}`, "must be more than 0 characters [json-pointer:/blocks/0/text]"},
	"container markdown":  {`{"type":"container","child_blocks":[{"type":"markdown","text":"a"}]}`, "unsupported type: markdown [json-pointer:/blocks/0/child_blocks/0/type]"},
	"container in itself": {`{"type":"container","child_blocks":[{"type":"container"}]}`, "unsupported type: container [json-pointer:/blocks/0/child_blocks/0/type]"},
	"column align":        {`{"type":"table","rows":[[{"type":"raw_text","text":"a"}]],"column_settings":[{"align":""}]}`, "must be a valid enum value [json-pointer:/blocks/0/column_settings/0/align]"},
	"cell null":           {`{"type":"table","rows":[[null]]}`, "must provide an object [json-pointer:/blocks/0/rows/0/0]"},
}

func TestShape(t *testing.T) {
	s := start(t, nil)
	for name, c := range wrongShapes {
		t.Run(name, func(t *testing.T) {
			code, messages := judge(t, s, "["+c.block+"]")
			assert.Equal(t, "invalid_blocks", code)
			assert.Equal(t, []string{"[ERROR] " + c.want}, messages)
		})
	}
	code, _ := judge(t, s, `[{"type":"table","rows":[[{"type":"raw_text","text":"a"}]]},{"type":"table","rows":[[{"type":"raw_text","text":"a"}]]}]`)
	assert.Equal(t, "invalid_attachments", code, "a second table")
}

// TestTaken sends what Slack takes although it looks odd.
func TestTaken(t *testing.T) {
	s := start(t, nil)
	for name, block := range map[string]string{
		"other input":     actions(`{"type":"overflow","options":[]}`),
		"other accessory": `{"type":"section","text":` + mrkdwnOf(1) + `,"accessory":{"type":"datepicker"}}`,
		"unjudged":        `{"type":"card","anything":{"goes":[]}}`,
		"slack file":      `{"type":"image","alt_text":"a","slack_file":{"id":"F1"}}`,
		"mailto":          leaf(`{"type":"link","url":"mailto:a@example.com"}`),
		"opaque scheme":   leaf(`{"type":"link","url":"slack://channel?id=C1"}`),
		"code language":   rich(`{"type":"rich_text_preformatted","language":"go","border":0,"elements":[` + leafOf(3001) + `]}`),
		"date":            leaf(`{"type":"date","timestamp":1700000000,"format":"{date_short} at {time_secs}, {ago}","fallback":"then"}`),
		"ids apart":       actions(buttonWith(`,"action_id":"x"`)) + "," + actions(buttonWith(`,"action_id":"x"`)),
		"verbatim":        section(`{"type":"mrkdwn","text":"a","verbatim":true}`),
		"table":           `{"type":"table","rows":[[{"type":"raw_text","text":"a"},` + leaf(leafOf(1)) + `,{"type":"raw_number","number":1}]],"column_settings":[{"align":"left","is_wrapped":true}]}`,
		"container":       `{"type":"container","title":` + plainOf(1) + `,"is_collapsible":true,"child_blocks":[` + section(mrkdwnOf(1)) + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			code, messages := judge(t, s, "["+block+"]")
			assert.Empty(t, code, messages)
		})
	}
}

// TestWeight holds the whole-message limit, and the published measurements that
// it was made from.
func TestWeight(t *testing.T) {
	s := start(t, nil)
	spread := func(chars, blocks int) string { // chars in so many sections
		return items(blocks, func(i int) string { return section(mrkdwnOf(chars/blocks + min(1, max(0, chars%blocks-i)))) })
	}
	headers := func(n, of int) string { return repeat(n, `{"type":"header","text":`+plainOf(of)+`}`) }
	for name, c := range map[string]struct{ blocks, want string }{
		"13,200":                         {heavy(13_200), ""},
		"13,201":                         {heavy(13_201), "msg_blocks_too_long"},
		"with a divider":                 {heavy(13_200-125) + `,{"type":"divider"}`, ""},
		"with a divider, one over":       {heavy(13_201-125) + `,{"type":"divider"}`, "msg_blocks_too_long"},
		"with a header":                  {heavy(13_200-101) + "," + headers(1, 1), ""},
		"with a header, one over":        {heavy(13_201-101) + "," + headers(1, 1), "msg_blocks_too_long"},
		"fields count":                   {heavy(13_200-70-10) + `,{"type":"section","fields":[` + repeat(10, mrkdwnOf(1)) + `]}`, ""},
		"fields count, one over":         {heavy(13_200-70-9) + `,{"type":"section","fields":[` + repeat(10, mrkdwnOf(1)) + `]}`, "msg_blocks_too_long"},
		"a bare link's address":          {heavy(13_200-70-20) + "," + leaf(`{"type":"link","url":"`+webOf(20)+`"}`), ""},
		"a bare link's, one over":        {heavy(13_201-70-20) + "," + leaf(`{"type":"link","url":"`+webOf(20)+`"}`), "msg_blocks_too_long"},
		"measured 4,649 in 28, taken":    {spread(4649, 28), ""},
		"measured 6,020 in 33, taken":    {spread(6020, 33), ""},
		"measured 9,597 in 50, taken":    {spread(9597, 50), ""},
		"measured 11,341 in 45, refused": {spread(11341, 45), "msg_blocks_too_long"},
		"measured 40 headers and 7,875":  {headers(40, 30) + "," + heavy(7875+70), ""},
		"40 headers and 300 more":        {headers(40, 30) + "," + heavy(7875+70+300), "msg_blocks_too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			require.True(t, json.Valid([]byte("["+c.blocks+"]")))
			code, messages := judge(t, s, "["+c.blocks+"]")
			assert.Equal(t, c.want, code, messages)
			assert.Empty(t, messages, "Slack gives no detail")
		})
	}
}
