// This file is the tables of Slack's error codes: what each asks for, of Slack and
// of a person.

package slackapi

import (
	"cmp"
	"strings"
)

// class is what a code asks for.
type class uint8

const (
	passing  class = iota // come back later; it was not taken
	unsure                // come back later; it may have arrived
	quota                 // come back much later
	token                 // a person must mend the token: posting fails, too
	access                // a person must mend the app or the workspace
	place                 // a person must mend the channel
	outdated              // the method is gone
	layout                // the message is at fault
	vanished              // the message to edit is gone, or can't become what it should
)

// classes has all codes, of the Web API and of webhooks.
var classes = [...]string{
	passing: "ratelimited rate_limited request_timeout team_added_to_org org_login_required external_channel_migrating",
	unsure:  "internal_error fatal_error service_unavailable rollup_error update_failed",
	quota:   "message_limit_exceeded",
	token:   "not_authed invalid_auth account_inactive token_revoked token_expired",
	access: `missing_scope no_permission not_allowed_token_type access_denied accesslimited ekm_access_denied
		team_access_not_granted two_factor_setup_required enterprise_is_restricted
		invalid_token action_prohibited no_service no_service_id no_team no_active_hooks team_disabled`,
	place: `channel_not_found not_in_channel is_archived channel_is_archived restricted_action
		restricted_action_read_only_channel restricted_action_thread_only_channel
		restricted_action_non_threadable_channel restricted_action_thread_locked cannot_reply_to_message
		messages_tab_disabled team_not_found user_not_found posting_to_general_channel_denied`,
	outdated: "deprecated_endpoint method_deprecated unknown_method",
	layout: `invalid_blocks invalid_blocks_format msg_blocks_too_long msg_too_long no_text invalid_attachments
		too_many_attachments attachment_payload_limit_exceeded invalid_metadata_format invalid_metadata_schema
		metadata_too_large metadata_must_be_sent_from_app markdown_text_conflict only_one_table_allowed
		invalid_arguments invalid_arg_name invalid_array_arg invalid_charset invalid_form_data invalid_post_type
		missing_post_type as_user_not_supported invalid_payload missing_text_or_fallback_or_attachments`,
	vanished: `message_not_found cant_update_message edit_window_closed is_inactive block_mismatch
		streaming_state_conflict`,
}

// codes are the classes by code.
var codes = func() map[string]class {
	all := make(map[string]class)
	for c, words := range classes {
		for code := range strings.FieldsSeq(words) {
			all[code] = class(c)
		}
	}
	return all
}()

// usual is what a person must do, as an imperative sentence, where a code says no
// more than its class. {place} and {scope} are those of the call.
var usual = map[class]string{
	access:   "ask an administrator of the workspace to let the app post",
	place:    "let the bot post to {place} or choose another channel",
	outdated: "update this library, and check the API URL: the method is not offered any more",
}

const (
	archived = "unarchive {place} or choose another channel"
	person   = "choose a channel instead of {place}: the bot can't write to that person"
	wrong    = "check the token: Slack wants the bot token of an installed app (xoxb-…)"
	revoked  = "reinstall the app: the token was revoked"
)

// special is what a person must do where a code says more.
var special = map[string]string{
	"not_in_channel":            "invite the bot to {place} (/invite @bot)",
	"channel_not_found":         "check the name of {place}, or invite the bot if it is private (/invite @bot)",
	"is_archived":               archived,
	"channel_is_archived":       archived,
	"messages_tab_disabled":     person,
	"user_not_found":            person,
	"team_not_found":            "give the channel's ID instead of {place}: the token is an organisation's",
	"token_revoked":             revoked,
	"account_inactive":          revoked,
	"token_expired":             "get a new token: this one has expired",
	"not_authed":                wrong,
	"invalid_auth":              wrong,
	"not_allowed_token_type":    wrong,
	"missing_scope":             "add the scope {scope} and reinstall the app",
	"two_factor_setup_required": "set up two-factor authentication for the account that the token belongs to",
}

const (
	hookArchived = "unarchive the webhook's channel or make a new webhook for another"
	hookGone     = "make a new webhook: this one no longer exists"
	hookNowhere  = "make a new webhook: the channel of this one no longer exists"
)

// ofHooks is what a person must do where a webhook needs other care than a bot.
var ofHooks = map[string]string{
	"channel_is_archived":               hookArchived,
	"is_archived":                       hookArchived,
	"channel_not_found":                 hookNowhere,
	"user_not_found":                    hookNowhere,
	"not_in_channel":                    hookNowhere,
	"no_service":                        hookGone,
	"no_service_id":                     hookGone,
	"no_active_hooks":                   hookGone,
	"invalid_token":                     hookGone,
	"no_team":                           hookGone,
	"team_disabled":                     "reactivate the workspace or make a new webhook in another",
	"posting_to_general_channel_denied": "make a new webhook for another channel: this one may not post to #general",
}

// todo is what a person must do about a code. Of the scopes of history Slack names
// four, of which a channel wants one.
func todo(w call, code, needed string) string {
	s := special[code]
	if hook := ofHooks[code]; w.hook && hook != "" {
		s = hook
	}
	needed = cmp.Or(needed, "chat:write")
	if w.verb == verbFind {
		needed = "channels:history, for private channels groups:history,"
		s = cmp.Or(s, "let the bot read the history of {place}, if what was perhaps told shall not be told again")
	}
	return strings.NewReplacer("{place}", w.where(), "{scope}", needed).Replace(cmp.Or(s, usual[codes[code]]))
}
