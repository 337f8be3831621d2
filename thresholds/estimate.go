package thresholds

import (
	"liqwatch/protocols"

	"github.com/shopspring/decimal"
)

// Estimate is a quick look at a price: floats from running sums, good enough to
// decide whether an exact question is worth asking, never to be reported.
type Estimate struct {
	Accounts int
	// DebtUSD and WeightedUSD (collateral times threshold) are valued at the
	// ladder's current prices, not at the price asked for.
	DebtUSD, WeightedUSD float64
}

// Estimate sums what is liquidatable when the axis' price is price, by bisection
// in the sorted roots of every market. Positions whose health changes sides more
// than once, and those too close to call at every price, are left out.
func (l *Ladder) Estimate(price decimal.Decimal) Estimate {
	var e Estimate
	p := price.InexactFloat64()
	for _, m := range l.markets {
		if m.path != nil {
			m.cols.estimate(float32(p*m.scale), &e)
		}
	}
	return e
}

func (c *columns) estimate(place float32, e *Estimate) {
	n, debt, coll := c.below.first(len(c.below.order))
	n1, debt1, coll1 := c.below.first(c.below.rank(place))
	n2, debt2, coll2 := c.above.first(c.above.rank(place))
	e.Accounts += n - n1 + n2
	e.DebtUSD += debt - debt1 + debt2
	e.WeightedUSD += coll - coll1 + coll2
}

// change writes one position's terms, places it anew and moves it in its side's sums.
func (c *columns) change(i int, v *view, terms []protocols.Term, unpriced bool) {
	c.shift(i, -1)
	c.store(i, terms, unpriced)
	c.place(i, v)
	c.shift(i, 1)
}

func (c *columns) shift(i int, sign int32) {
	if !(c.root[i] >= 0) {
		return
	}
	switch c.flags[i] & (flagLeft | flagRight) {
	case flagLeft:
		c.below.move(c.root[i], c.worth[i], sign)
	case flagRight:
		c.above.move(c.root[i], c.worth[i], sign)
	}
}
