package evm

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/chainstest"
)

func TestHonestNode(t *testing.T) {
	chain := world(33)
	c := client(t, Config{ChainID: 1}, chainstest.NewNode(t, chain))
	difference, err := exercise(t.Context(), c, chain)
	require.NoError(t, err)
	require.Empty(t, difference)
}

// Chains whose headers or block numbers are not as Ethereum's are read as well, and
// an answer of another block is still found out.
func TestOtherKindsOfChains(t *testing.T) {
	for name, set := range map[string]func(*chainstest.Chain){
		"number of the chain below": func(c *chainstest.Chain) { c.Below = true },
		"hashes of another kind":    func(c *chainstest.Chain) { c.OddHash = true },
		"both":                      func(c *chainstest.Chain) { c.Below, c.OddHash = true, true },
	} {
		t.Run(name, func(t *testing.T) {
			chain := chainstest.NewChain(42161)
			set(chain)
			populate(chain, 33)
			node := chainstest.NewNode(t, chain)
			c := client(t, Config{ChainID: 42161}, node)
			difference, err := exercise(t.Context(), c, chain)
			require.NoError(t, err)
			require.Empty(t, difference)
			assert.Equal(t, wayOverride, c.pool.nodes[0].ways.way)
			old, err := c.Block(t.Context(), 9)
			require.NoError(t, err)
			_, err = c.Read(t.Context(), old, views())
			require.NoError(t, err)
			node.Behave(chainstest.Behaviour{Lie: "reads are of an older block"})
			_, err = c.Read(t.Context(), chain.Head(), views())
			require.ErrorIs(t, err, chains.ErrUnreachable)
		})
	}
}

// One node: a lie that gives itself away is an error, never an answer.
func TestLiesOfTheOnlyNode(t *testing.T) {
	detectable := 0
	for _, lie := range chainstest.Lies() {
		if lie.Alone {
			detectable++
		}
		t.Run(lie.Name, func(t *testing.T) {
			t.Parallel()
			chain := world(33)
			node := chainstest.NewNode(t, chain)
			node.Behave(chainstest.Behaviour{Lie: lie.Name})
			difference, err := exercise(t.Context(), client(t, Config{ChainID: 1}, node), chain)
			if lie.Alone {
				assert.Empty(t, difference, "the lie passed")
				return
			}
			assert.True(t, err == nil && difference != "", "a lie said to need a second node was found with one: err %v", err)
		})
	}
	t.Logf("%d lies, %d found with one node", len(chainstest.Lies()), detectable)
}

// Several nodes: nothing but the truth, and no error either.
func TestLiesOfOneOfSeveralNodes(t *testing.T) {
	for _, lie := range chainstest.Lies() {
		t.Run(lie.Name, func(t *testing.T) {
			t.Parallel()
			chain := world(33)
			liar := chainstest.NewNode(t, chain)
			liar.Behave(chainstest.Behaviour{Lie: lie.Name})
			nodes := []*chainstest.Node{liar, chainstest.NewNode(t, chain)}
			cfg := Config{ChainID: 1, Hedge: 500 * time.Millisecond}
			if !lie.Alone {
				// What only a second node can tell needs two that agree.
				nodes = append(nodes, chainstest.NewNode(t, chain))
				cfg.Agree = 2
			}
			difference, err := exercise(t.Context(), client(t, cfg, nodes...), chain)
			assert.NoError(t, err)
			assert.Empty(t, difference)
		})
	}
}
