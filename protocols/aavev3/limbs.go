package aavev3

import (
	"math/bits"

	"github.com/holiman/uint256"
)

// u128 is an unsigned integer of two limbs.
type u128 struct{ hi, lo uint64 }

// rayLow and halfRayLow are 1e27 and half of it.
var (
	ray128     = u128{ray[1], ray[0]}
	halfRay128 = u128{halfRay[1], halfRay[0]}
)

func fromUint256(x *uint256.Int) (u128, bool) { return u128{x[1], x[0]}, x[2]|x[3] == 0 }

func (a u128) uint256() uint256.Int { return uint256.Int{a.lo, a.hi} }

func (a u128) isZero() bool { return a.hi|a.lo == 0 }

func (a u128) less(b u128) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func (a u128) add(b u128) (u128, uint64) {
	lo, c := bits.Add64(a.lo, b.lo, 0)
	hi, c := bits.Add64(a.hi, b.hi, c)
	return u128{hi, lo}, c
}

func (a u128) sub(b u128) u128 {
	lo, c := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, c)
	return u128{hi, lo}
}

func (a u128) inc() u128 {
	lo, c := bits.Add64(a.lo, 1, 0)
	return u128{a.hi + c, lo}
}

// mulLow is the low 128 bits of a*b.
func (a u128) mulLow(b u128) u128 {
	hi, lo := bits.Mul64(a.lo, b.lo)
	return u128{hi + a.hi*b.lo + a.lo*b.hi, lo}
}

// mul is the whole of a*b as two halves of 128 bits.
func (a u128) mul(b u128) (high, low u128) {
	h00, l00 := bits.Mul64(a.lo, b.lo)
	h01, l01 := bits.Mul64(a.lo, b.hi)
	h10, l10 := bits.Mul64(a.hi, b.lo)
	h11, l11 := bits.Mul64(a.hi, b.hi)
	m, c1 := bits.Add64(h00, l01, 0)
	m, c2 := bits.Add64(m, l10, 0)
	x, c3 := bits.Add64(h01, h10, 0)
	x, c4 := bits.Add64(x, l11, c1)
	x, c5 := bits.Add64(x, 0, c2)
	return u128{h11 + c3 + c4 + c5, x}, u128{m, l00}
}

// rounding is the direction of a division.
type rounding uint8

const (
	down rounding = iota
	nearest
	up
)

// factor multiplies by index/1e27 without dividing: index = whole*1e27 + rest, and
// frac is rest/1e27 in units of 2^-128, rounded down.
type factor struct {
	frac  u128
	index u128
	whole uint64
	fast  bool // the index fits what apply assumes
}

func newFactor(index *uint256.Int) factor {
	var whole, rest, frac uint256.Int
	whole.DivMod(index, ray, &rest)
	frac.Lsh(&rest, 128)
	frac.Div(&frac, ray)
	idx, ok := fromUint256(index)
	return factor{
		whole: whole.Uint64(), frac: u128{frac[1], frac[0]}, index: idx,
		fast: ok && whole.IsUint64() && whole.Uint64() < 1<<20,
	}
}

// apply is scaled*index/1e27 in the direction asked for; false when the product
// leaves 108 bits, where the caller takes the slow way.
func (f *factor) apply(scaled u128, r rounding) (u128, bool) {
	if !f.fast || scaled.hi >= 1<<24 {
		return u128{}, false
	}
	high, low := scaled.mul(f.frac)
	wholeHi, wholeLo := bits.Mul64(scaled.lo, f.whole)
	q, _ := high.add(u128{wholeHi + scaled.hi*f.whole, wholeLo})
	// The true quotient is q + (low+e)/2^128 with 0 <= e <= scaled. Almost always
	// that decides; otherwise the remainder does.
	top, carry := low.add(scaled)
	switch {
	case carry != 0:
	case r == down:
		return q, true
	case r == up:
		if !low.isZero() {
			return q.inc(), true
		}
	case low.hi >= 1<<63:
		return q.inc(), true
	case top.hi < 1<<63:
		return q, true
	}
	return f.byRemainder(scaled, q, r), true
}

// byRemainder finishes apply where the fraction alone leaves two answers. The
// remainder is below 2e27, so 128 bits of it are all of it.
func (f *factor) byRemainder(scaled, q u128, r rounding) u128 {
	rest := scaled.mulLow(f.index).sub(q.mulLow(ray128))
	if !rest.less(ray128) {
		q, rest = q.inc(), rest.sub(ray128)
	}
	if r == up && !rest.isZero() || r == nearest && !rest.less(halfRay128) {
		return q.inc()
	}
	return q
}

// divisor divides by a fixed 64-bit integer with multiplications (Möller and
// Granlund, "Improved division by invariant integers", algorithm 4).
type divisor struct {
	d, reciprocal uint64 // d is shifted so that its top bit is set
	shift         uint
	fast          bool
}

func newDivisor(unit *uint256.Int) divisor {
	if !unit.IsUint64() || unit.IsZero() {
		return divisor{}
	}
	return newDivisor64(unit.Uint64())
}

// newDivisor64 is a divisor that is not zero.
func newDivisor64(x uint64) divisor {
	s := uint(bits.LeadingZeros64(x))
	d := x << s
	v, _ := bits.Div64(^d, ^uint64(0), d)
	return divisor{d: d, reciprocal: v, shift: s, fast: true}
}

func (v *divisor) step(hi, lo uint64) (q, r uint64) {
	qh, ql := bits.Mul64(v.reciprocal, hi)
	ql, c := bits.Add64(ql, lo, 0)
	qh, _ = bits.Add64(qh, hi, c)
	qh++
	r = lo - qh*v.d
	if r > ql {
		qh--
		r += v.d
	}
	if r >= v.d {
		qh++
		r -= v.d
	}
	return qh, r
}

// value is amount*price/unit, down or up; false when it leaves 100 bits.
func (v *divisor) value(amount u128, price uint64, r rounding) (u128, bool) {
	h, l := bits.Mul64(amount.lo, price)
	h2, l2 := bits.Mul64(amount.hi, price)
	m, c := bits.Add64(h, l2, 0)
	h2 += c
	// n is h2:m:l, shifted as the divisor is.
	n3 := h2 >> (64 - v.shift)
	n2 := h2<<v.shift | m>>(64-v.shift)
	n1 := m<<v.shift | l>>(64-v.shift)
	n0 := l << v.shift
	var q2, q1, q0, rest uint64
	rest = n2
	if n3 != 0 || n2 >= v.d {
		q2, rest = v.step(n3, n2)
	}
	q1, rest = v.step(rest, n1)
	q0, rest = v.step(rest, n0)
	q := u128{q1, q0}
	if r == up && rest != 0 {
		q = q.inc()
	}
	return q, v.fast && q2 == 0 && q.hi < 1<<36
}
