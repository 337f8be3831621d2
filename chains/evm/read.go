package evm

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"liqwatch/chains"
)

// readWorkers is how many packs of a large read are asked for at a time.
const readWorkers = 4

// Read answers reads at a block, in their order, in as few requests as the nodes allow.
func (c *Client) Read(ctx context.Context, at chains.Block, reads []chains.Read) ([]chains.Answer, error) {
	return c.read(ctx, at, nil, reads)
}

// ReadMoved is Read with some contracts' code replaced.
func (c *Client) ReadMoved(ctx context.Context, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	return c.read(ctx, at, moved, reads)
}

func (c *Client) read(ctx context.Context, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	if err := checkReads(moved, reads); err != nil {
		return nil, fmt.Errorf("read %s: %w", c.name, err)
	}
	plan := planReads(reads)
	answers := make([]chains.Answer, len(plan.unique))
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.readAll(gctx, at, moved, plan, plan.views, answers, (*Client).viewPacks) })
	g.Go(func() error { return c.readAll(gctx, at, nil, plan, plan.slots, answers, (*Client).slotPacks) })
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("read %d values of %s at block %d: %w", len(reads), c.name, at.Number, err)
	}
	out := make([]chains.Answer, len(reads))
	for i, u := range plan.index {
		out[i] = answers[u]
	}
	return out, nil
}

func checkReads(moved []chains.Override, reads []chains.Read) error {
	replaced := make(map[chains.Address]bool, len(moved))
	for _, o := range moved {
		replaced[o.Address] = true
	}
	for _, r := range reads {
		if ofStorage(r) && replaced[r.To] || r.Program != nil && slices.ContainsFunc(r.Program.Storage, func(a chains.Address) bool { return replaced[a] }) {
			return fmt.Errorf("storage of %s while its code is replaced", r.To)
		}
	}
	if !chains.AnyLinked(reads) {
		return nil
	}
	return chains.CheckLinks(reads)
}

// ofStorage tells what the slot reader answers from a view.
func ofStorage(r chains.Read) bool { return r.IsSlot() || r.Program != nil }

// plan is a read without repetitions, views and slots apart: a contract whose
// code is replaced by the slot reader cannot answer views in the same request.
type plan struct {
	unique       []chains.Read
	first        []int // of each unique read, where it was asked first
	index        []int // of each read asked for, in unique
	views, slots []int // positions in unique
	linked       bool
}

func planReads(reads []chains.Read) *plan {
	p := &plan{index: make([]int, len(reads))}
	type key struct {
		to   chains.Address
		slot chains.Hash
		data string
		view bool
	}
	seen := make(map[key]int, len(reads))
	view := make([]int, len(reads)) // of each read, in views
	for i, r := range reads {
		k := key{to: r.To}
		if r.IsSlot() {
			k.slot = r.Slot
		} else {
			k.data, k.view = string(r.Data), true
		}
		u, ok := seen[k]
		if len(r.Links) > 0 {
			// What it asks is not known yet: it is asked for itself, with its links in views.
			r.Links, ok, p.linked = slices.Clone(r.Links), false, true
			for l := range r.Links {
				r.Links[l].Back = len(p.views) - view[i-r.Links[l].Back]
			}
		}
		if ok {
			p.index[i], view[i] = u, view[p.first[u]]
			continue
		}
		u = len(p.unique)
		if len(r.Links) == 0 {
			seen[k] = u
		}
		p.unique, p.first, p.index[i] = append(p.unique, r), append(p.first, i), u
		if ofStorage(r) {
			p.slots = append(p.slots, u)
		} else {
			view[i] = len(p.views)
			p.views = append(p.views, u)
		}
	}
	// Slots of one contract lie together, so that few contracts need the slot reader.
	slices.SortStableFunc(p.slots, func(a, b int) int { return bytes.Compare(p.unique[a].To[:], p.unique[b].To[:]) })
	return p
}

// packs answers reads from one node in as many requests as it wants.
type packs func(c *Client, ctx context.Context, n *node, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error)

// readAll has the reads at the given positions answered, several chunks at a time.
func (c *Client) readAll(ctx context.Context, at chains.Block, moved []chains.Override, p *plan, positions []int, answers []chains.Answer, ask packs) error {
	for len(positions) > 0 {
		chunk := func(rest []int) int { return c.pool.chunk(p, rest) }
		g, gctx := errgroup.WithContext(ctx)
		for w := 0; w < readWorkers && len(positions) > 0; w++ {
			part := positions[:chunk(positions)]
			positions = positions[len(part):]
			g.Go(func() error {
				reads := make([]chains.Read, len(part))
				for i, u := range part {
					reads[i] = p.unique[u]
				}
				got, err := c.agreed(gctx, at, moved, reads, ask)
				if err != nil {
					return err
				}
				for i, u := range part {
					answers[u] = got[i]
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// chunk is how many of the reads are given to one node at a time: what the best node
// takes in one request. Views that take words from each other stay together.
func (p *pool) chunk(plan *plan, rest []int) int {
	if ofStorage(plan.unique[rest[0]]) {
		return p.storageChunk(plan, rest)
	}
	if plan.linked {
		return len(rest)
	}
	most := 0
	for _, n := range p.nodes {
		n.ways.mu.Lock()
		most = max(most, n.ways.views)
		n.ways.mu.Unlock()
	}
	return min(len(rest), cmp.Or(most, firstViews))
}

func (p *pool) storageChunk(plan *plan, rest []int) int {
	most := 0
	for _, n := range p.nodes {
		most = max(most, n.ways.slotCount())
	}
	slots, size := 0, 0
	for i, u := range rest {
		slots += weight(plan.unique[u])
		size += inputSize(plan.unique[u])
		if i > 0 && (slots > most || size > maxPackBytes) {
			return i
		}
	}
	return len(rest)
}

// agreed asks one node, or as many as have to say the same.
func (c *Client) agreed(ctx context.Context, at chains.Block, moved []chains.Override, reads []chains.Read, ask packs) ([]chains.Answer, error) {
	asked := map[*node]bool{}
	skip := func(n *node) bool {
		w, known := n.ways.known()
		needsOverride := len(moved) > 0 || ofStorage(reads[0])
		return asked[n] || needsOverride && known && w != wayOverride
	}
	once := func(rounds int) (told, error) {
		return do(ctx, c.pool, askOf(at, rounds, skip), func(ctx context.Context, n *node) (told, error) {
			answers, err := ask(c, ctx, n, at, moved, reads)
			return told{n, answers}, err
		})
	}
	first, err := once(0)
	if err != nil {
		return nil, c.branchError(ctx, at, c.overrideError(moved, reads, err))
	}
	if c.cfg.Agree < 2 {
		return first.answers, nil
	}
	all := []told{first}
	for {
		asked[all[len(all)-1].node] = true
		next, err := once(1)
		if err != nil {
			return nil, fmt.Errorf("have a second node agree: %w", err)
		}
		for _, t := range all {
			if sameAnswers(t.answers, next.answers) {
				return next.answers, nil
			}
		}
		all = append(all, next)
	}
}

// told is what one node answered.
type told struct {
	node    *node
	answers []chains.Answer
}

func askOf(at chains.Block, rounds int, skip func(*node) bool) ask {
	return ask{rounds: rounds, block: at.Number, skip: skip}
}

func sameAnswers(a, b []chains.Answer) bool {
	return slices.EqualFunc(a, b, func(x, y chains.Answer) bool {
		return x.Failed == y.Failed && bytes.Equal(x.Data, y.Data)
	})
}

// overrideError says what a missing state override means to the one who asked.
func (c *Client) overrideError(moved []chains.Override, reads []chains.Read, err error) error {
	if len(moved) == 0 && !ofStorage(reads[0]) {
		return err
	}
	for _, n := range c.pool.nodes {
		if w, known := n.ways.known(); !known || w == wayOverride {
			return err
		}
	}
	return fmt.Errorf("%w: add an endpoint of a node that does (geth, erigon, nethermind, reth and besu do)", chains.ErrNoOverrides)
}

// branchError turns "no node knows this block" into what it means: a reorg, when
// another block stands at its height.
func (c *Client) branchError(ctx context.Context, b chains.Block, err error) error {
	if faultKind(err) != kindNoBlock && !errors.Is(err, chains.ErrReorged) {
		return err
	}
	now, errNow := c.Block(ctx, b.Number)
	if errNow == nil && now.Hash != b.Hash {
		return fmt.Errorf("%w: block %d is now %s and was %s", chains.ErrReorged, b.Number, now.Hash, b.Hash)
	}
	if errNow == nil || !errors.Is(err, chains.ErrReorged) {
		return err
	}
	return fmt.Errorf("%w (%w)", err, errNow)
}
