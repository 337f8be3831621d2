package thresholds

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

// Stretch is what lies beyond a price, seen from spot: all that is liquidatable
// when the price is to and is not when it is from, valued at to.
func (l *Ladder) Stretch(from, to decimal.Decimal) (Totals, error) {
	t := newTally()
	for k, m := range l.markets {
		near, err := m.point(from)
		if err != nil {
			return Totals{}, fmt.Errorf("price %s: %w", from, err)
		}
		far, err := m.point(to)
		if err != nil {
			return Totals{}, fmt.Errorf("price %s: %w", to, err)
		}
		already := m.members(near, nil)
		for _, i := range m.members(far, nil) {
			if _, ok := slices.BinarySearch(already, i); !ok {
				f := m.book.Figures(int(i), *far.prices)
				t.add(m, Ref{int32(k), i}, &f, far.prices.QuoteUSD)
			}
		}
	}
	totals, _ := t.totals(l.markets)
	return totals, nil
}
