package watch

import (
	"context"
	"errors"
	"fmt"

	"liqwatch/chains"
)

// trail remembers the blocks a follower stood on, with the logs it took in on the
// way, for as long as a reorg can reach back.
type trail struct {
	stops []stop // oldest first
	limit int
}

// stop is one block that was processed, and the logs since the stop before it.
type stop struct {
	block chains.Block
	logs  []chains.Log
}

// errTooDeep: no block remembered is part of the chain any more.
var errTooDeep = errors.New("reorg deeper than what is remembered")

func (t *trail) last() (chains.Block, bool) {
	if len(t.stops) == 0 {
		return chains.Block{}, false
	}
	return t.stops[len(t.stops)-1].block, true
}

func (t *trail) add(b chains.Block, logs []chains.Log) {
	t.stops = append(t.stops, stop{b, logs})
	if over := len(t.stops) - t.limit; over > 0 {
		t.stops = append([]stop(nil), t.stops[over:]...)
	}
}

// forget drops the stops before the newest final one: nothing can undo them.
func (t *trail) forget(finalized uint64) {
	keep := 0
	for i, s := range t.stops {
		if s.block.Number <= finalized {
			keep = i
		}
	}
	t.stops = t.stops[keep:]
}

// ancestor is the newest stop that is part of head's branch, and the logs that
// were taken in after it. Where head is the child of the last stop, nothing is asked.
func (t *trail) ancestor(ctx context.Context, chain chains.Chain, head chains.Block) (chains.Block, []chains.Log, error) {
	var undone []chains.Log
	for i := len(t.stops) - 1; i >= 0; i-- {
		b := t.stops[i].block
		on, err := onBranch(ctx, chain, b, head)
		if err != nil {
			return chains.Block{}, nil, err
		}
		if on {
			return b, undone, nil
		}
		undone = append(undone, t.stops[i].logs...)
	}
	return chains.Block{}, undone, errTooDeep
}

// onBranch reports whether b is head or one of its ancestors.
func onBranch(ctx context.Context, chain chains.Chain, b, head chains.Block) (bool, error) {
	switch {
	case b.Hash == head.Hash, b.Hash == head.Parent:
		return true, nil
	case b.Number >= head.Number:
		return false, nil
	}
	now, err := chain.Block(ctx, b.Number)
	if errors.Is(err, chains.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for block %d on the new branch: %w", b.Number, err)
	}
	return now.Hash == b.Hash, nil
}

// cut drops the stops after the block of that number.
func (t *trail) cut(after uint64) {
	for len(t.stops) > 0 && t.stops[len(t.stops)-1].block.Number > after {
		t.stops = t.stops[:len(t.stops)-1]
	}
}
