package thresholds

import (
	"testing"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/protocols"
)

// anyFineBook has an oracle as fine as real ones: 8 decimals, or 18.
func anyFineBook(t *rapid.T, loans int) *FixtureBook {
	b := anyBook(t, 2000, loans)
	factor := uint256.NewInt(1)
	for range rapid.SampledFrom([]int{6, 8, 15}).Draw(t, "finer by") {
		factor.Mul(factor, uint256.NewInt(10))
		b.Quote++
	}
	fine := *b
	fine.Raw = nil
	for a := range fine.Tokens {
		// Prices that do not follow ETH stay what they are worth, as far as 64 bits go.
		for range b.Quote {
			if p := fine.Tokens[a].Price; p < 1e17 {
				fine.Tokens[a].Price = p * 10
			}
			if c := fine.Tokens[a].Cap; c < 1e17 {
				fine.Tokens[a].Cap = c * 10
			}
		}
	}
	eth := new(uint256.Int).Mul(uint256.NewInt(2000), factor)
	out := fine.RepriceTo(eth.AddUint64(eth, rapid.Uint64Range(0, 1000).Draw(t, "odd")))
	for i := range out.Loans {
		steer(t, out, i)
	}
	return out
}

// Every place cannot be tried here. What is tried: the trigger itself, the 300
// places just before it, and 300 drawn between it and spot.
func TestTriggerOnAFineOracle(t *testing.T) {
	for _, axis := range []string{"ETH", "wstETH/ETH", "market"} {
		t.Run(axis, func(t *testing.T) {
			givenUp, proven := 0, 0
			rapid.Check(t, func(t *rapid.T) {
				b := anyFineBook(t, 3)
				path, ok := b.Path(axis)
				require.True(t, ok)
				l, err := Build(axis, "", []protocols.Book{b})
				require.NoError(t, err)
				for i := range b.Loans {
					tr, err := l.Triggers("m", i)
					require.NoError(t, err)
					spot := path.Spot()
					top := topOf(l.markets[0])
					bottom := newWalker(l.markets[0]).bottom
					w := newWalker(l.markets[0])
					for d, end := range []uint256.Int{bottom, top} {
						w.budget = proofBudget
						w.trigger(i, direction(d))
						if w.budget <= 0 {
							require.True(t, bothSidesMove(b, path, i), "given up: %+v", b.Loans[i])
							givenUp++
							continue
						}
						checkTrigger(t, b, path, i, spot, end, []*decimal.Decimal{tr.Down, tr.Up}[d])
						proven++
					}
				}
			})
			require.Less(t, givenUp*20, proven, "a proof is given up seldom")
		})
	}
}

// bothSidesMove tells the books that can cancel.
func bothSidesMove(b *FixtureBook, path protocols.Path, i int) bool {
	var p protocols.Prices
	low := path.Spot()
	path.At(low.Rsh(&low, 12), &p)
	var sides [2]bool
	for _, l := range b.Loans[i].Legs {
		if !p.Raw[l.Token].Eq(&b.Raw[l.Token]) {
			sides[l.Side] = true
		}
	}
	return sides[0] && sides[1]
}

// checkTrigger looks for a flip between spot and a trigger, or, without one,
// between spot and the end of the search.
func checkTrigger(t *rapid.T, b *FixtureBook, path protocols.Path, i int, spot, end uint256.Int, trigger *decimal.Decimal) {
	var p protocols.Prices
	liq := func(place *uint256.Int) bool { path.At(place, &p); return b.Liquidatable(i, p) }
	if b.Liquidatable(i, b.Prices()) {
		require.Nil(t, trigger)
		return
	}
	if trigger != nil {
		place, err := placeOf(*trigger, path.Decimals())
		require.NoError(t, err)
		require.True(t, liq(&place), "liquidatable on its trigger %s: %+v", trigger, b.Loans[i])
		end = place
	}
	low, high := smaller(&spot, &end), larger(&spot, &end)
	var gap uint256.Int
	gap.Sub(&high, &low)
	for k := uint64(1); k <= 300 && gap.GtUint64(k); k++ {
		var at uint256.Int
		if end.Eq(&low) {
			at.AddUint64(&low, k)
		} else {
			at.SubUint64(&high, k)
		}
		require.False(t, liq(&at), "%d before trigger %v: %+v", k, trigger, b.Loans[i])
	}
	random := rapid.Uint64().Draw(t, "between")
	for k := uint64(1); k <= 300 && gap.GtUint64(1); k++ {
		random = random*6364136223846793005 + 1442695040888963407
		var at uint256.Int
		at.MulDivOverflow(&gap, uint256.NewInt(random>>1), uint256.NewInt(1<<63))
		if at.IsZero() {
			continue
		}
		at.Add(&at, &low)
		require.False(t, liq(&at), "between spot and trigger %v, at %s: %+v", trigger, at.Dec(), b.Loans[i])
	}
}

// A loop has no ETH trigger; it has a peg trigger.
func TestLoopHasAPegTriggerAlone(t *testing.T) {
	b := &FixtureBook{Name: "m", Network: "c", Quote: 8, QuoteUSD: decimal.NewFromInt(1), Tokens: []FixtureToken{
		{Symbol: "ETH", Decimals: 8, Ratio: 1e8, LT: 9500}, {Symbol: "wstETH", Decimals: 8, Ratio: 1.2e8, LT: 9500},
	}, Loans: []FixtureLoan{{ID: "loop", Legs: []FixtureLeg{{1, protocols.Collateral, 100e8}, {0, protocols.Debt, 110e8}}}}}
	book := b.Reprice(2500e8)
	l, err := Build("ETH", "", []protocols.Book{book})
	require.NoError(t, err)
	tr, err := l.Triggers("m", 0)
	require.NoError(t, err)
	require.Nil(t, tr.Down)
	require.Nil(t, tr.Up)
	m, err := l.Map(nil, MapOptions{})
	require.NoError(t, err)
	require.Equal(t, 1, m.NoTrigger)
	peg, err := Build("wstETH/ETH", "", []protocols.Book{book})
	require.NoError(t, err)
	tr, err = peg.Triggers("m", 0)
	require.NoError(t, err)
	require.Equal(t, "1.15789473", tr.Down.String()) // 110/(100*.95), just below
}

// A short squeezed on the way up, and a position that breaks both ways: its
// capped collateral stops rising while its debt goes on.
func TestShortsAndCappedCollateralBreakAbove(t *testing.T) {
	b := &FixtureBook{Name: "m", Network: "c", Quote: 8, QuoteUSD: decimal.NewFromInt(1), Tokens: []FixtureToken{
		{Symbol: "ETH", Decimals: 8, Ratio: 1e8, LT: 8000}, {Symbol: "USDC", Decimals: 6, Price: 1e8, LT: 8000},
		{Symbol: "cETH", Decimals: 8, Ratio: 1e8, Cap: 2600e8, LT: 8000},
	}, Loans: []FixtureLoan{
		{ID: "short", Legs: []FixtureLeg{{1, protocols.Collateral, 4000e6}, {0, protocols.Debt, 1e8}}},
		{ID: "both", Legs: []FixtureLeg{{2, protocols.Collateral, 2e8}, {0, protocols.Debt, 1e8}, {1, protocols.Debt, 1000e6}}},
	}}
	l, err := Build("ETH", "", []protocols.Book{b.Reprice(2500e8)})
	require.NoError(t, err)
	short, err := l.Triggers("m", 0)
	require.NoError(t, err)
	require.Nil(t, short.Down)
	require.Equal(t, "3200.00000001", short.Up.String())
	both, err := l.Triggers("m", 1)
	require.NoError(t, err)
	require.Equal(t, "1666.66666666", both.Down.String()) // .6p = 1000
	require.Equal(t, "3160.00000001", both.Up.String())   // 4160 = p + 1000
	m, err := l.Map([]decimal.Decimal{dec("3160"), dec("3200"), dec("3300"), dec("1700")}, MapOptions{})
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2}, []int{m.Up[0].Accounts, m.Up[1].Accounts, m.Up[2].Accounts})
	require.Equal(t, 1, m.Bands[1].AtTrigger.Accounts, "below 1,700")
}
