package compoundv2

import "github.com/holiman/uint256"

var (
	wad     = uint256.NewInt(1_000_000_000_000_000_000)
	halfWad = uint256.NewInt(500_000_000_000_000_000)
	one     = uint256.NewInt(1)
)

// mulDiv is ⌊x*y/d⌋; 0 when d is 0. Where the quotient does not fit 256 bits, which
// the contracts answer with a failure, it is the largest number.
func mulDiv(x, y, d *uint256.Int) uint256.Int {
	var z uint256.Int
	switch {
	case d.IsZero():
		return z
	case small(x) && small(y) && d.IsUint64():
		z = product(x, y)
		return byOne(&z, d[0])
	}
	if _, over := z.MulDivOverflow(x, y, d); over {
		z.SetAllOne()
	}
	return z
}

// grow adds to a sum. Like a quotient, one that does not fit is the largest number.
func grow(sum, x *uint256.Int) {
	if _, over := sum.AddOverflow(sum, x); over {
		sum.SetAllOne()
	}
}

// truncated is ⌊x*y/1e18⌋: mul_ in ExponentialNoError, mulScalarTruncate everywhere.
func truncated(x, y *uint256.Int) uint256.Int {
	if small(x) && small(y) {
		z := product(x, y)
		return byWad(&z)
	}
	return mulDiv(x, y, wad)
}

// mul is the product of two mantissas. Truncated in ExponentialNoError; half up,
// ⌊(x*y+5e17)/1e18⌋, in Exponential.mulExp.
func (p Profile) mul(x, y *uint256.Int) uint256.Int {
	if !p.HalfUp {
		return truncated(x, y)
	}
	if small(x) && small(y) {
		z := product(x, y)
		z.Add(&z, halfWad) // the largest product leaves room for it
		return byWad(&z)
	}
	var z uint256.Int
	if _, over := z.MulOverflow(x, y); over {
		z.SetAllOne()
		return z
	}
	if _, over := z.AddOverflow(&z, halfWad); over {
		z.SetAllOne()
		return z
	}
	z.Div(&z, wad)
	return z
}

// perToken is what one unit of a cToken weighs at a price: CF*ER*P as
// getHypotheticalAccountLiquidityInternal multiplies them, in quote units * 1e18.
func (p Profile) perToken(weight, rate, price *uint256.Int) uint256.Int {
	first := p.mul(weight, rate)
	return p.mul(&first, price)
}

// borrowed is ⌊principal*index/interestIndex⌋: CToken.borrowBalanceStoredInternal.
func borrowed(principal, index, interestIndex *uint256.Int) uint256.Int {
	if principal.IsZero() {
		return uint256.Int{}
	}
	return mulDiv(principal, index, interestIndex)
}

// seizeTokens is how many cTokens a repayment takes:
// Comptroller.liquidateCalculateSeizeTokens. incentive and prices are mantissas.
func (p Profile) seizeTokens(repay, incentive, priceBorrowed, priceCollateral, rate *uint256.Int) uint256.Int {
	num := p.mul(incentive, priceBorrowed)
	den := p.mul(priceCollateral, rate)
	if den.IsZero() {
		return uint256.Int{}
	}
	ratio := mulDiv(&num, wad, &den)
	return truncated(&ratio, repay)
}

// accrued is a market after accrueInterest over so many blocks or seconds:
// CToken.accrueInterest with the present borrow rate.
func accrued(s state, periods uint64) state {
	if periods == 0 {
		return s
	}
	var factor uint256.Int
	factor.Mul(&s.borrowRate, uint256.NewInt(periods))
	interest := truncated(&factor, &s.borrows)
	toReserves := truncated(&s.reserveFactor, &interest)
	grown := truncated(&factor, &s.index)
	s.borrows.Add(&s.borrows, &interest)
	s.reserves.Add(&s.reserves, &toReserves)
	s.index.Add(&s.index, &grown)
	s.rate = exchangeRate(s)
	return s
}

// exchangeRate is ⌊(cash+borrows-reserves)*1e18/supply⌋: exchangeRateStoredInternal.
// Without supply it stays what it was (the initial rate).
func exchangeRate(s state) uint256.Int {
	if s.supply.IsZero() {
		return s.rate
	}
	var held uint256.Int
	held.Add(&s.cash, &s.borrows)
	if held.Lt(&s.reserves) {
		return uint256.Int{}
	}
	held.Sub(&held, &s.reserves)
	return mulDiv(&held, wad, &s.supply)
}
