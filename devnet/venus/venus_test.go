package venus

import (
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

func TestVenusLendsAndLiquidates(t *testing.T) {
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{BlockTime: 3})
	w, err := Deploy(ctx, node)
	require.NoError(t, err)
	lender, borrower, liquidator := chains.Address{0xA1}, chains.Address{0xB1}, chains.Address{0xC1}
	require.NoError(t, w.Supply(ctx, lender, "USDT", w.Amount("USDT", 2_000_000)))
	require.NoError(t, w.Supply(ctx, borrower, "WETH", w.Amount("WETH", 100)))
	require.NoError(t, w.Enter(ctx, borrower, "WETH"))
	require.NoError(t, w.Borrow(ctx, borrower, "USDT", w.Amount("USDT", 150_000)))
	require.NoError(t, w.MintVAI(ctx, borrower, w.Amount("WETH", 1_000)))
	n, err := node.BlockNumber(ctx)
	require.NoError(t, err)
	_, liquidity, shortfall, err := w.Liquidity(ctx, borrower, n)
	require.NoError(t, err)
	require.Positive(t, liquidity.Sign())
	require.Zero(t, shortfall.Sign())
	require.NoError(t, w.SetPrice(ctx, "WETH", w.Amount("WETH", 1_850)))
	require.NoError(t, w.Liquidate(ctx, liquidator, borrower, "USDT", "WETH", w.Amount("USDT", 70_000)))
}
