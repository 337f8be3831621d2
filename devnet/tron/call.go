package tron

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

// callArguments are the keys of eth_call. Any other makes older versions refuse.
var callArguments = map[string]bool{"from": true, "to": true, "value": true, "data": true}

// call runs a view on the latest block, whatever was asked for.
func (n *Node) call(ctx context.Context, params []json.RawMessage) (any, error) {
	if len(params) != 2 {
		return nil, fail(-32602, "method parameters invalid")
	}
	to, data, err := n.callArguments(params[0])
	if err != nil {
		return nil, err
	}
	if err := n.stateTag(ctx, params[1]); err != nil {
		return nil, err
	}
	if err := n.isContract(ctx, to); err != nil {
		return nil, err
	}
	head, err := n.head(ctx)
	if err != nil {
		return nil, err
	}
	if n.hiccup() {
		return nil, timeout("DUP1")
	}
	out, err := n.execute(ctx, to, data, head)
	n.moved(ctx)
	return out, err
}

func (n *Node) callArguments(raw json.RawMessage) (to chains.Address, data []byte, err error) {
	var args map[string]string
	if err := json.Unmarshal(raw, &args); err != nil {
		return to, nil, fail(-32602, "method parameters invalid")
	}
	for key := range args {
		known := callArguments[key] || n.dialect.Version == V482
		if !known {
			return to, nil, fail(-32602, "method parameters invalid")
		}
	}
	if to, err = evmAddress(args["to"]); err != nil {
		return to, nil, err
	}
	body := args["data"]
	if body == "" && n.dialect.Version == V482 {
		body = args["input"]
	}
	data, err = hex.DecodeString(strings.TrimPrefix(body, "0x"))
	if err != nil {
		return to, nil, fail(-32602, "invalid param value: invalid hex number")
	}
	return to, data, nil
}

// evmAddress reads 20 bytes, or 21 that begin with 41; base58 is refused.
func evmAddress(s string) (chains.Address, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err == nil && len(raw) == 21 && raw[0] == 0x41 {
		raw = raw[1:]
	}
	if err != nil || len(raw) != 20 {
		return chains.Address{}, fail(-32602, "invalid address hash value")
	}
	return chains.Address(raw), nil
}

// stateTag is the block parameter of methods that read state: latest, or an object
// whose block must exist and is then ignored.
func (n *Node) stateTag(ctx context.Context, raw json.RawMessage) error {
	var object struct {
		BlockNumber *string `json:"blockNumber"`
		BlockHash   *string `json:"blockHash"`
	}
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "{") {
		if json.Unmarshal(raw, &object) != nil || object.BlockNumber == nil && object.BlockHash == nil {
			return fail(-32600, "invalid json request")
		}
		return n.exists(ctx, object.BlockNumber, object.BlockHash)
	}
	var tag string
	if json.Unmarshal(raw, &tag) != nil {
		return fail(-32600, "invalid json request")
	}
	switch tag {
	case "latest":
		return nil
	case "safe":
		if n.dialect.Version != V482 {
			return fail(-32602, "invalid block number")
		}
		fallthrough
	case "earliest", "pending", "finalized":
		if n.dialect.Version == V482 {
			return fail(-32602, "TAG [earliest | pending | finalized | safe] not supported")
		}
		return fail(-32602, "TAG [earliest | pending | finalized] not supported")
	}
	if _, ok := quantity(tag); ok {
		return fail(-32602, "QUANTITY not supported, just support TAG as latest")
	}
	return fail(-32602, "invalid block number")
}

func (n *Node) exists(ctx context.Context, number, hash *string) error {
	if number != nil {
		x, ok := quantity(*number)
		if !ok {
			return fail(-32602, "invalid block number")
		}
		head, err := n.head(ctx)
		if err != nil {
			return err
		}
		if x > head {
			return fail(-32000, "header not found")
		}
		return nil
	}
	b, err := n.byID(ctx, *hash)
	if err != nil {
		return err
	}
	if b == nil {
		return fail(-32000, "header for hash not found")
	}
	return nil
}

func (n *Node) isContract(ctx context.Context, to chains.Address) error {
	key := to.String()
	n.mu.Lock()
	known := n.codes[key]
	n.mu.Unlock()
	if known {
		return nil
	}
	var code hexutil.Bytes
	if err := n.evm.Call(ctx, &code, "eth_getCode", to, "latest"); err != nil {
		return err
	}
	if len(code) == 0 {
		return fail(-32600, "Smart contract is not exist.")
	}
	n.mu.Lock()
	n.codes[key] = true
	n.mu.Unlock()
	return nil
}

func timeout(opcode string) error {
	return fail(-32000, "CPU timeout for '"+opcode+"' operation executing")
}

// execute runs the call twice, with and without the budget. A budget that runs out
// inside an inner call makes the two differ, which is what must not look like an
// inner call that failed.
func (n *Node) execute(ctx context.Context, to chains.Address, data []byte, head uint64) (any, error) {
	args := map[string]any{"to": to, "data": hexutil.Bytes(data)}
	var free, held hexutil.Bytes
	runs := []anvil.Request{{Method: "eth_call", Params: []any{args, hexutil.Uint64(head)}, Result: &free}}
	if n.dialect.CPUGas > 0 {
		capped := map[string]any{"to": to, "data": hexutil.Bytes(data), "gas": hexutil.Uint64(n.dialect.CPUGas)}
		runs = append(runs, anvil.Request{Method: "eth_call", Params: []any{capped, hexutil.Uint64(head)}, Result: &held})
	}
	if err := n.evm.Batch(ctx, runs); err != nil {
		return nil, err
	}
	if runs[0].Err != nil {
		return nil, n.reverted(runs[0].Err)
	}
	if len(runs) > 1 && (runs[1].Err != nil || string(free) != string(held)) {
		return nil, timeout("SLOAD")
	}
	return free.String(), nil
}

// reverted is a revert in TRON's words; older versions keep its data to themselves.
func (n *Node) reverted(err error) error {
	var e *anvil.RPCError
	if !errors.As(err, &e) || e.Code != 3 {
		return err
	}
	out := fail(-32000, "REVERT opcode executed")
	raw, _ := hexutil.Decode(text(e.Data))
	if reason, err := abi.UnpackRevert(raw); err == nil {
		out.message += ": " + reason
	}
	if n.dialect.Version != V480 {
		out.data = hex.EncodeToString(raw)
	}
	return out
}

func (n *Node) balance(ctx context.Context, params []json.RawMessage) (any, error) {
	return n.stateOf(ctx, "eth_getBalance", params, 1)
}

func (n *Node) code(ctx context.Context, params []json.RawMessage) (any, error) {
	return n.stateOf(ctx, "eth_getCode", params, 1)
}

func (n *Node) storage(ctx context.Context, params []json.RawMessage) (any, error) {
	return n.stateOf(ctx, "eth_getStorageAt", params, 2)
}

// stateOf passes a state method on: an address, perhaps a slot, and the tag.
func (n *Node) stateOf(ctx context.Context, method string, params []json.RawMessage, tag int) (any, error) {
	if len(params) != tag+1 {
		return nil, fail(-32602, "method parameters invalid")
	}
	a, err := evmAddress(text(params[0]))
	if err != nil {
		return nil, err
	}
	if err := n.stateTag(ctx, params[tag]); err != nil {
		return nil, err
	}
	head, err := n.head(ctx)
	if err != nil {
		return nil, err
	}
	args := []any{a}
	if tag == 2 {
		args = append(args, text(params[1]))
	}
	var out string
	err = n.evm.Call(ctx, &out, method, append(args, hexutil.Uint64(head))...)
	return out, err
}
