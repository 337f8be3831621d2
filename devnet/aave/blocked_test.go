package aave

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// underwater makes a market with one loan that is due, and a liquidator with funds.
func underwater(t *testing.T, v Version) *World {
	t.Helper()
	ctx := t.Context()
	w := deployed(t, v, Options{})
	require.NoError(t, w.Supply(ctx, lender, "USDC", w.Amount("USDC", 1_000_000)))
	require.NoError(t, w.Supply(ctx, borrower, "WETH", w.Amount("WETH", 10)))
	require.NoError(t, w.Borrow(ctx, borrower, "USDC", w.Amount("USDC", 20_000)))
	require.NoError(t, w.Mint(ctx, liquidator, "USDC", w.Amount("USDC", 50_000)))
	require.NoError(t, w.SetETH(ctx, big.NewInt(2_390_00000000))) // health factor a little below 1
	require.True(t, account(t, w, borrower).Liquidatable())
	return w
}

func (w *World) tryToLiquidate(t *testing.T) error {
	t.Helper()
	_, err := w.Liquidate(t.Context(), liquidator, borrower, "WETH", "USDC", w.Amount("USDC", 1_000), false)
	return err
}

func TestSentinelHoldsLiquidationsBack(t *testing.T) {
	both(t, func(t *testing.T, v Version) {
		ctx := t.Context()
		w := underwater(t, v)
		require.NoError(t, w.AddSentinel(ctx, 3600))
		require.Error(t, w.tryToLiquidate(t), "the first grace period runs")
		require.NoError(t, w.Node.Warp(ctx, 3601))
		require.NoError(t, w.tryToLiquidate(t))
		require.NoError(t, w.SetSequencer(ctx, false))
		require.NoError(t, w.Node.Warp(ctx, 7200))
		require.Error(t, w.tryToLiquidate(t), "the sequencer is down")
		require.NoError(t, w.SetSequencer(ctx, true))
		require.Error(t, w.tryToLiquidate(t), "the grace period runs")
		require.NoError(t, w.Node.Warp(ctx, 3601))
		require.NoError(t, w.tryToLiquidate(t))
	})
}

func TestPauseAndGraceHoldLiquidationsBack(t *testing.T) {
	ctx := t.Context()
	w := underwater(t, V36)
	require.NoError(t, w.Pause(ctx, "WETH", true))
	require.Error(t, w.tryToLiquidate(t))
	require.NoError(t, w.UnpauseWithGrace(ctx, "WETH", 600))
	require.Error(t, w.tryToLiquidate(t))
	require.NoError(t, w.Node.Warp(ctx, 601))
	require.NoError(t, w.tryToLiquidate(t))
}

func TestEModeMayHaveItsOwnPrice(t *testing.T) {
	ctx := t.Context()
	w := deployed(t, V30, Options{EModePrice: true})
	require.NoError(t, w.Supply(ctx, lender, "USDT", w.Amount("USDT", 1e6)))
	require.NoError(t, w.Supply(ctx, borrower, "USDC", w.Amount("USDC", 1_000)))
	require.NoError(t, w.SetFeed(ctx, FeedGHO, big.NewInt(99_000_000)))
	require.EqualValues(t, 1_000*99_990_000, account(t, w, borrower).Collateral.Int64())
	require.NoError(t, w.SetUserEMode(ctx, borrower, EModeStable))
	require.EqualValues(t, 1_000*99_000_000, account(t, w, borrower).Collateral.Int64())

	_, err := Deploy(ctx, w.Node, V36, Options{EModePrice: true})
	require.ErrorContains(t, err, "only 3.0 can")
}
