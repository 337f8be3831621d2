package chart

import (
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// sketchScale turns prices and USD into pixels; text is written from decimals.
type sketchScale struct {
	scale
	low, high float64
}

func newSketchScale(s Sketch) sketchScale {
	rows := make([]row, 0, len(s.Bars))
	for _, b := range s.Bars {
		r := row{from: &b.From, to: &b.To}
		r.totals.AtRiskUSD = b.AtRiskUSD
		rows = append(rows, r)
	}
	out := sketchScale{scale: newScale(rows, barsRight-plotLeft)}
	if n := len(s.Bars); n > 0 {
		out.low, out.high = s.Bars[0].From.InexactFloat64(), s.Bars[n-1].To.InexactFloat64()
	}
	return out
}

// y is where a price lies; one outside lies at the edge.
func (s sketchScale) y(p decimal.Decimal) int {
	if s.high <= s.low {
		return plotBottom
	}
	part := (p.InexactFloat64() - s.low) / (s.high - s.low)
	return plotBottom - int(math.Round(min(1, max(0, part))*(plotBottom-plotTop)))
}

// shows reports a price within the plot.
func (s sketchScale) shows(p decimal.Decimal) bool {
	f := p.InexactFloat64()
	return f >= s.low && f <= s.high
}

// longest are the longest of the first bars and then all, longest first.
func longest(first, all []SketchBar) []SketchBar {
	order := func(a, b SketchBar) int { return b.AtRiskUSD.Cmp(a.AtRiskUSD) }
	out := slices.Clone(all)
	slices.SortStableFunc(out, order)
	if len(first) > 0 {
		out = slices.Insert(out, 0, slices.MinFunc(first, order))
	}
	return out
}

// roundPrices are at most n round prices within the plot.
func (s sketchScale) roundPrices(n int) []decimal.Decimal {
	low, high := decimal.NewFromFloat(s.low), decimal.NewFromFloat(s.high)
	width := high.Sub(low)
	if !width.IsPositive() {
		return nil
	}
	raw := width.DivRound(decimal.NewFromInt(int64(n)), 24)
	if raw.IsZero() {
		return nil
	}
	power := decimal.New(1, int32(raw.NumDigits())+raw.Exponent()-1)
	step := power.Mul(decimal.NewFromInt(10))
	for _, k := range []int64{5, 2, 1} {
		if s := power.Mul(decimal.NewFromInt(k)); s.GreaterThanOrEqual(raw) {
			step = s
		}
	}
	var out []decimal.Decimal
	for p := low.Div(step).Ceil().Mul(step); p.LessThanOrEqual(high); p = p.Add(step) {
		out = append(out, p)
	}
	return out
}

// inWords writes money as the message beside the picture does: 312 M, 1.2 B.
func inWords(d decimal.Decimal) string {
	s := strings.TrimPrefix(usd(d), "$")
	unit := ""
	if n := len(s); n > 0 && strings.ContainsAny(s[n-1:], "KMBT") {
		s, unit = s[:n-1], " "+s[n-1:]
	}
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s + strings.ReplaceAll(unit, "K", "k")
}
