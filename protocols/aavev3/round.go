package aavev3

import (
	"errors"
	"fmt"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// errReverted: a view that always answers did not.
var errReverted = errors.New("the call reverted")

// round collects the reads of one step together with what takes their answers.
type round struct {
	reads []chains.Read
	takes []take
}

type take struct {
	n  int
	fn func([]chains.Answer) error
}

// bulk asks several reads whose answers are taken together.
func (r *round) bulk(reads []chains.Read, fn func([]chains.Answer) error) {
	r.reads = append(r.reads, reads...)
	r.takes = append(r.takes, take{len(reads), fn})
}

// ask asks one read.
func (r *round) ask(read chains.Read, fn func(chains.Answer) error) {
	r.bulk([]chains.Read{read}, func(a []chains.Answer) error { return fn(a[0]) })
}

// link is a word of a read asked before, by its position in the round, for the
// read asked next.
func (r *round) link(read, word int) chains.Link {
	return chains.Link{Back: len(r.reads) - read, From: 32 * word}
}

// into is link for the i-th argument of the read asked next.
func (r *round) into(argument, read, word int) chains.Link {
	l := r.link(read, word)
	l.Into = 4 + 32*argument
	return l
}

// then has something done with what was taken so far.
func (r *round) then(fn func() error) {
	r.bulk(nil, func([]chains.Answer) error { return fn() })
}

// must asks a read that must answer; of names the contract in errors.
func (r *round) must(read chains.Read, of *chains.Address, what string, fn func(data []byte) error) {
	r.ask(read, func(a chains.Answer) error {
		if a.Failed {
			return fmt.Errorf("read %s of %s: %w", what, *of, errReverted)
		}
		if err := fn(a.Data); err != nil {
			return fmt.Errorf("read %s of %s: %w", what, *of, err)
		}
		return nil
	})
}

// view asks a view that must answer; what names it in errors.
func (r *round) view(to chains.Address, call []byte, what string, fn func(data []byte) error) {
	r.must(chains.View(to, call), &to, what, fn)
}

// step is the round as a step; then runs when all answers were taken.
func (r *round) step(then func() (protocols.Step, error)) protocols.Step {
	return protocols.Step{Wants: r.reads, Then: func(answers []chains.Answer) (protocols.Step, error) {
		if len(answers) != len(r.reads) {
			return protocols.Step{}, fmt.Errorf("%d answers to %d reads", len(answers), len(r.reads))
		}
		for _, t := range r.takes {
			if err := t.fn(answers[:t.n]); err != nil {
				return protocols.Step{}, err
			}
			answers = answers[t.n:]
		}
		return then()
	}}
}
