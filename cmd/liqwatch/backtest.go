package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v3"

	"liqwatch/chains"
	"liqwatch/chains/recorded"
	backtest "liqwatch/internal/backtest/cli"
	past "liqwatch/internal/backtest/recording"
	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
)

func backtestCommand() *cli.Command {
	return backtest.Command(backtest.Env{Recording: openForBacktest, Usage: usage})
}

// openForBacktest makes players of a recording for the backtest: followers over its
// chains, as `replay` has them, without rules and notifiers.
func openForBacktest(_ context.Context, path string) (past.Opener, error) {
	rec, err := recorded.OpenFile(path)
	if err != nil {
		return nil, usage(err)
	}
	cfg, err := config.Parse("recording", []byte(rec.Meta().Config))
	if err != nil {
		return nil, usage(fmt.Errorf("the recording's configuration is not one that this version takes: %w", err))
	}
	return func(context.Context) (past.Player, error) {
		again, err := recorded.OpenFile(path)
		if err != nil {
			return nil, err
		}
		return newPastPlayer(again, cfg)
	}, nil
}

// pastPlayer plays a recording block by block for the backtest.
type pastPlayer struct {
	rec       *recorded.Recording
	followers map[string]*watch.Follower
	waiting   []*recorded.Chain // chains whose first head was not passed yet
	now       time.Time
}

func newPastPlayer(rec *recorded.Recording, cfg *config.Config) (*pastPlayer, error) {
	p := &pastPlayer{rec: rec, followers: map[string]*watch.Follower{}, waiting: rec.Chains()}
	markets, err := catalog.Markets(cfg)
	if err != nil {
		return nil, err
	}
	for name, list := range groupByChain(markets) {
		chain, err := rec.Chain(name)
		if err != nil {
			return nil, fmt.Errorf("play the recording: %w", err)
		}
		f := watch.NewFollower(chain, list, forgetful{}, zerolog.Nop())
		f.Now, f.Chunk = func() time.Time { return p.now }, recordChunk
		p.followers[name] = f
	}
	return p, nil
}

// Next passes one more head.
func (p *pastPlayer) Next(ctx context.Context) (past.Pass, bool, error) {
	for {
		var c *recorded.Chain
		if len(p.waiting) > 0 {
			c, p.waiting = p.waiting[0], p.waiting[1:]
		} else {
			var more bool
			if c, more = p.rec.Advance(); !more {
				return past.Pass{}, false, nil
			}
		}
		f := p.followers[c.Name()]
		if f == nil {
			continue
		}
		head, err := c.Head(ctx)
		if err != nil {
			return past.Pass{}, false, err
		}
		p.now = time.Unix(int64(head.Time), 0)
		out, err := f.Pass(ctx, head)
		if err != nil {
			return past.Pass{}, false, fmt.Errorf("block %d: %w", head.Number, err)
		}
		for _, err := range out.Failed {
			return past.Pass{}, false, fmt.Errorf("block %d: %w", head.Number, err)
		}
		return past.Pass{Block: head, Books: p.books(), Liquidations: out.Liquidations}, true, nil
	}
}

func (p *pastPlayer) books() []protocols.Book {
	var all []protocols.Book
	for _, name := range sortedKeys(p.followers) {
		all = append(all, p.followers[name].Books()...)
	}
	return all
}

// Close lets go of nothing: the recording is in memory.
func (p *pastPlayer) Close() error { return nil }

// forgetful keeps no accounts: every play discovers them again from the recording.
type forgetful struct{}

func (forgetful) Accounts(context.Context, string) ([]chains.Address, error) { return nil, nil }
func (forgetful) Cursor(context.Context, string) (chains.Block, bool, error) {
	return chains.Block{}, false, nil
}
func (forgetful) SaveAccounts(context.Context, string, []chains.Address, chains.Block) error {
	return nil
}
