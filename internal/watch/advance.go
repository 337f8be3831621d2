package watch

import (
	"context"
	"errors"
	"fmt"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// notice reads the logs since the last pass, and notes them and those that a
// reorg took back.
func (f *Follower) notice(ctx context.Context, head chains.Block, out *Outcome) error {
	last, any := f.trail.last()
	if !any {
		f.trail.add(head, nil)
		return nil
	}
	out.Before = last
	ancestor, undone, err := f.trail.ancestor(ctx, f.chain, head)
	switch {
	case errors.Is(err, errTooDeep):
		return f.startOver(ctx, head, undone, out)
	case err != nil:
		return err
	}
	out.Ancestor, out.Undone = ancestor, ancestor != last
	logs, err := f.logsBetween(ctx, ancestor, head)
	if err != nil {
		return err
	}
	if out.Undone {
		f.log.Warn().Uint64("block", last.Number).Uint64("ancestor", ancestor.Number).Msg("reorg: taking back what was undone")
		f.trail.cut(ancestor.Number)
	}
	f.note(undone)
	out.Liquidations = f.note(logs)
	if head != ancestor {
		f.trail.add(head, logs)
	}
	return nil
}

// startOver forgets where the follower stood: every market reads its logs from
// the last final block on and all its accounts again. Nothing known is deleted.
func (f *Follower) startOver(ctx context.Context, head chains.Block, undone []chains.Log, out *Outcome) error {
	out.Undone, out.Deep = true, true
	f.log.Error().Uint64("block", out.Before.Number).Uint64("head", head.Number).
		Msg("reorg deeper than what is remembered: reading every account again")
	f.note(undone)
	for _, t := range f.tracked {
		t.loaded = false
		if t.opened {
			if err := f.discover(ctx, t, head); err != nil {
				return err
			}
		}
	}
	f.trail.stops = nil
	f.trail.add(head, nil)
	return nil
}

// logsBetween are the logs any market follows, after a block up to head.
func (f *Follower) logsBetween(ctx context.Context, after, head chains.Block) ([]chains.Log, error) {
	if head.Number <= after.Number {
		return nil, nil
	}
	var filters []chains.Filter
	for _, t := range f.tracked {
		if t.opened {
			filters = append(filters, marketFilters(t.market)...)
		}
	}
	all := chains.Merge(filters...)
	if all.Empty() {
		return nil, nil
	}
	logs, err := f.chain.Logs(ctx, all, after.Number+1, head)
	if err != nil {
		return nil, fmt.Errorf("follow %s: logs of blocks %d to %d: %w", f.chain.Name(), after.Number+1, head.Number, err)
	}
	return logs, nil
}

func marketFilters(m protocols.Market) []chains.Filter {
	discovery, _ := m.Discovery()
	return []chains.Filter{m.Follow(), discovery}
}

// note hands every market the logs meant for it and decodes real liquidations.
func (f *Follower) note(logs []chains.Log) []protocols.Liquidation {
	var out []protocols.Liquidation
	for _, t := range f.tracked {
		if !t.opened {
			continue
		}
		mine := matching(logs, marketFilters(t.market))
		if len(mine) > 0 {
			t.market.Note(mine)
			out = append(out, t.market.Liquidations(mine)...)
		}
	}
	return out
}

func matching(logs []chains.Log, filters []chains.Filter) []chains.Log {
	var out []chains.Log
	for _, l := range logs {
		for _, f := range filters {
			if f.Match(l) {
				out = append(out, l)
				break
			}
		}
	}
	return out
}

// refresh brings every open market's book to head.
func (f *Follower) refresh(ctx context.Context, head chains.Block, failed map[string]error) {
	var open []*tracked
	var steps []protocols.Step
	for _, t := range f.tracked {
		if t.opened && failed[t.market.Name()] == nil {
			open = append(open, t)
			steps = append(steps, t.market.Refresh(head, f.scope(t)))
		}
	}
	for _, s := range f.spots {
		steps = append(steps, s.step())
	}
	errs := RunSteps(ctx, f.chain, head, steps...)
	f.tellSpots(errs[len(open):])
	for i, err := range errs[:len(open)] {
		t := open[i]
		if err != nil {
			failed[t.market.Name()] = fmt.Errorf("read %s at block %d: %w", t.market.Name(), head.Number, err)
			continue
		}
		if f.scope(t) == protocols.Everything {
			t.loaded, t.swept = true, f.Now()
		}
	}
}

// tellSpots logs spot feeds that could not be read; the last price is not kept.
func (f *Follower) tellSpots(errs []error) {
	for i, s := range f.spots {
		err := s.err
		if errs[i] != nil {
			s.now, err = nil, errs[i]
		}
		if err != nil {
			f.log.Warn().Err(err).Str("axis", s.Axis).Msg("no market price")
		}
	}
}

// scope is Everything at first and whenever a sweep is due.
func (f *Follower) scope(t *tracked) protocols.Scope {
	if !t.loaded || (f.SweepEvery > 0 && f.Now().Sub(t.swept) >= f.SweepEvery) {
		return protocols.Everything
	}
	return protocols.Noted
}

// remember saves new accounts, and lets go of what can no longer be undone.
func (f *Follower) remember(ctx context.Context, head chains.Block) error {
	first := len(f.trail.stops) < 2 // nothing was followed yet that could be final
	unknown := f.final == (chains.Block{})
	if !first && (unknown || f.final.Number+finalEvery <= head.Number) {
		before := f.final
		final, err := f.finalized(ctx, head)
		if err != nil {
			return err
		}
		if err := f.askAgain(ctx, before, final); err != nil {
			return err
		}
	}
	if f.final == (chains.Block{}) {
		return nil // the next pass asks, and keeps what is known
	}
	f.trail.forget(f.final.Number)
	for _, t := range f.tracked {
		if !t.loaded {
			continue
		}
		if err := f.save(ctx, t, older(head, f.final)); err != nil {
			return err
		}
	}
	return nil
}

// finalEvery is how many blocks pass between questions for the final block: it
// need not be fresh, only never too new.
const finalEvery = 96
