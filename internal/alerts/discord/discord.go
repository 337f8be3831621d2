// Package discord sends alerts to a channel by its webhook.
//
// Markdown in a text is escaped and mentions are switched off, so that a name cannot
// call anybody, link anywhere or look like something else.
// https://docs.discord.com/developers/resources/webhook#execute-webhook
package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/outbound"
	"liqwatch/internal/config"
)

// Settings is the notifier's block of the configuration.
type Settings struct {
	WebhookURL   config.URL    `yaml:"webhook_url,required" doc:"the webhook's address, as the channel's settings give it"`
	ThreadID     uint64        `yaml:"thread_id" doc:"a thread of the channel, by its number"`
	Link         outbound.Link `yaml:"link" doc:"the address of your page, opened by the title"`
	AllowPrivate bool          `yaml:"allow_private" doc:"let it reach loopback and private addresses"`
}

// Notifier writes to one channel.
type Notifier struct {
	client *outbound.Client
	url    string
	link   string

	mu   sync.Mutex
	free time.Time // when the webhook's limit allows the next message
}

// New makes a notifier from its settings.
func New(from alerts.Settings) (*Notifier, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	address, err := outbound.Address("discord: webhook_url", s.WebhookURL)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil || !strings.Contains(u.Path, "/webhooks/") || strings.HasSuffix(u.Path, "/slack") || strings.HasSuffix(u.Path, "/github") {
		return nil, errors.New("discord: webhook_url: want https://discord.com/api/webhooks/NUMBER/TOKEN, as the channel's settings give it")
	}
	q := u.Query()
	q.Set("wait", "true") // answer when the message is kept, not when it is heard of
	if s.ThreadID != 0 {
		q.Set("thread_id", strconv.FormatUint(s.ThreadID, 10))
	}
	u.RawQuery = q.Encode()
	return &Notifier{client: outbound.New("discord", s.AllowPrivate), url: u.String(), link: string(s.Link)}, nil
}

// Limits are a chat's: Discord takes 30 messages a minute in a channel.
func (*Notifier) Limits() alerts.Limits { return alerts.ChatLimits() }

// Send posts the message once. While the webhook's limit is known to be used up, it
// is not called at all: calls beyond it are counted, and punished.
func (n *Notifier) Send(ctx context.Context, m alerts.Message) error {
	if wait := n.wait(); wait > 0 {
		return alerts.Wait(wait, errors.New("discord: the webhook's limit is used up"))
	}
	a, err := n.client.Post(ctx, n.url, nil, compose(m, n.link))
	if err != nil {
		return err
	}
	n.note(a.Header)
	return n.judge(a)
}

func (n *Notifier) wait() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.free.Sub(n.client.Now())
}

// note remembers when the limit allows the next message.
func (n *Notifier) note(h http.Header) {
	if h.Get("X-RateLimit-Remaining") != "0" {
		return
	}
	after := min(seconds(h.Get("X-RateLimit-Reset-After")), time.Minute)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.free = n.client.Now().Add(after)
}

// failure is what the API says when it refuses.
// https://docs.discord.com/developers/topics/opcodes-and-status-codes
type failure struct {
	Code       int         `json:"code"`
	RetryAfter json.Number `json:"retry_after"`
}

const (
	unknownWebhook = 10015
	badToken       = 50027
)

func (n *Notifier) judge(a outbound.Answer) error {
	if a.OK() {
		return nil
	}
	var f failure
	read := json.Unmarshal(a.Body, &f) == nil
	detail := ""
	if read && f.Code > 0 {
		detail = fmt.Sprintf("code %d", f.Code)
	}
	switch {
	case a.Status == http.StatusTooManyRequests && read && seconds(string(f.RetryAfter)) > 0:
		// The body has fractions of a second, the header is rounded; never be early.
		after := max(seconds(string(f.RetryAfter)), outbound.RetryAfter(a.Header.Get("Retry-After"), n.client.Now()))
		return alerts.Wait(min(after, outbound.MaxWait), errors.New("discord: the server answered 429: too many messages"))
	case f.Code == unknownWebhook, f.Code == badToken:
		return alerts.Gone(fmt.Errorf("discord: the server answered %d: %s: the webhook was removed; make a new one", a.Status, detail))
	}
	return n.client.Judge(a, detail)
}

// seconds reads seconds with a fraction, rounded up to the millisecond; 0 for what is none.
func seconds(s string) time.Duration {
	if len(s) > 20 || strings.Trim(s, "0123456789.") != "" { // an exponent would be a number of any length
		return 0
	}
	d, err := decimal.NewFromString(s)
	if err != nil || !d.IsPositive() || d.GreaterThan(decimal.NewFromInt(1_000_000_000)) {
		return 0
	}
	return time.Duration(d.Shift(3).Ceil().IntPart()) * time.Millisecond
}
