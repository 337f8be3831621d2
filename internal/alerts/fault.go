package alerts

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Fault is something wrong with a market's numbers, found by the market's own
// checks: a change that no event told of, debts that do not add up, an oracle that
// no longer follows its model.
type Fault struct {
	Market string `json:"market"`
	Kind   string `json:"kind"`   // stable, such as "sum"
	Detail string `json:"detail"` // one sentence
}

func (f Fault) beat() string { return "fault|" + f.Market + "|" + f.Kind }

// Faults tells of faults that are new, and of those that are gone, once each. The
// faults given are all that there are now, of the markets given; of other markets
// nothing is known.
func (t *Tracker) Faults(ctx context.Context, now time.Time, markets []string, faults []Fault) ([]Alert, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := Change{At: now}
	var made []Alert
	standing := map[string]bool{}
	for _, f := range faults {
		b := t.beats[f.beat()]
		if b.Stale || standing[f.beat()] { // several of a kind are one alert
			standing[f.beat()] = true
			continue
		}
		standing[f.beat()] = true
		b.Source, b.Stale, b.Number, b.Since = f.beat(), true, b.Number+1, now
		c.Beats = append(c.Beats, b)
		made = append(made, t.faultAlert(KindFault, ReasonFault, f, b, now))
	}
	for _, b := range t.gone(markets, standing) {
		b.Stale = false
		c.Beats = append(c.Beats, b)
		made = append(made, t.faultAlert(KindMended, ReasonMended, faultOf(b), b, now))
	}
	if len(made) == 0 {
		return nil, nil
	}
	posts, err := posts(made)
	if err != nil {
		return nil, err
	}
	t.hush(ctx, posts, now)
	c.Posts = posts
	return made, t.commit(ctx, c, nil)
}

// gone are the faults told of these markets that stand no longer.
func (t *Tracker) gone(markets []string, standing map[string]bool) []Beat {
	var out []Beat
	for _, m := range markets {
		for source, b := range t.beats {
			if b.Stale && !standing[source] && strings.HasPrefix(source, "fault|"+m+"|") {
				out = append(out, b)
			}
		}
	}
	return out
}

func faultOf(b Beat) Fault {
	parts := strings.SplitN(b.Source, "|", 3)
	return Fault{Market: parts[1], Kind: parts[2]}
}

func (t *Tracker) faultAlert(kind Kind, reason Reason, f Fault, b Beat, now time.Time) Alert {
	a := Alert{
		Key: fmt.Sprintf("%s|%s|%d", kind, b.Source, b.Number), Kind: kind, Reason: reason, Rule: faultRule,
		Notify: t.stale.Notify, Seen: now, Fault: &f, Severity: kind.severity(),
	}
	if kind == KindFault && t.stale.Severity != "" {
		a.Severity = t.stale.Severity
	}
	return a
}
