package thresholds

import (
	"fmt"
	"testing"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/protocols"
)

// anyBook draws a small market whose oracle is coarse enough to try every place.
func anyBook(t *rapid.T, eth uint64, loans int) *FixtureBook {
	b := &FixtureBook{
		Name: "m", Network: "c", Quote: int32(rapid.IntRange(0, 2).Draw(t, "quote decimals")),
		QuoteUSD: decimal.NewFromInt(1), Old: rapid.Bool().Draw(t, "old rounding"),
	}
	// Only protocols that round nothing but the legs have no health number.
	b.NoHealth = !b.Old && rapid.IntRange(0, 3).Draw(t, "no health") == 0
	lt := func(n string) uint64 { return rapid.Uint64Range(2100, 9700).Draw(t, n) }
	b.Tokens = []FixtureToken{
		{Symbol: "ETH", Decimals: int32(rapid.IntRange(0, 6).Draw(t, "eth decimals")), Ratio: 1e8, LT: lt("eth lt")},
		{Symbol: "wstETH", Decimals: 4, Ratio: rapid.Uint64Range(9e7, 1.5e8).Draw(t, "ratio"), LT: lt("wsteth lt")},
		{Symbol: "capped", Decimals: 3, Ratio: rapid.Uint64Range(5e7, 2e8).Draw(t, "ratio2"),
			Cap: rapid.Uint64Range(eth/4+1, eth*3).Draw(t, "cap"), LT: lt("capped lt")},
		{Symbol: "USDC", Decimals: 2, Price: rapid.Uint64Range(1, 200).Draw(t, "usdc"), LT: lt("usdc lt")},
		{Symbol: "WBTC", Decimals: 0, Price: rapid.Uint64Range(1, 60_000).Draw(t, "wbtc"), LT: lt("wbtc lt")},
	}
	for i := range loans {
		b.Loans = append(b.Loans, anyLoan(t, i, len(b.Tokens)))
	}
	b = b.Reprice(eth)
	for i := range b.Loans {
		steer(t, b, i)
	}
	return b
}

// anyLoan draws legs: one or many collaterals and debts, the same token on both
// sides at times, whales and dust.
func anyLoan(t *rapid.T, i, tokens int) FixtureLoan {
	l := FixtureLoan{ID: fmt.Sprintf("p%d", i)}
	l.Owner[0] = byte(rapid.IntRange(0, 5).Draw(t, "owner"))
	for range rapid.IntRange(1, 3).Draw(t, "collaterals") {
		l.Legs = append(l.Legs, FixtureLeg{rapid.IntRange(0, tokens-1).Draw(t, "c"), protocols.Collateral, anyAmount(t)})
	}
	for range rapid.IntRange(1, 2).Draw(t, "debts") {
		l.Legs = append(l.Legs, FixtureLeg{rapid.IntRange(0, tokens-1).Draw(t, "d"), protocols.Debt, anyAmount(t)})
	}
	return l
}

func anyAmount(t *rapid.T) uint64 {
	magnitude := rapid.SampledFrom([]uint64{3, 100, 10_000, 1_000_000, 1_000_000_000}).Draw(t, "magnitude")
	return rapid.Uint64Range(1, magnitude).Draw(t, "amount")
}

// steer scales the last debt so that health now is near a drawn one: most random
// books would be nowhere near the edge, and the edge is what is tested.
func steer(t *rapid.T, b *FixtureBook, i int) {
	want := rapid.SampledFrom([]float64{0, 0.9, 0.9999, 1.0001, 1.001, 1.05, 1.5, 4}).Draw(t, "health")
	if want == 0 {
		return
	}
	_, weighted, debt := b.values(i, b.Prices())
	last := &b.Loans[i].Legs[len(b.Loans[i].Legs)-1]
	own := b.value(*last, b.Prices())
	room := weighted.Float64()/1e4/want - (debt.Float64() - own.Float64())
	if room > 0 && own.Sign() > 0 {
		last.Amount = uint64(float64(last.Amount)*room/own.Float64()) + 1
	}
}

// bruteDown and bruteUp try every place from spot.
func bruteDown(b *FixtureBook, path protocols.Path, i int) (uint256.Int, bool) {
	var p protocols.Prices
	for at := path.Spot(); at.Sign() > 0; at.SubUint64(&at, 1) {
		path.At(&at, &p)
		if b.Liquidatable(i, p) {
			return at, true
		}
	}
	return uint256.Int{}, false
}

func bruteUp(b *FixtureBook, path protocols.Path, i int, top uint64) (uint256.Int, bool) {
	var p protocols.Prices
	for at := path.Spot(); !at.GtUint64(top); at.AddUint64(&at, 1) {
		path.At(&at, &p)
		if b.Liquidatable(i, p) {
			return at, true
		}
	}
	return uint256.Int{}, false
}

func TestTriggerIsTheFirstFlipFromSpot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		eth := rapid.Uint64Range(20, 3000).Draw(t, "eth")
		b := anyBook(t, eth, 4)
		path, ok := b.Path("ETH")
		require.True(t, ok)
		l, err := Build("ETH", "", []protocols.Book{b})
		require.NoError(t, err)
		top := eth * 3
		for i := range b.Loans {
			got, err := l.Triggers("m", i)
			require.NoError(t, err)
			if b.Liquidatable(i, b.Prices()) {
				require.Nil(t, got.Down)
				require.Nil(t, got.Up)
				continue
			}
			want, ok := bruteDown(b, path, i)
			requirePlace(t, "down", b, i, want, ok, got.Down)
			want, ok = bruteUp(b, path, i, top)
			if !ok && got.Up != nil {
				require.True(t, got.Up.Shift(b.Quote).GreaterThan(decimal.NewFromUint64(top)), "up trigger %s within the places tried", got.Up)
				continue
			}
			requirePlace(t, "up", b, i, want, ok, got.Up)
		}
	})
}

func requirePlace(t *rapid.T, side string, b *FixtureBook, i int, want uint256.Int, ok bool, got *decimal.Decimal) {
	t.Helper()
	if !ok {
		require.Nil(t, got, "%s trigger of %+v", side, b.Loans[i])
		return
	}
	require.NotNil(t, got, "%s trigger of %+v, brute force found %s", side, b.Loans[i], want.Dec())
	require.Equal(t, priceAt(&want, b.Quote).String(), got.String(), "%s trigger of %+v", side, b.Loans[i])
}
