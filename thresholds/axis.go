package thresholds

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
)

// Axis is a named direction in which prices move ("ETH", "BTC", "market",
// "wstETH/ETH"), with the market whose oracle names the axis' price.
type Axis struct {
	Name      string
	Reference string // market name
}

// What can be wrong with the question.
var (
	// ErrNoAxis: no market has that axis, or the reference lacks it.
	ErrNoAxis = errors.New("no such axis")
	// ErrPrice: a price that is not positive, or too large to be one.
	ErrPrice = errors.New("not a usable price")
	// ErrUnknownMarket: a market that is not among the books.
	ErrUnknownMarket = errors.New("unknown market")
)

// The search for triggers goes from spot down to spot/MaxFall and up to
// spot*MaxRise; a trigger beyond is reported as none. Further up, hypothetical
// values come near where 256-bit products overflow. Further down, prices are so
// few units that roundings alone make a loop of ETH against wstETH liquidatable,
// which no price of ETH does.
const (
	MaxFall = 100_000
	MaxRise = 1_000_000
)

// Distance is how far a price is from a level, as a ratio of the level:
// |price/level - 1|, to 18 decimals. Zero when the level is zero.
func Distance(price, level decimal.Decimal) decimal.Decimal {
	if level.IsZero() {
		return decimal.Zero
	}
	return price.Sub(level).Abs().DivRound(level.Abs(), 18)
}

// placeOf is the integer that an oracle of that many decimals reads when the
// price is p: rounded down, as every on-chain division is.
func placeOf(p decimal.Decimal, decimals int32) (uint256.Int, error) {
	var place uint256.Int
	if p.Sign() <= 0 {
		return place, fmt.Errorf("%w: %s is not positive", ErrPrice, p)
	}
	// A hostile exponent must not make us write out a billion digits.
	if p.Exponent() > 80 || p.Exponent() < -200 || p.NumDigits() > 200 {
		return place, fmt.Errorf("%w: out of range", ErrPrice)
	}
	if place.SetFromBig(p.Shift(decimals).BigInt()) {
		return place, fmt.Errorf("%w: %s is out of range", ErrPrice, p)
	}
	return place, nil
}

// priceAt is the decimal price of a place.
func priceAt(place *uint256.Int, decimals int32) decimal.Decimal {
	return decimal.NewFromBigInt(place.ToBig(), -decimals)
}

// placeFromFloat rounds a float to the nearest place, clamped to [0, 2^256).
func placeFromFloat(f float64) uint256.Int {
	var out uint256.Int
	switch {
	case !(f > 0):
		return out
	case f < 1<<53:
		out.SetUint64(uint64(math.Round(f)))
		return out
	case f >= 0x1p255:
		return *out.SetAllOne()
	}
	i, _ := big.NewFloat(f).Int(nil)
	out.SetFromBig(i)
	return out
}

// placeFloat is a place as a float, for finding candidates only.
func placeFloat(place *uint256.Int) float64 {
	if place.IsUint64() {
		return float64(place.Uint64())
	}
	return place.Float64()
}
