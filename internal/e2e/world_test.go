package e2e

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/naive"
	"liqwatch/devnet/population"
)

// world is a node with Aave and its borrowers, and the judge of them.
type world struct {
	*aave.World
	node     *anvil.Node
	pop      *population.Population
	judge    *naive.Judge
	accounts []string
}

func populated(t testing.TB, v aave.Version, o anvil.Options) *world {
	t.Helper()
	node := anvil.Run(t, o)
	w, err := aave.Deploy(t.Context(), node, v, aave.Options{})
	require.NoError(t, err)
	pop, err := population.Build(t.Context(), w, population.Options{Seed: 1})
	require.NoError(t, err)
	out := &world{World: w, node: node, pop: pop, judge: naive.New(node.URL, w.Pool.String())}
	for _, a := range pop.Accounts() {
		out.accounts = append(out.accounts, a.String())
	}
	return out
}

func (w *world) head(t testing.TB) chains.Block {
	t.Helper()
	n, err := w.node.BlockNumber(t.Context())
	require.NoError(t, err)
	b, err := w.node.Block(t.Context(), n)
	require.NoError(t, err)
	return b
}

// reports are what both ETH feeds are to say.
func (w *world) reports(price int64) []naive.Report {
	var out []naive.Report
	for _, f := range []aave.FeedName{aave.FeedETH, aave.FeedETHForLST} {
		out = append(out, naive.Report{Aggregator: w.Feeds[f].Aggregator.String(), Answer: big.NewInt(price)})
	}
	return out
}

// look asks the pool about every account: as it is, and as if ETH were at each level.
func (w *world) look(ctx context.Context, t testing.TB, price int64, levels []int64) look {
	t.Helper()
	b := w.head(t)
	now, err := w.judge.At(ctx, b.Number, w.accounts)
	require.NoError(t, err)
	out := look{block: b.Number, hash: b.Hash.String(), price: price, ahead: map[int64]ahead{}}
	sum := naive.Total(now)
	out.now = ahead{sum.Accounts, sum.Collateral, sum.Debt}
	for _, level := range levels {
		then, err := w.judge.IfPriced(ctx, b.Number, w.accounts, w.reports(level))
		require.NoError(t, err)
		a := ahead{atRisk: new(big.Int), debt: new(big.Int)}
		for i, v := range then {
			if v.Liquidatable() && !now[i].Liquidatable() {
				a.accounts++
				a.atRisk.Add(a.atRisk, v.Collateral)
				a.debt.Add(a.debt, v.Debt)
			}
		}
		out.ahead[level] = a
	}
	return out
}

// configuration writes a file that follows the world, with more at its end.
func (w *world) configuration(t testing.TB, more string) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf(`chains:
  devnet: {id: 31337, rpc: [%q, %q]}
markets:
  - {name: aave, protocol: aave-v3, chain: devnet, pool_addresses_provider: %q, from_block: %d}
axes:
  ETH: {reference: aave}
store: sqlite:%s
web: {listen: "off"}
%s`, w.node.URL, w.node.WS, w.Provider, w.FromBlock, filepath.Join(dir, "liqwatch.db"), more)
	path := filepath.Join(dir, "liqwatch.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
