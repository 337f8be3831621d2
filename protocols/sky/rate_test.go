package sky

import (
	"math/big"
	"testing"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The rates that governance really set for these yearly fees, as published. They
// were computed with 27 digits throughout, so the last one can be a unit short.
func TestFeePerSecondIsTheRateGovernanceSets(t *testing.T) {
	for fee, want := range map[string]string{
		"0":     "1000000000000000000000000000",
		"0.04":  "1000000001243680656318820312",
		"0.05":  "1000000001547125957863212448",
		"0.06":  "1000000001847694957439350562",
		"0.065": "1000000001996917783620820123",
		"0.1":   "1000000003022265980097387650",
	} {
		got, err := FeePerSecond(decimal.RequireFromString(fee))
		require.NoError(t, err)
		published := uint256.MustFromDecimal(want)
		require.LessOrEqual(t, new(uint256.Int).Sub(got, published).Uint64(), uint64(1), "fee %s: %s", fee, got.Dec())
	}
	for _, fee := range []string{"-0.01", "10"} {
		_, err := FeePerSecond(decimal.RequireFromString(fee))
		require.ErrorContains(t, err, "stability fee")
	}
}

func TestAYearOfDripsGrowsByTheFee(t *testing.T) {
	fee, err := FeePerSecond(decimal.RequireFromString("0.06"))
	require.NoError(t, err)
	rate, err := Drip(ray, fee, SecondsPerYear)
	require.NoError(t, err)
	off := new(big.Float).Quo(new(big.Float).SetInt(rate.ToBig()), new(big.Float).SetInt(ray.ToBig()))
	got, _ := off.Float64()
	require.InDelta(t, 1.06, got, 1e-15)
}

// RPow against the definition: repeated squaring with each product rounded half up.
func TestRPowRoundsEveryProductHalfUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := new(uint256.Int).Add(ray, uint256.NewInt(rapid.Uint64Range(0, 1<<40).Draw(t, "excess")))
		n := rapid.Uint64Range(0, 1<<26).Draw(t, "n")
		got, err := RPow(x, n)
		require.NoError(t, err)
		require.Equal(t, naiveRPow(x.ToBig(), n).String(), got.Dec())
	})
}

func naiveRPow(x *big.Int, n uint64) *big.Int {
	one := ray.ToBig()
	mul := func(a, b *big.Int) *big.Int {
		p := new(big.Int).Mul(a, b)
		p.Add(p, new(big.Int).Rsh(one, 1))
		return p.Quo(p, one)
	}
	z := new(big.Int).Set(one)
	if n&1 == 1 {
		z.Set(x)
	}
	for bit := 1; bit < 64 && n>>bit > 0; bit++ {
		x = mul(x, x)
		if n>>bit&1 == 1 {
			z = mul(z, x)
		}
	}
	return z
}

func TestRPowSaysWhenTheContractWouldRevert(t *testing.T) {
	_, err := RPow(new(uint256.Int).SetAllOne(), 2)
	require.ErrorIs(t, err, ErrOverflow)
	z, err := RPow(new(uint256.Int), 0)
	require.NoError(t, err)
	require.Equal(t, ray, z)
}
