package aavev3

import (
	"math/bits"

	"github.com/holiman/uint256"

	"liqwatch/protocols"
)

// sums are an account's totals in quote units: collateral C, debt D, and collateral
// weighted by threshold (N, in quote units times basis points).
type sums struct{ c, d, n u128 }

// sum values the legs of one account at prices with fixed limbs and no allocation.
// False when a number leaves the range this path is made for (balances of 2^88,
// prices of 2^64, values of 2^100, units of 10^19); sumSlow has no such range.
func (t *table) sum(c *chunk, k int, prices []uint256.Int) (s sums, ok bool) {
	row := t.row(c.modes[k])
	for j := c.starts[k]; j < c.starts[k+1]; j++ {
		id, side := c.tags[j]>>1, c.tags[j]&1
		i := t.dense[id]
		if i < 0 {
			continue
		}
		cell, rate := &row[i], &t.rates[i]
		price := &prices[cell.price]
		if price[1]|price[2]|price[3] != 0 {
			return s, false
		}
		if side == uint8(protocols.Debt) {
			bal, ok1 := rate.debt.apply(c.scaled[j], rate.debtRounding)
			v, ok2 := rate.unit.value(bal, price[0], rate.owedRounding)
			if !ok1 || !ok2 {
				return s, false
			}
			s.d, _ = s.d.add(v)
			continue
		}
		if !cell.counts {
			continue
		}
		bal, ok1 := rate.income.apply(c.scaled[j], rate.incomeRounding)
		v, ok2 := rate.unit.value(bal, price[0], down)
		if !ok1 || !ok2 {
			return s, false
		}
		s.c, _ = s.c.add(v)
		s.n, _ = s.n.add(v.mulLow(u128{0, uint64(cell.lt)}))
	}
	return s, true
}

// maxExactDebt is 2e18 quote units: below it the half that wadDiv adds cannot lift a
// health factor over 1, so that the predicate is one comparison.
const maxExactDebt = 2e18

// liquidatable decides health < 1e18 from the sums as the pool would
// (GenericLogic.calculateUserAccountData); false in the second place when the sums
// are beyond what it is exact for.
func (t *table) liquidatable(s *sums) (yes, ok bool) {
	if s.d.isZero() {
		return false, true
	}
	if s.d.hi != 0 || s.d.lo >= maxExactDebt {
		return false, false
	}
	if t.profile.Directed {
		hi, lo := bits.Mul64(s.d.lo, 10000)
		return s.n.less(u128{hi, lo}), true
	}
	m, ok := weighted(s)
	return m < s.d.lo, ok
}

// weighted is C at the average threshold truncated to whole basis points, rounded
// half up (PercentageMath.percentMul), as versions before 3.5 have it.
func weighted(s *sums) (uint64, bool) {
	if s.c.isZero() {
		return 0, true
	}
	if s.c.hi != 0 || s.n.hi >= s.c.lo {
		return 0, false
	}
	avg, _ := bits.Div64(s.n.hi, s.n.lo, s.c.lo)
	hi, lo := bits.Mul64(s.c.lo, avg)
	lo, carry := bits.Add64(lo, 5000, 0)
	hi += carry
	if hi >= 10000 {
		return 0, false
	}
	m, _ := bits.Div64(hi, lo, 10000)
	return m, true
}

// isLiquidatable is the pool's own predicate for the k-th account of a chunk.
func (t *table) isLiquidatable(c *chunk, k int, prices []uint256.Int) bool {
	if s, ok := t.sum(c, k, prices); ok {
		if yes, ok := t.liquidatable(&s); ok {
			return yes
		}
	}
	a := c.account(k)
	data := t.accountData(&a, prices)
	return data.health.Lt(wad)
}
