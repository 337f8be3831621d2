package aave

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

func deployed(t *testing.T, v Version, o Options) *World {
	t.Helper()
	w, err := Deploy(t.Context(), anvil.Run(t, anvil.Options{}), v, o)
	require.NoError(t, err)
	return w
}

func both(t *testing.T, test func(t *testing.T, v Version)) {
	for _, v := range []Version{V30, V36} {
		t.Run(string(v), func(t *testing.T) { test(t, v) })
	}
}

func head(t *testing.T, w *World) uint64 {
	t.Helper()
	n, err := w.Node.BlockNumber(t.Context())
	require.NoError(t, err)
	return n
}

func TestDeployedMarketLendsAndLiquidates(t *testing.T) {
	both(t, func(t *testing.T, v Version) {
		ctx := t.Context()
		w := deployed(t, v, Options{})
		revision, err := w.Revision(ctx)
		require.NoError(t, err)
		require.Equal(t, map[Version]int64{V30: 1, V36: 10}[v], revision.Int64())

		lender, borrower, liquidator := chains.Address{0xA1}, chains.Address{0xB1}, chains.Address{0xC1}
		require.NoError(t, w.Supply(ctx, lender, "USDC", w.Amount("USDC", 1_000_000)))
		require.NoError(t, w.Supply(ctx, borrower, "WETH", w.Amount("WETH", 10)))
		require.NoError(t, w.Borrow(ctx, borrower, "USDC", w.Amount("USDC", 20_000)))
		d, err := w.UserAccountData(ctx, borrower, head(t, w))
		require.NoError(t, err)
		require.False(t, d.Liquidatable())
		require.EqualValues(t, 10*startETH, d.Collateral.Int64())

		require.NoError(t, w.SetETH(ctx, big.NewInt(2_400_00000000)))
		d, err = w.UserAccountData(ctx, borrower, head(t, w))
		require.NoError(t, err)
		require.True(t, d.Liquidatable())
		require.NoError(t, w.Mint(ctx, liquidator, "USDC", w.Amount("USDC", 10_000)))
		_, err = w.Liquidate(ctx, liquidator, borrower, "WETH", "USDC", w.Amount("USDC", 5_000), false)
		require.NoError(t, err)
		got, err := w.Balance(ctx, w.Asset("WETH").Token, liquidator, head(t, w))
		require.NoError(t, err)
		require.Positive(t, got.Sign())
	})
}
