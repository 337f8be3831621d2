package naive_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/naive"
	"liqwatch/devnet/population"
)

func TestRealMoveAndOverrideAgree(t *testing.T) {
	ctx := t.Context()
	w, err := aave.Deploy(ctx, anvil.Run(t, anvil.Options{}), aave.V36, aave.Options{})
	require.NoError(t, err)
	pop, err := population.Build(ctx, w, population.Options{Seed: 5})
	require.NoError(t, err)
	var accounts []string
	for _, a := range pop.Accounts() {
		accounts = append(accounts, a.String())
	}
	number, err := w.Node.BlockNumber(ctx)
	require.NoError(t, err)
	head, err := w.Node.Block(ctx, number)
	require.NoError(t, err)

	judge := naive.New(w.Node.URL, w.Pool.String())
	now, err := judge.At(ctx, number, accounts)
	require.NoError(t, err)
	require.Empty(t, naive.Liquidatable(now))

	last := 0
	for _, usd := range []int64{2_400, 2_350, 1_900, 1_100} {
		price := big.NewInt(usd * 1e8)
		reports := []naive.Report{
			{Aggregator: w.Feeds[aave.FeedETH].Aggregator.String(), Answer: price},
			{Aggregator: w.Feeds[aave.FeedETHForLST].Aggregator.String(), Answer: price},
		}
		moved, err := judge.AtPrices(ctx, accounts, reports)
		require.NoError(t, err)
		supposed, err := judge.IfPriced(ctx, number, accounts, reports)
		require.NoError(t, err)
		require.Equal(t, moved, supposed)
		sum := naive.Total(moved)
		require.Len(t, naive.Liquidatable(moved), sum.Accounts)
		require.Greater(t, sum.Accounts, last)
		require.Positive(t, sum.Debt.Sign())
		require.Positive(t, sum.Collateral.Sign())
		last = sum.Accounts
	}

	back, err := w.Node.Block(ctx, number)
	require.NoError(t, err)
	require.Equal(t, head, back, "the node is where it was")
	require.NoError(t, w.Node.Mine(ctx))
	next, err := w.Node.Block(ctx, number+1)
	require.NoError(t, err)
	require.Equal(t, head.Time+12, next.Time, "and its clock too")
	require.Equal(t, head.Hash, next.Parent)
}

func TestNotAPool(t *testing.T) {
	n := anvil.Run(t, anvil.Options{})
	_, err := naive.New(n.URL, "0x00000000000000000000000000000000000000aa").At(t.Context(), 0, []string{"0x00000000000000000000000000000000000000bb"})
	require.ErrorContains(t, err, "is it an Aave v3 pool")
}
