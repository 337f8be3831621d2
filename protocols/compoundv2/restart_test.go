package compoundv2

import (
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	double "liqwatch/devnet/tron"
	"liqwatch/protocols"
)

// After a restart on TRON the accounts are known and the logs behind their debts
// are not. Such debts are within two units of the truth, verification holds, and
// what they could decide is read again.
func TestARestartWithoutThePast(t *testing.T) {
	ctx := t.Context()
	j := newJustLendRun(t, 60, double.Dialect{CPUGas: double.CPULimit})
	first := j.must(protocols.Everything)
	n, err := j.w.Node.BlockNumber(ctx)
	require.NoError(t, err)
	m, err := Make(protocols.Placement{Name: "justlend", Chain: "tron"}, Settings{Comptroller: j.w.Risk.Address, FromBlock: n})
	require.NoError(t, err)
	m.Know(j.market.Accounts())
	j.driver = &driver{t: t, chain: j.client(), market: m}
	b := j.must(protocols.Everything)
	require.Equal(t, first.Len(), b.Len())
	inexact := 0
	for _, a := range b.positions {
		for _, l := range a.legs {
			if l.inexact {
				inexact++
			}
		}
	}
	require.Positive(t, inexact)
	j.judge(b) // exact as read
	for range 5 {
		require.NoError(t, j.w.Node.MineBlocks(ctx, 150))
		for _, s := range []string{"USDT", "TRX", "USDD", "ETH", "BTC"} {
			require.NoError(t, j.w.Accrue(ctx, s))
		}
		b = j.must(protocols.Noted)
		n, err := j.w.Node.BlockNumber(ctx)
		require.NoError(t, err)
		for i, a := range b.positions {
			var room uint256.Int
			for k := range a.legs {
				if a.legs[k].inexact {
					value := truncated(&b.table.prices[a.legs[k].market], uint256.NewInt(2))
					room.Add(&room, value.AddUint64(&value, 2))
				}
			}
			_, liquidity, shortfall, err := j.w.Liquidity(ctx, a.address, n)
			require.NoError(t, err)
			p := b.Position(i)
			want, _ := uint256.FromBig(liquidity)
			require.False(t, distance(&p.View[0].Value, want).Gt(&room), "liquidity of %s", p.ID)
			require.Equal(t, shortfall.Sign() > 0, b.Liquidatable(i, b.Prices()))
		}
		report := j.verify()
		require.True(t, report.Clean(), "%+v", report)
	}
	require.Empty(t, j.must(protocols.Everything).Faults())
	j.judge(j.market.book)
}
