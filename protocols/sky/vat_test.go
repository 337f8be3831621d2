package sky

import (
	"math/big"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func wads(t *rapid.T, name string, max uint64) uint256.Int {
	whole := uint256.NewInt(rapid.Uint64Range(0, max).Draw(t, name))
	whole.Mul(whole, uint256.NewInt(1_000_000_000))
	return *whole.AddUint64(whole, rapid.Uint64Range(0, 999_999_999).Draw(t, name+" fraction"))
}

func anyIlk(t *rapid.T) Ilk {
	percent := uint256.NewInt(10_000_000_000_000_000)
	ilk := Ilk{Name: "ETH-B", Rate: *new(uint256.Int).Add(ray, uint256.NewInt(rapid.Uint64().Draw(t, "rate")))}
	ilk.Mat = *new(uint256.Int).Mul(uint256.NewInt(rapid.Uint64Range(101, 400).Draw(t, "mat")), new(uint256.Int).Div(ray, uint256.NewInt(100)))
	ilk.Par = *ray
	if rapid.Bool().Draw(t, "par off one") {
		ilk.Par = *new(uint256.Int).Sub(ray, uint256.NewInt(rapid.Uint64().Draw(t, "par")))
	}
	ilk.Chop = *new(uint256.Int).Mul(uint256.NewInt(rapid.Uint64Range(100, 120).Draw(t, "chop")), percent)
	return ilk
}

// The predicate against unbounded integers, from the contract's own words.
func naiveUnsafe(u *Urn, ilk *Ilk, price *uint256.Int) bool {
	r := ray.ToBig()
	spot := new(big.Int).Mul(price.ToBig(), big.NewInt(1e9))
	spot.Quo(spot.Mul(spot, r), ilk.Par.ToBig())
	spot.Quo(spot.Mul(spot, r), ilk.Mat.ToBig())
	backed := new(big.Int).Mul(u.Ink.ToBig(), spot)
	owed := new(big.Int).Mul(u.Art.ToBig(), ilk.Rate.ToBig())
	return spot.Sign() > 0 && backed.Cmp(owed) < 0
}

func TestAVaultIsUnsafeAtItsLiquidationPriceAndSafeOneUnitAbove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ilk := anyIlk(t)
		u := Urn{Ink: wads(t, "ink", 1<<50), Art: wads(t, "art", 1<<56)}
		u.Ink.AddUint64(&u.Ink, 1_000_000_000_000)
		p, ok := u.LiquidationPrice(&ilk)
		if !ok {
			for _, at := range []uint64{1, 1000, 1 << 60} {
				require.False(t, naiveUnsafe(&u, &ilk, uint256.NewInt(at)), "no price, but unsafe at %d", at)
			}
			return
		}
		above := new(uint256.Int).AddUint64(&p, 1)
		require.True(t, naiveUnsafe(&u, &ilk, &p), "unsafe at %s", p.Dec())
		require.False(t, naiveUnsafe(&u, &ilk, above), "safe at %s", above.Dec())
		for _, price := range []*uint256.Int{&p, above} {
			spot, err := Spot(price, &ilk.Par, &ilk.Mat)
			require.NoError(t, err)
			require.Equal(t, naiveUnsafe(&u, &ilk, price), u.Unsafe(&ilk.Rate, spot))
		}
	})
}

func TestEqualityIsSafeAndNoSpotIsSafe(t *testing.T) {
	u := Urn{Ink: *uint256.NewInt(2), Art: *uint256.NewInt(3)}
	require.False(t, u.Unsafe(uint256.NewInt(2), uint256.NewInt(3)))
	require.True(t, u.Unsafe(uint256.NewInt(2), uint256.NewInt(2)))
	require.False(t, u.Unsafe(uint256.NewInt(2), new(uint256.Int)))
	u.Ink.SetAllOne()
	require.False(t, u.Unsafe(uint256.NewInt(2), uint256.NewInt(2)), "a product at which the Vat reverts")
	_, err := Spot(uint256.NewInt(1), ray, new(uint256.Int))
	require.ErrorContains(t, err, "must not be zero")
}

func TestBarkNeverTakesMoreThanFitsNorLeavesDust(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ilk := anyIlk(t)
		ilk.Dust = wads(t, "dust", 1<<40)
		room := wads(t, "room", 1<<50)
		ilk.Room = &room
		u := Urn{Ink: wads(t, "ink", 1<<50), Art: wads(t, "art", 1<<50)}
		dart, dink := u.Bark(&ilk)
		require.False(t, dart.Gt(&u.Art))
		require.False(t, dink.Gt(&u.Ink))
		if dart.Lt(&u.Art) {
			left := Urn{Art: *new(uint256.Int).Sub(&u.Art, &dart)}
			debt := left.Debt(&ilk.Rate)
			require.False(t, debt.Lt(&ilk.Dust), "a remainder below dust")
		}
		if dart.Eq(&u.Art) && !dart.IsZero() {
			require.Equal(t, u.Ink, dink)
		}
	})
}

func TestBarkWithoutALimitTakesAll(t *testing.T) {
	u := Urn{Ink: *uint256.NewInt(7), Art: *uint256.NewInt(5)}
	dart, dink := u.Bark(&Ilk{Rate: *ray, Chop: *wad})
	require.Equal(t, u.Art, dart)
	require.Equal(t, u.Ink, dink)
}

func TestAnOracleIsOneHopLate(t *testing.T) {
	o := OSM{Zzz: 7200, Cur: *uint256.NewInt(1), Nxt: *uint256.NewInt(2)}
	require.False(t, o.Poke(10799, uint256.NewInt(3)), "before its time")
	require.False(t, o.Poke(10801, new(uint256.Int)), "the source has no price")
	require.True(t, o.Poke(10950, uint256.NewInt(3)))
	require.Equal(t, OSM{Zzz: 10800, Cur: *uint256.NewInt(2), Nxt: *uint256.NewInt(3)}, o)
	require.Equal(t, uint64(14400), o.Due())
}
