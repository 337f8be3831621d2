package chart

import (
	"math"

	"github.com/shopspring/decimal"
)

// scale turns USD into pixels; floats place pixels, text is written from decimals.
type scale struct {
	max    float64
	pixels int
	step   decimal.Decimal
	ticks  int
}

// newScale takes the next round number above the largest bar, in at most five
// steps. The outermost bands have no end, so that one of them often holds more
// than all others together: bars that would dwarf the closed bands are cut short.
func newScale(rows []row, pixels int) scale {
	closed, largest := decimal.Zero, decimal.Zero
	for _, r := range rows {
		size := decimal.Max(r.totals.AtRiskUSD, r.totals.SeizableUSD)
		largest = decimal.Max(largest, size)
		if r.from != nil && r.to != nil {
			closed = decimal.Max(closed, size)
		}
	}
	if closed.Sign() > 0 && largest.GreaterThan(closed.Mul(decimal.NewFromInt(2))) {
		largest = closed
	}
	if largest.Sign() <= 0 {
		return scale{max: 1, pixels: pixels}
	}
	step := decimal.New(1, int32(largest.NumDigits())+largest.Exponent()-1)
	for _, part := range []string{"0.1", "0.2", "0.25", "0.5", "1", "2"} {
		s := step.Mul(decimal.RequireFromString(part))
		n := largest.Div(s).Ceil().IntPart()
		if n <= 5 {
			return scale{s.Mul(decimal.NewFromInt(n)).InexactFloat64(), pixels, s, int(n)}
		}
	}
	return scale{largest.InexactFloat64(), pixels, largest, 1}
}

// over reports that a bar does not fit and is drawn broken.
func (s scale) over(d decimal.Decimal) bool { return d.InexactFloat64() > s.max*1.0001 }

// part is how much of a bar of whole pixels an amount of it takes; a broken bar
// keeps its proportions.
func (s scale) part(of, d decimal.Decimal, whole int) int {
	if of.Sign() <= 0 || d.Sign() <= 0 {
		return 0
	}
	return min(whole, max(2, int(math.Round(d.Div(of).InexactFloat64()*float64(whole)))))
}

// width is how long a bar is: two pixels at least where there is anything.
func (s scale) width(d decimal.Decimal) int {
	if d.Sign() <= 0 {
		return 0
	}
	return min(s.pixels, max(2, int(math.Round(d.InexactFloat64()/s.max*float64(s.pixels)))))
}
