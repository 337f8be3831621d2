package aavev3

import (
	"math/big"

	"github.com/holiman/uint256"

	"liqwatch/protocols"
)

// oracleData is getUserAccountData written a second time, from the contracts' text
// and branch by branch, to check the package's own.
func oracleData(t *table, a *account, prices []uint256.Int) accountData {
	p := t.profile
	ceil := func(x, y *big.Int) *big.Int {
		q, m := new(big.Int).DivMod(x, y, new(big.Int))
		if m.Sign() > 0 {
			q.Add(q, big.NewInt(1))
		}
		return q
	}
	mul := func(x, y *big.Int) *big.Int { return new(big.Int).Mul(x, y) }
	quo := func(x, y *big.Int) *big.Int { return new(big.Int).Quo(x, y) }
	half := func(x, y *big.Int) *big.Int { return quo(new(big.Int).Add(x, quo(y, big.NewInt(2))), y) }
	R, W, B := big10(27), big10(18), big.NewInt(10000)
	sumC, sumD, sumLT, sumLTV := new(big.Int), new(big.Int), new(big.Int), new(big.Int)
	for i := range t.res {
		r := &t.res[i]
		inMode, mode := false, &eMode{}
		for m := range t.modes {
			if t.modes[m].id == a.mode && a.mode != 0 {
				mode = &t.modes[m]
				if p.Bitmaps {
					inMode = new(big.Int).Rsh(new(big.Int).SetUint64(mode.collateral.lo), uint(r.id)).Bit(0) == 1
				} else {
					inMode = r.eModeCategory == a.mode
				}
			}
		}
		price := prices[i].ToBig()
		if inMode && !p.Bitmaps && !mode.priceSource.IsZero() {
			price = prices[len(t.res)].ToBig()
		}
		unit := big10(int64(r.decimals))
		for j := range a.legs {
			l := &a.legs[j]
			if uint16(l.id()) != r.id {
				continue
			}
			u := l.scaled.uint256()
			scaled := u.ToBig()
			if l.side() == protocols.Debt {
				index := oracleDebtIndex(p, r, t.time-r.updated)
				if p.Directed {
					sumD.Add(sumD, ceil(mul(ceil(mul(scaled, index), R), price), unit))
				} else {
					sumD.Add(sumD, quo(mul(half(mul(scaled, index), R), price), unit))
				}
				continue
			}
			if r.lt == 0 && !p.ZeroLTCounts {
				continue
			}
			index := oracleIncome(r, t.time-r.updated)
			balance := half(mul(scaled, index), R)
			if p.Directed {
				balance = quo(mul(scaled, index), R)
			}
			v := quo(mul(balance, price), unit)
			sumC.Add(sumC, v)
			lt, ltv := int64(r.lt), int64(r.ltv)
			if inMode {
				lt = int64(mode.lt)
				zero := p.EModeBeforeLTV && new(big.Int).Rsh(new(big.Int).SetUint64(mode.ltvZero.lo), uint(r.id)).Bit(0) == 1
				switch {
				case zero:
					ltv = 0
				case p.EModeBeforeLTV || r.ltv != 0:
					ltv = int64(mode.ltv)
				}
			}
			sumLT.Add(sumLT, mul(v, big.NewInt(lt)))
			sumLTV.Add(sumLTV, mul(v, big.NewInt(ltv)))
		}
	}
	var d accountData
	d.health.SetAllOne()
	avgLT, avgLTV := new(big.Int), new(big.Int)
	if sumC.Sign() > 0 {
		avgLT, avgLTV = quo(sumLT, sumC), quo(sumLTV, sumC)
	}
	if sumD.Sign() > 0 {
		if p.Directed {
			set(&d.health, quo(half(mul(sumLT, W), sumD), B))
		} else {
			set(&d.health, half(mul(half(mul(sumC, avgLT), B), W), sumD))
		}
	}
	free := half(mul(sumC, avgLTV), B)
	if p.Directed && !p.NearestBorrows {
		free = quo(mul(sumC, avgLTV), B)
	}
	if free.Cmp(sumD) > 0 {
		set(&d.borrows, free.Sub(free, sumD))
	}
	set(&d.collateral, sumC)
	set(&d.debt, sumD)
	set(&d.threshold, avgLT)
	set(&d.ltv, avgLTV)
	return d
}

func oracleIncome(r *reserve, dt uint64) *big.Int {
	if dt == 0 {
		return r.liquidityIndex.ToBig()
	}
	lin := new(big.Int).Mul(r.liquidityRate.ToBig(), new(big.Int).SetUint64(dt))
	lin.Quo(lin, big.NewInt(365*86400)).Add(lin, big10(27))
	return oracleRayMul(lin, r.liquidityIndex.ToBig())
}

func oracleRayMul(x, y *big.Int) *big.Int {
	z := new(big.Int).Mul(x, y)
	z.Add(z, new(big.Int).Quo(big10(27), big.NewInt(2)))
	return z.Quo(z, big10(27))
}

func oracleDebtIndex(p Profile, r *reserve, dt uint64) *big.Int {
	if dt == 0 {
		return r.borrowIndex.ToBig()
	}
	Y, rate, n := big.NewInt(31536000), r.borrowRate.ToBig(), new(big.Int).SetUint64(dt)
	x := new(big.Int).Mul(rate, n)
	x.Quo(x, Y)
	c := new(big.Int).Add(big10(27), x)
	if p.TaylorByProducts {
		t := new(big.Int).Quo(x, big.NewInt(2))
		t.Add(t, oracleRayMul(x, new(big.Int).Quo(x, big.NewInt(6))))
		c.Add(c, oracleRayMul(x, t))
		return oracleRayMul(c, r.borrowIndex.ToBig())
	}
	b2 := oracleRayMul(rate, rate)
	b2.Quo(b2, new(big.Int).Mul(Y, Y))
	b3 := oracleRayMul(b2, rate)
	b3.Quo(b3, Y)
	n1 := new(big.Int).Sub(n, big.NewInt(1))
	n2 := new(big.Int)
	if dt > 2 {
		n2.Sub(n, big.NewInt(2))
	}
	s := new(big.Int).Mul(new(big.Int).Mul(n, n1), b2)
	s.Quo(s, big.NewInt(2))
	th := new(big.Int).Mul(new(big.Int).Mul(new(big.Int).Mul(n, n1), n2), b3)
	th.Quo(th, big.NewInt(6))
	c.Add(c, s).Add(c, th)
	return oracleRayMul(c, r.borrowIndex.ToBig())
}
