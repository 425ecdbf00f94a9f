// This file answers incoming webhooks, in plain text as Slack's do.

package fakeslack

import (
	"io"
	"mime"
	"net/http"
	"net/url"
)

// WebhookURL is the address of the channel's incoming webhook; it works from
// the first call on. Equal channels have equal addresses.
func (s *Server) WebhookURL(channel string) string {
	return s.base + "/services/" + s.store.hook(channel)
}

func (s *Server) serveWebhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	s.answer(w, r, hookFault, func() reply {
		if err != nil {
			return refuse("invalid_payload").hookReply()
		}
		return s.hookMessage(r, body)
	})
}

// hookMessage takes a message for the channel the address stands for. A channel
// or a name in the body changes nothing, as with Slack.
func (s *Server) hookMessage(r *http.Request, body []byte) reply {
	channel, live := s.store.hooked(r.PathValue("path"))
	if !live {
		return refuse("no_service").hookReply()
	}
	a, bad := jsonArgs(payload(r, body))
	if bad != nil || a.has("metadata") { // which only the Web API takes
		return refuse("invalid_payload").hookReply()
	}
	c, bad := readContent(a)
	if bad != nil {
		return bad.hookReply()
	}
	if wait := s.limits.post(channelID(channel)); wait > 0 {
		return busyHookReply(wait)
	}
	s.store.add(channel, hookAuthor, c)
	return textReply(http.StatusOK, "ok")
}

// payload is the JSON of a webhook's body: the body, or a form's "payload".
func payload(r *http.Request, body []byte) []byte {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/x-www-form-urlencoded" {
		return body
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	return []byte(form.Get("payload"))
}

func textReply(status int, text string) reply {
	return reply{status: status, kind: "text/plain; charset=utf-8", body: []byte(text)}
}

// hookReply says a refusal as webhooks do. They know fewer words than the Web
// API: whatever is wrong with the blocks is invalid_blocks.
func (e *refusal) hookReply() reply {
	code := e.code
	switch code {
	case "invalid_blocks_format", "msg_blocks_too_long":
		code = "invalid_blocks"
	case "invalid_metadata_format", "markdown_text_conflict", "msg_too_long":
		code = "invalid_payload"
	}
	return textReply(hookStatus(code), code)
}

// hookStatus is the HTTP status a webhook says code with.
func hookStatus(code string) int {
	switch code {
	case "action_prohibited", "posting_to_general_channel_denied", "invalid_token":
		return http.StatusForbidden
	case "channel_not_found", "no_service", "no_service_id", "no_team", "no_active_hooks", "team_disabled":
		return http.StatusNotFound
	case "channel_is_archived":
		return http.StatusGone
	case "rollup_error":
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}
