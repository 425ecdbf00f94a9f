// This file is the table of Slack's error codes: what each asks for.

package slackapi

// class is what a code asks for.
type class uint8

const (
	passing  class = iota // come back later; it was not taken
	unsure                // come back later; it may have arrived
	quota                 // come back much later
	access                // a person must mend the token, the app or the workspace
	place                 // a person must mend the channel
	layout                // the message is at fault
	outdated              // the method is gone
	vanished              // the message to edit is gone
)

var codes = map[string]class{
	"ratelimited":                passing,
	"rate_limited":               passing,
	"request_timeout":            passing, // the request came in half
	"team_added_to_org":          passing,
	"org_login_required":         passing,
	"external_channel_migrating": passing,

	"internal_error":      unsure,
	"fatal_error":         unsure, // "possible some aspect succeeded"
	"service_unavailable": unsure,
	"rollup_error":        unsure, // webhooks
	"update_failed":       unsure, // edits

	"message_limit_exceeded": quota,

	"not_authed":                access,
	"invalid_auth":              access,
	"account_inactive":          access,
	"token_revoked":             access,
	"token_expired":             access,
	"missing_scope":             access,
	"no_permission":             access,
	"not_allowed_token_type":    access,
	"access_denied":             access,
	"accesslimited":             access,
	"ekm_access_denied":         access,
	"team_access_not_granted":   access,
	"two_factor_setup_required": access,
	"enterprise_is_restricted":  access,
	"invalid_token":             access, // this and the next: webhooks
	"action_prohibited":         access,
	"no_service":                access,
	"no_service_id":             access,
	"no_team":                   access,
	"no_active_hooks":           access,
	"team_disabled":             access,

	"channel_not_found":                        place,
	"not_in_channel":                           place,
	"is_archived":                              place,
	"channel_is_archived":                      place,
	"restricted_action":                        place,
	"restricted_action_read_only_channel":      place,
	"restricted_action_thread_only_channel":    place,
	"restricted_action_non_threadable_channel": place,
	"restricted_action_thread_locked":          place,
	"cannot_reply_to_message":                  place,
	"messages_tab_disabled":                    place,
	"team_not_found":                           place,
	"user_not_found":                           place,
	"posting_to_general_channel_denied":        place,

	"invalid_blocks":                          layout,
	"invalid_blocks_format":                   layout,
	"msg_blocks_too_long":                     layout,
	"msg_too_long":                            layout,
	"no_text":                                 layout,
	"invalid_attachments":                     layout,
	"too_many_attachments":                    layout,
	"attachment_payload_limit_exceeded":       layout,
	"invalid_metadata_format":                 layout,
	"invalid_metadata_schema":                 layout,
	"metadata_too_large":                      layout,
	"metadata_must_be_sent_from_app":          layout,
	"markdown_text_conflict":                  layout,
	"only_one_table_allowed":                  layout,
	"invalid_arguments":                       layout,
	"invalid_arg_name":                        layout,
	"invalid_array_arg":                       layout,
	"invalid_charset":                         layout,
	"invalid_form_data":                       layout,
	"invalid_post_type":                       layout,
	"missing_post_type":                       layout,
	"as_user_not_supported":                   layout,
	"invalid_payload":                         layout,
	"missing_text_or_fallback_or_attachments": layout,

	"deprecated_endpoint": outdated,
	"method_deprecated":   outdated,
	"unknown_method":      outdated,

	"message_not_found":        vanished,
	"cant_update_message":      vanished,
	"edit_window_closed":       vanished,
	"is_inactive":              vanished,
	"block_mismatch":           vanished, // it stands, but can't become what it should
	"streaming_state_conflict": vanished,
}

// todo is the imperative sentence for a code that a person must mend.
func (v verdict) todo(c class) string {
	if s := v.todoHook(); v.what.hook && s != "" {
		return s
	}
	where := v.what.where()
	switch v.word {
	case "not_in_channel":
		return "invite the bot to " + where + " (/invite @bot)"
	case "channel_not_found":
		return "check the name of " + where + ", or invite the bot if it is private (/invite @bot)"
	case "is_archived", "channel_is_archived":
		return "unarchive " + where + " or choose another channel"
	case "messages_tab_disabled", "user_not_found":
		return "choose a channel instead of " + where + ": the bot can't write to that person"
	case "team_not_found":
		return "give the channel's ID instead of " + where + ": the token is an organisation's"
	case "token_revoked", "account_inactive":
		return "reinstall the app: the token was revoked"
	case "token_expired":
		return "get a new token: this one has expired"
	case "not_authed", "invalid_auth", "not_allowed_token_type":
		return "check the token: Slack wants the bot token of an installed app (xoxb-…)"
	case "missing_scope":
		return "add the scope " + v.scope() + " and reinstall the app"
	case "two_factor_setup_required":
		return "set up two-factor authentication for the account that the token belongs to"
	}
	switch {
	case v.what.verb == verbFind:
		return "let the bot read the history of " + where + ", if what was perhaps told shall not be told again"
	case c == place:
		return "let the bot post to " + where + " or choose another channel"
	case c == outdated:
		return "update this library, and check the API URL: the method is not offered any more"
	}
	return "ask an administrator of the workspace to let the app post"
}

// scope is what to add; of the scopes of history Slack names four, of which a
// channel wants one.
func (v verdict) scope() string {
	switch {
	case v.what.verb == verbFind:
		return "channels:history, for private channels groups:history,"
	case v.needed != "":
		return v.needed
	}
	return "chat:write"
}

// todoHook is where a webhook needs other care than a bot.
func (v verdict) todoHook() string {
	switch v.word {
	case "channel_is_archived", "is_archived":
		return "unarchive the webhook's channel or make a new webhook for another"
	case "channel_not_found", "user_not_found", "not_in_channel":
		return "make a new webhook: the channel of this one no longer exists"
	case "no_service", "no_service_id", "no_active_hooks", "invalid_token", "no_team":
		return "make a new webhook: this one no longer exists"
	case "team_disabled":
		return "reactivate the workspace or make a new webhook in another"
	case "posting_to_general_channel_denied":
		return "make a new webhook for another channel: this one may not post to #general"
	}
	return ""
}
