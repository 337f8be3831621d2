package chainstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"liqwatch/chains"
)

func invalid(format string, args ...any) *RPCError {
	return &RPCError{Code: -32602, Message: "invalid argument: " + fmt.Sprintf(format, args...)}
}

func (n *Node) dispatch(b Behaviour, req rpcRequest) (any, *RPCError) {
	switch req.Method {
	case "eth_chainId":
		if b.ChainID != 0 {
			return hexNumber(b.ChainID), nil
		}
		return hexNumber(n.Chain.ID), nil
	case "eth_getBlockByNumber":
		return n.blockByNumber(b, req.Params)
	case "eth_getLogs":
		return n.getLogs(b, req.Params)
	case "eth_call":
		return n.call(b, req.Params)
	case "eth_getStorageAt":
		return n.storageAt(b, req.Params)
	case "eth_subscribe":
		return "0x1", nil
	}
	n.tb.Errorf("node asked for method %q", req.Method)
	return nil, &RPCError{Code: -32601, Message: "the method " + req.Method + " does not exist/is not available"}
}

// head is the newest block that this node knows.
func (n *Node) head(b Behaviour) uint64 {
	h := n.Chain.Head().Number
	return h - min(h, b.Lag)
}

// byTag finds the block that a number or tag names; nil when there is none.
func (n *Node) byTag(b Behaviour, raw json.RawMessage) (*block, *RPCError) {
	var tag string
	if json.Unmarshal(raw, &tag) != nil {
		return nil, invalid("block reference %s", raw)
	}
	head := n.head(b)
	switch tag {
	case "latest":
		return n.Chain.canonical(head), nil
	case "finalized":
		if b.NoFinalized {
			return nil, invalid("unknown tag")
		}
		n.Chain.mu.Lock()
		f := n.Chain.finalized
		n.Chain.mu.Unlock()
		return n.Chain.canonical(min(f, head)), nil
	}
	if !strings.HasPrefix(tag, "0x") || len(tag) > 3 && tag[2] == '0' {
		return nil, invalid("block number %q", tag)
	}
	number, err := strconv.ParseUint(tag[2:], 16, 64)
	if err != nil {
		return nil, invalid("block number %q", tag)
	}
	if number > head {
		return nil, nil
	}
	return n.Chain.canonical(number), nil
}

func (n *Node) blockByNumber(b Behaviour, params []json.RawMessage) (any, *RPCError) {
	if len(params) != 2 || string(params[1]) != "false" {
		n.tb.Errorf("eth_getBlockByNumber with arguments %s", params)
		return nil, invalid("want a block and false")
	}
	found, err := n.byTag(b, params[0])
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nothing, nil
	}
	return blockJSON(found), nil
}

// blockJSON is a block as nodes show it.
func blockJSON(b *block) map[string]any {
	raw, err := json.Marshal(b.header)
	if err != nil {
		panic(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		panic(err)
	}
	for name, v := range m {
		if v == nil {
			delete(m, name)
		}
	}
	if b.below != 0 {
		m["l1BlockNumber"] = hexNumber(b.below)
	}
	if b.odd {
		m["hash"], m["l1BatchNumber"] = b.Hash.String(), "0x1"
	}
	m["size"], m["transactions"], m["uncles"] = "0x200", []string{}, []string{}
	return m
}

// reference finds the block that a read is pinned to.
func (n *Node) reference(b Behaviour, raw json.RawMessage) (*block, *RPCError) {
	if b.IgnorePin {
		return n.Chain.canonical(n.head(b)), nil
	}
	var object struct {
		Hash      *chains.Hash `json:"blockHash"`
		Canonical bool         `json:"requireCanonical"`
	}
	var found *block
	if len(raw) > 0 && raw[0] == '{' {
		if b.NoBlockHash || json.Unmarshal(raw, &object) != nil || object.Hash == nil {
			return nil, invalid("json: cannot unmarshal object into Go value of type string")
		}
		if object.Canonical && b.NoCanonical {
			return nil, invalid("unknown field requireCanonical")
		}
		var canonical bool
		found, canonical = n.Chain.byHash(*object.Hash)
		if found != nil && !canonical && object.Canonical {
			return nil, &RPCError{Code: -32000, Message: "hash is not currently canonical"}
		}
	} else {
		var err *RPCError
		if found, err = n.byTag(b, raw); err != nil {
			return nil, err
		}
	}
	if found == nil || found.Number > n.head(b) {
		return nil, &RPCError{Code: -32000, Message: "header not found"}
	}
	if b.Pruned > 0 && found.Number+b.Pruned < n.head(b) {
		return nil, &RPCError{Code: -32000, Message: "missing trie node 5a1b (path ) state 0x5a1b is not available"}
	}
	return found, nil
}

type callArgs struct {
	To   *chains.Address `json:"to"`
	Data string          `json:"data"`
}

func (n *Node) call(b Behaviour, params []json.RawMessage) (any, *RPCError) {
	if len(params) < 2 || len(params) > 3 {
		n.tb.Errorf("eth_call with %d arguments", len(params))
		return nil, invalid("want a call and a block")
	}
	var args callArgs
	if err := strictly(params[0], &args); err != nil {
		n.tb.Errorf("eth_call with %s: %v", params[0], err)
		return nil, invalid("%v", err)
	}
	data, err := hexBytes(args.Data)
	if err != nil {
		return nil, invalid("%v", err)
	}
	at, failed := n.reference(b, params[1])
	if failed != nil {
		return nil, failed
	}
	e := execution{at: at, to: args.To, data: data, gas: b.Gas}
	if e.gas == 0 {
		e.gas = 50_000_000
	}
	switch {
	case b.MaxData > 0 && len(data) > b.MaxData:
		return nil, &RPCError{Code: -32600, Message: "request entity too large", HTTP: 413}
	case args.To == nil && b.NoInitcode:
		return nil, invalid("missing field to")
	case args.To == nil && len(data) > 49_152:
		return nil, &RPCError{Code: -32000, Message: "max initcode size exceeded"}
	case len(params) == 3 && b.NoOverrides:
		return nil, invalid("too many arguments, want at most 2")
	}
	if len(params) == 3 && !b.IgnoreOverrides {
		if err := strictly(params[2], &e.override); err != nil {
			n.tb.Errorf("state override %s: %v", params[2], err)
			return nil, invalid("%v", err)
		}
		if b.WipeOverridden {
			e.at = wiped(at, e.override)
		}
	}
	out, err := n.Chain.run(e)
	switch {
	case errors.Is(err, errReverted):
		return nil, &RPCError{Code: 3, Message: "execution reverted", Data: hexData(out)}
	case err != nil:
		return nil, &RPCError{Code: -32000, Message: err.Error()}
	}
	return hexData(out), nil
}

// wiped is a block in whose state the overridden contracts have no storage.
func wiped(at *block, override map[chains.Address]map[string]string) *block {
	flat := noChanges()
	for b := at; b != nil; b = b.up {
		for a, code := range b.state.code {
			if _, ok := flat.code[a]; !ok {
				flat.code[a] = code
			}
		}
		for a, slots := range b.state.storage {
			if _, gone := override[a]; gone {
				continue
			}
			for slot, word := range slots {
				if flat.storage[a] == nil {
					flat.storage[a] = map[chains.Hash]chains.Hash{}
				}
				if _, ok := flat.storage[a][slot]; !ok {
					flat.storage[a][slot] = word
				}
			}
		}
	}
	// The parents stay for their hashes alone.
	up := at.up
	if up != nil {
		bare := *up
		bare.state, bare.up = noChanges(), nil
		up = &bare
	}
	return &block{header: at.header, Block: at.Block, state: flat, up: up}
}

func (n *Node) storageAt(b Behaviour, params []json.RawMessage) (any, *RPCError) {
	var a chains.Address
	var slot chains.Hash
	if len(params) != 3 || json.Unmarshal(params[0], &a) != nil || json.Unmarshal(params[1], &slot) != nil {
		n.tb.Errorf("eth_getStorageAt with arguments %s", params)
		return nil, invalid("want address, slot and block")
	}
	at, failed := n.reference(b, params[2])
	if failed != nil {
		return nil, failed
	}
	return at.slot(a, slot).String(), nil
}

func strictly(raw json.RawMessage, into any) error {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
