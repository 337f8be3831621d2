package thresholds

import (
	"fmt"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
)

// Profile is the collateral at risk that comes due step by step on the way from
// spot: of edges[k], in USD, that of the positions which are healthy now and at all
// edges before it, and liquidatable when the price is edges[k], valued there. The
// edges lie on one side of spot, from spot outward.
//
// It costs one look at every position and the amounts of those that come due, so
// that it can be taken at every pass; [Ladder.Map] tells more and costs more.
func (l *Ladder) Profile(edges []decimal.Decimal) ([]decimal.Decimal, error) {
	out := make([]decimal.Decimal, len(edges))
	if len(edges) == 0 {
		return out, nil
	}
	for _, m := range l.markets {
		if m.path == nil {
			continue
		}
		steps, err := m.steps(edges)
		if err != nil {
			return nil, err
		}
		sums := m.profile(steps)
		for k := range steps {
			out[k] = out[k].Add(steps[k].prices.USD(&sums[k], m.quoteDecimals))
		}
	}
	return out, nil
}

// step is an edge as the columns see it: its place rounded outward on both sides.
type step struct {
	point
	below, above float32
}

func (m *market) steps(edges []decimal.Decimal) ([]step, error) {
	out := make([]step, len(edges))
	for k, e := range edges {
		at, err := m.point(e)
		if err != nil {
			return nil, fmt.Errorf("edge %s: %w", e, err)
		}
		out[k] = step{at, ceil32(at.place), floor32(at.place)}
	}
	return out, nil
}

// profile sums the collateral at risk by the first step at which it is
// liquidatable, in raw quote units.
func (m *market) profile(steps []step) []uint256.Int {
	sums := make([]uint256.Int, len(steps))
	first, last := steps[0], steps[len(steps)-1]
	top, bottom := max(first.below, last.below), min(first.above, last.above)
	now := m.liquidatableNow()
	for i, lo := range m.cols.lo {
		flags, hi := m.cols.flags[i], m.cols.hi[i]
		switch {
		case flags&flagUnpriced != 0:
			continue
		case bottom > hi && flags&flagRight == 0, top < lo && flags&flagLeft == 0:
			continue // healthy at every step
		}
		if k, ok := m.due(i, steps); ok && !now(i) {
			f := m.book.Figures(i, *steps[k].prices)
			sums[k].Add(&sums[k], &f.AtRisk)
		}
	}
	return sums
}

// due is the first step at which a position is liquidatable.
func (m *market) due(i int, steps []step) (int, bool) {
	lo, hi, flags := m.cols.lo[i], m.cols.hi[i], m.cols.flags[i]
	for k := range steps {
		s := &steps[k]
		switch {
		case s.below < lo:
			if flags&flagLeft != 0 {
				return k, true
			}
		case s.above > hi:
			if flags&flagRight != 0 {
				return k, true
			}
		case m.book.Liquidatable(i, *s.prices):
			return k, true
		}
	}
	return 0, false
}
