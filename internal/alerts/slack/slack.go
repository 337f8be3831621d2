// Package slack sends alerts to a channel of Slack, by an incoming webhook or by
// chat.postMessage with a bot's token.
//
// Everything is plain_text, with the three characters escaped that mean something to
// Slack in any text: a name cannot mention anybody, link anywhere or look like
// something else. https://docs.slack.dev/messaging/formatting-message-text
package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/incident"
	"liqwatch/internal/alerts/outbound"
	"liqwatch/internal/config"
)

// Settings is the notifier's block of the configuration.
type Settings struct {
	WebhookURL   config.URL    `yaml:"webhook_url" doc:"the address of an incoming webhook; or token and channel instead"`
	Token        config.Secret `yaml:"token" doc:"a bot's token (xoxb-...) with the scope chat:write"`
	Channel      Channel       `yaml:"channel" doc:"with token: the channel's id, such as C0123456789"`
	Thread       bool          `yaml:"thread" doc:"with token: what follows in an episode answers its first message; critical messages show in the channel all the same"`
	APIURL       config.URL    `yaml:"api_url" doc:"with token: another server than https://slack.com/api"`
	AllowPrivate bool          `yaml:"allow_private" doc:"let it reach loopback and private addresses"`
}

// Channel is a channel's id or #name.
type Channel string

var channelForm = regexp.MustCompile(`^([CGD][A-Z0-9]{5,20}|#[^\s#@]{1,80})$`)

// UnmarshalText reads an id or a #name.
func (c *Channel) UnmarshalText(b []byte) error {
	if !channelForm.Match(b) {
		return fmt.Errorf("channel %q: want the channel's id, such as C0123456789 (at the end of its details), or #name", b)
	}
	*c = Channel(b)
	return nil
}

// Notifier writes to one channel.
type Notifier struct {
	client  *outbound.Client
	url     string
	token   string // empty: url is an incoming webhook
	channel Channel
	thread  bool

	mu      sync.Mutex
	threads map[incident.Key]string // the first message of an incident, while this process lives
}

// New makes a notifier from its settings.
func New(from alerts.Settings) (*Notifier, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	n := &Notifier{
		client: outbound.New("slack", s.AllowPrivate), token: s.Token.Reveal(), channel: s.Channel,
		thread: s.Thread, threads: map[incident.Key]string{},
	}
	var err error
	switch hook := !s.WebhookURL.IsZero(); {
	case hook && (n.token != "" || s.Channel != "" || s.Thread || !s.APIURL.IsZero()):
		return nil, errors.New("slack: webhook_url: an incoming webhook has its channel in it and answers nothing to thread on; leave out token, channel, thread and api_url, or webhook_url")
	case hook:
		n.url, err = outbound.Address("slack: webhook_url", s.WebhookURL)
	case n.token == "":
		return nil, errors.New("slack: write webhook_url: ${env:NAME}, or token: ${env:NAME} and channel: C0123456789")
	case s.Channel == "":
		return nil, errors.New("slack: channel is missing: the token does not say where to write")
	case s.APIURL.IsZero():
		n.url = "https://slack.com/api/chat.postMessage"
	default:
		n.url, err = outbound.Address("slack: api_url", s.APIURL)
		n.url += "/chat.postMessage"
	}
	return n, err
}

// Limits are a chat's: Slack takes one message a second in a channel.
func (*Notifier) Limits() alerts.Limits { return alerts.ChatLimits() }

// Send posts the message once. A thread that is gone is left, at once.
func (n *Notifier) Send(ctx context.Context, m alerts.Message) error {
	p := compose(m)
	if n.token == "" {
		a, err := n.client.Post(ctx, n.url, nil, p)
		if err != nil {
			return err
		}
		return n.judgeHook(a)
	}
	key := n.key(m)
	p.Channel, p.ThreadTS = n.channel, n.first(key)
	p.Broadcast = p.ThreadTS != "" && m.Severity == alerts.Critical
	r, err := n.post(ctx, p)
	if p.ThreadTS != "" && threadGone[r.Error] {
		n.remember(key, "")
		p.ThreadTS, p.Broadcast = "", false
		r, err = n.post(ctx, p)
	}
	if err == nil && p.ThreadTS == "" {
		n.remember(key, r.TS)
	}
	return err
}

// reply is what the Web API says.
type reply struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
	TS    string `json:"ts"`
}

func (n *Notifier) post(ctx context.Context, p payload) (reply, error) {
	a, err := n.client.Post(ctx, n.url, http.Header{"Authorization": {"Bearer " + n.token}}, p)
	if err != nil {
		return reply{}, err
	}
	var r reply
	if json.Unmarshal(a.Body, &r) != nil || a.OK() && !r.OK && r.Error == "" {
		if a.OK() {
			return reply{}, n.client.Garbled(a)
		}
		return reply{}, n.client.Judge(a, "")
	}
	if r.OK && a.OK() {
		return r, nil
	}
	return r, n.judge(a, r.Error)
}

// key is the incident that messages of a thread share; empty for none.
func (n *Notifier) key(m alerts.Message) incident.Key {
	if !n.thread {
		return ""
	}
	in, err := incident.Of(m)
	switch {
	case err != nil:
		return ""
	case in.Opens != "":
		return in.Opens
	}
	return in.Closes[len(in.Closes)-1]
}

func (n *Notifier) first(key incident.Key) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.threads[key]
}

// maxThreads bounds what is remembered; an episode beyond it begins a thread of its own.
const maxThreads = 1000

func (n *Notifier) remember(key incident.Key, ts string) {
	if key == "" {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if ts == "" {
		delete(n.threads, key)
		return
	}
	if len(n.threads) >= maxThreads {
		clear(n.threads)
	}
	n.threads[key] = ts
}
