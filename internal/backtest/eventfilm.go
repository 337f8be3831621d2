package backtest

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/prices"
)

// EventFilm makes a film of liquidations and prices alone. Nothing is known of what
// lies at a level, so something is taken to be there.
func EventFilm(list []history.Liquidation, series *prices.Series, opt FilmOptions) (*Film, error) {
	first, last := series.Span()
	if opt.To < first || opt.From > last {
		return nil, fmt.Errorf("run rules from %s to %s: %w, whose prices run from %s to %s", stamp(opt.From), stamp(opt.To), ErrWindow, stamp(first), stamp(last))
	}
	f := &Film{Axis: opt.Axis, Reference: series.File, From: opt.From, To: opt.To, Levels: opt.Levels}
	for _, t := range series.Between(opt.From, opt.To) {
		n := uint64(len(f.Looks) + 1)
		// A close is known when its candle is complete.
		at := t.Time + series.Step
		if series.Rounds {
			at = t.Time
		}
		o := alerts.Observation{Axis: opt.Axis, Reference: series.File, Price: t.Close.Decimal(), Seen: time.Unix(int64(at), 0).UTC(),
			Blocks: []alerts.BlockRef{{Chain: filmChain, Number: n, Time: at}}, Final: map[string]uint64{filmChain: n}}
		for _, level := range opt.Levels {
			o.Levels = append(o.Levels, alerts.LevelView{Level: level, Totals: alerts.Totals{Accounts: 1, AtRiskUSD: decimal.NewFromInt(1)}})
		}
		f.Looks = append(f.Looks, Look{Observation: o})
	}
	var in incidents
	for i := range list {
		if l := &list[i]; l.Time >= opt.From && l.Time <= opt.To {
			in.add(l, l.Trigger, false)
		}
	}
	f.Incidents = in.list
	return f, nil
}
