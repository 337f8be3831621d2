package chainstest

import (
	"encoding/json"
	"fmt"

	"liqwatch/chains"
)

type logArgs struct {
	BlockHash *chains.Hash     `json:"blockHash"`
	From      json.RawMessage  `json:"fromBlock"`
	To        json.RawMessage  `json:"toBlock"`
	Addresses []chains.Address `json:"address"`
	Topics    [][]chains.Hash  `json:"topics"`
}

func (n *Node) getLogs(b Behaviour, params []json.RawMessage) (any, *RPCError) {
	var args logArgs
	if len(params) != 1 {
		n.tb.Errorf("eth_getLogs with %d arguments", len(params))
		return nil, invalid("want a filter")
	}
	if err := strictly(params[0], &args); err != nil || len(args.Addresses) == 0 || len(args.Topics) != 1 || len(args.Topics[0]) == 0 {
		n.tb.Errorf("eth_getLogs with filter %s: %v", params[0], err)
		return nil, invalid("filter")
	}
	f := chains.Filter{Addresses: args.Addresses, Topics: args.Topics[0]}
	if b.MaxAddresses > 0 && len(f.Addresses) > b.MaxAddresses {
		return nil, &RPCError{Code: -32602, Message: "exceed max addresses: 1000"}
	}
	var logs []chains.Log
	if args.BlockHash != nil {
		if args.From != nil || args.To != nil || b.NoLogsByHash {
			return nil, invalid("cannot specify both BlockHash and FromBlock/ToBlock")
		}
		found, _ := n.Chain.byHash(*args.BlockHash)
		if found == nil || found.Number > n.head(b) {
			return nil, &RPCError{Code: -32000, Message: "unknown block"}
		}
		logs = matching(found.logs, f)
	} else {
		var err *RPCError
		if logs, err = n.rangeOfLogs(b, args, f); err != nil {
			return nil, err
		}
	}
	if b.MaxLogs > 0 && len(logs) > b.MaxLogs {
		e := b.LogsError
		if e.Message == "" {
			e = RPCError{Code: -32005, Message: "query returned more than 10000 results"}
		}
		return nil, &e
	}
	out := make([]any, len(logs))
	for i, l := range logs {
		out[i] = logJSON(l)
	}
	return out, nil
}

func (n *Node) rangeOfLogs(b Behaviour, args logArgs, f chains.Filter) ([]chains.Log, *RPCError) {
	var from, to string
	if json.Unmarshal(args.From, &from) != nil || json.Unmarshal(args.To, &to) != nil {
		n.tb.Errorf("eth_getLogs without both ends of the range")
		return nil, invalid("range")
	}
	var bounds [2]uint64
	for i, text := range []string{from, to} {
		if _, err := fmt.Sscanf(text, "0x%x", &bounds[i]); err != nil {
			n.tb.Errorf("eth_getLogs from %s to %s", from, to)
			return nil, invalid("range")
		}
	}
	if bounds[0] > bounds[1] {
		n.tb.Errorf("eth_getLogs from %d to %d", bounds[0], bounds[1])
		return nil, invalid("begin block is after end block")
	}
	if b.MaxRange > 0 && bounds[1]-bounds[0]+1 > b.MaxRange {
		e := b.RangeError
		if e.Message == "" {
			e = RPCError{Code: -32000, Message: "boo"}
		}
		return nil, &e
	}
	// Beyond its head a node says nothing, as many do.
	return n.Chain.Logs(bounds[0], min(bounds[1], n.head(b)), f.Match), nil
}

func matching(logs []chains.Log, f chains.Filter) []chains.Log {
	var out []chains.Log
	for _, l := range logs {
		if f.Match(l) {
			out = append(out, l)
		}
	}
	return out
}

func logJSON(l chains.Log) map[string]any {
	topics := make([]string, len(l.Topics))
	for i, t := range l.Topics {
		topics[i] = t.String()
	}
	return map[string]any{
		"address": l.Address.String(), "topics": topics, "data": hexData(l.Data), "blockNumber": hexNumber(l.Block),
		"blockHash": l.BlockHash.String(), "transactionHash": l.Tx.String(), "transactionIndex": "0x0",
		"logIndex": hexNumber(uint64(l.Index)), "removed": false,
	}
}
