package thresholds

import (
	"math"

	"github.com/holiman/uint256"

	"liqwatch/protocols"
)

// proofBudget is how many samples one search may spend on proving that nothing
// flips earlier, nearest places first. Only books come near it in which collateral
// and debt move together and cancel to within their roundings; for those, a flip
// of a few units far from spot and from the trigger found may stay unseen.
const proofBudget = 8192

// sample is a position at one place: what the proof needs of the figures.
type sample struct {
	place    uint256.Int
	liq      bool
	coll     uint256.Int // unweighted
	debt     uint256.Int
	collF    float64
	debtF    float64
	weighted float64 // a lower bound of weighted collateral, in quote units
}

// earlier is the first liquidatable place among steps from..to, both of whose
// ends may be healthy, or false when all are proven healthy (or the budget ends).
//
// The proof: along a path no price falls while the place rises, so neither does
// the value of any leg, rounded or not. In a stretch from a low place a to a high
// place b, weighted collateral is at least that at a, and debt at most that at b.
// Where the protocol rounds the average threshold, weighted collateral is the
// collateral times a ratio that lies between those at a and b.
func (w *walker) earlier(s *span, from, to *uint256.Int) (uint256.Int, bool) {
	if to.Lt(from) {
		return uint256.Int{}, false
	}
	p, q := s.place(from), s.place(to)
	a, b := w.sample(&p), w.sample(&q)
	return w.prove(s, a, b, from, to)
}

func (w *walker) prove(s *span, a, b sample, from, to *uint256.Int) (uint256.Int, bool) {
	if a.liq {
		return a.place, true
	}
	var gap uint256.Int
	gap.Sub(to, from)
	if gap.IsZero() || covered(a, b, s.d) {
		return b.place, b.liq
	}
	if w.budget <= 0 {
		return b.place, b.liq
	}
	if gap.LtUint64(16) {
		w.budget -= int(gap.Uint64())
		return w.scan(s, new(uint256.Int).AddUint64(from, 1), to)
	}
	var half, next uint256.Int
	half.Add(from, gap.Rsh(&gap, 1))
	next.AddUint64(&half, 1)
	h, n := s.place(&half), s.place(&next)
	if place, ok := w.prove(s, a, w.sample(&h), from, &half); ok {
		return place, true
	}
	return w.prove(s, w.sample(&n), b, &next, to)
}

// covered reports that every place between two healthy samples is healthy.
func covered(near, far sample, d direction) bool {
	if near.liq || far.liq {
		return false
	}
	low, high := near, far
	if d == down {
		low, high = far, near
	}
	// Collateral that did not change in sum did not change in any leg, and debt
	// only falls below the high end, which is healthy.
	if low.coll.Eq(&high.coll) {
		return true
	}
	ratio := math.Min(low.weighted/low.collF, high.weighted/high.collF)
	least := low.collF * ratio
	if low.debt.Eq(&high.debt) && least >= low.weighted*(1-1e-12) {
		return true
	}
	return least*(1-1e-12)-1 >= high.debtF
}

// sample asks for the figures at a place.
func (w *walker) sample(place *uint256.Int) sample {
	w.budget--
	w.m.path.At(place, &w.prices)
	f := w.m.book.Figures(w.i, w.prices)
	s := sample{place: *place, liq: f.Liquidatable, coll: f.AtRisk, debt: f.Debt}
	s.collF, s.debtF = f.AtRisk.Float64(), f.Debt.Float64()
	s.weighted = w.weighted(&s, &f)
	return s
}

// weighted is a lower bound of weighted collateral: the protocol's own health
// times debt where that is a ratio in 1e-18, else the linear terms at these very
// prices, less what rounding every leg down can take.
func (w *walker) weighted(s *sample, f *protocols.Figures) float64 {
	linear, slack := 0.0, 2.0
	for _, t := range w.terms {
		if t.Coef > 0 {
			linear += t.Coef * w.prices.Raw[t.Asset].Float64()
			slack++
		}
	}
	if f.HasHealth {
		own := f.HealthRaw.Float64() / 1e18 * s.debtF
		if math.Abs(own-linear) <= 1e-3*linear+slack {
			return own
		}
	}
	return linear - slack
}
