// Package telegram sends alerts to a chat by the Bot API's sendMessage.
//
// It speaks HTTP itself: a client library hides what decides whether a message may
// be repeated (was it ever sent off?), reads answers without a limit, and takes an
// answer that is not JSON for a broken one instead of a busy server.
package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"liqwatch/internal/alerts"
	"liqwatch/internal/config"
)

const (
	timeout   = 20 * time.Second // for one call
	maxAnswer = 64 << 10         // bytes of an answer that are read
	maxWait   = 24 * time.Hour   // the longest retry_after that is obeyed
	busy      = 5 * time.Second  // the wait after a 429 that names none
)

// Settings is the notifier's block of the configuration.
type Settings struct {
	Token    config.Secret `yaml:"token,required" doc:"the bot's token, as BotFather gives it"`
	ChatID   ChatID        `yaml:"chat_id,required" doc:"a chat's number, or @name of a public channel"`
	ThreadID int64         `yaml:"thread_id" doc:"the topic of a forum group"`
	APIURL   config.URL    `yaml:"api_url" doc:"a Bot API server of your own instead of https://api.telegram.org"`
}

// ChatID is a chat's number, or the @name of a public channel.
type ChatID string

// UnmarshalText reads a number or a @name.
func (c *ChatID) UnmarshalText(b []byte) error {
	s := string(b)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n != 0 {
		*c = ChatID(s)
		return nil
	}
	if name, ok := strings.CutPrefix(s, "@"); ok && name != "" && !strings.ContainsAny(name, " @/") {
		*c = ChatID(s)
		return nil
	}
	return fmt.Errorf("chat_id %q: want a number such as -1001234567890, or @channel", s)
}

// Notifier writes to one chat.
type Notifier struct {
	token, api string
	thread     int64
	client     *http.Client

	mu      sync.Mutex
	chat    ChatID
	notices []alerts.Notice
}

// New makes a notifier from its settings.
func New(from alerts.Settings) (*Notifier, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	api := strings.TrimSuffix(s.APIURL.Reveal(), "/")
	if api == "" {
		api = "https://api.telegram.org"
	}
	if u, err := url.Parse(api); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("telegram: api_url: want http://... or https://... with a host")
	}
	token := s.Token.Reveal()
	id, rest, ok := strings.Cut(token, ":")
	if _, err := strconv.ParseUint(id, 10, 64); err != nil || !ok || rest == "" || strings.ContainsAny(token, "/?# \t\r\n") {
		return nil, errors.New("telegram: token: want a bot's token, digits:letters, as BotFather gives it")
	}
	return &Notifier{
		token: token, api: api, chat: s.ChatID, thread: s.ThreadID,
		client: &http.Client{
			Timeout: timeout,
			// No connection is kept: one that the other side closes just then would leave it
			// unknown whether the message arrived.
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: maxAnswer},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Notices tells of a group that moved since the last call.
func (n *Notifier) Notices() []alerts.Notice {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.notices
	n.notices = nil
	return out
}

// Send writes the message once. A refusal that is certain and can be mended is
// mended at once: markup that the server cannot read is sent as plain text, and a
// group that became a supergroup is followed.
func (n *Notifier) Send(ctx context.Context, m alerts.Message) error {
	text, mode := asHTML(m), "HTML"
	moved := false
	for {
		answer, err := n.call(ctx, text, mode)
		if err != nil {
			return err
		}
		switch {
		case answer.OK:
			return nil
		case answer.Parameters.MigrateToChatID != 0 && !moved:
			moved = true
			n.move(answer.Parameters.MigrateToChatID)
		case answer.unreadable() && mode != "":
			text, mode = asPlain(m), ""
		default:
			return answer.judge(n.clean(answer.Description))
		}
	}
}

// move follows a group to its new number.
func (n *Notifier) move(to int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	from := n.chat
	n.chat = ChatID(strconv.FormatInt(to, 10))
	n.notices = append(n.notices, alerts.Notice{
		Key:  fmt.Sprintf("migrate|%s|%s", from, n.chat),
		Text: fmt.Sprintf("The Telegram group %s has become %s. Messages follow it; write chat_id: %s in the configuration.", from, n.chat, n.chat),
	})
}

// request is the body of sendMessage.
type request struct {
	ChatID    any    `json:"chat_id"`
	ThreadID  int64  `json:"message_thread_id,omitempty"`
	Text      string `json:"text"`
	ParseMode string `json:"parse_mode,omitempty"`
	Preview   struct {
		Disabled bool `json:"is_disabled"`
	} `json:"link_preview_options"`
}

func (n *Notifier) request(text, mode string) request {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := request{ChatID: string(n.chat), ThreadID: n.thread, Text: text, ParseMode: mode}
	if id, err := strconv.ParseInt(string(n.chat), 10, 64); err == nil {
		r.ChatID = id
	}
	r.Preview.Disabled = true
	return r
}

// call makes one call. An error of it is one to retry.
func (n *Notifier) call(ctx context.Context, text, mode string) (answer, error) {
	body, err := json.Marshal(n.request(text, mode))
	if err != nil {
		return answer{}, alerts.Refused(fmt.Errorf("telegram: write the request: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.api+"/bot"+n.token+"/sendMessage", bytes.NewReader(body))
	if err != nil {
		return answer{}, alerts.Refused(errors.New("telegram: make the request: the token or api_url is not usable"))
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := n.client.Do(req)
	if err != nil {
		return answer{}, n.explain(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return answer{}, alerts.Unsure(fmt.Errorf("telegram: read the answer to sendMessage: %s", n.clean(err.Error())))
	}
	return read(res, raw), nil
}

// explain says what went wrong without the URL: the token is part of it.
func (n *Notifier) explain(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	out := errors.New(n.clean("telegram: call sendMessage: " + err.Error()))
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return out
	}
	return alerts.Unsure(out)
}

// clean takes the token out of a text that somebody else wrote, and keeps it short.
func (n *Notifier) clean(s string) string {
	s = strings.ReplaceAll(s, n.token, "[secret]")
	if _, key, ok := strings.Cut(n.token, ":"); ok {
		s = strings.ReplaceAll(s, key, "[secret]")
	}
	return cut(s, 300)
}
