package bench

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/population"
	"liqwatch/protocols"
	"liqwatch/protocols/aavev3"
)

// provider is the settings of a market of which only the provider is known.
type provider chains.Address

func (p provider) Decode(into any) error {
	into.(*aavev3.Settings).Provider = chains.Address(p)
	return nil
}

// What a cold start and following cost in requests, counted on the wire: the figures
// that people are told must not rot silently.
func TestRequestsOfColdStartAndFollowing(t *testing.T) {
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{})
	w, err := aave.Deploy(ctx, node, aave.V36, aave.Options{})
	require.NoError(t, err)
	pop, err := population.Build(ctx, w, population.Options{Seed: 1})
	require.NoError(t, err)
	subject := Subject{
		Node: node.URL, ChainName: "devnet", ChainID: 31337,
		Open: func() (protocols.Market, error) {
			return aavev3.New(protocols.Placement{Name: "devnet", Chain: "devnet"}, provider(w.Provider))
		},
	}
	cold, err := Cold(ctx, subject, 0, 0)
	require.NoError(t, err)
	assert.LessOrEqual(t, cold.Ours.Count.Requests, 8, "%v", cold.Ours.Count.Methods)
	assert.Equal(t, 1, cold.Ours.Count.Methods["eth_getLogs"])
	assert.Equal(t, cold.Accounts, cold.Agree)
	assert.GreaterOrEqual(t, cold.Accounts, len(pop.Borrowers)/2)

	// Prices that move, and now and then somebody who does something.
	const blocks = 8
	for i := range int64(blocks) {
		if i%3 == 1 {
			require.NoError(t, w.Supply(ctx, chains.Address{0xfe}, "USDC", w.Amount("USDC", 1_000)))
			continue
		}
		require.NoError(t, w.SetETH(ctx, big.NewInt((2690-i)*1_00000000)))
	}
	following, err := Following(ctx, subject, blocks)
	require.NoError(t, err)
	ours := following.Ours.Count
	assert.Equal(t, blocks, ours.Methods["eth_getLogs"], "%v", ours.Methods)
	assert.LessOrEqual(t, ours.Methods["eth_call"], 2*blocks, "%v", ours.Methods)
	assert.Zero(t, ours.Methods["eth_getStorageAt"])
	assert.Equal(t, following.Accounts, following.Agree)
}
