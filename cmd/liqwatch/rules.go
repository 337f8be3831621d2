package main

import (
	"slices"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
	"liqwatch/thresholds"
)

// rulesOf hands the rules of the file to the alerts room; with tell given, its
// messages go there and nowhere else.
func rulesOf(cfg *config.Config, tell ...string) ([]alerts.Rule, error) {
	rules := make([]alerts.Rule, len(cfg.Rules))
	for i, r := range cfg.Rules {
		rules[i] = ruleOf(r)
		if len(tell) > 0 {
			rules[i].Notify = tell
		}
		if err := rules[i].Validate(); err != nil {
			return nil, cfg.At("rules", i).Wrap(err)
		}
	}
	return rules, nil
}

func ruleOf(r config.Rule) alerts.Rule {
	out := alerts.Rule{
		Name: r.Name, Rearm: r.Rearm.Decimal, MinAtRiskUSD: r.MinAtRiskUSD, Notify: r.Notify,
		Severity: alerts.Severity(r.Severity), Advice: r.Advice, Blocks: r.Blocks, Growth: r.Growth.Decimal,
	}
	if r.Watch != "" {
		out.Gauge, out.Side = r.Watch, alerts.Up
		if len(r.Below) > 0 {
			out.Side = alerts.Down
		}
		for _, b := range r.Bounds() {
			out.Levels = append(out.Levels, boundOf(r.Watch, b.Decimal))
		}
		return out
	}
	out.Axis, out.Levels, out.Walls = r.Axis, r.Levels.Prices, followsWalls(r)
	for _, a := range r.Approach {
		out.Approach = append(out.Approach, a.Decimal)
	}
	return out
}

// boundOf is a bound as the number is read: changes are read as quotients, now over
// then, so that -10% is 0.9.
func boundOf(gauge string, bound decimal.Decimal) decimal.Decimal {
	switch gauge {
	case "tvl", "supplied", "borrowed":
		return decimal.NewFromInt(1).Add(bound)
	}
	return bound
}

func followsWalls(r config.Rule) bool { return r.Levels.Walls || r.Walls != nil }

func wallOptions(r config.Rule) thresholds.WallOptions {
	if r.Walls == nil {
		return thresholds.WallOptions{}
	}
	return thresholds.WallOptions{MinAtRiskUSD: r.Walls.MinAtRiskUSD, Max: r.Walls.Count}
}

// setUpEngine tells the engine the parts of the file that are not rules' own.
func setUpEngine(engine *watch.Engine, cfg *config.Config) error {
	for name, a := range cfg.Axes {
		engine.References[name] = a.Reference
	}
	for i, r := range cfg.Rules {
		var err error
		switch {
		case r.Watch != "":
			err = engine.WatchGauge(gaugeOf(r))
		case followsWalls(r):
			err = engine.FollowWalls(r.Name, wallOptions(r), r.Rearm.Decimal)
		}
		if err != nil {
			return cfg.At("rules", i).Wrap(err)
		}
	}
	return nil
}

func gaugeOf(r config.Rule) watch.Gauge {
	g := watch.Gauge{
		Rule: r.Name, Markets: r.Markets, Accounts: r.Accounts, Largest: r.Largest, Assets: r.Assets,
		Axis: r.Axis, Levels: r.Levels.Prices, Within: r.Within, Shock: r.Shock.Decimal,
	}
	if followsWalls(r) {
		o := wallOptions(r)
		g.Walls = &o
	}
	return g
}

// axesOf are the axes that rules and the file name: those of rules first.
func axesOf(cfg *config.Config) []string {
	var out []string
	add := func(axis string) {
		if axis != "" && !slices.Contains(out, axis) {
			out = append(out, axis)
		}
	}
	for _, r := range cfg.Rules {
		add(r.Axis)
	}
	for _, name := range sortedKeys(cfg.Axes) {
		add(name)
	}
	return out
}

// newRecorder keeps history of the axes that the file names.
func newRecorder(kept *store.Store, engine *watch.Engine, cfg *config.Config, log zerolog.Logger) *watch.Recorder {
	r := watch.NewRecorder(kept, engine.Books, log)
	r.Axes, r.References, r.Now = axesOf(cfg), engine.References, engine.Now
	return r
}
