package aavev3

import (
	"context"
	"math/big"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/protocols"
	"liqwatch/protocols/pricing"
)

func borrowers(t *testing.T, w *aave.World) {
	t.Helper()
	ctx := t.Context()
	lender := person(1)
	for symbol, amount := range map[string]float64{"USDC": 5_000_000, "WETH": 2000, "DAI": 1_000_000} {
		require.NoError(t, w.Supply(ctx, lender, symbol, w.Amount(symbol, amount)))
	}
	open := func(who chains.Address, collateral string, supplied float64, debt string, borrowed float64) {
		require.NoError(t, w.Supply(ctx, who, collateral, w.Amount(collateral, supplied)))
		require.NoError(t, w.Borrow(ctx, who, debt, w.Amount(debt, borrowed)))
	}
	open(person(2), "WETH", 10, "USDC", 20_000)
	open(person(3), "wstETH", 10, "USDC", 22_000)
	open(person(4), "weETH", 10, "DAI", 20_000)
	open(person(5), "USDC", 50_000, "WETH", 12)
	open(person(6), "WBTC", 1, "USDC", 45_000)
	open(person(7), "LINK", 3000, "USDC", 15_000)
}

func TestAssetsThatFollowETHAreMeasured(t *testing.T) {
	both(t, func(t *testing.T, v aave.Version) {
		n, w := deploy(t, v, aave.Options{})
		borrowers(t, w)
		m := n.opened(t, w.Provider, NoFork)
		require.Empty(t, m.book.Faults())
		got := map[string]protocols.Sensitivity{}
		for _, s := range m.book.Explain("ETH") {
			got[s.Symbol] = s
		}
		for _, s := range []string{"WETH", "wstETH", "weETH"} {
			require.True(t, got[s].Moves, "%+v", got[s])
			require.Equal(t, pricing.Measured, got[s].How, s)
		}
		for _, s := range []string{"WBTC", "USDC", "DAI", "LINK", "CRV", "GHO"} {
			require.False(t, got[s].Moves, "%+v", got[s])
			require.Equal(t, pricing.Measured, got[s].How, s)
		}
		require.Equal(t, []string{"ETH", "BTC", "market"}, m.book.Axes())

		n.bare = true // the same from the structure alone, by views
		s := n.opened(t, w.Provider, NoFork)
		require.Empty(t, s.book.Faults())
		for i := range m.book.sheet.Models {
			a, b := &m.book.sheet.Models[i], &s.book.sheet.Models[i]
			require.Equal(t, a.Feed, b.Feed, m.book.assets[i].Symbol)
			var x, y uint256.Int
			require.Equal(t, x.Mul(&a.Num, &b.Den), y.Mul(&b.Num, &a.Den), m.book.assets[i].Symbol)
		}
		for _, e := range s.book.Explain("ETH") {
			if e.Moves {
				require.Equal(t, pricing.Structure, e.How)
			}
		}
		n.verified(t, s)
	})
}

// The path's prices are the oracle's own after the feeds really moved.
func TestPathIsTheOracleAfterARealMove(t *testing.T) {
	both(t, func(t *testing.T, v aave.Version) {
		ctx := t.Context()
		n, w := deploy(t, v, aave.Options{})
		borrowers(t, w)
		m := n.opened(t, w.Provider, NoFork)
		before := m.book
		eth, ok := before.Path("ETH")
		require.True(t, ok)
		market, _ := before.Path("market")
		for _, place := range []uint64{1, 99, 1234_56789012, 2399_99999999, 2400_00000000, 2700_00000001, 31_415_92653589} {
			require.NoError(t, n.node.AtSameTime(ctx, func() error { return w.SetETH(ctx, new(big.Int).SetUint64(place)) }))
			var prices protocols.Prices
			eth.At(uint256.NewInt(place), &prices)
			head := n.head(t)
			for i, a := range before.assets {
				got, err := w.Price(ctx, a.Symbol, head.Number)
				require.NoError(t, err)
				require.Equal(t, got.String(), prices.Raw[i].ToBig().String(), "%s at %d", a.Symbol, place)
			}
			for i := range before.Len() {
				data, err := w.UserAccountData(ctx, before.Owner(i), head.Number)
				require.NoError(t, err)
				if head.Time == before.at.Time {
					require.Equal(t, data.Liquidatable(), before.Liquidatable(i, prices), "%s at %d", before.ID(i), place)
				}
			}
			n.follow(t, m, head)
			require.Empty(t, m.book.Faults())
			require.Equal(t, prices.Raw, m.book.prices.Raw)
			n.verified(t, m)
		}
		var half protocols.Prices
		market.At(uint256.NewInt(5e7), &half)
		for i, a := range before.assets {
			moves := !(a.Symbol == "USDC" || a.Symbol == "DAI" || a.Symbol == "USDT" || a.Symbol == "GHO")
			require.Equal(t, moves, half.Raw[i] != before.prices.Raw[i], a.Symbol)
		}
	})
}

func TestRatesAreFollowedAndCapsGrow(t *testing.T) {
	ctx := t.Context()
	n, w := deploy(t, aave.V36, aave.Options{})
	borrowers(t, w)
	m := n.opened(t, w.Provider, NoFork)
	require.NoError(t, w.SetRatio(ctx, "wstETH", big.NewInt(1_234_567_890_123_456_789)))
	require.NoError(t, w.SetRatio(ctx, "weETH", big.NewInt(1_500_000_000_000_000_000)))
	n.follow(t, m, n.head(t))
	require.Empty(t, m.book.Faults())
	n.verified(t, m)
	coming := m.book.Coming()
	require.Len(t, coming, 1)
	require.Equal(t, "weETH", m.book.assets[coming[0].Asset].Symbol)
	require.Greater(t, coming[0].At, m.book.at.Time)
	require.True(t, coming[0].Price.Gt(&m.book.prices.Raw[coming[0].Asset]))

	require.NoError(t, n.node.SetNextTime(ctx, coming[0].At))
	require.NoError(t, n.node.Mine(ctx))
	n.follow(t, m, n.head(t))
	require.Equal(t, coming[0].Price, m.book.prices.Raw[coming[0].Asset])
	require.Empty(t, m.book.Coming())
	n.verified(t, m)
}

func comingOf(m *Market, symbol string) []protocols.ComingPrice {
	var out []protocols.ComingPrice
	for _, c := range m.book.Coming() {
		if m.book.assets[c.Asset].Symbol == symbol {
			out = append(out, c)
		}
	}
	return out
}

func TestDelayedFeedShowsWhatIsComing(t *testing.T) {
	ctx := t.Context()
	n, w := deploy(t, aave.V36, aave.Options{SVR: 30})
	borrowers(t, w)
	m := n.opened(t, w.Provider, NoFork)
	require.NoError(t, w.ReportPrimary(ctx, big.NewInt(2500_00000000)))
	n.follow(t, m, n.head(t))
	coming := comingOf(m, "WETH")
	require.Len(t, coming, 1)
	require.Equal(t, uint64(2500_00000000), coming[0].Price.Uint64())
	require.NoError(t, n.node.SetNextTime(ctx, coming[0].At-1))
	require.NoError(t, n.node.Mine(ctx))
	n.follow(t, m, n.head(t))
	require.NotEqual(t, coming[0].Price, m.book.prices.Raw[coming[0].Asset], "it must not be there a second early")
	require.NoError(t, n.node.SetNextTime(ctx, coming[0].At))
	require.NoError(t, n.node.Mine(ctx))
	n.follow(t, m, n.head(t))
	require.Equal(t, coming[0].Price, m.book.prices.Raw[coming[0].Asset])
	require.Empty(t, comingOf(m, "WETH"))
	n.verified(t, m)
}

// A price of 0 isolates its asset: others stay exact, its accounts are counted.
func TestAssetWithoutPriceIsolatesItsAccounts(t *testing.T) {
	both(t, func(t *testing.T, v aave.Version) {
		ctx := context.Background()
		n, w := deploy(t, v, aave.Options{})
		borrowers(t, w)
		m := n.opened(t, w.Provider, NoFork)
		require.NoError(t, w.SetFeed(ctx, "LINK", big.NewInt(0)))
		for range 2 { // found out, then remembered
			n.rounds = 0
			n.follow(t, m, n.head(t))
			require.LessOrEqual(t, n.rounds, 2)
			unpriced := 0
			for i := range m.book.Len() {
				if m.book.Unpriced(i) {
					unpriced++
				}
			}
			require.Equal(t, 1, unpriced)
			require.Len(t, m.book.Faults(), 1)
			require.Equal(t, "unpriced", m.book.Faults()[0].Kind)
			n.verified(t, m)
			require.NoError(t, n.node.Mine(ctx))
		}
		i, _ := m.book.Find(person(7).String())
		require.Equal(t, "no price: LINK", m.book.Position(i).Blocked)
		require.NoError(t, w.SetFeed(ctx, "LINK", big.NewInt(14_00000000)))
		n.follow(t, m, n.head(t))
		require.Empty(t, m.book.Faults())
		n.verified(t, m)
	})
}

// An adapter that says nothing of itself is measured again when its rate moved, and
// where that is refused the book says that the model is off.
func TestUnknownAdapterIsMeasuredAgain(t *testing.T) {
	ctx := t.Context()
	n, w := deploy(t, aave.V36, aave.Options{})
	borrowers(t, w)
	m := n.opened(t, w.Provider, NoFork)
	require.Equal(t, "wstETH", m.book.assets[1].Symbol)
	m.shape.oracles.links[1].adapter = chains.Address{}
	require.NoError(t, w.SetRatio(ctx, "wstETH", big.NewInt(1_198_765_432_109_876_543)))
	n.rounds = 0
	n.follow(t, m, n.head(t))
	require.Equal(t, 2, n.rounds, "one round, and one with the feeds moved")
	require.Empty(t, m.book.Faults())
	path, _ := m.book.Path("ETH")
	var prices protocols.Prices
	path.At(uint256.NewInt(2222_22222222), &prices)
	require.NoError(t, n.node.AtSameTime(ctx, func() error { return w.SetETH(ctx, big.NewInt(2222_22222222)) }))
	got, err := w.Price(ctx, "wstETH", n.head(t).Number)
	require.NoError(t, err)
	require.Equal(t, got.String(), prices.Raw[1].ToBig().String())

	m.can.Overrides = false
	require.NoError(t, w.SetRatio(ctx, "wstETH", big.NewInt(1_250_000_000_000_000_000)))
	n.follow(t, m, n.head(t))
	require.Len(t, m.book.Faults(), 1)
	require.Equal(t, "model", m.book.Faults()[0].Kind)
	n.verified(t, m)
}
