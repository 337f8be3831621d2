package tron

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"liqwatch/chains"
)

// rpcBlock is all that is used of a block: most members have a shape of TRON's own.
type rpcBlock struct {
	Number     string      `json:"number"`
	Hash       chains.Hash `json:"hash"`
	ParentHash chains.Hash `json:"parentHash"`
	Timestamp  string      `json:"timestamp"` // seconds
}

func parseQuantity(s string) (uint64, error) {
	if body, ok := strings.CutPrefix(s, "0x"); ok {
		return strconv.ParseUint(body, 16, 64)
	}
	return strconv.ParseUint(s, 10, 64)
}

func quantity(x uint64) string { return "0x" + strconv.FormatUint(x, 16) }

// block checks what can be checked of a block alone: its id begins with its height.
func (b *rpcBlock) block() (chains.Block, error) {
	number, err := parseQuantity(b.Number)
	if err != nil {
		return chains.Block{}, fmt.Errorf("block number %q: %w", b.Number, err)
	}
	time, err := parseQuantity(b.Timestamp)
	if err != nil {
		return chains.Block{}, fmt.Errorf("block timestamp %q: %w", b.Timestamp, err)
	}
	if binary.BigEndian.Uint64(b.Hash[:8]) != number {
		return chains.Block{}, fmt.Errorf("block %d has the id %s, which is of another height", number, b.Hash)
	}
	if number > 0 && binary.BigEndian.Uint64(b.ParentHash[:8]) != number-1 {
		return chains.Block{}, fmt.Errorf("block %d names %s as its parent, which is of another height", number, b.ParentHash)
	}
	return chains.Block{Number: number, Hash: b.Hash, Parent: b.ParentHash, Time: time}, nil
}

// fetch asks for a block by number or tag; found is false for null.
func (c *Client) fetch(ctx context.Context, tag string) (b chains.Block, found bool, err error) {
	var raw *rpcBlock
	err = c.askUntil(ctx, "eth_getBlockByNumber", []any{tag, false}, &raw, func() error {
		if raw == nil {
			return nil
		}
		var err error
		b, err = raw.block()
		if want, parseErr := parseQuantity(tag); err == nil && parseErr == nil && b.Number != want {
			err = fmt.Errorf("asked for block %d, answered with %d", want, b.Number)
		}
		return err
	})
	return b, raw != nil, err
}

// remember keeps a block, and forgets what it contradicts.
func (c *Client) remember(b chains.Block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.blocks[b.Number-1]; ok && old.Hash != b.Parent {
		delete(c.blocks, b.Number-1)
	}
	if old, ok := c.blocks[b.Number]; ok && old.Hash != b.Hash {
		for n := b.Number + 1; n <= c.tip.Number; n++ {
			delete(c.blocks, n)
		}
	}
	c.blocks[b.Number] = b
	if b.Number > remembered {
		for n := range c.blocks {
			if n < b.Number-remembered {
				delete(c.blocks, n)
			}
		}
	}
}

// staleTries is how often an older answer is asked again before it is said aloud.
const staleTries = 6

// Head is the newest block. A node that answers with an older one than was seen
// before, as a balancer in front of several does, is asked again; the head goes
// back only when the block seen before is no longer part of the chain.
func (c *Client) Head(ctx context.Context) (chains.Block, error) {
	c.mu.Lock()
	tip := c.tip
	c.mu.Unlock()
	for try := 0; ; try++ {
		b, found, err := c.fetch(ctx, "latest")
		if err != nil {
			return chains.Block{}, fmt.Errorf("chain %s: ask for the head: %w", c.cfg.Name, err)
		}
		if !found {
			return chains.Block{}, fmt.Errorf("chain %s: ask for the head: no block: %w", c.cfg.Name, chains.ErrUnreachable)
		}
		if b.Number >= tip.Number {
			return c.raise(b), nil
		}
		again, found, err := c.fetch(ctx, quantity(tip.Number))
		switch {
		case err != nil:
			return chains.Block{}, fmt.Errorf("chain %s: ask for block %d: %w", c.cfg.Name, tip.Number, err)
		case found && again.Hash == tip.Hash:
			return tip, nil
		case found:
			return c.raise(again), nil
		case try >= staleTries:
			c.log.Warn().Uint64("seen", tip.Number).Uint64("offered", b.Number).Msg("the node keeps answering with an older head")
			return c.lowered(ctx, tip, b)
		}
	}
}

// raise makes a block the head.
func (c *Client) raise(b chains.Block) chains.Block {
	c.remember(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tip = b
	return b
}

// lowered decides about a head that stayed behind: where the block offered is on
// the way to the one seen before, the node is behind and what was seen stands.
func (c *Client) lowered(ctx context.Context, tip, offered chains.Block) (chains.Block, error) {
	c.mu.Lock()
	seen, known := c.blocks[offered.Number]
	c.mu.Unlock()
	if !known || seen.Hash == offered.Hash {
		return tip, ctx.Err()
	}
	return c.raise(offered), nil
}

// Finalized is the newest solidified block: two thirds of the producers built on it.
func (c *Client) Finalized(ctx context.Context) (chains.Block, error) {
	b, found, err := c.fetch(ctx, "finalized")
	if err != nil {
		return chains.Block{}, fmt.Errorf("chain %s: ask for the finalized block: %w", c.cfg.Name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if found && b.Number > c.final.Number {
		c.final = b
	}
	return c.final, nil
}

// Block is the block of that number as the chain has it now.
func (c *Client) Block(ctx context.Context, number uint64) (chains.Block, error) {
	c.mu.Lock()
	tip := c.tip
	c.mu.Unlock()
	for try := 0; ; try++ {
		b, found, err := c.fetch(ctx, quantity(number))
		switch {
		case err != nil:
			return chains.Block{}, fmt.Errorf("chain %s: ask for block %d: %w", c.cfg.Name, number, err)
		case found:
			c.remember(b)
			return b, nil
		case number > tip.Number || try >= staleTries:
			return chains.Block{}, fmt.Errorf("chain %s: block %d: %w", c.cfg.Name, number, chains.ErrNotFound)
		}
	}
}

// canonical reports whether a block is part of the chain now.
func (c *Client) canonical(ctx context.Context, b chains.Block) (bool, error) {
	now, err := c.Block(ctx, b.Number)
	if errors.Is(err, chains.ErrNotFound) {
		return false, nil
	}
	return now.Hash == b.Hash, err
}
