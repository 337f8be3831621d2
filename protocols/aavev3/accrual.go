package aavev3

import "github.com/holiman/uint256"

var (
	ray     = uint256.MustFromDecimal("1000000000000000000000000000")
	halfRay = uint256.MustFromDecimal("500000000000000000000000000")
	wad     = uint256.NewInt(1e18)
	year    = uint256.NewInt(31536000)
	year2   = uint256.NewInt(31536000 * 31536000)
)

// rayMul is a*b/1e27 rounded half up (WadRayMath.rayMul).
func rayMul(a, b *uint256.Int) uint256.Int {
	var x uint256.Int
	x.Mul(a, b)
	x.Add(&x, halfRay)
	return *x.Div(&x, ray)
}

// accruedIncome is the liquidity index dt seconds after its last update, in ray
// (ReserveLogic.getNormalizedIncome, MathUtils.calculateLinearInterest).
func accruedIncome(index, rate *uint256.Int, dt uint64) uint256.Int {
	if dt == 0 {
		return *index
	}
	var x uint256.Int
	x.Mul(rate, uint256.NewInt(dt))
	x.Div(&x, year)
	x.Add(&x, ray)
	return rayMul(&x, index)
}

// accruedDebt is the variable borrow index dt seconds after its last update, in
// ray (ReserveLogic.getNormalizedDebt).
func accruedDebt(p *Profile, index, rate *uint256.Int, dt uint64) uint256.Int {
	if dt == 0 {
		return *index
	}
	c := compound(p.TaylorByProducts, rate, dt)
	return rayMul(&c, index)
}

// compound is the growth over dt seconds at a yearly rate, in ray
// (MathUtils.calculateCompoundedInterest). The binomial of the versions up to 3.3
// and the products of 3.4 approximate the same power and differ in the last digits.
func compound(byProducts bool, rate *uint256.Int, dt uint64) uint256.Int {
	var growth uint256.Int
	if dt == 0 {
		return *ray
	}
	t := uint256.NewInt(dt)
	growth.Mul(rate, t)
	growth.Div(&growth, year)
	if byProducts {
		return compoundByProducts(&growth)
	}
	base2 := rayMul(rate, rate)
	base2.Div(&base2, year2)
	base3 := rayMul(&base2, rate)
	base3.Div(&base3, year)
	t1 := uint256.NewInt(dt - 1)
	t2 := uint256.NewInt(max(dt, 2) - 2)
	var second, third uint256.Int
	second.Mul(t, t1)
	third.Mul(&second, t2)
	second.Mul(&second, &base2)
	second.Div(&second, uint256.NewInt(2))
	third.Mul(&third, &base3)
	third.Div(&third, uint256.NewInt(6))
	growth.Add(&growth, ray)
	growth.Add(&growth, &second)
	return *growth.Add(&growth, &third)
}

func compoundByProducts(x *uint256.Int) uint256.Int {
	var half, sixth uint256.Int
	half.Div(x, uint256.NewInt(2))
	sixth.Div(x, uint256.NewInt(6))
	inner := rayMul(x, &sixth)
	inner.Add(&inner, &half)
	outer := rayMul(x, &inner)
	outer.Add(&outer, x)
	return *outer.Add(&outer, ray)
}
