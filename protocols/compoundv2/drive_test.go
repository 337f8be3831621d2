package compoundv2

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// driver brings one market from block to block as the watch loop does, in as few
// lines as it takes.
type driver struct {
	t      *testing.T
	chain  chains.Chain
	market *Market
	last   chains.Block
	opened bool
	reads  int
	rounds int
}

func run(ctx context.Context, chain chains.Chain, at chains.Block, s protocols.Step, d *driver) error {
	for !s.Done() {
		var answers []chains.Answer
		var err error
		switch {
		case len(s.Moved) > 0:
			answers, err = chain.ReadMoved(ctx, at, s.Moved, s.Wants)
		case len(s.Wants) > 0:
			answers, err = chain.Read(ctx, at, s.Wants)
		}
		if err != nil {
			return err
		}
		d.reads += len(s.Wants)
		d.rounds++
		next, err := s.Then(answers)
		if err != nil {
			return err
		}
		s = next
	}
	return nil
}

// to brings the market to a block and returns the error of the first step that failed.
func (d *driver) to(ctx context.Context, head chains.Block, scope protocols.Scope) error {
	if !d.opened {
		can, err := d.chain.Capabilities(ctx)
		if err != nil {
			return err
		}
		if err := run(ctx, d.chain, head, d.market.Open(head, can), d); err != nil {
			return fmt.Errorf("open: %w", err)
		}
		filter, from := d.market.Discovery()
		logs, err := d.chain.Logs(ctx, filter, from, head)
		if err != nil {
			return fmt.Errorf("discover: %w", err)
		}
		d.market.Note(logs)
		d.opened, scope = true, protocols.Everything
	} else if head.Number > d.last.Number {
		discovery, _ := d.market.Discovery()
		logs, err := d.chain.Logs(ctx, chains.Merge(d.market.Follow(), discovery), d.last.Number+1, head)
		if err != nil {
			return fmt.Errorf("follow: %w", err)
		}
		d.market.Note(logs)
	}
	if err := run(ctx, d.chain, head, d.market.Refresh(head, scope), d); err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	d.last = head
	return nil
}

func (d *driver) must(scope protocols.Scope) *book {
	d.t.Helper()
	ctx := d.t.Context()
	head, err := d.chain.Head(ctx)
	require.NoError(d.t, err)
	require.NoError(d.t, d.to(ctx, head, scope))
	return d.market.book
}

func (d *driver) verify() protocols.Report {
	d.t.Helper()
	var report protocols.Report
	require.NoError(d.t, run(d.t.Context(), d.chain, d.last, d.market.Verify(&report), d))
	return report
}
