package anvil

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"liqwatch/chains"
)

// gasPerTx is given to every transaction, so that nothing is estimated first.
const gasPerTx = 30_000_000

// Tx is a transaction of any account; the node knows no secrets and asks for none.
type Tx struct {
	From chains.Address
	To   *chains.Address // nil creates a contract
	Data []byte
	// Value is the ether sent along, in wei; none when nil.
	Value *big.Int
	Gas   uint64 // 30 million when 0
}

// Receipt is what became of a transaction.
type Receipt struct {
	Hash     chains.Hash
	Block    uint64
	OK       bool
	GasUsed  uint64
	Contract chains.Address // of a creation
	Logs     []chains.Log
}

func (tx Tx) params() map[string]any {
	gas := tx.Gas
	if gas == 0 {
		gas = gasPerTx
	}
	p := map[string]any{"from": tx.From, "data": hexutil.Bytes(tx.Data), "gas": hexutil.Uint64(gas), "gasPrice": "0x0"}
	if tx.Value != nil {
		p["value"] = (*hexutil.Big)(tx.Value)
	}
	if tx.To != nil {
		p["to"] = *tx.To
	}
	return p
}

// Send sends a transaction and waits for its receipt; with automatic mining (the
// default) it is in a block of its own. A revert is an error that carries its reason.
func (c *Client) Send(ctx context.Context, tx Tx) (Receipt, error) {
	var hash chains.Hash
	if err := c.Call(ctx, &hash, "eth_sendTransaction", tx.params()); err != nil {
		return Receipt{}, err
	}
	r, err := c.Receipt(ctx, hash)
	if err != nil {
		return Receipt{}, err
	}
	if !r.OK {
		return r, fmt.Errorf("transaction %s: %w", hash, c.whyReverted(ctx, tx, r))
	}
	return r, nil
}

// Submit sends transactions without waiting and returns their hashes: the way to
// fill a block while automatic mining is off. They go one by one, because the
// node works on the requests of a batch in no certain order.
func (c *Client) Submit(ctx context.Context, txs []Tx) ([]chains.Hash, error) {
	hashes := make([]chains.Hash, len(txs))
	for i, tx := range txs {
		if err := c.Call(ctx, &hashes[i], "eth_sendTransaction", tx.params()); err != nil {
			return nil, fmt.Errorf("transaction %d of %d: %w", i+1, len(txs), err)
		}
	}
	return hashes, nil
}

// Receipt waits for the receipt of a transaction.
func (c *Client) Receipt(ctx context.Context, hash chains.Hash) (Receipt, error) {
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		var r *rpcReceipt
		if err := c.Call(ctx, &r, "eth_getTransactionReceipt", hash); err != nil {
			return Receipt{}, err
		}
		if r != nil {
			return r.receipt(), nil
		}
		select {
		case <-ctx.Done():
			return Receipt{}, fmt.Errorf("wait for transaction %s: %w", hash, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// Receipts are those of mined transactions, asked for in batches.
func (c *Client) Receipts(ctx context.Context, hashes []chains.Hash) ([]Receipt, error) {
	const batch = 500
	out := make([]Receipt, 0, len(hashes))
	for start := 0; start < len(hashes); start += batch {
		part := hashes[start:min(start+batch, len(hashes))]
		answers := make([]*rpcReceipt, len(part))
		requests := make([]Request, len(part))
		for i, h := range part {
			requests[i] = Request{Method: "eth_getTransactionReceipt", Params: []any{h}, Result: &answers[i]}
		}
		if err := c.Batch(ctx, requests); err != nil {
			return nil, err
		}
		for i, r := range requests {
			if r.Err != nil {
				return nil, r.Err
			}
			if answers[i] == nil {
				return nil, fmt.Errorf("transaction %s: not mined", part[i])
			}
			out = append(out, answers[i].receipt())
		}
	}
	return out, nil
}

// whyReverted asks the same call again at the block before, to learn the reason.
func (c *Client) whyReverted(ctx context.Context, tx Tx, r Receipt) error {
	if err := c.Call(ctx, nil, "eth_call", tx.params(), hexutil.Uint64(r.Block-1)); err != nil {
		return err
	}
	return errors.New("reverted in its block, but not when asked again")
}

// View asks a view function at a block.
func (c *Client) View(ctx context.Context, to chains.Address, data []byte, block uint64) ([]byte, error) {
	var out hexutil.Bytes
	err := c.Call(ctx, &out, "eth_call", map[string]any{"to": to, "data": hexutil.Bytes(data)}, hexutil.Uint64(block))
	return out, err
}

// Views asks a contract many things at a block.
func (c *Client) Views(ctx context.Context, to chains.Address, data [][]byte, block uint64) ([][]byte, error) {
	const batch = 250
	out := make([][]byte, 0, len(data))
	for len(data) > 0 {
		part := data[:min(batch, len(data))]
		data = data[len(part):]
		answers := make([]hexutil.Bytes, len(part))
		requests := make([]Request, len(part))
		for i, d := range part {
			call := map[string]any{"to": to, "data": hexutil.Bytes(d)}
			requests[i] = Request{Method: "eth_call", Params: []any{call, hexutil.Uint64(block)}, Result: &answers[i]}
		}
		if err := c.Batch(ctx, requests); err != nil {
			return nil, err
		}
		for i, r := range requests {
			if r.Err != nil {
				return nil, r.Err
			}
			out = append(out, answers[i])
		}
	}
	return out, nil
}

// Dry asks what a transaction would do after a block, without sending it.
func (c *Client) Dry(ctx context.Context, tx Tx, block uint64) ([]byte, error) {
	var out hexutil.Bytes
	err := c.Call(ctx, &out, "eth_call", tx.params(), hexutil.Uint64(block))
	return out, err
}

// Logs are those of the contracts in the blocks from..to.
func (c *Client) Logs(ctx context.Context, of []chains.Address, from, to uint64) ([]chains.Log, error) {
	var found []rpcLog
	filter := map[string]any{"address": of, "fromBlock": hexutil.Uint64(from), "toBlock": hexutil.Uint64(to)}
	if err := c.Call(ctx, &found, "eth_getLogs", filter); err != nil {
		return nil, err
	}
	out := make([]chains.Log, len(found))
	for i, l := range found {
		out[i] = l.log()
	}
	return out, nil
}

type rpcReceipt struct {
	TransactionHash chains.Hash     `json:"transactionHash"`
	BlockNumber     hexutil.Uint64  `json:"blockNumber"`
	Status          hexutil.Uint64  `json:"status"`
	GasUsed         hexutil.Uint64  `json:"gasUsed"`
	ContractAddress *chains.Address `json:"contractAddress"`
	Logs            []rpcLog        `json:"logs"`
}

type rpcLog struct {
	Address         chains.Address `json:"address"`
	Topics          []chains.Hash  `json:"topics"`
	Data            hexutil.Bytes  `json:"data"`
	BlockNumber     hexutil.Uint64 `json:"blockNumber"`
	BlockHash       chains.Hash    `json:"blockHash"`
	TransactionHash chains.Hash    `json:"transactionHash"`
	LogIndex        hexutil.Uint   `json:"logIndex"`
}

func (r *rpcReceipt) receipt() Receipt {
	out := Receipt{
		Hash: r.TransactionHash, Block: uint64(r.BlockNumber), OK: r.Status == 1, GasUsed: uint64(r.GasUsed),
	}
	if r.ContractAddress != nil {
		out.Contract = *r.ContractAddress
	}
	for _, l := range r.Logs {
		out.Logs = append(out.Logs, l.log())
	}
	return out
}

func (l rpcLog) log() chains.Log {
	return chains.Log{
		Block: uint64(l.BlockNumber), BlockHash: l.BlockHash, Tx: l.TransactionHash, Index: uint(l.LogIndex),
		Address: l.Address, Topics: l.Topics, Data: l.Data,
	}
}
