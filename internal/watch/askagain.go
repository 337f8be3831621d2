package watch

import (
	"context"
	"fmt"

	"liqwatch/chains"
)

// askAgain asks for the logs of blocks that have become final once more: a node that
// left some out at the tip, as nodes do that index late, has them by now. What was
// not there the first time is noted, and read by the next pass.
func (f *Follower) askAgain(ctx context.Context, before, final chains.Block) error {
	first, any := f.trail.first()
	if !any || before == (chains.Block{}) {
		return nil
	}
	from := older(final, newer(before, first))
	logs, err := f.logsBetween(ctx, from, final)
	if err != nil {
		return fmt.Errorf("ask again for what is final: %w", err)
	}
	var missed []chains.Log
	for _, l := range logs {
		if !f.trail.has(l) {
			missed = append(missed, l)
		}
	}
	if len(missed) > 0 {
		f.log.Warn().Int("logs", len(missed)).Uint64("from", from.Number+1).Uint64("to", final.Number).
			Msg("a node had left logs out: what they touched is read now")
		f.note(missed)
	}
	return nil
}

func newer(a, b chains.Block) chains.Block {
	if b.Number > a.Number {
		return b
	}
	return a
}

// first is the oldest stop that is remembered.
func (t *trail) first() (chains.Block, bool) {
	if len(t.stops) == 0 {
		return chains.Block{}, false
	}
	return t.stops[0].block, true
}

// has reports that a log was taken in on the way.
func (t *trail) has(l chains.Log) bool {
	for _, s := range t.stops {
		if s.block.Number < l.Block {
			continue
		}
		for _, seen := range s.logs {
			if seen.BlockHash == l.BlockHash && seen.Index == l.Index {
				return true
			}
		}
		return false // of the stop that covers its block
	}
	return false
}
