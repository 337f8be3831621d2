package watch

import (
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/thresholds"
)

// Sources are what must not fall silent: chains, markets and prices, each with when
// it was last fed. Starting are the chains whose first pass has not ended.
func (e *Engine) Sources(limit time.Duration) (sources []alerts.Source, starting []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, c := range e.chains {
		if !c.tried || c.block.Number == 0 {
			starting = append(starting, name)
		}
	}
	return e.sources(limit), starting
}

// Outlook is how every watched axis stands: the price, the nearest levels, the
// nearest wall. An axis without a price is left out.
func (e *Engine) Outlook() ([]alerts.ReportAxis, error) {
	e.mu.Lock()
	var looks []Look
	for _, axis := range e.axes() {
		looks = append(looks, e.lookAlong(axis))
	}
	e.mu.Unlock()
	var out []alerts.ReportAxis
	for _, look := range looks {
		o, ladder, err := Observe(look)
		if errors.Is(err, thresholds.ErrNoAxis) {
			continue
		}
		if err != nil {
			return nil, err
		}
		a := alerts.ReportAxis{Axis: look.Axis, Price: o.Price, Liquidatable: o.Now.AtRiskUSD}
		for _, v := range o.Levels {
			l := &alerts.ReportLevel{Level: v.Level, AtRiskUSD: v.AtRiskUSD}
			if below := v.Level.LessThan(o.Price); below && (a.Below == nil || a.Below.Level.LessThan(v.Level)) {
				a.Below = l
			} else if !below && (a.Above == nil || a.Above.Level.GreaterThan(v.Level)) {
				a.Above = l
			}
		}
		if a.Wall, err = nearestWall(ladder, o.Price); err != nil {
			return nil, fmt.Errorf("find the walls of %s: %w", look.Axis, err)
		}
		out = append(out, a)
	}
	return out, nil
}

// nearestWall is the one that the price reaches first; nil where there is none.
func nearestWall(l *thresholds.Ladder, price decimal.Decimal) (*alerts.ReportLevel, error) {
	walls, err := l.Walls(thresholds.WallOptions{})
	if err != nil {
		return nil, err
	}
	var near *alerts.ReportLevel
	for _, w := range walls {
		if near == nil || w.Edge().Sub(price).Abs().LessThan(near.Level.Sub(price).Abs()) {
			near = &alerts.ReportLevel{Level: w.Edge(), AtRiskUSD: w.AtRiskUSD}
		}
	}
	return near, nil
}
