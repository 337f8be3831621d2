package anvil

import (
	"context"
	"encoding/json"
	"math/big"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"liqwatch/chains"
)

// BlockNumber is the number of the newest block.
func (c *Client) BlockNumber(ctx context.Context) (uint64, error) {
	var n hexutil.Uint64
	err := c.Call(ctx, &n, "eth_blockNumber")
	return uint64(n), err
}

// Block is the header of a block.
func (c *Client) Block(ctx context.Context, number uint64) (chains.Block, error) {
	var h struct {
		Number     hexutil.Uint64 `json:"number"`
		Hash       chains.Hash    `json:"hash"`
		ParentHash chains.Hash    `json:"parentHash"`
		Timestamp  hexutil.Uint64 `json:"timestamp"`
	}
	err := c.Call(ctx, &h, "eth_getBlockByNumber", hexutil.Uint64(number), false)
	return chains.Block{Number: uint64(h.Number), Hash: h.Hash, Parent: h.ParentHash, Time: uint64(h.Timestamp)}, err
}

// Accounts are the funded accounts of the node.
func (c *Client) Accounts(ctx context.Context) ([]chains.Address, error) {
	var out []chains.Address
	err := c.Call(ctx, &out, "eth_accounts")
	return out, err
}

// SetBlockTime sets how many seconds later than its parent every further block
// is. With 0 blocks share one timestamp, so that no interest accrues in between.
func (c *Client) SetBlockTime(ctx context.Context, seconds uint64) error {
	return c.Call(ctx, nil, "anvil_setBlockTimestampInterval", seconds)
}

// SetNextTime sets the timestamp of the next block, which may equal its parent's.
func (c *Client) SetNextTime(ctx context.Context, unix uint64) error {
	return c.Call(ctx, nil, "evm_setNextBlockTimestamp", unix)
}

// Mine mines one block with what is waiting.
func (c *Client) Mine(ctx context.Context) error { return c.Call(ctx, nil, "evm_mine") }

// MineBlocks mines n blocks, the first with what is waiting.
func (c *Client) MineBlocks(ctx context.Context, n uint64) error {
	for range n {
		if err := c.Mine(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Warp mines a block that is the given seconds later than its parent.
func (c *Client) Warp(ctx context.Context, seconds uint64) error {
	n, err := c.BlockNumber(ctx)
	if err != nil {
		return err
	}
	head, err := c.Block(ctx, n)
	if err != nil {
		return err
	}
	if err := c.SetNextTime(ctx, head.Time+seconds); err != nil {
		return err
	}
	return c.Mine(ctx)
}

// SetAutomine says whether every transaction gets a block of its own at once.
func (c *Client) SetAutomine(ctx context.Context, on bool) error {
	return c.Call(ctx, nil, "evm_setAutomine", on)
}

// SetBalance gives an account ether.
func (c *Client) SetBalance(ctx context.Context, a chains.Address, wei *big.Int) error {
	return c.Call(ctx, nil, "anvil_setBalance", a, (*hexutil.Big)(wei))
}

// SetStorage writes one storage word.
func (c *Client) SetStorage(ctx context.Context, a chains.Address, slot, word chains.Hash) error {
	return c.Call(ctx, nil, "anvil_setStorageAt", a, slot, word)
}

// Reorg replaces the newest depth blocks by as many others without their transactions.
func (c *Client) Reorg(ctx context.Context, depth uint64) error {
	return c.Call(ctx, nil, "anvil_reorg", depth, []any{})
}

// ReorgWith replaces the newest depth blocks by as many others; txs[i] goes into
// the i-th of them (0 is the oldest).
func (c *Client) ReorgWith(ctx context.Context, depth uint64, txs map[uint64][]Tx) error {
	pairs := []any{}
	for at, list := range txs {
		for _, tx := range list {
			pairs = append(pairs, []any{tx.params(), at})
		}
	}
	return c.Call(ctx, nil, "anvil_reorg", depth, pairs)
}

// Snapshot remembers the present state; [Client.Revert] returns to it, once.
func (c *Client) Snapshot(ctx context.Context) (string, error) {
	var id string
	err := c.Call(ctx, &id, "evm_snapshot")
	return id, err
}

// Revert returns to a snapshot and forgets it.
func (c *Client) Revert(ctx context.Context, snapshot string) error {
	var ok json.RawMessage
	return c.Call(ctx, &ok, "evm_revert", snapshot)
}
