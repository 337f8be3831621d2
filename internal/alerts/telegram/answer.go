package telegram

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"liqwatch/internal/alerts"
)

// answer is what the Bot API says; see https://core.telegram.org/bots/api#making-requests
type answer struct {
	OK          bool   `json:"ok"`
	Code        int    `json:"error_code"`
	Description string `json:"description"`
	Parameters  struct {
		RetryAfter      int64 `json:"retry_after"`
		MigrateToChatID int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
	garbled bool // not the Bot API's JSON: something between it and us answered
}

// read makes an answer of a response; the status counts where the body says nothing.
func read(res *http.Response, raw []byte) answer {
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		a = answer{garbled: true, Description: http.StatusText(res.StatusCode)}
	}
	if a.Code == 0 {
		a.Code = res.StatusCode
	}
	if a.Code == http.StatusTooManyRequests && a.Parameters.RetryAfter <= 0 {
		a.Parameters.RetryAfter, _ = strconv.ParseInt(strings.TrimSpace(res.Header.Get("Retry-After")), 10, 64)
	}
	return a
}

// unreadable reports that the server refused the markup, or the length with it.
func (a answer) unreadable() bool {
	d := strings.ToLower(a.Description)
	return a.Code == http.StatusBadRequest && !a.garbled &&
		(strings.Contains(d, "parse") || strings.Contains(d, "entit") || strings.Contains(d, "too long"))
}

// judge says what a refusal means for the next attempt.
func (a answer) judge(description string) error {
	err := fmt.Errorf("telegram: sendMessage: %d %s", a.Code, description)
	switch {
	case a.Code == http.StatusTooManyRequests:
		wait := time.Duration(min(a.Parameters.RetryAfter, int64(maxWait/time.Second))) * time.Second
		if wait <= 0 {
			wait = busy
		}
		return alerts.Wait(wait, err)
	case a.garbled, a.Code >= 500, a.Code < 400:
		// A gateway gave up waiting, or the answer was cut: the message may be there.
		return alerts.Unsure(err)
	case a.Code == http.StatusRequestTimeout, a.Code == http.StatusConflict:
		return err
	}
	return alerts.Refused(err)
}
