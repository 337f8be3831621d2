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
	OK          bool            `json:"ok"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Result      json.RawMessage `json:"result"`
	Parameters  struct {
		RetryAfter      int64 `json:"retry_after"`
		MigrateToChatID int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
	garbled bool // not the Bot API's JSON: something between it and us answered
	method  string
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

// message is the number of the message that was sent; 0 when the answer has none.
func (a answer) message() int64 {
	var sent struct {
		ID int64 `json:"message_id"`
	}
	if json.Unmarshal(a.Result, &sent) != nil {
		return 0
	}
	return sent.ID
}

// refused reports a certain refusal for what was asked, which mending may help.
func (a answer) refused() bool {
	return !a.garbled && !a.OK && (a.Code == http.StatusBadRequest || a.Code == http.StatusRequestEntityTooLarge)
}

// says reports that the description of a refusal has one of some words.
func (a answer) says(words ...string) bool {
	d := strings.ToLower(a.Description)
	for _, w := range words {
		if strings.Contains(d, w) {
			return true
		}
	}
	return false
}

// wait is how long a 429 asks to be left alone.
func (a answer) wait() (time.Duration, bool) {
	if a.OK || a.Code != http.StatusTooManyRequests {
		return 0, false
	}
	wait := time.Duration(min(a.Parameters.RetryAfter, int64(maxWait/time.Second))) * time.Second
	if wait <= 0 {
		wait = busy
	}
	return wait, true
}

// judge says what a refusal means for the next attempt.
func (a answer) judge() error {
	err := fmt.Errorf("telegram: %s: %d %s", a.method, a.Code, a.Description)
	if wait, ok := a.wait(); ok {
		return alerts.Wait(wait, err)
	}
	switch {
	case a.garbled, a.Code >= 500, a.Code < 400:
		// A gateway gave up waiting, or the answer was cut: the message may be there.
		return alerts.Unsure(err)
	case a.Code == http.StatusRequestTimeout, a.Code == http.StatusConflict:
		return err
	}
	return alerts.Refused(err)
}
