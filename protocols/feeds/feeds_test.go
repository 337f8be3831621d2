package feeds

import (
	"math/big"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/protocols/pricing"
)

// What an adapter would answer at the large number gives its ratio back exactly.
func TestFitFindsTheRatio(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.IntRange(0, MostGroups-1).Draw(t, "group")
		decimals := rapid.IntRange(0, 27).Draw(t, "decimals")
		den := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
		num := new(big.Int).Quo(new(big.Int).Mul(den, big.NewInt(rapid.Int64Range(1_000, 9_000_000).Draw(t, "ratio"))), big.NewInt(1_000_000))
		if num.Sign() == 0 {
			num.SetInt64(1)
		}
		adapter := func(base *uint256.Int) uint256.Int {
			x := new(big.Int).Mul(base.ToBig(), num)
			var out uint256.Int
			out.SetFromBig(x.Quo(x, den))
			return out
		}
		now := uint256.NewInt(rapid.Uint64Range(1e6, 1e13).Draw(t, "now"))
		before, exact := adapter(now), adapter(Exact(g))
		got, n, d, ok := Fit(&exact, &before, MostGroups)
		require.True(t, ok)
		require.Equal(t, g, got)
		m := pricing.Model{Num: n, Den: d}
		low := Low(now)
		require.True(t, Reproduces(&m, Point{*now, before}, Point{*low, adapter(low)}))
	})
}

func TestFitRefusesWhatDidNotMove(t *testing.T) {
	same := uint256.NewInt(1e8)
	_, _, _, ok := Fit(same, same, 2)
	require.False(t, ok)
	_, _, _, ok = Fit(uint256.NewInt(1_04000000), same, 2)
	require.False(t, ok, "a cap is no ratio")
}

func TestCapGrowsAsTheContractSays(t *testing.T) {
	c := RatioCap{Snapshot: *uint256.NewInt(1e18), At: 1000, PerSecond: *uint256.NewInt(3_500_000_333_333)}
	rapid.Check(t, func(t *rapid.T) {
		ratio := uint256.NewInt(1e18 + rapid.Uint64Range(0, 1e14).Draw(t, "above"))
		at, ok := c.Reaches(ratio)
		require.True(t, ok)
		most := c.Max(at)
		require.False(t, most.Lt(ratio))
		if at > c.At {
			before := c.Max(at - 1)
			require.True(t, before.Lt(ratio))
		}
	})
	c.PerSecond.Clear()
	_, ok := c.Reaches(uint256.NewInt(2e18))
	require.False(t, ok)
}

func TestPairsAreTheSameHoweverWritten(t *testing.T) {
	for text, want := range map[string]string{"ETH / USD": "ETH", "eth/usd": "ETH", "ETH / USD ": "ETH", "Capped weETH / eETH(ETH) / USD": "", "stETH / ETH": "", "": ""} {
		c := Contract{Description: text}
		require.Equal(t, want, Group(c.Pair()), text)
	}
	require.True(t, Steady("USDe") && Steady("sUSDe") && Steady("GHO") && Steady("EURC"))
	require.False(t, Steady("WETH") || Steady("LINK") || Steady("AAVE"))
	require.Equal(t, "ETH", Listed("wstETH"))
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add(make([]byte, 32), false)
	f.Fuzz(func(t *testing.T, data []byte, failed bool) {
		answers := make([]chains.Answer, len(getters))
		for i := range answers {
			answers[i] = chains.Answer{Data: data, Failed: failed}
		}
		c := Decode(chains.Address{1}, answers)
		if failed && (!c.Base.IsZero() || !c.Answer.IsZero() || c.Description != "") {
			t.Fatalf("%+v out of nothing", c)
		}
		c.Effective(1 << 40)
		c.Pair()
	})
}
