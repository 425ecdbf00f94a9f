// This file draws the golden messages as fakeslack's page shows them.

// Pictures redraws every message of testdata/messages at a phone's and at a
// desktop's width, light and dark, with its notification, into the folder
// pictures, and a page that shows them side by side. It says how many screens of
// a phone each is high, and how many characters of its text are read before the
// count is: a notification shows about 45. With -only it draws those whose name
// begins so; with -readme it redraws the pictures of the README instead. It
// wants Chromium, and is started in this module's folder:
//
//	go run ./cmd/pictures
//	go run ./cmd/pictures -only storm
//	go run ./cmd/pictures -readme
package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"example.com/slackalert/browsertest"
	"example.com/slackalert/fakeslack"
)

// views are how people look.
var views = []struct {
	name string
	view browsertest.View
}{
	{"390", browsertest.View{Width: 390, Height: 844, Scale: 2}},
	{"1200", browsertest.View{Width: 1200, Height: 800}},
	{"390-dark", browsertest.View{Width: 390, Height: 844, Scale: 2, Dark: true}},
	{"1200-dark", browsertest.View{Width: 1200, Height: 800, Dark: true}},
}

func main() {
	readme := flag.Bool("readme", false, "redraw the pictures of the README")
	only := flag.String("only", "", "draw the messages whose name begins so")
	flag.Parse()
	draw := func(s studio) error { return drawAll(s, *only) }
	if *readme {
		draw = drawReadme
	}
	if err := withStudio(draw); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// A studio is what it takes to draw a message.
type studio struct {
	slack   *fakeslack.Server
	browser *browsertest.Browser
}

func withStudio(use func(studio) error) (err error) {
	slack, err := fakeslack.Start(nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, slack.Close()) }()
	browser, err := browsertest.Start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, browser.Close()) }()
	return use(studio{slack, browser})
}

const messages = "../testdata/messages"

func drawAll(s studio, only string) error {
	files, err := filepath.Glob(messages + "/" + only + "*.json")
	if err != nil || len(files) == 0 {
		return errors.New("no messages in " + messages + "; start this in the folder of its module")
	}
	if err := os.MkdirAll("pictures", 0o755); err != nil {
		return err
	}
	var names []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		names = append(names, name)
		for _, v := range views {
			height, err := s.draw(name, v.view, true, filepath.Join("pictures", name+"-"+v.name+".png"))
			if err != nil {
				return err
			}
			if v.name == "390" {
				count, err := untilCount(name)
				if err != nil {
					return err
				}
				fmt.Printf("%-24s %5.2f screens  %s\n", name, height/float64(v.view.Height), count)
			}
		}
	}
	return index(filepath.Join("pictures", "index.html"), names)
}

// drawReadme draws a single alert and several.
func drawReadme(s studio) error {
	for picture, name := range map[string]string{"single": "breadcrumbs", "several": "three-groups"} {
		view := browsertest.View{Width: 860, Height: 800, Scale: 1.5}
		if _, err := s.draw(name, view, false, filepath.Join("../docs/images", picture+".png")); err != nil {
			return err
		}
	}
	return nil
}

// golden is a message of testdata.
type golden struct {
	Text   string
	Blocks json.RawMessage
}

func read(name string) (m golden, err error) {
	raw, err := os.ReadFile(filepath.Join(messages, name+".json"))
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(raw, &m)
}

var count = regexp.MustCompile("×[0-9,]+")

// untilCount says after how many characters a message's text has told its count.
func untilCount(name string) (string, error) {
	m, err := read(name)
	if err != nil {
		return "", err
	}
	at := count.FindStringIndex(m.Text)
	if at == nil {
		return "no count", nil
	}
	return fmt.Sprintf("count told after %d characters", utf8.RuneCountInString(m.Text[:at[1]])), nil
}

// post sends a golden message to a channel of its own and returns its ID.
func post(api, name string) (channel string, err error) {
	m, err := read(name)
	if err != nil {
		return "", err
	}
	res, err := http.PostForm(api+"chat.postMessage", url.Values{
		"token": {"xoxb-pictures"}, "channel": {"#" + name + rand.Text()}, "text": {m.Text}, "blocks": {string(m.Blocks)},
	})
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var answer struct {
		OK             bool
		Channel, Error string
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return "", err
	}
	if !answer.OK {
		return "", fmt.Errorf("refused: %s", answer.Error)
	}
	return answer.Channel, nil
}

// still makes the page fit for a picture: the bars don't stick to the top, for a
// picture may be higher than the window; the time is the same whenever it is
// drawn, and so is the notification's.
const still = `
document.querySelectorAll("#top, #side").forEach((bar) => { bar.style.position = "static"; });
document.querySelector("article .when").textContent = "12:03 PM";
document.querySelector("article .tools").hidden = true;
document.querySelector("article .notification").hidden = true;
const height = document.querySelector("article").getBoundingClientRect().height;
document.querySelector("article .notification").hidden = !%t;
height`

// lunch is when the messages were written; they say "today".
const lunch = "2026-11-22T12:05:00Z"

// draw draws a golden message, with its notification if asked for, and returns
// its height without it.
func (s studio) draw(name string, v browsertest.View, notification bool, out string) (height float64, err error) {
	channel, err := post(s.slack.APIURL(), name)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	v.Now = lunch
	page, err := s.browser.Open(s.slack.PageURL()+"?channel="+channel, v)
	if err != nil {
		return 0, err
	}
	defer page.Close()
	height, err = browsertest.Ask[float64](page, fmt.Sprintf(still, notification))
	if err != nil {
		return 0, err
	}
	png, err := page.Picture("article")
	if err != nil {
		return 0, fmt.Errorf("%s: %w", out, err)
	}
	return height, os.WriteFile(out, png, 0o644)
}

var side = template.Must(template.New("").Parse(`<!doctype html>
<meta charset="utf-8"><title>Golden messages</title>
<style>body{font:15px sans-serif}section{display:flex;gap:20px;align-items:flex-start;margin-bottom:40px}img{border:1px solid #999;max-width:100%}.w390,.w390-dark{width:390px;flex:none}</style>
{{range $name := .Names}}<h2 id="{{$name}}">{{$name}}</h2><section>{{range $.Views}}<img class="w{{.}}" src="{{$name}}-{{.}}.png" alt="{{$name}} {{.}}">{{end}}</section>
{{end}}`))

// index writes a page with all pictures.
func index(file string, names []string) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	var all []string
	for _, v := range views {
		all = append(all, v.name)
	}
	return errors.Join(side.Execute(out, map[string]any{"Names": names, "Views": all}), out.Close())
}
