// Package ntfy sends alerts to a topic of an ntfy server.
// https://docs.ntfy.sh/publish/#publish-as-json
package ntfy

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/clip"
	"liqwatch/internal/alerts/outbound"
	"liqwatch/internal/config"
)

// Settings is the notifier's block of the configuration.
type Settings struct {
	Topic        config.Secret `yaml:"topic,required" doc:"the topic; on a server open to all whoever knows it can read it"`
	URL          config.URL    `yaml:"url" default:"https://ntfy.sh" doc:"the server"`
	Token        config.Secret `yaml:"token" doc:"an access token (tk_...), where the topic is protected"`
	User         string        `yaml:"user" doc:"a user's name, instead of a token"`
	Password     config.Secret `yaml:"password" doc:"that user's password"`
	Link         outbound.Link `yaml:"link" doc:"the address of your page, opened by a tap on the notification"`
	AllowPrivate bool          `yaml:"allow_private" doc:"let it reach loopback and private addresses"`
}

// Limits of the server: of a message in bytes, beyond which it becomes a file, and of
// a title so that it can be read on a lock screen.
const (
	maxMessage = 4096
	maxTitle   = 250
)

// Notifier writes to one topic.
type Notifier struct {
	client      *outbound.Client
	url, link   string
	topic, auth string
}

var topicForm = regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)

// New makes a notifier from its settings.
func New(from alerts.Settings) (*Notifier, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	address, err := outbound.Address("ntfy: url", s.URL)
	if err != nil {
		return nil, err
	}
	n := &Notifier{client: outbound.New("ntfy", s.AllowPrivate), url: address, topic: s.Topic.Reveal(), link: string(s.Link)}
	if u, err := url.Parse(address); err != nil || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("ntfy: url: want the server's address alone; the topic has a key of its own")
	}
	if !topicForm.MatchString(n.topic) {
		return nil, errors.New("ntfy: topic: want at most 64 letters, digits, - and _")
	}
	switch basic := s.User != "" || !s.Password.IsZero(); {
	case basic && !s.Token.IsZero():
		return nil, errors.New("ntfy: token: write a token, or user and password, not both")
	case basic && (s.User == "" || s.Password.IsZero()):
		return nil, errors.New("ntfy: user: a user has a password, and a password a user")
	case basic:
		n.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(s.User+":"+s.Password.Reveal()))
	case !s.Token.IsZero():
		n.auth = "Bearer " + s.Token.Reveal()
	}
	return n, nil
}

// publication is a message as the server takes it.
type publication struct {
	Topic    string   `json:"topic"`
	Title    string   `json:"title"`
	Message  string   `json:"message"`
	Priority int      `json:"priority"`
	Tags     []string `json:"tags"`
	Click    string   `json:"click,omitempty"`
	// SequenceID is the same on every repeat: a server that knows it (2.16) shows the
	// repeat in the place of the first, others leave it unread.
	SequenceID string `json:"sequence_id"`
}

// 5 breaks through silence where the phone allows it, 4 rings, 3 is the default.
var (
	priorities = map[alerts.Severity]int{alerts.Critical: 5, alerts.Warning: 4, alerts.Info: 3}
	tags       = map[alerts.Severity]string{alerts.Critical: "rotating_light", alerts.Warning: "warning", alerts.Info: "information_source"}
)

func (n *Notifier) compose(m alerts.Message) publication {
	message := m.Text
	tail := ""
	if m.MayRepeat {
		tail = "\n(may repeat)"
	}
	sum := sha256.Sum256([]byte(m.ID))
	p := publication{
		Topic: n.topic, Click: n.link, SequenceID: hex.EncodeToString(sum[:16]), Priority: 4, Tags: []string{"warning"},
		Title:   clip.To(m.Title, maxTitle, clip.Bytes),
		Message: clip.To(message, maxMessage-len(tail), clip.Bytes) + tail,
	}
	if priority, ok := priorities[m.Severity]; ok {
		p.Priority, p.Tags = priority, []string{tags[m.Severity]}
	}
	return p
}

// Limits spare a phone, and the 250 messages a day of a server open to all.
func (*Notifier) Limits() alerts.Limits {
	return alerts.Limits{PerMinute: 10, Gap: time.Second, DigestOver: 5}
}

// Send publishes the message once.
func (n *Notifier) Send(ctx context.Context, m alerts.Message) error {
	header := http.Header{}
	if n.auth != "" {
		header.Set("Authorization", n.auth)
	}
	a, err := n.client.Post(ctx, n.url, header, n.compose(m))
	if err != nil {
		return err
	}
	return n.judge(a)
}

// daily is the server's code for "no more messages today", which no short wait mends.
const (
	daily     = 42908
	dailyWait = time.Hour
)

func (n *Notifier) judge(a outbound.Answer) error {
	var f struct {
		ID   string `json:"id"`
		Code int    `json:"code"`
	}
	read := json.Unmarshal(a.Body, &f) == nil
	if a.OK() {
		if !read || f.ID == "" {
			return n.client.Garbled(a)
		}
		return nil
	}
	detail := ""
	if f.Code >= 40000 && f.Code < 60000 {
		detail = fmt.Sprintf("code %d", f.Code)
	}
	switch {
	case f.Code == daily && a.Header.Get("Retry-After") == "":
		return alerts.Wait(dailyWait, errors.New("ntfy: the server answered 429: the messages of this day are used up"))
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		detail = "the topic needs a token that may write to it"
	}
	return n.client.Judge(a, detail)
}
