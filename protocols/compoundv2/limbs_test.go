package compoundv2

import (
	"math/big"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/protocols"
)

// edgy draws numbers that like to sit on the edges of limbs and of 1e18.
func edgy(t *rapid.T, name string) *uint256.Int {
	x := number256(t, 256, name)
	switch rapid.IntRange(0, 4).Draw(t, name+" kind") {
	case 0:
		x.Lsh(uint256.NewInt(1), uint(rapid.IntRange(0, 255).Draw(t, "bit")))
		x.SubUint64(x, rapid.Uint64Range(0, 1).Draw(t, "less"))
	case 1:
		x.Mul(wad, uint256.NewInt(rapid.Uint64().Draw(t, "wads")))
		x.SubUint64(x, rapid.Uint64Range(0, 1).Draw(t, "less"))
	case 2:
		x.Rsh(x, 128)
	case 3:
		x.Rsh(x, 192)
	}
	return x
}

// capped is the quotient as the package has it: the largest number where it does not fit.
func capped(x *big.Int) string {
	if x.BitLen() > 256 {
		return new(uint256.Int).SetAllOne().Dec()
	}
	return x.String()
}

func TestLimbsAreUnboundedIntegers(t *testing.T) {
	one, half := wad.ToBig(), halfWad.ToBig()
	rapid.Check(t, func(t *rapid.T) {
		x, y, d := edgy(t, "x"), edgy(t, "y"), edgy(t, "d")
		p := new(big.Int).Mul(x.ToBig(), y.ToBig())
		got := truncated(x, y)
		require.Equal(t, capped(new(big.Int).Quo(p, one)), got.Dec())
		if !d.IsZero() {
			got = mulDiv(x, y, d)
			require.Equal(t, capped(new(big.Int).Quo(p, d.ToBig())), got.Dec())
		}
		if p.Add(p, half); p.BitLen() <= 256 {
			got = Profile{HalfUp: true}.mul(x, y)
			require.Equal(t, p.Quo(p, one).String(), got.Dec())
		}
	})
}

// BenchmarkTruncated is what every leg asks several times.
func BenchmarkTruncated(b *testing.B) {
	x, y := uint256.MustFromDecimal("200000000123456789000000000"), uint256.MustFromDecimal("51234567890123456789")
	var own float64
	b.Run("limbs", func(b *testing.B) {
		for b.Loop() {
			truncated(x, y)
		}
		own = b.Elapsed().Seconds() / float64(b.N)
	})
	b.Run("general", func(b *testing.B) {
		for b.Loop() {
			new(uint256.Int).MulDivOverflow(x, y, wad)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/own, "x-limbs")
	})
}

// BenchmarkFigures are all amounts of an account with two collaterals and two debts
// that is past its trigger.
func BenchmarkFigures(b *testing.B) {
	book := syntheticBook(JustLend)
	prices := protocols.Prices{}
	for i := range book.assets {
		prices.Raw = append(prices.Raw, book.table.prices[i])
	}
	prices.Raw[3].Mul(&prices.Raw[3], uint256.NewInt(1000)) // the debts' price
	require.True(b, book.Liquidatable(0, prices))
	b.ReportAllocs()
	for b.Loop() {
		book.Figures(0, prices)
	}
}
