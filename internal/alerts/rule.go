package alerts

import (
	"errors"
	"fmt"

	"github.com/shopspring/decimal"
)

// Rule asks to be told when the price on an axis nears, reaches and leaves levels.
type Rule struct {
	Name string
	Axis string
	// Levels are prices on the axis' reference, each watched from both sides.
	Levels []decimal.Decimal
	// Walls: the levels are found in the ladder and change; see [Tracker.SetLevels].
	Walls bool
	// Approach are distances |price/level - 1| at which to speak, as fractions (0.05 is 5%).
	Approach []decimal.Decimal
	// Rearm is how far the price must recede, as a fraction of the level, before the
	// same thing is said again: from the level after a crossing, from the widest
	// approach distance otherwise.
	Rearm decimal.Decimal
	// MinAtRiskUSD is held against the collateral at risk between the price and the
	// level: less than it is not told. With 0 a level is told whatever is at risk.
	MinAtRiskUSD decimal.Decimal
	Notify       []string
	// Severity of all this rule's alerts; when empty each kind has its own.
	Severity Severity
	// Advice is what to do about it, in the user's words; may be empty.
	Advice string
	// Gauge names the number that is watched instead of an axis' price, such as
	// "health_factor". Levels are its bounds then: with Side [Down] each is told when
	// the number falls to it, with [Up] when it rises to it.
	Gauge string
	Side  Side
	// Blocks is for how many blocks in a row a mark must hold before it is told;
	// 0 and 1 tell the first touch.
	Blocks int
	// Growth is the part by which the amount at risk before a level must have grown
	// since it was last told, while the price stands still, to be told again; 0 is never.
	Growth decimal.Decimal
}

// Severity orders alerts: the most urgent is delivered first.
type Severity string

// The severities, least urgent first.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// Rank is 0 for the least urgent; an unknown severity ranks with [Warning].
func (s Severity) Rank() int {
	switch s {
	case Info:
		return 0
	case Critical:
		return 2
	}
	return 1
}

// maxAdvice is how long a rule's advice may be.
const maxAdvice = 500

var one = decimal.NewFromInt(1)

// Validate reports everything that is wrong with the rule, one error a finding.
func (r Rule) Validate() error {
	var errs []error
	bad := func(format string, a ...any) {
		errs = append(errs, fmt.Errorf("rule %q: "+format, append([]any{r.Name}, a...)...))
	}
	if r.Name == "" {
		bad("name is missing")
	}
	if r.Gauge != "" {
		r.validateGauge(bad)
	} else {
		r.validateLevels(bad)
	}
	for i, a := range r.Approach {
		if !a.IsPositive() || a.GreaterThanOrEqual(one) {
			bad("approach %s: want a part above 0%% and below 100%%, such as 5%%", percent(a))
		}
		if has(r.Approach[:i], a) {
			bad("approach %s is given twice", percent(a))
		}
	}
	if !r.Rearm.IsPositive() || r.Rearm.Add(r.widest()).GreaterThanOrEqual(one) {
		bad("rearm %s: want a part above 0%% that together with the widest approach stays below 100%%", percent(r.Rearm))
	}
	if r.MinAtRiskUSD.IsNegative() {
		bad("min_at_risk_usd %s: want 0 or more", r.MinAtRiskUSD)
	}
	if r.Blocks < 0 {
		bad("blocks %d: want 1 for the first touch, or more", r.Blocks)
	}
	if r.Growth.IsNegative() {
		bad("growth %s: want a part above 0%%, or nothing", percent(r.Growth))
	}
	if len(r.Advice) > maxAdvice {
		bad("advice is longer than %d characters: a message must fit a phone", maxAdvice)
	}
	switch r.Severity {
	case "", Info, Warning, Critical:
	default:
		bad("severity %q: want info, warning or critical", r.Severity)
	}
	return errors.Join(errs...)
}

// validateLevels checks what a rule about an axis' price needs.
func (r Rule) validateLevels(bad func(format string, a ...any)) {
	if r.Axis == "" {
		bad("axis is missing")
	}
	if r.Side != "" {
		bad("side %q: levels are watched from both sides", r.Side)
	}
	if len(r.Levels) == 0 && !r.Walls {
		bad("levels are missing: give at least one price")
	}
	for i, l := range r.Levels {
		if !l.IsPositive() {
			bad("level %s: a level is a price above 0", l)
		}
		if has(r.Levels[:i], l) {
			bad("level %s is given twice", l)
		}
	}
}

// validateGauge checks what a rule about a number needs.
func (r Rule) validateGauge(bad func(format string, a ...any)) {
	if r.Side != Down && r.Side != Up {
		bad("side %q: want down for bounds that the number falls to, or up", r.Side)
	}
	if len(r.Levels) == 0 {
		bad("bounds are missing: give at least one number")
	}
	for i, l := range r.Levels {
		if l.IsZero() {
			bad("bound 0: the margin is a part of the bound, so that 0 has none; give the smallest number that matters")
		}
		if has(r.Levels[:i], l) {
			bad("bound %s is given twice", l)
		}
	}
	if r.Walls || len(r.Approach) > 0 || !r.MinAtRiskUSD.IsZero() || !r.Growth.IsZero() {
		bad("walls, approach, min_at_risk_usd and growth are for levels on an axis: give more bounds instead")
	}
}

// watched names what a decision or a claim is about: the axis, or the gauge and its subject.
func (r Rule) watched(subject string) string {
	if r.Gauge == "" {
		return r.Axis
	}
	return r.Gauge + "|" + subject
}

// widest is the largest approach distance, 0 without any.
func (r Rule) widest() decimal.Decimal {
	var w decimal.Decimal
	for _, a := range r.Approach {
		w = decimal.Max(w, a)
	}
	return w
}

func has(list []decimal.Decimal, x decimal.Decimal) bool {
	for _, y := range list {
		if y.Equal(x) {
			return true
		}
	}
	return false
}
