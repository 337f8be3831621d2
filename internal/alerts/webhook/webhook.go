// Package webhook posts alerts as JSON, signed by the Standard Webhooks convention.
//
// The body is [alerts.Body]. It and the webhook-id header are the same on every
// repeat of a message; webhook-timestamp and webhook-signature are the attempt's.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/outbound"
	"liqwatch/internal/config"
)

// maxBody is how many bytes of a body receivers are expected to take.
const maxBody = 20_000

// Settings is the notifier's block of the configuration.
type Settings struct {
	URL          config.URL      `yaml:"url,required" doc:"where messages are posted, http or https"`
	Secret       config.Secret   `yaml:"secret" doc:"whsec_ and the base64 of 24 to 64 bytes; signs every message"`
	Secrets      []config.Secret `yaml:"secrets" doc:"several secrets, while one replaces another; each signs every message"`
	AllowPrivate bool            `yaml:"allow_private" doc:"let it reach loopback and private addresses"`
}

// Notifier posts to one receiver.
type Notifier struct {
	url    string
	keys   [][]byte
	client *http.Client
	now    func() time.Time
}

// New makes a notifier from its settings.
func New(from alerts.Settings) (*Notifier, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	address, err := outbound.Address("webhook: url", s.URL)
	if err != nil {
		return nil, err
	}
	n := &Notifier{url: address, now: time.Now, client: outbound.HTTPClient(outbound.Timeout, s.AllowPrivate)}
	secrets := s.Secrets
	if !s.Secret.IsZero() {
		secrets = append([]config.Secret{s.Secret}, secrets...)
	}
	if len(secrets) == 0 {
		return nil, errors.New("webhook: secret is missing: messages are signed so that the receiver knows they are yours; write secret: ${env:NAME} or ${file:/path}")
	}
	for _, secret := range secrets {
		key, err := parseSecret(secret.Reveal())
		if err != nil {
			return nil, fmt.Errorf("webhook: secret: %w", err)
		}
		n.keys = append(n.keys, key)
	}
	return n, nil
}

// Schedule is that of the Standard Webhooks convention: 10 attempts over 75 hours and 35 minutes.
func (*Notifier) Schedule() []time.Duration {
	return []time.Duration{
		0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// Send posts the message once. Any 2xx is a success; 410 switches the notifier off.
func (n *Notifier) Send(ctx context.Context, m alerts.Message) error {
	if len(m.Data) > maxBody {
		return alerts.Refused(fmt.Errorf("webhook: the message is %d bytes long, receivers take %d", len(m.Data), maxBody))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(m.Data))
	if err != nil {
		return alerts.Refused(errors.New("webhook: make the request: the url is not usable"))
	}
	at := n.now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "liqwatch")
	req.Header.Set("Webhook-Id", m.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("Webhook-Signature", sign(n.keys, m.ID, at, m.Data))
	res, err := n.client.Do(req)
	if err != nil {
		return outbound.Explain("webhook", err)
	}
	defer res.Body.Close()
	// The answer's text is of no use, and may hold anything: it is read so that the
	// receiver can finish, and never repeated.
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, outbound.MaxAnswer))
	return n.judge(res)
}

func (n *Notifier) judge(res *http.Response) error {
	err := fmt.Errorf("webhook: the receiver answered %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return nil
	case res.StatusCode == http.StatusGone:
		return alerts.Gone(fmt.Errorf("%w: it wants no more messages", err))
	}
	if after := outbound.RetryAfter(res.Header.Get("Retry-After"), n.now()); after > 0 {
		return alerts.Wait(min(after, outbound.MaxWait), err)
	}
	return err
}
