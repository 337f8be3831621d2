package watch

import (
	"context"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// openAll opens markets by what the nodes allow. Where that is not known yet it begins
// by what most do, and begins again when the first reads have shown otherwise.
func (f *Follower) openAll(ctx context.Context, head chains.Block, closed []*tracked) ([]error, error) {
	run := func(can chains.Capabilities) []error {
		steps := make([]protocols.Step, len(closed))
		for i, t := range closed {
			steps[i] = t.market.Open(head, can)
		}
		return RunSteps(ctx, f.chain, head, steps...)
	}
	var errs []error
	hopeful, hopes := f.chain.(chains.Hopeful)
	var expected chains.Capabilities
	if hopes {
		expected = hopeful.Expected()
		errs = run(expected)
	}
	can, err := f.chain.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	f.can = can
	if !hopes || can.Slots != expected.Slots || can.Overrides != expected.Overrides || can.Pinned != expected.Pinned {
		errs = run(can)
	}
	return errs, nil
}
