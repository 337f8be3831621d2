package aavev3

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
)

func deploy(t *testing.T, v aave.Version, o aave.Options) (*reader, *aave.World) {
	t.Helper()
	node := anvil.Run(t, anvil.Options{})
	w, err := aave.Deploy(t.Context(), node, v, o)
	require.NoError(t, err)
	return &reader{node: node}, w
}

func both(t *testing.T, test func(t *testing.T, v aave.Version)) {
	for _, v := range []aave.Version{aave.V30, aave.V36} {
		t.Run(string(v), func(t *testing.T) { test(t, v) })
	}
}

func person(n byte) chains.Address { return chains.Address{0xb0, n} }

func TestBookOfRealContractsIsExact(t *testing.T) {
	both(t, func(t *testing.T, v aave.Version) {
		ctx := t.Context()
		n, w := deploy(t, v, aave.Options{})
		lender, a, b := person(1), person(2), person(3)
		require.NoError(t, w.Supply(ctx, lender, "USDC", w.Amount("USDC", 1_000_000)))
		require.NoError(t, w.Supply(ctx, lender, "WETH", w.Amount("WETH", 1000)))
		require.NoError(t, w.Supply(ctx, a, "WETH", w.Amount("WETH", 10)))
		require.NoError(t, w.Borrow(ctx, a, "USDC", w.Amount("USDC", 20_000)))
		require.NoError(t, w.Supply(ctx, b, "wstETH", w.Amount("wstETH", 7)))
		require.NoError(t, w.SetUserEMode(ctx, b, aave.EModeETH))
		require.NoError(t, w.Borrow(ctx, b, "WETH", w.Amount("WETH", 7)))
		m := n.opened(t, w.Provider, NoFork)
		require.Equal(t, 2, m.book.Len())
		require.Empty(t, m.book.Faults())
		require.Equal(t, 2, n.verified(t, m).Positions)

		require.NoError(t, n.node.Warp(ctx, 86400*40))
		require.NoError(t, w.SetETH(ctx, big.NewInt(2300_00000000)))
		n.follow(t, m, n.head(t))
		n.verified(t, m)
	})
}
