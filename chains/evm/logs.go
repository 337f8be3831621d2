package evm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"liqwatch/chains"
)

// logWorkers is how many pieces of a long range are read at a time.
const logWorkers = 4

// Logs are those of blocks from..to.Number that match the filter, in chain order.
func (c *Client) Logs(ctx context.Context, f chains.Filter, from uint64, to chains.Block) ([]chains.Log, error) {
	if f.Empty() || from > to.Number {
		return nil, nil
	}
	logs, err := c.readLogs(ctx, f, from, to)
	if err != nil {
		return nil, fmt.Errorf("logs of %s, blocks %d to %d: %w", c.name, from, to.Number, err)
	}
	return logs, nil
}

func (c *Client) readLogs(ctx context.Context, f chains.Filter, from uint64, to chains.Block) ([]chains.Log, error) {
	if from == to.Number {
		return c.confirmed(ctx, f, from, to, func(ctx context.Context, n *node) ([]chains.Log, error) {
			return c.blockLogs(ctx, n, f, to)
		})
	}
	// The last stretch is read last and together with the header that pins the branch.
	var logs []chains.Log
	last := from
	if span := c.pool.logSpan(); to.Number-from+1 > span {
		last = to.Number - span + 1
		var err error
		if logs, err = c.scan(ctx, f, from, last-1, to.Number); err != nil {
			return nil, err
		}
	}
	tail, err := c.confirmed(ctx, f, last, to, func(ctx context.Context, n *node) ([]chains.Log, error) {
		return c.pinnedLogs(ctx, n, f, last, to)
	})
	if err != nil {
		return nil, err
	}
	chains.Progress(ctx, to.Number-from+1, to.Number-from+1)
	return append(logs, tail...), nil
}

// logSpan is the largest span any node is thought to bear.
func (p *pool) logSpan() uint64 {
	var most uint64
	for _, n := range p.nodes {
		span, _ := n.limits.now()
		most = max(most, span)
	}
	return most
}

// scan reads a long range in pieces, several at a time.
func (c *Client) scan(ctx context.Context, f chains.Filter, from, to, end uint64) ([]chains.Log, error) {
	first := from
	var pieces [][]chains.Log
	var done uint64
	for from <= to {
		// Pieces are cut anew each round: the first refusals teach how large they may be.
		span := c.pool.logSpan()
		round := make([][]chains.Log, logWorkers)
		g, gctx := errgroup.WithContext(ctx)
		for slot := 0; from <= to && slot < logWorkers; slot++ {
			a, b := from, min(to, from+span-1)
			g.Go(func() error {
				logs, err := do(gctx, c.pool, ask{block: b, slow: true}, func(ctx context.Context, n *node) ([]chains.Log, error) {
					return c.rangeLogs(ctx, n, f, a, b)
				})
				round[slot] = logs
				return err
			})
			from, done = b+1, b+1-first
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
		pieces = append(pieces, round...)
		chains.Progress(ctx, done, end-first+1)
	}
	return slices.Concat(pieces...), nil
}

// blockLogs are one block's logs, asked by hash where the node takes it.
func (c *Client) blockLogs(ctx context.Context, n *node, f chains.Filter, b chains.Block) ([]chains.Log, error) {
	if !n.ways.logsByNumber() {
		logs, err := n.getLogs(ctx, f, map[string]any{"blockHash": b.Hash.String()}, b.Number, b.Number)
		if faultKind(err) != kindUnsupported || err == nil {
			return pinned(logs, err, b)
		}
		n.ways.refuseLogsByHash()
	}
	return c.pinnedLogs(ctx, n, f, b.Number, b)
}

// pinned checks that logs of block b are of that branch.
func pinned(logs []chains.Log, err error, b chains.Block) ([]chains.Log, error) {
	if err != nil {
		return nil, err
	}
	for _, l := range logs {
		if l.Block == b.Number && l.BlockHash != b.Hash {
			return nil, lie("log of block %d is of another branch", b.Number)
		}
	}
	return logs, nil
}

// pinnedLogs reads a range and then makes sure that its last block is canonical
// on the same node, so that the range was read from the branch asked for.
func (c *Client) pinnedLogs(ctx context.Context, n *node, f chains.Filter, from uint64, to chains.Block) ([]chains.Log, error) {
	logs, err := c.rangeLogs(ctx, n, f, from, to.Number)
	if err != nil {
		return nil, err
	}
	h, err := c.numbered(ctx, n, to.Number)
	if errors.Is(err, chains.ErrNotFound) {
		return nil, &fault{kind: kindNoBlock, text: fmt.Sprintf("no block %d", to.Number)}
	}
	if err != nil {
		return nil, err
	}
	if h.Hash != to.Hash {
		return nil, &fault{kind: kindNotCanonical, text: fmt.Sprintf("block %d is %s there", to.Number, h.Hash)}
	}
	if err := c.onBranch(ctx, n, logs); err != nil {
		return nil, err
	}
	return pinned(logs, nil, to)
}

// onBranch holds logs against the headers remembered. A header that a reorg has
// overtaken since is asked for again; a log of neither is of another branch.
func (c *Client) onBranch(ctx context.Context, n *node, logs []chains.Log) error {
	for i, l := range logs {
		if i > 0 && logs[i-1].Block == l.Block {
			continue
		}
		if !c.tip.contradicts(header{Block: chains.Block{Number: l.Block, Hash: l.BlockHash}}) {
			continue
		}
		h, err := c.numbered(ctx, n, l.Block)
		if err != nil {
			return err
		}
		if h.Hash != l.BlockHash {
			return lie("log of block %d is of another branch", l.Block)
		}
		c.tip.remember(h)
	}
	return nil
}

// rangeLogs reads a range from one node in as many steps as the node wants.
func (c *Client) rangeLogs(ctx context.Context, n *node, f chains.Filter, from, to uint64) ([]chains.Log, error) {
	var out []chains.Log
	late := 0
	for at := from; at <= to; {
		span, _ := n.limits.now()
		end := min(to, at+span-1)
		began := time.Now()
		logs, err := n.getLogs(ctx, f, map[string]any{"fromBlock": hexNumber(at), "toBlock": hexNumber(end)}, at, end)
		if err != nil {
			var fl *fault
			if errors.As(err, &fl) && fl.late {
				late++ // a node that never answers must not cost a timeout for every halving
			}
			if late > 2 || given(ctx) || !n.limits.refused(end-at+1, len(f.Addresses), err) {
				return nil, err
			}
			continue
		}
		n.limits.worked(end-at+1, len(logs), time.Since(began))
		out = append(out, logs...)
		at = end + 1
	}
	return out, nil
}

// getLogs asks one node once per share of the addresses and checks every answer.
func (n *node) getLogs(ctx context.Context, f chains.Filter, where map[string]any, from, to uint64) ([]chains.Log, error) {
	var out []chains.Log
	for rest := f.Addresses; len(rest) > 0; {
		_, most := n.limits.now()
		part := chains.Filter{Addresses: rest[:min(most, len(rest))], Topics: f.Topics}
		where["address"], where["topics"] = part.Addresses, [][]chains.Hash{part.Topics}
		raw, err := n.one(ctx, "eth_getLogs", where)
		if faultKind(err) == kindAddresses && err != nil && n.limits.refused(to-from+1, len(part.Addresses), err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		logs, err := decodeLogs(raw, part, from, to)
		if err != nil {
			return nil, fmt.Errorf("eth_getLogs: %w", err)
		}
		out = append(out, logs...)
		rest = rest[len(part.Addresses):]
	}
	if len(f.Addresses) > firstAddresses || !slices.IsSortedFunc(out, compareLogs) {
		slices.SortFunc(out, compareLogs)
	}
	return out, nil
}

func compareLogs(a, b chains.Log) int {
	switch {
	case a.Block != b.Block:
		return cmpUint(a.Block, b.Block)
	default:
		return cmpUint(uint64(a.Index), uint64(b.Index))
	}
}

func cmpUint(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// wireLog is a log as nodes write it; a field left empty is missing.
type wireLog struct {
	Address   string   `json:"address"`
	Topics    []string `json:"topics"`
	Data      string   `json:"data"`
	Block     string   `json:"blockNumber"`
	BlockHash string   `json:"blockHash"`
	Tx        string   `json:"transactionHash"`
	Index     string   `json:"logIndex"`
	Removed   bool     `json:"removed"`
}

// decodeLogs reads an answer of eth_getLogs and holds it against the question.
func decodeLogs(raw json.RawMessage, f chains.Filter, from, to uint64) ([]chains.Log, error) {
	if string(raw) == "null" {
		return nil, lie("null instead of logs")
	}
	var wire []wireLog
	if err := json.Unmarshal(raw, &wire); err != nil {
		return nil, lie("logs of a shape not known: %s", clip(err.Error()))
	}
	match := matcher(f)
	out := make([]chains.Log, len(wire))
	for i := range wire {
		l, err := wire[i].decode()
		if err != nil {
			return nil, err
		}
		switch {
		case wire[i].Removed:
			return nil, lie("a removed log in block %d", l.Block)
		case l.Block < from || l.Block > to:
			return nil, lie("log of block %d, asked for %d to %d", l.Block, from, to)
		case !match(l):
			return nil, lie("log of %s that was not asked for", l.Address)
		}
		if i > 0 {
			if err := follows(out[i-1], l); err != nil {
				return nil, err
			}
		}
		out[i] = l
	}
	return out, nil
}

// follows checks order and that one height holds one block.
func follows(prev, l chains.Log) error {
	switch {
	case l.Block < prev.Block || l.Block == prev.Block && l.Index < prev.Index:
		return lie("logs out of order at block %d", l.Block)
	case l.Block == prev.Block && l.Index == prev.Index:
		return lie("log %d of block %d twice", l.Index, l.Block)
	case l.Block == prev.Block && l.BlockHash != prev.BlockHash:
		return lie("two hashes for block %d", l.Block)
	case l.Block != prev.Block && l.BlockHash == prev.BlockHash:
		return lie("one hash for blocks %d and %d", prev.Block, l.Block)
	}
	return nil
}

// matcher is Filter.Match for long lists.
func matcher(f chains.Filter) func(chains.Log) bool {
	addresses := make(map[chains.Address]bool, len(f.Addresses))
	for _, a := range f.Addresses {
		addresses[a] = true
	}
	return func(l chains.Log) bool {
		return addresses[l.Address] && len(l.Topics) > 0 && slices.Contains(f.Topics, l.Topics[0])
	}
}

func (w *wireLog) decode() (l chains.Log, err error) {
	if w.Address == "" || w.Topics == nil || w.Data == "" || w.Block == "" || w.BlockHash == "" || w.Tx == "" || w.Index == "" {
		return l, lie("log with a field missing")
	}
	if len(w.Topics) > 4 {
		return l, lie("log with %d topics", len(w.Topics))
	}
	if l.Address, err = parseAddress(w.Address); err != nil {
		return l, err
	}
	if l.Block, err = parseQuantity(w.Block); err != nil {
		return l, err
	}
	if l.BlockHash, err = parseHash(w.BlockHash); err != nil {
		return l, err
	}
	if l.Tx, err = parseHash(w.Tx); err != nil {
		return l, err
	}
	index, err := parseQuantity(w.Index)
	if err != nil {
		return l, err
	}
	l.Index = uint(index)
	l.Topics = make([]chains.Hash, len(w.Topics))
	for i, t := range w.Topics {
		if l.Topics[i], err = parseHash(t); err != nil {
			return l, err
		}
	}
	if len(w.Data) > 2 {
		l.Data, err = parseHex(w.Data)
	}
	return l, err
}
