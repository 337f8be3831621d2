package story

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/population"
)

func populated(t *testing.T, v aave.Version) (*aave.World, *population.Population) {
	t.Helper()
	w, err := aave.Deploy(t.Context(), anvil.Run(t, anvil.Options{}), v, aave.Options{})
	require.NoError(t, err)
	pop, err := population.Build(t.Context(), w, population.Options{Seed: 1})
	require.NoError(t, err)
	return w, pop
}

// decoded is one LiquidationCall log.
type decoded struct {
	collateral, debt, user chains.Address
	block                  uint64
}

func liquidationLogs(t *testing.T, w *aave.World, told *Told) []decoded {
	t.Helper()
	logs, err := w.Node.Logs(t.Context(), []chains.Address{w.Pool}, told.From, told.To)
	require.NoError(t, err)
	topic := chains.Keccak([]byte("LiquidationCall(address,address,address,uint256,uint256,address,bool)"))
	var out []decoded
	for _, l := range logs {
		if l.Topics[0] == topic {
			out = append(out, decoded{l.Topics[1].Address(), l.Topics[2].Address(), l.Topics[3].Address(), l.Block})
		}
	}
	return out
}

func TestStoryHappensOnTheChain(t *testing.T) {
	for _, v := range []aave.Version{aave.V30, aave.V36} {
		t.Run(string(v), func(t *testing.T) {
			w, pop := populated(t, v)
			var seen []chains.Block
			told, err := Play(t.Context(), w, pop, Options{Seed: 1, OnBlock: func(_ context.Context, b chains.Block) error {
				seen = append(seen, b)
				return nil
			}})
			require.NoError(t, err)

			require.Len(t, seen, Blocks)
			require.Len(t, told.Prices, Blocks)
			require.Equal(t, told.From+Blocks-1, told.To)
			for i := 1; i < len(seen); i++ {
				require.Equal(t, seen[i-1].Hash, seen[i].Parent)
				require.Equal(t, seen[i-1].Time+12, seen[i].Time)
			}
			price, err := w.Price(t.Context(), "WETH", told.From+wickBlock)
			require.NoError(t, err)
			require.Equal(t, told.Prices[wickBlock], price.Int64())
			require.Len(t, told.Beats, len(narration))

			logs := liquidationLogs(t, w, told)
			require.Len(t, logs, len(told.Liquidations), "every liquidation told is on the chain and no other")
			assert.Greater(t, len(logs), 150)
			shorts := 0
			for _, l := range logs {
				if l.debt == w.Asset("WETH").Token && l.block > told.From+200 {
					shorts++
				}
			}
			assert.Greater(t, shorts, 5, "shorts are squeezed on the way up")
			assert.Greater(t, told.Reactions, 20)
			assert.NotEmpty(t, told.Newcomers)
			badDebt(t, w, told)
		})
	}
}

// badDebt checks that one loan went under: 3.6 writes its debt off, 3.0 leaves it.
func badDebt(t *testing.T, w *aave.World, told *Told) {
	t.Helper()
	d, err := w.UserAccountData(t.Context(), told.BadDebt, told.To)
	require.NoError(t, err)
	assert.Zero(t, d.Collateral.Sign())
	if w.Version == aave.V30 {
		assert.Positive(t, d.Debt.Sign())
		return
	}
	assert.Zero(t, d.Debt.Sign())
	logs, err := w.Node.Logs(t.Context(), []chains.Address{w.Pool}, told.From, told.To)
	require.NoError(t, err)
	deficits := 0
	for _, l := range logs {
		if l.Topics[0] == chains.Keccak([]byte("DeficitCreated(address,address,uint256)")) {
			deficits++
			assert.Equal(t, told.BadDebt, l.Topics[1].Address())
		}
	}
	assert.Equal(t, 1, deficits)
}

func TestSameSeedSameStory(t *testing.T) {
	var tellings [2]*Told
	var last [2]chains.Block
	for i := range tellings {
		w, pop := populated(t, aave.V36)
		var err error
		tellings[i], err = Play(t.Context(), w, pop, Options{Seed: 4, Blocks: 30})
		require.NoError(t, err)
		last[i], err = w.Node.Block(t.Context(), tellings[i].To)
		require.NoError(t, err)
	}
	require.Equal(t, tellings[0], tellings[1])
	require.Equal(t, last[0], last[1], "down to the hash of the block")
}

// TestPathTestsRules holds the path against what rules on 2,400 and 2,200 with
// approach levels of 5, 2 and 0.5 % and a margin of 1 % are to live through.
func TestPathTestsRules(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		prices := make([]float64, Blocks)
		for i := range prices {
			prices[i] = float64(price(i, rng)) / 1e8
		}
		for _, level := range []float64{2_400, 2_200} {
			for _, approach := range []float64{0.05, 0.02, 0.005} {
				first := firstAtOrBelow(prices, level*(1+approach))
				require.Positive(t, first)
				require.Less(t, first, firstAtOrBelow(prices, level), "the approach comes before the level")
			}
		}
		// After the first approach to 2 % of 2,400 the price recedes by more than the
		// margin, and comes back.
		first := firstAtOrBelow(prices, 2_448)
		receded := firstAtOrAbove(prices, first, 2_448*1.011)
		require.Less(t, receded, firstAtOrBelow(prices, 2_400))
		// The wick crosses for one block.
		require.Less(t, prices[wickBlock], 2_400.0)
		require.Greater(t, prices[wickBlock-1], 2_400.0)
		require.Greater(t, prices[wickBlock+1], 2_400.0)
		// The cascade is one block's work, and the shorts are reached.
		require.Less(t, prices[cascadeBlock], 0.965*prices[cascadeBlock-1])
		require.Less(t, firstAtOrAbove(prices, cascadeBlock, 2_960), Blocks)
	}
}

func firstAtOrBelow(prices []float64, level float64) int {
	for i, p := range prices {
		if p <= level {
			return i
		}
	}
	return len(prices)
}

func firstAtOrAbove(prices []float64, from int, level float64) int {
	for i := from; i < len(prices); i++ {
		if prices[i] >= level {
			return i
		}
	}
	return len(prices)
}
