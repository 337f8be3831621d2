package slack

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/outbound"
)

// A verdict is what one of Slack's error words means for the next attempt.
type verdict int

const (
	refused verdict = iota
	gone
	again
	unsure
)

// words are the errors that incoming webhooks and chat.postMessage are documented to
// give, and what to do about them. A word that is not here is not repeated.
// https://docs.slack.dev/reference/methods/chat.postMessage
var words = map[string]struct {
	verdict verdict
	hint    string
}{
	"invalid_payload":                     {refused, ""},
	"invalid_blocks":                      {refused, ""},
	"invalid_blocks_format":               {refused, ""},
	"invalid_arguments":                   {refused, ""},
	"no_text":                             {refused, ""},
	"msg_too_long":                        {refused, ""},
	"msg_blocks_too_long":                 {refused, ""},
	"user_not_found":                      {refused, ""},
	"channel_not_found":                   {refused, "give the channel's id, and invite the bot to it"},
	"not_in_channel":                      {refused, "invite the bot to the channel"},
	"is_archived":                         {refused, "the channel is archived"},
	"channel_is_archived":                 {refused, "the channel is archived"},
	"action_prohibited":                   {refused, "an administrator restricts posting there"},
	"posting_to_general_channel_denied":   {refused, "an administrator restricts posting there"},
	"restricted_action":                   {refused, "an administrator restricts posting there"},
	"restricted_action_read_only_channel": {refused, "an administrator restricts posting there"},
	"missing_scope":                       {refused, "give the bot the scope chat:write"},
	"not_allowed_token_type":              {refused, "use a bot's token, xoxb-..."},
	"not_authed":                          {refused, "the token did not arrive"},
	"invalid_auth":                        {refused, "the token is wrong, or not allowed from here"},
	"invalid_token":                       {refused, "the webhook is wrong or was removed"},
	"access_denied":                       {refused, ""},
	"no_permission":                       {refused, ""},
	"ekm_access_denied":                   {refused, ""},
	"thread_not_found":                    {refused, ""},
	"cannot_reply_to_message":             {refused, ""},
	"no_service":                          {gone, "the webhook was switched off or removed; make a new one"},
	"no_service_id":                       {gone, "the webhook was switched off or removed; make a new one"},
	"no_active_hooks":                     {gone, "the webhook was switched off or removed; make a new one"},
	"no_team":                             {gone, "the workspace is gone, or the address is wrong"},
	"team_disabled":                       {gone, "the workspace is gone"},
	"token_revoked":                       {gone, "the token was revoked; make a new one"},
	"token_expired":                       {gone, "the token has expired; make a new one"},
	"account_inactive":                    {gone, "the bot or its workspace was removed"},
	"ratelimited":                         {again, ""},
	"rate_limited":                        {again, ""},
	"message_limit_exceeded":              {again, ""},
	"service_unavailable":                 {again, ""},
	"team_added_to_org":                   {again, ""},
	"org_login_required":                  {again, ""},
	"accesslimited":                       {again, ""},
	"request_timeout":                     {unsure, ""},
	"internal_error":                      {unsure, ""},
	"fatal_error":                         {unsure, ""},
	"rollup_error":                        {unsure, ""},
}

// threadGone are the words for a thread that cannot be answered any more.
var threadGone = map[string]bool{"thread_not_found": true, "cannot_reply_to_message": true}

// judgeHook reads an incoming webhook's answer, which is one word.
func (n *Notifier) judgeHook(a outbound.Answer) error {
	word := strings.TrimSpace(string(a.Body))
	if a.OK() && (word == "ok" || word == "") {
		return nil
	}
	return n.judge(a, word)
}

// judge says what a refusal means: by its word where that is known, else by its status.
func (n *Notifier) judge(a outbound.Answer, word string) error {
	w, known := words[word]
	if !known {
		if a.OK() {
			return n.client.Garbled(a)
		}
		return n.client.Judge(a, "")
	}
	if a.Status == http.StatusTooManyRequests {
		return n.client.Judge(a, word)
	}
	text := "slack: the server answered " + fmt.Sprint(a.Status) + " " + word
	if w.hint != "" {
		text += ": " + w.hint
	}
	err := errors.New(text)
	switch w.verdict {
	case gone:
		return alerts.Gone(err)
	case again:
		if after := outbound.RetryAfter(a.Header.Get("Retry-After"), n.client.Now()); after > 0 {
			return alerts.Wait(min(after, outbound.MaxWait), err)
		}
		return err
	case unsure:
		return alerts.Unsure(err)
	}
	return alerts.Refused(err)
}
