package tron

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"liqwatch/chains"
)

var (
	zeroHash  = "0x" + strings.Repeat("00", 32)
	zeroBloom = "0x" + strings.Repeat("00", 256)
)

// evmBlock is what the EVM says of a block.
type evmBlock struct {
	Number           hexutil.Uint64 `json:"number"`
	Hash             chains.Hash    `json:"hash"`
	ParentHash       chains.Hash    `json:"parentHash"`
	Timestamp        hexutil.Uint64 `json:"timestamp"`
	Miner            chains.Address `json:"miner"`
	Size             string         `json:"size"`
	TransactionsRoot string         `json:"transactionsRoot"`
	GasUsed          string         `json:"gasUsed"`
	Transactions     []chains.Hash  `json:"transactions"`
}

// json is the block in the shape that Ethereum's own decoders refuse.
func (b *evmBlock) json() map[string]any {
	number := uint64(b.Number)
	parent := ID(number-1, b.ParentHash)
	if number == 0 {
		parent = chains.Hash{}
	}
	return map[string]any{
		"baseFeePerGas": "0x0", "difficulty": "0x0", "extraData": "0x", "gasLimit": "0x0", "gasUsed": b.GasUsed,
		"hash": ID(number, b.Hash).String(), "logsBloom": zeroBloom, "miner": "0x" + hex.EncodeToString(b.Miner[:]),
		"mixHash": zeroHash, "nonce": "0x0000000000000000", "number": fmt.Sprintf("0x%x", number),
		"parentHash": parent.String(), "receiptsRoot": zeroHash, "sha3Uncles": zeroHash, "size": b.Size, "stateRoot": "0x",
		"timestamp": fmt.Sprintf("0x%x", uint64(b.Timestamp)), "totalDifficulty": "0x0", "transactions": b.Transactions,
		"transactionsRoot": b.TransactionsRoot, "uncles": []string{},
	}
}

func (n *Node) evmBlock(ctx context.Context, number uint64) (*evmBlock, error) {
	var b *evmBlock
	err := n.evm.Call(ctx, &b, "eth_getBlockByNumber", hexutil.Uint64(number), false)
	return b, err
}

// blockByNumber takes a number or latest, earliest, finalized; null for a block not there yet.
func (n *Node) blockByNumber(ctx context.Context, params []json.RawMessage) (any, error) {
	if len(params) != 2 {
		return nil, fail(-32602, "method parameters invalid")
	}
	head, err := n.head(ctx)
	if err != nil {
		return nil, err
	}
	number, err := n.blockTag(text(params[0]), head)
	if err != nil {
		return nil, err
	}
	if number > head {
		return nil, nil
	}
	b, err := n.evmBlock(ctx, number)
	if err != nil || b == nil {
		return nil, err
	}
	return b.json(), nil
}

// blockTag is the number that a block parameter means.
func (n *Node) blockTag(tag string, head uint64) (uint64, error) {
	switch tag {
	case "latest":
		return head, nil
	case "earliest":
		return 0, nil
	case "finalized":
		if n.dialect.Solid {
			return head, nil
		}
		return head - min(n.dialect.Depth, head), nil
	case "pending", "safe":
		return 0, fail(-32602, "TAG "+tag+" not supported")
	}
	number, ok := quantity(tag)
	if !ok {
		return 0, fail(-32602, "invalid block number")
	}
	return number, nil
}

// quantity is a number in hex or decimal.
func quantity(s string) (uint64, bool) {
	if body, isHex := strings.CutPrefix(s, "0x"); isHex {
		x, err := strconv.ParseUint(body, 16, 64)
		return x, err == nil
	}
	x, err := strconv.ParseUint(s, 10, 64)
	return x, err == nil
}

func (n *Node) blockByHash(ctx context.Context, params []json.RawMessage) (any, error) {
	if len(params) != 2 {
		return nil, fail(-32602, "method parameters invalid")
	}
	b, err := n.byID(ctx, text(params[0]))
	if err != nil || b == nil {
		return nil, err
	}
	return b.json(), nil
}

// byID finds a block by its id, whose first 8 bytes are its height.
func (n *Node) byID(ctx context.Context, id string) (*evmBlock, error) {
	h, err := chains.ParseHash("0x" + strings.TrimPrefix(id, "0x"))
	if err != nil {
		return nil, fail(-32602, "invalid hash value")
	}
	number := uint64(0)
	for _, b := range h[:8] {
		number = number<<8 | uint64(b)
	}
	head, err := n.head(ctx)
	if err != nil || number > head {
		return nil, err
	}
	b, err := n.evmBlock(ctx, number)
	if err != nil || b == nil || ID(number, b.Hash) != h {
		return nil, err
	}
	return b, nil
}

// text is a JSON string's content, or the JSON itself when it is none.
func text(raw json.RawMessage) string {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return string(raw)
	}
	return s
}
