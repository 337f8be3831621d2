package alerts

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

// SetLevels gives a rule other levels: those of a rule that follows the ladder's
// walls. A level that is gone is retired at the next look; should it come back, its
// next episode begins.
func (t *Tracker) SetLevels(rule string, levels []decimal.Decimal) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.rules, func(r Rule) bool { return r.Name == rule })
	if i < 0 {
		return fmt.Errorf("set the levels of rule %q: there is no such rule", rule)
	}
	r := t.rules[i]
	r.Levels = slices.Clone(levels)
	if err := r.Validate(); err != nil {
		return fmt.Errorf("set the levels of rule %q: %w", rule, err)
	}
	t.rules = slices.Clone(t.rules)
	t.rules[i] = r
	return nil
}

// WatchedLevels are those of a rule that have not been retired, each once,
// ascending: what a rule of walls goes on from after a restart.
func (t *Tracker) WatchedLevels(rule string) []decimal.Decimal {
	var out []decimal.Decimal
	for _, e := range t.Episodes(rule) {
		if !e.Retired && !has(out, e.Level) {
			out = append(out, e.Level)
		}
	}
	slices.SortFunc(out, decimal.Decimal.Compare)
	return out
}

// BusyLevels are those of a rule that the price is near to or past: an episode is
// under way there, and taking the level away would leave it without an end.
func (t *Tracker) BusyLevels(rule string) []decimal.Decimal {
	var out []decimal.Decimal
	for _, e := range t.Episodes(rule) {
		if !e.Retired && e.Said && !has(out, e.Level) {
			out = append(out, e.Level)
		}
	}
	return out
}
