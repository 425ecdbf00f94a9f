// This file answers the Web API: it checks who asks, and posts and edits.

package fakeslack

import (
	"encoding/json"
	"net/http"
)

const (
	teamID = "T0FAKESLACK"
	userID = "U0FAKESLACK"
	botID  = "B0FAKESLACK"
	appID  = "A0FAKESLACK"
)

// A refusal is an error in Slack's own words, with what its schema says of
// single places.
type refusal struct {
	code     string
	messages []string // "must be … [json-pointer:/blocks/0]"
}

func refuse(code string, messages ...string) *refusal {
	return &refusal{code, messages}
}

// A reply is what goes back over the wire.
type reply struct {
	status     int
	retryAfter string // header, verbatim; "" = none
	location   string
	kind       string // content type
	body       []byte
}

func jsonReply(status int, v any) reply {
	body, _ := json.Marshal(v) // maps of plain values only
	return reply{status: status, kind: "application/json; charset=utf-8", body: body}
}

// webReply is the Web API's answer to a request it doesn't take: 200, and
// "ok" is false.
func (e *refusal) webReply() reply {
	m := map[string]any{"ok": false, "error": e.code}
	if len(e.messages) > 0 {
		marked := make([]string, len(e.messages))
		for i, msg := range e.messages {
			marked[i] = "[ERROR] " + msg
		}
		m["errors"] = e.messages
		m["response_metadata"] = map[string]any{"messages": marked}
	}
	return jsonReply(http.StatusOK, m)
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	a, bad := readArgs(r)
	s.answer(w, r, webFault, func() reply {
		if bad != nil {
			return bad.webReply()
		}
		return s.call(r, a)
	})
}

// methods are those that the API has; each gets the token and the arguments.
var methods = map[string]func(*Server, string, args) reply{
	"auth.test":             (*Server).authTest,
	"chat.postMessage":      (*Server).postMessage,
	"chat.update":           (*Server).update,
	"conversations.history": (*Server).history,
}

// call checks the token and asks the method.
func (s *Server) call(r *http.Request, a args) reply {
	method := r.PathValue("method")
	ask, known := methods[method]
	if !known {
		return jsonReply(http.StatusOK, map[string]any{"ok": false, "error": "unknown_method", "req_method": method})
	}
	tok := token(r, a)
	switch {
	case tok == "":
		return refuse("not_authed").webReply()
	case s.opts.Token != "" && tok != s.opts.Token:
		return refuse("invalid_auth").webReply()
	}
	if missing := s.scopes.miss(method, a); missing != nil {
		return *missing
	}
	return ask(s, tok, a)
}

func (s *Server) authTest(string, args) reply {
	return jsonReply(http.StatusOK, map[string]any{
		"ok": true, "url": s.PageURL(), "team": "fakeslack", "team_id": teamID,
		"user": "slackalert", "user_id": userID, "bot_id": botID, "is_enterprise_install": false,
	})
}

func (s *Server) postMessage(tok string, a args) reply {
	if !a.has("channel") {
		return refuse("invalid_arguments", "missing required field: channel [json-pointer:/channel]").webReply()
	}
	if a["channel"] == "" {
		return refuse("channel_not_found").webReply()
	}
	c, bad := readContent(a)
	if bad != nil {
		return bad.webReply()
	}
	id := channelID(a["channel"])
	if wait := s.limits.post(id); wait > 0 {
		return busyReply(wait)
	}
	m := s.store.add(a["channel"], tok, c)
	echo := m.told(true)
	if parent := a["thread_ts"]; parent != "" && s.store.knows(id, parent) {
		echo["thread_ts"] = parent
	}
	return jsonReply(http.StatusOK, map[string]any{"ok": true, "channel": id, "ts": m.ts, "message": echo})
}

// update changes a message. Like Slack it wants the channel's ID, as
// chat.postMessage answered it: a name isn't found.
func (s *Server) update(tok string, a args) reply {
	for _, name := range []string{"channel", "ts"} {
		if !a.has(name) {
			return refuse("invalid_arguments", "missing required field: "+name+" [json-pointer:/"+name+"]").webReply()
		}
	}
	id := a["channel"]
	if !isChannelID(id) {
		return refuse("channel_not_found").webReply()
	}
	bare := a["metadata"] == "{}" // which takes away what the message has
	if bare {
		delete(a, "metadata")
	}
	c, bad := readContent(a)
	if bad != nil {
		return bad.webReply()
	}
	if bare {
		c.metadata = json.RawMessage{}
	}
	if len(c.text) > maxUpdateText {
		return refuse("msg_too_long").webReply()
	}
	if wait := s.limits.edit(); wait > 0 {
		return busyReply(wait)
	}
	m, bad := s.store.edit(id, a["ts"], tok, c)
	if bad != nil {
		return bad.webReply()
	}
	return jsonReply(http.StatusOK, map[string]any{"ok": true, "channel": id, "ts": m.ts, "text": m.text, "message": m.echo()})
}
