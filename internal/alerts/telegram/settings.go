package telegram

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"liqwatch/internal/alerts"
	"liqwatch/internal/config"
)

// Settings is the notifier's block of the configuration.
type Settings struct {
	Token    config.Secret `yaml:"token,required" doc:"the bot's token, as BotFather gives it"`
	ChatID   ChatID        `yaml:"chat_id,required" doc:"a chat's number, or @name of a public channel"`
	Topic    int64         `yaml:"topic" doc:"the topic of a forum group; without it, and as 1, the general one"`
	ThreadID int64         `yaml:"thread_id" doc:"an older name of topic"`
	Picture  bool          `yaml:"picture" default:"true" doc:"send the ladder as a picture with alerts about prices"`
	Silent   []Severity    `yaml:"silent" default:"[info]" doc:"severities that arrive without a sound"`
	Commands bool          `yaml:"commands" default:"true" doc:"answer commands and the buttons under alerts, from this chat"`
	Admins   []UserID      `yaml:"admins" doc:"numbers of the users who may acknowledge and mute, also in a chat of their own with the bot; without it everybody in the chat may, but nobody in a channel"`
	APIURL   config.URL    `yaml:"api_url" doc:"a Bot API server of your own instead of https://api.telegram.org"`
}

// ChatID is a chat's number, or the @name of a public channel.
type ChatID string

// UnmarshalText reads a number or a @name.
func (c *ChatID) UnmarshalText(b []byte) error {
	s := string(b)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n != 0 {
		*c = ChatID(strconv.FormatInt(n, 10))
		return nil
	}
	if name, ok := strings.CutPrefix(s, "@"); ok && name != "" && !strings.ContainsAny(name, " @/") {
		*c = ChatID(s)
		return nil
	}
	return fmt.Errorf("chat_id %q: want a number such as -1001234567890, or @channel", s)
}

// number is the chat's number, or false for a name.
func (c ChatID) number() (int64, bool) {
	n, err := strconv.ParseInt(string(c), 10, 64)
	return n, err == nil
}

// UserID is the number of a user.
type UserID int64

// UnmarshalText reads a number above 0.
func (u *UserID) UnmarshalText(b []byte) error {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is no user: want a number such as 123456789; the bot does not see who is behind a @name", b)
	}
	*u = UserID(n)
	return nil
}

// Severity is one that a message can have.
type Severity alerts.Severity

// UnmarshalText reads info, warning or critical.
func (s *Severity) UnmarshalText(b []byte) error {
	known := []alerts.Severity{alerts.Info, alerts.Warning, alerts.Critical}
	if !slices.Contains(known, alerts.Severity(b)) {
		return fmt.Errorf("%q is no severity: want info, warning or critical", b)
	}
	*s = Severity(b)
	return nil
}

// bot is made of the token and the address of the server.
func (s Settings) bot() (*bot, error) {
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
	return newBot(token, api), nil
}

// topic is the number to send to; 0 for the general one, whose number the server
// refuses.
func (s Settings) topic() (int64, error) {
	t := s.Topic
	switch {
	case s.Topic != 0 && s.ThreadID != 0 && s.Topic != s.ThreadID:
		return 0, errors.New("telegram: topic and thread_id are two names of one thing: leave thread_id out")
	case t == 0:
		t = s.ThreadID
	}
	if t < 0 {
		return 0, errors.New("telegram: topic: want the number of a topic, above 0")
	}
	if t == 1 {
		t = 0
	}
	return t, nil
}
