package compoundv2

import (
	"github.com/holiman/uint256"
)

// sums is the two sides that the comptroller compares, in quote units.
type sums struct {
	weighted, debt uint256.Int
	priced         bool // false: the comptroller answers PRICE_ERROR
}

// liquidity and shortfall as getAccountLiquidity returns them.
func (s sums) liquidity() (liquidity, shortfall uint256.Int) {
	if !s.priced {
		return liquidity, shortfall
	}
	if s.weighted.Gt(&s.debt) {
		liquidity.Sub(&s.weighted, &s.debt)
	} else {
		shortfall.Sub(&s.debt, &s.weighted)
	}
	return liquidity, shortfall
}

// sum is getHypotheticalAccountLiquidityInternal without hypotheses: per entered
// market weighted += ⌊(CF*ER*P)*tokens/1e18⌋ and debt += ⌊P*borrow/1e18⌋.
func (t *table) sum(a *account, prices []uint256.Int, states []state) sums {
	out := sums{priced: true}
	for i := range a.legs {
		l := &a.legs[i]
		s := &states[l.market]
		owed := borrowed(&l.principal, &s.index, &l.interestIndex)
		if t.profile.SkipsEmpty && l.tokens.IsZero() && owed.IsZero() {
			continue
		}
		price := &prices[l.market]
		if price.IsZero() {
			return sums{}
		}
		weight := t.risk(a.pool, l.market).weight
		per := t.profile.perToken(&weight, &s.rate, price)
		value := truncated(&per, &l.tokens)
		grow(&out.weighted, &value)
		value = truncated(price, &owed)
		grow(&out.debt, &value)
	}
	if !a.vai.none() {
		owed := t.vaiOwed(a, prices)
		grow(&out.debt, &owed)
	}
	return out
}

// vaiOwed is the VAI debt in quote units. The comptroller counts a VAI as a dollar;
// its row's price is 1e18 unless a what-if moved it.
func (t *table) vaiOwed(a *account, prices []uint256.Int) uint256.Int {
	owed := a.vai.owed(&t.vaiIndex)
	if i := t.vaiPlace(); i >= 0 {
		return truncated(&prices[i], &owed)
	}
	return owed
}

// liquidatable is liquidateBorrowAllowed: a shortfall, strictly, or a debt whose
// liquidation is forced.
func (t *table) liquidatable(a *account, prices []uint256.Int) bool {
	s := t.sum(a, prices, t.states)
	if !s.priced {
		return false
	}
	return s.debt.Gt(&s.weighted) || t.forced(a)
}

func (t *table) forced(a *account) bool {
	for i := range a.legs {
		l := &a.legs[i]
		if !l.principal.IsZero() && (l.forced || t.risks[l.market].forced) {
			return true
		}
	}
	return false
}

// collateral is a leg's value without its weight: ⌊(ER*P)*tokens/1e18⌋.
func (t *table) collateral(l *leg, price *uint256.Int) uint256.Int {
	per := t.profile.mul(&t.states[l.market].rate, price)
	return truncated(&per, &l.tokens)
}

// underlying is a leg's collateral in token units: ⌊ER*tokens/1e18⌋.
func (t *table) underlying(l *leg) uint256.Int {
	return truncated(&t.states[l.market].rate, &l.tokens)
}

// accruedStates are the markets as a liquidation in the next block would find
// them if it accrued all that the account is in. A call accrues the borrowed and
// the collateral market; the more are accrued the earlier the shortfall.
func (b *book) accruedStates(a *account) []state {
	states := append([]state(nil), b.table.states...)
	for i := range a.legs {
		m := a.legs[i].market
		states[m] = accrued(states[m], b.table.periods(m, b.block))
	}
	return states
}
