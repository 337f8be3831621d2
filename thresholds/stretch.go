package thresholds

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// Stretch is what lies beyond a price, seen from spot: all that is liquidatable
// when the price is to and is not when it is from, valued at to.
func (l *Ladder) Stretch(from, to decimal.Decimal) (Totals, error) {
	near, err := l.points(from)
	if err != nil {
		return Totals{}, fmt.Errorf("price %s: %w", from, err)
	}
	far, err := l.points(to)
	if err != nil {
		return Totals{}, fmt.Errorf("price %s: %w", to, err)
	}
	return l.totalsOf(near, far), nil
}
