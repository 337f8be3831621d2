// Package pagerduty sends alerts to a service of PagerDuty by its Events API v2.
//
// What happens at one level in one episode is one incident: it is triggered, said
// more of, and resolved when the price is away again.
// https://developer.pagerduty.com/docs/events-api-v2-overview
package pagerduty

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/clip"
	"liqwatch/internal/alerts/incident"
	"liqwatch/internal/alerts/outbound"
	"liqwatch/internal/config"
)

// Settings is the notifier's block of the configuration.
type Settings struct {
	RoutingKey   config.Secret `yaml:"routing_key,required" doc:"the integration key of an Events API v2 integration, 32 characters"`
	Region       Region        `yaml:"region" default:"us" doc:"where the account is: us or eu"`
	URL          config.URL    `yaml:"url" doc:"another address than the region's .../v2/enqueue"`
	Source       string        `yaml:"source" default:"liqwatch" doc:"what is named as the source, such as the machine"`
	Link         outbound.Link `yaml:"link" doc:"the address of your page, shown with the incident"`
	AllowPrivate bool          `yaml:"allow_private" doc:"let it reach loopback and private addresses"`
}

// Region is where an account is kept.
type Region string

var regions = map[Region]string{
	"us": "https://events.pagerduty.com/v2/enqueue",
	"eu": "https://events.eu.pagerduty.com/v2/enqueue",
}

// UnmarshalText reads us or eu.
func (r *Region) UnmarshalText(b []byte) error {
	if _, ok := regions[Region(b)]; !ok {
		return fmt.Errorf("region %q: want us or eu", b)
	}
	*r = Region(b)
	return nil
}

// Limits of the Events API.
const (
	maxSummary = 1024
	maxKey     = 255
	maxDetail  = 10_000 // our own: an event may have 512 KiB in all
	maxClient  = 200
)

// Notifier sends to one service.
type Notifier struct {
	client       *outbound.Client
	url, key     string
	source, link string
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9]{32}$`)

// New makes a notifier from its settings.
func New(from alerts.Settings) (*Notifier, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	n := &Notifier{
		client: outbound.New("pagerduty", s.AllowPrivate), url: regions[s.Region], key: s.RoutingKey.Reveal(),
		source: clip.To(s.Source, maxClient, clip.Runes), link: string(s.Link),
	}
	if !keyForm.MatchString(n.key) {
		return nil, errors.New("pagerduty: routing_key: want the 32 letters and digits of an Events API v2 integration")
	}
	if s.URL.IsZero() {
		return n, nil
	}
	var err error
	n.url, err = outbound.Address("pagerduty: url", s.URL)
	return n, err
}

// event is one call of the Events API.
type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Payload    *payload `json:"payload,omitempty"`
	Client     string   `json:"client,omitempty"`
	ClientURL  string   `json:"client_url,omitempty"`
}

type payload struct {
	Summary   string            `json:"summary"`
	Source    string            `json:"source"`
	Severity  string            `json:"severity"`
	Timestamp string            `json:"timestamp"`
	Component string            `json:"component,omitempty"`
	Group     string            `json:"group,omitempty"`
	Class     string            `json:"class,omitempty"`
	Details   map[string]string `json:"custom_details,omitempty"`
}

var severities = map[alerts.Severity]string{alerts.Critical: "critical", alerts.Warning: "warning", alerts.Info: "info"}

// Send triggers or resolves, once. An alert that ends several incidents is a call for
// each; should one fail all are repeated, which changes nothing for those resolved.
func (n *Notifier) Send(ctx context.Context, m alerts.Message) error {
	in, err := incident.Of(m)
	if err != nil {
		return alerts.Refused(fmt.Errorf("pagerduty: %w", err))
	}
	for _, e := range n.events(m, in) {
		a, err := n.client.Post(ctx, n.url, nil, e)
		if err != nil {
			return err
		}
		if err := n.judge(a); err != nil {
			return err
		}
	}
	return nil
}

func (n *Notifier) events(m alerts.Message, in incident.Incident) []event {
	var out []event
	for _, k := range in.Closes {
		out = append(out, event{RoutingKey: n.key, Action: "resolve", DedupKey: dedup(k)})
	}
	if in.Opens == "" {
		return out
	}
	severity, ok := severities[m.Severity]
	if !ok {
		severity = "warning"
	}
	place, _ := in.Opens.Place(in.Rule)
	details := map[string]string{"text": clip.To(m.Text, maxDetail, clip.Runes)}
	for _, f := range m.Fields {
		name := clip.To(f.Name, maxClient, clip.Runes)
		for base, i := name, 2; details[name] != ""; i++ { // such as one block for each chain
			name = fmt.Sprintf("%s %d", base, i)
		}
		details[name] = clip.To(f.Value, maxClient, clip.Runes)
	}
	e := event{RoutingKey: n.key, Action: "trigger", DedupKey: dedup(in.Opens), Client: "liqwatch", ClientURL: n.link}
	e.Payload = &payload{
		Summary: clip.To(m.Title, maxSummary, clip.Runes), Source: n.source, Severity: severity,
		Timestamp: m.Time.UTC().Format(time.RFC3339), Component: cmp.Or(place.Axis, place.Subject), Group: in.Rule, Class: in.Class, Details: details,
	}
	return append(out, e)
}

// dedup is a key that the API takes: a long one keeps its beginning and stays unique.
func dedup(k incident.Key) string {
	s := "liqwatch|" + string(k)
	if clip.Runes(s) <= maxKey {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return clip.To(s, maxKey-33, clip.Runes) + "|" + hex.EncodeToString(sum[:16])
}

func (n *Notifier) judge(a outbound.Answer) error {
	if !a.OK() {
		detail := ""
		if a.Status == 400 || a.Status == 403 {
			detail = "is the routing key that of an Events API v2 integration?"
		}
		return n.client.Judge(a, detail)
	}
	var r struct {
		Status string `json:"status"`
	}
	if json.Unmarshal(a.Body, &r) != nil || r.Status != "success" {
		return n.client.Garbled(a)
	}
	return nil
}
