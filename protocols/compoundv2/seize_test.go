package compoundv2

import (
	"math/big"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	double "liqwatch/devnet/tron"
	"liqwatch/protocols"
)

// What a liquidation really takes is what the arithmetic says, accrual included.
func TestSeizedTokensAreThoseOfTheLog(t *testing.T) {
	ctx := t.Context()
	j := newJustLendRun(t, 40, double.Dialect{})
	usdt := j.w.InTRX("USDT", 10_000, double.TRXPrice)
	require.NoError(t, j.w.Jump(ctx, map[string]*big.Int{"USDT": new(big.Int).Mul(usdt, big.NewInt(3))}))
	require.NoError(t, j.w.Node.MineBlocks(ctx, 99))
	b := j.must(protocols.Everything)
	done := 0
	for i := range b.Len() {
		if !b.Liquidatable(i, b.Prices()) || done == 6 {
			continue
		}
		a := b.positions[i]
		var debt, collateral *leg
		for k := range a.legs {
			l := &a.legs[k]
			if !l.principal.IsZero() && debt == nil && b.assets[l.market].Symbol != "TRX" {
				debt = l
			}
			if !l.tokens.IsZero() && collateral == nil {
				collateral = l
			}
		}
		if debt == nil || collateral == nil || debt.market == collateral.market {
			continue
		}
		owed := b.table.debt(debt)
		repay := new(uint256.Int).Div(&owed, uint256.NewInt(50))
		before := j.head()
		require.NoError(t, j.w.Liquidate(ctx, chains.Address{0xC1}, a.address, b.assets[debt.market].Symbol, b.assets[collateral.market].Symbol, repay.ToBig()))
		after := j.head()
		logs, err := j.chain.Logs(ctx, j.market.Follow(), before.Number+1, after)
		require.NoError(t, err)
		liquidations := j.market.Liquidations(logs)
		require.Len(t, liquidations, 1)
		require.Equal(t, a.address.Base58(), liquidations[0].Position)

		// The book at the block before, accrued to the block of the liquidation.
		states := append([]state(nil), b.table.states...)
		for _, m := range []int{debt.market, collateral.market} {
			states[m] = accrued(states[m], after.Number-states[m].accruedAt)
		}
		incentive := b.table.risks[collateral.market].incentive
		want := JustLend.seizeTokens(repay, &incentive, &b.table.prices[debt.market], &b.table.prices[collateral.market], &states[collateral.market].rate)
		for _, l := range logs {
			if l.Topics[0] == topicLiquidate {
				got, ok := numberAt(l, 4)
				require.True(t, ok)
				require.Equal(t, want.Dec(), got.Dec())
			}
		}
		done++
		b = j.must(protocols.Noted)
		j.judge(b)
	}
	require.Equal(t, 6, done)
}

func (j *justlendRun) head() chains.Block {
	b, err := j.chain.Head(j.t.Context())
	require.NoError(j.t, err)
	return b
}
