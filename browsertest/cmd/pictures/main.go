// This file draws the golden messages as fakeslack's page shows them.

// Pictures redraws every message of testdata/messages at a phone's and at a
// desktop's width, light and dark, with its notification, into the folder
// pictures, and a page that shows them side by side. With -readme it redraws the
// pictures of the README instead. It wants Chromium, and is started in this
// module's folder:
//
//	go run ./cmd/pictures
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
	"strings"

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
	flag.Parse()
	draw := drawAll
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

func drawAll(s studio) error {
	files, err := filepath.Glob(messages + "/*.json")
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
			if err := s.draw(name, v.view, true, filepath.Join("pictures", name+"-"+v.name+".png")); err != nil {
				return err
			}
		}
		fmt.Println(name)
	}
	return index(filepath.Join("pictures", "index.html"), names)
}

// drawReadme draws a single alert and several.
func drawReadme(s studio) error {
	for picture, name := range map[string]string{"single": "breadcrumbs", "several": "three-groups"} {
		view := browsertest.View{Width: 860, Height: 800, Scale: 1.5}
		if err := s.draw(name, view, false, filepath.Join("../docs/images", picture+".png")); err != nil {
			return err
		}
	}
	return nil
}

// post sends a golden message to a channel of its own and returns its ID.
func post(api, name string) (channel string, err error) {
	raw, err := os.ReadFile(filepath.Join(messages, name+".json"))
	if err != nil {
		return "", err
	}
	var m struct {
		Text   string
		Blocks json.RawMessage
	}
	if err := json.Unmarshal(raw, &m); err != nil {
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
document.querySelector("article .notification").hidden = !%t;
true`

// lunch is when the messages were written; they say "today".
const lunch = "2026-11-22T12:05:00Z"

// draw draws a golden message, with its notification if asked for.
func (s studio) draw(name string, v browsertest.View, notification bool, out string) error {
	channel, err := post(s.slack.APIURL(), name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	v.Now = lunch
	page, err := s.browser.Open(s.slack.PageURL()+"?channel="+channel, v)
	if err != nil {
		return err
	}
	defer page.Close()
	if _, err := browsertest.Ask[bool](page, fmt.Sprintf(still, notification)); err != nil {
		return err
	}
	png, err := page.Picture("article")
	if err != nil {
		return fmt.Errorf("%s: %w", out, err)
	}
	return os.WriteFile(out, png, 0o644)
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
