package compoundv2

import (
	"math/bits"

	"github.com/holiman/uint256"
)

// Nearly every number of a market fits 128 bits, and nearly every division is by
// 1e18: what a what-if asks of every leg is worth a few limbs of its own. Whatever
// does not fit goes the general way; both are exact.

// wadShift shifts 1e18 so that its top bit is set; wadReciprocal is its reciprocal
// (Möller and Granlund, "Improved division by invariant integers", definition 1).
const wadShift = 4

var wadReciprocal = func() uint64 {
	d := wad[0] << wadShift
	v, _ := bits.Div64(^d, ^uint64(0), d)
	return v
}()

// small reports that a number fits 128 bits.
func small(x *uint256.Int) bool { return x[2]|x[3] == 0 }

// product is x*y of two small numbers.
func product(x, y *uint256.Int) (z uint256.Int) {
	h00, l00 := bits.Mul64(x[0], y[0])
	if x[1]|y[1] == 0 {
		return uint256.Int{l00, h00}
	}
	h01, l01 := bits.Mul64(x[0], y[1])
	h10, l10 := bits.Mul64(x[1], y[0])
	h11, l11 := bits.Mul64(x[1], y[1])
	m, c1 := bits.Add64(h00, l01, 0)
	m, c2 := bits.Add64(m, l10, 0)
	n, c3 := bits.Add64(h01, h10, c1)
	n, c4 := bits.Add64(n, l11, c2)
	return uint256.Int{l00, m, n, h11 + c3 + c4}
}

// byWad is ⌊z/1e18⌋ (their algorithm 4).
func byWad(z *uint256.Int) (q uint256.Int) {
	d := wad[0] << wadShift
	n := [5]uint64{
		z[0] << wadShift, z[1]<<wadShift | z[0]>>(64-wadShift), z[2]<<wadShift | z[1]>>(64-wadShift),
		z[3]<<wadShift | z[2]>>(64-wadShift), z[3] >> (64 - wadShift),
	}
	rest, top := n[4], 3
	for top > 0 && rest == 0 && n[top] < d {
		rest = n[top]
		top--
	}
	for i := top; i >= 0; i-- {
		qh, ql := bits.Mul64(wadReciprocal, rest)
		ql, c := bits.Add64(ql, n[i], 0)
		qh, _ = bits.Add64(qh, rest, c)
		qh++
		r := n[i] - qh*d
		if r > ql {
			qh--
			r += d
		}
		if r >= d {
			qh++
			r -= d
		}
		q[i], rest = qh, r
	}
	return q
}

// byOne is ⌊z/d⌋ for a divisor of one limb.
func byOne(z *uint256.Int, d uint64) (q uint256.Int) {
	var rest uint64
	for i := 3; i >= 0; i-- {
		if rest == 0 && z[i] < d {
			rest = z[i]
			continue
		}
		q[i], rest = bits.Div64(rest, z[i], d)
	}
	return q
}
