package evm

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/chains/asm"
	"liqwatch/devnet/anvil"
)

// Contracts of the tests on a real node.
var (
	reader  = chains.Address{0xa1} // returns the storage words that its calldata name
	crier   = chains.Address{0xa2} // emits a log with topic 0 from its calldata, and counts in slot 0
	clock   = chains.Address{0xa3} // returns number and time
	spender = chains.Address{0xa4} // loops until it has no gas
	fails   = chains.Address{0xa5} // reverts with its calldata
	invalid = chains.Address{0xa6} // runs an invalid opcode
)

func contracts() map[chains.Address][]byte {
	const opLog1, opSstore, opInvalid = 0xa1, 0x55, 0xfe
	echoed := func() *asm.Assembler { return asm.New().Op(asm.CalldataSize).Push(0).Push(0).Op(asm.CalldataCopy) }
	return map[chains.Address][]byte{
		reader: slotReader,
		crier: echoed().Push(0).Op(asm.Sload).Push(1).Op(asm.Add).Push(0).Op(opSstore).
			Push(0).Op(asm.CalldataLoad).Op(asm.CalldataSize).Push(0).Op(opLog1).Bytes(),
		clock:   asm.New().Op(asm.Number).Store(0).Op(asm.Timestamp).Store(32).Push(64).Push(0).Op(asm.Return).Bytes(),
		spender: asm.New().Label("on").Ref("on").Op(asm.Jump).Bytes(),
		fails:   echoed().Op(asm.CalldataSize).Push(0).Op(asm.Revert).Bytes(),
		invalid: {opInvalid},
	}
}

func devnet(t testing.TB, opts anvil.Options) *anvil.Node {
	t.Helper()
	node := anvil.Run(t, opts)
	for a, code := range contracts() {
		require.NoError(t, node.Call(t.Context(), nil, "anvil_setCode", a, hexData(code)))
	}
	for s := range 50 {
		require.NoError(t, node.SetStorage(t.Context(), reader, word(s), word(s*s+1)))
	}
	require.NoError(t, node.MineBlocks(t.Context(), 3))
	return node
}

func dial(t testing.TB, urls ...string) *Client {
	t.Helper()
	cfg := Config{Name: "devnet", ChainID: 31337}
	for _, u := range urls {
		cfg.Endpoints = append(cfg.Endpoints, Endpoint{URL: u})
	}
	c, err := New(cfg, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func cry(t require.TestingT, node *anvil.Node, topic chains.Hash) {
	_, err := node.Send(tctx, anvil.Tx{From: chains.Address{0xb1}, To: &crier, Data: topic[:], Gas: 100_000})
	require.NoError(t, err)
}

func TestRealNodeEveryWayIsBitEqual(t *testing.T) {
	for _, gas := range []uint64{30_000_000, 0} {
		t.Run(fmt.Sprintf("block gas limit %d", gas), func(t *testing.T) {
			node := devnet(t, anvil.Options{GasLimit: gas})
			c := dial(t, node.URL)
			can, err := c.Capabilities(t.Context())
			require.NoError(t, err)
			require.True(t, can.Slots && can.Overrides)
			head, err := c.Head(t.Context())
			require.NoError(t, err)
			require.True(t, c.tip.head().proven, "headers of anvil can be hashed")
			var list []chains.Read
			for i := range 300 {
				w := word(i % 60)
				list = append(list, chains.View(reader, w[:]), chains.View(clock, []byte{byte(i)}), chains.View(fails, w[:i%33]))
			}
			list = append(list, chains.View(invalid, []byte{}))
			list = append(list, chains.View(chains.Address{0x77}, []byte{1}))
			if gas != 0 {
				list = append(list, chains.View(spender, []byte{1}), chains.View(spender, []byte{2}), chains.View(clock, []byte{255, 1}))
			}
			n := c.pool.nodes[0]
			answers := map[way][]chains.Answer{}
			for _, w := range []way{wayOverride, wayDeployless, wayPlain} {
				s := stamp{gasStart: n.ways.gas}
				n.ways.settle(c, n, w, pinCanonical, s, false)
				before := c.Stats().Requests()
				if answers[w], err = c.Read(t.Context(), head, list); err != nil {
					t.Fatalf("%s: %v", w, err)
				}
				t.Logf("%-16s %4d requests for %d reads", w, c.Stats().Requests()-before, len(list))
			}
			assert.True(t, sameAnswers(answers[wayOverride], answers[wayPlain]))
			assert.True(t, sameAnswers(answers[wayDeployless], answers[wayPlain]))
			// The plain answers are what the contracts are made to say.
			for i, r := range list {
				a := answers[wayPlain][i]
				switch r.To {
				case fails:
					assert.Equal(t, chains.Answer{Data: r.Data, Failed: true}.Failed, a.Failed)
				case invalid, spender:
					assert.True(t, a.Failed)
				default:
					assert.False(t, a.Failed)
				}
			}
		})
	}
}

func TestRealNodeReadsThePast(t *testing.T) {
	node := devnet(t, anvil.Options{})
	for i := range 12 {
		require.NoError(t, node.SetStorage(t.Context(), reader, word(1), word(1000+i)))
		require.NoError(t, node.Mine(t.Context()))
	}
	c := dial(t, node.URL)
	head, err := c.Head(t.Context())
	require.NoError(t, err)
	one := word(1)
	for back := range uint64(10) {
		at, err := c.Block(t.Context(), head.Number-back)
		require.NoError(t, err)
		got, err := c.Read(t.Context(), at, []chains.Read{chains.Slot(reader, one), chains.View(reader, one[:]), chains.View(clock, []byte{})})
		require.NoError(t, err)
		want := word(min(1011, 1012-int(back))) // anvil writes into the state of the block before
		number, at64 := word(int(at.Number)), word(int(at.Time))
		require.True(t, sameAnswers(got, []chains.Answer{{Data: want[:]}, {Data: want[:]}, {Data: slices.Concat(number[:], at64[:])}}), "%v", got)
	}
}

func TestRealNodeOverWebsocket(t *testing.T) {
	node := devnet(t, anvil.Options{})
	c := dial(t, node.WS)
	head, err := c.Head(t.Context())
	require.NoError(t, err)
	one := word(1)
	for range 20 {
		next := make(chan chains.Block, 1)
		go func() {
			b, err := c.Wait(t.Context(), head)
			assert.NoError(t, err)
			next <- b
		}()
		require.NoError(t, node.Mine(t.Context()))
		select {
		case b := <-next:
			require.Equal(t, head.Number+1, b.Number)
			head = b
		case <-time.After(10 * time.Second):
			t.Fatal("no new head")
		}
		_, err = c.Read(t.Context(), head, []chains.Read{chains.Slot(reader, one)})
		require.NoError(t, err)
	}
	require.True(t, c.wake.heard(time.Minute), "newHeads never rang")
	require.NoError(t, node.Stop())
	_, err = c.Head(t.Context())
	require.ErrorIs(t, err, chains.ErrUnreachable)
}

// A follower of the client sees, whatever is mined and undone, the logs that a
// replay of the canonical chain gives.
func TestRealNodeReorgs(t *testing.T) {
	node := devnet(t, anvil.Options{})
	c := dial(t, node.URL)
	f := chains.Filter{Addresses: []chains.Address{crier}, Topics: []chains.Hash{borrow, repay}}
	start, err := c.Head(t.Context())
	require.NoError(t, err)
	fw := newFollower(c, f, start)
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0, 1:
				cry(rt, node, borrow)
			case 2:
				cry(rt, node, chains.Hash{5})
			case 3:
				require.NoError(rt, node.MineBlocks(tctx, uint64(rapid.IntRange(1, 3).Draw(rt, "blocks"))))
			case 4:
				depth := rapid.IntRange(1, 5).Draw(rt, "depth")
				head, err := node.BlockNumber(tctx)
				require.NoError(rt, err)
				depth = min(depth, int(head-start.Number))
				if depth > 0 {
					require.NoError(rt, node.ReorgWith(tctx, uint64(depth), map[uint64][]anvil.Tx{0: {{From: chains.Address{0xb2}, To: &crier, Data: repay[:], Gas: 100_000}}}))
				}
			case 5:
				require.NoError(rt, fw.step(tctx))
			}
		}
		require.NoError(rt, fw.step(tctx))
		// The judge asks the node itself, block by block.
		var want []chains.Log
		for b := start.Number + 1; b <= fw.at().Number; b++ {
			var raw []wireLog
			require.NoError(rt, node.Call(tctx, &raw, "eth_getLogs", map[string]any{"fromBlock": hexNumber(b), "toBlock": hexNumber(b)}))
			for _, w := range raw {
				l, err := w.decode()
				require.NoError(rt, err)
				if f.Match(l) {
					want = append(want, l)
				}
			}
		}
		if !sameLogs(fw.logs, want) {
			rt.Fatalf("follower has %d logs, the chain %d", len(fw.logs), len(want))
		}
	})
}
