package pricing

import (
	"testing"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/protocols"
)

// A what-if must not change the book it was asked of: the sheet of a snapshot is
// shared by everybody who looks at it.
func TestMoveLeavesTheSheetAsItWas(t *testing.T) {
	one, rate := *uint256.NewInt(1), *uint256.NewInt(12)
	s := &Sheet{
		Symbols:  []string{"WETH", "wstETH", "DAI"},
		Decimals: 8,
		Prices:   protocols.Prices{Raw: []uint256.Int{*uint256.NewInt(2700_00000000), *uint256.NewInt(3240_00000000), *uint256.NewInt(1_00000000)}, QuoteUSD: decimal.NewFromInt(1)},
		Feeds: []Feed{
			{Pair: "ETH / USD", Group: "ETH", Answer: *uint256.NewInt(2700_00000000), Volatile: true},
			{Pair: "DAI / USD", Group: "DAI", Answer: *uint256.NewInt(1_00000000)},
		},
		Models: []Model{
			{Feed: 0, Num: one, Den: one}, {Feed: 0, Num: rate, Den: *uint256.NewInt(10)}, {Feed: 1, Num: one, Den: one},
		},
	}
	before := append([]uint256.Int(nil), s.Prices.Raw...)
	moved, err := s.Move([]protocols.Move{{Axis: "ETH", Factor: decimal.RequireFromString("0.8")}, {Axis: "wstETH/ETH", Factor: decimal.RequireFromString("0.97")}})
	require.NoError(t, err)
	require.Equal(t, *uint256.NewInt(2160_00000000), moved.Raw[0])
	require.Equal(t, *uint256.NewInt(2514_24000000), moved.Raw[1])
	require.Equal(t, before, s.Prices.Raw)
	path, ok := s.Path("ETH")
	require.True(t, ok)
	var at protocols.Prices
	path.At(uint256.NewInt(1000_00000000), &at)
	require.Equal(t, *uint256.NewInt(1200_00000000), at.Raw[1])
	require.Equal(t, before, s.Prices.Raw)
}
