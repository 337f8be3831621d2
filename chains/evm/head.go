package evm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"liqwatch/chains"
)

const (
	// headGrace is how long other nodes may take once one has told its head.
	headGrace = 300 * time.Millisecond
	// headTimeout is how long a node may take to tell its head before that counts against it.
	headTimeout = 5 * time.Second
	// suspectLead is how far ahead of all others a head may be before it is checked.
	suspectLead = 32
)

// candidate is one node's newest block.
type candidate struct {
	node *node
	header
}

// header asks one node for a block: "latest", "finalized" or a hex number.
func (c *Client) header(ctx context.Context, n *node, tag string) (header, error) {
	raw, err := n.one(ctx, "eth_getBlockByNumber", tag, false)
	if err != nil {
		return header{}, err
	}
	h, err := decodeHeader(raw)
	warn, err := c.tip.admit(h, err)
	if warn {
		c.log.Warn().Str("node", n.label).Msg("the hashes of this chain's headers cannot be computed here; only numbers and parent links are checked")
	}
	if err != nil {
		return header{}, fmt.Errorf("block %s: %w", tag, err)
	}
	return h, nil
}

// numbered asks one node for the block of that number.
func (c *Client) numbered(ctx context.Context, n *node, number uint64) (header, error) {
	h, err := c.header(ctx, n, hexNumber(number))
	if err != nil {
		return h, err
	}
	if h.Number != number {
		return h, lie("asked for block %d, got block %d", number, h.Number)
	}
	return h, nil
}

// Head is the newest block that a node tells of. It never goes backward unless
// the nodes have really left the branch of the last one.
func (c *Client) Head(ctx context.Context) (chains.Block, error) {
	for round := 0; ; round++ {
		found, err := c.pollHeads(ctx)
		if err == nil {
			var h header
			if h, err = c.chooseHead(ctx, found); err == nil {
				return h.Block, nil
			}
		}
		if round == 2 || given(ctx) || errors.Is(err, chains.ErrWrongChain) {
			return chains.Block{}, fmt.Errorf("head of %s: %w", c.name, err)
		}
		if ended := sleep(ctx, c.pool.pauseBefore(round+1, ask{})); ended != nil {
			return chains.Block{}, fmt.Errorf("head of %s: %w", c.name, ended)
		}
	}
}

// pollHeads asks all nodes that are not resting, and does not wait long for the
// slow ones once one has answered.
func (c *Client) pollHeads(ctx context.Context) ([]candidate, error) {
	nodes := c.pool.toPoll()
	type outcome struct {
		candidate
		err error
	}
	outcomes := make(chan outcome, len(nodes))
	for _, n := range nodes {
		go func() {
			// A late answer still tells of the node's health, so it outlives the caller.
			own, cancel := context.WithTimeout(c.life, min(n.timeout, headTimeout))
			defer cancel()
			h, err := c.latest(own, n)
			n.settle(c.life, err)
			outcomes <- outcome{candidate{n, h}, err}
		}()
	}
	var found []candidate
	var failed []nodeFailure
	var grace <-chan time.Time
	for range nodes {
		select {
		case o := <-outcomes:
			if o.err != nil {
				failed = append(failed, nodeFailure{o.node, o.err})
				continue
			}
			found = append(found, o.candidate)
			if grace == nil {
				grace = time.After(headGrace)
			}
		case <-grace:
			return found, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if len(found) == 0 {
		return nil, c.pool.giveUp(ctx, failed)
	}
	return found, nil
}

func (c *Client) latest(ctx context.Context, n *node) (header, error) {
	if err := c.pool.verify(ctx, n); err != nil {
		return header{}, err
	}
	h, err := c.header(ctx, n, "latest")
	if errors.Is(err, chains.ErrNotFound) {
		return h, lie("no latest block")
	}
	if err == nil {
		n.saw(h.Number)
	}
	return h, err
}

// toPoll is the nodes whose head is worth asking: all but those resting, unless all rest.
func (p *pool) toPoll() []*node {
	now := time.Now()
	var out []*node
	for _, n := range p.nodes {
		n.mu.Lock()
		if n.health.probe(now) {
			out = append(out, n)
		}
		n.mu.Unlock()
	}
	if len(out) == 0 {
		out = p.order(ask{})
	}
	return out
}

// chooseHead picks from what the nodes told and remembers it.
func (c *Client) chooseHead(ctx context.Context, found []candidate) (header, error) {
	slices.SortStableFunc(found, func(a, b candidate) int {
		switch {
		case a.Number > b.Number:
			return -1
		case a.Number < b.Number:
			return 1
		}
		return 0
	})
	found = c.dropFarAhead(ctx, found)
	served := c.tip.head()
	if served.Hash == (chains.Hash{}) {
		c.tip.serve(found[0].header)
		return found[0].header, nil
	}
	for _, f := range found {
		if f.Hash == served.Hash && found[0].Number <= served.Number {
			return served, nil // a sibling elsewhere does not count while one node stays
		}
	}
	for _, best := range found {
		moved := best.Number > served.Number || best.Number == served.Number && len(found) == 1
		if !moved {
			left, err := c.leftBranch(ctx, best, served)
			if err != nil {
				return header{}, err
			}
			moved = left
		}
		if !moved {
			return served, nil // lagging or syncing nodes: what was known stays known
		}
		if err := c.keepsFinal(ctx, best, served); err == nil {
			c.tip.serve(best.header)
			return best.header, nil
		} else if best.node.settle(ctx, err); best.node == found[len(found)-1].node {
			return header{}, fmt.Errorf("%s: %w", best.node.label, err)
		}
	}
	return served, nil
}

// keepsFinal makes sure that a head that is not built on the served one still has
// the finalized block below it. A node that has not is on a chain of its own.
func (c *Client) keepsFinal(ctx context.Context, best candidate, served header) error {
	final := c.tip.final()
	if final.Hash == (chains.Hash{}) || best.Number == served.Number+1 && best.Parent == served.Hash {
		return nil
	}
	if best.Number > served.Number {
		if h, err := c.numbered(ctx, best.node, served.Number); err == nil && h.Hash == served.Hash {
			return nil
		}
	}
	h, err := c.numbered(ctx, best.node, final.Number)
	if err != nil && !errors.Is(err, chains.ErrNotFound) {
		return err
	}
	if err != nil || h.Hash != final.Hash {
		return &fault{kind: kindFinality, text: fmt.Sprintf("block %d was final and is not part of its chain", final.Number)}
	}
	return nil
}

// leftBranch reports whether a head at or below the served one proves a reorg: the
// node's chain contradicts what was remembered, and the node does not have the
// served block either. A head that is merely old proves nothing.
func (c *Client) leftBranch(ctx context.Context, best candidate, served header) (bool, error) {
	if !c.tip.contradicts(best.header) {
		known, ok := c.tip.below(best.Number)
		if !ok {
			return false, nil
		}
		h, err := c.numbered(ctx, best.node, known.Number)
		if err != nil || h.Hash == known.Hash {
			return false, err
		}
	}
	h, err := c.numbered(ctx, best.node, served.Number)
	switch {
	case err == nil:
		return h.Hash != served.Hash, nil
	case errors.Is(err, chains.ErrNotFound) || faultKind(err) == kindNoBlock:
		return true, nil
	}
	return false, err
}

// dropFarAhead leaves out a head far above all others unless its node shows the
// block below it and shares the others' chain.
func (c *Client) dropFarAhead(ctx context.Context, found []candidate) []candidate {
	for len(found) > 1 && found[0].Number > found[1].Number+suspectLead {
		top, next := found[0], found[1]
		below, errBelow := c.numbered(ctx, top.node, top.Number-1)
		shared, errShared := c.numbered(ctx, top.node, next.Number)
		if errBelow == nil && errShared == nil && below.Hash == top.Parent && shared.Hash == next.Hash {
			break
		}
		top.node.settle(ctx, lie("head %d is far above all others and not linked to them", top.Number))
		found = found[1:]
	}
	return found
}

// Block is the canonical block of that number.
func (c *Client) Block(ctx context.Context, number uint64) (chains.Block, error) {
	h, err := do(ctx, c.pool, ask{block: number}, func(ctx context.Context, n *node) (header, error) {
		h, err := c.numbered(ctx, n, number)
		if errors.Is(err, chains.ErrNotFound) && number <= c.tip.head().Number {
			// Others have it: this node lags.
			return h, &fault{kind: kindNoBlock, text: fmt.Sprintf("no block %d", number)}
		}
		return h, err
	})
	if err != nil {
		return chains.Block{}, fmt.Errorf("block %d of %s: %w", number, c.name, err)
	}
	c.tip.remember(h)
	return h.Block, nil
}

// Finalized is the newest block that can no longer be undone: the nodes' own
// word where they have one, a number of blocks below the head elsewhere.
func (c *Client) Finalized(ctx context.Context) (chains.Block, error) {
	head := c.tip.head()
	if head.Hash == (chains.Hash{}) {
		if _, err := c.Head(ctx); err != nil {
			return chains.Block{}, fmt.Errorf("finalized block of %s: %w", c.name, err)
		}
		head = c.tip.head()
	}
	h, err := do(ctx, c.pool, ask{block: head.Number}, func(ctx context.Context, n *node) (header, error) {
		h, err := c.header(ctx, n, "finalized")
		k := faultKind(err)
		if errors.Is(err, chains.ErrNotFound) || err != nil && (k == kindUnsupported || k == kindNoBlock) {
			depth := min(c.cfg.FinalityDepth, head.Number)
			return c.numbered(ctx, n, head.Number-depth)
		}
		if err == nil && h.Number > head.Number+suspectLead {
			return h, lie("finalized block %d is above the head %d", h.Number, head.Number)
		}
		return h, err
	})
	if err != nil {
		return chains.Block{}, fmt.Errorf("finalized block of %s: %w", c.name, err)
	}
	return c.tip.finalize(h.Block)
}
