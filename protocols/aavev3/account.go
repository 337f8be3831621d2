package aavev3

import (
	"math/big"

	"github.com/holiman/uint256"

	"liqwatch/protocols"
)

// accountData are the six integers of Pool.getUserAccountData.
type accountData struct {
	collateral, debt, borrows, threshold, ltv, health uint256.Int
}

// fieldNames are the names of getUserAccountData's answer, in its order.
var fieldNames = [6]string{
	"totalCollateralBase", "totalDebtBase", "availableBorrowsBase",
	"currentLiquidationThreshold", "ltv", "healthFactor",
}

func (d *accountData) fields() [6]*uint256.Int {
	return [6]*uint256.Int{&d.collateral, &d.debt, &d.borrows, &d.threshold, &d.ltv, &d.health}
}

var (
	bigRay  = ray.ToBig()
	bigWad  = wad.ToBig()
	percent = big.NewInt(10000)
	maxUint = new(uint256.Int).SetAllOne()
)

// mulDiv is a*b/d in the direction asked for.
func mulDiv(a, b, d *big.Int, r rounding) *big.Int {
	x := new(big.Int).Mul(a, b)
	switch r {
	case nearest:
		x.Add(x, new(big.Int).Rsh(d, 1))
	case up:
		x.Add(x, d)
		x.Sub(x, big.NewInt(1))
	}
	return x.Quo(x, d)
}

// amount is a leg's balance in token units at the table's time.
func (t *table) amount(l *leg) *big.Int {
	i := t.dense[l.id()]
	if i < 0 {
		return new(big.Int)
	}
	scaled := l.scaled.uint256()
	rate := &t.rates[i]
	if l.side() == protocols.Debt {
		return mulDiv(scaled.ToBig(), rate.debtRay.ToBig(), bigRay, rate.debtRounding)
	}
	return mulDiv(scaled.ToBig(), rate.incomeRay.ToBig(), bigRay, rate.incomeRounding)
}

// value is a leg's value in quote units: collateral down, debt as the version rounds it.
func (t *table) value(l *leg, row []cell, prices []uint256.Int) *big.Int {
	i := t.dense[l.id()]
	if i < 0 {
		return new(big.Int)
	}
	r := down
	if l.side() == protocols.Debt {
		r = t.rates[i].owedRounding
	}
	return mulDiv(t.amount(l), prices[row[i].price].ToBig(), t.res[i].unit.ToBig(), r)
}

// accountData computes what Pool.getUserAccountData would answer at prices
// (GenericLogic.calculateUserAccountData, PoolLogic.executeGetUserAccountData).
// Integers are unbounded here: where the contract would revert by overflow, this answers.
func (t *table) accountData(a *account, prices []uint256.Int) accountData {
	row := t.row(a.mode)
	collateral, debt := new(big.Int), new(big.Int)
	weight, ltv := new(big.Int), new(big.Int)
	for j := range a.legs {
		l := &a.legs[j]
		i := t.dense[l.id()]
		if i < 0 {
			continue
		}
		v := t.value(l, row, prices)
		if l.side() == protocols.Debt {
			debt.Add(debt, v)
			continue
		}
		if !row[i].counts {
			continue
		}
		collateral.Add(collateral, v)
		weight.Add(weight, new(big.Int).Mul(v, big.NewInt(int64(row[i].lt))))
		ltv.Add(ltv, new(big.Int).Mul(v, big.NewInt(int64(row[i].ltv))))
	}
	return t.finish(collateral, debt, weight, ltv)
}

func (t *table) finish(collateral, debt, weight, ltv *big.Int) accountData {
	avgThreshold, avgLTV := new(big.Int), new(big.Int)
	if collateral.Sign() > 0 {
		avgThreshold.Quo(weight, collateral)
		avgLTV.Quo(ltv, collateral)
	}
	var d accountData
	set(&d.collateral, collateral)
	set(&d.debt, debt)
	set(&d.threshold, avgThreshold)
	set(&d.ltv, avgLTV)
	d.health = *maxUint
	if debt.Sign() > 0 {
		set(&d.health, t.health(collateral, debt, weight, avgThreshold))
	}
	r := nearest
	if t.profile.Directed && !t.profile.NearestBorrows {
		r = down
	}
	free := mulDiv(collateral, avgLTV, percent, r)
	if free.Sub(free, debt); free.Sign() > 0 {
		set(&d.borrows, free)
	}
	return d
}

func (t *table) health(collateral, debt, weight, avgThreshold *big.Int) *big.Int {
	if t.profile.Directed {
		h := mulDiv(weight, bigWad, debt, nearest)
		return h.Quo(h, percent)
	}
	return mulDiv(mulDiv(collateral, avgThreshold, percent, nearest), bigWad, debt, nearest)
}

// set keeps the largest integer where a hypothetical price takes a number beyond 256 bits.
func set(dst *uint256.Int, x *big.Int) {
	if overflow := dst.SetFromBig(x); overflow {
		*dst = *maxUint
	}
}
