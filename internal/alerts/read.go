package alerts

import (
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

// Read applies looks at numbers to the gauge rules they are of, each whole: all that a
// rule watches on a chain. What follows is committed at once; where nothing changed,
// nothing is written. Readings of a rule that does not exist, or is no gauge rule,
// are an error.
func (t *Tracker) Read(ctx context.Context, looks []Readings) (Outcome, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all Outcome
	var states []State
	values := map[string]map[string]decimal.Decimal{}
	for i, look := range looks {
		r, err := t.gaugeRule(look.Rule)
		if err != nil {
			return Outcome{}, err
		}
		key := stateKey(r.Name, look.Chain)
		if _, twice := values[key]; twice {
			return Outcome{}, fmt.Errorf("rule %q: readings %d are the second of chain %s", r.Name, i, look.Chain)
		}
		s, ok := t.states[key]
		if !ok {
			s.Rule = key
		}
		last := t.values[key]
		next, out, changed, err := AdvanceGauge(r, s, look, func(subject string) (decimal.Decimal, bool) {
			v, ok := last[subject]
			return v, ok
		})
		if err != nil {
			return Outcome{}, err
		}
		values[key] = valuesOf(look)
		all.Alerts = append(all.Alerts, out.Alerts...)
		all.Decisions = append(all.Decisions, out.Decisions...)
		if changed {
			states = append(states, next)
		}
	}
	if err := t.keepLooks(ctx, looks, all, states); err != nil {
		return Outcome{}, err
	}
	for key, v := range values {
		t.values[key] = v
	}
	return all, nil
}

// keepLooks commits what looks at numbers led to.
func (t *Tracker) keepLooks(ctx context.Context, looks []Readings, all Outcome, states []State) error {
	c := Change{Decisions: all.Decisions}
	for _, look := range looks {
		if look.Seen.After(c.At) {
			c.At = look.Seen
		}
	}
	if len(states) == 0 {
		t.report(c)
		return nil
	}
	var err error
	if c.Posts, err = posts(all.Alerts); err != nil {
		return err
	}
	t.hush(ctx, c.Posts, c.At)
	return t.commit(ctx, c, states)
}

func (t *Tracker) gaugeRule(name string) (Rule, error) {
	i := slices.IndexFunc(t.rules, func(r Rule) bool { return r.Name == name })
	if i < 0 || t.rules[i].Gauge == "" {
		return Rule{}, fmt.Errorf("readings of rule %q: there is no rule of that name that watches a number", name)
	}
	return t.rules[i], nil
}

// valuesOf are the numbers of a look, to say of the next what they were before.
func valuesOf(look Readings) map[string]decimal.Decimal {
	out := make(map[string]decimal.Decimal, len(look.Readings))
	for _, one := range look.Readings {
		if !one.Gone {
			out[one.Subject] = one.Value
		}
	}
	return out
}
