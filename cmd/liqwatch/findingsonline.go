package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/urfave/cli/v3"

	"liqwatch/chains"
	"liqwatch/internal/config"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// onlineFindings hold the rules against the markets as they are now.
func onlineFindings(ctx context.Context, cmd *cli.Command) ([]config.Finding, error) {
	snap, err := takeSnapshot(ctx, cmd)
	if err != nil {
		return nil, err
	}
	defer snap.done()
	o := online{cfg: snap.cfg, books: snap.books(), ladders: map[string]*thresholds.Ladder{}}
	for i, r := range snap.cfg.Rules {
		if err := o.rule(i, r); err != nil {
			return nil, fmt.Errorf("rule %q: %w", r.Name, err)
		}
	}
	config.SortFindings(o.found)
	return o.found, nil
}

// online is the file beside the books of all its markets.
type online struct {
	cfg     *config.Config
	books   []protocols.Book
	ladders map[string]*thresholds.Ladder
	found   []config.Finding
}

func (o *online) note(rule int, never bool, hint, problem string, path ...any) {
	o.found = append(o.found, config.Finding{
		Position: o.cfg.At(append([]any{"rules", rule}, path...)...), Rule: o.cfg.Rules[rule].Name, Never: never, Problem: problem, Hint: hint,
	})
}

func (o *online) rule(i int, r config.Rule) error {
	if r.Axis != "" && r.Axis != "market" {
		l, err := o.ladder(r.Axis)
		if err != nil {
			o.note(i, true, "choose an axis that a market has, or add a market", err.Error(), "axis")
			return nil // that is the finding
		}
		if err := o.levels(i, r, l); err != nil {
			return err
		}
	}
	switch r.Watch {
	case "health_factor":
		o.accounts(i, r)
	case "utilization":
		o.assets(i, r)
	case "divergence", "at_risk_share":
		o.marketsOfAxis(i, r)
	}
	return nil
}

func (o *online) ladder(axis string) (*thresholds.Ladder, error) {
	if l := o.ladders[axis]; l != nil {
		return l, nil
	}
	l, err := thresholds.Build(axis, o.cfg.Axes[axis].Reference, o.books)
	if err == nil {
		o.ladders[axis] = l
	}
	return l, err
}

// levels looks at a rule's prices from where the price is now.
func (o *online) levels(i int, r config.Rule, l *thresholds.Ladder) error {
	hopeless := r.Watch == "" && o.minimum(i, r.MinAtRiskUSD)
	for j, level := range r.Levels.Prices {
		switch {
		case outOfReach(l.Spot(), level):
			o.note(i, true, fmt.Sprintf("%s is at %s now", r.Axis, l.Spot()), fmt.Sprintf("level %s is further than positions are looked at", level), "levels", j)
		case hopeless || r.Watch != "" || level.Equal(l.Spot()):
		default:
			if err := o.level(i, j, l, level); err != nil {
				return err
			}
		}
	}
	return nil
}

// level looks at one price that can be reached.
func (o *online) level(i, j int, l *thresholds.Ladder, level decimal.Decimal) error {
	c, err := l.Crossing(level)
	if err != nil {
		return err
	}
	switch least := o.cfg.Rules[i].MinAtRiskUSD; {
	case c.Direction == "up":
		o.note(i, false, "a fall to it is told once the price has been above it",
			fmt.Sprintf("%s is at %s, below level %s already: it is watched from below", l.Axis().Name, l.Spot(), level), "levels", j)
	case c.AtRiskUSD.LessThan(least):
		o.note(i, false, "it is told once that has grown; lower min_at_risk_usd to hear of it before",
			fmt.Sprintf("%s USD come due between %s and level %s, less than min_at_risk_usd", c.AtRiskUSD.Round(0), l.Spot(), level), "levels", j)
	case c.Accounts == 0:
		o.note(i, false, "it is told of the price alone; set min_at_risk_usd to hear of it only when that changes",
			fmt.Sprintf("nothing comes due between %s and level %s", l.Spot(), level), "levels", j)
	}
	return nil
}

// outOfReach: no position is looked at that far away.
func outOfReach(spot, level decimal.Decimal) bool {
	fall, rise := decimal.NewFromInt(thresholds.MaxFall), decimal.NewFromInt(thresholds.MaxRise)
	return spot.GreaterThan(level.Mul(fall)) || level.GreaterThan(spot.Mul(rise))
}

// minimum: a rule that wants more at risk than there is collateral never speaks.
func (o *online) minimum(i int, least decimal.Decimal) bool {
	if !least.IsPositive() {
		return false
	}
	all := decimal.Zero
	for _, b := range o.books {
		prices := b.Prices()
		for p := range b.Len() {
			f := b.Figures(p, prices)
			all = all.Add(prices.USD(&f.AtRisk, b.QuoteDecimals()))
		}
	}
	if all.GreaterThanOrEqual(least) {
		return false
	}
	o.note(i, true, "lower it", fmt.Sprintf("min_at_risk_usd is %s and all collateral of borrowers is worth %s USD", least, all.Round(0)), "min_at_risk_usd")
	return true
}

func (o *online) of(r config.Rule) []protocols.Book {
	var out []protocols.Book
	for _, b := range o.books {
		if len(r.Markets) == 0 || slices.Contains(r.Markets, b.Market()) {
			out = append(out, b)
		}
	}
	return out
}

func (o *online) accounts(i int, r config.Rule) {
	for j, id := range r.Accounts {
		if !owes(o.of(r), id) {
			o.note(i, false, "it is told of once it borrows; is the address right?", fmt.Sprintf("%s owes nothing in the markets that rule %q watches", id, r.Name), "accounts", j)
		}
	}
}

func owes(books []protocols.Book, id string) bool {
	address, err := chains.ParseAddress(id)
	for _, b := range books {
		if err == nil {
			id = address.String()
		}
		if _, ok := b.Find(id); ok {
			return true
		}
		for p := range b.Len() {
			if err == nil && b.Owner(p) == address {
				return true
			}
		}
	}
	return false
}

func (o *online) assets(i int, r config.Rule) {
	for j, symbol := range r.Assets {
		var known []string
		has := false
		for _, b := range o.of(r) {
			for _, a := range b.Assets() {
				known = append(known, a.Symbol)
				has = has || strings.EqualFold(a.Symbol, symbol)
			}
		}
		if !has {
			slices.Sort(known)
			o.note(i, true, "there are "+strings.Join(slices.Compact(known), ", "), fmt.Sprintf("no market that rule %q watches has an asset %q", r.Name, symbol), "assets", j)
		}
	}
}

// marketsOfAxis: a market in which nothing moves with the axis has no number for it.
func (o *online) marketsOfAxis(i int, r config.Rule) {
	for j, name := range r.Markets {
		for _, b := range o.books {
			if _, ok := b.Path(r.Axis); !ok && b.Market() == name {
				o.note(i, true, "it has "+strings.Join(b.Axes(), ", "), fmt.Sprintf("market %q has no axis %s", name, r.Axis), "markets", j)
			}
		}
	}
}
