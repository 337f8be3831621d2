package thresholds

import (
	"slices"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// rung is one position at its trigger on one side.
type rung struct {
	ref     Ref
	trigger uint256.Int // place of its own market
}

// cuts are all rungs, by band from spot outward.
type cuts struct {
	down, up            [][]rung
	unpriced, noTrigger int
}

// cut finds every trigger and puts it in its band.
func (l *Ladder) cut(below, above []decimal.Decimal) (*cuts, error) {
	c := &cuts{down: make([][]rung, len(below)+1), up: make([][]rung, len(above)+1)}
	for k, m := range l.markets {
		if err := c.market(int32(k), m, below, above); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *cuts) market(k int32, m *market, below, above []decimal.Decimal) error {
	lower, err := m.places(below)
	if err != nil {
		return err
	}
	upper, err := m.places(above)
	if err != nil {
		return err
	}
	w := newWalker(m)
	now := m.liquidatableNow()
	for i := range m.book.Len() {
		switch {
		case m.book.Unpriced(i):
			c.unpriced++
			continue
		case now(i):
			continue
		}
		ref := Ref{k, int32(i)}
		low, high, hasLow, hasHigh := w.both(i)
		if hasLow {
			b := bandBelow(&low, lower)
			c.down[b] = append(c.down[b], rung{ref, low})
		}
		if hasHigh {
			b := bandAbove(&high, upper)
			c.up[b] = append(c.up[b], rung{ref, high})
		}
		if !hasLow && !hasHigh {
			c.noTrigger++
		}
	}
	return nil
}

// liquidatableNow answers in the order of positions without asking twice.
func (m *market) liquidatableNow() func(i int) bool {
	members := m.members(m.nowPoint(), nil)
	return func(i int) bool {
		_, ok := slices.BinarySearch(members, int32(i))
		return ok
	}
}

// both are the triggers on either side; neither off the axis.
func (w *walker) both(i int) (low, high uint256.Int, hasLow, hasHigh bool) {
	if w.m.path == nil || w.m.cols.never(i) {
		return
	}
	low, hasLow = w.trigger(i, down)
	high, hasHigh = w.trigger(i, up)
	return
}

// places are edges as the market's own oracle would read them.
func (m *market) places(edges []decimal.Decimal) ([]uint256.Int, error) {
	out := make([]uint256.Int, 0, len(edges))
	if m.path == nil {
		return out, nil
	}
	for _, e := range edges {
		p, err := placeOf(e, m.decimals)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// bandBelow is the band of a down trigger: the first whose lower edge it reaches.
func bandBelow(t *uint256.Int, edges []uint256.Int) int {
	k, _ := slices.BinarySearchFunc(edges, t, func(e uint256.Int, t *uint256.Int) int {
		if e.Gt(t) {
			return -1
		}
		return 1
	})
	return k
}

// bandAbove is the band of an up trigger: the first whose upper edge it does not pass.
func bandAbove(t *uint256.Int, edges []uint256.Int) int {
	k, _ := slices.BinarySearchFunc(edges, t, func(e uint256.Int, t *uint256.Int) int {
		if e.Lt(t) {
			return -1
		}
		return 1
	})
	return k
}

// band values one band's rungs.
func (l *Ladder) band(rungs []rung, edges []decimal.Decimal, k int, d direction, largest int) Band {
	b := Band{Direction: d.String()}
	inner, outer := &l.spot, (*decimal.Decimal)(nil)
	if k > 0 {
		inner = &edges[k-1]
	}
	if k < len(edges) {
		outer = &edges[k]
	}
	b.From, b.To = inner, outer
	if d == down {
		b.From, b.To = outer, inner
	}
	v := l.value(rungs, max(largest, mostLargest))
	b.AtTrigger, b.ByMarket = v.atTrigger.totals.totals(l.people)
	b.AtSpot, _ = v.atSpot.totals(l.people)
	b.ByAsset = v.atTrigger.assets.list(l.markets)
	b.Top10Share = v.atTrigger.top.topShare(b.AtTrigger.AtRiskUSD)
	b.Largest = v.atTrigger.top.largest(largest)
	return b
}

// valued are rungs with their amounts.
type valued struct {
	atTrigger *set
	atSpot    tally
}

func (l *Ladder) value(rungs []rung, largest int) valued {
	v := valued{atTrigger: newSet(l.markets, largest)}
	var p protocols.Prices
	for _, r := range rungs {
		m, i := l.markets[r.ref.Market], int(r.ref.Position)
		m.path.At(&r.trigger, &p)
		v.atTrigger.addRung(m, r, &p)
		now := m.book.Figures(i, m.now)
		v.atSpot.add(r.ref, &now, m.now.QuoteUSD)
	}
	return v
}
