package pricing

import (
	"math"
	"math/big"
	"testing"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/protocols"
)

func u(x uint64) uint256.Int { return *uint256.NewInt(x) }

// market is WETH and wstETH (1.17) on two ETH feeds, WBTC, USDC with a cap.
func market() *Sheet {
	most := u(1_04000000)
	s := &Sheet{
		Symbols:  []string{"WETH", "wstETH", "WBTC", "USDC"},
		Decimals: 8,
		Feeds: []Feed{
			{Pair: "ETH / USD", Group: "ETH", Volatile: true, Answer: u(2700_00000000)},
			{Pair: "ETH / USD", Group: "ETH", Volatile: true, Answer: u(2701_00000000)},
			{Pair: "BTC / USD", Group: "BTC", Volatile: true, Answer: u(68000_00000000)},
			{Pair: "USDC / USD", Group: "USDC", Answer: u(99990000)},
		},
		Models: []Model{
			{Feed: 0, Num: u(1), Den: u(1), How: Measured},
			{Feed: 1, Num: u(117), Den: u(100), How: Measured},
			{Feed: 2, Num: u(1), Den: u(1), How: Measured},
			{Feed: 3, Num: u(1), Den: u(1), Cap: &most, How: Structure},
		},
	}
	for i := range s.Models {
		s.Prices.Raw = append(s.Prices.Raw, s.Models[i].At(&s.Feeds[s.Models[i].Feed].Answer))
	}
	s.Prices.QuoteUSD = decimal.NewFromInt(1)
	return s
}

func TestAxesAndWhatMovesOnThem(t *testing.T) {
	s := market()
	require.Equal(t, []string{"ETH", "BTC", "market"}, s.Axes([]string{"ETH", "BTC", "TRX"}))
	_, ok := s.Path("TRX")
	require.False(t, ok)
	for _, bad := range []string{"", "/", "ETH/", "/ETH", "ETH/ETH", "a/b/c"} {
		_, ok := s.Path(bad)
		require.False(t, ok, bad)
	}
	p, _ := s.Path("ETH")
	spot := p.Spot()
	require.Equal(t, uint64(2700_00000000), spot.Uint64(), "the axis is what the market's own WETH reads")
	var at protocols.Prices
	p.At(uint256.NewInt(2400_00000000), &at)
	require.Equal(t, []uint256.Int{u(2400_00000000), u(2808_00000000), u(68000_00000000), u(99990000)}, at.Raw)
	m, _ := s.Path("market")
	m.At(uint256.NewInt(1e8), &at)
	require.Equal(t, s.Prices.Raw, at.Raw, "a factor of 1 is now")
	m.At(uint256.NewInt(5e7), &at)
	require.Equal(t, u(1350_00000000), at.Raw[0])
	require.Equal(t, u(99990000), at.Raw[3], "stables stay")
	usdc, ok := s.Path("USDC")
	require.True(t, ok)
	require.Len(t, usdc.Segments(), 2, "a cap bends the path")
	usdc.At(uint256.NewInt(2e8), &at)
	require.Equal(t, u(1_04000000), at.Raw[3])
}

func TestPegSpotGivesThePriceBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := market()
		s.Prices.Raw[1] = u(rapid.Uint64Range(1, 1e16).Draw(t, "price"))
		s.Feeds[0].Answer = u(rapid.Uint64Range(1, 1e16).Draw(t, "eth"))
		p, ok := s.Path("wstETH/ETH")
		require.True(t, ok)
		spot := p.Spot()
		var at protocols.Prices
		p.At(&spot, &at)
		require.Equal(t, s.Prices.Raw, at.Raw)
	})
}

// The lines of the segments are the path's prices, but for its roundings.
func TestSegmentsAreNearThePath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := market()
		axis := rapid.SampledFrom([]string{"ETH", "BTC", "market", "USDC", "wstETH/ETH", "WBTC/WETH", "ETH/BTC"}).Draw(t, "axis")
		p, ok := s.Path(axis)
		require.True(t, ok)
		spot := p.Spot()
		place := new(uint256.Int).Mul(&spot, uint256.NewInt(rapid.Uint64Range(0, 40).Draw(t, "tenths")))
		place.Div(place, uint256.NewInt(10))
		var at protocols.Prices
		p.At(place, &at)
		x := float(place)
		segments := p.Segments()
		require.Zero(t, segments[0].From)
		require.True(t, math.IsInf(segments[len(segments)-1].To, 1))
		for _, seg := range segments {
			if x < seg.From || x >= seg.To {
				continue
			}
			for i, line := range seg.Lines {
				require.InEpsilon(t, 1+float(&at.Raw[i]), 1+line.Const+line.Slope*x, 1e-6, "%s of %s at %s", s.Symbols[i], axis, place)
			}
		}
	})
}

func TestMovesAreJointAndChangeNothing(t *testing.T) {
	s := market()
	before := append([]uint256.Int(nil), s.Prices.Raw...)
	d := decimal.RequireFromString
	to := d("2000")
	got, err := s.Move([]protocols.Move{
		{Axis: "wstETH/ETH", Factor: d("0.97")}, {Axis: "ETH", To: &to}, {Axis: "market", Factor: d("0.5")}, {Axis: "TRX", Factor: d("0.1")},
	})
	require.NoError(t, err)
	require.Equal(t, u(2000_00000000), got.Raw[0])
	require.Equal(t, u(34000_00000000), got.Raw[2])
	require.InDelta(t, 2000*1.17*0.97*1e8, got.Raw[1].Float64(), 2)
	require.Equal(t, before, s.Prices.Raw)
	_, err = s.Move([]protocols.Move{{Axis: "ETH", Factor: d("-1")}})
	require.Error(t, err)
}

func TestModelIsTheFloorOfTheProduct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		num, den := rapid.Uint64Min(1).Draw(t, "num"), rapid.Uint64Min(1).Draw(t, "den")
		base := rapid.Uint64().Draw(t, "base")
		m := Model{Num: u(num), Den: u(den)}
		want := new(big.Int).Mul(new(big.Int).SetUint64(base), new(big.Int).SetUint64(num))
		want.Quo(want, new(big.Int).SetUint64(den))
		got := m.At(uint256.NewInt(base))
		require.Equal(t, want.String(), got.ToBig().String())
	})
}

func TestExplainSaysHow(t *testing.T) {
	s := market()
	s.Measured = []string{"ETH", "BTC"}
	e := s.Explain("ETH")
	require.True(t, e[0].Moves && e[1].Moves && !e[2].Moves && !e[3].Moves)
	require.Equal(t, "1.17", e[1].Ratio.String())
	require.Equal(t, Measured, e[3].How, "that it does not move was measured")
	require.Equal(t, Structure, s.Explain("market")[3].How)
}
