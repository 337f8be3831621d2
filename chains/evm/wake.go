package evm

import (
	"context"
	"sync"
	"time"

	"liqwatch/chains"
)

// wake tells followers that a node has spoken of a new block. It carries no
// block: what it says is only a reason to ask now instead of a little later.
type wake struct {
	ch chan struct{}

	mu   sync.Mutex
	last time.Time
}

func newWake() *wake { return &wake{ch: make(chan struct{}, 1)} }

func (w *wake) ring() {
	w.mu.Lock()
	w.last = time.Now()
	w.mu.Unlock()
	select {
	case w.ch <- struct{}{}:
	default:
	}
}

// heard reports whether the last ring is not older than d.
func (w *wake) heard(d time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.last.IsZero() && time.Since(w.last) < d
}

// Bounds of the time between two looks at the head.
const (
	shortestPoll = 250 * time.Millisecond
	longestPoll  = 2 * time.Second
	longestIdle  = 15 * time.Second
)

// pause is the time to the next look: short while polling alone, one and a half
// blocks while a websocket rings, so that a silent one is found within three.
func (w *wake) pause(blockTime time.Duration) time.Duration {
	poll := min(max(blockTime/6, shortestPoll), longestPoll)
	if blockTime > 0 && w.heard(2*blockTime) {
		return min(max(blockTime*3/2, poll), longestIdle)
	}
	return poll
}

// Wait blocks until the head is another block than after, and returns it: higher
// as a rule, at the same height or below after a reorg. It returns an error when ctx
// ends, or when no node gave a usable answer; the caller decides to wait again.
func (c *Client) Wait(ctx context.Context, after chains.Block) (chains.Block, error) {
	for {
		head, err := c.Head(ctx)
		if err != nil || head.Hash != after.Hash {
			return head, err
		}
		c.mu.Lock()
		blockTime := c.blockTime
		c.mu.Unlock()
		next := time.NewTimer(c.wake.pause(blockTime))
		select {
		case <-ctx.Done():
			next.Stop()
			return chains.Block{}, context.Cause(ctx)
		case <-c.wake.ch:
			next.Stop()
		case <-next.C:
		}
	}
}
