package thresholds

import (
	"fmt"
	"math"
	"slices"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// Triggers are the prices at which a position that is healthy now becomes
// liquidatable: the first met going down from spot, and the first going up. nil
// where there is none. They are the axis' price in the market's own precision.
type Triggers struct {
	Down *decimal.Decimal `json:"down"`
	Up   *decimal.Decimal `json:"up"`
}

// Triggers are the exact triggers of one position of a market. A position that
// is liquidatable now, or cannot be priced, has none.
func (l *Ladder) Triggers(marketName string, i int) (Triggers, error) {
	var t Triggers
	m := l.market(marketName)
	if m == nil {
		return t, fmt.Errorf("%w %q", ErrUnknownMarket, marketName)
	}
	if i < 0 || i >= m.book.Len() {
		return t, fmt.Errorf("market %q has %d positions, no position %d", marketName, m.book.Len(), i)
	}
	if m.path == nil || m.book.Unpriced(i) || m.book.Liquidatable(i, m.now) {
		return t, nil
	}
	w := newWalker(m)
	if place, ok := w.trigger(i, down); ok {
		p := priceAt(&place, m.decimals)
		t.Down = &p
	}
	if place, ok := w.trigger(i, up); ok {
		p := priceAt(&place, m.decimals)
		t.Up = &p
	}
	return t, nil
}

// direction is which way the price moves away from spot.
type direction uint8

const (
	down direction = iota
	up
)

// String is "down" or "up".
func (d direction) String() string {
	if d == up {
		return "up"
	}
	return "down"
}

// walker finds triggers in one market; its buffers are reused.
type walker struct {
	m      *market
	prices protocols.Prices
	terms  []protocols.Term
	runs   []stretch
	bottom uint256.Int // the search ends here, inclusive
	top    uint256.Int

	i      int
	budget int // samples left to prove that nothing flips earlier
}

func newWalker(m *market) *walker {
	w := &walker{m: m, top: topOf(m)}
	w.bottom.Div(&m.spot, uint256.NewInt(MaxFall))
	w.bottom = larger(&w.bottom, uint256.NewInt(1))
	return w
}

// topOf is the highest place that is looked at.
func topOf(m *market) uint256.Int {
	var top uint256.Int
	if _, over := top.MulOverflow(&m.spot, uint256.NewInt(MaxRise)); over || top.Sign() < 0 {
		top.Rsh(top.SetAllOne(), 1)
	}
	return top
}

// trigger is the first place from spot in a direction at which the position is
// liquidatable by its protocol's own predicate.
//
// Floats skip only stretches whose sign is beyond doubt (see [Tolerance]).
func (w *walker) trigger(i int, d direction) (uint256.Int, bool) {
	w.i, w.terms = i, w.m.book.Terms(i, w.terms[:0])
	spot := w.m.spotFloat
	if w.m.offPath && w.flips(&w.m.spot) {
		// Two feeds of the pair disagree, and where both read what the axis reads, the
		// position is past its trigger: it is at spot, on the side where health falls.
		return w.m.spot, (w.slope(spot) >= 0) == (d == down)
	}
	w.runs = stretches(w.terms, w.m.segments, placeFloat(&w.bottom), placeFloat(&w.top), w.runs[:0])
	if d == down {
		slices.Reverse(w.runs)
	}
	for _, r := range w.runs {
		if r.state == healthy || d == down && r.from > spot || d == up && r.to < spot {
			continue
		}
		near, far := w.ends(r, d)
		if place, ok := w.search(near, far, d); ok {
			return place, true
		}
	}
	return uint256.Int{}, false
}

// slope is how linear health changes with the price at a place.
func (w *walker) slope(place float64) float64 {
	for k := range w.m.segments {
		if seg := &w.m.segments[k]; place <= seg.To {
			return lineOf(w.terms, seg).s
		}
	}
	return 0
}

// ends are the places of a stretch nearest to and farthest from spot, widened
// by what a float can be off, and clipped to [bottom, spot] or [spot, top].
func (w *walker) ends(r stretch, d direction) (near, far uint256.Int) {
	pad := func(f, by float64) uint256.Int { return placeFromFloat(f + by*(2+math.Abs(f)*0x1p-40)) }
	low, high := pad(r.from, -1), pad(r.to, 1)
	if d == down {
		low, high = larger(&low, &w.bottom), smaller(&high, &w.m.spot)
		return high, low
	}
	low, high = larger(&low, &w.m.spot), smaller(&high, &w.top)
	return low, high
}

func larger(a, b *uint256.Int) uint256.Int {
	if a.Lt(b) {
		return *b
	}
	return *a
}

func smaller(a, b *uint256.Int) uint256.Int {
	if b.Lt(a) {
		return *b
	}
	return *a
}

// flips asks the predicate at a place.
func (w *walker) flips(place *uint256.Int) bool {
	w.m.path.At(place, &w.prices)
	return w.m.book.Liquidatable(w.i, w.prices)
}
