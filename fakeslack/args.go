// This file reads the arguments of a request, form or JSON, as Slack does.

package fakeslack

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxBody is far above any message; it only keeps a runaway test from filling
// the memory.
const maxBody = 8 << 20

// args are the arguments of a request. What JSON carries as another kind than a
// string stands here as its JSON text, which is what a form would have sent.
type args map[string]string

// has tells a missing argument from an empty one.
func (a args) has(name string) bool { _, ok := a[name]; return ok }

// readArgs reads the arguments from the body, or from the query of a GET.
// A refusal says what is wrong with the request's form, before any method is
// asked.
func readArgs(r *http.Request) (args, *refusal) {
	if r.Method == http.MethodGet {
		return formArgs(r.URL.Query())
	}
	kind := r.Header.Get("Content-Type")
	if kind == "" {
		return nil, refuse("missing_post_type")
	}
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		return nil, refuse("invalid_post_type")
	}
	if cs := params["charset"]; cs != "" && !strings.EqualFold(cs, "utf-8") {
		return nil, refuse("invalid_charset")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, refuse("request_timeout")
	}
	switch media {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, refuse("invalid_form_data")
		}
		return formArgs(form)
	case "application/json":
		return jsonArgs(body)
	}
	return nil, refuse("invalid_post_type")
}

// formArgs takes the last value of each name. Bytes that are no UTF-8 are
// refused: what Slack makes of them isn't known, so nobody should send them.
func formArgs(form url.Values) (args, *refusal) {
	a := make(args, len(form))
	for name, values := range form {
		v := values[len(values)-1]
		if !utf8.ValidString(v) {
			return nil, refuse("invalid_form_data")
		}
		a[name] = v
	}
	return a, nil
}

func jsonArgs(body []byte) (args, *refusal) {
	if !json.Valid(body) {
		return nil, refuse("invalid_json")
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return nil, refuse("json_not_object")
	}
	a := make(args, len(fields))
	for name, raw := range fields {
		var text string
		switch {
		case string(raw) == "null": // as if it weren't there
		case json.Unmarshal(raw, &text) == nil:
			a[name] = text
		default:
			a[name] = string(raw)
		}
	}
	return a, nil
}

// token is the one in the arguments, else the bearer's.
func token(r *http.Request, a args) string {
	if t := a["token"]; t != "" {
		return t
	}
	t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return strings.TrimSpace(t)
}
