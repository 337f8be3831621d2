package sky

import (
	"errors"
	"fmt"

	"github.com/holiman/uint256"
)

// Ilk is one collateral type: everything the predicate and a liquidation need.
type Ilk struct {
	Name string      // "ETH-B"
	Rate uint256.Int // ray: debt per art, grown by the stability fee
	Mat  uint256.Int // ray: liquidation ratio, 1.30 is 130 %
	Par  uint256.Int // ray: what one DAI is meant to be worth in the oracle's currency
	Chop uint256.Int // wad: debt raised per debt in a liquidation, 1.13 is a 13 % penalty
	Dust uint256.Int // wad: smallest debt a vault may be left with by its owner
	// Room is how much debt with penalty (wad) a liquidation may still put up for
	// auction: min(Hole-Dirt, ilk.hole-ilk.dirt). Nil means no limit that is known.
	Room *uint256.Int
}

// Urn is one vault.
type Urn struct {
	Ink uint256.Int // wad: collateral
	Art uint256.Int // wad: debt before rate
}

// errRatio is a liquidation ratio or par of zero: spot would be undefined.
var errRatio = errors.New("liquidation ratio and par must not be zero")

// Spot is the price with the liquidation ratio taken off, in ray, as Spotter.poke
// stores it: rdiv(rdiv(val*1e9, par), mat), each division rounded down. val is the
// oracle's price in wad.
func Spot(val, par, mat *uint256.Int) (*uint256.Int, error) {
	if par.IsZero() || mat.IsZero() {
		return nil, fmt.Errorf("price %s: %w", val, errRatio)
	}
	z := new(uint256.Int)
	if _, over := z.MulOverflow(val, billion); over {
		return nil, fmt.Errorf("price %s: %w", val, ErrOverflow)
	}
	for _, by := range []*uint256.Int{par, mat} {
		if _, over := z.MulOverflow(z, ray); over {
			return nil, fmt.Errorf("price %s: %w", val, ErrOverflow)
		}
		z.Div(z, by)
	}
	return z, nil
}

// Unsafe is Dog.bark's predicate: spot > 0 and ink*spot < art*rate, both products
// in rad and exact. At equality the vault is safe. A product beyond 256 bits, at
// which the contract reverts, is not a liquidation.
func (u *Urn) Unsafe(rate, spot *uint256.Int) bool {
	if spot.IsZero() {
		return false
	}
	var backed, owed uint256.Int
	if _, over := backed.MulOverflow(&u.Ink, spot); over {
		return false
	}
	if _, over := owed.MulOverflow(&u.Art, rate); over {
		return false
	}
	return backed.Lt(&owed)
}

// Debt is art*rate in wad, rounded up: what it takes to close the vault.
func (u *Urn) Debt(rate *uint256.Int) uint256.Int {
	var owed uint256.Int
	if _, over := owed.MulOverflow(&u.Art, rate); over {
		return *new(uint256.Int).SetAllOne()
	}
	return *divUp(&owed, ray)
}

// LiquidationPrice is the largest oracle price (wad) at which the vault is unsafe,
// or false when there is none, or none whose spot fits in 256 bits (a few wei of
// collateral against millions). Closed form: the smallest safe spot is
// ceil(art*rate/ink), the smallest price that Spot maps at or above it one step up.
func (u *Urn) LiquidationPrice(ilk *Ilk) (uint256.Int, bool) {
	var owed uint256.Int
	if _, over := owed.MulOverflow(&u.Art, &ilk.Rate); over || owed.IsZero() || u.Ink.IsZero() {
		return uint256.Int{}, false
	}
	// floor(x*RAY/d) >= s  <=>  x >= ceil(s*d/RAY), for each of Spot's two divisions.
	safe := divUp(&owed, &u.Ink)
	for _, by := range []*uint256.Int{&ilk.Mat, &ilk.Par} {
		if _, over := safe.MulOverflow(safe, by); over {
			return uint256.Int{}, false
		}
		safe = divUp(safe, ray)
	}
	safe = divUp(safe, billion)
	one := uint256.NewInt(1)
	if !safe.Gt(one) {
		return uint256.Int{}, false // only at a price of zero, at which nothing is liquidated
	}
	last := safe.Sub(safe, one)
	spot, err := Spot(last, &ilk.Par, &ilk.Mat)
	if err != nil || !u.Unsafe(&ilk.Rate, spot) {
		return uint256.Int{}, false // the spot of every unsafe price rounds to zero
	}
	return *last, true
}

// Bark is what one liquidation may take from an unsafe vault: Dog.bark's dart and
// dink, with its rules for a remainder below dust.
func (u *Urn) Bark(ilk *Ilk) (dart, dink uint256.Int) {
	dart = u.Art
	if ilk.Room != nil && !ilk.Rate.IsZero() && !ilk.Chop.IsZero() {
		room := new(uint256.Int)
		if _, over := room.MulOverflow(ilk.Room, ray); over {
			room.SetAllOne()
		}
		// room is rad here: room*1e18/rate/chop is the art that fits.
		fits, over := new(uint256.Int).MulDivOverflow(room, wad, &ilk.Rate)
		if !over {
			fits.Div(fits, &ilk.Chop)
			if fits.Lt(&dart) {
				dart = *fits
			}
		}
		dart = ilk.wholeOrDust(u.Art, dart)
	}
	if dart.IsZero() || u.Art.IsZero() {
		return uint256.Int{}, uint256.Int{}
	}
	taken, _ := new(uint256.Int).MulDivOverflow(&u.Ink, &dart, &u.Art)
	return dart, *taken
}

// wholeOrDust takes all when what a partial liquidation leaves would be dust, and
// nothing when what it takes would be.
func (ilk *Ilk) wholeOrDust(art, dart uint256.Int) uint256.Int {
	if !art.Gt(&dart) {
		return art
	}
	left := new(uint256.Int).Sub(&art, &dart)
	if debt := (&Urn{Art: *left}).Debt(&ilk.Rate); debt.Lt(&ilk.Dust) {
		return art
	}
	if debt := (&Urn{Art: dart}).Debt(&ilk.Rate); debt.Lt(&ilk.Dust) {
		return uint256.Int{}
	}
	return dart
}

// divUp is a/b rounded up; b is not zero.
func divUp(a, b *uint256.Int) *uint256.Int {
	q, r := new(uint256.Int).DivMod(a, b, new(uint256.Int))
	if !r.IsZero() {
		q.AddUint64(q, 1)
	}
	return q
}
