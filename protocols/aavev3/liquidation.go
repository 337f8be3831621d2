package aavev3

import (
	"math/big"

	"github.com/holiman/uint256"

	"liqwatch/protocols"
)

// The pool's constants of a liquidation (LiquidationLogic), in basis points, wad and
// whole units of a quote currency with 8 decimals.
var (
	closeFactorHealth = new(big.Int).SetUint64(95e16)
	closeFactor       = big.NewInt(5000)
	closeFactorFloor  = big.NewInt(closeFactorFloorUnits)
	minLeftover       = big.NewInt(minLeftoverUnits)
)

const (
	closeFactorFloorUnits = 2000e8
	minLeftoverUnits      = 1000e8
)

// call is the largest liquidation call for one pair of collateral and debt.
type call struct {
	collateral, debt int      // dense reserves
	seized           *big.Int // collateral taken, the protocol's fee included, token units
	value            *big.Int // the same in quote units, rounded down
	repaid           *big.Int // debt repaid, token units
	fee              *big.Int // of seized, to the treasury
	limited          bool     // more would leave dust, which the pool refuses
}

// side is one leg with what a liquidation needs of it.
type side struct {
	i       int
	balance *big.Int
	price   *big.Int
	unit    *big.Int
	value   *big.Int
	bonus   *big.Int
}

// largestCall is the largest single liquidation call over all pairs of an account
// whose health is below 1, by collateral value; nil when no call is possible.
func (t *table) largestCall(a *account, prices []uint256.Int) *call {
	data := t.accountData(a, prices)
	if data.debt.IsZero() || !data.health.Lt(wad) {
		return nil
	}
	row := t.row(a.mode)
	var collaterals, debts []side
	for j := range a.legs {
		s, ok := t.sideOf(&a.legs[j], row, prices)
		switch {
		case !ok:
		case a.legs[j].side() == protocols.Debt:
			debts = append(debts, s)
		case s.bonus.Sign() > 0 && row[s.i].counts:
			collaterals = append(collaterals, s)
		}
	}
	var best *call
	for i := range debts {
		for j := range collaterals {
			if c := t.callFor(&collaterals[j], &debts[i], &data); c != nil && (best == nil || c.value.Cmp(best.value) > 0) {
				best = c
			}
		}
	}
	return best
}

func (t *table) sideOf(l *leg, row []cell, prices []uint256.Int) (side, bool) {
	i := t.dense[l.id()]
	if i < 0 {
		return side{}, false
	}
	price := &prices[row[i].price]
	balance := t.amount(l)
	if price.IsZero() || balance.Sign() == 0 {
		return side{}, false
	}
	return side{
		i: int(i), balance: balance, price: price.ToBig(), unit: t.res[i].unit.ToBig(),
		value: t.value(l, row, prices), bonus: big.NewInt(int64(row[i].bonus)),
	}, true
}

// callFor is the largest call for one pair: all the debt the close factor allows, or
// what all the collateral pays for. Where that would leave dust on both sides, which
// the pool refuses from 3.3 on, the largest call that leaves no dust.
func (t *table) callFor(c, d *side, data *accountData) *call {
	cover := t.maxCover(c, d, data)
	out := t.seize(c, d, cover)
	if !t.profile.WholeDebt || !t.leavesDust(c, d, out) {
		return out
	}
	return t.withoutDust(c, d, out)
}

// maxCover is the most debt one call may repay, in token units.
// LiquidationLogic._calculateDebt before 3.3, executeLiquidationCall since.
func (t *table) maxCover(c, d *side, data *accountData) *big.Int {
	healthy := data.health.ToBig().Cmp(closeFactorHealth) > 0
	if !t.profile.WholeDebt {
		if healthy {
			return mulDiv(d.balance, closeFactor, percent, nearest)
		}
		return d.balance
	}
	if healthy && c.value.Cmp(closeFactorFloor) >= 0 && d.value.Cmp(closeFactorFloor) >= 0 {
		if half := mulDiv(data.debt.ToBig(), closeFactor, percent, nearest); d.value.Cmp(half) > 0 {
			return mulDiv(half, d.unit, d.price, down)
		}
	}
	return d.balance
}

// seize is what repaying cover takes (LiquidationLogic._calculateAvailableCollateralToLiquidate).
func (t *table) seize(c, d *side, cover *big.Int) *call {
	mulRound, needRound, baseRound, feeRound := nearest, nearest, nearest, nearest
	if t.profile.CeilNeeded {
		needRound = up
	}
	if t.profile.DirectedSeize {
		mulRound, baseRound, feeRound = down, down, up
	}
	base := new(big.Int).Mul(d.price, cover)
	base.Mul(base, c.unit)
	base.Quo(base, new(big.Int).Mul(c.price, d.unit))
	out := &call{collateral: c.i, debt: d.i, repaid: cover, fee: new(big.Int)}
	out.seized = mulDiv(base, c.bonus, percent, mulRound)
	if out.seized.Cmp(c.balance) > 0 {
		out.seized = c.balance
		needed := new(big.Int).Mul(c.price, c.balance)
		needed.Mul(needed, d.unit)
		needed.Quo(needed, new(big.Int).Mul(d.price, c.unit))
		out.repaid = mulDiv(needed, percent, c.bonus, needRound)
	}
	if fee := t.res[c.i].protocolFee; fee != 0 {
		bonus := new(big.Int).Sub(out.seized, mulDiv(out.seized, percent, c.bonus, baseRound))
		out.fee = mulDiv(bonus, big.NewInt(int64(fee)), percent, feeRound)
	}
	out.value = mulDiv(out.seized, c.price, c.unit, down)
	return out
}

// leavesDust reports whether a partial call leaves less than 1,000 on either side.
func (t *table) leavesDust(c, d *side, out *call) bool {
	debtLeft := new(big.Int).Sub(d.balance, out.repaid)
	collateralLeft := new(big.Int).Sub(c.balance, out.seized)
	if debtLeft.Sign() <= 0 || collateralLeft.Sign() == 0 {
		return false
	}
	return mulDiv(debtLeft, d.price, d.unit, t.rates[d.i].owedRounding).Cmp(minLeftover) < 0 ||
		mulDiv(collateralLeft, c.price, c.unit, down).Cmp(minLeftover) < 0
}

// withoutDust repays less, so that both sides keep 1,000; nil where that is impossible.
func (t *table) withoutDust(c, d *side, most *call) *call {
	low, high := new(big.Int), new(big.Int).Set(most.repaid)
	for new(big.Int).Sub(high, low).Cmp(big.NewInt(1)) > 0 {
		mid := new(big.Int).Add(low, high)
		mid.Rsh(mid, 1)
		if t.leavesDust(c, d, t.seize(c, d, mid)) {
			high = mid
		} else {
			low = mid
		}
	}
	if low.Sign() == 0 {
		return nil
	}
	out := t.seize(c, d, low)
	out.limited = true
	return out
}

// badDebt is the debt that the collateral, less its bonus, does not cover, in quote
// units rounded up: what is left when every call has been made at these prices.
func (t *table) badDebt(a *account, prices []uint256.Int) *big.Int {
	row := t.row(a.mode)
	debt, cover := new(big.Int), new(big.Int)
	for j := range a.legs {
		l := &a.legs[j]
		i := t.dense[l.id()]
		if i < 0 {
			continue
		}
		v := t.value(l, row, prices)
		switch {
		case l.side() == protocols.Debt:
			debt.Add(debt, v)
		case row[i].bonus > 0 && row[i].lt > 0:
			cover.Add(cover, mulDiv(v, percent, big.NewInt(int64(row[i].bonus)), down))
		}
	}
	if debt.Sub(debt, cover).Sign() < 0 {
		debt.SetInt64(0)
	}
	return debt
}
