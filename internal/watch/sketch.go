package watch

import (
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/thresholds"
)

// A sketch is about this many bars, so that each is a line on a phone.
const sketchBars = 44

// How far a sketch reaches from the price, as parts of it. A level within near is
// always in it; of those further away, the next one on each side within far, so
// that a distant level does not squeeze what is about to happen into two bars.
var (
	sketchLeastDown = decimal.RequireFromString("0.06")
	sketchLeastUp   = decimal.RequireFromString("0.04")
	sketchPast      = decimal.RequireFromString("0.03") // beyond the last level
	sketchNear      = decimal.RequireFromString("0.15")
	sketchFar       = decimal.RequireFromString("0.4")
	one             = decimal.NewFromInt(1)
)

// Sketch reads the ladder around the price: what comes due step by step on both
// sides, with the levels in it that are near.
func Sketch(l *thresholds.Ladder, levels []decimal.Decimal) (*alerts.Sketch, error) {
	spot := l.Spot()
	low := spot.Mul(one.Sub(reach(spot, levels, true)))
	high := spot.Mul(one.Add(reach(spot, levels, false)))
	step := niceStep(high.Sub(low), sketchBars)
	low, high = low.Div(step).Floor().Mul(step), high.Div(step).Ceil().Mul(step)
	if !low.IsPositive() {
		low = step
	}
	edges, err := thresholds.StepEdges(step, low, high)
	if err != nil {
		return nil, err
	}
	var below, above []decimal.Decimal
	for _, e := range edges {
		switch e.Cmp(spot) {
		case -1:
			below = append(below, e)
		case 1:
			above = append(above, e)
		}
	}
	slices.Reverse(below)
	down, err := bars(l, spot, below)
	if err != nil {
		return nil, err
	}
	up, err := bars(l, spot, above)
	if err != nil {
		return nil, err
	}
	slices.Reverse(down)
	return &alerts.Sketch{Axis: l.Axis().Name, Spot: spot, Bars: append(down, up...)}, nil
}

// bars are those from spot to the outermost edge on one side, from spot outward.
func bars(l *thresholds.Ladder, spot decimal.Decimal, edges []decimal.Decimal) ([]alerts.SketchBar, error) {
	due, err := l.Profile(edges)
	if err != nil {
		return nil, err
	}
	out, near := make([]alerts.SketchBar, len(edges)), spot
	for k, far := range edges {
		// Whole dollars: a picture shows no less, and the message that keeps it stays small.
		out[k] = alerts.SketchBar{From: decimal.Min(near, far), To: decimal.Max(near, far), AtRiskUSD: due[k].Round(0)}
		near = far
	}
	return out, nil
}

// reach is how far a sketch goes on one side, as a part of the price.
func reach(spot decimal.Decimal, levels []decimal.Decimal, down bool) decimal.Decimal {
	least := sketchLeastUp
	if down {
		least = sketchLeastDown
	}
	var deepest, nearest decimal.Decimal
	for _, l := range levels {
		d := l.Sub(spot).DivRound(spot, 8)
		if down {
			d = d.Neg()
		}
		if !d.IsPositive() || d.GreaterThan(sketchFar) {
			continue
		}
		if d.LessThanOrEqual(sketchNear) {
			deepest = decimal.Max(deepest, d)
		}
		if nearest.IsZero() || d.LessThan(nearest) {
			nearest = d
		}
	}
	if deepest = decimal.Max(deepest, nearest); deepest.IsZero() {
		return least
	}
	return decimal.Max(least, deepest.Add(sketchPast))
}

// niceStep is the smallest of 1, 2, 2.5 or 5 times a power of ten that cuts a width
// into at most n parts.
func niceStep(width decimal.Decimal, n int64) decimal.Decimal {
	raw := width.DivRound(decimal.NewFromInt(n), 18)
	if !raw.IsPositive() {
		raw = decimal.New(1, -18)
	}
	power := decimal.New(1, int32(raw.NumDigits())+raw.Exponent()-1)
	for _, k := range []string{"1", "2", "2.5", "5"} {
		if s := power.Mul(decimal.RequireFromString(k)); s.GreaterThanOrEqual(raw) {
			return s
		}
	}
	return power.Mul(decimal.NewFromInt(10))
}
