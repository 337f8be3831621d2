package evm

import (
	"bytes"
	"context"
	"slices"

	"github.com/ethereum/go-ethereum/core/types"

	"liqwatch/chains"
)

// mayHold reports whether a block may hold a log that passes the filter, as far
// as its bloom tells. True when there is no bloom to ask.
func (h header) mayHold(f chains.Filter) bool {
	if !h.hasBloom {
		return true
	}
	var address, topic bool
	for i := 0; i < len(f.Addresses) && !address; i++ {
		address = types.BloomLookup(h.bloom, addressBytes(f.Addresses[i]))
	}
	for i := 0; i < len(f.Topics) && !topic; i++ {
		topic = types.BloomLookup(h.bloom, hashBytes(f.Topics[i]))
	}
	return address && topic
}

type addressBytes chains.Address

func (a addressBytes) Bytes() []byte { return a[:] }

type hashBytes chains.Hash

func (h hashBytes) Bytes() []byte { return h[:] }

// provenRange is the longest range whose headers are looked through for blooms.
const provenRange = 64

// emptyIsProven reports that the blooms of all blocks of a range, as remembered on
// the branch of its last one, leave no room for a log.
func (c *Client) emptyIsProven(from uint64, to chains.Block, f chains.Filter) bool {
	if to.Number-from >= provenRange {
		return false
	}
	for b := to; ; {
		h, known := c.tip.at(b)
		if !known || h.mayHold(f) {
			return false
		}
		if h.Number == from {
			return true
		}
		b = chains.Block{Number: h.Number - 1, Hash: h.Parent}
	}
}

// confirmed reads logs that end at block to. An empty answer near the tip is the
// commonest lie of nodes that lag behind their own header, so it is believed only
// when the bloom proves it, another node says the same, or, with one node, it is
// said twice.
func (c *Client) confirmed(ctx context.Context, f chains.Filter, from uint64, to chains.Block, question logQuestion) ([]chains.Log, error) {
	tell := func(ctx context.Context, n *node) (toldLogs, error) {
		logs, err := question(ctx, n)
		return toldLogs{n, logs}, err
	}
	first, err := do(ctx, c.pool, ask{block: to.Number, slow: true}, tell)
	if err != nil {
		return nil, c.branchError(ctx, to, err)
	}
	if c.cfg.Agree < 2 && (len(first.logs) > 0 || c.emptyIsProven(from, to, f)) {
		return first.logs, nil
	}
	second, err := do(ctx, c.pool, ask{block: to.Number, rounds: 1, slow: true, skip: func(n *node) bool { return n == first.node }}, tell)
	if err != nil {
		if c.cfg.Agree >= 2 {
			return nil, err
		}
		// Nobody else can be asked: the same node once more.
		if second, err = do(ctx, c.pool, ask{block: to.Number, slow: true}, tell); err != nil {
			return nil, c.branchError(ctx, to, err)
		}
	}
	if sameLogs(first.logs, second.logs) {
		return first.logs, nil
	}
	if len(first.logs) == 0 && c.cfg.Agree < 2 {
		first.node.settle(ctx, lie("no logs up to block %d where %s has %d", to.Number, second.node.label, len(second.logs)))
		return second.logs, nil
	}
	return c.settleLogs(ctx, to, []toldLogs{first, second}, question)
}

// logQuestion has one node tell the logs.
type logQuestion func(context.Context, *node) ([]chains.Log, error)

// toldLogs is what one node answered.
type toldLogs struct {
	node *node
	logs []chains.Log
}

func sameLogs(a, b []chains.Log) bool {
	return slices.EqualFunc(a, b, func(x, y chains.Log) bool {
		return x.Block == y.Block && x.BlockHash == y.BlockHash && x.Tx == y.Tx && x.Index == y.Index && x.Address == y.Address &&
			slices.Equal(x.Topics, y.Topics) && bytes.Equal(x.Data, y.Data)
	})
}

// settleLogs decides between two different answers by asking everybody: what two
// nodes say stands.
func (c *Client) settleLogs(ctx context.Context, to chains.Block, asked []toldLogs, question logQuestion) ([]chains.Log, error) {
	for {
		third, err := do(ctx, c.pool, ask{block: to.Number, rounds: 1, slow: true, skip: func(n *node) bool {
			return slices.ContainsFunc(asked, func(t toldLogs) bool { return t.node == n })
		}}, func(ctx context.Context, n *node) (toldLogs, error) {
			logs, err := question(ctx, n)
			return toldLogs{n, logs}, err
		})
		if err != nil {
			return nil, lie("nodes disagree on the logs up to block %d: %d and %d of them", to.Number, len(asked[0].logs), len(asked[1].logs))
		}
		for _, t := range asked {
			if sameLogs(t.logs, third.logs) {
				return third.logs, nil
			}
		}
		asked = append(asked, third)
	}
}
