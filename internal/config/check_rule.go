package config

import (
	"fmt"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

var severities = []string{"info", "warning", "critical"}

const (
	maxLevels = 1000 // of one rule
	maxAdvice = 500  // characters: a message must stay one message
	maxBlocks = 1000 // to wait through
)

func (k checker) rules() {
	first := map[string]int{}
	for i, r := range k.c.Rules {
		k.name(r.Name, "rules", i, "name")
		if before, ok := first[r.Name]; ok {
			k.refuse(fmt.Sprintf("first on line %d", k.c.At("rules", before).Line), "rule %q appears twice", r.Name)("rules", i, "name")
		} else {
			first[r.Name] = i
		}
		if k.written(i, "watch") {
			k.gauge(i, &k.c.Rules[i])
		} else {
			k.gaugeUnwanted(i, &r)
			k.ruleAxis(i, r)
			k.levels(i, r)
			k.approach(i, r)
			k.growth(i, r)
		}
		k.notify(i, r)
		k.followUps(i, r)
		if r.Blocks < 1 || r.Blocks > maxBlocks {
			k.refuse(fmt.Sprintf("write 1 for the first touch, at most %d", maxBlocks), "blocks is %d", r.Blocks)("rules", i, "blocks")
		}
		if r.Severity != "" && !contains(severities, r.Severity) {
			k.refuse(didYouMean(r.Severity, severities), "no severity %q", r.Severity)("rules", i, "severity")
		}
		if n := utf8.RuneCountInString(r.Advice); n > maxAdvice {
			k.refuse("link to a runbook instead", "advice of %d characters, at most %d", n, maxAdvice)("rules", i, "advice")
		}
		if r.MinAtRiskUSD.IsNegative() {
			k.refuse("leave it out to hear of everything", "min_at_risk_usd is below zero")("rules", i, "min_at_risk_usd")
		}
	}
}

func (k checker) ruleAxis(i int, r Rule) {
	if !k.written(i, "axis") {
		k.refuse("add it: the axis it watches, such as axis: ETH, or the number, such as watch: health_factor", "%q is missing", "axis")("rules", i)
		return
	}
	_, listed := k.c.Axes[r.Axis]
	known := append(sorted(k.c.Axes), BuiltinAxes...)
	if listed || contains(known, r.Axis) || isPeg(r.Axis) {
		return
	}
	k.refuse(didYouMean(r.Axis, known)+", or list it under axes", "no axis %q", r.Axis)("rules", i, "axis")
}

// isPeg reports the form A/B of two different symbols.
func isPeg(axis string) bool {
	if !axisForm.MatchString(axis) {
		return false
	}
	for i := range axis {
		if axis[i] == '/' {
			return axis[:i] != axis[i+1:]
		}
	}
	return false
}

func (k checker) levels(i int, r Rule) {
	hasLevels := len(r.Levels.Prices) > 0
	switch {
	case (hasLevels || r.Levels.Walls) && r.Walls != nil:
		k.refuse("keep one of them", "rule %q has levels and walls", r.Name)("rules", i, "walls")
	case !hasLevels && !r.Levels.Walls && r.Walls == nil:
		k.refuse("add levels: [2200, 2400] or walls: {}", "rule %q has no levels", r.Name)("rules", i, "levels")
	case len(r.Levels.Prices) > maxLevels:
		k.refuse(fmt.Sprintf("at most %d", maxLevels), "rule %q has %d levels", r.Name, len(r.Levels.Prices))("rules", i, "levels")
	}
	for j, level := range r.Levels.Prices {
		if !level.IsPositive() {
			k.refuse("a price is above zero", "level %s", level)("rules", i, "levels", j)
		}
		for _, before := range r.Levels.Prices[:min(j, maxLevels)] {
			if level.Equal(before) {
				k.refuse("keep one of the two", "level %s appears twice", level)("rules", i, "levels", j)
				break
			}
		}
	}
	if r.Walls == nil {
		return
	}
	if r.Walls.MinAtRiskUSD.IsNegative() {
		k.refuse("write 0 for any size", "min_at_risk_usd is below zero")("rules", i, "walls", "min_at_risk_usd")
	}
	if r.Walls.Count < 1 || r.Walls.Count > 100 {
		k.refuse("write 1 to 100", "a rule cannot have %d walls", r.Walls.Count)("rules", i, "walls", "count")
	}
}

func (k checker) approach(i int, r Rule) {
	zero, one := decimal.Zero, decimal.NewFromInt(1)
	if len(r.Approach) == 0 {
		k.refuse("write [5%, 2%, 0.5%], or leave it out", "no approach distances")("rules", i, "approach")
	}
	for j, a := range r.Approach {
		switch {
		case !between(zero, a.Decimal, one):
			k.refuse("write more than 0% and less than 100%", "an approach distance of %s", a.Percent())("rules", i, "approach", j)
		case j > 0 && !a.LessThan(r.Approach[j-1].Decimal):
			k.refuse("write them falling, each once, such as [5%, 2%, 0.5%]", "%s comes after %s",
				a.Percent(), r.Approach[j-1].Percent())("rules", i, "approach", j)
		}
	}
	k.rearm(i, &r)
	if len(r.Approach) > 0 && r.Approach[0].LessThan(one) && r.Rearm.Add(r.Approach[0].Decimal).GreaterThanOrEqual(one) {
		k.refuse("the price could never recede that far: make one of them smaller", "approach %s and rearm %s together reach 100%%",
			r.Approach[0].Percent(), r.Rearm.Percent())("rules", i, "rearm")
	}
}

func (k checker) rearm(i int, r *Rule) {
	if !between(decimal.Zero, r.Rearm.Decimal, decimal.New(5, -1)) {
		k.refuse("write more than 0% and less than 50%, such as 1%", "rearm is %s", r.Rearm.Percent())("rules", i, "rearm")
	}
}

func (k checker) growth(i int, r Rule) {
	if k.written(i, "growth") && !between(decimal.Zero, r.Growth.Decimal, decimal.NewFromInt(100)) {
		k.refuse("write a part such as 50%, or leave it out", "growth is %s", r.Growth.Percent())("rules", i, "growth")
	}
}

func (k checker) notify(i int, r Rule) {
	if len(r.Notify) == 0 {
		k.warn(fmt.Sprintf("rule %q notifies nobody: it shows on the page and in the log only", r.Name), "rules", i)
	}
	k.told(r.Notify, "rules", i, "notify")
}
