package tron

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"liqwatch/chains"
)

// Limits of eth_getLogs (node.jsonrpc.maxBlockRange, MAX_RESULT, maxSubTopics, maxAddressSize).
const (
	maxRange     = 5000
	maxResults   = 10_000
	maxSubTopics = 1000
	maxAddresses = 1000
)

type logFilter struct {
	FromBlock *string           `json:"fromBlock"`
	ToBlock   *string           `json:"toBlock"`
	BlockHash *string           `json:"blockHash"`
	Address   json.RawMessage   `json:"address"`
	Topics    []json.RawMessage `json:"topics"`
}

// logs answers eth_getLogs. A range beyond the head is silently empty.
func (n *Node) logs(ctx context.Context, params []json.RawMessage) (any, error) {
	var f logFilter
	if len(params) != 1 || json.Unmarshal(params[0], &f) != nil {
		return nil, fail(-32602, "method parameters invalid")
	}
	addresses, err := n.logAddresses(f.Address)
	if err != nil {
		return nil, err
	}
	topics, err := logTopics(f.Topics)
	if err != nil {
		return nil, err
	}
	head, err := n.head(ctx)
	if err != nil {
		return nil, err
	}
	from, to, err := n.logRange(ctx, f, head)
	if err != nil {
		return nil, err
	}
	if from > head || n.hole(from, to) {
		return []any{}, nil
	}
	var found []evmLog
	query := map[string]any{"fromBlock": hexutil.Uint64(from), "toBlock": hexutil.Uint64(min(to, head)), "address": addresses, "topics": topics}
	if err := n.evm.Call(ctx, &found, "eth_getLogs", query); err != nil {
		return nil, err
	}
	if len(found) > maxResults {
		return nil, fail(-32005, fmt.Sprintf("query returned more than %d results", maxResults))
	}
	out := make([]map[string]any, 0, len(found))
	for _, l := range found {
		out = append(out, n.logJSON(l))
	}
	return out, nil
}

type evmLog struct {
	Address          chains.Address `json:"address"`
	Topics           []chains.Hash  `json:"topics"`
	Data             hexutil.Bytes  `json:"data"`
	BlockNumber      hexutil.Uint64 `json:"blockNumber"`
	BlockHash        chains.Hash    `json:"blockHash"`
	BlockTimestamp   string         `json:"blockTimestamp"`
	TransactionHash  chains.Hash    `json:"transactionHash"`
	TransactionIndex hexutil.Uint64 `json:"transactionIndex"`
	LogIndex         hexutil.Uint64 `json:"logIndex"`
}

func (n *Node) logJSON(l evmLog) map[string]any {
	out := map[string]any{
		"address": "0x" + hex.EncodeToString(l.Address[:]), "blockHash": ID(uint64(l.BlockNumber), l.BlockHash).String(),
		"blockNumber": l.BlockNumber, "data": l.Data, "logIndex": l.LogIndex, "removed": false, "topics": l.Topics,
		"transactionHash": l.TransactionHash, "transactionIndex": l.TransactionIndex,
	}
	if n.dialect.Version == V482 {
		out["blockTimestamp"] = l.BlockTimestamp
	}
	return out
}

func (n *Node) logRange(ctx context.Context, f logFilter, head uint64) (from, to uint64, err error) {
	if f.BlockHash != nil {
		if f.FromBlock != nil || f.ToBlock != nil {
			return 0, 0, fail(-32602, "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
		}
		b, err := n.byID(ctx, *f.BlockHash)
		if err != nil {
			return 0, 0, err
		}
		if b == nil {
			return 0, 0, fail(-32602, "invalid blockHash")
		}
		return uint64(b.Number), uint64(b.Number), nil
	}
	from, to = head, head
	if f.FromBlock != nil {
		if from, err = n.blockTag(*f.FromBlock, head); err != nil {
			return 0, 0, err
		}
	}
	if f.ToBlock != nil {
		if to, err = n.blockTag(*f.ToBlock, head); err != nil {
			return 0, 0, err
		}
	}
	if from > to {
		return 0, 0, fail(-32602, "please verify: fromBlock <= toBlock")
	}
	if last := min(to, head); last > from && last-from > maxRange {
		return 0, 0, fail(-32602, fmt.Sprintf("exceed max block range: %d", maxRange))
	}
	return from, to, nil
}

// logAddresses reads one address or a list, of 20 bytes each: here the 21-byte form is refused.
func (n *Node) logAddresses(raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		list = []string{text(raw)}
	}
	if len(list) > maxAddresses && n.dialect.Version == V482 {
		return nil, fail(-32602, fmt.Sprintf("exceed max addresses: %d", maxAddresses))
	}
	for i, a := range list {
		if b, err := hex.DecodeString(strings.TrimPrefix(a, "0x")); err != nil || len(b) != 20 {
			return nil, fail(-32602, fmt.Sprintf("invalid address at index %d: %s", i, a))
		}
	}
	return list, nil
}

func logTopics(slots []json.RawMessage) ([]any, error) {
	if len(slots) > 4 {
		return nil, fail(-32602, "topics size should be <= 4")
	}
	var out []any
	for _, raw := range slots {
		var list []string
		switch {
		case string(raw) == "null":
			out = append(out, nil)
			continue
		case json.Unmarshal(raw, &list) != nil:
			list = []string{text(raw)}
		}
		if len(list) > maxSubTopics {
			return nil, fail(-32602, fmt.Sprintf("exceed max topics: %d", maxSubTopics))
		}
		for _, t := range list {
			if _, err := chains.ParseHash("0x" + strings.TrimPrefix(t, "0x")); err != nil {
				return nil, fail(-32602, "invalid topic(s): "+t)
			}
		}
		out = append(out, list)
	}
	return out, nil
}
