package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/venus"
)

// Venus' real contracts, through acts of every kind: at ten blocks every account is
// the comptroller's own, and every sum holds.
func TestVerifyFindsNothingOnVenus(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{BlockTime: 3})
	w, err := venus.Deploy(ctx, node)
	require.NoError(t, err)
	lender := chains.Address{0xA1}
	require.NoError(t, w.Supply(ctx, lender, "USDT", w.Amount("USDT", 9e7)))
	rng := rand.New(rand.NewPCG(7, 11))
	borrower := func(i int) chains.Address { return chains.Address{0xB0, byte(i)} }
	for i := range 30 {
		require.NoError(t, w.Supply(ctx, borrower(i), "WETH", w.Amount("WETH", 1+9*rng.Float64())))
		require.NoError(t, w.Enter(ctx, borrower(i), "WETH"))
		require.NoError(t, w.Borrow(ctx, borrower(i), "USDT", w.Amount("USDT", 500+1_400*rng.Float64())))
	}
	token := w.Token("WETH")
	acts := []func() error{
		func() error { return w.Repay(ctx, borrower(0), "USDT", w.Amount("USDT", 77.7)) },
		func() error {
			return w.Transfer(ctx, borrower(1), borrower(2), token.Symbol, uint256.NewInt(1_234_567).ToBig())
		},
		func() error { return node.MineBlocks(ctx, 40) },
		func() error { return w.Borrow(ctx, borrower(3), "USDT", w.Amount("USDT", 11.1)) },
		func() error { return w.Accrue(ctx, "USDT") },
		func() error { return w.MintVAI(ctx, borrower(4), w.Amount("WETH", 3)) },
		func() error { return w.SetPrice(ctx, "WETH", uint256.MustFromDecimal("260000000000000000000").ToBig()) },
		func() error {
			require.NoError(t, w.Supply(ctx, lender, "USDT", w.Amount("USDT", 10_000)))
			for i := range 30 {
				if w.Liquidate(ctx, lender, borrower(i), "USDT", "WETH", w.Amount("USDT", 20)) == nil {
					return nil
				}
			}
			return fmt.Errorf("nobody could be liquidated")
		},
		func() error {
			return w.SetPrice(ctx, "WETH", uint256.MustFromDecimal("2700000000000000000000").ToBig())
		},
		func() error { return node.MineBlocks(ctx, 10) },
	}
	config := filepath.Join(t.TempDir(), "liqwatch.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
chains:
  devnet: {id: 31337, rpc: [%q]}
markets:
  - {name: venus, protocol: compound-v2, chain: devnet, comptroller: %q, from_block: %d}
store: "sqlite:%s.db"
`, node.URL, w.Comptroller.Address, w.FromBlock, config), 0o600))
	accounts := 0
	for k, act := range acts {
		require.NoError(t, act(), "act %d", k)
		n, err := node.BlockNumber(ctx)
		require.NoError(t, err)
		out, stderr, code := liqwatch(t, "verify", "-c", config, "--block", fmt.Sprint(n), "--format", "json")
		require.Zero(t, code, "act %d: %s%s", k, out, stderr)
		m := one[verification](t, out).Markets[0]
		require.Empty(t, m.Differences, "act %d", k)
		require.NotEmpty(t, m.Sums)
		require.GreaterOrEqual(t, m.Positions, 29, "act %d", k)
		accounts += m.Positions
	}
	t.Logf("%d blocks, %d accounts compared, 0 differences", len(acts), accounts)
}
