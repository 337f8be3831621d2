package tron

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

func TestTheMarketLendsAndLiquidates(t *testing.T) {
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{BlockTime: 3, ChainID: ChainID})
	w, err := Deploy(ctx, node, Options{})
	require.NoError(t, err)
	require.NoError(t, w.Fund(ctx, chains.Address{0xA1}))
	a := chains.Address{0xB1}
	require.NoError(t, w.Supply(ctx, a, "TRX", w.Amount("TRX", 100_000)))
	require.NoError(t, w.Enter(ctx, a, "TRX"))
	require.NoError(t, w.Borrow(ctx, a, "USDT", w.Amount("USDT", 20_000)))
	n, err := node.BlockNumber(ctx)
	require.NoError(t, err)
	_, liquidity, short, err := w.Liquidity(ctx, a, n)
	require.NoError(t, err)
	// 100,000 TRX at 0.75 less 20,000 USD in TRX, in 1e-15 TRX.
	require.Equal(t, "13949", liquidity.String()[:5])
	require.Len(t, liquidity.String(), 20)
	require.Zero(t, short.Sign())
	require.Error(t, w.Liquidate(ctx, chains.Address{0xC1}, a, "USDT", "TRX", w.Amount("USDT", 5_000)))
	accounts, err := w.Crowd(ctx, 150, 1)
	require.NoError(t, err)
	require.Len(t, accounts, 150)
	p := w.InTRX("USDT", 10_000, 2_600)
	require.NoError(t, w.Jump(ctx, map[string]*big.Int{"USDT": p}))
	require.NoError(t, w.Liquidate(ctx, chains.Address{0xC1}, a, "USDT", "TRX", w.Amount("USDT", 5_000)))
}
