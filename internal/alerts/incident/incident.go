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
	// Class is the sort of incident: level, data, fault, or the message's own kind.
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

// Level are the parts of the key of an incident about a price level; false for others.
func (k Key) Level() (axis, level, side, episode string, ok bool) {
	parts := strings.Split(string(k), "|")
	if len(parts) < 5 {
		return "", "", "", "", false
	}
	parts = parts[len(parts)-4:]
	if side := alerts.Side(parts[2]); side != alerts.Down && side != alerts.Up {
		return "", "", "", "", false
	}
	return parts[0], parts[1], parts[2], parts[3], true
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
	switch d.Kind {
	case alerts.KindStale, alerts.KindFault:
		in.Class, in.Opens, in.Lasting = string(d.Kind), after(d.Key), true
	case alerts.KindFresh:
		in.Class, in.Closes = string(alerts.KindStale), []Key{after(d.Key)}
	case alerts.KindMended:
		in.Class, in.Closes = string(alerts.KindFault), []Key{after(d.Key)}
	case alerts.KindRearmed:
		in.Class, in.Closes = "level", keys
	default:
		in.Opens = Key(d.Key)
		if len(keys) > 0 {
			in.Class, in.Opens, in.Lasting = "level", keys[len(keys)-1], true
		}
	}
	if in.Opens == "" && len(in.Closes) == 0 {
		in.Opens = Key(m.ID)
	}
	return in, nil
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
