package evm

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"liqwatch/chains"
)

// viewPacks answers view calls from one node.
func (c *Client) viewPacks(ctx context.Context, n *node, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	var out []chains.Answer
	err := c.byWay(ctx, n, at, func(w way) (err error) {
		switch {
		case len(moved) > 0 && w != wayOverride:
			err = &fault{kind: kindUnsupported, text: "state overrides are refused"}
		case chains.AnyLinked(reads):
			out, err = c.linkedPacks(ctx, n, w, at, moved, reads)
		default:
			out, err = c.unlinkedPacks(ctx, n, w, at, moved, reads)
		}
		return err
	})
	return out, err
}

func (c *Client) unlinkedPacks(ctx context.Context, n *node, w way, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	out := make([]chains.Answer, 0, len(reads))
	for len(out) < len(reads) {
		rest := reads[len(out):]
		if w == wayPlain {
			rest = rest[:min(len(rest), n.pace.batch(n.ways.batchSize()))]
			answers, err := c.plain(ctx, n, at, nil, rest)
			if tooMuch(err) && n.ways.halveBatch(len(rest)) {
				continue
			}
			if err != nil {
				return nil, err
			}
			out = append(out, answers...)
			continue
		}
		answers, err := c.viewPack(ctx, n, w, at, moved, n.ways.fitViews(rest))
		if err != nil {
			return nil, err
		}
		out = append(out, answers...)
	}
	return out, nil
}

// viewPack answers the first of the reads, at least one, in one request if it can.
func (c *Client) viewPack(ctx context.Context, n *node, w way, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	calls := make([]packedCall, len(reads))
	for i, r := range reads {
		calls[i] = packedCall{to: r.To, data: r.Data}
	}
	p, share := n.ways.pinned()
	s, packed, err := c.packed(ctx, n, request{way: w, pin: p, at: at, share: share, calls: calls, moved: moved})
	if tooMuch(err) {
		if n.ways.trying() {
			return nil, err
		}
		if len(reads) > 1 {
			n.ways.halveViews(len(reads))
			return c.viewPack(ctx, n, w, at, moved, reads[:len(reads)/2])
		}
		return c.plain(ctx, n, at, moved, reads)
	}
	if err != nil {
		if late(err) {
			n.ways.halveViews(len(reads)) // the next attempt, here or elsewhere, asks for less
		}
		return nil, err
	}
	if len(packed) == 0 { // not even one share of gas
		return c.plain(ctx, n, at, moved, reads[:1])
	}
	n.ways.learnViews(s, len(packed), share)
	out := make([]chains.Answer, len(packed))
	for i, a := range packed {
		out[i] = chains.Answer{Data: a.data, Failed: a.failed}
		if a.heavy {
			alone, err := c.plain(ctx, n, at, moved, reads[i:i+1])
			if err != nil {
				return nil, err
			}
			out[i] = alone[0]
		}
	}
	return out, nil
}

// tooMuch reports that a request was too large for the node in any respect.
func tooMuch(err error) bool {
	if err == nil {
		return false
	}
	switch faultKind(err) {
	case kindGas, kindTooLarge, kindRevert, kindResults:
		return true
	case kindTransient:
		var f *fault
		return errors.As(err, &f) && f.answered
	default:
		return false
	}
}

// late reports that a node did not answer in time.
func late(err error) bool {
	var f *fault
	return errors.As(err, &f) && f.late
}

// plain makes an eth_call each, as one JSON-RPC batch.
func (c *Client) plain(ctx context.Context, n *node, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	p, _ := n.ways.pinned()
	calls := make([]call, len(reads))
	for i, r := range reads {
		params := []any{map[string]any{"to": r.To, "data": hexData(r.Data)}, p.ref(at)}
		if len(moved) > 0 {
			params = append(params, overrides(moved))
		}
		calls[i] = call{"eth_call", params}
	}
	replies, err := n.ask(ctx, calls...)
	if err != nil {
		return nil, fmt.Errorf("eth_call: %w", err)
	}
	if len(replies) != len(reads) {
		return nil, lie("%d replies to %d calls", len(replies), len(reads))
	}
	out := make([]chains.Answer, len(reads))
	for i := range reads {
		if out[i], err = plainAnswer(replies[i]); err != nil {
			return nil, fmt.Errorf("eth_call of %s: %w", reads[i].To, err)
		}
	}
	if p == pinNumber {
		if err := c.stillCanonical(ctx, n, at); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// plainAnswer tells a call that failed from a node that did.
func plainAnswer(r reply) (chains.Answer, error) {
	if r.err == nil {
		data, err := hexBytes(r.result)
		return chains.Answer{Data: data}, err
	}
	var f *fault
	if errors.As(r.err, &f) && (f.kind == kindRevert || f.kind == kindGas) {
		return chains.Answer{Data: f.data, Failed: true}, nil
	}
	return chains.Answer{}, r.err
}

func (w *ways) pinned() (p pin, share uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	share = firstShare
	if w.gas > 0 {
		// Where calls get little gas, at least four full shares must fit.
		share = min(share, w.gas/5)
	}
	return w.pin, share
}

// fitViews is as many of the reads as one request may hold.
func (w *ways) fitViews(reads []chains.Read) []chains.Read {
	w.mu.Lock()
	defer w.mu.Unlock()
	most, packed, size := cmp.Or(w.views, firstViews), cmp.Or(w.packed, maxPackBytes), 0
	if chains.AnyLinked(reads) {
		// Most reads that wait for others are never made: gas ends such a pack, not their number.
		most = cmp.Or(w.most, mostViews)
	}
	for i, r := range reads[:min(len(reads), most)] {
		if size += callHead + len(r.Data) + linkLen*len(r.Links); size > packed && i > 0 {
			return reads[:i]
		}
	}
	return reads[:min(len(reads), most)]
}

// packGas bounds what one pack of views may use, so that it ends well before any
// timeout on nodes that would give it more.
const packGas = 100_000_000

// learnViews takes from a pack's gas how many reads the next should hold.
func (w *ways) learnViews(s stamp, answered int, share uint64) {
	if s.gasStart <= s.gasEnd || answered == 0 {
		return // Multicall3 does not tell its gas
	}
	budget := min(s.gasStart, packGas)
	budget -= min(budget, share+share/16)
	each := (s.gasStart-s.gasEnd)/uint64(answered) + 1
	w.mu.Lock()
	defer w.mu.Unlock()
	w.views = max(1, min(int(budget/each*9/10), w.most))
}

func (w *ways) halveViews(asked int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.most = max(1, min(w.most, asked/2))
	w.views = min(w.views, w.most)
}

func (w *ways) batchSize() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.batch
}

// halveBatch reports false when the batch was of one already.
func (w *ways) halveBatch(asked int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.batch = max(1, min(w.batch, asked/2))
	return asked > 1
}
