package compoundv2

import (
	"github.com/holiman/uint256"

	"liqwatch/protocols"
)

// valued is one leg with what figures ask of it more than once, at prices.
type valued struct {
	owed      uint256.Int // token units
	per       uint256.Int // of one cToken, without weight: ER*P
	value     uint256.Int // collateral, quote units
	incentive uint256.Int
}

// figures are the amounts of an account at prices; all zero when it is unpriced.
//
// Collateral is ⌊(ER*P)*tokens/1e18⌋ a leg. Seizable is the most that one liquidation
// call may take: over all pairs of a debt and a collateral, close factor of the debt,
// times the incentive, at most what is there. Bad debt is the debt that the
// collateral, each leg less its incentive, no longer covers.
func (t *table) figures(a *account, prices []uint256.Int) (f protocols.Figures) {
	var room [8]valued
	legs := room[:0]
	var weighted, covered uint256.Int
	for i := range a.legs {
		l := &a.legs[i]
		s, price := &t.states[l.market], &prices[l.market]
		v := valued{owed: borrowed(&l.principal, &s.index, &l.interestIndex)}
		if t.profile.SkipsEmpty && l.tokens.IsZero() && v.owed.IsZero() {
			legs = append(legs, v)
			continue
		}
		if price.IsZero() {
			return protocols.Figures{}
		}
		if !l.tokens.IsZero() {
			r := t.risk(a.pool, l.market)
			weight := t.profile.perToken(&r.weight, &s.rate, price)
			weight = truncated(&weight, &l.tokens)
			grow(&weighted, &weight)
			v.per, v.incentive = t.profile.mul(&s.rate, price), r.incentive
			v.value = truncated(&v.per, &l.tokens)
			grow(&f.AtRisk, &v.value)
			less := v.value
			if r.incentive.Gt(wad) {
				less = mulDiv(&v.value, wad, &r.incentive)
			}
			grow(&covered, &less)
		}
		if !v.owed.IsZero() {
			debt := truncated(price, &v.owed)
			grow(&f.Debt, &debt)
		}
		legs = append(legs, v)
	}
	if !a.vai.none() {
		owed := t.vaiOwed(a, prices)
		grow(&f.Debt, &owed)
	}
	if f.Liquidatable = f.Debt.Gt(&weighted) || t.forced(a); f.Liquidatable {
		f.Seizable = t.seizable(a, legs, prices)
	}
	if f.Debt.Gt(&covered) {
		f.BadDebt.Sub(&f.Debt, &covered)
	}
	return f
}

func (t *table) seizable(a *account, legs []valued, prices []uint256.Int) (best uint256.Int) {
	for i := range legs {
		if legs[i].owed.IsZero() {
			continue
		}
		l := &a.legs[i]
		part := &t.closeFactor
		if l.forced || t.risks[l.market].forced {
			part = wad
		}
		repay := truncated(part, &legs[i].owed)
		t.bestSeizure(a, legs, &repay, &prices[l.market], &best)
	}
	if !a.vai.none() {
		owed := a.vai.owed(&t.vaiIndex)
		repay := truncated(&t.closeFactor, &owed)
		price := wad
		if i := t.vaiPlace(); i >= 0 {
			price = &prices[i]
		}
		t.bestSeizure(a, legs, &repay, price, &best)
	}
	return best
}

// bestSeizure raises best to the most that a repayment at the debt's price takes of
// any collateral.
func (t *table) bestSeizure(a *account, legs []valued, repay, price, best *uint256.Int) {
	for i := range legs {
		v := &legs[i]
		if !v.value.Gt(best) {
			continue // no call takes more than all of it
		}
		// As seizeTokens has it; ER*P is known.
		num := t.profile.mul(&v.incentive, price)
		ratio := mulDiv(&num, wad, &v.per)
		seized := truncated(&ratio, repay)
		value := v.value
		if seized.Lt(&a.legs[i].tokens) {
			value = truncated(&v.per, &seized)
		}
		if value.Gt(best) {
			*best = value
		}
	}
}
