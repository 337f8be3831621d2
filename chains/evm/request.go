package evm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"liqwatch/chains"
)

// packerAddress is where our program is placed by state override: an address
// that no one can have a key or a contract for.
var packerAddress = chains.Keccak([]byte("liqwatch packer")).Address()

// request is one packed eth_call.
type request struct {
	way   way
	pin   pin
	at    chains.Block
	share uint64
	calls []packedCall
	// moved replaces code for the time of the question.
	moved []chains.Override
	// probe finds out whether BLOCKHASH can be relied on, and so does not rely on it.
	probe bool
}

// packed makes one packed eth_call and checks where it ran.
func (c *Client) packed(ctx context.Context, n *node, r request) (stamp, []packedAnswer, error) {
	out, err := r.send(ctx, n)
	if err != nil {
		return stamp{}, nil, err
	}
	decode := unpackOutput
	if r.way == wayMulticall {
		decode = decodeAggregate3
	}
	s, answers, err := decode(out, len(r.calls))
	if err != nil {
		return s, nil, fmt.Errorf("eth_call by %s: %w", r.way, err)
	}
	n.ways.mu.Lock()
	odd := n.ways.oddHash || r.probe
	n.ways.mu.Unlock()
	if err := c.holds(s, r.at, odd); err != nil {
		return s, nil, fmt.Errorf("eth_call by %s: %w", r.way, err)
	}
	if r.pin == pinNumber {
		if err := c.stillCanonical(ctx, n, r.at); err != nil {
			return s, nil, err
		}
	}
	if !r.probe {
		n.ways.took(c, n, r, s)
	}
	return s, answers, nil
}

// send returns what the program returned.
func (r request) send(ctx context.Context, n *node) ([]byte, error) {
	var raw json.RawMessage
	var err error
	switch r.way {
	case wayOverride:
		raw, err = n.one(ctx, "eth_call", map[string]any{"to": packerAddress, "data": hexData(packInput(r.share, r.calls))},
			r.pin.ref(r.at), overrides(slices.Concat(r.moved, []chains.Override{{Address: packerAddress, Code: packer}})))
	case wayDeployless:
		code := append(append([]byte(nil), packerDeployless...), packInput(r.share, r.calls)...)
		raw, err = n.one(ctx, "eth_call", map[string]any{"data": hexData(code)}, r.pin.ref(r.at))
		var f *fault
		if errors.As(err, &f) && f.kind == kindRevert && len(f.data) >= stampLen {
			return f.data, nil
		}
		if err == nil {
			return nil, &fault{kind: kindUnsupported, text: "the node does not run initcode"}
		}
	case wayMulticall:
		raw, err = n.one(ctx, "eth_call", map[string]any{"to": multicall3, "data": hexData(encodeAggregate3(r.calls))}, r.pin.ref(r.at))
	case wayPlain:
		return nil, &fault{kind: kindUnsupported, text: "single calls are not packed"}
	}
	if err != nil {
		return nil, err
	}
	out, err := hexBytes(raw)
	if err == nil && len(out) == 0 {
		return nil, &fault{kind: kindUnsupported, text: "no code ran"}
	}
	return out, err
}

// overrides writes a state override set.
func overrides(list []chains.Override) map[string]any {
	set := make(map[string]any, len(list))
	for _, o := range list {
		set[o.Address.String()] = map[string]string{"code": hexData(o.Code)}
	}
	return set
}

// holds checks a stamp against the block asked for. The number is compared where
// NUMBER is known to be the block's own: on Arbitrum chains it is not.
func (c *Client) holds(s stamp, at chains.Block, oddHash bool) error {
	if id := c.pool.chainID(); s.chainID != id {
		return lie("it ran on chain %d and not %d", s.chainID, id)
	}
	if s.time != at.Time {
		return lie("it ran at time %d, block %d is of %d", s.time, at.Number, at.Time)
	}
	number, own := c.tip.evmNumber(at)
	if number != 0 && s.number != number {
		return lie("it ran at block %d and not %d", s.number, number)
	}
	if own && !oddHash && s.parent != at.Parent {
		return lie("it ran on another branch than that of block %d", at.Number)
	}
	return nil
}

// evmNumber is what NUMBER reads at a block, 0 when that cannot be told, and
// whether it is the block's own number.
func (t *tip) evmNumber(b chains.Block) (number uint64, own bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, ok := t.recent[b.Number]; ok && h.Hash == b.Hash {
		return h.evmNumber, h.evmNumber == h.Number
	}
	if t.served.evmNumber != t.served.Number {
		return 0, false
	}
	return b.Number, true
}

// stillCanonical makes sure that a read by number was a read of that block.
func (c *Client) stillCanonical(ctx context.Context, n *node, at chains.Block) error {
	h, err := c.numbered(ctx, n, at.Number)
	if err != nil {
		return err
	}
	if h.Hash != at.Hash {
		return &fault{kind: kindNotCanonical, text: fmt.Sprintf("block %d is %s there", at.Number, h.Hash)}
	}
	return nil
}
