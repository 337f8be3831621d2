package anvil

import (
	"math/big"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
)

func balanceAt(t *testing.T, n *Node, who chains.Address, block uint64) *big.Int {
	t.Helper()
	var b hexutil.Big
	require.NoError(t, n.Call(t.Context(), &b, "eth_getBalance", who, hexutil.Uint64(block)))
	return b.ToInt()
}

func blockAt(t *testing.T, n *Node, number uint64) chains.Block {
	t.Helper()
	b, err := n.Block(t.Context(), number)
	require.NoError(t, err)
	return b
}

func headOf(t *testing.T, n *Node) chains.Block {
	t.Helper()
	number, err := n.BlockNumber(t.Context())
	require.NoError(t, err)
	return blockAt(t, n, number)
}

func TestBlocksAreAsFarApartAsAsked(t *testing.T) {
	n := Run(t, Options{BlockTime: 7})
	genesis := headOf(t, n)
	require.NoError(t, n.MineBlocks(t.Context(), 3))
	require.Equal(t, genesis.Time+21, headOf(t, n).Time)
	require.NoError(t, n.Warp(t.Context(), 1000))
	require.Equal(t, genesis.Time+1021, headOf(t, n).Time)
	require.NoError(t, n.AtSameTime(t.Context(), func() error { return n.MineBlocks(t.Context(), 2) }))
	require.Equal(t, genesis.Time+1021, headOf(t, n).Time)
	require.NoError(t, n.Mine(t.Context()))
	require.Equal(t, genesis.Time+1028, headOf(t, n).Time)
}

func TestRestartKeepsTheChainAndItsPast(t *testing.T) {
	n := Run(t, Options{StateFile: filepath.Join(t.TempDir(), "state.json")})
	who := chains.Address{0xAA}
	from, err := n.Accounts(t.Context())
	require.NoError(t, err)
	pay := func(wei int64) {
		_, err := n.Send(t.Context(), Tx{From: from[0], To: &who, Value: big.NewInt(wei)})
		require.NoError(t, err)
	}
	pay(5)
	first := headOf(t, n)
	pay(7)
	second := headOf(t, n)
	require.NoError(t, n.Restart(t.Context()))

	require.Equal(t, second, headOf(t, n), "the head is the one from before")
	require.Equal(t, first, blockAt(t, n, first.Number))
	require.EqualValues(t, 5, balanceAt(t, n, who, first.Number).Int64(), "the state of a past block is still there")
	require.EqualValues(t, 12, balanceAt(t, n, who, second.Number).Int64())
	require.NoError(t, n.Mine(t.Context()))
	require.Equal(t, second.Hash, headOf(t, n).Parent)
	require.Equal(t, second.Time+12, headOf(t, n).Time)
}

func TestReorgUndoesTransactions(t *testing.T) {
	n := Run(t, Options{})
	who := chains.Address{0xAA}
	from, err := n.Accounts(t.Context())
	require.NoError(t, err)
	require.NoError(t, n.MineBlocks(t.Context(), 3))
	kept := headOf(t, n)
	_, err = n.Send(t.Context(), Tx{From: from[0], To: &who, Value: big.NewInt(5)})
	require.NoError(t, err)
	undone := headOf(t, n)
	require.EqualValues(t, 5, balanceAt(t, n, who, undone.Number).Int64())

	require.NoError(t, n.Reorg(t.Context(), 1))
	now := headOf(t, n)
	require.Equal(t, undone.Number, now.Number)
	require.NotEqual(t, undone.Hash, now.Hash)
	require.Equal(t, kept.Hash, now.Parent)
	require.Zero(t, balanceAt(t, n, who, now.Number).Sign())
}

func TestSnapshotIsReturnedTo(t *testing.T) {
	n := Run(t, Options{})
	who := chains.Address{0xAA}
	id, err := n.Snapshot(t.Context())
	require.NoError(t, err)
	before := headOf(t, n)
	require.NoError(t, n.SetBalance(t.Context(), who, big.NewInt(9)))
	require.NoError(t, n.Mine(t.Context()))
	require.EqualValues(t, 9, balanceAt(t, n, who, headOf(t, n).Number).Int64())
	require.NoError(t, n.Revert(t.Context(), id))
	require.Equal(t, before, headOf(t, n))
	require.Zero(t, balanceAt(t, n, who, before.Number).Sign())
}

func TestRevertIsAnErrorWithItsReason(t *testing.T) {
	n := Run(t, Options{})
	from, err := n.Accounts(t.Context())
	require.NoError(t, err)
	_, err = n.Send(t.Context(), Tx{From: from[0], Data: hexutil.MustDecode("0x5f5ffd")})
	require.ErrorContains(t, err, "revert")
}

func TestNodeThatCannotStartSaysWhy(t *testing.T) {
	_, err := Start(t.Context(), Options{Args: []string{"--no-such-flag"}})
	require.ErrorContains(t, err, "no-such-flag")
}

func TestTakenPortIsRefused(t *testing.T) {
	n := Run(t, Options{})
	_, err := Start(t.Context(), Options{Port: n.opts.Port})
	require.ErrorContains(t, err, "choose another port")
}

func TestNodesAtTheSameTimeAreApart(t *testing.T) {
	urls := make(chan string, 8)
	for range 8 {
		go func() {
			n, err := Start(t.Context(), Options{})
			if !assert.NoError(t, err) {
				urls <- err.Error()
				return
			}
			t.Cleanup(func() { assert.NoError(t, n.Kill()) })
			urls <- n.URL
		}()
	}
	seen := map[string]bool{}
	for range 8 {
		seen[<-urls] = true
	}
	require.Len(t, seen, 8)
}
