package sky

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
)

// SecondsPerYear is the year that the stability fee is quoted over.
const SecondsPerYear = 31_536_000

var (
	wad      = uint256.NewInt(1_000_000_000_000_000_000)
	ray      = new(uint256.Int).Mul(uint256.NewInt(1_000_000_000), wad)
	halfRay  = new(uint256.Int).Rsh(ray, 1)
	billion  = uint256.NewInt(1_000_000_000)
	rayFloat = new(big.Float).SetPrec(feePrecision).SetInt(ray.ToBig())
)

// feePrecision is the working precision of yearly fee to fee per second, in bits.
const feePrecision = 256

// ErrOverflow is a product that does not fit in 256 bits; the contract reverts there.
var ErrOverflow = errors.New("product does not fit in 256 bits")

// RPow is x^n with x and the result in ray, every multiplication rounded half up,
// as Jug._rpow does with base ONE. [ErrOverflow] where the contract reverts.
func RPow(x *uint256.Int, n uint64) (*uint256.Int, error) {
	if x.IsZero() {
		if n == 0 {
			return ray.Clone(), nil
		}
		return new(uint256.Int), nil
	}
	z := ray.Clone()
	if n%2 == 1 {
		z.Set(x)
	}
	base := x.Clone()
	for n /= 2; n > 0; n /= 2 {
		if !mulHalfUp(base, base) {
			return nil, fmt.Errorf("raise to a power: %w", ErrOverflow)
		}
		if n%2 == 1 && !mulHalfUp(z, base) {
			return nil, fmt.Errorf("raise to a power: %w", ErrOverflow)
		}
	}
	return z, nil
}

// mulHalfUp sets z to z*x/ray rounded half up, false on overflow.
func mulHalfUp(z, x *uint256.Int) bool {
	if _, over := z.MulOverflow(z, x); over {
		return false
	}
	if _, over := z.AddOverflow(z, halfRay); over {
		return false
	}
	z.Div(z, ray)
	return true
}

// Drip is the rate after seconds at a fee per second (ray), rounded down, as
// Jug.drip: rate' = rpow(base+duty, dt) * rate / RAY.
func Drip(rate, feePerSecond *uint256.Int, seconds uint64) (*uint256.Int, error) {
	grown, err := RPow(feePerSecond, seconds)
	if err != nil {
		return nil, fmt.Errorf("accrue the stability fee: %w", err)
	}
	if _, over := grown.MulOverflow(grown, rate); over {
		return nil, fmt.Errorf("accrue the stability fee: %w", ErrOverflow)
	}
	return grown.Div(grown, ray), nil
}

// FeePerSecond turns a yearly fee (0.06 is 6 %) into the ray that governance sets
// as duty: the SecondsPerYear-th root of 1+fee, rounded down.
// The fee must lie in [0, 10).
func FeePerSecond(yearly decimal.Decimal) (*uint256.Int, error) {
	if yearly.IsNegative() || yearly.GreaterThanOrEqual(decimal.NewFromInt(10)) {
		return nil, fmt.Errorf("stability fee %s: want a yearly part between 0 and 10", yearly)
	}
	grown := yearly.Add(decimal.NewFromInt(1))
	y, ok := newFloat().SetString(grown.String())
	if !ok {
		return nil, fmt.Errorf("stability fee %s: not a number", yearly)
	}
	root := exp(newFloat().Quo(ln(y), newFloat().SetInt64(SecondsPerYear)))
	scaled := newFloat().Mul(root, rayFloat)
	whole, _ := scaled.Int(nil)
	out, over := uint256.FromBig(whole)
	if over {
		return nil, fmt.Errorf("stability fee %s: %w", yearly, ErrOverflow)
	}
	return out, nil
}

func newFloat() *big.Float { return new(big.Float).SetPrec(feePrecision) }

// ln is the natural logarithm of y in [1, 11): 2*atanh((y-1)/(y+1)), a series.
func ln(y *big.Float) *big.Float {
	one := newFloat().SetInt64(1)
	q := newFloat().Quo(newFloat().Sub(y, one), newFloat().Add(y, one))
	square := newFloat().Mul(q, q)
	sum, power := newFloat(), newFloat().Set(q)
	for k := int64(1); power.Sign() != 0 && power.MantExp(nil) > -feePrecision; k += 2 {
		sum.Add(sum, newFloat().Quo(power, newFloat().SetInt64(k)))
		power.Mul(power, square)
	}
	return sum.Mul(sum, newFloat().SetInt64(2))
}

// exp is e^x for small x, by its series.
func exp(x *big.Float) *big.Float {
	sum, term := newFloat().SetInt64(1), newFloat().SetInt64(1)
	for k := int64(1); ; k++ {
		term.Mul(term, x)
		term.Quo(term, newFloat().SetInt64(k))
		if term.Sign() == 0 || term.MantExp(nil) < -feePrecision {
			return sum
		}
		sum.Add(sum, term)
	}
}
