package feeds

import (
	"math/big"

	"github.com/holiman/uint256"

	"liqwatch/protocols/pricing"
)

// A measurement moves groups of feeds to known answers and reads every price again.
// Group g answers 10^(exactPower+g*groupGap) in the round that finds the ratios, so
// that a price tells by its size which group it follows: ratios lie between 1e-4 and
// 1e4. The powers of ten are divisible by any adapter's denominator, so that ratios
// come out exactly; a lower round proves them where prices are.
const (
	exactPower = 36
	groupGap   = 9
)

// MostGroups is how many groups can be measured at once: prices stay below 2^255
// with rates of 27 decimals.
const MostGroups = 2

// Exact is the answer of group g in the round that finds ratios.
func Exact(g int) *uint256.Int {
	return new(uint256.Int).Exp(uint256.NewInt(10), uint256.NewInt(uint64(exactPower+g*groupGap)))
}

// Low is an answer below the current one, uneven so that roundings show.
func Low(now *uint256.Int) *uint256.Int {
	x := new(uint256.Int).Mul(now, uint256.NewInt(46_139_717))
	x.Div(x, uint256.NewInt(100_000_000))
	return x.AddUint64(x, 1)
}

// Point is one observation: what the groups answered, and the price that came out.
type Point struct{ Base, Price uint256.Int }

// Fit finds which group a price follows and by what ratio, from the price in the
// exact round. False when it did not move, or not in proportion.
func Fit(price, before *uint256.Int, groups int) (group int, num, den uint256.Int, ok bool) {
	if price.Eq(before) || price.IsZero() {
		return 0, num, den, false
	}
	for g := range groups {
		base := Exact(g)
		low := new(uint256.Int).Div(base, uint256.NewInt(10_000))
		high, overflow := new(uint256.Int).MulOverflow(base, uint256.NewInt(10_000))
		if overflow || price.Lt(low) || !price.Lt(high) {
			continue
		}
		num, den = reduce(price, base)
		return g, num, den, true
	}
	return 0, num, den, false
}

// Reproduces reports that a model gives every point exactly.
func Reproduces(m *pricing.Model, points ...Point) bool {
	for i := range points {
		if got := m.At(&points[i].Base); got != points[i].Price {
			return false
		}
	}
	return true
}

// reduce is a fraction in lowest terms.
func reduce(num, den *uint256.Int) (uint256.Int, uint256.Int) {
	a, b := num.ToBig(), den.ToBig()
	g := new(big.Int).GCD(nil, nil, a, b)
	var x, y uint256.Int
	x.SetFromBig(a.Quo(a, g))
	y.SetFromBig(b.Quo(b, g))
	return x, y
}
