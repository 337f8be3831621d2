// Package alertmanager hands alerts to Prometheus' Alertmanager by its API v2, so that
// its routes, silences and groups apply to them.
//
// To Alertmanager an alert is its labels, and it lasts until the time that it was
// given as its end. liqwatch sends what changes, not everything again and again; so
// an alert that a later message will end is given a far end, and the later message a
// near one. https://prometheus.io/docs/alerting/latest/alerts_api/
package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/incident"
	"liqwatch/internal/alerts/outbound"
	"liqwatch/internal/config"
)

// Settings is the notifier's block of the configuration.
type Settings struct {
	URLs         []config.URL      `yaml:"urls,required" doc:"the addresses of all members of the cluster, such as http://alertmanager:9093; each is told"`
	Token        config.Secret     `yaml:"token" doc:"sent as a bearer token"`
	User         string            `yaml:"user" doc:"a user's name, instead of a token"`
	Password     config.Secret     `yaml:"password" doc:"that user's password"`
	Labels       map[string]string `yaml:"labels" doc:"added to every alert, such as {team: risk}"`
	EndsAfter    time.Duration     `yaml:"ends_after" default:"720h" doc:"when an alert ends whose end was never told"`
	Link         outbound.Link     `yaml:"link" doc:"the address of your page, as the source of the alerts"`
	AllowPrivate bool              `yaml:"allow_private" doc:"let it reach loopback and private addresses"`
}

// Notifier tells the members of one cluster.
type Notifier struct {
	client *outbound.Client
	urls   []string
	header http.Header
	labels map[string]string
	ends   time.Duration
	link   string
}

var (
	labelForm = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	ours      = map[string]bool{"alertname": true, "rule": true, "axis": true, "gauge": true, "subject": true, "level": true, "side": true, "episode": true, "severity": true, "incident": true}
)

// New makes a notifier from its settings.
func New(from alerts.Settings) (*Notifier, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	n := &Notifier{
		client: outbound.New("alertmanager", s.AllowPrivate), header: http.Header{}, labels: s.Labels, ends: s.EndsAfter, link: string(s.Link),
	}
	for name := range s.Labels {
		if !labelForm.MatchString(name) || ours[name] {
			return nil, fmt.Errorf("alertmanager: labels: %q is not a name for a label of yours; want letters, digits and _, and none of those that liqwatch sets", name)
		}
	}
	if len(s.URLs) == 0 {
		return nil, errors.New("alertmanager: urls: name at least one")
	}
	for _, u := range s.URLs {
		address, err := outbound.Address("alertmanager: urls", u)
		if err != nil {
			return nil, err
		}
		parsed, err := url.Parse(address)
		if err != nil || strings.Contains(parsed.Path, "/api/") {
			return nil, errors.New("alertmanager: urls: leave out /api/v2/alerts")
		}
		n.urls = append(n.urls, parsed.JoinPath("api", "v2", "alerts").String())
	}
	switch basic := s.User != "" || !s.Password.IsZero(); {
	case basic && !s.Token.IsZero():
		return nil, errors.New("alertmanager: token: write a token, or user and password, not both")
	case basic:
		r := http.Request{Header: n.header}
		r.SetBasicAuth(s.User, s.Password.Reveal())
	case !s.Token.IsZero():
		n.header.Set("Authorization", "Bearer "+s.Token.Reveal())
	}
	return n, nil
}

// Send tells every member, once; one that was told already takes it for the same.
// While a member has not been told the message counts as not delivered.
func (n *Notifier) Send(ctx context.Context, m alerts.Message) error {
	in, err := incident.Of(m)
	if err != nil {
		return alerts.Refused(fmt.Errorf("alertmanager: %w", err))
	}
	var worst *alerts.SendError
	for i, u := range n.urls {
		err := n.tell(ctx, u, m, in)
		if err == nil {
			continue
		}
		e := &alerts.SendError{Err: err}
		errors.As(err, &e)
		if len(n.urls) > 1 {
			e = &alerts.SendError{
				Err: fmt.Errorf("member %d of %d: %w", i+1, len(n.urls), e.Err), Permanent: e.Permanent, After: e.After, Uncertain: e.Uncertain,
			}
		}
		// What can still succeed keeps the message alive.
		if worst == nil || worst.Permanent && !e.Permanent {
			worst = e
		}
	}
	if worst != nil {
		return worst
	}
	return nil
}

func (n *Notifier) tell(ctx context.Context, u string, m alerts.Message, in incident.Incident) error {
	// A member that hangs must not keep the others from being told.
	ctx, cancel := context.WithTimeout(ctx, outbound.Timeout/time.Duration(len(n.urls)))
	defer cancel()
	list := n.compose(m, in, func(k incident.Key) []alerts.Severity { return n.held(ctx, u, in, k) })
	if len(list) == 0 { // an end of what it does not hold
		return nil
	}
	a, err := n.client.Post(ctx, u, n.header.Clone(), list)
	if err != nil {
		return err
	}
	if a.Status == http.StatusNotFound {
		return n.client.Judge(a, "is there an Alertmanager with API v2?")
	}
	return n.client.Judge(a, "")
}

// held are the severities at which a member holds an incident. All of them when it
// cannot say: to end what is not there does no harm, and not to end what is would.
func (n *Notifier) held(ctx context.Context, u string, in incident.Incident, k incident.Key) []alerts.Severity {
	q := url.Values{}
	for name, value := range n.label(in, k, "") {
		if name != "severity" {
			q.Add("filter", name+`="`+quoted.Replace(value)+`"`)
		}
	}
	a, err := n.client.Get(ctx, u+"?"+q.Encode(), n.header.Clone())
	var list []alert
	if err != nil || !a.OK() || json.Unmarshal(a.Body, &list) != nil {
		return all
	}
	var out []alerts.Severity
	for _, have := range list {
		if s := alerts.Severity(have.Labels["severity"]); slices.Contains(all, s) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// quoted writes a value into a matcher's quotes.
var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
