package aavev3

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/naive"
	"liqwatch/devnet/population"
	"liqwatch/protocols"
)

// The largest call is executed for real, in the same second: what the pool takes and
// repays is what was computed, to the unit.
func TestSeizableIsWhatARealCallTakes(t *testing.T) {
	both(t, func(t *testing.T, v aave.Version) {
		ctx := t.Context()
		n, w := deploy(t, v, aave.Options{})
		pop, err := population.Build(ctx, w, population.Options{Seed: 2})
		require.NoError(t, err)
		executed, partial, dust := 0, 0, 0
		for _, asset := range w.Assets {
			require.NoError(t, w.Mint(ctx, pop.Liquidator, asset.Symbol, w.Amount(asset.Symbol, 1e7)))
		}
		m := n.opened(t, w.Provider, NoFork)
		for _, eth := range []int64{2450_00000000, 2100_00000000, 3400_00000000} {
			require.NoError(t, w.SetETH(ctx, big.NewInt(eth)))
			require.NoError(t, n.node.AtSameTime(ctx, func() error {
				for range 14 {
					n.follow(t, m, n.head(t))
					call := nextCall(m.book, executed)
					if call == nil {
						return nil
					}
					if call.repaid.Cmp(call.owed) < 0 {
						partial++
					}
					cover := aave.Max
					if call.limited {
						dust++
						cover = call.repaid
					}
					receipt, err := w.Liquidate(ctx, pop.Liquidator, call.of, call.taken, call.owing, cover, executed%2 == 0)
					if err != nil {
						return fmt.Errorf("liquidate %s: %w", call.of, err)
					}
					got := m.Liquidations(receipt.Logs)
					require.Len(t, got, 1)
					require.Equal(t, call.repaid.String(), got[0].Repaid.Raw.ToBig().String(), "repaid for %s", call.of)
					require.Equal(t, new(big.Int).Sub(call.seized, call.fee).String(), got[0].Seized.Raw.ToBig().String(), "seized from %s", call.of)
					executed++
				}
				return nil
			}))
			n.verified(t, m)
		}
		t.Logf("%d executed, %d of them partial, %d held back by dust", executed, partial, dust)
		require.Greater(t, executed, 30)
		require.Positive(t, partial)
	})
}

// planned is a call together with whom it is for.
type planned struct {
	*call
	of           chains.Address
	taken, owing string
	owed         *big.Int
}

// nextCall is the largest call for some account that can be liquidated, another one
// each time.
func nextCall(b *Book, skip int) *planned {
	for k := range b.Len() {
		i := (k + 37*skip) % b.Len()
		a := b.shelf.account(i)
		c := b.table.largestCall(&a, b.prices.Raw)
		if c == nil || b.Position(i).Blocked != "" {
			continue
		}
		debt := &b.table.res[c.debt]
		owed := b.table.amount(&leg{tag: tagOf(debt.id, protocols.Debt), scaled: balanceOf(&a, debt.id, protocols.Debt)})
		return &planned{call: c, of: a.key, taken: b.table.res[c.collateral].symbol, owing: debt.symbol, owed: owed}
	}
	return nil
}

func balanceOf(a *account, id uint16, side protocols.Side) u128 {
	for _, l := range a.legs {
		if l.tag == tagOf(id, side) {
			return l.scaled
		}
	}
	return u128{}
}

// At moved prices the predicate is what getUserAccountData says at moved prices.
func TestPredicateAtMovedPrices(t *testing.T) {
	both(t, func(t *testing.T, v aave.Version) {
		ctx := t.Context()
		n, w := deploy(t, v, aave.Options{})
		_, err := population.Build(ctx, w, population.Options{Seed: 3})
		require.NoError(t, err)
		m := n.opened(t, w.Provider, NoFork)
		b := m.book
		judge := naive.New(n.node.URL, w.Pool.String())
		ids := make([]string, b.Len())
		for i := range ids {
			ids[i] = b.ID(i)
		}
		path, ok := b.Path("ETH")
		require.True(t, ok)
		flips := 0
		for _, eth := range []uint64{1, 900_00000001, 1999_99999999, 2398_76543210, 2700_00000000, 3210_98765432, 9000_00000000} {
			verdicts, err := judge.IfPriced(ctx, b.at.Number, ids, []naive.Report{
				{Aggregator: w.Feeds[aave.FeedETH].Aggregator.String(), Answer: new(big.Int).SetUint64(eth)},
				{Aggregator: w.Feeds[aave.FeedETHForLST].Aggregator.String(), Answer: new(big.Int).SetUint64(eth)},
			})
			require.NoError(t, err)
			var prices protocols.Prices
			path.At(uint256.NewInt(eth), &prices)
			for i, verdict := range verdicts {
				f := b.Figures(i, prices)
				require.Equal(t, verdict.HealthFactor.String(), f.HealthRaw.ToBig().String(), "%s at %d", ids[i], eth)
				require.Equal(t, verdict.Liquidatable(), b.Liquidatable(i, prices), "%s at %d", ids[i], eth)
				if verdict.Liquidatable() != b.Liquidatable(i, b.prices) {
					flips++
				}
			}
		}
		require.Greater(t, flips, 200)
	})
}
