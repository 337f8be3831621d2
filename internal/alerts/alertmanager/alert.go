package alertmanager

import (
	"strings"
	"time"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/clip"
	"liqwatch/internal/alerts/incident"
)

// alert is what Alertmanager calls one.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

const (
	maxLabel      = 200
	maxAnnotation = 8000
	// passing is how long an alert lasts that nothing will end.
	passing = time.Hour
)

// names are the alertnames; what is not here is named after its kind.
var names = map[string]string{"level": "LiquidationLevel", "gauge": "RiskGauge", "stale": "DataStale", "fault": "DataFault"}

// all are the severities an incident's alert may have had: the severity is a label,
// because routes ask for it, and so part of what an alert is.
var all = []alerts.Severity{alerts.Critical, alerts.Warning, alerts.Info}

// compose makes the alerts that a message means, given the severities at which the
// incidents are held. One that grows more urgent takes the place of the one before.
func (n *Notifier) compose(m alerts.Message, in incident.Incident, held func(incident.Key) []alerts.Severity) []alert {
	var out []alert
	for _, k := range in.Closes {
		for _, s := range held(k) {
			out = append(out, n.ended(m, in, k, s))
		}
	}
	if in.Opens == "" {
		return out
	}
	now := n.client.Now().UTC()
	a := alert{Labels: n.label(in, in.Opens, m.Severity), StartsAt: m.Time.UTC(), EndsAt: now.Add(passing), GeneratorURL: n.link}
	if in.Lasting {
		a.EndsAt = now.Add(n.ends)
	}
	if a.StartsAt.After(now) {
		a.StartsAt = now
	}
	a.Annotations = notes(m, in)
	out = append(out, a)
	if !in.Lasting {
		return out
	}
	for _, s := range held(in.Opens) {
		if s != m.Severity {
			out = append(out, n.ended(m, in, in.Opens, s))
		}
	}
	return out
}

// ended is an alert that is over.
func (n *Notifier) ended(m alerts.Message, in incident.Incident, k incident.Key, s alerts.Severity) alert {
	return alert{Labels: n.label(in, k, s), Annotations: notes(m, in), StartsAt: m.Time.UTC(), EndsAt: m.Time.UTC(), GeneratorURL: n.link}
}

// label makes the labels, from nothing but what all messages of an incident share.
func (n *Notifier) label(in incident.Incident, k incident.Key, s alerts.Severity) map[string]string {
	l := map[string]string{}
	for name, value := range n.labels {
		l[name] = value
	}
	name, ok := names[in.Class]
	if !ok && in.Class != "" {
		name = "Liqwatch" + strings.ToUpper(in.Class[:1]) + in.Class[1:]
	}
	l["alertname"], l["rule"], l["severity"] = name, clip.To(in.Rule, maxLabel, clip.Runes), string(s)
	if p, ok := k.Place(in.Rule); ok {
		for name, value := range map[string]string{
			"axis": p.Axis, "gauge": p.Gauge, "subject": p.Subject, "level": p.Level, "side": p.Side, "episode": p.Episode,
		} {
			if value != "" {
				l[name] = clip.To(value, maxLabel, clip.Runes)
			}
		}
		return l
	}
	l["incident"] = clip.To(string(k), maxLabel, clip.Runes)
	return l
}

func notes(m alerts.Message, in incident.Incident) map[string]string {
	a := map[string]string{
		"summary":     clip.To(m.Title, maxLabel, clip.Runes),
		"description": clip.To(m.Text, maxAnnotation, clip.Runes),
	}
	if in.Advice != "" {
		a["advice"] = clip.To(in.Advice, maxAnnotation, clip.Runes)
	}
	return a
}
