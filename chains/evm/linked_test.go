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

// names answers the addresses of the other contracts, for links to follow.
var names = chains.MustAddress("0x00000000000000000000000000000000000e0004")

func namesAnswer() (out []byte) {
	for _, a := range []chains.Address{{}, echo, refuses, names, burner} {
		w := a.Word()
		out = append(out, w[:]...)
	}
	return out
}

// linkedReads are views in any order, linked to any view before them.
func linkedReads(t *rapid.T) []chains.Read {
	var out []chains.Read
	for i := range rapid.IntRange(1, 40).Draw(t, "reads") {
		to := rapid.SampledFrom([]chains.Address{{}, echo, refuses, names, burner}).Draw(t, "to")
		r := chains.View(to, rapid.SliceOfN(rapid.Byte(), 40, 90).Draw(t, "data"))
		for range rapid.IntRange(0, 3).Draw(t, "links") {
			if i == 0 {
				break
			}
			into := rapid.OneOf(rapid.Just(chains.Target), rapid.IntRange(0, len(r.Data)-32)).Draw(t, "into")
			from := rapid.OneOf(rapid.IntRange(0, 5).AsAny(), rapid.IntRange(0, 150).AsAny()).Draw(t, "from").(int)
			if into == chains.Target {
				from = 32 * (from % 6)
			}
			r.Links = append(r.Links, chains.Link{Back: rapid.IntRange(1, i).Draw(t, "back"), From: from, Into: into})
		}
		if to.IsZero() && len(r.Links) == 0 {
			r.To = echo
		}
		out = append(out, r)
	}
	return out
}

// precompiled are the contracts that are part of the node. What they do with data
// that is none of theirs is not what a contract at a random address does.
func precompiled(a chains.Address) bool {
	return !a.IsZero() && [18]byte(a[:18]) == [18]byte{} && a[18] <= 1
}

// Reads that take words from each other answer the same whether the node puts the
// words in place or the client does, level by level.
func TestLinkedReadsAreTheSameEveryWay(t *testing.T) {
	scripted := func(own *chainstest.Chain) *chainstest.Chain {
		own.SetView(names, func(chains.Block, []byte) ([]byte, bool) { return namesAnswer(), true })
		return own
	}
	for _, k := range nodeKinds {
		t.Run(k.name, func(t *testing.T) {
			chain := scripted(world(33))
			chain.DeployMulticall3()
			node := chainstest.NewNode(t, chain)
			node.Behave(k.b)
			c := client(t, Config{ChainID: 1}, node)
			at, err := c.Head(t.Context())
			require.NoError(t, err)
			rapid.Check(t, func(rt *rapid.T) {
				list := linkedReads(rt)
				want, err := chains.ReadLinked(list, func(level []chains.Read) ([]chains.Answer, error) {
					out := truth(at, level)
					for i, r := range level {
						if precompiled(r.To) {
							rt.Skip("echoed data happened to name a contract of the node itself")
						}
						switch r.To {
						case names:
							out[i].Data = namesAnswer()
						case burner:
							out[i] = chains.Answer{Failed: true}
						}
					}
					return out, nil
				})
				if err != nil {
					rt.Fatal(err)
				}
				mixed := append([]chains.Read{chains.View(echo, []byte{9})}, list...)
				got, err := c.Read(t.Context(), at, mixed)
				if err != nil {
					rt.Fatal(err)
				}
				if !sameAnswers(got[1:], want) {
					rt.Fatalf("answers to %v: %v, want %v", list, got[1:], want)
				}
			})
		})
	}
}

func TestChainsOfReadsAreOneRequest(t *testing.T) {
	chain := world(33)
	chain.SetView(names, func(chains.Block, []byte) ([]byte, bool) { return namesAnswer(), true })
	node := chainstest.NewNode(t, chain)
	c := client(t, Config{ChainID: 1}, node)
	at, err := c.Head(t.Context())
	require.NoError(t, err)
	node.Forget()
	got, err := c.Read(t.Context(), at, []chains.Read{
		chains.View(names, []byte{}),
		chains.At([]byte{}, chains.Link{Back: 1, From: 96}),
		chains.At([]byte{7}, chains.Link{Back: 1, From: 32}),
	})
	require.NoError(t, err)
	require.True(t, sameAnswers(got, []chains.Answer{{Data: namesAnswer()}, {Data: namesAnswer()}, truth(at, []chains.Read{chains.View(echo, []byte{7})})[0]}))
	assert.Len(t, node.Asked(""), 1, "the first read of all, three calls deep: %v", node.Asked(""))
}

// readerProgram answers the slots of tokenA that it is given.
func readerProgram() *chains.Program {
	a := asm.New()
	a.Op(asm.CalldataSize).Push(0).Push(0).Op(asm.CalldataCopy)
	a.Op(asm.CalldataSize).Push(32).Op(asm.CalldataSize).Push(0)
	a.Word(tokenA.Word()).Op(asm.Gas, asm.StaticCall).Op(asm.IsZero).Ref("bad").Op(asm.Jumpi)
	a.Op(asm.CalldataSize).Push(32).Op(asm.Return)
	a.Label("bad").Push(0).Push(0).Op(asm.Revert)
	return chains.NewProgram(a.Bytes(), []chains.Address{tokenA}, 32, 1, chains.Slot(tokenA, word(3)))
}

func TestProgramsReadStorage(t *testing.T) {
	chain := world(33)
	node := chainstest.NewNode(t, chain)
	c := client(t, Config{ChainID: 1}, node)
	at, err := c.Head(t.Context())
	require.NoError(t, err)
	program := readerProgram()
	var input, want []byte
	for _, s := range []int{2, 0, 3} {
		w, v := word(s), word(1000*32+s)
		input, want = append(input, w[:]...), append(want, v[:]...)
	}
	list := []chains.Read{program.Run(input), chains.View(echo, []byte{1}), chains.Slot(tokenA, word(1))}
	got, err := c.Read(t.Context(), at, list)
	require.NoError(t, err)
	one := word(1000*32 + 1)
	require.True(t, sameAnswers(got, []chains.Answer{{Data: want}, truth(at, list[1:2])[0], {Data: one[:]}}), "%v", got)

	// Alone it shows by its witness that storage is kept.
	node.Behave(chainstest.Behaviour{WipeOverridden: true})
	_, err = client(t, Config{ChainID: 1}, node).Read(t.Context(), at, list[:1])
	require.ErrorContains(t, err, "eth_getStorageAt")
	node.Behave(chainstest.Behaviour{NoOverrides: true})
	_, err = client(t, Config{ChainID: 1}, node).Read(t.Context(), at, list[:1])
	require.ErrorIs(t, err, chains.ErrNoOverrides)
}
