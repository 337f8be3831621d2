package aave

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
)

func priceNow(t *testing.T, w *World, symbol string) *big.Int {
	t.Helper()
	p, err := w.Price(t.Context(), symbol, head(t, w))
	require.NoError(t, err)
	return p
}

// times is floor(price * ratio / 1e18).
func times(price, ratio int64) int64 {
	n := new(big.Int).Mul(big.NewInt(price), big.NewInt(ratio))
	return n.Div(n, wad).Int64()
}

func asked(t *testing.T, w *World, abi string, of chains.Address, method string) any {
	t.Helper()
	out, err := w.viewNow(t.Context(), abi, of, method)
	require.NoError(t, err)
	return out[0]
}

func TestFeedsAnswerAsChainlinkDoes(t *testing.T) {
	w := deployed(t, V36, Options{})
	require.Equal(t, "ETH / USD", asked(t, w, "FeedProxy", w.Feeds[FeedETH].Proxy, "description"))
	require.Equal(t, "ETH / USD", asked(t, w, "FeedProxy", w.Feeds[FeedETHForLST].Proxy, "description"))
	require.NotEqual(t, w.Feeds[FeedETH].Proxy, w.Feeds[FeedETHForLST].Proxy)
	require.EqualValues(t, 8, asked(t, w, "FeedProxy", w.Feeds[FeedETH].Proxy, "decimals"))

	require.NoError(t, w.SetFeed(t.Context(), FeedETH, big.NewInt(2_650_12345678)))
	require.EqualValues(t, 2_650_12345678, priceNow(t, w, "WETH").Int64())
	number := head(t, w)
	logs, err := w.Node.Logs(t.Context(), []chains.Address{w.Feeds[FeedETH].Aggregator}, number, number)
	require.NoError(t, err)
	require.Len(t, logs, 2, "the aggregator logs, not the proxy")
	require.Equal(t, chains.MustHash("0x0559884fd3a460db3073b7fc896cc77986f16e378210ded43186175bf646fc5f"), logs[1].Topics[0], "AnswerUpdated")

	out, err := w.viewNow(t.Context(), "FeedProxy", w.Feeds[FeedETH].Proxy, "latestRoundData")
	require.NoError(t, err)
	require.EqualValues(t, 2_650_12345678, out[1].(*big.Int).Int64())
	block, err := w.Node.Block(t.Context(), number)
	require.NoError(t, err)
	require.EqualValues(t, block.Time, out[3].(*big.Int).Uint64())
}

func TestRateAdaptersFollowTheirOwnProxy(t *testing.T) {
	w := deployed(t, V30, Options{})
	ctx := t.Context()
	require.NoError(t, w.SetFeed(ctx, FeedETH, big.NewInt(2_000_00000000)))
	require.Equal(t, times(startETH, wstETHRatio), priceNow(t, w, "wstETH").Int64(), "wstETH does not read WETH's proxy")
	require.NoError(t, w.SetFeed(ctx, FeedETHForLST, big.NewInt(2_100_00000007)))
	require.Equal(t, times(2_100_00000007, wstETHRatio), priceNow(t, w, "wstETH").Int64())
	require.Equal(t, times(2_100_00000007, weETHRatio), priceNow(t, w, "weETH").Int64())
	require.NoError(t, w.SetRatio(ctx, "wstETH", big.NewInt(1_200_000_000_000_000_001)))
	require.Equal(t, times(2_100_00000007, 1_200_000_000_000_000_001), priceNow(t, w, "wstETH").Int64())
	require.EqualValues(t, 2_000_00000000, priceNow(t, w, "WETH").Int64())
	require.NoError(t, w.SetFeed(ctx, FeedETHForLST, big.NewInt(0)))
	data, err := w.pack("RateAdapter", "latestAnswer")
	require.NoError(t, err)
	raw, err := w.Node.View(ctx, w.Asset("wstETH").Source, data, head(t, w))
	require.NoError(t, err)
	require.Zero(t, new(big.Int).SetBytes(raw).Sign(), "no base price, no price")
}

func TestCappedRateGrowsNoFasterThanItsCap(t *testing.T) {
	w := deployed(t, V36, Options{})
	ctx := t.Context()
	adapter := w.Asset("weETH").Source
	number := func(method string) int64 {
		return asked(t, w, "CappedRateAdapter", adapter, method).(*big.Int).Int64()
	}
	require.Equal(t, false, asked(t, w, "CappedRateAdapter", adapter, "isCapped"))
	perSecond := new(big.Int).Mul(big.NewInt(weETHSnapshot), big.NewInt(weETHGrowth*1e6/1e4))
	perSecond.Div(perSecond, big.NewInt(31_536_000))
	require.InDelta(t, perSecond.Int64(), number("getMaxRatioGrowthPerSecondScaled"), 1e9)
	require.Equal(t, number("getMaxRatioGrowthPerSecondScaled")/1_000_000, number("getMaxRatioGrowthPerSecond"))

	require.NoError(t, w.SetRatio(ctx, "weETH", big.NewInt(2*weETHRatio)))
	require.Equal(t, true, asked(t, w, "CappedRateAdapter", adapter, "isCapped"))
	capped := func() int64 {
		block, err := w.Node.Block(ctx, head(t, w))
		require.NoError(t, err)
		grown := big.NewInt(int64(block.Time) - number("getSnapshotTimestamp"))
		grown.Mul(grown, big.NewInt(number("getMaxRatioGrowthPerSecondScaled"))).Div(grown, big.NewInt(1_000_000))
		return times(startETH, number("getSnapshotRatio")+grown.Int64())
	}
	before := priceNow(t, w, "weETH").Int64()
	require.Equal(t, capped(), before)
	require.NoError(t, w.Node.Warp(ctx, 30*24*3600))
	require.Equal(t, capped(), priceNow(t, w, "weETH").Int64(), "the price grows on its own, without a log")
	require.Greater(t, priceNow(t, w, "weETH").Int64(), before)
}

func TestStableIsCapped(t *testing.T) {
	w := deployed(t, V36, Options{})
	for _, c := range []struct{ feed, price int64 }{{103_999_999, 103_999_999}, {104_000_000, 104_000_000}, {120_000_000, 104_000_000}, {90_000_000, 90_000_000}} {
		require.NoError(t, w.SetFeed(t.Context(), FeedUSDT, big.NewInt(c.feed)))
		require.Equal(t, c.price, priceNow(t, w, "USDT").Int64())
	}
	require.EqualValues(t, stableCap, asked(t, w, "StableCapAdapter", w.Asset("USDT").Source, "getPriceCap").(*big.Int).Int64())
}

func TestSecondaryFeedFollowsAfterTheCutoff(t *testing.T) {
	const cutoff = 60
	w := deployed(t, V36, Options{SVR: cutoff})
	ctx := t.Context()
	require.Equal(t, w.SVR.Secondary, w.Asset("WETH").Source)
	require.EqualValues(t, startETH, priceNow(t, w, "WETH").Int64())

	require.NoError(t, w.Node.Warp(ctx, 1_000))
	require.NoError(t, w.ReportPrimary(ctx, big.NewInt(2_500_00000000)))
	primary := func() int64 {
		return asked(t, w, "FeedProxy", w.SVR.Primary, "latestAnswer").(*big.Int).Int64()
	}
	require.EqualValues(t, 2_500_00000000, primary(), "seen at once through the primary proxy")
	require.EqualValues(t, startETH, priceNow(t, w, "WETH").Int64())
	require.NoError(t, w.Node.MineBlocks(ctx, cutoff/12))
	require.EqualValues(t, startETH, priceNow(t, w, "WETH").Int64(), "not yet, exactly at the cutoff")
	require.NoError(t, w.Node.Mine(ctx))
	require.EqualValues(t, 2_500_00000000, priceNow(t, w, "WETH").Int64(), "taken without a log")

	require.NoError(t, w.SetETH(ctx, big.NewInt(2_450_00000000)))
	require.EqualValues(t, 2_450_00000000, priceNow(t, w, "WETH").Int64(), "a report for the secondary is taken at once")
	require.NoError(t, w.Node.Mine(ctx))
	require.EqualValues(t, 2_450_00000000, primary())
}

func TestPricesMoveWithoutTimePassing(t *testing.T) {
	both(t, func(t *testing.T, v Version) {
		w := deployed(t, v, Options{})
		ctx := t.Context()
		borrower := chains.Address{0xB1}
		require.NoError(t, w.Supply(ctx, chains.Address{0xA1}, "USDC", w.Amount("USDC", 1e6)))
		require.NoError(t, w.Supply(ctx, borrower, "WETH", w.Amount("WETH", 10)))
		require.NoError(t, w.Borrow(ctx, borrower, "USDC", w.Amount("USDC", 20_000)))
		start, err := w.Node.Block(ctx, head(t, w))
		require.NoError(t, err)
		debts := map[string]bool{}
		require.NoError(t, w.AtSameTime(ctx, func() error {
			for _, usd := range []int64{2_600, 2_500, 2_400} {
				if err := w.SetETH(ctx, big.NewInt(usd*1e8)); err != nil {
					return err
				}
				d, err := w.UserAccountData(ctx, borrower, head(t, w))
				if err != nil {
					return err
				}
				debts[d.Debt.String()] = true
			}
			return nil
		}))
		end, err := w.Node.Block(ctx, head(t, w))
		require.NoError(t, err)
		require.Equal(t, start.Time, end.Time)
		require.Equal(t, start.Number+3, end.Number)
		require.Len(t, debts, 1, "no interest accrued")
	})
}
