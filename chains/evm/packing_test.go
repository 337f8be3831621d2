package evm

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/chains/asm"
	"liqwatch/chains/chainstest"
)

// nodeKinds are what nodes allow, and the way that should be found for them.
var nodeKinds = []struct {
	name string
	b    chainstest.Behaviour
	way  way
	pin  pin
}{
	{"all", chainstest.Behaviour{}, wayOverride, pinCanonical},
	{"no requireCanonical", chainstest.Behaviour{NoCanonical: true}, wayOverride, pinHash},
	{"no block hash", chainstest.Behaviour{NoBlockHash: true}, wayOverride, pinNumber},
	{"no overrides", chainstest.Behaviour{NoOverrides: true}, wayDeployless, pinCanonical},
	{"overrides ignored", chainstest.Behaviour{IgnoreOverrides: true}, wayDeployless, pinCanonical},
	{"no overrides, no block hash", chainstest.Behaviour{NoOverrides: true, NoBlockHash: true}, wayDeployless, pinNumber},
	{"no overrides, no initcode", chainstest.Behaviour{NoOverrides: true, NoInitcode: true}, wayMulticall, pinCanonical},
	{"little gas", chainstest.Behaviour{Gas: 3_000_000}, wayOverride, pinCanonical},
	{"little gas, no overrides", chainstest.Behaviour{Gas: 3_000_000, NoOverrides: true}, wayDeployless, pinCanonical},
	{"small bodies", chainstest.Behaviour{MaxData: 2_000}, wayOverride, pinCanonical},
}

func TestWaysAreFoundOutOnce(t *testing.T) {
	for _, k := range nodeKinds {
		t.Run(k.name, func(t *testing.T) {
			chain := world(33)
			chain.DeployMulticall3()
			node := chainstest.NewNode(t, chain)
			node.Behave(k.b)
			c := client(t, Config{ChainID: 1}, node)
			can, err := c.Capabilities(t.Context())
			require.NoError(t, err)
			w := &c.pool.nodes[0].ways
			assert.Equal(t, k.way, w.way)
			assert.Equal(t, k.pin, w.pin)
			assert.Equal(t, k.way == wayOverride, can.Slots)
			assert.Equal(t, k.way == wayOverride, can.Overrides)
			assert.Equal(t, 12.0, can.BlockTime.Seconds())
			head, err := c.Head(t.Context())
			require.NoError(t, err)
			node.Forget()
			_, err = c.Read(t.Context(), head, views())
			require.NoError(t, err)
			if k.b.Gas == 0 && k.b.MaxData == 0 && k.way != wayMulticall {
				assert.Len(t, node.Asked("eth_call"), 1, "a handful of views is one eth_call")
			}
		})
	}
}

func views() []chains.Read {
	var out []chains.Read
	for _, r := range reads() {
		if !r.IsSlot() {
			out = append(out, r)
		}
	}
	return out
}

// Any list of reads, on any kind of node: the truth, whatever stands beside a read.
func TestEveryWayReadsTheSame(t *testing.T) {
	chain := world(33)
	chain.DeployMulticall3()
	for _, k := range append(nodeKinds, struct {
		name string
		b    chainstest.Behaviour
		way  way
		pin  pin
	}{"nothing at all", chainstest.Behaviour{NoOverrides: true, NoInitcode: true, NoBlockHash: true, MaxBatch: 7}, wayPlain, pinNumber}) {
		t.Run(k.name, func(t *testing.T) {
			own := chain
			if k.way == wayPlain {
				own = world(33)
			}
			node := chainstest.NewNode(t, own)
			node.Behave(k.b)
			c := client(t, Config{ChainID: 1}, node)
			rapid.Check(t, func(rt *rapid.T) {
				number := rapid.Uint64Range(1, 33).Draw(rt, "block")
				at, err := c.Block(t.Context(), number)
				if err != nil {
					rt.Fatal(err)
				}
				list := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) chains.Read {
					data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(rt, "data")
					if data == nil {
						data = []byte{}
					}
					switch rapid.IntRange(0, 9).Draw(rt, "kind") {
					case 0:
						return chains.View(refuses, data)
					case 1:
						return chains.View(burner, data)
					case 2, 3:
						if k.way == wayOverride {
							return chains.Slot(tokenA, word(rapid.IntRange(0, 8).Draw(rt, "slot")))
						}
					}
					return chains.View(echo, data)
				}), 1, 60).Draw(rt, "reads")
				got, err := c.Read(t.Context(), at, list)
				if err != nil {
					rt.Fatal(err)
				}
				want := truth(at, list)
				for i := range list {
					if list[i].To == burner {
						want[i] = chains.Answer{Failed: true}
					}
				}
				if !sameAnswers(got, want) {
					rt.Fatalf("answers %v, want %v", got, want)
				}
			})
		})
	}
}

func TestTwentyThousandSlots(t *testing.T) {
	chain := world(3)
	node := chainstest.NewNode(t, chain)
	c := client(t, Config{ChainID: 1}, node)
	head, err := c.Head(t.Context())
	require.NoError(t, err)
	list := make([]chains.Read, 20_000)
	for i := range list {
		list[i] = chains.Slot([]chains.Address{tokenA, tokenB}[i%2], word(i/2))
	}
	got, err := c.Read(t.Context(), head, list)
	require.NoError(t, err)
	require.True(t, sameAnswers(got, truth(head, list)))
	node.Forget()
	_, err = c.Read(t.Context(), head, list)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(node.Asked("")), 2, "20,000 slots under geth's gas")
}

func TestOverridesThatForgetStorageAreNotBelieved(t *testing.T) {
	chain := world(33)
	node := chainstest.NewNode(t, chain)
	node.Behave(chainstest.Behaviour{WipeOverridden: true})
	c := client(t, Config{ChainID: 1}, node)
	head, err := c.Head(t.Context())
	require.NoError(t, err)
	_, err = c.Read(t.Context(), head, []chains.Read{chains.Slot(tokenA, word(1))})
	require.ErrorIs(t, err, chains.ErrUnreachable)
	require.ErrorContains(t, err, "eth_getStorageAt")
}

func TestReadMoved(t *testing.T) {
	chain := world(33)
	honest := chainstest.NewNode(t, chain)
	c := client(t, Config{ChainID: 1}, honest)
	head, err := c.Head(t.Context())
	require.NoError(t, err)
	// The feed is replaced by code that returns 42.
	code := asm.New().Push(42).Store(0).Push(32).Push(0).Op(asm.Return).Bytes()
	got, err := c.ReadMoved(t.Context(), head, []chains.Override{{Address: echo, Code: code}}, []chains.Read{chains.View(echo, []byte{1}), chains.View(refuses, []byte{2})})
	require.NoError(t, err)
	w := word(42)
	require.True(t, sameAnswers(got, []chains.Answer{{Data: w[:]}, {Data: []byte{2}, Failed: true}}))

	honest.Behave(chainstest.Behaviour{NoOverrides: true})
	c = client(t, Config{ChainID: 1}, honest)
	_, err = c.ReadMoved(t.Context(), head, []chains.Override{{Address: echo, Code: code}}, []chains.Read{chains.View(echo, []byte{1})})
	require.ErrorIs(t, err, chains.ErrNoOverrides)
	_, err = c.Read(t.Context(), head, []chains.Read{chains.Slot(tokenA, word(1))})
	require.ErrorIs(t, err, chains.ErrNoOverrides)
}

func TestReadsThatCannotBe(t *testing.T) {
	chain := world(33)
	node := chainstest.NewNode(t, chain)
	c := client(t, Config{ChainID: 1}, node)
	head, err := c.Head(t.Context())
	require.NoError(t, err)
	_, err = c.Read(t.Context(), head, views())
	require.NoError(t, err)

	// A block that a reorg took back.
	chain.Reorg(2)
	_, err = c.Read(t.Context(), head, views())
	require.ErrorIs(t, err, chains.ErrReorged)
	_, err = c.Logs(t.Context(), follow, head.Number-1, head)
	require.ErrorIs(t, err, chains.ErrReorged)

	// A state that is gone.
	node.Behave(chainstest.Behaviour{Pruned: 10})
	old, err := c.Block(t.Context(), 3)
	require.NoError(t, err)
	_, err = c.Read(t.Context(), old, views())
	require.ErrorIs(t, err, chains.ErrPruned)
	require.ErrorContains(t, err, "archive node")

	_, err = c.Block(t.Context(), 1000)
	require.ErrorIs(t, err, chains.ErrNotFound)
}
