// Package incident tells channels that keep incidents, such as PagerDuty and
// Alertmanager, which one a message belongs to, and whether it opens or closes it.
package incident

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"liqwatch/internal/alerts"
)

// Incident is what a message means to a channel that keeps incidents.
type Incident struct {
	// Class is the sort of incident: level, gauge, stale, fault, or the message's own kind.
	Class string
	Rule  string
	// Opens is the incident that the message opens or says more of. Empty for none.
	Opens Key
	// Closes are those that it ends.
	Closes []Key
	// Lasting: a later message will close what this one opens. What is not lasting is
	// closed by a person, or by time.
	Lasting bool
	Advice  string
}

// Key tells one incident from all others, and is the same in all its messages.
type Key string

// Place is where an incident is: the axis or the gauge and its subject, the level or
// bound, the side and the number of the episode.
type Place struct {
	Axis, Gauge, Subject string // the axis, or the other two
	Level, Side, Episode string
}

// Place takes the key of an incident of a rule apart; false for incidents that are
// about no level.
func (k Key) Place(rule string) (Place, bool) {
	rest, ok := strings.CutPrefix(string(k), rule+"|")
	parts := strings.Split(rest, "|")
	n := len(parts) - 3
	if !ok || n < 1 {
		return Place{}, false
	}
	p := Place{Axis: strings.Join(parts[:n], "|"), Level: parts[n], Side: parts[n+1], Episode: parts[n+2]}
	if side := alerts.Side(p.Side); side != alerts.Down && side != alerts.Up {
		return Place{}, false
	}
	if gauge, subject, ok := strings.Cut(p.Axis, "|"); ok {
		p.Axis, p.Gauge, p.Subject = "", gauge, subject
	}
	return p, true
}

// Of reads a message's body. A message that opens and closes nothing is an incident
// of its own, so that it is never dropped.
//
// A correction takes back what was said and not what still holds: it is told in the
// incident and leaves it open, because one left open costs a look and one closed
// wrongly may cost the money. A correction of "away again" opens it anew.
func Of(m alerts.Message) (Incident, error) {
	var b alerts.Body
	if err := json.Unmarshal(m.Data, &b); err != nil {
		return Incident{}, fmt.Errorf("read the alert's body: %w", err)
	}
	d := b.Data
	in := Incident{Class: string(d.Kind), Rule: d.Rule, Advice: d.Advice}
	keys := claimed(d.Claims)
	if d.Follows != nil { // a reminder, or an escalation: said again in the incident it is of
		for _, e := range d.Follows.Episodes {
			keys = append(keys, Key(e))
		}
	}
	switch d.Kind {
	case alerts.KindStale, alerts.KindFault:
		in.Class, in.Opens, in.Lasting = string(d.Kind), after(d.Key), true
	case alerts.KindFresh:
		in.Class, in.Closes = string(alerts.KindStale), []Key{after(d.Key)}
	case alerts.KindMended:
		in.Class, in.Closes = string(alerts.KindFault), []Key{after(d.Key)}
	case alerts.KindRearmed:
		in.Class, in.Closes = class(keys, d.Rule), keys
	default:
		in.Opens = Key(d.Key)
		if len(keys) > 0 {
			in.Class, in.Opens, in.Lasting = class(keys, d.Rule), keys[len(keys)-1], true
		}
	}
	in.Closes = slices.DeleteFunc(in.Closes, func(k Key) bool { return k == "" })
	if in.Opens == "" && len(in.Closes) == 0 {
		in.Opens = Key(m.ID)
	}
	return in, nil
}

// class tells incidents about prices from those about other numbers.
func class(keys []Key, rule string) string {
	if len(keys) > 0 {
		if p, ok := keys[0].Place(rule); ok && p.Gauge != "" {
			return "gauge"
		}
	}
	return "level"
}

// claimed are the claims without their marks: what an episode's messages share.
func claimed(claims []string) []Key {
	var out []Key
	for _, c := range claims {
		if i := strings.LastIndexByte(c, '|'); i > 0 && !slices.Contains(out, Key(c[:i])) {
			out = append(out, Key(c[:i]))
		}
	}
	return out
}

// after is a key without the kind that begins it: what "stale|chain|ethereum|1" and
// "fresh|chain|ethereum|1" share.
func after(key string) Key {
	_, rest, ok := strings.Cut(key, "|")
	if !ok {
		return Key(key)
	}
	return Key(rest)
}
