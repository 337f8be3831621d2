package compoundv2

import (
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/anvil"
	double "liqwatch/devnet/tron"
	"liqwatch/protocols"
)

// A liquidation accrues first. What a position shows for the next block is what
// the comptroller says once all its markets have accrued in that block.
func TestAccruedViewIsWhatTheNextBlockSees(t *testing.T) {
	t.Run("venus", func(t *testing.T) {
		ctx := t.Context()
		v := newVenusRun(t, 12)
		require.NoError(t, v.w.Node.MineBlocks(ctx, 700))
		b := v.must(protocols.Everything)
		var txs []anvil.Tx
		for _, s := range venusSymbols {
			tx, err := v.w.Token(s).VToken.Tx(v.w.Admin, "accrueInterest")
			require.NoError(t, err)
			txs = append(txs, tx)
		}
		require.NoError(t, v.w.Node.InOneBlock(ctx, txs))
		changed := 0
		for i := range b.Len() {
			_, liquidity, shortfall, err := v.w.Liquidity(ctx, b.Owner(i), b.block.Number+1)
			require.NoError(t, err)
			p := b.Position(i)
			require.Equal(t, liquidity.String(), p.View[2].Value.Dec())
			require.Equal(t, shortfall.String(), p.View[3].Value.Dec())
			if p.View[0].Value != p.View[2].Value || p.View[1].Value != p.View[3].Value {
				changed++
			}
		}
		require.Equal(t, b.Len(), changed)
	})
	t.Run("justlend", func(t *testing.T) {
		ctx := t.Context()
		j := newJustLendRun(t, 25, double.Dialect{})
		require.NoError(t, j.w.Node.MineBlocks(ctx, 700))
		b := j.must(protocols.Everything)
		var txs []anvil.Tx
		for _, m := range j.w.Markets {
			tx, err := m.JToken.Tx(j.w.Admin, "accrueInterest")
			require.NoError(t, err)
			txs = append(txs, tx)
		}
		require.NoError(t, j.w.Node.InOneBlock(ctx, txs))
		for i := range b.Len() {
			_, liquidity, shortfall, err := j.w.Liquidity(ctx, b.Owner(i), b.block.Number+1)
			require.NoError(t, err)
			p := b.Position(i)
			require.Equal(t, liquidity.String(), p.View[2].Value.Dec())
			require.Equal(t, shortfall.String(), p.View[3].Value.Dec())
		}
	})
}
