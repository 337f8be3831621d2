package evm

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/chains/chainstest"
)

// tctx is for rapid's checks, which have no context of their own.
var tctx = context.Background()

// follower keeps the logs of the branch it stands on, the plainest way.
type follower struct {
	chain  *Client
	filter chains.Filter
	blocks []chains.Block
	logs   []chains.Log
}

func newFollower(c *Client, f chains.Filter, start chains.Block) *follower {
	return &follower{chain: c, filter: f, blocks: []chains.Block{start}}
}

func (f *follower) at() chains.Block { return f.blocks[len(f.blocks)-1] }

// step goes to the head, taking back what is no longer part of its branch.
func (f *follower) step(ctx context.Context) error {
	for {
		head, err := f.chain.Head(ctx)
		if err != nil {
			return err
		}
		for {
			last := f.at()
			if last.Number <= head.Number {
				now, err := f.chain.Block(ctx, last.Number)
				if err != nil {
					return err
				}
				if now.Hash == last.Hash {
					break
				}
			}
			if len(f.blocks) == 1 {
				return errors.New("the start was undone")
			}
			f.blocks = f.blocks[:len(f.blocks)-1]
			for len(f.logs) > 0 && f.logs[len(f.logs)-1].Block > f.at().Number {
				f.logs = f.logs[:len(f.logs)-1]
			}
		}
		logs, err := f.chain.Logs(ctx, f.filter, f.at().Number+1, head)
		if errors.Is(err, chains.ErrReorged) {
			continue
		}
		if err != nil {
			return err
		}
		if head.Number > f.at().Number {
			f.blocks = append(f.blocks, head)
		}
		f.logs = append(f.logs, logs...)
		return nil
	}
}

// Any mixture of mining and reorgs, siblings and empty blocks among them.
func TestFollowingReorgs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		chain := chainstest.NewChain(1)
		chain.MineEmpty(2)
		node := chainstest.NewNode(t, chain)
		node.Behave(chainstest.Behaviour{NoLogsByHash: rapid.Bool().Draw(rt, "byNumber"), NoBlockHash: rapid.Bool().Draw(rt, "numbers")})
		c := client(t, Config{ChainID: 1}, node)
		defer c.Close()
		start, err := c.Head(tctx)
		require.NoError(rt, err)
		f := newFollower(c, follow, start)
		for i := range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0:
				chain.Mine(event(tokenA, borrow, i), event(tokenB, repay, i))
			case 1:
				chain.Mine()
			case 2:
				depth := min(rapid.IntRange(1, 64).Draw(rt, "depth"), int(chain.Head().Number-start.Number))
				more := make([][]chainstest.Event, depth)
				for k := range more {
					if rapid.Bool().Draw(rt, "with") {
						more[k] = []chainstest.Event{event(tokenA, borrow, 100*i+k)}
					}
				}
				chain.Reorg(depth, more...)
				// A reorg that leaves the chain shorter is one as well, as long as a new block shows it.
				chain.Drop(min(rapid.IntRange(0, 2).Draw(rt, "shorter"), max(0, depth-1)))
			case 3:
			}
			require.NoError(rt, f.step(tctx))
			if f.at() != chain.Head() {
				rt.Fatalf("stands on %v, the head is %v", f.at(), chain.Head())
			}
			if want := chain.Logs(0, chain.Head().Number, follow.Match); !sameLogs(f.logs, want) {
				rt.Fatal(fmt.Sprintf("%d logs, want %d", len(f.logs), len(want)))
			}
		}
	})
}
