package watch

import (
	"context"
	"errors"
	"fmt"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// RunSteps runs the steps of several markets at one block. The reads of all
// markets' rounds are merged, so that a chain is asked once a round however many
// markets it has. The result holds one error per step: a market that fails does
// not stop the others. A failure of the chain itself fails every market still
// running.
func RunSteps(ctx context.Context, chain chains.Chain, at chains.Block, steps ...protocols.Step) []error {
	errs := make([]error, len(steps))
	for {
		running, moved := split(steps)
		if len(running)+len(moved) == 0 {
			return errs
		}
		for _, i := range moved {
			answers, err := chain.ReadMoved(ctx, at, steps[i].Moved, steps[i].Wants)
			steps[i], errs[i] = advance(steps[i], answers, err)
		}
		runMerged(ctx, chain, at, steps, running, errs)
	}
}

// split tells the steps whose reads can be merged from those that move prices.
func split(steps []protocols.Step) (running, moved []int) {
	for i, s := range steps {
		switch {
		case s.Done():
		case len(s.Moved) > 0:
			moved = append(moved, i)
		default:
			running = append(running, i)
		}
	}
	return running, moved
}

func runMerged(ctx context.Context, chain chains.Chain, at chains.Block, steps []protocols.Step, running []int, errs []error) {
	var wants []chains.Read
	for _, i := range running {
		wants = append(wants, steps[i].Wants...)
	}
	var answers []chains.Answer
	var err error
	if len(wants) > 0 {
		answers, err = chain.Read(ctx, at, wants)
		if err == nil && len(answers) != len(wants) {
			err = fmt.Errorf("read at block %d: %d answers to %d reads", at.Number, len(answers), len(wants))
		}
	}
	for _, i := range running {
		n := len(steps[i].Wants)
		var mine []chains.Answer
		if err == nil {
			mine, answers = answers[:n], answers[n:]
		}
		steps[i], errs[i] = advance(steps[i], mine, err)
	}
}

// advance hands a step its answers; an error ends the step.
func advance(s protocols.Step, answers []chains.Answer, err error) (protocols.Step, error) {
	if err != nil {
		return protocols.Step{}, err
	}
	next, err := s.Then(answers)
	if err != nil {
		return protocols.Step{}, err
	}
	return next, nil
}

// lostBlock reports an error that a newer block cures: the block read at was
// undone, or the node no longer has its state.
func lostBlock(err error) bool {
	return errors.Is(err, chains.ErrReorged) || errors.Is(err, chains.ErrPruned)
}
