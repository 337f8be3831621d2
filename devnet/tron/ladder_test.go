package tron_test

import (
	"math/big"
	"testing"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/evm"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/population"
	"liqwatch/devnet/tron"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
	"liqwatch/protocols/aavev3"
	"liqwatch/thresholds"
)

// inHand are settings that need no file.
type inHand struct{ provider chains.Address }

func (s inHand) Decode(into any) error {
	into.(*aavev3.Settings).Provider = s.provider
	return nil
}

// Aave on one chain and JustLend on another make one ladder; each keeps its own
// block, and an axis that only one of them has leaves the other out.
func TestOneLadderOverTwoChains(t *testing.T) {
	ctx := t.Context()
	ethNode := anvil.Run(t, anvil.Options{})
	aaveWorld, err := aave.Deploy(ctx, ethNode, aave.V30, aave.Options{})
	require.NoError(t, err)
	_, err = population.Build(ctx, aaveWorld, population.Options{Seed: 1})
	require.NoError(t, err)
	require.NoError(t, aaveWorld.SetETH(ctx, big.NewInt(2_500_00000000)))
	eth, err := evm.New(evm.Config{Name: "ethereum", Endpoints: []evm.Endpoint{{URL: ethNode.URL}}}, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(eth.Close)
	aaveMarket, err := aavev3.New(protocols.Placement{Name: "aave", Chain: "ethereum"}, inHand{aaveWorld.Provider})
	require.NoError(t, err)
	ethHead, err := eth.Head(ctx)
	require.NoError(t, err)
	f := watch.NewFollower(eth, []protocols.Market{aaveMarket}, &inMemory{}, zerolog.Nop())
	out, err := f.Pass(ctx, ethHead)
	require.NoError(t, err)
	require.Empty(t, out.Failed)

	tronNode := anvil.Run(t, anvil.Options{BlockTime: 3, ChainID: tron.ChainID})
	w, err := tron.Deploy(ctx, tronNode, tron.Options{})
	require.NoError(t, err)
	require.NoError(t, w.Fund(ctx, chains.Address{0xA1}))
	_, err = w.Crowd(ctx, 120, 2)
	require.NoError(t, err)
	double, err := tron.Serve(ctx, tronNode.Client, tron.Dialect{CPUGas: tron.CPULimit})
	require.NoError(t, err)
	justlend, _ := market(t, double, w)

	books := []protocols.Book{aaveMarket.Book(), justlend.Book()}
	ladder, err := thresholds.Build("ETH", "aave", books)
	require.NoError(t, err)
	blocks := map[string]uint64{}
	for _, b := range ladder.Blocks() {
		blocks[b.Chain] = b.Number
	}
	require.Equal(t, map[string]uint64{"ethereum": ethHead.Number, "tron": justlend.Book().Block().Number}, blocks)
	at := decimal.NewFromInt(1_800)
	both, err := ladder.At(at)
	require.NoError(t, err)
	sum := 0
	for i, name := range []string{"aave", "justlend"} {
		single, err := thresholds.Build("ETH", name, books[i:i+1])
		require.NoError(t, err)
		alone, err := single.At(at)
		require.NoError(t, err)
		require.Positive(t, alone.Accounts, name)
		sum += alone.Accounts
	}
	require.Equal(t, sum, both.Accounts)

	trx, err := thresholds.Build("TRX", "justlend", books)
	require.NoError(t, err)
	m, err := trx.Map([]decimal.Decimal{decimal.RequireFromString("0.25"), decimal.RequireFromString("0.40")}, thresholds.MapOptions{})
	require.NoError(t, err)
	require.Equal(t, "0.3276", m.Spot.StringFixed(4))
	for _, band := range m.Bands {
		for _, part := range band.ByMarket {
			require.Equal(t, "justlend", part.Market)
		}
	}
}
